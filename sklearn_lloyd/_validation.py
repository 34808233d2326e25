"""The only place that validates X, the weights and the first centres."""

from __future__ import annotations

import numbers
import sys
import warnings
from contextlib import contextmanager

import numpy as np
from scipy import sparse
from sklearn import get_config
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from sklearn_lloyd._columns import (
    as_floats,
    column_labels,
    column_names,
    is_frame,
    named_columns,
    not_numbers,
    refusal,
    refuse_lazy,
    require_numbers,
)
from sklearn_lloyd._finite import where_not_finite
from sklearn_lloyd._rows import Rows
from sklearn_lloyd._weights import scaled_weights


def warn_user(message, category):
    """Warn at the line outside of this package and scikit-learn that led here."""
    level, frame = 1, sys._getframe()
    while frame is not None and frame.f_globals.get("__name__", "").startswith(_OURS):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


_OURS = ("sklearn_lloyd.", "sklearn.")


@contextmanager
def unchanged_on_failure(estimator):
    """Put the estimator's attributes back if anything stops the block, Ctrl-C too."""
    before = vars(estimator).copy()
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def check_rows(estimator, X, *, n_threads, reset):
    """Validate X for `estimator`.

    Parameters
    ----------
    estimator : BaseEstimator or str
        Whose feature names and number are checked (`reset=False`) or set (`reset=True`); a
        string, the name of a function, has neither.
    X : array-like, sparse matrix or frame of shape (n_samples, n_features)
    n_threads : int or None
    reset : bool

    Returns
    -------
    rows : Rows
        X itself wherever X is numeric already: nothing is copied or cast. Whether its numbers
        are finite shows in the first pass over them, see `require_finite`.
    """
    if _is_plain(X) and _take_plain(estimator, X.shape[1], reset):
        checked, names = X, None
    else:
        checked, names = _check_table(estimator, X, reset), column_labels(X)
    if not sparse.issparse(checked):
        checked = np.asarray(checked)  # a memmap reads the same as a plain view of it
    if checked.dtype.kind == "f" and checked.dtype.itemsize not in (4, 8):
        checked = checked.astype(np.float64)  # the core reads neither float16 nor longdouble
    return Rows(checked, n_threads, names)


def _check_table(estimator, X, reset):
    """What scikit-learn makes of X, an array or CSR, of numbers; says more where it refuses X."""
    options = {
        "accept_sparse": "csr",
        "accept_large_sparse": True,
        "dtype": None,
        "ensure_all_finite": False,
    }
    is_method = not isinstance(estimator, str)
    refuse_lazy(X)
    try:
        if is_frame(X) and 0 in X.shape:
            raise ValueError(_of_no_rows(X))
        if is_frame(X) and (refused := not_numbers(X)):
            if is_method and not reset:  # that columns are missing or new says more
                validate_data(estimator, X, reset=False, skip_check_array=True)
            raise ValueError(refusal(X, refused))
        if is_method:
            checked = validate_data(estimator, X, reset=reset, **options)
        else:
            checked = check_array(X, estimator=estimator, **options)
    except ValueError as error:
        more = "" if reset else _about_order(estimator, X)
        if not more:
            raise
        raise ValueError(f"{error}\n{more}") from error
    return checked if checked.dtype.kind in "biuf" else _as_numbers(checked)


def _as_numbers(array):
    """An array of objects or text as float64."""
    refused = not_numbers(array)
    if not refused:
        return as_floats(array)
    try:
        as_floats(array)
    except TypeError as error:  # the type that scikit-learn's estimators raise
        raise TypeError(f"{error}\n{refusal(array, refused)}") from error
    except ValueError:
        pass  # the columns say more than the first value that did not convert
    raise ValueError(refusal(array, refused))


def _of_no_rows(X):
    """What to say of a frame without rows or columns; begins as scikit-learn does for arrays."""
    names = column_names(X)
    what = "sample" if names else "feature"
    advice = "Look at how its columns were selected."
    if names:
        advice = (
            f"Its columns are {named_columns(range(len(names)), names)}. Look at the filter, join "
            "or file that it comes from."
        )
    return (
        f"Found frame with 0 {what}(s) (shape={X.shape}) while a minimum of 1 is required. "
        f"{advice}"
    )


def _about_order(estimator, X):
    """What to say of columns in another order than at `fit`; empty if they are not."""
    names, fitted = column_names(X), list(getattr(estimator, "feature_names_in_", ()))
    if names is None or names == fitted or sorted(names) != sorted(fitted):
        return ""
    moved = [j for j, (one, other) in enumerate(zip(names, fitted, strict=True)) if one != other]
    return (
        f"X has the columns of fit in another order: {named_columns(moved, names)} stand where "
        f"{named_columns(moved, fitted)} stood. The order is to be "
        f"{named_columns(range(len(fitted)), fitted)}."
    )


