"""The clusterer at the end of a pipeline, and the rows as it sees them."""

from __future__ import annotations

from typing import Any, NamedTuple

from sklearn.compose import ColumnTransformer
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_lloyd._columns import column_labels, column_names, named_columns
from sklearn_lloyd._texts import as_given


class Seen(NamedTuple):
    """What a clusterer sees.

    Attributes
    ----------
    clusterer : estimator
    rows : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
    names : sequence of str, or None
        Of the features, where they are known.
    """

    clusterer: Any
    rows: Any
    names: Any


def split_steps(estimator):
    """The fitted transformers before a clusterer, in order, and the clusterer itself.

    A search is its best estimator, a frozen estimator what was frozen, and a pipeline may end in
    another one.
    """
    steps = []
    while True:
        if isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        elif isinstance(estimator, Pipeline):
            before = (step for _, step in estimator.steps[:-1])
            steps += [step for step in before if step is not None and step != "passthrough"]
            estimator = estimator.steps[-1][1]
        else:
            return steps, estimator


def last_step(estimator):
    """What is at the end of a pipeline, or frozen; a search, and anything else, is itself."""
    while isinstance(estimator, Pipeline | FrozenEstimator):
        is_frozen = isinstance(estimator, FrozenEstimator)
        estimator = estimator.estimator if is_frozen else estimator[-1]
    return estimator


def fitted_names_of(estimator):
    """Names of the columns that a fitted estimator takes, as its first step has them; or None."""
    steps, clusterer = split_steps(estimator)
    return getattr([*steps, clusterer][0], "feature_names_in_", None)


def require_columns(steps, clusterer, X):
    """Raise a ValueError if a frame has other columns than the fit had, or in another order.

    Steps that do not look at names would take one column for another. A `ColumnTransformer` takes
    columns by name, so that their order does not matter, and says itself which are missing.
    """
    first = [*steps, clusterer][0]
    fitted, labels = getattr(first, "feature_names_in_", None), column_labels(X)
    if fitted is None or labels is None or isinstance(first, ColumnTransformer):
        return
    fitted, labels = list(fitted), list(labels)
    if labels == fitted or not all(isinstance(label, str) for label in labels):
        return
    missing = [name for name in fitted if name not in labels]
    extra = [name for name in labels if name not in fitted]
    said = [f"Missing: {_listed(missing)}."] if missing else []
    said += [f"Not known to the fit: {_listed(extra)}."] if extra else []
    said = said or [f"X has {_listed(labels)}; the fit had {_listed(fitted)}, in this order."]
    raise ValueError(
        "The feature names should match those that were passed during fit. "
        f"{' '.join(said)} Give the columns as X[list(estimator.feature_names_in_)]."
    )


def _listed(names):
    return named_columns(range(len(names)), names)


def seen_by_clusterer(estimator, X):
    """Take rows through the steps of a fitted pipeline up to the clusterer at its end.

    Texts may come as a list, a series, or a table of one column.

    Raises
    ------
    TypeError
        If the clusterer cannot predict.
    NotFittedError
        If it is not fitted.
    ValueError
        If X is a frame with other columns than those of the fit, or texts are missing.
    """
    steps, clusterer = split_steps(estimator)
    if not hasattr(clusterer, "predict"):
        raise TypeError(
            f"{type(clusterer).__name__} has no predict, which is how clusters of rows that it "
            "has not seen are found. Take a clusterer that has, such as KMeans."
            + (" The estimator comes first, then X." if hasattr(X, "predict") else "")
        )
    check_is_fitted(clusterer)
    require_columns(steps, clusterer, X)
    return Seen(clusterer, *through_steps(steps, clusterer, X))


def require_as_many_rows(step, given, made):
    """Raise a ValueError if a step does not make a row of each: it took columns for texts."""
    n_given = given.shape[0] if hasattr(given, "shape") else len(given)
    if made.shape[0] != n_given:
        raise ValueError(
            f"X has {n_given} rows, of which {type(step).__name__} makes {made.shape[0]}. If it "
            "takes texts, give the column that holds them, not a frame."
        )


def through_steps(steps, clusterer, X):
    """The rows as the clusterer after those steps sees them, and the names of their features."""
    names, X = column_names(X), as_given(steps, X)
    given = X
    for step in steps:
        X = step.transform(X)
        require_as_many_rows(step, given, X)
        try:
            names = step.get_feature_names_out()
        except (AttributeError, ValueError):  # a step that does not tell
            names = None
    return X, getattr(clusterer, "feature_names_in_", names)
