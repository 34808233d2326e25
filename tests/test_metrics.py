"""Silhouettes and indices: against scikit-learn, against slow sums, weights against repeats."""

import tracemalloc

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.spatial.distance import cdist

from sklearn_lloyd import KMeans
from sklearn_lloyd._core import options
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd._rows import Rows
from sklearn_lloyd.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_samples,
    silhouette_score,
    simplified_silhouette_samples,
    simplified_silhouette_score,
)
from sklearn_lloyd.metrics._sampling import sample_of_clusters
from sklearn_lloyd.metrics._widths import silhouette_of_many

quick = settings(max_examples=30, derandomize=True, deadline=None)
METRICS = ["euclidean", "sqeuclidean"]
SCORES = [
    silhouette_score,
    simplified_silhouette_score,
    calinski_harabasz_score,
    davies_bouldin_score,
]
WRAPS = [np.asarray, np.asfortranarray, sparse.csr_matrix]


def rows_and_labels(n_rows=300, n_features=5, n_clusters=4, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(n_clusters, size=n_rows)
    centers = 4 * rng.normal(size=(n_clusters, n_features))
    return centers[labels] + rng.normal(size=(n_rows, n_features)), labels


def slow_widths(X, labels, metric, weights=None):
    """Silhouettes by their definition, one row after the other."""
    X, labels = np.asarray(X, np.float64), np.asarray(labels)
    weights = np.ones(len(X)) if weights is None else np.asarray(weights, np.float64)
    distances = cdist(X, X, metric)
    widths = np.zeros(len(X))
    for i, own in enumerate(labels):
        members = labels == own
        others = weights[members].sum() - min(weights[i], 1.0)
        if others < 1e-9:
            continue
        a = weights[members] @ distances[i, members] / others
        b = min(
            np.average(distances[i, labels == c], weights=weights[labels == c])
            for c in np.unique(labels)
            if c != own and weights[labels == c].sum() > 0
        )
        widths[i] = (b - a) / max(a, b) if max(a, b) > 0 else 0.0
    return widths


@pytest.mark.parametrize("wrap", WRAPS)
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("n_features", [1, 3, 4, 9, 100])
def test_silhouettes_are_those_of_scikit_learn(metric, wrap, n_features):
    X, labels = rows_and_labels(n_features=n_features)
    labels[7] = 11  # alone
    widths = silhouette_samples(wrap(X), labels, metric=metric)
    expected = sklearn.metrics.silhouette_samples(X, labels, metric=metric)
    assert widths.dtype == np.float64
    assert widths[7] == 0.0
    assert_allclose(widths, expected, rtol=0, atol=1e-10)
    score = silhouette_score(wrap(X), labels, metric=metric)
    assert isinstance(score, float)
    assert_allclose(score, expected.mean(), rtol=0, atol=1e-10)


@pytest.mark.parametrize("wrap", WRAPS)
def test_indices_are_those_of_scikit_learn(wrap):
    X, labels = rows_and_labels()
    for ours, theirs in [
        (calinski_harabasz_score, sklearn.metrics.calinski_harabasz_score),
        (davies_bouldin_score, sklearn.metrics.davies_bouldin_score),
    ]:
        assert_allclose(ours(wrap(X), labels), theirs(X, labels), rtol=1e-10)


def test_indices_where_clusters_have_no_extent():
    X, labels = np.repeat([[0.0, 1.0], [2.0, 5.0], [7.0, 7.0]], 3, axis=0), np.repeat([0, 1, 2], 3)
    assert calinski_harabasz_score(X, labels) == 1.0
    assert davies_bouldin_score(X, labels) == 0.0
    # All means are equal: no pair of clusters can be compared.
    assert davies_bouldin_score([[0.0], [2.0], [1.0], [1.0]], [0, 0, 1, 1]) == 0.0


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, bool, np.int16])
@pytest.mark.parametrize("metric", METRICS)
def test_dtypes(metric, dtype):
    X, labels = rows_and_labels(n_rows=200)
    X = (X > 0) if dtype is bool else (10 * np.abs(X)).astype(dtype)
    widths = silhouette_samples(X, labels, metric=metric)
    assert_allclose(widths, slow_widths(X, labels, metric), rtol=0, atol=1e-10)


