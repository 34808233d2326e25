"""Seeding for many rows: k-means||."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from sklearn_lloyd._chunks import Chunks
from sklearn_lloyd._init import INIT
from sklearn_lloyd._init._kmeans_parallel import _Candidates, kmeans_parallel_rows
from sklearn_lloyd._problem import make_problem

WEIGHTED = pytest.mark.parametrize("weighted", [False, True])
WRAPPED = pytest.mark.parametrize("wrap", [np.asarray, sparse.csr_matrix])


def problem_of(X, n_clusters, weights=None):
    return make_problem(Chunks(X, n_clusters, n_threads=1), n_clusters, weights)


def blobs(rng, n_rows=120, n_features=3, n_blobs=4):
    centers = 4 * rng.standard_normal((n_blobs, n_features))
    return centers[rng.integers(0, n_blobs, n_rows)] + rng.standard_normal((n_rows, n_features))


def squares(X, centers):
    return np.square(X[:, np.newaxis] - centers).sum(axis=-1)


class Counting(np.random.RandomState):
    """Remembers how many numbers were drawn at a time."""

    def __init__(self, seed):
        super().__init__(seed)
        self.sizes = []

    def uniform(self, size):
        self.sizes.append(size)
        return super().uniform(size=size)


# k-means||.


@pytest.mark.parametrize("n_blobs", [20, 40, 1])
def test_seeding_is_as_good_as_kmeans_plusplus(n_blobs):
    X = blobs(np.random.default_rng(0), 4000, 5, n_blobs)
    problem = problem_of(X, 20)

    def mean_potential(init):
        starts = [INIT[init](problem, np.random.RandomState(seed)) for seed in range(10)]
        return np.mean([squares(X, centers).min(axis=1).sum() for centers in starts])

    scalable = mean_potential("k-means||")
    assert scalable < 1.1 * mean_potential("k-means++")
    assert scalable < mean_potential("random")


def test_five_rounds_of_two_draws_for_each_centre():
    X = blobs(np.random.default_rng(1), 3000)
    rng = Counting(0)
    rows = kmeans_parallel_rows(problem_of(X, 7), rng)
    assert rng.sizes[:6] == [1, 14, 14, 14, 14, 14]
    assert rng.sizes[6:] == [1] + 6 * [2 + int(np.log(7))]
    assert np.unique(rows).size == 7


def test_rounds_end_when_every_row_is_a_candidate():
    X = np.repeat(np.eye(3), 50, axis=0)
    rng = Counting(0)
    rows = kmeans_parallel_rows(problem_of(X, 20), rng)
    assert rng.sizes[0] == 1
    assert rng.sizes[1:].count(40) <= 2  # 40 draws among three rows
    assert np.unique(X[rows[:3]], axis=0).shape == (3, 3)


def test_outliers_that_take_all_the_draws_of_a_round():
    # Each is so much farther than the one before that a round draws nothing else.
    X = 1e6 ** np.arange(-10.0, 11.0).reshape(-1, 1)
    rng = Counting(0)
    rows = kmeans_parallel_rows(problem_of(X, 15), rng)
    assert rng.sizes.count(30) > 5
    assert np.unique(rows).size == 15


@WEIGHTED
@WRAPPED
def test_what_is_known_of_candidates(wrap, weighted):
    rng = np.random.default_rng(2)
    X = rng.integers(0, 9, (700, 4)).astype(float)
    weights = rng.integers(0, 3, 700) * 0.5 if weighted else None
    candidates = _Candidates(problem_of(wrap(X), 5, weights))
    drawn = [rng.integers(0, 700, 30) for _ in range(3)]
    for rows in drawn:
        candidates.add(rows)
    once = np.concatenate([rows[np.sort(first_of_each(X[rows]))] for rows in drawn])
    assert_array_equal(candidates.rows, once)
    distances = squares(X, X[once])
    mass = np.ones(700) if weights is None else weights
    assert candidates.potential == mass @ distances.min(axis=1)
    wanted = np.bincount(distances.argmin(axis=1), mass, minlength=once.size)
    assert_array_equal(candidates.weights(), wanted)


def first_of_each(rows):
    return np.unique(rows, axis=0, return_index=True)[1]


def test_candidates_count_by_the_rows_around_them():
    # One cluster: the choice is one draw by weight, which must fall into the crowd.
    rng = np.random.default_rng(3)
    X = np.concatenate([rng.standard_normal((2000, 2)), rng.standard_normal((20, 2)) + 90])
    problem = problem_of(X, 1)
    chosen = [kmeans_parallel_rows(problem, np.random.RandomState(s))[0] for s in range(300)]
    assert 0 < np.mean(np.array(chosen) >= 2000) < 0.05
