"""Simplified silhouettes: distances to centres stand in for those to all rows."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._compat import validate_params
from sklearn_lloyd._moments import weighted_mean
from sklearn_lloyd._parameters import is_no_scorer
from sklearn_lloyd._predict import shift_near_centers
from sklearn_lloyd._squares import refuse_of_array, require_squares
from sklearn_lloyd._validation import check_centers_fit, check_rows, check_weights
from sklearn_lloyd._weights import scaled_weights
from sklearn_lloyd.metrics._labels import (
    check_centers_of_labels,
    check_labels,
    require_as_many,
    require_clusters,
    weight_of_others,
)
from sklearn_lloyd.metrics._moments import cluster_moments
from sklearn_lloyd.metrics._silhouette import CONSTRAINTS
from sklearn_lloyd.metrics._widths import silhouettes, widths_by_centers

_CONSTRAINTS = {**CONSTRAINTS, "centers": ["array-like", None]}


@is_no_scorer("scoring=simplified_silhouette_scorer of sklearn_lloyd.metrics")
@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def simplified_silhouette_samples(
    X,
    labels,
    *,
    centers=None,
    metric="euclidean",
    sample_weight=None,
    n_threads=None,
):
    """Simplified silhouette width of each row, from distances to centres.

    As a silhouette, but a(i) is the distance of row i to the centre of its cluster, and b(i)
    that to the nearest other centre.

    Parameters
    ----------
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
        Rows that were clustered.
    labels : array-like of shape (n_samples,)
        Cluster of each row. If `centers` are given, these are row numbers of `centers`.
    centers : array-like of shape (n_clusters, n_features), default=None
        The centres, for instance the `cluster_centers_` of a model that has not seen these
        rows. None: the weighted means of the clusters, and rows that are alone in
        their cluster have width 0.
    metric : {'euclidean', 'sqeuclidean'}, default='euclidean'
        Distances or squared distances.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row in the means; None: one each.
    n_threads : int or None, default=None
        As of :class:`~sklearn_lloyd.KMeans`. It does not change the result.

    Returns
    -------
    widths : ndarray of shape (n_samples,), float64
        From -1 to 1; not negative where each row is with its nearest centre.

    Raises
    ------
    ValueError
        If there are fewer than two clusters or centres, without `centers` also if no cluster
        has two rows, or an argument does not fit.

    Notes
    -----
    O(n_samples n_clusters n_features).

    References
    ----------
    Hruschka, E. R., de Castro, L. N., Campello, R. J. G. B.
    "Evolutionary algorithms for clustering gene-expression data". ICDM 2004.

    Vendramin, L., Campello, R. J. G. B., Hruschka, E. R. "Relative clustering validity
    criteria: a comparative overview". Statistical Analysis and Data Mining 3, 2010.

    Examples
    --------
    >>> from sklearn_lloyd.metrics import simplified_silhouette_samples
    >>> X = [[0.0], [1.0], [10.0], [11.0]]
    >>> simplified_silhouette_samples(X, [0, 0, 1, 1]).round(3)
    array([0.952, 0.947, 0.947, 0.952])
    >>> simplified_silhouette_samples([[2.0]], [0], centers=[[0.0], [10.0]])
    array([0.75])
    """
    name = "simplified_silhouette_samples"
    return _widths(name, X, labels, centers, metric, sample_weight, n_threads)[0]


@is_no_scorer("scoring=simplified_silhouette_scorer of sklearn_lloyd.metrics")
@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def simplified_silhouette_score(
    X,
    labels,
    *,
    centers=None,
    metric="euclidean",
    sample_weight=None,
    n_threads=None,
):
    """Weighted mean of the simplified silhouette widths.

    Parameters
    ----------
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
        Rows that were clustered.
    labels : array-like of shape (n_samples,)
        Cluster of each row.
    centers : array-like of shape (n_clusters, n_features), default=None
        As of :func:`simplified_silhouette_samples`.
    metric : {'euclidean', 'sqeuclidean'}, default='euclidean'
        Distances or squared distances.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row, in the means and in the score; None: one each.
    n_threads : int or None, default=None
        As of :class:`~sklearn_lloyd.KMeans`. It does not change the result.

    Returns
    -------
    score : float
        From -1 to 1.

    Raises
    ------
    ValueError
        As of :func:`simplified_silhouette_samples`.

    Notes
    -----
    O(n_samples n_clusters n_features).

    References
    ----------
    Hruschka, E. R., de Castro, L. N., Campello, R. J. G. B.
    "Evolutionary algorithms for clustering gene-expression data". ICDM 2004.

    Examples
    --------
    >>> from sklearn_lloyd.metrics import simplified_silhouette_score
    >>> X = [[0.0], [1.0], [10.0], [11.0]]
    >>> round(simplified_silhouette_score(X, [0, 0, 1, 1]), 3)
    0.95
    """
    name = "simplified_silhouette_score"
    widths, weights = _widths(name, X, labels, centers, metric, sample_weight, n_threads)
    return float(weighted_mean(widths, weights))


def _widths(name, X, labels, centers, metric, sample_weight, n_threads):
    """The widths, and the checked weights."""
    if centers is None:
        codes, n_clusters = check_labels(labels)
    else:
        codes, centers = check_centers_of_labels(labels, centers, name)
        n_clusters = len(centers)
    rows = check_rows(name, X, n_threads=n_threads, reset=True)
    require_as_many(codes, rows.shape[0])
    weights = check_weights(sample_weight, codes.size)
    if centers is None:
        require_clusters(codes, n_clusters, weights, name)
    else:
        check_centers_fit(centers, n_clusters, rows.shape[1])
        refuse_of_array(centers, "centers")
        require_squares(rows)
    return simplified_widths(rows, codes, n_clusters, centers, metric, weights), weights


def simplified_widths(rows, codes, n_clusters, centers, metric, sample_weight, moments=None):
    """Simplified silhouette widths from labels that were checked before.

    `centers` of None are the weighted means of the clusters; `moments` those of the clusters, if
    they are known.
    """
    extra, others = np.zeros(n_clusters), None
    if centers is None:
        if moments is None:
            moments = cluster_moments(rows, codes, n_clusters, sample_weight)
        offsets, shift = moments.offsets, moments.shift
        extra[moments.weights == 0.0] = np.inf
        weights, unit = scaled_weights(sample_weight)
        others = weight_of_others(codes, moments.weights, weights, unit)
    else:
        shift = None if rows.is_sparse else shift_near_centers(centers)
        offsets = centers if shift is None else centers - shift

    def widths_of(which, own, nearest):
        if metric == "euclidean":
            own, nearest = np.sqrt(own), np.sqrt(nearest)
        return silhouettes(own, nearest, True if others is None else others[which] > 0.0)

    return widths_by_centers(rows, codes, offsets, shift, extra, widths_of)
