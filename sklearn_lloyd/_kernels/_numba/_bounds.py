"""What the movement of the centres does to the bounds; see `_solvers/_assign`."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import exact


@exact
def movement(offsets, before):
    """How far each centre has moved, float64."""
    moved = np.empty(len(offsets))
    for c in range(np.uintp(len(offsets))):
        total = 0.0
        for j in range(np.uintp(offsets.shape[1])):
            difference = offsets[c, j] - before[c, j]
            total += difference * difference
        moved[c] = np.sqrt(total)
    return moved


@exact
def _count_unsafe(labels, limit, step, drift, moved, order, numbers):
    """How many rows of a sample are not safe if so many of the fastest centres do not count."""
    counts = np.zeros(len(numbers), np.intp)
    for i in range(0, len(labels), step):
        own = np.uintp(labels[i])
        left = limit[i] - (drift[own] + moved[own])
        for q in range(len(numbers)):
            n = numbers[q]
            other = order[n] if np.uintp(order[n]) != own else order[n + 1]
            counts[q] += not (left > moved[other])
    return counts


@exact
def _best_number(counts, numbers, of_full, of_row, of_pair):
    """How many fast centres save most work, by the counts of rows that are not safe."""
    least, best = np.inf, 0
    for q in range(len(numbers)):
        n = numbers[q]
        cost = counts[q] * of_full
        if n:
            cost += (counts[0] - counts[q]) * (of_row + n * of_pair)
        if cost < least:
            least, best = cost, n
    return best


@exact
def follow(
    moved, order, numbers, labels, limit, step, of_full, of_row, of_pair, drift, eps, below, above,
    slow, extra,
):  # fmt: skip
    """Add up the drift, and choose the fast centres: how many of `order`.

    Parameters
    ----------
    moved : ndarray of float64 of shape (n_clusters,)
    order : ndarray of intp of shape (n_clusters,)
        Of the centres, the fastest first. There are at least two.
    numbers : ndarray of intp
        Of fast centres to choose from: 0 is the first, all are less than n_clusters - 1.
    labels : ndarray of intp of shape (n_samples,)
    limit : ndarray of shape (n_samples,)
    step : int
        Every so many rows belong to the sample that tells.
    of_full, of_row, of_pair : float
        The cost of a row that is compared with all centres, and of one that is compared with
        its own and so many more, each of which costs `of_pair`.
    drift : ndarray of float64 of shape (n_clusters,)
        Updated.
    eps : float
        To round by.
    below, above, slow, extra : ndarrays of shape (n_clusters,), in the dtype of `limit`
        Filled: the drift rounded down and up, what it would be had the fast centres not moved,
        rounded up, and how much less that is, rounded down.
    """
    counts = _count_unsafe(labels, limit, step, drift, moved, order, numbers)
    n_fast = _best_number(counts, numbers, of_full, of_row, of_pair)
    for c in range(len(moved)):
        every = moved[order[0] if order[0] != c else order[1]]
        left = moved[order[n_fast] if order[n_fast] != c else order[n_fast + 1]]
        without = drift[c] + moved[c] + left
        drift[c] += moved[c] + every
        below[c], above[c] = drift[c] * (1.0 - eps), drift[c] * (1.0 + eps)
        slow[c], extra[c] = without * (1.0 + eps), (every - left) * (1.0 - eps)
    return n_fast
