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
    gather(X, index, n, rows)
    sq_distances(rows, 0, np.intp(n), center, out)
    return np.intp(n), m


@exact
def exact_gain(X, starts, n_noted, noted, trials_of, bit, center, closest, weights):
    """What one trial takes off the potential of the noted rows of some blocks, by the definition.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    starts, n_noted : ndarrays of intp of shape (n_blocks,)
        The first row of each block, and how many are noted...
    noted, trials_of : ndarrays of uint16 of shape (n_samples,)
        ...from there on, see `try_rows`.
    bit : int
        Of the trial.
    center : ndarray of float64 of shape (1, n_features)
        Where it is.
    closest : ndarray of float64 of shape (n_samples,)
    weights : ndarray of float64 of shape (n_samples,), or (0,) for one each
    """
    rows, index = np.empty((TILE, X.shape[1]), X.dtype), np.empty(TILE, np.intp)
    out, gain = np.empty(TILE), 0.0
    for b in range(len(starts)):
        start, m = starts[b], 0
        while m < n_noted[b]:
            n, m = _distances_of_noted(
                X, start, noted[start:], trials_of[start:], n_noted[b], bit, center, m, rows,
                index, out,
            )  # fmt: skip
            for r in range(n):
                closer = max(closest[index[r]] - out[r], 0.0)
                gain += closer * (weights[index[r]] if weights.size else 1.0)
    return gain


@exact
def take_center(
    X, starts, n_noted, noted, trials_of, bit, center, number, weights, block_of, closest, owner,
    mass,
):  # fmt: skip
    """Lower the distances of the noted rows that are nearer to the trial of that bit.

    Parameters are those of `exact_gain`, and

    number : int
        Of the trial as a centre.
    block_of : ndarray of shape (n_samples,)
        The block of the canonical order that a row is in.
    closest, owner : ndarrays of shape (n_samples,)
        Updated: squared distance to the nearest centre, and which that is.
    mass : ndarray of float64
        What the blocks of the canonical order lose is taken off.
    """
    rows, index = np.empty((TILE, X.shape[1]), X.dtype), np.empty(TILE, np.intp)
    out = np.empty(TILE)
    for b in range(len(starts)):
        start, m = starts[b], 0
        while m < n_noted[b]:
            n, m = _distances_of_noted(
                X, start, noted[start:], trials_of[start:], n_noted[b], bit, center, m, rows,
                index, out,
            )  # fmt: skip
            for r in range(n):
                i = np.uintp(index[r])
                if out[r] < closest[i]:
                    weight = weights[i] if weights.size else 1.0
                    mass[np.uintp(block_of[i])] -= (closest[i] - out[r]) * weight
                    closest[i] = out[r]
                    owner[i] = number


@exact
def clip_and_sum(mass):
    """Raise to zero what rounding made less, and return the sum."""
    total = 0.0
    for b in range(len(mass)):
        mass[b] = max(mass[b], 0.0)
        total += mass[b]
    return total


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
