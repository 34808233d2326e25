"""Assigning on compiled kernels."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels import array_of
from sklearn_lloyd._solvers._assign import Assigner, Bounds
from sklearn_lloyd._types import ChunkStats

_HARD = 0.5  # share of the rows looked at; what float32 leaves open costs little here
_SAMPLE = 1024  # rows by which the number of fast centres is chosen
_NUMBERS_OF_FAST = (0, 4, 8, 16, 32, 64)
# What it costs to read a row and to settle it, in numbers computed; with its own centre, too.
_SETTLE = 30
_OWN = 20
_NO_INDEX = np.empty(0, np.intp)


class FastAndSlow(Bounds):
    """Bounds that the few fastest centres do not spoil.

    One centre that is far on the move comes near the bound of every row. So rows that are safe
    from all others are compared with the fastest few alone, where that is less work.

    Attributes
    ----------
    fast : ndarray of intp
        Which centres, if any.
    drift_slow : ndarray of shape (n_clusters,), in the dtype of `limit`
        What the drift would be had those not moved now, rounded up...
    extra : ndarray of shape (n_clusters,), in the dtype of `limit`
        ...and how much less that is, rounded down.
    """

    def __init__(self, problem):
        super().__init__(problem)
        self._kernels = problem.chunks.compiled
        n_features, n_lanes = problem.chunks.shape[1], self._kernels.lanes(self.limit.dtype)
        self._of_row, self._of_pair = _SETTLE + n_features, (n_features + 4) / n_lanes
        self._of_own = _OWN + n_features
        self.fast = _NO_INDEX
        self.extra = np.zeros(problem.n_clusters, self.limit.dtype)

    def follow(self, table, labels):
        """Add up how far the centres have moved to be where `table` has them."""
        slow = np.zeros(len(table))
        if self._offsets is None:
            self._drift = slow
        else:
            moved, every, left = np.empty((3, len(table)))
            self._kernels.movement(table.offsets, self._offsets, moved)
            order = np.argsort(-moved)
            n_fast = self._best_number(moved, order, labels)
            self._kernels.largest_other(moved, order, 0, every)
            self._kernels.largest_other(moved, order, n_fast, left)
            self.fast = order[:n_fast]
            self.extra = ((every - left) * (1 - self._eps)).astype(self.limit.dtype)
            slow = self._drift + moved + left
            self._drift = self._drift + moved + every
        self.drift_slow = (slow * (1 + self._eps)).astype(self.limit.dtype)
        self._offsets = table.offsets
        self._round()

    def _best_number(self, moved, order, labels):
        """How many fast centres save most work, by a sample of the rows."""
        numbers = np.array([n for n in _NUMBERS_OF_FAST if 4 * n <= moved.size])
        counts, step = np.empty_like(numbers), -(-labels.size // _SAMPLE)
        self._kernels.count_unsafe(
            labels, self.limit, step, self._drift, moved, order, numbers, counts
        )
        unsafe, least, best = int(counts[0]), np.inf, 0
        for n, full in zip(numbers.tolist(), counts.tolist(), strict=True):
            cost = full * (self._of_row + moved.size * self._of_pair)
            if n:
                cost += (unsafe - full) * (self._of_row + self._of_own + n * self._of_pair)
            if cost < least:
                least, best = cost, n
        return best


def scratch_of(chunks, rows, table, scratch):
    """The worker's memory for assigning the rows of a slice, as `assign_block` takes it."""
    n, dtype = rows.stop - rows.start, table.factors.dtype
    kept = scratch.get("assign")
    if kept is None or kept[0].size < n or kept[-1].dtype != dtype:
        n_lanes = chunks.compiled.lanes(dtype)
        room = -(-n // n_lanes) * n_lanes
        indices = np.empty((4, room), np.intp)
        label, panel = np.empty(room, np.int32), np.empty((chunks.shape[1], n_lanes), dtype)
        kept = scratch["assign"] = (*indices, *np.empty((4, room), dtype), label, panel)
    return kept


class CompiledAssigner(Assigner):
    """Assigns the rows of a block in one compiled call.

    Bounds are tested where the block is worked on, so that only rows in need of it are read.
    """

    _kind_of_bounds = FastAndSlow

    def __init__(self, problem, bounded):
        super().__init__(problem, bounded and problem.n_clusters > 1)
        self._weights, self._shift = array_of(problem.sample_weight), array_of(problem.shift)
        self._full = self._fast = None  # the tables of this pass

    def _blocks(self):
        return None

    def _is_hard(self, n_hard, n_looked):
        return n_hard > _HARD * n_looked

    def _prepare(self, table):
        norm_dtype = self._problem.sq_norms.dtype
        self._full = self._problem.chunks.compiled.table_of(table, self._dtype, norm_dtype)
        self._fast = self._full.only(_NO_INDEX if self._bounds is None else self._bounds.fast)

    def _assign_block(self, rows, table, scratch):
        problem, bounds, chunks = self._problem, self._bounds, self._problem.chunks
        full, fast = self._full, self._fast
        work = scratch_of(chunks, rows, full, scratch)
        aside = table.repeated is not None
        none = array_of(None)
        n, n_changed, n_open = chunks.compiled.assign_block(
            chunks.X,
            rows.start,
            rows.stop,
            self._shift,
            table.centers,
            *full,
            problem.sq_norms,
            self.labels,
            none if bounds is None else bounds.limit,
            none if bounds is None else bounds.drift_below,
            none if bounds is None else bounds.drift_above,
            none if bounds is None else bounds.drift_slow,
            none if bounds is None else bounds.extra,
            _NO_INDEX if bounds is None else bounds.fast,
            fast.factors,
            fast.norms,
            bounds is None or self._first or aside,
            aside,
            *work,
        )
        return self._moved(work[2], work[3], n_changed, scratch), n, n_open

    def _moved(self, changed, old, n, scratch):
        """What the first n rows of `changed` change in the clusters."""
        if n == 0:
            return None
        if "sums" not in scratch:
            k, d = self._problem.n_clusters, self._problem.chunks.shape[1]
            scratch["place"] = np.full(k, -1, np.intp)
            scratch["sums"] = np.empty((k, d)), np.empty(k), *np.empty((2, k), np.intp)
        m = self._problem.chunks.compiled.move_rows(
            self._problem.chunks.X,
            changed,
            n,
            self.labels,
            old,
            self._weights,
            self._shift,
            scratch["place"],
            *scratch["sums"],
        )
        sums, weight, members, clusters = (array[:m].copy() for array in scratch["sums"])
        return ChunkStats(sums, weight, members, n, clusters)
