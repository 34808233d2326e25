"""ClusterScaler: equal to scikit-learn's scalers where they overlap, and what it adds to them."""

import io
import tracemalloc

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    RobustScaler,
    StandardScaler,
)
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_lloyd import KMeans
from sklearn_lloyd._rows import Rows
from sklearn_lloyd.preprocessing import ClusterScaler
from sklearn_lloyd.preprocessing._quantiles import quantiles
from sklearn_lloyd.preprocessing._scaling import METHODS, SPARSE_METHODS

INVERTIBLE = [method for method in METHODS if method != "unit-norm"]
LEARNING = [method for method in METHODS if method not in ("unit-norm", "none")]


@pytest.fixture
def X():
    """Correlated, far from the origin, of different units, in several blocks."""
    rng = np.random.default_rng(0)
    rows = rng.gamma(2.0, size=(70_000, 5)) @ rng.normal(size=(5, 5))
    rows = rows * [1.0, 1e-3, 1e4, 5.0, 0.1] + [1e3, 0.0, -2e4, 0.0, 7.0]
    assert len(Rows(rows).slices()) > 1
    return rows


RIVALS = {
    "zscore": StandardScaler(),
    "range": MinMaxScaler(),
    "robust": RobustScaler(),
    "maxabs": MaxAbsScaler(),
    "unit-norm": Normalizer(),
}


