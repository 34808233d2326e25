"""Assigning on compiled kernels."""

from __future__ import annotations

from functools import partial

import numpy as np

from sklearn_lloyd._codes import NO_CODES, best_codes, can_encode, distances, distances_below
from sklearn_lloyd._kernels import array_of
from sklearn_lloyd._solvers._assign import Assigner
from sklearn_lloyd._solvers._bounds import Bounds
from sklearn_lloyd._types import ChunkStats

HARD = 0.5  # share of the rows looked at; what float32 leaves open costs little here
_SAMPLE = 1024  # rows by which the number of fast centres is chosen
_NUMBERS_OF_FAST = (0, 4, 8, 16, 32, 64)
# What it costs to read a row and to settle it, in numbers computed; with its own centre, too.
_SETTLE = 30
_OWN = 20
PASS_TO_DECIDE = 2  # the first that knows labels, and which rows are going to be looked at
_PASSES = 8  # that codes have to pay within
_OF_SAMPLE = 4  # every so many rows tell what codes save
_WITH_CODES = 0.5  # of the cost of a comparison with all centres
NO_BOUNDS = np.empty(0, np.float32), np.empty((4, 0), np.float32), np.empty(0, np.intp)


class CompiledBounds(Bounds):
    """Bounds that the few fastest centres do not spoil.

    One centre that is far on the move comes near the bound of every row. So rows that are safe
    from all others are compared with the fastest few alone, where that is less work.

    Attributes
    ----------
    fast : ndarray of intp
        Which centres, if any.
    drifts : ndarray of shape (4, n_clusters), in the dtype of `limit`
        The drift rounded down and up, what it would be had the fast centres not moved now,
        rounded up, and how much less that is, rounded down.
    of_full : float
        What it costs to compare a row with all centres.
    """

    def __init__(self, problem):
        super().__init__(problem)
        self._follow = problem.chunks.compiled.follow
        (n_rows, n_features), n_clusters = problem.chunks.shape, problem.n_clusters
        self._step = -(-n_rows // _SAMPLE)
        of_pair = (n_features + 4) / problem.chunks.compiled.lanes(self.limit.dtype)
        # What a row costs that is compared with all centres, and with the fast ones less those.
        self.of_full = _SETTLE + n_features + n_clusters * of_pair
        self._of_fast = float(_SETTLE + n_features + _OWN + n_features), of_pair
        self._numbers = np.array([n for n in _NUMBERS_OF_FAST if 4 * n <= n_clusters], np.intp)
        self.most_fast = int(self._numbers[-1])
        self._fastest = np.empty(self.most_fast + 2, np.intp)
        self._drift, self._n_features = np.zeros(n_clusters), n_features
        self.drifts = np.zeros((4, n_clusters), self.limit.dtype)
        self.fast = self._fastest[:0]

    def follow(self, table, labels):
        """Add up how far the centres have moved to be where `table` has them."""
        if self._offsets is not None:
            n_fast = self._follow(
                table.offsets,
                self._offsets,
                labels,
                self.limit,
                self.drifts,
                self._fastest,
                *self._costs,
            )
            self.fast = self._fastest[:n_fast]
        self._offsets = table.offsets

    @property
    def _costs(self):
        """As `follow` takes them."""
        costs = self.of_full, *self._of_fast
        return self._numbers, self._step, *costs, self._eps, self._drift

    def share(self, labels):
        """Of the rows that are not safe, by a sample."""
        _, drift, _, _ = self.drifts
        return np.mean(~(self.limit[:: self._step] > drift.take(labels[:: self._step])))

    @property
    def arrays(self):
        """As `assign_block` takes them."""
        return self.limit, self.drifts, self.fast

    @property
    def memory(self):
        """As `iterate` takes it, which is going to follow the centres."""
        if self._offsets is None:
            self._offsets = np.empty((self._drift.size, self._n_features))
        return self.limit, self.drifts, self._offsets, self._fastest, self._costs


def scratch_of(chunks, rows, dtype, scratch):
    """The worker's memory for assigning the rows of a slice, as `assign_block` takes it."""
    n = rows.stop - rows.start
    kept = scratch.get("assign")
    if kept is None or kept[0].shape[1] < n or kept[1].dtype != dtype:
        n_lanes = chunks.compiled.lanes(dtype)
        room = -(-n // n_lanes) * n_lanes
        lists, of_rows = np.empty((4, room), np.intp), np.empty((4, room), dtype)
        label, panel = np.empty(room, np.int32), np.empty((chunks.shape[1], n_lanes), dtype)
        kept = scratch["assign"] = lists, of_rows, label, panel
    return kept


class CompiledAssigner(Assigner):
    """Assigns the rows of a block in one compiled call.

    Bounds are tested where the block is worked on, so that only rows in need of it are read.
    """

    _kind_of_bounds = CompiledBounds

    def __init__(self, problem, bounded):
        super().__init__(problem, bounded and problem.n_clusters > 1)
        self._weights, self._shift = array_of(problem.sample_weight), array_of(problem.shift)
        self._kind_of_table = problem.chunks.compiled.CompiledCenters
        self._tables = None
        self._arrays = None  # of this pass, as `assign_block` takes them
        self._codes = None
        self._n_passes = 0

    def _blocks(self):
        return None

    def _is_hard(self, n_hard, n_looked):
        return n_hard > HARD * n_looked

    def assign(self, centers, reduce):
        """Assign all rows to `centers`; call `reduce(ChunkStats)` for each block that changed."""
        self._n_passes += 1
        super().assign(centers, reduce)

    def _prepare(self, table):
        problem, bounds = self._problem, self._bounds
        dtype = table.precision(self._dtype)
        self._use_precision(dtype)
        full = self._tables.table(table.offsets, table.sq_norms, table.repeated)
        fast = self._nothing
        if bounds is not None and bounds.fast.size:
            fast = full.only(bounds.fast)
        if self._n_passes == PASS_TO_DECIDE and bounds is not None:
            self._decide_on_codes(table)
        coded = NO_CODES
        if self._codes is not None and dtype == np.float32:
            of_centers = self._code_tables, table.offsets, table.sq_norms, table.repeated
            coded = self._codes.panels, *self._codes.table(*of_centers).of_bounds
        aside = table.repeated is not None
        self._arrays = (
            table.centers,
            *full,
            problem.sq_norms,
            self._weights,
            self.labels,
            *(NO_BOUNDS if bounds is None else bounds.arrays),
            *fast,
            *coded,
            bounds is None or self._first or aside,
            aside,
        )

    def _use_precision(self, dtype):
        """Have memory for tables in that precision, and the rows that go with them."""
        if self._tables is not None and self._tables.dtype == dtype:
            return
        problem = self._problem
        shape = problem.n_clusters, problem.chunks.shape[1]
        self._tables = problem.chunks.compiled.Tables(*shape, dtype, problem.sq_norms.dtype)
        self._nothing = np.empty((0, 0), dtype), np.empty(0, dtype)
        rows, off_rows = problem.screened(dtype)
        self._rows = problem.chunks.X, self._shift, rows, array_of(off_rows)

    def _decide_on_codes(self, table):
        """Whether rows that are looked at are first compared in codes."""
        problem, float32 = self._problem, np.float32
        if not can_encode(problem.chunks, problem.n_clusters, problem.screen_dtype):
            return
        centers = table.offsets.astype(float32), table.sq_norms.astype(float32)
        cost = partial(_cost_of_near, *centers, self._bounds.share(self.labels))
        self._codes = best_codes(problem, cost)
        if self._codes is not None:
            self._bounds.of_full *= _WITH_CODES
            self._code_tables = self._codes.tables(problem.n_clusters)

    def _place_of(self, scratch):
        """The worker's memory for the place of each cluster, none of which has one."""
        place, n_clusters = scratch.get("place"), self._problem.n_clusters
        if place is None or place.size < n_clusters:
            place = scratch["place"] = np.full(n_clusters, -1, np.intp)
        return place

    def _assign_block(self, rows, table, scratch):
        chunks, (n_clusters, n_features) = self._problem.chunks, table.centers.shape
        place = self._place_of(scratch)
        # Not of the worker: they wait for their turn to be added.
        sums, weight = np.empty((n_clusters, n_features)), np.empty(n_clusters)
        members, clusters = np.empty((2, n_clusters), np.intp)
        n_looked, n_open, n_changed, n = chunks.compiled.assign_block(
            *self._rows,
            rows.start,
            rows.stop,
            *self._arrays,
            *scratch_of(chunks, rows, self._tables.dtype, scratch),
            place,
            sums,
            weight,
            members,
            clusters,
        )
        if n_changed == 0:
            return None, n_looked, n_open
        add = partial(chunks.compiled.add_moved, clusters, n, sums, weight, members)
        return ChunkStats(None, None, None, n_changed, add_to=add), n_looked, n_open


def _cost_of_near(centers, sq_norms, share, sample, norms, axes):
    """The work that codes leave of a pass over so many rows, see `best_codes`.

    What it takes to encode all rows is shared out among some passes.
    """
    n_clusters, n_features = centers.shape
    sample, norms = sample[::_OF_SAMPLE], norms[::_OF_SAMPLE]
    of_all = sample, norms, centers, sq_norms
    least = distances(*of_all).min(axis=1)[:, np.newaxis]
    n_near = np.mean(np.sum(distances_below(*of_all, axes) <= least, axis=1))
    # In vector instructions, of which a comparison of a row with a centre is a sixteenth.
    all_features = n_clusters * (n_features + 4) / 16 + n_features
    width, encode = n_features, n_features
    if axes is not None:
        width = axes.shape[1] + 1
        encode = n_features * width / 16
    in_codes = n_clusters * (0.65 * width + 8) / 16 + width
    one_by_one = (n_near + 1) * (n_features / 6 + 20) + n_features + 50
    return (in_codes + one_by_one + encode / _PASSES / max(share, 1e-3)) / all_features
