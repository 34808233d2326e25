"""Whether the attributes of an estimator fit each other: before it is stored, and once it is read.

A file that was made by hand may say anything. What our estimators compute with is checked here;
parameters by the constraints that `fit` checks too.
"""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import OneHotEncoder

from sklearn_lloyd._cluster_names import are_names
from sklearn_lloyd._kmeans import KMeans
from sklearn_lloyd._minibatch_kmeans import MiniBatchKMeans
from sklearn_lloyd._squares import refuse_of_array
from sklearn_lloyd._types import BATCH_HISTORY_DTYPE, HISTORY_DTYPE, START_HISTORY_DTYPE
from sklearn_lloyd.model_selection import NClustersSearch
from sklearn_lloyd.preprocessing import (
    CategoryEncoder,
    CentroidFeatures,
    ClusterScaler,
    SignedLog,
    TableColumns,
    TimeFeatures,
)
from sklearn_lloyd.preprocessing._features import OUTPUTS


def check(estimator, state):
    """Raise a ValueError if an estimator with that state is not as `fit` leaves one.

    Parameters
    ----------
    estimator : object
        Of a type that archives hold.
    state : dict of str to object
        Its attributes.
    """
    _check_width(state)
    for kind, attributes in _OURS.items():
        if type(estimator) is kind:
            _check_ours(estimator, state, attributes)
    if state.get("memory") is not None:
        raise ValueError("a memory of transformers is a folder of pickles: set memory=None")
    for kind, name in _STEPS.items():
        if type(estimator) is kind:
            _require(_are_named(state.get(name)), name, "a list of names and steps")


def _check_ours(estimator, state, attributes):
    known = {*estimator.get_params(deep=False), *_COMMON, *attributes}
    unknown = [name for name in state if name not in known]
    if unknown:
        raise ValueError(
            f"attributes that this release of {type(estimator).__name__} does not have: {unknown}"
        )
    estimator._validate_params()
    fitted = {name: test for name, test in attributes.items() if name in state}
    if fitted:
        missing = [name for name in _NEEDED[type(estimator)] if name not in state]
        _require(not missing, ", ".join(missing), "there if others of a fit are")
    for name, test in fitted.items():
        _require(test(state[name], state), name, "as fit leaves it")


def _check_width(state):
    """`n_features_in_`, and what has a number for each of these in any scaler or imputer."""
    if "n_features_in_" not in state:
        return
    width = state["n_features_in_"]
    _require(_is_count(width) and width > 0, "n_features_in_", "a positive whole number")
    for name in _PER_FEATURE:
        value = state.get(name)
        if value is not None:
            _require(isinstance(value, np.ndarray) and value.shape == (width,), name, "of one row")
    names = state.get("feature_names_in_")
    if names is not None:
        _require(all(type(each) is str for each in names), "feature_names_in_", "of texts")


def _require(holds, name, what):
    if not holds:
        raise ValueError(f"{name} is not {what}")


def _are_named(steps):
    return isinstance(steps, list | tuple) and all(
        isinstance(step, tuple)
        and len(step) in (2, 3)
        and type(step[0]) is str
        and (step[1] in ("passthrough", "drop", None) if not _is_estimator(step[1]) else True)
        for step in steps
    )


def _is_estimator(value):
    return isinstance(value, BaseEstimator)


def _is_count(value):
    return isinstance(value, Integral) and not isinstance(value, bool | np.bool_) and value >= 0


def _is_number(value):
    return isinstance(value, Real) and not isinstance(value, bool | np.bool_)


def _is_array(value, kinds, *shape):
    """Whether it is an array of such a kind; None in the shape is any length."""
    return (
        isinstance(value, np.ndarray)
        and value.dtype.kind in kinds
        and len(value.shape) == len(shape)
        and all(b is None or a == b for a, b in zip(value.shape, shape, strict=True))
    )


def _is_finite(value, *shape):
    good = _is_array(value, "f", *shape) and value.dtype in (np.float32, np.float64)
    return bool(good and np.isfinite(value).all())


# Each test of an attribute gets its value and all attributes.


def _centers(value, state):
    if not _is_finite(value, None, state.get("n_features_in_")) or value.size == 0:
        return False
    refuse_of_array(value, "cluster_centers_")
    return value.flags.c_contiguous


def _labels(value, state):
    k = len(state["cluster_centers_"])
    return _is_array(value, "i", None) and bool(((value >= 0) & (value < k)).all())


def _counts(value, state):
    return _is_finite(value, len(state["cluster_centers_"])) and bool((value >= 0).all())


def _ids(value, state):
    good = _is_array(value, "i", len(state["cluster_centers_"]))
    return good and bool((value >= 0).all()) and len(np.unique(value)) == len(value)


