"""Squared distances to the nearest centre so far, and what a next centre takes off them."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._chunks import even_slices
from sklearn_lloyd._kernels import (
    CenterTable,
    all_sq_distances,
    own_sq_distances,
    parts_of,
    sq_distances_to,
    trial_gains,
)

# Trials whose gains differ by less than this share are told apart exactly.
CONTENDERS = 1e-4
_ROUNDING = 1e-10  # relative, of equal gains
# The sums of the masses are taken from, and summed again when so little of them is left.
WORN = 1e-3
# Mean squared distance to the nearest centre, as a share of that to the shift, below which
# float32 products say too little about it.
TIGHT = 2.0**-8
# Numbers in a block, of rows and of distances to the trials: threads that share out less wait for
# each other to get at Python, and are no faster than one. Each row takes memory if it is near.
_SHARED, _MOST_ROWS = 1 << 21, 1 << 18


class Seeding:
    """The squared distances to the nearest centre so far, and draws by them."""

    def __init__(self, problem):
        self._problem = problem
        self._chunks = problem.chunks
        self._canonical = problem.canonical
        self._closest = np.full(self._chunks.shape[0], np.inf)
        self._blocks = None

    def _mass(self, rows):
        weights = self._problem.weights(rows)
        return self._closest[rows] if weights is None else self._closest[rows] * weights

    def draw(self, uniforms):
        """Rows drawn with a probability proportional to what they add to the potential."""
        drawn = self._canonical.draw(uniforms, self._block_mass, self._mass)
        if drawn is None:
            self._sum_up()
            drawn = self._canonical.draw(uniforms, self._block_mass, self._mass)
        return drawn

    def _sum_up(self, update=None):
        """Sum up all masses, once `update(rows, scratch)` has lowered the distances."""
        block_mass = np.zeros(self._canonical.n_blocks)

        def kernel(rows, scratch):
            if update is not None:
                update(rows, scratch)
            return self._mass_by_block(rows)

        self._chunks.map_reduce(kernel, block_mass.__iadd__, self._blocks)
        self._block_mass = block_mass
        self.potential = self._fresh_potential = block_mass.sum()

    def _mass_by_block(self, rows):
        return self._canonical.block_mass(rows, self._mass(rows))

    def _freshen(self):
        """Sum up once more when what is left has lost digits, or is nothing but rounding."""
        if self.potential < WORN * self._fresh_potential:
            self._sum_up()


class Greedy(Seeding):
    """One centre at a time, the best of several trials; on the NumPy kernels."""

    def __init__(self, problem, n_trials):
        super().__init__(problem)
        # Where a trial may be nearer than the nearest centre so far.
        self._maybe = np.empty((n_trials, self._chunks.shape[0]), bool)
        n_rows, n_features = self._chunks.shape
        wanted = max(1, _SHARED // (n_features + n_trials))
        self._blocks = even_slices(n_rows, wanted, _MOST_ROWS)

    def start(self, row):
        """Take the first centre."""
        center = self._chunks.dense_rows(np.array([row]))[0]

        def update(rows, scratch):
            self._closest[rows] = sq_distances_to(self._chunks.rows(rows), center, scratch)

        self._sum_up(update)

    def start_from(self, centers, labels):
        """Go on from centres that all rows are assigned to."""
        rows_of, closest = self._chunks.rows, self._closest

        def update(rows, scratch):
            closest[rows] = own_sq_distances(rows_of(rows), centers, labels[rows])

        self._sum_up(update)

    def choose_rows(self, uniforms, rows):
        """Take as many rows, by as many draws each, as can be taken without Python.

        Returns how many of `rows` are filled.
        """
        return 0

    def take_best_of(self, trials):
        """Take the row that takes most off the potential, the first of equals, and return it."""
        gains = self._gains(trials)
        best = np.flatnonzero(gains >= gains.max() * (1 - CONTENDERS))
        if best.size > 1:
            first = np.unique(self._canonical.keys[trials[best]], return_index=True)[1]
            best = best[np.sort(first)]
        if best.size > 1:
            gains = np.array([self._exact_gain(trials, i) for i in best])
            best = best[gains >= gains.max() * (1 - _ROUNDING)]
        self._take(trials, best[0])
        return trials[best[0]]

    def _table(self, trials):
        """The trials, and the precision to screen their distances in."""
        centers = self._chunks.dense_rows(trials)
        table = CenterTable(centers, self._problem.shift, self._chunks.n_terms)
        return table, self._precision()

    def _precision(self):
        tight = self.potential < TIGHT * self._problem.sum_of_squares
        return np.dtype(np.float64) if tight else self._problem.screen_dtype

    def _gains(self, trials):
        problem = self._problem
        table, dtype = self._table(trials)
        gains = np.zeros(len(trials))

        def screen(rows, scratch):
            return trial_gains(
                self._chunks.rows(rows),
                self._closest[rows],
                problem.sq_norms[rows],
                problem.weights(rows),
                table,
                dtype,
                self._maybe[:, rows],
                scratch,
                problem.rounded_rows(rows),
            )

        self._chunks.map_reduce(screen, gains.__iadd__, self._blocks)
        return gains

    def _exact_gain(self, trials, i):
        center = self._chunks.dense_rows(trials[i : i + 1])[0]
        gain = np.zeros(())

        def improve(rows, scratch):
            near = np.flatnonzero(self._maybe[i, rows]) + rows.start
            closer = self._closest[near] - self._sq_distances(near, center, scratch)
            weights = self._problem.weights(near)
            closer = np.maximum(closer, 0)
            return closer.sum() if weights is None else (closer * weights).sum()

        self._chunks.map_reduce(improve, gain.__iadd__, self._blocks)
        return float(gain)

    def _take(self, trials, i):
        center = self._chunks.dense_rows(trials[i : i + 1])[0]
        taken = np.zeros(self._canonical.n_blocks)

        def update(rows, scratch):
            near = np.flatnonzero(self._maybe[i, rows]) + rows.start
            before = self._closest[near]
            self._closest[near] = np.minimum(before, self._sq_distances(near, center, scratch))
            before -= self._closest[near]
            weights = self._problem.weights(near)
            return self._canonical.block_mass(
                near, before if weights is None else before * weights
            )

        self._chunks.map_reduce(update, taken.__iadd__, self._blocks)
        np.maximum(self._block_mass - taken, 0.0, out=self._block_mass)
        self.potential = self._block_mass.sum()
        self._freshen()

    def _sq_distances(self, near, center, scratch):
        """Of the rows `near`, which are gathered a few at a time."""
        distances = np.empty(near.size)
        for part in parts_of(near.size, center.size):
            some = self._chunks.rows(near[part])
            distances[part] = sq_distances_to(some, center, scratch)
        return distances


class SmallGreedy(Greedy):
    """As `Greedy`, for few rows: all distances to the trials are kept until one is taken."""

    def __init__(self, problem, n_trials):
        super().__init__(problem, 0)
        self._rows = self._chunks.rows(slice(None))

    def start(self, row):
        self._measure(np.array([row]))
        self._take(None, 0)

    def _measure(self, trials):
        self._distances = all_sq_distances(self._rows, self._chunks.dense_rows(trials))

    def _gains(self, trials):
        self._measure(trials)
        closer = self._closest - self._distances
        np.maximum(closer, 0.0, out=closer)
        weights = self._problem.sample_weight
        self._last_gains = closer.sum(axis=1) if weights is None else closer @ weights
        return self._last_gains

    def _exact_gain(self, trials, i):
        return self._last_gains[i]

    def _take(self, trials, i):
        np.minimum(self._closest, self._distances[i], out=self._closest)
        mass = self._mass(slice(None))
        self._block_mass = self._canonical.block_mass(slice(None), mass)
        self.potential = self._block_mass.sum()
