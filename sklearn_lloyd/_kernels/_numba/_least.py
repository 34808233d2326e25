"""The two least scores of rows, and distances to single centres."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._code_tables import panel_of, scale_of
from sklearn_lloyd._kernels._numba._codes import LANES, compare_codes
from sklearn_lloyd._kernels._numba._jit import any_order, exact, exact_part
from sklearn_lloyd._kernels._numba._panels import fill_panel, pad_index
from sklearn_lloyd._kernels._numba._simd import fold_panel, lowest_bit, product


@any_order
def near_sq_distance(X, i, centers, c):
    """Squared distance in float64, but for the order of its sum that of the definition."""
    total = 0.0
    i, c = np.uintp(i), np.uintp(c)
    for j in range(np.uintp(X.shape[1])):
        difference = np.float64(X[i, j]) - centers[c, j]
        total += difference * difference
    return total


@exact
def two_least(X, index, n, shift, factors, norms, panel, best, second, label):
    """The two least scores of the first n rows of `index`, and the centre of the least."""
    n_lanes = panel.shape[1]
    if n:
        pad_index(index, n, n_lanes)
    for start in range(0, n, n_lanes):
        fill_panel(X, index, start, shift, panel)
        fold_panel(panel, factors, norms, best, second, label, start)


@exact_part
def copy_row(X, i, shift, row):
    """Row i of X less the shift, in the precision of `row`."""
    i = np.uintp(i)
    if shift.size:
        for j in range(np.uintp(X.shape[1])):
            row[j] = np.float64(X[i, j]) - shift[j]
    else:
        for j in range(np.uintp(X.shape[1])):
            row[j] = X[i, j]


@exact_part
def fold_near(masks, own, rows, factors, norms, start, best, second, label):
    """Take the scores of near centres into the two least, one by one; returns how many.

    Parameters
    ----------
    masks : ndarray of uint32 of shape (n_centers,)
        A bit for each row that a centre is near to.
    own : ndarray of int32 of shape (LANES,)
        A centre that each row has been compared with before, or -1.
    rows : ndarray of shape (LANES, n_features)
        Less the shift.
    start : int
        Where the rows are in the arrays that follow.
    """
    n = 0
    for c in range(np.uintp(len(norms))):
        mask = masks[c]
        while mask:
            r = lowest_bit(mask)
            mask &= mask - np.uint32(1)
            if own[r] == np.intp(c):
                continue
            score, place = norms[c] + product(rows[r], factors, np.intp(c)), np.uintp(start) + r
            n += 1
            if score < best[place]:
                best[place], second[place], label[place] = score, best[place], c
            elif score < second[place]:
                second[place] = score
    return n


@exact
def two_least_of_near(
    X, index, n, shift, factors, norms, slack, slack_of_norm, sq_norms, labels, codes, c_table,
    c_norms, c_factors, floor, scale, c_error, c_error_of_floor, best, second, label,
):  # fmt: skip
    """As `two_least`, of the centres that the codes do not show to be too far.

    Scores from codes are lower bounds. A centre whose bound is above the score of the one that
    the row has now is not nearer; the least of those bounds may be the second score.
    """
    real = best.dtype
    gathered, masks = np.empty(codes.shape[1:], np.int32), np.empty(len(c_norms), np.uint32)
    bounds, scales, errors, rest = np.empty((4, LANES), np.float32)
    rows, own = np.empty((LANES, X.shape[1]), real), np.empty(LANES, np.int32)
    pad_index(index, n, LANES)
    for first in range(0, n, LANES):
        for r in range(LANES):
            i = np.uintp(index[first + r])
            c = labels[i]
            copy_row(X, i, shift, rows[r])
            score = norms[c] + product(rows[r], factors, c)
            norm = sq_norms[i]
            scales[r] = scale_of(norm, floor, scale)
            errors[r] = max(c_error * norm, c_error_of_floor)
            bounds[r] = (score + slack[c] + norm * slack_of_norm + errors[r]) * scales[r]
            own[r] = c
            best[first + r], second[first + r], label[first + r] = score, np.inf, c
        panel = panel_of(codes, index, first, gathered)
        compare_codes(panel, c_table, c_norms, c_factors, scales, bounds, masks, rest)
        fold_near(masks, own, rows, factors, norms, first, best, second, label)
        for r in range(LANES):
            below = rest[r] / scales[r] - errors[r]
            second[first + r] = min(second[first + r], below)


@exact
def own_distances(X, index, n, centers, labels, out):
    """Distances of the first n rows of `index` to their own centres, rounded as `out` has it."""
    for r in range(np.uintp(n)):
        i = index[r]
        out[r] = near_sq_distance(X, i, centers, labels[np.uintp(i)])
    for r in range(np.uintp(n)):
        out[r] = np.sqrt(out[r])
