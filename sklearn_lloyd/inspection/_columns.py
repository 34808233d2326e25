"""The columns of a table as features: numbers, or categories that have a share."""

from __future__ import annotations

import re
from collections import Counter
from numbers import Integral
from typing import NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils import check_array

from sklearn_lloyd._columns import (
    BOOLEAN,
    CATEGORY,
    MISSING,
    NUMBER,
    TIME,
    as_floats,
    column_kinds,
    column_names,
    column_of,
    is_frame,
    label_of,
    missing_values,
    reads_as_numbers,
    refuse_lazy,
)
from sklearn_lloyd._identifiers import NAMES_ROWS
from sklearn_lloyd._parameters import advice_for
from sklearn_lloyd._texts import as_given
from sklearn_lloyd.inspection._statistics import (
    FeatureStatistics,
    most_frequent,
    statistics_of_categories,
    statistics_of_numbers,
    statistics_of_sparse,
)

# So many columns, called by a number, are an embedding: none of them means anything in itself.
_MANY_COORDINATES = 100
_COORDINATE = re.compile(
    r"((x|f|v|d|dim|e|emb|embeddings?|feature|vec|vector|component|pc|pca|lsa|svd|truncatedsvd)"
    r"[ _-]?)?\d+",
    re.IGNORECASE,
)


class Feature(NamedTuple):
    """A column of numbers, or one of the categories of a column.

    Attributes
    ----------
    name : str
    column : int
    is_share : bool
    n_missing, n_infinite : int
        Values of the column that are, among the rows that count.
    statistics : FeatureStatistics
    centers : ndarray of shape (n_clusters,), float64, or None
        None where they are not known.
    """

    name: str
    column: int
    is_share: bool
    n_missing: int
    n_infinite: int
    statistics: FeatureStatistics
    centers: np.ndarray | None


def frame_library(X):
    """Which of pandas and polars a frame or a series is of; empty for anything else."""
    library = type(X).__module__.split(".")[0]
    return library if library in ("pandas", "polars") else ""


def check_table(X):
    """A table whose rows and columns can be taken: a frame or texts as they are, else an array.

    Sparse ones become CSR.
    """
    refuse_lazy(X)
    if is_frame(X) or (isinstance(X, np.ndarray) and X.ndim == 1 and X.dtype == object):
        return X
    return check_array(X, accept_sparse="csr", dtype=None, ensure_all_finite=False)


def check_columned(X, steps, what):
    """The same of what needs columns; texts, as some steps take them, have none."""
    X = check_table(as_given(steps, X))
    if len(X.shape) == 1:
        raise ValueError(
            f"{what} takes a table with columns, and X holds texts. cluster_profiles tells their "
            "clusters apart by terms."
        )
    return X


def take_slice(X, rows):
    """The rows of a slice, of the type that X has."""
    return X.iloc[rows] if hasattr(X, "iloc") else X[rows]


def check_names(X, feature_names, fitted_names):
    """Names of the columns of a table, a list of str."""
    n_columns = X.shape[1]
    if feature_names is None:
        feature_names = column_names(X)
    if feature_names is None and fitted_names is not None and len(fitted_names) == n_columns:
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


def are_coordinates(X, names):
    """Whether columns are many, and have the names of coordinates, as those of embeddings do."""
    if len(names) < _MANY_COORDINATES or sparse.issparse(X):
        return False
    return all(map(_COORDINATE.fullmatch, names)) and all(
        kind.name == NUMBER for kind in column_kinds(X)
    )


def check_columns(columns, names, called="columns"):
    """Places of the columns that were asked for, by name or place; None: not asked for."""
    if columns is None:
        return None
    columns = [columns] if isinstance(columns, str) else list(columns)
    places = []
    for one in columns:
        if isinstance(one, Integral) and not isinstance(one, bool) and 0 <= one < len(names):
            places.append(int(one))
        elif str(one) in names:
            places.append(names.index(str(one)))
        else:
            advice = advice_for(str(one), names)
            raise ValueError(f"{called} has {one!r}, which is no column of X: {advice}")
    if not places or len(set(places)) < len(places):
        raise ValueError(f"{called} must have at least one column, and each once; got {columns}.")
    return places


