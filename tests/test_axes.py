"""Principal axes: what decides about their signs, and about axes of equal variances."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse
from scipy.spatial.distance import pdist

from sklearn_lloyd import _axes
from sklearn_lloyd._axes import principal_axes, same_distances

RNG = np.random.default_rng(0)
ROWS = {
    "tall": RNG.normal(size=(50, 4)) * [3, 2, 1, 0.5] + 10.0,
    "wide": RNG.normal(size=(12, 40)),
    "constant feature": np.insert(RNG.normal(size=(30, 3)), 1, 1e6 + 0.1, axis=1),
    "corners": np.tile(np.eye(6), (3, 1)),
    "square": np.tile([[-1.0, 1.0], [1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]], (4, 1)),
    "differences beyond the dtype": np.int8([[-128, 0], [127, 1], [100, 0], [-100, 1]]),
    "bool": RNG.normal(size=(20, 3)) > 0.0,
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("rows", ROWS)
def test_axes_of_the_covariance(rows, weighted):
    X = ROWS[rows]
    weights = np.arange(1.0, len(X) + 1.0) if weighted else None
    found = principal_axes(X, weights)
    covariance = np.cov(X.T, aweights=weights, ddof=0)
    assert_allclose(found.total, np.trace(covariance))
    assert_allclose(found.variances.sum(), found.total)
    assert_allclose(found.axes @ found.axes.T, np.eye(len(found.axes)), atol=1e-10)
    assert_allclose((found.axes.T * found.variances) @ found.axes, covariance, atol=1e-8)
    assert_allclose(found.mean, np.average(X, axis=0, weights=weights), atol=1e-14)
    assert_allclose(pdist(found.project(X)), pdist(X), atol=1e-8)


@pytest.mark.parametrize("n_axes", [None, 2])
@pytest.mark.parametrize("rows", ROWS)
def test_order_of_the_rows_does_not_show(rows, n_axes):
    X = ROWS[rows]
    axes = principal_axes(X, n_axes=n_axes).axes
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(X))
        assert_allclose(principal_axes(X[order], n_axes=n_axes).axes, axes, atol=1e-7)


def test_the_rule():
    assert_allclose(principal_axes(ROWS["square"]).axes, np.eye(2), atol=1e-12)
    diagonal = np.outer([-2.0, -1.0, 1.0, 2.0], [-1.0, 1.0])
    assert_allclose(principal_axes(diagonal).axes, [[0.5**0.5, -(0.5**0.5)]])
    axes = principal_axes(ROWS["tall"]).axes
    assert (axes[range(4), np.abs(axes).argmax(axis=1)] > 0).all()
    # Rows that do not vary have an axis all the same.
    for X in (np.full((5, 3), 0.1), sparse.csr_matrix(np.full((5, 3), 0.1))):
        found = principal_axes(X, n_axes=2)
        assert_allclose(found.axes, [[1.0, 0.0, 0.0]])
        assert found.total == 0.0


@pytest.mark.parametrize("wrap", [np.asarray, sparse.csr_matrix])
def test_by_iterations(wrap, monkeypatch):
    X = ROWS["wide"]
    expected = principal_axes(X, n_axes=2)
    monkeypatch.setattr(_axes, "_MANY", 1)
    found = principal_axes(wrap(X), n_axes=2)
    for a, b in zip(found, expected, strict=True):
        assert_allclose(a, b, atol=1e-9)
    assert_allclose(found.project(wrap(X)), expected.project(X), atol=1e-8)


@pytest.mark.parametrize("wrap", [np.asarray, sparse.csr_matrix])
def test_points_with_the_same_distances(wrap):
    for X in ROWS.values():
        points = same_distances(wrap(X))
        assert points.shape[1] < len(X)
        tolerance = 1e-7 if wrap is np.asarray else 1e-16 * np.square(X).sum()
        assert_allclose(pdist(points), pdist(X), atol=max(1e-7, tolerance**0.5))
