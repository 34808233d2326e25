"""CSR rows: every backend, index dtype and number of threads finds what dense rows give."""

import warnings
from itertools import pairwise, product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sklearn_lloyd import KMeans, kmeans_plusplus
from sklearn_lloyd._rows import Rows
from sklearn_lloyd._init._sparse import SparseGreedy
from sklearn_lloyd._kernels import CenterTable, _distances
from sklearn_lloyd._kernels._csr import read_only, row_slice, sum_by_row, truth_as_numbers
from sklearn_lloyd._kernels._numba import _csr
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd._solvers import make_assigner
from sklearn_lloyd._solvers._compiled_csr import CenterColumns

both_backends = pytest.mark.parametrize("backend", ["numpy", "numba"])


def words(seed, n=600, d=300, dtype=np.float64, ties=True):
    """Rows with few entries, some with none, some of them repeated.

    With ties, counts normalised: orthogonal rows are all equally far from each other, so that
    dense rows, of which other sums are taken, may fall to another centre.
    """
    rng = np.random.default_rng(seed)
    X = rng.poisson(0.02 + 0.3 * (rng.random((6, d)) < 0.05)[rng.integers(6, size=n)])
    X = X * (rng.random((n, 1)) > 0.02)
    X = X if ties else X * rng.random(X.shape)
    X[::7] = X[3]
    if not ties:
        return X.astype(dtype)
    norms = np.sqrt(np.square(X).sum(axis=1, keepdims=True))
    return (X / np.maximum(norms, 1)).astype(dtype)


def with_indices(X, dtype):
    X = sparse.csr_matrix(X)
    X.indices, X.indptr = X.indices.astype(dtype), X.indptr.astype(dtype)
    return X


def untidy(X):
    """The same matrix with entries in two parts, not in order."""
    X = sparse.csr_matrix(X)
    rows = zip(X.indptr[:-1], X.indptr[1:], strict=True)
    order = np.concatenate([np.tile(np.arange(a, b)[::-1], 2) for a, b in rows])
    return sparse.csr_matrix((X.data[order] / 2, X.indices[order], 2 * X.indptr), shape=X.shape)


def attributes(model):
    return model.labels_, model.n_iter_, model.inertia_, model.cluster_centers_


