"""Several iterations in one compiled call."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._codes import NO_CODES, can_encode
from sklearn_lloyd._kernels import largest_norm_for
from sklearn_lloyd._solvers._compiled import HARD, NO_BOUNDS, CompiledAssigner, scratch_of

_MOST_AHEAD = 16  # iterations in one call, which nothing can interrupt
_VALUES = 1 << 17  # of the centres that they come by
_LIMIT, _DRIFTS, _FAST = NO_BOUNDS
_NO_COSTS = _FAST, 1, 0.0, 0.0, 0.0, 0.0, np.empty(0)
_NO_MEMORY = _LIMIT, _DRIFTS, np.empty((0, 0)), _FAST, _NO_COSTS


def is_one_block(problem):
    """Whether all work of an iteration can be done in one compiled call."""
    chunks = problem.chunks
    if chunks.is_sparse or len(chunks.blocks) > 1:
        return False
    return not can_encode(chunks, problem.n_clusters, problem.screen_dtype)


class OneBlockAssigner(CompiledAssigner):
    """A `CompiledAssigner` of rows that are one block, which one thread assigns.

    Python takes as long to put an iteration together from its parts as a few thousand rows take
    to be assigned. So the parts are called by compiled code while they have no surprises.
    """

    def __init__(self, problem, bounded):
        super().__init__(problem, bounded)
        shape = n_clusters, n_features = problem.n_clusters, problem.chunks.shape[1]
        self._of_table = np.empty(shape), np.empty(n_clusters)
        self._place = np.full(n_clusters, -1, np.intp)
        self._moved = np.empty(shape), np.empty(n_clusters), *np.empty((2, n_clusters), np.intp)
        self._most_ahead = max(1, min(_MOST_AHEAD, _VALUES // (n_clusters * n_features)))

    def iterate(self, centers, n, tol, totals):
        """Iterate up to n times, as far as compiled code can.

        Parameters
        ----------
        centers : ndarray of float64 of shape (n_clusters, n_features)
        n : int
        tol : float
        totals : _ClusterSums
            Updated.

        Returns
        -------
        found : list of tuples
            Of each iteration: the new centres, the inertia under those before, the squared
            movement, how many labels changed and how many clusters were empty.
        begun : tuple or None
            Of an iteration in which the rows have been assigned, and no more: how many labels
            changed, whether sums have lost their digits, the inertia.
        """
        problem, bounds, chunks = self._problem, self._bounds, self._problem.chunks
        n = min(n, self._most_ahead)
        path, found = np.empty((n + 1, *centers.shape)), np.empty((n, 3))
        path[0] = centers
        dtype = self._dtype
        self._use_precision(dtype)
        memory = _NO_MEMORY if bounds is None else bounds.memory
        most_fast = 0 if bounds is None else bounds.most_fast
        fast_table = np.empty((most_fast, centers.shape[1]), dtype), np.empty(most_fast, dtype)
        outcome = []

        def kernel(rows, scratch):
            return chunks.compiled.iterate(
                path,
                found,
                tol,
                self._first,
                HARD,
                largest_norm_for(dtype),
                self._rows,
                problem.sq_norms,
                self._weights,
                self.labels,
                problem.sum_of_squares,
                tuple(self._tables.memory),
                self._tables.roundings,
                self._of_table,
                *memory,
                fast_table,
                NO_CODES,
                (*scratch_of(chunks, rows, dtype, scratch), self._place),
                self._moved,
                (totals.sums, totals.weights, totals.members),
                totals.before,
            )

        chunks.map_reduce(kernel, outcome.append)
        n_done, is_hard, is_begun, *begun = outcome[0]
        if n_done or is_begun:
            self._first = False
        if is_hard:
            self._dtype = np.dtype(np.float64)
        steps = [
            (centers, max(0.0, inertia), center_shift, int(n_changed), 0)
            for centers, (inertia, center_shift, n_changed) in zip(
                path[1 : n_done + 1], found.tolist(), strict=False
            )
        ]
        return steps, begun if is_begun else None
