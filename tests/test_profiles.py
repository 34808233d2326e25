"""Profiles of clusters: against plain group-by means, in every way that X comes."""

import tracemalloc

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import DBSCAN
from sklearn.cluster import KMeans as SklearnKMeans
from sklearn.compose import ColumnTransformer, make_column_transformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    RobustScaler,
    StandardScaler,
)

from sklearn_lloyd import KMeans, MiniBatchKMeans
from sklearn_lloyd.inspection import ClusterProfiles, cluster_profiles
from sklearn_lloyd.inspection._names import phrase, told_apart, unique_names
from sklearn_lloyd.preprocessing import ClusterScaler

NUMBERS = ["spend", "age", "orders"]
TABLES = ["means", "medians", "differences", "rank_differences", "centers"]


def customers(n=400, seed=0):
    """Three kinds of customers: what they spend, and where, depends on the kind."""
    rng = np.random.default_rng(seed)
    kind = rng.integers(0, 3, n)
    return pd.DataFrame(
        {
            "spend": np.exp(rng.normal(4.0 + kind, 0.4)),
            "age": 1e4 + rng.normal(40.0, 10.0, n),  # a large mean, which must cost no digits
            "orders": rng.poisson(2.0 + 3.0 * (kind == 1)).astype(float),
            "channel": np.where(rng.random(n) < np.array([0.9, 0.5, 0.1])[kind], "web", "shop"),
            "region": rng.integers(0, 4, n),
            "member": rng.random(n) < 0.2 + 0.3 * kind,
        }
    )


@pytest.fixture(scope="module")
def frame():
    return customers()


def kmeans(n_clusters=4, **options):
    return KMeans(n_clusters, random_state=0, tol=0.0, max_iter=1000, **options)


def mixed_pipeline(encoder=None):
    return make_pipeline(
        make_column_transformer(
            (make_pipeline(SimpleImputer(), StandardScaler()), ["spend", "age"]),
            (encoder or OneHotEncoder(), ["channel", "region"]),
            (MinMaxScaler(), ["orders"]),
            ("passthrough", ["member"]),
        ),
        kmeans(),
    )


def assert_same(a, b, rtol=1e-9):
    for name in ["names", "features", "is_share", "columns"]:
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name))
    assert a.stands_out == b.stands_out
    for name in ["shares", "whole_mean", "whole_median", "whole_deviation", *TABLES]:
        np.testing.assert_allclose(
            getattr(a, name), getattr(b, name), rtol, atol=1e-9, err_msg=name
        )


SCALERS = {
    "StandardScaler": [StandardScaler()],
    "MinMaxScaler": [MinMaxScaler()],
    "RobustScaler": [RobustScaler()],
    **{
        f"ClusterScaler {method}": [ClusterScaler(method)]
        for method in ("zscore", "range", "robust", "maxabs", "whiten", "none")
    },
    "ClusterScaler of weights": [ClusterScaler(feature_weights={"spend": 4.0})],
    "PCA": [PCA(random_state=0)],
    "PCA whiten": [StandardScaler(), PCA(whiten=True, random_state=0)],
    "nothing": [],
    "passthrough": ["passthrough", StandardScaler()],
}


@pytest.mark.parametrize("steps", SCALERS.values(), ids=SCALERS)
@pytest.mark.parametrize("clusterer", [KMeans, SklearnKMeans])
def test_undoes_scalers(frame, steps, clusterer):
    model = make_pipeline(*steps, clusterer(4, random_state=0, tol=0.0, max_iter=1000, n_init=1))
    X = frame[NUMBERS]
    labels = model.fit_predict(X)
    profiles = cluster_profiles(model, X)

    groups = X.groupby(labels)
    assert list(profiles.features) == NUMBERS
    assert profiles.centers_missing == ""
    np.testing.assert_allclose(profiles.means, groups.mean(), rtol=1e-10)
    np.testing.assert_allclose(profiles.centers, groups.mean(), rtol=1e-10)
    np.testing.assert_allclose(profiles.medians, groups.median(), rtol=1e-12)
    np.testing.assert_allclose(profiles.whole_mean, X.mean(), rtol=1e-12)
    np.testing.assert_allclose(profiles.whole_median, X.median(), rtol=1e-12)
    np.testing.assert_allclose(profiles.whole_deviation, X.std(ddof=0), rtol=1e-10)
    expected = (groups.mean() - X.mean()) / X.std(ddof=0)
    np.testing.assert_allclose(profiles.differences, expected, atol=1e-8)
    ranks = X.rank()
    expected = (ranks.groupby(labels).mean() - ranks.mean()) / ranks.std(ddof=0)
    np.testing.assert_allclose(profiles.rank_differences, expected, atol=1e-10)
    np.testing.assert_array_equal(profiles.sizes, np.bincount(labels))
    np.testing.assert_allclose(profiles.shares, np.bincount(labels) / len(X))


ENCODERS = {
    "sparse": OneHotEncoder(),
    "dense": OneHotEncoder(sparse_output=False),
    "drop": OneHotEncoder(drop="first"),
    "drop of two": OneHotEncoder(drop="if_binary"),
    "after an imputer": make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()),
}


