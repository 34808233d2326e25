"""Several starts, the loop for each, the best kept."""

from __future__ import annotations

from operator import attrgetter

import numpy as np

from sklearn_lloyd._callbacks import NO_TASK
from sklearn_lloyd._core import native
from sklearn_lloyd._init import INIT, random_sample
from sklearn_lloyd._solvers import lloyd, make_assigner
from sklearn_lloyd._types import HISTORY_DTYPE, START_HISTORY_DTYPE, Result
from sklearn_lloyd._validation import check_centers, check_centers_fit

ROUNDING = 1e-10  # relative, of two inertias of one clustering

_record = attrgetter(*HISTORY_DTYPE.names)


def fit_kmeans(
    problem, init, *, n_init, max_iter, tol, algorithm, rng, init_size=None, verbose=0,
    task=NO_TASK,
):  # fmt: skip
    """Run k-means `n_init` times and keep the run of least inertia.

    Parameters
    ----------
    problem : Problem
    init : str, ndarray or callable
        Checked before.
    n_init, max_iter : int
    tol : float
        Relative to the variance of the data.
    algorithm : str
    rng : RandomState
        Drawn from on this thread only, one start after the other.
    init_size : int or None
        Rows that an `init` by name sees of the problem, drawn anew for each start.
    verbose : int
    task : Task
        The fit, of which the starts are tasks. A callback may end it early.

    Returns
    -------
    result : Result
    """
    best, runs = None, []
    for _ in range(n_init):
        start = task.begin("start", max_subtasks=max_iter)
        centers = first_centers(problem, init, init_size, rng)
        if verbose:
            print("Initialization complete")
        run = run_from(
            problem, centers, max_iter, tol * problem.variance, algorithm, verbose, start
        )
        runs.append((run.inertia, run.history))
        best = better_of(best, run)
        if start.end(fitted_attributes, run.centers, run.n_iter):
            break
    return with_starts(best, runs, problem.weight_unit)


def with_starts(best, runs, weight_unit):
    """The result with the inertias and histories of all runs, of which it is the best.

    In the unit of the user's weights; runs are compared before, where no digit is lost.
    """
    inertias, histories = zip(*runs, strict=True)
    # As tuples: to put structured arrays together takes NumPy longer than many a short run.
    records = [(i, *each) for i, history in enumerate(histories) for each in history.tolist()]
    together = np.array(records, START_HISTORY_DTYPE)
    inertias, history = np.array(inertias), best.history
    if weight_unit != 1.0:
        history = history.copy()
        with np.errstate(over="ignore", under="ignore"):  # before centres have moved, it may
            for values in (inertias, history["inertia"], together["inertia"]):
                values *= weight_unit
    return best._replace(
        inertia=best.inertia * weight_unit,
        history=history,
        start_inertias=inertias,
        start_histories=together,
    )


def better_of(best, run):
    """The run of less inertia; what rounding makes of the same is not less: the earlier."""
    return run if best is None or run.inertia < best.inertia * (1 - ROUNDING) else best


def first_centers(problem, init, init_size, rng):
    shape = problem.n_clusters, problem.rows.shape[1]
    if isinstance(init, str):
        return INIT[init](random_sample(problem, init_size, rng), rng)
    if callable(init):
        centers = init(problem.rows.X, shape[0], random_state=rng)
        return check_centers_fit(check_centers(centers), *shape)
    return init


def fitted_attributes(centers, n_iter):
    """What an estimator needs to predict."""
    return {"cluster_centers_": centers, "n_iter_": n_iter}


def _attributes_after(step, dtype):
    return fitted_attributes(step.centers.astype(dtype), step.iteration + 1)


def run_from(problem, centers, max_iter, tol, algorithm, verbose, task=NO_TASK):
    """Run the loop from these centres to its end; `tol` is of the squared movement."""
    assigner = make_assigner(algorithm, problem)
    step, history = iterate(problem, centers, assigner, max_iter, tol, verbose, task)
    centers = step.centers.astype(problem.dtype)
    return Result(
        centers=centers,
        labels=assigner.labels,
        inertia=inertia_of(problem.rows, centers, assigner.labels, problem.sample_weight),
        n_iter=step.iteration + 1,
        converged=bool(step.converged),
        history=history,
    )


def iterate(problem, centers, assigner, max_iter, tol, verbose, task):
    """Run the loop to its end, with the rows assigned to the last centres.

    Each iteration is a task within `task`. A callback may end the loop.

    Returns
    -------
    step : Step
        The last one.
    history : structured ndarray of HISTORY_DTYPE
    """
    history, iteration = [], task.begin("iteration")
    for step in lloyd(problem, centers, assigner, max_iter, tol):
        history.append(_record(step))
        if verbose:
            print(f"Iteration {step.iteration}, inertia {step.inertia * problem.weight_unit}.")
        if iteration.end(_attributes_after, step, problem.dtype):
            break
        if not step.converged and step.iteration + 1 < max_iter:
            iteration = task.begin("iteration")
    if verbose and step.converged == "strict":
        print(f"Converged at iteration {step.iteration}: strict convergence.")
    elif verbose and step.converged == "tol":
        print(
            f"Converged at iteration {step.iteration}: center shift {step.center_shift} "
            f"within tolerance {tol}."
        )
    centers = step.centers.astype(problem.dtype)
    if step.converged != "strict" or centers.dtype != step.centers.dtype:
        # The centres moved after the rows were assigned, by a step or by rounding.
        assigner.assign(centers.astype(np.float64))
    return step, np.array(history, HISTORY_DTYPE)


def inertia_of(rows, centers, labels, sample_weight):
    """Weighted sum of squared distances to the centres of the labels, by differences."""
    centers = centers.astype(np.float64)
    return native.own_distances(rows.threads, rows.native, sample_weight, centers, labels, None)
