"""Clusters in a few numbers: weights, means, spreads."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sklearn_lloyd._kernels import add_sums, array_of, label_sums, own_sq_distances
from sklearn_lloyd._moments import rounding_of_means, shift_near
from sklearn_lloyd._squares import is_square, refuse_squares
from sklearn_lloyd._weights import scaled_weights

# What is left of squares, relative to what was taken off them, is rounding if it is no more.
_CANCELLED = 2.0**-36
# How far, relative to its size, the mean of equal sparse rows may be off them.
_OFF = 2.0**-48
# 16 slices of 4 rows for each cluster tell where the means are about, if they are at most an
# eighth of all rows. Fewer tell less, and a second pass follows more often; more cost a part of a
# pass by themselves.
_N_SLICES, _ROWS_OF_SLICE, _MANY_TIMES = 16, 4, 8
# Squared distances of two rows, relative to those from the means, and one binary digit to spare.
_ROOM = 8.0


class ClusterMoments(NamedTuple):
    """What of clusters of any labels most criteria are made of.

    Attributes
    ----------
    weights : ndarray of shape (n_clusters,), float64
        Sums of the weights of the rows, in the unit of `scaled_weights`.
    unit : float
        What they are multiplied by to be sums of the weights as they were given.
    offsets : ndarray of shape (n_clusters, n_features), float64
        Means less the shift; without meaning where a cluster has no weight.
    shift : ndarray of shape (n_features,), float64, or None
        A point near the rows: far from the origin the means themselves would lose digits.
    variances : ndarray of shape (n_clusters,), float64
        Weighted means of the squared distances from the mean.
    """

    weights: np.ndarray
    unit: float
    offsets: np.ndarray
    shift: np.ndarray | None
    variances: np.ndarray

    @property
    def means(self):
        """Weighted means, (n_clusters, n_features)."""
        return self.offsets if self.shift is None else self.offsets + self.shift

    @property
    def within(self):
        """Sum of squared distances from the means, in the unit of `weights`, float."""
        return float(self.weights @ self.variances)

    @property
    def rounding(self):
        """How far off the means may be, (n_clusters,); as of `rounding_of_means`."""
        return rounding_of_means(self.offsets, self.variances)


def cluster_moments(chunks, codes, n_clusters, sample_weight):
    """The moments of the clusters of any labels.

    A pass over dense rows adds up what they are off the means of some of them, which corrects
    these. Another one follows if these means were far off, as of sorted rows or with rows far out:
    so no digit is lost. Sparse rows take two passes.

    Parameters
    ----------
    chunks : Chunks
    codes : ndarray of intp of shape (n_samples,)
        From 0 to n_clusters - 1.
    n_clusters : int
    sample_weight : ndarray of shape (n_samples,), float64, or None
        In any unit.

    Raises
    ------
    ValueError
        If X is not finite, or squared distances are not within float64.
    """
    sample_weight, unit = scaled_weights(sample_weight)
    shift = None
    with chunks.open():
        some = None if chunks.is_sparse else _some_rows(codes.size, n_clusters)
        weights, sums, _ = _sums(chunks, codes, n_clusters, None, sample_weight, some)
        origins = offsets = _over(sums, weights)
        if chunks.is_sparse:
            squares = _own_distances(chunks, codes, offsets, None, sample_weight)[1]
            off = (_OFF**2) * np.einsum("ij,ij->i", offsets, offsets)
            variances = _over(squares, weights)
        else:
            about = _about(chunks, codes, origins, sample_weight)
            weights, offsets, variances, taken = about
            if not (taken <= variances).all():  # more than a binary digit is lost
                origins = origins + offsets
                about = _about(chunks, codes, origins, sample_weight)
                weights, offsets, variances, taken = about
            off = _CANCELLED * taken
        variances[variances <= off] = 0.0  # equal rows, and what rounding made of them
        mean, variance = _whole(weights, origins, variances)
        if not is_square(variance):
            refuse_squares(chunks)
        if not chunks.is_sparse:
            shift = shift_near(mean, float(np.sqrt(variance)))
            offsets += origins if shift is None else origins - shift
    return ClusterMoments(weights, unit, offsets, shift, variances)


def _about(chunks, codes, origins, sample_weight):
    """Weights, means less the origins, variances, and what was taken off for these means."""
    weights, sums, squares = _sums(chunks, codes, len(origins), origins, sample_weight)
    offsets = _over(sums, weights)
    taken = np.einsum("ij,ij->i", offsets, offsets)
    return weights, offsets, _over(squares, weights) - taken, taken


def _over(sums, weights):
    """Sums by cluster over the weights; zero where there is none."""
    return (sums.T / np.where(weights > 0.0, weights, 1.0)).T


def _some_rows(n_rows, n_clusters):
    """Slices from end to end of many rows, a few in all; None: all of them."""
    step, length = n_rows // _N_SLICES, _ROWS_OF_SLICE * n_clusters
    if step < _MANY_TIMES * length:
        return None
    return [slice(start, start + length) for start in range(0, _N_SLICES * step, step)]


def mean_distances(chunks, codes, moments, sample_weight):
    """The weighted mean distance of the rows of each cluster from its mean, in another pass."""
    sample_weight, _ = scaled_weights(sample_weight)
    with chunks.open():
        arrays = moments.offsets, moments.shift, sample_weight
        distances, _ = _own_distances(chunks, codes, *arrays)
    return _over(distances, moments.weights)


def _whole(weights, means, variances):
    """The mean of all rows; their mean variance along a feature, inf if some square overflows."""
    total = weights.sum()
    mean = weights @ means / total
    squares = variances + np.square(means - mean).sum(axis=1)
    spread = weights @ squares if np.isfinite(_ROOM * squares).all() else np.inf
    return mean, spread / total / mean.size


def rows_less_shift(chunks, rows, shift):
    """Rows (a slice or indices), less the shift if there is one."""
    block = chunks.rows(rows)
    return block if shift is None else np.subtract(block, shift, dtype=np.float64)


def _sums(chunks, codes, n_clusters, origins, sample_weight, blocks=None):
    """Weights, and sums of rows less their origins and of their squares, by cluster.

    Origins of None are zero; then there are no squares. Blocks of None are all rows.
    """
    sums, squares = np.zeros((n_clusters, chunks.shape[1])), np.zeros(n_clusters)
    weights = np.zeros(n_clusters)
    by_block = _block_sums
    if chunks.compiled_dense is not None:
        by_block, origins = _compiled_sums, np.zeros_like(sums) if origins is None else origins

    def kernel(rows, scratch):
        return by_block(chunks, rows, codes, n_clusters, origins, sample_weight)

    def add(part):
        add_sums(sums, part[0])
        np.add(squares, part[1], out=squares)
        np.add(weights, part[2], out=weights)

    chunks.map_reduce(kernel, add, blocks)
    return weights, sums, squares


def _compiled_sums(chunks, rows, codes, n_clusters, origins, sample_weight):
    sums = np.zeros_like(origins), np.zeros(n_clusters), np.zeros(n_clusters)
    arrays = codes, array_of(sample_weight), origins, *sums
    chunks.compiled_dense.cluster_sums(chunks.X, rows.start, rows.stop, *arrays)
    return sums


def _block_sums(chunks, rows, codes, n_clusters, origins, sample_weight):
    block, labels = chunks.rows(rows), codes[rows]
    own = None if sample_weight is None else sample_weight[rows]
    squares = 0.0
    if origins is not None:
        block = block - origins.take(labels, axis=0)
        squares = _by_cluster(np.einsum("ij,ij->i", block, block), own, labels, n_clusters)
    sums, weights, _ = label_sums(block, own, labels, None, None, n_clusters)
    return sums, squares, weights


def _by_cluster(values, weights, labels, n_clusters):
    return np.bincount(labels, values if weights is None else values * weights, n_clusters)


def _own_distances(chunks, codes, offsets, shift, sample_weight):
    """Weighted sums of distances, and of squared ones, to the own mean, by cluster."""
    n_clusters = len(offsets)
    distances, squares = np.zeros(n_clusters), np.zeros(n_clusters)

    def kernel(rows, scratch):
        own, labels = None if sample_weight is None else sample_weight[rows], codes[rows]
        of_rows = own_sq_distances(rows_less_shift(chunks, rows, shift), offsets, labels)
        parts = np.sqrt(of_rows), of_rows
        return [_by_cluster(part, own, labels, n_clusters) for part in parts]

    def add(part):
        np.add(distances, part[0], out=distances)
        np.add(squares, part[1], out=squares)

    chunks.map_reduce(kernel, add)
    return distances, squares
