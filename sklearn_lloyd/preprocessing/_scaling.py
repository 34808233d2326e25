"""Ways of scaling: what each learns from rows, and the one way in which all are applied."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from sklearn.preprocessing import normalize
from sklearn.utils.sparsefuncs import inplace_column_scale

from sklearn_lloyd._chunks import Chunks
from sklearn_lloyd._moments import feature_ranges, is_constant, mean_variance
from sklearn_lloyd._weights import scaled_weights
from sklearn_lloyd.preprocessing._quantiles import quantiles

_FLAT = 1e-10  # of the largest variance: directions with less count as constant


@dataclass(frozen=True)
class Scaling:
    """What is done to a row: bounds, centre, scale, whitening, weights, in this order.

    Parameters
    ----------
    center : ndarray of shape (n_features,) or None
        Taken off.
    scale : ndarray of shape (n_features,) or None
        Divided by; features with zero become zero. None: each row by its own norm.
    whitening : ndarray of shape (n_features, n_features) or None
        Symmetric, for rows that are centred and scaled.
    bounds : ndarray of shape (2, n_features) or None
        Clipped at, first of all.
    weights : ndarray of shape (n_features,)
        How often squared differences count.
    """

    center: np.ndarray | None
    scale: np.ndarray | None
    whitening: np.ndarray | None
    bounds: np.ndarray | None
    weights: np.ndarray

    def apply(self, rows, out):
        """Fill `out` with the scaled rows; dense."""
        values = _as_float64(rows)
        if self.bounds is not None:
            np.clip(values, *self.bounds, out=values)
        if self.center is not None:
            values -= self.center
        if self.scale is None:
            values = normalize(values, copy=False)
        elif self.whitening is not None:
            values *= _inverse(self.scale)
            values = values @ self.whitening
        values *= self._factors()
        out[:] = values

    def apply_sparse(self, X):
        """The scaled rows, a new CSR matrix; of scalings that only divide."""
        return _scaled_columns(normalize(X) if self.scale is None else X, self._factors())

    def invert(self, rows, out):
        """Fill `out` with rows that `apply` would make these of; dense."""
        values = rows * _inverse(np.sqrt(self.weights))
        if self.whitening is not None:
            values = values @ self._unwhitening
        values *= self.scale
        if self.center is not None:
            values += self.center
        out[:] = values

    @cached_property
    def _unwhitening(self):
        return np.linalg.pinv(self.whitening, rcond=1e-8, hermitian=True)

    def invert_sparse(self, X):
        """The rows of which `apply_sparse` made these, a new CSR matrix."""
        return _scaled_columns(X, self.scale * _inverse(np.sqrt(self.weights)))

    def _factors(self):
        """What each feature is multiplied by in the end."""
        factors = np.sqrt(self.weights)
        scaled = self.scale is None or self.whitening is not None
        return factors if scaled else factors * _inverse(self.scale)


def _as_float64(rows):
    """A copy in float64; dense rows in C order, lest sums depend on how X lies in memory."""
    dense = isinstance(rows, np.ndarray)
    return np.array(rows, np.float64, order="C") if dense else rows.astype(np.float64)


def _inverse(scale):
    """One over the scale, zero where that is zero."""
    return np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0.0)


def _scaled_columns(X, factors):
    dtype = np.float32 if X.dtype == np.float32 else np.float64
    X = X.astype(dtype)
    inplace_column_scale(X, factors.astype(dtype))
    return X


@dataclass(frozen=True)
class TrainingRows:
    """The rows that count, clipped, as the ways of scaling look at them.

    Parameters
    ----------
    chunks : Chunks
    weights : ndarray of shape (n_samples,), float64, or None
    bounds : ndarray of shape (2, n_features) or None
    """

    chunks: Chunks
    weights: np.ndarray | None
    bounds: np.ndarray | None = None

    def read(self, rows):
        """The rows of a slice, clipped, in float64: a copy."""
        values = _as_float64(self.chunks.rows(rows))
        if self.bounds is not None:
            np.clip(values, *self.bounds, out=values)
        return values

    @cached_property
    def ranges(self):
        """The least and the largest value of each feature."""
        return feature_ranges(self.chunks, self.weights, self.read)

    @cached_property
    def constant(self):
        """Which features are constant, (n_features,) of bool."""
        return is_constant(*self.ranges, self.chunks.dtype)

    def quantiles(self, percents, features=None):
        """Quantiles of features, by default of all, float64 (n_percents, n_features); dense."""
        features = range(self.chunks.shape[1]) if features is None else features
        found = np.empty((len(percents), len(features)))
        for out, j in zip(found.T, features, strict=True):
            values = self.chunks.X[:, j].astype(np.float64)
            if self.bounds is not None:
                np.clip(values, *self.bounds[:, j], out=values)
            out[:] = quantiles(values, percents, self.weights)
        return found


# Each way gives centre, scale and whitening. The options are those of the scaler.


def _zscore(rows, options):
    mean, variance = mean_variance(rows.chunks, rows.weights, rows.read)
    return mean, np.where(rows.constant, 0.0, np.sqrt(variance)), None


def _range(rows, options):
    low, high = rows.ranges
    return low, np.where(rows.constant, 0.0, high - low), None


def _robust(rows, options):
    low, high = options.quantile_range
    below, median, above = rows.quantiles((low, 50, high))
    # Features that vary, but hardly ever, keep their unit.
    scale = np.where(is_constant(below, above, rows.chunks.dtype), 1.0, above - below)
    return median, np.where(rows.constant, 0.0, scale), None


def _maxabs(rows, options):
    return None, np.abs(rows.ranges).max(axis=0), None


def _unit_norm(rows, options):
    return None, None, None


def _none(rows, options):
    return None, np.ones(rows.chunks.shape[1]), None


def _whiten(rows, options):
    """ZCA of the correlations: the whitening that leaves features nearest to themselves."""
    center, scale, _ = _zscore(rows, options)
    n_features = center.size
    factors, total, products = _inverse(scale), 0.0, np.zeros((n_features, n_features))

    sample_weight, _ = scaled_weights(rows.weights)

    def kernel(part, scratch):
        values = rows.read(part)
        values -= center
        values *= factors
        if sample_weight is None:
            return float(len(values)), values.T @ values
        weights = sample_weight[part]
        values[weights == 0.0] = 0.0  # however far out: they do not count
        return float(weights.sum()), values.T @ (values * weights[:, np.newaxis])

    def add(part):
        nonlocal total, products
        total += part[0]
        products += part[1]

    rows.chunks.map_reduce(kernel, add)
    correlations = (1.0 - options.shrinkage) / total * products
    np.fill_diagonal(correlations, np.diagonal(products) / total)
    variances, axes = np.linalg.eigh(correlations)
    kept = variances > _FLAT * variances[-1]
    axes = axes[:, kept]
    return center, scale, (axes / np.sqrt(variances[kept])) @ axes.T


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
