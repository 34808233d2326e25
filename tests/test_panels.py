"""What is computed in registers, against NumPy."""

import os
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from llvmlite.binding import get_host_cpu_features
from numba import njit
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_lloyd._kernels._numba import _codes, _panels, _rows, _simd, _vectors

FLOATS = [np.float32, np.float64]


@njit
def fold(panel, table, norms, best, second, label):
    _simd.fold_panel(panel, table, norms, best, second, label, 0)


@njit
def compare(panel, table, norms, bound, masks, rest):
    _simd.compare_panel(panel, table, norms, bound, masks, rest)


@njit
def improve(panel, table, norms, start, target, reach, weight, trials, gains):
    _simd.improve_panel(panel, table, norms, start, target, reach, weight, trials, gains)


@njit
def products(rows, table, out):
    for r in range(len(rows)):
        for c in range(len(table)):
            out[r, c] = _simd.product(rows[r], table, c)


@njit
def fill(X, index, first, shift, panel):
    _panels.fill_panel(X, index, first, shift, panel)


@njit
def pad(index, n, n_lanes):
    _panels.pad_index(index, n, n_lanes)


@njit
def list_open(n, best, second, off, flags, out):
    return _rows.open_rows(n, best, second, off, flags, out)


@njit
def lowest(mask):
    return _simd.lowest_bit(mask)


def example(n_features, n_centers, dtype, seed=0):
    rng = np.random.default_rng(seed)
    panel = rng.normal(size=(n_features, _vectors.lanes(dtype))).astype(dtype)
    table = rng.normal(size=(n_centers, n_features)).astype(dtype)
    norms = rng.random(n_centers).astype(dtype)
    exact = table.astype(np.float64) @ panel + norms[:, np.newaxis]
    # What the sum of the absolute terms allows for.
    eps = np.finfo(dtype).eps / 2
    terms = np.abs(table.astype(np.float64)) @ np.abs(panel) + norms[:, np.newaxis]
    return panel, table, norms, exact, terms * eps * (_vectors.sum_terms(n_features) + 2)


SHAPES = [(1, 4), (2, 8), (3, 4), (4, 12), (5, 4), (15, 8), (16, 4), (17, 12), (64, 8), (133, 20)]
SHAPES += [(784, 4)]


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("n_features", "n_centers"), SHAPES)
def test_two_least(n_features, n_centers, dtype):
    panel, table, norms, exact, off = example(n_features, n_centers, dtype)
    best, second = np.empty((2, panel.shape[1]), dtype)
    label = np.empty(panel.shape[1], np.int32)
    fold(panel, table, norms, best, second, label)
    order = np.sort(exact, axis=0)
    assert (np.abs(best - order[0]) <= off.max(axis=0)).all()
    assert (np.abs(second - order[1]) <= off.max(axis=0)).all()
    assert_array_equal(label, exact.argmin(axis=0))


@pytest.mark.parametrize("dtype", FLOATS)
def test_two_least_of_equals_and_of_what_is_no_number(dtype):
    panel, table, norms, _, _ = example(5, 8, dtype)
    table[:] = table[0]
    norms[:] = norms[0]
    best, second = np.empty((2, panel.shape[1]), dtype)
    label = np.empty(panel.shape[1], np.int32)
    fold(panel, table, norms, best, second, label)
    assert_array_equal(best, second)
    assert not label.any()  # the first of equals
    norms[:4] = np.nan
    fold(panel, table, norms, best, second, label)
    assert_array_equal(label, 4)
    norms[:] = np.nan
    fold(panel, table, norms, best, second, label)
    assert np.isposinf(best).all()
    assert np.isposinf(second).all()


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("n_features", "n_centers"), SHAPES)
def test_within_a_bound(n_features, n_centers, dtype):
    panel, table, norms, exact, _ = example(n_features, n_centers, dtype)
    bound = np.median(exact, axis=0).astype(dtype) + dtype(0.01)
    bound[0], bound[1] = np.inf, -np.inf
    norms[1] = np.nan
    exact[1] = np.nan
    masks, rest = np.empty(n_centers, np.uint32), np.empty(panel.shape[1], dtype)
    compare(panel, table, norms, bound, masks, rest)
    within = masks[:, np.newaxis] >> np.arange(panel.shape[1]) & 1 == 1
    assert_array_equal(within, ~(exact > bound))  # what is no number is within
    above = np.where(exact > bound, exact, np.inf).min(axis=0)
    assert_allclose(rest, above, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("n_features", "n_centers"), SHAPES)
