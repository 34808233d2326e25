"""The definition of a distance once more, compiled: the same sums in the same order."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import exact, exact_part, inlined

_LEAF = 128  # features that NumPy adds in eight lanes before it halves what is longer
_DEPTH = 64


@inlined
def _square(X, i, centers, c, j):
    difference = np.float64(X[i, j]) - centers[c, j]
    return difference * difference


@exact_part
def _sum_of_few(X, i, centers, c, start, stop):
    """Squared differences of 8 to `_LEAF` features, in the order in which NumPy adds them.

    All indices are unsigned: they need no test for counting from the end.
    """
    one, two, three, four = np.uintp(1), np.uintp(2), np.uintp(3), np.uintp(4)
    five, six, seven, eight = np.uintp(5), np.uintp(6), np.uintp(7), np.uintp(8)
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    rest = stop - (stop - start) % eight
    for j in range(start, rest, eight):
        s0 += _square(X, i, centers, c, j)
        s1 += _square(X, i, centers, c, j + one)
        s2 += _square(X, i, centers, c, j + two)
        s3 += _square(X, i, centers, c, j + three)
        s4 += _square(X, i, centers, c, j + four)
        s5 += _square(X, i, centers, c, j + five)
        s6 += _square(X, i, centers, c, j + six)
        s7 += _square(X, i, centers, c, j + seven)
    total = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
    for j in range(rest, stop):
        total += _square(X, i, centers, c, j)
    return total


@exact
def _stacks():
    """Memory for `_sum_of_many`: what is still to be added; sums, and how often halved."""
    return np.empty((_DEPTH, 3), np.intp), np.empty(_DEPTH), np.empty(_DEPTH, np.intp)


@exact_part
def _sum_of_many(X, i, centers, c, stacks):
    """Squared differences of more than `_LEAF` features, in NumPy's order."""
    # NumPy halves what is longer, and adds the sums of the halves. On stacks, since a function
    # that calls itself cannot be kept on disk.
    parts, sums, halved = stacks
    n_parts, n_sums = 1, 0
    parts[0] = 0, X.shape[1], 0  # start, length, how often halved
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
        sums[n_sums] = _sum_of_few(X, i, centers, c, np.uintp(start), np.uintp(start + length))
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
    i, c, n_features = np.uintp(i), np.uintp(c), np.uintp(X.shape[1])
    if n_features < 8:
        total = 0.0
        for j in range(n_features):
            total += _square(X, i, centers, c, j)
        return total
    if n_features <= _LEAF:
        return _sum_of_few(X, i, centers, c, np.uintp(0), n_features)
    return _sum_of_many(X, i, centers, c, _stacks())


@exact
def sq_distances(X, first, n, center, out):
    """As `sq_distance`, of rows X[first:][:n] to a centre of shape (1, n_features)."""
    first, n, zero, n_features = np.uintp(first), np.uintp(n), np.uintp(0), np.uintp(X.shape[1])
    if n_features < 8:
        out[:n] = 0.0
        for j in range(n_features):
            for r in range(n):
                out[r] += _square(X, first + r, center, zero, j)
    elif n_features <= _LEAF:
        for r in range(n):
            out[r] = _sum_of_few(X, first + r, center, zero, zero, n_features)
    else:
        stacks = _stacks()
        for r in range(n):
            out[r] = _sum_of_many(X, first + r, center, zero, stacks)
