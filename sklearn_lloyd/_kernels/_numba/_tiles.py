"""Rows of X, copied a tile at a time into memory that stays in the cache."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import exact

TILE = 256  # rows: a tile of a dozen features stays in the first level of the cache
_SHORT = 8  # features: a loop over a row is longer in the starting than in the running
_FILLED = 32  # rows


@exact
def gather(X, index, start, n, shift, out):
    """Rows index[start:][:n] less the shift, in the dtype of `out` (at least n, n_features)."""
    for r in range(n):
        i = np.uintp(index[start + r])
        if shift.size:
            for j in range(X.shape[1]):
                out[r, j] = np.float64(X[i, j]) - shift[j]
        else:
            for j in range(X.shape[1]):
                out[r, j] = X[i, j]


@exact
def by_columns(X):
    """Whether loops had better run along the columns of X than along its rows."""
    return X.shape[1] < _SHORT or X.strides[0] < X.strides[1]


@exact
def fill(X, first, n, shift, out):
    """Rows X[first:][:n] less the shift, in the dtype of `out` (at least n, n_features)."""
    first = np.uintp(first)
    n_features = np.uintp(X.shape[1])
    if not by_columns(X):
        for r in range(np.uintp(n)):
            if shift.size:
                for j in range(n_features):
                    out[r, j] = np.float64(X[first + r, j]) - shift[j]
            else:
                for j in range(n_features):
                    out[r, j] = X[first + r, j]
        return
    # Along the columns, few rows at a time, so that what is written stays in the cache.
    for start in range(np.uintp(0), np.uintp(n), np.uintp(_FILLED)):
        stop = min(np.uintp(n), start + np.uintp(_FILLED))
        for j in range(n_features):
            if shift.size:
                for r in range(start, stop):
                    out[r, j] = np.float64(X[first + r, j]) - shift[j]
            else:
                for r in range(start, stop):
                    out[r, j] = X[first + r, j]


@exact
def gather_columns(X, index, start, n, shift, few, out):
    """As `gather`, feature by feature: `out` is (at least n_features, n).

    By way of `few`, eight rows: they are read as they lie and turned round in the cache.
    """
    n_features = X.shape[1]
    for r in range(0, n, 8):
        m = min(8, n - r)
        gather(X, index, start + r, m, shift, few)
        if m == 8:
            for j in range(n_features):
                for q in range(8):
                    out[j, r + q] = few[q, j]
        else:
            for j in range(n_features):
                for q in range(m):
                    out[j, r + q] = few[q, j]


@exact
def fill_columns(X, first, n, shift, out):
    """As `fill`, feature by feature: `out` is (at least n_features, n)."""
    first, n = np.uintp(first), np.uintp(n)
    for j in range(np.uintp(X.shape[1])):
        if shift.size:
            for r in range(n):
                out[j, r] = np.float64(X[first + r, j]) - shift[j]
        else:
            for r in range(n):
                out[j, r] = X[first + r, j]
