"""The one way in which all scalings are applied, and undone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sklearn_lloyd._rows import even_slices, row_slice
from sklearn_lloyd._squares import is_square
from sklearn_lloyd._validation import require_finite

_AT_ONCE = 1 << 17  # numbers of X, scaled in float64: they stay in the cache


def scaled_rows(rows, fill, fill_sparse):
    """Rows of which a method of a `Scaling` fills in each block."""
    require_finite(rows)
    dtype = np.dtype(np.float32 if rows.dtype == np.float32 else np.float64)
    if rows.is_sparse:
        out, n_values = rows.X.astype(dtype, copy=True), rows.X.nnz
    else:
        out = np.empty(rows.shape, dtype)
        n_values = out.size
    step = max(1, _AT_ONCE * rows.shape[0] // max(1, n_values))
    try:
        for part in even_slices(rows.shape[0], step):
            if rows.is_sparse:
                block = row_slice(out, part)
                fill_sparse(block, block.data)
            else:
                fill(rows.take(part), out[part])
    except FloatingPointError:
        require_finite(rows, assumed=False)
        raise ValueError(
            f"X has values so far from those of fit that the result overflows {dtype}: fit to "
            "rows like these, set clip, or give X in float64."
        ) from None
    return out


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
        values = out if out.dtype == np.float64 else np.empty(out.shape)
        values[:] = rows
        if self.bounds is not None:
            np.clip(values, *self.bounds, out=values)
        if self.center is not None:
            values -= self.center
        if self.scale is None:
            _normalize(values)
        else:
            values /= self._divisors
        if self.whitening is not None:
            values = values @ self.whitening
        if self._is_weighted:
            values *= np.sqrt(self.weights)
        _store(values, out)

    def apply_sparse(self, rows, out):
        """Fill `out`, the entries of a CSR matrix like `rows`, by a scaling that only divides."""
        values = rows.data.astype(np.float64)
        if self.scale is None:
            _normalize_entries(values, rows.indptr)
        else:
            values /= self._divisors.take(rows.indices)
        if self._is_weighted:
            values *= np.sqrt(self.weights).take(rows.indices)
        _store(values, out)

    def invert(self, rows, out):
        """Fill `out` with rows that `apply` would make these of; dense."""
        values = rows / or_infinite(np.sqrt(self.weights))
        if self.whitening is not None:
            values = values @ self._unwhitening
        values *= self.scale
        if self.center is not None:
            values += self.center
        _store(values, out)

    def invert_sparse(self, rows, out):
        """Fill `out` with the entries of which `apply_sparse` would make those of `rows`."""
        values = rows.data / or_infinite(np.sqrt(self.weights)).take(rows.indices)
        values *= self.scale.take(rows.indices)
        _store(values, out)

    @cached_property
    def _is_weighted(self):
        return bool((self.weights != 1.0).any())

    @cached_property
    def _divisors(self):
        return or_infinite(self.scale)

    @cached_property
    def _unwhitening(self):
        return np.linalg.pinv(self.whitening, rcond=1e-8, hermitian=True)


def or_infinite(scale):
    """What to divide by, so that features whose scale is zero become zero."""
    return np.where(scale > 0.0, scale, np.inf)


def _normalize(values):
    """Divide rows by their norms, in place; those of zeros stay."""
    squares = np.einsum("ij,ij->i", values, values)
    outside = np.flatnonzero(~is_square(squares))
    if outside.size:
        rows = values[outside]
        rows /= units_of(np.abs(rows).max(axis=1))[:, np.newaxis]
        values[outside], squares[outside] = rows, np.einsum("ij,ij->i", rows, rows)
    values /= or_infinite(np.sqrt(squares))[:, np.newaxis]


def _normalize_entries(values, indptr):
    """As `_normalize`, of the entries of a CSR matrix."""
    counts = np.diff(indptr)
    counts, starts = counts[counts > 0], indptr[:-1][counts > 0]
    if starts.size:
        values /= np.repeat(units_of(np.maximum.reduceat(np.abs(values), starts)), counts)
        norms = np.sqrt(np.add.reduceat(np.square(values), starts))
        values /= np.repeat(or_infinite(norms), counts)


def units_of(largest):
    """Powers of two in which numbers up to `largest` are near one: their squares are float64."""
    # To divide by one of these is exact; by the next ones it may not be.
    return np.ldexp(1.0, np.clip(np.frexp(largest)[1], -1000, 1000))


def in_units(values, units):
    """Divide the features, exactly and in place; dense or sparse."""
    if isinstance(values, np.ndarray):
        values /= units
    else:
        values.data /= units.take(values.indices)
    return values


def _store(values, out):
    with np.errstate(over="ignore", invalid="ignore"):
        if values is not out:
            out[:] = values
        # The sum of finite numbers may overflow; that of others never is finite.
        is_finite = np.isfinite(out.sum()) or np.isfinite(out).all()
    if not is_finite:
        raise FloatingPointError
