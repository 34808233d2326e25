"""Trials of greedy k-means++: which rows they would bring nearer, and by how much.

Most rows are passed over by what is known of them: by the triangle inequality (the nearest
centre so far is less than half as far as the trial is from that centre), or by bounds from
codes. Only rows that some trial may bring nearer are noted, and only these are looked at again
when the best trial is taken.
"""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._code_tables import scale_of
from sklearn_lloyd._kernels._numba._codes import LANES, any_near
from sklearn_lloyd._kernels._numba._jit import any_order, exact, exact_part
from sklearn_lloyd._kernels._numba._panels import fill_panel, pad_index
from sklearn_lloyd._kernels._numba._simd import improve_panel, lowest_bit
from sklearn_lloyd._kernels._numba._tables import measure

_TILE = 2048  # rows whose gains are added up in the precision of the screen
_FEW_NEAR = 16  # a share: for fewer rows the panels of all need not be looked at
# Share of the rows that the triangle inequality leaves, from which on it is not asked for a while.
_NO_HELP = 0.8
_A_WHILE = 16  # centres, or as many as there are


@any_order
def _safe_distances(offsets, sq_norms, trials, trial_norms, safe):
    """Fill in up to which squared distance to each centre no trial can be nearer to a row of its.

    By the triangle inequality that is a quarter of the squared distance between the centre and
    the nearest trial.

    Parameters
    ----------
    offsets : ndarray of float64 of shape (n_clusters, n_features)
        Less the shift.
    sq_norms : ndarray of float64 of shape (n_clusters,)
    trials : ndarray of float64 of shape (n_trials, n_features)
        Less the shift.
    trial_norms : ndarray of float64 of shape (n_trials,)
    safe : ndarray of float64 of shape (n_centers,)
        Filled for the first so many centres: those so far.
    """
    rounding = 1e-15 * (8 + trials.shape[1])
    for c in range(np.uintp(len(safe))):
        nearest = np.inf
        for t in range(np.uintp(len(trials))):
            product = 0.0
            for j in range(np.uintp(trials.shape[1])):
                product += offsets[c, j] * trials[t, j]
            norms = sq_norms[c] + trial_norms[t]
            distance = norms - 2.0 * product - rounding * norms
            nearest = distance if distance < nearest else nearest
        safe[c] = 0.2499999999 * nearest


@exact
def place_trials(
    X, rows, shift, offsets_so_far, norms_so_far, centers, offsets, sq_norms, safe
):  # fmt: skip
    """Fill in where the trials are, and how near to its centre a row must be to be passed over.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    rows : ndarray of intp of shape (n_trials,)
    shift : ndarray of float64 of shape (n_features,)
    offsets_so_far : ndarray of float64 of shape (n_clusters, n_features)
        The centres so far, less the shift.
    norms_so_far : ndarray of float64 of shape (n_clusters,)
        Their squared norms.
    centers, offsets : ndarrays of float64 of shape (n_trials, n_features)
        Filled: the rows, and what they are off the shift.
    sq_norms : ndarray of float64 of shape (n_trials,)
        Filled: the squared norms of that.
    safe : ndarray of float64 of shape (n_centers,), or (0,) for none
        Filled for the centres so far, see `_safe_distances`.
    """
    for t in range(np.uintp(len(rows))):
        for j in range(np.uintp(X.shape[1])):
            centers[t, j] = X[np.uintp(rows[t]), j]
    measure(centers[: len(rows)], shift, offsets, sq_norms)
    if safe.size:
        _safe_distances(offsets_so_far, norms_so_far, offsets, sq_norms, safe)


@exact
def ask_again(n_centers, n_near, n_rows):
    """With how many centres to ask next for what the triangle inequality tells.

    Of `n_rows`, it could not pass over `n_near` with the centres so far.
    """
    return n_centers + (min(n_centers, _A_WHILE) if n_near > _NO_HELP * n_rows else 0)


@exact_part
def _list_near(closest, owner, safe, first, n, near, index):
    """Rows that some trial may be nearer to, for all that the triangle inequality tells."""
    first, n_near = np.uintp(first), np.uintp(0)
    for r in range(np.uintp(n)):
        near[r] = closest[first + r] > safe[np.uintp(owner[first + r])]
    for r in range(np.uintp(n)):
        index[n_near] = first + r
        n_near += np.uintp(near[r])
    return np.intp(n_near)


@any_order
def _aims(closest, sq_norms, index, n, slack_of_norm, slack_of_trial, target, reach):
    """The score that a row has now, and that up to which a trial may be nearer to it."""
    start = np.uintp(index[0])
    if np.uintp(index[n - 1]) - start == np.uintp(n - 1):  # side by side: in registers
        for r in range(np.uintp(n)):
            i = start + r
            now = closest[i] - sq_norms[i]
            target[r] = now
            reach[r] = now + ((closest[i] + sq_norms[i]) * slack_of_norm + slack_of_trial)
        return
    for r in range(np.uintp(n)):
        i = np.uintp(index[r])
        now = closest[i] - sq_norms[i]
        target[r] = now
        reach[r] = now + ((closest[i] + sq_norms[i]) * slack_of_norm + slack_of_trial)


