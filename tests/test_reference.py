"""The reference itself: against scikit-learn, and weights against repeated rows."""

import numpy as np
import pytest
import reference
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import cluster, metrics
from sklearn.datasets import make_blobs

DENSE, TRUTH = make_blobs(300, 5, centers=8, random_state=0)
WHOLE = np.random.default_rng(0).integers(0, 5, size=(90, 3))
WEIGHTS = np.random.default_rng(1).integers(0, 4, size=90).astype(float)
REPEATED = np.repeat(np.arange(90), WEIGHTS.astype(int))


@pytest.mark.parametrize("as_given", [np.asarray, np.float32, sparse.csr_matrix])
@pytest.mark.parametrize("tol", [0.0, 0.1])
def test_lloyd_is_that_of_scikit_learn(as_given, tol):
    X, weights = as_given(DENSE), np.random.default_rng(2).uniform(1, 2, size=300)
    start = np.float32(DENSE[:8])
    model = cluster.KMeans(8, init=start, n_init=1, tol=tol).fit(X, sample_weight=weights)
    labels, centers, inertia, n_iter = reference.lloyd(X, start, weights, tol=tol)
    assert_array_equal(labels, model.labels_)
    assert_allclose(centers, model.cluster_centers_, rtol=1e-4)
    assert_allclose(inertia, model.inertia_, rtol=1e-5)
    assert n_iter == model.n_iter_


def test_empty_clusters_get_the_rows_that_cost_most():
    X = np.array([[0.0], [1.0], [9.0], [9.0], [20.0]])
    start = np.array([[0.0], [500.0], [600.0]])
    labels, centers, inertia, n_iter = reference.lloyd(X, start)
    # The row at 20, then those at 9, though each of these costs less than half of it.
    assert_array_equal(labels, [0, 0, 2, 2, 1])
    assert_array_equal(centers, [[0.5], [20.0], [9.0]])
    assert (inertia, n_iter) == (0.5, 2)
    # One distinct row: what stays empty is where the heaviest cluster is.
    assert_array_equal(reference.lloyd(X[2:4], start[:2])[1], [[9.0], [9.0]])


def test_weights_are_repeated_rows():
    rows = reference.kmeans_plusplus(WHOLE, 12, 0, WEIGHTS)
    repeated = reference.kmeans_plusplus(WHOLE[REPEATED], 12, 0)
    assert_array_equal(WHOLE[rows], WHOLE[REPEATED][repeated])
    start = np.concatenate([WHOLE[rows], [[99, 99, 99]]])
    weighted = reference.lloyd(WHOLE, start, WEIGHTS)
    repeated = reference.lloyd(WHOLE[REPEATED], start)
    assert_array_equal(weighted[0][REPEATED], repeated[0])
    assert_allclose(weighted[1], repeated[1])
    assert weighted[3] == repeated[3]
    counts = np.ones(len(start))
    steps = [
        reference.minibatch_step(WHOLE, start, counts, WEIGHTS),
        reference.minibatch_step(WHOLE[REPEATED], start, counts),
    ]
    for one, other in zip(*steps, strict=True):
        assert_allclose(one, other)
    for simplified in (False, True):
        widths = reference.silhouettes(WHOLE, weighted[0], WEIGHTS, simplified)
        others = reference.silhouettes(WHOLE[REPEATED], repeated[0], None, simplified)
        assert_allclose(widths[REPEATED], others, atol=1e-12)


def test_kmeans_plusplus_draws_by_squared_distance():
    X = np.array([[0.0], [1.0], [3.0]])
    drawn = np.array([reference.kmeans_plusplus(X, 2, seed, n_trials=1) for seed in range(1500)])
    assert_allclose(np.bincount(drawn[:, 0]) / 1500, 1 / 3, atol=0.04)
    second = drawn[drawn[:, 0] == 0, 1]
    assert_allclose(np.bincount(second) / second.size, [0.0, 0.1, 0.9], atol=0.05)
    # With no rows left that differ, rows come twice.
    assert set(reference.kmeans_plusplus(X, 5, 0)) == {0, 1, 2}


@pytest.mark.parametrize("as_given", [np.asarray, sparse.csr_matrix])
def test_canonical_keys_are_equal_for_equal_rows_alone(as_given):
    X = np.random.default_rng(3).integers(0, 3, size=(300, 4))
    keys = reference.canonical_keys(as_given(X), np.ones(300))
    assert np.unique(keys).size == len(np.unique(X, axis=0))
    assert np.unique(np.column_stack([X, keys]), axis=0).shape[0] == np.unique(keys).size


def test_minibatch_step_is_the_mean_of_all_rows_that_chose_a_center():
    centers, counts, _ = reference.minibatch_step(DENSE[:100], DENSE[:3], np.zeros(3))
    again, counts, inertia = reference.minibatch_step(DENSE[100:200], centers, counts)
    assert counts.sum() == 200
    nearest = metrics.pairwise_distances_argmin_min(DENSE[100:200], centers)
    assert_allclose(inertia, np.square(nearest[1]).sum())
    before = metrics.pairwise_distances_argmin(DENSE[:100], DENSE[:3])
    rows = np.concatenate([DENSE[:100][before == 0], DENSE[100:200][nearest[0] == 0]])
    assert_allclose(again[0], rows.mean(axis=0))


def test_silhouettes_are_those_of_scikit_learn():
    labels = np.append(TRUTH[:-1], 8)  # a row that is alone
    for metric, root in (("euclidean", np.sqrt), ("sqeuclidean", np.positive)):
        widths = metrics.silhouette_samples(DENSE, labels, metric=metric)
        assert_allclose(reference.silhouettes(DENSE, labels, root=root), widths, atol=1e-12)
    widths = reference.silhouettes(
        np.array([[0.0], [1], [10], [11]]), np.repeat([0, 1], 2), None, True
    )
    assert_allclose(widths, [20 / 21, 18 / 19, 18 / 19, 20 / 21])
