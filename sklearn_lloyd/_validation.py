"""The only place that validates X, the weights and the first centres."""

from __future__ import annotations

import numbers
from contextlib import contextmanager

import numpy as np
from scipy import sparse
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from sklearn_lloyd._canonical import CanonicalRows
from sklearn_lloyd._chunks import Chunks
from sklearn_lloyd._kernels import moments, norms_and_keys
from sklearn_lloyd._types import Problem

# Centres farther from the origin than this many standard deviations call for a shift.
_FAR = 4.0
# Powers of two are chosen by logarithms plus this, so that no spread that real data have, such as
# exactly one or the root of two, is on the edge between two of them.
_OFF_CENTER = 0.1234567
# Spreads outside of which float32 products could overflow or vanish.
_FLOAT32_RANGE = (1e-14, 1e14)


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


def check_rows(estimator, X, n_clusters, *, n_threads, reset):
    """Validate X for `estimator` and cut it into chunks.

    Parameters
    ----------
    estimator : BaseEstimator or str
        Whose feature names and number are checked (`reset=False`) or set (`reset=True`); a
        string, the name of a function, has neither.
    X : array-like, sparse matrix or frame of shape (n_samples, n_features)
    n_clusters : int
        How many centres the rows are going to be compared with.
    n_threads : int or None
    reset : bool

    Returns
    -------
    chunks : Chunks
        Over X itself wherever X is numeric already: nothing is copied or cast.
    """
    options = {
        "accept_sparse": "csr",
        "accept_large_sparse": True,
        "dtype": "numeric",
        "ensure_all_finite": False,
    }
    try:
        if isinstance(estimator, str):
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
        raise type(error)(f"{error}\n{advice}") from error
    if not sparse.issparse(checked):
        checked = np.asarray(checked)  # a memmap reads the same as a plain view of it
    if checked.dtype.kind == "f" and checked.dtype.itemsize not in (4, 8):
        checked = checked.astype(np.float64)  # float16 and longdouble have no BLAS
    chunks = Chunks(checked, n_clusters, n_threads)
    _check_finite(chunks, estimator)
    return chunks


def _encode_advice(X):
    """Which columns are not numbers, and what to do; None when all are."""
    if hasattr(X, "columns"):
        columns = [(str(name), X[name]) for name in X.columns]
    else:
        try:
            array = np.asarray(X)
        except ValueError:
            return None
        if array.ndim != 2 or array.dtype.kind not in "OUSmM":
            return None
        columns = [(str(j), array[:, j]) for j in range(array.shape[1])]
    names = [repr(name) for name, values in columns if not _is_numeric(values)]
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


