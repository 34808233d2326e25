"""Taking a centre in k-means++: exact distances where it may be nearer."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._distances import sq_distances
from sklearn_lloyd._kernels._numba._jit import exact
from sklearn_lloyd._kernels._numba._tiles import TILE, gather


@exact
def _distances_of_noted(X, start, noted, trials_of, n_noted, bit, center, first, rows, index, out):
    """Squared distances to the centre of a tile of the noted rows of that bit, from `first` on.

    Returns how many there are, and where to go on.
    """
    n = np.uintp(0)
    m = first
    while m < n_noted and n < TILE:
        index[n] = start + noted[m]
        n += np.uintp((trials_of[m] & bit) != 0)
        m += 1
    # Copied together first: reading rows here and there is what takes the time.
    gather(X, index, 0, np.intp(n), np.empty(0), rows)
    sq_distances(rows, 0, np.intp(n), center, out)
    return np.intp(n), m


@exact
def exact_gain(X, start, noted, trials_of, n_noted, bit, center, closest, weights):
    """What one trial takes off the potential of the noted rows, by the definition."""
    rows, index, out = (
        np.empty((TILE, X.shape[1]), X.dtype),
        np.empty(TILE, np.intp),
        np.empty(TILE),
    )
    gain, m = 0.0, 0
    while m < n_noted:
        n, m = _distances_of_noted(
            X, start, noted, trials_of, n_noted, bit, center, m, rows, index, out
        )
        for r in range(n):
            closer = max(closest[index[r]] - out[r], 0.0)
            gain += closer * (weights[index[r]] if weights.size else 1.0)
    return gain


@exact
def take_center(
    X,
    start,
    noted,
    trials_of,
    n_noted,
    bit,
    center,
    number,
    weights,
    block_of,
    closest,
    owner,
    lost,
):
    """Lower the distances of the noted rows that are nearer to the trial of that bit.

    What the blocks of the canonical order lose by that is added to `lost`.
    """
    rows, index, out = (
        np.empty((TILE, X.shape[1]), X.dtype),
        np.empty(TILE, np.intp),
        np.empty(TILE),
    )
    m = 0
    while m < n_noted:
        n, m = _distances_of_noted(
            X, start, noted, trials_of, n_noted, bit, center, m, rows, index, out
        )
        for r in range(n):
            i = np.uintp(index[r])
            if out[r] < closest[i]:
                weight = weights[i] if weights.size else 1.0
                lost[np.uintp(block_of[i])] += (closest[i] - out[r]) * weight
                closest[i] = out[r]
                owner[i] = number


@exact
def take_first_center(X, start, stop, center, closest):
    """The distances to the first centre."""
    for first in range(start, stop, TILE):
        last = min(stop, first + TILE)
        sq_distances(X, first, last - first, center, closest[first:last])


@exact
def add_mass(start, stop, closest, weights, block_of, mass):
    """Add weight times distance of the rows to the block of the canonical order they are in."""
    if weights.size:
        for i in range(start, stop):
            mass[np.uintp(block_of[i])] += closest[i] * weights[i]
    else:
        for i in range(start, stop):
            mass[np.uintp(block_of[i])] += closest[i]
