"""Trials of greedy k-means++: which rows they would bring nearer, and by how much.

Most rows are passed over by what is known of them: by the triangle inequality (the nearest
centre so far is less than half as far as the trial is from that centre), or by a bound from
a projection. Only rows that some trial may bring nearer are noted, and only these are looked
at again when the best trial is taken.

Trials come in groups of eight: that is how wide a product of a tile of rows with them is. Where
a group or the rows are fewer, what is left over is computed and not looked at.
"""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import any_order, exact
from sklearn_lloyd._kernels._numba._tiles import TILE, fill, gather

GROUP = 8  # trials in a product
_MOST = 0.5  # of a tile: from there on all of its rows are multiplied
# Multiplications in a product, up to which OpenBLAS does not copy its factors together first.
_SMALL_PRODUCT = 1_000_000


@exact
def tile_rows(n_features):
    """Rows of a tile: a power of two."""
    n = TILE
    while n > 16 and n * GROUP * n_features > _SMALL_PRODUCT:
        n //= 2
    return n


@any_order
def _gains_of_four(products, t, n, norms, target, least, weight, heaviest, bits, gains):
    """Add up what four trials take off the rows of a tile; note where they may be nearer."""
    zero = target.dtype.type(0)
    g0 = g1 = g2 = g3 = zero
    n0, n1, n2, n3 = norms[t], norms[t + 1], norms[t + 2], norms[t + 3]
    bit = np.uint32(1) << np.uint32(t)
    b0, b1, b2, b3 = bit, bit << np.uint32(1), bit << np.uint32(2), bit << np.uint32(3)
    none = np.uint32(0)
    # Unsigned, and with a step known to the compiler, or else nothing is vectorised.
    m = np.uintp(t % GROUP)
    one, two, three = np.uintp(1), np.uintp(2), np.uintp(3)
    for r in range(np.uintp(n)):
        room, w = target[r], weight[r]
        p = np.uintp(GROUP) * r + m
        c0 = room - (products[p] + n0)
        c1 = room - (products[p + one] + n1)
        c2 = room - (products[p + two] + n2)
        c3 = room - (products[p + three] + n3)
        b = bits[r]
        b |= b0 if not (c0 <= least) else none
        b |= b1 if not (c1 <= least) else none
        b |= b2 if not (c2 <= least) else none
        b |= b3 if not (c3 <= least) else none
        bits[r] = b
        # Zero comes first, since it is what is left of NaN then.
        g0 += w * max(zero, c0)
        g1 += w * max(zero, c1)
        g2 += w * max(zero, c2)
        g3 += w * max(zero, c3)
    gains[t] += heaviest * g0
    gains[t + 1] += heaviest * g1
    gains[t + 2] += heaviest * g2
    gains[t + 3] += heaviest * g3


@any_order
def _gain_of_one(products, t, n, norms, target, least, weight, heaviest, bits, gains):
    """As `_gains_of_four`."""
    zero, gain, norm = target.dtype.type(0), target.dtype.type(0), norms[t]
    bit, none = np.uint32(1) << np.uint32(t), np.uint32(0)
    m = np.uintp(t % GROUP)
    for r in range(np.uintp(n)):
        closer = target[r] - (products[np.uintp(GROUP) * r + m] + norm)
        bits[r] |= bit if not (closer <= least) else none
        gain += weight[r] * max(zero, closer)
    gains[t] += heaviest * gain


@exact
def _gains_of_group(products, t, last, n, norms, target, least, weight, heaviest, bits, gains):
    """What the trials from t to last take off the rows of a tile."""
    while t < last:
        if last - t > 1:
            _gains_of_four(products, t, n, norms, target, least, weight, heaviest, bits, gains)
            t += 4
        else:
            _gain_of_one(products, t, n, norms, target, least, weight, heaviest, bits, gains)
            t += 1


