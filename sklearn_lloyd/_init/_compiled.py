"""Greedy k-means++ on compiled kernels."""

from __future__ import annotations

import math

import numpy as np

from sklearn_lloyd._canonical import INSERTED
from sklearn_lloyd._chunks import edges_of
from sklearn_lloyd._codes import NO_CODES, can_encode, no_coding
from sklearn_lloyd._init._coding import codes_for_trials
from sklearn_lloyd._init._greedy import CONTENDERS, TIGHT, WORN, Greedy
from sklearn_lloyd._kernels import array_of, largest_norm_for, precision_for

MOST_TRIALS = 16  # one bit each
_ONE_BLOCK = 1 << 19  # values, from which several threads are sooner done
_BLOCK, _FEWEST_ROWS = 1 << 16, 256  # in a block, at least: of values and of rows...
_FEW_BLOCKS, _MANY_BLOCKS = 8, 64  # ...if there are more than the few, up to the many
_PANEL = 16  # rows, of which a block has no part
_MOST_BLOCKS = 256  # for steps on all threads without Python: each has memory of its own
_MOST_ROWS = 1 << 16  # that two bytes count
_STEPS = 64  # in one call, which Ctrl-C has to wait for...
_WORK = 1 << 31  # ...and products, if more than one
_LITTLE = 1 << 17  # values of noted rows, up to which other threads would come too late
_NOTHING = np.empty(0)
_FEW_NOTED = 0.5  # share of the rows, up to which codes tell enough


