"""Assigners: how each iteration finds the nearest centre of every row.

All of them give the same labels and report the same changes; they differ in which rows they
look at. They keep the labels, update them in place and return what changed in the clusters.
"""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels import CenterTable, label_sums, nearest
from sklearn_lloyd._types import ChunkStats

_HARD = 0.1  # share of rows undecided in float32 from which float64 is the faster screen


class FullAssigner:
    """Plain Lloyd: every row against every centre."""

    def __init__(self, problem):
        self._problem = problem
        self._dtype = problem.screen_dtype
        self.labels = np.full(problem.chunks.shape[0], -1, np.intp)
        self._first = True

    def assign(self, centers, reduce):
        """Assign all rows to `centers`; call `reduce(ChunkStats)` for each block that changed."""
        chunks = self._problem.chunks
        table = CenterTable(centers, self._problem.shift, chunks.n_terms)
        self._before(table)
        looked_at = n_hard = 0

        def kernel(rows, scratch):
            return self._assign_block(rows, table, scratch)

        def collect(part):
            nonlocal looked_at, n_hard
            stats, n_looked, hard = part
            looked_at += n_looked
            n_hard += hard
            if stats is not None:
                reduce(stats)

        chunks.map_reduce(kernel, collect)
        if n_hard > _HARD * looked_at:
            self._dtype = np.dtype(np.float64)
        self._first = False

    def _assign_block(self, rows, table, scratch):
        problem = self._problem
        active = self._active(rows)
        if active is not None and active.size == 0:
            return None, 0, 0
        index = rows if active is None else rows.start + active
        block = problem.chunks.rows(index)
        old = self.labels[index]
        new, gap, n_hard = nearest(
            block,
            problem.sq_norms[index],
            None if self._first else old,
            table,
            self._dtype,
            scratch,
        )
        # A centre that repeats another stood aside, so the gap says nothing of it.
        self._record(index, new, gap if table.repeated is None else np.float32(-np.inf))
        changed = np.flatnonzero(new != old)
        if changed.size == 0:
            return None, new.size, n_hard
        weights = problem.weights(index)
        everything = changed.size == new.size
        stats = ChunkStats(
            *label_sums(
                block if everything else block[changed],
                weights if everything or weights is None else weights[changed],
                new[changed],
                old[changed],
                problem.shift,
                len(table),
            ),
            changed.size,
        )
        self.labels[index] = new  # only now: `old` may be a view
        return stats, new.size, n_hard

    def _before(self, table):
        """Prepare for a pass with these centres."""

    def _active(self, rows):
        """Positions in the block of the rows to look at; None: all."""
        return None

    def _record(self, index, labels, gap):
        """Keep what was learnt about the rows of `index`."""


class BoundedAssigner(FullAssigner):
    """Triangle inequality bounds: only rows whose nearest centre may have changed.

    When a row is looked at, it keeps its gap: by how much its own centre was nearer than any
    other (Hamerly 2010, with both bounds in one number). From then on the centres can take
    from the gap no more than they move: for a row of cluster j, its own movement plus the
    largest of the others. Those are summed up for each cluster, not for each row: a row is
    looked at again when the sum has grown by its gap. An iteration costs one comparison for
    each row, and the memory is one number for each row.
    """

    def __init__(self, problem):
        super().__init__(problem)
        # A row is safe while its cluster's total drift stays below this.
        self._limit = np.full(problem.chunks.shape[0], -np.inf, np.float32)
        self._drift = None
        self._offsets = None

    def _before(self, table):
        if self._offsets is None:
            self._drift = np.zeros(len(table))
        else:
            moved = np.sqrt(np.square(table.offsets - self._offsets).sum(axis=1))
            order = np.argsort(moved)
            largest_other = np.full(moved.size, moved[order[-1]])
            largest_other[order[-1]] = moved[order[-2]] if moved.size > 1 else 0.0
            # A little more than computed, so that rounding cannot hide a movement.
            self._drift += (moved + largest_other) * (1 + 1e-12)
        self._offsets = table.offsets
        self._threshold = np.nextafter(self._drift.astype(np.float32), np.float32(np.inf))

    def _active(self, rows):
        if self._first:
            return None
        threshold = self._threshold.take(self.labels[rows])
        active = np.flatnonzero(~(self._limit[rows] > threshold))
        # Most of them: a slice is cheaper than a gather.
        return None if active.size > 0.6 * threshold.size else active

    def _record(self, index, labels, gap):
        limit = (gap + self._drift.take(labels)).astype(np.float32)
        self._limit[index] = np.nextafter(limit, np.float32(-np.inf))


ASSIGNERS = {"lloyd": FullAssigner, "elkan": BoundedAssigner}


def make_assigner(algorithm, problem):
    """The assigner of that name; "auto" takes the bounds, which cost next to nothing."""
    if algorithm == "auto":
        algorithm = "elkan" if problem.n_clusters > 1 else "lloyd"
    return ASSIGNERS[algorithm](problem)
