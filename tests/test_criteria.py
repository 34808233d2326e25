"""The criteria against slow computations that are written down here, and at their edges."""

import tracemalloc
from itertools import combinations

import numpy as np
import pytest
from joblib import parallel_config
from scipy import sparse
from scipy.spatial.distance import pdist
from scipy.stats import norm
from sklearn.cluster import AgglomerativeClustering
from sklearn.datasets import load_iris, make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_lloyd import KMeans
from sklearn_lloyd._init import RowDraws
from sklearn_lloyd.model_selection import (
    bic,
    bootstrap_stability,
    find_elbow,
    gap_statistic,
    prediction_strength,
)
from sklearn_lloyd.model_selection._fits import Refit, problem_for
from sklearn_lloyd.model_selection._gap import _Box
from sklearn_lloyd.model_selection._stability import _jaccard_of_sample, _strength_of_split


@pytest.fixture(scope="module")
def four():
    return make_blobs(300, centers=4, cluster_std=0.8, random_state=42)[0]


def pairwise_within(X, labels):
    """W_k of the paper: for each cluster, all distances between rows, over twice its size."""
    total = 0.0
    for label in set(labels):
        rows = X[labels == label]
        total += np.square(rows[:, None] - rows).sum() / (2 * len(rows))
    return total


def slow_bic(X, labels):
    """The likelihood of each row by the normal density, less the penalty."""
    (n, d), k = X.shape, len(set(labels))
    means = np.array([X[labels == label].mean(axis=0) for label in range(k)])
    variance = sum(np.square(X[i] - means[labels[i]]).sum() for i in range(n)) / (d * (n - k))
    likelihood = 0.0
    for i in range(n):
        share = np.mean(labels == labels[i])
        densities = norm.logpdf(X[i], means[labels[i]], np.sqrt(variance))
        likelihood += np.log(share) + densities.sum()
    return likelihood - (k - 1 + k * d + 1) / 2 * np.log(n)


@pytest.mark.parametrize("k", [1, 2, 3, 6])
def test_bic_is_the_penalised_likelihood(k):
    X = load_iris().data
    labels = KMeans(k, random_state=0).fit_predict(X)
    assert bic(X, labels) == pytest.approx(slow_bic(X, labels), rel=1e-10)


def test_bic_takes_weights_for_repeats(four):
    labels = KMeans(4, random_state=0).fit_predict(four)
    weights = np.random.RandomState(0).randint(0, 4, len(four))
    repeated = bic(np.repeat(four, weights, axis=0), np.repeat(labels, weights))
    assert bic(four, labels, sample_weight=weights) == pytest.approx(repeated, rel=1e-10)
    assert bic(sparse.csr_array(four), labels) == pytest.approx(bic(four, labels), rel=1e-10)


def test_bic_where_it_is_not_defined():
    assert np.isnan(bic([[0.0], [1.0]], [0, 1]))
    assert bic([[0.0], [0.0], [1.0]], [0, 0, 1]) == np.inf
    with pytest.raises(ValueError, match="labels has 2 entries, and X has 3 rows"):
        bic([[0.0], [1.0], [2.0]], [0, 1])
    with pytest.raises(ValueError, match="contains NaN: the first in row 1"):
        bic([[0.0], [np.nan], [2.0]], [0, 1, 1])


# Gap statistic.


def _problem(X):
    return problem_for(KMeans(), X, 5)


@pytest.mark.parametrize("reference", ["uniform", "pca"])
def test_gap_by_the_book(four, reference, monkeypatch):
    """The same reference sets, clustered and measured by the formulas of the paper."""
    drawn = []
    draw = _Box.draw

    def remember(box, rng):
        drawn.append(draw(box, rng))
        return drawn[-1]

    monkeypatch.setattr(_Box, "draw", remember)
    X, numbers = four[:120], range(1, 5)
    result = gap_statistic(
        X, numbers, n_refs=3, reference=reference, n_init=10, rule="first", random_state=0
    )

    def log_w(rows):
        fits = [KMeans(k, n_init=20, random_state=1).fit(rows) for k in numbers]
        return np.log([pairwise_within(rows, fit.labels_) for fit in fits])

    logs = np.array([log_w(rows) for rows in drawn])
    gap = logs.mean(axis=0) - log_w(X)
    np.testing.assert_allclose(result.gap, gap, atol=2e-3)  # of two searches for the optimum
    error = np.sqrt(np.square(logs - logs.mean(axis=0)).mean(axis=0)) * np.sqrt(1 + 1 / 3)
    np.testing.assert_allclose(result.std_error, error, atol=2e-3)
    by_rule = next(
        k for k in numbers if k == 4 or result.gap[k - 1] >= result.gap[k] - result.std_error[k]
    )
    assert result.best == by_rule
    np.testing.assert_array_equal(result.n_clusters, [1, 2, 3, 4])


