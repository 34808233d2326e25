"""Which clusters are groups of their own, and what must not change that."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sklearn_lloyd import KMeans
from sklearn_lloyd._rows import Rows
from sklearn_lloyd.metrics._separation import WINDOW, Separation, separations


def separation_of(X, labels, weights=None):
    labels = np.asarray(labels).astype(np.intp)
    counts = np.ones(len(labels)) if weights is None else weights
    dense = X.toarray() if sparse.issparse(X) else np.asarray(X, np.float64)
    members = [labels == cluster for cluster in range(labels.max() + 1)]
    centers = np.array([np.average(dense[own], axis=0, weights=counts[own]) for own in members])
    sizes = np.array([counts[own].sum() for own in members])
    return separations(Rows(X), weights, [(labels, centers, sizes)])[0]


def two_groups(distance, n=4000, d=2, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.repeat([0, 1], n // 2)
    X = rng.normal(size=(n, d))
    X[:, 0] += distance * labels
    return X, labels


def test_counts_of_a_line():
    # Evenly spaced rows: the windows hold as many each.
    X = np.linspace(0.0, 1.0, 4001)[:, np.newaxis]
    found = separation_of(X, X[:, 0] > 0.5)
    # Centres are at 1/4 and 3/4, so that a window is 2 * WINDOW / 2 of all rows wide.
    assert_allclose(found.border[0, 1], WINDOW * 4001, rtol=0.01)
    assert_allclose(found.centers[0, 1], WINDOW * 4001, rtol=0.01)
    assert found.joined[0, 1]
    assert found.n_groups == 1
    assert_array_equal(found.border, found.border.T)


@pytest.mark.parametrize(("distance", "n_groups"), [(6.0, 2), (4.0, 2), (2.0, 1), (0.0, 1)])
@pytest.mark.parametrize("d", [1, 2, 10])
def test_two_normal_groups(distance, n_groups, d):
    X, labels = two_groups(distance, d=d)
    if distance < 3.0:
        labels = KMeans(2, random_state=0).fit_predict(X)
    found = separation_of(X, labels)
    assert found.n_groups == n_groups
    assert found.apart[0, 1] == (n_groups == 2)


@pytest.mark.parametrize("shape", [(60, 60), (100, 300), (200, 20)])
def test_few_rows_of_many_features_have_no_gaps(shape):
    # k-means puts each row where it pulls the centre to: without the row itself, the gap is gone.
    X = np.random.default_rng(0).normal(size=shape)
    for k in (2, 3, 5):
        assert separation_of(X, KMeans(k, random_state=0).fit_predict(X)).n_groups == 1


def test_corners_are_no_valleys():
    # The cells of an even cloud are narrow where they meet, in many dimensions more so.
    X = np.random.default_rng(0).uniform(size=(3000, 8))
    for k in (4, 10):
        found = separation_of(X, KMeans(k, random_state=0).fit_predict(X))
        assert found.n_groups == 1
        assert not found.apart[found.border > 20].any()


def test_groups_that_do_not_meet_are_not_joined():
    X, labels = two_groups(40.0)
    X[:, 1] += 40.0 * (np.arange(len(X)) % 2)
    labels = 2 * labels + np.arange(len(X)) % 2
    found = separation_of(X, labels)
    assert found.n_groups == 4
    assert not found.joined.any()


def test_a_chain_of_clusters_is_one_group():
    X = np.linspace(0.0, 1.0, 3000)[:, np.newaxis]
    labels = np.minimum((5 * X[:, 0]).astype(int), 4)
    found = separation_of(np.vstack([X, X + 9.0]), np.r_[labels, labels + 5])
    assert found.n_groups == 2


@pytest.mark.parametrize("levels", [2, 3, 6])
def test_gaps_between_values_are_none_between_groups(levels):
    rng = np.random.default_rng(0)
    kinds = rng.integers(levels, size=900)
    one_hot = np.c_[np.eye(levels)[kinds], 0.1 * rng.normal(size=(900, 2))]
    assert separation_of(one_hot, kinds).n_groups == 1
    # Rows that agree in many such features are groups.
    values = rng.integers(0, 2, size=(3, 30))
    groups = rng.integers(3, size=900)
    X = np.where(rng.uniform(size=(900, 30)) < 0.1, 1 - values[groups], values[groups])
    assert separation_of(X.astype(float), groups).n_groups == 3


def mixed():
    rng = np.random.default_rng(1)
    labels = rng.integers(3, size=400)
    X = rng.poisson(1.0, size=(400, 6)) * 1.0 + 2.0 * np.eye(6)[labels]
    return X, labels


def test_sparse_rows_are_as_good_as_dense_ones():
    X, labels = mixed()
    a, b = separation_of(X, labels), separation_of(sparse.csr_array(X), labels)
    assert_allclose(a.border, b.border, rtol=1e-9)
    assert_allclose(a.centers, b.centers, rtol=1e-9)


def test_weights_are_as_good_as_repeats():
    X, labels = mixed()
    weights = np.random.default_rng(0).integers(1, 4, size=400)
    repeated = np.repeat(np.arange(400), weights)
    a = separation_of(X, labels, weights.astype(float))
    b = separation_of(X[repeated], labels[repeated])
    assert_allclose(a.border, b.border, rtol=1e-9)
    assert_allclose(a.centers, b.centers, rtol=1e-9)


@pytest.mark.parametrize("scale", [1e-140, 1.0, 1e140])
def test_scale_and_offset_do_not_matter(scale):
    X, labels = mixed()
    expected, found = separation_of(X, labels), separation_of(X * scale, labels)
    assert_allclose(found.border, expected.border, rtol=1e-9)
    assert_allclose(found.centers, expected.centers, rtol=1e-9)


def test_too_few_rows_say_nothing():
    counts = np.array([[0.0, 3.0], [3.0, 0.0]])
    found = Separation(np.zeros((2, 2)), counts, np.full(2, 3.0), 0.0)
    assert not found.apart.any()
    assert not found.joined.any()
    assert found.n_groups == 1
    nothing = Separation(counts * 0.0, counts * 0.0, np.full(2, 3.0), 0.0)
    assert np.isnan(nothing.ratios).all()
