"""Seeding and draws of the core equal their definitions, whatever the way they are computed."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from sklearn_lloyd._canonical import CanonicalRows
from sklearn_lloyd._core import native, options
from sklearn_lloyd._init import INIT, RowDraws, grown_centers, kmeans_plusplus_rows
from sklearn_lloyd._rows import Rows

WAYS = [
    {},
    {"screen": 32},
    {"screen": 16},
    {"screen": 16, "block_rows": 50},
    {"screen": 64},
    {"screen": 1},
    {"block_rows": 301, "least_work": 1},
    {"block_rows": 64, "screen": 64, "least_work": 1},
]


def make_problem(X, n_clusters, weights=None, shift=None, n_threads=1):
    """What the seedings need of a `Problem`; equal rows have equal keys."""
    dense = np.asarray(X.toarray() if sparse.issparse(X) else X, np.float64, order="C")
    offsets = dense if shift is None else dense - shift
    sq_norms = np.square(offsets).sum(axis=1)
    w = 1.0 if weights is None else weights
    with np.errstate(over="ignore", under="ignore"):
        rounded = sq_norms.astype(np.float32)
    fits = 1e-28 < sq_norms.max() < 1e28
    keys = np.unique(dense, axis=0, return_inverse=True)[1].ravel().astype(np.float64)
    return SimpleNamespace(
        rows=Rows(X, n_threads),
        n_clusters=n_clusters,
        sample_weight=weights,
        shift=shift,
        sq_norms=None if sparse.issparse(X) else rounded if fits else sq_norms,
        sum_of_squares=float((w * sq_norms).sum()),
        canonical=CanonicalRows(keys),
    )


def sq_distances_to(X, row):
    """To a row of X, by the definition for dense or for CSR rows."""
    if not sparse.issparse(X):
        dense = np.asarray(X, np.float64, order="C")
        return np.square(dense - dense[row]).sum(axis=1)
    X = sparse.csr_array(X, dtype=np.float64)
    X.sort_indices()
    point = X[[row]].toarray()[0]
    norm, row_of_entry = (
        np.square(point).sum(),
        np.repeat(np.arange(X.shape[0]), np.diff(X.indptr)),
    )
    terms = X.data * (X.data - 2.0 * point[X.indices])
    total = np.bincount(row_of_entry, terms, X.shape[0]) + norm  # one after the other
    return np.where(total > 8 * np.finfo(float).eps * norm, total, 0.0)


def masses(values, total):
    scaled = np.ldexp(values, 61 - np.frexp(total)[1])
    return np.maximum(scaled.astype(np.uint64), values > 0.0)


def draw(uniforms, mass, order):
    sums = mass[order].cumsum()
    targets = [int(u * 2.0**53) * int(sums[-1]) >> 53 for u in uniforms]
    return order[sums.searchsorted(np.array(targets, np.uint64), side="right")]


def expected_rows(problem, first, uniforms):
    """The rows that steps of greedy k-means++ choose after the first."""
    X, w = problem.rows.X, problem.sample_weight
    w = np.ones(X.shape[0]) if w is None else w
    order = np.argsort(problem.canonical.keys, kind="stable")
    closest = sq_distances_to(X, first)
    total, chosen = w @ closest, []
    for of_step in uniforms:
        if int(masses(w * closest, total).sum()) < 2**50:
            total = w @ closest
        mass = masses(w * closest, total)
        if not mass.any():
            break
        trials = draw(of_step, mass, order)
        after = [np.minimum(closest, sq_distances_to(X, trial)) for trial in trials]
        gains = [int(mass.sum()) - int(masses(w * each, total).sum()) for each in after]
        best = next(i for i, gain in enumerate(gains) if gain >= max(gains) * (1 - 1e-10))
        chosen.append(trials[best])
        closest = after[best]
    return np.array(chosen, np.int64)


def start(problem, first, n_trials):
    threads = problem.rows.threads
    seeding = native.seeding(
        threads,
        problem.rows.native,
        problem.sample_weight,
        problem.shift,
        problem.sq_norms,
        problem.sum_of_squares,
        problem.canonical.keys,
        problem.n_clusters,
        n_trials,
        1 << 20,
    )
    native.seeding_start(threads, seeding, first)
    return seeding


def chosen_rows(problem, first, uniforms, at_once=None):
    seeding = start(problem, first, uniforms.shape[1])
    chosen, n_done = np.empty(len(uniforms), np.int64), 0
    for part in np.array_split(np.arange(len(uniforms)), 1 if at_once is None else at_once):
        out = chosen[part[0] : part[-1] + 1]
        n_done += native.seeding_add(problem.rows.threads, seeding, uniforms[part], out)
    return chosen[:n_done]


def check_all_ways(X, n_clusters, n_trials, weights=None, shift=None, seed=0):
    rng = np.random.RandomState(seed)
    uniforms = rng.uniform(size=(n_clusters - 1, n_trials))
    first = int(rng.randint(X.shape[0]))
    expected = None
    for n_threads in (1, 2, 7):
        problem = make_problem(X, n_clusters, weights, shift, n_threads)
        if expected is None:
            expected = expected_rows(problem, first, uniforms)
        for way in WAYS:
            with options(**way):
                assert_array_equal(chosen_rows(problem, first, uniforms), expected, str(way))
    return expected


def blobs(n_rows, n_features, seed=0, scale=1.0):
    rng = np.random.RandomState(seed)
    centers = 5.0 * rng.standard_normal((8, n_features))
    return scale * (
        centers[rng.randint(8, size=n_rows)] + rng.standard_normal((n_rows, n_features))
    )


@pytest.mark.parametrize("n_features", [1, 2, 5, 8, 17, 33, 140])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_dense_rows_by_the_definition(n_features, dtype):
    X = blobs(1500, n_features, scale=100.0).astype(dtype)
    check_all_ways(X, 12, 4)


@pytest.mark.parametrize("n_trials", [1, 2, 7, 19])
def test_any_number_of_trials(n_trials):
    check_all_ways(blobs(700, 6), 10, n_trials)


@pytest.mark.parametrize("layout", ["F", "strided", "reversed", "swapped"])
def test_any_layout(layout):
    X = blobs(1200, 9)
    laid_out = {
        "F": np.asfortranarray(X),
        "strided": np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3],
        "reversed": X[::-1, ::-1].copy()[::-1, ::-1],
        "swapped": X.astype(X.dtype.newbyteorder()),
    }[layout]
    assert_array_equal(check_all_ways(laid_out, 10, 3), check_all_ways(X, 10, 3))


def test_weights_and_duplicates():
    rng = np.random.RandomState(0)
    X = np.round(blobs(1300, 3, scale=0.5))
    weights = rng.uniform(size=1300) * (rng.uniform(size=1300) < 0.6)
    weights[:50] *= 1e-12
    chosen = check_all_ways(X, 20, 4, weights)
    assert (weights[chosen] > 0.0).all()


def test_row_without_weight_may_be_anywhere():
    X = blobs(600, 4).astype(np.float64)
    weights = np.ones(600)
    X[17], weights[17] = 1e150, 0.0
    check_all_ways(X, 6, 3, weights)


def test_shift():
    X = blobs(1500, 12) + 1e4
    check_all_ways(X, 12, 4, shift=np.full(12, 1e4))


@pytest.mark.parametrize("exponent", [-140, -100, -30, 30, 100, 140])
def test_tiny_and_huge(exponent):
    X = blobs(500, 5)
    expected = check_all_ways(X, 12, 3)
    assert_array_equal(check_all_ways(np.ldexp(X, exponent), 12, 3), expected)


def test_far_outlier():
    X = blobs(1500, 5)
    X[[3, 700, 1400]] = [[1e12], [-1e9], [1e11]]
    check_all_ways(X, 20, 4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("weighted", [False, True])
def test_sparse_rows_by_the_definition(dtype, weighted):
    rng = np.random.RandomState(0)
    X = sparse.random(400, 60, 0.1, format="csr", random_state=rng).astype(dtype)
    weights = rng.uniform(size=400) if weighted else None
    check_all_ways(X, 8, 5, weights)


def test_unsorted_sparse_rows():
    rng = np.random.RandomState(0)
    X = sparse.random(300, 900, 0.15, format="csr", random_state=rng)
    shuffled = X.copy()
    for i in range(X.shape[0]):
        part = slice(X.indptr[i], X.indptr[i + 1])
        order = rng.permutation(part.stop - part.start)
        shuffled.indices[part] = X.indices[part][order]
        shuffled.data[part] = X.data[part][order]
    uniforms = rng.uniform(size=(9, 4))
    problems = make_problem(X, 10), make_problem(sparse.csr_array(shuffled), 10)
    problems[1].rows = Rows(
        sparse.csr_array((shuffled.data, shuffled.indices, shuffled.indptr), shape=X.shape)
    )
    rows = [chosen_rows(problem, 0, uniforms) for problem in problems]
    assert_array_equal(rows[0], rows[1])


def test_fewer_distinct_rows_than_centers():
    X = np.repeat(np.arange(5.0), 30)[:, np.newaxis]
    problem = make_problem(X, 9)
    uniforms = np.random.RandomState(0).uniform(size=(8, 3))
    assert len(check_all_ways(X, 9, 3)) == 4
    rows = kmeans_plusplus_rows(problem, np.random.RandomState(0))
    assert rows.size == 9
    assert np.unique(X[rows]).size == 5
    assert len(chosen_rows(make_problem(X[:30], 3), 0, uniforms)) == 0


def test_all_keys_equal_take_no_quadratic_time():
    n_rows = 400_000
    keys, uniforms = np.zeros(n_rows), np.random.RandomState(0).uniform(size=100)
    drawn = np.empty(100, np.int64)
    native.draw(1, keys, None, uniforms, drawn)
    assert_array_equal(drawn, np.floor(uniforms * n_rows).astype(np.int64))


@pytest.mark.parametrize("n_rows", [1, 3, 900, 5000])
@pytest.mark.parametrize("kind", ["normal", "few", "heavy tails", "equal", "not finite"])
def test_draws_by_mass(n_rows, kind):
    rng = np.random.RandomState(0)
    keys = {
        "normal": rng.standard_normal(n_rows),
        "few": rng.randint(4, size=n_rows).astype(np.float64),
        "heavy tails": rng.standard_cauchy(n_rows) ** 9,
        "equal": np.ones(n_rows),
        "not finite": np.where(rng.uniform(size=n_rows) < 0.01, np.inf, rng.uniform(size=n_rows)),
    }[kind]
    order = np.argsort(keys, kind="stable")
    uniforms = np.concatenate([rng.uniform(size=500), [0.0, 1.0 - 2.0**-53]])
    for mass in (None, rng.uniform(size=n_rows) ** 30, np.arange(n_rows) % 3 * 1e-300 + 1e-310):
        drawn = np.empty(uniforms.size, np.int64)
        native.draw(2, keys, mass, uniforms, drawn)
        values = np.ones(n_rows) if mass is None else mass
        assert_array_equal(drawn, draw(uniforms, masses(values, values.sum()), order))


def test_steps_at_once_or_one_by_one():
    X = blobs(2000, 7)
    uniforms = np.random.RandomState(0).uniform(size=(15, 4))
    at_once = chosen_rows(make_problem(X, 16), 3, uniforms)
    assert_array_equal(chosen_rows(make_problem(X, 16), 3, uniforms, at_once=15), at_once)
    assert_array_equal(chosen_rows(make_problem(X, 16), 3, uniforms, at_once=4), at_once)


@pytest.mark.parametrize("is_sparse", [False, True])
def test_grown_from_what_was_chosen(is_sparse):
    """Going on from the first centres draws as all steps in one go."""
    X = blobs(900, 6)
    X = sparse.csr_array(X * (X > 0)) if is_sparse else X
    uniforms = np.random.RandomState(0).uniform(size=(9, 4))
    problem = make_problem(X, 10)
    rows = np.concatenate([[5], chosen_rows(problem, 5, uniforms)])
    distances = np.column_stack([sq_distances_to(problem.rows.X, row) for row in rows[:6]])
    seeding = start(problem, 0, 4)
    labels = distances.argmin(axis=1).astype(np.int32)
    native.seeding_start_from(1, seeding, problem.rows.dense(rows[:6]), labels)
    more = np.empty(4, np.int64)
    assert native.seeding_add(1, seeding, uniforms[5:], more) == 4
    assert_array_equal(more, rows[6:])
    grown = grown_centers(problem, problem.rows.dense(rows[:6]), labels, np.random.RandomState(0))
    assert grown.shape == (10, 6)


def test_seeding_refuses_what_does_not_fit():
    problem = make_problem(blobs(50, 3), 4)
    seeding = start(problem, 0, 2)
    with pytest.raises(ValueError, match="expected 0 to 49"):
        native.seeding_start(1, seeding, 50)
    with pytest.raises(ValueError, match="uniforms"):
        native.seeding_add(1, seeding, np.zeros((3, 5)), np.empty(3, np.int64))
    with pytest.raises(ValueError, match="centers"):
        native.seeding_start_from(1, seeding, np.zeros((5, 3)), np.zeros(50, np.int32))


@pytest.mark.parametrize("init", INIT)
@pytest.mark.parametrize("weighted", [False, True])
def test_seedings_do_not_depend_on_threads(init, weighted):
    X = blobs(3000, 4)
    weights = np.random.RandomState(1).uniform(size=3000) if weighted else None
    centers = [
        INIT[init](make_problem(X, 6, weights, n_threads=n), np.random.RandomState(0))
        for n in (1, 2, 7)
    ]
    assert centers[0].shape == (6, 4)
    assert_array_equal(centers[0], centers[1])
    assert_array_equal(centers[0], centers[2])


def test_row_draws():
    problem = make_problem(np.round(blobs(500, 2)), 4)
    draws = RowDraws(problem)
    assert draws.n_distinct == len(np.unique(problem.rows.X, axis=0))
    assert (
        np.unique(problem.canonical.keys[draws.distinct_rows(5, np.random.RandomState(0))]).size
        == 5
    )


def test_no_more_steps_than_centers():
    problem = make_problem(blobs(50, 3), 4)
    uniforms, chosen = np.full((6, 2), 0.5), np.empty(6, np.int64)
    assert native.seeding_add(1, start(problem, 0, 2), uniforms, chosen) == 3
    arguments = problem.sq_norms, problem.sum_of_squares, problem.canonical.keys, 4, 2
    never_started = native.seeding(1, problem.rows.native, None, None, *arguments, 0)
    assert native.seeding_add(1, never_started, uniforms, chosen) == 0