@pytest.mark.parametrize("method", RIVALS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_equals_the_scaler_of_scikit_learn(X, method, dtype):
    X = (1e6 * X).astype(dtype)
    expected = clone(RIVALS[method]).fit_transform(X.astype(np.float64))
    found = ClusterScaler(method).fit_transform(X)
    assert found.dtype == (np.float32 if dtype == np.float32 else np.float64)
    tol = 1e-6 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(found, expected, rtol=tol, atol=tol)


def test_range_of_quantiles_is_that_of_robust_scaler(X):
    expected = RobustScaler(quantile_range=(10.0, 80.0)).fit_transform(X)
    found = ClusterScaler("robust", quantile_range=(10.0, 80.0)).fit_transform(X)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_weights_are_those_of_standard_scaler(X):
    weights = np.random.default_rng(1).random(len(X))
    X = X - np.median(X, axis=0)  # at a distance both round
    expected = StandardScaler().fit(X, sample_weight=weights).transform(X)
    found = ClusterScaler().fit(X, sample_weight=weights).transform(X)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_whitened_rows_have_identity_covariance_and_keep_their_places(X):
    white = ClusterScaler("whiten").fit_transform(X)
    assert np.abs(white.mean(axis=0)).max() < 1e-10
    np.testing.assert_allclose(np.cov(white, rowvar=False, ddof=0), np.eye(5), atol=1e-8)
    # Nearest to the z-scores of all rotations: the matrix is symmetric and positive definite.
    matrix = ClusterScaler("whiten").fit(X).whitening_
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
    assert np.linalg.eigvalsh(matrix).min() > 0


def test_whitening_of_weighted_rows(X):
    X, weights = X[:3000], np.random.default_rng(1).random(3000)
    white = ClusterScaler("whiten").fit(X, sample_weight=weights).transform(X)
    covariance = np.cov(white, rowvar=False, ddof=0, aweights=weights)
    np.testing.assert_allclose(covariance, np.eye(5), atol=1e-8)


def test_whitening_does_not_depend_on_units(X):
    white = ClusterScaler("whiten").fit_transform(X)
    other = ClusterScaler("whiten").fit_transform(X * [3.0, 1e5, 1e-3, 1.0, 20.0])
    np.testing.assert_allclose(other, white, atol=1e-8)


def test_collinear_features_are_whitened_in_the_space_they_span(X):
    doubled = np.column_stack([X, X[:, 0] + X[:, 3]])
    white = ClusterScaler("whiten").fit_transform(doubled)
    variances = np.linalg.eigvalsh(np.cov(white, rowvar=False, ddof=0))
    np.testing.assert_allclose(variances, [0, 1, 1, 1, 1, 1], atol=1e-8)


def test_shrinkage_goes_from_whitening_to_zscore(X):
    white = ClusterScaler("whiten").fit_transform(X)
    half = ClusterScaler("whiten", shrinkage=0.5).fit_transform(X)
    full = ClusterScaler("whiten", shrinkage=1.0).fit_transform(X)
    np.testing.assert_allclose(full, ClusterScaler().fit_transform(X), atol=1e-10)
    left = [np.abs(np.corrcoef(Z, rowvar=False) - np.eye(5)).sum() for Z in (white, half, full)]
    assert left[0] < 1e-7 < left[1] < left[2]


def test_whitening_of_few_rows_warns_but_not_with_shrinkage():
    X = np.random.default_rng(0).normal(size=(6, 8))
    with pytest.warns(UserWarning, match=r"more rows than features; got n_samples=6 .* 8 feat"):
        white = ClusterScaler("whiten").fit_transform(X)
    distances = np.linalg.norm(white[:, None] - white, axis=2)[np.triu_indices(6, 1)]
    np.testing.assert_allclose(distances, distances[0])  # as the warning says
    shrunk = ClusterScaler("whiten", shrinkage=0.2).fit_transform(X)  # warnings are errors
    assert np.ptp(np.linalg.norm(shrunk, axis=1)) > 0.01


@pytest.mark.parametrize("method", INVERTIBLE)
@pytest.mark.parametrize("feature_weights", [None, [1.0, 4.0, 0.5, 2.0, 9.0]])
def test_inverse(X, method, feature_weights):
    scaler = ClusterScaler(method, feature_weights=feature_weights).fit(X)
    back = scaler.inverse_transform(scaler.transform(X))
    np.testing.assert_allclose(back, X, rtol=1e-10, atol=1e-10)
    single = scaler.inverse_transform(scaler.transform(X[:3].astype(np.float32)))
    assert single.dtype == np.float32


def test_inverse_brings_centres_back(X):
    pipeline = make_pipeline(ClusterScaler("range"), KMeans(3, tol=0, random_state=0)).fit(X)
    centers = pipeline[0].inverse_transform(pipeline[1].cluster_centers_)
    for j, center in enumerate(centers):
        np.testing.assert_allclose(center, X[pipeline[1].labels_ == j].mean(axis=0), rtol=1e-8)


def test_unit_norm_has_no_inverse(X):
    for scaler in (ClusterScaler("unit-norm"), ClusterScaler("unit-norm").fit(X)):
        assert not hasattr(scaler, "inverse_transform")
        with pytest.raises(AttributeError, match="no attribute 'inverse_transform'") as error:
            scaler.inverse_transform(X)
        assert "norms of the rows are not kept" in str(error.value.__cause__)


@pytest.mark.parametrize("method", METHODS)
def test_weights_are_as_good_as_repeats(X, method):
    X = X[:300]
    weights = np.random.default_rng(1).integers(0, 4, len(X))
    weighted = ClusterScaler(method, clip=2.5).fit(X, sample_weight=weights)
    repeated = ClusterScaler(method, clip=2.5).fit(np.repeat(X, weights, axis=0))
    np.testing.assert_allclose(weighted.transform(X), repeated.transform(X), atol=1e-8)
    if method in LEARNING:
        plain = ClusterScaler(method, clip=2.5).fit(X)
        assert np.abs(plain.transform(X) - weighted.transform(X)).max() > 1e-4


@given(
    values=hnp.arrays(np.float64, st.integers(1, 12), elements=st.floats(-100, 100)),
    data=st.data(),
)
@settings(deadline=None)
def test_weighted_quantiles(values, data):
    percents = data.draw(st.lists(st.floats(0, 100), min_size=1, max_size=4))
    ones = quantiles(values, percents, np.ones(values.size))
    np.testing.assert_allclose(ones, np.percentile(values, percents), rtol=1e-12, atol=1e-12)
    normalised = quantiles(values, percents, np.full(values.size, 1 / values.size))
    np.testing.assert_allclose(normalised, ones, rtol=1e-9, atol=1e-9)
    counts = data.draw(hnp.arrays(np.int64, values.size, elements=st.integers(0, 5)))
    if counts.any():
        found = quantiles(values, percents, counts.astype(float))
        expected = np.percentile(np.repeat(values, counts), percents)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@given(
    weights=hnp.arrays(np.float64, 10, elements=st.floats(0.01, 30)),
    percents=st.lists(st.floats(0, 100), min_size=2, max_size=5),
)
@settings(deadline=None)
def test_weighted_quantiles_rise_with_the_percentage(weights, percents):
    values = np.random.default_rng(0).normal(size=10)
    found = quantiles(values, sorted(percents), weights)
    assert (np.diff(found) >= -1e-12).all()
    assert values.min() - 1e-12 <= found[0]
    assert found[-1] <= values.max() + 1e-12


def test_weighted_quantiles_in_between_whole_weights():
    values = np.array([3.0, 1.0, 2.0])
    # The windows are 0 to 1, 1.25 to 2.25 and 2.5 to 3.5.
    found = quantiles(values, [0, 50, 100], np.array([1.0, 1.0, 1.5]))
    np.testing.assert_allclose(found, [1.0, 2.0, 3.0])
    # A light row at the end does not make up a window of its own.
    found = quantiles(values, [100], np.array([0.5, 2.0, 1.0]))
    np.testing.assert_allclose(found, [0.5 * 2 + 0.5 * 3])


@pytest.mark.parametrize("method", LEARNING)
def test_constant_features_stay_at_zero(X, method):
    constant = np.column_stack([X, np.full(len(X), 0.0 if method == "maxabs" else 0.1)])
    scaler = ClusterScaler(method).fit(constant)
    scaled = scaler.transform(constant)
    assert scaled.shape == constant.shape
    assert not scaled[:, -1].any()
    np.testing.assert_allclose(scaled[:, :-1], ClusterScaler(method).fit_transform(X), atol=1e-8)
    np.testing.assert_allclose(scaler.inverse_transform(scaled), constant, atol=1e-9, rtol=1e-10)
    constant[:, -1] = 5.0
    assert not scaler.transform(constant)[:, -1].any()


@pytest.mark.parametrize("method", LEARNING)
def test_constant_rows(method):
    scaled = ClusterScaler(method).fit_transform(np.full((50, 2), 0.0))
    assert not scaled.any()


def test_flat_features_keep_their_unit_and_are_named():
    X = pd.DataFrame({"a": [0.0] * 90 + [7.0] * 10, "b": np.arange(100.0), "c": 3.0})
    with pytest.warns(UserWarning, match=r"\['a'\] is zero, though they vary"):
        scaled = ClusterScaler("robust").fit_transform(X)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(scaled, RobustScaler().fit_transform(X), atol=1e-12)


def test_clip(X):
    X[7] = X.mean(axis=0) + 1e6 * X.std(axis=0)
    scaler = ClusterScaler("robust", clip=2.0).fit(X)
    scaled = scaler.transform(X)
    low, median, high = np.percentile(X, (25, 50, 75), axis=0)
    bounds = median - 2 * (high - low), median + 2 * (high - low)
    np.testing.assert_allclose(scaler.clip_bounds_, bounds)
    np.testing.assert_allclose(scaled, RobustScaler().fit_transform(np.clip(X, *bounds)))
    assert np.abs(scaled).max() <= 2 + 1e-12
    np.testing.assert_allclose(scaler.inverse_transform(scaled[7:8])[0], bounds[1])
    # The range is not that of the outlier.
    ranged = ClusterScaler("range", clip=2.0).fit_transform(X)
    np.testing.assert_allclose(ranged, MinMaxScaler().fit_transform(np.clip(X, *bounds)))
    assert ClusterScaler("range").fit_transform(X)[:, 0].std() < 0.05 < ranged[:, 0].std()


def test_clip_leaves_features_alone_whose_quantiles_are_equal():
    X = np.column_stack([[0.0] * 90 + [7.0] * 10, np.arange(100.0)])
    scaler = ClusterScaler("none", clip=0.5).fit(X)
    assert scaler.clip_bounds_[:, 0].tolist() == [-np.inf, np.inf]
    assert scaler.transform(X)[:, 0].tolist() == X[:, 0].tolist()
    assert np.ptp(scaler.transform(X)[:, 1]) < 60


@pytest.mark.parametrize("method", METHODS)
def test_feature_weights_count_squared_differences(X, method):
    weights = np.array([1.0, 4.0, 0.0, 2.0, 9.0])
    plain = ClusterScaler(method).fit_transform(X)
    weighted = ClusterScaler(method, feature_weights=weights).fit_transform(X)
    squares = np.square(weighted[:9, None] - weighted[9:18])
    expected = weights * np.square(plain[:9, None] - plain[9:18])
    np.testing.assert_allclose(squares, expected, atol=1e-9 * expected.max())


def test_feature_weights_by_name(X):
    frame = pd.DataFrame(X, columns=list("abcde"))
    scaler = ClusterScaler(feature_weights={"b": 4.0, "e": 0.25}).fit(frame)
    assert scaler.feature_weights_.tolist() == [1.0, 4.0, 1.0, 1.0, 0.25]
    by_place = ClusterScaler(feature_weights={"x1": 4.0, "x4": 0.25}).fit(X)
    np.testing.assert_array_equal(by_place.transform(X), scaler.transform(frame))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csr_array, sparse.csc_array])
