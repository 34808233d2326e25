"""CentroidFeatures: what each output is, whose centroids they are, and what it costs."""

import io
import pickle
import tracemalloc

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn.cluster
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import sparse
from scipy.special import softmax
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_lloyd import KMeans, MiniBatchKMeans, __version__
from sklearn_lloyd.preprocessing import CentroidFeatures, ClusterScaler
from sklearn_lloyd.preprocessing._features import OUTPUTS

K, D = 6, 4


@pytest.fixture
def X():
    rng = np.random.default_rng(0)
    return rng.normal(size=(3000, D)) + 3 * rng.integers(0, 3, (3000, 1)) + 10


@pytest.fixture
def model(X):
    return KMeans(K, random_state=0).fit(X)


def expected_features(output, X, centers, gamma, temperature):
    """What the documentation says, in one step, on all rows at once."""
    squares = np.square(X[:, None] - centers).sum(axis=2)
    distances, labels = np.sqrt(squares), squares.argmin(axis=1)
    return {
        "distance": distances,
        "squared-distance": squares,
        "similarity": np.exp(-gamma * squares),
        "soft": softmax(-squares / temperature, axis=1),
        "triangle": np.maximum(0, distances.mean(axis=1, keepdims=True) - distances),
        "one-hot": np.eye(len(centers))[labels],
        "label": labels[:, None],
        "residual": X - centers[labels],
    }[output]


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("order", ["C", "F"])
def test_outputs(X, output, dtype, order):
    X = np.asarray(X * 10, dtype, order=order)
    km = KMeans(K, random_state=0).fit(X)
    features = CentroidFeatures(FrozenEstimator(km), output=output)
    found = features.fit_transform(X)
    centers = km.cluster_centers_.astype(np.float64)
    scales = features.gamma_, features.temperature_
    expected = expected_features(output, X.astype(np.float64), centers, *scales)
    assert found.dtype == (np.float32 if dtype == np.float32 else np.float64)
    tol = 2e-5 if dtype == np.float32 else 1e-10
    np.testing.assert_allclose(found, expected, rtol=tol, atol=tol)


@pytest.mark.parametrize("n_clusters", [2, 200])  # scores by centre, and by row
def test_many_blocks(n_clusters):
    X = np.random.default_rng(0).normal(size=(20_000, 3))
    km = KMeans.from_centers(X[:n_clusters])
    for output in OUTPUTS:
        found = {
            n: CentroidFeatures(FrozenEstimator(km.set_params(n_threads=n)), output=output)
            .fit(X)
            .transform(X)
            for n in (1, 3)
        }
        np.testing.assert_array_equal(found[1], found[3])
        expected = expected_features(output, X[-500:], X[:n_clusters], 1.0, 1.0)
        if output not in ("similarity", "soft"):
            np.testing.assert_allclose(found[1][-500:], expected, atol=1e-9)


def test_several_outputs_stand_side_by_side(X, model):
    frozen = FrozenEstimator(model)
    together = CentroidFeatures(frozen, output=list(OUTPUTS), passthrough=True).fit_transform(X)
    alone = [CentroidFeatures(frozen, output=name).fit_transform(X) for name in OUTPUTS]
    np.testing.assert_array_equal(together, np.hstack([X, *alone]))
    backwards = CentroidFeatures(frozen, output=tuple(OUTPUTS)[::-1]).fit_transform(X)
    np.testing.assert_array_equal(backwards, np.hstack(alone[::-1]))


def test_distances_and_labels_are_those_of_kmeans(X, model):
    found = CentroidFeatures(FrozenEstimator(model), output=["label", "distance"]).fit_transform(X)
    np.testing.assert_array_equal(found[:, 0], model.labels_)
    np.testing.assert_array_equal(found[:, 1:], model.transform(X))


def test_scales_are_learned_from_weighted_rows(X, model):
    weights = np.random.default_rng(1).integers(0, 3, len(X))
    squares = np.square(model.transform(X)).min(axis=1)
    features = CentroidFeatures(FrozenEstimator(model)).fit(X, sample_weight=weights)
    np.testing.assert_allclose(features.temperature_, np.average(squares, weights=weights))
    np.testing.assert_allclose(features.gamma_, 1 / features.temperature_)
    plain = CentroidFeatures(FrozenEstimator(model), gamma=0.5, temperature=3.0).fit(X)
    assert (plain.gamma_, plain.temperature_) == (0.5, 3.0)


