"""Indices of a clustering from the moments of its clusters."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist, squareform

from sklearn_lloyd._compat import validate_params
from sklearn_lloyd._parameters import is_no_scorer
from sklearn_lloyd._weights import in_weight_unit
from sklearn_lloyd.metrics._moments import cluster_moments, mean_distances
from sklearn_lloyd.metrics._silhouette import CONSTRAINTS, checked_clusters

_CONSTRAINTS = {name: CONSTRAINTS[name] for name in ("X", "labels", "sample_weight")}


@is_no_scorer("scoring=calinski_harabasz_scorer of sklearn_lloyd.metrics")
@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def calinski_harabasz_score(X, labels, *, sample_weight=None):
    """Calinski-Harabasz index: dispersion between clusters over that within them.

    With W the sum of the weights and k the number of clusters it is
    ``(between / (k - 1)) / (within / (W - k))``; larger is better. As
    `sklearn.metrics.calinski_harabasz_score`, with weights and sparse X.

    Parameters
    ----------
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
        Rows that were clustered.
    labels : array-like of shape (n_samples,)
        Cluster of each row.
    sample_weight : array-like of shape (n_samples,), default=None
        How many equal rows each row stands for; None: one each.

    Returns
    -------
    score : float
        Not negative; 1 if all rows equal the means of their clusters.

    Raises
    ------
    ValueError
        If there are fewer than two clusters, or no cluster of two rows, the weights sum up to
        no more than the number of clusters, or an argument does not fit.

    Notes
    -----
    O(n_samples n_features).

    References
    ----------
    Calinski, T., Harabasz, J. "A dendrite method for cluster analysis". Communications in
    Statistics 3, 1974.

    Examples
    --------
    >>> from sklearn_lloyd.metrics import calinski_harabasz_score
    >>> calinski_harabasz_score([[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1])
    200.0
    """
    name = "calinski_harabasz_score"
    moments = cluster_moments(*_checked(name, X, labels, sample_weight))
    index = calinski_harabasz(moments)
    if np.isnan(index):
        total = float(moments.weights.sum()) * moments.unit
        raise ValueError(
            f"The weights sum up to {total:.6g} for {np.count_nonzero(moments.weights)} clusters. "
            "The Calinski-Harabasz index takes a weight for a number of equal rows: multiply the "
            "weights."
        )
    return in_weight_unit(index, moments.unit, "Calinski-Harabasz index")


@is_no_scorer("scoring=davies_bouldin_scorer of sklearn_lloyd.metrics")
@validate_params(_CONSTRAINTS, prefer_skip_nested_validation=True)
def davies_bouldin_score(X, labels, *, sample_weight=None):
    """Davies-Bouldin index: how much clusters overlap with the one that is most alike.

    For each cluster, the largest ratio of the sum of its mean distance to its mean and that of
    another cluster to the distance of the two means; then the mean over the clusters. Smaller
    is better. As `sklearn.metrics.davies_bouldin_score`, with weights and sparse X.

    Parameters
    ----------
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
        Rows that were clustered.
    labels : array-like of shape (n_samples,)
        Cluster of each row.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row; None: one each. Clusters count alike, whatever they weigh.

    Returns
    -------
    score : float
        Not negative.

    Raises
    ------
    ValueError
        If there are fewer than two clusters, or no cluster of two rows, or an argument does not
        fit.

    Notes
    -----
    O(n_samples n_features + n_clusters^2 n_features).

    References
    ----------
    Davies, D. L., Bouldin, D. W. "A cluster separation measure". IEEE Transactions on Pattern
    Analysis and Machine Intelligence 1, 1979.

    Examples
    --------
    >>> from sklearn_lloyd.metrics import davies_bouldin_score
    >>> davies_bouldin_score([[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1])
    0.1
    """
    name = "davies_bouldin_score"
    rows, codes, n_clusters, weights = _checked(name, X, labels, sample_weight)
    moments = cluster_moments(rows, codes, n_clusters, weights)
    return davies_bouldin(moments, mean_distances(rows, codes, moments, weights))


def _checked(name, X, labels, sample_weight):
    checked = checked_clusters(name, X, labels, sample_weight, "sqeuclidean", None)
    rows, codes, weights = checked
    return rows, codes, int(codes.max()) + 1, weights


def calinski_harabasz(moments):
    """The Calinski-Harabasz index over the unit of the weights, float: it may be too large else.

    NaN if the weights sum up to no more than the number of clusters.
    """
    weights = moments.weights
    total, n_clusters = weights.sum(), np.count_nonzero(weights)
    rest = total - n_clusters / moments.unit
    if rest <= 0.0:
        return np.nan
    if moments.within == 0.0:
        return 1.0 / moments.unit
    center = weights @ moments.offsets / total
    between = weights @ np.square(moments.offsets - center).sum(axis=1)
    return float(between / moments.within * rest / (n_clusters - 1.0))


def davies_bouldin(moments, deviations):
    """The Davies-Bouldin index, float; from the mean distances of rows from their means, too."""
    present = moments.weights > 0.0
    deviations, rounding = deviations[present], moments.rounding[present]
    distances = squareform(pdist(moments.offsets[present]))
    # Equal means are no pair: scikit-learn, too, leaves them out.
    distances[distances <= rounding[:, np.newaxis] + rounding] = np.inf
    return float(((deviations[:, np.newaxis] + deviations) / distances).max(axis=1).mean())
