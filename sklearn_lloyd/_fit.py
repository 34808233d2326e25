"""Several starts, the loop for each, the best kept."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sklearn_lloyd._init import INIT, random_sample
from sklearn_lloyd._kernels import array_of, own_sq_distances
from sklearn_lloyd._solvers import lloyd, make_assigner
from sklearn_lloyd._types import HISTORY_DTYPE, Result
from sklearn_lloyd._validation import check_centers, check_centers_fit

ROUNDING = 1e-10  # relative, of two inertias of one clustering


def fit_kmeans(problem, init, *, n_init, max_iter, tol, algorithm, rng, init_size=None, verbose=0):
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

    Returns
    -------
    result : Result
    """
    best = None
    inertias = np.empty(n_init)
    with problem.chunks.open():
        for i in range(n_init):
            centers = first_centers(problem, init, init_size, rng)
            if verbose:
                print("Initialization complete")
            run = run_from(problem, centers, max_iter, tol * problem.variance, algorithm, verbose)
            inertias[i] = run.inertia
            best = better_of(best, run)
    return replace(best, start_inertias=inertias)


def better_of(best, run):
    """The run of less inertia; what rounding makes of the same is not less: the earlier."""
    return run if best is None or run.inertia < best.inertia * (1 - ROUNDING) else best


def first_centers(problem, init, init_size, rng):
    shape = problem.n_clusters, problem.chunks.shape[1]
    if isinstance(init, str):
        sample = random_sample(problem, init_size, rng)
        with sample.chunks.open():
            return INIT[init](sample, rng)
    if callable(init):
        centers = init(problem.chunks.X, shape[0], random_state=rng)
        return check_centers_fit(check_centers(centers), *shape)
    return init


def run_from(problem, centers, max_iter, tol, algorithm, verbose, rival=None):
    """Run the loop from these centres to its end; `tol` is of the squared movement.

    Where a `rival` is given, an inertia, the run is left after its second iteration unless it is
    below that then, and None is returned.
    """
    assigner = make_assigner(algorithm, problem)
    step, history = iterate(problem, centers, assigner, max_iter, tol, verbose, rival)
    if step is None:
        return None
    centers = step.centers.astype(problem.dtype)
    return Result(
        centers=centers,
        labels=assigner.labels.astype(np.int32),
        inertia=inertia_of(problem.chunks, centers, assigner.labels, problem.sample_weight),
        n_iter=step.iteration + 1,
        converged=bool(step.converged),
        history=history,
        start_inertias=np.empty(0),
    )


def iterate(problem, centers, assigner, max_iter, tol, verbose, rival=None):
    """Run the loop to its end, with the rows assigned to the last centres.

    Returns
    -------
    step : Step or None
        The last one; None if the run was left, see `run_from`.
    history : structured ndarray of HISTORY_DTYPE
    """
    history = []
    for step in lloyd(problem, centers, assigner, max_iter, tol):
        history.append(tuple(getattr(step, name) for name in HISTORY_DTYPE.names))
        if verbose:
            print(f"Iteration {step.iteration}, inertia {step.inertia}.")
        if rival is not None and step.iteration == 1 and step.inertia >= rival:
            return None, None
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
        assigner.assign(centers, lambda stats: None)
    return step, np.array(history, HISTORY_DTYPE)


def inertia_of(chunks, centers, labels, sample_weight):
    """Weighted sum of squared distances to the centres of the labels, by differences."""
    exact = centers.astype(np.float64)
    inertia = 0.0

    def kernel(rows, scratch):
        if chunks.compiled_dense is not None:
            arrays = (exact, labels, array_of(sample_weight))
            return chunks.compiled_dense.inertia(chunks.X, rows.start, rows.stop, *arrays)
        distances = own_sq_distances(chunks.rows(rows), exact, labels[rows])
        return distances.sum() if sample_weight is None else distances @ sample_weight[rows]

    def add(part):
        nonlocal inertia
        inertia += float(part)

    chunks.map_reduce(kernel, add)
    return inertia
