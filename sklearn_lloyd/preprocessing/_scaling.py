"""Ways of scaling: what each learns from rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from sklearn import get_config

from sklearn_lloyd._core import native
from sklearn_lloyd._moments import feature_ranges, is_constant
from sklearn_lloyd._rows import Rows
from sklearn_lloyd._validation import warn_user
from sklearn_lloyd._weights import scaled_weights
from sklearn_lloyd.preprocessing._apply import in_units, or_infinite, units_of
from sklearn_lloyd.preprocessing._quantiles import quantiles

_FLAT = 1e-10  # of the largest variance: directions with less count as constant


@dataclass(frozen=True)
class TrainingRows:
    """The rows that count, clipped, as the ways of scaling look at them.

    Parameters
    ----------
    given : Rows
    weights : ndarray of shape (n_samples,), float64, or None
    units : ndarray of shape (n_features,)
        Powers of two that features are looked at in, so that their squares are float64.
    ends : ndarray of shape (2, n_features)
        The least and the largest value of each feature, in these units; not clipped.
    bounds : ndarray of shape (2, n_features) or None
        What rows are clipped at, in these units.
    """

    given: Rows
    weights: np.ndarray | None
    units: np.ndarray
    ends: np.ndarray
    bounds: np.ndarray | None = None

    def read(self, part):
        """The rows of a slice in these units, clipped, in float64: a copy."""
        values = self.given.take(part)
        if self.given.is_sparse:
            values = values.astype(np.float64)
        else:  # in C order, lest sums depend on how X lies in memory
            values = np.array(values, np.float64, order="C")
        values = in_units(values, self.units)
        if self.bounds is not None:
            np.clip(values, *self.bounds, out=values)
        return values

    @property
    def ranges(self):
        """The least and the largest value of each feature, clipped."""
        return self.ends if self.bounds is None else np.clip(self.ends, *self.bounds)

    @cached_property
    def constant(self):
        """Which features are constant, (n_features,) of bool."""
        return is_constant(*self.ranges, self.given.dtype)

    def mean_variance(self):
        """Weighted mean and variance of the features, float64 (Chan et al. 1983)."""
        weights, _ = scaled_weights(self.weights)
        total, mean, squares = 0.0, *np.zeros((2, self.given.shape[1]))
        for part in self.given.slices():
            values = Rows(self.read(part), self.given.n_threads)
            own = None if weights is None else weights[part]
            part_mean, part_squares = np.empty((2, mean.size))
            weight = native.moments(values.threads, values.native, own, part_mean, part_squares)
            if weight == 0.0:
                continue
            delta, ratio = part_mean - mean, weight / (total + weight)
            squares += part_squares + delta**2 * (total * ratio)
            mean += delta * ratio
            total += weight
        return mean, squares / total

    def quantiles(self, percents):
        """Quantiles of the features, float64 (n_percents, n_features); dense."""
        found = np.empty((len(percents), self.given.shape[1]))
        for j, out in enumerate(found.T):
            values = np.divide(self.given.X[:, j], self.units[j], dtype=np.float64)
            if self.bounds is not None:
                np.clip(values, *self.bounds[:, j], out=values)
            out[:] = quantiles(values, percents, self.weights)
        return found


def learn(given, weights, ends, options):
    """What a method learns: centre, scale, whitening and clip bounds, each of them or None.

    `ends` are the least and the largest value of each feature, of all rows.
    """
    units = units_of(np.maximum(ends[1], -ends[0]))
    if weights is not None and not weights.all():
        ends = feature_ranges(given, weights)
    rows = TrainingRows(given, weights, units, np.divide(ends, units))
    bounds = None if options.clip is None else _bounds(rows, options)
    rows = replace(rows, bounds=bounds)
    center, scale, whitening = METHODS[options.method](rows, options)
    return with_units(units, center, scale, whitening, bounds)


def with_units(units, center, scale, whitening, bounds):
    """What was learned in units, out of them. What is beyond float64 is no number, or no bound."""
    with np.errstate(over="ignore"):
        center, scale, bounds = (
            None if part is None else part * units for part in (center, scale, bounds)
        )
    return center, scale, whitening, bounds


def _bounds(rows, options):
    low, high = options.quantile_range
    low, median, high = rows.quantiles((low, 50, high))
    flat = is_constant(low, high, rows.given.dtype)
    reach = np.where(flat, np.inf, options.clip * (high - low))
    return np.stack([median - reach, median + reach])


# Each way gives centre, scale and whitening, in the units of the rows. The options are those of
# the scaler.


def _zscore(rows, options):
    mean, variance = rows.mean_variance()
    return mean, np.where(rows.constant, 0.0, np.sqrt(variance)), None


def _range(rows, options):
    low, high = rows.ranges
    return low, np.where(rows.constant, 0.0, high - low), None


def _robust(rows, options):
    low, high = options.quantile_range
    below, median, above = rows.quantiles((low, 50, high))
    # Features that vary, but hardly ever, keep their unit.
    flat = is_constant(below, above, rows.given.dtype) & ~rows.constant
    options._warn_of_flat_features(flat)
    scale = np.where(flat, 1.0 / rows.units, above - below)
    return median, np.where(rows.constant, 0.0, scale), None


def _maxabs(rows, options):
    return None, np.abs(rows.ranges).max(axis=0), None


def _unit_norm(rows, options):
    return None, None, None


def _none(rows, options):
    return None, 1.0 / rows.units, None


def _whiten(rows, options):
    """ZCA of the correlations: the whitening that leaves features nearest to themselves."""
    if options.shrinkage == 0.0:
        _warn_of_few_rows(rows.given, rows.weights)
    center, scale, _ = _zscore(rows, options)
    n_features = center.size
    divisors, total, products = or_infinite(scale), 0.0, np.zeros((n_features, n_features))

    sample_weight, _ = scaled_weights(rows.weights)

    for part in rows.given.slices():
        values = rows.read(part)
        values -= center
        values /= divisors
        if sample_weight is None:
            total += float(len(values))
            products += values.T @ values
            continue
        weights = sample_weight[part]
        values[weights == 0.0] = 0.0  # however far out: they do not count
        total += float(weights.sum())
        products += values.T @ (values * weights[:, np.newaxis])
    correlations = (1.0 - options.shrinkage) / total * products
    np.fill_diagonal(correlations, np.diagonal(products) / total)
    variances, axes = np.linalg.eigh(correlations)
    kept = variances > _FLAT * variances[-1]
    axes = axes[:, kept]
    return center, scale, (axes / np.sqrt(variances[kept])) @ axes.T


def require_room_to_whiten(n_features):
    """Raise a ValueError if whitening takes a matrix beyond scikit-learn's `working_memory`."""
    needed, allowed = 8 * n_features**2, get_config()["working_memory"] * 2**20
    if needed > allowed:
        raise ValueError(
            f"method='whiten' needs a matrix of n_features x n_features, {needed / 2**20:.0f} MiB "
            f"for {n_features} features, and working_memory allows for "
            f"{allowed / 2**20:.0f}. Reduce the features first, for instance with "
            "sklearn.decomposition.PCA(whiten=True), choose another method, or raise "
            "sklearn.set_config(working_memory=...)."
        )


def _warn_of_few_rows(given, weights):
    n_rows = given.shape[0] if weights is None else np.count_nonzero(weights)
    if n_rows <= given.shape[1]:
        warn_user(
            f"method='whiten' needs more rows than features; got n_samples={n_rows} that count "
            f"and {given.shape[1]} features. Whitened, distinct rows are all equally far from "
            "each other. Set shrinkage above zero, reduce the features first (for instance with "
            "sklearn.decomposition.PCA), or choose another method.",
            UserWarning,
        )


METHODS = {
    "zscore": _zscore,
    "range": _range,
    "robust": _robust,
    "maxabs": _maxabs,
    "unit-norm": _unit_norm,
    "whiten": _whiten,
    "none": _none,
}
SPARSE_METHODS = ("maxabs", "unit-norm", "none")  # that keep zeros
