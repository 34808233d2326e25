"""Silhouette widths from labels that were checked before: all that takes the time."""

from __future__ import annotations

import math

import numpy as np

from sklearn_lloyd._core import core_array, native
from sklearn_lloyd._moments import mean_variance
from sklearn_lloyd._rows import even_slices
from sklearn_lloyd._squares import is_square, refuse_squares
from sklearn_lloyd._weights import scaled_weights
from sklearn_lloyd.metrics._labels import cluster_weights, weight_of_others
from sklearn_lloyd.metrics._moments import cluster_moments

# Rows, and sums of their distances by cluster, at once: so memory does not grow with either.
_ROWS, _SUMS = 1 << 16, 1 << 18


@np.errstate(invalid="ignore")  # rows of clusters without weight are infinitely far from them
def silhouette_of_many(rows, labelings, metric, sample_weight, which=None):
    """Silhouette widths of the same rows under several labelings.

    With "euclidean" the distances are computed once for all labelings.

    Parameters
    ----------
    rows : Rows
        Finite ones.
    labelings : list of ndarray of intp of shape (n_samples,)
        Clusters, numbered from 0.
    metric : {"euclidean", "sqeuclidean"}
    sample_weight : ndarray of shape (n_samples,), float64, or None
    which : ndarray of intp or None
        The rows whose widths are wanted, each against all rows; None: all of them.

    Returns
    -------
    widths : list of ndarray of float64 of shape (n_samples,) or (len(which),)
    """
    sample_weight, unit = scaled_weights(sample_weight)
    labelings = [_Labeling(codes, sample_weight, unit) for codes in labelings]
    return WIDTHS[metric](rows, labelings, sample_weight, which)


class _Labeling:
    """One clustering of the rows.

    Attributes
    ----------
    codes : ndarray of intp of shape (n_samples,)
    n_clusters : int
    weights : ndarray of shape (n_clusters,), float64
    absent : ndarray of shape (n_clusters,), float64
        Infinite where a cluster has no weight, which then is no neighbour; else 0.
    """

    def __init__(self, codes, sample_weight, unit):
        self.codes = codes.astype(np.intp, copy=False)
        self.n_clusters = int(codes.max()) + 1
        self.weights = cluster_weights(codes, self.n_clusters, sample_weight)
        self.absent = np.where(self.weights > 0.0, 0.0, np.inf)
        self._others = weight_of_others(codes, self.weights, sample_weight, unit)

    def widths(self, rows, own, nearest):
        """Widths from mean distances to the own cluster and to the nearest other one.

        In the mean over the own cluster the row itself still counts.
        """
        others = self._others[rows]
        inner = own * self.weights.take(self.codes[rows])
        inner /= np.where(others > 0.0, others, 1.0)
        return silhouettes(inner, nearest, others > 0.0)


def silhouettes(inner, outer, is_member=True):
    """(outer - inner) / max(outer, inner); 0 for singletons, and where both are 0."""
    largest = np.maximum(inner, outer)
    defined = is_member & (largest > 0.0)
    return np.divide(outer - inner, largest, out=np.zeros_like(inner), where=defined)


def sq_euclidean_widths(rows, labelings, sample_weight, which):
    """The mean squared distance to a cluster is that to its mean plus its variance."""
    widths = []
    for labeling in labelings:
        moments = cluster_moments(rows, labeling.codes, labeling.n_clusters, sample_weight)
        centers = moments.offsets, moments.shift, moments.variances + labeling.absent
        widths.append(widths_by_centers(rows, labeling.codes, *centers, labeling.widths, which))
    return widths


def widths_by_centers(rows, codes, offsets, shift, extra, widths_of, which=None):
    """Widths of rows from their squared distances to centres.

    Parameters
    ----------
    rows : Rows
    codes : ndarray of int of shape (n_samples,)
        The own centre of each row.
    offsets : ndarray of shape (n_centers, n_features), float64
        The centres less the shift.
    shift : ndarray of shape (n_features,), float64, or None
    extra : ndarray of shape (n_centers,), float64
        Added to the squared distances; infinite for what is no neighbour.
    widths_of : callable
        Makes widths of rows, the sums of their own centres, and the least sums of the others.
    which : ndarray of intp or None
        The rows whose widths are wanted.

    Returns
    -------
    widths : ndarray of float64 of shape (n_samples,) or (len(which),)
    """
    index = _index(rows, which)
    widths, offsets = np.empty(index.size), core_array(offsets, np.float64)
    for part in even_slices(index.size, _ROWS):
        some = index[part]
        own, nearest = np.empty((2, some.size))
        labels = codes[some].astype(np.int32)
        native.own_and_nearest(
            rows.threads, rows.native, some, shift, offsets, extra, labels, own, nearest
        )
        widths[part] = widths_of(some, own, nearest)
    return widths


def euclidean_widths(rows, labelings, sample_weight, which):
    """All distances; those to the rows of a cluster are added up as soon as they are there."""
    variance = float(mean_variance(rows, None)[1].mean())
    # No squared distance of two rows is more than two sums of squares.
    if not is_square(variance) or not np.isfinite(4.0 * math.prod(rows.shape) * variance):
        refuse_squares(rows)
    index, others, weights = _index(rows, which), _index(rows, None), sample_weight
    if weights is not None and not weights.all():
        others = np.flatnonzero(weights)
        weights = weights[others]
    first = np.cumsum([0] + [labeling.n_clusters for labeling in labelings])
    columns = zip(first, labelings, strict=False)
    clusters = np.column_stack([start + each.codes[others] for start, each in columns])
    clusters = clusters.astype(np.int32)
    widths = [np.empty(index.size) for _ in labelings]
    for part in even_slices(index.size, min(_ROWS, max(1, _SUMS // int(first[-1])))):
        some = index[part]
        sums = np.empty((some.size, first[-1]))
        native.distance_sums(rows.threads, rows.native, some, others, clusters, weights, sums)
        for labeling, out, start in zip(labelings, widths, first, strict=False):
            means = sums[:, start : start + labeling.n_clusters]
            means /= np.where(labeling.weights > 0.0, labeling.weights, 1.0)
            means += labeling.absent
            out[part] = labeling.widths(some, *_own_and_nearest(means, labeling.codes[some]))
    return widths


def _own_and_nearest(distances, own_labels):
    """The entry at its own label of each row, and the least of the rest; they are overwritten."""
    places = np.arange(own_labels.size), own_labels
    own = distances[places]
    distances[places] = np.inf
    return own, distances.min(axis=1)


def _index(rows, which):
    return np.arange(rows.shape[0]) if which is None else core_array(which, np.int64)


WIDTHS = {"euclidean": euclidean_widths, "sqeuclidean": sq_euclidean_widths}
