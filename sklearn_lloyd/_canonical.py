"""Drawing rows so that neither their order nor repeats against weights change the draw.

Rows are drawn by inverse CDF over a canonical order: that of a fixed projection of each row.
Equal rows have equal keys, stand side by side and are interchangeable, so the draw depends
on the weighted *set* of rows. The CDF is kept as sums of blocks of about sqrt(n) rows of
that order; only the block that a draw falls into is summed row by row.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np


class CanonicalRows:
    """The rows of a problem in canonical order, which is found when it is first needed.

    Parameters
    ----------
    keys : ndarray of shape (n_samples,), float64
        A fixed projection of each row.
    """

    def __init__(self, keys):
        self.keys = keys
        self.n_blocks = max(1, min(int(keys.size**0.5), 4096))

    @cached_property
    def order(self):
        """The rows, sorted by key."""
        return np.argsort(self.keys)

    @cached_property
    def group_starts(self):
        """Where in the order each run of equal rows starts."""
        keys = self.keys[self.order]
        return np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))

    @cached_property
    def _edges(self):
        return np.arange(self.n_blocks + 1) * self.keys.size // self.n_blocks

    @cached_property
    def _block_of(self):
        block_of = np.empty(self.keys.size, np.uint16)
        numbers = np.arange(self.n_blocks, dtype=np.uint16)
        block_of[self.order] = np.repeat(numbers, np.diff(self._edges))
        return block_of

    def block_mass(self, rows, mass=None):
        """What the given rows add to the mass of every block; by default one each."""
        return np.bincount(self._block_of[rows], mass, minlength=self.n_blocks)

    def draw(self, uniforms, block_mass, mass_of):
        """Rows, each with a probability proportional to its mass.

        Parameters
        ----------
        uniforms : ndarray of shape (n_draws,)
            In [0, 1).
        block_mass : ndarray of shape (n_blocks,)
        mass_of : callable
            Gives the mass of the rows of an index array.
        """
        total = np.cumsum(block_mass)
        targets = uniforms * total[-1]
        blocks = np.searchsorted(total, targets, side="right")
        blocks = np.minimum(blocks, np.flatnonzero(block_mass)[-1])  # rounding
        targets -= np.concatenate([[0.0], total])[blocks]
        drawn = np.empty(uniforms.size, np.intp)
        for i, (block, target) in enumerate(zip(blocks, targets, strict=True)):
            rows = self.order[self._edges[block] : self._edges[block + 1]]
            mass = mass_of(rows)
            place = np.searchsorted(np.cumsum(mass), target, side="right")
            if place == rows.size:  # rounding
                place = np.flatnonzero(mass)[-1]
            drawn[i] = rows[place]
        return drawn

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
