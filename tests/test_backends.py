"""Compiled or not: the same labels, iterations and rows drawn; centres but for rounding.

Each dtype and memory order of X is compiled anew, which takes most of a minute. So here, and
wherever else compiled code is tested, X is float32 or float64 in C order, float64 in Fortran order
or strided, or uint8 (as which truth values are taken). Other types are read by the same lines of
source: `test_panels.py` has them, one reader of rows at a time.
"""

import warnings
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning

from sklearn_lloyd import KMeans, _chunks, _solvers, kmeans_plusplus, lloyd_steps
from sklearn_lloyd._canonical import CanonicalRows
from sklearn_lloyd._chunks import Chunks, even_slices
from sklearn_lloyd._codes import best_codes, codes_of
from sklearn_lloyd._init import _coding as _init_coding
from sklearn_lloyd._init import _compiled as _init_compiled
from sklearn_lloyd._init import _kmeans_plusplus, kmeans_plusplus_rows
from sklearn_lloyd._init._compiled import CompiledGreedy
from sklearn_lloyd._init._greedy import Greedy
from sklearn_lloyd._kernels import (
    _MUCH_WORK,
    CenterTable,
    _numba,
    _numpy,
    compiled_kernels,
    measure_sums,
    move_to_means,
    sq_distances_to,
)
from sklearn_lloyd._kernels._numba._distances import sq_distance, sq_distances
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd._solvers import AheadAssigner, _compiled, lloyd, make_assigner

thorough = settings(max_examples=100, derandomize=True, deadline=None)

FLOATS = (np.float32, np.float64)
ALGORITHMS = ("auto", "lloyd", "elkan", "hamerly")
# Around what the kernels take together: four or eight features that are turned round, sixteen of
# a run, 128 of a sum by the definition.
N_FEATURES = (1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 16, 17, 20, 21, 40, 127, 128, 129, 300)
N_ROWS = (7, 255, 256, 257, 700, 1025)  # around the lists of rows
WEIGHTS = ("none", "integers", "floats")
seeds = st.integers(0, 2**32 - 1)


@pytest.fixture(autouse=True)
def many_blocks(monkeypatch):
    """Small problems have several blocks too, of an odd number of rows."""
    monkeypatch.setattr(_chunks, "_MIN_ROWS", 301)
    monkeypatch.setattr(_chunks, "_MAX_ROWS", 301)


def fit(backend, X, n_clusters, weights=None, **params):
    params = {"random_state": 0, "n_threads": 2, **params}
    with warnings.catch_warnings():
        # Fewer distinct rows than clusters are among what is tested.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return KMeans(n_clusters, backend=backend, **params).fit(X, sample_weight=weights)


def assert_same(a, b, X):
    """The same clustering: equal but for the rounding of sums."""
    assert_array_equal(a.labels_, b.labels_)
    assert a.n_iter_ == b.n_iter_
    assert a.converged_ == b.converged_
    assert a.cluster_centers_.dtype == b.cluster_centers_.dtype
    rtol = 1e-6 if a.cluster_centers_.dtype == np.float32 else 1e-10
    X = np.asarray(X, np.float64)
    spread = np.abs(X - X.mean(axis=0)).max()
    assert_allclose(a.cluster_centers_, b.cluster_centers_, rtol=rtol, atol=rtol * spread)
    assert_allclose(a.inertia_, b.inertia_, rtol=rtol, atol=rtol * spread**2)
    for field in ("n_changed", "n_empty"):
        assert_array_equal(a.history_[field], b.history_[field])
    for field in ("inertia", "center_shift"):
        # From sums, which keep their digits beside the sum of all squares.
        atol = 1e-11 * X.size * spread**2
        assert_allclose(a.history_[field], b.history_[field], rtol=1e-6, atol=atol)


def check(X, n_clusters, weights=None, **params):
    """Fit with both backends and compare; returns the compiled one."""
    a = fit("numpy", X, n_clusters, weights, **params)
    b = fit("numba", X, n_clusters, weights, **params)
    assert_same(a, b, X)
    return b


def blobs(rng, n_rows, n_features, n_blobs=5):
    centers = 3 * rng.standard_normal((n_blobs, n_features))
    return centers[rng.integers(0, n_blobs, n_rows)] + rng.standard_normal((n_rows, n_features))


def noise(rng, n_rows, n_features):
    return rng.standard_normal((n_rows, n_features))


def heavy_tails(rng, n_rows, n_features):
    return rng.standard_t(1.5, (n_rows, n_features))


def grid(rng, n_rows, n_features):
    """Many rows are exactly as near to one centre as to another."""
    return rng.integers(0, 3, (n_rows, n_features)).astype(np.float64)


