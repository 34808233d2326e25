"""scikit-learn's own checks, with no expected failure, and those that they leave out."""

import inspect

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.estimator_checks import parametrize_with_checks

import sklearn_lloyd
from sklearn_lloyd import (
    KMeans,
    MiniBatchKMeans,
    k_means,
    kmeans_plusplus,
    metrics,
    model_selection,
)
from sklearn_lloyd.model_selection import NClustersSearch, gap_statistic
from sklearn_lloyd.preprocessing import (
    CategoryEncoder,
    CentroidFeatures,
    ClusterScaler,
    SignedLog,
)
from sklearn_lloyd.preprocessing._features import OUTPUTS
from sklearn_lloyd.preprocessing._scaling import METHODS

ESTIMATORS = [
    KMeans(),
    KMeans(algorithm="elkan"),
    KMeans(init="k-means||"),
    KMeans(init="random", n_init=2),
    KMeans(init="random-partition", n_init=2),
    KMeans(init_size=30),
    KMeans(n_threads=2),
    MiniBatchKMeans(),
    MiniBatchKMeans(init="random", batch_size=10, n_threads=2),
    MiniBatchKMeans(init="k-means||", init_size=20, reassignment_ratio=0.5, tol=1e-3),
    MiniBatchKMeans(compute_labels=True, max_no_improvement=None, max_iter=5),
    NClustersSearch(),
    NClustersSearch(KMeans(random_state=0), n_clusters=(2, 3), criterion="bic"),
    NClustersSearch(n_clusters=4, criterion="elbow", criteria=(), sample_size=20),
    *(ClusterScaler(method) for method in METHODS),
    SignedLog(),
    CategoryEncoder(),
    CategoryEncoder("mca", max_categories=3),
    ClusterScaler("range", clip=2.0),
    ClusterScaler("whiten", shrinkage=0.1),
    *(CentroidFeatures(output=output) for output in OUTPUTS),
    CentroidFeatures(output="one-hot", sparse_output=True),
    CentroidFeatures(KMeans(n_clusters=2), output=["soft", "label"], passthrough=True),
    CentroidFeatures(MiniBatchKMeans(n_clusters=2), output=["residual", "distance"]),
]


# Some checks fit data of fewer distinct rows than clusters; scikit-learn's estimator warns too.
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore:algorithm='elkan' doesn't make sense:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:n_clusters=.* left out:UserWarning")
@pytest.mark.filterwarnings("ignore:criterion=.* has no answer:UserWarning")
# And one has more features than rows.
@pytest.mark.filterwarnings("ignore:method='whiten' needs more rows than features:UserWarning")
@parametrize_with_checks(ESTIMATORS)
def test_sklearn_checks(estimator, check):
    name = getattr(check, "func", check).__name__
    if name.endswith("_on_sparse_data") and not get_tags(estimator).input_tags.sparse:
        # scikit-learn 1.6 asks this of estimators for dense rows, too.
        with pytest.raises(ValueError, match="sparse X"):
            check(estimator)
        return
    check(estimator)


@pytest.fixture
def blobs():
    rng = np.random.RandomState(0)
    return np.concatenate([rng.normal(c, 0.3, (30, 3)) for c in (0, 5, 10)])


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_in_and_out(blobs, library):
    names = ["height", "width", "depth"]
    frame = {"pandas": pd, "polars": pl}[library].DataFrame(dict(zip(names, blobs.T, strict=True)))
    model = KMeans(3, random_state=0).set_output(transform=library).fit(frame)
    assert list(model.feature_names_in_) == names
    out = model.transform(frame)
    assert type(out) is type(frame)
    assert list(out.columns) == ["kmeans0", "kmeans1", "kmeans2"]
    assert list(model.get_feature_names_out()) == ["kmeans0", "kmeans1", "kmeans2"]
    plain = KMeans(3, random_state=0).fit(blobs)
    np.testing.assert_array_equal(model.labels_, plain.labels_)
    np.testing.assert_allclose(np.asarray(out), plain.transform(blobs))
    with pytest.raises(ValueError, match="feature names"):
        model.predict(
            frame.rename({"height": "size"}, **({"axis": 1} if library == "pandas" else {}))
        )
    with pytest.warns(UserWarning, match="does not have valid feature names"):
        model.predict(blobs)


