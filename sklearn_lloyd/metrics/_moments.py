"""Clusters in a few numbers: weights, means, spreads."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sklearn_lloyd._kernels import add_sums, array_of, label_sums, own_sq_distances
from sklearn_lloyd._problem import shift_near
from sklearn_lloyd._squares import refuse_squares

_LOOK = 1 << 14  # rows at once, when looking for the first one of each cluster


class ClusterMoments(NamedTuple):
    """What of clusters of any labels most criteria are made of.

    Attributes
    ----------
    weights : ndarray of shape (n_clusters,), float64
        Sums of the weights of the rows.
    offsets : ndarray of shape (n_clusters, n_features), float64
        Means less the shift; without meaning where a cluster has no weight.
    shift : ndarray of shape (n_features,), float64, or None
        A point near the rows: far from the origin the means themselves would lose digits.
    variances : ndarray of shape (n_clusters,), float64
        Weighted means of the squared distances from the mean.
    deviations : ndarray of shape (n_clusters,), float64, or None
        Weighted means of the distances from the mean; None if they were not asked for.
    """

    weights: np.ndarray
    offsets: np.ndarray
    shift: np.ndarray | None
    variances: np.ndarray
    deviations: np.ndarray | None

    @property
    def means(self):
        """Weighted means, (n_clusters, n_features)."""
        return self.offsets if self.shift is None else self.offsets + self.shift


def cluster_moments(chunks, codes, n_clusters, sample_weight, deviations=True):
    """The moments of the clusters of any labels.

    Of dense rows in one pass, and another one for the deviations.

    Raises
    ------
    ValueError
        If X is not finite, or squares overflow.
    """
    origins = np.zeros((n_clusters, chunks.shape[1]))
    if not chunks.is_sparse:
        origins = _first_rows(chunks, codes, n_clusters, sample_weight)
    with chunks.open():
        weights, sums, squares = _sums(chunks, codes, origins, sample_weight)
        divisors = np.where(weights > 0.0, weights, 1.0)
        means = sums / divisors[:, np.newaxis]  # less the origins
        variances = squares / divisors - np.einsum("ij,ij->i", means, means)
        shift = None
        if not chunks.is_sparse:
            require_finite_squares(chunks, variances)
            shift = _shift_near(weights, origins + means, variances)
            means += origins if shift is None else origins - shift
        distances = None
        if deviations or chunks.is_sparse:
            distances, squares = _own_distances(chunks, codes, means, shift, sample_weight)
            distances /= divisors
        if chunks.is_sparse:  # whose rows have no origin near by: this loses no digits
            variances = squares / divisors
            require_finite_squares(chunks, variances)
    return ClusterMoments(weights, means, shift, np.maximum(variances, 0.0), distances)


def _shift_near(weights, means, variances):
    total = weights.sum()
    mean = weights @ means / total
    spread = weights @ (variances + np.square(means - mean).sum(axis=1)) / total
    return shift_near(mean, float(np.sqrt(spread / mean.size)))


def rows_less_shift(chunks, rows, shift):
    """Rows (a slice or indices), less the shift if there is one."""
    block = chunks.rows(rows)
    return block if shift is None else np.subtract(block, shift, dtype=np.float64)


def _sums(chunks, codes, origins, sample_weight):
    """Weights, and sums of rows less their origins and of their squares, by cluster."""
    n_clusters = len(origins)
    sums, squares, weights = np.zeros_like(origins), np.zeros(n_clusters), np.zeros(n_clusters)
    by_block = _compiled_sums if chunks.compiled_dense is not None else _block_sums

    def kernel(rows, scratch):
        return by_block(chunks, rows, codes, origins, sample_weight)

    def add(part):
        add_sums(sums, part[0])
        np.add(squares, part[1], out=squares)
        np.add(weights, part[2], out=weights)

    chunks.map_reduce(kernel, add)
    return weights, sums, squares


def _compiled_sums(chunks, rows, codes, origins, sample_weight):
    n_clusters = len(origins)
    sums = np.zeros_like(origins), np.zeros(n_clusters), np.zeros(n_clusters)
    arrays = codes, array_of(sample_weight), origins, *sums
    chunks.compiled_dense.cluster_sums(chunks.X, rows.start, rows.stop, *arrays)
    return sums


def _block_sums(chunks, rows, codes, origins, sample_weight):
    block, labels, n_clusters = chunks.rows(rows), codes[rows], len(origins)
    own = None if sample_weight is None else sample_weight[rows]
    squares = 0.0
    if not chunks.is_sparse:
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


def _first_rows(chunks, codes, n_clusters, sample_weight):
    """A row of each cluster, float64: what its sums are relative to, so that they lose no digit.

    Zero where a cluster has no weight.
    """
    first = np.full(n_clusters, -1)
    for start in range(0, codes.size, _LOOK):
        part = codes[start : start + _LOOK]
        counted = slice(None)
        if sample_weight is not None:
            counted = np.flatnonzero(sample_weight[start : start + _LOOK])
            part = part[counted]
        present, places = np.unique(part, return_index=True)
        places = places if sample_weight is None else counted[places]
        new = first[present] < 0
        first[present[new]] = start + places[new]
        if (first >= 0).all():
            break
    rows = np.zeros((n_clusters, chunks.shape[1]))
    rows[first >= 0] = chunks.dense_rows(first[first >= 0])
    return rows


def require_finite_squares(chunks, squares):
    """Raise a ValueError that says why, if sums of squares over all rows are not finite."""
    if not np.isfinite(squares).all():
        refuse_squares(chunks)
