"""The path over the number of clusters: quality, monotony, and what it must not depend on."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_iris, make_blobs

from sklearn_lloyd import KMeans
from sklearn_lloyd._fit_path import fit_path
from sklearn_lloyd._init import grown_centers
from sklearn_lloyd._predict import predict_labels
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd._rows import Rows

OPTIONS = {"n_init": 1, "max_iter": 300, "tol": 1e-4, "algorithm": "auto"}


def path_of(X, numbers, weights=None, seed=0, init="k-means++", **options):
    problem = make_problem(Rows(X, 2), numbers[-1], weights)
    rng = np.random.RandomState(seed)
    return fit_path(problem, numbers, init, rng=rng, **{**OPTIONS, **options})


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(900, 5, centers=7, cluster_std=2.0, random_state=3)[0]


def test_no_worse_than_separate_fits(blobs):
    numbers = range(1, 13)
    ratios = []
    for X in (blobs, load_iris().data):
        for seed in range(3):
            path = path_of(X, list(numbers), seed=seed)
            separate = [KMeans(k, random_state=seed).fit(X).inertia_ for k in numbers]
            ratios.append(np.mean(np.log([r.inertia for r in path]) - np.log(separate)))
    assert np.mean(ratios) < 0.005


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random", "random-partition"])
def test_inertia_never_rises(blobs, init):
    path = path_of(blobs, [1, 2, 3, 5, 8, 13, 21], init=init)
    assert (np.diff([result.inertia for result in path]) < 0).all()
    for number, result in zip([1, 2, 3, 5, 8, 13, 21], path, strict=True):
        assert result.centers.shape == (number, 5)
        assert set(result.labels) == set(range(number))
        np.testing.assert_array_equal(
            result.labels, predict_labels(Rows(blobs), result.centers)
        )


def test_more_starts_are_no_worse(blobs):
    numbers = [1, 4, 7, 10]
    path = path_of(blobs, numbers, n_init=4)
    for result in path:
        assert result.start_inertias.shape == (4,)
        assert result.inertia <= result.start_inertias.min() * (1 + 1e-9)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
def test_order_and_repeats_do_not_matter(kind):
    rng = np.random.RandomState(0)
    X = rng.poisson(1.0, (150, 6)).astype(float)
    weights = rng.randint(0, 4, 150).astype(float)
    repeated = rng.permutation(np.repeat(np.arange(150), weights.astype(int)))
    a = path_of(kind(X), [1, 3, 6], weights)
    b = path_of(kind(X[repeated]), [1, 3, 6], None)
    for one, other in zip(a, b, strict=True):
        assert one.inertia == pytest.approx(other.inertia, rel=1e-9)
        np.testing.assert_array_equal(one.labels[repeated], other.labels)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array], ids=["dense", "sparse"])
@pytest.mark.parametrize("n_rows", [60, 6000])
def test_growing_adds_rows_that_are_far(kind, n_rows):
    # Two centres lie on two of four points; what is added must be the other two.
    points = np.array([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0], [9.0, 9.0]])
    X = points[np.arange(n_rows) % 4]
    problem = make_problem(Rows(kind(X), 2), 4, None)
    labels = predict_labels(problem.rows, points[:2])
    centers = grown_centers(problem, points[:2], labels, np.random.RandomState(0))
    np.testing.assert_array_equal(np.unique(centers, axis=0), np.unique(points, axis=0))
    np.testing.assert_array_equal(centers[:2], points[:2])
