"""KMeans: what it takes, what it gives, what it refuses, how it is stored."""

import pickle
import subprocess
import sys
import textwrap
import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sklearn_lloyd
from sklearn_lloyd import KMeans, k_means, kmeans_plusplus, lloyd_steps
from sklearn_lloyd._validation import check_rows, require_finite
from sklearn_lloyd.inspection import cluster_profiles


@pytest.fixture
def X():
    rng = np.random.RandomState(0)
    return np.concatenate([rng.normal(c, 1.0, (50, 4)) for c in (0, 6, 12)])


@pytest.fixture
def fitted(X):
    return KMeans(3, random_state=0).fit(X)


def same(model, other):
    np.testing.assert_array_equal(model.labels_, other.labels_)
    np.testing.assert_allclose(model.cluster_centers_, other.cluster_centers_)
    assert model.inertia_ == pytest.approx(other.inertia_)


# What it takes


@pytest.mark.parametrize(
    "make",
    [
        np.asfortranarray,
        lambda X: np.repeat(X, 2, axis=0)[::2],
        lambda X: np.repeat(X, 2, axis=1)[:, ::2],
        lambda X: X[::-1][::-1],
        lambda X: X.astype(X.dtype.newbyteorder()),
        np.ndarray.tolist,
        lambda X: pd.DataFrame(X, columns=list("abcd")),
        lambda X: pl.DataFrame(X, schema=list("abcd")),
        sparse.csr_matrix,
        sparse.csc_array,
        sparse.coo_array,
    ],
)
def test_containers(X, fitted, make):
    X.setflags(write=False)
    same(KMeans(3, random_state=0).fit(make(X)), fitted)
    np.testing.assert_array_equal(fitted.predict(np.asarray(X)), fitted.labels_)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.float16, np.longdouble, bool])
def test_dtypes(X, dtype):
    whole = X > 5 if dtype is bool else np.round(np.abs(X))
    as_float = KMeans(3, random_state=0).fit(whole.astype(np.float64))
    model = KMeans(3, random_state=0).fit(whole.astype(dtype))
    same(model, as_float)
    assert model.cluster_centers_.dtype == np.float64
    np.testing.assert_array_equal(model.predict(whole.astype(dtype)), model.labels_)
    assert model.transform(whole.astype(dtype)).dtype == np.float64


def test_float32_is_kept_and_either_precision_predicts(X, fitted):
    single = KMeans(3, random_state=0).fit(X.astype(np.float32))
    assert single.cluster_centers_.dtype == np.float32
    assert single.transform(X.astype(np.float32)).dtype == np.float32
    for model in (single, fitted):
        for dtype in (np.float32, np.float64):
            np.testing.assert_array_equal(model.predict(X.astype(dtype)), fitted.labels_)
            assert model.score(X.astype(dtype)) == pytest.approx(-fitted.inertia_, rel=1e-5)
    assert single.transform(X).dtype == np.float64


@pytest.mark.parametrize("index_dtype", [np.int32, np.int64])
def test_csr_unsorted_with_repeats_and_explicit_zeros(X, index_dtype):
    X = np.where(X > 4, X, 0)
    tidy = sparse.csr_array(X)
    order = np.concatenate(
        [np.arange(b - 1, a - 1, -1) for a, b in zip(tidy.indptr, tidy.indptr[1:], strict=False)]
    )
    # Every entry in two halves, back to front, and a zero at the end of every row.
    data = np.repeat(tidy.data[order] / 2, 2)
    indices = np.repeat(tidy.indices[order], 2)
    untidy = sparse.csr_array((data, indices, tidy.indptr * 2), shape=X.shape)
    zeros = sparse.csr_array((np.zeros(len(X)), np.zeros(len(X), int), np.arange(len(X) + 1)))
    zeros.resize(X.shape)
    stacked = sparse.csr_array(
        (
            np.concatenate([np.append(untidy.data[a:b], 0.0) for a, b in pairs(untidy)]),
            np.concatenate([np.append(untidy.indices[a:b], 0) for a, b in pairs(untidy)]),
            untidy.indptr + np.arange(len(X) + 1),
        ),
        shape=X.shape,
    )
    stacked.indices = stacked.indices.astype(index_dtype)
    stacked.indptr = stacked.indptr.astype(index_dtype)
    assert not stacked.has_canonical_format
    before = stacked.copy()
    model = KMeans(3, random_state=0).fit(stacked)
    same(model, KMeans(3, random_state=0).fit(X))
    np.testing.assert_array_equal(model.predict(stacked), model.labels_)
    np.testing.assert_allclose(model.transform(stacked), model.transform(X), atol=1e-12)
    np.testing.assert_array_equal(stacked.indices, before.indices)  # left as it was
    np.testing.assert_array_equal(stacked.data, before.data)


