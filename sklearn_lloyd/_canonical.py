"""Drawing rows so that neither their order nor repeats against weights change the draw.

Rows are drawn by inverse CDF over a canonical order: that of a fixed projection of each row.
Equal rows have equal keys, stand side by side and are interchangeable, so the draw depends
on the weighted *set* of rows. The CDF is kept as sums of blocks of a fraction of sqrt(n) rows
that follow each other in that order; only the block that a draw falls into is sorted and summed
row by row. How the rows are cut into blocks does not show in what is drawn.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

_FEW = 1024  # rows that are one block for compiled code
_FEW_IN_PYTHON = 4096  # rows that are one block otherwise: a draw from it takes fewer calls
_BLOCKS = 6  # times the root of the number of rows
_MANY = 1 << 14  # keys, from which sorting whole numbers is worth its preparation
INSERTED = 512  # rows of a block, up to which compiled code sorts by insertion


class CanonicalRows:
    """The rows of a problem in canonical order, as far as it is needed.

    Draws sort the blocks that they fall into; only groups of equal rows need the whole order.

    Parameters
    ----------
    keys : ndarray of shape (n_samples,), float64
        A fixed projection of each row.
    kernels : module or None
        Compiled ones, where they are to be used.
    """

    def __init__(self, keys, kernels=None):
        self.keys = keys
        self._kernels = kernels
        # Few rows in a block, since drawing from it for the first time has them sorted.
        few = _FEW_IN_PYTHON if kernels is None else _FEW
        n_blocks = 1 if keys.size < few else min(int(_BLOCKS * keys.size**0.5), 4096)
        self.n_blocks = n_blocks

    @cached_property
    def _sorted(self):
        return order_and_groups(self.keys)

    @property
    def order(self):
        """The rows, sorted by key; equal rows as they were given."""
        return self._sorted[0]

    @property
    def group_starts(self):
        """Where in the order each run of equal rows starts."""
        return self._sorted[1]

    @cached_property
    def _cut(self):
        """`block_of`, `blocks`.

        Equal steps between the keys, refined until about sixteen make a block; keys far out
        all fall into the first or the last.
        """
        n_rows, n_steps = self.keys.size, 16 * self.n_blocks
        if self.n_blocks == 1:
            starts = np.array([0, n_rows])
            return np.zeros(n_rows, np.uint16), (self.order, starts, np.ones(1, bool))
        sample = np.sort(self.keys[:: -(-n_rows // 4096)])
        low, high = sample[sample.size // 256], sample[-1 - sample.size // 256]
        per_step = n_steps / (high - low) if high > low else 1.0
        cut = _cut_into_blocks if self._kernels is None else self._kernels.cut_into_blocks
        block_of, by_block, starts = cut(self.keys, low, per_step, n_steps, self.n_blocks)
        return block_of, (by_block, starts, np.zeros(self.n_blocks, bool))

    @property
    def block_of(self):
        """The block of each row. Blocks are in the order of the keys; sizes need not agree."""
        return self._cut[0]

    @property
    def blocks(self):
        """The rows block by block, where each block starts, and which are in order yet."""
        return self._cut[1]

    @property
    def block_sizes(self):
        """The number of rows in each block."""
        return np.diff(self.blocks[1])

    def in_order(self, blocks):
        """The rows block by block, and where each block starts.

        The given blocks are in canonical order; they are sorted at the first call.
        """
        by_block, starts, in_order = self.blocks
        for block in blocks[~in_order[blocks]].tolist():
            start, stop = starts[block], starts[block + 1]
            if self._kernels is not None and stop - start <= INSERTED:
                self._kernels.sort_rows(by_block, start, stop, self.keys)
            else:
                rows = by_block[start:stop]
                rows[:] = rows[np.argsort(self.keys[rows], kind="stable")]
            in_order[block] = True
        return by_block, starts

    def block_mass(self, rows, mass):
        """What the given rows add to the mass of every block."""
        if self.n_blocks == 1:
            return np.array([mass.sum()])
        return np.bincount(self.block_of[rows], mass, minlength=self.n_blocks)

    def draw(self, uniforms, block_mass, mass_of):
        """Rows, each with a probability proportional to its mass.

        Parameters
        ----------
        uniforms : ndarray of shape (n_draws,)
            In [0, 1).
        block_mass : ndarray of shape (n_blocks,)
        mass_of : callable
            Gives the mass of the rows of an index array.

        Returns
        -------
        rows : ndarray of intp of shape (n_draws,), or None
            None if a draw falls into a block of no mass: that given for it is rounding.
        """
        if self.n_blocks == 1:
            return _draw_from(self.order, uniforms * block_mass[0], mass_of)
        blocks, targets = self.blocks_of(uniforms, block_mass)
        by_block, starts = self.in_order(blocks)
        drawn = np.empty(uniforms.size, np.intp)
        for block in set(blocks.tolist()):  # a block is summed once for all its draws
            rows = by_block[starts[block] : starts[block + 1]]
            draws = (blocks == block).nonzero()[0]
            of_block = _draw_from(rows, targets[draws], mass_of)
            if of_block is None:
                return None
            drawn[draws] = of_block
        return drawn

    def blocks_of(self, uniforms, block_mass):
        """The block that each draw falls into, and the mass to go on from its start."""
        total = block_mass.cumsum()
        targets = uniforms * total[-1]
        blocks = total.searchsorted(targets, side="right")
        blocks = np.minimum(blocks, block_mass.nonzero()[0][-1])  # rounding
        targets -= np.concatenate([[0.0], total])[blocks]
        return blocks, targets

    def equal_to(self, row):
        """All rows equal to `row`, itself among them."""
        key = self.keys[row]
        start = np.searchsorted(self.keys, key, side="left", sorter=self.order)
        stop = np.searchsorted(self.keys, key, side="right", sorter=self.order)
        return self.order[start:stop]

    def group_of(self):
        """The number of each row's group of equal rows, in canonical order."""
        n_groups = self.group_starts.size
        group_of = np.empty(self.keys.size, np.intp)
        sizes = np.diff(self.group_starts, append=self.keys.size)
        group_of[self.order] = np.repeat(np.arange(n_groups), sizes)
        return group_of

    def group_sums(self, values):
        """The sum of `values` (one for each row) over each group of equal rows."""
        return np.add.reduceat(values[self.order], self.group_starts)