@pytest.mark.parametrize("encoder", ENCODERS.values(), ids=ENCODERS)
def test_undoes_a_column_transformer(frame, encoder):
    model = mixed_pipeline(encoder)
    labels = model.fit_predict(frame)
    profiles = cluster_profiles(model, frame)

    one_hot = pd.get_dummies(
        frame, columns=["channel", "region"], prefix_sep="=", dtype=float
    ).astype(float)
    expected = one_hot.groupby(labels).mean()[list(profiles.features)]
    assert sorted(profiles.features) == sorted(one_hot.columns)
    assert profiles.centers_missing == ""
    np.testing.assert_allclose(profiles.means, expected, rtol=1e-10)
    np.testing.assert_allclose(profiles.centers, expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(profiles.whole_deviation, one_hot[expected.columns].std(ddof=0))
    np.testing.assert_allclose(
        profiles.differences,
        (expected - one_hot[expected.columns].mean()) / one_hot[expected.columns].std(ddof=0),
        atol=1e-8,
    )
    is_share = [name not in NUMBERS for name in profiles.features]
    assert list(profiles.is_share) == is_share
    assert np.isnan(profiles.medians[:, is_share]).all()
    assert [frame.columns[j] for j in profiles.columns] == [
        name.split("=")[0] for name in profiles.features
    ]


@pytest.mark.parametrize(
    "numbers", [["spend", "age"], [0, 1], slice(0, 2), slice("spend", "age"), np.arange(6) < 2]
)
def test_columns_of_a_transformer(frame, numbers):
    transformer = ColumnTransformer(
        [("n", StandardScaler(), numbers), ("o", MinMaxScaler(), lambda X: ["orders"])]
    )
    model = make_pipeline(transformer, kmeans())
    labels = model.fit_predict(frame)
    profiles = cluster_profiles(model, frame)
    expected = frame[NUMBERS].groupby(labels).mean()
    np.testing.assert_allclose(profiles.centers[:, :3], expected, rtol=1e-10)
    assert np.isnan(profiles.centers[:, 3:]).all()  # dropped: the clusterer does not see them
    assert np.isfinite(profiles.means).all()  # but they are looked at
    assert {"channel=web", "member"} < set(profiles.features)


def test_scaled_after_the_encoder(frame):
    columns = make_column_transformer(
        (StandardScaler(), ["spend"]), (OneHotEncoder(sparse_output=False), ["channel"])
    )
    model = make_pipeline(columns, ClusterScaler("range"), PCA(random_state=0), kmeans())
    X = frame[["spend", "channel"]]
    labels = model.fit_predict(X)
    profiles = cluster_profiles(model, X)
    np.testing.assert_allclose(profiles.centers, profiles.means, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(profiles.means[:, 0], X["spend"].groupby(labels).mean())


def test_infrequent_categories(frame):
    X = frame[["region"]].astype(str)
    X.loc[:2, "region"] = ["8", "9", "9"]
    model = make_pipeline(OneHotEncoder(min_frequency=10), kmeans(3)).fit(X)
    profiles = cluster_profiles(model, X)
    np.testing.assert_allclose(profiles.centers[:, :4], profiles.means[:, :4], atol=1e-12)
    assert np.isnan(profiles.centers[:, 4:]).all()  # they share a column
    assert list(profiles.features[4:]) == ["region=8", "region=9"]


def test_inverse_is_not_a_mean(frame):
    X = frame[["spend"]]
    log = FunctionTransformer(np.log, np.exp)
    model = make_pipeline(log, StandardScaler(), kmeans())
    labels = model.fit_predict(X)
    geometric = np.exp(np.log(X).groupby(labels).mean())
    np.testing.assert_allclose(cluster_profiles(model, X).centers, geometric, rtol=1e-10)

    model = make_pipeline(StandardScaler(), PCA(1), kmeans()).fit(frame[NUMBERS])
    profiles = cluster_profiles(model, frame[NUMBERS])
    of_means = model[:-1].transform(frame[NUMBERS])
    back = model[0].inverse_transform(model[1].inverse_transform(of_means))
    expected = pd.DataFrame(back).groupby(model[-1].labels_).mean()
    np.testing.assert_allclose(profiles.centers, expected, rtol=1e-10)


@pytest.mark.parametrize(
    ("step", "reason"),
    [
        (Normalizer(), "Normalizer has no inverse"),
        (FunctionTransformer(np.log1p), "FunctionTransformer has no inverse"),
        (OrdinalEncoder(), "OrdinalEncoder has no inverse"),
        (ClusterScaler("unit-norm"), "ClusterScaler has no inverse"),
    ],
)
def test_no_way_back(frame, step, reason):
    X = frame[NUMBERS]
    model = make_pipeline(step, kmeans(2)).fit(X)
    profiles = cluster_profiles(model, X)
    assert profiles.centers_missing.startswith(reason)
    assert np.isnan(profiles.centers).all()
    np.testing.assert_allclose(profiles.means, X.groupby(model[-1].labels_).mean())
    model = make_pipeline(step, kmeans(2)).fit(X.to_numpy())
    found = cluster_profiles(model, X.to_numpy())
    assert found.centers_missing.startswith(reason)
    assert np.isnan(found.centers).all()


def test_no_way_back_of_one_part(frame):
    model = make_pipeline(
        make_column_transformer((StandardScaler(), NUMBERS), (OrdinalEncoder(), ["channel"])),
        kmeans(),
    ).fit(frame)
    profiles = cluster_profiles(model, frame)
    assert profiles.centers_missing == "ordinalencoder: OrdinalEncoder has no inverse for averages"
    np.testing.assert_allclose(profiles.centers[:, :3], profiles.means[:, :3], rtol=1e-10)
    assert np.isnan(profiles.centers[:, 3:]).all()


def test_left_out_by_selection(frame):
    X = frame[NUMBERS].assign(constant=7.0)[["spend", "constant", "age", "orders"]]
    model = make_pipeline(VarianceThreshold(), StandardScaler(), kmeans()).fit(X)
    profiles = cluster_profiles(model, X)
    assert np.isnan(profiles.centers[:, 1]).all()
    np.testing.assert_allclose(
        profiles.centers[:, [0, 2, 3]], profiles.means[:, [0, 2, 3]], rtol=1e-10
    )
    assert (profiles.means[:, 1] == 7.0).all()
    assert (profiles.differences[:, 1] == 0.0).all()
    assert (profiles.rank_differences[:, 1] == 0.0).all()


def test_weights_are_repeats(frame):
    weights = np.random.default_rng(1).integers(0, 4, len(frame))
    repeats = frame.loc[frame.index.repeat(weights)]
    model = mixed_pipeline().fit(frame)
    weighted = cluster_profiles(model, frame, sample_weight=weights)
    repeated = cluster_profiles(model, repeats)
    assert_same(weighted, repeated)
    np.testing.assert_array_equal(weighted.sizes, repeated.sizes)
    assert repeated.sizes.dtype.kind == "i"
    assert (weights[weighted.exemplars] > 0).all()


def test_ways_that_a_table_comes(frame):
    X = frame[NUMBERS]
    model = make_pipeline(StandardScaler(), kmeans()).fit(X)
    profiles = cluster_profiles(model, X)
    assert profiles.library == "pandas"
    arrays = make_pipeline(StandardScaler(), kmeans()).fit(X.to_numpy())
    for given, library in [
        (pl.from_pandas(X), "polars"),
        (X.to_numpy(), ""),
        (np.asfortranarray(X), ""),
        (X.to_numpy().tolist(), ""),
    ]:
        own = model if library else arrays
        found = cluster_profiles(own, given, feature_names=None if library else NUMBERS)
        assert_same(found, profiles)
        np.testing.assert_array_equal(found.exemplars, profiles.exemplars)
        assert found.library == library
    assert list(cluster_profiles(arrays, X.to_numpy()).features) == ["x0", "x1", "x2"]
    assert list(cluster_profiles(model, X, feature_names=["a", "b", "c"]).features) == [*"abc"]


def test_frames_of_both_libraries(frame):
    model = mixed_pipeline().fit(frame)
    profiles = cluster_profiles(model, frame)
    shuffled = frame[["member", "region", "spend", "channel", "orders", "age"]]
    for other in (pl.from_pandas(frame), shuffled.assign(channel=pd.Categorical(frame.channel))):
        found = cluster_profiles(model, other)
        order = [list(found.features).index(name) for name in profiles.features]
        for name in TABLES:
            np.testing.assert_allclose(getattr(found, name)[:, order], getattr(profiles, name))


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("kind", [sparse.csr_matrix, sparse.csr_array, sparse.coo_array])
def test_sparse(dtype, kind):
    dense = np.random.default_rng(0).poisson(0.5, (300, 12)).astype(dtype)
    X = kind(dense)
    weights = np.random.default_rng(1).integers(0, 3, 300)
    model = kmeans(3).fit(dense)
    for given in (None, weights):
        expected = cluster_profiles(model, dense, sample_weight=given)
        found = cluster_profiles(model, X, sample_weight=given)
        for name in ("means", "differences", "centers", "whole_mean", "whole_deviation"):
            np.testing.assert_allclose(getattr(found, name), getattr(expected, name), atol=1e-12)
        np.testing.assert_array_equal(found.sizes, expected.sizes)
        np.testing.assert_array_equal(found.exemplars, expected.exemplars)
        assert np.isnan(found.medians).all()
        assert np.isnan(found.rank_differences).all()
        assert len(set(found.names)) == 3


def test_sparse_with_repeated_entries():
    tidy = sparse.csr_array(np.random.default_rng(0).poisson(0.5, (60, 5)).astype(float))
    halves = sparse.csr_array(
        (np.repeat(tidy.data / 2.0, 2), np.repeat(tidy.indices, 2), 2 * tidy.indptr), tidy.shape
    )
    model = kmeans(3).fit(tidy)
    expected, found = cluster_profiles(model, tidy), cluster_profiles(model, halves)
    assert halves.nnz == 2 * tidy.nnz
    np.testing.assert_allclose(found.means, expected.means)
    np.testing.assert_allclose(found.whole_deviation, expected.whole_deviation)
    np.testing.assert_array_equal(found.exemplars, expected.exemplars)


def test_order_of_rows(frame):
    model = mixed_pipeline().fit(frame)
    profiles = cluster_profiles(model, frame)
    order = np.random.default_rng(5).permutation(len(frame))
    found = cluster_profiles(model, frame.iloc[order])
    assert_same(found, profiles)
    np.testing.assert_array_equal(order[found.exemplars], profiles.exemplars)


@pytest.mark.parametrize("n_clusters", [1, 2, 9, 30])
def test_names_are_unique(frame, n_clusters):
    model = make_pipeline(StandardScaler(), kmeans(n_clusters)).fit(frame[NUMBERS])
    names = cluster_profiles(model, frame[NUMBERS], n_names=1).names
    assert len(set(names)) == n_clusters
    if n_clusters == 1:
        assert list(names) == ["average"]


def test_names_say_what_is_planted():
    rng = np.random.default_rng(0)
    n = 300
    X = pd.DataFrame(
        {
            "spend": np.repeat([900.0, 50.0, 60.0], n) * np.exp(rng.normal(0.0, 0.2, 3 * n)),
            "visits": np.repeat([2.0, 20.0, 2.0], n) + rng.normal(0.0, 0.5, 3 * n),
            "channel": np.repeat(["web", "shop", "shop"], n),
            "noise": rng.normal(size=3 * n),
        }
    )
    columns = make_column_transformer(("passthrough", ["spend", "visits"]))
    init = [[900.0, 2.0], [50.0, 20.0], [60.0, 2.0]]
    model = make_pipeline(columns, MinMaxScaler(), KMeans(3, random_state=0))
    model.set_params(
        kmeans__init=model[:2].fit(X).transform(pd.DataFrame(init, columns=X.columns[:2]))
    )
    profiles = cluster_profiles(model.fit(X), X, n_names=3)
    assert np.abs(profiles.sizes - n).max() <= 3
    assert set(profiles.stands_out[0]) == {"mostly channel web", "high spend", "low visits"}
    assert set(profiles.stands_out[1]) == {"mostly channel shop", "low spend", "high visits"}
    assert set(profiles.names[0].split(", ")) == set(profiles.stands_out[0])
    assert all("noise" not in said for own in profiles.stands_out for said in own)
    assert profiles.features[profiles.distinctive[0][0]] == "channel=web"


def test_few_large_values_hide_nothing():
    # The deviation of what these customers spend is that of the two who spend most.
    spend = np.concatenate([np.full(50, 10.0), np.full(50, 40.0), [1e6, 2e6]])
    X = np.column_stack([spend, np.zeros_like(spend)])
    model = KMeans.from_centers([[10.0, 0.0], [40.0, 0.0], [1.5e6, 0.0]])
    profiles = cluster_profiles(model, X, feature_names=["spend", "nothing"])
    assert np.abs(profiles.differences[:2]).max() < 0.2
    assert list(profiles.names) == ["low spend", "high spend", "very high spend"]
    assert "spend, median 40 (all rows: 40)" in repr(profiles)
    assert "spend 1,500,000 (all rows: 29,436)" in repr(profiles)


def test_exemplars(frame):
    X = frame[NUMBERS]
    model = make_pipeline(StandardScaler(), kmeans()).fit(X)
    distances = model.transform(X)
    labels = model.predict(X)
    found = cluster_profiles(model, X, n_exemplars=5).exemplars
    for j in range(4):
        own = np.flatnonzero(labels == j)
        nearest = own[np.argsort(distances[own, j], kind="stable")[:5]]
        np.testing.assert_array_equal(found[j], nearest)
    assert cluster_profiles(model, X, n_exemplars=0).exemplars.shape == (4, 0)


def test_exemplars_that_tie():
    X = np.array([[1.0], [-1.0], [1.0], [9.0], [0.5]])
    profiles = cluster_profiles(KMeans.from_centers([[0.0], [9.0]]), X, n_exemplars=4)
    np.testing.assert_array_equal(profiles.exemplars, [[4, 0, 1, 2], [3, -1, -1, -1]])
    weighted = cluster_profiles(
        KMeans.from_centers([[0.0], [9.0]]), X, n_exemplars=4, sample_weight=[0, 2, 1, 1, 0]
    )
    np.testing.assert_array_equal(weighted.exemplars, [[1, 2, -1, -1], [3, -1, -1, -1]])


def test_many_blocks():
    # More rows than are transformed at once.
    X = np.random.default_rng(0).normal(size=(70_000, 16))
    model = make_pipeline(StandardScaler(), KMeans(3, random_state=0, max_iter=3)).fit(X)
    labels = model.predict(X)
    profiles = cluster_profiles(model, X)
    expected = [X[labels == j].mean(axis=0) for j in range(3)]
    np.testing.assert_allclose(profiles.means, expected, atol=1e-12)
    squares = np.square(model[0].transform(X) - model[1].cluster_centers_[labels]).sum(axis=1)
    nearest = [np.flatnonzero(labels == j)[squares[labels == j].argmin()] for j in range(3)]
    np.testing.assert_array_equal(profiles.exemplars[:, 0], nearest)


def test_cluster_without_rows():
    model = KMeans.from_centers([[0.0, 0.0], [100.0, 100.0], [10.0, 10.0], [-99.0, 0.0]])
    X = np.array([[0.0, 1.0], [1.0, 0.0], [10.0, 9.0], [11.0, 9.0]])
    profiles = cluster_profiles(model, X)
    np.testing.assert_array_equal(profiles.sizes, [2, 0, 2, 0])
    np.testing.assert_array_equal(profiles.shares, [0.5, 0.0, 0.5, 0.0])
    assert np.isnan(profiles.means[[1, 3]]).all()
    assert np.isnan(profiles.medians[[1, 3]]).all()
    np.testing.assert_array_equal(profiles.centers, model.cluster_centers_)
    assert (profiles.exemplars[[1, 3]] == -1).all()
    assert list(profiles.names[[1, 3]]) == ["empty", "empty (2)"]
    assert "empty, 0.0%" in repr(profiles)


def test_missing_values(frame):
    rng = np.random.default_rng(2)
    X = frame[NUMBERS].mask(rng.random((len(frame), 3)) < 0.1)
    X["nothing"] = np.nan
    model = make_pipeline(
        make_column_transformer((make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS)),
        kmeans(),
    )
    labels = model.fit_predict(X)
    weights = rng.integers(1, 4, len(X))
    repeats = X.index.repeat(weights)
    profiles = cluster_profiles(model, X, sample_weight=weights)
    groups = X.loc[repeats].groupby(labels[repeats])  # leaves missing values out
    np.testing.assert_allclose(profiles.means, groups.mean(), rtol=1e-10)
    np.testing.assert_allclose(profiles.medians, groups.median(), rtol=1e-10)
    assert np.isnan(profiles.whole_mean[3])


KINDS = {
    "pandas strings": pd.Series(["a", "b", None, "a"] * 5),
    "pandas objects": pd.Series(["a", "b", None, "a"] * 5, dtype=object),
    "pandas string": pd.Series(["a", "b", None, "a"] * 5, dtype="string"),
    "pandas categories": pd.Series(["a", "b", None, "a"] * 5, dtype="category"),
    "polars strings": pl.Series(["a", "b", None, "a"] * 5),
    "polars categories": pl.Series(["a", "b", None, "a"] * 5, dtype=pl.Categorical),
}


@pytest.mark.parametrize("column", KINDS.values(), ids=KINDS)
def test_kinds_of_categories(column):
    make_frame = pd.DataFrame if isinstance(column, pd.Series) else pl.DataFrame
    X = make_frame({"size": [0.0, 0.0, 9.0, 9.0] * 5, "letter": column})
    model = make_pipeline(make_column_transformer((StandardScaler(), ["size"])), kmeans(2))
    model.fit(X)
    profiles = cluster_profiles(model, X)
    assert list(profiles.features[1:]) == ["letter=a", "letter=b", "letter=missing"]
    np.testing.assert_array_equal(profiles.whole_mean[1:], [0.5, 0.25, 0.25])
    assert set(map(tuple, profiles.means[:, 1:])) == {(0.5, 0.5, 0.0), (0.5, 0.0, 0.5)}


FLAGS = {
    "pandas": pd.Series([True, False, True, None] * 5, dtype=object),
    "pandas boolean": pd.Series([True, False, True, None] * 5, dtype="boolean"),
    "polars": pl.Series([True, False, True, None] * 5),
}


@pytest.mark.parametrize("column", FLAGS.values(), ids=FLAGS)
def test_kinds_of_yes_and_no(column):
    make_frame = pd.DataFrame if isinstance(column, pd.Series) else pl.DataFrame
    X = make_frame({"size": [0.0, 0.0, 9.0, 9.0] * 5, "member": column})
    model = make_pipeline(make_column_transformer((StandardScaler(), ["size"])), kmeans(2))
    profiles = cluster_profiles(model.fit(X), X)
    assert list(profiles.features) == ["size", "member"]
    assert list(profiles.is_share) == [False, True]
    np.testing.assert_allclose(profiles.whole_mean, [4.5, 2 / 3])
    assert set(profiles.means[:, 1]) == {0.5, 1.0}


def test_encoded_numbers_and_flags_are_shares(frame):
    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(), ["region", "member"]), (MinMaxScaler(), NUMBERS)
        ),
        kmeans(),
    ).fit(frame)
    profiles = cluster_profiles(model, frame)
    shares = list(profiles.features[profiles.is_share])
    assert shares == [
        *("channel=shop", "channel=web"),
        *("region=0", "region=1", "region=2", "region=3", "member"),
    ]
    seen = [not name.startswith("channel") for name in profiles.features]
    np.testing.assert_allclose(profiles.centers[:, seen], profiles.means[:, seen], atol=1e-12)