@pytest.mark.parametrize("metric", METRICS)
def test_far_from_the_origin(metric):
    X, labels = rows_and_labels(n_rows=200)
    X = np.round(X * 1024) / 1024  # so that the sum is exact
    near = silhouette_samples(X, labels, metric=metric)
    far = silhouette_samples(X + 2.0**30, labels, metric=metric)
    assert_allclose(far, near, rtol=0, atol=1e-10)


@pytest.mark.parametrize("metric", METRICS)
def test_close_clusters_beside_one_that_is_far_away(metric):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 3)) + np.repeat([[0.0], [3.0], [1e7]], 30, axis=0)
    labels = np.repeat([0, 1, 2], 30)
    widths = silhouette_samples(X, labels, metric=metric)
    assert_allclose(widths, slow_widths(X, labels, metric), rtol=0, atol=1e-8)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("wrap", WRAPS)
def test_equal_rows_are_at_distance_zero(wrap, metric):
    X = np.repeat([[0.1, 0.7], [0.3, 123.4]], 5, axis=0)
    labels = np.repeat([0, 1], 5)
    assert_array_equal(silhouette_samples(wrap(X), labels, metric=metric), 1.0)
    assert_array_equal(silhouette_samples(X[:5], [0, 0, 1, 1, 1], metric=metric), 0.0)


weights_of_rows = st.lists(st.integers(0, 3), min_size=12, max_size=40)