def test_references_fill_the_box(four):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(500, 3)) * [9.0, 1.0, 0.1] + 5.0
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    drawn = {}
    for kind in ("uniform", "pca"):
        box = _Box(_problem(X @ rotation), kind)
        drawn[kind] = box.draw(np.random.RandomState(0)) @ rotation.T
        assert drawn[kind].shape == X.shape
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.1 * (high - low)  # the axes are those of the sample, not of the rotation
    assert ((drawn["pca"] > low - margin) & (drawn["pca"] < high + margin)).all()
    assert np.ptp(drawn["uniform"][:, 2]) > 10 * np.ptp(X[:, 2])


def test_rows_without_weight_do_not_stretch_the_box(four):
    X = np.concatenate([four, [[1e3, 1e3]]])
    weights = np.append(np.ones(len(four)), 0.0)
    a = gap_statistic(X, range(1, 6), sample_weight=weights, n_refs=5, random_state=0)
    b = gap_statistic(four, range(1, 6), n_refs=5, random_state=0)
    assert a.best == b.best == 4
    np.testing.assert_allclose(a.gap, b.gap, atol=0.2)


def test_rule_of_the_paper_stops_at_a_dip_and_ours_does_not():
    rng = np.random.default_rng(0)
    centers = 12 * np.eye(10)  # all of them at the same distance
    X = np.repeat(centers, 30, axis=0) + rng.normal(size=(300, 10))
    assert gap_statistic(X, range(1, 15), rule="first", random_state=0).best == 1
    assert gap_statistic(X, range(1, 15), random_state=0).best == 10


@pytest.mark.parametrize("function", [gap_statistic, prediction_strength])
def test_results_do_not_depend_on_jobs(four, function):
    with parallel_config("threading"):  # in processes: the search, in test_n_clusters_search
        runs = [function(four, range(1, 6), n_jobs=n, random_state=3) for n in (None, 2)]
    for a, b in zip(*runs, strict=True):
        np.testing.assert_array_equal(a, b)


