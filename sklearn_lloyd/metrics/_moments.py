"""Clusters in a few numbers: weights, means, spreads."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sklearn_lloyd._kernels import add_sums, array_of, label_sums, own_sq_distances
from sklearn_lloyd._validation import require_finite

_LOOK = 1 << 14  # rows at once, when looking for the first one of each cluster


class ClusterMoments(NamedTuple):
    """What of clusters of any labels most criteria are made of.

    Attributes
    ----------
    weights : ndarray of shape (n_clusters,), float64
        Sums of the weights of the rows.
    means : ndarray of shape (n_clusters, n_features), float64
        Zero where a cluster has no weight.
    variances : ndarray of shape (n_clusters,), float64
        Weighted means of the squared distances from the mean.
    deviations : ndarray of shape (n_clusters,), float64
        Weighted means of the distances from the mean.
    """

    weights: np.ndarray
    means: np.ndarray
    variances: np.ndarray
    deviations: np.ndarray


def cluster_moments(chunks, codes, n_clusters, sample_weight):
    """The moments of the clusters of any labels.

    Raises
    ------
    ValueError
        If X is not finite, or squares overflow.
    """
    with chunks.open():
        weights, means, variances = means_and_variances(chunks, codes, n_clusters, sample_weight)
        distances, _ = _own_distances(chunks, codes, means, sample_weight)
    return ClusterMoments(weights, means, variances, distances / _divisors(weights))


def means_and_variances(chunks, codes, n_clusters, sample_weight):
    """The weights, means and variances of `ClusterMoments`; of dense rows in one pass."""
    origins = np.zeros((n_clusters, chunks.shape[1]))
    if not chunks.is_sparse:
        origins = _first_rows(chunks, codes, n_clusters, sample_weight)
    sums, squares, weights = np.zeros_like(origins), np.zeros(n_clusters), np.zeros(n_clusters)

    def kernel(rows, scratch):
        own = array_of(sample_weight)
        if chunks.compiled_dense is not None:
            part = np.zeros_like(sums), np.zeros(n_clusters), np.zeros(n_clusters)
            arrays = codes, own, origins, *part
            chunks.compiled_dense.cluster_sums(chunks.X, rows.start, rows.stop, *arrays)
            return part
        block, labels = chunks.rows(rows), codes[rows]
        own = None if sample_weight is None else sample_weight[rows]
        of_rows = None
        if not chunks.is_sparse:
            block = block - origins.take(labels, axis=0)
            of_rows = np.einsum("ij,ij->i", block, block)
        totals, of_clusters, _ = label_sums(block, own, labels, None, None, n_clusters)
        return totals, _sums_by_cluster(of_rows, own, labels, n_clusters), of_clusters

    def add(part):
        add_sums(sums, part[0])
        np.add(squares, part[1], out=squares)
        np.add(weights, part[2], out=weights)

    chunks.map_reduce(kernel, add)
    divisors = _divisors(weights)
    sums /= divisors[:, np.newaxis]
    variances = squares / divisors - np.einsum("ij,ij->i", sums, sums)
    if chunks.is_sparse:  # whose rows have no origin near by: a second pass loses no digits
        variances = _own_distances(chunks, codes, sums, sample_weight)[1] / divisors
    require_finite_squares(chunks, variances)
    return weights, origins + sums, np.maximum(variances, 0.0)


def _divisors(weights):
    return np.where(weights > 0.0, weights, 1.0)


def _sums_by_cluster(values, weights, labels, n_clusters):
    if values is None:
        return 0.0
    return np.bincount(labels, values if weights is None else values * weights, n_clusters)


def _own_distances(chunks, codes, means, sample_weight):
    """Weighted sums of distances, and of squared ones, to the own mean, by cluster."""
    n_clusters = len(means)
    distances, squares = np.zeros(n_clusters), np.zeros(n_clusters)

    def kernel(rows, scratch):
        own, labels = None if sample_weight is None else sample_weight[rows], codes[rows]
        of_rows = own_sq_distances(chunks.rows(rows), means, labels)
        parts = np.sqrt(of_rows), of_rows
        return [_sums_by_cluster(part, own, labels, n_clusters) for part in parts]

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
    """Raise a ValueError if sums of squares over all rows are not finite, for whatever reason."""
    if not np.isfinite(squares).all():
        require_finite(chunks)
        raise ValueError(
            "Squared distances of the rows of X overflow float64: scale the features first."
        )