def test_improvements(n_features, n_centers, dtype):
    panel, table, norms, exact, _ = example(n_features, n_centers, dtype)
    rng = np.random.default_rng(1)
    weight = rng.random(panel.shape[1]).astype(dtype)
    target = np.median(exact, axis=0).astype(dtype) + dtype(0.01)
    target[0] = -np.inf
    reach = target + dtype(0.5)
    gains = np.ones((n_centers, panel.shape[1]), dtype)
    before = np.full(3, np.nan, dtype)  # what else there is in the tile
    tile = [np.concatenate([before, values]) for values in (target, reach, weight)]
    trials = np.full(len(tile[0]), -1, np.int32)
    improve(panel, table, norms, len(before), *tile, trials, gains)
    assert_array_equal(trials[: len(before)], -1)
    noted = trials[len(before) :] >> np.arange(n_centers)[:, np.newaxis] & 1 == 1
    assert_array_equal(noted, ~(exact > reach))
    expected = 1.0 + weight * np.maximum(target - exact, 0.0)  # added to what was there
    assert_allclose(gains, expected, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("n_features", "n_centers"), SHAPES)
def test_product(n_features, n_centers, dtype):
    panel, table, norms, exact, off = example(n_features, n_centers, dtype)
    out = np.empty((panel.shape[1], n_centers), dtype)
    products(np.ascontiguousarray(panel.T), table, out)
    assert (np.abs(out.T + norms[:, np.newaxis].astype(np.float64) - exact) <= off).all()


def test_lowest_bit():
    for bit in range(32):
        assert lowest(np.uint32(1 << bit)) == bit
        assert lowest(np.uint32((0xFFFFFFFF << bit) & 0xFFFFFFFF)) == bit


def strided(X):
    wide = np.zeros((2 * X.shape[0], X.shape[1] + 3), X.dtype)
    wide[::2, 3:] = X
    return wide[::2, 3:]


# Each of these is a compilation of its own: what X is, how it lies, what the panel is.
ROWS_TO_PANELS = [
    *product(FLOATS, [np.ascontiguousarray], FLOATS),
    (np.uint8, np.ascontiguousarray, np.float32),
    (np.int64, np.ascontiguousarray, np.float64),
    *product([np.float64], [np.asfortranarray, strided], FLOATS),
    (np.float32, np.asfortranarray, np.float32),
    (np.uint8, strided, np.float32),
]


@pytest.mark.parametrize(("kind", "lay_out", "dtype"), ROWS_TO_PANELS)
@pytest.mark.parametrize("n_features", [1, 4, 13, 40])
def test_rows_of_a_panel(n_features, kind, lay_out, dtype):
    rng = np.random.default_rng(0)
    X = lay_out(rng.integers(0, 99, (50, n_features)).astype(kind))
    X.flags.writeable = False  # which the kernels are compiled for anyway
    n_lanes = _vectors.lanes(dtype)
    shift = rng.normal(size=n_features)
    lists = {
        "side by side": np.arange(3, 3 + n_lanes),
        "here and there": np.sort(rng.choice(50, n_lanes, replace=False)),
        # As far apart as if they were side by side.
        "padded": np.array([2, *(n_lanes - 1) * [n_lanes + 1]]),
    }
    for off in (np.empty(0), shift):
        for index in lists.values():
            panel = np.full((n_features, n_lanes), np.nan, dtype)
            index = np.concatenate([[0], index])  # it starts somewhere in a longer list
            fill(X, index, 1, off, panel)
            rows = X[index[1:]].astype(np.float64) - (off if off.size else 0.0)
            assert_array_equal(panel, rows.T.astype(dtype))


def test_padding():
    index = np.arange(100, 140)
    pad(index, 18, 16)
    assert_array_equal(index[:18], np.arange(100, 118))
    assert_array_equal(index[18:32], 117)
    assert_array_equal(index[32:], np.arange(132, 140))


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
@pytest.mark.parametrize("n", [0, 1, 7, 8, 9, 255, 256, 257, 1000])
def test_rows_that_scores_leave_open(n, share):
    is_open = np.random.default_rng(n).random(n) < share
    best, off = np.zeros(n), np.ones(n)
    second = np.where(is_open, 1.0, 2.0)
    second[is_open.nonzero()[0][::2]] = np.nan  # what is no number proves nothing
    flags, out = np.full(_rows.FLAGS, 77, np.uint8), np.full(n + 1, -1)
    n_open = list_open(n, best, second, off, flags, out[:n])
    assert_array_equal(out[:n_open], is_open.nonzero()[0])
    assert out[n] == -1


@njit
def encode(panel, scales, codes):
    _codes.encode_panel(panel, scales, codes)