def blocks_of_trials(chunks):
    """The blocks in which rows are compared with trials; small, for threads to end together."""
    n_rows, n_features = chunks.shape
    values = max(4, n_features)
    if n_rows * values <= _ONE_BLOCK and n_rows <= _MOST_ROWS:
        return [slice(0, n_rows)]
    wanted = max(_BLOCK // values, min(_ONE_BLOCK // values, n_rows // _MANY_BLOCKS))
    wanted = max(wanted, min(_FEWEST_ROWS, n_rows // _FEW_BLOCKS))
    wanted = min(max(1, wanted // _PANEL) * _PANEL, _MOST_ROWS)
    return [slice(start, min(start + wanted, n_rows)) for start in range(0, n_rows, wanted)]


class CompiledGreedy(Greedy):
    """As `Greedy`, but rows that no trial can bring nearer are passed over one by one.

    Every row knows its nearest centre. The rows that some trial may bring nearer are noted,
    so that taking the best trial touches only those.
    """

    def __init__(self, problem, n_trials):
        super().__init__(problem, 0)
        n_rows, n_features = self._chunks.shape
        self._kernels = self._chunks.compiled
        self._owner = np.zeros(n_rows, np.int32)
        self._noted = np.empty(n_rows, np.uint16)
        self._trials_of = np.empty(n_rows, np.uint16)
        self._weights = array_of(problem.sample_weight)
        shift = problem.shift
        self._shift = np.zeros(n_features) if shift is None else shift
        self._blocks = blocks_of_trials(self._chunks)
        self._starts, self._stops = edges_of(self._blocks)
        self._n_noted, self._n_noted_in_all = np.zeros_like(self._starts), 0
        self._norms = problem.sq_norms
        self._tables = {}
        shape = self._chunks, problem.n_clusters, problem.screen_dtype
        self._may_encode, self._codes = can_encode(*shape), None
        # The centres so far, less the shift.
        self._offsets = np.empty((problem.n_clusters, n_features))
        self._sq_norms = np.empty(problem.n_clusters)
        self._n_centers = 0
        # The trials of a step: as they are, less the shift, and the squares of their norms.
        self._trials = *np.empty((2, n_trials, n_features)), np.empty(n_trials)
        self._ask_with = 0  # so many centres, for what the triangle inequality tells

    def start(self, row):
        self._place(np.array([row]), _NOTHING)
        center = self._remember(0)

        def first(rows, scratch):
            self._kernels.take_first_center(
                self._chunks.X, rows.start, rows.stop, center, self._closest
            )

        self._chunks.map_reduce(first, blocks=self._blocks)
        self._sum_up()

    def start_from(self, centers, labels):
        super().start_from(centers, labels)
        self._owner[:] = labels
        self._n_centers = len(centers)
        table = self._kernels.CompiledCenters(centers, self._problem.shift, self._chunks.n_terms)
        self._offsets[: len(centers)] = table.offsets
        self._sq_norms[: len(centers)] = table.sq_norms
        self._sum_up()

    def _place(self, trials, safe):
        """Fill in where the trials are, and from where on they may be nearer, by centre."""
        so_far = self._offsets, self._sq_norms
        self._kernels.place_trials(
            self._chunks.X, trials, self._shift, *so_far, *self._trials, safe
        )

    def _remember(self, i):
        """Add a trial to the centres so far, and return it, of shape (1, n_features)."""
        centers, offsets, sq_norms = self._trials
        self._offsets[self._n_centers] = offsets[i]
        self._sq_norms[self._n_centers] = sq_norms[i]
        self._n_centers += 1
        return centers[i : i + 1]

    def choose_rows(self, uniforms, rows):
        n_chosen, products = 0, math.prod(self._chunks.shape) * uniforms.shape[1]
        n_steps = max(1, min(_STEPS, _WORK // products))
        while n_chosen < rows.size and self._can_go_on:
            some = slice(n_chosen, n_chosen + n_steps)
            enough = self._enough()
            done = self._steps(uniforms[some], rows[some], enough)
            n_chosen += done
            if self.potential < enough:
                self._freshen()
            elif done < len(uniforms[some]):
                break
        return n_chosen

    @property
    def _can_go_on(self):
        """Whether steps can be done without Python."""
        if len(self._blocks) > _MOST_BLOCKS:
            return False
        return not self._may_encode or (self._codes is not None and self._codes.is_whole)

    def _steps(self, uniforms, rows, enough):
        """Choose rows until the potential is not enough; returns how many are filled in."""
        problem, chunks, kernels = self._problem, self._chunks, self._chunks.compiled
        canonical, n_trials, n_blocks = self._canonical, uniforms.shape[1], len(self._blocks)
        dtype = self._precision()
        sq_norms, tables = self._sq_norms_of_rows(dtype), self._tables_for(dtype)
        screened, shift = problem.screened(dtype)
        encoded = self._codes is not None and sq_norms is problem.sq_norms
        coding = self._codes.coding(self._code_tables) if encoded else no_coding(kernels)
        parts = np.empty((n_blocks, n_trials)), np.empty(n_blocks, np.intp)
        shared = np.zeros(kernels.SIZE_OF_TEAM, np.int64)
        arguments = (
            shared, np.empty(kernels.N_TOLD, np.intp), np.empty(1, dtype), uniforms, rows,
            (chunks.X, self._shift, self._weights), (screened, array_of(shift), sq_norms),
            (*canonical.blocks, canonical.keys, INSERTED, canonical.block_of),
            (self._block_mass, self._closest, self._owner),
            (self._starts, self._stops, self._n_noted, self._noted, self._trials_of, *parts,
             np.empty((n_blocks, canonical.n_blocks))),
            (self._offsets, self._sq_norms, np.empty(len(self._offsets))), self._n_centers,
            self._trials, tables.memory, tables.roundings, *coding,
            _FEW_NOTED * chunks.shape[0], _LITTLE / chunks.shape[1],
            self._ask_with, self.potential, enough, largest_norm_for(dtype), CONTENDERS,
        )  # fmt: skip

        done, self._ask_with, self.potential = chunks.together(
            lambda leads: kernels.choose_rows(leads, *arguments), shared
        )
        self._n_centers += done
        self._n_noted_in_all = int(self._n_noted.sum())
        return done

    def _enough(self):
        """The potential from which on the precision that it calls for will do."""
        tight = TIGHT * self._problem.sum_of_squares
        enough = tight if self._precision() == np.float32 else 0.0
        return max(enough, WORN * self._fresh_potential)

    def draw(self, uniforms):
        canonical = self._canonical
        arrays = (*canonical.blocks, canonical.keys, INSERTED, self._closest, self._weights)
        drawn = np.empty(uniforms.size, np.intp)
        while True:
            state = self._kernels.draw_rows(uniforms, self._block_mass, *arrays, drawn)
            if state == -1:
                return drawn
            if state == -2:
                self._sum_up()
            else:
                canonical.in_order(np.array([state]))

    def _mass_by_block(self, rows):
        mass = np.zeros(self._canonical.n_blocks)
        arrays = self._closest, self._weights, self._canonical.block_of, mass
        self._kernels.add_mass(rows.start, rows.stop, *arrays)
        return mass

    def _gains(self, trials):
        problem, chunks, kernels = self._problem, self._chunks, self._kernels
        asked = self._n_centers >= self._ask_with
        safe = np.empty(self._n_centers if asked else 0)
        self._place(trials, safe)
        dtype = precision_for(self._trials[-1].max(), self._precision())
        screened, shift = problem.screened(dtype)
        shift = array_of(shift)
        arrays = (
            self._sq_norms_of_rows(dtype),
            self._closest,
            self._owner,
            safe,
            *self._screen(dtype),
            *self._encoded(),
        )
        parts = np.empty((len(self._blocks), len(trials)))

        def kernel(block, scratch):
            rows = self._blocks[block]
            self._n_noted[block], n_near = kernels.try_rows(
                screened,
                rows.start,
                rows.stop,
                shift,
                self._weights,
                *arrays,
                self._noted[rows],
                self._trials_of[rows],
                parts[block],
            )
            return n_near

        n_near = []
        chunks.map_reduce(kernel, n_near.append, range(len(self._blocks)))
        self._n_noted_in_all = int(self._n_noted.sum())
        if asked:
            self._ask_with = kernels.ask_again(self._n_centers, sum(n_near), chunks.shape[0])
        return parts.sum(axis=0)

    def _screen(self, dtype):
        """The trials in that precision, as `try_rows` takes them."""
        _, offsets, sq_norms = self._trials
        return self._tables_for(dtype).table(offsets, sq_norms).of_trials

    def _tables_for(self, dtype):
        if dtype not in self._tables:
            shape, kinds = self._trials[1].shape, (dtype, self._norms.dtype)
            self._tables[dtype] = self._kernels.Tables(*shape, *kinds, lower=False)
        return self._tables[dtype]

    def _encoded(self):
        """The codes of rows and trials, as `try_rows` takes them."""
        # Rows are scaled by the norms of the problem.
        if not self._may_encode or self._norms is not self._problem.sq_norms:
            return NO_CODES
        if self._n_centers == 1 or self._n_noted_in_all > _FEW_NOTED * self._chunks.shape[0]:
            return NO_CODES
        _, offsets, sq_norms = self._trials
        if self._codes is None:
            n_steps = self._problem.n_clusters - self._n_centers
            self._codes = codes_for_trials(self._problem, len(offsets), n_steps)
            if self._codes is None:
                self._may_encode = False
                return NO_CODES
            self._code_tables = self._codes.tables(len(offsets))
        table = self._codes.table(self._code_tables, offsets, sq_norms)
        return self._codes.panels, *table.of_bounds

    def _sq_norms_of_rows(self, dtype):
        """Squared norms of all rows, as exact as the screen."""
        if self._norms.dtype != dtype:
            self._norms = np.empty(self._chunks.shape[0], dtype)
            fill, X = self._kernels.fill_norms, self._chunks.X
            self._chunks.map_reduce(
                lambda rows, scratch: fill(X, rows.start, rows.stop, self._shift, self._norms)
            )
        return self._norms

    def _exact_gain(self, trials, i):
        center = self._trials[0][i : i + 1]
        gain = np.zeros(())

        def improve(blocks):
            noted = self._starts[blocks], self._n_noted[blocks], self._noted, self._trials_of
            arrays = center, self._closest, self._weights
            return self._kernels.exact_gain(self._chunks.X, *noted, np.uint32(1 << i), *arrays)

        self._visit_noted(improve, gain.__iadd__)
        return float(gain)

    def _take(self, trials, i):
        number = self._n_centers
        center = self._remember(i)
        block_of = self._canonical.block_of
        whole = slice(0, len(self._blocks))

        def update(blocks):
            # Blocks side by side each have what they take off by itself.
            mass = self._block_mass if blocks == whole else np.zeros_like(self._block_mass)
            noted = self._starts[blocks], self._n_noted[blocks], self._noted, self._trials_of
            arrays = self._weights, block_of, self._closest, self._owner, mass
            self._kernels.take_center(
                self._chunks.X, *noted, np.uint32(1 << i), center, number, *arrays
            )
            return mass

        def reduce(mass):
            if mass is not self._block_mass:
                self._block_mass += mass

        self._visit_noted(update, reduce)
        self.potential = self._kernels.clip_and_sum(self._block_mass)
        self._freshen()

    def _visit_noted(self, kernel, reduce):
        """Have all noted rows looked at again: `kernel(blocks)` of all blocks, or of each."""
        if self._n_noted_in_all * self._chunks.shape[1] > _LITTLE:
            blocks = [slice(b, b + 1) for b in np.flatnonzero(self._n_noted)]
            self._chunks.map_reduce(lambda block, scratch: kernel(block), reduce, blocks)
        elif self._n_noted_in_all:
            reduce(kernel(slice(0, len(self._blocks))))
