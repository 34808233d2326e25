"""Mini-batch k-means of rows that are all at hand: starts on a sample, batches until it rests."""

from typing import NamedTuple

import numpy as np

from sklearn_lloyd._fit import ROUNDING, first_centers, fitted_attributes
from sklearn_lloyd._init import RowDraws
from sklearn_lloyd._problem import problem_of_rows
from sklearn_lloyd._solvers import (
    MovingCenters,
    StopRule,
    label_rows,
    labels_without_empty,
    lloyd,
    make_assigner,
)
from sklearn_lloyd._types import BATCH_HISTORY_DTYPE
from sklearn_lloyd._weights import in_weight_unit, scaled_weights

# Rows of the sample for each cluster, from which on its means say enough...
_ROWS_FOR_MEANS = 20
_ITERATIONS = 10
_REST = 1e-4


class BatchOptions(NamedTuple):
    """The parameters of `MiniBatchKMeans` that the loop sees."""

    n_init: int
    batch_size: int
    init_size: int
    max_iter: int
    tol: float
    max_no_improvement: int | None
    reassignment_ratio: float
    verbose: int


class BatchResult(NamedTuple):
    """What the batches led to."""

    moving: MovingCenters
    rng: np.random.RandomState
    n_steps: int
    n_iter: int
    converged: bool
    history: np.ndarray
    start_inertias: np.ndarray


def sample_size(init_size, batch_size, n_clusters):
    """How many rows a start sees."""
    if init_size is None:
        return 3 * max(batch_size, n_clusters if 3 * batch_size < n_clusters else 0)
    return init_size if init_size >= n_clusters else 3 * n_clusters


