"""The columns of a table as features: numbers, or categories that have a share."""

from __future__ import annotations

from collections import Counter
from numbers import Number, Real
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from sklearn_lloyd.inspection._statistics import (
    FeatureStatistics,
    most_frequent,
    statistics_of_categories,
    statistics_of_numbers,
    statistics_of_sparse,
)

_MISSING = "missing"  # as a category


class Feature(NamedTuple):
    """A column of numbers, or one of the categories of a column.

    Attributes
    ----------
    name : str
    column : int
    is_share : bool
    statistics : FeatureStatistics
    centers : ndarray of shape (n_clusters,), float64, or None
        None where they are not known.
    """

    name: str
    column: int
    is_share: bool
    statistics: FeatureStatistics
    centers: np.ndarray | None


def frame_library(X):
    """Which of pandas and polars a frame is of; empty for anything else."""
    library = type(X).__module__.split(".")[0]
    return library if library in ("pandas", "polars") and hasattr(X, "columns") else ""


def check_table(X):
    """A table whose rows and columns can be taken: a frame as it is, else an array or CSR."""
    if frame_library(X):
        return X
    return check_array(X, accept_sparse="csr", dtype=None, ensure_all_finite=False)


def take_slice(X, rows):
    """The rows of a slice, of the type that X has."""
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def check_names(X, feature_names, fitted_names):
    """Names of the columns of a table, a list of str."""
    n_columns = X.shape[1]
    if feature_names is None and frame_library(X):
        feature_names = X.columns
    elif feature_names is None and fitted_names is not None and len(fitted_names) == n_columns:
        feature_names = fitted_names
    if feature_names is None:
        return [f"x{j}" for j in range(n_columns)]
    names = [str(name) for name in feature_names]
    if len(names) != n_columns:
        raise ValueError(f"feature_names has {len(names)} names, but X has {n_columns} columns.")
    repeated = sorted(name for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise ValueError(f"Feature names must differ; these are repeated: {repeated}.")
    return names


def read_features(X, rows, groups, names, centers, max_categories):
    """Features and their statistics, column by column.

    Parameters
    ----------
    X : frame, ndarray or CSR
    rows : slice or ndarray of intp
        The rows of X that count; a slice is of all.
    groups : Groups
        Of these rows.
    names : list of str
        Of the columns.
    centers : list
        Of the columns, as `undo_steps` gives them.
    max_categories : int

    Yields
    ------
    feature : Feature
    """
    if sparse.issparse(X):
        counted = X if isinstance(rows, slice) else X[rows]
        for j, statistics in enumerate(statistics_of_sparse(counted, groups)):
            yield Feature(names[j], j, False, statistics, _centers_of(centers[j]))
        return
    for j, name in enumerate(names):
        column = X.iloc[:, j] if hasattr(X, "iloc") else X[:, j]
        is_category = isinstance(centers[j], dict) or str(column.dtype) == "category"
        values, categories = _read(np.asarray(column)[rows], is_category)
        if values is None:
            continue
        if categories is None:
            statistics = statistics_of_numbers(values, groups)
            yield Feature(name, j, False, statistics, _centers_of(centers[j]))
            continue
        wanted = most_frequent(values, len(categories), groups, max_categories)
        found = statistics_of_categories(values, wanted, groups)
        for code, statistics in zip(wanted, found, strict=True):
            category = categories[code]
            full_name = name if category is None else f"{name}={category}"
            yield Feature(full_name, j, True, statistics, _centers_of(centers[j], category))


def _read(values, is_category):
    """Numbers and None; or codes and the names of their categories, from code 0 on.

    Times have neither. Missing numbers are NaN, missing codes -1. Of a yes and no only yes has a
    name, which is None.
    """
    is_flag = values.dtype.kind == "b"
    missing = np.zeros(values.size, bool)
    if values.dtype.kind == "O":
        missing = np.fromiter(map(_is_missing, values), bool, values.size)
        present = values[~missing]
        if all(isinstance(value, Number | np.bool_) for value in present):
            is_flag = present.size > 0 and all(isinstance(v, bool | np.bool_) for v in present)
            values = np.full(values.size, np.nan)
            values[~missing] = present.astype(np.float64)
    if values.dtype.kind in "mM":
        return None, None
    if is_flag:
        return np.where(missing, -1, values != 1.0).astype(np.intp), [None]
    if not is_category and values.dtype.kind in "iuf":
        return values.astype(np.float64, copy=False), None
    if values.dtype.kind not in "iuf":
        values = np.where(missing, _MISSING, values.astype(str))
    found, codes = np.unique(values, return_inverse=True)
    return codes, [_label(value) for value in found]


def _centers_of(centers, category=None):
    """Of a number, or of a category the share; None where it is not known."""
    if not isinstance(centers, dict):
        return centers if category is None else None
    if category is None:  # of a yes and no
        return centers.get(True)
    return {_label(value): shares for value, shares in centers.items()}.get(category)


def _label(category):
    if _is_missing(category):
        return _MISSING
    whole = isinstance(category, Real) and float(category).is_integer()
    return str(int(category)) if whole else str(category)


def _is_missing(value):
    """Whether it is None, NaN, or what pandas has for these."""
    if isinstance(value, Real):
        return value != value
    return value is None or type(value).__name__ in ("NAType", "NaTType")
