"""Assigning on compiled kernels."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels import array_of
from sklearn_lloyd._solvers._assign import Assigner
from sklearn_lloyd._types import ChunkStats


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
    work.two_least(chunks.X, n, array_of(table.shift), screen)
    counts = chunks.compiled.settle(
        chunks.X,
        work.index,
        n,
        work.least,
        table.centers,
        array_of(table.shift),
        *screen.padded(4),
        sq_norms,
        real(2 * screen.eta),
        screen.slack,
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


class CompiledAssigner(Assigner):
    """Assigns the rows of a block in a few compiled calls.

    Bounds are tested where the block is worked on, so that only rows in need of it are read.
    """

    def _blocks(self):
        return None

    def _assign_block(self, rows, table, scratch):
        problem, bounds, chunks = self._problem, self._bounds, self._problem.chunks
        work = workspace(chunks, rows, table.screen(self._dtype), scratch)
        if bounds is None or self._first:
            n = work.take_all(rows)
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
