"""Assigners: how each iteration finds the nearest centre of every row.

All of them give the same labels and report the same changes; they differ in which rows they
look at, and in the kernels. They keep the labels, update them in place and return what changed
in the clusters.
"""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._chunks import take_rows
from sklearn_lloyd._kernels import CenterTable, label_sums, nearest
from sklearn_lloyd._types import ChunkStats

_HARD = 0.3  # share of the rows looked at
_FEW_CHANGED = 0.2  # share of the rows looked at
_MOST = 0.6  # share of all rows
_PIECE = 1 << 18  # rows whose bounds are tested at once


class Bounds:
    """Triangle inequality bounds: rows whose nearest centre cannot have changed are safe.

    When a row is looked at, it keeps its gap: by how much its own centre was nearer than any
    other (Hamerly 2010, with both bounds in one number). From then on the centres can take
    from the gap no more than they move: for a row of cluster j, its own movement plus the
    largest of the others. Those are summed up for each cluster, not for each row: a row is
    looked at again when the sum has grown by its gap. An iteration costs one comparison for
    each row, and the memory is one number for each row.
    """

    def __init__(self, problem):
        # A row is safe while its cluster's total drift stays below this.
        self.limit = np.full(problem.chunks.shape[0], -np.inf, problem.screen_dtype)
        self._eps = 2 * float(np.finfo(problem.screen_dtype).eps)
        self._drift = None
        self._offsets = None

    def follow(self, table, labels):
        """Add up how far the centres have moved to be where `table` has them."""
        if self._offsets is None:
            self._drift = np.zeros(len(table))
        else:
            difference = table.offsets - self._offsets
            moved = np.sqrt(np.square(difference, out=difference).sum(axis=1))
            self._drift = self._drift + moved + self._others(moved, labels)
        self._offsets = table.offsets
        # Rounded so that no movement is lost: up where it is compared, down where it adds.
        self.drift_above = (self._drift * (1 + self._eps)).astype(self.limit.dtype)
        self.drift_below = (self._drift * (1 - self._eps)).astype(self.limit.dtype)

    def _others(self, moved, labels):
        """For each centre the farthest that any other has moved."""
        return largest_other(moved, np.argsort(moved)[::-1])

    def active(self, rows, labels):
        """Those of the slice `rows` that are not safe."""
        drift = self.drift_above.take(labels[rows])
        return rows.start + np.flatnonzero(~(self.limit[rows] > drift))

    def record(self, index, labels, gap):
        """Keep the gaps of the rows of `index`; -inf where there is none."""
        limit = self.drift_below.take(labels)
        limit += gap
        limit *= limit.dtype.type(1 - self._eps)
        self.limit[index] = limit


def largest_other(moved, order):
    """For each centre the largest of `moved` among the others of `order`, largest first."""
    largest = np.full(moved.size, moved[order[0]])
    largest[order[0]] = moved[order[1]] if order.size > 1 else 0.0
    return largest


class Assigner:
    """Assigns all rows, with or without bounds, by the NumPy kernels.

    Parameters
    ----------
    problem : Problem
    bounded : bool
        Whether to look only at rows whose nearest centre may have changed.
    """

    _kind_of_bounds = Bounds

    def __init__(self, problem, bounded):
        self._problem = problem
        self._dtype = problem.screen_dtype
        self._bounds = self._kind_of_bounds(problem) if bounded else None
        self.labels = np.full(problem.chunks.shape[0], -1, np.intp)
        self._first = True
        # Checking the old labels is cheaper than finding the nearest, if most will hold.
        self._few_changed = False

    def assign(self, centers, reduce):
        """Assign all rows to `centers`; call `reduce(ChunkStats)` for each block that changed."""
        chunks = self._problem.chunks
        table = CenterTable(centers, self._problem.shift, chunks.n_terms)
        if self._bounds is not None:
            self._bounds.follow(table, self.labels)
        looked_at = n_hard = n_changed = 0

        def kernel(rows, scratch):
            return self._assign_block(rows, table, scratch)

        def collect(part):
            nonlocal looked_at, n_hard, n_changed
            stats, n_looked, hard = part
            looked_at += n_looked
            n_hard += hard
            if stats is not None:
                n_changed += stats.n_changed
                reduce(stats)

        chunks.map_reduce(kernel, collect, self._blocks())
        if self._is_hard(n_hard, looked_at):
            self._dtype = np.dtype(np.float64)
        self._first = False
        self._few_changed = n_changed < _FEW_CHANGED * looked_at

    def _assign_block(self, index, table, scratch):
        problem = self._problem
        block = problem.chunks.rows(index)
        old = self.labels[index]
        new, gap, n_hard = nearest(
            block,
            problem.sq_norms[index],
            old if self._few_changed else None,
            table,
            self._dtype,
            scratch,
            self._bounds is not None,
        )
        if self._bounds is not None:
            # A centre that stood aside as a repeated one is not in the gap.
            self._bounds.record(index, new, gap if table.repeated is None else -np.inf)
        changed = (new != old).nonzero()[0]
        if changed.size == 0:
            return None, new.size, n_hard
        moved = (block, problem.weights(index), new, None if self._first else old)
        if changed.size < new.size:
            moved = (array if array is None else take_rows(array, changed) for array in moved)
        stats = ChunkStats(
            *label_sums(*moved, problem.shift, len(table)),
            changed.size,
        )
        self.labels[index] = new  # only now: `old` may be a view
        return stats, new.size, n_hard

    def _is_hard(self, n_hard, n_looked):
        """Whether float32 leaves so much open that float64 is the faster screen."""
        return n_hard > _HARD * n_looked

    def _blocks(self):
        """The rows to look at, in blocks; None: all."""
        if self._bounds is None or self._first:
            return None
        active = []
        chunks = self._problem.chunks
        n_rows = chunks.shape[0]
        pieces = [slice(a, min(a + _PIECE, n_rows)) for a in range(0, n_rows, _PIECE)]
        chunks.map_reduce(
            lambda rows, scratch: self._bounds.active(rows, self.labels), active.append, pieces
        )
        active = np.concatenate(active)
        # Most of them: slices are cheaper than a gather.
        return None if active.size > _MOST * n_rows else chunks.blocks_of(active)


# Name: whether rows that the bounds show to be safe are passed over.
ASSIGNERS = {"lloyd": False, "elkan": True, "hamerly": True}
