"""The search for the number of clusters: what it chooses, its table, its way around estimators."""

import numpy as np
import pandas as pd
import pytest
import sklearn
import sklearn.cluster
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris, make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_score,
)
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_lloyd import KMeans, MiniBatchKMeans
from sklearn_lloyd.model_selection import NClustersSearch, _search
from sklearn_lloyd.model_selection._criteria import CRITERIA

ALL = tuple(CRITERIA)


@pytest.fixture(scope="module")
def four():
    return make_blobs(300, centers=4, cluster_std=0.8, random_state=42)[0]


def separated_blobs(rng):
    """Unit normal groups in up to 50 dimensions, all centres 8 or more apart."""
    k, d = rng.integers(2, 13), rng.integers(2, 51)
    side = 30.0 if d <= 3 else 8.0
    centers = []
    while len(centers) < k:
        center = rng.uniform(-side, side, size=d)
        if all(np.linalg.norm(center - other) >= 8.0 for other in centers):
            centers.append(center)
    labels = rng.integers(k, size=40 * k)
    return np.array(centers)[labels] + rng.normal(size=(labels.size, d)), k


# What is chosen.


def test_four_blobs_by_every_criterion(four):
    search = NClustersSearch(criteria=ALL, random_state=0).fit(four)
    assert search.votes_ == dict.fromkeys(CRITERIA, 4)
    assert search.n_clusters_ == 4
    assert search.structure_ == "clusters"
    assert search.confidence_ >= 0.95
    assert search.best_index_ == 3
    assert search.results_["silhouette"][3] == pytest.approx(0.8335, abs=5e-5)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_each_criterion_decides(four, criterion):
    search = NClustersSearch(criterion=criterion, n_refs=5, random_state=0).fit(four)
    assert search.n_clusters_ == 4
    assert search.best_estimator_.n_clusters == 4


@pytest.mark.parametrize("kind", ["uniform", "normal", "lognormal", "exponential"])
def test_no_structure_in_noise(kind):
    shapes = [(200, 2), (300, 10), (60, 80)]
    for seed, shape in enumerate(shapes):
        X = getattr(np.random.default_rng(seed), kind)(size=shape)
        search = NClustersSearch(random_state=seed).fit(X)
        assert search.n_clusters_ == 1
        assert search.structure_ == "none"


def test_right_about_separated_blobs():
    for seed in range(8):
        X, k = separated_blobs(np.random.default_rng(seed))
        search = NClustersSearch(n_clusters=range(1, 15), random_state=seed).fit(X)
        assert search.n_clusters_ == k


def test_categories_and_counts_make_no_groups():
    rng = np.random.default_rng(0)
    region = np.eye(4)[rng.integers(4, size=800)]
    for X in (
        np.c_[region, rng.normal(size=(800, 3))],
        np.c_[StandardScaler().fit_transform(region), rng.normal(size=(800, 3))],
        np.sqrt(rng.poisson(2.0, size=(800, 3))),
        (rng.uniform(size=(500, 8)) < 0.4).astype(float),
    ):
        assert NClustersSearch(random_state=0).fit(X).n_clusters_ == 1
    groups = rng.choice(3, 900, p=[0.5, 0.38, 0.12])
    numbers = 6.0 * groups[:, np.newaxis] + rng.normal(size=(900, 3))
    X = np.c_[StandardScaler().fit_transform(numbers), np.eye(4)[rng.integers(4, size=900)]]
    search = NClustersSearch(random_state=0).fit(X)
    assert search.n_clusters_ == 3
    assert adjusted_rand_score(search.labels_, groups) > 0.99


# How sure it is.


def overlapping(seed=0):
    """Three groups, two of which run into each other."""
    rng = np.random.default_rng(seed)
    centers = np.array([[0.0, 0.0], [3.2, 0.0], [0.0, 9.0]])
    return centers[rng.integers(3, size=400)] + rng.normal(size=(400, 2))


def test_a_doubtful_answer_says_so_and_names_the_others():
    search = NClustersSearch(random_state=0).fit(overlapping())
    assert search.confidence_ < 0.95
    numbers = [each["n_clusters"] for each in search.candidates_]
    assert numbers[0] == search.n_clusters_
    assert {2, 3} <= set(numbers)
    assert len(numbers) <= 3
    assert search.candidates_[0]["objections"]
    said = repr(search.summary())
    assert "not sure" in said
    assert "The evidence is split" in said
    for each in search.candidates_:
        assert sum(each["shares"]) == pytest.approx(1.0)
        model = search.candidate_estimators_[each["n_clusters"]]
        assert np.bincount(model.labels_).max() / 400 == pytest.approx(max(each["shares"]))


