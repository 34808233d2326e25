"""The Bayesian information criterion of a clustering, as of X-means."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._compat import validate_params
from sklearn_lloyd._parameters import is_no_scorer
from sklearn_lloyd._validation import check_rows, check_weights
from sklearn_lloyd._weights import in_weight_unit
from sklearn_lloyd.metrics._labels import check_labels, require_as_many
from sklearn_lloyd.metrics._moments import cluster_moments


@is_no_scorer("sklearn_lloyd.model_selection.NClustersSearch(criterion='bic')")
@validate_params(
    {
        "X": ["array-like", "sparse matrix"],
        "labels": ["array-like"],
        "sample_weight": ["array-like", None],
    },
    prefer_skip_nested_validation=True,
)
def bic(X, labels, *, sample_weight=None):
    """Bayesian information criterion of a clustering; larger is better.

    The clusters are taken for normal distributions with one variance for all features and
    clusters [1]_. With n rows (or the sum of their weights), n_j of them in cluster j, d
    features, k clusters and W the sum of squared distances to the means,

    - the variance is ``W / (d * (n - k))``,
    - the log-likelihood is ``sum(n_j * log(n_j / n)) - n * d / 2 * log(2 * pi * variance) -
      d * (n - k) / 2``, and
    - half of ``log(n)`` is taken off for each of the ``k * d + k`` free parameters: means, shares
      less one, and the variance.

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
    bic : float
        Of use only beside that of another clustering of the same rows. NaN if there are no
        more rows than clusters; infinite if all rows equal the means of their clusters.

    Raises
    ------
    ValueError
        If an argument does not fit.

    Notes
    -----
    O(n_samples n_features). The paper leaves d out of the variance, and counts it in the
    rest of the formula; what is above is the likelihood of the model that the paper states.
    Rows of *hard* clusters spread less than the normal distributions that they are taken for:
    where clusters overlap, the criterion finds too few.

    References
    ----------
    .. [1] Pelleg, D., Moore, A. "X-means: extending k-means with efficient estimation of
       the number of clusters". ICML 2000.

    Examples
    --------
    >>> from sklearn_lloyd.model_selection import bic
    >>> X = [[0.0], [1.0], [2.0], [10.0], [11.0], [12.0]]
    >>> bool(bic(X, [0, 0, 0, 1, 1, 1]) > bic(X, [0, 0, 0, 0, 0, 0]))
    True
    """
    codes, n_clusters = check_labels(labels)
    rows = check_rows("bic", X, n_threads=None, reset=True)
    require_as_many(codes, rows.shape[0])
    weights = check_weights(sample_weight, codes.size)
    moments = cluster_moments(rows, codes, n_clusters, weights)
    return in_weight_unit(bic_of(moments), moments.unit, "criterion")


def bic_of(moments):
    """The criterion from the moments of the clusters, over the unit of their weights, float."""
    sizes = moments.weights[moments.weights > 0.0]
    n, k, d = float(sizes.sum()), sizes.size, moments.offsets.shape[1]
    one = 1.0 / moments.unit  # a row
    if n <= k * one:
        return np.nan
    if moments.within == 0.0:
        return np.inf
    rest = d * (n - k * one)
    likelihood = sizes @ np.log(sizes / n)
    likelihood -= n * d / 2 * np.log(2 * np.pi * (moments.within / rest)) + rest / 2
    return float(likelihood - k * (d + 1) / 2 * one * (np.log(n) + np.log(moments.unit)))
