"""Means, variances and what is constant or equal: by the numbers, not by their rounding."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sklearn_lloyd import KMeans
from sklearn_lloyd._moments import centered, feature_ranges, is_constant, mean_variance
from sklearn_lloyd._rows import Rows
from sklearn_lloyd.inspection import cluster_profiles, diagnose
from sklearn_lloyd.inspection._statistics import Groups, statistics_of_numbers
from sklearn_lloyd.metrics import (
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_samples,
    simplified_silhouette_samples,
)
from sklearn_lloyd.metrics._labels import weight_of_others
from sklearn_lloyd.metrics._moments import cluster_moments, mean_distances
from sklearn_lloyd.model_selection import NClustersSearch, bic
from sklearn_lloyd.preprocessing import ClusterScaler
from sklearn_lloyd.preprocessing._quantiles import quantiles


@pytest.mark.parametrize(
    ("low", "high", "dtype", "expected"),
    [
        (0.0, 0.0, np.float64, True),
        (0.1, 0.1, np.float64, True),
        (0.3, 0.1 + 0.2, np.float64, True),
        (0.3, 0.3 + 1e-14, np.float64, False),
        (-0.3, 0.3, np.float64, False),
        (1e10, 1e10 + 1e-4, np.float64, False),
        (1e-320, 2e-320, np.float64, False),
        (-1.5e308, 1.5e308, np.float64, False),
        (1.0, 1.0 + 1e-7, np.float32, True),
        (1.0, 1.0 + 1e-5, np.float32, False),
        (1e15, 1e15 + 1, np.int64, False),
        (0, 1, np.bool_, False),
        (np.False_, np.True_, np.bool_, False),
        (np.int8(-128), np.int8(127), np.int8, False),
    ],
)
def test_constant_is_what_its_own_rounding_makes_of_one_number(low, high, dtype, expected):
    assert bool(is_constant(low, high, dtype)) is expected


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("weighted", [False, True])
def test_moments_of_features_far_from_the_origin(kind, weighted):
    rng = np.random.default_rng(0)
    X = rng.integers(-5, 6, size=(3000, 3)) * [0.125, 1.0, 0.0] + [2.0**31, 0.0, 0.1]
    weights = rng.uniform(size=3000) * 1e-200 if weighted else None
    mean, variance = mean_variance(Rows(kind(X)), weights)
    offsets, _ = centered(X - [2.0**31, 0.0, 0.1], weights)
    assert_allclose(mean, np.average(X, axis=0, weights=weights), rtol=1e-12, atol=1e-12)
    expected = np.average(np.square(offsets), axis=0, weights=weights)
    assert_allclose(variance, expected, rtol=1e-6, atol=1e-25)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_ranges_are_of_the_rows_that_count(kind):
    X = np.array([[9.0, 0.0, -2.0], [1.0, 0.0, -1.0], [2.0, 3.0, -3.0]])
    low, high = feature_ranges(Rows(kind(X)), np.array([0.0, 1.0, 2.0]))
    assert_array_equal(low, [1.0, 0.0, -3.0])
    assert_array_equal(high, [2.0, 3.0, -1.0])


@pytest.mark.parametrize("far", [1e3, 1e9])
@pytest.mark.parametrize("n_rows", [200, 4000])  # of many, some tell first where the means are
def test_a_far_row_of_next_to_no_weight_costs_no_digit(far, n_rows):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_rows, 2)) + 100.0
    labels, weights = np.repeat([0, 1], n_rows // 2), np.ones(n_rows)
    rows = Rows(X[1:])
    expected = cluster_moments(rows, labels[1:], 2, weights[1:])
    X[0], weights[0] = [far, -far], 1e-40
    in_order = np.arange(n_rows)
    for order in (in_order, in_order[::-1], rng.permutation(n_rows)):
        rows = Rows(np.ascontiguousarray(X[order]))
        arrays = labels[order], 2, weights[order]
        found = cluster_moments(rows, *arrays)
        assert_allclose(found.means, expected.means, rtol=1e-14)
        assert_allclose(found.variances, expected.variances, rtol=1e-12)
        distances = mean_distances(rows, labels[order], found, weights[order])
        assert_allclose(distances, mean_distances(
            Rows(X[1:]), labels[1:], expected, weights[1:]
        ), rtol=1e-12)  # fmt: skip


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("times", [1, 30])
def test_equal_rows_leave_nothing_within_clusters(kind, times):
    counts = np.array([70, 50, 41]) * times
    X = kind(np.repeat([[0.1, 0.7], [1.3, 0.0], [0.3, 1e7 / 3]], counts, axis=0))
    labels = np.repeat([0, 1, 2], counts)
    for weights in (None, np.random.default_rng(0).uniform(1, 2, labels.size)):
        assert calinski_harabasz_score(X, labels, sample_weight=weights) == 1.0
        assert bic(X, labels, sample_weight=weights) == np.inf
        assert davies_bouldin_score(X, labels, sample_weight=weights) < 1e-12


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("offset", [0.0, 1000.0])
def test_equal_means_are_no_pair_in_any_order_of_the_rows(kind, offset):
    rng = np.random.default_rng(0)
    third = np.array([0, 0, 1]) / 3.0
    X = np.concatenate([np.tile(third, 40), np.tile(third[::-1], 57), [0, 1, 1]]) + offset
    labels = np.repeat([0, 1, 2], [120, 171, 3])
    X = X[:, np.newaxis]
    scores = []
    for _ in range(5):
        order = rng.permutation(len(X))
        scores.append(davies_bouldin_score(kind(X[order]), labels[order]))
    spreads, apart = (4 / 27, 4 / 9), 2 / 3 - 1 / 9
    assert_allclose(scores, sum(spreads) / apart, rtol=1e-6)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
def test_centres_that_are_equal_make_no_line_to_be_on(kind):
    X = np.tile([[0.1], [0.3], [0.2]], (40, 1))
    model = KMeans.from_centers([[0.2], [0.1 + 0.1 + 1e-17], [np.nextafter(0.2, 1)]])
    diagnose(model, kind(X), n_starts=0)  # without a warning


@pytest.mark.parametrize("method", ["zscore", "whiten", "range", "robust"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_scalers_tell_constant_features(method, dtype):
    rng = np.random.default_rng(0)
    size = 70_000
    X = np.column_stack([np.full(size, 0.1), rng.normal(size=size) * 1e-3 + 100.0]).astype(dtype)
    X[::3, 0] = np.nextafter(dtype(0.1), dtype(1))
    new = np.array([[0.2, 100.0]], dtype)
    for weights in (None, rng.uniform(size=size), rng.uniform(size=size) * 1e-12):
        scaler = ClusterScaler(method).fit(X, sample_weight=weights)
        assert scaler.scale_[0] == 0.0
        assert scaler.scale_[1] > 0.0
        assert scaler.transform(new)[0, 0] == 0.0


def test_profiles_and_findings_tell_constant_features():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=300), np.full(300, 0.1), rng.normal(size=300) + 1e3])
    X[::2, 1] = np.nextafter(0.1, 1)
    model = KMeans(2, random_state=0).fit(X)
    weights = rng.uniform(size=300) / 1e3
    profiles = cluster_profiles(model, X, sample_weight=weights)
    assert_array_equal(profiles.differences[:, 1], 0.0)
    assert_array_equal(profiles.rank_differences[:, 1], 0.0)
    assert profiles.whole_deviation[1] == 0.0
    assert_allclose(profiles.whole_deviation[2], 1.0, rtol=0.2)
    sparse_ones = cluster_profiles(model, sparse.csr_matrix(X), sample_weight=weights)
    assert_array_equal(sparse_ones.differences[:, 1], 0.0)
    (found,) = [f for f in diagnose(model, X, n_starts=0) if f.code == "constant-features"]
    assert found.evidence["features"] == ["x1"]


def test_statistics_keep_the_digits_of_far_numbers():
    values = 2.0**33 + np.array([0.0, 1.0, 2.0, 3.0])
    weights = np.array([1.0, 3.0, 2.0, 2.0]) * 1e-200
    found = statistics_of_numbers(values, Groups(np.array([0, 0, 1, 1]), weights, 2))
    assert_allclose(found.means - 2.0**33, [0.75, 2.5], atol=1e-6)
    offsets = values - 2.0**33 - 13 / 8
    assert_allclose(found.whole_deviation**2, weights @ offsets**2 / weights.sum(), rtol=1e-12)


def test_the_weight_of_the_others_of_a_heavy_row():
    codes = np.array([0, 0, 1, 2, 2, 3])
    weights = np.array([1.0, 1e-20, 1.0, 5.0, 3.0, 4.0])
    others = weight_of_others(codes, np.bincount(codes, weights), weights)
    assert_allclose(others, [1e-20, 1.0, 0.0, 7.0, 7.0, 3.0])


@pytest.mark.parametrize("measure", [silhouette_samples, simplified_silhouette_samples])
def test_a_light_row_keeps_a_heavy_one_from_being_alone(measure):
    X, labels = [[0.0], [1.0], [9.0], [10.0]], [0, 0, 1, 1]
    widths = measure(X, labels, sample_weight=[1.0, 1e-14, 1.0, 1.0])
    assert (widths[[0, 2, 3]] > 0.5).all()


@pytest.mark.parametrize("unit", [1.0, 1e9, 1e17, 1e160, 1e300])
def test_quantiles_of_large_weights(unit):
    values = np.array([4.0, 1.0, 2.0, 3.0])
    found = quantiles(values, (0, 25, 50, 75, 100), np.full(4, unit))
    expected = [1.0, 1.75, 2.5, 3.25, 4.0] if unit == 1.0 else [1.0, 1.5, 2.5, 3.5, 4.0]
    expected[1], expected[3] = (1.75, 3.25)
    assert_allclose(found, expected, rtol=1e-6)


def test_quantiles_of_equal_values_are_those_values():
    weights = np.random.default_rng(0).uniform(size=1000)
    for value in (0.1, 1e300, -7.3):
        assert_array_equal(quantiles(np.full(1000, value), (0, 30, 50, 99), weights), value)


TABLES = {
    "constant": np.full((30, 2), 0.1),
    "constant feature": np.column_stack([np.full(30, 0.1), np.arange(30.0)]),
    "two rows": np.array([[0.0, 1.0], [1.0, 1.0]]),
    "two values": np.repeat([[0.1, 0.2], [0.3, 0.1]], 15, axis=0),
    "equal but for one": np.vstack([np.full((29, 2), 0.1), [[5.0, 5.0]]]),
}


@pytest.mark.parametrize("X", TABLES.values(), ids=TABLES)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_numpy_has_no_warning_for_the_user(X, weighted):
    """Every other warning is an error."""
    weights = np.linspace(0.5, 1.0, len(X)) if weighted else None
    for kind in (np.asarray, sparse.csr_matrix):
        model = KMeans(2, random_state=0).fit(kind(X), sample_weight=weights)
        diagnose(model, kind(X), sample_weight=weights, n_starts=2)
        cluster_profiles(model, kind(X), sample_weight=weights)
        labels = np.arange(len(X)) % 2 if len(X) > 2 else None
        for measure in (davies_bouldin_score, calinski_harabasz_score, bic, silhouette_samples):
            if labels is not None:
                measure(kind(X), labels, sample_weight=weights)
    for method in ("zscore", "range", "robust", "maxabs", "whiten"):
        ClusterScaler(method).fit(X, sample_weight=weights).transform(X)
    criteria = ["silhouette", "davies_bouldin", "calinski_harabasz", "bic", "elbow"]
    NClustersSearch(n_clusters=range(1, 4), criteria=criteria, random_state=0).fit(
        X, sample_weight=weights
    )
