"""Assigning on compiled kernels."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels import array_of
from sklearn_lloyd._solvers._assign import Assigner, Bounds, largest_other
from sklearn_lloyd._types import ChunkStats

_HARD = 0.5  # share of the rows looked at; what float32 leaves open costs little here
_SAMPLE = 4096  # rows by which the number of fast centres is chosen
_NUMBERS_OF_FAST = (4, 8, 16, 32, 64)
# What reading a row costs, in comparisons with one centre, and what comparing it with its own.
_READ = 10
_OWN = 6
_CALLS = 512  # the same, times the features: more than it saves where there are few


def label_rows(chunks, work, n, table, dtype, sq_norms, labels, bounds=None):
    """Label the first n rows of `work.index` by their nearest centres.

    Parameters
    ----------
    chunks : Chunks
    work : Workspace
    n : int
    table : CenterTable
    dtype : dtype
        Precision to screen in.
    sq_norms : ndarray of shape (n_samples,)
    labels : ndarray of intp of shape (n_samples,)
        Updated.
    bounds : Bounds or None
        Updated.

    Returns
    -------
    n_changed, n_unsure : int
        How many of `work.changed` have a new label, and how many rows `dtype` left open.
    """
    screen = table.screen(dtype)
    real = screen.dtype.type
    shift, slack = array_of(table.shift), (real(2 * screen.eta), screen.slack)
    decided = work.two_least(chunks.X, n, shift, screen, table.centers, sq_norms, slack)
    counts = chunks.compiled.settle(
        chunks.X,
        work.index,
        n,
        work.least,
        decided,
        table.centers,
        shift,
        *screen.padded(4),
        sq_norms,
        *slack,
        real(8 * np.finfo(sq_norms.dtype).eps),
        labels,
        array_of(bounds and bounds.limit),
        array_of(bounds and bounds.drift_below),
        work.changed,
        work.old,
    )
    if bounds is not None and table.repeated is not None:
        bounds.limit[work.index[:n]] = -np.inf  # a centre that stood aside is not in the gap
    return counts


def workspace(chunks, rows, screen, scratch):
    """The worker's memory for the rows of a slice."""
    n = rows.stop - rows.start
    work = scratch.get("workspace")
    if work is None or work.room < n or work.dtype != screen.dtype:
        work = scratch["workspace"] = chunks.compiled.Workspace(n, chunks.shape[1], screen)
    return work


class FastAndSlow(Bounds):
    """Bounds against the slow centres; the few that move fast are compared with the rows.

    One centre that is far on the move would spoil the bound of every row. So the fastest do not
    count in the drift. Rows that are not safe from them are compared with these few alone.

    Attributes
    ----------
    fast : ndarray of intp
        Which centres.
    extra : ndarray of shape (n_clusters,), in the dtype of `limit`
        For each centre, how much farther the others have moved if the fast ones count too.
    """

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
        sample = slice(None, None, -(-labels.size // _SAMPLE))
        own = labels[sample]
        left = self.limit[sample] - (self._drift + moved)[own]
        unsafe = np.mean(left <= every[own])
        costs = {0: unsafe * (moved.size + _READ)}
        each = _READ + _OWN + _CALLS / self._offsets.shape[1]
        for n in _NUMBERS_OF_FAST:
            if 4 * n <= moved.size:
                full = np.mean(left <= largest_other(moved, order[n:])[own])
                costs[n] = full * (moved.size + _READ) + (unsafe - full) * (n + each)
        return min(costs, key=costs.get)


class CompiledAssigner(Assigner):
    """Assigns the rows of a block in a few compiled calls.

    Bounds are tested where the block is worked on, so that only rows in need of it are read.
    """

    _kind_of_bounds = FastAndSlow

    def _blocks(self):
        return None

    def _is_hard(self, n_hard, n_looked):
        return n_hard > _HARD * n_looked

    def _assign_block(self, rows, table, scratch):
        problem, bounds, chunks = self._problem, self._bounds, self._problem.chunks
        work = workspace(chunks, rows, table.screen(self._dtype), scratch)
        if bounds is None or self._first:
            n = work.take_all(rows)
        elif bounds.fast.size:
            n = self._sort_out(rows, work, table)
        else:
            n = chunks.compiled.find_active(
                self.labels, bounds.limit, bounds.drift_above, rows.start, rows.stop, work.index
            )
        if n == 0:
            return None, 0, 0
        n_changed, n_unsure = label_rows(
            chunks, work, n, table, self._dtype, problem.sq_norms, self.labels, bounds
        )
        return self._moved(work, n_changed, scratch), n, n_unsure

    def _sort_out(self, rows, work, table):
        """Compare rows with the fast centres alone; returns how many need more than that."""
        problem, bounds, kernels = self._problem, self._bounds, self._problem.chunks.compiled
        screen = table.screen(self._dtype)
        real = screen.dtype.type
        eps = real(8 * np.finfo(problem.screen_dtype).eps)
        n_full, n_fast = kernels.sort_out(
            self.labels,
            bounds.limit,
            bounds.drift_above,
            bounds.extra,
            rows.start,
            rows.stop,
            eps,
            work.index,
            work.fast,
        )
        if table.repeated is not None:
            # A centre that stands aside has no score, but may part from its like at any time.
            work.index[n_full : n_full + n_fast] = work.fast[:n_fast]
            n_full, n_fast = n_full + n_fast, 0
        parts = work.products_with(
            problem.chunks.X, n_fast, array_of(problem.shift), screen, bounds.fast
        )
        for start, n, block, products in parts:
            n_full = kernels.settle_fast(
                work.fast,
                start,
                n,
                block,
                products,
                bounds.fast,
                *screen.padded(4),
                problem.sq_norms,
                real(2 * screen.eta),
                screen.slack,
                eps,
                self.labels,
                bounds.limit,
                bounds.drift_below,
                bounds.drift_above,
                work.index,
                n_full,
            )
        # In the order of the rows, so that sums do not depend on what the bounds could tell.
        work.index[:n_full].sort()
        return n_full

    def _moved(self, work, n, scratch):
        """What the first n rows of `work.changed` change in the clusters."""
        if n == 0:
            return None
        problem = self._problem
        if "sums" not in scratch:
            k, d = problem.n_clusters, problem.chunks.shape[1]
            scratch["place"] = np.full(k, -1, np.intp)
            scratch["sums"] = np.empty((k, d)), np.empty(k), *np.empty((2, k), np.intp)
        m = problem.chunks.compiled.move_rows(
            problem.chunks.X,
            work.changed,
            n,
            self.labels,
            work.old,
            array_of(problem.sample_weight),
            array_of(problem.shift),
            scratch["place"],
            *scratch["sums"],
        )
        sums, weight, members, clusters = (array[:m].copy() for array in scratch["sums"])
        return ChunkStats(sums, weight, members, n, clusters)
