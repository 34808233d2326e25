"""Where the first centres come from."""

from __future__ import annotations

from functools import partial

from sklearn_lloyd._init._kmeans_parallel import kmeans_parallel_rows
from sklearn_lloyd._init._kmeans_plusplus import grown_centers, kmeans_plusplus_rows
from sklearn_lloyd._init._random import (
    RowDraws,
    n_distinct_up_to,
    random_partition_centers,
    random_rows,
    random_sample,
)

__all__ = [
    "INIT",
    "RowDraws",
    "grown_centers",
    "kmeans_plusplus_rows",
    "n_distinct_up_to",
    "random_sample",
]


def _centers_of(choose_rows, problem, rng):
    return problem.rows.dense(choose_rows(problem, rng))


# Each takes (problem, rng) and returns float64 centres.
INIT = {
    "k-means++": partial(_centers_of, kmeans_plusplus_rows),
    "k-means||": partial(_centers_of, kmeans_parallel_rows),
    "random": partial(_centers_of, random_rows),
    "random-partition": random_partition_centers,
}
