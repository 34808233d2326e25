"""Trials of greedy k-means++: which rows they would bring nearer, and by how much.

Most rows are passed over by what is known of them: by the triangle inequality (the nearest
centre so far is less than half as far as the trial is from that centre), or by a bound from
a projection. Only rows that some trial may bring nearer are noted, and only these are looked
at again when the best trial is taken.
"""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import any_order, exact, exact_part
from sklearn_lloyd._kernels._numba._panels import fill_panel, pad_index
from sklearn_lloyd._kernels._numba._simd import compare_panel, improve_panel, lowest_bit

_TILE = 2048  # rows whose gains are added up in the precision of the screen


@any_order
def safe_distances(offsets, sq_norms, trials, trial_norms, safe):
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
def _list_near(closest, owner, safe, first, last, index):
    """Rows that some trial may be nearer to, for all that the triangle inequality tells."""
    near, n, m = np.empty(_TILE, np.uint8), np.uintp(0), np.uintp(last - first)
    first = np.uintp(first)
    for r in range(m):
        near[r] = closest[first + r] > safe[np.uintp(owner[first + r])]
    for r in range(m):
        index[n] = first + r
        n += np.uintp(near[r])
    return np.intp(n)


@any_order
def _aims(closest, sq_norms, index, first, n, slack_of_norm, slack_of_trial, target, reach):
    """The score that a row has now, and that up to which a trial may be nearer to it."""
    for r in range(np.uintp(len(target))):
        i = np.uintp(index[np.uintp(first) + r])
        now = closest[i] - sq_norms[i]
        off = (closest[i] + sq_norms[i]) * slack_of_norm + slack_of_trial
        target[r] = now
        reach[r] = now + off
    for r in range(n, len(target)):  # no rows, but the last one once more
        target[r] = -np.inf
        reach[r] = -np.inf


@exact
def _drop_far(
    projected, factors, norms, slack_of_norm, slack_of_trial, closest, sq_norms, index, n
):
    """Drop the rows that no trial can be nearer to, as their projection shows.

    Returns how many are left of `index`.
    """
    real, n_lanes = factors.dtype, 64 // factors.itemsize
    panel, nothing = np.empty((projected.shape[1], n_lanes), real), np.empty(0)
    target, reach, rest = np.empty((3, n_lanes), real)
    masks = np.empty(len(norms), np.uint32)
    left = np.uintp(0)
    pad_index(index, n, n_lanes)
    for first in range(0, n, n_lanes):
        m = min(n_lanes, n - first)
        fill_panel(projected, index, first, nothing, panel)
        _aims(closest, sq_norms, index, first, m, slack_of_norm, slack_of_trial, target, reach)
        compare_panel(panel, factors, norms, reach, masks, rest)
        near = np.uint32(0)
        for t in range(len(masks)):
            near |= masks[t]
        while near:
            r = lowest_bit(near)
            near &= near - np.uint32(1)
            if r < m:
                index[left] = index[np.uintp(first) + r]
                left += np.uintp(1)
    return np.intp(left)


@exact_part
def _weights_of(weights, index, first, n, heaviest, weight, target, reach):
    """The weights of the rows of a panel as shares of the heaviest."""
    for r in range(n):
        w = weights[np.uintp(index[first + r])]
        weight[r] = w / heaviest  # as they are, they may not fit into float32
        if not w > 0.0:
            # It may be so far that its distance has no room.
            weight[r], target[r], reach[r] = 0.0, -np.inf, -np.inf


@exact
def try_rows(
    X, start, stop, shift, weights, sq_norms, closest, owner, safe, factors, norms, slack_of_norm,
    slack_of_trial, projected, p_factors, p_norms, p_slack_of_norm, p_slack_of_trial, noted,
    trials_of, gains,
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
    projected : ndarray of shape (n_samples, n_columns), or (0, 0) for none
        The rows in fewer dimensions.
    p_factors, p_norms, p_slack_of_norm, p_slack_of_trial
        Of the table of the trials in those: the scores are lower bounds.
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
    real, n_lanes, n_trials = factors.dtype, 64 // factors.itemsize, len(gains)
    index, panel = np.empty(_TILE + n_lanes, np.intp), np.empty((X.shape[1], n_lanes), real)
    target, reach = np.empty((2, n_lanes), real)
    masks, sums = np.empty(len(norms), np.uint32), np.empty((len(norms), n_lanes), real)
    weight, heaviest = np.ones(n_lanes, real), 1.0
    n_noted, n_near = np.uintp(0), 0
    gains[:] = 0.0
    for first in range(start, stop, _TILE):
        last = min(stop, first + _TILE)
        n = last - first
        if safe.size:
            n = _list_near(closest, owner, safe, first, last, index)
        else:
            for r in range(n):
                index[r] = first + r
        n_near += n
        if n and projected.size:
            n = _drop_far(
                projected, p_factors, p_norms, p_slack_of_norm, p_slack_of_trial, closest,
                sq_norms, index, n,
            )  # fmt: skip
        if n == 0:
            continue
        pad_index(index, n, n_lanes)
        if weights.size:
            heaviest = max(weights[first:last].max(), 1e-300)
        sums[:] = 0
        for p in range(0, n, n_lanes):
            m = min(n_lanes, n - p)
            fill_panel(X, index, p, shift, panel)
            _aims(closest, sq_norms, index, p, m, slack_of_norm, slack_of_trial, target, reach)
            if weights.size:
                _weights_of(weights, index, p, m, heaviest, weight, target, reach)
            improve_panel(panel, factors, norms, target, reach, weight, masks, sums)
            any_trial = np.uint32(0)
            for t in range(n_trials):
                any_trial |= masks[t]
            while any_trial:
                r = lowest_bit(any_trial)
                any_trial &= any_trial - np.uint32(1)
                bits = np.uint32(0)
                for t in range(n_trials):
                    bits |= ((masks[t] >> np.uint32(r)) & np.uint32(1)) << np.uint32(t)
                noted[n_noted] = index[np.uintp(p) + r] - start
                trials_of[n_noted] = bits
                n_noted += np.uintp(1)
        for t in range(n_trials):
            gains[t] += heaviest * np.float64(sums[t].sum())
    return np.intp(n_noted), n_near
