"""Mini-batch k-means of rows that are all at hand: starts on a sample, batches until it rests."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sklearn_lloyd._fit import ROUNDING, first_centers, fitted_attributes
from sklearn_lloyd._init import RowDraws
from sklearn_lloyd._problem import problem_of_rows
from sklearn_lloyd._solvers import (
    MovingCenters,
    PassingRows,
    StopRule,
    assign_rows,
    lloyd,
    make_assigner,
)
from sklearn_lloyd._types import BATCH_HISTORY_DTYPE

# Values of the batches that are gathered at once: what a processor has at hand.
_AT_ONCE = 1 << 18
_SPARSE = 64  # stored values of a row, or so
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
    centers, inertias = _best_start(problem, init, options, draws, batch_size, rng)
    moving = moving_centers(centers, options, lambda: (problem.chunks, draws), rng)
    stop = StopRule(
        2.0 * batch_size / (n_rows + 1),
        options.tol * problem.variance,
        options.max_no_improvement,
    )
    n_steps, why, history = options.max_iter * n_rows // batch_size, "", []
    for i, (rows, batch) in enumerate(_batches(problem, draws, batch_size, n_steps, rng), 1):
        step_task = task.begin("step")
        step = moving.step(rows, batch)
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
        n_steps=i,
        n_iter=n_iter,
        converged=bool(why),
        history=np.array(history, BATCH_HISTORY_DTYPE),
        start_inertias=inertias,
    )


def _attributes_after(moving, n_iter, dtype):
    return fitted_attributes(moving.centers.astype(dtype), n_iter)


def _batches(problem, draws, batch_size, n_batches, rng):
    """Batches drawn by weight, as slices of rows of which several are gathered at once.

    While the batches of some rows are at work, the next rows are gathered.
    """
    chunks = problem.chunks
    # Not by what rows have stored on average: weights are to be as good as repeats.
    width = _SPARSE if chunks.is_sparse else chunks.shape[1]
    several = max(1, _AT_ONCE // (batch_size * width))
    sizes = (min(several, n_batches - i) for i in range(0, n_batches, several))

    def start_next():
        size = next(sizes, None)
        if size is None:
            return None
        uniforms = rng.uniform(size=size * batch_size)
        return chunks.later(lambda: chunks.gathered(draws.rows(uniforms)))

    kept, rows_later = {}, start_next()
    while rows_later is not None:
        rows = PassingRows(rows_later(), None, problem.shift, kept)
        rows_later = start_next()
        for start in range(0, rows.chunks.shape[0], batch_size):
            yield rows, slice(start, start + batch_size)


def moving_centers(centers, options, draws_of_rows, rng, counts=None, n_waited=0):
    """The centres, to be moved by batches; small clusters move to rows drawn by weight.

    Parameters
    ----------
    options : BatchOptions or MiniBatchKMeans
    draws_of_rows : callable
        Gives `Chunks` and `RowDraws` of the rows that small clusters may move to.
    """

    def choose(n_small):
        chunks, draws = draws_of_rows()
        return chunks.dense_rows(draws.distinct_rows(n_small, rng))

    return MovingCenters(
        centers,
        np.zeros(len(centers)) if counts is None else counts.copy(),
        n_waited,
        reassignment_ratio=options.reassignment_ratio,
        choose=choose,
        verbose=options.verbose,
    )


def _best_start(problem, init, options, draws, batch_size, rng):
    """The centres of the best of the starts by a sample, and the inertias of all."""
    size = sample_size(options.init_size, batch_size, problem.n_clusters)
    size = min(size, draws.n_distinct)
    judges = problem.chunks.gathered(draws.rows(rng.uniform(size=size)))
    best, least, inertias = None, np.inf, np.empty(options.n_init)
    for i in range(options.n_init):
        if options.verbose:
            print(f"Init {i + 1}/{options.n_init} with method {init}")
        centers = one_start(problem, init, size, draws, rng)
        inertias[i] = assign_rows(judges, centers, problem.shift)[1]
        if options.verbose:
            print(f"Inertia for init {i + 1}/{options.n_init}: {inertias[i]}")
        if best is None or inertias[i] < least * (1 - ROUNDING):
            best, least = centers, inertias[i]
    return best, inertias


def one_start(problem, init, size, draws, rng):
    """First centres.

    All but an array see so many draws of rows, or all if they are no more. Where that is enough
    of them to tell the means of clusters, k-means of these rows goes on for some iterations. (Of
    sparse rows, whose means are mostly of features that few of them have, it did not help.)
    """
    if isinstance(init, np.ndarray):
        return init
    sample = problem
    if size < draws.n_distinct:
        sample = problem_of_rows(problem, draws.rows(rng.uniform(size=size)))
    with sample.chunks.open():
        centers = first_centers(sample, init, None, rng)
        if not sample.chunks.is_sparse and size >= _ROWS_FOR_MEANS * problem.n_clusters:
            assigner = make_assigner("auto", sample)
            tol = _REST * sample.variance
            for step in lloyd(sample, centers, assigner, _ITERATIONS, tol, ahead=True):
                centers = step.centers
    return centers
