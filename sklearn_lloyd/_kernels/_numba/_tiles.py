"""Rows of X, taken a tile at a time: what is noted of them stays in the cache."""

from __future__ import annotations

from sklearn_lloyd._kernels._numba._jit import exact

TILE = 256  # rows: a tile of a dozen features stays in the first level of the cache
_SHORT = 8  # features: a loop over a row is longer in the starting than in the running


@exact
def by_columns(X):
    """Whether loops had better run along the columns of X than along its rows."""
    return X.shape[1] < _SHORT or X.strides[0] < X.strides[1]
