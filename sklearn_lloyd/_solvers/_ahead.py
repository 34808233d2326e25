"""Several iterations in one compiled call."""

from __future__ import annotations

import math

import numpy as np

from sklearn_lloyd._chunks import edges_of
from sklearn_lloyd._codes import NO_BASIS, can_encode, no_coding
from sklearn_lloyd._kernels import largest_norm_for
from sklearn_lloyd._solvers._compiled import (
    HARD,
    NO_BOUNDS,
    PASS_TO_DECIDE,
    CompiledAssigner,
    scratch_of,
)

_MOST_AHEAD = 16  # iterations in one call, which nothing can interrupt...
_WORK = 1 << 31  # ...and products, if more than one
_VALUES = 1 << 19  # of the centres that they come by
_VALUES_OF_BLOCKS = 1 << 20  # of what all blocks have to add to the sums of clusters
_LIMIT, _DRIFTS, _FAST = NO_BOUNDS
_NO_COSTS = _FAST, 1, 0.0, 0.0, 0.0, 0.0, np.empty(0)
_NO_MEMORY = _LIMIT, _DRIFTS, np.empty((0, 0)), _FAST, _NO_COSTS


def can_go_ahead(problem):
    """Whether iterations can be done without Python."""
    chunks = problem.chunks
    values = len(chunks.blocks) * problem.n_clusters * chunks.shape[1]
    return not chunks.is_sparse and (len(chunks.blocks) == 1 or values <= _VALUES_OF_BLOCKS)


class AheadAssigner(CompiledAssigner):
    """A `CompiledAssigner` that can do iteration after iteration in one call, on all threads.

    To put an iteration together from its parts, and to wake up the other threads for each, takes
    Python as long as some ten thousand rows take to be assigned. So the parts are called by
    compiled code while they have no surprises.
    """

    def __init__(self, problem, bounded):
        super().__init__(problem, bounded)
        chunks, n_clusters = problem.chunks, problem.n_clusters
        shape = n_clusters, chunks.shape[1]
        starts, stops = edges_of(chunks.blocks)
        n_blocks = starts.size
        moved = np.empty((n_blocks, *shape)), np.empty((n_blocks, n_clusters))
        moved += tuple(np.empty((2, n_blocks, n_clusters), np.intp))
        self._blocks_and_moved = starts, stops, np.empty((n_blocks, 4), np.intp), *moved
        self._of_table = np.empty(shape), np.empty(n_clusters)
        most = min(_VALUES // math.prod(shape), _WORK // (chunks.shape[0] * math.prod(shape)))
        self._most_ahead = max(1, min(_MOST_AHEAD, most))
        self._no_coding = *no_coding(chunks.compiled), *NO_BASIS
        # What codes have to say is known after a pass or two.
        decides = bounded and can_encode(chunks, n_clusters, problem.screen_dtype)
        self._passes_by_python = PASS_TO_DECIDE if decides else 0

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
        if self._n_passes < self._passes_by_python:
            return [], None
        problem, bounds, chunks = self._problem, self._bounds, self._problem.chunks
        n = min(n, self._most_ahead)
        path, found = np.empty((n + 1, *centers.shape)), np.empty((n, 3))
        path[0] = centers
        dtype = self._dtype
        self._use_precision(dtype)
        memory = _NO_MEMORY if bounds is None else bounds.memory
        most_fast = 0 if bounds is None else bounds.most_fast
        fast_table = np.empty((most_fast, centers.shape[1]), dtype), np.empty(most_fast, dtype)
        kernels = chunks.compiled
        shared, told = np.zeros(kernels.SIZE_OF_TEAM, np.int64), np.empty(kernels.N_TOLD, np.intp)
        whole = max(chunks.blocks, key=lambda rows: rows.stop - rows.start)

        def run(leads):
            scratch = scratch_of(chunks, whole, dtype, chunks.scratch)
            return kernels.iterate(
                leads,
                shared,
                told,
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
                self._coding_in(dtype),
                self._blocks_and_moved,
                (*scratch, self._place_of(chunks.scratch)),
                (totals.sums, totals.weights, totals.members),
                totals.before,
            )

        n_done, is_hard, is_begun, *begun = chunks.together(run, shared)
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

    def _coding_in(self, dtype):
        """The codes as `iterate` takes them."""
        if self._codes is None or dtype != np.float32:
            return self._no_coding
        coding = self._codes.coding(self._code_tables)
        return *coding, *self._codes.projection(self._problem.n_clusters)
