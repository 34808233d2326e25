"""The nearest centre by the core: in passing, and pass after pass of an assigner."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sklearn_lloyd._core import native, options
from sklearn_lloyd._rows import Rows

N_FEATURES = [1, 2, 3, 7, 8, 9, 16, 33, 129, 300]
SCREENS = [0, 1, 16, 32, 64]


def definition(rows, centers):
    """Squared distances (n_rows, n_centers), summed as the definition has it."""
    rows = rows.toarray() if sparse.issparse(rows) else np.asarray(rows)
    rows = np.ascontiguousarray(rows, np.float64)
    out = np.empty((len(rows), len(centers)))
    for start in range(0, len(rows), 64):
        differences = rows[start : start + 64, np.newaxis, :] - centers
        with np.errstate(over="ignore", invalid="ignore"):
            squares = np.square(differences)
            if squares.shape[-1] < 8:  # one after the other, as NumPy does with so few
                total = squares[..., 0].copy()
                for j in range(1, squares.shape[-1]):
                    total += squares[..., j]
            else:
                total = squares.sum(axis=-1)
        out[start : start + 64] = total
    return out


def labelled(X, centers, shift=None, **kwargs):
    rows = Rows(X, 2)
    labels = np.empty(rows.shape[0], np.int32)
    distances = np.empty(rows.shape[0])
    arrays = None, kwargs.get("weights"), shift, centers, labels, distances
    native.label(rows.threads, rows.native, *arrays, None, None, None, False)
    return labels, distances


def laid_out(X, layout):
    if layout == "strided":
        wide = np.zeros((2 * len(X), 2 * X.shape[1]), X.dtype)
        wide[::2, 1::2] = X
        return wide[::2, 1::2]
    if layout == "reversed":
        return np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1]
    if layout == "swapped":
        return X.astype(X.dtype.newbyteorder())
    return np.array(X, order=layout)


@pytest.mark.parametrize("layout", ["C", "F", "strided", "reversed", "swapped"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int8, np.uint64, bool])
def test_any_rows(dtype, layout):
    rng = np.random.RandomState(0)
    X = laid_out((30 * rng.normal(size=(150, 11))).astype(np.int64).astype(dtype), layout)
    centers = rng.normal(size=(9, 11)) * (1 if dtype is bool else 30)
    for shift in (None, rng.normal(size=11)):
        labels, distances = labelled(X, centers, shift)
        expected = definition(X, centers)
        assert_array_equal(labels, expected.argmin(axis=1))
        assert_array_equal(distances, expected.min(axis=1))  # to the last bit


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("n_features", N_FEATURES)
def test_near_ties(n_features, screen):
    """Rows half way between two centres, but for a few units in the last place."""
    rng = np.random.RandomState(n_features)
    centers = rng.normal(size=(13, n_features))
    pairs = rng.randint(13, size=(200, 2))
    X = centers[pairs].mean(axis=1)
    X += rng.normal(size=X.shape) * rng.choice([0, 1e-16, 1e-12, 1e-7, 1e-3], size=(200, 1))
    for rows in (X, X.astype(np.float32), X + 1000.0):
        moved = centers + 1000.0 if rows is not X and rows.dtype == np.float64 else centers
        shift = np.full(n_features, 1000.0) if moved is not centers else None
        with options(screen=screen, block_rows=64):
            labels, _ = labelled(rows, moved, shift)
        assert_array_equal(labels, definition(rows, moved).argmin(axis=1))


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 2**31 - 1),
    n_features=st.integers(1, 40),
    n_clusters=st.integers(1, 20),
    screen=st.sampled_from(SCREENS),
    as_sparse=st.booleans(),
)
def test_exact_ties_go_to_the_lowest_index(seed, n_features, n_clusters, screen, as_sparse):
    rng = np.random.RandomState(seed)
    X = rng.randint(-2, 3, size=(60, n_features)) / 10.0
    centers = rng.randint(-2, 3, size=(n_clusters, n_features)) / 10.0
    with options(screen=screen):
        labels, _ = labelled(sparse.csr_matrix(X) if as_sparse else X, centers)
    assert_array_equal(labels, definition(X, centers).argmin(axis=1))


def test_dense_is_sparse_where_sums_round():
    X = np.array([[0.9]])
    centers = np.array([[0.8], [1.0]])
    assert_array_equal(labelled(X, centers)[0], labelled(sparse.csr_matrix(X), centers)[0])


@pytest.mark.parametrize("as_sparse", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("scale", [1e-150, 1e-25, 1e-15, 1e15, 1e25, 1e150])
def test_huge_and_tiny(scale, dtype, as_sparse):
    if dtype == np.float32 and not 1e-30 < scale < 1e30:
        return
    rng = np.random.RandomState(0)
    X = (rng.normal(size=(200, 5)) * scale).astype(dtype)
    X = sparse.csr_matrix(X) if as_sparse else X
    centers = rng.normal(size=(6, 5)) * scale
    assert_array_equal(labelled(X, centers)[0], definition(X, centers).argmin(axis=1))


@pytest.mark.parametrize("as_sparse", [False, True])
def test_center_whose_norm_overflows_float32(as_sparse):
    X = np.array([[1e25, 0.0], [1.0, 1.0], [0.0, 3e18]], np.float32)
    X = sparse.csr_matrix(X) if as_sparse else X
    centers = np.array([[9e24, 0.0], [0.0, 1.0], [0.0, 3e18]])
    assert_array_equal(labelled(X, centers)[0], [0, 1, 2])


@pytest.mark.parametrize("as_sparse", [False, True])
def test_repeated_centers_get_no_rows(as_sparse):
    rng = np.random.RandomState(0)
    X = rng.normal(size=(100, 3))
    centers = np.concatenate([X[:3], X[1:2], X[4:6], X[:1]])
    labels, _ = labelled(sparse.csr_matrix(X) if as_sparse else X, centers)
    assert_array_equal(labels, definition(X, centers).argmin(axis=1))
    assert not np.isin(labels, [3, 6]).any()


@pytest.mark.parametrize("way", [{}, {"screen": 16}, {"screen": 32}, {"screen": 64}])
@pytest.mark.parametrize("as_sparse", [False, True])
def test_magnitudes_side_by_side(as_sparse, way):
    """Tiny and huge rows in one problem, and centres that come twice among large ones."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(400, 4)) * 10.0 ** rng.choice([-22, -6, 0, 6, 18, 25, 45], size=(400, 1))
    far = np.array([[5e18], [5e18], [-5e18], [1e9]]) * np.ones(4)
    centers = np.concatenate([X[:20] * (1 + 1e-3 * rng.normal(size=(20, 1))), far, X[3:5]])
    given = sparse.csr_matrix(X) if as_sparse else X
    labels = np.full(400, -1, np.int32)
    with options(block_rows=64, **way):
        assert_array_equal(labelled(given, centers)[0], definition(X, centers).argmin(axis=1))
        rows = Rows(given, 2)
        assigner = native.assigner(2, rows.native, None, None, len(centers), True, labels, 0)
        for step in (0.0, 1e-9, 1e-3, 1.0):
            centers = centers * (1 + step * rng.normal(size=centers.shape))
            native.assign(2, assigner, centers, None, None, None)
            assert_array_equal(labels, definition(X, centers).argmin(axis=1))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_rows_that_are_not_finite_hang_nothing(bad):
    X = np.random.RandomState(0).normal(size=(100, 4))
    X[7, 2] = bad
    for rows in (X, X.astype(np.float32), sparse.csr_matrix(X)):
        found = Rows(rows, 1)
        labels = np.empty(100, np.int32)
        arrays = None, None, None, X[:5].copy(), labels, None, None, None, None
        _, finite = native.label(1, found.native, *arrays, False)
        assert not finite
        assert labels[7] in range(5)
        others = np.arange(100) != 7
        assert_array_equal(labels[others], definition(X, X[:5])[others].argmin(axis=1))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("as_sparse", [False, True])