def test_rows_on_their_centres_have_scales_of_one():
    X = np.arange(4.0).reshape(-1, 1)
    features = CentroidFeatures(n_clusters=4, output="soft", random_state=0).fit(X)
    assert (features.gamma_, features.temperature_) == (1.0, 1.0)
    assert np.isfinite(features.transform(X)).all()


@given(
    X=hnp.arrays(np.float64, (5, 3), elements=st.floats(-1e6, 1e6)),
    temperature=st.floats(1e-9, 1e9),
    dtype=st.sampled_from([np.float32, np.float64]),
)
@settings(deadline=None)
def test_memberships_sum_to_one(X, temperature, dtype):
    km = KMeans.from_centers(np.array([[0, 0, 0], [1, 1, 1], [-5e5, 0, 7]], dtype))
    params = {"output": ["soft", "label"], "temperature": temperature}
    soft, label = np.split(
        CentroidFeatures(FrozenEstimator(km), **params).fit_transform(X.astype(dtype)), [3], axis=1
    )
    assert (soft >= 0).all()
    np.testing.assert_allclose(soft.sum(axis=1), 1.0, rtol=1e-6)
    own = np.take_along_axis(soft, label.astype(int), axis=1)
    assert (own >= soft.max(axis=1, keepdims=True) - 0.01).all()


def test_temperature_goes_from_one_hot_to_even(X, model):
    cold, warm = (
        CentroidFeatures(FrozenEstimator(model), output="soft", temperature=t).fit_transform(X)
        for t in (1e-12, 1e12)
    )
    one_hot = CentroidFeatures(FrozenEstimator(model), output="one-hot").fit_transform(X)
    np.testing.assert_allclose(cold, one_hot, atol=1e-12)
    np.testing.assert_allclose(warm, 1 / K, atol=1e-9)


def test_triangle_is_about_half_zeros(X):
    found = CentroidFeatures(n_clusters=30, output="triangle", random_state=0).fit_transform(X)
    assert 0.3 < (found == 0).mean() < 0.7


@pytest.mark.parametrize(
    "estimator",
    [
        KMeans(n_clusters=3, random_state=0),
        MiniBatchKMeans(n_clusters=3, random_state=0),
        sklearn.cluster.KMeans(n_clusters=3, n_init=1, random_state=0),
        sklearn.cluster.MiniBatchKMeans(n_clusters=3, n_init=1, random_state=0),
        sklearn.cluster.BisectingKMeans(n_clusters=3, random_state=0),
    ],
    ids=lambda estimator: f"{type(estimator).__module__.split('.')[0]}.{type(estimator).__name__}",
)
def test_any_kmeans(X, estimator):
    features = CentroidFeatures(estimator, output=list(OUTPUTS)).fit(X)
    assert type(features.estimator_) is type(estimator)
    assert features.estimator_ is not estimator
    assert not hasattr(estimator, "cluster_centers_")
    fitted = clone(estimator).fit(X)
    found = features.transform(X)
    np.testing.assert_allclose(found[:, :3], fitted.transform(X), rtol=1e-9)
    frozen = CentroidFeatures(FrozenEstimator(fitted), output=list(OUTPUTS)).fit(X)
    np.testing.assert_allclose(frozen.transform(X), found, rtol=1e-9, atol=1e-12)


def test_estimator_without_number_of_clusters(X):
    X = X[:200]
    shift = sklearn.cluster.MeanShift(bandwidth=3.0)
    n_found = len(clone(shift).fit(X).cluster_centers_)
    assert CentroidFeatures(shift).fit_transform(X).shape == (200, n_found)
    with pytest.raises(ValueError, match="MeanShift has no such parameter"):
        CentroidFeatures(shift, n_clusters=3).fit(X)
    with pytest.raises(ValueError, match="MeanShift takes none"):
        CentroidFeatures(shift).fit(X, sample_weight=np.ones(200))


def test_whose_number_of_clusters_counts(X):
    def fitted(*args, **params):
        return len(
            CentroidFeatures(*args, random_state=0, **params).fit(X).get_feature_names_out()
        )

    assert fitted() == 8
    assert fitted(n_clusters=5) == 5
    assert fitted(KMeans(3)) == 3
    assert fitted(KMeans(3), n_clusters=5) == 5
    frozen = FrozenEstimator(KMeans(3).fit(X))
    assert fitted(frozen) == fitted(frozen, n_clusters=3) == 3
    with pytest.raises(ValueError, match="n_clusters=5, but FrozenEstimator has 3 centres"):
        fitted(frozen, n_clusters=5)


