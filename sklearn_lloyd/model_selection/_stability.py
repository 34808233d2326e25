"""Are the clusters found again in other rows of the same kind?"""

from __future__ import annotations

from numbers import Integral, Real
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from sklearn_lloyd._compat import Interval, validate_params
from sklearn_lloyd._init import RowDraws
from sklearn_lloyd._predict import predict_labels
from sklearn_lloyd.metrics._labels import check_labels, require_as_many
from sklearn_lloyd.metrics._scorers import prediction_strength_of
from sklearn_lloyd.model_selection._fits import COMMON, Refit, fit_numbers, prepare, problem_for

THRESHOLD = 0.8


class PredictionStrength(NamedTuple):
    """What :func:`prediction_strength` returns."""

    n_clusters: np.ndarray
    strength: np.ndarray
    std_error: np.ndarray
    best: int | None


@validate_params(
    {
        **COMMON,
        "n_splits": [Interval(Integral, 2, None, closed="left")],
        "threshold": [Interval(Real, 0, 1, closed="both")],
    },
    prefer_skip_nested_validation=True,
)
def prediction_strength(
    X,
    n_clusters=(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
    *,
    estimator=None,
    n_splits=10,
    threshold=THRESHOLD,
    sample_weight=None,
    n_init=None,
    n_jobs=None,
    random_state=None,
):
    """Prediction strength: do clusters of one half of the rows predict those of the other?

    Both halves are clustered. For each cluster of one half, this is the share of pairs of its
    rows that the means of the other half put together, too; the least share counts, 0
    for a cluster of one row, and the mean over both halves and all splits. One cluster has
    strength 1. Chosen is the largest
    number of clusters whose strength, plus a standard error, reaches the threshold.

    Parameters
    ----------
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
        Rows to cluster.
    n_clusters : int or iterable of int, default=(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
        Numbers of clusters.
    estimator : estimator, default=None
        A clusterer with the parameter `n_clusters`. None: :class:`~sklearn_lloyd.KMeans`.
    n_splits : int, default=10
        Times that the rows are split in halves.
    threshold : float, default=0.8
        From 0 to 1. The paper suggests 0.8 to 0.9.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row in the fits; None: one each. Pairs count alike. Rows without weight
        are left out.
    n_init : int, default=None
        Starts for each number of clusters; None: as the estimator says.
    n_jobs : int, default=None
        Splits that are clustered at a time, as joblib counts. It does not change the result.
    random_state : int, RandomState instance or None, default=None
        Where splits and first centres come from.

    Returns
    -------
    result : PredictionStrength
        A named tuple of `n_clusters` (of shape (n_numbers,), increasing), `strength` and
        `std_error` (of the same shape; NaN where a half has fewer distinct rows), and `best`,
        the number chosen, or None if none is as strong.

    Raises
    ------
    ValueError
        If an argument does not fit.

    Notes
    -----
    Costs about `n_splits` times the fits for all `n_clusters`. A strength says that a partition
    comes again, not that there are gaps in the data: a square full of evenly spread points
    is cut into the same four quarters each time if there are many of them. Small clusters
    are the first to be weak.

    References
    ----------
    Tibshirani, R., Walther, G. "Cluster validation by prediction strength". Journal of
    Computational and Graphical Statistics 14, 2005.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_lloyd.model_selection import prediction_strength
    >>> result = prediction_strength(load_iris().data, range(1, 6), random_state=0)
    >>> result.best
    2
    >>> result.strength[:2].round(1)
    array([1. , 0.9])
    """
    estimator, numbers, problem = prepare(
        "prediction_strength", estimator, X, n_clusters, sample_weight
    )
    refit = Refit(estimator, numbers, n_init, n_splits, check_random_state(random_state), n_jobs)
    strength, error = strength_of(problem, refit)
    place = last_strong(strength, error, threshold)
    best = None if place is None else numbers[place]
    return PredictionStrength(np.array(numbers), strength, error, best)


def last_strong(strength, std_error, threshold=THRESHOLD):
    """The last position where the strength plus its error reaches the threshold, or None."""
    strong = np.flatnonzero(strength + std_error >= threshold)
    return int(strong[-1]) if strong.size else None


def strength_of(problem, refit):
    """Prediction strengths and their standard errors, for each number of clusters."""
    rows = problem.rows.X, problem.sample_weight, problem.counted_rows()
    values = np.array(refit.run(_strength_of_split, *rows))
    return values.mean(axis=0), values.std(axis=0, ddof=1) / np.sqrt(len(values))


def _strength_of_split(refit, X, sample_weight, order, seed):
    rng = np.random.RandomState(seed)
    strengths = np.full(len(refit.numbers), np.nan)
    halves = np.array_split(rng.permutation(order), 2)
    if halves[1].size == 0:
        return strengths
    weights = [None if sample_weight is None else sample_weight[half] for half in halves]
    problems = [
        problem_for(refit.estimator, X[half], refit.numbers[-1], own)
        for half, own in zip(halves, weights, strict=True)
    ]
    possible = min(RowDraws(problem).n_distinct for problem in problems)
    numbers = [number for number in refit.numbers if number <= possible]
    if not numbers:
        return strengths
    fits = [
        fit_numbers(refit.estimator, part.rows.X, part, numbers, refit.n_init, rng)
        for part in problems
    ]
    for i, (a, b) in enumerate(zip(*fits, strict=True)):
        strengths[i] = 1.0
        if numbers[i] > 1:
            strengths[i] = (_strength(a, b, problems[1]) + _strength(b, a, problems[0])) / 2
    return strengths


def _strength(fit, other, problem):
    """How well one fit predicts another one, of the rows of the problem."""
    return prediction_strength_of(predict_labels(problem.rows, fit.moments.means), other.codes)


@validate_params(
    {
        **{name: rule for name, rule in COMMON.items() if name != "n_clusters"},
        "labels": ["array-like"],
        "n_bootstraps": [Interval(Integral, 1, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def bootstrap_stability(
    X,
    labels,
    *,
    estimator=None,
    n_bootstraps=20,
    sample_weight=None,
    n_init=None,
    n_jobs=None,
    random_state=None,
):
    """Stability of each cluster: how well it is found again in samples with replacement.

    Samples are as many rows as X has, and are clustered anew. For each cluster of `labels`, the
    Jaccard index with the cluster of the sample that is most like it (rows in both, as a share
    of rows in either; of the rows drawn) is averaged over the samples.

    Parameters
    ----------
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
        Rows that were clustered.
    labels : array-like of shape (n_samples,)
        Cluster of each row.
    estimator : estimator, default=None
        What the labels come from: a clusterer with the parameter `n_clusters`, which is set to
        the number of clusters in `labels`. None: :class:`~sklearn_lloyd.KMeans`.
    n_bootstraps : int, default=20
        Samples.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row; None: one each. Rows are drawn by weight, and count one each in
        the samples and in the index.
    n_init : int, default=None
        Starts of each fit; None: as the estimator says.
    n_jobs : int, default=None
        Samples that are clustered at a time, as joblib counts. It does not change the result.
    random_state : int, RandomState instance or None, default=None
        Where samples and first centres come from.

    Returns
    -------
    stability : ndarray of shape (n_clusters,), float64
        From 0 to 1, in the order of the labels. Below 0.5 a cluster is dissolved in most
        samples; above 0.75 it can be trusted to be a pattern [1]_. NaN for clusters that no row
        was drawn of.

    Raises
    ------
    ValueError
        If an argument does not fit.

    Notes
    -----
    Costs `n_bootstraps` fits.

    References
    ----------
    .. [1] Hennig, C. "Cluster-wise assessment of cluster stability". Computational Statistics &
       Data Analysis 52, 2007.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.model_selection import bootstrap_stability
    >>> X, _ = make_blobs(200, centers=3, random_state=1)
    >>> labels = KMeans(3, random_state=0).fit_predict(X)
    >>> bootstrap_stability(X, labels, random_state=0).round(1)
    array([1., 1., 1.])
    """
    codes, n_clusters = check_labels(labels)
    estimator, numbers, problem = prepare(
        "bootstrap_stability", estimator, X, n_clusters, sample_weight
    )
    require_as_many(codes, problem.rows.shape[0])
    rng = check_random_state(random_state)
    refit = Refit(estimator, numbers, n_init, n_bootstraps, rng, n_jobs)
    # Equal rows in different clusters are not the same here.
    draws = RowDraws(problem, problem.counted_rows(codes))
    values = np.array(refit.run(_jaccard_of_sample, problem.rows.X, codes, draws))
    known = ~np.isnan(values)
    totals = np.where(known, values, 0.0).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return totals / known.sum(axis=0)


def _jaccard_of_sample(refit, X, codes, draws, seed):
    """The Jaccard index of each cluster; NaN where none of its rows was drawn."""
    rng = np.random.RandomState(seed)
    drawn = draws.rows(rng.uniform(size=X.shape[0]))
    (fit,) = refit.fit(X[drawn], None, rng)
    rows, first = np.unique(drawn, return_index=True)
    shape = int(codes.max()) + 1, int(fit.codes.max()) + 1
    both = np.bincount(codes[rows] * shape[1] + fit.codes[first], minlength=shape[0] * shape[1])
    both = both.reshape(shape).astype(np.float64)
    sizes = both.sum(axis=1, keepdims=True)
    best = (both / (sizes + both.sum(axis=0) - both)).max(axis=1)
    return np.where(sizes[:, 0] > 0, best, np.nan)