@any_order
def _count_near(closest, owner, safe, first, last):
    """How many rows some trial may be nearer to, for all that the triangle inequality tells."""
    n = 0
    for i in range(np.uintp(first), np.uintp(last)):
        n += closest[i] > safe[np.uintp(owner[i])]
    return n


@exact
def _list_near(closest, owner, safe, first, last, index):
    """Which rows those are."""
    n = np.uintp(0)
    for i in range(np.uintp(first), np.uintp(last)):
        index[n] = i
        n += np.uintp(closest[i] > safe[np.uintp(owner[i])])


@any_order
def _targets_in_place(closest, sq_norms, first, n, target):
    """The scores to be below."""
    first = np.uintp(first)
    for r in range(np.uintp(n)):
        target[r] = closest[first + r] - sq_norms[first + r]


@any_order
def _targets(closest, sq_norms, index, n, target):
    """As `_targets_in_place`."""
    for r in range(np.uintp(n)):
        i = np.uintp(index[r])
        target[r] = closest[i] - sq_norms[i]


@any_order
def _lower_least(products, t, n, norms, least):
    """Lower the least score of each row by those of four trials."""
    n0, n1, n2, n3 = norms[t], norms[t + 1], norms[t + 2], norms[t + 3]
    m = np.uintp(t % GROUP)
    one, two, three = np.uintp(1), np.uintp(2), np.uintp(3)
    for r in range(np.uintp(n)):
        p = np.uintp(GROUP) * r + m
        a = min(products[p] + n0, products[p + one] + n1)
        b = min(products[p + two] + n2, products[p + three] + n3)
        least[r] = min(least[r], min(a, b))


@exact
def _drop_far(
    rows, first, last, screen, n_trials, index, n, tile, products, least, closest, sq_norms
):
    """Drop the rows that no trial can be nearer to, as their projection shows.

    Returns how many are left of `index`.
    """
    columns, norms, slack_of_norm, slack_of_trial = screen
    in_place = n > _MOST * (last - first)
    m = last - first if in_place else n
    if not in_place:
        gather(rows, index, 0, n, np.empty(0), tile)
    flat = products.reshape(products.size)
    least[:] = np.inf
    for g in range(len(columns)):
        if in_place:
            np.dot(rows[first:last], columns[g], products[:m])
        else:
            np.dot(tile[:m], columns[g], products[:m])
        for t in range(g * GROUP, min(n_trials, (g + 1) * GROUP), 4):
            _lower_least(flat, t, m, norms, least)
    left = np.uintp(0)
    for r in range(n):
        i = np.uintp(index[r])
        score = least[i - np.uintp(first)] if in_place else least[r]
        index[left] = i
        slack = (closest[i] + sq_norms[i]) * slack_of_norm + slack_of_trial
        left += np.uintp(not (score >= closest[i] - sq_norms[i] + slack))
    return np.intp(left)


@exact
def _weights_of(weights, index, n, weight, target):
    """The weights of rows as shares of the heaviest, which is returned."""
    heaviest = 0.0
    for r in range(n):
        heaviest = max(heaviest, weights[np.uintp(index[r])])
    for r in range(n):
        w = weights[np.uintp(index[r])]
        weight[r] = w / heaviest if w > 0 else 0.0  # as they are, they may not fit into float32
        # A row of no weight may be so far that its distance has no room.
        target[r] = target[r] if w > 0 else -np.inf
    return heaviest