def repeats(rng, n_rows, n_features):
    return noise(rng, max(2, n_rows // 9), n_features)[
        rng.integers(0, max(2, n_rows // 9), n_rows)
    ]


def weights_of(kind, rng, n_rows):
    if kind == "none":
        return None
    weights = rng.random(n_rows)
    if kind == "integers":
        weights = np.floor(4 * weights)  # zeros among them
        weights[0] = 1
    return weights


def strided(X):
    wide = np.zeros((2 * X.shape[0], X.shape[1] + 3), X.dtype)
    wide[::2, 1:-2] = X
    return wide[::2, 1:-2]


def read_only(X):
    X = X.copy()
    X.flags.writeable = False
    return X


def more_types(*values):
    """Of which no test needs more than one version of numba, see setup.cfg."""
    return [pytest.param(value, marks=pytest.mark.more_types) for value in values]


# The definition. X is read-only, which the kernels are compiled for anyway.


@njit
def distances_to(X, centers, c, out):
    for i in range(len(X)):
        out[i] = sq_distance(X, i, centers, c)


@pytest.mark.parametrize("dtype", [*FLOATS, np.uint8])
def test_distance_is_the_definition_to_the_last_bit(dtype):
    rng = np.random.default_rng(0)
    for n_features in (*range(1, 21), *range(127, 131), *range(255, 258), 784, 5000):
        X = read_only((100 * rng.random((9, n_features))).astype(dtype))
        centers, out = 100 * rng.random((3, n_features)), np.empty(9)
        for c, center in enumerate(centers):
            distances_to(X, centers, c, out)
            assert_array_equal(out, sq_distances_to(X, center))


@pytest.mark.parametrize(
    ("dtype", "lay_out"),
    [
        *product(FLOATS, [np.asarray, np.asfortranarray, strided]),
        (np.uint8, np.asarray),
        (np.int64, np.asarray),
    ],
)
def test_distances_of_a_list_are_the_definition_to_the_last_bit(dtype, lay_out):
    rng = np.random.default_rng(0)
    index = np.array([2, 3, 7, 8, 0])
    for n_features in (1, 7, 8, 9, 23, 128, 129, 300):
        X = lay_out((100 * rng.random((9, n_features))).astype(dtype))
        X.flags.writeable = False
        center, out = 100 * rng.random((1, n_features)), np.full(5, -1.0)
        sq_distances(X, index, 4, center, out)
        assert_array_equal(out[:4], sq_distances_to(X[index[:4]], center[0]))
        assert out[4] == -1.0


# Fits, from the same start.


@thorough
@given(
    seed=seeds,
    make=st.sampled_from([blobs, noise, heavy_tails, grid, repeats]),
    n_rows=st.sampled_from(N_ROWS),
    n_features=st.sampled_from(N_FEATURES),
    n_clusters=st.sampled_from([1, 2, 3, 5, 8, 33]),
    dtype=st.sampled_from(FLOATS),
    kind=st.sampled_from(WEIGHTS),
    offset=st.sampled_from([0.0, 0.0, 30.0, -1e4]),
    algorithm=st.sampled_from(ALGORITHMS),
    max_iter=st.sampled_from([1, 2, 300]),
)
def test_same_clustering(
    seed, make, n_rows, n_features, n_clusters, dtype, kind, offset, algorithm, max_iter
):
    rng = np.random.default_rng(seed)
    X = (make(rng, n_rows, n_features) + offset).astype(dtype)
    n_clusters = min(n_clusters, n_rows)
    init = X[rng.integers(0, n_rows, n_clusters)]  # may repeat
    if algorithm == "elkan" and n_clusters == 1:
        algorithm = "hamerly"  # which does not warn
    check(
        X,
        n_clusters,
        weights_of(kind, rng, n_rows),
        init=init,
        algorithm=algorithm,
        max_iter=max_iter,
    )


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("dtype", FLOATS)
def test_many_iterations(dtype, algorithm):
    # Without clusters and with tol=0 the bounds have to hold for long.
    rng = np.random.default_rng(1)
    X = noise(rng, 4000, 3).astype(dtype)
    model = check(X, 40, init=X[:40], algorithm=algorithm, tol=0)
    assert model.n_iter_ > 20


@pytest.mark.parametrize("dtype", [*FLOATS, *more_types(np.uint8, np.bool_)])
def test_dtypes(dtype):
    rng = np.random.default_rng(2)
    X = rng.integers(0, 2 if dtype == np.bool_ else 200, (900, 6)).astype(dtype)
    model = check(X, 9, init=X[:9].astype(float) + rng.random((9, 6)))
    assert_array_equal(model.predict(X), model.labels_)


@pytest.mark.parametrize("lay_out", [np.asfortranarray, *more_types(strided), read_only])
def test_layouts(lay_out):
    rng = np.random.default_rng(3)
    for n_features in (5, 30):  # by lanes, by a matrix product
        X = blobs(rng, 900, n_features)
        model = fit("numba", X, 9, init=X[:9])
        as_laid_out = check(lay_out(X), 9, init=X[:9])
        assert_array_equal(as_laid_out.labels_, model.labels_)
        assert_array_equal(as_laid_out.cluster_centers_, model.cluster_centers_)
        assert_array_equal(as_laid_out.predict(lay_out(X)), model.labels_)


def test_memmap(tmp_path):
    X = blobs(np.random.default_rng(4), 900, 5)
    np.save(tmp_path / "X.npy", X)
    check(np.load(tmp_path / "X.npy", mmap_mode="r"), 9, init=X[:9])


def untidy(X):
    """CSR rows in which an entry is split into two."""
    tidy = sparse.csr_array(X)
    halves = np.repeat(tidy.data / 2, 2), np.repeat(tidy.indices, 2), tidy.indptr * 2
    return sparse.csr_array(halves, shape=X.shape)


@pytest.mark.parametrize("convert", [untidy, lambda X: X.astype(">f8")])
def test_falls_back(convert):
    # Split entries and foreign byte order are left to NumPy: nothing differs at all.
    X = convert(np.round(blobs(np.random.default_rng(5), 900, 5)))
    assert Chunks(X, 9, backend="numba").compiled is None
    a, b = fit("numpy", X, 9), fit("numba", X, 9)
    assert_array_equal(a.labels_, b.labels_)
    assert_array_equal(a.cluster_centers_, b.cluster_centers_)
    assert a.inertia_ == b.inertia_
    assert_array_equal(b.predict(X), b.labels_)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("scale", [1e-20, 1e-12, 1e12, 1e18])
def test_huge_and_tiny(scale, dtype):
    # Their squares have no room in float32.
    rng = np.random.default_rng(6)
    for n_features in (3, 30):
        X = (scale * blobs(rng, 700, n_features)).astype(dtype)
        check(X, 6, init=X[:6])


@pytest.mark.parametrize("dtype", FLOATS)
def test_far_from_the_origin(dtype):
    rng = np.random.default_rng(7)
    for n_features in (3, 30):
        X = (blobs(rng, 700, n_features) + 1e5).astype(dtype)
        check(X, 6, weights_of("floats", rng, 700), init=X[:6])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_exact_ties(algorithm):
    # Ties go to the lowest index, also where a centre comes twice and moves later.
    rng = np.random.default_rng(8)
    for n_features in (1, 2, 5, 30):
        X = grid(rng, 1500, n_features)
        centers = np.repeat(X[:6], 2, axis=0)
        check(X, 12, init=centers, algorithm=algorithm)
        labels = next(lloyd_steps(X, centers, algorithm=algorithm, backend="numba")).labels
        distances = np.square(X[:, np.newaxis] - centers).sum(axis=2)
        assert_array_equal(labels, distances.argmin(axis=1))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_fewer_distinct_rows_than_clusters(algorithm):
    rng = np.random.default_rng(9)
    X = noise(rng, 4, 3)[rng.integers(0, 4, 600)]
    model = check(X, 7, algorithm=algorithm)
    assert np.unique(model.labels_).size == 4


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_empty_clusters(algorithm):
    rng = np.random.default_rng(10)
    X = blobs(rng, 900, 4)
    init = np.concatenate([X[:3], 100 + noise(rng, 4, 4)])  # no row is near the last four
    for kind in WEIGHTS:
        model = check(X, 7, weights_of(kind, rng, 900), init=init, algorithm=algorithm)
        assert model.history_["n_empty"][0] > 0


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random", "random-partition"])
def test_starts(init):
    rng = np.random.default_rng(11)
    for kind in WEIGHTS:
        X = blobs(rng, 900, 4)
        a, b = (
            fit(
                backend, X, 7, weights_of(kind, np.random.default_rng(0), 900), init=init, n_init=3
            )
            for backend in ("numpy", "numba")
        )
        assert_same(a, b, X)
        assert_allclose(a.start_inertias_, b.start_inertias_, rtol=1e-10)


@pytest.mark.parametrize("n_features", [4, 30])
def test_steps(n_features):
    rng = np.random.default_rng(12)
    X = blobs(rng, 900, n_features)
    a, b = (list(lloyd_steps(X, X[:8], backend=backend)) for backend in ("numpy", "numba"))
    assert len(a) == len(b) > 1
    for ours, compiled in zip(a, b, strict=True):
        assert_array_equal(ours.labels, compiled.labels)
        assert_allclose(ours.centers, compiled.centers, rtol=1e-10, atol=1e-10)
        assert (ours.n_changed, ours.n_empty) == (compiled.n_changed, compiled.n_empty)
        assert ours.converged == compiled.converged


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n_clusters", [1, 2, 33])
@pytest.mark.parametrize("n_features", [1, 3, 13, 30, 130])
def test_new_rows(n_features, n_clusters, dtype):
    # Centres and rows on a grid: predict has ties to break as well.
    rng = np.random.default_rng(13)
    X = grid(rng, 700, n_features).astype(dtype)
    centers = grid(rng, n_clusters, n_features).astype(dtype)
    a, b = (KMeans.from_centers(centers, backend=backend) for backend in ("numpy", "numba"))
    assert_array_equal(a.predict(X), b.predict(X))
    assert a.transform(X).dtype == b.transform(X).dtype
    assert_allclose(a.transform(X), b.transform(X), rtol=1e-6 if dtype == np.float32 else 1e-12)
    assert a.score(X) == pytest.approx(b.score(X), rel=1e-12)


@pytest.mark.parametrize("n_features", [3, 30])
@pytest.mark.parametrize("algorithm", ["lloyd", "hamerly"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_threads_do_not_show(dtype, algorithm, n_features):
    rng = np.random.default_rng(14)
    X = noise(rng, 5000, n_features).astype(dtype)
    weights = rng.random(5000)
    one, three = (
        fit("numba", X, 20, weights, algorithm=algorithm, max_iter=15, n_threads=n) for n in (1, 3)
    )
    assert_array_equal(one.labels_, three.labels_)
    assert_array_equal(one.cluster_centers_, three.cluster_centers_)
    assert one.inertia_ == three.inertia_
    for field in ("inertia", "center_shift", "n_changed"):
        assert_array_equal(one.history_[field], three.history_[field])


# Seeding.


def check_seeding(X, n_clusters, seed, weights=None, n_local_trials=None):
    a, b = (
        kmeans_plusplus(
            X,
            n_clusters,
            sample_weight=weights,
            random_state=seed,
            n_local_trials=n_local_trials,
            backend=backend,
        )
        for backend in ("numpy", "numba")
    )
    assert_array_equal(a[1], b[1])
    assert_array_equal(a[0], b[0])
    assert a[0].dtype == b[0].dtype


@pytest.mark.parametrize("n_local_trials", [None, 1, 5, 40])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("make", [blobs, noise, heavy_tails])
def test_same_rows_are_drawn(make, dtype, n_local_trials):
    for seed, n_features in enumerate((1, 2, 4, 11, 12, 13, 30, 129)):
        rng = np.random.default_rng(seed)
        X = make(rng, 1025, n_features).astype(dtype)
        for kind in WEIGHTS:
            check_seeding(X, 20, seed, weights_of(kind, rng, len(X)), n_local_trials)


def tight_clusters(rng, n_rows, n_features):
    """With each of five found, what is left is small beside the norms: float64 takes over."""
    centers = 1e3 * noise(rng, 5, n_features)
    return centers[rng.integers(0, 5, n_rows)] + noise(rng, n_rows, n_features)


@pytest.mark.parametrize("n_features", [2, 13, 30])
@pytest.mark.parametrize("dtype", FLOATS)
def test_same_rows_are_drawn_from_tight_clusters(dtype, n_features):
    for seed in range(5):
        X = tight_clusters(np.random.default_rng(seed), 900, n_features).astype(dtype)
        check_seeding(X, 12, seed)


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_distances_of_the_seeding_are_the_definition(monkeypatch, dtype, backend):
    # No row that is nearer to a new centre may be passed over: the draws go by these.
    seedings, make_seeding = [], _kmeans_plusplus._seeding

    def remember(*args):
        seedings.append(make_seeding(*args))
        return seedings[-1]

    monkeypatch.setattr(_kmeans_plusplus, "_seeding", remember)
    monkeypatch.setattr(_numpy, "_FEW", 0)  # else few rows go without the screen
    for make in (blobs, tight_clusters):
        X = make(np.random.default_rng(5), 3000, 3).astype(dtype)
        rows = kmeans_plusplus(X, 12, random_state=5, backend=backend)[1]
        differences = X[:, np.newaxis].astype(np.float64) - X[rows]
        closest = np.square(differences).sum(axis=2).min(axis=1)
        assert_allclose(seedings[-1]._closest, closest, rtol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_features", [5, 40])
@pytest.mark.parametrize("make", [blobs, tight_clusters, heavy_tails])
def test_steps_at_once_or_one_by_one(monkeypatch, make, n_features, weighted):
    rng = np.random.default_rng(0)
    X = make(rng, 3000, n_features)
    X[1000:1500] = X[:500]
    weights = rng.integers(0, 3, len(X)).astype(float) if weighted else None
    take, one_by_one, found, potentials = Greedy.take_best_of, [], [], []
    monkeypatch.setattr(
        Greedy, "take_best_of", lambda *args: one_by_one.append(take(*args)) or one_by_one[-1]
    )

    def seed(n_threads=1):
        one_by_one.clear()
        problem = make_problem(Chunks(X, 90, n_threads, "numba"), 90, weights)
        with problem.chunks.open(n_blocks=8):
            seeding = CompiledGreedy(problem, 5)
            seeding.start(3)
            rows = np.empty(89, np.intp)
            _kmeans_plusplus._fill_rows(rows, problem, seeding, 5, np.random.RandomState(0))
        found.append((rows, seeding._closest, seeding._owner, seeding._offsets))
        potentials.append(seeding.potential)
        return len(one_by_one)

    # All but those in which rows are encoded, the precision changes, or two trials come close.
    assert seed() < 20
    with monkeypatch.context() as patched:
        patched.setattr(CompiledGreedy, "choose_rows", Greedy.choose_rows)
        assert seed() == 89
    monkeypatch.setattr(_init_compiled, "_ONE_BLOCK", 0)
    monkeypatch.setattr(_init_compiled, "_BLOCK", 1000)
    for little in (0, 1 << 60):  # of noted values, up to which one thread takes a centre
        monkeypatch.setattr(_init_compiled, "_LITTLE", little)
        for n_threads in (1, 3):
            assert seed(n_threads) < 20
    # Sums of other blocks are rounded otherwise.
    assert potentials[1] == potentials[0]
    assert potentials[2::2] == potentials[3::2]  # whatever the number of threads
    assert_allclose(potentials, potentials[0], rtol=1e-12)
    for others in found[1:]:
        for ours, theirs in zip(found[0], others, strict=True):
            assert_array_equal(ours, theirs)


@pytest.mark.parametrize("scale", [1e-20, 1e18])
def test_same_rows_are_drawn_of_huge_and_tiny(scale):
    X = (scale * blobs(np.random.default_rng(0), 700, 4)).astype(np.float32)
    for seed in range(3):
        check_seeding(X, 12, seed)


def test_same_rows_are_drawn_where_one_is_too_far_for_float32():
    # It counts so little that the spread of the others decides about the precision.
    X = noise(np.random.default_rng(0), 900, 4).astype(np.float32)
    X[7, 2], weights = 1.8e19, np.ones(len(X))
    weights[7] = 1e-14
    for seed in range(3):
        check_seeding(X, 12, seed, weights)


@pytest.mark.parametrize(
    "convert", [np.asfortranarray, *more_types(lambda X: (20 * X + 100).astype(np.uint8))]
)
def test_same_rows_are_drawn_as_they_lie(convert):
    for n_features in (3, 30):
        X = np.clip(noise(np.random.default_rng(0), 900, n_features), -4, 4)
        check_seeding(convert(X), 12, 0)


@pytest.mark.parametrize("n_clusters", [20, 60])
def test_same_rows_are_drawn_of_few(n_clusters):
    # Repeats; and fewer distinct rows than centres.
    rng = np.random.default_rng(0)
    X = noise(rng, 50, 3)[rng.integers(0, 50, 900)]
    for seed in range(5):
        check_seeding(X, n_clusters, seed)


@pytest.mark.parametrize("seed", range(10))
def test_same_rows_are_drawn_where_trials_are_equally_good(seed):
    # Gains of whole numbers: the first of the best is taken, whatever a screen adds to each.
    X = np.indices((3, 3, 3, 3)).reshape(4, -1).T + 1.0
    weights = np.random.default_rng(seed).integers(40, 60, len(X)).astype(float)
    check_seeding(X, 70, seed, weights)


# Which backend it is.


def test_auto_goes_by_the_shape():
    for n_rows, n_clusters in ((_MUCH_WORK // 64, 8), (_MUCH_WORK // 64 - 1, 8)):
        X = np.empty((n_rows, 8))
        kernels = compiled_kernels("auto", X, n_clusters)
        assert kernels is (_numba if X.size * n_clusters >= _MUCH_WORK else None)
        assert compiled_kernels("numpy", X, n_clusters) is None
        assert compiled_kernels("numba", X[:2], n_clusters) is _numba


@pytest.mark.parametrize(("n_rows", "backend"), [(2**13, "numba"), (2**12, "numpy")])
def test_auto_is_one_of_them(n_rows, backend):
    X = noise(np.random.default_rng(0), n_rows, 16)
    params = {"init": X[:32], "max_iter": 2}
    a, b = fit("auto", X, 32, **params), fit(backend, X, 32, **params)
    assert_array_equal(a.cluster_centers_, b.cluster_centers_)
    assert a.inertia_ == b.inertia_
    assert_array_equal(a.labels_, b.labels_)


@pytest.mark.parametrize("meet", [False, True])
@pytest.mark.parametrize("n_features", [2, 30])
def test_fast_centers(monkeypatch, n_features, meet):
    # Most centres creep, one leaps each time; where they meet, it lands on another and leaves it.
    # Comparing rows with fast centres alone costs little, so that it is chosen.
    for name in ("_SETTLE", "_OWN"):
        monkeypatch.setattr(_compiled, name, 0)
    rng, n_fast = np.random.default_rng(0), 0
    for _ in range(20):
        X = rng.normal(size=(800, n_features))
        problem = make_problem(Chunks(X, 800, 1, "numba"), 20, None)
        bounded, plain = make_assigner("hamerly", problem), make_assigner("lloyd", problem)
        centers = X[:20].copy()
        for step in range(10):
            centers = centers + 1e-3 * rng.normal(size=centers.shape)
            if step % 2 == 0:
                i, j = rng.choice(20, 2, replace=False)
            leap = meet and step % 2 == 0
            centers[j] = centers[i] + (0.0 if leap else 0.05 * rng.normal(size=n_features))
            for assigner in (bounded, plain):
                assigner.assign(centers, lambda stats: None)
            assert_array_equal(bounded.labels, plain.labels)
            n_fast += bounded._bounds.fast.size
    assert n_fast


# Bounds from codes, of projected rows or whole ones.


def decaying(rng, n_rows, n_features, dtype):
    """Rows of which the first axes hold nearly all."""
    X = rng.normal(size=(n_rows, n_features)) * np.arange(1.0, n_features + 1) ** -1.5
    return X.astype(dtype)


def cost_of(wanted):
    """A cost by which rows are projected, left whole, or not encoded."""

    def cost(*args):
        axes = args[-1]
        return {"projected": axes is None, "whole": axes is not None, "none": True}[wanted]

    return cost


@pytest.mark.parametrize("wanted", ["projected", "whole"])
@pytest.mark.parametrize("scale", [1e-13, 1.0, 1e13])
def test_codes_are_bounds(scale, wanted):
    # The cubes of such numbers have no room in float32.
    X = decaying(np.random.default_rng(1), 3001, 65, np.float32) * np.float32(scale)
    X[:4] = np.array([[0.0], [1.0], [0.0], [1e-8]]) * scale  # at the shift, or near to it
    X[2, 3] = scale  # one number has to hold all of the norm
    problem = make_problem(Chunks(X, 800, 1, "numba"), 800, None)
    codes = best_codes(problem, cost_of(wanted))
    assert codes is codes_of(problem, codes.width)  # kept
    assert codes.width == {"projected": 16, "whole": 65}[wanted]
    table = CenterTable(np.vstack([X[:6], X[:1] + 3 * scale]), problem.shift, 65)
    screen = codes.table(codes.tables(7), table.offsets, table.sq_norms)
    whole = codes.panels.transpose(0, 2, 1).reshape(-1, screen.codes.shape[1]).copy()
    whole, centers = (array.view(np.int16).astype(np.int64) for array in (whole, screen.codes))
    counted = np.maximum(problem.sq_norms, screen.floor)[:, np.newaxis].astype(np.float64)
    scores = whole[:3001] @ centers.T * np.sqrt(counted) / screen.scale
    scores = (scores * screen.factors + screen.norms)[:, :7]
    rows = X.astype(np.float64) - (0.0 if problem.shift is None else problem.shift)
    sq_norms = np.square(rows).sum(axis=1)[:, np.newaxis]
    exact = np.square(rows[:, np.newaxis] - table.offsets).sum(axis=2) - sq_norms
    errors = np.maximum(sq_norms * screen.error, screen.error_of_floor)
    assert (scores <= exact + errors).all()  # a bound
    near = 0.01 if wanted == "whole" else 1.0
    assert (scores > exact - near * np.abs(exact).mean()).mean() > 0.5  # and not an idle one


@pytest.mark.parametrize("wanted", ["projected", "whole", "none"])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("n_features", [33, 100])
def test_rows_in_codes(monkeypatch, n_features, dtype, wanted):
    widths = set()

    def remembered(*args):
        decide(*args)
        codes = args[0]._codes
        widths.add(None if codes is None else codes.width)

    decide = _compiled.CompiledAssigner._decide_on_codes
    monkeypatch.setattr(_compiled.CompiledAssigner, "_decide_on_codes", remembered)
    monkeypatch.setattr(_compiled, "_cost_of_near", cost_of(wanted))
    rng = np.random.default_rng(n_features)
    for shift in (0.0, 1e4):
        X = decaying(rng, 9000, n_features, dtype) + dtype(shift)
        X[4000:4100] = X[:100]  # and some that are equal
        params = {"init": X[:40], "max_iter": 12, "n_init": 1, "tol": 0}
        ours, plain = fit("numba", X, 40, **params), fit("numpy", X, 40, **params)
        assert_array_equal(ours.labels_, plain.labels_)
        assert_allclose(ours.cluster_centers_, plain.cluster_centers_, rtol=1e-6)
        assert ours.n_iter_ == plain.n_iter_
    assert widths == {{"projected": 16, "whole": n_features, "none": None}[wanted]}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("much_work", [0, 1 << 60])  # by a sample, or not
@pytest.mark.parametrize("dtype", FLOATS)
def test_seeding_by_codes(monkeypatch, dtype, much_work, weighted):
    monkeypatch.setattr(_init_coding, "_MUCH_WORK", much_work)
    # Blocks whose edges are within panels.
    monkeypatch.setattr(_init_compiled, "_ONE_BLOCK", 1 << 16)
    monkeypatch.setattr(_init_compiled, "_PANEL", 100)
    rng = np.random.default_rng(0)
    blobs = rng.normal(size=(30, 35))[rng.integers(30, size=9001)]
    for X in (
        rng.normal(size=(9001, 35)),
        blobs + 1e-2 * rng.normal(size=blobs.shape),
        decaying(rng, 9001, 64, np.float64) + 1e3,
    ):
        X = X.astype(dtype)
        weights = rng.integers(0, 4, size=len(X)).astype(float) if weighted else None
        found = []
        for megabytes in (1024, 0):
            with config_context(working_memory=megabytes):
                problem = make_problem(Chunks(X, 40, 2, "numba"), 40, weights)
                rows = kmeans_plusplus_rows(problem, np.random.RandomState(0))
                found.append(rows)
                encoded = problem.shared.get("codes") is not None
                assert encoded == (megabytes > 0) or (not much_work and not encoded)
        assert_array_equal(*found)


@pytest.mark.parametrize("n_features", [32, 33, 200])
@pytest.mark.parametrize("dtype", FLOATS)
def test_prediction_in_codes(dtype, n_features):
    rng = np.random.default_rng(n_features)
    spread = rng.normal(size=(1501, n_features))
    axis = np.zeros_like(spread)
    axis[np.arange(1501), rng.integers(n_features, size=1501)] = rng.normal(size=1501)
    axis[::7] = 0.0
    near = 100.0 + 1e-3 * spread  # so near to each other that codes leave all open
    line = rng.normal(size=n_features) * rng.integers(1, 900, size=(1501, 1))
    for X in (spread, axis, near, line, np.vstack([spread, near]), 1e17 * spread, 1e-17 * spread):
        X = X.astype(dtype)
        centers = X[rng.choice(len(X), 19)]  # some may be equal
        labels = KMeans.from_centers(centers, backend="numba", n_threads=2).predict(X)
        X, centers = X.astype(np.float64), centers.astype(np.float64)
        differences = X[:, np.newaxis] - centers
        expected = np.ascontiguousarray(np.square(differences)).sum(axis=-1).argmin(axis=1)
        assert_array_equal(labels, expected)


def test_prediction_in_codes_names_what_is_not_finite():
    X = np.random.default_rng(0).normal(size=(600, 40)).astype(np.float32)
    model = KMeans.from_centers(X[:20], backend="numba")
    for value, name in ((np.nan, "NaN"), (np.inf, "infinity")):
        bad = X.copy()
        bad[300, 7] = value
        with pytest.raises(ValueError, match=f"(?s){name}.*300.*7|300.*7.*{name}"):
            model.predict(bad)


@pytest.mark.parametrize(("backend", "order"), [("numpy", "F"), ("numba", "C")])
@pytest.mark.parametrize("n_features", [3, 40])
def test_float64_is_screened_from_float32_where_there_is_room(n_features, backend, order):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(3000, n_features)) + 100.0
    problems = []
    for megabytes in (1024, 0):
        with config_context(working_memory=megabytes):
            problems.append(make_problem(Chunks(X, 8, 1, backend), 8, None))
    rounded, plain = problems
    assert plain.rounded is None
    assert plain.rounded_rows(slice(3)) is None
    assert rounded.rounded.flags[f"{order}_CONTIGUOUS"]
    assert rounded.rounded_rows(np.arange(3)) is None
    assert_array_equal(rounded.rounded_rows(slice(3)), rounded.rounded[:3])
    assert_array_equal(rounded.rounded, (X - rounded.shift).astype(np.float32))
    assert rounded.screened(np.dtype(np.float64))[0] is rounded.chunks.X
    for problem in problems:
        assigner = make_assigner("hamerly", problem)
        for centers in (X[:8], X[8:16]):
            assigner.assign(centers, lambda stats: None)
        distances = np.square(X[:, np.newaxis] - X[8:16]).sum(axis=2)
        assert_array_equal(assigner.labels, distances.argmin(axis=1))
    seeds = [kmeans_plusplus_rows(problem, np.random.RandomState(0)) for problem in problems]
    assert_array_equal(*seeds)


@pytest.mark.parametrize("n_rows", [1, 200, 6000])  # between, only one has several blocks
def test_canonical_order(n_rows):
    rng = np.random.default_rng(n_rows)
    keys = rng.normal(size=n_rows)[rng.integers(0, n_rows, n_rows)]  # some of them equal
    plain, compiled = CanonicalRows(keys), CanonicalRows(keys, _numba)
    blocks = rng.integers(0, plain.n_blocks, 20)
    for ours, theirs in zip(plain.in_order(blocks), compiled.in_order(blocks), strict=True):
        assert_array_equal(ours, theirs)
    mass = rng.random(n_rows) * rng.integers(0, 2, n_rows)
    mass[rng.integers(n_rows)] = 1.0
    block_mass = plain.block_mass(slice(None), mass)
    uniforms = rng.random(50)
    expected = plain.draw(uniforms, block_mass, mass.__getitem__)
    for most in (1000, 0):  # rows of a block that compiled code brings into order itself
        compiled, drawn = CanonicalRows(keys, _numba), np.empty(50, np.intp)
        arrays = *compiled.blocks, keys, most, mass, np.empty(0), drawn
        while (block := _numba.draw_rows(uniforms, block_mass, *arrays)) >= 0:
            compiled.in_order(np.array([block]))
        assert block == -1
        assert_array_equal(drawn, expected)
    nothing = np.zeros(n_rows), np.empty(0), drawn
    assert _numba.draw_rows(uniforms, block_mass, *compiled.blocks, keys, 1000, *nothing) == -2


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n_features", [3, 20])
@pytest.mark.parametrize("layout", ["C", "F", "strided"])
def test_moments_norms_and_keys(layout, n_features, weighted):
    rng = np.random.default_rng(0)
    X = 5.0 + rng.normal(size=(1000, 2 * n_features))
    X[700:] += 100.0  # as if sorted: tiles differ more than the rows in them
    X = X[:, ::2] if layout == "strided" else np.array(X[:, ::2], order=layout)
    X.flags.writeable = False  # as the kernels are compiled for anyway
    weights = np.empty(0)
    if weighted:
        weights = rng.integers(0, 3, 1000).astype(np.float64)
        weights[256:600] = 0.0  # a whole tile counts nothing
    part, of_rows = slice(3, 990), weights if weighted else np.ones(1000)
    total, mean, squares = _numba.moments(X, part.start, part.stop, weights)
    expected = np.average(X[part], axis=0, weights=of_rows[part])
    assert total == of_rows[part].sum()
    assert_allclose(mean, expected, rtol=1e-13)
    assert_allclose(squares, of_rows[part] @ (X[part] - expected) ** 2, rtol=1e-12)
    shift, direction = np.full(n_features, 8.0), rng.normal(size=n_features)
    sq_norms, keys = np.zeros((2, 1000))
    for rounded in (np.zeros((1000, n_features), np.float32), np.zeros((0, 0), np.float32)):
        arrays = shift, direction, weights, sq_norms, keys, rounded
        sum_of_squares = _numba.norms_and_keys(X, part.start, part.stop, *arrays)
        assert_allclose(sq_norms[part], np.square(X[part] - shift).sum(axis=1), rtol=1e-13)
        assert_allclose(keys[part], (X[part] - shift) @ direction, rtol=1e-10, atol=1e-10)
        assert_allclose(sum_of_squares, of_rows @ sq_norms, rtol=1e-13)
        assert not sq_norms[:3].any()
        assert not keys[990:].any()
        if rounded.size:
            assert_array_equal(rounded[part], (X[part] - shift).astype(np.float32))
            assert not rounded[990:].any()
    assert _numba.moments(X, 300, 500, np.zeros(1000))[0] == 0.0


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shifted", [False, True])
def test_sums_tell_the_same(weighted, shifted):
    rng = np.random.default_rng(0)
    sums, centers = rng.normal(size=(2, 9, 5))
    weights = rng.integers(1, 9, 9) * (0.3 if weighted else 1.0)
    shift = rng.normal(size=5) if shifted else np.empty(0)
    before = np.zeros(9), np.zeros(9 if weighted else 0)
    others = [array.copy() for array in before]
    for fall in (1.0, 1e-6, 1e-14):  # the last is more than half of the digits of a square
        arrays = sums * fall, weights, centers, shift, 100.0
        ours, theirs = _numba.measure_sums(*arrays, *before), measure_sums(*arrays, *others)
        assert ours[0] == theirs[0] == (fall == 1e-14)
        assert_allclose(ours[1], theirs[1], rtol=1e-12)
        assert_allclose(before[0], others[0], rtol=1e-12)
        assert_array_equal(before[1], others[1])
    if weighted:
        for measure in (_numba.measure_sums, measure_sums):
            assert measure(*arrays, np.zeros(9), weights * 1e8)[0]
    means, plain = np.empty((2, 9, 5))
    shifts = [
        move(sums, weights, centers, shift, out)
        for move, out in ((_numba.move_to_means, means), (move_to_means, plain))
    ]
    assert_array_equal(means, plain)
    assert_allclose(*shifts, rtol=1e-12)


def _steps(problem, init, algorithm, ahead, max_iter):
    """What the steps of the loop tell, but for labels and time; then the labels."""
    assigner = make_assigner(algorithm, problem)
    told = []
    with problem.chunks.open():
        for step in lloyd(problem, init, assigner, max_iter, 1e-9, ahead):
            told.append((step.centers.tolist(), *step[3:7], step.converged))
    return type(assigner), told, assigner.labels.tolist()


@pytest.mark.parametrize("algorithm", ["lloyd", "hamerly"])
@pytest.mark.parametrize("kind", ["plain", "empty", "equal", "far", "cancelled", "hard"])
@pytest.mark.parametrize("n_blocks", [1, 7])
def test_iterations_in_one_call(n_blocks, kind, algorithm, monkeypatch):
    """They are those that Python puts together, whether they are done ahead or not."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    init = X[:20].copy()
    if kind == "empty":
        init[15:] += 50.0
    if kind == "equal":
        init[3:6] = init[0]
    if kind == "far":
        init[4] = 1e16
    if kind == "cancelled":
        X[:2] *= 1e12
    if kind == "hard":
        X = np.round(X) + 1e-9 * X
    for weights in (None, rng.integers(0, 3, 300).astype(float)):
        for max_iter in (1, 3, 40):
            problem = make_problem(Chunks(X, 20, 3, "numba"), 20, weights)
            problem.chunks.blocks = even_slices(300, -(-300 // n_blocks), -(-300 // n_blocks))
            assert len(problem.chunks.blocks) >= n_blocks
            options = problem, init, algorithm
            kinds, steps, labels = zip(
                *(_steps(*options, ahead, max_iter) for ahead in (True, False)), strict=True
            )
            assert set(kinds) == {AheadAssigner}
            with monkeypatch.context() as patched:
                patched.setattr(_solvers, "can_go_ahead", lambda problem: False)
                parts, expected, expected_labels = _steps(*options, False, max_iter)
            assert parts is _compiled.CompiledAssigner
            assert steps == (expected, expected)
            assert labels == (expected_labels, expected_labels)


@pytest.mark.parametrize("wanted", ["projected", "whole", "none"])
def test_iterations_with_codes_in_one_call(wanted, monkeypatch):
    monkeypatch.setattr(_compiled, "_cost_of_near", cost_of(wanted))
    X = decaying(np.random.default_rng(0), 9000, 64, np.float32)
    problem = make_problem(Chunks(X, 40, 3, "numba"), 40, None)
    n_ahead, iterate = [], AheadAssigner.iterate

    def counted(*args):
        found = iterate(*args)
        n_ahead.append(len(found[0]))
        return found

    monkeypatch.setattr(AheadAssigner, "iterate", counted)
    options = problem, X[:40].astype(float), "hamerly"
    kind, steps, labels = _steps(*options, True, 30)
    assert kind is AheadAssigner
    assert n_ahead[:2] == [0, 0]  # codes are decided on in the second pass
    assert sum(n_ahead) == len(steps) - 2
    monkeypatch.setattr(_solvers, "can_go_ahead", lambda problem: False)
    assert _steps(*options, False, 30)[1:] == (steps, labels)
    assert (problem.shared.get("codes") is None) == (wanted == "none")


def test_what_python_has_to_do_between_iterations(monkeypatch):
    """Nothing is done ahead where a callback, the user or a rival looks at each iteration."""
    n_asked = []
    iterate = AheadAssigner.iterate
    monkeypatch.setattr(
        AheadAssigner, "iterate", lambda *args: n_asked.append(args[2]) or iterate(*args)
    )
    X = np.random.default_rng(0).normal(size=(300, 3))
    list(lloyd_steps(X, X[:20], backend="numba"))
    fit("numba", X, 20, init=X[:20], verbose=1)
    assert set(n_asked) == {1}
    n_asked.clear()
    n_iter = fit("numba", X, 20, init=X[:20]).n_iter_
    assert n_iter > 2 * len(n_asked)


@pytest.mark.parametrize("n_clusters", [2, 3, 16, 40, 300])
@pytest.mark.parametrize("equal", [False, True])
def test_bounds_follow_the_centers(n_clusters, equal):
    rng = np.random.default_rng(n_clusters)
    chunks = Chunks(rng.normal(size=(700, 3)), n_clusters, 1, "numba")
    bounds = _compiled.CompiledBounds(make_problem(chunks, n_clusters, None))
    labels = rng.integers(0, n_clusters, 700)
    bounds.limit[:] = rng.exponential(3.0, 700)
    drift = np.zeros(n_clusters)
    places = rng.normal(size=(4, n_clusters, 3))
    places[1:] += rng.exponential(1.0, (3, n_clusters, 1)) ** 3
    if equal:
        places[1:] = places[0] + np.arange(3.0).reshape(3, 1, 1)
    bounds.follow(_Placed(places[0]), labels)
    for before, after in pairwise(places):
        bounds.follow(_Placed(after), labels)
        moved = np.sqrt(np.square(after - before).sum(axis=1))
        slow = np.setdiff1d(np.arange(n_clusters), bounds.fast)
        if n_clusters > 4:
            assert moved[bounds.fast].min(initial=np.inf) >= moved[slow].max()
        every, left = [
            np.array([moved[np.setdiff1d(some, c)].max() for c in range(n_clusters)])
            for some in (np.arange(n_clusters), slow)
        ]
        without, drift = drift + moved + left, drift + moved + every
        for ours, exact in zip(bounds.drifts, (drift, drift, without, every - left), strict=True):
            assert_allclose(ours, exact, rtol=1e-5, atol=1e-5)
        assert (bounds.drifts[0] <= drift).all()
        assert (bounds.drifts[1] >= drift).all()


class _Placed:
    """Of a table of centres what bounds look at."""

    def __init__(self, offsets):
        self.offsets = offsets
