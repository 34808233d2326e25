"""Rows and centres as whole numbers of 16 bits, and how far their scores err.

Each row, less the shift, is scaled so that its norm is nearly 2^15, and rounded: that is off
by half in each feature, so by no more than sqrt(n_features) / 2 together, and likewise for each
centre. By Cauchy-Schwarz their product is off by what `CodeTables` allows for. No sum of products
overflows, since no product of norms does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sklearn_lloyd._kernels._numba._codes import LANES, encode_panel
from sklearn_lloyd._kernels._numba._jit import exact, exact_part_with_arrays, inlined
from sklearn_lloyd._kernels._numba._panels import are_neighbours, fill_neighbours, fill_panel
from sklearn_lloyd._kernels._numba._simd import product
from sklearn_lloyd._kernels._numba._vectors import CENTERS

_LARGEST = 32766.0  # one less than there is room for
# Rows or centres that are nearer to the shift than others, by this share of their squared
# distances, are no finer than there: a scale must not overflow.
FLOOR = 2.0**-20
_EPS = float(np.finfo(np.float32).eps)


def scale_for(n_features, longer=0.0):
    """The norm that rows and centres get, so that each number has room.

    Norms may be off by the rounding of their sums, and by as much more as is told.
    """
    return np.float32(_LARGEST / (1.0 + (n_features + 8) * _EPS + longer))


@inlined
def scale_of(norm, floor, scale):
    """By what a row is multiplied. It depends on nothing but its squared norm, as it is kept."""
    return scale / np.sqrt(max(norm, floor))


@exact
def encode_rows(X, start, stop, shift, sq_norms, floor, scale, codes):
    """Fill in the codes of the rows from start to stop.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    start, stop : int
        What follows is of those rows alone.
    shift : ndarray of float64 of shape (n_features,), or (0,) for none
    sq_norms : ndarray of float32 of shape (n_rows,)
        Rows of a larger norm than by these may have no room.
    floor, scale : float32
        See `scale_of`.
    codes : ndarray of int32 of shape (n_panels, n_pairs, LANES)
        Filled: `LANES` rows to a panel, of which the last one is filled up.
    """
    panel, scales = np.empty((X.shape[1], LANES), np.float32), np.empty(LANES, np.float32)
    index = np.empty(LANES, np.intp)
    for p in range(len(codes)):
        first = p * LANES
        n = min(LANES, stop - start - first)
        if n == LANES:
            fill_neighbours(X, start + first, shift, panel)
        else:
            for r in range(LANES):
                index[r] = start + first + min(r, n - 1)
            fill_panel(X, index, 0, shift, panel)
        for r in range(LANES):
            scales[r] = scale_of(sq_norms[first + min(r, n - 1)], floor, scale)
        encode_panel(panel, scales, codes[p])


@exact_part_with_arrays
def panel_of(codes, index, first, gathered):
    """The codes of the rows index[first:][:LANES]: a panel that there is, or one gathered."""
    start = index[first]
    if start % LANES == 0 and are_neighbours(index, first, LANES):
        return codes[start // LANES]
    for r in range(np.uintp(LANES)):
        i = np.uintp(index[np.uintp(first) + r])
        panel, lane = i // np.uintp(LANES), i % np.uintp(LANES)
        for pair in range(np.uintp(gathered.shape[0])):
            gathered[pair, r] = codes[panel, pair, lane]
    return gathered


class CodeTable(NamedTuple):
    """Centres as codes, and how far their scores err; see `Table`.

    Attributes
    ----------
    codes : ndarray of int32 of shape (n_padded, n_pairs)
    norms, factors : ndarrays of float32 of shape (n_padded,)
        As `fold_codes` takes them; scores are lower bounds, but for the row's part.
    slack : ndarray of float32 of shape (n_padded,)
    floor, scale : float32
        Of the rows that go with them, see `scale_of`.
    error : float32
        How far off a score may be for the row's part, times the squared norm of the row...
    error_of_floor : float32
        ...or this, if that is more.
    """

    codes: np.ndarray
    norms: np.ndarray
    factors: np.ndarray
    slack: np.ndarray
    floor: np.float32
    scale: np.float32
    error: np.float32
    error_of_floor: np.float32

    @property
    def of_bounds(self):
        """What is needed where the rows have bounds on their scores."""
        return *self[:3], *self[4:]

    @property
    def of_labels(self):
        """What is needed where they have none."""
        return self[:7]


class CodeTables:
    """Makes one table after the other, of as many centres each, in the same memory.

    Parameters
    ----------
    n_centers, width : int
    floor : float32
        Squared norm below which rows and centres are no finer.
    scale : float32
        Of rows and centres.
    error : float
        How much too low a score may be besides, times each of the squared norms.

    Attributes
    ----------
    memory : CodeTable
        Of the last table, and the next.
    roundings : tuple
        What `fill_codes` takes beside the centres and this memory.
    """

    def __init__(self, n_centers, width, floor, scale, error):
        # What rounding takes off a row or a centre, as a share of its norm; a fiftieth is for
        # what float32 does before the rounding. Both ways of a product, and a score has two.
        share = 1.02 * 0.5 * np.sqrt(width) / float(scale)
        error += share * (2.0 + share) + 8 * _EPS
        self.roundings = error, float(floor), float(scale)
        n_padded = -(-n_centers // CENTERS) * CENTERS
        self._far = float(np.finfo(np.float32).max) / 16
        self.memory = CodeTable(
            np.zeros((n_padded, -(-width // 2)), np.int32),
            np.full(n_padded, self._far, np.float32),
            *np.zeros((2, n_padded), np.float32),
            np.float32(floor),
            np.float32(scale),
            np.float32(error),
            np.float32(2.0 * error * float(floor)),
        )

    def table(self, offsets, sq_norms, never=None):
        """The table of centres; as `Tables.table`."""
        codes, norms, factors, slack, *_ = self.memory
        fill_codes(offsets, sq_norms, *self.roundings, codes, norms, factors, slack)
        if never is not None:
            norms[: len(never)][never] = self._far
        return self.memory


@exact
def fill_codes(offsets, sq_norms, error, floor, scale, codes, norms, factors, slack):
    halves = codes.view(np.int16)
    for c in range(np.uintp(len(offsets))):
        counted = max(sq_norms[c], floor)
        to_codes = scale / np.sqrt(counted)
        for j in range(np.uintp(offsets.shape[1])):
            number = offsets[c, j] * to_codes
            halves[c, j] = np.int32(number + (0.5 if number >= 0.0 else -0.5))
        norms[c] = sq_norms[c] - error * counted
        factors[c] = -2.0 / to_codes
        slack[c] = 2.0 * error * (counted + 2.0 * floor)


@exact
def project(offsets, sq_norms, axes, error, projected):
    """Project centres, see `_codes`: the last number is the norm of what is left.

    Parameters
    ----------
    offsets : ndarray of float64 of shape (n_centers, n_features)
        Less the shift.
    sq_norms : ndarray of float64 of shape (n_centers,)
    axes : ndarray of float32 of shape (n_axes, n_features)
        Orthonormal, but for rounding.
    error : float
        A bound on the relative error of the products.
    projected : ndarray of float64 of shape (n_centers, n_axes + 1)
        Filled.
    """
    row, n_axes = np.empty(offsets.shape[1], np.float32), len(axes)
    for c in range(np.uintp(len(offsets))):
        for j in range(np.uintp(row.size)):
            row[j] = offsets[c, j]
        inside = 0.0
        for a in range(n_axes):
            projected[c, a] = product(row, axes, a)
            inside += projected[c, a] * projected[c, a]
        rest = sq_norms[c] * (1.0 + 4.0 * error) - inside
        projected[c, n_axes] = np.sqrt(max(rest, 0.0))