@given(
    weights_of_rows, st.integers(0, 2**32 - 1), st.sampled_from(METRICS), st.sampled_from(WRAPS)
)
@quick
def test_weights_are_as_good_as_repeats(weights, seed, metric, wrap):
    rng = np.random.default_rng(seed)
    weights = np.array(weights)
    labels = rng.integers(3, size=weights.size)
    X = np.round(4 * rng.normal(size=(weights.size, 2)) + labels[:, np.newaxis], 1)
    repeated, of_repeated = np.repeat(X, weights, axis=0), np.repeat(labels, weights)
    assume(1 < len(np.unique(of_repeated)) < len(of_repeated))
    for samples in (silhouette_samples, simplified_silhouette_samples):
        weighted = samples(wrap(X), labels, metric=metric, sample_weight=weights)
        plain = samples(wrap(repeated), of_repeated, metric=metric)
        assert_allclose(np.repeat(weighted, weights), plain, rtol=0, atol=1e-10)
        assert np.abs(weighted).max() <= 1.0
    for score in SCORES:
        weighted = score(wrap(X), labels, sample_weight=weights)
        assert_allclose(weighted, score(wrap(repeated), of_repeated), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("metric", METRICS)
def test_weights_that_are_no_whole_numbers(metric):
    X, labels = rows_and_labels(n_rows=80)
    weights = np.random.default_rng(0).uniform(0, 2, size=80)
    weights[labels == 0] = 0.0  # rows of no cluster
    weights[:3], labels[:3] = 0.25, [7, 8, 8]  # one row alone in its cluster, two in another
    widths = silhouette_samples(X, labels, metric=metric, sample_weight=weights)
    counted = weights > 0
    expected = slow_widths(X, labels, metric, weights)
    assert_allclose(widths[counted], expected[counted], rtol=0, atol=1e-10)
    assert widths[0] == 0.0
    assert_array_equal(widths[labels == 0], 0.0)
    score = silhouette_score(X, labels, metric=metric, sample_weight=weights)
    assert_allclose(score, np.average(expected, weights=weights), rtol=0, atol=1e-10)


@pytest.mark.parametrize("samples", [silhouette_samples, simplified_silhouette_samples])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("wrap", [np.asarray, sparse.csr_matrix])
def test_threads_and_order_do_not_matter(samples, metric, wrap):
    X, labels = rows_and_labels(n_rows=1500)
    with options(block_rows=300, least_work=1000):
        one, two = (samples(wrap(X), labels, n_threads=n, metric=metric) for n in (1, 2))
    assert_array_equal(one, two)
    order = np.random.default_rng(0).permutation(len(X))
    shuffled = samples(wrap(X[order]), labels[order], metric=metric)
    assert_allclose(shuffled, one[order], rtol=0, atol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("metric", METRICS)
def test_many_labelings_at_once(metric, weighted):
    X, labels = rows_and_labels(n_rows=900)
    rng = np.random.default_rng(1)
    weights = rng.integers(3, size=900).astype(np.float64) if weighted else None
    labelings = [labels, labels // 2, rng.integers(7, size=900)]
    rows = rng.permutation(900)[:50]
    found = silhouette_of_many(Rows(X), labelings, metric, weights)
    some = silhouette_of_many(Rows(X), labelings, metric, weights, rows)
    for codes, widths, of_rows in zip(labelings, found, some, strict=True):
        single = silhouette_samples(X, codes, metric=metric, sample_weight=weights)
        assert_allclose(widths, single, rtol=0, atol=1e-12)
        assert_allclose(of_rows, widths[rows], rtol=0, atol=1e-12)


def test_blocks_of_sparse_rows():
    X, labels = rows_and_labels(n_rows=1500)
    X[np.abs(X) < 2] = 0.0
    X[::50] = X[0]  # equal rows, far from each other
    expected = silhouette_samples(X, labels)
    found = silhouette_samples(sparse.csr_matrix(X), labels)
    assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_sparse_rows_with_repeated_entries():
    X, labels = rows_and_labels(n_rows=60)
    twice = sparse.csr_matrix(
        (np.repeat(X.ravel() / 2, 2), np.tile(np.repeat(range(5), 2), 60), range(0, 601, 10)),
        shape=(60, 5),
    )
    for metric in METRICS:
        widths = silhouette_samples(twice, labels, metric=metric)
        assert_allclose(widths, silhouette_samples(X, labels, metric=metric), atol=1e-10)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("weighted", [False, True])
def test_sample_is_unbiased_and_its_error_right(metric, weighted):
    X, labels = rows_and_labels(n_rows=1000)
    labels[:2] = 9
    rng = np.random.default_rng(0)
    weights = rng.integers(4, size=1000) if weighted else None
    options = {"metric": metric, "sample_weight": weights}
    exact = silhouette_score(X, labels, **options)
    drawn = [
        silhouette_score(
            X, labels, sample_size=60, random_state=seed, return_std_error=True, **options
        )
        for seed in range(300)
    ]
    scores, errors = np.array(drawn).T
    spread = scores.std()
    assert abs(scores.mean() - exact) < 4 * spread / np.sqrt(300)
    assert 0.8 < np.sqrt(np.mean(errors**2)) / spread < 1.25


def test_sample_of_all_rows_is_exact():
    X, labels = rows_and_labels(n_rows=100)
    exact = silhouette_score(X, labels)
    for size in (100, 10**6):
        assert silhouette_score(X, labels, sample_size=size, return_std_error=True) == (exact, 0.0)


def test_sample_has_two_rows_of_small_clusters_and_none_without_weight():
    X, labels = rows_and_labels(n_rows=1000, n_clusters=2)
    labels[:3], labels[3:5], labels[5] = 7, 8, 9
    weights = np.ones(1000)
    weights[:500:2] = 0.0
    rng = np.random.RandomState(0)
    problem = make_problem(Rows(X), 1, weights)
    strata, rows = sample_of_clusters(rng, labels, problem, 20)
    assert [size for size, _ in strata[2:]] == [1, 1, 1]
    assert len(rows) == len(set(rows.tolist()))
    assert (weights[rows] > 0).all()
    assert all(drawn.stop - drawn.start >= min(2, size) for size, drawn in strata)


def test_memory_of_many_clusters():
    X, _ = rows_and_labels(n_rows=4000, n_features=2)
    for k in (5, 600, 2500):
        labels = np.arange(len(X)) % k
        tracemalloc.start()
        silhouette_samples(X, labels, n_threads=1)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 8e6  # three times as many as distances at once


def test_sample_depends_on_the_seed_alone():
    X, labels = rows_and_labels(n_rows=3000)
    one, two, other = (
        silhouette_score(X, labels, sample_size=300, random_state=seed, n_threads=threads)
        for seed, threads in [(0, 1), (0, 2), (1, 2)]
    )
    assert one == two != other


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("wrap", WRAPS)
def test_simplified_silhouettes(wrap, metric):
    X, labels = rows_and_labels()
    labels[3] = 4  # alone
    options = {"metric": metric}
    means = np.array([X[labels == c].mean(axis=0) for c in range(5)])
    distances = cdist(X, means, metric)
    own = distances[np.arange(len(X)), labels]
    distances[np.arange(len(X)), labels] = np.inf
    nearest = distances.min(axis=1)
    expected = (nearest - own) / np.maximum(own, nearest)
    with_centers = simplified_silhouette_samples(wrap(X), labels, centers=means, **options)
    assert_allclose(with_centers, expected, rtol=0, atol=1e-10)
    expected[3] = 0.0
    widths = simplified_silhouette_samples(wrap(X), labels, **options)
    assert_allclose(widths, expected, rtol=0, atol=1e-10)
    score = simplified_silhouette_score(wrap(X), labels, **options)
    assert_allclose(score, expected.mean(), rtol=0, atol=1e-10)


def test_simplified_silhouettes_of_nearest_centers_are_not_negative():
    X, _ = rows_and_labels()
    model = KMeans(4, random_state=0).fit(X[:200])
    centers, labels = model.cluster_centers_, model.predict(X[200:])
    widths = simplified_silhouette_samples(X[200:], labels, centers=centers)
    assert widths.min() >= 0.0
    # One cluster is enough, since the centres tell what the others are.
    one = labels == labels[0]
    alone = simplified_silhouette_samples(X[200:][one], labels[one], centers=centers)
    assert_array_equal(alone, widths[one])


@pytest.mark.parametrize("labels", [[5, 5, -3, -3], ["b", "b", "a", "a"], [0.5, 0.5, 9.0, 9.0]])
def test_labels_of_any_kind(labels):
    X = [[0.0], [1.0], [10.0], [11.0]]
    for score in SCORES:
        assert score(X, labels) == score(X, [1, 1, 0, 0])
    assert score(X, np.array(labels, object)) == score(X, [1, 1, 0, 0])
    for large in ([10**15, 10**15, 3, 3], np.array([2, 2, 1, 1], np.uint64) + 2**63):
        assert score(X, large) == score(X, [1, 1, 0, 0])


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(
    ("labels", "weights", "message"),
    [
        ([1, 1, 1, 1], None, "needs at least two, but labels has one"),
        ([0, 1, 2, 3], None, "each of the 4 clusters has only one"),
        ([0, 0, 1, 1], [1, 1, 0, 0], "has one with any weight"),
        ([0, 0, 1, 1], [1, 0, 1, 0], "each of the 2 clusters has only one"),
        ([0, 1, 0], None, "labels has 3 entries, and X has 4 rows"),
        ([0, 1, np.nan, 1], None, "labels contains NaN"),
        ([[0, 1], [0, 1], [0, 1], [0, 1]], None, "1d array"),
        ([0, 0, 1, 1], [1, 1], "sample_weight.shape"),
        ([0, 0, 1, 1], [1, 1, -1, 1], "Negative values in sample_weight"),
    ],
)
def test_bad_labels_and_weights(score, labels, weights, message):
    with pytest.raises(ValueError, match=message):
        score([[0.0], [1.0], [2.0], [3.0]], labels, sample_weight=weights)


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_values_that_are_not_finite(score, value, weight):
    X, labels = rows_and_labels()
    X[17, 2], weights = value, np.ones(300)
    weights[17] = weight
    for each in [{"metric": metric} for metric in METRICS] if score in SCORES[:2] else [{}]:
        with pytest.raises(ValueError, match="the first in row 17, column 2"):
            score(X, labels, sample_weight=weights, **each)


def test_values_whose_squares_overflow():
    X, labels = rows_and_labels()
    for score in SCORES:
        with pytest.raises(ValueError, match="overflow float64"):
            score(1e200 * X, labels)


def test_bad_options():
    X, labels = rows_and_labels()
    with pytest.raises(ValueError, match="'metric' parameter of silhouette_score"):
        silhouette_score(X, labels, metric="cosine")
    with pytest.raises(ValueError, match="'sample_size' parameter"):
        silhouette_score(X, labels, sample_size=1)
    with pytest.raises(TypeError, match="labels must be of one kind"):
        silhouette_score([[0.0], [1.0], [2.0]], np.array([0, "a", "a"], object))
    with pytest.raises(ValueError, match="multiply the weights"):
        calinski_harabasz_score(X, labels, sample_weight=np.full(300, 0.01))


def test_bad_centers():
    X, labels = rows_and_labels()
    centers = X[:4]
    for bad, of_rows, message in [
        (centers[:1], labels, "needs at least two"),
        (centers[:3], labels, "With 3 centers, labels must be from 0 to 2; got 0 to 3"),
        (centers, labels - 1, "must be from 0 to 3; got -1 to 2"),
        (centers, labels.astype(float), "labels must be whole numbers"),
        (centers[:, :2], labels, "does not match the number of features"),
    ]:
        with pytest.raises(ValueError, match=message):
            simplified_silhouette_samples(X, of_rows, centers=bad)