def test_sums_and_inertia_of_some_rows(as_sparse, weighted):
    rng = np.random.RandomState(0)
    X, centers = rng.normal(size=(300, 6)), rng.normal(size=(4, 6))
    index = rng.randint(300, size=500)
    weights = rng.randint(3, size=300).astype(float) if weighted else None
    w = np.ones(300) if weights is None else weights
    shift = None if as_sparse else rng.normal(size=6)
    rows = Rows(sparse.csr_matrix(X) if as_sparse else X, 2)
    labels, sums = np.empty(500, np.int32), np.zeros((4, 6))
    of_clusters, members = np.zeros(4), np.zeros(4, np.int64)
    with options(block_rows=64, least_work=1):
        inertia, finite = native.label(
            2, rows.native, index, weights, shift, centers, labels, None, sums, of_clusters,
            members, True,
        )  # fmt: skip
    expected = definition(X[index], centers)
    assert finite
    assert_array_equal(labels, expected.argmin(axis=1))
    assert_allclose(inertia, (w[index] * expected.min(axis=1)).sum())
    assert_array_equal(members, np.bincount(labels[w[index] > 0], minlength=4))
    assert_allclose(of_clusters, np.bincount(labels, w[index], 4))
    by_hand = np.zeros((4, 6))
    np.add.at(by_hand, labels, w[index, np.newaxis] * (X[index] - (0 if as_sparse else shift)))
    assert_allclose(sums, by_hand, atol=1e-12)


