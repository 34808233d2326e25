"""What must not show in a result, and what every result has to hold."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from sklearn_lloyd import KMeans, lloyd_steps
from sklearn_lloyd._core import options

thorough = settings(max_examples=40, derandomize=True, deadline=None)
quick = settings(max_examples=20, derandomize=True, deadline=None)

seeds = st.integers(0, 2**32 - 1)
INITS = ["k-means++", "k-means||", "random", "random-partition"]
inits = st.sampled_from(INITS)
wraps = st.sampled_from([np.asarray, sparse.csr_matrix])
FIELDS = ("inertia", "center_shift", "n_changed", "n_empty")


def fit(X, n_clusters, weights=None, **params):
    params.setdefault("random_state", 0)
    if isinstance(params.get("init"), str) and params["init"] != "k-means++":
        params.setdefault("n_init", 2)
    with warnings.catch_warnings():
        # Fewer distinct rows than clusters are among what is tested.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return KMeans(n_clusters, **params).fit(X, sample_weight=weights)


# Even small problems have several blocks and threads.
SMALL = {"block_rows": 64, "least_work": 1}


def squares(X, centers):
    """Squared distances by differences, float64."""
    X = X.toarray() if sparse.issparse(X) else X
    rows = np.array(X, np.float64, order="C")
    differences = rows[:, np.newaxis, :] - np.asarray(centers, np.float64)
    return np.ascontiguousarray(np.square(differences)).sum(axis=-1)


def assert_nearest(model, X):
    """The labels are those of the definition."""
    distances = squares(X, model.cluster_centers_)
    assert_array_equal(model.labels_, distances.argmin(axis=1))


def assert_same(a, b, scale=1.0, rtol=1e-9):
    """The same clustering with the same numbering, the centres up to rounding."""
    assert_array_equal(a.labels_, b.labels_)
    assert a.n_iter_ == b.n_iter_
    assert_allclose(a.cluster_centers_, b.cluster_centers_, rtol=rtol, atol=rtol * scale)
    assert_allclose(a.inertia_, b.inertia_, rtol=rtol, atol=rtol * scale**2)


def assert_identical(a, b):
    """Nothing differs, to the last bit."""
    assert_array_equal(a.labels_, b.labels_)
    assert_array_equal(a.cluster_centers_, b.cluster_centers_)
    assert a.inertia_ == b.inertia_
    assert_array_equal(a.start_inertias_, b.start_inertias_)
    for field in FIELDS:
        assert_array_equal(a.history_[field], b.history_[field])


def blobs(rng, n_rows=120, n_features=3, n_blobs=4):
    centers = 4 * rng.standard_normal((n_blobs, n_features))
    return centers[rng.integers(0, n_blobs, n_rows)] + rng.standard_normal((n_rows, n_features))


def grid(rng, n_rows=120, n_features=2):
    return rng.integers(0, 5, (n_rows, n_features)).astype(np.float64)


makers = st.sampled_from([blobs, grid])


# The order of the rows; weights and repeats.


@thorough
@given(seed=seeds, make=makers, init=inits, wrap=wraps, weighted=st.booleans())
def test_order_of_the_rows_does_not_matter(seed, make, init, wrap, weighted):
    rng = np.random.default_rng(seed)
    X = make(rng)
    weights = rng.integers(0, 4, len(X)).astype(float) if weighted else None
    shuffle = rng.permutation(len(X))
    a = fit(wrap(X), 5, weights, init=init)
    b = fit(
        wrap(X[shuffle]),
        5,
        None if weights is None else weights[shuffle],
        init=init,
    )
    assert_array_equal(a.labels_[shuffle], b.labels_)
    assert_allclose(a.cluster_centers_, b.cluster_centers_, rtol=1e-9, atol=1e-9)
    assert a.inertia_ == pytest.approx(b.inertia_, rel=1e-9)
    assert a.n_iter_ == b.n_iter_


def test_order_of_the_rows_where_a_variance_is_two():
    # Half way between two powers of four: rounding chose the scale of the feature in the
    # canonical order, and with it the rows that are drawn.
    for seed in range(20):
        rng = np.random.default_rng(seed)
        X = np.column_stack([np.repeat(np.arange(5.0) + 0.1, 40), rng.standard_normal(200)])
        shuffle = rng.permutation(200)
        a, b = fit(X, 4), fit(X[shuffle], 4)
        assert_array_equal(a.labels_[shuffle], b.labels_)


@thorough
@given(seed=seeds, make=makers, init=inits, wrap=wraps)
def test_whole_weights_are_repeated_rows(seed, make, init, wrap):
    rng = np.random.default_rng(seed)
    X = make(rng)
    weights = rng.integers(0, 4, len(X))
    weights[:5] = 1
    a = fit(wrap(X), 5, weights, init=init)
    b = fit(wrap(np.repeat(X, weights, axis=0)), 5, init=init)
    assert_array_equal(np.repeat(a.labels_, weights), b.labels_)
    assert_allclose(a.cluster_centers_, b.cluster_centers_, rtol=1e-9, atol=1e-9)
    assert a.inertia_ == pytest.approx(b.inertia_, rel=1e-9)
    assert a.n_iter_ == b.n_iter_


@thorough
@given(seed=seeds, make=makers, init=inits, wrap=wraps, far=st.booleans())
def test_weight_zero_is_a_removed_row(seed, make, init, wrap, far):
    rng = np.random.default_rng(seed)
    X = make(rng)
    weights = rng.integers(1, 4, len(X)) * 0.25
    none = rng.random(len(X)) < 0.3
    weights[none] = 0
    if far:  # what has no weight may be anywhere
        X[none] *= 1e6
    a = fit(wrap(X), 5, weights, init=init)
    b = fit(wrap(X[~none]), 5, weights[~none], init=init)
    assert_array_equal(a.labels_[~none], b.labels_)
    assert_allclose(a.cluster_centers_, b.cluster_centers_, rtol=1e-9, atol=1e-9)
    assert a.inertia_ == pytest.approx(b.inertia_, rel=1e-9)
    assert a.n_iter_ == b.n_iter_


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("huge", [1e25, 1e40])
def test_row_of_weight_zero_beyond_float32(huge, n_threads):
    # It counts for nothing, so it must not warn either, on whatever thread.
    # (Casts to float32 outside of np.errstate, or in a worker, where the caller's does not
    # hold.)
    rng = np.random.default_rng(0)
    X = blobs(rng, 4000)
    X[::10] = huge
    weights = np.ones(4000)
    weights[::10] = 0
    with options(block_rows=1000, least_work=1000):
        a = fit(X, 4, weights, n_threads=n_threads)
        b = fit(X[weights > 0], 4, n_threads=n_threads)
    assert_array_equal(a.labels_[weights > 0], b.labels_)
    assert_nearest(a, X)


@quick
@given(
    seed=seeds,
    init=inits,
    wrap=wraps,
    factor=st.sampled_from([0.1, 3.0, 2.0**40, 1e-30, 1e30]),
    n_rows=st.sampled_from([120, 3000]),
)
def test_scale_of_the_weights_does_not_matter(seed, init, wrap, factor, n_rows):
    rng = np.random.default_rng(seed)
    X = blobs(rng, n_rows)
    weights = rng.integers(1, 4, len(X)).astype(float)
    a = fit(wrap(X), 5, weights, init=init)
    b = fit(wrap(X), 5, factor * weights, init=init)
    assert_array_equal(a.labels_, b.labels_)
    assert_allclose(a.cluster_centers_, b.cluster_centers_, rtol=1e-9, atol=1e-9)
    assert b.inertia_ == pytest.approx(factor * a.inertia_, rel=1e-9)
    assert a.n_iter_ == b.n_iter_


@pytest.mark.parametrize("factor", [1e-60, 1e-44, 1e38, 1e60])
def test_weights_beyond_float32(factor):
    # The seeding multiplied float32 scores with weights cast to float32.
    rng = np.random.default_rng(0)
    X = blobs(rng, 3000)
    weights = rng.integers(1, 4, len(X)).astype(float)
    a = fit(X, 5, weights)
    b = fit(X, 5, factor * weights)
    assert_array_equal(a.labels_, b.labels_)
    assert b.inertia_ == pytest.approx(factor * a.inertia_, rel=1e-9)


# Scale and shift of X.


@quick
@given(
    seed=seeds,
    init=inits,
    wrap=wraps,
    power=st.sampled_from([-100, -50, -10, -1, 1, 9, 33, 50, 100]),
    n_rows=st.sampled_from([120, 3000]),
)
def test_scale_by_a_power_of_two(seed, init, wrap, power, n_rows):
    rng = np.random.default_rng(seed)
    X = blobs(rng, n_rows)
    a = fit(wrap(X), 5, init=init)
    b = fit(wrap(X * 2.0**power), 5, init=init)
    assert_array_equal(a.labels_, b.labels_)
    assert_array_equal(a.cluster_centers_ * 2.0**power, b.cluster_centers_)
    assert a.inertia_ * 4.0**power == b.inertia_
    assert a.n_iter_ == b.n_iter_


@quick
@given(
    seed=seeds,
    power=st.sampled_from([-30, -3, 5, 30]),
    n_rows=st.sampled_from([120, 3000]),
)
def test_scale_of_float32_by_a_power_of_two(seed, power, n_rows):
    rng = np.random.default_rng(seed)
    X = blobs(rng, n_rows).astype(np.float32)
    a = fit(X, 5)
    b = fit(X * np.float32(2.0**power), 5)
    assert b.cluster_centers_.dtype == np.float32
    assert_array_equal(a.labels_, b.labels_)
    assert_array_equal(a.cluster_centers_ * np.float32(2.0**power), b.cluster_centers_)


@quick
@given(
    seed=seeds,
    init=inits,
    offset=st.sampled_from([-3.0, 1000.0, 2.0**20, -(2.0**30)]),
    n_rows=st.sampled_from([120, 3000]),
)
def test_shift_that_costs_no_digit(seed, init, offset, n_rows):
    rng = np.random.default_rng(seed)
    X = np.round(blobs(rng, n_rows) * 1024) / 1024
    assert_array_equal((X + offset) - offset, X)
    a = fit(X, 5, init=init)
    b = fit(X + offset, 5, init=init)
    assert_array_equal(a.labels_, b.labels_)
    assert_allclose(a.cluster_centers_, b.cluster_centers_ - offset, atol=1e-6)
    assert b.inertia_ == pytest.approx(a.inertia_, rel=1e-5)


@quick
@given(
    seed=seeds,
    dtype=st.sampled_from([np.float32, np.float64]),
    offset=st.sampled_from([30.0, -1e4, 1e6, 1e12]),
)
def test_shift_that_costs_digits(seed, dtype, offset):
    # What is left of the data in that precision is clustered by the definition.
    rng = np.random.default_rng(seed)
    X = (blobs(rng, 2000) + offset).astype(dtype)
    model = fit(X, 4)
    assert_nearest(model, X)
    assert_array_equal(model.predict(X), model.labels_)
    distances = squares(X, model.cluster_centers_)
    assert model.inertia_ == pytest.approx(distances.min(axis=1).sum(), rel=1e-12)


@pytest.mark.parametrize("power", [-200, -146, -100, 100, 126, 200])
@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
def test_scales_beyond_float32(power, algorithm):
    # The bounds are kept in float32: out of its range they must not drop a row, nor warn.
    rng = np.random.default_rng(1)
    X = blobs(rng, 3000)
    a = fit(X, 6, algorithm="lloyd", tol=0)
    X *= 2.0**power
    b = fit(X, 6, algorithm=algorithm, tol=0)
    assert_array_equal(a.labels_, b.labels_)
    assert a.n_iter_ == b.n_iter_
    assert_array_equal(b.predict(X), b.labels_)


def test_most_rows_tiny_beside_large_ones():
    # In float32 the squares of the tiny ones have a bit or two left, or none.
    rng = np.random.default_rng(2)
    X = np.concatenate([rng.standard_normal((3000, 3)) * 1e-22, rng.standard_normal((3, 3))])
    centers = X[[0, 1, 2, 3, 4, 3001]]
    step = next(lloyd_steps(X, centers))
    assert_array_equal(step.labels, squares(X, centers).argmin(axis=1))


# The inertia.


@thorough
@given(
    seed=seeds,
    make=makers,
    init=inits,
    wrap=wraps,
    weighted=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float64]),
)
def test_inertia_never_rises(seed, make, init, wrap, weighted, dtype):
    rng = np.random.default_rng(seed)
    X = make(rng).astype(dtype)
    weights = rng.random(len(X)) if weighted else None
    model = fit(wrap(X), 12, weights, init=init, tol=0, max_iter=50)
    # Centres are rounded to the dtype of X, which may cost a little.
    rounding = 1e-5 if dtype == np.float32 else 1e-11
    history = model.history_["inertia"]
    slack = rounding * (history[0] + 1)
    assert (np.diff(history) <= slack).all()
    assert model.inertia_ <= history[-1] + slack
    assert len(history) == model.n_iter_
    own = squares(X, model.cluster_centers_)[np.arange(len(X)), model.labels_]
    w = np.ones(len(X)) if weights is None else weights
    assert model.inertia_ == pytest.approx(w @ own, rel=1e-9, abs=1e-12)
    assert model.score(wrap(X), sample_weight=weights) == pytest.approx(-model.inertia_, rel=1e-9)


@pytest.mark.parametrize("outlier", [1e6, 1e12, 1e20])
@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
def test_centers_are_means_after_an_outlier_has_left(outlier, algorithm):
    # The outlier starts in the cluster of all others, the empty cluster takes it. Sums that
    # are updated by differences keep nothing of 3.0 beside 1e20.
    rng = np.random.default_rng(3)
    others = rng.standard_normal((500, 2)) + np.array([3, 0])
    X = np.concatenate([others, [[outlier, 0]]])
    model = fit(X, 2, init=X[[0, 0]], algorithm=algorithm)
    assert_array_equal(model.labels_, [0] * 500 + [1])
    assert_allclose(model.cluster_centers_[1], X[500])
    assert_allclose(model.cluster_centers_[0], X[:500].mean(axis=0), atol=1e-3)


@pytest.mark.parametrize("algorithm", ["lloyd", "elkan"])
def test_centers_are_means_after_a_heavy_row_has_left(algorithm):
    # Beside a weight of 1e20 the others' keep no digit either; its row adds nothing to the sums.
    rng = np.random.default_rng(3)
    sides = np.repeat([[30.0, 0.0], [-30.0, 0.0]], 250, axis=0)
    X = np.concatenate([sides + rng.standard_normal((500, 2)), [[0, 0]]])
    weights = np.append(np.ones(500), 1e20)
    model = fit(
        X,
        3,
        weights,
        init=[[30, 0], [-29, 0], [900, 0]],
        algorithm=algorithm,
        tol=0,
    )
    assert_array_equal(model.labels_, [0] * 250 + [1] * 250 + [2])
    assert_allclose(model.cluster_centers_[0], X[:250].mean(axis=0))
    assert_allclose(model.cluster_centers_[1], X[250:500].mean(axis=0))


def test_first_centers_whose_squares_overflow():
    X = np.random.default_rng(0).standard_normal((50, 2))
    step = next(lloyd_steps(X, [[1e200, 1e308]]))
    assert step.inertia == np.inf
    assert_allclose(step.centers[0], X.mean(axis=0))


# Blocks and screens. (Threads: `test_threads.py`.)


WAYS = [
    {"screen": 1},
    {"screen": 16},
    {"screen": 32},
    {"screen": 64},
    {"fast_centers": 8},
    {"fast_centers": 64},
    {"least_work": 1},
    {"block_rows": 64},
    {"block_rows": 301, "least_work": 1},
    {"block_rows": 1 << 20},
]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: ",".join(f"{k}={way[k]}" for k in way))
@pytest.mark.parametrize(
    ("n_clusters", "n_features", "wrap"),
    [
        (4, 2, np.asarray),
        (20, 30, np.asarray),
        (7, 9, np.float32),
        (170, 4, np.asarray),
        (8, 12, sparse.csr_matrix),
    ],
)
def test_options_only_cost_or_save_time(n_clusters, n_features, wrap, way):
    rng = np.random.default_rng(n_clusters)
    X = blobs(rng, 1500, n_features, n_clusters)
    if wrap is sparse.csr_matrix:
        X[rng.random(X.shape) < 0.5] = 0
    X = wrap(X)
    params = {"max_iter": 10, "tol": 0, "algorithm": "hamerly", "n_threads": 2}
    want = fit(X, n_clusters, **params)
    with options(**way):
        model = fit(X, n_clusters, **params)
        assert_array_equal(want.predict(X), want.labels_)
    if "block_rows" in way:  # in which sums are added up
        rtol = 1e-5 if X.dtype == np.float32 else 1e-9
        assert_same(model, want, scale=10, rtol=rtol)
    else:
        assert_identical(model, want)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: ",".join(f"{k}={way[k]}" for k in way))
def test_options_do_not_decide_ties(way):
    # Sums of whole numbers are exact, in whatever order, so everything is the same to the bit.
    X = grid(np.random.default_rng(5), 1500, 3)
    want = fit(X, 9, tol=0)
    with options(**way):
        model = fit(X, 9, tol=0)
        assert_array_equal(want.predict(X), want.labels_)
    assert_array_equal(model.labels_, want.labels_)
    assert_array_equal(model.cluster_centers_, want.cluster_centers_)
    assert_nearest(model, X)


# Every algorithm, on problems that are not nice.


def outliers(rng):
    X = blobs(rng)
    X[rng.integers(0, len(X), 3)] *= 1e9
    return X


def densities(rng):
    parts = [rng.standard_normal((n, 2)) * s for n, s in [(80, 1e-6), (60, 1e-2), (20, 1e3)]]
    return np.concatenate(parts) + np.repeat([[0, 0], [1e-1, 0], [5e2, 5e2]], [80, 60, 20], axis=0)


def repeats(rng):
    return blobs(rng, 15)[rng.integers(0, 15, 150)]


def constant_features(rng):
    X = blobs(rng, n_features=5)
    X[:, 1] = 0.1
    X[:, 3] = 1e3
    return X


def read_only(X):
    X.setflags(write=False)
    return X


def strided(X):
    wide = np.zeros((2 * X.shape[0], 2 * X.shape[1] + 1), X.dtype)
    wide[::2, 1::2] = X
    return read_only(wide)[::2, 1::2]


NASTY = {
    "blobs": blobs,
    "grid": grid,
    "grid-one-feature": lambda rng: grid(rng, 150, 1),
    "grid-many-features": lambda rng: grid(rng, 150, 12),
    "grid-float32": lambda rng: grid(rng).astype(np.float32),
    "grid-far-away": lambda rng: grid(rng) + 2.0**30,
    "integers": lambda rng: grid(rng).astype(np.int64) - 7,
    "uint8": lambda rng: rng.integers(0, 256, (150, 3)).astype(np.uint8),
    "boolean": lambda rng: rng.integers(0, 2, (150, 6)).astype(bool),
    "float16": lambda rng: blobs(rng).astype(np.float16),
    "repeats": repeats,
    "outliers": outliers,
    "outliers-float32": lambda rng: outliers(rng).astype(np.float32),
    "densities": densities,
    "tiny": lambda rng: blobs(rng) * 1e-30,
    "huge": lambda rng: blobs(rng) * 1e30,
    "tiny-float32": lambda rng: (blobs(rng) * 1e-12).astype(np.float32),
    "huge-float32": lambda rng: (blobs(rng) * 1e12).astype(np.float32),
    "far-away-float32": lambda rng: (blobs(rng) + 1e5).astype(np.float32),
    "one-feature": lambda rng: blobs(rng, 150, 1),
    "constant-features": constant_features,
    "all-equal": lambda rng: np.full((60, 3), 0.1),
    "many-features": lambda rng: blobs(rng, 100, 60),
    "fortran": lambda rng: read_only(np.asfortranarray(blobs(rng))),
    "strided": lambda rng: strided(blobs(rng)),
    "reversed": lambda rng: read_only(blobs(rng))[::-1, ::-1],
    "csr-grid": lambda rng: sparse.csr_matrix(grid(rng)),
    "csr": lambda rng: sparse.random(150, 20, 0.2, "csr", random_state=int(rng.integers(999))),
}


def starts(rng, X, n_clusters):
    """First centres: rows, rows with repeats among them, and names."""
    n_rows = X.shape[0]
    dense = X.toarray() if sparse.issparse(X) else np.asarray(X)
    yield dense[rng.choice(n_rows, n_clusters, replace=False)]
    yield dense[rng.integers(0, max(1, n_clusters // 2), n_clusters)]
    yield "k-means++"
    yield "k-means||"
    yield "random"


@pytest.mark.parametrize("way", [{}, {**SMALL, "screen": 16, "fast_centers": 8}])
@pytest.mark.parametrize("name", NASTY)
def test_every_algorithm_gives_the_same(name, way):
    for seed in range(2):
        rng = np.random.default_rng(seed)
        X = NASTY[name](rng)
        scale = float(np.abs(X).max())
        for n_clusters in (2, 6, X.shape[0] - 2):
            for init in starts(rng, X, n_clusters):
                if isinstance(init, str) and (seed > 0 or n_clusters == 2):
                    continue  # dear, and little new
                params = {
                    "init": init,
                    "random_state": seed,
                    "max_iter": 30,
                    "tol": [0, 1e-4][seed % 2],
                    "n_init": 1,
                }
                with options(**way):
                    lloyd, elkan, auto = (
                        fit(X, n_clusters, algorithm=algorithm, **params)
                        for algorithm in ("lloyd", "elkan", "auto")
                    )
                    assert_array_equal(lloyd.predict(X), lloyd.labels_)
                rtol = 1e-5 if lloyd.cluster_centers_.dtype == np.float32 else 1e-9
                assert_same(lloyd, elkan, scale, rtol)
                assert_same(lloyd, auto, scale, rtol)
                assert_array_equal(lloyd.history_["n_changed"], elkan.history_["n_changed"])
                assert_nearest(lloyd, X)
                assert np.isfinite(lloyd.cluster_centers_).all()


@pytest.mark.parametrize("name", NASTY)
def test_one_cluster(name):
    X = NASTY[name](np.random.default_rng(9))
    dense = X.toarray() if sparse.issparse(X) else np.asarray(X)
    for algorithm in ("lloyd", "auto"):
        model = fit(X, 1, algorithm=algorithm)
        assert_array_equal(model.labels_, 0)
        mean = dense.astype(np.float64).mean(axis=0)
        rtol = 1e-5 if model.cluster_centers_.dtype == np.float32 else 1e-9
        assert_allclose(
            model.cluster_centers_[0], mean, rtol=rtol, atol=rtol * np.abs(dense).max()
        )
    with pytest.warns(RuntimeWarning, match="doesn't make sense for a single cluster"):
        elkan = KMeans(1, algorithm="elkan", random_state=0).fit(X)
    assert_array_equal(elkan.cluster_centers_, model.cluster_centers_)


@pytest.mark.parametrize("name", ["blobs", "uint8", "tiny", "huge-float32"])
def test_as_many_clusters_as_rows(name):
    X = NASTY[name](np.random.default_rng(10))
    X = np.unique(X, axis=0)
    model = fit(X, len(X))
    assert_array_equal(np.sort(model.labels_), np.arange(len(X)))
    assert_array_equal(model.cluster_centers_[model.labels_], X)
    assert model.inertia_ == 0


@thorough
@given(
    seed=seeds,
    n_distinct=st.integers(1, 6),
    init=inits,
    wrap=wraps,
    weighted=st.booleans(),
)
def test_fewer_distinct_rows_than_clusters(seed, n_distinct, init, wrap, weighted):
    rng = np.random.default_rng(seed)
    distinct = blobs(rng, n_distinct)
    X = distinct[np.concatenate([np.arange(n_distinct), rng.integers(0, n_distinct, 40)])]
    weights = rng.random(len(X)) + 0.1 if weighted else None
    model = KMeans(8, init=init, n_init=1, random_state=0)
    with pytest.warns(ConvergenceWarning, match="smaller than n_clusters"):
        model.fit(wrap(X), sample_weight=weights)
    assert_array_equal(model.predict(wrap(X)), model.labels_)
    assert np.isfinite(model.cluster_centers_).all()
    if init != "random-partition":  # each of them is a first centre
        assert np.unique(model.labels_).size == n_distinct
        assert model.inertia_ == pytest.approx(0, abs=1e-20)


# How the same data lie in memory.


@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("n_rows", [150, 5000])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, bool])
def test_layout_in_memory_does_not_matter(dtype, n_rows, init, tmp_path):
    rng = np.random.default_rng(11)
    X = blobs(rng, n_rows, 9) * 3
    X = X > 0 if dtype is bool else X.astype(dtype)
    path, path_of_columns = tmp_path / "X", tmp_path / "columns"
    X.tofile(path)
    X.T.tofile(path_of_columns)
    want = fit(X, 5, init=init)
    others = {
        "fortran": np.asfortranarray(X),
        "strided": strided(X),
        "reversed": X[::-1, ::-1].copy()[::-1, ::-1],
        "memmap": np.memmap(path, dtype, "r", shape=X.shape),
        "fortran memmap": np.memmap(path_of_columns, dtype, "r", shape=X.shape, order="F"),
    }
    for name, other in others.items():
        assert_array_equal(other, X, err_msg=name)
        model = fit(other, 5, init=init)
        assert_array_equal(model.labels_, want.labels_, err_msg=name)
        assert model.n_iter_ == want.n_iter_
        rtol = 1e-5 if dtype == np.float32 else 1e-9
        assert_allclose(model.cluster_centers_, want.cluster_centers_, rtol=rtol, atol=rtol)
        assert_array_equal(want.predict(other), want.labels_, err_msg=name)


@thorough
@given(
    seed=seeds,
    init=inits,
    weighted=st.booleans(),
    dtype=st.sampled_from([np.float32, np.float64]),
    n_rows=st.sampled_from([100, 2500]),
)
def test_dense_and_csr_agree(seed, init, weighted, dtype, n_rows):
    rng = np.random.default_rng(seed)
    X = blobs(rng, n_rows, 8).astype(dtype)
    X[rng.random(X.shape) < 0.5] = 0
    weights = rng.integers(0, 4, len(X)) * 0.5 if weighted else None
    matrix = sparse.csr_matrix(X)
    dense, csr = fit(X, 6, weights, init=init), fit(matrix, 6, weights, init=init)
    rtol = 1e-4 if dtype == np.float32 else 1e-9
    assert_same(dense, csr, 10, rtol)
    assert_array_equal(csr.predict(matrix), csr.labels_)
    assert_array_equal(csr.predict(X), csr.labels_)
    assert_array_equal(dense.predict(matrix), dense.labels_)
    assert_allclose(dense.transform(matrix), dense.transform(X), rtol=1e-4, atol=1e-5)
