"""Rows of X, copied a panel at a time: side by side in memory that stays in the cache."""

from __future__ import annotations

import numpy as np
from numba import types
from numba.extending import overload

from sklearn_lloyd._kernels._numba._jit import exact
from sklearn_lloyd._kernels._numba._simd import turn_rows


def _fill_whole(X, index, first, shift, panel):
    """Fill a panel as far as whole registers go; returns how many features that is."""


@overload(_fill_whole)
def _fill_whole_of(X, index, first, shift, panel):
    floats = (types.float32, types.float64)
    if X.dtype not in floats or X.layout != "C" or not X.aligned:
        return lambda X, index, first, shift, panel: 0

    def fill(X, index, first, shift, panel):
        width = panel.shape[1] // 2
        whole = X.shape[1] // width * width
        if shift.size:
            for j in range(0, whole, width):
                turn_rows(X, index, first, j, shift, panel)
        else:
            for j in range(0, whole, width):
                turn_rows(X, index, first, j, None, panel)
        return whole

    return fill


@exact
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
    whole = _fill_whole(X, index, first, shift, panel)
    n_lanes = np.uintp(panel.shape[1])
    first = np.uintp(first)
    last = first + n_lanes - np.uintp(1)
    start = np.uintp(index[first])
    # In order, and the last is not the one before once more, which is how lists are padded.
    side_by_side = np.uintp(index[last]) - start == n_lanes - np.uintp(1)
    side_by_side &= index[last] != index[last - np.uintp(1)]
    for j in range(np.uintp(whole), np.uintp(X.shape[1])):
        if side_by_side and shift.size == 0:
            for r in range(n_lanes):
                panel[j, r] = X[start + r, j]
        elif shift.size == 0:
            for r in range(n_lanes):
                panel[j, r] = X[np.uintp(index[first + r]), j]
        else:
            for r in range(n_lanes):
                panel[j, r] = np.float64(X[np.uintp(index[first + r]), j]) - shift[j]


@exact
def pad_index(index, n, n_lanes):
    """Repeat the last of the first n rows, up to a whole panel."""
    for r in range(n, -(-n // n_lanes) * n_lanes):
        index[r] = index[n - 1]
