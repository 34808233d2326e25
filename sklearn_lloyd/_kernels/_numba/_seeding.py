"""Trials of greedy k-means++: which rows they would bring nearer, and by how much.

Most rows are passed over by what is known of them: by the triangle inequality (the nearest
centre so far is less than half as far as the trial is from that centre), or by a bound from
a projection. Only rows that some trial may bring nearer are noted, and only these are looked
at again when the best trial is taken.
"""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._distances import sq_distance
from sklearn_lloyd._kernels._numba._jit import exact, screening
from sklearn_lloyd._kernels._numba._nearest import TILE, WIDTH, four_products, gather, gather_columns

_LANES = 128  # features, up to which it pays to lay rows out feature by feature


@screening
def _products_of_many_features(tile, n, table, scores):
    """Products (n_trials, n) of the first n rows of the tile."""
    for r in range(np.uintp(n)):
        for t in range(np.uintp(0), np.uintp(len(table)), np.uintp(4)):
            s0 = s1 = s2 = s3 = table.dtype.type(0)
            for j in range(np.uintp(table.shape[1])):
                s0 += tile[r, j] * table[t, j]
                s1 += tile[r, j] * table[t + 1, j]
                s2 += tile[r, j] * table[t + 2, j]
                s3 += tile[r, j] * table[t + 3, j]
            scores[t, r], scores[t + 1, r], scores[t + 2, r], scores[t + 3, r] = s0, s1, s2, s3


@exact
def _products(X, index, n, shift, table, few, tile, scores):
    """Products (n_trials, n) of the rows `index`."""
    if table.shape[1] > _LANES:
        gather(X, index, 0, n, shift, tile)
        _products_of_many_features(tile, n, table, scores)
        return
    gather_columns(X, index, 0, n, shift, few, tile)
    for t in range(0, len(table), 4):
        four_products(tile, table, t, scores[t : t + 4])


@screening
def _gain(scores, t, n, norm, target, slack, weight, bits):
    """Sum of what the scores of one trial are lower than the target; note where they may be."""
    gain = 0.0
    bit = np.uint32(1 << t)
    for r in range(n):
        closer = target[r] - (scores[t, r] + norm)
        bits[r] |= bit if not (closer <= -slack[r]) else np.uint32(0)
        gain += weight[r] * np.float64(max(closer, scores.dtype.type(0)))
    return gain


@exact
def _far_in_projection(projected, index, n, table, norms, target, slack, slacks, scores):
    """Drop those of the rows that no trial can be nearer to; returns how many are left."""
    return n


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
    screen : tuple (table, norms, slack of a squared norm, slack of the farthest trial)
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
    n_noted, n_looked : int
    """
    table, norms, slack_of_norm, slack_of_trial = screen
    p_table, p_norms, p_slack_of_norm, p_slack_of_trial = projected_screen
    index = np.empty(TILE, np.intp)
    bits = np.empty(TILE, np.uint32)
    weight = np.ones(TILE)
    target, slack = np.empty(TILE, table.dtype), np.empty(TILE, table.dtype)
    scores = np.empty((len(table), TILE), table.dtype)
    few = np.empty((8, X.shape[1]), table.dtype)
    if table.shape[1] <= _LANES:
        tile = np.zeros((table.shape[1], WIDTH), table.dtype)
    else:
        tile = np.zeros((TILE, table.shape[1]), table.dtype)
    gains[:] = 0.0
    n_noted, n_looked, i = np.uintp(0), 0, start
    while i < stop:
        n = np.uintp(0)
        last = min(stop, i + TILE)
        for row in range(i, last):
            row = np.uintp(row)
            index[n] = row
            n += np.uintp(closest[row] > safe[np.uintp(owner[row])])
        i = last
        for r in range(n):
            row = np.uintp(index[r])
            target[r] = closest[row] - sq_norms[row]
            slack[r] = closest[row] + sq_norms[row]
        n = np.intp(n)
        n_looked += n
        _products(X, index, n, shift, table, few, tile, scores)
        bits[:n] = 0
        for r in range(n):
            slack[r] = slack[r] * slack_of_norm + slack_of_trial
        if weights.size:
            for r in range(n):
                weight[r] = weights[np.uintp(index[r])]
        for t in range(gains.size):
            gains[t] += _gain(scores, t, n, norms[t], target, slack, weight, bits)
        for r in range(n):
            noted[n_noted] = index[r] - start
            trials_of[n_noted] = bits[r]
            n_noted += np.uintp(bits[r] != 0)
    return np.intp(n_noted), n_looked


@exact
def exact_gain(X, start, noted, trials_of, n_noted, bit, center, closest, weights):
    """What one trial takes off the potential of the noted rows, by the definition."""
    gain = 0.0
    for m in range(n_noted):
        if trials_of[m] & bit:
            i = start + noted[m]
            closer = closest[i] - sq_distance(X, i, center, 0)
            if closer > 0:
                gain += closer * (weights[i] if weights.size else 1.0)
    return gain


@exact
def take_center(X, start, noted, trials_of, n_noted, bit, center, number, closest, owner):
    """Lower the distances of the noted rows that are nearer to the trial of that bit."""
    for m in range(n_noted):
        if trials_of[m] & bit:
            i = start + noted[m]
            distance = sq_distance(X, i, center, 0)
            if distance < closest[i]:
                closest[i] = distance
                owner[i] = number


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


def trials_screen(screen):
    """The trials as `try_rows` takes them."""
    few = screen.table.shape[1] - 1 <= _LANES
    real = screen.dtype.type
    return (*screen.padded(4 if few else 16), real(2 * screen.eta), screen.slack.max())