def pairs(matrix):
    return zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)


def test_read_only_memmap(X, fitted, tmp_path):
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    model = KMeans(3, random_state=0, copy_x=False).fit(mapped)
    same(model, fitted)
    assert type(model.cluster_centers_) is np.ndarray
    np.testing.assert_array_equal(model.predict(mapped), fitted.labels_)


@pytest.mark.parametrize("copy_x", [True, False])
@pytest.mark.parametrize("order", ["C", "F"])
def test_x_is_never_written(X, copy_x, order):
    X = np.array(X + 1e6, order=order)
    before = X.copy()
    KMeans(3, random_state=0, copy_x=copy_x).fit(X).transform(X)
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random", "random-partition"])
def test_init_by_name(X, init):
    model = KMeans(3, init=init, random_state=1).fit(X)
    assert model.start_inertias_.shape == ((1,) if init.startswith("k-means") else (10,))
    assert model.inertia_ == pytest.approx(model.start_inertias_.min())
    assert sorted(np.bincount(model.labels_)) == [50, 50, 50]
    same(KMeans(3, init=init, random_state=1).fit(X), model)


def test_init_array_is_copied_and_may_be_of_integers(X, fitted):
    init = np.round(X[[0, 60, 120]])
    kept = init.copy()
    model = KMeans(3, init=init, random_state=0).fit(X)
    np.testing.assert_array_equal(init, kept)
    same(KMeans(3, init=init.astype(int)).fit(X), model)
    same(KMeans(3, init=init.tolist()).fit(X), model)
    with pytest.warns(RuntimeWarning, match="performing only one init in KMeans"):
        KMeans(3, init=init, n_init=4).fit(X)


def test_init_callable_sees_the_users_coordinates(X):
    far = X + 1000.0
    seen = []

    def init(X, n_clusters, random_state):
        seen.append((X.copy(), n_clusters, random_state))
        return X[[0, 60, 120]]

    model = KMeans(3, init=init, n_init=2, random_state=np.random.RandomState(5)).fit(far)
    assert len(seen) == 2
    np.testing.assert_array_equal(seen[0][0], far)
    assert seen[0][1] == 3
    assert isinstance(seen[0][2], np.random.RandomState)
    np.testing.assert_array_equal(model.labels_, np.repeat([0, 1, 2], 50))
    as_sparse = KMeans(3, init=lambda X, n_clusters, random_state: X[[0, 60, 120]], n_init=1)
    np.testing.assert_array_equal(
        as_sparse.fit(sparse.csr_array(X)).labels_, np.repeat([0, 1, 2], 50)
    )


def test_one_feature_one_cluster_as_many_clusters_as_rows():
    line = np.arange(10.0)[:, None]
    halves = KMeans(2, init=[[0.0], [9.0]]).fit(line)
    assert sorted(np.bincount(halves.labels_)) == [5, 5]
    whole = KMeans(1).fit(line)
    assert whole.cluster_centers_.item() == pytest.approx(4.5)
    assert whole.inertia_ == pytest.approx(82.5)
    each = KMeans(10, random_state=0).fit(line)
    assert each.inertia_ == 0
    assert sorted(each.labels_) == list(range(10))
    with pytest.warns(RuntimeWarning, match="doesn't make sense for a single cluster"):
        KMeans(1, algorithm="elkan").fit(line)


# What it gives


def test_history_and_convergence(X):
    model = KMeans(3, init=X[[0, 1, 2]], tol=0).fit(X)
    history = model.history_
    assert history.dtype.names == ("inertia", "center_shift", "n_changed", "n_empty")
    assert len(history) == model.n_iter_
    assert model.converged_
    assert history["n_changed"][0] == len(X)
    assert history["n_changed"][-1] == 0
    assert history["center_shift"][-1] == 0
    assert (np.diff(history["inertia"]) <= 1e-9 * history["inertia"][0]).all()
    assert history["inertia"][-1] == pytest.approx(model.inertia_)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        short = KMeans(3, init=X[[0, 1, 2]], tol=0, max_iter=1).fit(X)
    assert not short.converged_
    assert short.n_iter_ == 1
    np.testing.assert_array_equal(short.predict(X), short.labels_)
    loose = KMeans(3, init=X[[0, 1, 2]], tol=1e3).fit(X)
    assert loose.converged_
    assert loose.n_iter_ == 1


