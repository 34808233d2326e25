"""Clusters in a few numbers: weights, means, spreads; from two passes over the rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sklearn_lloyd._kernels import add_sums, label_sums, own_sq_distances
from sklearn_lloyd._validation import require_finite


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
        weights, means = cluster_means(chunks, codes, n_clusters, sample_weight)
        squares, distances = np.zeros(n_clusters), np.zeros(n_clusters)

        def kernel(rows, scratch):
            labels = codes[rows]
            sq_distances = own_sq_distances(chunks.rows(rows), means, labels)
            roots = np.sqrt(sq_distances)
            if sample_weight is not None:
                sq_distances *= sample_weight[rows]
                roots *= sample_weight[rows]
            return [np.bincount(labels, part, n_clusters) for part in (sq_distances, roots)]

        def add(part):
            np.add(squares, part[0], out=squares)
            np.add(distances, part[1], out=distances)

        chunks.map_reduce(kernel, add)
    if not np.isfinite(squares).all():
        refuse_large(chunks)
    divisors = np.where(weights > 0.0, weights, 1.0)
    return ClusterMoments(weights, means, squares / divisors, distances / divisors)


def cluster_means(chunks, codes, n_clusters, sample_weight):
    """The weights and the weighted means of the clusters, float64."""
    shift = None if chunks.is_sparse else first_rows(chunks, codes, n_clusters, sample_weight)
    sums, weights = np.zeros((n_clusters, chunks.shape[1])), np.zeros(n_clusters)

    def kernel(rows, scratch):
        block, labels = chunks.rows(rows), codes[rows]
        if shift is not None:
            block = block - shift.take(labels, axis=0)
        own = None if sample_weight is None else sample_weight[rows]
        return label_sums(block, own, labels, None, None, n_clusters)

    def add(part):
        add_sums(sums, part[0])
        np.add(weights, part[1], out=weights)

    chunks.map_reduce(kernel, add)
    if not np.isfinite(sums).all():
        refuse_large(chunks)
    sums /= np.where(weights > 0.0, weights, 1.0)[:, np.newaxis]
    if shift is not None:
        sums += shift
    return weights, sums


def first_rows(chunks, codes, n_clusters, sample_weight):
    """A row of each cluster, float64: what its sums are relative to, so that they lose no digit.

    Zero where a cluster has no weight.
    """
    counted = np.arange(codes.size) if sample_weight is None else np.flatnonzero(sample_weight)
    first = np.full(n_clusters, -1)
    first[codes[counted][::-1]] = counted[::-1]  # the last that is written is the first row
    rows = np.zeros((n_clusters, chunks.shape[1]))
    rows[first >= 0] = chunks.dense_rows(first[first >= 0])
    return rows


def refuse_large(chunks):
    """Say which value is not finite, or that squares overflow."""
    require_finite(chunks)
    raise ValueError("Squared distances of the rows of X overflow float64: scale the features.")
