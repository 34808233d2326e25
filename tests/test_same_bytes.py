"""What is the same model is the same bytes: in joblib's hash, in a pickle, and after one."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from sklearn_lloyd import KMeans, MiniBatchKMeans
from sklearn_lloyd.inspection import (
    CentroidDisplay,
    ClusterDisplay,
    ConvergenceDisplay,
    LloydStepsDisplay,
    NClustersDisplay,
    ProfileDisplay,
    SilhouetteDisplay,
    cluster_profiles,
    diagnose,
)
from sklearn_lloyd.metrics import silhouette_scorer, stability_scorer
from sklearn_lloyd.model_selection import NClustersSearch, gap_statistic, prediction_strength
from sklearn_lloyd.preprocessing import CentroidFeatures, ClusterScaler

FRAME = pd.DataFrame(np.random.default_rng(0).normal(size=(120, 3)), columns=["a", "b", "c"])
X = FRAME.to_numpy()
Y = np.repeat([0, 1], 60)
PARTS = np.split(X, 3)
TEXTS = [f"text {i % 7} of {i % 5}" for i in range(120)]


def model():
    return KMeans(3, random_state=0).fit(FRAME)


def stream():
    minibatch = MiniBatchKMeans(3, random_state=0)
    for part in PARTS:
        minibatch.partial_fit(part)
    return minibatch


def search():
    return NClustersSearch(n_clusters=[1, 2, 3, 4], random_state=0).fit(X)


SAME = {
    "KMeans": model,
    "KMeans, starts": lambda: KMeans(3, init="random", random_state=0).fit(X.astype(np.float32)),
    "KMeans, sparse": lambda: KMeans(3, random_state=0).fit(sparse.csr_array(X)),
    "KMeans, batches": lambda: KMeans(3, random_state=0).fit_batches(PARTS),
    "KMeans, generator": lambda: KMeans(3, random_state=np.random.RandomState(0)).fit(X),
    "MiniBatchKMeans": lambda: MiniBatchKMeans(3, random_state=0).fit(FRAME),
    "MiniBatchKMeans, stream": stream,
    "MiniBatchKMeans, batches": lambda: MiniBatchKMeans(3, random_state=0).fit_batches(PARTS),
    "CentroidFeatures": lambda: CentroidFeatures(n_clusters=3, random_state=0).fit(FRAME),
    "CentroidFeatures, y": lambda: CentroidFeatures(n_clusters=3, random_state=0).fit(X, Y),
    "ClusterScaler": lambda: ClusterScaler("whiten").fit(FRAME),
    "ClusterScaler, robust": lambda: ClusterScaler("robust").fit(X),
    "NClustersSearch": search,
    "gap_statistic": lambda: gap_statistic(X, [1, 2, 3], random_state=0),
    "prediction_strength": lambda: prediction_strength(X, [1, 2, 3], random_state=0),
    "scores": lambda: (silhouette_scorer(model(), FRAME), stability_scorer(model(), FRAME)),
    "scorer": lambda: silhouette_scorer,
    "ClusterProfiles": lambda: cluster_profiles(model(), FRAME),
    "ClusterProfiles, texts": lambda: cluster_profiles(model(), FRAME, texts=TEXTS),
    "Diagnosis": lambda: diagnose(model(), FRAME),
}
DISPLAYS = {
    "CentroidDisplay": lambda: CentroidDisplay.from_estimator(model(), FRAME),
    "ClusterDisplay": lambda: ClusterDisplay.from_estimator(model(), FRAME),
    "ConvergenceDisplay": lambda: ConvergenceDisplay.from_estimator(model()),
    "LloydStepsDisplay": lambda: LloydStepsDisplay.from_estimator(KMeans(3, random_state=0), X),
    "NClustersDisplay": lambda: NClustersDisplay.from_estimator(search()),
    "ProfileDisplay": lambda: ProfileDisplay.from_estimator(model(), FRAME),
    "SilhouetteDisplay": lambda: SilhouetteDisplay.from_estimator(model(), FRAME),
}


def check_same(one, two):
    """By joblib's hash and in a pickle; one read from a pickle has the same hash.

    (Its pickle may be a few bytes longer: equal strings, once one object, may be two.)
    """
    assert joblib.hash(one) == joblib.hash(two)
    stored = pickle.dumps(one)
    assert stored == pickle.dumps(two)
    again, other = pickle.loads(stored), pickle.loads(stored)
    assert joblib.hash(again) == joblib.hash(one)
    assert pickle.dumps(again) == pickle.dumps(other)


@pytest.mark.parametrize("name", SAME)
def test_same_bytes(name):
    check_same(SAME[name](), SAME[name]())


@pytest.mark.parametrize("name", DISPLAYS)
def test_what_a_display_holds_but_for_its_figure(name):
    pytest.importorskip("matplotlib.pyplot")
    held = [
        {key: value for key, value in vars(DISPLAYS[name]()).items() if not key.endswith("_")}
        for _ in range(2)
    ]
    check_same(*held)


@pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans])
def test_what_was_fitted_before_is_forgotten(estimator):
    fresh = estimator(3, random_state=0).fit(X)
    used = estimator(3, random_state=0).fit(FRAME).fit_batches(PARTS)
    check_same(used.fit(X), fresh)
    if estimator is MiniBatchKMeans:
        check_same(used.partial_fit(X).fit(X), fresh)


def test_strings_that_are_equal_but_not_one_object():
    auto = "".join(["au", "to"])
    check_same(KMeans(3, n_init=auto, random_state=0).fit(X), KMeans(3, random_state=0).fit(X))
