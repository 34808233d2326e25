"""Passes of the core that add up rows, against plain NumPy: any layout, any number of threads."""

import numpy as np
import pytest
from core_problems import DTYPES, LAYOUTS, pairwise, problem, with_threads
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sklearn_lloyd._core import native, options
from sklearn_lloyd._rows import Rows


@pytest.fixture(params=[0, 37])
def block_rows(request):
    with options(block_rows=request.param, least_work=1):
        yield


def each_layout(test):
    test = pytest.mark.usefixtures("block_rows")(test)
    test = pytest.mark.parametrize("weighted", [False, True])(test)
    test = pytest.mark.parametrize("layout", LAYOUTS)(test)
    return pytest.mark.parametrize("dtype", DTYPES)(test)


def moments(rows, weights):
    mean, squares = np.full((2, rows.shape[1]), np.nan)
    total = native.moments(rows.threads, rows.native, weights, mean, squares)
    return total, mean, squares


@each_layout
def test_moments(dtype, layout, weighted):
    X, laid, _, weights = problem(dtype, layout)
    w = weights if weighted else None
    total, mean, squares = with_threads(laid, lambda rows: moments(rows, w))
    assert_allclose(total, weights.sum() if weighted else len(X), rtol=1e-14)
    expected = np.average(X, axis=0, weights=w)
    assert_allclose(mean, expected, rtol=1e-12, atol=1e-12)
    of_rows = np.square(X - expected) * (weights[:, None] if weighted else 1.0)
    assert_allclose(squares, of_rows.sum(axis=0), rtol=1e-12)


@pytest.mark.parametrize("convert", [np.asarray, np.asfortranarray, sparse.csr_array])
def test_moments_keep_their_digits(convert):
    """Far from the origin, and of a constant column; rows without weight are not looked at."""
    rng = np.random.default_rng(0)
    X = 1e8 + rng.integers(0, 2, (5000, 3))
    X[:, 1] = 0.1
    w = np.ones(len(X))
    w[::7] = 0.0
    expected = X[w > 0.0]
    X[::7] = np.inf
    X[7::14] = np.nan
    _, mean, squares = moments(Rows(convert(X), 2), w)
    assert_allclose(mean, expected.mean(axis=0), rtol=1e-13)
    assert_allclose(squares, np.square(expected - expected.mean(axis=0)).sum(axis=0), atol=1e-9)


def test_moments_of_nothing():
    rows = Rows(np.full((10, 2), np.nan))
    total, mean, squares = moments(rows, np.zeros(10))
    assert total == 0.0
    assert_array_equal([mean, squares], np.zeros((2, 2)))


@each_layout
def test_norms_and_keys(dtype, layout, weighted):
    X, laid, _, weights = problem(dtype, layout)
    direction = 1.0 + np.random.default_rng(1).random(X.shape[1])
    shift = None if sparse.issparse(laid) else np.full(X.shape[1], 3.0)
    w = weights if weighted else None

    def call(rows):
        keys, norms, rounded = np.empty(len(X)), np.empty(len(X)), np.empty(len(X), np.float32)
        args = rows.threads, rows.native, w, shift
        total = native.norms_and_keys(*args, direction, norms, keys)
        assert native.norms_and_keys(*args, None, rounded, None) == total
        assert native.norms_and_keys(*args, None, None, None) == total
        assert_array_equal(rounded, norms.astype(np.float32))
        return total, norms, keys

    total, norms, keys = with_threads(laid, call)
    offsets = X if shift is None else X - shift
    expected = np.zeros(len(X))
    for j in range(X.shape[1]):
        expected += offsets[:, j] * direction[j]
    assert_array_equal(keys, expected)
    if sparse.issparse(laid):
        assert_allclose(norms, np.square(X).sum(axis=1), rtol=1e-14)
    else:
        assert_array_equal(norms, pairwise(np.square(offsets)))
    assert_allclose(total, norms @ weights if weighted else norms.sum(), rtol=1e-13)


@pytest.mark.parametrize("d", [1, 2, 7, 8, 9, 17, 130, 300, 1111])
def test_orders_of_sums(d):
    """The definition is NumPy's sum of the squares, in every function."""
    X, laid, labels, _ = problem("float64", "C", n=50, d=d)
    rows, norms, distances = Rows(laid), np.empty(50), np.empty(50)
    native.norms_and_keys(1, rows.native, None, X[3], None, norms, None)
    assert_array_equal(norms, pairwise(np.square(X - X[3])))
    centers = X[10:17] + 0.1
    native.own_distances(1, rows.native, None, centers, labels, distances)
    assert_array_equal(distances, pairwise(np.square(X - centers[labels])))


@each_layout
def test_own_distances(dtype, layout, weighted):
    X, laid, labels, weights = problem(dtype, layout)
    centers = np.random.default_rng(2).normal(0.0, 10.0, (7, X.shape[1]))
    w = weights if weighted else None

    def call(rows):
        out = np.empty(len(X))
        args = rows.threads, rows.native, w, centers, labels
        inertia = native.own_distances(*args, out)
        assert native.own_distances(*args, None) == inertia
        return inertia, out

    inertia, out = with_threads(laid, call)
    expected = pairwise(np.square(X - centers[labels]))
    if sparse.issparse(laid):
        assert_allclose(out, expected, rtol=1e-12)
    else:
        assert_array_equal(out, expected)
    assert_allclose(inertia, expected @ weights if weighted else expected.sum(), rtol=1e-13)