def test_sparse(method, kind):
    rng = np.random.default_rng(0)
    dense = rng.normal(size=(300, 6)) * (rng.random((300, 6)) < 0.2)
    X = kind(dense)
    scaler = ClusterScaler(method, feature_weights=[1, 2, 3, 4, 5, 0.0])
    if method not in SPARSE_METHODS:
        with pytest.raises(ValueError, match=r"sparse X.*'maxabs', 'unit-norm', 'none'"):
            scaler.fit(X)
        scaler.fit(rng.normal(size=(300, 6)))
        with pytest.raises(ValueError, match="sparse X"):
            scaler.transform(X)
        with pytest.raises(ValueError, match="give dense X"):
            scaler.inverse_transform(X)
        return
    weights = rng.integers(0, 3, 300)
    scaled = scaler.fit(X, sample_weight=weights).transform(X)
    assert sparse.issparse(scaled)
    assert scaled.format == "csr"
    assert isinstance(scaled, sparse.sparray) == isinstance(X, sparse.sparray)
    expected = scaler.fit(dense, sample_weight=weights).transform(dense)
    np.testing.assert_allclose(scaled.toarray(), expected, atol=1e-14)
    np.testing.assert_array_equal(X.toarray(), dense)
    assert scaler.fit_transform(X.astype(np.float32)).dtype == np.float32
    assert scaler.fit_transform(kind(dense * 9).astype(np.int32)).dtype == np.float64
    if method != "unit-norm":
        scaler.set_params(feature_weights=None).fit(X)
        back = scaler.inverse_transform(scaler.transform(X))
        np.testing.assert_allclose(back.toarray(), dense, atol=1e-12)