def test_random_state_is_set_on_the_clone(X):
    one, same, other = (
        CentroidFeatures(KMeans(20, random_state=7), random_state=state).fit_transform(X)
        for state in (1, 1, None)
    )
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
    seven = CentroidFeatures(KMeans(20, random_state=7)).fit_transform(X)
    np.testing.assert_array_equal(other, seven)


def test_frozen_estimator_stays(X, model):
    before = vars(model).copy()
    features = CentroidFeatures(FrozenEstimator(model)).fit(X[:100] + 5)
    assert vars(model) == before
    assert features.estimator_.estimator is model
    assert clone(features).estimator.estimator is model
    refitted = CentroidFeatures(model).fit(X[:100] + 5)
    assert vars(model) == before
    assert (refitted.estimator_.cluster_centers_ != model.cluster_centers_).any()


def test_sample_weight_reaches_the_kmeans(X):
    weights = np.random.default_rng(1).integers(0, 3, len(X))
    found = CentroidFeatures(n_clusters=K, random_state=0).fit(X, sample_weight=weights)
    direct = KMeans(K, random_state=0).fit(X, sample_weight=weights)
    np.testing.assert_array_equal(found.estimator_.cluster_centers_, direct.cluster_centers_)


@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csr_array, sparse.csc_array])
def test_sparse_rows(kind):
    rng = np.random.default_rng(0)
    dense = rng.random((400, 30)) * (rng.random((400, 30)) < 0.1)
    outputs = [name for name in OUTPUTS if name != "residual"]
    km = KMeans(K, random_state=0)
    features = CentroidFeatures(km, output=outputs, passthrough=True).fit(kind(dense))
    found = features.transform(kind(dense))
    assert sparse.issparse(found)
    assert found.format == "csr"
    frozen = CentroidFeatures(FrozenEstimator(features.estimator_), output=outputs)
    frozen.set_params(gamma=features.gamma_, temperature=features.temperature_).fit(dense)
    np.testing.assert_allclose(found.toarray()[:, :30], dense)
    np.testing.assert_allclose(found.toarray()[:, 30:], frozen.transform(dense), atol=1e-9)
    np.testing.assert_allclose(frozen.transform(kind(dense)), frozen.transform(dense), atol=1e-9)
    with pytest.raises(ValueError, match="'residual' is not for sparse X"):
        features.set_params(output="residual").fit(dense).transform(kind(dense))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("passthrough", [False, True])
@pytest.mark.parametrize("of", [np.asarray, sparse.csr_matrix, sparse.csr_array])
def test_sparse_one_hot(X, dtype, passthrough, of):
    X = X.astype(dtype)
    params = {"n_clusters": K, "passthrough": passthrough, "random_state": 0, "output": "one-hot"}
    expected = CentroidFeatures(**params).fit_transform(X)
    found = CentroidFeatures(**params, sparse_output=True).fit_transform(of(X))
    assert found.format == "csr"
    assert found.dtype == dtype == expected.dtype
    np.testing.assert_array_equal(found.toarray(), expected)
    if not passthrough:
        assert found.nnz == len(X)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_names_and_frames(X, library):
    names = ["age", "income", "visits", "spend"]
    frame = {"pandas": pd, "polars": pl}[library].DataFrame(dict(zip(names, X.T, strict=True)))
    features = CentroidFeatures(KMeans(), n_clusters=2, output=list(OUTPUTS), passthrough=True)
    features.set_output(transform=library).set_params(random_state=0).fit(frame)
    out = features.transform(frame)
    assert type(out) is type(frame)
    expected = [
        *("age", "income", "visits", "spend", "cluster0_distance", "cluster1_distance"),
        *("cluster0_squared_distance", "cluster1_squared_distance"),
        *("cluster0_similarity", "cluster1_similarity", "cluster0_soft", "cluster1_soft"),
        *("cluster0_triangle", "cluster1_triangle", "cluster0_one_hot", "cluster1_one_hot"),
        *("cluster_label", "residual_age", "residual_income", "residual_visits"),
        "residual_spend",
    ]
    assert list(features.estimator_.feature_names_in_) == names
    assert list(out.columns) == expected == list(features.get_feature_names_out())
    plain = CentroidFeatures(n_clusters=2, output=list(OUTPUTS), passthrough=True, random_state=0)
    np.testing.assert_array_equal(np.asarray(out), plain.fit_transform(X))
    assert list(plain.get_feature_names_out(names)) == expected
    assert list(plain.get_feature_names_out())[:1] == ["x0"]
    with pytest.raises(ValueError, match="feature names"):
        features.transform(frame[names[::-1]])


