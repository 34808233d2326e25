"""Scorers: what they give, in searches and pipelines, and what they leave alone."""

import pickle
from functools import partial

import numpy as np
import pandas
import pytest
import sklearn.cluster
import sklearn.metrics
from numpy.testing import assert_allclose
from scipy import sparse
from sklearn.base import BaseEstimator, ClusterMixin, clone
from sklearn.cluster import AgglomerativeClustering, Birch, MeanShift
from sklearn.datasets import load_iris, make_blobs
from sklearn.decomposition import PCA
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import check_scoring
from sklearn.model_selection import (
    GridSearchCV,
    RandomizedSearchCV,
    ShuffleSplit,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sklearn_lloyd
from sklearn_lloyd import KMeans, MiniBatchKMeans, metrics
from sklearn_lloyd.metrics import (
    calinski_harabasz_score,
    calinski_harabasz_scorer,
    davies_bouldin_score,
    davies_bouldin_scorer,
    silhouette_score,
    silhouette_scorer,
    simplified_silhouette_score,
    simplified_silhouette_scorer,
    stability_scorer,
)
from sklearn_lloyd.metrics._scorers import prediction_strength_of
from sklearn_lloyd.model_selection import bic

WORST = {
    silhouette_scorer: -1.0,
    simplified_silhouette_scorer: -1.0,
    calinski_harabasz_scorer: 0.0,
    davies_bouldin_scorer: -1e100,
    stability_scorer: 0.0,
}
scorers = pytest.mark.parametrize("scorer", WORST, ids=lambda scorer: scorer.__name__)
CORNERS = [(0, 0), (0, 9), (9, 0), (9, 9)]
X, _ = make_blobs(400, centers=CORNERS, random_state=0)
SPLITS = ShuffleSplit(4, test_size=0.5, random_state=0)


class Fixed(ClusterMixin, BaseEstimator):
    """Predicts what it is told."""

    def __init__(self, labels=None):
        self.labels = labels

    def fit(self, X, y=None):
        self.n_fits_ = getattr(self, "n_fits_", 0) + 1
        return self

    def predict(self, X):
        return np.resize(self.labels, len(X))


@pytest.mark.parametrize(
    ("scorer", "theirs"),
    [
        (silhouette_scorer, sklearn.metrics.silhouette_score),
        (calinski_harabasz_scorer, sklearn.metrics.calinski_harabasz_score),
        (
            davies_bouldin_scorer,
            lambda X, labels: -sklearn.metrics.davies_bouldin_score(X, labels),
        ),
        (
            partial(silhouette_scorer, metric="sqeuclidean"),
            partial(sklearn.metrics.silhouette_score, metric="sqeuclidean"),
        ),
    ],
)
@pytest.mark.parametrize("wrap", [np.asarray, sparse.csr_matrix])
def test_scores_are_those_of_predicted_labels(scorer, theirs, wrap):
    model = KMeans(3, random_state=0).fit(X[:200])
    labels = model.predict(X[200:])
    assert_allclose(scorer(model, wrap(X[200:])), theirs(X[200:], labels), rtol=1e-10)


def test_simplified_silhouettes_of_predicted_labels():
    model = KMeans(3, random_state=0).fit(X[:200])
    expected = metrics.simplified_silhouette_score(X[200:], model.predict(X[200:]))
    assert simplified_silhouette_scorer(model, X[200:]) == expected


@scorers
@pytest.mark.parametrize("labels", [[0], [7], np.arange(400), ["one"]], ids=str)
def test_labels_that_cannot_be_judged(scorer, labels):
    score = scorer(Fixed(labels).fit(X), X)
    assert score == WORST[scorer]
    assert isinstance(score, float)


@scorers
def test_no_number_of_clusters_is_worse_than_one(scorer):
    scores = [scorer(KMeans(k, random_state=0).fit(X), X) for k in range(1, 9)]
    assert scores[0] == WORST[scorer]
    assert min(scores[1:]) > scores[0]
    assert np.isfinite(scores).all()


@scorers
def test_a_fold_of_one_cluster_does_not_stop_a_search(scorer):
    # Sorted rows: each fold has one corner, and sees one cluster of few.
    search = GridSearchCV(
        KMeans(random_state=0),
        {"n_clusters": [1, 2, 4]},
        scoring=scorer,
        cv=4,
        error_score="raise",
    )
    rows = np.repeat(CORNERS, 20, axis=0) + np.linspace(0, 0.1, 160).reshape(80, 2)
    results = search.fit(rows).cv_results_
    assert np.isfinite(results["mean_test_score"]).all()
    assert np.isfinite(results["std_test_score"]).all()


@scorers
@pytest.mark.parametrize(
    "model",
    [
        KMeans(4, random_state=0),
        MiniBatchKMeans(4, random_state=0),
        sklearn.cluster.KMeans(4, n_init=1, random_state=0),
        sklearn.cluster.BisectingKMeans(4, random_state=0),
        Birch(n_clusters=4),
        MeanShift(bin_seeding=True),
    ],
    ids=lambda model: type(model).__name__,
)
def test_any_clusterer_with_predict(scorer, model):
    scores = cross_val_score(model, X, scoring=scorer, cv=2, error_score="raise")
    assert scores.shape == (2,)
    assert (scores > WORST[scorer]).all()


@scorers
def test_a_pipeline_scores_what_its_clusterer_sees(scorer):
    rows = load_iris().data * [1, 10, 100, 1000]
    steps = [StandardScaler(), PCA(2), KMeans(3, random_state=0)]
    pipeline = make_pipeline(*steps).fit(rows[::2])
    seen = pipeline[:-1].transform(rows)
    expected = scorer(pipeline[-1], seen)
    assert scorer(pipeline, rows) == expected
    assert scorer(make_pipeline(*pipeline[:1], make_pipeline(*pipeline[1:])), rows) == expected
    assert scorer(make_pipeline(pipeline), rows) == expected
    assert scorer(FrozenEstimator(pipeline), rows) == expected
    search = GridSearchCV(pipeline, {"kmeans__n_clusters": [3]}, scoring=scorer).fit(rows[::2])
    assert_allclose(scorer(search, rows), scorer(search.best_estimator_, rows), rtol=0)


@scorers
def test_frames(scorer):
    frame = pandas.DataFrame(X, columns=["a", "b"])
    pipeline = make_pipeline(StandardScaler(), KMeans(4, random_state=0))
    pipeline.set_output(transform="pandas").fit(frame)
    plain = clone(pipeline).set_output(transform="default").fit(X)
    assert_allclose(scorer(pipeline, frame), scorer(plain, X))


@scorers
def test_the_estimator_is_left_as_it_is(scorer):
    model = KMeans(4, random_state=np.random.RandomState(0)).fit(X[:200])
    before = pickle.dumps(model)
    scorer(model, X[200:])
    assert pickle.dumps(model) == before
    fixed = Fixed([0, 0, 1]).fit(X)
    scorer(fixed, X)
    assert fixed.n_fits_ == 1


@scorers
def test_scorers_are_scorers_of_scikit_learn(scorer):
    assert pickle.loads(pickle.dumps(scorer)) is scorer
    assert check_scoring(KMeans(2), scoring=scorer) is scorer
    search = GridSearchCV(
        KMeans(random_state=0), {"n_clusters": [2, 4]}, scoring=scorer, cv=SPLITS
    )
    assert search.fit(X).best_params_["n_clusters"] in (2, 4)


def test_searches_find_the_corners():
    named = {scorer.__name__: scorer for scorer in WORST}
    search = GridSearchCV(
        make_pipeline(StandardScaler(), KMeans(n_init=5, random_state=0)),
        {"kmeans__n_clusters": range(1, 8)},
        scoring=named,
        cv=SPLITS,
        refit="silhouette_scorer",
    ).fit(X)
    assert search.best_params_ == {"kmeans__n_clusters": 4}
    for name in set(named) - {"stability_scorer"}:
        assert search.cv_results_[f"mean_test_{name}"].argmax() == 3
    stable = search.cv_results_["mean_test_stability_scorer"]
    assert np.flatnonzero(stable > 0.8).max() == 3
    drawn = RandomizedSearchCV(
        KMeans(n_init=5, random_state=0),
        {"n_clusters": range(2, 7)},
        n_iter=5,
        scoring=partial(silhouette_scorer, metric="sqeuclidean"),
        cv=SPLITS,
        random_state=0,
    )
    assert drawn.fit(X).best_params_ == {"n_clusters": 4}


def test_large_folds_are_sampled():
    model = KMeans(4, random_state=0).fit(X)
    exact = silhouette_scorer(model, X, sample_size=None)
    sampled = silhouette_scorer(model, X, sample_size=50)
    assert sampled == silhouette_scorer(model, X, sample_size=50) != exact
    assert_allclose(sampled, exact, atol=0.05)
    assert silhouette_scorer(model, X) == exact


def slow_strength(predicted, found):
    """Prediction strength, pair by pair."""
    shares = []
    for cluster in set(found):
        members = [p for p, f in zip(predicted, found, strict=True) if f == cluster]
        pairs = [a == b for i, a in enumerate(members) for b in members[:i]]
        shares.append(sum(pairs) / len(pairs) if pairs else 0.0)
    return min(shares)


def test_stability_is_prediction_strength():
    rng = np.random.default_rng(0)
    for _ in range(20):
        predicted, found = rng.integers(4, size=(2, 30))
        strength = prediction_strength_of(predicted, found)
        assert_allclose(strength, slow_strength(predicted.tolist(), found.tolist()))
    found[0] = 9  # alone: no pairs
    assert prediction_strength_of(predicted, found) == 0.0
    model = KMeans(3, random_state=0).fit(X[:200])
    found = KMeans(3, random_state=0).fit_predict(X[200:])
    expected = slow_strength(model.predict(X[200:]).tolist(), found.tolist())
    assert_allclose(stability_scorer(model, X[200:]), expected)


@scorers
def test_estimators_that_cannot_predict(scorer):
    with pytest.raises(TypeError, match="AgglomerativeClustering has no predict"):
        scorer(AgglomerativeClustering(2).fit(X), X)
    with pytest.raises(TypeError, match="str has no predict"):
        scorer(make_pipeline(StandardScaler(), "passthrough").fit(X), X)


@scorers
def test_estimators_that_are_not_fitted(scorer):
    with pytest.raises(sklearn.exceptions.NotFittedError):
        scorer(sklearn_lloyd.KMeans(2), X)


NO_SCORERS = {
    silhouette_score: "scoring=silhouette_scorer of sklearn_lloyd.metrics",
    simplified_silhouette_score: "scoring=simplified_silhouette_scorer of",
    calinski_harabasz_score: "scoring=calinski_harabasz_scorer of",
    davies_bouldin_score: "scoring=davies_bouldin_scorer of",
    bic: "NClustersSearch",
}


@pytest.mark.parametrize("metric", NO_SCORERS)
def test_a_metric_where_a_scorer_is_due_says_so(metric):
    X, y = load_iris(return_X_y=True)
    pattern = f"{metric.__name__} takes rows and their labels, but got (KMeans|Pipeline), an"
    for model in (KMeans(2).fit(X), make_pipeline(KMeans(2)).fit(X)):
        for given in ((model, X), (model, X, y)):
            with pytest.raises(TypeError, match=f"{pattern}.*{NO_SCORERS[metric]}"):
                metric(*given)
    with pytest.raises(TypeError, match=pattern):
        metric(X=model, labels=X)
    search = GridSearchCV(KMeans(random_state=0), {"n_clusters": [2, 3]}, scoring=metric, cv=2)
    with pytest.raises(TypeError, match=pattern):
        clone(search).set_params(error_score="raise").fit(X)
    # scikit-learn makes warnings of it, and has no score to choose by.
    with pytest.warns(UserWarning, match="score") as warned:
        search.fit(X)
    said = [str(each.message) for each in warned]
    assert sum(NO_SCORERS[metric] in message for message in said) == 4
    assert np.isnan(search.cv_results_["mean_test_score"]).all()