def test_nullable_numbers_and_times():
    X = pd.DataFrame(
        {
            "n": pd.array([1, 2, None, 4] * 5, dtype="Int64"),
            "size": [0.0, 0.0, 9.0, 9.0] * 5,
            "day": pd.Timestamp("2020-01-01"),
        }
    )
    model = make_pipeline(make_column_transformer((StandardScaler(), ["size"])), kmeans(2))
    profiles = cluster_profiles(model.fit(X), X)
    assert list(profiles.features) == ["n", "size"]
    np.testing.assert_allclose(profiles.whole_mean, [7 / 3, 4.5])
    np.testing.assert_allclose(np.sort(profiles.means[:, 0]), [1.5, 4.0])


def test_most_frequent_categories():
    X = pd.DataFrame({"size": np.arange(60.0), "town": [*"aabbbcccc" * 6, *"uvwxyz"]})
    model = make_pipeline(make_column_transformer(("passthrough", ["size"])), kmeans(2)).fit(X)
    profiles = cluster_profiles(model, X, max_categories=2)
    assert list(profiles.features) == ["size", "town=b", "town=c"]
    weights = np.where(X.town == "z", 100.0, 1.0)
    profiles = cluster_profiles(model, X, max_categories=2, sample_weight=weights)
    assert list(profiles.features) == ["size", "town=c", "town=z"]
    weights = np.where(X.town.isin(["c", "z"]), 1.0, 0.0)
    profiles = cluster_profiles(model, X, sample_weight=weights)
    assert list(profiles.features) == ["size", "town=c", "town=z"]


