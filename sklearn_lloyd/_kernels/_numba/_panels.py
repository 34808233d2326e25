"""Rows of X, copied a panel at a time: side by side in memory that stays in the cache."""

from __future__ import annotations

import numpy as np
from numba import types
from numba.extending import overload

from sklearn_lloyd._kernels._numba._jit import UNCOUNTED, exact_part
from sklearn_lloyd._kernels._numba._simd import turn_rows


@exact_part
def are_neighbours(index, first, n_lanes):
    """Whether the rows index[first:][:n_lanes], which are in order, lie side by side."""
    first = np.uintp(first)
    last = first + np.uintp(n_lanes) - np.uintp(1)
    as_far = np.uintp(index[last] - index[first]) == last - first
    # The last is not the one before once more, which is how lists are padded.
    return as_far and index[last] != index[last - np.uintp(1)]


def _fill_in_registers(X, index, first, shift, panel):
    """Fill a panel as far as that goes in registers; returns how many features that is."""


@overload(_fill_in_registers, jit_options=UNCOUNTED)
def _fill_in_registers_of(X, index, first, shift, panel):
    floats = (types.float32, types.float64)
    if X.dtype not in floats or X.layout != "C" or not X.aligned:
        return lambda X, index, first, shift, panel: 0

    def fill(X, index, first, shift, panel):
        n_features, n_lanes = X.shape[1], panel.shape[1]
        width = n_lanes >> 2
        j, last_start = 0, n_features - width
        if shift.size == 0 and are_neighbours(index, first, n_lanes):
            start = index[first]
            while j <= last_start:  # a range with a step would divide
                turn_rows(X, None, start, j, None, None, panel)
                j += width
        while j <= last_start:
            if shift.size:
                turn_rows(X, index, first, j, None, shift, panel)
            else:
                turn_rows(X, index, first, j, None, None, panel)
            j += width
        # The rest, if what lies behind it can be read: the next row.
        if j == n_features or shift.size:
            return j
        if index[first + n_lanes - 1] * n_features + j + width > X.size:
            return j
        turn_rows(X, index, first, j, n_features - j, None, panel)
        return n_features

    return fill


@exact_part
def fill_panel(X, index, first, shift, panel):
    """Copy rows index[first:][:lanes] less the shift into a panel.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    index : ndarray of intp
        In order; at least a whole panel from `first` on, see `pad_index`.
    first : int
    shift : ndarray of float64 of shape (n_features,), or (0,) for none
    panel : ndarray of shape (n_features, lanes)
        Filled.
    """
    done = _fill_in_registers(X, index, first, shift, panel)
    n_lanes = np.uintp(panel.shape[1])
    first = np.uintp(first)
    start = np.uintp(index[first])
    side_by_side = are_neighbours(index, first, n_lanes)
    for j in range(np.uintp(done), np.uintp(X.shape[1])):
        if side_by_side and shift.size == 0:
            for r in range(n_lanes):
                panel[j, r] = X[start + r, j]
        elif shift.size == 0:
            for r in range(n_lanes):
                panel[j, r] = X[np.uintp(index[first + r]), j]
        else:
            for r in range(n_lanes):
                panel[j, r] = np.float64(X[np.uintp(index[first + r]), j]) - shift[j]


@exact_part
def pad_index(index, n, n_lanes):
    """Repeat the last of the first n rows, up to a whole panel."""
    for r in range(n, -(-n // n_lanes) * n_lanes):
        index[r] = index[n - 1]
