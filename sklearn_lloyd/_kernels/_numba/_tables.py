"""Centres as compiled kernels take them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sklearn_lloyd._kernels._numba._jit import exact
from sklearn_lloyd._kernels._numba._simd import CENTERS, sum_terms


class Table(NamedTuple):
    """Centres in one precision, for the products of `_simd`, and how far their scores err.

    Attributes
    ----------
    factors : ndarray of shape (n_padded, n_features)
        -2 times the centres less the shift. Filled up to a multiple of `CENTERS` by centres that
        are too far to matter.
    norms : ndarray of shape (n_padded,)
        A score is a product plus this: a lower bound of the squared distance less the squared
        norm of the row, but for `slack_of_norm`.
    slack : ndarray of shape (n_padded,)
        How much too low a score may be for the centre's own part.
    slack_of_norm : float
        How far off two scores of a row may be together for the row's part, times its squared
        norm.
    eps : float
        A bound on the relative rounding of what is computed from scores, norms and limits.
    """

    factors: np.ndarray
    norms: np.ndarray
    slack: np.ndarray
    slack_of_norm: np.floating
    eps: np.floating

    def only(self, centers):
        """The table of some of the centres, in that order."""
        factors, norms = _empty(centers.size, self.factors.shape[1], self.factors.dtype)
        slack = np.zeros_like(norms)
        n = centers.size
        factors[:n], norms[:n], slack[:n] = (
            array[centers] for array in (self.factors, self.norms, self.slack)
        )
        return self._replace(factors=factors, norms=norms, slack=slack)


def _empty(n_centers, n_features, dtype):
    n_padded = -(-n_centers // CENTERS) * CENTERS
    factors = np.zeros((n_padded, n_features), dtype)
    # Rows are never so far: half of the norms' and the products' sum must not overflow.
    return factors, np.full(n_padded, np.finfo(dtype).max / 16, dtype)


def make_table(offsets, sq_norms, never, dtype, norm_dtype, n_terms=None):
    """The table of centres.

    Parameters
    ----------
    offsets : ndarray of float64 of shape (n_centers, n_features)
        Less the shift.
    sq_norms : ndarray of float64 of shape (n_centers,)
    never : ndarray of bool of shape (n_centers,) or None
        Centres that no row may choose.
    dtype, norm_dtype : dtype
        Of the table, and of the squared norms of rows.
    n_terms : float or None
        Roundings of a product, where there are more than its sum makes.
    """
    info = np.finfo(dtype)
    n_features = offsets.shape[1]
    # Two of the factors, one of the product, one of the norm; the rest and a twentieth are for
    # what is computed from the scores. In terms of half an eps: the rounding to nearest.
    eta = 0.525 * float(info.eps) * ((n_terms or sum_terms(n_features)) + 8)
    underflow = 8.0 * (n_features + 8) * float(info.tiny)
    factors, norms = _empty(len(offsets), n_features, dtype)
    slack = np.zeros_like(norms)
    _fill(offsets, sq_norms, eta, underflow, factors, norms, slack)
    if never is not None:
        norms[: len(never)][never] = info.max / 16
    eps = 8 * max(float(info.eps), float(np.finfo(norm_dtype).eps))
    return Table(factors, norms, slack, info.dtype.type(2 * eta), info.dtype.type(eps))


def table_of(centers, dtype, norm_dtype):
    """The table of a `CenterTable`, in that precision or, if it is too narrow, in float64."""
    dtype = centers.precision(dtype)
    return make_table(centers.offsets, centers.sq_norms, centers.repeated, dtype, norm_dtype)


@exact
def _fill(offsets, sq_norms, eta, underflow, factors, norms, slack):
    for c in range(len(offsets)):
        for j in range(offsets.shape[1]):
            factors[c, j] = -2.0 * offsets[c, j]
        norms[c] = (1.0 - 2.0 * eta) * sq_norms[c]
        slack[c] = 4.0 * eta * sq_norms[c] + underflow