@exact
def try_rows(
    X,
    direct,
    start,
    stop,
    shift,
    weights,
    sq_norms,
    largest,
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
    direct : ndarray of shape (n_samples, n_features), or (0, 0) if X cannot serve
        X itself, in C order, where it has the dtype of the screen and there is no shift.
    shift : ndarray of float64 of shape (n_features,), or (0,) for none
    weights : ndarray of float64 of shape (n_samples,), or (0,) for one each
    sq_norms : ndarray of shape (n_samples,)
    largest : ndarray of float64 of shape (n_tiles,)
        No squared norm and squared distance of a row add up to more; by tile of the block.
    closest : ndarray of float64 of shape (n_samples,)
        Squared distance to the nearest centre so far.
    owner : ndarray of int32 of shape (n_samples,)
        Which centre that is.
    safe : ndarray of float64 of shape (n_centers,)
        A squared distance to each centre up to which no trial can be nearer to a row.
    screen : tuple (columns, norms, slack of a squared norm, slack of the farthest trial)
        The trials, in groups; see `trials_screen`.
    projected : ndarray of shape (n_samples, n_columns), or (0, 0) for none
        The rows in fewer dimensions.
    projected_screen : tuple
        The trials in those; the scores are lower bounds.
    noted : ndarray of uint16
        Filled: rows, counted from start, that a trial may bring nearer...
    trials_of : ndarray of uint16
        ...and which, one bit each.
    gains : ndarray of float64 of shape (n_trials,)
        Filled.

    Returns
    -------
    n_noted : int
    n_near : int
        Rows that the triangle inequality could not pass over.
    """
    columns, norms, slack_of_norm, slack_of_trial = screen
    n_trials, real = gains.size, columns.dtype
    index, bits = np.empty(TILE, np.intp), np.empty(TILE, np.uint32)
    target, least = np.empty((2, TILE), real)
    weight, heaviest = np.ones(TILE, real), 1.0
    products = np.empty((TILE, GROUP), real)
    tile, p_tile = np.empty((TILE, X.shape[1]), real), np.empty((TILE, projected.shape[1]), real)
    sums = np.zeros(norms.size)
    n_noted, n_near = np.uintp(0), 0
    size = tile_rows(X.shape[1])
    for first in range(start, stop, size):
        last = min(stop, first + size)
        n = _count_near(closest, owner, safe, first, last)
        n_near += n
        if n == 0:
            continue
        whole = n > _MOST * size
        if not whole or projected.size:
            _list_near(closest, owner, safe, first, last, index)
        if projected.size:
            n = _drop_far(
                projected,
                first,
                last,
                projected_screen,
                n_trials,
                index,
                n,
                p_tile,
                products,
                least,
                closest,
                sq_norms,
            )
            whole = n > _MOST * size
        if whole:
            n = last - first
            if direct.size == 0:
                fill(X, first, n, shift, tile)
            _targets_in_place(closest, sq_norms, first, n, target)
            for r in range(n):
                index[r] = first + r
        else:
            gather(X, index, 0, n, shift, tile)
            _targets(closest, sq_norms, index, n, target)
        bits[:n] = 0
        below = -real.type(largest[(first - start) // size] * slack_of_norm + slack_of_trial)
        if weights.size:
            heaviest = _weights_of(weights, index, n, weight, target)
        flat = products.reshape(products.size)
        for g in range(len(columns)):
            if whole and direct.size:
                np.dot(direct[first:last], columns[g], products[:n])
            else:
                np.dot(tile[:n], columns[g], products[:n])
            end = min(n_trials, (g + 1) * GROUP)
            _gains_of_group(
                flat, g * GROUP, end, n, norms, target, below, weight, heaviest, bits, sums
            )
        for r in range(n):
            noted[n_noted] = index[r] - start
            trials_of[n_noted] = bits[r]
            n_noted += np.uintp(bits[r] != 0)
    gains[:] = sums[:n_trials]
    return np.intp(n_noted), n_near


def trials_screen(screen):
    """The trials as `try_rows` takes them."""
    real = screen.dtype.type
    table, norms = screen.table[:, :-1], screen.table[:, -1] + screen.bias
    n_groups = -(-len(table) // GROUP)
    filled = np.zeros((n_groups * GROUP, table.shape[1]), real)
    filled[: len(table)] = table
    columns = np.ascontiguousarray(filled.reshape(n_groups, GROUP, -1).transpose(0, 2, 1))
    far = np.full(n_groups * GROUP, np.finfo(real).max / 16, real)
    far[: len(table)] = norms
    return columns, far, real(2 * screen.eta), screen.slack.max() + screen.bias.max()