def of_size(X):
    return make_pipeline(make_column_transformer(("passthrough", ["size"])), kmeans(2)).fit(X)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_text_that_names_the_rows_is_left_out(make):
    columns = {"size": np.arange(60.0), "town": [*"aabbbc"] * 10}
    names = [f"{i}@example.org" for i in range(60)]
    nearly = [*names[:56], None, "other", "other", "other"]  # 56 of 59 occur once
    often = [*names[:50], *["other"] * 10]
    X = make({**columns, "mail": names, "nearly": nearly, "often": often})
    profiles = cluster_profiles(of_size(X), X)
    reason = "text, nearly every value of which occurs once"
    assert profiles.left_out == {"mail": reason, "nearly": reason}
    assert {name.split("=")[0] for name in profiles.features} == {"size", "town", "often"}
    assert f"left out:\n    mail: {reason}" in repr(profiles)
    asked = cluster_profiles(of_size(X), X, columns=["mail", "town"], max_categories=3)
    assert asked.left_out == {}
    assert [name.split("=")[0] for name in asked.features] == ["mail"] * 3 + ["town"] * 3


def test_columns_to_profile(frame):
    model = mixed_pipeline().fit(frame)
    whole = cluster_profiles(model, frame)
    for columns in (["age", "channel"], ["age", 3], [1, "channel"], np.array(["age", "channel"])):
        part = cluster_profiles(model, frame, columns=columns)
        assert list(part.features) == ["age", "channel=shop", "channel=web"]
        place = [list(whole.features).index(name) for name in part.features]
        np.testing.assert_array_equal(part.means, whole.means[:, place])
        np.testing.assert_array_equal(part.centers, whole.centers[:, place])
    assert list(cluster_profiles(model, frame, columns="age").features) == ["age"]
    X = sparse.csr_array(np.eye(6))
    found = cluster_profiles(kmeans(2).fit(X), X, columns=["x4", 1])
    assert list(found.features) == ["x4", "x1"]
    np.testing.assert_allclose(found.whole_mean, 1 / 6)
    for columns, message in {
        ("spent",): "columns has 'spent', which is no column of X: did you mean 'spend'?",
        (6,): "columns has 6, which is no column of X: known are .*member, .*spend",
        (): "at least one column",
        ("age", 1): "each once",
    }.items():
        with pytest.raises(ValueError, match=message):
            cluster_profiles(model, frame, columns=list(columns))