@pytest.mark.parametrize("algorithm", ["lloyd", "elkan", "hamerly"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("backend", "dtype", "index_dtype"),
    [
        *product(["numpy"], [np.float32, np.float64], [np.int32, np.int64]),
        # Each is compiled anew.
        ("numba", np.float32, np.int32),
        ("numba", np.float64, np.int32),
        ("numba", np.float64, np.int64),
    ],
)
def test_fit_is_that_of_dense_rows(dtype, index_dtype, weighted, algorithm):
    for seed in range(3):
        X = words(seed, dtype=dtype, ties=False)
        weights = np.random.default_rng(seed).integers(0, 3, len(X)) if weighted else None
        options = {"n_clusters": 9, "random_state": seed, "algorithm": algorithm}
        want = KMeans(**options).fit(X, sample_weight=weights)
        got = KMeans(**options)
        rows = with_indices(X, index_dtype)
        got.fit(rows, sample_weight=weights)
        assert_array_equal(got.labels_, want.labels_)
        assert got.n_iter_ == want.n_iter_
        assert got.inertia_ == pytest.approx(want.inertia_, rel=1e-6)
        assert_allclose(got.cluster_centers_, want.cluster_centers_, rtol=1e-5, atol=1e-7)
        assert_array_equal(got.predict(rows), got.labels_)
        assert_array_equal(got.predict(X), got.labels_)


@pytest.mark.parametrize("algorithm", ["lloyd", "elkan", "hamerly"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_backends_agree_on_ties(dtype, algorithm):
    for seed in range(5):
        X = sparse.csr_matrix(words(seed, dtype=dtype))
        want, got = (
            KMeans(15, random_state=seed, algorithm=algorithm).fit(X)
            for backend in ("numpy", "numba")
        )
        assert_array_equal(got.labels_, want.labels_)
        assert got.n_iter_ == want.n_iter_
        assert_allclose(got.cluster_centers_, want.cluster_centers_, rtol=1e-5, atol=1e-7)
        for model in (want, got):
            assert_array_equal(model.predict(X), model.labels_)


@pytest.mark.parametrize("make", [with_indices, untidy], ids=["tidy", "untidy"])
@pytest.mark.parametrize("weighted", [False, True])
@both_backends
def test_seeding_is_that_of_dense_rows(weighted, make):
    for seed in range(5):
        X = words(seed)
        weights = np.random.default_rng(seed).integers(0, 3, len(X)) if weighted else None
        options = {"random_state": seed, "sample_weight": weights}
        want = kmeans_plusplus(X, 12, **options)
        rows = make(X, np.int64) if make is with_indices else make(X)
        before = rows.copy()
        centers, indices = kmeans_plusplus(rows, 12, **options)
        assert_array_equal(indices, want[1])
        assert_allclose(centers, want[0], rtol=1e-15)
        assert_array_equal(rows.data, before.data)
        assert_array_equal(rows.indices, before.indices)


@both_backends
def test_untidy_rows():
    X = words(0, ties=False)
    rows = untidy(X)
    assert not rows.has_canonical_format
    options = {"n_clusters": 7, "random_state": 0}
    want = KMeans(**options).fit(X)
    got = KMeans(**options).fit(rows)
    assert_array_equal(got.labels_, want.labels_)
    assert_array_equal(got.predict(rows), want.labels_)
    assert rows.nnz == 2 * np.count_nonzero(X)


def out_of_order(X):
    """The same matrix, each row's entries from the last to the first."""
    X = sparse.csr_matrix(X)
    rows = zip(X.indptr[:-1], X.indptr[1:], strict=True)
    order = np.concatenate([np.arange(a, b)[::-1] for a, b in rows])
    return sparse.csr_matrix((X.data[order], X.indices[order], X.indptr), shape=X.shape)


@both_backends
def test_rows_out_of_order_are_taken_as_they_are(monkeypatch):
    def sort(*args):
        raise AssertionError("a copy was put in order")

    X = words(0, ties=False)
    rows = out_of_order(X)
    assert not rows.has_canonical_format
    monkeypatch.setattr(sparse.csr_matrix, "sum_duplicates", sort)
    monkeypatch.setattr(sparse.csr_matrix, "sort_indices", sort)
    options = {"n_clusters": 7, "random_state": 0}
    want = KMeans(**options).fit(X)
    got = KMeans(**options).fit(rows)
    assert_array_equal(got.labels_, want.labels_)
    assert_array_equal(got.predict(rows), want.labels_)


@both_backends
def test_repeated_entries_are_found():
    rng = np.random.default_rng(0)
    for _ in range(200):
        n, d, nnz = rng.integers(1, 6), rng.integers(1, 6), rng.integers(6, 12)
        indptr = np.concatenate([[0], np.sort(rng.integers(0, nnz + 1, n - 1)), [nnz]])
        indices = rng.integers(0, d, nnz)
        X = sparse.csr_matrix((np.ones(nnz), indices, indptr), shape=(n, d))
        rows = pairwise(indptr)
        repeated = any(len(set(indices[a:b])) < b - a for a, b in rows)
        chunks = Rows(X, 2, 1, backend)
        assert chunks.rows(slice(0, n)).has_canonical_format or not repeated
        assert (chunks.compiled is None) == (repeated or backend == "numpy")


@pytest.mark.parametrize(
    ("backend", "dtype"),
    [
        *product(["numpy"], [np.int32, np.int64, np.uint8, bool, np.float32]),
        ("numba", np.float32),
        pytest.param("numba", np.uint8, marks=pytest.mark.more_types),
        pytest.param("numba", bool, marks=pytest.mark.more_types),
    ],
)
def test_exact_ties_and_repeated_centers(dtype):
    rng = np.random.default_rng(1)
    X = rng.integers(0, 2, (400, 12)).astype(dtype)
    start = X[rng.integers(0, 40, 30)].astype(float)  # some of them twice
    squares = np.square(X[:, np.newaxis].astype(float) - start).sum(axis=-1)
    model = KMeans.from_centers(start)
    assert_array_equal(model.predict(sparse.csr_array(X)), squares.argmin(axis=1))
    for algorithm in ("lloyd", "hamerly"):
        options = {"n_clusters": 30, "init": start, "algorithm": algorithm}
        want = KMeans(**options).fit(X)
        got = KMeans(**options).fit(sparse.csr_array(X))
        assert_array_equal(got.labels_, want.labels_)
        assert got.n_iter_ == want.n_iter_


@both_backends
def test_threads_do_not_show(monkeypatch):
    monkeypatch.setattr("sklearn_lloyd._chunks._MAX_VALUES", 500)
    X = with_indices(words(2, n=900), np.int32)
    weights = np.random.default_rng(0).random(900)
    for algorithm in ("lloyd", "hamerly"):
        first, second = (
            KMeans(
                8, random_state=1, algorithm=algorithm, n_threads=n_threads
            ).fit(X, sample_weight=weights)
            for n_threads in (1, 3)
        )
        for a, b in zip(attributes(first), attributes(second), strict=True):
            assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_compiled_distances_are_the_definition_to_the_last_bit(dtype):
    X = read_only(sparse.csr_matrix(words(3, dtype=dtype)))  # as the kernels are compiled anyway
    centers = np.random.default_rng(0).random((11, X.shape[1])) / 10
    centers[:3] = X[:3].toarray()
    table = CenterTable(centers, None, X.shape[1])
    labels = np.random.default_rng(1).integers(0, 11, X.shape[0])
    labels[:3] = range(3)
    parts, out = (X.data, X.indices, X.indptr), np.empty(X.shape[0] - 5)
    _csr.own_distances(*parts, 0, centers, table.sq_norms, labels, out)
    assert_array_equal(out, _distances.pair_sq_distances(X, centers, labels)[:-5])
    assert (out[:3] == 0).all()
    for start in (0, 7):
        _csr.own_distances(*parts, start, centers, table.sq_norms, labels, out[start:])
    assert_array_equal(out, _distances.pair_sq_distances(X, centers, labels)[:-5])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_clusters", [1, 3, 8, 9, 33, 64, 65, 150])
def test_compiled_labels_are_by_the_definition(n_clusters, dtype):
    X = sparse.csr_matrix(words(3))
    rng = np.random.default_rng(0)
    centers = X[rng.integers(0, 300, n_clusters)].toarray()  # some of them twice
    centers[::3] += 1e-9 * rng.random(centers[::3].shape)  # more than float64 can tell, or not
    chunks = Rows(X, n_clusters, 1, "numba")
    table = CenterTable(centers, None, chunks.n_terms)
    distances = np.stack([_distances.sq_distances_to(X, center) for center in centers])
    screen = CenterColumns().fill(chunks, table, np.dtype(dtype))
    index = rng.permutation(X.shape[0])
    labels, n = np.full(index.size, -1), index.size - 3
    changed, old = np.empty((2, index.size), np.intp)
    no_bounds = np.empty(0), np.empty(0), 0.0
    parts = chunks.X.data, chunks.X.indices, chunks.X.indptr, index, n
    n_open, n_changed = _csr.label_rows(*parts, *screen, labels, *no_bounds, changed, old)
    some = index[:n]
    assert_array_equal(labels[some], distances.argmin(axis=0)[some])
    assert (labels[index[n:]] == -1).all()
    assert n_changed == n
    assert n_open == 0 if n_clusters == 1 else n_open < n
    assert n_open > 0 or n_clusters < 9
    assert_array_equal(changed[:n], some)


@pytest.mark.parametrize("n_trials", [1, 2, 4, 5, 9, 32, 33, 70])
def test_trials_are_measured_by_the_definition(n_trials):
    X = sparse.csr_matrix(words(3))
    weights = np.random.default_rng(0).random(X.shape[0])
    problem = make_problem(Rows(X, 9, 1, "numba"), 9, weights)
    seeding = SparseGreedy(problem, n_trials)
    seeding.start(11)
    centers = X.toarray()
    assert_array_equal(seeding._closest, _distances.sq_distances_to(X, centers[11]))
    for first in (0, 100):  # in the same memory
        trials = np.arange(first, first + n_trials)
        gains = seeding._gains(trials)
        for t, gain in zip(trials, gains, strict=True):
            distances = _distances.sq_distances_to(X, centers[t])
            assert_array_equal(seeding._distances[:, t - first], distances)
            less = np.maximum(seeding._closest - distances, 0.0)
            assert gain == pytest.approx(problem.sample_weight @ less, rel=1e-12)


def test_rows_too_large_for_float32_are_decided_by_the_definition():
    X = sparse.csr_matrix(words(3, ties=False))
    centers = X[:40:3].toarray()
    X = sparse.vstack([X, X * 1e25, X * 1e60, X * 1e150]).tocsr()
    model = KMeans.from_centers(centers)
    with np.errstate(over="ignore", invalid="ignore"):
        distances = [_distances.sq_distances_to(X, center) for center in centers]
    assert_array_equal(model.predict(X), np.argmin(distances, axis=0))


def test_bounds_hold():
    # At every step the bounded labels are those of all rows looked at, by the definition.
    X = sparse.csr_matrix(words(4, n=800))
    problem = make_problem(Rows(X, 20, 1, "numba"), 20, None)
    bounded = make_assigner("hamerly", problem)
    assert type(bounded).__name__ == "CsrAssigner"
    rng = np.random.default_rng(0)
    centers = X[rng.choice(800, 20, replace=False)].toarray().astype(float)
    looked_at = 0
    for step in range(12):
        bounded.assign(centers, lambda stats: None)
        every = make_assigner("lloyd", problem)
        every.assign(centers, lambda stats: None)
        assert_array_equal(bounded.labels, every.labels)
        looked_at += (bounded._bounds.limit < 1e-3).sum()
        centers = centers + rng.standard_normal(centers.shape) * 10.0 ** -(2 + step / 3)
    assert looked_at < 12 * 800 * 0.8


def test_repeated_centers_of_equal_norm():
    X = words(5)
    table = CenterTable(X[:60], None, X.shape[1])
    want = [(X[:i] == X[i]).all(axis=1).any() for i in range(60)]
    assert_array_equal(table.repeated, want)


def test_repeated_centers_of_equal_norm_and_projection():
    # Those in places 1 and 4 agree with those in 2 and 3, but for the rows themselves.
    centers = np.array([[0, 3, 3, 0], [3, 0, 0, 3], [0, 3, 3, 0], [0, 0, 3, 3], [3, 3, 0, 0.0]])
    assert_array_equal(CenterTable(centers, None, 4).repeated, [False, False, True, False, False])
    assert CenterTable(centers[[0, 1, 3, 4]], None, 4).repeated is None


@pytest.mark.parametrize("make", [np.asarray, np.asfortranarray, sparse.csr_matrix])
def test_truth_as_numbers_is_a_view(make):
    X = make(np.random.default_rng(0).random((9, 4)) < 0.5)
    numbers = truth_as_numbers(X)
    assert numbers.dtype == np.uint8
    data, given = (rows.data if sparse.issparse(X) else rows for rows in (numbers, X))
    assert np.shares_memory(data, given)
    assert_array_equal(data, given)
    assert truth_as_numbers(numbers) is numbers


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csr_array])
def test_slices_are_views(make):
    X = make(words(6, n=50))
    part = row_slice(X, slice(13, 29))
    assert type(part) is type(X)
    assert np.shares_memory(part.data, X.data)
    assert_array_equal(part.toarray(), X.toarray()[13:29])
    assert_allclose(sum_by_row(part, part.data), X.toarray()[13:29].sum(axis=1))
    assert row_slice(X, slice(50, 60)).shape == (0, X.shape[1])


@both_backends
def test_seeding_reads_sparse_rows_once_for_a_center(monkeypatch):
    calls = []
    measure = SparseGreedy._gains
    monkeypatch.setattr(SparseGreedy, "_gains", lambda *args: calls.append(1) or measure(*args))
    kmeans_plusplus(sparse.csr_matrix(words(7)), 9, random_state=0)
    assert len(calls) == 9


@both_backends
def test_no_warnings_among_extremes():
    rng = np.random.default_rng(8)
    X = sparse.random(300, 40, 0.1, format="csr", random_state=rng)
    for scale in (1e-140, 1e-20, 1.0, 1e20, 1e140):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            rows = X * scale
            got = KMeans(5, random_state=0).fit(rows)
        want = KMeans(5, random_state=0).fit(rows)
        assert_array_equal(got.labels_, want.labels_)
        assert_array_equal(got.predict(rows), got.labels_)
