"""Taking a centre in k-means++: exact distances where it may be nearer."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._distances import sq_distances
from sklearn_lloyd._kernels._numba._jit import exact, exact_part
from sklearn_lloyd._kernels._numba._tiles import TILE


@exact_part
def _list_noted(start, noted, trials_of, first, n_noted, bit, index):
    """List a tile of the noted rows of that bit, from `first` on.

    Returns how many there are, and where to go on.
    """
    n, m = np.uintp(0), np.uintp(first)
    while m < np.uintp(n_noted) and n < np.uintp(TILE):
        index[n] = start + np.intp(noted[m])
        n += np.uintp((trials_of[m] & bit) != 0)
        m += np.uintp(1)
    return np.intp(n), np.intp(m)


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
    index, out, gain = np.empty(TILE, np.intp), np.empty(TILE), 0.0
    for b in range(len(starts)):
        start, m = starts[b], 0
        while m < n_noted[b]:
            n, m = _list_noted(start, noted[start:], trials_of[start:], m, n_noted[b], bit, index)
            sq_distances(X, index, n, center, out)
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
    index, out = np.empty(TILE, np.intp), np.empty(TILE)
    for b in range(len(starts)):
        start, m = starts[b], 0
        while m < n_noted[b]:
            n, m = _list_noted(start, noted[start:], trials_of[start:], m, n_noted[b], bit, index)
            sq_distances(X, index, n, center, out)
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
    index = np.empty(TILE, np.intp)
    for first in range(start, stop, TILE):
        n = min(TILE, stop - first)
        for r in range(n):
            index[r] = first + r
        sq_distances(X, index, n, center, closest[first : first + n])


@exact
def add_mass(start, stop, closest, weights, block_of, mass):
    """Add weight times distance of the rows to the block of the canonical order they are in."""
    if weights.size:
        for i in range(start, stop):
            mass[np.uintp(block_of[i])] += closest[i] * weights[i]
    else:
        for i in range(start, stop):
            mass[np.uintp(block_of[i])] += closest[i]
