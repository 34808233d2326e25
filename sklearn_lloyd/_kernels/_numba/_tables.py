"""Centres as compiled kernels take them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sklearn_lloyd._kernels import array_of
from sklearn_lloyd._kernels._numba._jit import exact
from sklearn_lloyd._kernels._numba._vectors import CENTERS, sum_terms
from sklearn_lloyd._kernels._screen import CenterTable


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

    @property
    def of_trials(self):
        """What seeding needs: factors, norms, slack of a row's norm, and that of any centre."""
        return self.factors, self.norms, self.slack_of_norm, self.slack.max()

    def only(self, centers):
        """The factors and norms of some of the centres, in that order."""
        factors, norms, _ = _empty(centers.size, self.factors.shape[1], self.factors.dtype)
        choose(self.factors, self.norms, centers, factors, norms)
        return factors, norms


def _empty(n_centers, n_features, dtype):
    n_padded = -(-n_centers // CENTERS) * CENTERS
    factors = np.zeros((n_padded, n_features), dtype)
    # Rows are never so far: half of the norms' and the products' sum must not overflow.
    return factors, np.full(n_padded, np.finfo(dtype).max / 16, dtype), np.zeros(n_padded, dtype)


class Tables:
    """Makes one table after the other, of as many centres each, in the same memory.

    Parameters
    ----------
    n_centers, n_features : int
    dtype, norm_dtype : dtype
        Of the table, and of the squared norms of rows.
    n_terms : float or None
        Roundings of a product, where there are more than its sum makes.
    lower : bool
        Whether scores are to be lower bounds, or as near as they come.

    Attributes
    ----------
    memory : Table
        Of the last table, and the next.
    roundings : tuple
        What `fill_table` takes beside the centres and this memory.
    """

    def __init__(self, n_centers, n_features, dtype, norm_dtype, n_terms=None, lower=True):
        info = np.finfo(dtype)
        self.dtype = np.dtype(dtype)
        # Two of the factors, one of the product, one of the norm; the rest and a twentieth are
        # for what is computed from the scores. In halves of an eps: the rounding to nearest.
        eta = 0.525 * float(info.eps) * ((n_terms or sum_terms(n_features)) + 8)
        if self.dtype == np.float64:
            eta *= 4.0  # the definition rounds in the same precision, over more terms
        underflow = 8.0 * (n_features + 8) * float(info.tiny)
        self.roundings = eta, 2.0 * eta if lower else 0.0, underflow
        self._far = info.max / 16
        arrays = _empty(n_centers, n_features, dtype)
        eps = 8 * max(float(info.eps), float(np.finfo(norm_dtype).eps))
        self.memory = Table(*arrays, info.dtype.type(2 * eta), info.dtype.type(eps))

    def table(self, offsets, sq_norms, never=None):
        """The table of centres; the one before is gone.

        Parameters
        ----------
        offsets : ndarray of float64 of shape (n_centers, n_features)
            Less the shift.
        sq_norms : ndarray of float64 of shape (n_centers,)
        never : ndarray of bool of shape (n_centers,) or None
            Centres that no row may choose.
        """
        factors, norms, slack, _, _ = self.memory
        fill_table(offsets, sq_norms, factors, norms, slack, *self.roundings)
        if never is not None:
            norms[: len(never)][never] = self._far
        return self.memory


@exact
def fill_table(offsets, sq_norms, factors, norms, slack, eta, lowered, underflow):
    for c in range(np.uintp(len(offsets))):
        for j in range(np.uintp(offsets.shape[1])):
            factors[c, j] = -2.0 * offsets[c, j]
        norms[c] = (1.0 - lowered) * sq_norms[c]
        slack[c] = 4.0 * eta * sq_norms[c] + underflow


@exact
def choose(factors, norms, centers, some_factors, some_norms):
    """Fill in the factors and norms of some of the centres, in that order."""
    for place in range(np.uintp(len(centers))):
        c = np.uintp(centers[place])
        some_norms[place] = norms[c]
        for j in range(np.uintp(factors.shape[1])):
            some_factors[place, j] = factors[c, j]


class CompiledCenters(CenterTable):
    """A `CenterTable` that takes one call to make."""

    def __init__(self, centers, shift, n_terms):
        # Those of a model that was loaded as a memory map can be read only: a type of its own.
        super().__init__(centers if centers.flags.writeable else centers.copy(), None, n_terms)
        self.shift = shift
        self.offsets, norms = np.empty_like(self.centers), np.empty(len(centers))
        alike, largest = measure(self.centers, array_of(shift), self.offsets, norms)
        # All are cached properties, which their values stand in for.
        self.__dict__.update(sq_norms=norms, _largest=largest)
        if not alike:
            self.__dict__["repeated"] = None


@exact
def measure(centers, shift, offsets, sq_norms):
    """Fill in the centres less the shift and the squares of their norms.

    Returns whether two centres are equal, and the largest of the squares. All pairs are compared
    by their norms, since there are never more of them than there are distances in a pass.
    """
    alike, largest = False, 0.0
    for c in range(np.uintp(len(centers))):
        total = 0.0
        for j in range(np.uintp(centers.shape[1])):
            offset = centers[c, j] - (shift[j] if shift.size else 0.0)
            offsets[c, j] = offset
            total += offset * offset
        sq_norms[c] = total
        largest = max(largest, total)
        same = 0
        for other in range(c):
            same += sq_norms[other] == total
        alike |= same > 0 and _is_among(centers, c, sq_norms)
    return alike, largest


@exact
def _is_among(centers, c, sq_norms):
    """Whether a centre equals one of lower index."""
    for other in range(c):
        if sq_norms[other] == sq_norms[c] and np.all(centers[other] == centers[c]):
            return True
    return False
