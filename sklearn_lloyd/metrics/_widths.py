"""Silhouette widths from labels that were checked before: all that takes the time."""

from __future__ import annotations

import math

import numpy as np

from sklearn_lloyd._chunks import Chunks, even_slices
from sklearn_lloyd._kernels import CenterTable, array_of, sq_distances_to_all
from sklearn_lloyd._moments import mean_variance, shift_near
from sklearn_lloyd._squares import is_square, refuse_squares
from sklearn_lloyd._weights import scaled_weights
from sklearn_lloyd.metrics._labels import cluster_weights, weight_of_others
from sklearn_lloyd.metrics._moments import cluster_moments, rows_less_shift
from sklearn_lloyd.metrics._pairs import other_rows

_DISTANCES = 1 << 17  # to centres, that are in memory at once
_MOST_ROWS = 1 << 14


def silhouette_of_many(chunks, labelings, metric, sample_weight, rows=None):
    """Silhouette widths of the same rows under several labelings.

    With "euclidean" the distances are computed once for all labelings.

    Parameters
    ----------
    chunks : Chunks
        Of finite rows.
    labelings : list of ndarray of intp of shape (n_samples,)
        Clusters, numbered from 0.
    metric : {"euclidean", "sqeuclidean"}
    sample_weight : ndarray of shape (n_samples,), float64, or None
    rows : ndarray of intp or None
        The rows whose widths are wanted, each against all rows; None: all of them.

    Returns
    -------
    widths : list of ndarray of float64 of shape (n_samples,) or (len(rows),)
    """
    sample_weight, unit = scaled_weights(sample_weight)
    labelings = [_Labeling(codes, sample_weight, unit) for codes in labelings]
    return WIDTHS[metric](chunks, labelings, sample_weight, rows)


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


def own_and_nearest(distances, own_labels):
    """The entry at its own label of each row, and the least of the rest; they are overwritten."""
    places = np.arange(own_labels.size), own_labels
    own = distances[places]
    distances[places] = np.inf
    return own, distances.min(axis=1)


def sq_euclidean_widths(chunks, labelings, sample_weight, rows):
    """The mean squared distance to a cluster is that to its mean plus its variance."""
    widths = []
    with chunks.open():
        for labeling in labelings:
            clusters = labeling.codes, labeling.n_clusters, sample_weight
            moments = cluster_moments(chunks, *clusters)
            centers = moments.offsets, moments.shift, moments.variances + labeling.absent
            compare = labeling.codes, *centers, labeling.widths, rows
            widths.append(widths_by_centers(chunks, *compare))
    return widths


def widths_by_centers(chunks, codes, offsets, shift, extra, widths_of, rows=None):
    """Widths of rows from their squared distances to centres.

    Parameters
    ----------
    chunks : Chunks
    codes : ndarray of intp of shape (n_samples,)
        The own centre of each row.
    offsets : ndarray of shape (n_centers, n_features), float64
        The centres less the shift.
    shift : ndarray of shape (n_features,), float64, or None
    extra : ndarray of shape (n_centers,), float64
        Added to the squared distances; infinite for what is no neighbour.
    widths_of : callable
        Makes widths of rows, the sums of their own centres, and the least sums of the others.
    rows : ndarray of intp or None
        The rows whose widths are wanted.

    Returns
    -------
    widths : ndarray of float64 of shape (n_samples,) or (len(rows),)
    """
    n_rows = chunks.shape[0] if rows is None else len(rows)
    widths = np.empty(n_rows)
    compare = _compare_compiled if chunks.compiled_dense is not None else _compare
    scores_of = compare(chunks, codes, offsets, shift, extra)

    def kernel(part, scratch):
        which = part if rows is None else rows[part]
        widths[part] = widths_of(which, *scores_of(which, scratch))

    wanted = max(1, min(_MOST_ROWS, _DISTANCES // len(offsets)))
    chunks.map_reduce(kernel, blocks=even_slices(n_rows, wanted, wanted))
    return widths


def _compare(chunks, codes, offsets, shift, extra):
    """A function of rows: what they have with their own centres, and the least with others."""
    table = CenterTable(offsets, None, chunks.n_terms)

    def scores_of(rows, scratch):
        scores = sq_distances_to_all(rows_less_shift(chunks, rows, shift), table, scratch)
        scores += extra
        return own_and_nearest(scores, codes[rows])

    return scores_of


def _compare_compiled(chunks, codes, offsets, shift, extra):
    def scores_of(rows, scratch):
        index, labels = rows, codes[rows]
        if isinstance(rows, slice):
            index = np.arange(rows.start, rows.stop)
        own, nearest = np.empty(index.size), np.empty(index.size)
        arrays = index, array_of(shift), offsets, extra, labels, own, nearest
        chunks.compiled_dense.own_and_nearest(chunks.X, *arrays)
        return own, nearest

    return scores_of


def euclidean_widths(chunks, labelings, sample_weight, rows):
    """All distances, block by block; those to the rows of a cluster are added up."""
    # Each row meets all of them, however few clusters there are: worth more threads.
    chunks = Chunks(chunks.X, chunks.shape[0], chunks.n_threads, chunks.backend)
    n_rows = chunks.shape[0] if rows is None else len(rows)
    widths = [np.empty(n_rows) for _ in labelings]
    with chunks.open():
        mean, variances = mean_variance(chunks, None)
        variance = float(variances.mean())
        # No squared distance of two rows is more than two sums of squares.
        if not is_square(variance) or not np.isfinite(4.0 * math.prod(chunks.shape) * variance):
            refuse_squares(chunks)
        shift = shift_near(mean, math.sqrt(variance))
        others = other_rows(chunks, labelings, sample_weight, shift)

        def kernel(part, scratch):
            which = part if rows is None else rows[part]
            sums = others.sums_of_distances(which, scratch)
            for labeling, out, first in zip(labelings, widths, others.first, strict=False):
                means = sums[:, first : first + labeling.n_clusters]
                means /= np.where(labeling.weights > 0.0, labeling.weights, 1.0)
                means += labeling.absent
                compared = own_and_nearest(means, labeling.codes[which])
                out[part] = labeling.widths(which, *compared)

        chunks.map_reduce(kernel, blocks=even_slices(n_rows, others.n_rows, others.n_rows))
    return widths


WIDTHS = {"euclidean": euclidean_widths, "sqeuclidean": sq_euclidean_widths}
