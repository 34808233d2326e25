"""Rows in whole numbers of 16 bits, which seedings look at first, leave what they choose alone."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_lloyd._core import native, options

BY_DEFINITION, QUANTIZED = {"screen": 1}, {"screen": 16}
N_TRIALS = 5


def blobs(n_rows, n_features, seed=0):
    rng = np.random.RandomState(seed)
    centers = 3.0 * rng.normal(size=(12, n_features))
    return centers[rng.randint(12, size=n_rows)] + rng.normal(size=(n_rows, n_features))


def seeded(X, n_clusters=16, shift=None, weights=None, spare_bytes=1 << 30, n_threads=1):
    """The rows that are chosen; equal rows have equal keys."""
    n_rows = len(X)
    dense = np.asarray(X, np.float64)
    keys = np.unique(dense, axis=0, return_inverse=True)[1].ravel().astype(np.float64)
    offsets = dense if shift is None else dense - shift
    with np.errstate(over="ignore", invalid="ignore"):
        sq_norms = np.square(offsets).sum(axis=1)
        counts = sq_norms if weights is None else (sq_norms * weights)[weights > 0]
        rounded = sq_norms.astype(np.float32)
    seeding = native.seeding(
        n_threads, native.rows(X), weights, shift, rounded, float(counts.sum()), keys, n_clusters,
        N_TRIALS, spare_bytes,
    )  # fmt: skip
    uniforms = np.random.RandomState(0).uniform(size=(n_clusters - 1, N_TRIALS))
    chosen = np.empty(n_clusters - 1, np.int64)
    native.seeding_start(n_threads, seeding, n_rows // 2)
    n_done = native.seeding_add(n_threads, seeding, uniforms, chosen)
    return chosen[:n_done]


def check(X, **kwargs):
    with options(**BY_DEFINITION):
        expected = seeded(X, **kwargs)
    for more in ({}, {"block_rows": 50}, {"block_rows": 64, "least_work": 1}):
        with options(**QUANTIZED, **more):
            assert_array_equal(seeded(X, **kwargs), expected)
            assert_array_equal(seeded(X, **kwargs, n_threads=3), expected)
    return expected


@pytest.mark.parametrize("n_features", [1, 2, 3, 7, 8, 15, 16, 17, 33, 64, 129, 300])
def test_any_number_of_features(n_features):
    assert check(blobs(517, n_features)).size == 15


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, np.uint16, np.int64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_any_rows(dtype, order):
    X = (5 * np.abs(blobs(300, 9))).astype(dtype, order=order)
    check(X)


@pytest.mark.parametrize("scale", [1e-13, 1e-7, 1e-3, 1e3, 1e7, 1e13])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scales(scale, dtype):
    check((scale * blobs(300, 21)).astype(dtype))


def test_shift_and_rows_at_it():
    X = blobs(300, 20) + 1e4
    shift = X.mean(axis=0)
    X[::10] = shift
    X[1::50] = shift + 1e-9
    check(X, shift=shift)


def test_all_rows_near_the_shift_but_one():
    X = 1e-6 * blobs(300, 20)
    X[7] = 1e3
    check(X)


def test_rows_below_the_least_norm():
    X = blobs(300, 20)
    X[::3] *= 1e-16
    check(X)


@pytest.mark.parametrize("far", [1e6, 1e12, 1e18])
def test_outliers(far):
    X = blobs(300, 20)
    X[[3, 150, 299]] *= far
    check(X)


def test_one_value_has_the_whole_norm():
    """Codes are as large as they get, and so are sums of their products."""
    X = np.zeros((300, 40))
    X[np.arange(300), np.arange(300) % 3] = np.linspace(-1.0, 1.0, 300)
    check(X)


def test_near_ties():
    """Rows between two centres, but for the last digits."""
    rng = np.random.RandomState(0)
    X = blobs(20, 30)[rng.randint(20, size=(400, 2))].mean(axis=1)
    check(X + rng.choice([0, 1e-14, 1e-7, 1e-4], size=(400, 1)) * rng.normal(size=X.shape))


def test_rows_without_weight_may_be_anything():
    X, weights = blobs(300, 20), np.ones(300)
    weights[::7] = 0.0
    expected = check(X, weights=weights)
    for bad in (np.nan, np.inf, 1e200):
        X[7] = bad
        with options(**QUANTIZED):
            seeded(X, weights=weights)  # ends
    assert (weights[expected] > 0.0).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("spare_bytes", [0, 1 << 30])
def test_when_it_pays_by_itself(dtype, spare_bytes):
    X = np.round(20 + 3 * blobs(700, 64)).clip(0, 255).astype(dtype)
    with options(**BY_DEFINITION):
        expected = seeded(X, n_clusters=40)
    assert_array_equal(seeded(X, n_clusters=40, spare_bytes=spare_bytes), expected)