def test_summary(four):
    search = NClustersSearch(random_state=0).fit(four)
    summary = search.summary()
    assert summary.headline.startswith("4 clusters; the number is sure")
    assert not summary.advice
    assert "<table" in summary._repr_html_()
    assert "the number is sure" in summary._repr_html_()
    assert search.candidate_estimators_[4] is search.best_estimator_
    with pytest.raises(NotFittedError):
        NClustersSearch().summary()
    alone = NClustersSearch(refit=False, random_state=0).fit(four)
    assert not hasattr(alone, "candidate_estimators_")
    assert alone.candidates_ == search.candidates_


def test_another_criterion_has_no_confidence(four):
    search = NClustersSearch(criterion="silhouette", criteria=(), random_state=0).fit(four)
    assert np.isnan(search.confidence_)
    assert search.structure_ == "not tested"
    assert "is not known" in search.summary().headline
    both = NClustersSearch(criterion="silhouette", random_state=0).fit(four)
    assert both.confidence_ >= 0.95  # the separation chooses the same


def test_where_no_number_is_without_objection():
    X = np.random.default_rng(0).normal(size=(300, 2))
    search = NClustersSearch(n_clusters=range(2, 7), random_state=0).fit(X)
    assert search.structure_ == "unclear"
    assert search.confidence_ < 0.5
    assert search.n_clusters_ == search.votes_["calinski_harabasz"]
    assert "with every number that was tried" in repr(search.summary())


@pytest.mark.parametrize("weight", [2, 5, 25])
def test_rows_of_a_small_cluster_count_by_their_weights(weight):
    rng = np.random.default_rng(0)
    few = [[30.0, 0.0], [30.0, 1.0], [31.0, 0.0]]
    groups = rng.normal(size=(200, 2)) + np.repeat([[0.0, 0.0], [0.0, 9.0]], 100, axis=0)
    X = np.vstack([groups, few])
    weights = np.r_[np.ones(200), np.full(3, weight)]
    a = NClustersSearch(n_clusters=range(1, 6), random_state=0).fit(X, sample_weight=weights)
    repeated = np.repeat(X, weights.astype(int), axis=0)
    b = NClustersSearch(n_clusters=range(1, 6), random_state=0).fit(repeated)
    assert (a.n_clusters_, a.confidence_) == (b.n_clusters_, b.confidence_)
    assert [each["objections"] for each in a.candidates_] == [
        each["objections"] for each in b.candidates_
    ]


def test_more_groups_than_numbers_are_no_sure_answer():
    # Taken together by twos and threes, groups on a grid hide each other.
    rng = np.random.default_rng(0)
    centers = 6.0 * np.stack(np.meshgrid(range(5), range(5)), axis=-1).reshape(-1, 2)
    X = centers[rng.integers(25, size=1500)] + rng.normal(size=(1500, 2))
    search = NClustersSearch(random_state=0).fit(X)
    assert search.confidence_ < 0.95
    assert search.structure_ == "clusters"
    assert "with 30 clusters there are 2" in repr(search.summary())
    assert NClustersSearch(n_clusters=range(1, 31), random_state=0).fit(X).n_clusters_ == 25


def test_one_number_is_no_choice(four):
    search = NClustersSearch(n_clusters=4, random_state=0).fit(four)
    assert search.n_clusters_ == 4
    assert "largest number that was tried" in repr(search.summary())


def test_the_answer_at_the_end_of_the_range_is_doubted(four):
    search = NClustersSearch(n_clusters=range(1, 4), random_state=0).fit(four)
    assert search.n_clusters_ == 3
    assert search.confidence_ < 0.95


# The table.


