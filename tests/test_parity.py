"""From the same start, the clustering of scikit-learn's KMeans."""

import inspect

import numpy as np
import pytest
import sklearn.cluster
from scipy import sparse
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_linnerud,
    load_wine,
    make_blobs,
)
from sklearn.metrics import silhouette_score
from sklearn.preprocessing import StandardScaler

from sklearn_lloyd import KMeans, MiniBatchKMeans, k_means, kmeans_plusplus

BUNDLED = {
    "breast_cancer": load_breast_cancer,
    "diabetes": load_diabetes,
    "digits": load_digits,
    "iris": load_iris,
    "linnerud": load_linnerud,
    "wine": load_wine,
}


def start(X, n_clusters, seed):
    """Random points of the box of the data: no row is as near to one as to another."""
    rng = np.random.RandomState(seed)
    rows = X[rng.choice(len(X), n_clusters, replace=False)]
    return rows + rng.normal(scale=0.01 * X.std(axis=0) + 1e-6, size=rows.shape).astype(X.dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("scale", [False, True])
@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_sets(name, scale, dtype):
    X = BUNDLED[name]().data.astype(dtype)
    if scale:
        X = StandardScaler().fit_transform(X)
    for n_clusters in (2, 10):
        init = start(X, n_clusters, seed=n_clusters)
        theirs = sklearn.cluster.KMeans(n_clusters, init=init, n_init=1).fit(X)
        for algorithm in ("lloyd", "elkan", "auto"):
            ours = KMeans(n_clusters, init=init, algorithm=algorithm).fit(X)
            np.testing.assert_array_equal(ours.labels_, theirs.labels_)
            assert ours.n_iter_ == theirs.n_iter_
            tolerance = 1e-9 if dtype == np.float64 else 1e-5
            assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=tolerance)
            assert ours.cluster_centers_.dtype == dtype
        np.testing.assert_array_equal(ours.predict(X), ours.labels_)
        np.testing.assert_allclose(
            ours.transform(X), theirs.transform(X), rtol=1e-4, atol=1e-4 * np.abs(X).max()
        )
        assert ours.score(X) == pytest.approx(-ours.inertia_, rel=1e-12)


def test_sparse_and_weights():
    rng = np.random.RandomState(0)
    X = sparse.random(400, 60, 0.1, format="csr", random_state=rng)
    weights = rng.uniform(0.5, 2.0, 400)
    init = X[:7].toarray() + rng.uniform(0, 0.01, (7, 60))
    theirs = sklearn.cluster.KMeans(7, init=init, n_init=1, tol=0).fit(X, sample_weight=weights)
    ours = KMeans(7, init=init, tol=0).fit(X, sample_weight=weights)
    np.testing.assert_array_equal(ours.labels_, theirs.labels_)
    assert ours.n_iter_ == theirs.n_iter_
    assert ours.inertia_ == pytest.approx(theirs.inertia_, rel=1e-9)
    dense = KMeans(7, init=init, tol=0).fit(X.toarray(), sample_weight=weights)
    np.testing.assert_array_equal(ours.labels_, dense.labels_)


def test_tutorial_of_four_blobs():
    X, _ = make_blobs(300, centers=4, cluster_std=0.8, random_state=42)
    rows = np.random.RandomState(42).choice(300, 4, replace=False)
    bad = KMeans(4, init=X[rows], tol=0).fit(X)
    assert round(bad.inertia_, 2) == 1886.16
    assert bad.n_iter_ == 7
    good = KMeans(4, n_init=10, random_state=42).fit(X)
    assert round(good.inertia_, 2) == 362.47
    assert sorted(np.bincount(good.labels_)) == [75, 75, 75, 75]
    assert round(silhouette_score(X, good.labels_), 4) == 0.8335


def test_tutorial_of_three_blobs():
    X, _ = make_blobs(300, centers=3, cluster_std=0.6, random_state=0)
    theirs = sklearn.cluster.KMeans(3, n_init=10, random_state=0, tol=0).fit(X).cluster_centers_
    ours = KMeans(3, n_init=10, random_state=0, tol=0).fit(X).cluster_centers_
    order, their_order = np.argsort(ours[:, 0]), np.argsort(theirs[:, 0])
    np.testing.assert_allclose(ours[order], theirs[their_order], atol=1e-6)


