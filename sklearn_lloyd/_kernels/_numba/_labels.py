"""Labels of rows in passing: rows are compared as they come, and nothing is kept of them."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._code_tables import scale_of
from sklearn_lloyd._kernels._numba._codes import LANES, encode_panel, fold_codes, near_scores
from sklearn_lloyd._kernels._numba._jit import any_order, exact, exact_part
from sklearn_lloyd._kernels._numba._least import copy_row, fold_near
from sklearn_lloyd._kernels._numba._panels import (
    fetch_rows,
    fill_neighbours,
    fill_panel,
    pad_index,
)
from sklearn_lloyd._kernels._numba._rows import FLAGS, open_rows
from sklearn_lloyd._kernels._numba._settle import decide_open
from sklearn_lloyd._kernels._numba._simd import fold_panel, norms_of_panel
from sklearn_lloyd._kernels._numba._tiles import TILE

# Share of all scores: if codes leave so many to be computed one by one, that costs more than
# codes save.
_MANY_NEAR = 1 / 16


@exact
def label_block(
    X, start, stop, shift, centers, factors, norms, slack, slack_of_norm, eps, c_table, c_norms,
    c_factors, c_slack, floor, scale, c_error, codes_fail, labels,
):  # fmt: skip
    """Label the rows from start to stop; all as for `assign_block`, but no more than that.

    Rows are compared in codes first if there is a table of those, until `codes_fail[0]` is set:
    when codes leave many centres to many rows. Labels do not depend on which thread sees that
    when. Returns the sum of the squared norms, which is not finite if some row is not.
    """
    real, n_features, n_lanes = norms.dtype, X.shape[1], 64 // norms.itemsize
    index, places = np.empty((2, TILE), np.intp)
    best, second, sq_norms, off = np.empty((4, TILE), real)
    label, panel = np.empty(TILE, np.int32), np.empty((n_features, n_lanes), real)
    codes = np.empty((c_table.shape[1], LANES), np.int32)
    scales, bounds = np.empty((2, LANES), np.float32)
    scores, masks = np.empty((len(c_norms), LANES), np.float32), np.empty(len(c_norms), np.uint32)
    open_lanes = np.empty((LANES if c_table.size else 0, n_features), real)
    none, flags = np.full(LANES, -1, np.int32), np.empty(FLAGS, np.uint8)
    slack_of_norm *= real.type(1) + eps * real.type(n_features)  # the norm is a sum
    c_error *= np.float32(2)
    total = 0.0
    for first in range(start, stop, TILE):
        n = min(TILE, stop - first)
        in_codes, n_near = c_table.size > 0 and codes_fail[0] == 0, 0
        for r in range(n):
            index[r] = first + r
        pad_index(index, n, n_lanes)
        for r in range(0, n, n_lanes):
            if r + n_lanes <= n:
                fill_neighbours(X, first + r, shift, panel)
            else:
                fill_panel(X, index, r, shift, panel)
            norms_of_panel(panel, sq_norms, r)
            fetch_rows(X, first + r + n_lanes, n_lanes)
            if in_codes:
                _fold_encoded(
                    panel, sq_norms, c_table, c_norms, c_factors, floor, scale, codes, scales,
                    scores, best, second, label, r,
                )  # fmt: skip
                n_near += _compare_near(
                    X, first, r, min(n_lanes, n - r), shift, factors, norms, sq_norms, c_slack,
                    c_error, scales, bounds, scores, masks, none, open_lanes, best, second, label,
                )  # fmt: skip
            else:
                fold_panel(panel, factors, norms, best, second, label, r)
        if n_near > _MANY_NEAR * n * len(norms):
            codes_fail[0] = 1
        total += _slacks(sq_norms, n, slack_of_norm, label, slack, off)
        n_open = open_rows(n, best, second, off, flags, places)
        if n_open:
            decide_open(
                X, X, index, places, n_open, shift, centers, factors, norms, off, panel, best,
                label,
            )  # fmt: skip
        for r in range(np.uintp(n)):
            labels[np.uintp(first) + r] = label[r]
    return total


@exact_part
def _fold_encoded(
    panel, sq_norms, table, norms, factors, floor, scale, codes, scales, scores, best, second,
    label, start,
):  # fmt: skip
    """As `fold_panel`, in codes, the scores times the scales; they are kept."""
    for r in range(np.uintp(LANES)):
        scales[r] = scale_of(sq_norms[np.uintp(start) + r], floor, scale)
    encode_panel(panel, scales, codes)
    fold_codes(codes, table, norms, factors, scales, scores, best, second, label, start)


@exact_part
def _compare_near(
    X, first, start, n, shift, factors, norms, sq_norms, slack, error, scales, bounds, scores,
    masks, none, rows, best, second, label,
):  # fmt: skip
    """Compare the rows that codes leave open with the centres that they leave to them.

    Parameters
    ----------
    first, start, n : int
        Row first + start of X is that of the first lane; n lanes hold rows.
    slack : ndarray of float32
    error : float32
        Of the centre of the least score, and times the squared norm: how far scores may be off.
    scales, scores
        Of the rows, and with all centres.
    none : ndarray of int32 of shape (LANES,)
        -1, see `fold_near`.
    bounds, masks, rows
        Scratch memory.
    best, second, label
        The two least scores in codes; updated from `start` on: as they are.

    Returns
    -------
    n_near : int
        How many scores were computed.
    """
    n_open = 0
    for r in range(np.uintp(LANES)):
        place = np.uintp(start) + r
        off = (sq_norms[place] * error + slack[np.uintp(label[place])]) * scales[r]
        bounds[r] = -np.inf
        if r < np.uintp(n) and not second[place] - best[place] > off:
            bounds[r] = best[place] + off
            best[place] = second[place] = np.inf
            copy_row(X, first + np.intp(place), shift, rows[r])
            n_open += 1
        best[place] /= scales[r]
        second[place] /= scales[r]
    if n_open:
        near_scores(scores, bounds, masks)
        return fold_near(masks, none, rows, factors, norms, start, best, second, label)
    return 0


@any_order
def _slacks(sq_norms, n, of_norm, label, slack, off):
    """As `slacks`, of rows one after the other; returns the sum of the norms."""
    total = 0.0
    for r in range(np.uintp(n)):
        total += sq_norms[r]
        off[r] = sq_norms[r] * of_norm + slack[np.uintp(label[r])]
    return total