def _next_id(value, state):
    ids = state.get("cluster_ids_")
    return _is_count(value) and (ids is None or value > ids.max())


def _per_feature(value, state):
    return _is_finite(value, state["n_features_in_"])


def _records(dtype):
    return lambda value, state: isinstance(value, np.ndarray) and value.dtype == dtype


def _optional(test):
    return lambda value, state: value is None or test(value, state)


def _count(value, state):
    return _is_count(value)


def _truth(value, state):
    return isinstance(value, bool | np.bool_)


def _at_least_zero(value, state):
    return _is_number(value) and value >= 0


def _positive(value, state):
    return _is_number(value) and 0 < value < np.inf


def _bounds(value, state):
    return _is_array(value, "f", 2, state["n_features_in_"]) and bool((value[0] <= value[1]).all())


def _square_matrix(value, state):
    return _is_finite(value, state["n_features_in_"], state["n_features_in_"])


def _clusterer(value, state):
    centers = np.asarray(getattr(value, "cluster_centers_", None))
    return _is_finite(centers, None, state["n_features_in_"])


def _made(value, state):
    return (
        isinstance(value, tuple)
        and len(value) == 3
        and isinstance(value[0], list)
        and all(name in OUTPUTS for name in value[0])
        and all(isinstance(each, bool) for each in value[1:])
    )


def _table(value, state):
    return isinstance(value, dict) and all(
        type(name) is str and _is_array(column, "iuf", len(value["n_clusters"]))
        for name, column in value.items()
    )


def _place(value, state):
    return _is_count(value) and value < len(state["results_"]["n_clusters"])


_COMMON = ("n_features_in_", "feature_names_in_", "_sklearn_output_config")
_CLUSTERS = {
    "cluster_centers_": _centers,
    "labels_": _labels,
    "inertia_": _at_least_zero,
    "n_iter_": _count,
    "converged_": _truth,
    "start_inertias_": lambda value, state: _is_array(value, "f", None),
    # Of a model whose clusters were matched with those of an older one.
    "cluster_ids_": _ids,
    "next_cluster_id_": _next_id,
    "cluster_names_": lambda value, state: are_names(value, len(state["cluster_centers_"])),
}
_OURS = {
    KMeans: {
        **_CLUSTERS,
        "history_": _records(HISTORY_DTYPE),
        "start_histories_": _records(START_HISTORY_DTYPE),
    },
    MiniBatchKMeans: {
        **_CLUSTERS,
        "history_": _records(BATCH_HISTORY_DTYPE),
        "counts_": _counts,
        "n_steps_": _count,
        "_n_waited": _at_least_zero,
        "_random_state": lambda value, state: isinstance(value, np.random.RandomState),
    },
    ClusterScaler: {
        "center_": _optional(_per_feature),
        "scale_": _optional(_per_feature),
        "feature_weights_": _per_feature,
        "whitening_": _optional(_square_matrix),
        "clip_bounds_": _optional(_bounds),
    },
    CategoryEncoder: {
        "encoder_": lambda value, state: type(value) is OneHotEncoder,
        "multipliers_": lambda value, state: _is_finite(value, None),
    },
    SignedLog: {"units_": _per_feature},
    TimeFeatures: {"latest_": _per_feature},
    CentroidFeatures: {
        "estimator_": _clusterer,
        "gamma_": _positive,
        "temperature_": _positive,
        "_made": _made,
    },
    NClustersSearch: {
        "results_": _table,
        "best_index_": _place,
        "n_clusters_": _count,
        "labels_": lambda value, state: _is_array(value, "i", None),
        "best_estimator_": lambda value, state: _is_estimator(value),
        "votes_": lambda value, state: isinstance(value, dict),
        "structure_": lambda value, state: type(value) is str,
    },
}
# Without these the others are of no use.
_NEEDED = {
    KMeans: ("cluster_centers_", "n_features_in_"),
    MiniBatchKMeans: ("cluster_centers_", "n_features_in_"),
    **{
        kind: (*_OURS[kind], "n_features_in_")
        for kind in (CategoryEncoder, CentroidFeatures, ClusterScaler, SignedLog, TimeFeatures)
    },
    NClustersSearch: ("results_", "best_index_", "n_clusters_"),
}
_STEPS = {Pipeline: "steps", FeatureUnion: "transformer_list"}
_STEPS |= dict.fromkeys((ColumnTransformer, TableColumns), "transformers")
# Of any type of scikit-learn: a number, or a name, for each feature.
_PER_FEATURE = ["center_", "data_max_", "data_min_", "feature_names_in_", "lambdas_", "max_abs_"]
_PER_FEATURE += ["mean_", "min_", "scale_", "statistics_", "var_", "variances_"]
