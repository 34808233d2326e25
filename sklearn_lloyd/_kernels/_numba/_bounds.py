"""What the movement of the centres does to the bounds; see `_solvers/_assign`."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import exact


@exact
def movement(offsets, before, moved):
    """Fill in how far each centre has moved."""
    for c in range(len(offsets)):
        total = 0.0
        for j in range(offsets.shape[1]):
            difference = offsets[c, j] - before[c, j]
            total += difference * difference
        moved[c] = np.sqrt(total)


@exact
def largest_other(moved, order, n_left_out, largest):
    """Fill in, for each centre, the largest of `moved` among the others of order[n_left_out:].

    `order` has the largest first.
    """
    first = order[n_left_out]
    largest[:] = moved[first]
    has_next = n_left_out + 1 < len(order)
    largest[first] = moved[order[n_left_out + 1]] if has_next else 0.0


@exact
def count_unsafe(labels, limit, step, drift, moved, order, numbers, counts):
    """How many rows of a sample are not safe if so many of the fastest centres do not count.

    Parameters
    ----------
    labels : ndarray of intp of shape (n_samples,)
    limit : ndarray of shape (n_samples,)
    step : int
        Every so many rows belong to the sample.
    drift, moved : ndarrays of float64 of shape (n_clusters,)
    order : ndarray of intp of shape (n_clusters,)
        Of the centres, the fastest first.
    numbers, counts : ndarrays of intp
        Filled: a count for each number, which are less than n_clusters - 1.
    """
    counts[:] = 0
    for i in range(0, len(labels), step):
        own = np.uintp(labels[i])
        left = limit[i] - (drift[own] + moved[own])
        for q in range(len(numbers)):
            n = numbers[q]
            other = order[n] if np.uintp(order[n]) != own else order[n + 1]
            counts[q] += not (left > moved[other])