CASES = [(303, 2, 3), (700, 3, 20), (900, 5, 40), (600, 17, 70), (500, 64, 30), (900, 2, 300)]


@pytest.mark.parametrize(
    ("dtype", "as_sparse"), [(np.float32, False), (np.float64, False), (np.float64, True)]
)
@pytest.mark.parametrize(("n_rows", "n_features", "n_clusters"), CASES)
def test_passes_of_an_assigner(n_rows, n_features, n_clusters, dtype, as_sparse):
    """Labels are the definition's in each pass, whatever is looked at; sums are kept."""
    rng = np.random.RandomState(0)
    X = rng.normal(size=(n_rows, n_features)) + 2 * rng.randint(5, size=(n_rows, 1))
    X = X.astype(dtype)
    X = sparse.csr_matrix(np.where(X > 0, X, 0)) if as_sparse else X
    dense = np.asarray(X.toarray() if as_sparse else X, np.float64)
    weights = rng.randint(3, size=n_rows).astype(float)
    ways = [
        {}, {"screen": 64}, {"screen": 1}, {"screen": 16}, {"fast_centers": 8},
        {"fast_centers": 64, "block_rows": 64, "least_work": 1},
    ]  # fmt: skip
    distinct = np.unique(dense, axis=0)  # where centres repeat, all rows are looked at
    first = distinct[rng.choice(len(distinct), n_clusters, replace=False)]
    for bounded, way in [(False, {}), *((True, way) for way in ways)]:
        centers, n_looked = first, []
        labels, before = np.full((2, n_rows), -1, np.int32)
        sums, of_clusters = np.zeros_like(first), np.zeros(n_clusters)
        members = np.zeros(n_clusters, np.int64)
        with options(**way):
            rows = Rows(X, 3)
            about = rows.native, weights, None, n_clusters, bounded, labels
            assigner = native.assigner(3, *about, 1 << 30)
            for _ in range(12):
                found = native.assign(3, assigner, centers, sums, of_clusters, members)
                assert_array_equal(labels, definition(dense, centers).argmin(axis=1))
                assert found[0] == (labels != before).sum()
                n_looked.append(found[1])
                assert_array_equal(members, np.bincount(labels[weights > 0], minlength=n_clusters))
                by_hand = np.zeros_like(sums)
                np.add.at(by_hand, labels, weights[:, np.newaxis] * dense)
                assert_allclose(sums, by_hand, atol=1e-9)
                before = labels.copy()
                some = of_clusters > 0
                centers = centers.copy()
                centers[some] = sums[some] / of_clusters[some, np.newaxis]
        assert n_looked[0] == n_rows
        # Without a screen, or where centres are equal, nothing is known of how far others are.
        if not as_sparse:
            assert (n_looked[-1] < n_rows) == (bounded and way.get("screen") != 1)


def test_bounds_pass_over_most_rows_in_the_end():
    rng = np.random.RandomState(0)
    X = rng.normal(size=(5000, 3)) + 5 * rng.randint(6, size=(5000, 1))
    rows, labels = Rows(X, 1), np.full(5000, -1, np.int32)
    assigner = native.assigner(1, rows.native, None, None, 12, True, labels, 0)
    sums = np.zeros((12, 3)), np.zeros(12), np.zeros(12, np.int64)
    centers = X[:12].copy()
    for _ in range(40):
        _, n_looked, n_open = native.assign(1, assigner, centers, *sums)
        centers = sums[0] / sums[1][:, np.newaxis]
    assert n_looked < 1000
    assert n_open < 50


@pytest.mark.parametrize("block_rows", [1, 2, 3, 5, 9])
def test_blocks_of_few_rows(block_rows):
    # Tiles of float32 have more rows than those of float64: either is to have room in the memory.
    X = np.random.RandomState(0).normal(size=(40, 2))
    for way in ({"screen": 32}, {"screen": 64}, {"screen": 16}):
        labels, sums = (
            np.full(40, -1, np.int32),
            (np.zeros((5, 2)), np.zeros(5), np.zeros(5, np.int64)),
        )
        with options(block_rows=block_rows, least_work=1, **way):
            assigner = native.assigner(7, native.rows(X), None, None, 5, True, labels, 1 << 30)
            for centers in (X[:5].copy(), X[5:10].copy(), X[:5].copy()):
                native.assign(7, assigner, centers, *sums)
                assert_array_equal(labels, definition(X, centers).argmin(axis=1))
