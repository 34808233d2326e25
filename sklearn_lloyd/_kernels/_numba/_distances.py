"""The definition of a distance once more, compiled: the same sums in the same order."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import exact

_LEAF = 128  # features that NumPy adds in eight lanes before it halves what is longer
_DEPTH = 64


@exact
def _sum_of_few(X, i, centers, c, start, stop):
    """Squared differences of up to `_LEAF` features, in the order in which NumPy adds them."""
    n = stop - start
    if n < 8:
        total = 0.0
        for j in range(start, stop):
            total += (np.float64(X[i, j]) - centers[c, j]) ** 2
        return total
    lanes = np.empty(8)
    for lane in range(8):
        lanes[lane] = (np.float64(X[i, start + lane]) - centers[c, start + lane]) ** 2
    for j in range(start + 8, stop - n % 8, 8):
        for lane in range(8):
            lanes[lane] += (np.float64(X[i, j + lane]) - centers[c, j + lane]) ** 2
    total = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + (
        (lanes[4] + lanes[5]) + (lanes[6] + lanes[7])
    )
    for j in range(stop - n % 8, stop):
        total += (np.float64(X[i, j]) - centers[c, j]) ** 2
    return total


@exact
def sq_distance(X, i, centers, c):
    """Squared distance of row i to centre c, by the definition."""
    if X.shape[1] <= _LEAF:
        return _sum_of_few(X, i, centers, c, 0, X.shape[1])
    # NumPy halves what is longer, and adds the sums of the halves. On stacks, since a function
    # that calls itself cannot be kept on disk.
    parts, n_parts = np.zeros((_DEPTH, 3), np.intp), 1  # start, length, how often halved
    parts[0, 1] = X.shape[1]
    sums, halved, n_sums = np.empty(_DEPTH), np.empty(_DEPTH, np.intp), 0
    while n_parts:
        n_parts -= 1
        start, length, depth = parts[n_parts]
        if length > _LEAF:
            half = length // 2
            half -= half % 8
            parts[n_parts] = start + half, length - half, depth + 1
            parts[n_parts + 1] = start, half, depth + 1
            n_parts += 2
            continue
        sums[n_sums] = _sum_of_few(X, i, centers, c, start, start + length)
        halved[n_sums] = depth
        n_sums += 1
        while n_sums > 1 and halved[n_sums - 1] == halved[n_sums - 2]:
            n_sums -= 1
            sums[n_sums - 1] += sums[n_sums]
            halved[n_sums - 1] -= 1
    return sums[0]