INFINITE = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "numpy": lambda columns: np.column_stack(list(columns.values())),
    "sparse": lambda columns: sparse.csr_array(np.column_stack(list(columns.values()))),
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("library", INFINITE)
@pytest.mark.parametrize("weighted", [False, True])
def test_infinite_values_count_as_missing(library, weighted):
    rng = np.random.default_rng(0)
    kind = rng.integers(0, 3, 200)
    margin = 10.0 * kind + rng.normal(size=200)
    margin[[3, 4, 5, 6]] = np.inf, -np.inf, np.nan, np.inf
    weights = np.where(np.arange(200) == 6, 0.0, rng.uniform(1, 3, 200)) if weighted else None
    X = INFINITE[library]({"spend": 9.0 * kind, "margin": margin})
    spend = ["spend"] if library in ("pandas", "polars") else [0]
    model = make_pipeline(make_column_transformer(("passthrough", spend)), kmeans(3)).fit(X)
    profiles = cluster_profiles(model, X, sample_weight=weights)
    counts = np.isfinite(margin)
    shares = np.ones(200) if weights is None else weights
    for cluster in range(3):
        own = counts & (model.predict(X) == cluster)
        expected = np.average(margin[own], weights=shares[own])
        assert profiles.means[cluster, 1] == pytest.approx(expected)
    mean = np.average(margin[counts], weights=shares[counts])
    assert profiles.whole_mean[1] == pytest.approx(mean)
    assert np.isfinite(profiles.contrasts).all()
    assert profiles.missing.tolist() == [0, 1]
    assert profiles.infinite.tolist() == [0, 2 if weighted else 3]
    name = profiles.features[1]
    assert f"{name}: 1 missing, {2 if weighted else 3} infinite" in repr(profiles)