def test_table_equals_sklearn(four):
    search = NClustersSearch(random_state=0).fit(four)
    table = pd.DataFrame(search.results_)
    assert list(table["n_clusters"]) == list(range(1, 11))
    assert list(table.columns) == [
        *("n_clusters", "inertia", "separation", "silhouette", "silhouette_std_error"),
        *("calinski_harabasz", "davies_bouldin", "bic"),
    ]
    for k in (2, 4, 7):
        alone = NClustersSearch(n_clusters=range(1, k + 1), random_state=0)
        labels = alone.set_params(n_clusters=k).fit(four).labels_
        row = pd.DataFrame(alone.results_).iloc[0]
        assert row["silhouette"] == pytest.approx(silhouette_score(four, labels), abs=1e-10)
        assert row["calinski_harabasz"] == pytest.approx(calinski_harabasz_score(four, labels))
        assert row["davies_bouldin"] == pytest.approx(davies_bouldin_score(four, labels))
    undefined = ["silhouette", "calinski_harabasz", "davies_bouldin"]
    assert table.loc[0, undefined].isna().all()
    assert table.loc[1:].notna().all(axis=None)


def test_only_what_is_asked_for_is_computed(four):
    search = NClustersSearch(criterion="elbow", criteria=(), random_state=0).fit(four)
    assert list(search.results_) == ["n_clusters", "inertia"]
    assert list(search.votes_) == ["elbow"]
    assert search.structure_ == "not tested"
    more = NClustersSearch(criteria={"gap"}, random_state=0).fit(four)
    assert list(more.votes_) == ["separation", "gap"]
    # What one criterion draws does not depend on the others.
    all_of_them = NClustersSearch(criteria=ALL, random_state=0).fit(four)
    for name, column in more.results_.items():
        assert_array_equal(all_of_them.results_[name], column)


def test_silhouettes_of_a_sample():
    X = make_blobs(3000, 4, centers=5, cluster_std=3.0, random_state=0)[0]
    exact = NClustersSearch(n_clusters=[2, 4, 6], sample_size=None, random_state=0).fit(X)
    search = NClustersSearch(n_clusters=[2, 4, 6], sample_size=600, random_state=0).fit(X)
    error = search.results_["silhouette_std_error"]
    assert (exact.results_["silhouette_std_error"] == 0).all()
    assert ((error > 0) & (error < 0.01)).all()
    difference = search.results_["silhouette"] - exact.results_["silhouette"]
    assert (np.abs(difference) < 4 * error).all()


def test_gap_and_stability_of_a_sample():
    X = make_blobs(3000, 3, centers=4, cluster_std=0.8, random_state=1)[0]
    search = NClustersSearch(
        n_clusters=range(1, 7), criteria=ALL, n_refs=5, sample_size=500, random_state=0
    ).fit(X)
    assert (search.votes_["gap"], search.votes_["stability"]) == (4, 4)


def test_jobs_threads_and_order_do_not_matter(four):
    options = {"n_clusters": range(1, 6), "criteria": ALL, "n_refs": 4, "random_state": 1}
    a = NClustersSearch(**options).fit(four)
    b = NClustersSearch(KMeans(n_threads=2), n_jobs=2, **options).fit(four)
    order = np.random.RandomState(0).permutation(len(four))
    c = NClustersSearch(**options).fit(four[order])
    for name, column in a.results_.items():
        assert_array_equal(b.results_[name], column)
        np.testing.assert_allclose(c.results_[name], column, rtol=1e-9, err_msg=name)
    assert_array_equal(a.labels_, b.labels_)
    assert_array_equal(a.labels_[order], c.labels_)


def test_weights_are_as_good_as_repeats(four):
    weights = np.random.RandomState(0).randint(0, 4, len(four))
    a = NClustersSearch(random_state=0).fit(four, sample_weight=weights)
    b = NClustersSearch(random_state=0).fit(np.repeat(four, weights, axis=0))
    for name, column in a.results_.items():
        np.testing.assert_allclose(b.results_[name], column, rtol=1e-8, err_msg=name)
    assert_array_equal(a.predict(four), b.predict(four))


def test_weights_count_in_gap_and_stability(four):
    X = np.concatenate([four, np.random.RandomState(0).uniform(-20, 20, (300, 2))])
    weights = np.repeat([1.0, 0.0], 300)
    search = NClustersSearch(criteria=["gap", "stability"], n_refs=5, random_state=0)
    votes = search.fit(X, sample_weight=weights).votes_
    assert votes == {"separation": 4, "gap": 4, "stability": 4}


# The best estimator.


