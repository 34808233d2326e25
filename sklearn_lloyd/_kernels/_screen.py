"""Screening: squared distances by one matrix product, with a bound on their error.

For a row x and a centre c, both relative to the shift, the *score* is |c|^2 - 2 x.c: the
squared distance less |x|^2, which all centres share. One product with the rows, extended by
a one, gives the scores of a block. In a precision with spacing eps, and with n_terms products
in the sum, a score is off by at most eta (2 |c|^2 + |x|^2), eta = (n_terms + 8) eps: the two
roundings to that precision, the product in any order of its terms, and a factor of two in
hand; where products underflow, by n_terms times the least normal number more.

The part of the error that depends on the centre is taken off the score beforehand, so scores
are lower bounds up to eta |x|^2, and a far outlying centre costs the others no precision.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy import sparse

from sklearn_lloyd._kernels._csr import sum_by_row, with_dtype

_WIDE_LAYOUT = 24  # features, up to which rows are laid out feature by feature
_MANY = 160  # centres, from which the scores of one row lie side by side
FEW = 32  # centres, up to which a product is faster with the rows as its first factor
_NARROW = 4  # features, up to which it is not
# Multiplications in a product, up to which OpenBLAS does not copy its factors together first.
_SMALL_PRODUCT = 1_000_000


def scratch_array(scratch, name, shape, dtype):
    """An uninitialised matrix out of `scratch`, which keeps the memory for the next call."""
    size = shape[0] * shape[1]
    key = (name, dtype)
    memory = scratch.get(key)
    if memory is None or memory.size < size:
        memory = scratch[key] = np.empty(size, dtype)
    return memory[:size].reshape(shape)


def scratch_scores(scratch, name, shape, dtype):
    """A scratch matrix whose rows do not lie a power of two apart.

    Else the rows compete for the same few lines of the cache, and the product takes half as
    long again.
    """
    width = -(-shape[1] // 16) * 16
    if width % 256 == 0:
        width += 16
    return scratch_array(scratch, name, (shape[0], width), dtype)[:, : shape[1]]


class Screen:
    """The centres in one precision, ready for the product.

    Parameters
    ----------
    offsets : ndarray of shape (n_clusters, n_features), float64
        The centres less the shift.
    sq_norms : ndarray of shape (n_clusters,), float64
    never : ndarray of bool of shape (n_clusters,) or None
        Centres that no row may choose.
    n_terms : int
        Products in the sum of one distance.
    dtype : dtype
        float32 or float64.
    """

    def __init__(self, offsets, sq_norms, never, n_terms, dtype):
        info = np.finfo(dtype)
        self.dtype = np.dtype(dtype)
        self.eta = (n_terms + 8) * float(info.eps)
        self.table = np.empty((offsets.shape[0], offsets.shape[1] + 1), dtype)
        np.multiply(offsets, -2.0, out=self.table[:, :-1], casting="same_kind")
        self.table[:, -1] = (1.0 - 2.0 * self.eta) * sq_norms
        if never is not None:
            self.table[never, -1] = info.max / 16
        # What |c|^2 adds to the slack of a row whose nearest centre is c.
        underflow = 8.0 * (n_terms + 8) * float(info.tiny)
        # How much lower the scores are than the distances, for what needs no bound.
        self.bias = (2.0 * self.eta * sq_norms).astype(dtype)
        self._padded = {}
        self.slack = (4.0 * self.eta * sq_norms + underflow).astype(dtype)

    def padded(self, multiple):
        """Table and norms, the features filled up to a multiple.

        The centres are filled up to a multiple of four, by some that are never nearest.
        """
        if multiple not in self._padded:
            n_clusters, n_features = self.table.shape[0], self.table.shape[1] - 1
            shape = -(-n_clusters // 4) * 4, -(-n_features // multiple) * multiple
            table = np.zeros(shape, self.dtype)
            table[:n_clusters, :n_features] = self.table[:, :-1]
            norms = np.full(len(table), np.finfo(self.dtype).max / 16, self.dtype)
            norms[:n_clusters] = self.table[:, -1]
            self._padded[multiple] = table, norms
        return self._padded[multiple]

    @cached_property
    def _by_feature(self):
        # Contiguous, since SciPy copies at every product what is not.
        return np.ascontiguousarray(self.table[:, :-1].T)

    def prepare(self, rows, shift, scratch):
        """The rows in this precision, less the shift, as `scores` and `sq_norms` take them.

        Dense rows: of shape (n_features + 1, n_rows), with a one below each row.
        """
        if sparse.issparse(rows):
            return with_dtype(rows, self.dtype)
        n_rows, n_features = rows.shape
        if n_features <= _WIDE_LAYOUT:
            block = scratch_array(scratch, "rows", (n_features + 1, n_rows), self.dtype)
        else:
            block = scratch_array(scratch, "rows", (n_rows, n_features + 1), self.dtype).T
        if shift is None:
            np.copyto(block[:-1], rows.T, casting="unsafe")
        else:
            # In float64, whatever the dtypes: the difference is then rounded once.
            np.subtract(
                rows.T, shift[:, np.newaxis], out=block[:-1], dtype=np.float64, casting="unsafe"
            )
        block[-1] = 1
        return block

    def sq_norms(self, block):
        """Squared norms of the prepared rows, to the precision of the screen."""
        if sparse.issparse(block):
            return sum_by_row(block, np.square(block.data)).astype(self.dtype)
        return np.einsum("ij,ij->j", block[:-1], block[:-1])

    def scores(self, block, scratch):
        """Scores of the prepared rows, (n_clusters, n_rows), in memory of `scratch`."""
        n_rows = block.shape[0] if sparse.issparse(block) else block.shape[1]
        if len(self.table) > _MANY:
            out = scratch_scores(scratch, "scores", (n_rows, len(self.table)), self.dtype).T
        else:
            out = scratch_scores(scratch, "scores", (len(self.table), n_rows), self.dtype)
        if sparse.issparse(block):
            product = block @ self._by_feature
            return np.add(product.T, self.table[:, -1:], out=out)
        if len(self.table) <= FEW and block.T.flags.c_contiguous:
            np.copyto(out, self._products(block.T, self.table.T, scratch).T)
            return out
        return np.matmul(self.table, block, out=out)

    def _products(self, rows, columns, scratch):
        out = scratch_array(scratch, "products", (len(rows), columns.shape[1]), rows.dtype)
        return products_of_few(rows, np.ascontiguousarray(columns), out)

    def scores_in_place(self, rows, scratch):
        """As `scores` plus `bias`, of rows that are in this precision and need no shift."""
        out = scratch_scores(scratch, "scores", (len(self.table), len(rows)), self.dtype)
        norms = self.table[:, -1:] + self.bias[:, np.newaxis]
        if rows.flags.c_contiguous and rows.shape[1] > _NARROW:
            return np.add(self._products(rows, self.table[:, :-1].T, scratch).T, norms, out=out)
        np.matmul(self.table[:, :-1], rows.T, out=out)
        out += norms
        return out


def products_of_few(rows, columns, out):
    """The product of C-ordered rows and a few columns, in pieces that BLAS is quick with."""
    step = max(16, _SMALL_PRODUCT // columns.size)
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        np.matmul(rows[part], columns, out=out[part])
    return out


def least(scores, scratch):
    """Index of the least score of each column, right but for scores that nearly agree.

    Where the scores of a column lie apart, the index takes the place of the lowest bits of
    the score, so that one minimum over long rows finds both; NumPy's own argmin across rows
    is many times slower.
    """
    n = scores.shape[0]
    if scores.strides[0] == scores.itemsize:
        return scores.T.argmin(axis=1)
    integer = np.dtype(f"i{scores.itemsize}")
    mask = (1 << max(1, (n - 1).bit_length())) - 1
    packed = scratch_scores(scratch, "packed", scores.shape, integer)
    np.bitwise_and(scores.view(integer), integer.type(~mask), out=packed)
    np.bitwise_or(packed, np.arange(n, dtype=integer)[:, np.newaxis], out=packed)
    lowest = np.minimum.reduce(packed.view(scores.dtype), axis=0)
    # A score that overflowed may leave any bits; the caller checks the guess, not its range.
    return np.minimum(lowest.view(integer) & integer.type(mask), n - 1)