@njit
def fold_in_codes(codes, table, norms, factors, scales, scores, best, second, label):
    _codes.fold_codes(codes, table, norms, factors, scales, scores, best, second, label, 0)


@njit
def near_in_codes(scores, bounds, masks):
    _codes.near_scores(scores, bounds, masks)


@njit
def compare_in_codes(codes, table, norms, factors, scales, bounds, masks, rest):
    _codes.compare_codes(codes, table, norms, factors, scales, bounds, masks, rest)
    return _codes.any_near(codes, table, norms, factors, scales, bounds)


def coded(rows, n_pairs):
    """Whole numbers, features side by side, as a panel or table holds them."""
    padded = np.zeros((len(rows), 2 * n_pairs), np.int16)
    padded[:, : rows.shape[1]] = rows
    return padded.view(np.int32)


@pytest.mark.parametrize("n_features", [1, 2, 7, 32, 33])
def test_panel_of_codes(n_features):
    rng = np.random.default_rng(n_features)
    panel = rng.normal(size=(n_features, _codes.LANES)).astype(np.float32)
    panel[0, :2] = 0.5, -0.5
    scales = rng.uniform(1, 1000, _codes.LANES).astype(np.float32)
    scales[:2] = 3.0
    codes = np.full((-(-n_features // 2), _codes.LANES), 99, np.int32)
    encode(panel, scales, codes)
    scaled = panel * scales
    whole = np.ascontiguousarray(codes.T).view(np.int16)[:, :n_features].T
    assert np.abs(whole - scaled).max() <= 0.5 + 1e-3
    assert_array_equal(whole[0, :2], [2, -2])  # 1.5 is rounded away from zero
    assert_array_equal(codes, coded(whole.T, len(codes)).T)


@pytest.mark.parametrize("n_features", [1, 2, 7, 32, 33])
@pytest.mark.parametrize("n_centers", [4, 20])
def test_scores_of_codes(n_features, n_centers):
    rng = np.random.default_rng(n_features)
    largest = int(32766 / np.sqrt(n_features))  # no sum overflows, even if all are
    rows = rng.integers(-largest, largest + 1, size=(_codes.LANES, n_features))
    centers = rng.integers(-largest, largest + 1, size=(n_centers, n_features))
    rows[0], centers[0], centers[1] = -largest, largest, -largest
    n_pairs = -(-n_features // 2)
    panel, table = np.ascontiguousarray(coded(rows, n_pairs).T), coded(centers, n_pairs)
    norms, scales = (rng.uniform(1, 2, n).astype(np.float32) for n in (n_centers, _codes.LANES))
    factors = (-rng.uniform(1, 2, n_centers) / largest**2).astype(np.float32)
    scores = (centers @ rows.T) * factors[:, np.newaxis] + norms[:, np.newaxis] * scales
    best, second = np.empty((2, _codes.LANES), np.float32)
    label = np.empty(_codes.LANES, np.int32)
    kept = np.empty((n_centers, _codes.LANES), np.float32)
    fold_in_codes(panel, table, norms, factors, scales, kept, best, second, label)
    assert_allclose(kept, scores, rtol=1e-5, atol=1e-4)
    least = np.sort(scores, axis=0)
    assert_array_equal(label, scores.argmin(axis=0))
    assert_allclose([best, second], least[:2], rtol=1e-5, atol=1e-4)
    bounds = ((least[1] + least[2]) / 2).astype(np.float32)
    bounds[3] = -np.inf
    masks, rest = np.empty(n_centers, np.uint32), np.empty(_codes.LANES, np.float32)
    near = compare_in_codes(panel, table, norms, factors, scales, bounds, masks, rest)
    within = scores <= bounds
    assert_array_equal(masks, (within << np.arange(_codes.LANES)).sum(axis=1))
    assert near == (within.any(axis=0) << np.arange(_codes.LANES)).sum()
    masks[:] = 0
    near_in_codes(kept, bounds, masks)
    assert_array_equal(masks, (within << np.arange(_codes.LANES)).sum(axis=1))
    assert_allclose(rest, np.where(within, np.inf, scores).min(axis=0), rtol=1e-5, atol=1e-4)


@pytest.mark.skipif(
    not get_host_cpu_features().get("avx512bw"), reason="the processor has no other registers"
)
def test_other_registers():
    """The products again, as compiled for a processor that has no registers of 64 bytes."""
    narrow = {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma"}
    tests = "two_least or within_a_bound or improvements or product or codes or rows_of_a_panel"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    command += ["-k", f"({tests}) and not float64"]
    done = subprocess.run(
        command, env={**os.environ, **narrow}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
