"""The gap statistic: is inertia lower than on rows without structure?"""

from __future__ import annotations

from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from sklearn_lloyd._compat import Interval, StrOptions, validate_params
from sklearn_lloyd._moments import weighted_mean
from sklearn_lloyd.model_selection._fits import (
    COMMON,
    Refit,
    fit_numbers,
    prepare,
)


class GapStatistic(NamedTuple):
    """What :func:`gap_statistic` returns."""

    n_clusters: np.ndarray
    gap: np.ndarray
    std_error: np.ndarray
    best: int


_ERRORS = 3.0  # by which a larger number of clusters must lead


@validate_params(
    {
        **COMMON,
        "n_refs": [Interval(Integral, 2, None, closed="left")],
        "reference": [StrOptions({"pca", "uniform"})],
        "rule": [StrOptions({"lead", "first"})],
    },
    prefer_skip_nested_validation=True,
)
def gap_statistic(
    X,
    n_clusters=(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
    *,
    estimator=None,
    n_refs=20,
    reference="pca",
    rule="lead",
    sample_weight=None,
    n_init=None,
    n_jobs=None,
    random_state=None,
):
    """Gap statistic: how much lower the inertia is than that of rows without structure.

    For each number of clusters k, the gap is the mean logarithm of the within-cluster sum of
    squares of `n_refs` reference sets, less that of X. References are as many rows as X has,
    spread evenly in a box around it. The number chosen may be 1: there is no structure.

    Parameters
    ----------
    X : array-like or frame of shape (n_samples, n_features)
        Rows to cluster; dense, for the references are.
    n_clusters : int or iterable of int, default=(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
        Numbers of clusters.
    estimator : estimator, default=None
        A clusterer with the parameter `n_clusters`. None: :class:`~sklearn_lloyd.KMeans`.
    n_refs : int, default=20
        Reference sets.
    reference : {'pca', 'uniform'}, default='pca'
        The box: along the principal axes of X, or along the features. With correlated features
        the second finds structure where there is a single elongated group.
    rule : {'lead', 'first'}, default='lead'
        How a number is chosen.

        - 'lead': the least k whose gap no larger k beats by more than three standard errors of
          the *difference* of the two gaps.
        - 'first': the least k whose gap is no more than one standard error below that of the
          next k, which is the rule of the paper. Where there are many groups, the gap may fall
          before it rises, and this rule stops too early; on evenly spread rows in two
          dimensions it found structure in nine of sixty cases.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row; None: one each. The rows of the references have the same weights.
    n_init : int, default=None
        Starts for each number of clusters; None: as the estimator says.
    n_jobs : int, default=None
        Reference sets that are clustered at a time, as joblib counts. It does not change the
        result.
    random_state : int, RandomState instance or None, default=None
        Where references and first centres come from.

    Returns
    -------
    result : GapStatistic
        A named tuple of `n_clusters` (of shape (n_numbers,), increasing), `gap` and `std_error`
        (of the same shape; as of the paper), and `best`, the number chosen.

    Raises
    ------
    ValueError
        If X is sparse, or an argument does not fit.

    Notes
    -----
    Costs ``n_refs + 1`` times the fits for all `n_clusters`. The standard error is the
    standard deviation over the references times ``sqrt(1 + 1 / n_refs)``. Clusters that overlap
    so much that their rows together look like one group are one group to this statistic.

    References
    ----------
    Tibshirani, R., Walther, G., Hastie, T. "Estimating the number of clusters in a data set via
    the gap statistic". Journal of the Royal Statistical Society B 63, 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_lloyd.model_selection import gap_statistic
    >>> rng = np.random.default_rng(0)
    >>> noise = rng.uniform(size=(200, 2))
    >>> gap_statistic(noise, range(1, 6), random_state=0).best
    1
    >>> groups = noise + 3 * rng.integers(3, size=(200, 1))
    >>> gap_statistic(groups, range(1, 6), random_state=0).best
    3
    """
    estimator, numbers, problem = prepare("gap_statistic", estimator, X, n_clusters, sample_weight)
    rng = check_random_state(random_state)
    fits = fit_numbers(estimator, problem.chunks.X, problem, numbers, n_init, rng)
    within = [fit.within for fit in fits]
    refit = Refit(estimator, numbers, n_init, n_refs, rng, n_jobs)
    gap, error, place = gap_of(problem, within, refit, reference, rule)
    return GapStatistic(np.array(numbers), gap, error, numbers[place])


def gap_of(problem, within, refit, reference="pca", rule="lead"):
    """Gaps, standard errors and the position chosen, from the sums of squares of X."""
    if problem.chunks.is_sparse:
        raise ValueError(
            "The gap statistic compares X with rows spread evenly in a box, which are not sparse, "
            "and X is. Reduce X first, for instance with sklearn.decomposition.TruncatedSVD, or "
            "use other criteria."
        )
    logs = np.array(refit.run(_log_within, _Box(problem, reference)))
    with np.errstate(divide="ignore"):
        gap = logs.mean(axis=0) - np.log(within)
    error = _std_error(logs, ddof=0)
    return gap, error, _RULES[rule](gap, error, logs)


def _std_error(logs, ddof):
    return logs.std(axis=0, ddof=ddof) * np.sqrt(1.0 + 1.0 / len(logs))


def _first(gap, std_error, logs):
    enough = gap[:-1] >= gap[1:] - std_error[1:]
    return int(np.argmax(enough)) if enough.any() else len(gap) - 1


def _lead(gap, std_error, logs):
    for i in range(len(gap) - 1):
        error = _std_error(logs[:, i, np.newaxis] - logs[:, i + 1 :], ddof=1)
        if not (gap[i + 1 :] > gap[i] + _ERRORS * error).any():
            return i
    return len(gap) - 1


_RULES = {"lead": _lead, "first": _first}


def _log_within(refit, box, seed):
    rng = np.random.RandomState(seed)
    fits = refit.fit(box.draw(rng), box.sample_weight, rng)
    with np.errstate(divide="ignore"):
        return np.log([fit.within for fit in fits])


class _Box:
    """The smallest box around the rows, along features or principal axes."""

    def __init__(self, problem, kind):
        X, self.sample_weight = problem.chunks.X, problem.sample_weight
        self._shape, self._dtype = X.shape, problem.dtype
        counted = slice(None) if self.sample_weight is None else self.sample_weight > 0
        weights = None if self.sample_weight is None else self.sample_weight[counted]
        values = X[counted].astype(np.float64)
        self._center = weighted_mean(values, weights)
        values -= self._center
        self._axes = None
        if kind == "pca":
            scaled = values if weights is None else values * np.sqrt(weights)[:, np.newaxis]
            self._axes = np.linalg.eigh(scaled.T @ scaled)[1]
            values = values @ self._axes
        self._low, self._high = values.min(axis=0), values.max(axis=0)

    def draw(self, rng):
        """As many rows as there are, spread evenly."""
        rows = rng.uniform(self._low, self._high, size=self._shape)
        if self._axes is not None:
            rows = rows @ self._axes.T
        return (rows + self._center).astype(self._dtype)
