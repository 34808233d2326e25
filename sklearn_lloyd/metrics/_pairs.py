"""Distances between all rows, a block at a time, added up by cluster as soon as they are there."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._chunks import take_rows
from sklearn_lloyd._kernels import (
    CANCELLED,
    PAIRS,
    array_of,
    row_size,
    scratch_array,
    sum_by_row,
    with_dtype,
)

_ROWS = 512  # that meet the others together
_SUMS = 1 << 18  # of their distances by cluster, at the most: as many as distances at once
_OTHERS = 512  # rows at once: so few distances stay in the cache until they are added up
_WIDE = 96  # features, from which products by BLAS are faster than compiled differences


def other_rows(chunks, labelings, sample_weight, shift):
    """The rows that each row is compared with, compiled where that is the faster."""
    compiled = chunks.compiled_dense is not None and chunks.shape[1] <= _WIDE
    return (_CompiledOthers if compiled else _Others)(chunks, labelings, sample_weight, shift)


class _Others:
    """All rows that count, in an order that keeps clusters together.

    Parameters
    ----------
    chunks : Chunks
    labelings : list of objects with the attributes `codes` and `n_clusters`
    sample_weight : ndarray of shape (n_samples,), float64, or None
    shift : ndarray of shape (n_features,), float64, or None
        A point near the rows.

    Attributes
    ----------
    first : ndarray of intp of shape (n_labelings + 1,)
        Where the clusters of each labeling start, among those of all of them.
    n_rows : int
        How many rows to ask for at a time: memory is the same for any number of clusters.
    """

    def __init__(self, chunks, labelings, sample_weight, shift):
        self._chunks, self._shift = chunks, None if chunks.is_sparse else shift
        self.first = np.concatenate([[0], np.cumsum([each.n_clusters for each in labelings])])
        order = np.lexsort([each.codes for each in labelings[::-1]])
        if sample_weight is not None:
            order = order[sample_weight[order] > 0.0]
        self._index = order
        self._weights = None if sample_weight is None else sample_weight[order]
        columns = zip(self.first, labelings, strict=False)
        self.n_rows = min(_ROWS, max(1, _SUMS // int(self.first[-1])))
        self._clusters = np.column_stack([first + each.codes[order] for first, each in columns])

    def sums_of_distances(self, rows, scratch):
        """Weighted sums of the distances of rows to the clusters of all labelings.

        Parameters
        ----------
        rows : slice or ndarray of intp
        scratch : dict

        Returns
        -------
        sums : ndarray of float64 of shape (n_rows, sum of n_clusters)
        """
        chunks = self._chunks
        if chunks.is_sparse:
            block = _SparseBlock(chunks.rows(rows))
        else:
            block = _DenseBlock(chunks.rows(rows), self._shift, scratch)
        sums = np.zeros((block.n_rows, self.first[-1]))
        for start in range(0, self._index.size, _OTHERS):
            part = slice(start, start + _OTHERS)
            squares = block.sq_distances_to(chunks.rows(self._index[part]))
            clusters, shares = self._shares(part)
            sums[:, clusters] += np.sqrt(squares, out=squares) @ shares
        return sums

    def _shares(self, part):
        """The clusters that some rows are in, and a matrix that adds distances up by these."""
        own = self._clusters[part]
        present = np.flatnonzero(np.bincount(own.ravel(), minlength=self.first[-1]))
        shares = np.zeros((len(own), present.size))
        of_row = 1.0 if self._weights is None else self._weights[part, np.newaxis]
        shares[np.arange(len(own))[:, np.newaxis], np.searchsorted(present, own)] = of_row
        return present, shares


class _CompiledOthers(_Others):
    def sums_of_distances(self, rows, scratch):
        index = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
        sums = np.empty((index.size, self.first[-1]))
        self._chunks.compiled.distance_sums(
            self._chunks.X, index, self._index, self._clusters, array_of(self._weights), sums
        )
        return sums


class _Block:
    """Rows that are going to be compared with many others."""

    def __init__(self, rows, sq_norms):
        self._rows, self._sq_norms = rows, sq_norms
        self.n_rows = rows.shape[0]

    def sq_distances_to(self, others):
        """Squared distances (n_rows, n_others), float64.

        By products; those that cancel are done again by differences, and so are 0 for equal rows.
        """
        sq_norms, squares = self._products(others)
        few = squares <= CANCELLED * (self._sq_norms.max() + sq_norms.max())
        if few.any():
            i, j = np.divmod(np.flatnonzero(few), others.shape[0])
            near = squares[i, j] <= CANCELLED * (self._sq_norms[i] + sq_norms[j])
            i, j = i[near], j[near]
            step = max(1, PAIRS // max(1, row_size(self._rows)))
            for start in range(0, i.size, step):
                row, other = i[start : start + step], j[start : start + step]
                pairs = take_rows(self._rows, row), take_rows(others, other)
                squares[row, other] = self._sq_differences(*pairs)
        return squares


class _DenseBlock(_Block):
    def __init__(self, rows, shift, scratch):
        self._shift, self._scratch = 0.0 if shift is None else shift, scratch
        n_rows, n_features = rows.shape
        # The norms are features, too: a product is a squared distance.
        self._factors = np.ones((n_rows, n_features + 2))
        offsets = self._factors[:, :n_features]
        np.subtract(rows, self._shift, out=offsets)
        super().__init__(rows, np.einsum("ij,ij->i", offsets, offsets))
        self._factors[:, n_features] = self._sq_norms

    def _products(self, others):
        n_others, n_features = others.shape
        factors = self._in_scratch("factors", n_others, n_features + 2)
        offsets = factors[:, :n_features]
        np.subtract(others, self._shift, out=offsets)
        sq_norms = np.einsum("ij,ij->i", offsets, offsets)
        offsets *= -2.0
        factors[:, n_features] = 1.0
        factors[:, n_features + 1] = sq_norms
        squares = self._in_scratch("squares", self.n_rows, n_others)
        return sq_norms, np.matmul(self._factors, factors.T, out=squares)

    def _in_scratch(self, name, *shape):
        return scratch_array(self._scratch, name, shape, _FLOAT64)

    @staticmethod
    def _sq_differences(rows, others):
        differences = np.subtract(rows, others, dtype=np.float64)
        return np.einsum("ij,ij->i", differences, differences)


class _SparseBlock(_Block):
    def __init__(self, rows):
        rows = with_dtype(rows, np.float64)
        super().__init__(rows, _sq_norms(rows))

    def _products(self, others):
        others = with_dtype(others, np.float64)
        sq_norms = _sq_norms(others)
        squares = (self._rows @ others.T).toarray(order="C")
        squares *= -2.0
        squares += sq_norms
        squares += self._sq_norms[:, np.newaxis]
        return sq_norms, squares

    @staticmethod
    def _sq_differences(rows, others):
        return _sq_norms(rows - others)


def _sq_norms(rows):
    return sum_by_row(rows, np.square(rows.data, dtype=np.float64))


_FLOAT64 = np.dtype(np.float64)