def test_gap_of_few_rows_with_many_features():
    """Memory of the order of X; the references are as far apart along the axes."""
    X = np.random.default_rng(0).normal(size=(60, 2000))
    X[:20] += 4.0
    tracemalloc.start()
    result = gap_statistic(X, [1, 2], n_refs=2, random_state=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * X.nbytes
    assert result.best == 2
    box, along = (_Box(_problem(X), "pca", along_axes) for along_axes in (False, True))
    a, b = (each.draw(np.random.RandomState(0)) for each in (box, along))
    assert a.shape == X.shape
    assert b.shape == (60, 59)
    np.testing.assert_allclose(pdist(a), pdist(b), rtol=1e-10)


def test_references_take_the_weights_of_the_rows_that_count(four):
    weights = np.arange(len(four)) % 3 / 2.0
    box = _Box(_problem(four)._replace(sample_weight=weights), "pca")
    np.testing.assert_array_equal(box.sample_weight, np.sort(weights[weights > 0]))
    assert len(box.draw(np.random.RandomState(0))) == np.count_nonzero(weights)


def test_gap_refuses_sparse_rows(four):
    with pytest.raises(ValueError, match="TruncatedSVD"):
        gap_statistic(sparse.csr_array(four), range(1, 4))


# Stability.


def pairs_strength(predicted, found):
    """For each found cluster, the share of pairs that are predicted together; the least."""
    shares = []
    for label in set(found):
        pairs = list(combinations(np.flatnonzero(found == label), 2))
        if not pairs:
            return 0.0
        shares.append(np.mean([predicted[i] == predicted[j] for i, j in pairs]))
    return min(shares)


def test_prediction_strength_by_pairs():
    X = load_iris().data
    numbers, seed = [1, 2, 3, 4], 7
    problem = _problem(X)

    order = problem.canonical.order
    refit = Refit(KMeans(n_init=10), numbers, None, 1, None, None)
    strengths = _strength_of_split(refit, X, None, order, seed)
    halves = np.array_split(np.random.RandomState(seed).permutation(order), 2)
    expected = [1.0]
    for k in numbers[1:]:
        a, b = (KMeans(k, n_init=50, random_state=0).fit(X[half]) for half in halves)
        there = pairs_strength(a.predict(X[halves[1]]), b.labels_)
        back = pairs_strength(b.predict(X[halves[0]]), a.labels_)
        expected.append((there + back) / 2)
    np.testing.assert_allclose(strengths, expected, atol=1e-12)


def test_prediction_strength_chooses_the_largest_that_is_strong(four):
    result = prediction_strength(four, range(1, 8), random_state=0)
    assert result.best == 4
    assert (result.strength[[0, 2, 3]] > 0.9).all()  # 2 can be made of 4 in several ways
    assert (result.strength[4:] < 0.8).all()
    assert prediction_strength(four, [5, 6], random_state=0).best is None
    weak = prediction_strength(four, [5, 6], threshold=0.1, random_state=0)
    assert weak.best == 6


def test_prediction_strength_of_few_rows_is_not_a_number():
    X = np.arange(10.0)[:, np.newaxis]
    result = prediction_strength(X, [1, 2, 8], random_state=0)
    assert result.strength[0] == 1.0
    assert np.isnan(result.strength[2])
    repeated = np.repeat([[0.0], [1.0], [9.0]], 10, axis=0)
    with pytest.warns(UserWarning, match="n_clusters=4, 5 left out: X has 3 distinct rows"):
        prediction_strength(repeated, range(1, 6), random_state=0)


@pytest.mark.parametrize(
    ("n_rows", "weights", "n_clusters"),
    [(25, None, [13, 14]), (25, np.r_[np.ones(6), np.zeros(19)], [4, 5]), (1, None, [1])],
)
def test_no_strength_of_more_clusters_than_rows_in_a_half(n_rows, weights, n_clusters):
    X = np.random.default_rng(0).normal(size=(n_rows, 3))
    result = prediction_strength(X, n_clusters, sample_weight=weights, random_state=0)
    assert np.isnan(result.strength).all()
    assert result.best is None


def test_rows_without_weight_are_in_no_half(four):
    X = np.concatenate([four, np.full((50, 2), 100.0)])
    weights = np.append(np.ones(len(four)), np.zeros(50))
    result = prediction_strength(X, range(1, 7), sample_weight=weights, random_state=0)
    assert result.best == 4


def test_bootstrap_stability_of_good_and_bad_clusters(four):
    labels = KMeans(4, random_state=0).fit_predict(four)
    stability = bootstrap_stability(four, labels, random_state=0)
    assert stability.shape == (4,)
    assert (stability > 0.99).all()
    split = KMeans(5, random_state=0).fit_predict(four)
    parts = bootstrap_stability(four, split, random_state=0)
    # Two halves of a group are not found again; others are, unless they are halved instead.
    assert (np.sort(parts)[:2] < 0.7).all()
    assert (np.sort(parts)[2:] > 0.8).all()


def test_bootstrap_stability_by_sets(four):
    codes = KMeans(5, random_state=0).fit_predict(four).astype(np.intp)
    draws = RowDraws(_problem(four))
    refit = Refit(KMeans(n_init=10), [4], None, 1, None, None)
    found = _jaccard_of_sample(refit, four, codes, draws, 5)
    rng = np.random.RandomState(5)
    drawn = draws.rows(rng.uniform(size=len(four)))
    sample = KMeans(4, n_init=20, random_state=0).fit(four[drawn])
    clusters = [set(drawn[sample.labels_ == label]) for label in range(4)]
    for label, value in enumerate(found):
        rows = set(np.flatnonzero(codes == label)) & set(drawn)
        best = max(len(rows & other) / len(rows | other) for other in clusters)
        assert value == pytest.approx(best, abs=1e-12)


def test_bootstrap_stability_keeps_the_order_of_the_labels(four):
    names = np.array(["d", "b", "a", "c"])[KMeans(4, random_state=0).fit_predict(four)]
    assert bootstrap_stability(four, names, n_bootstraps=3, random_state=0).shape == (4,)
    with pytest.raises(ValueError, match="one label for each row"):
        bootstrap_stability(four, names[:-1])


def test_other_clusterers(four):
    clusterer = AgglomerativeClustering()
    assert (
        gap_statistic(four, range(1, 7), estimator=clusterer, n_refs=5, random_state=0).best == 4
    )
    strong = prediction_strength(four, range(2, 7), estimator=clusterer, random_state=0)
    assert strong.best == 4
    labels = AgglomerativeClustering(4).fit_predict(four)
    stability = bootstrap_stability(four, labels, estimator=clusterer, random_state=0)
    assert (stability > 0.99).all()


# Elbow.


def test_elbow_of_clear_curves(four):
    curve = [KMeans(k, n_init=10, random_state=0).fit(four).inertia_ for k in range(1, 11)]
    for method in ("kneedle", "second-difference"):
        assert find_elbow(range(1, 11), curve, method=method) == 4
    # As inertia itself, the first split takes most: the elbow is seen too early.
    assert find_elbow(range(1, 11), curve, scale="linear", clarity=0) == 3


@pytest.mark.parametrize("d", [1, 2, 3, 10])
def test_no_elbow_in_the_curve_of_no_structure(d):
    numbers = np.arange(1, 16)
    assert find_elbow(numbers, numbers ** (-2.0 / d)) is None
    assert find_elbow(numbers, numbers ** (-2.0 / d), clarity=0) is not None


def test_kneedle_by_hand():
    x, y = np.array([1.0, 2.0, 4.0, 8.0]), np.array([100.0, 30.0, 20.0, 10.0])
    # Below the chord by 1 - x' - y': 0, 0.635, 0.46, 0.
    assert find_elbow(x, y, scale="linear", clarity=0) == 2
    assert find_elbow(x, y, scale="linear", method="second-difference", clarity=0) == 2


def test_elbow_where_nothing_is_left():
    assert find_elbow([1, 2, 3, 4], [9.0, 5.0, 1.0, 0.0]) is None  # 4 has no inertia to compare
    assert find_elbow([1, 2], [9.0, 5.0]) is None
    for curve in ([9.0, 5.0, 0.0, 0.0], [9.0, 5.0, 0.0, 4.0, 3.0], [9.0, 8.9, 0.0, 0.0]):
        for scale in ("log", "linear"):
            assert find_elbow(range(2, 2 + len(curve)), curve, scale=scale) == 4
    assert find_elbow([1, 2, 3, 4], [0.0, 0.0, 0.0, 0.0]) is None
    assert find_elbow([1, 2, 3, 4], [0.0, 5.0, 4.0, 1.0]) is None
    assert find_elbow([2, 4, 6, 8, 10], [90.0, 9.0, 8.0, 7.0, 0.0]) == 4  # the last is no elbow
    X = np.repeat([[0.0], [1.0], [5.0], [9.0]], 3, axis=0)
    with pytest.warns(ConvergenceWarning):
        curve = [KMeans(k, n_init=5, random_state=0).fit(X).inertia_ for k in range(1, 7)]
    assert find_elbow(range(1, 7), curve) == 4
    assert find_elbow([1, 2, 3], [5.0, 5.0, 5.0]) is None


@pytest.mark.parametrize(
    ("numbers", "inertia", "message"),
    [
        ([1, 2, 3], [3.0, 2.0], "n_clusters has 3 entries, and inertia 2"),
        ([1, 3, 2], [3.0, 2.0, 1.0], "increase"),
        ([0, 1, 2], [3.0, 2.0, 1.0], "positive"),
        ([1, 2, 3], [3.0, 2.0, -1.0], "not be negative"),
        ([1, 2, 3], [3.0, np.nan, 1.0], "NaN"),
    ],
)
def test_elbow_of_bad_curves(numbers, inertia, message):
    with pytest.raises(ValueError, match=message):
        find_elbow(numbers, inertia)
    with pytest.raises(InvalidParameterError, match="'method' parameter of find_elbow"):
        find_elbow([1, 2, 3], [3.0, 2.0, 1.0], method="eye")


@pytest.mark.parametrize("function", [gap_statistic, prediction_strength])
def test_bad_arguments(four, function):
    with pytest.raises(TypeError, match="has no parameter n_clusters to search"):
        function(four, estimator=_Nothing())
    with pytest.raises(ValueError, match="n_clusters is empty"):
        function(four, [])
    with pytest.raises(ValueError, match="contains NaN"):
        function(np.where(four > 3, np.nan, four))


class _Nothing:
    def fit(self, X):
        return self
