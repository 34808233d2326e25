"""Drawing rows from blocks in canonical order; see `_canonical`."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import exact, exact_part


@exact
def cut_into_blocks(keys, low, per_step, n_steps, n_blocks):
    """Cut the rows into blocks of about as many, see `_canonical`."""
    n_rows = len(keys)
    block_of, by_block = np.empty(n_rows, np.uint16), np.empty(n_rows, np.intp)
    sizes, block_of_step = np.zeros(n_steps, np.intp), np.empty(n_steps, np.uint16)
    starts, last = np.zeros(n_blocks + 1, np.intp), np.float64(n_steps - 1)
    step_of = block_of  # until the blocks are known
    for i in range(np.uintp(n_rows)):
        step = (keys[i] - low) * per_step
        step_of[i] = np.uint16(min(step, last) if step > 0.0 else 0.0)
    for i in range(np.uintp(n_rows)):
        sizes[np.uintp(step_of[i])] += 1
    before = block = 0
    for step in range(n_steps):
        while block + 1 < n_blocks and before * n_blocks >= (block + 1) * n_rows:
            block += 1
            starts[block] = before
        block_of_step[step] = block
        before += sizes[step]
    starts[block + 1 :] = n_rows
    place = starts.copy()
    for i in range(np.uintp(n_rows)):
        block = block_of_step[np.uintp(step_of[i])]
        block_of[i] = block
        by_block[np.uintp(place[np.uintp(block)])] = i
        place[np.uintp(block)] += 1
    return block_of, by_block, starts


@exact
def sort_rows(by_block, start, stop, keys):
    """Sort by_block[start:stop] by key, in place; equal keys stay as they are.

    By insertion, so it is for some hundreds of rows.
    """
    for m in range(start + 1, stop):
        row = by_block[m]
        key, place = keys[row], m
        while place > start and keys[by_block[place - 1]] > key:
            by_block[place] = by_block[place - 1]
            place -= 1
        by_block[place] = row


@exact
def draw_rows(
    uniforms, block_mass, by_block, starts, in_order, keys, most, closest, weights, drawn
):
    """Draw rows by their masses, weight times squared distance to the nearest centre.

    Parameters
    ----------
    uniforms : ndarray of shape (n_draws,)
        In [0, 1).
    block_mass : ndarray of shape (n_blocks,)
    by_block, starts, in_order
        Of the blocks, see `CanonicalRows.blocks`. Those that are drawn from are brought into
        order.
    keys : ndarray of shape (n_samples,)
    most : int
        Rows of a block, up to which it is brought into order here.
    closest, weights : ndarrays of shape (n_samples,)
    drawn : ndarray of intp of shape (n_draws,)
        Filled: the row of a block in which the sum of the masses, in order, passes the target.
        Where rounding leaves the target beyond the last, it is the last row of any mass.

    Returns
    -------
    state : int
        -1 if all are drawn; the number of a block with more rows, which is to be brought into
        order first; -2 if a block has no row of any mass: what it had was nothing but rounding.
    """
    total, last = np.empty(len(block_mass)), 0
    below = 0.0
    for b in range(len(block_mass)):
        below += block_mass[b]
        total[b] = below
        last = b if block_mass[b] > 0.0 else last
    for t in range(len(uniforms)):
        target = uniforms[t] * below
        block = min(np.searchsorted(total, target, side="right"), last)
        target -= total[block - 1] if block else 0.0
        start, stop = starts[block], starts[block + 1]
        if not in_order[block]:
            if stop - start > most:
                return block
            sort_rows(by_block, start, stop, keys)
            in_order[block] = True
        drawn[t] = _draw_from(by_block, start, stop, target, closest, weights)
        if drawn[t] < 0:
            return -2
    return -1


@exact_part
def _draw_from(by_block, start, stop, target, closest, weights):
    below, row = 0.0, -1
    for m in range(start, stop):
        i = by_block[m]
        mass = closest[i] * (weights[i] if weights.size else 1.0)
        below += mass
        row = i if mass > 0.0 else row
        if below > target:
            break
    return row
