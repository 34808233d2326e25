"""The gap statistic: is inertia lower than on rows without structure?"""

from __future__ import annotations

from numbers import Integral
from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from sklearn_lloyd._axes import principal_axes
from sklearn_lloyd._compat import Interval, StrOptions, validate_params
from sklearn_lloyd.model_selection._fits import (
    COMMON,
    Refit,
    fit_numbers,
    prepare,
    shares_path,
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
        the second finds structure where there is a single elongated group. Axes of equal
        variances might be turned among themselves; those nearest to the features are taken.
    rule : {'lead', 'first'}, default='lead'
        How a number is chosen.

        - 'lead': the least k whose gap no larger k beats by more than three standard errors of
          the *difference* of the two gaps.
        - 'first': the least k whose gap is no more than one standard error below that of the
          next k, which is the rule of the paper. Where there are many groups, the gap may fall
          before it rises, and this rule stops too early; on evenly spread rows in two
          dimensions it found structure in nine of sixty cases.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row; None: one each. The rows of the references have the same weights, in
        increasing order; rows without weight are left out.
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
    Costs ``n_refs + 1`` times the fits for all `n_clusters`, and for the principal axes
    O(n_samples n_features min(n_samples, n_features)); memory for a few times X in float64. The
    references of :class:`~sklearn_lloyd.KMeans` have as many features as there are axes, so that
    few rows of many features take little time. With the same `random_state`, the order of the rows
    changes the result by no more than rounding. The standard error is the
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
    if problem.rows.is_sparse:
        raise ValueError(no_sparse_rows("gap_statistic"))
    rng = check_random_state(random_state)
    fits = fit_numbers(estimator, problem.rows.X, problem, numbers, n_init, rng)
    within = [fit.within for fit in fits]
    refit = Refit(estimator, numbers, n_init, n_refs, rng, n_jobs)
    gap, error, place = gap_of(problem, within, refit, reference, rule)
    return GapStatistic(np.array(numbers), gap, error, numbers[place])


def no_sparse_rows(what):
    """The message where `what` needs dense rows."""
    return (
        f"{what} needs dense X, since it compares X with rows spread evenly in a box; got sparse "
        "X. Reduce X first, for instance with sklearn.decomposition.TruncatedSVD, or use other "
        "criteria."
    )


def gap_of(problem, within, refit, reference="pca", rule="lead"):
    """Gaps, standard errors and the position chosen, from the sums of squares of X; dense."""
    # Our own k-means goes by distances alone, which are the same along the axes.
    box = _Box(problem, reference, along_axes=shares_path(refit.estimator))
    logs = np.array(refit.run(_log_within, box))
    # Nothing is left within clusters of as many as there are distinct rows.
    with np.errstate(divide="ignore", invalid="ignore"):
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
    """The smallest box around the rows that have a weight, along features or principal axes.

    Parameters
    ----------
    problem : Problem
    kind : {"uniform", "pca"}
    along_axes : bool
        Whether to leave the references in the coordinates of the principal axes, of which there
        are no more than rows.

    Attributes
    ----------
    sample_weight : ndarray of float64 or None
        Of the rows of a reference: those of X from the least on, so that the order of the rows
        does not show.
    """

    def __init__(self, problem, kind, along_axes=False):
        rows, weights = problem.rows.X, problem.sample_weight
        if weights is not None:
            counted = weights > 0.0
            rows, weights = rows[counted], weights[counted]
        self.sample_weight = None if weights is None else np.sort(weights)
        self._n_rows, self._dtype, self._axes = len(rows), problem.dtype, None
        if kind == "pca":
            axes = principal_axes(rows, weights)
            rows = axes.project(rows)
            self._axes = None if along_axes else axes
        self._low, self._high = (end.astype(np.float64) for end in (rows.min(0), rows.max(0)))

    def draw(self, rng):
        """As many rows as there are, spread evenly."""
        rows = rng.uniform(self._low, self._high, size=(self._n_rows, self._low.size))
        if self._axes is not None:
            rows = rows @ self._axes.axes + self._axes.mean
        return rows.astype(self._dtype)
