"""The assigner on compiled kernels for CSR rows."""

from __future__ import annotations

from functools import partial

import numpy as np

from sklearn_lloyd._chunks import slices_of_features
from sklearn_lloyd._kernels import array_of
from sklearn_lloyd._solvers._assign import Assigner
from sklearn_lloyd._solvers._bounds import Bounds
from sklearn_lloyd._types import ChunkStats

_HARD = 0.5  # share of the rows looked at; what float32 leaves open costs little here


class CenterColumns:
    """Makes the `Columns` of one table of centres after the other, in the same memory."""

    def __init__(self):
        self._memory = {}

    def fill(self, chunks, table, dtype):
        """The arguments of `label_rows` that are about the centres."""
        kernels, centers, dtype = chunks.compiled, table.centers, table.precision(dtype)
        if dtype not in self._memory:
            self._memory = {dtype: kernels.empty_columns(*centers.shape, dtype)}
        of_table = table.sq_norms, table.repeated, chunks.n_terms
        columns = kernels.measured_columns(self._memory[dtype], *of_table)

        def fill(features, scratch):
            kernels.fill_columns(centers, features.start, features.stop, columns.factors)

        chunks.map_reduce(fill, blocks=slices_of_features(*centers.shape))
        return centers, table.sq_norms, *columns


class CsrBounds(Bounds):
    """As `Bounds`; the features are shared out among the threads."""

    def __init__(self, problem):
        super().__init__(problem)
        self._chunks = problem.chunks

    def _movement(self, offsets):
        squares, before = np.zeros(len(offsets)), self._offsets

        def measure(features, scratch):
            part = np.empty(len(offsets))
            self._chunks.compiled.sq_movement(offsets, before, features.start, features.stop, part)
            return part

        blocks = slices_of_features(*offsets.shape)
        self._chunks.map_reduce(measure, squares.__iadd__, blocks)
        return np.sqrt(squares)


class CsrAssigner(Assigner):
    """Assigns the rows of a block in one compiled call.

    Bounds are tested where the block is worked on, so that only rows in need of it are read.
    """

    _kind_of_bounds = CsrBounds

    def __init__(self, problem, bounded):
        super().__init__(problem, bounded)
        self._columns = CenterColumns()
        self._kernels = problem.chunks.compiled
        X = problem.chunks.X
        self._X = X.data, X.indices, X.indptr
        self._weights = array_of(problem.sample_weight)
        self._screen = None  # of this pass

    def _prepare(self, table):
        self._screen = self._columns.fill(self._problem.chunks, table, self._dtype)

    def _blocks(self):
        return None

    def _is_hard(self, n_hard, n_looked):
        return n_hard > _HARD * n_looked

    def _assign_block(self, rows, table, scratch):
        bounds = self._bounds
        aside = table.repeated is not None  # a centre has no score: then no bound holds
        if bounds is None or self._first or aside:
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
        n_open, n_changed = self._kernels.label_rows(
            *self._X,
            index,
            n,
            *self._screen,
            self.labels,
            array_of(bounds and bounds.limit),
            array_of(bounds and bounds.drift_below),
            2 * float(np.finfo(self._problem.screen_dtype).eps),
            changed,
            old,
        )
        if bounds is not None and aside:
            bounds.limit[rows] = -np.inf
        if n_changed == 0:
            return None, n, n_open
        # Copies, for the block may wait to be reduced.
        return self._moved(changed[:n_changed].copy(), old[:n_changed].copy()), n, n_open

    def _moved(self, changed, old):
        """What rows with a new label change in the clusters: added when its turn comes."""
        move = (*self._X, changed, old, self.labels, self._weights)
        add = partial(self._kernels.move_rows, *move)
        return ChunkStats(None, None, None, changed.size, add_to=add)
