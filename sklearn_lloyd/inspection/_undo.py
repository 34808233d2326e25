"""From the space that a clusterer sees back to the columns of its pipeline, and there again."""

from __future__ import annotations

import warnings

import numpy as np
from scipy import sparse
from sklearn.compose import ColumnTransformer
from sklearn.feature_selection import SelectorMixin
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    OneHotEncoder,
    OrdinalEncoder,
)

from sklearn_lloyd.preprocessing import CategoryEncoder

# Their inverse answers with one of the values that came in, for an average too.
_NOT_OF_AVERAGES = (KBinsDiscretizer, OrdinalEncoder)


class CannotUndo(Exception):
    """Says which step has no way back."""


def undo_steps(steps, centers):
    """Bring centres back through transformers.

    Parameters
    ----------
    steps : list of fitted transformers
    centers : ndarray of shape (n_clusters, n_features_seen)

    Returns
    -------
    columns : list
        For each column that the first of the steps takes: values of shape (n_clusters,); of a
        column that was one-hot encoded, a dict of its categories to such values; or None where
        there is no way back. Empty if there is none for any of them.
    reasons : str
        Which steps have no way back.
    """
    reasons = []
    try:
        columns = _undo_all(steps, list(centers.T), reasons)
    except CannotUndo as error:
        columns = []
        reasons.append(str(error))
    return columns, "; ".join(reasons)


def redo_steps(steps, columns):
    """Take centres through transformers again, perhaps through others than they came back by.

    Parameters
    ----------
    steps : list of fitted transformers
    columns : list
        Of the columns that the first of the steps takes, as `undo_steps` gives them.

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features_seen), float64

    Raises
    ------
    CannotUndo
        If a step needs a column that has no way back, or does not take averages.
    """
    for step in steps:
        columns = _redo(step, columns)
    _require_numbers(columns, "the clusterer")
    return np.stack(columns, axis=1)


def _undo_all(steps, columns, reasons):
    for step in reversed(steps):
        columns = _undo(step, columns, reasons)
    return columns


def _passes(step):
    return step is None or step == "passthrough"


def _undo(step, columns, reasons):
    if _passes(step) or _only_imputes(step, len(columns)):
        return columns
    if isinstance(step, Pipeline):
        return _undo_all([inner for _, inner in step.steps], columns, reasons)
    name = type(step).__name__
    if not all(isinstance(values, np.ndarray) for values in columns):
        raise CannotUndo(f"{name} comes before an encoder, or a step that has no inverse")
    centers = np.stack(columns, axis=1)
    if isinstance(step, ColumnTransformer):
        return _undo_by_column(step, centers, reasons)
    if isinstance(step, OneHotEncoder):
        return _undo_one_hot(step, centers)
    if isinstance(step, CategoryEncoder):
        columns = _undo_one_hot(step.encoder_, centers / step.multipliers_)
        # Of yes and no, the share of yes has the name that a column of truth values has for it.
        return [own | {True: own["True"]} if "True" in own else own for own in columns]
    if isinstance(step, SelectorMixin):  # its own inverse has zeros for what was left out
        whole = np.full((len(centers), step.n_features_in_), np.nan)
        whole[:, step.get_support()] = centers
        return list(whole.T)
    return list(_inverse(step, name, centers).T)


def _only_imputes(step, n_columns):
    return isinstance(step, SimpleImputer | KNNImputer) and step.n_features_in_ == n_columns


def _inverse(step, name, centers):
    unknown = isinstance(step, FunctionTransformer) and step.func and not step.inverse_func
    if unknown or isinstance(step, _NOT_OF_AVERAGES) or not hasattr(step, "inverse_transform"):
        raise CannotUndo(f"{name} has no inverse for averages")
    return _numbers(step.inverse_transform, centers, f"{name} has no inverse here")


def _numbers(function, centers, refusal):
    """What a method of a transformer makes of centres."""
    try:
        with warnings.catch_warnings():  # centres have no feature names
            warnings.filterwarnings("ignore", "X does not have valid feature names", UserWarning)
            made = function(centers)
    except (ValueError, TypeError, AttributeError, NotImplementedError) as error:
        raise CannotUndo(f"{refusal}: {error}") from error
    made = np.asarray(made.toarray() if sparse.issparse(made) else made)
    if made.ndim != 2 or made.dtype.kind not in "biuf":
        raise CannotUndo(f"{refusal}: it does not give numbers")
    return made.astype(np.float64, copy=False)