def test_history_of_every_start(X):
    model = KMeans(4, n_init=5, tol=0, random_state=0).fit(X)
    histories = model.start_histories_
    assert histories.dtype.names == ("start", *model.history_.dtype.names)
    assert set(histories["start"]) == set(range(5))
    last = np.flatnonzero(np.diff(histories["start"], append=5))
    np.testing.assert_allclose(histories["inertia"][last], model.start_inertias_)
    best = histories[histories["start"] == model.start_inertias_.argmin()]
    np.testing.assert_array_equal(best[list(model.history_.dtype.names)], model.history_)


def test_lloyd_steps_is_the_loop_of_fit(X):
    init = X[[0, 1, 2]]
    steps = list(lloyd_steps(X, init))
    model = KMeans(3, init=init).fit(X)
    assert len(steps) == model.n_iter_
    for name in ("inertia", "center_shift", "n_changed", "n_empty"):
        assert [getattr(step, name) for step in steps] == list(model.history_[name])
    np.testing.assert_array_equal(steps[-1].centers, model.cluster_centers_)
    assert [step.converged for step in steps[:-1]] == [""] * (len(steps) - 1)
    assert steps[-1].converged in ("strict", "tol")
    assert (steps[0].labels != steps[-1].labels).any()  # each has its own array
    inertias = []
    for step in lloyd_steps(X, init):
        inertias.append(step.inertia)
        step.centers[:] = 0  # the caller's to keep, and to spoil
        step.labels[:] = 0
    assert inertias == [step.inertia for step in steps]
    for step in steps:
        own = np.array([X[step.labels == j].mean(axis=0) for j in range(3)])
        np.testing.assert_allclose(step.centers, own)
    with pytest.raises(ValueError, match="initial centers"):
        lloyd_steps(X, init[:, :2])  # at the call, not at the first step


def test_verbose(X, capsys):
    KMeans(3, init=X[[0, 1, 2]], verbose=1).fit(X)
    printed = capsys.readouterr().out
    assert printed.startswith("Initialization complete\nIteration 0, inertia ")
    assert "Converged at iteration" in printed
    KMeans(3, init=X[[0, 1, 2]]).fit(X)
    assert capsys.readouterr().out == ""


def test_empty_cluster_moves_to_the_row_that_costs_most():
    X = np.array([[0.0], [1.0], [2.0], [30.0], [100.0]])
    init = np.array([[1.0], [500.0], [600.0]])
    step = next(iter(lloyd_steps(X, init)))
    assert step.n_empty == 2
    # The row at 100 goes to the first empty cluster, that at 30 to the second.
    np.testing.assert_array_equal(step.centers, [[1.0], [100.0], [30.0]])
    # With a weight that makes it cost more, 30 comes first; two equal rows cost as one.
    weighted = next(iter(lloyd_steps(X, init, sample_weight=[1, 1, 1, 20, 1])))
    np.testing.assert_array_equal(weighted.centers, [[1.0], [30.0], [100.0]])
    repeated = np.concatenate([X, np.full((19, 1), 30.0)])
    step = next(iter(lloyd_steps(repeated, init)))
    np.testing.assert_array_equal(step.centers, weighted.centers)
    model = KMeans(3, init=init).fit(X)
    assert np.isfinite(model.cluster_centers_).all()
    assert model.inertia_ == pytest.approx(2.0)


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random", "random-partition"])
@pytest.mark.parametrize("make", [np.asarray, sparse.csr_array])
def test_fewer_distinct_rows_than_clusters(init, make):
    X = make(np.repeat([[0.0, 1.0], [5.0, 5.0]], 10, axis=0))
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(2\) found smaller"):
        model = KMeans(4, init=init, random_state=0).fit(X)
    assert model.inertia_ == 0
    assert np.isfinite(model.cluster_centers_).all()
    np.testing.assert_array_equal(model.predict(X), model.labels_)


