"""Trials of greedy k-means++: which rows they would bring nearer, and by how much.

Most rows are passed over by what is known of them: by the triangle inequality (the nearest
centre so far is less than half as far as the trial is from that centre), or by a bound from
a projection. Only rows that some trial may bring nearer are noted, and only these are looked
at again when the best trial is taken.
"""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._distances import sq_distance
from sklearn_lloyd._kernels._numba._jit import any_order, exact
from sklearn_lloyd._kernels._numba._nearest import (
    TILE,
    WIDTH,
    four_products,
    gather,
    gather_columns,
)

_LANES = 12  # features, up to which rows are laid out feature by feature


@exact
def _products(X, index, n, shift, table, columns, tile, few, products, scores):
    """Products of the rows `index` with the trials: fill scores (n_trials, TILE)."""
    if table.shape[1] <= _LANES:
        gather_columns(X, index, 0, n, shift, few, tile)
        for t in range(0, len(table), 4):
            four_products(tile, table, t, scores[t : t + 4])
        return
    gather(X, index, 0, n, shift, tile)
    np.dot(tile[:n], columns, products[:n])
    for r in range(n):
        for t in range(len(table)):
            scores[t, r] = products[r, t]


@any_order
def _gain(scores, t, n, norm, bias, target, slack, weight, bits):
    """Sum of what the scores of one trial are lower than the target; note where they may be."""
    gain = 0.0
    bit = np.uint32(1 << t)
    for r in range(n):
        closer = target[r] - (scores[t, r] + norm)
        bits[r] |= bit if not (closer <= -slack[r]) else np.uint32(0)
        # A row of no weight may be so far that its distance has no room.
        closer = closer - bias if closer > bias and weight[r] > 0 else scores.dtype.type(0)
        gain += weight[r] * np.float64(closer)
    return gain


@exact
def _drop_far(projected, screen, columns, index, n, target, both, tile, products):
    """Drop the rows that no trial can be nearer to, as their projection shows.

    Returns how many are left of `index`, `target` and `both`.
    """
    table, norms, _, slack_of_norm, slack_of_trial = screen
    gather(projected, index, 0, n, np.empty(0), tile)
    np.dot(tile[:n], columns, products[:n])
    left = np.uintp(0)
    for r in range(n):
        least = products[r, 0] + norms[0]
        for t in range(1, len(table)):
            least = min(least, products[r, t] + norms[t])
        index[left], target[left], both[left] = index[r], target[r], both[r]
        slack = both[r] * slack_of_norm + slack_of_trial
        left += np.uintp(not (least >= target[r] + slack))
    return np.intp(left)


@exact
def try_rows(
    X,
    start,
    stop,
    shift,
    weights,
    sq_norms,
    closest,
    owner,
    safe,
    screen,
    projected,
    projected_screen,
    noted,
    trials_of,
    gains,
):
    """Add up what each trial takes off the potential of the rows from start to stop.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    shift : ndarray of float64 of shape (n_features,), or (0,) for none
    weights : ndarray of float64 of shape (n_samples,), or (0,) for one each
    sq_norms : ndarray of shape (n_samples,)
    closest : ndarray of float64 of shape (n_samples,)
        Squared distance to the nearest centre so far.
    owner : ndarray of int32 of shape (n_samples,)
        Which centre that is.
    safe : ndarray of float64 of shape (n_centers,)
        A squared distance to each centre up to which no trial can be nearer to a row.
    screen : tuple (table, norms, bias, slack of a squared norm, slack of the farthest trial)
        The trials, in multiples of four; see `trials_screen`.
    projected : ndarray of shape (n_samples, n_columns), or (0, 0) for none
        The rows in fewer dimensions.
    projected_screen : tuple
        The trials in those; the scores are lower bounds.
    noted : ndarray of uint16
        Filled: rows, counted from start, that a trial may bring nearer...
    trials_of : ndarray of uint32
        ...and which, one bit each.
    gains : ndarray of float64 of shape (n_trials,)
        Filled.

    Returns
    -------
    n_noted : int
    """
    table, norms, bias, slack_of_norm, slack_of_trial = screen
    n_trials, width = table.shape
    columns, p_columns = np.ascontiguousarray(table.T), np.ascontiguousarray(projected_screen[0].T)
    real = table.dtype
    index, bits, weight = np.empty(TILE, np.intp), np.empty(TILE, np.uint32), np.ones(TILE)
    target, both, slack = np.empty((3, TILE), real)
    scores, products = np.empty((n_trials, WIDTH), real), np.empty((TILE, n_trials), real)
    few = np.empty((8, X.shape[1]), real)
    tile = np.zeros((width, WIDTH), real) if width <= _LANES else np.empty((TILE, width), real)
    p_tile = np.empty((TILE, projected.shape[1]), projected.dtype)
    gains[:] = 0.0
    n_noted = np.uintp(0)
    for first in range(start, stop, TILE):
        n_near = np.uintp(0)
        for i in range(first, min(stop, first + TILE)):
            i = np.uintp(i)
            index[n_near] = i
            n_near += np.uintp(closest[i] > safe[np.uintp(owner[i])])
        n = np.intp(n_near)
        for r in range(n):
            i = np.uintp(index[r])
            target[r] = closest[i] - sq_norms[i]
            both[r] = closest[i] + sq_norms[i]
        if projected.size:
            n = _drop_far(
                projected, projected_screen, p_columns, index, n, target, both, p_tile, products
            )
        if n == 0:
            continue
        _products(X, index, n, shift, table, columns, tile, few, products, scores)
        for r in range(n):
            bits[r] = 0
            slack[r] = both[r] * slack_of_norm + slack_of_trial
        if weights.size:
            for r in range(n):
                weight[r] = weights[np.uintp(index[r])]
        for t in range(gains.size):
            gains[t] += _gain(scores, t, n, norms[t], bias[t], target, slack, weight, bits)
        for r in range(n):
            noted[n_noted] = index[r] - start
            trials_of[n_noted] = bits[r]
            n_noted += np.uintp(bits[r] != 0)
    return np.intp(n_noted)


