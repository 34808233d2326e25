"""Rows of X, copied a tile at a time into memory that stays in the cache."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import exact

TILE = 256  # rows: a tile of a dozen features stays in the first level of the cache
_SHORT = 8  # features: a loop over a row is longer in the starting than in the running


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
