"""Whatever the core is given: a result or an error, never a read or write out of an array.

Under AddressSanitizer (see "Building from source" in the documentation) these tests show more.
"""

from array import array
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from scipy import sparse

from sklearn_lloyd import KMeans, MiniBatchKMeans
from sklearn_lloyd._core import native
from sklearn_lloyd.metrics import silhouette_score

INDICES = st.sampled_from([np.int32, np.int64])


@st.composite
def broken_csr(draw):
    """A CSR matrix, and the same with an index or a pointer that may be anything."""
    rng = np.random.RandomState(draw(st.integers(0, 2**16)))
    rows = sparse.random(12, 7, 0.4, format="csr", random_state=rng)
    dtype = draw(INDICES)
    rows.indices, rows.indptr = rows.indices.astype(dtype), rows.indptr.astype(dtype)
    part = draw(st.sampled_from(["indices", "indptr"]))
    array = getattr(rows, part)
    place = draw(st.integers(0, array.size - 1))
    info = np.iinfo(dtype)
    array[place] = draw(st.one_of(st.integers(-3, 40), st.integers(info.min, info.max)))
    return rows


def is_sound(rows):
    steps = np.diff(rows.indptr.astype(float))
    within = (rows.indices >= 0).all() and (rows.indices < rows.shape[1]).all()
    ends = rows.indptr[0] >= 0 and rows.indptr[-1] <= rows.data.size
    used = rows.indices[rows.indptr[0] : rows.indptr[-1]]
    within = (used >= 0).all() and (used < rows.shape[1]).all()
    return bool(ends and (steps >= 0).all() and within)


@settings(deadline=None, max_examples=150)
@given(rows=broken_csr())
def test_hostile_csr(rows):
    parts = rows.data, rows.indices, rows.indptr
    if is_sound(rows):
        native.rows(*parts, rows.shape[1])
    else:
        with pytest.raises(ValueError, match="ind"):
            native.rows(*parts, rows.shape[1])


@pytest.mark.parametrize(
    ("part", "place", "value"),
    [("indices", 3, 10_000_000), ("indices", 0, -1), ("indptr", 2, -5), ("indptr", -1, 10**6)],
)
def test_estimators_refuse_hostile_csr(part, place, value):
    rows = sparse.random(50, 20, 0.3, format="csr", random_state=0)
    labels = KMeans(2, random_state=0).fit_predict(rows)
    model = KMeans(2, random_state=0).fit(rows)
    getattr(rows, part)[place] = value
    for call in (
        lambda: KMeans(2).fit(rows),
        lambda: MiniBatchKMeans(2).fit(rows),
        lambda: model.predict(rows),
        lambda: model.transform(rows),
        lambda: silhouette_score(rows, labels),
    ):
        with pytest.raises(ValueError, match="ind"):
            call()


ARRAYS = st.one_of(
    st.none(),
    st.integers(-2, 5),
    st.text(max_size=2),
    st.builds(
        lambda shape, dtype, order: np.zeros(shape, dtype, order=order),
        st.lists(st.integers(0, 9), max_size=3),
        st.sampled_from([np.float64, np.float32, np.int32, np.int64, np.uint8, ">f8", object]),
        st.sampled_from("CF"),
    ),
    st.builds(lambda n: np.zeros(2 * n)[::2], st.integers(1, 9)),
)
ROWS = native.rows(np.random.RandomState(0).normal(size=(8, 3)))
FUNCTIONS = [
    name
    for name in dir(native)
    if not name.startswith("_") and callable(getattr(native, name)) and name != "set_options"
]


@settings(deadline=None, max_examples=400)
@given(data=st.data())
def test_any_arguments(data):
    """Random arguments nearly never fit; some of them do by chance."""
    function = getattr(native, data.draw(st.sampled_from(FUNCTIONS)))
    arguments = data.draw(st.lists(st.one_of(ARRAYS, st.just(ROWS), st.just(1)), max_size=14))
    if data.draw(st.booleans()):
        arguments[:2] = [1, ROWS]
    with suppress(ValueError, TypeError, OverflowError, BufferError):
        function(*arguments)


