"""One `random_state`, one result for any order of the rows: of everything that takes one."""

import inspect

import numpy as np
import pytest
from scipy import sparse

import sklearn_lloyd
from sklearn_lloyd import KMeans, MiniBatchKMeans, k_means, kmeans_plusplus
from sklearn_lloyd.inspection import (
    ClusterDisplay,
    LloydStepsDisplay,
    PairDisplay,
    SilhouetteDisplay,
    cluster_differences,
    diagnose,
)
from sklearn_lloyd.metrics import silhouette_score, silhouette_scorer
from sklearn_lloyd.model_selection import (
    NClustersSearch,
    bootstrap_stability,
    gap_statistic,
    prediction_strength,
)
from sklearn_lloyd.preprocessing import CentroidFeatures

MODULES = [
    sklearn_lloyd,
    sklearn_lloyd.inspection,
    sklearn_lloyd.metrics,
    sklearn_lloyd.model_selection,
    sklearn_lloyd.preprocessing,
]
N_ROWS = 64
SEARCHED = {"n_clusters": (1, 2, 3, 4), "random_state": 0}
CRITERIA = {"silhouette", "simplified_silhouette", "bic", "elbow", "gap", "stability"}


def groups(n_rows=N_ROWS, n_features=3):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, n_features))
    X[:, 0] += 4.0 * rng.integers(3, size=n_rows)
    return X


ROWS = {
    "plain": groups(),
    "float32": groups().astype(np.float32),
    "constant": np.insert(groups(), [0, 2], 0.1, axis=1),
    "dependent": groups()[:, [0, 1, 2, 0]] * [1.0, 0.3, 0.7, 0.1],
    "repeated": np.tile(groups(16), (4, 1)),
    # Of equal variance in all directions.
    "cube": np.tile([[i >> j & 1 for j in range(3)] for i in range(8)], (8, 1)).astype(float),
    "corners": np.tile(np.eye(8), (8, 1)),
    "wide": groups(n_features=200),
}
SPARSE = ["plain", "repeated", "corners", "wide"]
WEIGHTS = np.random.default_rng(1).integers(4, size=N_ROWS).astype(float)


def model_of(X):
    """A k-means of three of the rows, and the labels of all."""
    distinct = np.unique(X.toarray() if sparse.issparse(X) else X, axis=0)
    model = KMeans.from_centers(distinct[[0, len(distinct) // 2, -1]].astype(np.float64))
    return model, model.predict(X.astype(np.float64))


def searched(X, weights):
    criteria = CRITERIA - {"gap"} if sparse.issparse(X) else CRITERIA
    search = NClustersSearch(criteria=criteria, n_refs=3, sample_size=30, **SEARCHED)
    search.fit(X, sample_weight=weights)
    return [*search.results_.values(), search.n_clusters_, search.confidence_]


def evidence(X, weights):
    model = model_of(X)[0]
    findings = diagnose(model, X, sample_weight=weights, sample_size=30, n_starts=3)
    values = [value for finding in findings for value in finding.evidence.values()]
    return [[findings.codes], [value for value in values if isinstance(value, float)]]


def cluster_display(X, weights):
    display = ClusterDisplay.from_estimator(model_of(X)[0], X, max_rows=20)
    return [display.points, display.centers, [display.axis_labels]]


def steps_display(X, weights):
    estimator = KMeans(3, random_state=0)
    display = LloydStepsDisplay.from_estimator(estimator, X, max_rows=20, max_steps=2)
    return [display.points, display.centers, display.inertia]


def pair_display(X, weights):
    display = PairDisplay.from_estimator(model_of(X)[0], X, sample_size=20)
    return [np.column_stack([display.values, display.labels])]


def differences(X, weights):
    found = cluster_differences(model_of(X)[0], X, n_refs=19, sample_size=40)
    return [found.effects, found.p_values, found.adjusted]


def silhouette_display(X, weights):
    display = SilhouetteDisplay.from_predictions(X, model_of(X)[1], sample_size=20)
    return [display.widths, display.labels]


def fitted(estimator, attribute):
    return lambda X, w: [getattr(estimator.fit(X, sample_weight=w), attribute)]


# What is compared, of rows and weights.
WEIGHTED = {
    "KMeans": fitted(KMeans(3, random_state=0), "cluster_centers_"),
    "MiniBatchKMeans": fitted(
        MiniBatchKMeans(3, batch_size=20, random_state=0), "cluster_centers_"
    ),
    "CentroidFeatures": fitted(CentroidFeatures(n_clusters=3, random_state=0), "gamma_"),
    "k_means": lambda X, w: [k_means(X, 3, sample_weight=w, random_state=0)[0]],
    "kmeans_plusplus": lambda X, w: [kmeans_plusplus(X, 3, sample_weight=w, random_state=0)[0]],
    "NClustersSearch": searched,
    "gap_statistic": lambda X, w: gap_statistic(X, n_refs=3, sample_weight=w, **SEARCHED),
    "prediction_strength": lambda X, w: prediction_strength(
        X, n_splits=3, sample_weight=w, **SEARCHED
    )[:3],
    "bootstrap_stability": lambda X, w: [
        bootstrap_stability(X, model_of(X)[1], n_bootstraps=3, sample_weight=w, random_state=0)
    ],
    "silhouette_score": lambda X, w: silhouette_score(
        X, model_of(X)[1], sample_size=20, sample_weight=w, random_state=0, return_std_error=True
    ),
    "diagnose": evidence,
}
OTHERS = {
    "PairDisplay": pair_display,
    "cluster_differences": differences,
    "silhouette_scorer": lambda X, w: [silhouette_scorer(model_of(X)[0], X, sample_size=20)],
    "ClusterDisplay": cluster_display,
    "LloydStepsDisplay": steps_display,
    "SilhouetteDisplay": silhouette_display,
}
DENSE_ONLY = {"gap_statistic", "cluster_differences"}
CASES = [
    (entry, rows, is_sparse, weighted)
    for entry in [*WEIGHTED, *OTHERS]
    for rows in ROWS
    for is_sparse in (False, True)
    for weighted in (False, True)
    if (rows in SPARSE and entry not in DENSE_ONLY) or not is_sparse
    if entry in WEIGHTED or not weighted
]


def test_every_public_name_that_takes_a_random_state_is_here():
    takers = set()
    for module in MODULES:
        for name in module.__all__:
            public = getattr(module, name)
            functions = [public, getattr(public, "from_estimator", public)]
            functions = [each for each in functions if callable(each)]
            if any("random_state" in inspect.signature(each).parameters for each in functions):
                takers.add(name)
    takers.remove("cluster_report")  # made of what is here
    assert takers == {*WEIGHTED, *OTHERS}


@pytest.mark.filterwarnings("ignore::UserWarning")  # of few distinct rows
@pytest.mark.parametrize(("entry", "rows", "is_sparse", "weighted"), CASES)
def test_order_of_the_rows(entry, rows, is_sparse, weighted):
    X, measure = ROWS[rows], {**WEIGHTED, **OTHERS}[entry]
    results = []
    for order in (slice(None), np.random.default_rng(2).permutation(N_ROWS)):
        part = sparse.csr_matrix(X[order]) if is_sparse else X[order]
        results.append(measure(part, WEIGHTS[order] if weighted else None))
    for a, b in zip(*results, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        if a.dtype.kind in "fiu":
            np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-7)
        else:
            np.testing.assert_array_equal(a, b)
