"""Assigners: how each iteration finds the nearest centre of every row.

All of them give the same labels and report the same changes; they differ in which rows they
look at, and in the kernels. They keep the labels, update them in place and return what changed
in the clusters.
"""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._chunks import take_rows
from sklearn_lloyd._kernels import CenterTable, gap_to, label_sums, nearest
from sklearn_lloyd._solvers._bounds import Bounds, FastAndSlow
from sklearn_lloyd._solvers._empty import labels_without_empty
from sklearn_lloyd._solvers._sums import sums_of_labels
from sklearn_lloyd._types import ChunkStats

_HARD = 1.0  # share of the rows looked at, as a part of what float64 is worth
_WORTH = 0.05, 0.5  # the same, within bounds
# What it takes to decide a row by the definition, and to compare a row with one more centre in
# float64: each as nanoseconds, and nanoseconds for each feature. Only their ratio matters.
_DECIDE = 1500.0, 10.0
_COMPARE = 0.4, 0.025
_FEW_CHANGED = 0.2  # share of the rows looked at
_MOST = 0.6  # share of all rows
_PIECE = 1 << 18  # rows whose bounds are tested at once
_MANY_CLUSTERS = 100  # fewer are all compared sooner than a few of them are picked out
_MUCH_WORK = 1 << 24  # products in a pass, from which to look for fast centres is soon paid back


class Assigner:
    """Assigns all rows, with or without bounds, by the NumPy kernels.

    Parameters
    ----------
    problem : Problem
    bounded : bool
        Whether to look only at rows whose nearest centre may have changed.
    """

    _kind_of_table = CenterTable
    iterate = None  # several iterations in one call, which few can do

    def __init__(self, problem, bounded):
        self._problem = problem
        self._dtype = problem.screen_dtype
        self._bounds = self._kind_of_bounds(problem) if bounded else None
        self.labels = np.full(problem.chunks.shape[0], -1, np.intp)
        self._first = True
        # To get the gaps it is cheaper to check the old labels, if most will hold.
        self._few_changed = False

    def sums(self):
        """Sums and weights of the clusters of the labels, from all rows."""
        return sums_of_labels(self._problem, self.labels)

    def sums_without_empty(self, centers, members):
        """The same once empty clusters have the rows that cost most; None if no row moves."""
        moved = labels_without_empty(self._problem, self.labels, centers, members)
        return None if moved is None else sums_of_labels(self._problem, moved)

    @staticmethod
    def _kind_of_bounds(problem):
        n_rows, n_features = problem.chunks.shape
        much = n_rows * n_features * problem.n_clusters >= _MUCH_WORK
        many = problem.n_clusters >= _MANY_CLUSTERS and not problem.chunks.is_sparse
        return (FastAndSlow if much and many else Bounds)(problem)

    def assign(self, centers, reduce):
        """Assign all rows to `centers`; call `reduce(ChunkStats)` for each block that changed."""
        chunks = self._problem.chunks
        table = self._kind_of_table(centers, self._problem.shift, chunks.n_terms)
        if self._bounds is not None:
            self._bounds.follow(table, self.labels)
        self._prepare(table)
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
        self._few_changed = self._bounds is not None and n_changed < _FEW_CHANGED * looked_at

    def _prepare(self, table):
        """Make ready, before the first block, what all blocks of a pass need."""

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
            problem.rounded_rows(index),
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
        (a, b), (c, d), n_features = _COMPARE, _DECIDE, self._problem.chunks.shape[1]
        worth = self._problem.n_clusters * (a + b * n_features) / (c + d * n_features)
        return n_hard > _HARD * min(max(worth, _WORTH[0]), _WORTH[1]) * n_looked

    def _blocks(self):
        """The rows to look at, in blocks; None: all."""
        bounds, chunks = self._bounds, self._problem.chunks
        if bounds is None or self._first:
            return None
        n_rows = chunks.shape[0]
        parts = []
        pieces = [slice(a, min(a + _PIECE, n_rows)) for a in range(0, n_rows, _PIECE)]
        chunks.map_reduce(
            lambda rows, scratch: bounds.active(rows, self.labels), parts.append, pieces
        )
        active, doubtful = (np.concatenate(part) for part in zip(*parts, strict=True))
        if doubtful.size and active.size <= _MOST * n_rows:
            if bounds.table.repeated is None:
                doubtful = self._not_safe(doubtful)
            # A centre that stands aside has no score, but may part from its like at any time.
            active = np.concatenate([active, doubtful])
            active.sort()
        # Most of them: slices are cheaper than a gather.
        return None if active.size > _MOST * n_rows else chunks.blocks_of(active)

    def _not_safe(self, index):
        """Those of the rows that a fast centre may be the nearest of."""
        problem, bounds = self._problem, self._bounds
        left = []

        def kernel(index, scratch):
            rows, norms = problem.chunks.rows(index), problem.sq_norms[index]
            own = self.labels.take(index)
            gap = gap_to(bounds.fast, rows, norms, own, bounds.table, self._dtype, scratch)
            return index[bounds.lower(index, own, gap)]

        problem.chunks.map_reduce(kernel, left.append, problem.chunks.blocks_of(index))
        return np.concatenate(left)


# Name: whether rows that the bounds show to be safe are passed over.
ASSIGNERS = {"lloyd": False, "elkan": True, "hamerly": True}
