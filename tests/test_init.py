"""Seeding for many rows: k-means||, and samples of `init_size` rows."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from sklearn_lloyd import KMeans, k_means
from sklearn_lloyd._core import options
from sklearn_lloyd._init import INIT, random_sample
from sklearn_lloyd._init._kmeans_parallel import _Candidates, kmeans_parallel_rows
from sklearn_lloyd._init._random import rows_by_weight
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd._rows import Rows

thorough = settings(max_examples=40, derandomize=True, deadline=None)
seeds = st.integers(0, 2**32 - 1)
wraps = st.sampled_from([np.asarray, sparse.csr_matrix])
WEIGHTED = pytest.mark.parametrize("weighted", [False, True])
WRAPPED = pytest.mark.parametrize("wrap", [np.asarray, sparse.csr_matrix])


def problem_of(X, n_clusters, weights=None):
    return make_problem(Rows(X, n_threads=1), n_clusters, weights)


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


class Even:
    """A random state whose numbers share out [0, 1) evenly."""

    def uniform(self, size):
        return (np.arange(size) + 0.5) / size


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
    assert rng.sizes[6:] == [1, (6, 2 + int(np.log(7)))]
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
    assert_array_equal(candidates.mass(), mass * distances.min(axis=1))
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


# Samples.


@pytest.fixture
def sampled(monkeypatch):
    """The problems that a start by name was asked to seed."""
    seen = []
    for name, init in INIT.items():

        def spy(problem, rng, init=init):
            seen.append(problem)
            return init(problem, rng)

        monkeypatch.setitem(INIT, name, spy)
    return seen


@pytest.mark.parametrize("init", INIT)
@WRAPPED
def test_a_start_sees_its_sample_alone(sampled, wrap, init):
    X = blobs(np.random.default_rng(4), 400)
    KMeans(4, init=init, init_size=50, n_init=3, random_state=0).fit(wrap(X))
    of_row = {row.tobytes(): i for i, row in enumerate(X)}
    drawn = []
    for problem in sampled:
        rows = problem.rows.dense(slice(None))
        assert rows.shape == (50, 3)
        assert problem.sample_weight is None
        drawn.append([of_row[row.tobytes()] for row in rows])
    assert len({tuple(rows) for rows in drawn}) == 3  # each start has its own


@pytest.mark.parametrize("init", INIT)
@WRAPPED
def test_fit_starts_from_the_sample(wrap, init):
    X = blobs(np.random.default_rng(5), 400)
    rng = np.random.RandomState(0)
    rows = rows_by_weight(problem_of(wrap(X), 4), rng.uniform(size=30))
    centers = INIT[init](problem_of(wrap(X[rows]), 4), rng)
    want = KMeans(4, init=centers).fit(wrap(X))
    model = KMeans(4, init=init, init_size=30, n_init=1, random_state=0).fit(wrap(X))
    assert_array_equal(model.labels_, want.labels_)
    assert_array_equal(model.cluster_centers_, want.cluster_centers_)
    assert_array_equal(model.history_["inertia"], want.history_["inertia"])


@WEIGHTED
def test_rows_are_drawn_by_weight(weighted):
    rng = np.random.default_rng(6)
    X = rng.standard_normal((900, 2))
    weights = rng.integers(0, 5, 900).astype(float) if weighted else np.ones(900)
    problem = problem_of(X, 3, weights if weighted else None)
    rows = random_sample(problem, 500, Even()).rows.dense(slice(None))
    counts = (rows[:, np.newaxis] == X).all(axis=-1).sum(axis=0)
    share = weights / weights.sum()
    assert counts.sum() == 500
    assert (np.abs(counts - 500 * share) <= 1 + 1e-6).all()
    assert counts[weights == 0].sum() == 0


def test_rows_of_weight_zero_are_never_drawn(sampled):
    rng = np.random.default_rng(7)
    X = rng.standard_normal((500, 2))
    weights = np.where(X[:, 0] > 0, 1e-9, 0.0)
    model = KMeans(3, init="random", init_size=40, random_state=0).fit(X, sample_weight=weights)
    assert len(sampled) == 10
    assert all(problem.rows.shape == (40, 2) for problem in sampled)
    assert all(problem.rows.X[:, 0].min() > 0 for problem in sampled)
    assert model.inertia_ > 0


@thorough
@given(
    seed=seeds,
    init=st.sampled_from(list(INIT)),
    wrap=wraps,
    init_size=st.sampled_from([5, 12, 40, 60, 90, 400]),
)
def test_order_and_repeats_do_not_show(seed, init, wrap, init_size):
    # Sizes on both sides of the number of distinct rows, of rows and of repeated rows.
    rng = np.random.default_rng(seed)
    X = blobs(rng)[rng.integers(0, 60, 90)]
    weights = rng.integers(0, 4, 90)
    weights[:5] = 1
    shuffle = rng.permutation(90)

    def fit(X, weights=None):
        params = {"init": init, "init_size": init_size, "n_init": 2, "random_state": 0}
        with warnings.catch_warnings():
            # Few rows of a small sample are distinct, which may leave clusters empty.
            warnings.simplefilter("ignore", ConvergenceWarning)
            return KMeans(5, **params).fit(wrap(X), sample_weight=weights)

    a, b = fit(X, weights), fit(X[shuffle], weights[shuffle])
    c = fit(np.repeat(X, weights, axis=0))
    assert_array_equal(a.labels_[shuffle], b.labels_)
    assert_array_equal(np.repeat(a.labels_, weights), c.labels_)
    for other in (b, c):
        assert_allclose(a.cluster_centers_, other.cluster_centers_, rtol=1e-9, atol=1e-9)
        assert a.n_iter_ == other.n_iter_


@pytest.mark.parametrize("init", INIT)
@WRAPPED
def test_number_of_threads_does_not_show(wrap, init):
    X = wrap(blobs(np.random.default_rng(8), 6000, 3, 9))
    params = {"init": init, "init_size": 2000, "n_init": 1, "random_state": 0}
    with options(block_rows=500, least_work=1000):
        one, other = (KMeans(9, n_threads=n, **params).fit(X) for n in (1, 3))
    assert_array_equal(one.labels_, other.labels_)
    assert_array_equal(one.cluster_centers_, other.cluster_centers_)


@WEIGHTED
def test_as_many_as_the_distinct_rows_means_all(weighted):
    rng = np.random.default_rng(9)
    X = np.repeat(rng.standard_normal((60, 2)), 5, axis=0)
    weights = None
    if weighted:
        weights = rng.random(300)
        weights[:50] = 0  # ten rows do not count
    n_distinct = 50 if weighted else 60
    problem = problem_of(X, 4, weights)
    for size in (n_distinct, 150, 300, 10_000):
        assert random_sample(problem, size, Even()) is problem
    assert random_sample(problem, n_distinct - 1, Even()).rows.shape[0] == n_distinct - 1
    # Where the first rows do not tell: nothing but repeats among them.
    assert random_sample(problem, 4, Even()).rows.shape[0] == 4
    want, model = (
        KMeans(4, init_size=size, random_state=0).fit(X, sample_weight=weights)
        for size in (None, 301)
    )
    assert_array_equal(model.labels_, want.labels_)
    assert_array_equal(model.cluster_centers_, want.cluster_centers_)


@pytest.mark.parametrize("init", INIT)
def test_as_many_as_the_clusters(sampled, init):
    # Drawn with replacement, so that rows may come twice; empty clusters move on.
    X = blobs(np.random.default_rng(10), 300)
    for seed in range(5):
        model = KMeans(6, init=init, init_size=6, n_init=1, random_state=seed).fit(X)
        assert np.unique(model.labels_).size == 6
    assert {problem.rows.shape[0] for problem in sampled} == {6}


def test_fewer_than_the_clusters():
    X = blobs(np.random.default_rng(11))
    model = KMeans(3, random_state=0).fit(X)
    model.set_params(init_size=2)
    before = dict(vars(model))
    message = r"init_size=2 should be >= n_clusters=3, or None for all rows\."
    for rows in (X, "no rows at all"):  # found before they are looked at
        with pytest.raises(ValueError, match=message):
            model.fit(rows)
        with pytest.raises(ValueError, match=message):
            k_means(rows if rows is X else [[0.0]], 3, init_size=2)
    assert vars(model) == before


def test_not_used_by_arrays_and_callables():
    X = blobs(np.random.default_rng(12))
    seen = []

    def init(X, n_clusters, random_state):
        seen.append(X.shape)
        return X[:n_clusters]

    for first in (X[:4], init):
        want = KMeans(4, init=first, n_init=1, random_state=0).fit(X)
        model = KMeans(4, init=first, init_size=10, n_init=1, random_state=0).fit(X)
        assert_array_equal(model.labels_, want.labels_)
        assert_array_equal(model.cluster_centers_, want.cluster_centers_)
    assert seen == [X.shape, X.shape]


def test_function_clone_and_search():
    X = blobs(np.random.default_rng(13))
    model = KMeans(4, init="k-means||", init_size=20, random_state=0).fit(X)
    centers, labels, inertia = k_means(X, 4, init="k-means||", init_size=20, random_state=0)
    assert_array_equal(centers, model.cluster_centers_)
    assert_array_equal(labels, model.labels_)
    assert inertia == model.inertia_
    copy = clone(model)
    assert copy.init_size == 20
    assert not hasattr(copy, "labels_")
    grid = {"init": ["k-means++", "k-means||"], "init_size": [None, 4, np.int64(30), 10**6]}
    search = GridSearchCV(copy, grid, cv=2, error_score="raise").fit(X)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


# Generators.


def test_a_generator_that_is_kept_stays_as_it_was_left():
    kept = []

    def init(X, n_clusters, random_state):
        kept.append(random_state)
        return X[:n_clusters]

    X = blobs(np.random.default_rng(0))
    KMeans(3, init=init, n_init=1, random_state=0).fit(X)
    KMeans(3, n_init=1, random_state=0).fit(X)
    assert_array_equal(kept[0].uniform(size=9), np.random.RandomState(0).uniform(size=9))
