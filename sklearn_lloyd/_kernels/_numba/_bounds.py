"""What the movement of the centres does to the bounds; see `_solvers/_assign`."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import exact, exact_part, exact_part_with_arrays


@exact_part
def _measure_movement(offsets, before, moved, fastest):
    """Fill in how far each centre has moved, and which moved farthest, in that order."""
    n_listed, last = np.uintp(0), np.uintp(len(fastest) - 1)
    for c in range(np.uintp(len(offsets))):
        total = 0.0
        for j in range(np.uintp(offsets.shape[1])):
            difference = offsets[c, j] - before[c, j]
            total += difference * difference
        moved[c] = np.sqrt(total)
        place = min(n_listed, last)
        if n_listed > last and moved[c] <= moved[fastest[last]]:
            continue
        while place and not moved[c] <= moved[fastest[place - np.uintp(1)]]:
            fastest[place] = fastest[place - np.uintp(1)]
            place -= np.uintp(1)
        fastest[place] = c
        n_listed += np.uintp(1)


@exact_part_with_arrays
def _count_unsafe(labels, limit, step, drift, moved, fastest, numbers):
    """How many rows of a sample are not safe if so many of the fastest centres do not count."""
    counts = np.zeros(len(numbers), np.intp)
    for i in range(0, len(labels), step):
        own = np.uintp(labels[i])
        left = limit[i] - (drift[own] + moved[own])
        for q in range(len(numbers)):
            n = numbers[q]
            other = fastest[n] if np.uintp(fastest[n]) != own else fastest[n + 1]
            counts[q] += not (left > moved[other])
    return counts


@exact_part
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
    offsets, before, labels, limit, drifts, fastest, numbers, step, of_full, of_row, of_pair, eps,
    drift,
):  # fmt: skip
    """Add up the drift, and choose the fast centres: how many of `fastest`.

    Parameters
    ----------
    offsets, before : ndarrays of float64 of shape (n_clusters, n_features)
        Where the centres are, and where they were. There are at least two.
    labels : ndarray of intp of shape (n_samples,)
    limit : ndarray of shape (n_samples,)
    drifts : ndarray of shape (4, n_clusters), in the dtype of `limit`
        Filled: the drift rounded down and up, what it would be had the fast centres not moved,
        rounded up, and how much less that is, rounded down.
    fastest : ndarray of intp
        Filled: the fastest centres, in order. Two more than there are to be fast ones, at least.
    numbers : ndarray of intp
        Of fast centres to choose from: 0 is the first, all are less than n_clusters - 1.
    step : int
        Every so many rows belong to the sample that tells.
    of_full, of_row, of_pair : float
        The cost of a row that is compared with all centres, and of one that is compared with
        its own and so many more, each of which costs `of_pair`.
    eps : float
        To round by.
    drift : ndarray of float64 of shape (n_clusters,)
        Updated.
    """
    moved = np.empty(len(offsets))
    _measure_movement(offsets, before, moved, fastest)
    n_fast = 0
    if len(numbers) > 1:
        counts = _count_unsafe(labels, limit, step, drift, moved, fastest, numbers)
        n_fast = _best_number(counts, numbers, of_full, of_row, of_pair)
    below, above, slow, extra = drifts
    for c in range(len(moved)):
        every = moved[fastest[0] if fastest[0] != c else fastest[1]]
        left = moved[fastest[n_fast] if fastest[n_fast] != c else fastest[n_fast + 1]]
        without = drift[c] + moved[c] + left
        drift[c] += moved[c] + every
        below[c], above[c] = drift[c] * (1.0 - eps), drift[c] * (1.0 + eps)
        slow[c], extra[c] = without * (1.0 + eps), (every - left) * (1.0 - eps)
    return n_fast
