"""The definition of a distance once more, compiled: the same sums in the same order."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import exact

_LEAF = 128  # features that NumPy adds in eight lanes before it halves what is longer
_DEPTH = 64


@exact
def _square(X, i, centers, c, j):
    difference = np.float64(X[i, j]) - centers[c, j]
    return difference * difference


@exact
def _sum_of_few(X, i, centers, c, start, stop):
    """Squared differences of 8 to `_LEAF` features, in the order in which NumPy adds them."""
    s0 = _square(X, i, centers, c, start)
    s1 = _square(X, i, centers, c, start + 1)
    s2 = _square(X, i, centers, c, start + 2)
    s3 = _square(X, i, centers, c, start + 3)
    s4 = _square(X, i, centers, c, start + 4)
    s5 = _square(X, i, centers, c, start + 5)
    s6 = _square(X, i, centers, c, start + 6)
    s7 = _square(X, i, centers, c, start + 7)
    rest = stop - (stop - start) % 8
    for j in range(start + 8, rest, 8):
        s0 += _square(X, i, centers, c, j)
        s1 += _square(X, i, centers, c, j + 1)
        s2 += _square(X, i, centers, c, j + 2)
        s3 += _square(X, i, centers, c, j + 3)
        s4 += _square(X, i, centers, c, j + 4)
        s5 += _square(X, i, centers, c, j + 5)
        s6 += _square(X, i, centers, c, j + 6)
        s7 += _square(X, i, centers, c, j + 7)
    total = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
    for j in range(rest, stop):
        total += _square(X, i, centers, c, j)
    return total


@exact
def _sum_of_many(X, i, centers, c):
    """Squared differences of more than `_LEAF` features, in NumPy's order."""
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
        # A half of more than 128 features has 56 at the least.
        sums[n_sums] = _sum_of_few(X, i, centers, c, start, start + length)
        halved[n_sums] = depth
        n_sums += 1
        while n_sums > 1 and halved[n_sums - 1] == halved[n_sums - 2]:
            n_sums -= 1
            sums[n_sums - 1] += sums[n_sums]
            halved[n_sums - 1] -= 1
    return sums[0]


@exact
def sq_distance(X, i, centers, c):
    """Squared distance of row i to centre c, by the definition."""
    n_features = X.shape[1]
    if n_features < 8:
        total = 0.0
        for j in range(n_features):
            total += _square(X, i, centers, c, j)
        return total
    if n_features <= _LEAF:
        return _sum_of_few(X, i, centers, c, 0, n_features)
    return _sum_of_many(X, i, centers, c)
