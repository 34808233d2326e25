"""Where the first centres come from."""

from __future__ import annotations

from functools import partial


from sklearn_lloyd._init._canonical import CanonicalRows
from sklearn_lloyd._init._kmeans_plusplus import kmeans_plusplus_rows
from sklearn_lloyd._init._random import random_partition_centers, random_rows

__all__ = ["INIT", "CanonicalRows", "kmeans_plusplus_rows"]


def _centers_of(choose_rows, problem, canonical, rng):
    return problem.chunks.dense_rows(choose_rows(problem, canonical, rng))


# Each takes (problem, canonical, rng) and returns float64 centres.
INIT = {
    "k-means++": partial(_centers_of, kmeans_plusplus_rows),
    "random": partial(_centers_of, random_rows),
    "random-partition": random_partition_centers,
}
