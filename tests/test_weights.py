"""The unit of the weights does not matter, be it 1e-300 or 1e300: only their ratios count."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sklearn_lloyd import KMeans, MiniBatchKMeans, lloyd_steps
from sklearn_lloyd._validation import check_weights
from sklearn_lloyd._weights import scaled_weights
from sklearn_lloyd.inspection import cluster_profiles, diagnose
from sklearn_lloyd.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_samples,
    silhouette_score,
    simplified_silhouette_score,
)
from sklearn_lloyd.model_selection import NClustersSearch, bic
from sklearn_lloyd.preprocessing import CentroidFeatures, ClusterScaler

N_ROWS = 90
RNG = np.random.default_rng(0)
X = RNG.normal(size=(N_ROWS, 3)) + np.repeat([[0, 0, 0], [8, 0, 5], [0, 9, 5]], 30, axis=0)
WEIGHTS = RNG.uniform(0.5, 1.5, N_ROWS)
WEIGHTS[5] = 0.0
LABELS = np.repeat([0, 1, 2], 30)
CLUSTERER = KMeans(3, init=X[::30]).fit(X)

SMALL = [1 / WEIGHTS.sum(), 1e-5, 1e-170, 1e-300]
LARGE = [1e14, 1e17, 1e160, 1e300]
POWERS = [2.0**-900, 2.0**-60, 2.0**-1, 2.0**70, 2.0**900]


def fit(model, rows=X):
    def entry(weights, unit):
        model.fit(rows, sample_weight=weights)
        fields = model.inertia_ / unit, model.history_["inertia"][-1] / unit
        return model.cluster_centers_, model.labels_, *fields, model.start_inertias_ / unit

    return entry


def fit_batches(weights, unit):
    batches = [(X[part], weights[part]) for part in np.array_split(np.arange(N_ROWS), 3)]
    model = KMeans(3, random_state=0).fit_batches(batches)
    return model.cluster_centers_, model.inertia_ / unit


def minibatch(weights, unit):
    model = MiniBatchKMeans(3, batch_size=30, random_state=0)
    model.fit(X, sample_weight=weights)
    return model.cluster_centers_, model.inertia_ / unit


def partial_fit(weights, unit):
    model = MiniBatchKMeans(3, init=X[::30], random_state=0)
    for part in np.array_split(np.arange(N_ROWS), 3):
        model.partial_fit(X[part], sample_weight=weights[part])
    return model.cluster_centers_, model.counts_ / unit, model.inertia_ / unit


def minibatch_batches(weights, unit):
    model = MiniBatchKMeans(3, batch_size=30, random_state=0)
    model.fit_batches([(X, weights)])
    fields = model.inertia_ / unit, model.history_["inertia"]
    return model.cluster_centers_, model.counts_ / unit, *fields


def steps(weights, unit):
    *_, last = lloyd_steps(X, X[::30], sample_weight=weights)
    return last.centers, last.inertia / unit


def scaler(*args, **options):
    return lambda weights, unit: [
        ClusterScaler(*args, **options).fit(X, sample_weight=weights).transform(X)
    ]


def search(criterion):
    def entry(weights, unit):
        found = NClustersSearch(
            KMeans(), n_clusters=range(2, 6), criterion=criterion, random_state=0
        ).fit(X, sample_weight=weights)
        return found.n_clusters_, found.results_["inertia"] / unit, found.results_[criterion]

    return entry


def profiles(rows):
    def entry(weights, unit):
        found = cluster_profiles(CLUSTERER, rows, sample_weight=weights)
        tables = found.means, found.differences, found.rank_differences, found.whole_deviation
        return found.sizes / unit, found.shares, *tables, found.names

    return entry


ENTRIES = {
    "KMeans": fit(KMeans(3, random_state=0)),
    "KMeans, compiled": fit(KMeans(3, random_state=0)),
    "KMeans, sparse": fit(KMeans(3, random_state=0), sparse.csr_matrix(X)),
    "k-means||": fit(KMeans(3, init="k-means||", random_state=0)),
    "random": fit(KMeans(3, init="random", random_state=0)),
    "partition": fit(KMeans(3, init="random-partition", random_state=0)),
    "score": lambda weights, unit: [CLUSTERER.score(X, sample_weight=weights) / unit],
    "KMeans.fit_batches": fit_batches,
    "MiniBatchKMeans": minibatch,
    "partial_fit": partial_fit,
    "MiniBatchKMeans.fit_batches": minibatch_batches,
    "lloyd_steps": steps,
    "zscore": scaler("zscore"),
    "range": scaler("range"),
    "maxabs": scaler("maxabs"),
    "whiten": scaler("whiten"),
    "features": lambda weights, unit: [
        CentroidFeatures(CLUSTERER, output="similarity").fit(X, sample_weight=weights).gamma_
    ],
    "davies_bouldin": lambda weights, unit: [
        davies_bouldin_score(X, LABELS, sample_weight=weights)
    ],
    "simplified": lambda weights, unit: [
        simplified_silhouette_score(X, LABELS, sample_weight=weights)
    ],
    "search": search("davies_bouldin"),
    "profiles": profiles(X),
    "profiles, sparse": profiles(sparse.csr_matrix(X)),
    "diagnose": lambda weights, unit: [
        diagnose(CLUSTERER, X, sample_weight=weights, n_starts=2).codes
    ],
}


def assert_same(found, expected, exactly=False):
    for one, other in zip(found, expected, strict=True):
        if exactly or np.asarray(one).dtype.kind not in "f":
            assert_array_equal(one, other)
        else:
            assert_allclose(one, other, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
def test_the_unit_does_not_matter(entry):
    expected = entry(WEIGHTS, 1.0)
    for unit in SMALL + LARGE:
        assert_same(entry(WEIGHTS * unit, unit), expected)
    for unit in POWERS:
        assert_same(entry(WEIGHTS * unit, unit), expected, exactly=True)


# Where a weight of one stands for one row, weights of less than that are alike, and so are those
# of which a row is a vanishing part.
ONE_ROW = {
    "robust": scaler("robust"),
    "clip": scaler("none", clip=2.0),
    "medians": lambda weights, unit: [
        cluster_profiles(CLUSTERER, X, sample_weight=weights).medians
    ],
    "silhouette": lambda weights, unit: [silhouette_samples(X, LABELS, sample_weight=weights)],
    "squared silhouette": lambda weights, unit: [
        silhouette_samples(X, LABELS, sample_weight=weights, metric="sqeuclidean")
    ],
    "standard error": lambda weights, unit: silhouette_score(
        X, LABELS, sample_weight=weights, sample_size=40, random_state=0, return_std_error=True
    ),
    "search": search("silhouette"),
}


@pytest.mark.parametrize("entry", ONE_ROW.values(), ids=ONE_ROW)
@pytest.mark.parametrize("units", [SMALL, LARGE], ids=["small", "large"])
def test_units_far_from_a_row_are_alike(entry, units):
    expected = entry(WEIGHTS * units[0], units[0])
    for unit in units[1:]:
        assert_same(entry(WEIGHTS * unit, unit), expected)


@pytest.mark.parametrize("measure", [calinski_harabasz_score, bic])
def test_sizes_of_samples_are_proportional_where_they_are_large(measure):
    values = [measure(X, LABELS, sample_weight=WEIGHTS * unit) / unit for unit in LARGE]
    assert_allclose(values, values[0], rtol=1e-9)


# To the BIC so many rows tell even the least differences: it takes the most clusters.
@pytest.mark.parametrize(("criterion", "best"), [("calinski_harabasz", 3), ("bic", 4)])
@pytest.mark.parametrize("unit", [*LARGE, 1.9e306])
def test_searches_choose_by_criteria_of_large_weights(criterion, best, unit):
    found = NClustersSearch(
        KMeans(n_init=5), n_clusters=range(2, 5), criterion=criterion, criteria=[],
        random_state=0,
    ).fit(X / 8, sample_weight=WEIGHTS * unit)  # fmt: skip
    assert found.n_clusters_ == best


def test_weights_that_sum_to_one_leave_out_what_needs_a_sample_size():
    found = NClustersSearch(
        KMeans(), n_clusters=range(2, 5), criterion="silhouette",
        criteria=["calinski_harabasz", "bic", "davies_bouldin", "silhouette"], random_state=0,
    ).fit(X, sample_weight=WEIGHTS / WEIGHTS.sum())  # fmt: skip
    assert np.isnan(found.results_["calinski_harabasz"]).all()
    assert np.isnan(found.results_["bic"]).all()
    assert found.n_clusters_ == 3


def test_categories_do_not_depend_on_the_unit():
    frame = pd.DataFrame({"kind": np.repeat(["a", "b", "c"], 30), "x": X[:, 0]})

    encoder = make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough")
    model = make_pipeline(encoder, KMeans(2, random_state=0)).fit(frame)
    tables = [
        cluster_profiles(model, frame, sample_weight=WEIGHTS * unit)
        for unit in (1.0, 1e-300, 1e300)
    ]
    for found in tables[1:]:
        assert_allclose(found.means, tables[0].means)
        assert_allclose(found.differences, tables[0].differences)


@pytest.mark.parametrize(
    ("work", "weights"),
    [
        (lambda w: KMeans(2).fit(X, sample_weight=w), 1e307),
        (lambda w: KMeans(2).fit(X, sample_weight=w), 1.5e306),
        (lambda w: KMeans(2).fit_batches([(X, w), (X, w)]), 1.5e306),
        (lambda w: KMeans(2).fit_batches([(X - X + 1, w)] * 3), 1e306),
        (lambda w: KMeans.from_centers(X[:2] + 9).score(X, sample_weight=w), 1e306),
        (lambda w: MiniBatchKMeans(2).partial_fit(X, sample_weight=w), 1.5e306),
        (
            lambda w: (
                MiniBatchKMeans(2)
                .partial_fit(X * 0.01, sample_weight=w)
                .partial_fit(X * 0.01, sample_weight=w)
            ),
            1.5e306,
        ),
        (lambda w: davies_bouldin_score(X, LABELS, sample_weight=w), 1e307),
        (lambda w: calinski_harabasz_score(X, LABELS, sample_weight=w), 1.9e306),
        (lambda w: ClusterScaler().fit(X, sample_weight=w), np.where(LABELS > 1, 1e-200, 1e200)),
    ],
)
def test_weights_are_to_blame(work, weights):
    with pytest.raises(ValueError, match="sample_weight"):
        work(np.broadcast_to(weights, N_ROWS))


@pytest.mark.parametrize("largest", [5e-324, 1e-310, 0.7, 1.0, 3.0, 1.2e308])
def test_scaled_weights_lose_no_digit(largest):
    weights = check_weights([largest, 0.0, largest / 4], 3)
    scaled, unit = scaled_weights(weights)
    assert 1.0 <= scaled.max() < 2.0
    assert_array_equal(scaled * unit, weights)
    assert np.frexp(unit)[0] == 0.5
