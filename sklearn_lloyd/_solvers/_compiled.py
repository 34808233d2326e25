"""The assigner on compiled kernels."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._solvers._assign import Assigner
from sklearn_lloyd._types import ChunkStats

_NONE = np.empty(0)


class CompiledAssigner(Assigner):
    """Assigns the rows of a block in a few compiled calls.

    Bounds are tested where the block is worked on, so that only rows in need of it are read.
    """

    def _blocks(self):
        return None

    def _assign_block(self, index, table, scratch):
        problem, bounds = self._problem, self._bounds
        chunks, kernels = problem.chunks, problem.chunks.compiled
        screen = table.screen(self._dtype)
        work = self._workspace(index.stop - index.start, screen, scratch)
        if bounds is None or self._first:
            n = index.stop - index.start
            work.index[:n] = np.arange(index.start, index.stop)
        else:
            n = kernels.find_active(
                self.labels, bounds.limit, bounds.drift_above, index.start, index.stop, work.index
            )
        if n == 0:
            return None, 0, 0
        work.two_least(chunks.X, n, _array(problem.shift), screen)
        real = screen.dtype.type
        n_changed, n_unsure = kernels.settle(
            chunks.X,
            work.index,
            n,
            work.least,
            table.centers,
            problem.sq_norms,
            real(2 * screen.eta),
            screen.slack,
            real(8 * np.finfo(problem.screen_dtype).eps),
            self.labels,
            _NONE if bounds is None else bounds.limit,
            _NONE if bounds is None else bounds.drift_below,
            work.changed,
            work.old,
        )
        if bounds is not None and table.repeated is not None:
            bounds.limit[work.index[:n]] = -np.inf  # a centre that stood aside is not in the gap
        return self._moved(work, n_changed, scratch), n, n_unsure

    def _workspace(self, n_rows, screen, scratch):
        work = scratch.get("workspace")
        if work is None or work.room < n_rows or work.dtype != screen.dtype:
            n_features = self._problem.chunks.shape[1]
            work = self._problem.chunks.compiled.Workspace(n_rows, n_features, screen)
            scratch["workspace"] = work
        return work

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
            _array(problem.sample_weight),
            _array(problem.shift),
            scratch["place"],
            *scratch["sums"],
        )
        sums, weight, members, clusters = (array[:m].copy() for array in scratch["sums"])
        return ChunkStats(sums, weight, members, n, clusters)


def _array(values):
    """None as an array of nothing, which compiled code tells apart more easily."""
    return _NONE if values is None else values