@exact_part
def _pad(index, n, n_lanes, target, reach):
    """Fill up a panel with what is no row: the last one once more, which nothing is near to."""
    pad_index(index, n, n_lanes)
    for r in range(n, -(-n // n_lanes) * n_lanes):
        target[r] = reach[r] = -np.inf


@exact
def _list_near_by_codes(
    codes, table, norms, factors, floor, scale, error, error_of_floor, closest, sq_norms, first,
    last, near, index,
):  # fmt: skip
    """List those near rows from first to last that some trial may be nearer to.

    Whole panels are looked at, wherever a row of theirs is near.
    """
    scales, bounds = np.empty((2, LANES), np.float32)
    left = np.uintp(0)
    for p in range(first // LANES, -(-last // LANES)):
        start = p * LANES
        low, high = max(first - start, 0), min(last - start, LANES)
        bounds[:], scales[:] = -np.inf, 1
        n_near = np.uintp(0)
        for r in range(np.uintp(low), np.uintp(high)):
            i = np.uintp(start) + r
            norm, now = sq_norms[i], np.float32(closest[i])
            scales[r] = scale_of(norm, floor, scale)
            reach = (now - norm) + max((now + norm) * error, error_of_floor)
            is_near = near[i - np.uintp(first)]
            bounds[r] = reach * scales[r] if is_near else -np.inf
            n_near += np.uintp(is_near)
        if n_near == np.uintp(0):
            continue
        mask = any_near(codes[p], table, norms, factors, scales, bounds)
        while mask:
            index[left] = start + np.intp(lowest_bit(mask))
            mask &= mask - np.uint32(1)
            left += np.uintp(1)
    return np.intp(left)


@exact_part
def _weights_of(weights, index, n, heaviest, weight, target, reach):
    """The weights of rows as shares of the heaviest."""
    for r in range(np.uintp(n)):
        w = weights[np.uintp(index[r])]
        weight[r] = w / heaviest  # as they are, they may not fit into float32
        if not w > 0.0:
            # It may be so far that its distance has no room.
            weight[r], target[r], reach[r] = 0.0, -np.inf, -np.inf


@exact_part
def _note(index, n, start, trials, noted, trials_of, n_noted):
    """Note the rows that have a trial from n_noted on; returns how many there are then."""
    n_noted = np.uintp(n_noted)
    for r in range(np.uintp(n)):
        noted[n_noted] = index[r] - start
        trials_of[n_noted] = trials[r]
        n_noted += np.uintp(trials[r] != 0)
    return np.intp(n_noted)


@exact
def try_rows(
    X, start, stop, shift, weights, sq_norms, closest, owner, safe, factors, norms, slack_of_norm,
    slack_of_trial, codes, c_table, c_norms, c_factors, floor, scale, c_error, c_error_of_floor,
    noted, trials_of, gains,
):  # fmt: skip
    """Add up what each trial takes off the potential of the rows from start to stop.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    start, stop : int
    shift : ndarray of float64 of shape (n_features,), or (0,) for none
    weights : ndarray of float64 of shape (n_samples,), or (0,) for one each
    sq_norms : ndarray of shape (n_samples,)
    closest : ndarray of float64 of shape (n_samples,)
        Squared distance to the nearest centre so far.
    owner : ndarray of int32 of shape (n_samples,)
        Which centre that is.
    safe : ndarray of float64 of shape (n_centers,), or (0,) for none
        A squared distance to each centre up to which no trial can be nearer to a row.
    factors, norms, slack_of_norm, slack_of_trial
        Of the `Table` of the trials, the scores no lower than they are; the last is the largest.
    codes : ndarray of int32 of shape (n_panels, n_pairs, LANES), or (0, 0, 0) for none
        The rows in whole numbers.
    c_table, c_norms, c_factors, floor, scale, c_error, c_error_of_floor
        Of the `CodeTable` of the trials.
    noted : ndarray of uint16
        Filled: rows, counted from start, that a trial may bring nearer...
    trials_of : ndarray of uint16
        ...and which, one bit each.
    gains : ndarray of float64 of shape (n_trials,)
        Filled.

    Returns
    -------
    n_noted, n_near : int
        The first is the length of what was filled. The second is how many rows the triangle
        inequality could not pass over.
    """
    real, n_lanes = factors.dtype, 64 // factors.itemsize
    index, panel = np.empty(_TILE + n_lanes, np.intp), np.empty((X.shape[1], n_lanes), real)
    near, trials = np.empty(_TILE, np.uint8), np.empty(len(index), np.int32)
    target, reach = np.empty((2, len(index)), real)
    weight, heaviest = np.ones(len(index), real), 1.0
    sums = np.empty((len(norms), n_lanes), real)
    n_noted, n_near = 0, 0
    gains[:] = 0.0
    for first in range(start, stop, _TILE):
        last = min(stop, first + _TILE)
        n = last - first
        if safe.size:
            n = _list_near(closest, owner, safe, first, n, near, index)
        else:
            for r in range(n):
                index[r] = first + r
                near[r] = 1
        n_near += n
        if codes.size and n * _FEW_NEAR > last - first:
            n = _list_near_by_codes(
                codes, c_table, c_norms, c_factors, floor, scale, c_error, c_error_of_floor,
                closest, sq_norms, first, last, near, index,
            )  # fmt: skip
        if n == 0:
            continue
        _aims(closest, sq_norms, index, n, slack_of_norm, slack_of_trial, target, reach)
        if weights.size:
            heaviest = max(weights[first:last].max(), 1e-300)
            _weights_of(weights, index, n, heaviest, weight, target, reach)
        _pad(index, n, n_lanes, target, reach)
        sums[:] = 0
        for p in range(0, n, n_lanes):
            fill_panel(X, index, p, shift, panel)
            improve_panel(panel, factors, norms, p, target, reach, weight, trials, sums)
        n_noted = _note(index, n, start, trials, noted, trials_of, n_noted)
        for t in range(len(gains)):
            gains[t] += heaviest * np.float64(sums[t].sum())
    return n_noted, n_near
