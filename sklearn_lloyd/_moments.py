"""Means, variances and ranges of features, weighted; when a feature is constant, means equal."""

from __future__ import annotations

import numpy as np
from sklearn.utils.sparsefuncs import min_max_axis

from sklearn_lloyd._kernels import array_of, moments
from sklearn_lloyd._weights import scaled_weights

# Centres farther from the origin than this many standard deviations call for a shift.
_FAR = 4.0
# Powers of two are chosen by logarithms plus this, so that no spread that real data have, such as
# exactly one or the root of two, is on the edge between two of them.
OFF_CENTER = 0.1234567
_EPS = float(np.finfo(np.float64).eps)
_ULPS = 4  # what different ways to compute one number make of it, such as 0.1 + 0.2 and 0.3
# How many times the rounding of a single sum that of up to 2**16 in order may be.
_GROWTH = 1024
_LONG_LOOP = 4096  # numbers, above which NumPy is fast at reducing along rows


def mean_variance(chunks, sample_weight, read=None):
    """Weighted mean and variance of the features, float64, in one pass (Chan et al. 1983).

    Parameters
    ----------
    chunks : Chunks
    sample_weight : ndarray of shape (n_samples,), float64, or None
        In any unit.
    read : callable or None
        ``read(rows)`` gives what to look at instead of the rows of a slice.
    """
    weights, _ = scaled_weights(sample_weight)
    total, mean, squares = 0.0, np.zeros(chunks.shape[1]), np.zeros(chunks.shape[1])

    def kernel(rows, scratch):
        if chunks.compiled_dense is not None and read is None:
            return chunks.compiled_dense.moments(
                chunks.X, rows.start, rows.stop, array_of(weights)
            )
        return moments(*_counted(chunks, rows, weights, read), scratch)

    def merge(part):
        nonlocal total, mean, squares
        weight, part_mean, part_squares = part
        if weight == 0.0:
            return
        if total == 0.0:
            total, mean, squares = part
            return
        delta = part_mean - mean
        squares = squares + part_squares + delta**2 * (total * (weight / (total + weight)))
        total += weight
        mean = mean + delta * (weight / total)

    chunks.map_reduce(kernel, merge)
    return mean, squares / total


def feature_ranges(chunks, sample_weight):
    """The least and the largest value of each feature, float64, of rows that have a weight."""
    low, high = np.full((2, chunks.shape[1]), [[np.inf], [-np.inf]])

    def kernel(rows, scratch):
        values, _ = _counted(chunks, rows, sample_weight, None)
        if values.shape[0] == 0:
            return np.inf, -np.inf
        if chunks.is_sparse:
            return min_max_axis(values.astype(np.float64), axis=0)
        return [_along_features(end, values) for end in (np.minimum, np.maximum)]

    def merge(part):
        np.minimum(low, part[0], out=low)
        np.maximum(high, part[1], out=high)

    chunks.map_reduce(kernel, merge)
    return low, high


def _along_features(end, values):
    """``end.reduce(values, axis=0)``, of few features many rows side by side, which is faster."""
    n_together = _LONG_LOOP // values.shape[1]
    n_rows = values.shape[0] - values.shape[0] % max(1, n_together)
    if n_together < 2 or n_rows <= n_together or not values.flags.c_contiguous:
        return end.reduce(values, axis=0)
    side_by_side = values[:n_rows].reshape(-1, n_together * values.shape[1])
    found = end.reduce(side_by_side, axis=0).reshape(n_together, -1)
    return end.reduce(np.concatenate([found, values[n_rows:]]), axis=0)


def _counted(chunks, rows, sample_weight, read):
    """Rows of positive weight, of a slice, and their weights or None."""
    values = chunks.rows(rows) if read is None else read(rows)
    if sample_weight is None:
        return values, None
    weights = sample_weight[rows]
    if weights.all():
        return values, weights
    return values[weights > 0.0], weights[weights > 0.0]


def is_constant(low, high, dtype):
    """Whether numbers from `low` to `high` differ by no more than their own rounding.

    That is what tells a constant from a feature that varies, everywhere in this package: not the
    rounding of sums, which depends on how many rows there are. Whole numbers that differ are
    never constant.

    Parameters
    ----------
    low, high : float or ndarray
        Of any dtype of numbers, or bool.
    dtype : dtype
        Of X: its precision is what counts.
    """
    dtype = np.dtype(dtype)
    ulps = _ULPS * float(np.finfo(dtype).eps) if dtype.kind == "f" else 0.0
    low, high = np.asarray(low, np.float64), np.asarray(high, np.float64)
    with np.errstate(over="ignore"):
        return high - low <= ulps * np.maximum(np.abs(low), np.abs(high))


def rounding_of_means(means, variances):
    """How far off computed means may be; means that are no farther apart are equal.

    Parameters
    ----------
    means : ndarray of shape (n_clusters, n_features), float64
        Less the shift that they were computed with.
    variances : ndarray of shape (n_clusters,), float64
        Weighted means of the squared distances of rows from their mean.
    """
    norms = np.sqrt(np.einsum("ij,ij->i", means, means))
    return _EPS * (_ULPS * norms + _GROWTH * np.sqrt(variances))


def weighted_mean(values, sample_weight=None):
    """The weighted mean of numbers, or of the rows of an array, in memory; weights in any unit."""
    return np.average(values, axis=0, weights=scaled_weights(sample_weight)[0])


def centered(values, sample_weight=None):
    """Rows in memory less their weighted mean, and the mean; a large one costs no digits."""
    mean = weighted_mean(values, sample_weight)
    offsets = values - mean
    rest = weighted_mean(offsets, sample_weight)
    offsets -= rest
    return offsets, mean + rest


def shift_near(mean, spread):
    """A point near the data, or None when the origin is near enough.

    It lies on a grid of powers of two much coarser than the data, so that subtracting it
    loses no digit, sums of whole numbers stay exact, and the order of the rows, which shows
    in the last digit of the mean, does not show here.
    """
    if spread == 0.0:
        return mean if mean.any() else None
    grid = 2.0 ** np.ceil(np.log2(2 * _FAR * spread) + OFF_CENTER)
    shift = np.round(mean / grid) * grid
    return shift if shift.any() else None