def test_best_estimator_is_a_fitted_kmeans(four):
    estimator = KMeans(random_state=3, n_threads=1)
    frame = pd.DataFrame(four, columns=["height", "width"])
    search = NClustersSearch(estimator, n_init=2).fit(frame)
    best = search.best_estimator_
    assert type(best) is KMeans
    assert best is not estimator
    assert best.get_params() == {**estimator.get_params(), "n_clusters": 4, "n_init": 2}
    assert not hasattr(estimator, "labels_")
    assert list(best.feature_names_in_) == list(search.feature_names_in_) == ["height", "width"]
    assert best.n_features_in_ == search.n_features_in_ == 2
    assert set(vars(best)) == set(vars(clone(best).fit(frame)))
    assert best.start_inertias_.shape == (2,)
    assert best.inertia_ == search.results_["inertia"][search.best_index_]
    for method in ("predict", "transform", "score"):
        assert_array_equal(getattr(search, method)(frame), getattr(best, method)(frame))
    assert_array_equal(search.predict(frame), search.labels_)
    assert list(search.get_feature_names_out()) == [f"kmeans{i}" for i in range(4)]
    doubled = search.score(frame, sample_weight=np.full(300, 2.0))
    assert doubled == pytest.approx(2 * search.score(frame))
    out = NClustersSearch(KMeans(4), n_clusters=4).set_output(transform="pandas").fit(frame)
    assert list(out.transform(frame).columns) == [f"kmeans{i}" for i in range(4)]


def test_random_state_of_the_estimator_or_of_the_search(four):
    noise = np.random.RandomState(0).uniform(size=(200, 5))

    def inertias(own, of_search):
        search = NClustersSearch(KMeans(random_state=own), random_state=of_search)
        return search.fit(noise).results_["inertia"]

    assert_array_equal(inertias(1, 5), inertias(1, 6))
    assert_array_equal(inertias(None, 5), inertias(None, 5))
    assert (inertias(None, 5) != inertias(None, 6)).any()


def test_refit_is_optional(four):
    search = NClustersSearch(refit=False, random_state=0).fit(four)
    assert search.n_clusters_ == 4
    assert search.labels_.shape == (300,)
    assert not hasattr(search, "best_estimator_")
    with pytest.raises(AttributeError, match="refit=False"):
        search.predict(four)
    search.set_params(refit=True).fit(four).set_params(refit=False).fit(four)
    assert not hasattr(search, "best_estimator_")


def test_not_fitted(four):
    with pytest.raises(NotFittedError):
        NClustersSearch().predict(four)


@pytest.mark.parametrize(
    "estimator",
    [
        sklearn.cluster.KMeans(n_init=2),
        sklearn.cluster.AgglomerativeClustering(),
        sklearn.cluster.Birch(),
        MiniBatchKMeans(),
        sklearn.cluster.MiniBatchKMeans(compute_labels=False),
        KMeans(init="random"),
        KMeans(init=lambda X, k, random_state: X[:k]),
    ],
    ids=["sklearn", "agglomerative", "birch", "mini-batch", "no labels", "random", "callable"],
)
def test_other_clusterers(four, estimator):
    search = NClustersSearch(
        estimator, n_clusters=range(1, 6), criteria=ALL, n_refs=2, random_state=0
    ).fit(four)
    assert search.n_clusters_ == 4
    assert type(search.best_estimator_) is type(estimator)
    if estimator.get_params().get("compute_labels", True):
        assert_array_equal(search.labels_, search.best_estimator_.labels_)
    assert hasattr(search, "predict") == hasattr(estimator, "predict")
    assert hasattr(search, "transform") == hasattr(estimator, "transform")
    within = search.results_["inertia"]
    assert (np.diff(within[:4]) < 0).all()
    again = clone(search).fit(four)
    assert_array_equal(search.labels_, again.labels_)


def test_float32_and_sparse_rows(four):
    narrow = NClustersSearch(random_state=0).fit(four.astype(np.float32))
    assert narrow.best_estimator_.cluster_centers_.dtype == np.float32
    rows = NClustersSearch(random_state=0).fit(sparse.csr_array(four))
    assert narrow.n_clusters_ == rows.n_clusters_ == 4
    with pytest.raises(ValueError, match="TruncatedSVD"):
        NClustersSearch(criterion="gap").fit(sparse.csr_array(four))


def test_the_gap_of_sparse_rows_is_refused_before_any_work(four, monkeypatch):
    rows = sparse.csr_array(four)
    monkeypatch.setattr(_search, "fit_numbers", None)
    for params in ({"criterion": "gap"}, {"criteria": ["bic", "gap"]}):
        with pytest.raises(ValueError, match=r"'gap' needs dense X.*TruncatedSVD"):
            NClustersSearch(**params).fit(rows)


