"""Means, variances and ranges of features, weighted; when a feature is constant, means equal."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn.utils.sparsefuncs import min_max_axis

from sklearn_lloyd._core import native
from sklearn_lloyd._weights import scaled_weights

# Centres farther from the origin than this many standard deviations call for a shift.
_FAR = 4.0
# Powers of two are chosen by their exponents, of numbers times these: no spread that real data
# have, such as exactly one or the root of two, is on the edge between two of them.
_ROUND, _CEIL = 1.5405836, 1.0893484
_EPS = float(np.finfo(np.float64).eps)
_ULPS = 4  # what different ways to compute one number make of it, such as 0.1 + 0.2 and 0.3
# How many times the rounding of a single sum that of up to 2**16 in order may be.
_GROWTH = 1024


def mean_variance(rows, sample_weight):
    """Weighted mean and variance of the features, float64, in one pass (Chan et al. 1983).

    Parameters
    ----------
    rows : Rows
    sample_weight : ndarray of shape (n_samples,), float64, or None
        In any unit.
    """
    weights, _ = scaled_weights(sample_weight)
    mean, squares = np.empty((2, rows.shape[1]))
    total = native.moments(rows.threads, rows.native, weights, mean, squares)
    return mean, squares / total


class Moments(NamedTuple):
    """Moments of some rows, which can be merged with those of others (Chan et al. 1983).

    Attributes
    ----------
    n_rows : int
    weight : float
        Sum of the weights, in `unit`.
    mean : ndarray of shape (n_features,), float64
    squares : ndarray of shape (n_features,), float64
        Weighted sums of squared deviations from the mean, in `unit`.
    unit : float
        Of the weights, see `scaled_weights`.
    """

    n_rows: int
    weight: float
    mean: np.ndarray
    squares: np.ndarray
    unit: float

    @classmethod
    def of(cls, rows, weights):
        """Moments of rows of which at least one has a weight."""
        weights, unit = scaled_weights(weights)
        weight = float(rows.shape[0] if weights is None else weights.sum())
        mean, variances = mean_variance(rows, weights)
        return cls(rows.shape[0], weight, mean, weight * variances, unit)

    def merged(self, other):
        """Moments of both."""
        unit = max(self.unit, other.unit)
        before, added = self.unit / unit, other.unit / unit  # powers of two
        total = self.weight * before + other.weight * added
        share = other.weight * added / total
        delta = other.mean - self.mean
        squares = self.squares * before + other.squares * added
        squares += delta**2 * (self.weight * before * share)
        n_rows = self.n_rows + other.n_rows
        return Moments(n_rows, total, self.mean + delta * share, squares, unit)


def feature_ranges(rows, sample_weight):
    """The least and the largest value of each feature, float64, of rows that have a weight."""
    low, high = np.full((2, rows.shape[1]), [[np.inf], [-np.inf]])
    for part in rows.slices():
        values = rows.take(part)
        if sample_weight is not None:
            values = values[sample_weight[part] > 0.0]
        if values.shape[0] == 0:
            continue
        if rows.is_sparse:
            least, most = min_max_axis(values.astype(np.float64), axis=0)
        else:
            least, most = values.min(axis=0), values.max(axis=0)
        np.minimum(low, least, out=low)
        np.maximum(high, most, out=high)
    return low, high


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


def power_of_two(spread):
    """A power of two near a spread; without logarithms, whose last digit differs by processor."""
    return 2.0 ** (np.frexp(spread * _ROUND)[1] - 1)


def shift_near(mean, spread):
    """A point near the data, or None when the origin is near enough.

    It lies on a grid of powers of two much coarser than the data, so that subtracting it
    loses no digit, sums of whole numbers stay exact, and the order of the rows, which shows
    in the last digit of the mean, does not show here.
    """
    if spread == 0.0:
        return mean if mean.any() else None
    grid = 2.0 ** np.frexp(2 * _FAR * spread * _CEIL)[1]
    shift = np.round(mean / grid) * grid
    return shift if shift.any() else None