@pytest.mark.parametrize("convert", [np.asarray, sparse.csr_array])
def test_rows_without_weight_are_absent(convert):
    X, _, labels, weights = problem("float64", "C")
    centers = np.ones((7, X.shape[1]))
    kept = weights > 0.0
    X[~kept] = np.nan
    rows, part = Rows(convert(X)), Rows(convert(X[kept]))
    inertia = native.own_distances(1, rows.native, weights, centers, labels, None)
    expected = native.own_distances(1, part.native, weights[kept], centers, labels[kept], None)
    assert_allclose(inertia, expected, rtol=1e-14)
    # Whether all rows are finite shows here, whatever they weigh.
    assert np.isnan(native.norms_and_keys(1, rows.native, weights, None, None, None, None))
    for found, exact in zip(
        sums_of_clusters(rows, weights, None, None, labels, 7),
        sums_of_clusters(part, weights[kept], None, None, labels[kept], 7),
        strict=True,
    ):
        assert_allclose(found, exact, rtol=1e-12, atol=1e-10)


def sums_of_clusters(rows, weights, shift, origins, labels, k):
    sums, totals, squares = np.zeros((k, rows.shape[1])), np.zeros(k), np.zeros(k)
    members = np.zeros(k, np.int64)
    native.cluster_sums(
        rows.threads, rows.native, weights, shift, origins, labels, sums, totals, members, squares
    )
    return sums, totals, members, squares


@each_layout
def test_cluster_sums(dtype, layout, weighted):
    X, laid, labels, weights = problem(dtype, layout)
    k = 9  # two of which have no rows
    shift = np.full(X.shape[1], 3.0)
    origins = np.random.default_rng(2).normal(size=(k, X.shape[1]))
    some = [(None, None), (shift, None), (None, origins)]
    for shift, origins in some[:1] if sparse.issparse(laid) else some:
        w = weights if weighted else None
        sums, totals, members, squares = with_threads(
            laid, lambda rows, *by: sums_of_clusters(rows, *by, labels, k), w, shift, origins
        )
        offsets = X - (0.0 if shift is None else shift)
        offsets = offsets if origins is None else X - origins[labels]
        w = weights if weighted else np.ones(len(X))
        for c in range(k):
            own = labels == c
            assert_allclose(sums[c], w[own] @ offsets[own], rtol=1e-11, atol=1e-9)
            assert_allclose(squares[c], w[own] @ np.square(offsets[own]).sum(axis=1), rtol=1e-12)
            assert_allclose(totals[c], w[own].sum(), rtol=1e-13)
            assert members[c] == np.count_nonzero(w[own])


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize(("k", "d"), [(1, 1), (3, 2), (40, 17), (300, 200)])
def test_update_means(k, d, shifted):
    rng = np.random.default_rng(0)
    sums, centers = rng.normal(size=(2, k, d))
    weights, shift = rng.random(k) + 0.5, rng.normal(size=d) if shifted else None

    def call(rows):
        means, before = np.empty((k, d)), np.zeros((2, k))
        args = rows.threads, sums, weights, shift, centers, 1000.0
        lost, inertia, center_shift = native.update_means(*args, *before, means)
        assert native.update_means(*args, None, None, None) == (False, inertia, 0.0)
        return lost, inertia, center_shift, means, before

    with options(least_work=1):
        lost, inertia, center_shift, means, before = with_threads(np.zeros((1, 1)), call)
    off = 0.0 if shift is None else shift
    assert not lost
    assert_array_equal(means, sums / weights[:, None] + off)
    assert_array_equal(before, [pairwise(np.square(sums)), weights])
    assert_allclose(center_shift, np.square(means - centers).sum(), rtol=1e-13)
    offsets = centers - off
    own = (weights[:, None] * np.square(offsets)).sum()
    assert_allclose(inertia, 1000.0 - 2 * (offsets * sums).sum() + own, rtol=1e-11)


def test_lost_digits_are_told():
    sums, weights, centers = np.ones((2, 2)), np.ones(2), np.zeros((2, 2))

    def lost(norm, weight):
        before = np.array([2.0, norm]), np.array([1.0, weight])
        return native.update_means(1, sums, weights, None, centers, 1.0, *before, None)[0]

    assert not lost(1e14, 1e7)
    assert lost(3e14, 1.0)
    assert lost(1.0, 2e7)


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize(("k", "d"), [(1, 1), (3, 2), (300, 200)])
def test_move_centers(k, d, shifted):
    rng = np.random.default_rng(0)
    sums, centers = rng.normal(size=(2, k, d))
    weights, shift = rng.random(k), rng.normal(size=d) if shifted else None
    counts = weights + rng.random(k)
    counts[0] = weights[0] = 0.0
    sums[0] = 0.0

    def call(rows):
        moved = np.empty((k, d))
        args = rows.threads, centers, shift, counts, sums, weights
        return native.move_centers(*args, moved), moved

    with options(least_work=1):
        center_shift, moved = with_threads(np.zeros((1, 1)), call)
    offsets = centers - (0.0 if shift is None else shift)
    step = (sums - offsets * weights[:, None]) / np.maximum(counts, 1e-300)[:, None]
    assert_allclose(moved, centers + step, rtol=1e-14)
    assert_allclose(center_shift, np.square(step).sum(), rtol=1e-13)