# Pipelines.


def test_inside_a_pipeline(four):
    pipeline = make_pipeline(StandardScaler(), NClustersSearch(random_state=0)).fit(four)
    assert pipeline[-1].n_clusters_ == 4
    assert pipeline.transform(four).shape == (300, 4)
    assert_array_equal(pipeline.predict(four), pipeline[-1].labels_)


def test_on_a_pipeline():
    X = pd.DataFrame(load_iris().data * [1, 1, 1, 100], columns=list("abcd"))
    n_fits = []

    def count(X):
        n_fits.append(len(X))
        return X

    steps = [("count", FunctionTransformer(count)), ("scale", StandardScaler())]
    pipeline = Pipeline([*steps, ("cluster", KMeans(random_state=0))])
    search = NClustersSearch(pipeline, n_clusters=range(2, 6)).fit(X)
    assert len(n_fits) == 1
    best = search.best_estimator_
    assert list(best.named_steps) == ["count", "scale", "cluster"]
    assert best["cluster"].n_clusters == search.n_clusters_
    assert_array_equal(search.predict(X), search.labels_)
    scaled = StandardScaler().fit_transform(X)
    assert search.results_["silhouette"][search.best_index_] == pytest.approx(
        silhouette_score(scaled, search.labels_), abs=1e-10
    )
    assert list(search.feature_names_in_) == list("abcd")
    assert not hasattr(pipeline["scale"], "mean_")
    alone = NClustersSearch(Pipeline([("cluster", KMeans(random_state=0))])).fit(scaled)
    assert isinstance(alone.best_estimator_, Pipeline)


def test_metadata_routing(four):
    weights = np.linspace(0, 1, len(four))
    with sklearn.config_context(enable_metadata_routing=True):
        inner = NClustersSearch(random_state=0).set_fit_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), inner)
        pipeline.fit(four, sample_weight=weights)
    direct = NClustersSearch(random_state=0).fit(
        StandardScaler().fit_transform(four), sample_weight=weights
    )
    assert_array_equal(pipeline[-1].results_["inertia"], direct.results_["inertia"])


# Bad input.


@pytest.mark.parametrize(
    ("n_clusters", "message"),
    [
        ((), "n_clusters is empty"),
        (range(3, 3), "n_clusters is empty"),
        ((2, 2.5), "whole numbers from 1 on.*got 2.5"),
        ((0, 1), "whole numbers from 1 on.*got 0"),
        ((True, 2), "whole numbers"),
        (("2", "3"), "whole numbers"),
        (-1, "whole numbers"),
        ("many", "'n_clusters' parameter"),
        (None, "'n_clusters' parameter"),
    ],
)
def test_numbers_that_are_none(four, n_clusters, message):
    with pytest.raises(ValueError, match=message):
        NClustersSearch(n_clusters=n_clusters).fit(four)


def test_numbers_in_any_order(four):
    search = NClustersSearch(n_clusters=np.array([5, 2, 4, 2]), random_state=0).fit(four)
    assert_array_equal(search.results_["n_clusters"], [2, 4, 5])
    assert NClustersSearch(n_clusters=3, random_state=0).fit(four).n_clusters_ == 3


def test_more_clusters_than_rows():
    X = np.array([[0.0], [1.0], [9.0], [10.0]])
    with pytest.warns(UserWarning, match="n_clusters=5, 6 left out: X has 4 distinct rows"):
        search = NClustersSearch(n_clusters=range(1, 7), random_state=0).fit(X)
    assert_array_equal(search.results_["n_clusters"], [1, 2, 3, 4])
    assert search.n_clusters_ == 1
    assert "too few rows" in repr(search.summary())
    assert np.isnan(search.results_["silhouette"][[0, 3]]).all()
    with pytest.raises(ValueError, match="n_clusters starts at 5, but X has 4 distinct rows"):
        NClustersSearch(n_clusters=[5, 6]).fit(X)


@pytest.mark.parametrize("criterion", CRITERIA)
def test_fewer_distinct_rows_than_clusters(criterion):
    X = np.repeat([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]], 20, axis=0)
    search = NClustersSearch(criterion=criterion, n_refs=3, random_state=0)
    with pytest.warns(UserWarning, match="left out: X has 3 distinct rows|has no answer"):
        search.fit(X)
    assert search.results_["inertia"][-1] == 0.0
    # A feature that is 0 or 9 is a category to the separation.
    assert search.n_clusters_ == (1 if criterion in ("elbow", "separation") else 3)