def test_rename(frame):
    profiles = cluster_profiles(mixed_pipeline().fit(frame), frame)
    before = profiles.names.copy()
    named = profiles.rename({2: "Regulars", 0: "New"})
    assert list(named.names) == ["New", before[1], "Regulars", before[3]]
    np.testing.assert_array_equal(profiles.names, before)
    assert list(named.to_frame()["name"]) == list(named.names)
    assert "  2: Regulars, " in repr(named)
    assert list(named.rename({0: before[2], 2: before[0]}).names[[0, 2]]) == [before[2], before[0]]
    for names, error, message in [
        (["a"], ValueError, "1 names for 4 clusters"),
        ("abcd", TypeError, "a list or a dict of clusters to names.* got 'abcd'"),
        ({4: "a"}, ValueError, r"clusters as predict gives them, 0 to 3; got \[4\]"),
        ({0: 1}, TypeError, r"A name must be a str; got 1 \(int\)"),
        ({0: "a", 1: "a"}, ValueError, "different names; these do not: 'a'"),
        ({0: before[1]}, ValueError, "different names"),
        ({0: ""}, ValueError, "not be empty"),
    ]:
        with pytest.raises(error, match=message):
            profiles.rename(names)
    letters = cluster_profiles(Halves().fit(None), np.array([[1.0], [-1.0]]))
    assert list(letters.rename({"deep": "Low"}).names) == ["Low", letters.names[1]]