def test_repeated_entries_of_sparse_rows_add_up():
    X = sparse.csr_array(([2.0, 3.0, 1.0], [0, 0, 1], [0, 2, 3]), shape=(2, 2))
    scaled = {method: ClusterScaler(method).fit_transform(X) for method in SPARSE_METHODS}
    assert X.nnz == 3
    assert scaled["maxabs"].toarray().tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert scaled["unit-norm"].toarray().tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert scaled["none"].toarray().tolist() == [[5.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize("method", SPARSE_METHODS)
def test_sparse_rows_with_long_indices(method):
    rng = np.random.default_rng(0)
    X = sparse.csr_array(rng.normal(size=(50, 8)) * (rng.random((50, 8)) < 0.3))
    expected = ClusterScaler(method).fit_transform(X).toarray()
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    np.testing.assert_array_equal(ClusterScaler(method).fit_transform(X).toarray(), expected)


@pytest.mark.parametrize("method", METHODS)
def test_X_stays_as_it_is(X, method):
    for order in "CF":
        given = np.asarray(X, order=order)
        given.flags.writeable = False
        scaled = ClusterScaler(method, clip=2.0).fit_transform(given)
        assert not np.shares_memory(scaled, given)
        np.testing.assert_allclose(
            scaled, ClusterScaler(method, clip=2.0).fit_transform(X.copy()), atol=1e-8
        )


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("method", METHODS)
def test_frames(X, library, method):
    names = ["age", "income", "visits", "spend", "days"]
    frame = {"pandas": pd, "polars": pl}[library].DataFrame(dict(zip(names, X.T, strict=True)))
    scaler = ClusterScaler(method).set_output(transform=library).fit(frame)
    out = scaler.transform(frame)
    assert type(out) is type(frame)
    assert list(out.columns) == names == list(scaler.get_feature_names_out())
    np.testing.assert_allclose(np.asarray(out), ClusterScaler(method).fit_transform(X))


def test_pipelines_searches_and_storage(X):
    X = X[:300]
    frame = pd.DataFrame(X, columns=list("abcde"))
    columns = make_column_transformer(
        (ClusterScaler("range"), ["a", "b"]),
        ("passthrough", ["c"]),
        verbose_feature_names_out=False,
    ).set_output(transform="pandas")
    assert list(columns.fit_transform(frame).columns) == ["a", "b", "c"]
    pipeline = make_pipeline(ClusterScaler(), KMeans(3, random_state=0))
    grid = {"clusterscaler__method": list(METHODS), "clusterscaler__clip": [None, 2.0]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    for method in METHODS:
        scaler = ClusterScaler(method, clip=2.0).fit(frame)
        file = io.BytesIO()
        joblib.dump(scaler, file)
        assert file.tell() < 5000  # no rows in it
        file.seek(0)
        again = joblib.load(file)
        np.testing.assert_array_equal(again.transform(frame), scaler.transform(frame))


GOOD = np.arange(12.0).reshape(6, 2)
BAD = [
    ({"method": "standard"}, GOOD, None, "'method' parameter .*'zscore'"),
    ({"clip": 0.0}, GOOD, None, "'clip' parameter"),
    ({"shrinkage": 1.5}, GOOD, None, "'shrinkage' parameter"),
    ({"quantile_range": (75, 25)}, GOOD, None, r"quantile_range=\(75, 25\) must be two percents"),
    ({"quantile_range": (25,)}, GOOD, None, "quantile_range"),
    ({"feature_weights": [1.0, -2.0]}, GOOD, None, "zero or more; feature 'x1' has -2.0"),
    ({"feature_weights": [0.0, 0.0]}, GOOD, None, "all zero"),
    ({"feature_weights": [1.0, 1.0, 1.0]}, GOOD, None, r"shape == \(3,\), expected \(2,\)"),
    ({"feature_weights": [1.0, np.nan]}, GOOD, None, "feature_weights contains NaN"),
    ({"feature_weights": {"size": 1.0}}, GOOD, None, r"names \['size'\], .* \['x0', 'x1'\]"),
    ({"feature_weights": {"x0": -1.0}}, GOOD, None, "feature 'x0' has -1.0"),
    ({}, GOOD, -np.ones(6), "Negative values in sample_weight"),
    ({}, GOOD, np.ones(5), "one weight for each row"),
    ({}, np.where(GOOD == 5, np.nan, GOOD), None, "NaN: the first in row 2, column 1"),
    ({}, pd.DataFrame({"a": [1.0, 2.0], "kind": ["x", "y"]}), None, "not numbers: 'kind'"),
    ({"clip": 2.0, "method": "none"}, sparse.csr_array(GOOD), None, "clip=2.0 is not for sparse"),
    ({"method": "range"}, np.array([[-1.5e308], [1.5e308]]), None, "differences overflow float64"),
]


@pytest.mark.parametrize(("params", "X", "weights", "message"), BAD)
def test_bad_input_leaves_a_fitted_scaler_as_it_was(params, X, weights, message):
    scaler = ClusterScaler("range").fit(GOOD)
    before = vars(scaler).copy()
    scaler.set_params(**params)
    with pytest.raises((ValueError, InvalidParameterError), match=message):
        scaler.fit(X, sample_weight=weights)
    assert vars(scaler) == {**before, **params}
    assert all(vars(scaler)[name] is before[name] for name in before if name.endswith("_"))


def test_bad_rows_after_fit():
    scaler = ClusterScaler().fit(GOOD)
    with pytest.raises(ValueError, match="3 features"):
        scaler.transform(np.ones((2, 3)))
    with pytest.raises(ValueError, match="3 features"):
        scaler.inverse_transform(np.ones((2, 3)))
    for method in (scaler.transform, scaler.inverse_transform):
        with pytest.raises(ValueError, match="NaN: the first in row 0, column 1"):
            method([[1.0, np.nan]])


@pytest.mark.parametrize("method", METHODS)
def test_nothing_of_the_size_of_X_is_made_beside_the_result(method):
    X = np.random.default_rng(0).random((100_000, 20), np.float32)  # 8 MB
    tracemalloc.start()
    scaler = ClusterScaler(method).fit(X)
    of_fit = tracemalloc.get_traced_memory()[1]
    tracemalloc.reset_peak()
    scaler.transform(X)
    of_transform = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert of_fit < X.nbytes
    assert of_transform < 2 * X.nbytes


def test_whitening_of_many_features_is_refused_before_any_work():
    scaler = ClusterScaler("whiten").fit(np.random.RandomState(0).normal(size=(9, 3)))
    kept = joblib.hash(scaler)
    wide = np.zeros((2, 363))
    with sklearn.config_context(working_memory=1):
        with pytest.raises(ValueError, match=r"n_features x n_features, 1 MiB for 363 .*PCA"):
            scaler.fit(wide)
        assert joblib.hash(scaler) == kept
        scaler.set_params(shrinkage=0.5).fit(wide[:, :362])