def good_arguments():
    """What each function takes, for 8 x 3 rows and 2 centres."""
    X = np.random.RandomState(0).normal(size=(8, 3))
    rows, centers, labels = native.rows(X), X[:2].copy(), np.zeros(8, np.int32)
    f8, sums = np.empty(8), (np.zeros((2, 3)), np.zeros(2), np.zeros(2, np.int64))
    index, norms = np.arange(8), np.square(X).sum(axis=1)
    assigner = native.assigner(1, rows, None, None, 2, True, labels.copy(), 0)
    seeding = native.seeding(1, rows, None, None, norms, norms.sum(), X[:, 0].copy(), 2, 3, 0)
    return {
        "moments": [1, rows, None, np.empty(3), np.empty(3)],
        "norms_and_keys": [1, rows, None, None, np.ones(3), f8, f8.copy()],
        "cluster_sums": [1, rows, None, None, None, labels, *sums, np.zeros(2)],
        "own_distances": [1, rows, None, centers, labels, f8],
        "update_means": [1, *sums[:2], None, centers, 1.0, np.zeros(2), None, centers.copy()],
        "move_centers": [1, centers, None, np.ones(2), *sums[:2], centers.copy()],
        "label": [1, rows, index[1:], None, None, centers, labels[1:], f8[1:], *sums, True],
        "assign": [1, assigner, centers, *sums],
        "seeding_start": [1, seeding, 3],
        "seeding_start_from": [1, seeding, centers, labels],
        "seeding_add": [1, seeding, np.full((1, 3), 0.5), np.empty(1, np.int64)],
        "draw": [1, X[:, 0].copy(), None, np.full(4, 0.3), np.empty(4, np.int64)],
        "distances": [1, rows, 0, 8, centers, False, np.empty((8, 2))],
        "distance_sums": [
            1, rows, index, index, np.zeros((8, 1), np.int32), None, np.empty((8, 2)),
        ],
        "own_and_nearest": [1, rows, index, None, centers, np.zeros(2), labels, f8, f8.copy()],
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(good_arguments()))
def test_one_argument_that_does_not_fit(name):
    """The right arguments do; with any one of them replaced by something else comes an error."""
    function = getattr(native, name)
    function(*good_arguments()[name])
    n_arguments = len(good_arguments()[name])
    wrong = [object(), "text", np.zeros((2, 2, 2)), np.full(8, 99, np.int32), np.full(8, -7)]
    for place in range(n_arguments):
        for value in wrong:
            arguments = good_arguments()[name]
            if place == 0 or isinstance(arguments[place], bool) or (name, place) == ("label", 6):
                continue  # labels are filled: what they were does not matter
            kept = arguments[place]
            arguments[place] = value
            both = isinstance(kept, np.ndarray) and isinstance(value, np.ndarray)
            alike = both and kept.shape == value.shape and kept.dtype == value.dtype
            if alike and not _is_place(kept):
                continue
            with pytest.raises((ValueError, TypeError), match=r".+"):
                function(*arguments)
    for arguments in (good_arguments()[name][:-1], [*good_arguments()[name], None]):
        with pytest.raises(ValueError, match=r"missing|too many"):
            function(*arguments)


def _is_place(array):
    return array.dtype.kind == "i"


def test_rows_outlive_their_array():
    X = np.random.RandomState(0).normal(size=(1000, 3))
    rows, mean = native.rows(X), np.empty(3)
    expected = X.mean(axis=0)
    del X
    native.moments(1, rows, None, mean, np.empty(3))
    np.testing.assert_allclose(mean, expected)


def test_state_keeps_what_it_needs():
    X = np.random.RandomState(0).normal(size=(1000, 3))
    labels, centers = np.full(1000, -1, np.int32), X[:2].copy()
    assigner = native.assigner(1, native.rows(X), np.ones(1000), np.zeros(3), 2, True, labels, 0)
    sums = np.zeros((2, 3)), np.zeros(2), np.zeros(2, np.int64)
    native.assign(1, assigner, centers, *sums)
    assert_array_equal(np.bincount(labels), sums[2])


def test_labels_that_python_has_changed():
    X = np.random.RandomState(0).normal(size=(100, 3))
    labels, sums = (
        np.full(100, -1, np.int32),
        (np.zeros((2, 3)), np.zeros(2), np.zeros(2, np.int64)),
    )
    assigner = native.assigner(1, native.rows(X), None, None, 2, True, labels, 0)
    for label in (-2, 2, 10**8, -(2**31), 2**31 - 1):
        labels[7] = label
        with pytest.raises(ValueError, match=r"labels\[7\] is "):
            native.assign(1, assigner, X[:2].copy(), *sums)
    labels[7] = 1
    native.assign(1, assigner, X[:2].copy(), *sums)


def test_memory_of_a_state_is_not_freed():
    weights, labels = array("d", np.ones(100)), array("i", [-1] * 100)
    assigner = native.assigner(
        1, native.rows(np.ones((100, 3))), weights, None, 2, True, labels, 0
    )
    for each in (weights, labels):
        with pytest.raises(BufferError, match="resize"):
            del each[:]
    del assigner
    del weights[:], labels[:]