def order_and_groups(keys):
    """The stable order of the keys, and where in it each run of equal keys starts.

    Many keys are rounded to as many bits as a row number leaves of 64: whole numbers are
    sorted several times as fast as an index. Keys that the rounding makes equal are few.
    """
    low, high = keys.min(initial=np.inf), keys.max(initial=-np.inf)
    n_bits = keys.size.bit_length()
    if keys.size < _MANY or not 0 < high - low < np.inf:
        return _order_and_groups(keys)
    rounded = ((keys - low) * (2.0 ** (62 - n_bits) / (high - low))).astype(np.int64)
    rounded <<= n_bits
    rounded += np.arange(keys.size)
    rounded.sort()
    order = (rounded & ((1 << n_bits) - 1)).astype(np.intp, copy=False)
    rounded >>= n_bits
    starts = np.concatenate([[True], rounded[1:] != rounded[:-1]])
    same = np.flatnonzero(~starts)
    apart = keys.take(order.take(same)) != keys.take(order.take(same - 1))
    if apart.any():
        if np.count_nonzero(apart) > _MANY:
            return _order_and_groups(keys)
        group = np.cumsum(starts)
        for number in set(group[same[apart]].tolist()):
            run = slice(*group.searchsorted([number, number + 1]))
            rows = order[run]
            rows[:], inner = rows[np.argsort(keys[rows], kind="stable")], keys[rows]
            inner.sort()
            starts[run.start + 1 : run.stop] = inner[1:] != inner[:-1]
    return order, np.flatnonzero(starts)


def _order_and_groups(keys):
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    return order, np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))


def _cut_into_blocks(keys, low, per_step, n_steps, n_blocks):
    """Cut the rows into blocks of about as many, between two steps of the keys.

    Returns
    -------
    block_of : ndarray of uint16 of shape (n_samples,)
        The block of each row.
    by_block : ndarray of intp of shape (n_samples,)
        The rows block by block, those of one block as they come.
    starts : ndarray of intp of shape (n_blocks + 1,)
        Where in these each block starts.
    """
    step_of = keys - low
    step_of *= per_step
    np.clip(step_of, 0, n_steps - 1, out=step_of)
    step_of = step_of.astype(np.uint16)
    before = np.concatenate([[0], np.bincount(step_of, minlength=n_steps).cumsum()])
    first = before.searchsorted(-(-np.arange(n_blocks + 1) * keys.size // n_blocks))
    first[-1] = n_steps  # the last steps may have no keys
    block_of_step = np.repeat(np.arange(n_blocks, dtype=np.uint16), np.diff(first))
    block_of = block_of_step.take(step_of)
    # Numbers of 16 bits are sorted by counting.
    return block_of, np.argsort(block_of, kind="stable"), before[first]


def _draw_from(rows, targets, mass_of):
    """The rows that the sums of the mass, one row after the other, reach the targets in.

    None if there is no mass.
    """
    mass = mass_of(rows)
    places = mass.cumsum().searchsorted(targets, side="right")
    beyond = places == rows.size
    if beyond.any():  # rounding
        last = mass.nonzero()[0][-1:]
        if last.size == 0:
            return None
        places[beyond] = last
    return rows[places]
