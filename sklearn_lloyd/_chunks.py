"""The rows of X in blocks, and one way to run a kernel over all of them.

Nothing above this module slices X. The blocks depend on the shape of X alone, and what
the kernels return is reduced in the order of the blocks, so that the number of threads never
shows in a result.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from copy import copy
from itertools import pairwise

import numpy as np
from scipy import sparse

from sklearn_lloyd._kernels import (
    compiled_kernels,
    has_duplicates,
    read_only,
    row_slice,
    truth_as_numbers,
)
from sklearn_lloyd._threads import effective_n_threads, worker_pool

_MAX_ROWS = 65536
_MAX_VALUES = 1 << 19  # of X in a block: more, and the scratch memory of a worker shows
_BLOCK_SCORES = 1 << 20  # rows times clusters: fewer, and Python's own time shows
# Times as many where NumPy compares dense rows with clusters: between any two of its operations
# threads wait for each other to get at Python, so these are to be long.
_LONGER = 4
_MIN_ROWS = 2048
_COMPILED_VALUES = 1 << 17  # of X in the smallest block that compiled code is called for


def block_slices(n_rows, values_per_row, n_clusters, longer=1):
    """Cut the rows into slices of nearly equal size, whatever the number of threads."""
    wanted = min(_MAX_ROWS, max(_MIN_ROWS, longer * _BLOCK_SCORES // n_clusters))
    largest = max(1, min(_MAX_ROWS, _MAX_VALUES // max(1, values_per_row)))
    return even_slices(n_rows, wanted, largest)


def even_slices(n_rows, wanted, largest=_MAX_ROWS):
    """Cut the rows into slices of nearly equal size, at least `wanted` if `largest` allows."""
    # A power of two, which most numbers of cores share out evenly.
    n_blocks = max(1 << max(0, (n_rows // wanted).bit_length() - 1), -(-n_rows // largest))
    edges = [n_rows * i // n_blocks for i in range(n_blocks + 1)]
    return [slice(a, b) for a, b in pairwise(edges)]


def edges_of(slices):
    """Where they start and where they stop, an array each."""
    return np.array([(rows.start, rows.stop) for rows in slices], np.intp).T.copy()


def slices_of_features(n_clusters, n_features):
    """Slices of the features for what is done to all centres: more than one if there is much."""
    return even_slices(n_features, max(1, _COMPILED_VALUES // n_clusters))


def take_rows(rows, index):
    """The rows of an index array, dense or CSR; the fastest way for what they are."""
    if isinstance(rows, np.ndarray) and rows.flags.c_contiguous:
        return rows.take(index, axis=0)
    return rows[index]  # take would copy the whole of it first


class Chunks:
    """Row blocks of a dense array or CSR matrix, run over a pool of threads.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_samples, n_features)
        Any real dtype, any strides; only read.
    n_clusters : int
        How many centres the rows are going to be compared with.
    n_threads : int or None
        None: as many as the machine gives at the time of the call.
    backend : {"auto", "numpy", "numba"}
    n_before : int
        Passes over as many rows that came before.
    names : sequence or None
        Of the columns, as messages are to call them.

    Attributes
    ----------
    X : ndarray or CSR
        A read-only view.
    compiled : module or None
        The compiled kernels, where they are to be used.
    """

    def __init__(self, X, n_clusters, n_threads=None, backend="numpy", n_before=0, names=None):
        self.is_sparse = sparse.issparse(X)
        # Compiled code, too, is then the same whether X can be written to or not.
        self.X = read_only(X)
        self.shape = X.shape
        self.dtype = X.dtype
        self.names = names
        per_row = X.nnz // max(1, X.shape[0]) if self.is_sparse else X.shape[1]
        self.compiled = compiled_kernels(backend, X, n_clusters, n_before)
        longer = 1 if self.is_sparse or self.compiled is not None else _LONGER
        self.blocks = block_slices(X.shape[0], per_row, n_clusters, longer)
        # Entries to be added up: in copies, block by block, whenever rows are read.
        self._untidy = self.is_sparse and not X.has_canonical_format and self._has_duplicates()
        if self._untidy:
            self.compiled = None
        if self.compiled is not None:
            self.X = truth_as_numbers(self.X)  # which code is compiled for anyway
        self.n_threads = n_threads
        self.backend = backend
        self._pool = None
        self._scratch = threading.local()
        # The number of products in a row's distance: what its rounding error grows with.
        self.n_terms = X.shape[1]
        if self.is_sparse:
            self.n_terms = int(np.diff(X.indptr).max(initial=0))

    def _has_duplicates(self):
        """Whether entries share a place, or may."""
        X = self.X
        if X.shape[1] > X.nnz:  # to look costs memory for each column
            return True
        if self.compiled is not None:
            return self.compiled.has_duplicates(X.indices, X.indptr, X.shape[1])
        return any(has_duplicates(row_slice(X, rows)) for rows in self.blocks)

    @property
    def compiled_dense(self):
        """`compiled` if the rows are dense, else None."""
        return None if self.is_sparse else self.compiled

    def rows(self, index):
        """Rows `index` (a slice or an array of indices) as they are: a view for a slice."""
        if not self.is_sparse:
            return self.X[index] if isinstance(index, slice) else take_rows(self.X, index)
        if isinstance(index, slice) and not self._untidy:
            return row_slice(self.X, index)
        rows = self.X[index]
        if self._untidy:
            rows.sum_duplicates()  # of the slice, which is a copy
        return rows

    def dense_rows(self, index):
        """Rows `index` as a dense C-ordered float64 array; meant for few of them."""
        rows = self.rows(index)
        if self.is_sparse:
            rows = rows.toarray()
        return np.ascontiguousarray(rows, dtype=np.float64)

    def gathered(self, index):
        """Some of the rows, copied, as chunks of their own that share the kernels and the pool."""
        some = copy(self)
        some.X = read_only(self.rows(index))
        some.shape = some.X.shape
        some.blocks = [slice(0, index.size)]
        some._untidy = False
        return some

    def later(self, work):
        """Start `work()` while the caller goes on; returns what to call for its value.

        On a thread of the pool if there is another one, else when the value is asked for.
        """
        return work if self._pool is None else self._pool.later(work)

    @property
    def scratch(self):
        """What this thread keeps while the pool is open, a dict."""
        return self._scratch.__dict__

    def together(self, work, shared):
        """Call `work(True)` here, which leads a team, and `work(False)` on the other threads.

        `shared` is what the team shares, see `_kernels/_numba/_team`. Returns what the first one
        returns.
        """

        def lead():
            try:
                return work(True)
            finally:
                self.compiled.dismiss(shared)

        return lead() if self._pool is None else self._pool.run(lambda: work(False), lead)

    def blocks_of(self, index):
        """Cut an array of row indices into blocks of the usual size."""
        step = self.blocks[0].stop
        return [index[start : start + step] for start in range(0, index.size, step)]

    @contextmanager
    def open(self, calls_blas=True, n_blocks=None):
        """Keep one pool of threads for several calls of `map_reduce`.

        Where nothing inside calls BLAS, that can be said: to hold it to one thread takes as long
        as the work on a few hundred rows. So can the number of blocks of all that is inside.
        """
        if self._pool is not None:  # already open further out
            yield self
            return
        if n_blocks is None:
            n_blocks = len(self.blocks)
            if self.compiled_dense is not None:  # some passes are cut finer
                n_blocks = max(n_blocks, self.shape[0] * self.shape[1] // _COMPILED_VALUES)
        n_workers = 1
        if n_blocks > 1:
            n_workers = min(effective_n_threads(self.n_threads), n_blocks)
        try:
            with worker_pool(n_workers, calls_blas) as self._pool:
                yield self
        finally:
            self._pool = None
            self._scratch = threading.local()

    def map_reduce(self, kernel, reduce=None, blocks=None, last=False):
        """Run `kernel(rows, scratch)` on every block; `reduce` what it returns, in order.

        `rows` is one of `blocks`: slices, or arrays of indices, of the rows to look at; by
        default slices of all rows. `scratch` is a dict that the worker keeps from call to
        call. `last` says that none follows while the pool is open.
        """
        blocks = self.blocks if blocks is None else blocks
        if self._pool is None:
            with self.open():
                self.map_reduce(kernel, reduce, blocks, last=True)
            return
        if len(blocks) > 1:
            self._pool.run(_OrderedBlocks(blocks, self._scratch, kernel, reduce).work, last=last)
            return
        for rows in blocks:
            value = kernel(rows, self.scratch)
            if reduce is not None:
                reduce(value)

    def scan(self, kernel, reduce):
        """As `map_reduce` of all rows, by a kernel that calls no BLAS and needs no scratch.

        To open a pool takes longer than to look at a few thousand rows, so one block has none.
        """
        if len(self.blocks) > 1:
            self.map_reduce(kernel, reduce)
            return
        with np.errstate(over="ignore", invalid="ignore"):
            for rows in self.blocks:
                reduce(kernel(rows, None))


class _OrderedBlocks:
    """One pass over the blocks: workers take them in turn, results are reduced in order."""

    def __init__(self, blocks, scratch, kernel, reduce):
        self._blocks = blocks
        self._scratch = scratch
        self._kernel = kernel
        self._reduce = reduce
        self._lock = threading.Lock()
        self._next_block = 0
        self._next_reduced = 0
        self._waiting = {}

    def work(self):
        scratch = self._scratch.__dict__
        try:
            while True:
                with self._lock:
                    i = self._next_block
                    self._next_block += 1
                if i >= len(self._blocks):
                    return
                value = self._kernel(self._blocks[i], scratch)
                if self._reduce is not None:
                    self._collect(i, value)
        except BaseException:
            with self._lock:
                self._next_block = len(self._blocks)  # the others stop at their next block
            raise

    def _collect(self, i, value):
        with self._lock:
            self._waiting[i] = value
            while self._next_reduced in self._waiting:
                self._reduce(self._waiting.pop(self._next_reduced))
                self._next_reduced += 1
