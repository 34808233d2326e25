"""What a batch does to the centres, whatever its rows are like."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import any_order


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