def test_from_centers(fitted, X):
    model = KMeans.from_centers(fitted.cluster_centers_, n_threads=1)
    np.testing.assert_array_equal(model.predict(X), fitted.labels_)
    np.testing.assert_array_equal(model.transform(X), fitted.transform(X))
    assert model.score(X) == fitted.score(X)
    assert model.n_clusters == 3
    assert model.n_threads == 1
    assert not hasattr(model, "labels_")
    frame = pd.DataFrame(fitted.cluster_centers_.astype(np.float32), columns=list("abcd"))
    named = KMeans.from_centers(frame)
    assert list(named.feature_names_in_) == list("abcd")
    assert named.cluster_centers_.dtype == np.float32
    fitted.cluster_centers_[0] = np.nan  # the model has its own
    assert np.isfinite(model.cluster_centers_).all()
    with pytest.raises(ValueError, match="NaN"):
        KMeans.from_centers(fitted.cluster_centers_)


def test_changed_centres_count(fitted, X):
    fitted.cluster_centers_ = fitted.cluster_centers_[::-1].copy()
    np.testing.assert_array_equal(fitted.predict(X), 2 - fitted.labels_)


# What it refuses


def bad_inputs(X):
    holed, endless = X.copy(), X.copy()
    holed[7, 2] = np.nan
    endless[9, 1] = np.inf
    names = ["age", "city", "income", "plan"]
    frame = pd.DataFrame(X, columns=names)
    text = frame.astype({"city": object})
    text["city"] = "Rome"
    categories = text.assign(plan=pd.Categorical(["basic"] * len(X)))
    return {
        "nan": (holed, r"contains NaN: the first in row 7, column 2"),
        "inf": (endless, r"contains infinity.*row 9, column 1"),
        "sparse nan": (sparse.csr_array(holed), r"contains NaN: the first in row 7, column 2"),
        "text": (text, r"not numbers: 'city'\. .*encode.*k-prototypes"),
        "categories": (categories, r"not numbers: 'city', 'plan'"),
        "polars text": (pl.from_pandas(text), r"not numbers: 'city'"),
        "times": (frame.assign(plan=pd.Timestamp(2026, 1, 1)), r"not numbers: 'plan'"),
        "array of text": (np.full((9, 2), "x"), r"not numbers: 0, 1 \(counted from 0"),
        "one dimension": (X[:, 0], "Expected 2D array, got 1D array"),
        "no rows": (X[:0], r"Found array with 0 sample\(s\)"),
        "no columns": (X[:, :0], r"0 feature\(s\)"),
        "few rows": (X[:2], "n_samples=2 should be >= n_clusters=3"),
        "complex": (X * 1j, "Complex data not supported"),
        "too wide": (X * 1e160, "overflow float64"),
    }


@pytest.mark.filterwarnings("ignore:X has feature names:UserWarning")
@pytest.mark.parametrize("what", bad_inputs(np.ones((20, 4))))
def test_bad_rows(X, fitted, what):
    bad, message = bad_inputs(X)[what]
    before = dict(vars(fitted))
    with pytest.raises((ValueError, TypeError), match=rf"(?s){message}"):
        fitted.fit(bad)
    assert vars(fitted) == before
    if what not in ("few rows", "too wide"):
        with pytest.raises((ValueError, TypeError)):
            fitted.predict(bad)
        with pytest.raises((ValueError, TypeError)):
            kmeans_plusplus(bad, 3)


def test_rows_of_another_shape_at_predict(fitted, X):
    with pytest.raises(ValueError, match="X has 3 features, but KMeans is expecting 4 features"):
        fitted.predict(X[:, :3])
    with pytest.raises(NotFittedError):
        KMeans().predict(X)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (
            lambda n: np.full(n, -1.0),
            "Negative values in sample_weight: the first is -1.0",
        ),
        (lambda n: np.full(n, np.nan), "sample_weight contains NaN"),
        (np.zeros, "All weights in sample_weight are zero"),
        (lambda n: np.ones(n - 1), r"sample_weight.shape == \(149,\), expected \(150,\)"),
        (lambda n: np.ones((n, 1)), "must be 1D array or scalar"),
        (lambda n: np.full(n, 1e308), "sum of sample_weight overflows"),
        (lambda n: ["heavy"] * n, "could not convert"),
    ],
)
def test_bad_weights(X, fitted, weights, message):
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match=message):
        fitted.fit(X, sample_weight=weights(len(X)))
    assert vars(fitted) == before
    with pytest.raises(ValueError, match=message):
        fitted.score(X, sample_weight=weights(len(X)))