def test_metadata_routing(blobs):
    weights = np.linspace(0, 1, len(blobs))
    with sklearn.config_context(enable_metadata_routing=True):
        inner = KMeans(3, random_state=0).set_fit_request(sample_weight=True)
        inner.set_score_request(sample_weight=True)
        pipeline = make_pipeline(StandardScaler().set_fit_request(sample_weight=False), inner)
        pipeline.fit(blobs, sample_weight=weights)
        routed = pipeline[-1].cluster_centers_
        search = GridSearchCV(inner, {"n_clusters": [2, 3]}, cv=2)
        search.fit(blobs, sample_weight=weights)
    direct = KMeans(3, random_state=0).fit(StandardScaler().fit_transform(blobs), None, weights)
    np.testing.assert_array_equal(routed, direct.cluster_centers_)
    assert search.best_params_["n_clusters"] == 3


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n_clusters", 0),
        ("n_clusters", 2.5),
        ("init", "kmeans"),
        ("n_init", 0),
        ("n_init", "many"),
        ("max_iter", 0),
        ("tol", -1.0),
        ("verbose", "loud"),
        ("random_state", "seed"),
        ("copy_x", "no"),
        ("algorithm", "full"),
        ("init_size", 0),
        ("init_size", 20.5),
        ("init_size", "all"),
        ("n_threads", 0),
    ],
)
def test_parameters_out_of_range(blobs, name, value):
    model = KMeans(3, random_state=0).fit(blobs)
    before = model.cluster_centers_
    model.set_params(**{name: value})
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of KMeans"):
        model.fit(blobs + 1)
    assert model.cluster_centers_ is before


def test_grid_search_and_clone(blobs):
    pipeline = make_pipeline(StandardScaler(), KMeans(random_state=0))
    search = GridSearchCV(pipeline, {"kmeans__n_clusters": [2, 3, 4]}, cv=3).fit(blobs)
    assert search.best_estimator_[-1].cluster_centers_.shape[1] == 3
    assert not hasattr(clone(search.best_estimator_)[-1], "cluster_centers_")


def test_html_repr_names_the_parameters(blobs):
    assert "n_clusters" in KMeans(3).fit(blobs)._repr_html_()


def test_functions_say_what_does_not_fit():
    X = [[0.0], [1.0], [2.0]]
    for name, value in (("n_clusters", 0), ("n_local_trials", 0)):
        given = {"n_clusters": 2, name: value}
        with pytest.raises(InvalidParameterError, match=f"'{name}' parameter of kmeans_plusplus"):
            kmeans_plusplus(X, **given)
    with pytest.raises(TypeError, match="n_seeds"):
        kmeans_plusplus(X, 2, n_seeds=3)
    with pytest.raises(TypeError, match="positional"):
        kmeans_plusplus(X, 2, None)


SET_LATER = [
    (KMeans(3, random_state=0), {"n_clusters": 5, "init": "random", "algorithm": "elkan"}),
    (MiniBatchKMeans(3, random_state=0), {"n_clusters": 5, "batch_size": 7, "init": "random"}),
    *(
        (ClusterScaler(method, clip=clip), {"method": other, "clip": set_clip, **more})
        for method, clip, other, set_clip in [
            ("zscore", None, "maxabs", None),
            ("maxabs", None, "whiten", 2.0),
            ("robust", 2.0, "unit-norm", None),
            ("unit-norm", None, "range", None),
            ("none", None, "zscore", 2.0),
        ]
        for more in [{"feature_weights": [0.0, 4.0, 1.0], "quantile_range": (5.0, 10.0)}]
    ),
    (
        CentroidFeatures(n_clusters=3, random_state=0),
        {"output": ["soft", "residual"], "passthrough": True, "n_clusters": 2, "gamma": 9.0},
    ),
    (
        CentroidFeatures(KMeans(3, random_state=0), output="residual", passthrough=True),
        {"output": "one-hot", "passthrough": False, "sparse_output": True,
         "estimator": KMeans(2)},
    ),
    (
        CentroidFeatures(n_clusters=3, output="one-hot", sparse_output=True, random_state=0),
        {"output": "similarity", "sparse_output": False, "temperature": 3.0},
    ),
    (
        NClustersSearch(n_clusters=(2, 3, 4), random_state=0),
        {"n_clusters": 7, "criterion": "gap", "estimator": ClusterScaler(), "refit": False},
    ),
]  # fmt: skip
CALLS = ("predict", "transform", "score", "inverse_transform", "get_feature_names_out")


