"""Silhouettes: how much nearer a row is to its own cluster than to the next one."""

from __future__ import annotations

from numbers import Integral

from sklearn.utils import check_random_state

from sklearn_lloyd._compat import Interval, StrOptions, validate_params
from sklearn_lloyd._moments import weighted_mean
from sklearn_lloyd._parameters import is_no_scorer
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd._validation import check_rows, check_weights
from sklearn_lloyd.metrics._labels import check_labels, require_as_many, require_clusters
from sklearn_lloyd.metrics._sampling import estimate_mean, sample_of_clusters
from sklearn_lloyd.metrics._widths import WIDTHS, silhouette_of_many

CONSTRAINTS = {
    "X": ["array-like", "sparse matrix"],
    "labels": ["array-like"],
    "metric": [StrOptions(set(WIDTHS))],
    "sample_weight": ["array-like", None],
    "n_threads": [Interval(Integral, 1, None, closed="left"), None],
}


@is_no_scorer("scoring=silhouette_scorer of sklearn_lloyd.metrics")
@validate_params(CONSTRAINTS, prefer_skip_nested_validation=True)
def silhouette_samples(X, labels, *, metric="euclidean", sample_weight=None, n_threads=None):
    """Silhouette width of each row.

    With a(i) the mean distance of row i to the other rows of its cluster and b(i) the least of
    its mean distances to the rows of another cluster, the width is ``(b - a) / max(a, b)``:
    near 1 in the midst of a cluster that is far from others, near 0 between two clusters,
    negative if another cluster is nearer than the own one. Rows that are alone in their
    cluster have 0.

    Parameters
    ----------
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
        Rows that were clustered.
    labels : array-like of shape (n_samples,)
        Cluster of each row: whole numbers, strings, whatever can be sorted.
    metric : {'euclidean', 'sqeuclidean'}, default='euclidean'
        Distances, or squared distances, which is what k-means minimises and takes no time
        to speak of.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row; None: one each. A row of weight 3 is as good as three equal rows. So
        its weight less 1 belongs to the others of its cluster; nothing of it if it weighs
        less than 1. Rows without weight get a width, but count for no other row.
    n_threads : int or None, default=None
        As of :class:`~sklearn_lloyd.KMeans`. It does not change the result.

    Returns
    -------
    widths : ndarray of shape (n_samples,), float64
        From -1 to 1.

    Raises
    ------
    ValueError
        If there are fewer than two clusters, or no cluster of two rows, or an argument does not
        fit.

    Notes
    -----
    "sqeuclidean" takes O(n_samples n_clusters n_features): the mean squared
    distance to a cluster is the squared distance to its mean plus its variance. "euclidean"
    takes O(n_samples^2 n_features), and a few megabytes to each thread, however many clusters
    there are.
    Both are exact, and equal `sklearn.metrics.silhouette_samples` with the same `metric`.

    References
    ----------
    Rousseeuw, P. J. "Silhouettes: a graphical aid to the interpretation and validation of
    cluster analysis". Journal of Computational and Applied Mathematics 20, 1987.

    Examples
    --------
    >>> from sklearn_lloyd.metrics import silhouette_samples
    >>> X = [[0.0], [1.0], [10.0], [11.0]]
    >>> silhouette_samples(X, ["a", "a", "b", "b"]).round(3)
    array([0.905, 0.895, 0.895, 0.905])
    """
    name = "silhouette_samples"
    rows, codes, weights = checked_clusters(name, X, labels, sample_weight, metric, n_threads)
    return silhouette_of_many(rows, [codes], metric, weights)[0]


@is_no_scorer("scoring=silhouette_scorer of sklearn_lloyd.metrics")
@validate_params(
    {
        **CONSTRAINTS,
        "sample_size": [Interval(Integral, 2, None, closed="left"), None],
        "random_state": ["random_state"],
        "return_std_error": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def silhouette_score(
    X,
    labels,
    *,
    metric="euclidean",
    sample_size=None,
    sample_weight=None,
    random_state=None,
    return_std_error=False,
    n_threads=None,
):
    """Weighted mean of the silhouette widths of all rows.

    Parameters
    ----------
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
        Rows that were clustered.
    labels : array-like of shape (n_samples,)
        Cluster of each row.
    metric : {'euclidean', 'sqeuclidean'}, default='euclidean'
        As of :func:`silhouette_samples`.
    sample_size : int, default=None
        How many rows to estimate the mean from; None, or no fewer than there are: all of them,
        which is exact. Rows are drawn from each cluster in proportion to its size, two at the
        least, so that a few more may be drawn. The width of each is exact: it is compared with
        *all* rows. (`sklearn.metrics.silhouette_score` compares the drawn rows with each other
        only.)
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row; None: one each.
    random_state : int, RandomState instance or None, default=None
        Draws the sample: for one `random_state` the same rows, in whatever order they come.
    return_std_error : bool, default=False
        Whether to return the standard error of the estimate too.
    n_threads : int or None, default=None
        As of :class:`~sklearn_lloyd.KMeans`. It does not change the result.

    Returns
    -------
    score : float
        From -1 to 1. An unbiased estimate if rows are drawn.
    std_error : float
        Of a stratified sample without replacement; 0 if all rows are used. Only if
        `return_std_error`.

    Raises
    ------
    ValueError
        If there are fewer than two clusters, or no cluster of two rows, or an argument does not
        fit.

    Notes
    -----
    With a sample, "euclidean" takes O(sample_size n_samples n_features).

    References
    ----------
    Rousseeuw, P. J. "Silhouettes: a graphical aid to the interpretation and validation of
    cluster analysis". Journal of Computational and Applied Mathematics 20, 1987.

    Cochran, W. G. "Sampling techniques", third edition, chapter 5. Wiley, 1977.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.metrics import silhouette_score
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(3000, 2)) + 6 * rng.integers(2, size=(3000, 2))
    >>> labels = KMeans(4, random_state=0).fit_predict(X)
    >>> exact = silhouette_score(X, labels)
    >>> score, error = silhouette_score(
    ...     X, labels, sample_size=300, random_state=0, return_std_error=True
    ... )
    >>> error < 0.01, abs(score - exact) < 3 * error
    (True, True)
    """
    rows, codes, weights = checked_clusters(
        "silhouette_score", X, labels, sample_weight, metric, n_threads
    )
    if sample_size is None or sample_size >= rows.shape[0]:
        widths = silhouette_of_many(rows, [codes], metric, weights)[0]
        score, error = float(weighted_mean(widths, weights)), 0.0
    else:
        rng = check_random_state(random_state)
        problem = make_problem(rows, 1, weights)
        strata, sample = sample_of_clusters(rng, codes, problem, sample_size)
        widths = silhouette_of_many(rows, [codes], metric, weights, sample)[0]
        score, error = estimate_mean(widths, sample, strata, weights)
    return (score, error) if return_std_error else score


def checked_clusters(name, X, labels, sample_weight, metric, n_threads):
    """Validate what all silhouettes take.

    Returns
    -------
    rows : Rows
    codes : ndarray of intp of shape (n_samples,)
        The clusters, numbered from 0.
    weights : ndarray of shape (n_samples,), float64, or None
    """
    codes, n_clusters = check_labels(labels)
    rows = check_rows(name, X, n_threads=n_threads, reset=True)
    require_as_many(codes, rows.shape[0])
    weights = check_weights(sample_weight, codes.size)
    require_clusters(codes, n_clusters, weights, name)
    return rows, codes, weights