def test_said_of_ranks_is_never_against_the_median():
    # Of the first cluster the mean rank is high, but most values are just below the middle.
    first = np.concatenate([np.full(51, 49.0), np.linspace(90.0, 99.0, 49)])
    second = np.concatenate([np.linspace(0.0, 40.0, 60), np.linspace(50.0, 80.0, 40)])
    X = np.column_stack([np.repeat([0.0, 9.0], 100), np.concatenate([first, second])])
    profiles = cluster_profiles(KMeans.from_centers([[0.0, 50.0], [9.0, 40.0]]), X)
    for i, own in enumerate(profiles.distinctive):
        sides = np.sign(profiles.medians[i, own] - profiles.whole_median[own])
        assert (sides * profiles.rank_differences[i, own] >= 0.0).all()
        assert (sides * profiles.contrasts[i, own] >= 0.0).all()


class Halves(ClusterMixin, BaseEstimator):
    """Knows no centres, and calls its clusters by letters."""

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def predict(self, X):
        return np.where(
            X[:, [0]].toarray().ravel() > 0.0 if sparse.issparse(X) else X[:, 0] > 0.0,
            "high",
            "deep",
        )


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_clusterer_without_centers(kind):
    X = np.random.default_rng(0).normal(size=(50, 3))
    profiles = cluster_profiles(Halves().fit(X), kind(X))
    deep = X[:, 0] <= 0.0
    expected = np.stack([X[deep].mean(axis=0), X[~deep].mean(axis=0)])
    assert list(profiles.clusters) == ["deep", "high"]
    np.testing.assert_allclose(profiles.means, expected)
    np.testing.assert_allclose(profiles.centers, expected)
    squares = np.where(deep, np.inf, np.square(X - expected[1]).sum(axis=1))
    np.testing.assert_array_equal(profiles.exemplars[1], np.argsort(squares)[:3])
    cluster = cluster_profiles(Halves().fit(X), X, sample_weight=deep.astype(float))
    np.testing.assert_allclose(cluster.means[0], expected[0])
    assert list(cluster.names)[1] == "empty"


def test_other_estimators(frame):
    X = frame[NUMBERS]
    search = GridSearchCV(make_pipeline(StandardScaler(), kmeans()), {"kmeans__n_clusters": [3]})
    search.fit(X)
    assert_same(cluster_profiles(search, X), cluster_profiles(search.best_estimator_, X))
    mixture = make_pipeline(StandardScaler(), GaussianMixture(3, random_state=0)).fit(X)
    profiles = cluster_profiles(mixture, X)
    np.testing.assert_allclose(
        profiles.centers, mixture[0].inverse_transform(mixture[1].means_), rtol=1e-10
    )
    batches = MiniBatchKMeans(3, random_state=0).fit(X)
    assert cluster_profiles(batches, X).means.shape == (3, 3)


def test_to_frame(frame):
    model = mixed_pipeline().fit(frame)
    profiles = cluster_profiles(model, frame)
    table = profiles.to_frame()
    assert isinstance(table, pd.DataFrame)
    assert list(table) == [
        *("cluster", "name", "size", "share", *profiles.features, "stands out", "exemplars"),
    ]
    np.testing.assert_array_equal(table["name"], profiles.names)
    np.testing.assert_array_equal(table["exemplars"].tolist(), profiles.exemplars)
    for values in TABLES:
        np.testing.assert_array_equal(
            profiles.to_frame(values)[list(profiles.features)], getattr(profiles, values)
        )
    polars = cluster_profiles(model, pl.from_pandas(frame)).to_frame()
    assert isinstance(polars, pl.DataFrame)
    assert polars.columns == list(table)
    assert polars["name"].to_list() == list(profiles.names)
    with pytest.raises(ValueError, match=r"values must be one of means, .*; got 'mean'"):
        profiles.to_frame("mean")


def test_to_frame_of_arrays():
    X = np.random.default_rng(0).normal(size=(50, 2))
    profiles = cluster_profiles(kmeans().fit(X), X, feature_names=["name", "size"])
    columns = profiles.to_frame()
    assert isinstance(columns, dict)
    for make_frame in (pd.DataFrame, pl.DataFrame):
        table = make_frame(columns)
        assert list(table.columns)[4:6] == ["name (feature)", "size (feature)"]
        np.testing.assert_array_equal(table["size (feature)"], profiles.means[:, 1])