@pytest.mark.parametrize(("estimator", "later"), SET_LATER)
def test_what_was_fitted_decides_and_not_what_is_set_later(blobs, estimator, later):
    def answers():
        for name in CALLS:
            for X in (blobs, sparse.csr_matrix(blobs)):
                given = () if name == "get_feature_names_out" else (X,)
                try:
                    found = getattr(model, name)(*given)
                except (AttributeError, ValueError) as error:
                    yield name, type(error)
                else:
                    yield name, type(found)
                    yield from np.asarray(
                        found.toarray() if sparse.issparse(found) else found
                    ).ravel()

    model = clone(estimator).fit(blobs)
    before = list(answers())
    model.set_params(**later)
    assert list(answers()) == before
    assert len(before) > len(blobs)


def plain_functions():
    for module in (sklearn_lloyd, metrics, model_selection):
        for name in module.__all__:
            function = getattr(module, name)
            if hasattr(function, "__wrapped__"):
                yield function


@pytest.mark.parametrize("function", list(plain_functions()), ids=lambda each: each.__name__)
def test_functions_say_which_parameter_was_meant(function):
    name = list(inspect.signature(function).parameters)[-1]
    with pytest.raises(TypeError, match=f"{name}s?x'.*did you mean '{name}'"):
        function(**{name + "x": 1})


@pytest.mark.parametrize(
    ("kind", "wrong", "meant"),
    [
        (KMeans, "n_cluster", "n_clusters"),
        (MiniBatchKMeans, "batchsize", "batch_size"),
        (ClusterScaler, "methods", "method"),
        (CentroidFeatures, "pass_through", "passthrough"),
        (NClustersSearch, "criterions", "criterion"),
    ],
)
def test_estimators_say_which_parameter_was_meant(kind, wrong, meant):
    with pytest.raises(TypeError, match=rf"{kind.__name__}\(\) got .* '{wrong}'.*mean '{meant}'"):
        kind(**{wrong: 3})
    pipeline = make_pipeline(kind())
    with pytest.raises(ValueError, match=f"'{wrong}' for .* {kind.__name__}: .* '{meant}'"):
        pipeline.set_params(**{f"{kind.__name__.lower()}__{wrong}": 3})
    with pytest.raises(ValueError, match=r"'zzz' for estimator .*: known are "):
        kind().set_params(zzz=1)
    # Nothing of it shows where parameters are looked up, nor in a class that a user derives.
    assert set(inspect.signature(kind).parameters) == set(kind().get_params(deep=False))

    class Derived(kind):
        def __init__(self, own=1, **kwargs):
            self.own = own
            super().__init__(**kwargs)

    with pytest.raises(TypeError, match=f"mean '{meant}'"):
        Derived(own=2, **{wrong: 3})


@pytest.mark.parametrize("value", [True, False, np.True_])
def test_truth_is_no_number(blobs, value):
    calls = {
        "n_clusters": lambda: KMeans(value).fit(blobs),
        "n_init": lambda: KMeans(3, n_init=value).fit(blobs),
        "max_iter": lambda: MiniBatchKMeans(3, max_iter=value).fit(blobs),
        "batch_size": lambda: MiniBatchKMeans(3, batch_size=value).fit(blobs),
        "n_clusters ": lambda: kmeans_plusplus(blobs, value),
        "n_clusters  ": lambda: k_means(blobs, value),
        "n_clusters   ": lambda: CentroidFeatures(n_clusters=value).fit(blobs),
        "n_refs": lambda: NClustersSearch(n_refs=value).fit(blobs),
        "n_passes": lambda: MiniBatchKMeans(3).fit_batches([blobs], n_passes=value),
        "n_clusters    ": lambda: NClustersSearch(n_clusters=value).fit(blobs),
        "n_clusters     ": lambda: gap_statistic(blobs, [1, value]),
    }
    for name, call in calls.items():
        with pytest.raises(ValueError, match=rf"{name.strip()}.*(int|whole).*{value}"):
            call()
