"""Bounds: which rows are safe to keep their nearest centre."""

from __future__ import annotations

import numpy as np

_SAMPLE = 4096  # rows by which the number of fast centres is chosen
_NUMBERS_OF_FAST = (4, 8, 16, 32, 64)
# What it takes to compare a row with one centre, to look at it, and to look at it and compare it
# with its own centre: each as nanoseconds, and nanoseconds for each feature. Sorting out the rows
# for it takes some for every row. Only the ratios matter.
_COMPARE = 0.4, 0.025
_LOOK = 70.0, 0.7
_OWN = 120.0, 1.3
_SORT_OUT = 15.0


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
            moved = self._movement(table.offsets)
            self._drift = self._drift + moved + self._others(moved, labels)
        self._offsets = table.offsets
        # Rounded so that no movement is lost: up where it is compared, down where it adds.
        self.drift_above = (self._drift * (1 + self._eps)).astype(self.limit.dtype)
        self.drift_below = (self._drift * (1 - self._eps)).astype(self.limit.dtype)

    def _movement(self, offsets):
        """How far each centre has moved to be there."""
        difference = offsets - self._offsets
        return np.sqrt(np.square(difference, out=difference).sum(axis=1))

    def _others(self, moved, labels):
        """For each centre the farthest that any other has moved."""
        return largest_other(moved, np.argsort(moved)[::-1])

    def active(self, rows, labels):
        """Those of the slice `rows` that are not safe; and none that may be."""
        drift = self.drift_above.take(labels[rows])
        active = rows.start + np.flatnonzero(~(self.limit[rows] > drift))
        return active, active[:0]

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


class FastAndSlow(Bounds):
    """Bounds against the slow centres; the few that move fast are compared with the rows.

    One centre that is far on the move would spoil the bound of every row. So the fastest do not
    count in the drift. Rows that are not safe from them are compared with these few alone.

    Attributes
    ----------
    table : CenterTable
        Where the centres are.
    fast : ndarray of intp
        Which of them move fast.
    extra : ndarray of shape (n_clusters,), in the dtype of `limit`
        For each centre, how much farther the others have moved if the fast ones count too.
    """

    def __init__(self, problem):
        super().__init__(problem)
        n_features = problem.chunks.shape[1]
        self._costs = [a + b * n_features for a, b in (_COMPARE, _LOOK, _OWN)]
        self.fast = np.empty(0, np.intp)

    def follow(self, table, labels):
        self.table = table
        super().follow(table, labels)

    def _others(self, moved, labels):
        order = np.argsort(moved)[::-1]
        every = largest_other(moved, order)
        n_fast = self._best_number(moved, order, every, labels)
        slow = largest_other(moved, order[n_fast:])
        self.fast = order[:n_fast]
        self.extra = ((every - slow) * (1 + self._eps)).astype(self.limit.dtype)
        return slow

    def _best_number(self, moved, order, every, labels):
        """How many fast centres save most work, by a sample of the rows."""
        compare, look, compare_own = self._costs
        least = _NUMBERS_OF_FAST[0]
        if moved.size * compare + look <= least * compare + compare_own + _SORT_OUT:
            return 0
        sample = slice(None, None, -(-labels.size // _SAMPLE))
        own = labels[sample]
        left = self.limit[sample] - (self._drift + moved)[own]
        unsafe = np.mean(left <= every[own])
        costs = {0: unsafe * (moved.size * compare + look)}
        for n in _NUMBERS_OF_FAST:
            if 4 * n <= moved.size:
                full = np.mean(left <= largest_other(moved, order[n:])[own])
                costs[n] = _SORT_OUT + full * (moved.size * compare + look)
                costs[n] += (unsafe - full) * (n * compare + compare_own)
        return min(costs, key=costs.get)

    def active(self, rows, labels):
        """Those of the slice that are not safe, and those that may be safe from the fast ones.

        Rows that are safe from all pay for how much farther the fast centres have moved.
        """
        if self.fast.size == 0:
            return super().active(rows, labels)
        own, limit = labels[rows], self.limit[rows]
        drift = self.drift_above.take(own)
        left = limit - self.extra.take(own)
        left -= np.abs(limit) * limit.dtype.type(4 * self._eps)
        safe = left > drift
        active = ~(limit > drift)
        np.copyto(limit, left, where=safe)
        doubtful = ~(safe | active)
        return rows.start + np.flatnonzero(active), rows.start + np.flatnonzero(doubtful)

    def lower(self, index, labels, gap):
        """Lower the limits of rows by their gaps to the fast centres; mask of those not safe."""
        limit = self.drift_below.take(labels)
        limit += gap
        limit *= limit.dtype.type(1 - self._eps)
        safe = limit > self.drift_above.take(labels)
        self.limit[index] = np.where(safe, np.minimum(limit, self.limit[index]), -np.inf)
        return ~safe
