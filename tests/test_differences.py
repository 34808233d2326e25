"""Differences between clusters that may be claimed."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse, stats
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import KMeans as TheirKMeans
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from sklearn_lloyd import KMeans
from sklearn_lloyd.inspection import cluster_differences
from sklearn_lloyd.inspection._unstructured import Unstructured, one_mode
from sklearn_lloyd.model_selection import NClustersSearch

NOISE = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "uniform": lambda rng, shape: rng.uniform(size=shape),
    "log-normal": lambda rng, shape: np.exp(rng.normal(size=shape)),
    "correlated": lambda rng, shape: rng.normal(size=shape) @ rng.normal(size=shape[1:] * 2),
}


@pytest.mark.parametrize("kind", NOISE)
def test_noise_is_not_called_different(kind):
    rng = np.random.default_rng(0)
    called = []
    for seed in range(3):
        X = NOISE[kind](rng, (100, 4))
        model = make_pipeline(StandardScaler(), KMeans(3, random_state=seed)).fit(X)
        found = cluster_differences(model, X, n_refs=19)
        labels = model.predict(X)
        naive = [stats.f_oneway(*(x[labels == i] for i in range(3))).pvalue for x in X.T]
        assert min(naive) < 1e-9  # which an analysis of variance calls different
        assert found.clustered_on.all()
        called += found.is_different.tolist()
    assert np.mean(called) <= 0.05


def retail(n=400):
    rng = np.random.default_rng(0)
    kind = rng.choice(3, n, p=[0.5, 0.38, 0.12])
    frame = pd.DataFrame(
        {
            "income": np.exp(rng.normal(10.0, 0.25, n) + 0.8 * kind),
            "visits": rng.poisson(np.array([2, 10, 25])[kind]),
            "age": rng.normal(np.array([30, 45, 60])[kind], 6.0),
            "noise": rng.normal(size=n),
            "member": np.where(rng.random(n) < 0.2 + 0.3 * kind, "yes", "no"),
            "weekday": rng.choice(list("MTWTFSS"), n),
            "id": [f"c{i}" for i in range(n)],
        }
    )
    frame.loc[::50, "age"] = np.nan
    return frame


def retail_model(clusterer):
    log = make_pipeline(FunctionTransformer(np.log1p), StandardScaler())
    ages = make_pipeline(SimpleImputer(), StandardScaler())
    columns = make_column_transformer((log, ["income", "visits"]), (ages, ["age"]))
    return make_pipeline(columns, clusterer)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.from_pandas])
def test_planted_groups_are_found(make):
    X = make(retail())
    model = retail_model(KMeans(3, random_state=0)).fit(X)
    found = cluster_differences(model, X, n_refs=19)
    assert found.columns.tolist() == ["income", "visits", "age", "noise", "member", "weekday"]
    assert found.clustered_on.tolist() == [True, True, True, False, False, False]
    assert found.is_different.tolist() == [True, True, True, False, True, False]
    assert found.measures.tolist()[2:5] == ["eta squared", "eta squared of ranks", "Cramer's V"]
    assert (found.effects[:3] > found.expected[:3]).all()
    assert np.isnan(found.expected[3:]).all()
    assert len(found.to_frame()) == 6
    text = repr(found)
    assert text.startswith("4 of 6 columns differ\n  clustered on:\n")
    assert "without groups), adjusted p 0.05: groups: differs more than clusters" in text
    assert "    noise: eta squared of ranks 0.0" in text
    again = cluster_differences(model, X, n_refs=19)
    np.testing.assert_array_equal(found.p_values, again.p_values)


def test_tests_of_columns_that_are_not_seen():
    X = retail()
    model = retail_model(KMeans(3, random_state=0)).fit(X)
    labels = model.predict(X)
    found = cluster_differences(model, X, n_refs=19, columns=["weekday", "noise"])
    kruskal = stats.kruskal(*(X["noise"][labels == i] for i in range(3)))
    chi2 = stats.chi2_contingency(pd.crosstab(X["weekday"], labels), correction=False)
    np.testing.assert_allclose(found.p_values, [chi2.pvalue, kruskal.pvalue])
    adjusted = stats.false_discovery_control(found.p_values)
    np.testing.assert_allclose(found.adjusted, adjusted)


@pytest.mark.parametrize("kind", ["theirs", "search", "pca", "centers"])
def test_other_estimators(kind):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2)) + 12.0 * rng.integers(0, 2, (300, 1))
    model = {
        "theirs": TheirKMeans(2, random_state=0),
        "search": NClustersSearch(KMeans(random_state=0), n_clusters=[2], criterion="silhouette"),
        "pca": make_pipeline(PCA(), KMeans(2, random_state=0)),
        "centers": KMeans.from_centers([[0.0, 0.0], [12.0, 12.0]]),
    }[kind]
    model = model if kind == "centers" else model.fit(X)
    found = cluster_differences(model, X, n_refs=19)
    assert found.is_different.all()
    assert set(found.to_frame()) >= {"columns", "adjusted", "claims"}


@pytest.mark.parametrize("called", [[-7, 3], ["left", "right"]])
def test_other_labels(called):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2)) + 12.0 * rng.integers(0, 2, (300, 1))
    expected = cluster_differences(KMeans(2, random_state=0).fit(X), X, n_refs=19)

    class Called(ClusterMixin, BaseEstimator):
        def __init__(self, n_clusters=2):
            self.n_clusters = n_clusters

        def fit(self, X, y=None):
            self.model_ = KMeans(self.n_clusters, random_state=0).fit(X)
            return self

        def predict(self, X):
            return np.array(called)[self.model_.predict(X)]

    found = cluster_differences(Called().fit(X), X, n_refs=19)
    np.testing.assert_array_equal(found.is_different, expected.is_different)


def test_a_table_of_arrow():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(90, 2)), columns=["a", "b"])
    model = KMeans(2, random_state=0).fit(frame)
    expected = cluster_differences(model, frame, n_refs=19)
    found = cluster_differences(model, pa.Table.from_pandas(frame), n_refs=19)
    np.testing.assert_array_equal(found.effects, expected.effects)


def test_clusters_that_are_one_category_are_no_groups():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"town": rng.choice(list("abcd"), 400), "x": rng.normal(size=400)})
    columns = make_column_transformer((OneHotEncoder(), ["town"]), remainder="passthrough")
    model = make_pipeline(columns, FunctionTransformer(lambda rows: rows * [9, 9, 9, 9, 1]))
    model = make_pipeline(model, KMeans(4, random_state=0)).fit(X)
    found = cluster_differences(model, X, n_refs=19)
    assert found.effects[0] == pytest.approx(1.0)
    assert not found.is_different.any()


def test_references_are_like_the_table():
    rng = np.random.default_rng(0)
    x = rng.normal(size=2000)
    two = np.r_[rng.normal(size=1000), rng.normal(size=1000) + 9.0]
    columns = [np.exp(x), x + rng.normal(size=2000), two, rng.poisson(9.0, 2000).astype(float)]
    columns += [rng.integers(0, 3, 2000), np.where(np.arange(2000) % 4, x, np.nan)]
    drawn = Unstructured(columns).draw(rng)
    for given, own in zip(columns, drawn, strict=True):
        assert own.dtype.kind == given.dtype.kind
        assert np.nanmean(own) == pytest.approx(np.nanmean(given), abs=0.15 * np.nanstd(given))
        assert np.nanstd(own) == pytest.approx(np.nanstd(given), rel=0.15)
        assert np.nanmin(own) >= np.nanmin(given)
    assert np.isnan(drawn[5]).tolist() == np.isnan(columns[5]).tolist()
    assert set(drawn[3]) <= set(columns[3])
    ranks = [stats.spearmanr(*pair[:2]).statistic for pair in (columns, drawn)]
    assert ranks[0] == pytest.approx(ranks[1], abs=0.06)
    # Nobody is between the two groups of X, but between one mode and the next value somebody is.
    between = [np.mean((own > 3.0) & (own < 6.0)) for own in (two, drawn[2])]
    assert between[0] < 0.01 < 0.1 < between[1]


def test_one_mode_of_few_values():
    for values in ([], [4.0], [4.0, 4.0, 7.0]):
        levels, points = one_mode(np.array(values))
        assert levels[0] == 0.0
        assert levels[-1] == 1.0
        assert set(points) == (set(values) or {0.0})


def test_the_result_does_not_change_its_input():
    X = retail(200)
    before = X.copy()
    model = retail_model(KMeans(3, random_state=0)).fit(X)
    centers = model[-1].cluster_centers_.copy()
    cluster_differences(model, X, n_refs=19)
    pd.testing.assert_frame_equal(X, before)
    np.testing.assert_array_equal(model[-1].cluster_centers_, centers)


def test_columns_that_do_not_vary():
    X = np.column_stack([np.r_[np.zeros(30), np.full(30, 9.0)], np.full(60, 2.0)])
    found = cluster_differences(KMeans(2, random_state=0).fit(X), X, n_refs=19)
    assert found.clustered_on.tolist() == [True, False]
    assert found.adjusted[1] == 1.0


def test_bad_input():
    X = np.random.default_rng(0).normal(size=(60, 2))
    model = KMeans(2, random_state=0).fit(X)
    texts = ["red apple", "green apple", "fast car", "slow car"]
    of_texts = make_pipeline(TfidfVectorizer(), KMeans(2, random_state=0)).fit(texts)
    for estimator, rows, options, error, message in [
        (KMeans(2), X, {}, NotFittedError, "not fitted"),
        (model, sparse.csr_array(X), {}, ValueError, "dense X"),
        (KMeans(1).fit(X), X, {}, ValueError, "in one cluster"),
        (model, X, {"n_refs": 5}, ValueError, "n_refs"),
        (model, X, {"alpha": 1.0}, ValueError, "alpha"),
        (model, X, {"columns": ["y"]}, ValueError, "no column of X"),
        (model, X[:, :1], {}, ValueError, "features"),
        (of_texts, texts, {}, ValueError, "takes a table .* X holds texts"),
    ]:
        with pytest.raises(error, match=message):
            cluster_differences(estimator, rows, **options)
