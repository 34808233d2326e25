"""Exact k-means of rows that come in batches: starts on a sample, one pass for each iteration."""

from functools import partial
from typing import NamedTuple

import numpy as np
from scipy import sparse

from sklearn_lloyd._fit import (
    better_of,
    first_centers,
    fit_kmeans,
    fitted_attributes,
    iterate,
    with_starts,
)
from sklearn_lloyd._moments import Moments, shift_near
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd._rows import Rows
from sklearn_lloyd._solvers import StreamAssigner
from sklearn_lloyd._squares import ends_of, is_square, refuse_ends
from sklearn_lloyd._types import Problem, Result
from sklearn_lloyd._weights import in_weight_unit

_SAMPLE = 4096  # rows, at least, that a start sees
_SAMPLE_PER_CLUSTER = 20
# Runs of k-means on that sample, at the most, and how many times the rows of all runs there have
# to be: so an iteration of all runs takes at most a tenth of a pass over all rows. More runs
# find better starts, and take the client longer.
_RUNS_ON_SAMPLE, _ROWS_FOR_A_RUN = 10, 10


class AllRows(NamedTuple):
    """What is known of rows that are not at hand."""

    shape: tuple
    threads: int


def fit_batches(
    batches, n_clusters, init, *, n_init, max_iter, tol, rng, init_size, verbose, task
):  # fmt: skip
    """Run k-means `n_init` times over batches and keep the run of least inertia.

    Parameters
    ----------
    batches : CheckedBatches
        Gives pairs of `Rows` and weights (or None), the same ones in each pass.
    n_clusters : int
    init : str, ndarray or callable
        Checked before. All but an array see a sample of the rows, drawn by weight.
    n_init, max_iter : int
    tol : float
        Relative to the variance of the data.
    rng : RandomState
    init_size : int or None
    verbose : int
    task : Task
        As of `fit_kmeans`.

    Returns
    -------
    result : Result
        Without labels.
    n_chosen : int
        Clusters that have rows.
    """
    samples = None
    if not isinstance(init, np.ndarray):
        samples = Reservoir(n_init * sample_size(init_size, n_clusters), rng)
    problem = _problem_of_batches(batches, n_clusters, samples)

    def start_centers(start):
        if samples is None:
            return init
        sample = make_problem(samples.part(slice(start, None, n_init)), n_clusters, None)
        return centers_of_sample(sample, init, problem.rows.shape[0], rng)

    def new_assigner(start):
        return StreamAssigner(batches, problem.shift, n_clusters, problem.rows.shape[1])

    return best_of_starts(
        problem, start_centers, new_assigner,
        n_init=n_init, max_iter=max_iter, tol=tol, verbose=verbose, task=task,
    )  # fmt: skip


def sample_size(init_size, n_clusters):
    """Rows that a start sees."""
    return init_size or max(_SAMPLE, _SAMPLE_PER_CLUSTER * n_clusters)


def centers_of_sample(sample, init, n_rows, rng):
    """First centres of `n_rows` rows from a sample of them.

    A pass over all rows is dear, and over the sample cheap: so 'k-means++' is the start of several
    runs on the sample, whose best centres are taken. Other starts are what their names say.
    """
    if not (isinstance(init, str) and init == "k-means++"):
        return first_centers(sample, init, None, rng)
    n_runs = n_rows // (_ROWS_FOR_A_RUN * sample.rows.shape[0])
    return fit_kmeans(
        sample, init, n_init=min(max(n_runs, 1), _RUNS_ON_SAMPLE), max_iter=100, tol=1e-4,
        algorithm="auto", rng=rng,
    ).centers.astype(np.float64)  # fmt: skip


def best_of_starts(
    problem, start_centers, new_assigner, *, n_init, max_iter, tol, verbose, task
):  # fmt: skip
    """Run the loop `n_init` times and keep the run of least inertia; returns as `fit_batches`.

    ``start_centers(start)`` gives the first centres of a start, ``new_assigner(start)`` what
    assigns all rows, knows their `inertia` after the last pass, and their `clusters`.
    """
    best, runs = None, []
    for i in range(n_init):
        start = task.begin("start", max_subtasks=max_iter)
        centers = start_centers(i)
        if verbose:
            print("Initialization complete")
        assigner = new_assigner(i)
        step, history = iterate(
            problem, centers, assigner, max_iter, tol * problem.variance, verbose, start
        )
        run = Result(
            centers=step.centers.astype(problem.dtype),
            labels=None,
            inertia=assigner.inertia,
            n_iter=step.iteration + 1,
            converged=bool(step.converged),
            history=history,
        )
        runs.append((run.inertia, run.history))
        best = better_of(best, run)
        if best is run:
            n_chosen = np.count_nonzero(assigner.clusters.members)
        if start.end(fitted_attributes, run.centers, run.n_iter):
            break
    return with_starts(best, runs, problem.weight_unit), n_chosen


