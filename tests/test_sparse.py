"""CSR rows: fits and seedings find what they find of the same rows, dense."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sklearn_lloyd import KMeans, MiniBatchKMeans, kmeans_plusplus
from sklearn_lloyd._rows import Rows, row_slice


def words(seed, n=600, d=300, dtype=np.float64, ties=True):
    """Rows with few entries, some with none, some of them repeated.

    With ties, counts normalised: orthogonal rows are all equally far from each other.
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


def with_indices(dtype):
    def convert(X):
        X = sparse.csr_matrix(X)
        X.indices, X.indptr = X.indices.astype(dtype), X.indptr.astype(dtype)
        return X

    return convert


def in_order_of(X, places):
    """A matrix with the entries of X in these places of each row, as given by start and stop."""
    X = sparse.csr_matrix(X)
    rows = zip(X.indptr[:-1], X.indptr[1:], strict=True)
    order = np.concatenate([places(a, b) for a, b in rows])
    return X.data[order], X.indices[order], X.indptr


def untidy(X):
    """The same matrix with entries in two parts, not in order."""
    data, indices, indptr = in_order_of(X, lambda a, b: np.tile(np.arange(a, b)[::-1], 2))
    return sparse.csr_matrix((data / 2, indices, 2 * indptr), shape=X.shape)


def out_of_order(X):
    """The same matrix, each row's entries from the last to the first."""
    return sparse.csr_matrix(in_order_of(X, lambda a, b: np.arange(a, b)[::-1]), shape=X.shape)


CONVERT = {
    "int32": with_indices(np.int32),
    "int64": with_indices(np.int64),
    "array": sparse.csr_array,
    "untidy": untidy,
    "out of order": out_of_order,
}
each_kind = pytest.mark.parametrize("kind", CONVERT)


@pytest.mark.parametrize("algorithm", ["lloyd", "hamerly"])
@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@each_kind
def test_fit_is_that_of_dense_rows(kind, dtype, ties, algorithm):
    for seed in range(2):
        X = words(seed, dtype=dtype, ties=ties)
        weights = np.random.default_rng(seed).integers(0, 3, len(X)) if seed else None
        params = {"n_clusters": 9, "random_state": seed, "algorithm": algorithm}
        want = KMeans(**params).fit(X, sample_weight=weights)
        rows = CONVERT[kind](X)
        before = rows.data.copy(), rows.indices.copy(), rows.indptr.copy()
        got = KMeans(**params).fit(rows, sample_weight=weights)
        assert_array_equal(got.labels_, want.labels_)
        assert got.n_iter_ == want.n_iter_
        assert got.inertia_ == pytest.approx(want.inertia_, rel=1e-6)
        assert_allclose(got.cluster_centers_, want.cluster_centers_, rtol=1e-5, atol=1e-7)
        assert_array_equal(got.predict(rows), got.labels_)
        assert_array_equal(got.predict(X), got.labels_)
        for array, old in zip((rows.data, rows.indices, rows.indptr), before, strict=True):
            assert_array_equal(array, old)  # X is not put in order


@pytest.mark.parametrize("weighted", [False, True])
@each_kind
def test_seeding_is_that_of_dense_rows(kind, weighted):
    for seed in range(3):
        X = words(seed)
        weights = np.random.default_rng(seed).integers(0, 3, len(X)) if weighted else None
        params = {"random_state": seed, "sample_weight": weights}
        want = kmeans_plusplus(X, 12, **params)
        centers, indices = kmeans_plusplus(CONVERT[kind](X), 12, **params)
        assert_array_equal(indices, want[1])
        assert_allclose(centers, want[0], rtol=1e-15)


@each_kind
def test_minibatch_is_that_of_dense_rows(kind):
    X = words(0, ties=False)
    want, got = (
        MiniBatchKMeans(7, batch_size=200, max_iter=5, random_state=0).fit(rows)
        for rows in (X, CONVERT[kind](X))
    )
    assert_array_equal(got.labels_, want.labels_)
    assert_allclose(got.cluster_centers_, want.cluster_centers_, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint8, bool, np.float32])
def test_exact_ties_and_repeated_centers(dtype):
    rng = np.random.default_rng(1)
    X = rng.integers(0, 2, (400, 12)).astype(dtype)
    start = X[rng.integers(0, 40, 30)].astype(float)  # some of them twice
    squares = np.square(X[:, np.newaxis].astype(float) - start).sum(axis=-1)
    model = KMeans.from_centers(start)
    assert_array_equal(model.predict(sparse.csr_array(X)), squares.argmin(axis=1))
    for algorithm in ("lloyd", "hamerly"):
        params = {"n_clusters": 30, "init": start, "algorithm": algorithm}
        want, got = (KMeans(**params).fit(rows) for rows in (X, sparse.csr_array(X)))
        assert_array_equal(got.labels_, want.labels_)
        assert got.n_iter_ == want.n_iter_


@each_kind
def test_rows_as_python_takes_them(kind):
    X = words(6, n=50)
    rows = Rows(CONVERT[kind](X))
    for index in (slice(13, 29), slice(None), np.array([3, 3, 49, 5])):
        assert_allclose(rows.dense(index), X[index], rtol=1e-15)
        assert_allclose(rows.take(index).toarray(), X[index], rtol=1e-15)
        assert_allclose(rows.part(index).X.toarray(), X[index], rtol=1e-15)
    whole = np.concatenate([rows.dense(part) for part in rows.slices(row_size=1 << 14)])
    assert len(rows.slices(row_size=1 << 14)) > 1
    assert_allclose(whole, X, rtol=1e-15)


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csr_array])
def test_slices_are_views(make):
    X = make(words(6, n=50))
    part = row_slice(X, slice(13, 29))
    assert type(part) is type(X)
    assert np.shares_memory(part.data, X.data)
    assert_array_equal(part.toarray(), X.toarray()[13:29])
    assert row_slice(X, slice(50, 60)).shape == (0, X.shape[1])


@pytest.mark.parametrize("scale", [1e-140, 1e-20, 1e20, 1e140])
def test_no_warnings_among_extremes(scale):
    X = sparse.random(300, 40, 0.1, format="csr", random_state=np.random.default_rng(8)) * scale
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        want, got = (KMeans(5, random_state=0).fit(rows) for rows in (X.toarray(), X))
    assert_array_equal(got.labels_, want.labels_)
    assert_array_equal(got.predict(X), got.labels_)
