"""The assigner on compiled kernels for CSR rows."""

from __future__ import annotations

from functools import partial

import numpy as np

from sklearn_lloyd._chunks import center_columns
from sklearn_lloyd._kernels import array_of
from sklearn_lloyd._solvers._assign import Assigner
from sklearn_lloyd._types import ChunkStats


class CsrAssigner(Assigner):
    """Assigns the rows of a block in one compiled call, by their exact distances.

    Bounds are tested where the block is worked on, so that only rows in need of it are read.
    """

    def __init__(self, problem, bounded):
        super().__init__(problem, bounded)
        self._columns = None
        self._kernels = problem.chunks.compiled
        X = problem.chunks.X
        self._X = X.data, X.indices, X.indptr
        self._weights = array_of(problem.sample_weight)

    def assign(self, centers, reduce):
        self._columns = center_columns(self._problem.chunks, centers, self._columns)
        super().assign(centers, reduce)

    def _blocks(self):
        return None

    def _assign_block(self, rows, table, scratch):
        problem, bounds = self._problem, self._bounds
        if bounds is None or self._first:
            index = np.arange(rows.start, rows.stop)
            n = index.size
        else:
            index = np.empty(rows.stop - rows.start, np.intp)
            n = self._kernels.find_active(
                self.labels, bounds.limit, bounds.drift_above, rows.start, rows.stop, index
            )
        if n == 0:
            return None, 0, 0
        changed, old = np.empty((2, n), np.intp)
        # Twice the rounding of a distance, and more than what is lost when norms are stored.
        eta = 4 * (problem.chunks.n_terms + 8) * float(np.finfo(np.float64).eps)
        eps = 2 * float(np.finfo(problem.screen_dtype).eps)
        n_changed = self._kernels.label_rows(
            *self._X,
            index,
            n,
            self._columns,
            table.sq_norms,
            problem.sq_norms,
            eta + 4 * eps,
            eta * table.sq_norms.max(),
            self.labels,
            array_of(bounds and bounds.limit),
            array_of(bounds and bounds.drift_below),
            eps,
            changed,
            old,
        )
        if n_changed == 0:
            return None, n, 0
        # Copies, for the block may wait to be reduced.
        return self._moved(changed[:n_changed].copy(), old[:n_changed].copy()), n, 0

    def _moved(self, changed, old):
        """What rows with a new label change in the clusters: added when its turn comes."""
        move = (*self._X, changed, old, self.labels, self._weights)
        add = partial(self._kernels.move_rows, *move)
        return ChunkStats(None, None, None, changed.size, add_to=add)