def test_pipelines_searches_and_nested_parameters(X):
    y = np.abs(X.mean(axis=1) - 13) < 1.5  # the group in the middle
    pipeline = Pipeline(
        [
            ("scaler", ClusterScaler()),
            ("features", CentroidFeatures(KMeans(random_state=0))),
            ("model", LogisticRegression(max_iter=1000)),
        ]
    )
    grid = {
        "scaler__method": ["none", "range"],
        "features__n_clusters": [2, 20],
        "features__output": ["soft", ["one-hot", "residual"]],
        "features__estimator__init": ["random"],
    }
    search = GridSearchCV(pipeline, grid, cv=3).fit(X, y)
    best = search.best_estimator_["features"]
    assert best.estimator_.init == "random"
    assert best.estimator_.n_clusters == search.best_params_["features__n_clusters"] == 20
    assert search.best_score_ > LogisticRegression().fit(X, y).score(X, y) + 0.1

    frame = pd.DataFrame(X, columns=list("abcd"))
    columns = make_column_transformer(
        (CentroidFeatures(n_clusters=2, random_state=0), ["a", "b"]), ("passthrough", ["c"])
    ).set_output(transform="pandas")
    assert list(columns.fit_transform(frame).columns) == [
        "centroidfeatures__cluster0_distance",
        "centroidfeatures__cluster1_distance",
        "passthrough__c",
    ]


def test_metadata_routing(X):
    weights = np.random.default_rng(1).integers(0, 3, len(X))
    with sklearn.config_context(enable_metadata_routing=True):
        features = CentroidFeatures(n_clusters=K, random_state=0)
        scaler = ClusterScaler().set_fit_request(sample_weight=True)
        pipeline = make_pipeline(scaler, features.set_fit_request(sample_weight=True))
        pipeline.fit(X, sample_weight=weights)
    scaled = StandardScaler().fit(X, sample_weight=weights).transform(X)
    direct = KMeans(K, random_state=0).fit(scaled, sample_weight=weights)
    found = pipeline[-1].estimator_.cluster_centers_
    np.testing.assert_allclose(found, direct.cluster_centers_, atol=1e-9)


def test_storage_without_rows(X):
    features = CentroidFeatures(n_clusters=K, output=list(OUTPUTS), random_state=0).fit(X)
    file = io.BytesIO()
    joblib.dump(features, file)
    file.seek(0)
    np.testing.assert_array_equal(joblib.load(file).transform(X), features.transform(X))
    stored = pickle.dumps(features)
    assert len(stored) < 4 * len(X) + 5000  # the labels of the k-means, and no rows
    assert all(row.tobytes() not in stored for row in X[:50])
    slim = FrozenEstimator(KMeans.from_centers(features.estimator_.cluster_centers_))
    assert len(pickle.dumps(CentroidFeatures(slim).fit(X))) < 3000


def test_stored_by_another_version(X):
    for estimator in (ClusterScaler().fit(X), CentroidFeatures(n_clusters=2).fit(X)):
        stored = pickle.dumps(estimator)
        pickle.loads(stored)  # warnings are errors
        old = stored.replace(__version__.encode(), b"0" * len(__version__))
        with pytest.warns(UserWarning, match="was stored by sklearn-lloyd 0") as warned:
            pickle.loads(old)
        assert f"This {type(estimator).__name__} " in str([w.message for w in warned])


@pytest.mark.parametrize("estimator", [sklearn.cluster.KMeans, sklearn.cluster.MiniBatchKMeans])
@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csr_array])
def test_sparse_rows_in_the_kmeans_of_scikit_learn(estimator, kind):
    rng = np.random.default_rng(0)
    X = rng.random((400, 30)) * (rng.random((400, 30)) < 0.1)
    features = CentroidFeatures(estimator(3, random_state=0, n_init=1)).fit(kind(X))
    distances = features.estimator_.transform(kind(X))
    np.testing.assert_allclose(features.transform(kind(X)), distances, rtol=1e-9)


def test_extreme_scales(X, model):
    frozen, on_centre = FrozenEstimator(model), model.cluster_centers_
    for scale in (5e-324, np.finfo(float).max):
        for output in ("soft", "similarity"):
            features = CentroidFeatures(frozen, output=output, gamma=scale, temperature=scale)
            assert np.isfinite(features.fit(X).transform(on_centre)).all()