def fit_minibatch(problem, init, options, rng, task):
    """Run mini-batch k-means from the best of several starts.

    Batches are drawn by weight, with replacement, in canonical order. What scikit-learn takes the
    number of rows for is the number of distinct rows here: weights must be as good as repeats.

    Parameters
    ----------
    problem : Problem
    init : str, ndarray or callable
        Checked before.
    options : BatchOptions
    rng : RandomState
        Drawn from on this thread only.
    task : Task
        The fit, of which the steps are tasks. A callback may end them.

    Returns
    -------
    result : BatchResult
    """
    draws = RowDraws(problem)
    n_rows = draws.n_distinct
    batch_size = min(options.batch_size, n_rows)
    rng_of_batches, rng_of_moves = own_rng(rng), own_rng(rng)
    centers, inertias = best_start(problem, init, options, draws, rng)
    moving = moving_centers(centers, options, lambda: (problem.rows, draws), rng_of_moves)
    stop = StopRule(
        2.0 * batch_size / (n_rows + 1),
        options.tol * problem.variance,
        options.max_no_improvement,
    )
    n_steps, why, history = options.max_iter * n_rows // batch_size, "", []
    for i in range(1, n_steps + 1):
        step_task = task.begin("step")
        batch = draws.rows(rng_of_batches.uniform(size=batch_size))
        step = moving.step(problem.rows, problem.shift, batch)
        inertia = step.inertia / batch_size
        if i > 1:  # the first is the inertia of the start
            why = stop.why(inertia, step.center_shift)
        history.append((inertia, stop.smoothed if i > 1 else inertia, *step[1:]))
        if options.verbose:
            smoothed = f", ewa inertia: {stop.smoothed}" if i > 1 else ""
            print(f"Minibatch step {i}/{n_steps}: mean batch inertia: {inertia}{smoothed}")
        n_iter = -(-i * batch_size // n_rows)
        ended = step_task.end(_attributes_after, moving, n_iter, problem.dtype)
        if why and options.verbose:
            print(f"Converged ({why}) at step {i}/{n_steps}")
        if why or ended:
            break
    return BatchResult(
        moving=moving,
        rng=rng_of_moves,
        n_steps=i,
        n_iter=n_iter,
        converged=bool(why),
        history=np.array(history, BATCH_HISTORY_DTYPE),
        start_inertias=inertias,
    )


def own_rng(rng):
    """A generator of its own, so that what others draw, and when, does not show in its draws."""
    return np.random.RandomState(rng.randint(np.iinfo(np.int32).max))


def _attributes_after(moving, n_iter, dtype):
    return fitted_attributes(moving.centers.astype(dtype), n_iter)


def moving_centers(centers, options, draws_of_rows, rng, counts=None, n_waited=0):
    """The centres, to be moved by batches; small clusters move to rows drawn by weight.

    Parameters
    ----------
    options : BatchOptions or MiniBatchKMeans
    draws_of_rows : callable
        Gives `Rows` and `RowDraws` of the rows that small clusters may move to.
    """

    def choose(n_small):
        rows, draws = draws_of_rows()
        return rows.dense(draws.distinct_rows(n_small, rng))

    return MovingCenters(
        centers,
        np.zeros(len(centers)) if counts is None else counts.copy(),
        n_waited,
        reassignment_ratio=options.reassignment_ratio,
        choose=choose,
        verbose=options.verbose,
    )


def step_by_step(moving, rows, weights, shift, rng, batch_size):
    """Move the centres by the rows of a large batch in random order, `batch_size` in each step.

    Rows of weight zero are left out: they count as if they were not there.

    Returns
    -------
    inertia : float
        Of the rows as they came.
    records : list of tuples
        Of BATCH_HISTORY_DTYPE, one for each step.
    """
    inertia, records = 0.0, []
    weights, unit = scaled_weights(weights)
    order = rng.permutation(rows.shape[0] if weights is None else np.flatnonzero(weights))
    for start in range(0, order.size, batch_size):
        some = order[start : start + batch_size]
        step = moving.step(rows, shift, some, weights, unit)
        inertia += step.inertia * unit
        total = some.size if weights is None else weights[some].sum()
        records.append((step.inertia / total, np.nan, *step[1:]))
    return inertia, records


def best_start(problem, init, options, draws, rng):
    """The centres of the best of the starts by a sample, and the inertias of all.

    Parameters
    ----------
    problem : Problem
    init : str, ndarray or callable
        Checked before.
    options : BatchOptions
    draws : RowDraws
        Of the problem. A start sees `sample_size` of them, or all rows if that is enough for all
        distinct ones.
    rng : RandomState

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features), float64
    inertias : ndarray of shape (n_init,)
    """
    batch_size = min(options.batch_size, draws.n_distinct)
    size = min(sample_size(options.init_size, batch_size, problem.n_clusters), draws.n_distinct)
    judges, weights, unit = None, problem.sample_weight, problem.weight_unit
    if size < draws.n_distinct:
        judges, weights, unit = draws.rows(rng.uniform(size=size)), None, 1.0
    best, least, inertias = None, np.inf, np.empty(options.n_init)
    for i in range(options.n_init):
        if options.verbose:
            print(f"Init {i + 1}/{options.n_init} with method {init}")
        centers = _one_start(problem, init, size, draws, rng)
        _, inertia, _ = label_rows(
            problem.rows, centers, problem.shift, index=judges, weights=weights
        )
        inertias[i] = inertia * unit
        if options.verbose:
            print(f"Inertia for init {i + 1}/{options.n_init}: {inertias[i]}")
        if best is None or inertias[i] < least * (1 - ROUNDING):
            best, least = centers, inertias[i]
    return best, inertias


def _one_start(problem, init, size, draws, rng):
    """First centres: an array is these; others see so many draws of rows, or all if no more.

    Where that is enough of them to tell the means of clusters, k-means of these rows goes on for
    some iterations from centres by name. Those of a callable are taken as they are.
    """
    if isinstance(init, np.ndarray):
        return init
    sample = problem
    if size < draws.n_distinct:
        sample = problem_of_rows(problem, draws.rows(rng.uniform(size=size)))
    centers = first_centers(sample, init, None, rng)
    if isinstance(init, str) and size >= _ROWS_FOR_MEANS * problem.n_clusters:
        assigner = make_assigner("auto", sample)
        tol = _REST * sample.variance
        for step in lloyd(sample, centers, assigner, _ITERATIONS, tol):
            centers = step.centers
    return centers


def label_all(problem, moving, reassignment_ratio):
    """Assign all rows; clusters without any first move to rows, by the rule of full k-means.

    Parameters
    ----------
    problem : Problem
    moving : MovingCenters
    reassignment_ratio : float
        0: none moves.

    Returns
    -------
    labels : ndarray of shape (n_samples,), int32
    inertia : float
        In the unit of the user's weights.
    n_chosen : int
        Clusters with rows of positive weight.
    """
    rows, weights = problem.rows, problem.sample_weight
    while True:
        centers = moving.centers.astype(problem.dtype).astype(np.float64)
        labels, inertia, _ = label_rows(rows, centers, problem.shift, weights=weights)
        counted = labels if weights is None else labels[weights > 0]
        members = np.bincount(counted, minlength=problem.n_clusters)
        moved = None
        if reassignment_ratio > 0 and not members.all():
            moved = labels_without_empty(problem, labels, centers, members)
        if moved is None:
            inertia = in_weight_unit(inertia, problem.weight_unit, "inertia")
            return labels, inertia, np.count_nonzero(members)
        # Each has a row to itself from here on, so this comes to an end.
        others = np.flatnonzero(moved != labels)
        clusters, first = np.unique(moved[others], return_index=True)
        moving.centers[clusters] = rows.dense(others[first])
        of_rows = None if weights is None else weights[others]
        total = rows.shape[0] if weights is None else weights.sum()
        # As many draws as their share of the weight is worth: counts are of rows drawn by weight.
        n_drawn = moving.counts.sum()
        moving.counts[clusters] = np.bincount(moved[others], of_rows)[clusters] / total * n_drawn