def _is_plain(X):
    """Whether all checks but that for finite numbers would let X through as it is.

    They take several times as long as the work on a hundred rows.
    """
    return type(X) is np.ndarray and X.ndim == 2 and X.dtype.kind in "iuf" and X.size > 0


def _take_plain(estimator, n_features, reset):
    """Set or check the number of features as scikit-learn does, where columns have no names.

    Returns whether that was all; if not, scikit-learn is to say what does not fit.
    """
    if isinstance(estimator, str):
        return True
    if reset:
        estimator.n_features_in_ = n_features
        vars(estimator).pop("feature_names_in_", None)
    known = getattr(estimator, "n_features_in_", None), hasattr(estimator, "feature_names_in_")
    return known == (n_features, False)


def require_finite(rows, assumed=None):
    """Raise a ValueError that says where, unless all rows are finite.

    A pass over the rows of its own: called where a first pass has found something, or does not
    tell. `assumed`: whether to take it for granted; None: as scikit-learn is configured.
    """
    assumed = get_config()["assume_finite"] if assumed is None else assumed
    if rows.dtype.kind != "f" or assumed:
        return
    for part in rows.slices():
        values = rows.take(part)
        values = values.data if rows.is_sparse else values
        # The sum of finite numbers may overflow; that of others never is finite.
        with np.errstate(over="ignore", invalid="ignore"):
            finite = np.isfinite(values.sum())
        if not finite and not np.isfinite(values).all():
            raise ValueError(where_not_finite(rows))


def check_weights(sample_weight, n_samples, may_be_zero=False):
    """Validate weights; None stays None. `may_be_zero`: whether all of them may be.

    Returns
    -------
    sample_weight : ndarray of shape (n_samples,), float64, or None
    """
    if sample_weight is None:
        return None
    if isinstance(sample_weight, numbers.Number):
        sample_weight = np.full(n_samples, sample_weight, dtype=np.float64)
    weights = check_array(
        sample_weight,
        accept_sparse=False,
        ensure_2d=False,
        ensure_min_samples=0,
        dtype=np.float64,
        order="C",
        input_name="sample_weight",
    )
    if weights.ndim != 1:
        raise ValueError(
            f"Sample weights must be 1D array or scalar; got {weights.ndim} dimensions."
        )
    if weights.shape != (n_samples,):
        raise ValueError(
            f"sample_weight.shape == {weights.shape}, expected {(n_samples,)}: one weight "
            "for each row of X."
        )
    if (weights < 0).any():
        row = int(np.argmax(weights < 0))
        raise ValueError(
            f"Negative values in sample_weight: the first is {weights[row]} for row {row}. "
            "Weights must be zero or more."
        )
    most = weights.max(initial=0.0)
    if most == 0 and may_be_zero:
        return weights
    if most == 0:
        raise ValueError("All weights in sample_weight are zero: at least one must be positive.")
    with np.errstate(over="ignore"):
        if not np.isfinite(weights.sum()):
            raise ValueError("The sum of sample_weight overflows float64: divide the weights.")
    least = weights.min(where=weights > 0.0, initial=most)
    if least / scaled_weights(weights)[1] < np.finfo(np.float64).tiny:
        raise ValueError(
            f"The positive weights in sample_weight range from {least:.3g} to {most:.3g}: their "
            "ratio is beyond float64. Set the small ones to zero."
        )
    return weights


def check_n_clusters(n_samples, n_clusters):
    if n_samples < n_clusters:
        raise ValueError(f"n_samples={n_samples} should be >= n_clusters={n_clusters}.")


def check_init_size(init_size, n_clusters):
    if init_size is not None and init_size < n_clusters:
        raise ValueError(
            f"init_size={init_size} should be >= n_clusters={n_clusters}, or None for all rows."
        )


def check_centers(centers):
    """Validate first centres that the user gave or computed.

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features), float64
        Never the user's own array.
    """
    require_numbers(centers)
    if sparse.issparse(centers):
        centers = centers.toarray()
    if _is_plain(centers) and np.can_cast(centers.dtype, np.float64):
        checked = np.array(centers, np.float64, order="C")
        if np.isfinite(checked).all():
            return checked
    return check_array(centers, dtype=np.float64, copy=True, order="C", input_name="init")


def check_centers_fit(centers, n_clusters, n_features):
    """Check the shape of first centres against the problem, and return them."""
    if centers.shape[0] != n_clusters:
        raise ValueError(
            f"The shape of the initial centers {centers.shape} does not match the number of "
            f"clusters {n_clusters}."
        )
    if centers.shape[1] != n_features:
        raise ValueError(
            f"The shape of the initial centers {centers.shape} does not match the number of "
            f"features of the data {n_features}."
        )
    return centers
