"""The kernels against plain NumPy in float64."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sklearn_lloyd import KMeans
from sklearn_lloyd._chunks import Chunks
from sklearn_lloyd._kernels import (
    CenterTable,
    _numpy,
    _products,
    _sums,
    gap_to,
    label_sums,
    moments,
    nearest,
    norms_and_keys,
    own_sq_distances,
    sq_distances_to,
    sq_distances_to_all,
    trial_gains,
)

thorough = settings(max_examples=200, derandomize=True, deadline=None)
quick = settings(max_examples=60, derandomize=True, deadline=None)

FLOATS = (np.float32, np.float64)
N_FEATURES = (1, 2, 3, 7, 8, 9, 24, 25, 40)  # around the limits that the kernels have
N_CLUSTERS = (1, 2, 3, 5, 16, 17, 161)
seeds = st.integers(0, 2**32 - 1)


def definition(rows, centers):
    """Squared distances (n_rows, n_clusters) in float64, as the package defines them."""
    if sparse.issparse(rows):
        rows = rows.toarray()
    rows = np.array(rows, np.float64, order="C")
    differences = rows[:, np.newaxis, :] - np.asarray(centers, np.float64)
    return np.ascontiguousarray(np.square(differences)).sum(axis=-1)


def assign(rows, centers, *, shift=None, guess=None, dtype=np.float32, few=0, **options):
    """`nearest`; with `few=0` even small problems go through the screen."""
    n_terms = rows.shape[1]
    table = CenterTable(np.asarray(centers), shift, n_terms)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_numpy, "_FEW", few)
        return nearest(
            rows, options.pop("sq_norms", None), guess, table, dtype, {}, options.pop("gap", False)
        )


def laid_out(rows, layout):
    """The same rows, elsewhere in memory."""
    if layout == "F":
        return np.asfortranarray(rows)
    if layout == "strided":
        wide = np.zeros((2 * rows.shape[0], rows.shape[1] + 3), rows.dtype)
        wide[::2, 1:-2] = rows
        return wide[::2, 1:-2]
    if layout == "reversed":
        return rows[::-1].copy()[::-1]
    return np.ascontiguousarray(rows)


def random_rows(rng, n_rows, n_features, dtype, scale=1.0):
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return (rng.standard_normal((n_rows, n_features)) * scale).astype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, (n_rows, n_features)).astype(bool)
    low = -50 if dtype.kind == "i" else 0
    return rng.integers(low, 50, (n_rows, n_features)).astype(dtype)


def guesses(rng, right, n_clusters):
    return {
        "none": None,
        "right": right.copy(),
        "wrong": (right + 1) % n_clusters,
        "random": rng.integers(0, n_clusters, right.size),
    }


@thorough
@given(
    seed=seeds,
    n_rows=st.integers(1, 70),
    n_clusters=st.sampled_from(N_CLUSTERS),
    n_features=st.sampled_from(N_FEATURES),
    dtype=st.sampled_from(["f4", "f8", "i4", "i8", "u1", "bool"]),
    center_dtype=st.sampled_from(FLOATS),
    screen=st.sampled_from(FLOATS),
    guess=st.sampled_from(["none", "right", "wrong", "random"]),
    shifted=st.booleans(),
    layout=st.sampled_from(["C", "F", "strided", "reversed"]),
    few=st.sampled_from([0, 1 << 14]),
    scale=st.sampled_from([1e-9, 1.0, 1e9]),
)
def test_nearest_is_the_definition(
    seed,
    n_rows,
    n_clusters,
    n_features,
    dtype,
    center_dtype,
    screen,
    guess,
    shifted,
    layout,
    few,
    scale,
):
    rng = np.random.default_rng(seed)
    rows = random_rows(rng, n_rows, n_features, dtype, scale)
    spread = np.abs(rows.astype(float)).max()
    centers = (spread * rng.standard_normal((n_clusters, n_features))).astype(center_dtype)
    shift = np.round(rng.standard_normal(n_features), 2) * spread if shifted else None
    sq_distances = definition(rows, centers)
    right = sq_distances.argmin(axis=1)
    labels, gap, n_hard = assign(
        laid_out(rows, layout),
        centers,
        shift=shift,
        guess=guesses(rng, right, n_clusters)[guess],
        dtype=screen,
        few=few,
        gap=True,
    )
    assert labels.dtype == np.intp
    assert_array_equal(labels, right)
    assert 0 <= n_hard <= n_rows
    distances = np.sqrt(sq_distances)
    own = distances[np.arange(n_rows), right]
    distances[np.arange(n_rows), right] = np.inf
    room = distances.min(axis=1) - own
    # Float32 holds the gap; what is stored may be rounded up by half a digit of it.
    assert (gap <= room * (1 + 2.0**-23) + 1e-30).all()


@quick
@given(
    seed=seeds,
    n_features=st.sampled_from(N_FEATURES),
    dtype=st.sampled_from(FLOATS),
    screen=st.sampled_from(FLOATS),
    offset=st.sampled_from([0.0, 3.0, 1e4, 1e7]),
    with_shift=st.booleans(),
    guess=st.sampled_from(["none", "right", "wrong", "random"]),
    few=st.sampled_from([0, 1 << 14]),
)
def test_near_ties(seed, n_features, dtype, screen, offset, with_shift, guess, few):
    # Rows on the plane between two centres, then moved by no, one or two units in the last
    # place. The offset leaves float32 products few digits to tell with.
    rng = np.random.default_rng(seed)
    centers = rng.standard_normal((4, n_features)) + offset
    across = centers[1] - centers[0]
    across /= np.linalg.norm(across)
    rows = rng.standard_normal((40, n_features)) + offset
    rows -= ((rows - (centers[0] + centers[1]) / 2) @ across)[:, np.newaxis] * across
    rows = rows.astype(dtype)
    steps = rng.integers(-2, 3, rows.shape)
    for step in range(1, 3):
        rows = np.where(steps >= step, np.nextafter(rows, dtype(np.inf)), rows)
        rows = np.where(steps <= -step, np.nextafter(rows, dtype(-np.inf)), rows)
    right = definition(rows, centers).argmin(axis=1)
    labels = assign(
        rows,
        centers,
        shift=np.full(n_features, offset) if with_shift else None,
        guess=guesses(rng, right, 4)[guess],
        dtype=screen,
        few=few,
    )[0]
    assert_array_equal(labels, right)


def test_near_ties_in_any_memory_order():
    # The order of the sum belongs to the definition, whatever the memory order of X.
    # (_all_sq_distances summed rows in Fortran order in another order.)
    rng = np.random.default_rng(0)
    differ = 0
    for _ in range(50):
        centers = rng.standard_normal((2, 12))
        across = centers[1] - centers[0]
        across /= np.linalg.norm(across)
        rows = rng.standard_normal((20, 12))
        rows -= ((rows - centers.mean(axis=0)) @ across)[:, np.newaxis] * across
        right = definition(rows, centers).argmin(axis=1)
        for layout in ("C", "F", "strided", "reversed"):
            labels = assign(laid_out(rows, layout), centers, few=1 << 14)[0]
            differ += np.count_nonzero(labels != right)
    assert differ == 0


@quick
@given(
    seed=seeds,
    n_features=st.sampled_from((1, 2, 3, 8, 25)),
    n_clusters=st.sampled_from((2, 4, 20, 170)),
    screen=st.sampled_from(FLOATS),
    guess=st.sampled_from(["none", "right", "wrong", "random"]),
    as_sparse=st.booleans(),
)
def test_exact_ties_go_to_the_lowest_index(seed, n_features, n_clusters, screen, guess, as_sparse):
    # A small grid of whole numbers: many ties, and many centres that are equal.
    rng = np.random.default_rng(seed)
    rows = rng.integers(0, 4, (50, n_features)).astype(np.float64)
    centers = rng.integers(0, 4, (n_clusters, n_features)).astype(np.float64)
    right = definition(rows, centers).argmin(axis=1)
    labels = assign(
        sparse.csr_matrix(rows) if as_sparse else rows,
        centers,
        guess=guesses(rng, right, n_clusters)[guess],
        dtype=screen,
    )[0]
    assert_array_equal(labels, right)


@quick
@given(
    seed=seeds,
    n_features=st.sampled_from((1, 3, 9, 30)),
    screen=st.sampled_from(FLOATS),
    guess=st.sampled_from(["none", "right", "random"]),
)
def test_gap_bounds_from_below_among_extremes(seed, n_features, screen, guess):
    # Scales from 1e-6 to 1e6 in one problem, one centre far out.
    rng = np.random.default_rng(seed)
    scales = 10.0 ** rng.integers(-6, 7, (60, 1))
    rows = rng.standard_normal((60, n_features)) * scales
    centers = rows[rng.choice(60, 8, replace=False)] * (1 + 1e-3 * rng.standard_normal((8, 1)))
    centers[3] = 1e9
    sq_distances = definition(rows, centers)
    right = sq_distances.argmin(axis=1)
    sq_norms = np.square(rows).sum(axis=1)
    for norms in (None, sq_norms.astype(np.float32), sq_norms):
        labels, gap, _ = assign(
            rows,
            centers,
            guess=guesses(rng, right, 8)[guess],
            dtype=screen,
            gap=True,
            sq_norms=norms,
        )
        assert_array_equal(labels, right)
        others = np.sqrt(sq_distances)
        own = others[np.arange(60), right]
        others[np.arange(60), right] = np.inf
        room = others.min(axis=1) - own
        assert (gap <= room * (1 + 2.0**-23)).all()


def test_gap_is_of_use():
    # A lower bound that is never positive would pass the tests above.
    rng = np.random.default_rng(0)
    centers = rng.standard_normal((5, 4))
    rows = np.repeat(centers, 30, axis=0) + 0.01 * rng.standard_normal((150, 4))
    sq_distances = np.sort(definition(rows, centers), axis=1)
    room = np.sqrt(sq_distances[:, 1]) - np.sqrt(sq_distances[:, 0])
    for screen in FLOATS:
        labels, gap, n_hard = assign(rows, centers, dtype=screen, gap=True)
        assert_array_equal(labels, np.repeat(np.arange(5), 30))
        assert n_hard == 0
        assert (gap > 0.99 * room).all()


@quick
@given(
    seed=seeds,
    n_features=st.sampled_from((1, 3, 4, 5, 9, 30)),
    dtype=st.sampled_from(FLOATS),
    screen=st.sampled_from(FLOATS),
    shifted=st.booleans(),
)
def test_gap_to_a_few_centers(seed, n_features, dtype, screen, shifted):
    rng = np.random.default_rng(seed)
    scales = 10.0 ** rng.integers(-3, 4, (60, 1))
    rows = (rng.standard_normal((60, n_features)) * scales).astype(dtype)
    centers = rng.standard_normal((12, n_features)) * scales[:12]
    shift = rng.standard_normal(n_features) if shifted else None
    few = rng.choice(12, 4, replace=False)
    labels = rng.integers(0, 12, 60)
    norms = np.square(rows - (0 if shift is None else shift)).sum(axis=1).astype(screen)
    table = CenterTable(centers, shift, n_features)
    gap = gap_to(few, rows, norms, labels, table, np.dtype(screen), {})
    distances = np.sqrt(definition(rows, centers))
    own = distances[np.arange(60), labels].copy()
    distances[np.arange(60), labels] = np.inf
    room = distances[:, few].min(axis=1) - own
    assert (gap <= room + np.abs(room) * 2.0**-22).all()
    clear = room > 0.1 * (own + np.sqrt(norms))
    assert (gap[clear] > 0.9 * room[clear]).all()


def test_rows_prepared_before_are_not_taken_for_others():
    rng = np.random.default_rng(0)
    centers = rng.standard_normal((6, 20))
    scratch = {}
    for n_features in (3, 20):
        X = rng.standard_normal((500, n_features))
        X.flags.writeable = False
        for shift in (None, np.ones(n_features), np.full(n_features, 2.0)):
            table = CenterTable(centers[:, :n_features], shift, n_features)
            for part in (slice(400), slice(400), slice(100, 500), np.arange(400) + 50):
                for dtype in FLOATS:
                    labels = nearest(X[part], None, None, table, dtype, scratch)[0]
                    right = definition(X[part], table.centers).argmin(axis=1)
                    assert_array_equal(labels, right)


@pytest.mark.parametrize("guess", ["none", "right", "wrong", "random"])
@pytest.mark.parametrize("n_clusters", [2, 7, 200])
def test_batches(guess, n_clusters, monkeypatch):
    # Batches of 256 rows, the last of them not full.
    monkeypatch.setattr(_numpy, "_BATCH", 1)
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((1000, 5)).astype(np.float32)
    centers = rng.standard_normal((n_clusters, 5)).astype(np.float32)
    right = definition(rows, centers).argmin(axis=1)
    given_guess = guesses(rng, right, n_clusters)[guess]
    for norms in (None, np.square(rows).sum(axis=1)):
        labels, gap, _ = assign(rows, centers, guess=given_guess, gap=True, sq_norms=norms)
        assert_array_equal(labels, right)
        assert gap.shape == right.shape


def test_rows_that_overflow_float32():
    rng = np.random.default_rng(2)
    rows = rng.standard_normal((300, 3))
    rows[::3] *= 1e25
    rows[1::3] *= 1e45
    centers = rows[:12] * 1.01
    right = definition(rows, centers).argmin(axis=1)
    for guess in guesses(rng, right, 12).values():
        assert_array_equal(assign(rows, centers, guess=guess)[0], right)


def test_center_whose_norm_overflows_float32_may_be_the_nearest():
    # |c|^2 is infinite in float32, the row's own norm is not: infinity is not "far".
    centers = np.array([[2e19], [-6e18]])
    rows = np.full((10, 1), 8e18)
    assert_array_equal(definition(rows, centers).argmin(axis=1), 0)
    assert_array_equal(assign(rows, centers)[0], 0)
    many = np.repeat(rows, 10_000, axis=0)
    assert_array_equal(KMeans.from_centers(centers).predict(many), 0)


@pytest.mark.parametrize("as_sparse", [False, True])
def test_repeated_center_among_large_ones(as_sparse):
    # The score at which a repeated centre stands aside must be out of reach of the others.
    centers = np.array([[5e18], [5e18], [-5e18]])
    rows = np.full((10, 1), 5e18)
    rows = sparse.csr_matrix(rows) if as_sparse else rows
    assert_array_equal(assign(rows, centers)[0], 0)


@pytest.mark.parametrize("as_sparse", [False, True])
def test_products_that_underflow_float32_are_undecided(as_sparse):
    # Squares of 1e-22 have a bit or two left in float32: an error of eta times nothing.
    rng = np.random.default_rng(3)
    centers = rng.standard_normal((5, 3)) * 1e-22
    rows = rng.standard_normal((3000, 3)) * 1e-22
    right = definition(rows, centers).argmin(axis=1)
    given_rows = sparse.csr_matrix(rows) if as_sparse else rows
    for guess in guesses(rng, right, 5).values():
        assert_array_equal(assign(given_rows, centers, guess=guess)[0], right)


def test_predict_of_tiny_numbers():
    rng = np.random.default_rng(4)
    centers = rng.standard_normal((5, 3)) * 1e-22
    rows = rng.standard_normal((3000, 3)) * 1e-22
    labels = KMeans.from_centers(centers).predict(rows)
    assert_array_equal(labels, definition(rows, centers).argmin(axis=1))


# CSR: as SciPy hands it over, and untidy in every way that it may be.


def untidy_csr(dense, rng, index_dtype=np.int32):
    """The same matrix with unsorted indices, entries in two parts and explicit zeros."""
    n_rows, n_features = dense.shape
    data, indices, indptr = [], [], [0]
    for row in dense:
        present = np.flatnonzero(row)
        zeros = rng.integers(0, n_features, 2)
        # A half and a half are the whole, without rounding.
        columns = np.concatenate([present, present, zeros])
        values = np.concatenate([row[present] / 2, row[present] / 2, [0, 0]])
        order = rng.permutation(columns.size)
        data.append(values[order])
        indices.append(columns[order])
        indptr.append(indptr[-1] + columns.size)
    out = sparse.csr_matrix((n_rows, n_features), dtype=dense.dtype)
    out.data = np.concatenate(data).astype(dense.dtype)
    out.indices = np.concatenate(indices).astype(index_dtype)
    out.indptr = np.array(indptr, index_dtype)
    out.has_canonical_format = False
    out.has_sorted_indices = False
    return out


def csr_cases():
    cases = []
    for tidy in (True, False):
        for index_dtype in (np.int32, np.int64):
            for dtype in FLOATS:
                cases.append(
                    pytest.param(
                        tidy,
                        index_dtype,
                        dtype,
                        id=f"{'tidy' if tidy else 'untidy'}-{np.dtype(index_dtype)}"
                        f"-{np.dtype(dtype)}",
                    )
                )
    return cases


def make_csr(rng, tidy, index_dtype, dtype, n_rows=80, n_features=12):
    """Dense rows, a third of them not zero, and the same as the chunks hand them out."""
    dense = rng.standard_normal((n_rows, n_features)).astype(dtype)
    dense[rng.random(dense.shape) > 0.3] = 0
    dense[5] = 0  # a row without entries
    if tidy:
        matrix = sparse.csr_matrix(dense)
        matrix.indices = matrix.indices.astype(index_dtype)
        matrix.indptr = matrix.indptr.astype(index_dtype)
    else:
        matrix = untidy_csr(dense, rng, index_dtype)
    assert_array_equal(matrix.toarray(), dense)
    return dense, matrix


@pytest.mark.parametrize(("tidy", "index_dtype", "dtype"), csr_cases())
def test_chunks_hand_out_tidy_csr_and_leave_x_alone(tidy, index_dtype, dtype):
    rng = np.random.default_rng(5)
    dense, matrix = make_csr(rng, tidy, index_dtype, dtype)
    before = matrix.data.copy(), matrix.indices.copy(), matrix.indptr.copy()
    chunks = Chunks(matrix, 3)
    for index in (slice(10, 50), slice(0, 80), np.array([3, 3, 70, 5])):
        rows = chunks.rows(index)
        assert rows.has_canonical_format
        assert_array_equal(rows.toarray(), dense[index])
        assert_array_equal(chunks.dense_rows(index), dense[index])
    for array, old in zip((matrix.data, matrix.indices, matrix.indptr), before, strict=True):
        assert_array_equal(array, old)
    assert chunks.n_terms >= np.count_nonzero(dense, axis=1).max()


@pytest.mark.parametrize(("tidy", "index_dtype", "dtype"), csr_cases())
def test_nearest_of_csr(tidy, index_dtype, dtype):
    rng = np.random.default_rng(6)
    dense, matrix = make_csr(rng, tidy, index_dtype, dtype)
    rows = Chunks(matrix, 3).rows(slice(0, 80))
    for n_clusters in (1, 2, 9, 170):
        centers = rng.standard_normal((n_clusters, 12))
        right = definition(dense, centers).argmin(axis=1)
        for screen in FLOATS:
            for guess in guesses(rng, right, n_clusters).values():
                labels, gap, _ = assign(rows, centers, guess=guess, dtype=screen, gap=True)
                assert_array_equal(labels, right)
                if n_clusters > 1:
                    two = np.sqrt(np.sort(definition(dense, centers), axis=1)[:, :2])
                    assert (gap <= (two[:, 1] - two[:, 0]) * (1 + 2.0**-23)).all()


# The other kernels.

ROWS = ["dense-f4", "dense-f8", "dense-i4", "dense-bool", "dense-F", "csr", "csr-untidy"]


def make_rows(rng, kind, n_rows=60, n_features=5):
    """The rows of a kind as the kernels get them, and in float64."""
    if kind.startswith("csr"):
        dense, matrix = make_csr(
            rng, kind == "csr", np.int32, np.float64, n_rows=n_rows, n_features=n_features
        )
        return Chunks(matrix, 3).rows(slice(0, n_rows)), dense
    if kind == "dense-F":
        rows = np.asfortranarray(random_rows(rng, n_rows, n_features, "f8"))
    else:
        rows = random_rows(rng, n_rows, n_features, kind.removeprefix("dense-"))
    return rows, rows.astype(np.float64)


def shift_for(kind, rng, n_features=5):
    # Sparse rows are never shifted.
    return None if kind.startswith("csr") else rng.standard_normal(n_features)


@pytest.mark.parametrize("few", [0, 1 << 14])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("kind", ROWS)
def test_label_sums(kind, first, weighted, few, monkeypatch):
    monkeypatch.setattr(_sums, "_FEW_ENTRIES", few)
    rng = np.random.default_rng(7)
    rows, dense = make_rows(rng, kind)
    for shift in (None, shift_for(kind, rng)):
        new = rng.integers(0, 6, 60)
        old = None if first else (new + rng.integers(1, 6, 60)) % 6
        weights = rng.integers(0, 3, 60) * 0.5 if weighted else None
        sums, totals, members = label_sums(rows, weights, new, old, shift, 7)
        sums = sums.toarray() if sparse.issparse(sums) else np.asarray(sums)
        w = np.ones(60) if weights is None else weights
        offsets = dense if shift is None else dense - shift
        want_sums, want_totals = np.zeros((7, 5)), np.zeros(7)
        want_members = np.zeros(7, int)
        for i in range(60):
            signs = [(new[i], 1)] if first else [(new[i], 1), (old[i], -1)]
            for j, sign in signs:
                want_sums[j] += sign * w[i] * offsets[i]
                want_totals[j] += sign * w[i]
                want_members[j] += sign * (w[i] > 0)
        assert sums.shape == (7, 5)
        assert_allclose(sums, want_sums, rtol=1e-12, atol=1e-12)
        assert_allclose(totals, want_totals, rtol=1e-12, atol=1e-12)
        assert_array_equal(members, want_members)
        assert members.dtype == np.intp


@pytest.mark.parametrize("kind", ROWS)
def test_moments(kind):
    rng = np.random.default_rng(8)
    rows, dense = make_rows(rng, kind)
    for weights in (None, rng.random(60), rng.integers(0, 3, 60).astype(float)):
        total, mean, squares = moments(rows, weights)
        w = np.ones(60) if weights is None else weights
        want = np.average(dense, axis=0, weights=w)
        assert total == pytest.approx(w.sum())
        assert_allclose(mean, want, rtol=1e-12, atol=1e-14)
        assert_allclose(squares, w @ np.square(dense - want), rtol=1e-10, atol=1e-12)
    total, mean, squares = moments(rows, np.zeros(60))
    assert total == 0.0
    assert_array_equal(mean, 0.0)
    assert_array_equal(squares, 0.0)


def test_moments_of_a_large_offset():
    rng = np.random.default_rng(9)
    deviations = rng.integers(-8, 8, (1000, 2)).astype(float)
    _, mean, squares = moments(deviations + 2.0**40, None)
    want = deviations.mean(axis=0)
    assert_allclose(mean - 2.0**40, want, atol=1e-3)
    assert_allclose(squares, np.square(deviations - want).sum(axis=0), rtol=1e-6)


@pytest.mark.parametrize("kind", ROWS)
def test_norms_and_keys(kind):
    rng = np.random.default_rng(10)
    rows, dense = make_rows(rng, kind)
    direction = rng.standard_normal(5)
    for shift in (None, shift_for(kind, rng)):
        sq_norms, keys = norms_and_keys(rows, shift, direction)
        offsets = dense if shift is None else dense - shift
        assert sq_norms.dtype == keys.dtype == np.float64
        assert_allclose(sq_norms, np.square(offsets).sum(axis=1), rtol=1e-13)
        assert_allclose(keys, offsets @ direction, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("as_sparse", [False, True])
@pytest.mark.parametrize("n_features", N_FEATURES)
def test_equal_rows_have_equal_keys_to_the_last_digit(n_features, as_sparse):
    rng = np.random.default_rng(11)
    few = rng.standard_normal((7, n_features))
    which = rng.integers(0, 7, 501)
    rows = few[which]
    rows = sparse.csr_matrix(rows) if as_sparse else rows
    direction = rng.standard_normal(n_features)
    shift = None if as_sparse else rng.standard_normal(n_features)
    sq_norms, keys = norms_and_keys(rows, shift, direction)
    for i in range(7):
        assert np.unique(keys[which == i]).size == 1
        assert np.unique(sq_norms[which == i]).size == 1
    # Another place in memory, another number of rows.
    for part in (slice(1, None), slice(3, 11)):
        again = norms_and_keys(rows[part], shift, direction)
        assert_array_equal(again[0], sq_norms[part])
        assert_array_equal(again[1], keys[part])


@pytest.mark.parametrize("kind", ROWS)
def test_distances_by_differences(kind):
    rng = np.random.default_rng(12)
    rows, dense = make_rows(rng, kind)
    centers = rng.standard_normal((4, 5))
    centers[2] = dense[20]
    labels = rng.integers(0, 4, 60)
    labels[20] = 2
    want = definition(dense, centers)
    own = own_sq_distances(rows, centers, labels)
    assert own.dtype == np.float64
    assert_allclose(own, want[np.arange(60), labels], rtol=1e-12, atol=1e-14)
    assert own[20] == 0.0
    one = sq_distances_to(rows, centers[2])
    assert_allclose(one, want[:, 2], rtol=1e-12, atol=1e-14)
    assert one[20] == 0.0


@pytest.mark.parametrize("kind", ROWS)
def test_distances_to_all(kind):
    rng = np.random.default_rng(13)
    rows, dense = make_rows(rng, kind)
    centers = rng.standard_normal((6, 5))
    centers[2] = dense[20]
    centers[4] = centers[1]  # repeated: stands aside in the screen
    centers[5] = dense[21] + 1e-9
    for shift in (None, shift_for(kind, rng)):
        table = CenterTable(centers, shift, 5)
        out = sq_distances_to_all(rows, table, {})
        want = definition(dense, centers)
        # The terms that a sparse row lacks are taken from |c|^2, which cancels.
        slack = 1e-14 if sparse.issparse(rows) else 0.0
        assert_allclose(out, want, rtol=1e-8, atol=slack)
        assert out[20, 2] == 0.0


def test_distances_to_all_far_from_the_origin():
    rng = np.random.default_rng(14)
    rows = rng.standard_normal((50, 3)) + 1e8
    centers = np.concatenate([rows[:3], rng.standard_normal((3, 3)) + 1e8])
    out = sq_distances_to_all(rows, CenterTable(centers, np.full(3, 1e8), 3), {})
    assert_allclose(out, definition(rows, centers), rtol=1e-8)
    out = sq_distances_to_all(rows, CenterTable(centers, None, 3), {})
    assert_allclose(out, definition(rows, centers), rtol=1e-8)


@pytest.mark.parametrize("layout", ["C", "F"])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n_rows", [5, 128, 3000])
def test_products_by_tiles(n_rows, dtype, layout):
    rng = np.random.default_rng(n_rows)
    tiled = 0
    for n_features, n_centers in product((1, 5, 31, 32, 70), (1, 8, 9, 16, 17, 32, 33)):
        rows = np.asarray(rng.standard_normal((n_rows, n_features)), dtype, order=layout)
        table = rng.standard_normal((n_centers, n_features + 1)).astype(dtype)[:, :-1]
        tile = _products._tile(n_centers, rows.T)
        tiled += tile is not None and tile < n_rows
        out = np.full((n_centers, n_rows + 3), np.nan, dtype)[:, :-3]
        assert _products.multiply(table, rows.T, out) is out
        atol = 100 * n_features * np.finfo(dtype).eps
        assert_allclose(out, table.astype(float) @ rows.T.astype(float), rtol=0, atol=atol)
    assert bool(tiled) == (n_rows == 3000 or (n_rows == 128 and layout == "C"))


@pytest.mark.parametrize("few", [0, 1 << 14])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("screen", FLOATS)
@pytest.mark.parametrize("kind", [kind for kind in ROWS if not kind.startswith("csr")])
def test_trial_gains(kind, screen, weighted, few, monkeypatch):
    monkeypatch.setattr(_numpy, "_FEW", few)
    monkeypatch.setattr(_numpy, "_TRIAL_BATCH", 1000)
    rng = np.random.default_rng(15)
    rows, dense = make_rows(rng, kind, n_rows=600)
    weights = rng.integers(0, 4, 600).astype(float) if weighted else None
    shift = shift_for(kind, rng)
    offsets = dense if shift is None else dense - shift
    sq_norms = np.square(offsets).sum(axis=1).astype(screen)
    rounded = np.asfortranarray(offsets, np.float32)
    for n_centers, at_hand in product((1, 3, 30), (None, rounded)):
        closest = definition(dense, dense[:n_centers]).min(axis=1)
        trials = dense[[40, 41, 42, 43]]
        maybe = np.empty((4, 600), bool)
        table = CenterTable(trials, shift, 5)
        gains = trial_gains(rows, closest, sq_norms, weights, table, screen, maybe, {}, at_hand)
        closer = closest[:, np.newaxis] - definition(dense, trials)
        # The mask may name rows too many, never one too few.
        assert (maybe.T | (closer <= 0)).all()
        w = np.ones(600) if weights is None else weights
        want = w @ np.maximum(closer, 0)
        if closer.max() <= 0:
            assert_allclose(gains, 0.0, atol=1e-3)
        else:
            rtol = 2e-4 if screen == np.float32 else 1e-9
            assert_allclose(gains, want, rtol=rtol, atol=rtol * want.max())
