"""Greedy k-means++ seeding."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._core import core_array, native
from sklearn_lloyd._init._random import rows_by_weight
from sklearn_lloyd._rows import working_memory

_MORE = 3  # times the usual number of trials, where clusters are added one by one...
_MOST_TRIALS = 16  # ...but no more than that, a rule that results depend on


def kmeans_plusplus_rows(problem, rng, n_local_trials=None):
    """Choose rows by greedy k-means++ (Arthur & Vassilvitskii 2007, section on trials).

    Each centre after the first is the best of `n_local_trials` rows, which are drawn with a
    probability proportional to weight times squared distance to the nearest centre so far. How
    much a trial gains is exact where it decides, and a row that equals a centre has distance
    zero.

    Cost: O(n k d log k) products, O(n k) for the draws.

    Returns
    -------
    rows : ndarray of int64 of shape (n_clusters,)
    """
    if n_local_trials is None:
        n_local_trials = _default_trials(problem.n_clusters)
    seeding = _seeding(problem, n_local_trials)
    rows = np.empty(problem.n_clusters, np.int64)
    rows[:1] = rows_by_weight(problem, rng.uniform(size=1))
    native.seeding_start(problem.rows.threads, seeding, int(rows[0]))
    _fill_rows(rows[1:], problem, seeding, n_local_trials, rng)
    return rows


def grown_centers(problem, centers, labels, rng):
    """Add rows to fewer centres, each by a step of greedy k-means++, until they are enough.

    Parameters
    ----------
    problem : Problem
    centers : ndarray of shape (n_fewer, n_features)
    labels : ndarray of shape (n_samples,), int32
        The nearest of `centers`, for each row.
    rng : RandomState

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features), float64
    """
    centers = core_array(centers, np.float64)
    # One step decides about all that follow, and a trial costs little beside the loop.
    n_trials = min(_MORE * _default_trials(problem.n_clusters), _MOST_TRIALS)
    seeding = _seeding(problem, n_trials)
    native.seeding_start_from(problem.rows.threads, seeding, centers, labels)
    rows = np.empty(problem.n_clusters - len(centers), np.int64)
    _fill_rows(rows, problem, seeding, n_trials, rng)
    return np.concatenate([centers, problem.rows.dense(rows)])


def _default_trials(n_clusters):
    return 2 + int(np.log(n_clusters))


def _seeding(problem, n_trials):
    return native.seeding(
        problem.rows.threads,
        problem.rows.native,
        problem.sample_weight,
        problem.shift,
        problem.sq_norms,
        problem.sum_of_squares,
        problem.canonical.keys,
        problem.n_clusters,
        n_trials,
        working_memory(),
    )


def _fill_rows(rows, problem, seeding, n_trials, rng):
    """Choose as many more rows as there is room for."""
    uniforms = rng.uniform(size=(rows.size, n_trials))
    n_done = native.seeding_add(problem.rows.threads, seeding, uniforms, rows)
    if n_done < rows.size:  # fewer distinct rows than centres
        rows[n_done:] = rows_by_weight(problem, uniforms[n_done:, 0])