class Centreless(sklearn.cluster.KMeans):
    def fit(self, X, y=None):
        return self


GOOD = np.random.default_rng(0).normal(size=(30, 2))
FITTED = KMeans(2, random_state=0).fit(pd.DataFrame(GOOD, columns=["a", "b"]))
BAD = [
    ({"output": "distances"}, GOOD, "'output' parameter of CentroidFeatures .*'distance'"),
    ({"output": ["distance", "nearest"]}, GOOD, r"must be one of 'distance', .*'residual', or a"),
    ({"output": []}, GOOD, r"output=\[\] must be one of"),
    ({"output": ["soft", "soft"]}, GOOD, "each of them once"),
    ({"output": [["soft"]]}, GOOD, "must be one of"),
    ({"gamma": 0.0}, GOOD, "'gamma' parameter"),
    ({"temperature": -1.0}, GOOD, "'temperature' parameter"),
    ({"n_clusters": 0}, GOOD, "'n_clusters' parameter"),
    ({"estimator": "kmeans"}, GOOD, "'estimator' parameter"),
    ({"sparse_output": True}, GOOD, "sparse_output=True is for output='one-hot' alone"),
    ({"n_clusters": 31}, GOOD, "n_samples=30 should be >= n_clusters=31"),
    ({"estimator": StandardScaler()}, GOOD, "must have cluster_centers_ .* StandardScaler has"),
    ({"estimator": FrozenEstimator(StandardScaler().fit(GOOD))}, GOOD, "must have cluster_cent"),
    ({"estimator": Centreless(2)}, GOOD, "Centreless has none"),
    ({"estimator": FrozenEstimator(KMeans(2))}, GOOD, "not fitted"),
    ({"estimator": FrozenEstimator(FITTED)}, np.ones((9, 3)), "X has 3 features, but .* on 2"),
    (
        {"estimator": FrozenEstimator(FITTED)},
        pd.DataFrame(GOOD, columns=["a", "c"]),
        r"features \['a', 'c'\], but FrozenEstimator was fitted on \['a', 'b'\]",
    ),
    (
        {"passthrough": True, "output": "label"},
        pd.DataFrame(GOOD, columns=["cluster_label", "b"]),
        r"same names as the output: \['cluster_label'\]",
    ),
    ({}, pd.DataFrame({"a": [1.0] * 9, "kind": ["x"] * 9}), "not numbers: 'kind'"),
    ({}, np.where(GOOD.max() == GOOD, np.nan, GOOD), "NaN: the first in row"),
]


@pytest.mark.parametrize(("params", "X", "message"), BAD)
def test_bad_input_leaves_fitted_features_as_they_were(params, X, message):
    features = CentroidFeatures(n_clusters=3, random_state=0).fit(GOOD)
    if "estimator" in params:
        features.set_params(n_clusters=None)
    before = vars(features).copy()
    features.set_params(**params)
    with pytest.raises((ValueError, InvalidParameterError, NotFittedError), match=message):
        features.fit(X)
    assert vars(features) == {**before, **params}
    assert all(vars(features)[name] is before[name] for name in before if name.endswith("_"))


def test_bad_rows_after_fit():
    features = CentroidFeatures(n_clusters=3, output=list(OUTPUTS), random_state=0).fit(GOOD)
    with pytest.raises(ValueError, match="3 features"):
        features.transform(np.ones((2, 3)))
    with pytest.raises(ValueError, match="NaN: the first in row 0, column 1"):
        features.transform([[1.0, np.nan]])
    for output in ("soft", "triangle"):
        with pytest.raises(ValueError, match="squared distances overflow"):
            features.set_params(output=output).fit(GOOD).transform([[1e200, 0.0]])


@pytest.mark.parametrize("output", [*OUTPUTS, list(OUTPUTS)])
def test_no_second_array_of_the_size_of_the_result(output):
    X = np.random.default_rng(0).normal(size=(200_000, 8))
    frozen = FrozenEstimator(KMeans.from_centers(X[:32], n_threads=2))
    features = CentroidFeatures(frozen, output=output).fit(X[:1000])
    features.transform(X[:1000])
    tracemalloc.start()
    nbytes = features.transform(X).nbytes
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # Beside 51 MB there is scratch memory of two threads, as in the transform of KMeans.
    assert peak < nbytes + 45e6
