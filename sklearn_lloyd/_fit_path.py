"""One clustering for each of several numbers of clusters, each grown from the one before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sklearn_lloyd._fit import better_of, first_centers, run_from
from sklearn_lloyd._init import grown_centers


def fit_path(
    problem, numbers, init, *, n_init, max_iter, tol, algorithm, rng, init_size=None, verbose=0
):
    """Fit k-means for every number of clusters.

    The first start for the least number is that of `fit_kmeans`. The first start for any other
    is the best solution for the number before it, and rows that steps of greedy k-means++ add to
    it. So the inertia never rises along the path, and the loop has less to do than from
    scratch. Each further start takes the first centres of one seeding for the largest number.

    Parameters
    ----------
    problem : Problem
        Stated for the largest number: norms, keys and projections serve all of them.
    numbers : sequence of int
        Increasing.
    init : str
        By which the starts but the grown ones are made.
    n_init : int
        Starts for each number.
    max_iter, tol, algorithm, rng, init_size, verbose
        As of `fit_kmeans`.

    Returns
    -------
    results : list of Result
        One for each number.
    """
    results, best = [], None
    with problem.chunks.open():
        least = replace(problem, n_clusters=numbers[0])
        seeds = [first_centers(least, init, init_size, rng)]
        seeds += [first_centers(problem, init, init_size, rng) for _ in range(n_init - 1)]
        for number in numbers:
            part = replace(problem, n_clusters=number)
            starts = [seed[:number] for seed in seeds]
            if best is not None:
                starts[0] = grown_centers(part, best.centers, best.labels, rng)
            best, inertias = None, []
            for centers in starts:
                run = run_from(part, centers, max_iter, tol * problem.variance, algorithm, verbose)
                inertias.append(run.inertia)
                best = better_of(best, run)
            results.append(replace(best, start_inertias=np.array(inertias)))
    return results
