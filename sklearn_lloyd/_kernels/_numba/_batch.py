"""What the sums of clusters do to the centres, whatever the rows are like."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import any_order, any_order_part, exact
from sklearn_lloyd._kernels._sums import CANCELLED_SQUARE


@any_order
def move_centers(centers, shift, counts, sums, weights, start, stop, moved):
    """As `_kernels._sums.move_centers`, in one pass."""
    center_shift = 0.0
    for c in range(np.uintp(len(counts))):
        weight = weights[c]
        if weight == 0.0:
            for j in range(np.uintp(start), np.uintp(stop)):
                moved[c, j] = centers[c, j]
            continue
        share, part = weight / counts[c], 1.0 / counts[c]
        for j in range(np.uintp(start), np.uintp(stop)):
            offset = centers[c, j] - (shift[j] if shift.size else 0.0)
            move = part * sums[c, j] - share * offset
            moved[c, j] = centers[c, j] + move
            center_shift += move * move
    return center_shift


@any_order
def measure_sums(sums, weights, centers, shift, sum_of_squares, sq_norms_before, weights_before):
    """As `_kernels._sums.measure_sums`, in one pass."""
    cancelled, cross, own = False, 0.0, 0.0
    for c in range(np.uintp(len(sums))):
        sq_norm = product = square = 0.0
        for j in range(np.uintp(sums.shape[1])):
            offset = centers[c, j] - (shift[j] if shift.size else 0.0)
            sq_norm += sums[c, j] * sums[c, j]
            product += offset * sums[c, j]
            square += offset * offset
        cancelled |= sq_norms_before[c] > CANCELLED_SQUARE * sq_norm
        sq_norms_before[c] = sq_norm
        if weights_before.size:
            weight = weights[c]
            cancelled |= weights_before[c] ** 2 > CANCELLED_SQUARE * weight**2
            weights_before[c] = weight
        cross += product
        own += weights[c] * square
    return cancelled, sum_of_squares - 2.0 * cross + own


@exact
def move_to_means(sums, weights, centers, shift, means):
    """As `_kernels._sums.move_to_means`, in one pass."""
    for c in range(np.uintp(len(sums))):
        for j in range(np.uintp(sums.shape[1])):
            means[c, j] = sums[c, j] / weights[c] + (shift[j] if shift.size else 0.0)
    return _sq_distance(means, centers)


@any_order_part
def _sq_distance(means, centers):
    total = 0.0
    for c in range(np.uintp(len(means))):
        for j in range(np.uintp(means.shape[1])):
            difference = means[c, j] - centers[c, j]
            total += difference * difference
    return total