@pytest.mark.parametrize(("offset", "dtype"), [(1e4, np.float32), (1e8, np.float64)])
@pytest.mark.parametrize("apart", [True, False])
def test_far_from_the_origin(offset, dtype, apart):
    X, y = make_blobs(3000, centers=5, n_features=4, center_box=(-30, 30), random_state=3)
    rows = [np.flatnonzero(y == blob)[0] for blob in range(5)]
    if not apart:
        X = np.random.RandomState(0).normal(size=(3000, 4))
    X = X.astype(dtype)
    moved = (X + dtype(offset)).astype(dtype)
    far = KMeans(5, init=moved[rows]).fit(moved)
    np.testing.assert_array_equal(far.predict(moved), far.labels_)

    # Against float64 throughout, on the same shifted array brought back to the origin.
    back = moved.astype(np.float64) - offset
    near = KMeans(5, init=back[rows]).fit(back)
    assert np.mean(near.labels_ == far.labels_) > (0.9995 if offset == 1e4 else 1 - 1e-12)
    assert far.inertia_ == pytest.approx(near.inertia_, rel=1e-3 if offset == 1e4 else 1e-9)
    assert far.n_iter_ == near.n_iter_
    if apart:
        unmoved = KMeans(5, init=X[rows]).fit(X)
        np.testing.assert_array_equal(far.labels_, unmoved.labels_)
        assert far.inertia_ == pytest.approx(unmoved.inertia_, rel=1e-3)

    centers = far.cluster_centers_.astype(np.float64)
    sq_distances = np.square(moved.astype(np.float64)[:, None] - centers).sum(axis=2)
    np.testing.assert_array_equal(far.labels_, sq_distances.argmin(axis=1))
    assert far.inertia_ == pytest.approx(sq_distances.min(axis=1).sum(), rel=1e-12)
    np.testing.assert_allclose(far.transform(moved), np.sqrt(sq_distances), rtol=1e-6)


def test_signatures():
    theirs = inspect.signature(sklearn.cluster.KMeans).parameters
    ours = inspect.signature(KMeans).parameters
    assert list(ours)[: len(theirs)] == list(theirs)
    assert list(ours)[len(theirs) :] == ["init_size", "n_threads"]
    for name in set(theirs) - {"algorithm"}:
        assert ours[name].default == theirs[name].default
        assert ours[name].kind == theirs[name].kind
    assert ours["algorithm"].default == "auto"
    for function, more in ((k_means, ["init_size"]), (kmeans_plusplus, [])):
        original = getattr(sklearn.cluster, function.__name__)
        parameters = list(inspect.signature(function).parameters.values())
        theirs = list(inspect.signature(original).parameters.values())
        assert parameters[: len(theirs)] == theirs
        assert [parameter.name for parameter in parameters[len(theirs) :]] == more


@pytest.mark.parametrize("function", [KMeans, MiniBatchKMeans, kmeans_plusplus])
def test_there_is_one_implementation(function):
    arguments = () if isinstance(function, type) else (np.eye(3), 2)
    with pytest.raises(TypeError, match="unexpected keyword argument 'backend'"):
        function(*arguments, backend="numba")


def test_fitted_attributes_cover_scikit_learns():
    X = load_iris(as_frame=True).data
    theirs = vars(sklearn.cluster.KMeans(3, n_init=1).fit(X))
    ours = KMeans(3).fit(X)
    public = [name for name in theirs if name.endswith("_") and not name.startswith("_")]
    assert "feature_names_in_" in public
    assert all(hasattr(ours, name) for name in public)
    assert ours.labels_.dtype == np.int32
    assert type(ours.inertia_) is float
    assert type(ours.n_iter_) is int


def test_k_means_is_the_estimator():
    X = load_iris().data
    centers, labels, inertia, n_iter = k_means(X, 3, random_state=4, return_n_iter=True)
    model = KMeans(3, random_state=4).fit(X)
    np.testing.assert_array_equal(centers, model.cluster_centers_)
    np.testing.assert_array_equal(labels, model.labels_)
    assert (inertia, n_iter) == (model.inertia_, model.n_iter_)
    assert len(k_means(X, 3, random_state=4)) == 3


def test_kmeans_plusplus():
    X = load_iris().data
    weights = np.linspace(0, 1, len(X))
    centers, indices = kmeans_plusplus(X, 5, sample_weight=weights, random_state=2)
    np.testing.assert_array_equal(centers, X[indices])
    assert len(set(indices)) == 5
    assert 0 not in indices  # of weight zero
    as_sparse, same = kmeans_plusplus(
        sparse.csr_array(X), 5, sample_weight=weights, random_state=2, n_local_trials=3
    )
    assert isinstance(as_sparse, np.ndarray)
    np.testing.assert_array_equal(as_sparse, X[same])
    whole = kmeans_plusplus(np.arange(10).reshape(5, 2), 2, random_state=0)[0]
    assert whole.dtype.kind == "i"
    with pytest.raises(ValueError, match="n_samples=150 should be >= n_clusters=151"):
        kmeans_plusplus(X, 151)
    with pytest.raises(ValueError, match="length of x_squared_norms 3"):
        kmeans_plusplus(X, 3, x_squared_norms=np.ones(3))
