"""Canonical rows and the laws of the draws that are built on them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse, stats

from sklearn_lloyd import KMeans
from sklearn_lloyd._canonical import CanonicalRows
from sklearn_lloyd._core import native
from sklearn_lloyd._init._kmeans_parallel import kmeans_parallel_rows
from sklearn_lloyd._init._kmeans_plusplus import kmeans_plusplus_rows
from sklearn_lloyd._init._random import random_partition_centers, random_rows
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd._rows import Rows
from sklearn_lloyd._solvers import labels_without_empty

quick = settings(max_examples=40, derandomize=True, deadline=None)
seeds = st.integers(0, 2**32 - 1)


def problem_of(X, n_clusters, weights=None):
    if weights is not None:
        weights = np.asarray(weights, np.float64)
    return make_problem(Rows(X, n_threads=1), n_clusters, weights)


def draw(keys, uniforms, mass):
    drawn = np.empty(len(uniforms), np.int64)
    native.draw(1, keys, mass, uniforms, drawn)
    return drawn


def even(n):
    """n uniform numbers that share out [0, 1) evenly: every share is hit within one."""
    return (np.arange(n) + 0.5) / n


class Replay:
    """A random state that says the numbers it was given, in turn."""

    def __init__(self, *numbers):
        self._numbers = [np.atleast_1d(n) for n in numbers]

    def uniform(self, size):
        if not np.prod(size):
            return np.empty(size)
        number = self._numbers.pop(0)
        assert number.size == np.prod(size)
        return number.reshape(size)


# Drawing; up to a thousand rows are one block. (By the definition: `test_core_seeding.py`.)

n_rows_to_draw = st.sampled_from([1, 2, 7, 150, 1500])


@quick
@given(seed=seeds, n_rows=n_rows_to_draw, n_distinct=st.integers(1, 150))
def test_draws_share_out_by_mass(seed, n_rows, n_distinct):
    rng = np.random.default_rng(seed)
    keys = rng.standard_normal(n_distinct)[rng.integers(0, n_distinct, n_rows)]
    mass = rng.random(n_rows) * rng.integers(0, 3, n_rows)
    mass[rng.integers(n_rows)] = 0.5
    drawn = draw(keys, even(2000), mass)
    counts = np.bincount(drawn, minlength=n_rows)
    assert (np.abs(counts - 2000 * mass / mass.sum()) <= 1 + 1e-6).all()
    assert (counts[mass == 0] == 0).all()


@quick
@given(seed=seeds, n_rows=n_rows_to_draw, n_heavy=st.integers(1, 4))
def test_mass_zero_is_never_drawn(seed, n_rows, n_heavy):
    # Most rows, and whole blocks of them, have none; and the numbers are the extreme ones.
    rng = np.random.default_rng(seed)
    keys = rng.integers(0, 40, n_rows).astype(float)
    mass = np.zeros(n_rows)
    mass[rng.integers(0, n_rows, n_heavy)] = rng.random() * 10.0 ** rng.integers(-300, 300)
    mass[rng.integers(n_rows)] = 0.1
    uniforms = np.concatenate([[0.0, np.nextafter(1.0, 0.0), 5e-324], rng.random(20)])
    assert (mass[draw(keys, uniforms, mass)] > 0).all()


@quick
@given(seed=seeds, n_rows=n_rows_to_draw)
def test_order_and_repeats_do_not_show_in_draws(seed, n_rows):
    rng = np.random.default_rng(seed)
    keys = rng.integers(0, 50, n_rows) / 7
    mass = rng.integers(0, 4, n_rows)
    mass[rng.integers(n_rows)] = 1
    uniforms = rng.random(30)
    drawn = keys[draw(keys, uniforms, mass.astype(float))]
    shuffle = rng.permutation(n_rows)
    again = keys[shuffle][draw(keys[shuffle], uniforms, mass[shuffle].astype(float))]
    assert_array_equal(drawn, again)
    repeated = np.repeat(keys, mass)
    assert_array_equal(drawn, repeated[draw(repeated, uniforms, None)])
    assert_array_equal(drawn, repeated[draw(repeated, uniforms, np.ones(repeated.size))])


@quick
@given(seed=seeds, n_rows=st.integers(1, 60), n_distinct=st.integers(1, 60))
def test_groups_of_equal_rows(seed, n_rows, n_distinct):
    rng = np.random.default_rng(seed)
    keys = rng.standard_normal(n_distinct)[rng.integers(0, n_distinct, n_rows)]
    canonical = CanonicalRows(keys)
    distinct, group_of, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    assert_array_equal(keys[canonical.order], np.sort(keys))
    assert_array_equal(canonical.group_of(), group_of)
    assert_array_equal(canonical.group_starts, np.cumsum(sizes) - sizes)
    values = rng.integers(0, 10, n_rows).astype(float)
    assert_array_equal(canonical.group_sums(values), np.bincount(group_of, values))
    assert_array_equal(np.sort(canonical.equal_to(0)), np.flatnonzero(keys == keys[0]))
    assert canonical.group_starts.size == distinct.size


# The keys of rows.


def distinct_keys(X, weights=None):
    return np.unique(problem_of(X, 2, weights).canonical.keys).size


@pytest.mark.parametrize("n_rows", [100, 1000, 3000])
@pytest.mark.parametrize("value", [0.1, -3.3, 1e3 / 7])
def test_keys_beside_a_constant_feature(n_rows, value):
    # The variance of a constant feature is what rounding left of it, 1e-34 or so; to divide
    # by its root drowns all other features, and rows that differ count as equal.
    rng = np.random.default_rng(0)
    X = np.column_stack([np.full(n_rows, value), rng.standard_normal(n_rows)])
    assert distinct_keys(X) == n_rows
    assert distinct_keys(sparse.csr_matrix(X)) == n_rows


def test_random_starts_beside_a_constant_feature():
    # What the user sees of it: 12 of 100 different rows, and centres that repeat.
    rng = np.random.default_rng(0)
    X = np.column_stack([np.full(100, 0.1), rng.standard_normal(100)])
    problem = problem_of(X, 50)
    chosen = random_rows(problem, np.random.RandomState(0))
    assert np.unique(chosen).size == 50
    model = KMeans(50, init="random", n_init=1, random_state=0).fit(X)
    assert np.unique(model.labels_).size == 50


def test_keys_of_features_of_different_scales():
    rng = np.random.default_rng(1)
    X = rng.standard_normal((3000, 5)) * [1e-6, 1e-2, 1.0, 1e3, 1e7] + [1, -2, 0, 1e4, 3e7]
    assert distinct_keys(X) == 3000
    assert distinct_keys(X.astype(np.float32)) == np.unique(X.astype(np.float32), axis=0).shape[0]


def test_keys_of_whole_rows():
    grid = np.stack(np.meshgrid(*[np.arange(7)] * 4), axis=-1).reshape(-1, 4)
    assert distinct_keys(grid) == 7**4
    assert distinct_keys(grid.astype(bool)) == 2**4
    assert distinct_keys(sparse.csr_matrix(grid)) == 7**4


def test_last_digit_of_a_variance_does_not_show_in_the_order():
    # The variance of five values one apart is two, and the root of two lies half way between
    # two powers of two: what rounding adds or takes must not choose the power.
    orders = set()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        X = np.column_stack([np.repeat(np.arange(5.0) + 0.1, 40), np.arange(200.0) % 41])
        shuffle = rng.permutation(200)
        order = problem_of(X[shuffle], 3).canonical.order
        orders.add(X[shuffle][order].tobytes())
    assert len(orders) == 1


# k-means++.


def reference_plusplus(X, n_clusters, weights, n_trials, rng):
    """Greedy k-means++, plain and slow; the potential of what it chose."""
    first = rng.choice(len(X), p=weights / weights.sum())
    closest = np.square(X - X[first]).sum(axis=1)
    for _ in range(1, n_clusters):
        mass = weights * closest
        trials = rng.choice(len(X), size=n_trials, p=mass / mass.sum())
        options = [np.minimum(closest, np.square(X - X[i]).sum(axis=1)) for i in trials]
        closest = min(options, key=lambda option: weights @ option)
    return weights @ closest


def potential(X, rows, weights):
    distances = np.square(X[:, np.newaxis] - X[rows]).sum(axis=-1).min(axis=1)
    return weights @ distances


@pytest.mark.parametrize("n_trials", [1, None])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("as_sparse", [False, True])
def test_seeding_is_greedy_kmeans_plusplus(n_trials, weighted, as_sparse):
    rng = np.random.RandomState(0)
    X = rng.randn(60, 2) * [3, 1] + 5 * rng.randint(0, 3, (60, 2))
    weights = rng.randint(0, 4, 60).astype(float) if weighted else np.ones(60)
    problem = problem_of(
        sparse.csr_matrix(X) if as_sparse else X, 5, weights if weighted else None
    )
    ours = [
        potential(X, kmeans_plusplus_rows(problem, np.random.RandomState(s), n_trials), weights)
        for s in range(200)
    ]
    wanted_trials = 2 + int(np.log(5)) if n_trials is None else n_trials
    theirs = [
        reference_plusplus(X, 5, weights, wanted_trials, np.random.RandomState(1000 + s))
        for s in range(200)
    ]
    error = np.sqrt((np.var(ours) + np.var(theirs)) / 200)
    assert abs(np.mean(ours) - np.mean(theirs)) < 3 * error
    # Not only the mean: the whole distribution.
    assert stats.ks_2samp(ours, theirs).pvalue > 1e-3


@pytest.mark.parametrize("weighted", [False, True])
def test_first_center_is_drawn_by_weight(weighted):
    rng = np.random.default_rng(1)
    X = rng.standard_normal((23, 3))
    weights = rng.integers(0, 5, 23).astype(float) if weighted else None
    problem = problem_of(X, 1, weights)
    drawn = [kmeans_plusplus_rows(problem, Replay(u))[0] for u in even(1000)]
    share = np.ones(23) / 23 if weights is None else weights / weights.sum()
    counts = np.bincount(drawn, minlength=23)
    assert (np.abs(counts - 1000 * share) <= 1 + 1e-6).all()


@pytest.mark.parametrize("weighted", [False, True])
def test_second_center_is_drawn_by_weight_times_squared_distance(weighted):
    rng = np.random.default_rng(2)
    X = rng.standard_normal((23, 3))
    weights = rng.integers(0, 5, 23).astype(float) if weighted else np.ones(23)
    problem = problem_of(X, 2, weights if weighted else None)
    for first in (0.1, 0.6):
        drawn = np.array(
            [kmeans_plusplus_rows(problem, Replay(first, u), n_local_trials=1) for u in even(1000)]
        )
        assert np.unique(drawn[:, 0]).size == 1
        mass = weights * np.square(X - X[drawn[0, 0]]).sum(axis=1)
        counts = np.bincount(drawn[:, 1], minlength=23)
        assert (np.abs(counts - 1000 * mass / mass.sum()) <= 1 + 1e-6).all()


def test_the_best_trial_is_taken():
    rng = np.random.default_rng(3)
    X = rng.standard_normal((40, 2))
    problem = problem_of(X, 2)
    for u in rng.random((50, 4)):
        alone = [
            kmeans_plusplus_rows(problem, Replay(u[0], trial), n_local_trials=1) for trial in u[1:]
        ]
        together = kmeans_plusplus_rows(problem, Replay(u[0], u[1:]), n_local_trials=3)
        costs = [potential(X, rows, np.ones(40)) for rows in alone]
        assert_array_equal(together, alone[int(np.argmin(costs))])


@quick
@given(seed=seeds, weighted=st.booleans(), as_sparse=st.booleans())
def test_seeding_of_the_same_set_of_rows(seed, weighted, as_sparse):
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((40, 2))[rng.integers(0, 40, 60)]
    weights = rng.integers(0, 4, 60) if weighted else np.ones(60, int)
    weights[0] = 1
    shuffle = rng.permutation(60)
    wrap = sparse.csr_matrix if as_sparse else np.asarray
    repeated = np.repeat(X, weights, axis=0)
    random_state = seed % 1000
    for choose in (kmeans_plusplus_rows, kmeans_parallel_rows, random_rows):
        chosen = [
            rows[choose(problem_of(wrap(rows), 6, w), np.random.RandomState(random_state))]
            for rows, w in (
                (X, weights),
                (X[shuffle], weights[shuffle]),
                (repeated, None),
            )
        ]
        assert_array_equal(chosen[0], chosen[1])
        assert_array_equal(chosen[0], chosen[2])
    centers = [
        random_partition_centers(problem_of(wrap(rows), 6, w), np.random.RandomState(seed % 1000))
        for rows, w in ((X, weights), (X[shuffle], weights[shuffle]), (repeated, None))
    ]
    assert_allclose(centers[1], centers[0], rtol=1e-12, atol=1e-13)
    assert_allclose(centers[2], centers[0], rtol=1e-12, atol=1e-13)


# Random rows.


def test_random_rows_are_drawn_without_replacement():
    # The first by weight; the second by weight among what is left.
    X = np.arange(5.0).reshape(-1, 1)
    weights = np.array([1.0, 2.0, 0.0, 3.0, 6.0])
    problem = problem_of(X, 2, weights)
    rng = np.random.RandomState(0)
    n_draws = 8000
    counts = np.zeros((5, 5))
    for _ in range(n_draws):
        first, second = random_rows(problem, rng)
        counts[first, second] += 1
    share = weights / weights.sum()
    expected = n_draws * share[:, np.newaxis] * share / (1 - share[:, np.newaxis])
    np.fill_diagonal(expected, 0)
    possible = expected > 0
    assert counts[~possible].sum() == 0
    assert stats.chisquare(counts[possible], expected[possible]).pvalue > 1e-3


def test_repeats_are_one_candidate_of_random_rows():
    X = np.array([[0.0], [1.0], [0.0], [2.0], [0.0]])
    problem = problem_of(X, 2)
    rng = np.random.RandomState(0)
    pairs = [X[random_rows(problem, rng), 0] for _ in range(3000)]
    assert all(a != b for a, b in pairs)
    zero_first = np.mean([a == 0 for a, _ in pairs])
    assert abs(zero_first - 0.6) < 4 * np.sqrt(0.6 * 0.4 / 3000)


@quick
@given(seed=seeds, n_distinct=st.integers(1, 6), weighted=st.booleans(), as_sparse=st.booleans())
def test_fewer_distinct_rows_than_clusters(seed, n_distinct, weighted, as_sparse):
    rng = np.random.default_rng(seed)
    distinct = rng.standard_normal((n_distinct, 2))
    X = distinct[np.concatenate([np.arange(n_distinct), rng.integers(0, n_distinct, 14)])]
    weights = None
    if weighted:
        weights = rng.random(len(X)) + 0.1
        weights[n_distinct:] *= rng.integers(0, 2, 14)
    problem = problem_of(sparse.csr_matrix(X) if as_sparse else X, 9, weights)
    for choose in (kmeans_plusplus_rows, kmeans_parallel_rows, random_rows):
        rows = choose(problem, np.random.RandomState(seed % 1000))
        assert rows.shape == (9,)
        # Each of the distinct rows first, then repeats of them.
        first = X[rows[:n_distinct]]
        assert np.unique(first, axis=0).shape == distinct.shape
    centers = random_partition_centers(problem, np.random.RandomState(seed % 1000))
    assert centers.shape == (9, 2)
    assert np.isfinite(centers).all()


def test_weight_zero_is_never_chosen():
    rng = np.random.default_rng(4)
    X = rng.standard_normal((30, 2))
    weights = np.zeros(30)
    weights[[3, 7, 20]] = [1e-12, 1.0, 1e12]
    problem = problem_of(X, 6, weights)
    for seed in range(50):
        for choose in (kmeans_plusplus_rows, kmeans_parallel_rows, random_rows):
            rows = choose(problem, np.random.RandomState(seed))
            assert set(rows) == {3, 7, 20}


def test_of_rows_that_cost_as_much_the_first_fill_the_empty_clusters():
    problem = problem_of(np.concatenate([np.eye(60), -np.eye(60)]), 8)
    far = np.full((7, 60), 50.0) + np.arange(7.0)[:, np.newaxis]
    centers, labels = np.concatenate([np.zeros((1, 60)), far]), np.zeros(120, np.int32)
    moved = labels_without_empty(problem, labels, centers, np.array([120, *7 * [0]]))
    in_order = moved[problem.canonical.order]
    assert_array_equal(in_order[:7], np.arange(1, 8))
    assert_array_equal(in_order[7:], 0)