@pytest.mark.parametrize(
    ("init", "message"),
    [
        (
            np.ones((2, 4)),
            r"centers \(2, 4\) does not match the number of clusters 3",
        ),
        (np.ones((3, 5)), r"initial centers \(3, 5\) does not match the number of features"),
        (np.full((3, 4), np.nan), "init contains NaN"),
        (lambda X, k, random_state: np.ones((2, 4)), "does not match the number of clusters"),
        (lambda X, k, random_state: X[0], "Expected 2D array"),
    ],
)
def test_bad_init(X, fitted, init, message):
    before = dict(vars(fitted))
    fitted.init = init
    with pytest.raises(ValueError, match=message):
        fitted.fit(X)
    assert {**vars(fitted), "init": "k-means++"} == before


def test_nan_in_a_wide_sparse_matrix():
    X = sparse.csr_array((np.ones(3), ([0, 1, 2], [9, 10**6, 5])), shape=(3_000, 10**7))
    X.data[1] = np.nan
    with pytest.raises(ValueError, match="row 1, column 1000000 "):
        KMeans(2).fit(X)


def test_assume_finite(X):
    with sklearn.config_context(assume_finite=True):
        same(KMeans(3, random_state=0).fit(X), KMeans(3, random_state=0).fit(X))
    X = X.copy()
    X[0, 0] = np.nan
    rows = check_rows("test", X, n_threads=1, reset=True)
    with sklearn.config_context(assume_finite=True):
        require_finite(rows)  # not looked at
    with pytest.raises(ValueError, match="contains NaN"):
        require_finite(rows)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite_wherever_it_is(bad):
    X = np.random.default_rng(0).normal(size=(10_000, 5))
    weights = np.ones(len(X))
    weights[-3000:] = 0  # a whole block that counts nothing
    model = KMeans(8, max_iter=2, random_state=0).fit(X, sample_weight=weights)
    for row in (0, 4999, 9999):
        rows = X.copy()
        rows[row, 3] = bad
        message = f"the first in row {row}, column 3"
        for method in (model.fit, model.predict, model.transform, model.score):
            for given in (rows, rows.astype(np.float32), sparse.csr_array(rows)):
                with pytest.raises(ValueError, match=message):
                    method(given)
        with pytest.raises(ValueError, match=message):
            model.fit(rows, sample_weight=weights)
    X[:, 0] *= 1e25  # squares have no room in float32: no reason to complain
    model.predict(X)


def test_a_warning_as_an_error_leaves_the_estimator_as_it_was(X, fitted):
    before = dict(vars(fitted))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ConvergenceWarning):
            fitted.fit(np.ones((10, 4)))
    assert vars(fitted) == before


@pytest.mark.parametrize(
    "call",
    [
        lambda X: KMeans(2).fit(X),
        lambda X: KMeans(2).fit_predict(X),
        lambda X: KMeans(2).fit_transform(X),
        lambda X: k_means(X, 2),
        lambda X: make_pipeline(StandardScaler(), KMeans(2)).fit(X),
    ],
)
def test_warnings_point_at_the_users_line(call):
    with pytest.warns(ConvergenceWarning) as caught:
        call(np.ones((10, 4)))
    assert [warning.filename for warning in caught] == [__file__]


def test_numbers_as_strings(X, fitted):
    same(KMeans(3, random_state=0).fit(X.astype(str)), fitted)
    same(KMeans(3, random_state=0).fit(pd.DataFrame(X.astype(str), dtype=object)), fitted)


def test_a_callable_cannot_write_to_x(X):
    def shuffle(X, n_clusters, random_state):
        random_state.shuffle(X)

    before = X.copy()
    with pytest.raises(ValueError, match="read-only"):
        KMeans(3, init=shuffle).fit(X)
    np.testing.assert_array_equal(X, before)

    def spoil(X, n_clusters, random_state):
        X.data[:] = 0

    with pytest.raises(ValueError, match="read-only"):
        KMeans(3, init=spoil).fit(sparse.csr_array(X))
    assert X.flags.writeable


def test_first_centre_so_far_that_its_square_overflows(X):
    steps = KMeans(2, init=[[0] * 4, [1e160] * 4]).fit(X).history_
    assert steps["inertia"][0] == pytest.approx(np.square(X).sum())
    assert steps["n_empty"][0] == 1