class FeatureReader:
    """Makes features of the columns of a table, one after the other.

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

    Attributes
    ----------
    left_out : dict of str to str
        Columns that are no features, and why; known when all features have been read.
    """

    def __init__(self, X, rows, groups, names, centers, max_categories):
        self._X, self._rows, self._groups = X, rows, groups
        self._names, self._centers, self._max_categories = names, centers, max_categories
        self.left_out = {}

    def read(self, chosen=None):
        """Yield the features of some columns, in their order; of None, of all that have any."""
        if sparse.issparse(self._X):
            yield from self._sparse(chosen)
            return
        kinds = column_kinds(self._X)
        for j in range(len(kinds)) if chosen is None else chosen:
            values = np.asarray(column_of(self._X, j))[self._rows]
            kind = self._kind(j, kinds[j], values)
            if kind == NUMBER:
                yield self._number(j, as_floats(values))
            elif kind in (BOOLEAN, CATEGORY):
                coded = _coded(values)
                if chosen is None and kind == CATEGORY and _names_rows(*coded):
                    self._leave_out(
                        j, kinds[j].holds + ", nearly every value of which occurs once"
                    )
                else:
                    yield from self._categories(j, *coded)
            else:
                # scikit-learn's transformers take times of polars for days or microseconds.
                is_number = kinds[j].name == TIME and self._is_seen(j)
                self._leave_out(j, kinds[j].holds + ", which the pipeline clusters" * is_number)

    def _leave_out(self, j, reason):
        self.left_out[self._names[j]] = reason

    def _is_seen(self, j):
        """Whether the clusterer sees a column as numbers."""
        centers = self._centers[j]
        return isinstance(centers, np.ndarray) and bool(np.isfinite(centers).any())

    def _kind(self, j, kind, values):
        """What a column is to be read as: it is what the pipeline takes it for."""
        if isinstance(self._centers[j], dict) and kind.name == NUMBER:
            return CATEGORY
        if kind.name == CATEGORY and self._is_seen(j) and reads_as_numbers(values):
            return NUMBER
        return kind.name

    def _number(self, j, values):
        n_infinite = int(np.isinf(values).sum())
        if n_infinite:
            values = np.where(np.isinf(values), np.nan, values)
        statistics = statistics_of_numbers(values, self._groups)
        n_missing = int(np.isnan(values).sum()) - n_infinite
        centers = _centers_of(self._centers[j])
        return Feature(self._names[j], j, False, n_missing, n_infinite, statistics, centers)

    def _categories(self, j, codes, categories, missing):
        wanted = most_frequent(codes, len(categories), self._groups, self._max_categories)
        found = statistics_of_categories(codes, wanted, self._groups)
        for code, statistics in zip(wanted, found, strict=True):
            category = categories[code]
            name = self._names[j] if category is None else f"{self._names[j]}={category}"
            centers = _centers_of(self._centers[j], category)
            yield Feature(name, j, True, int(missing.sum()), 0, statistics, centers)

    def _sparse(self, chosen):
        X = self._X if isinstance(self._rows, slice) else self._X[self._rows]
        is_bad = ~np.isfinite(X.data)
        bad = np.unique(X.indices[is_bad])
        tidy = X
        if bad.size:
            tidy = sparse.csr_array((np.where(is_bad, 0, X.data), X.indices, X.indptr), X.shape)
        every = enumerate(statistics_of_sparse(tidy, self._groups))
        features = {}
        for j, statistics in every:
            if chosen is None or j in chosen:
                features[j] = Feature(
                    self._names[j], j, False, 0, 0, statistics, _centers_of(self._centers[j])
                )
        for j in set(bad.tolist()) & set(features):  # one dense column at a time
            own = self._number(j, X[:, [j]].toarray().ravel().astype(np.float64))
            nan = np.full(self._groups.n_clusters, np.nan)
            without = {"medians": nan, "rank_differences": nan, "whole_median": np.nan}
            features[j] = own._replace(statistics=own.statistics._replace(**without))
        yield from (features[j] for j in (features if chosen is None else chosen))


def _coded(values):
    """Codes of categories, what they stand for, and which values are missing.

    Missing ones are a category. Of a yes and no they are not, and have code -1; only yes has a
    name there, which is None.
    """
    held = column_kinds(values[:, np.newaxis])[0].name
    missing = missing_values(values)
    if held == BOOLEAN:
        is_yes = np.where(missing, False, values).astype(bool)
        return np.where(missing, -1, ~is_yes).astype(np.intp), [None], missing
    if held == NUMBER:
        values = as_floats(values)
    else:
        values = np.where(missing, MISSING, values.astype(str))
    found, codes = np.unique(values, return_inverse=True)
    return codes, [label_of(value) for value in found], missing


def _names_rows(codes, categories, missing):
    """Whether nearly every value occurs once."""
    counts = np.bincount(codes[~missing], minlength=len(categories))
    return counts.sum() > 1 and (counts == 1).sum() >= NAMES_ROWS * counts.sum()


def _centers_of(centers, category=None):
    """Of a number, or of a category the share; None where it is not known."""
    if not isinstance(centers, dict):
        return centers if category is None else None
    if category is None:  # of a yes and no
        return centers.get(True)
    return {label_of(value): shares for value, shares in centers.items()}.get(category)
