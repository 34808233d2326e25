"""Projections on a few axes, from which passes take bounds, leave all labels alone."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_lloyd._core import native, options
from sklearn_lloyd._solvers._clusters import ClusterSums

N_CLUSTERS, N_FEATURES = 40, 70
BY_DEFINITION, PLAIN, PROJECTED = {"screen": 1}, {}, {"screen": 16}


def low_rank(n_rows=600, n_features=N_FEATURES, rank=6, noise=0.3, seed=0):
    rng = np.random.RandomState(seed)
    X = rng.normal(size=(n_rows, rank)) @ rng.normal(size=(rank, n_features))
    return X + noise * rng.normal(size=X.shape)


def passes(X, way, *, n_passes=6, bounded=True, shift=None, n_clusters=N_CLUSTERS, n_threads=1):
    """Labels, what changed, how many rows were compared, and the sums, pass by pass."""
    rows, labels = native.rows(X), np.full(len(X), -1, np.int32)
    start = np.linspace(0, len(X) - 1, n_clusters).astype(int)
    centers = np.asarray(X, np.float64)[start]
    clusters, found = ClusterSums(n_clusters, X.shape[1]), []
    with options(least_work=1, **way):
        about = rows, None, shift, n_clusters, bounded, labels, 1 << 30
        assigner = native.assigner(n_threads, *about)
        for _ in range(n_passes):
            told = native.assign(n_threads, assigner, centers, *clusters.arrays)
            found.append((labels.copy(), told, clusters.sums.copy()))
            some = clusters.members > 0
            means = clusters.sums[some] / clusters.weights[some, np.newaxis]
            centers = centers.copy()
            centers[some] = means if shift is None else means + shift
    return found


def check(X, **kwargs):
    """The same passes by the definition, by all features and by the projection."""
    expected = passes(X, BY_DEFINITION, **kwargs)
    of_few = {**PROJECTED, "fast_centers": 4}
    for way in (PLAIN, PROJECTED, {**PROJECTED, "block_rows": 50}, of_few):
        for step, other in zip(passes(X, way, **kwargs), expected, strict=True):
            assert_array_equal(step[0], other[0])
            assert step[1][0] == other[1][0]
            if "block_rows" not in way:
                assert_array_equal(step[2], other[2])


@pytest.mark.parametrize("bounded", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
@pytest.mark.parametrize("n_features", [33, 64, 70, 200, 1000])
def test_any_rows(n_features, dtype, bounded):
    X = 100 * low_rank(n_features=n_features)
    check(X.astype(dtype), bounded=bounded)
    check(np.asfortranarray(X.astype(dtype))[::-1, ::-1], bounded=bounded, n_passes=3)


@pytest.mark.parametrize("scale", [1e-13, 1e-7, 1e7, 1e13])
def test_any_scale(scale):
    check((scale * low_rank()).astype(np.float32))
    check(scale * low_rank(noise=0.0))


@pytest.mark.parametrize("noise", [0.0, 1e-9, 1e-6, 1e-3, 1.0, 100.0])
@pytest.mark.parametrize("rank", [1, 6, 31, 40])
def test_any_rank(rank, noise):
    """From rows that lie on fewer axes than are wanted to those that lie on none."""
    check(low_rank(rank=rank, noise=noise).astype(np.float32))


def test_shift_and_rows_at_it():
    X = low_rank() + 1000.0
    shift = np.full(N_FEATURES, 1000.0)
    X[5:200:7] = shift
    check(X, shift=shift)
    check(X.astype(np.float32), shift=shift)
    check(np.zeros((200, N_FEATURES)) + (np.arange(200) < 2)[:, np.newaxis], n_clusters=3)


@pytest.mark.parametrize("size", [1e3, 1e9, 1e17, 1e30])
def test_outliers(size):
    X = low_rank()
    X[3] *= size
    X[-7, 2] = -size
    check(X)
    check(X.astype(np.float32))


def test_near_ties():
    """Rows half way between two centres, but for a few units in the last place."""
    rng = np.random.RandomState(0)
    X = low_rank(noise=0.1)
    halves = X[np.linspace(0, len(X) - 1, N_CLUSTERS).astype(int)][
        rng.randint(N_CLUSTERS, size=(400, 2))
    ].mean(axis=1)
    halves += rng.normal(size=halves.shape) * rng.choice([0, 1e-15, 1e-8, 1e-6], size=(400, 1))
    X[100:500] = halves
    check(X, n_passes=3)
    check(np.repeat(X[:60], 4, axis=0), n_clusters=80)  # centres repeat


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rows_that_are_not_finite_hang_nothing(bad):
    X = low_rank()
    X[7, 2] = bad
    assert passes(X, PROJECTED, n_passes=4)[-1][0].max() < N_CLUSTERS


def test_by_itself():
    """Where it pays, by any number of threads; bounds still pass over most rows in the end."""
    X = low_rank(9000, 128, noise=0.2).astype(np.float32)
    plain = passes(X, {"screen": 64}, n_passes=30)
    for n_threads in (1, 3):
        found = passes(X, PLAIN, n_passes=30, n_threads=n_threads)
        for step, other in zip(found, plain, strict=True):
            assert_array_equal(step[0], other[0])
            assert_array_equal(step[2], other[2])
        assert found[-1][1][1] < 1.5 * plain[-1][1][1] + 100 < len(X)