@pytest.mark.parametrize("init", [[], 5.0, np.array(5.0), np.ones((2, 3, 4))])
def test_no_centres_at_all(X, init):
    with pytest.raises(ValueError, match=r"(Expected 2D array|array-like|dim 3)"):
        lloyd_steps(X, init)
    with pytest.raises(ValueError, match=r"(Expected 2D array|dim 3)"):
        KMeans.from_centers(init)


def test_parameters_of_from_centers(X):
    with pytest.raises(ValueError, match="'n_threads' parameter of KMeans"):
        KMeans.from_centers(X[:3], n_threads=-3)
    with pytest.raises(TypeError, match="n_clusters"):
        KMeans.from_centers(X[:3], n_clusters=3)


def test_interrupt_leaves_the_estimator_as_it_was(X, fitted):
    def interrupt(X, n_clusters, random_state):
        raise KeyboardInterrupt

    fitted.init = interrupt
    before = dict(vars(fitted))
    with pytest.raises(KeyboardInterrupt):
        fitted.fit(X[:, :2])
    assert vars(fitted) == before


# How it is stored


def test_pickle_holds_arrays_and_builtins_only(X, tmp_path):
    rows = np.concatenate([X] * 400)
    model = KMeans(3, random_state=0, n_threads=2).fit(rows)
    path = tmp_path / "model.joblib"
    joblib.dump(model, path)
    assert path.stat().st_size < rows.nbytes / 6  # labels, not rows
    state = model.__getstate__()
    assert state.pop("_sklearn_lloyd_version") == sklearn_lloyd.__version__
    assert all(
        isinstance(v, (np.ndarray, str, int, float, bool, type(None))) for v in state.values()
    )
    assert set(state) - set(model.get_params()) == {
        "cluster_centers_",
        "converged_",
        "history_",
        "inertia_",
        "labels_",
        "n_features_in_",
        "n_iter_",
        "start_histories_",
        "start_inertias_",
    }
    code = f"""
        import joblib, numpy as np
        model = joblib.load({str(path)!r})
        print(*model.predict(np.load({str(tmp_path / "X.npy")!r})))
    """
    np.save(tmp_path / "X.npy", X)
    printed = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    np.testing.assert_array_equal(np.array(printed.split(), int), model.predict(X))


def test_arrays_that_are_not_aligned(X, fitted):
    """As they come out of pickles whose buffers lie anywhere, such as those that dask sends."""

    def moved(array):
        raw = np.empty(array.nbytes + 1, np.uint8)
        out = raw[1:].view(array.dtype).reshape(array.shape)
        out[...] = array
        assert not out.flags.aligned
        return out

    buffers = []
    pickled = pickle.dumps(fitted, protocol=5, buffer_callback=buffers.append)
    there = [bytearray(1) + buffer.raw() for buffer in buffers]
    model = pickle.loads(pickled, buffers=[memoryview(each)[1:] for each in there])
    assert_array_equal(model.predict(X), fitted.predict(X))
    assert_array_equal(model.transform(moved(X)), fitted.transform(X))
    weights = np.arange(len(X)) % 3.0
    assert_allclose(model.score(X, sample_weight=moved(weights)), fitted.score(X, None, weights))
    profiles = cluster_profiles(model, X, sample_weight=moved(weights))
    assert_array_equal(profiles.sizes, cluster_profiles(fitted, X, sample_weight=weights).sizes)
    rows = sparse.csr_array(np.where(X > 0, X, 0.0))
    whole = KMeans(3, init=X[:3]).fit(rows)
    for part in ("data", "indices", "indptr"):
        odd = rows.copy()
        setattr(odd, part, moved(getattr(odd, part)))
        assert_array_equal(KMeans(3, init=moved(X[:3])).fit(odd).labels_, whole.labels_)


def test_another_version_warns(fitted, X):
    stored = pickle.dumps(fitted).replace(
        sklearn_lloyd.__version__.encode(), b"0" * len(sklearn_lloyd.__version__)
    )
    with pytest.warns(UserWarning, match=r"stored by sklearn-lloyd 0+ and is read by"):
        model = pickle.loads(stored)
    np.testing.assert_array_equal(model.predict(X), fitted.labels_)


def test_names_are_forgotten_with_a_plain_array(X):
    model = KMeans(3, random_state=0).fit(pd.DataFrame(X, columns=list("abcd")))
    assert list(model.feature_names_in_) == list("abcd")
    model.fit(X[:, :3])
    assert not hasattr(model, "feature_names_in_")
    assert model.n_features_in_ == 3
