"""Drawing rows from blocks in canonical order; see `_canonical`."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import exact


@exact
def order_by_block(block_of, starts):
    """The rows block by block, those of one block as they come."""
    by_block, place = np.empty(len(block_of), np.intp), starts.copy()
    for i in range(np.uintp(len(block_of))):
        block = np.uintp(block_of[i])
        by_block[np.uintp(place[block])] = i
        place[block] += 1
    return by_block


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
def draw_rows(targets, blocks, by_block, starts, closest, weights, drawn):
    """The row of each block in which the sum of the masses, in order, passes the target.

    Where rounding leaves the target beyond the last, it is the last row of any mass; -1 where
    the block has none.
    """
    for t in range(targets.size):
        below, row = 0.0, -1
        for m in range(starts[blocks[t]], starts[blocks[t] + 1]):
            i = by_block[m]
            mass = closest[i] * (weights[i] if weights.size else 1.0)
            below += mass
            row = i if mass > 0.0 else row
            if below > targets[t]:
                break
        drawn[t] = row