def _check_finite(chunks, estimator):
    if chunks.dtype.kind != "f":
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

    chunks.map_reduce(kernel, first)
    if not bad:
        return
    values = chunks.dense_rows(bad[0]) if chunks.is_sparse else chunks.rows(bad[0])
    i, j = np.argwhere(~np.isfinite(values))[0]
    name = estimator if isinstance(estimator, str) else type(estimator).__name__
    what = (
        "NaN"
        if np.isnan(values[i, j])
        else f"infinity or a value too large for dtype({str(chunks.dtype)!r})"
    )
    raise ValueError(
        f"Input X contains {what}: the first in row {bad[0].start + i}, column {j}.\n"
        f"{name} takes finite numbers only. Impute what is missing, for instance with "
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


def check_centers(centers, n_clusters, n_features):
    """Validate first centres that the user gave or computed.

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features), float64
        Never the user's own array.
    """
    if sparse.issparse(centers):
        centers = centers.toarray()
    centers = check_array(centers, dtype=np.float64, copy=True, order="C", input_name="init")
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


def make_problem(chunks, n_clusters, sample_weight):
    """Measure the rows and state the problem: one pass for the moments, one for the norms."""
    dtype = chunks.dtype if chunks.dtype == np.float32 else np.dtype(np.float64)
    with chunks.open():
        mean, variances = _mean_variance(chunks, sample_weight)
        variance = float(variances.mean())
        if not np.isfinite(variance) or not np.isfinite(np.square(mean)).all():
            raise ValueError(
                f"X spans up to {np.abs(mean).max() + np.sqrt(variances.max()):.3g}: squared "
                "distances overflow float64. Scale the features first."
            )
        shift = None if chunks.is_sparse else shift_near(mean, np.sqrt(variance))
        spread = np.sqrt(variance) + (np.abs(mean).max() if shift is None else 0.0)
        narrow = _FLOAT32_RANGE[0] < spread < _FLOAT32_RANGE[1]
        screen_dtype = np.dtype(np.float32 if narrow else np.float64)
        sq_norms, keys, sum_of_squares = _norms_and_keys(
            chunks, sample_weight, shift, mean, variances, screen_dtype
        )
    return Problem(
        chunks=chunks,
        n_clusters=n_clusters,
        sample_weight=sample_weight,
        dtype=dtype,
        shift=shift,
        sq_norms=sq_norms,
        canonical=CanonicalRows(keys),
        variance=variance,
        sum_of_squares=sum_of_squares,
        screen_dtype=screen_dtype,
    )


def _mean_variance(chunks, sample_weight):
    """Weighted mean and variance of the features, float64 (Chan et al. 1983)."""
    total, mean, squares = 0.0, np.zeros(chunks.shape[1]), np.zeros(chunks.shape[1])

    def kernel(rows, scratch):
        return moments(chunks.rows(rows), None if sample_weight is None else sample_weight[rows])

    def merge(part):
        nonlocal total, mean, squares
        weight, part_mean, part_squares = part
        if weight == 0.0:
            return
        delta = part_mean - mean
        squares = squares + part_squares + delta**2 * (total * weight / (total + weight))
        total += weight
        mean = mean + delta * (weight / total)

    chunks.map_reduce(kernel, merge)
    return mean, squares / total


def shift_near(mean, spread):
    """A point near the data, or None when the origin is near enough.

    It lies on a grid of powers of two much coarser than the data, so that subtracting it
    loses no digit, sums of whole numbers stay exact, and the order of the rows, which shows
    in the last digit of the mean, does not show here.
    """
    if spread == 0.0:
        return mean if mean.any() else None
    grid = 2.0 ** np.ceil(np.log2(2 * _FAR * spread) + _OFF_CENTER)
    shift = np.round(mean / grid) * grid
    return shift if shift.any() else None


def _norms_and_keys(chunks, sample_weight, shift, mean, variances, dtype):
    n_samples, n_features = chunks.shape
    sq_norms = np.empty(n_samples, dtype)
    keys = np.empty(n_samples)
    # Sines of whole numbers, of which no combination with whole coefficients vanishes, so
    # that whole rows that differ have keys that differ. Features count alike, by powers of
    # two, so that the last digit of a variance does not show; one that is all but constant
    # by its distance from the shift, so that what rounding makes of it drowns nothing.
    direction = 1.5 + 0.5 * np.sin(np.arange(1.0, n_features + 1) ** 2)
    scale = np.sqrt(variances)
    distance = np.abs(mean if shift is None else mean - shift)
    scale = np.where(scale > 2.0**-10 * distance, scale, distance)
    scale[scale == 0.0] = 1.0
    direction /= 2.0 ** np.round(np.log2(scale) + _OFF_CENTER)
    sum_of_squares = 0.0

    def kernel(rows, scratch):
        norms, keys[rows] = norms_and_keys(chunks.rows(rows), shift, direction)
        sq_norms[rows] = norms
        return norms.sum() if sample_weight is None else norms @ sample_weight[rows]

    def add(part):
        nonlocal sum_of_squares
        sum_of_squares += float(part)

    chunks.map_reduce(kernel, add)
    return sq_norms, keys, sum_of_squares
