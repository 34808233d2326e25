"""Drawing rows so that neither their order nor repeats against weights change the draw.

Rows are drawn by inverse CDF over a canonical order: that of a fixed projection of each row.
Equal rows have equal keys, stand side by side and are interchangeable, so the draw depends
on the weighted *set* of rows. The CDF is kept as sums of blocks of about sqrt(n) rows of
that order; only the block that a draw falls into is summed row by row.
"""

from __future__ import annotations

import numpy as np


class CanonicalRows:
    """The rows of a problem in canonical order.

    Parameters
    ----------
    problem : Problem
    """

    def __init__(self, problem):
        n_rows = problem.chunks.shape[0]
        self.keys = problem.keys
        self.order = np.argsort(problem.keys)
        self.n_blocks = max(1, min(int(n_rows**0.5), 4096))
        self.edges = np.arange(self.n_blocks + 1) * n_rows // self.n_blocks
        self.block_of = np.empty(n_rows, np.intp)
        self.block_of[self.order] = np.repeat(np.arange(self.n_blocks), np.diff(self.edges))

    def block_mass(self, rows, mass):
        """What the given rows add to the mass of every block."""
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
        """
        total = np.cumsum(block_mass)
        targets = uniforms * total[-1]
        blocks = np.searchsorted(total, targets, side="right")
        blocks = np.minimum(blocks, np.flatnonzero(block_mass)[-1])  # rounding
        targets -= total[blocks] - block_mass[blocks]
        drawn = np.empty(uniforms.size, np.intp)
        for i, (block, target) in enumerate(zip(blocks, targets, strict=True)):
            rows = self.order[self.edges[block] : self.edges[block + 1]]
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

    def groups(self, counts):
        """Number the distinct rows that count, in canonical order.

        Parameters
        ----------
        counts : ndarray of bool of shape (n_samples,) or None
            Rows of positive weight; None: all.

        Returns
        -------
        group : ndarray of intp of shape (n_samples,)
            -1 for the rows that do not count.
        n_groups : int
        """
        order = self.order if counts is None else self.order[counts[self.order]]
        keys = self.keys[order]
        group = np.full(self.order.size, -1, np.intp)
        group[order] = np.concatenate([[0], np.cumsum(keys[1:] != keys[:-1])])
        return group, int(group.max()) + 1
