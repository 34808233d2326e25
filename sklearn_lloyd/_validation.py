"""The only place that validates X, the weights and the first centres."""

from __future__ import annotations

import numbers
import sys
import warnings
from collections.abc import Iterable
from contextlib import contextmanager

import numpy as np
from scipy import sparse
from sklearn import get_config
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from sklearn_lloyd._chunks import Chunks


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


def check_rows(estimator, X, n_clusters, *, backend, n_threads, reset, n_before=0):
    """Validate X for `estimator` and cut it into chunks.

    Parameters
    ----------
    estimator : BaseEstimator or str
        Whose feature names and number are checked (`reset=False`) or set (`reset=True`); a
        string, the name of a function, has neither.
    X : array-like, sparse matrix or frame of shape (n_samples, n_features)
    n_clusters : int
        How many centres the rows are going to be compared with.
    backend : {"auto", "numpy", "numba"}
    n_threads : int or None
    reset : bool
    n_before : int
        Batches like this one that came before, to be counted where "auto" weighs the work.

    Returns
    -------
    chunks : Chunks
        Over X itself wherever X is numeric already: nothing is copied or cast. Whether its
        numbers are finite shows in the first pass over them, see `require_finite`.
    """
    options = {
        "accept_sparse": "csr",
        "accept_large_sparse": True,
        "dtype": None,
        "ensure_all_finite": False,
    }
    try:
        if _is_plain(X) and _take_plain(estimator, X.shape[1], reset):
            checked = X
        elif isinstance(estimator, str):
            checked = check_array(X, estimator=estimator, **options)
        else:
            checked = validate_data(estimator, X, reset=reset, **options)
        if checked.dtype.kind in "mM":
            raise ValueError(f"dtype={checked.dtype} is not numeric: times are not numbers.")
        if checked.dtype.kind not in "biuf":
            checked = checked.astype(np.float64)
    except (ValueError, TypeError) as error:
        advice = _encode_advice(X)
        if advice is None:
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{error}\n{advice}") from error
    if not sparse.issparse(checked):
        checked = np.asarray(checked)  # a memmap reads the same as a plain view of it
    if checked.dtype.kind == "f" and checked.dtype.itemsize not in (4, 8):
        checked = checked.astype(np.float64)  # float16 and longdouble have no BLAS
    return Chunks(checked, n_clusters, n_threads, backend, n_before)


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


def _encode_advice(X):
    """Which columns are not numbers, and what to do; None when all are, or none can be told."""
    try:
        if isinstance(getattr(X, "columns", None), Iterable) and hasattr(X, "dtypes"):
            columns = [(str(name), X[name]) for name in X.columns]
        else:
            array = np.asarray(X)
            if array.ndim != 2 or array.dtype.kind not in "OUSmM":
                return None
            columns = [(str(j), array[:, j]) for j in range(array.shape[1])]
        names = [repr(name) for name, values in columns if not _is_numeric(values)]
    except Exception:  # the error that called for advice matters, not one of looking for it
        return None
    if not names:
        return None
    return (
        f"Columns that are not numbers: {', '.join(names)}. k-means needs numbers: encode "
        "these columns (for instance with sklearn.preprocessing.OneHotEncoder in a "
        "ColumnTransformer), drop them, or use a method for mixed data such as k-prototypes."
    )


def _is_numeric(values):
    values = np.asarray(values)
    try:
        values.astype(np.float64)
    except (ValueError, TypeError):
        return False
    return values.dtype.kind not in "mM"


def require_finite(chunks, assumed=None):
    """Raise a ValueError that says where, unless all rows are finite.

    A pass over the rows of its own: called where a first pass has found something, or does not
    tell. `assumed`: whether to take it for granted; None: as scikit-learn is configured.
    """
    assumed = get_config()["assume_finite"] if assumed is None else assumed
    if chunks.dtype.kind != "f" or assumed:
        return
    bad = []

    def kernel(rows, scratch):
        values = chunks.rows(rows)
        values = values.data if chunks.is_sparse else values
        # The sum of finite numbers may overflow; that of others never is finite.
        return None if np.isfinite(values.sum()) or np.isfinite(values).all() else rows

    def first(rows):
        if rows is not None and not bad:
            bad.append(rows)

    if len(chunks.blocks) == 1:  # without the cost of a pool
        with np.errstate(over="ignore", invalid="ignore"):
            first(kernel(chunks.blocks[0], None))
    else:
        chunks.map_reduce(kernel, first)
    if not bad:
        return
    values = chunks.rows(bad[0])
    if chunks.is_sparse:
        place = np.flatnonzero(~np.isfinite(values.data))[0]
        i = np.searchsorted(values.indptr, place, side="right") - 1
        j, value = values.indices[place], values.data[place]
    else:
        i, j = np.argwhere(~np.isfinite(values))[0]
        value = values[i, j]
    what = (
        "NaN"
        if np.isnan(value)
        else f"infinity or a value too large for dtype({str(chunks.dtype)!r})"
    )
    raise ValueError(
        f"Input X contains {what}: the first in row {bad[0].start + i}, column {j}.\n"
        "k-means takes finite numbers only. Impute what is missing, for instance with "
        "sklearn.impute.SimpleImputer in a Pipeline, or drop those rows."
    )


def check_weights(sample_weight, n_samples):
    """Validate weights; None stays None.

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
    with np.errstate(over="ignore"):
        total = weights.sum()
    if total == 0:
        raise ValueError("All weights in sample_weight are zero: at least one must be positive.")
    if not np.isfinite(total):
        raise ValueError("The sum of sample_weight overflows float64: divide the weights.")
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
