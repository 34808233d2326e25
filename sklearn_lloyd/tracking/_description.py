"""What the store records of a fitted estimator and of the rows that it is registered with."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from importlib.metadata import version

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_lloyd._pipeline import fitted_names_of, seen_by_clusterer, split_steps
from sklearn_lloyd._version import __version__
from sklearn_lloyd.inspection._undo import undo_steps
from sklearn_lloyd.tracking._blocks import rows_of_block, table_blocks
from sklearn_lloyd.tracking._ranges import Fingerprint, RangeReader


@dataclass(frozen=True)
class Description:
    """Of one version.

    Attributes
    ----------
    n_clusters : int
    columns : dict
        Columns of `segment_versions`.
    sizes : list of int, or None
        Rows in each cluster.
    ranges : list of ColumnRange
    centroids : list of tuple
        Space, position, feature, and the values by cluster; None where there is none.
    """

    n_clusters: int
    columns: dict
    sizes: list | None
    ranges: list
    centroids: list


def clusterer_of(estimator):
    """The fitted clusterer at the end of a pipeline.

    Raises
    ------
    TypeError
        If it has no centres.
    NotFittedError
        If it is not fitted.
    """
    _, clusterer = split_steps(estimator)
    if not all(hasattr(clusterer, name) for name in ("fit", "predict", "transform")):
        raise TypeError(
            "The estimator must be a k-means, or a pipeline or search that ends in one; got "
            f"{type(clusterer).__name__}."
        )
    check_is_fitted(clusterer)
    if not hasattr(clusterer, "cluster_centers_"):
        raise TypeError(f"{type(clusterer).__name__} has no cluster_centers_.")
    return clusterer


def describe(estimator, X):
    """Describe a fitted estimator, and X: a table, an iterable of tables, or None."""
    clusterer = clusterer_of(estimator)
    steps, _ = split_steps(estimator)
    names = fitted_names_of(estimator)
    n_features = [*steps, clusterer][0].n_features_in_
    names = [f"x{j}" for j in range(n_features)] if names is None else list(map(str, names))
    columns = {
        "estimator": ", ".join(type(one).__name__ for one in [*steps, clusterer]),
        "parameters": plain_parameters(estimator),
        "packages": json.dumps(_packages()),
        "features": json.dumps(names),
        "n_rows": None,
        "data_fingerprint": None,
    }
    n_clusters = len(clusterer.cluster_centers_)
    sizes, ranges = None, []
    if X is not None:
        sizes, reader, fingerprint = _read(estimator, n_clusters, X, names)
        columns |= {"n_rows": reader.n_rows, "data_fingerprint": fingerprint.hexdigest()}
        ranges = reader.ranges()
    centroids = list(_centroids(steps, clusterer, names))
    return Description(n_clusters, columns, sizes, ranges, centroids)


def _read(estimator, n_clusters, X, names):
    sizes = np.zeros(n_clusters, np.int64)
    reader, fingerprint = RangeReader(names), Fingerprint()
    for table in [X] if hasattr(X, "shape") else X:
        for block in table_blocks(table, rows_of_block(table.shape[1], n_clusters)):
            labels, _ = labels_and_distances(estimator, block)
            sizes += np.bincount(labels, minlength=n_clusters)
            reader.read(block)
            fingerprint.read(block)
    if reader.n_rows == 0:
        raise ValueError("X has no rows.")
    return sizes.tolist(), reader, fingerprint


def labels_and_distances(estimator, X):
    """The cluster of each row, and the distance to its centre in the space of the clusterer."""
    seen = seen_by_clusterer(estimator, X)
    labels = seen.clusterer.predict(seen.rows)
    distances = np.asarray(seen.clusterer.transform(seen.rows), np.float64)
    return labels, distances[np.arange(len(labels)), labels]


def _centroids(steps, clusterer, names):
    centers = np.asarray(clusterer.cluster_centers_, np.float64)
    seen = getattr(clusterer, "feature_names_in_", None)
    if seen is None:
        seen = _names_out(steps, names) if steps else names
    if seen is None or len(seen) != centers.shape[1]:
        seen = [f"x{j}" for j in range(centers.shape[1])]
    original, _ = undo_steps(steps, centers)
    columns = [("model", name, values) for name, values in zip(seen, centers.T, strict=True)]
    for name, values in zip(names, original, strict=False):
        shares = values if isinstance(values, dict) else {None: values}
        for category, each in shares.items():
            own = name if category is None else f"{name}={category}"
            columns.append(("original", own, each))
    place = {"model": 0, "original": 0}
    for space, name, values in columns:
        values = np.full(len(centers), np.nan) if values is None else values
        values = [value if value == value else None for value in map(float, values)]
        yield space, place[space], str(name), values
        place[space] += 1


def _names_out(steps, names):
    for step in steps:
        try:
            names = step.get_feature_names_out(names)
        except (AttributeError, ValueError):
            return None
    return names


def plain_parameters(estimator):
    """The parameters of an estimator as JSON."""
    text = json.dumps(estimator.get_params(), default=_plain, sort_keys=True)
    # NaN is no JSON, though Python writes it.
    return json.dumps(json.loads(text, parse_constant=str))


def _packages():
    own = {name: version(name) for name in ("numpy", "scipy", "scikit-learn")}
    return {"sklearn-lloyd": __version__, **own, "python": sys.version.split()[0]}


def _plain(value):
    """A parameter as JSON has it, else as text."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray) and value.size <= 1000:
        return value.tolist()
    return f"{type(value).__name__}" if hasattr(value, "get_params") else repr(value)[:1000]
