"""Rows of X, taken a tile at a time: what is noted of them stays in the cache."""

from __future__ import annotations

import numpy as np
from numba.extending import overload

from sklearn_lloyd._kernels._numba._jit import exact_part, exact_part_with_arrays

TILE = 256  # rows: a tile of a dozen features stays in the first level of the cache
_SHORT = 8  # features: a loop over a row is longer in the starting than in the running


@exact_part
def by_columns(X):
    """Whether loops had better run along the columns of X than along its rows."""
    return X.shape[1] < _SHORT or X.strides[0] < X.strides[1]


@exact_part_with_arrays
def tile_of(X, start, stop):
    """Memory for a tile of the rows from start to stop."""
    return np.empty((min(TILE, stop - start), X.shape[1]), X.dtype)


def rows_at_hand(X, first, n, copied):
    """Rows from `first` on, where loops along them are vectorised: in X, or copied.

    `copied` is a `tile_of` X. Returns an array, and the number in it of the first row.
    """


@overload(rows_at_hand)
def _rows_at_hand(X, first, n, copied):
    if X.layout == "C":
        return lambda X, first, n, copied: (X, first)

    def copy(X, first, n, copied):  # where numbers are any distance apart, so is every load
        first = np.uintp(first)
        for r in range(np.uintp(n)):
            for j in range(np.uintp(X.shape[1])):
                copied[r, j] = X[first + r, j]
        return copied, 0

    return copy