def test_repr(frame):
    model = mixed_pipeline().fit(frame)
    profiles = cluster_profiles(model, frame)
    assert isinstance(profiles, ClusterProfiles)
    said = repr(profiles)
    assert said.startswith("4 clusters, 10 features\n")
    assert all(name in said for name in profiles.names)
    i, j = next((i, own[0]) for i, own in enumerate(profiles.distinctive) if own.size)
    assert f"{profiles.features[j]} " in said
    assert f"{profiles.names[i]}, {profiles.shares[i]:.1%}" in said


def test_x_is_only_read(frame):
    X = frame[NUMBERS].to_numpy()
    X.flags.writeable = False
    before = X.copy()
    weights = np.ones(len(X))
    cluster_profiles(kmeans().fit(X), X, sample_weight=weights)
    np.testing.assert_array_equal(X, before)
    model = mixed_pipeline().fit(frame)
    copy = frame.copy(deep=True)
    cluster_profiles(model, frame)
    pd.testing.assert_frame_equal(frame, copy)


def test_memory_is_of_a_few_columns():
    X = np.random.default_rng(0).normal(size=(20_000, 200))
    model = make_pipeline(StandardScaler(), KMeans(3, random_state=0, max_iter=2)).fit(X)
    tracemalloc.start()
    try:
        cluster_profiles(model, X)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < X.nbytes / 2


def test_bad_input(frame):
    X = frame[NUMBERS]
    model = make_pipeline(StandardScaler(), kmeans()).fit(X)
    for unfitted in (kmeans(), make_pipeline(StandardScaler(), kmeans())):
        with pytest.raises(NotFittedError):
            cluster_profiles(unfitted, X)
    with pytest.raises(ValueError, match="feature names should match those that were passed"):
        cluster_profiles(model, X.rename(columns={"age": "years"}))
    with pytest.raises(ValueError, match="X has 2 features, but StandardScaler is expecting 3"):
        cluster_profiles(
            make_pipeline(StandardScaler(), kmeans()).fit(X.to_numpy()), X.iloc[:, :2].to_numpy()
        )
    with pytest.raises(ValueError, match="X has 2 features, but KMeans is expecting 3"):
        cluster_profiles(kmeans().fit(X.to_numpy()), X.iloc[:, :2].to_numpy())
    with pytest.raises(
        ValueError, match=r"'estimator' parameter .* implementing 'predict'. Got DB"
    ):
        cluster_profiles(DBSCAN().fit(X), X)
    with pytest.raises(ValueError, match="implementing 'predict'"):
        cluster_profiles(make_pipeline(StandardScaler(), DBSCAN()).fit(X), X)
    with pytest.raises(ValueError, match="feature_names has 2 names, but X has 3 columns"):
        cluster_profiles(model, X, feature_names=["a", "b"])
    with pytest.raises(ValueError, match=r"must differ; these are repeated: \['a'\]"):
        cluster_profiles(model, X, feature_names=["a", "a", "b"])
    with pytest.raises(ValueError, match="one weight for each row"):
        cluster_profiles(model, X, sample_weight=np.ones(3))
    with pytest.raises(ValueError, match="must be zero or more"):
        cluster_profiles(model, X, sample_weight=-np.ones(len(X)))
    with pytest.raises(ValueError, match="Expected 2D array"):
        cluster_profiles(model, np.ones(3))
    with pytest.raises(ValueError, match="contains NaN"):
        cluster_profiles(model, X.replace(X.iloc[0, 0], np.nan))
    for name, value in {"n_exemplars": -1, "n_names": 0, "max_categories": 0}.items():
        with pytest.raises(ValueError, match=f"The '{name}' parameter"):
            cluster_profiles(model, X, **{name: value})


def test_names_beside_others():
    taken = {"cluster", "name"}
    assert told_apart(["a", "cluster"], taken) == ["a", "cluster (feature)"]
    assert told_apart(["cluster", "cluster (feature)"], taken) == [
        "cluster (feature) (feature)",
        "cluster (feature)",
    ]
    assert told_apart(["a=b", "a=b"], taken) == ["a=b", "a=b (feature)"]


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
def test_columns_called_as_those_of_the_result(make):
    names = ["cluster", "cluster (feature)", "size", "stands out", "exemplars"]
    numbers = np.random.default_rng(0).normal(size=(60, 5))
    X = make(dict(zip(names, numbers.T, strict=True)))
    table = cluster_profiles(kmeans(2).fit(X), X).to_frame()
    assert len(set(table.columns)) == len(table.columns) == 4 + 5 + 2
    assert list(table["cluster"]) == [0, 1]
    assert "cluster (feature)" in table.columns


def test_phrases():
    assert phrase("avg_spend", 0.6) == "high avg spend"
    assert phrase("spend", -1.4) == "very low spend"
    assert phrase("channel=web", 0.6, 0.7) == "mostly channel web"
    assert phrase("channel=web", 0.6, 0.3) == "more channel web"
    assert phrase("channel=web", -0.6, 0.1) == "less channel web"
    assert phrase("member", -0.6, 0.0) == "no member"


def test_names_grow_until_they_differ():
    nobody = np.zeros(4, bool)
    phrases = [["a", "b", "c"], ["a", "b", "d"], ["a", "e"], []]
    assert unique_names(phrases, nobody, 2) == ["a, b, c", "a, b, d", "a, e", "average"]
    assert unique_names([["a"], ["a"], [], []], nobody, 1) == [
        "a",
        "a (2)",
        "average",
        "average (2)",
    ]