def _undo_by_column(transformer, centers, reasons):
    """Each part by its own transformer; None for columns that no part brings back."""
    columns = [None] * transformer.n_features_in_
    for name, part, positions, place in _parts(transformer):
        try:
            found = _undo(part, list(centers[:, place].T), reasons)
        except CannotUndo as error:
            reasons.append(f"{name}: {error}")
            continue
        for j, values in zip(positions, found, strict=True):
            columns[j] = values
    return columns


def _parts(transformer):
    """Name, transformer, columns that go in, and columns that come out, of each part."""
    names = list(getattr(transformer, "feature_names_in_", ()))
    for name, part, chosen in transformer.transformers_:
        place = transformer.output_indices_[name]
        if part == "drop" or place.start == place.stop:
            continue
        with warnings.catch_warnings():  # scikit-learn 1.6 warns of how it lists a remainder
            warnings.simplefilter("ignore", FutureWarning)
            positions = _positions(chosen, names, transformer.n_features_in_)
        yield name, part, positions, place


def _positions(chosen, names, n_columns):
    """The columns that a part of a ColumnTransformer was given, as positions."""
    if isinstance(chosen, slice) and isinstance(chosen.start or chosen.stop, str):
        first = None if chosen.start is None else names.index(chosen.start)
        last = None if chosen.stop is None else names.index(chosen.stop) + 1
        chosen = slice(first, last)
    if isinstance(chosen, str):
        chosen = [chosen]
    if not isinstance(chosen, slice):
        chosen = [names.index(one) if isinstance(one, str) else one for one in np.ravel(chosen)]
    return np.atleast_1d(np.arange(n_columns)[chosen])


def _undo_one_hot(encoder, centers):
    """The share of each category, of categories that have a column of their own, or one less."""
    columns, start = [], 0
    for categories, own, dropped, has_rare in _one_hot(encoder):
        shares = dict(zip(own, centers[:, start : start + len(own)].T, strict=True))
        start += len(own) + has_rare
        if dropped is not None:
            rest = sum(shares.values(), np.zeros(len(centers)))
            shares[categories[dropped]] = 1.0 - rest
        columns.append(shares)
    return columns


def _one_hot(encoder):
    """Of each column: categories, those with a column of their own, the dropped one, and whether
    the rare ones share a column."""
    infrequent = getattr(encoder, "infrequent_categories_", None)
    for j, categories in enumerate(encoder.categories_):
        rare = None if infrequent is None else infrequent[j]
        dropped = None if encoder.drop_idx_ is None else encoder.drop_idx_[j]
        if rare is not None and dropped is not None:
            raise CannotUndo("OneHotEncoder drops a category and joins infrequent ones")
        own = categories if rare is None else categories[~np.isin(categories, rare)]
        if dropped is not None:
            own = np.delete(own, dropped)
        yield categories, own, dropped, rare is not None


def _redo(step, columns):
    if _passes(step) or _only_imputes(step, len(columns)):
        return columns
    if isinstance(step, Pipeline):
        for _, inner in step.steps:
            columns = _redo(inner, columns)
        return columns
    if isinstance(step, ColumnTransformer):
        made = {}
        for _, part, positions, place in _parts(step):
            found = _redo(part, [columns[j] for j in positions])
            made |= zip(range(place.start, place.stop), found, strict=True)
        return [made[j] for j in sorted(made)]
    if isinstance(step, OneHotEncoder):
        return _redo_one_hot(step, columns)
    if isinstance(step, CategoryEncoder):
        made = _redo_one_hot(step.encoder_, columns)
        return [values * m for values, m in zip(made, step.multipliers_, strict=True)]
    name = type(step).__name__
    _require_numbers(columns, name)
    centers = np.stack(columns, axis=1)
    if isinstance(step, SelectorMixin):
        return list(centers[:, step.get_support()].T)
    if isinstance(step, _NOT_OF_AVERAGES) or not hasattr(step, "transform"):
        raise CannotUndo(f"{name} does not take averages")
    return list(_numbers(step.transform, centers, f"{name} does not take these averages").T)


def _redo_one_hot(encoder, columns):
    made = []
    for shares, (_, own, _, has_rare) in zip(columns, _one_hot(encoder), strict=True):
        if not isinstance(shares, dict):
            raise CannotUndo("OneHotEncoder needs the shares of categories")
        nothing = np.zeros(len(next(iter(shares.values()))))
        made += [shares.get(category, nothing) for category in own]
        if has_rare:  # what has no column of its own is rare
            made.append(1.0 - sum((shares.get(category, nothing) for category in own), nothing))
    return made


def _require_numbers(columns, name):
    if not all(isinstance(values, np.ndarray) for values in columns):
        raise CannotUndo(f"{name} needs a column that has no way back to numbers")