@exact
def _distances_of_noted(X, start, noted, trials_of, n_noted, bit, center, first, rows, index, out):
    """Squared distances to the centre of a tile of the noted rows of that bit, from `first` on.

    Returns how many there are, and where to go on.
    """
    n = np.uintp(0)
    m = first
    while m < n_noted and n < TILE:
        index[n] = start + noted[m]
        n += np.uintp((trials_of[m] & bit) != 0)
        m += 1
    # Copied together first: reading rows here and there is what takes the time.
    gather(X, index, 0, np.intp(n), np.empty(0), rows)
    for r in range(np.intp(n)):
        out[r] = sq_distance(rows, r, center, 0)
    return np.intp(n), m


@exact
def exact_gain(X, start, noted, trials_of, n_noted, bit, center, closest, weights):
    """What one trial takes off the potential of the noted rows, by the definition."""
    rows, index, out = (
        np.empty((TILE, X.shape[1]), X.dtype),
        np.empty(TILE, np.intp),
        np.empty(TILE),
    )
    gain, m = 0.0, 0
    while m < n_noted:
        n, m = _distances_of_noted(
            X, start, noted, trials_of, n_noted, bit, center, m, rows, index, out
        )
        for r in range(n):
            closer = max(closest[index[r]] - out[r], 0.0)
            gain += closer * (weights[index[r]] if weights.size else 1.0)
    return gain


@exact
def take_center(X, start, noted, trials_of, n_noted, bit, center, number, closest, owner):
    """Lower the distances of the noted rows that are nearer to the trial of that bit."""
    rows, index, out = (
        np.empty((TILE, X.shape[1]), X.dtype),
        np.empty(TILE, np.intp),
        np.empty(TILE),
    )
    m = 0
    while m < n_noted:
        n, m = _distances_of_noted(
            X, start, noted, trials_of, n_noted, bit, center, m, rows, index, out
        )
        for r in range(n):
            i = np.uintp(index[r])
            nearer = out[r] < closest[i]
            closest[i] = out[r] if nearer else closest[i]
            owner[i] = number if nearer else owner[i]


@exact
def take_first_center(X, start, stop, center, closest):
    """The distances to the first centre."""
    for i in range(start, stop):
        closest[i] = sq_distance(X, i, center, 0)


@exact
def add_mass(start, stop, closest, weights, block_of, mass):
    """Add weight times distance of the rows to the block of the canonical order they are in."""
    if weights.size:
        for i in range(start, stop):
            mass[np.uintp(block_of[i])] += closest[i] * weights[i]
    else:
        for i in range(start, stop):
            mass[np.uintp(block_of[i])] += closest[i]


def trials_screen(screen, lanes=True):
    """The trials as `try_rows` takes them."""
    few = lanes and screen.table.shape[1] - 1 <= _LANES
    real = screen.dtype.type
    table, norms = screen.padded(4 if few else 1)
    bias = np.zeros_like(norms)
    bias[: len(screen.bias)] = screen.bias
    return table, norms, bias, real(2 * screen.eta), screen.slack.max()
