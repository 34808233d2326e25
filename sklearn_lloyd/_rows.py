"""The rows of X: what Python and the core each need of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy import sparse
from sklearn import get_config

from sklearn_lloyd._core import native
from sklearn_lloyd._threads import effective_n_threads

_AT_ONCE = 1 << 18  # values that Python looks at together: what the cache holds


class Rows:
    """The rows of a dense array or CSR matrix. Never copied whole, never written to.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        Any real dtype, any strides; only read.
    n_threads : int or None
        None: as many as the machine gives now.
    names : sequence or None
        Of the columns, as messages are to call them.

    Attributes
    ----------
    X : ndarray or CSR
        A read-only view.
    native : object
        The same, as the functions of the core take it.
    threads : int
        How many the core may use.
    """

    def __init__(self, X, n_threads=None, names=None):
        self.is_sparse = sparse.issparse(X)
        self.X = read_only(_with_aligned_indices(X) if self.is_sparse else X)
        self.shape, self.dtype, self.names = X.shape, X.dtype, names
        self.n_threads, self.threads = n_threads, effective_n_threads(n_threads)
        if self.is_sparse:
            self.native = native.rows(self.X.data, self.X.indices, self.X.indptr, X.shape[1])
        else:
            self.native = native.rows(self.X)

    def take(self, index):
        """Rows `index` (a slice or an array of indices) as they are: a view for a slice."""
        if self.is_sparse:
            return row_slice(self.X, index) if isinstance(index, slice) else self.X[index]
        if isinstance(index, np.ndarray) and self.X.flags.c_contiguous:
            return self.X.take(index, axis=0)
        return self.X[index]

    def dense(self, index):
        """Rows `index` as a dense C-ordered float64 array; meant for few of them."""
        rows = self.take(index)
        if self.is_sparse:
            rows = rows.toarray()  # entries that share a place are added up
        return np.ascontiguousarray(rows, dtype=np.float64)

    def part(self, index):
        """Some of the rows, copied, as rows of their own."""
        return Rows(self.take(index), self.n_threads, self.names)

    def slices(self, row_size=1):
        """Slices of the rows, for what Python does with few at a time.

        `row_size` is how many numbers are made of each row, besides those that it has.
        """
        n_rows, n_features = self.shape
        width = max(1, self.X.nnz // max(1, n_rows)) if self.is_sparse else n_features
        return even_slices(n_rows, max(1, _AT_ONCE // max(width, row_size)))


def even_slices(n_rows, most):
    """Cut rows into slices of nearly equal size, none longer than `most`."""
    n_slices = max(1, -(-n_rows // most))
    edges = [n_rows * i // n_slices for i in range(n_slices + 1)]
    return [slice(start, stop) for start, stop in pairwise(edges)]


def read_only(rows):
    """The same rows, dense or CSR, as a view that refuses to be written to."""
    if sparse.issparse(rows):
        return _csr(rows, *(read_only(part) for part in (rows.data, rows.indices, rows.indptr)))
    view = rows.view()
    view.flags.writeable = False
    return view


def _with_aligned_indices(rows):
    """The same CSR with indices that are aligned in memory; the core reads any data."""
    if rows.indices.flags.aligned and rows.indptr.flags.aligned:
        return rows
    indices, indptr = (np.require(part, requirements="A") for part in (rows.indices, rows.indptr))
    return _csr(rows, rows.data, indices, indptr)


def row_slice(rows, part):
    """Rows of a slice of step one, dense or CSR, as a view."""
    if not sparse.issparse(rows):
        return rows[part]
    start, stop, _ = part.indices(rows.shape[0])
    indptr = rows.indptr[start : stop + 1]
    entries = slice(indptr[0], indptr[-1])
    return _csr(rows, rows.data[entries], rows.indices[entries], indptr - indptr[0])


def _csr(like, data, indices, indptr):
    """A matrix of these very arrays; SciPy's constructor copies parts of larger ones."""
    rows = type(like)((len(indptr) - 1, like.shape[1]), dtype=data.dtype)
    rows.data, rows.indices, rows.indptr = data, indices, indptr
    return rows


def working_memory():
    """Bytes that what is only there to save time may take: a setting of scikit-learn's."""
    return int(get_config()["working_memory"] * 2**20)
