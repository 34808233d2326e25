"""Distances of rows to centres and to other rows, against plain NumPy."""

import numpy as np
import pytest
from core_problems import DTYPES, LAYOUTS, in_layout, pairwise, problem, with_threads
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sklearn_lloyd._core import native, options


def each_layout(test):
    test = pytest.mark.parametrize("layout", LAYOUTS)(test)
    return pytest.mark.parametrize("dtype", DTYPES)(test)


@pytest.fixture(autouse=True)
def many_threads():
    with options(least_work=1):
        yield


@pytest.mark.parametrize("squared", [False, True])
@each_layout
def test_distances(dtype, layout, squared):
    X, laid, _, _ = problem(dtype, layout, n=150)
    centers = np.random.default_rng(2).normal(0.0, 10.0, (7, X.shape[1]))

    def call(rows):
        out, rounded = np.empty((100, 7)), np.empty((100, 7), np.float32)
        args = rows.threads, rows.native, 30, 130, centers, squared
        native.distances(*args, out)
        native.distances(*args, rounded)
        assert_array_equal(rounded, out.astype(np.float32))
        return (out,)

    (out,) = with_threads(laid, call)
    expected = pairwise(np.square(X[30:130, None] - centers))
    expected = expected if squared else np.sqrt(expected)
    if sparse.issparse(laid):
        assert_allclose(out, expected, rtol=1e-11)
    else:
        assert_array_equal(out, expected)


@pytest.mark.parametrize("layout", ["C", "int32"])
def test_distances_of_equal_rows_are_zero(layout):
    X, laid, _, _ = problem("float64", layout, n=50, d=300)

    def call(rows):
        out = np.empty((50, 50))
        native.distances(rows.threads, rows.native, 0, 50, X, False, out)
        return (out,)

    assert not np.diag(with_threads(laid, call)[0]).any()


@pytest.mark.parametrize("weighted", [False, True])
@each_layout
def test_distance_sums(dtype, layout, weighted):
    X, laid, labels, weights = problem(dtype, layout, n=150)
    others = np.random.default_rng(3).permutation(150)[:120]
    index = np.arange(150)[::-2].copy()
    w = weights[others] if weighted else None
    clusters = np.column_stack([labels, 7 + labels % 2])[others].astype(np.int32)

    def call(rows):
        sums = np.empty((index.size, 10))
        args = rows.threads, rows.native, index, others, clusters, w
        native.distance_sums(*args, sums)
        return (sums,)

    (sums,) = with_threads(laid, call)
    distances = np.sqrt(np.square(X[index, None] - X[others]).sum(axis=2))
    distances = distances * weights[others] if weighted else distances
    expected = [distances @ (clusters == c).any(axis=1) for c in range(10)]
    assert_allclose(sums, np.column_stack(expected), rtol=1e-10)
    assert not sums[:, 9].any()


@pytest.mark.parametrize("layout", ["C", "F", "int32", "unsorted"])
def test_near_rows_keep_their_digits(layout):
    """By products these distances would be nothing but rounding."""
    rng = np.random.default_rng(0)
    X = 1000.0 + 1e-4 * rng.integers(0, 5, (60, 4))
    X[30:] = X[:30]
    index, clusters = np.arange(60), np.arange(60, dtype=np.int32)[:, np.newaxis]

    def call(rows):
        sums = np.empty((60, 60))
        native.distance_sums(rows.threads, rows.native, index, index, clusters, None, sums)
        return (sums,)

    (sums,) = with_threads(in_layout(X, layout), call)
    assert_allclose(sums, np.sqrt(np.square(X[:, None] - X).sum(axis=2)), rtol=1e-13)


@each_layout
def test_own_and_nearest(dtype, layout):
    X, laid, labels, _ = problem(dtype, layout, n=150)
    index = np.random.default_rng(3).permutation(150)[:101]
    centers = np.random.default_rng(2).normal(0.0, 10.0, (7, X.shape[1]))
    extra = np.array([0.0, 1.0, 2.0, np.inf, 0.0, 5.0, 0.0])
    shift = None if sparse.issparse(laid) else np.full(X.shape[1], 3.0)

    def call(rows):
        own, nearest = np.empty((2, index.size))
        offsets = centers if shift is None else centers - shift
        args = rows.threads, rows.native, index, shift, offsets, extra, labels[index]
        native.own_and_nearest(*args, own, nearest)
        return own, nearest

    own, nearest = with_threads(laid, call)
    scores = np.square(X[index, None] - centers).sum(axis=2) + extra
    places = np.arange(index.size), labels[index]
    assert_allclose(own, scores[places], rtol=1e-11)
    scores[places] = np.inf
    assert_allclose(nearest, scores.min(axis=1), rtol=1e-11)