@pytest.mark.parametrize(
    ("weights", "n_clusters"), [(None, range(13, 16)), (np.r_[np.ones(6), np.zeros(19)], [4, 5])]
)
def test_more_clusters_than_half_of_the_rows(weights, n_clusters):
    X = np.random.default_rng(0).normal(size=(25, 3))
    params = {"n_clusters": n_clusters, "n_refs": 3, "random_state": 0}
    with pytest.warns(UserWarning, match="criterion='stability' has no answer"):
        NClustersSearch(criterion="stability", **params).fit(X, sample_weight=weights)
    params |= {"criterion": "silhouette", "criteria": ["stability"]}
    search = NClustersSearch(**params).fit(X, sample_weight=weights)
    assert search.votes_["stability"] is None
    assert np.isnan(search.results_["stability"]).all()
    assert np.isfinite(search.results_["silhouette"]).all()


def test_no_answer_is_a_warning():
    noise = np.random.RandomState(0).uniform(size=(200, 5))
    with pytest.warns(UserWarning, match="criterion='elbow' has no answer for n_clusters from 1"):
        search = NClustersSearch(criterion="elbow", random_state=0).fit(noise)
    assert search.n_clusters_ == 1
    assert search.votes_["elbow"] is None
    # With one number there is nothing to choose, and nothing to warn of.
    assert NClustersSearch(n_clusters=1, random_state=0).fit(noise).n_clusters_ == 1


@pytest.mark.parametrize(
    "estimator",
    [sklearn.cluster.DBSCAN(), make_pipeline(StandardScaler()), StandardScaler()],
    ids=["no n_clusters", "no clusterer at the end", "no clusterer"],
)
def test_estimators_without_n_clusters(four, estimator):
    with pytest.raises(TypeError, match="has no parameter n_clusters to search"):
        NClustersSearch(estimator).fit(four)


def test_weights_that_the_estimator_does_not_take(four):
    search = NClustersSearch(sklearn.cluster.AgglomerativeClustering())
    with pytest.raises(TypeError, match=r"AgglomerativeClustering\.fit does not take it"):
        search.fit(four, sample_weight=np.ones(len(four)))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("criterion", "eye"),
        ("criterion", None),
        ("estimator", "kmeans"),
        ("n_init", 0),
        ("n_refs", 1),
        ("sample_size", 1),
        ("n_jobs", 1.5),
        ("refit", "yes"),
        ("random_state", "seed"),
    ],
)
def test_parameters_out_of_range(four, name, value):
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of NClustersSearch"):
        NClustersSearch(**{name: value}).fit(four)


def test_unknown_criteria(four):
    with pytest.raises(ValueError, match=r"criteria should hold names out of.*got 'eye'"):
        NClustersSearch(criteria=("gap", "eye")).fit(four)
    with pytest.raises(InvalidParameterError, match="'max_iter' parameter of KMeans"):
        NClustersSearch(KMeans(max_iter=0)).fit(four)


def test_failure_leaves_the_search_as_it_was(four):
    search = NClustersSearch(random_state=0).fit(four)
    before = vars(search).copy()
    with pytest.raises(ValueError, match="contains NaN"):
        search.fit(np.where(four > 3, np.nan, four)[:, :1])
    assert vars(search) == before

    def interrupt(X, n_clusters, random_state):
        raise KeyboardInterrupt

    search.set_params(estimator=KMeans(init=interrupt))
    with pytest.raises(KeyboardInterrupt):
        search.fit(four[:, :1])
    assert search.labels_ is before["labels_"]
    assert search.n_features_in_ == 2


def test_verbose_tells_what_is_done(four, capsys):
    NClustersSearch(criteria=("bic",), random_state=0, verbose=1).fit(four)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "[NClustersSearch] 10 clusterings",
        "[NClustersSearch] separation",
        "[NClustersSearch] bic",
    ]


def test_nothing_is_said_of_groups_if_1_alone_is_tried():
    X = np.repeat([0.0, 9.0], 50)[:, np.newaxis] + np.random.RandomState(0).normal(size=(100, 1))
    search = NClustersSearch(n_clusters=[1], random_state=0).fit(X)
    assert search.structure_ == "not tested"
    assert "any other number" not in repr(search.summary())
    assert search.candidates_[0]["objections"][-1] == "2 clusters were not tried"
