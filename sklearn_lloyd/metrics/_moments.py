"""Clusters in a few numbers: weights, means, spreads."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sklearn_lloyd._core import core_array, native
from sklearn_lloyd._moments import rounding_of_means, shift_near
from sklearn_lloyd._rows import Rows
from sklearn_lloyd._squares import is_square, refuse_squares, require_squares
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


@np.errstate(over="ignore", invalid="ignore")  # what is not finite is refused in the end
def cluster_moments(rows, codes, n_clusters, sample_weight):
    """The moments of the clusters of any labels.

    A pass over dense rows adds up what they are off the means of some of them, which corrects
    these. Another one follows if these means were far off, as of sorted rows or with rows far out:
    so no digit is lost. Sparse rows take two passes.

    Parameters
    ----------
    rows : Rows
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
    if sample_weight is not None and not sample_weight.all():
        require_squares(rows)  # sums pass over rows without weight, whatever they are
    codes, shift = core_array(codes, np.int32), None
    weights, origins = _first_means(rows, codes, n_clusters, sample_weight)
    if rows.is_sparse:
        offsets = origins
        squares = _by_cluster(
            _sq_distances(rows, codes, offsets, None), sample_weight, codes, offsets
        )
        off = (_OFF**2) * _sq_norms(offsets)
        variances = _over(squares, weights)
    else:
        weights, offsets, variances, taken = _about(rows, codes, origins, sample_weight)
        if not (taken <= variances).all():  # more than a binary digit is lost
            origins = origins + offsets
            weights, offsets, variances, taken = _about(rows, codes, origins, sample_weight)
        off = _CANCELLED * taken
    variances[variances <= off] = 0.0  # equal rows, and what rounding made of them
    mean, variance = _whole(weights, origins, variances)
    if not is_square(variance):
        refuse_squares(rows)
    if not rows.is_sparse:
        shift = shift_near(mean, float(np.sqrt(variance)))
        offsets += origins if shift is None else origins - shift
    return ClusterMoments(weights, unit, offsets, shift, variances)


def _first_means(rows, codes, n_clusters, sample_weight):
    """Weights and means of the clusters: of many dense rows, by some of them."""
    some = None if rows.is_sparse else _some_rows(codes.size, n_clusters)
    if some is not None:
        sample_weight = None if sample_weight is None else sample_weight[some]
        rows, codes = rows.part(some), codes[some]
    weights, sums, _ = _sums(rows, codes, n_clusters, None, sample_weight)
    return weights, _over(sums, weights)


def _about(rows, codes, origins, sample_weight):
    """Weights, means less the origins, variances, and what was taken off for these means."""
    weights, sums, squares = _sums(rows, codes, len(origins), origins, sample_weight)
    offsets = _over(sums, weights)
    taken = _sq_norms(offsets)
    return weights, offsets, _over(squares, weights) - taken, taken


def _over(sums, weights):
    """Sums by cluster over the weights; zero where there is none."""
    return np.ascontiguousarray((sums.T / np.where(weights > 0.0, weights, 1.0)).T)


def _sq_norms(values):
    return np.square(values).sum(axis=1)


def _some_rows(n_rows, n_clusters):
    """Rows from end to end of many, a few in all; None: all of them."""
    step, length = n_rows // _N_SLICES, _ROWS_OF_SLICE * n_clusters
    if step < _MANY_TIMES * length:
        return None
    starts = np.arange(0, _N_SLICES * step, step)
    return (starts[:, np.newaxis] + np.arange(length)).ravel()


def mean_distances(rows, codes, moments, sample_weight):
    """The weighted mean distance of the rows of each cluster from its mean, in another pass."""
    sample_weight, _ = scaled_weights(sample_weight)
    codes = core_array(codes, np.int32)
    distances = np.sqrt(_sq_distances(rows, codes, moments.offsets, moments.shift))
    return _over(_by_cluster(distances, sample_weight, codes, moments.offsets), moments.weights)


def _whole(weights, means, variances):
    """The mean of all rows; their mean variance along a feature, inf if some square overflows."""
    total = weights.sum()
    mean = weights @ means / total
    squares = variances + np.square(means - mean).sum(axis=1)
    spread = weights @ squares if np.isfinite(_ROOM * squares).all() else np.inf
    return mean, spread / total / mean.size


def _sums(rows, codes, n_clusters, origins, sample_weight):
    """Weights, and sums of rows less their origins and of their squares, by cluster."""
    sums, squares = np.zeros((n_clusters, rows.shape[1])), np.zeros(n_clusters)
    weights, members = np.zeros(n_clusters), np.zeros(n_clusters, np.int64)
    by_cluster = sums, weights, members, squares
    native.cluster_sums(
        rows.threads, rows.native, sample_weight, None, origins, codes, *by_cluster
    )
    return weights, sums, squares


def _sq_distances(rows, codes, offsets, shift):
    """Squared distance of each row, less the shift, from the mean of its cluster."""
    found = np.empty(codes.size)
    if shift is None:
        native.own_distances(rows.threads, rows.native, None, offsets, codes, found)
        return found
    for part in rows.slices():
        block = Rows(np.subtract(rows.take(part), shift, dtype=np.float64), rows.n_threads)
        own = codes[part], found[part]
        native.own_distances(block.threads, block.native, None, offsets, *own)
    return found


def _by_cluster(values, weights, codes, means):
    return np.bincount(codes, values if weights is None else values * weights, len(means))
