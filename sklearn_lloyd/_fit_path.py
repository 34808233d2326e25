"""One clustering for each of several numbers of clusters, each grown from the one before."""

from __future__ import annotations

from functools import reduce

from sklearn_lloyd._callbacks import NO_TASK
from sklearn_lloyd._fit import better_of, first_centers, run_from, with_starts
from sklearn_lloyd._init import grown_centers

# Share of the numbers of clusters, the lower ones, where a start from scratch is tried too: what
# stands for several groups is what growing gets wrong, and with few centres it costs little.
_RACED = 0.3


def fit_path(
    problem, numbers, init, *, n_init, max_iter, tol, algorithm, rng, init_size=None, verbose=0,
    task=NO_TASK,
):  # fmt: skip
    """Fit k-means for every number of clusters.

    The first clustering for a number goes on from the best one for the number before it, to which
    a step of greedy k-means++ adds a row for each cluster that is missing. So the inertia never
    rises along the path, and the loop has less to do than from scratch. For the lower third of the
    numbers a run from the first rows of one seeding is tried beside it, and left after two
    iterations unless it is the better one by then. Each further start is a seeding for the
    largest number, whose first rows are the first centres for the others.

    Parameters
    ----------
    problem : Problem
        Stated for the largest number: norms and keys serve all of them.
    numbers : sequence of int
        Increasing.
    init : str
        By which the seedings are made.
    n_init : int
        Starts for each number; all but the first are from scratch, and run to the end.
    max_iter, tol, algorithm, rng, init_size, verbose
        As of `fit_kmeans`.
    task : Task
        Told of each number.

    Returns
    -------
    results : list of Result
        One for each number.
    """
    options = {
        "max_iter": max_iter,
        "tol": tol * problem.variance,
        "algorithm": algorithm,
        "verbose": verbose,
    }
    results, best = [], None
    last_raced = max(numbers[0], int(_RACED * numbers[-1]))
    few = problem._replace(n_clusters=last_raced)
    seeds = [first_centers(few, init, init_size, rng)]
    seeds += [first_centers(problem, init, init_size, rng) for _ in range(n_init - 1)]
    for number in numbers:
        own = task.begin("clustering")
        part = problem._replace(n_clusters=number)
        fresh, *others = [seed[:number] for seed in seeds]
        if best is None:
            runs = [run_from(part, fresh, **options)]
        else:
            grown = run_from(part, grown_centers(part, best.centers, best.labels, rng), **options)
            raced = None
            if number <= last_raced:
                raced = run_from(part, fresh, **options, rival=grown.inertia)
            runs = [grown if raced is None else better_of(grown, raced)]
        runs += [run_from(part, centers, **options) for centers in others]
        best = reduce(better_of, runs)
        runs = [(run.inertia, run.history) for run in runs]
        results.append(with_starts(best, runs, problem.weight_unit))
        own.end()
    return results
