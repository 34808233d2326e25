"""Distances between all rows, a block at a time, added up by cluster as soon as they are there."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._chunks import take_rows
from sklearn_lloyd._kernels import (
    own_sq_distances,
    row_size,
    scratch_array,
    sum_by_row,
    with_dtype,
)

ROWS = 256  # that meet the others together
_OTHERS = 512  # rows at once: so few distances stay in the cache until they are added up
_DENSE = 1 << 20  # numbers of sparse rows that are made dense at once
_PAIRS = 1 << 18  # numbers in one batch of differences
_CANCELLED = 1e-6  # of the norms; squared distances below are computed by differences


class OtherRows:
    """The rows that each row is compared with, in an order that keeps clusters together.

    Parameters
    ----------
    chunks : Chunks
    labelings : list of ndarray of intp of shape (n_samples,)
    sizes : list of int
        Their numbers of clusters.
    sample_weight : ndarray of shape (n_samples,), float64, or None
    shift : ndarray of shape (n_features,), float64, or None
        A point near the rows.

    Attributes
    ----------
    first : ndarray of intp of shape (n_labelings + 1,)
        Where the clusters of each labeling start, among those of all of them.
    """

    def __init__(self, chunks, labelings, sizes, sample_weight, shift):
        self._chunks, self._labelings, self._weights = chunks, labelings, sample_weight
        self._shift = shift
        self.first = np.concatenate([[0], np.cumsum(sizes)])
        order = np.lexsort(labelings[::-1])
        if sample_weight is not None:
            order = order[sample_weight[order] > 0.0]
        step = _OTHERS
        if chunks.is_sparse:
            step = max(1, min(step, _DENSE // chunks.shape[1]))
        self._blocks = [order[start : start + step] for start in range(0, order.size, step)]

    def sums_of_distances(self, rows, scratch):
        """Weighted sums of the distances of rows to the clusters of all labelings.

        Returns
        -------
        sums : ndarray of float64 of shape (n_rows, sum of n_clusters)
        """
        sums = np.zeros((rows.shape[0], self.first[-1]))
        block = _Block(rows, self._shift)
        for index in self._blocks:
            squares = block.sq_distances_to(self._chunks.dense_rows(index), scratch)
            clusters, shares = self._shares(index)
            sums[:, clusters] += np.sqrt(squares, out=squares) @ shares
        return sums

    def _shares(self, index):
        """The clusters that some rows are in, and a matrix that adds distances up by these."""
        clusters, shares = [], []
        weights = 1.0 if self._weights is None else self._weights[index, np.newaxis]
        for codes, first in zip(self._labelings, self.first, strict=False):
            own = codes[index]
            present = np.unique(own)
            clusters.append(first + present)
            shares.append(np.equal.outer(own, present) * weights)
        return np.concatenate(clusters), np.hstack(shares)


class _Block:
    """Rows, ready to be multiplied with others; dense ones have their norm as a feature."""

    def __init__(self, rows, shift):
        self._rows, self._shift = rows, shift
        self._is_sparse = not isinstance(rows, np.ndarray)
        if self._is_sparse:
            self._sq_norms = sum_by_row(rows, np.square(rows.data, dtype=np.float64))
            self._factors = with_dtype(rows, np.float64)
            return
        n_rows, n_features = rows.shape
        self._factors = np.ones((n_rows, n_features + 2))
        offsets = self._factors[:, :n_features]
        np.subtract(rows, 0.0 if shift is None else shift, out=offsets)
        self._sq_norms = np.einsum("ij,ij->i", offsets, offsets)
        self._factors[:, n_features] = self._sq_norms

    def sq_distances_to(self, others, scratch):
        """Squared distances (n_rows, n_others), float64, in memory of `scratch`.

        By products; those that cancel are done again by differences, and so are 0 for equal rows.
        """
        n_rows, n_features = self._rows.shape
        factors = scratch_array(scratch, "factors", (n_features + 2, len(others)), _FLOAT64)
        offsets = factors[:n_features]
        np.subtract(
            others.T, 0.0 if self._shift is None else self._shift[:, np.newaxis], out=offsets
        )
        sq_norms = np.einsum("ij,ij->j", offsets, offsets)
        offsets *= -2.0
        if self._is_sparse:
            squares = self._factors @ offsets
            squares += sq_norms
            squares += self._sq_norms[:, np.newaxis]
        else:
            factors[n_features] = 1.0
            factors[n_features + 1] = sq_norms
            squares = scratch_array(scratch, "squares", (n_rows, len(others)), _FLOAT64)
            np.matmul(self._factors, factors, out=squares)
        self._mend(others, sq_norms, squares)
        return squares

    def _mend(self, others, sq_norms, squares):
        few = squares <= _CANCELLED * (self._sq_norms.max() + sq_norms.max())
        if not few.any():
            return
        i, j = np.divmod(np.flatnonzero(few), len(others))
        near = squares[i, j] <= _CANCELLED * (self._sq_norms[i] + sq_norms[j])
        i, j = i[near], j[near]
        step = max(1, _PAIRS // row_size(self._rows))
        for start in range(0, i.size, step):
            row, other = i[start : start + step], j[start : start + step]
            squares[row, other] = own_sq_distances(take_rows(self._rows, row), others, other)


_FLOAT64 = np.dtype(np.float64)