@np.errstate(over="ignore", invalid="ignore")  # what is not finite is looked at in the end
def _problem_of_batches(batches, n_clusters, samples):
    """One pass for the moments and the sample; sets the unit of the weights for later passes."""
    moments = None
    for rows, weights in batches:
        added = Moments.of(rows, weights)
        moments = added if moments is None else moments.merged(added)
        if samples is not None:
            share = added.weight * (added.unit / moments.unit) / moments.weight
            samples.add(rows, weights, share)
    batches.weight_unit = moments.unit
    return problem_of_moments(
        moments, rows.is_sparse, rows.dtype, n_clusters, partial(_ends_of_batches, batches),
        rows.threads, "batches",
    )  # fmt: skip


@np.errstate(over="ignore", invalid="ignore")
def problem_of_moments(moments, is_sparse, dtype, n_clusters, ends, threads, what):
    """State the problem of rows that are not at hand.

    Parameters
    ----------
    moments : Moments
        Of all rows.
    is_sparse : bool
    dtype : dtype
        Of the rows.
    n_clusters : int
    ends : callable
        Gives the least and the largest value of each feature, in a pass of its own; called where
        squares overflow or vanish.
    threads : int
    what : str
        What messages call the rows.
    """
    n_rows, total, mean, squares, unit = moments
    if n_rows < n_clusters:
        raise ValueError(f"n_samples={n_rows} should be >= n_clusters={n_clusters}.")
    variance = float(squares.mean() / total)
    if not is_square(variance) or not np.isfinite(np.square(mean)).all():
        refuse_ends(*ends(), (n_rows, mean.size), what=what)
    in_weight_unit(total, unit, "sum of the weights")
    in_weight_unit(squares.sum(), unit, "inertia")
    shift = None if is_sparse else shift_near(mean, np.sqrt(variance))
    off = mean if shift is None else mean - shift
    return Problem(
        rows=AllRows((n_rows, mean.size), threads),
        n_clusters=n_clusters,
        sample_weight=None,  # what it is needed for, the batches have
        dtype=dtype if dtype == np.float32 else np.dtype(np.float64),
        shift=shift,
        sq_norms=None,
        canonical=None,
        variance=variance,
        sum_of_squares=float(squares.sum() + total * np.square(off).sum()),
        weight_unit=unit,
    )


def _ends_of_batches(batches):
    ends = [ends_of(rows, weights) for rows, weights in batches]
    least, most = zip(*ends, strict=True)
    return np.min(least, axis=0), np.max(most, axis=0)


class Reservoir:
    """A sample by weight, with replacement, of rows of which not all are at hand.

    Each place of the sample holds a row of the batches so far, by weight: when a batch comes,
    its rows take a place with the share that the batch has of the weight so far, itself included.
    """

    def __init__(self, size, rng):
        self._size, self._rng = size, rng
        self._sample = self._n_threads = None

    def add(self, rows, weights, share):
        taken = self._rng.uniform(size=self._size) < share
        uniforms = self._rng.uniform(size=np.count_nonzero(taken))
        if weights is None:
            drawn = (uniforms * rows.shape[0]).astype(np.int64)
        else:
            mass = weights.cumsum()
            drawn = mass.searchsorted(uniforms * mass[-1], side="right")
            drawn = np.minimum(drawn, mass.searchsorted(mass[-1]))
        drawn = rows.take(drawn)
        if self._sample is None:
            self._sample, self._n_threads = drawn, rows.n_threads
        elif rows.is_sparse:
            # Which row has which place does not matter.
            kept = self._sample[np.flatnonzero(~taken)]
            self._sample = sparse.vstack([kept, drawn], format="csr")
        else:
            self._sample[taken] = drawn

    def part(self, places):
        """Some of the sample, as Rows."""
        return Rows(self._sample[places], self._n_threads)
