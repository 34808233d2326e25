"""The nearest centre of CSR rows by the core: what it is of the same rows, dense."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sklearn_lloyd._core import native, options

SCREENS = [0, 1, 32, 64]


def some_rows(n, d, seed=0, n_entries=20):
    """Rows with one decimal, as prices or marks are: many ties, whose sums round."""
    rng = np.random.RandomState(seed)
    density = min(1.0, n_entries / d)
    X = sparse.random(n, d, density, "csr", random_state=rng)
    X.data = rng.randint(1, 10, X.nnz) / 10
    return X


def native_rows(X):
    if sparse.issparse(X):
        return native.rows(X.data, X.indices, X.indptr, X.shape[1])
    return native.rows(X)


def label(X, centers, *, n_threads=2, index=None, weights=None):
    """Labels, distances, inertia, whether all are finite; sums, weights and members."""
    k, n = len(centers), X.shape[0] if index is None else len(index)
    labels, distances = np.empty(n, np.int32), np.empty(n)
    sums = np.zeros(centers.shape), np.zeros(k), np.zeros(k, np.int64)
    out = native.label(
        n_threads, native_rows(X), index, weights, None, centers, labels, distances, *sums, True
    )
    return labels, distances, *out, *sums


def assert_same(X, dense, centers, **kwargs):
    found, expected = label(X, centers, **kwargs), label(dense, centers, **kwargs)
    assert_array_equal(found[0], expected[0])
    for a, b in zip(found[1:], expected[1:], strict=True):
        assert_allclose(a, b, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, np.uint64, bool, ">f8"])
@pytest.mark.parametrize("index_dtype", [np.int32, np.int64])
def test_any_type(index_dtype, dtype, screen):
    X = some_rows(300, 50)
    X.data = (10 * X.data).astype(dtype)
    X.indices, X.indptr = X.indices.astype(index_dtype), X.indptr.astype(index_dtype)
    dense = np.zeros(X.shape)
    dense[np.repeat(np.arange(300), np.diff(X.indptr)), X.indices] = X.data
    with options(screen=screen):
        assert_same(X, dense, np.ascontiguousarray(dense[:20]))


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("d", [1, 2, 8, 9, 40, 129, 1000, 5000])
@pytest.mark.parametrize("k", [1, 7, 100])
def test_ties_are_those_of_dense_rows(k, d, screen):
    X = some_rows(200, d)
    dense = X.toarray()
    centers = dense[:k] + 0.1 * (np.random.RandomState(1).uniform(size=(k, d)) < 0.1)
    with options(screen=screen):
        assert_same(X, dense, centers)
        assert_same(X, dense, np.ascontiguousarray(dense[-k:]))  # some rows equal centres


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("d", [*range(1, 20), 127, 130, 137, 143, 256, 257, 1023, 4999])
def test_the_last_bit_decides(d, screen):
    # The same differences in another order: only how their sum is rounded tells centres apart.
    rng = np.random.RandomState(d)
    X = some_rows(10, d)
    offsets = np.array([rng.permutation(rng.standard_normal(d)) for _ in range(10)])
    dense = X.toarray()
    for i in range(10):
        centers = np.array([dense[i] + rng.permutation(offsets[i]) for _ in range(12)])
        with options(screen=screen):
            assert label(X[i], centers)[0] == label(dense[i : i + 1], centers)[0]


@pytest.mark.parametrize("screen", SCREENS)
def test_repeated_entries_in_any_order(screen):
    rng = np.random.RandomState(0)
    n, d = 200, 60
    indptr = np.concatenate([[0], np.cumsum(rng.randint(0, 30, n))])
    indices = rng.randint(0, d, indptr[-1])
    X = sparse.csr_matrix((rng.randint(1, 10, indptr[-1]) / 8, indices, indptr), (n, d))
    assert not X.has_canonical_format
    with options(screen=screen):
        assert_same(X, X.toarray(), np.ascontiguousarray(X.toarray()[:30]))


def test_rows_without_entries():
    X = sparse.csr_matrix((50, 20))
    centers = np.ones((3, 20)) * [[2.0], [1.0], [1.0]]
    labels, distances, inertia, finite, *_ = label(X, centers)
    assert_array_equal(labels, 1)
    assert_array_equal(distances, 20)
    assert inertia == 1000
    assert finite


def test_some_of_the_rows():
    X = some_rows(300, 200)
    index = np.random.RandomState(0).randint(0, 300, 100)
    weights = np.random.RandomState(1).uniform(size=300)
    centers = np.ascontiguousarray(X.toarray()[:20])
    assert_same(X, X.toarray(), centers, index=index, weights=weights)


@pytest.mark.parametrize("canonical", [True, False])
def test_any_number_of_threads(canonical):
    X = some_rows(2000, 700)
    if not canonical:
        X = X[:, ::-1]
        assert not X.has_sorted_indices
    centers = np.ascontiguousarray(X.toarray()[:50])
    with options(block_rows=37, least_work=1):
        found = [label(X, centers, n_threads=n) for n in (1, 2, 7)]
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            assert_array_equal(a, b)


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1e20, 1e150, 1e153, 1e160])
def test_any_magnitude(scale, screen):
    X = some_rows(200, 100)
    X.data *= scale
    dense = X.toarray()
    with options(screen=screen):
        assert_array_equal(label(X, dense[:30].copy())[0], label(dense, dense[:30].copy())[0])


def test_far_rows_and_centers():
    # Only the first row is beyond float32, only the last centre has a norm beyond float64.
    X = some_rows(200, 100)
    X.data[: X.indptr[1]] = 1e150
    dense = X.toarray()
    centers = dense[:30].copy()
    centers[-1] = 1e160
    assert_array_equal(label(X, centers)[0], label(dense, centers)[0])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite(value):
    X = some_rows(200, 100)
    X.data[X.indptr[7]] = value
    labels, _, _, finite, *_ = label(X, X.toarray()[20:30])
    assert not finite
    assert labels[7] == 0


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("bounded", [False, True])
def test_passes_of_an_assigner(bounded, screen):
    X = some_rows(800, 150)
    dense, k = X.toarray(), 40
    states = []
    for rows in (X, dense):
        labels = np.full(800, -1, np.int32)
        assigner = native.assigner(2, native_rows(rows), None, None, k, bounded, labels, 0)
        sums = np.zeros((k, 150)), np.zeros(k), np.zeros(k, np.int64)
        states.append((assigner, labels, sums))
    centers = dense[:k].copy()
    n_compared = 0
    with options(screen=screen, block_rows=100):
        for _ in range(12):
            (n_changed, n, _), (expected, _, _) = (
                native.assign(2, state, centers, *sums) for state, _, sums in states
            )
            n_compared += n
            assert n_changed == expected
            assert_array_equal(states[0][1], states[1][1])
            for a, b in zip(states[0][2], states[1][2], strict=True):
                assert_allclose(a, b, atol=1e-10)
            sums, weights, _ = states[1][2]
            filled = weights > 0
            centers = centers.copy()
            centers[filled] = sums[filled] / weights[filled, np.newaxis]
    assert (n_compared < 12 * 800) == (bounded and screen != 1)
