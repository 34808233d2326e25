"""Greedy k-means++ seeding."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._init._random import rows_by_weight
from sklearn_lloyd._kernels import CenterTable, sq_distances_to, trial_gains

# Trials whose gains differ by less than this share are told apart exactly.
_CONTENDERS = 1e-4
_ROUNDING = 1e-10  # relative, of equal gains
# Mean squared distance to the nearest centre, as a share of that to the shift, below which
# float32 products say too little about it.
_TIGHT = 2.0**-8


def kmeans_plusplus_rows(problem, rng, n_local_trials=None):
    """Choose rows by greedy k-means++ (Arthur & Vassilvitskii 2007, section on trials).

    Each centre after the first is the best of `n_local_trials` rows, which are drawn with a
    probability proportional to weight times squared distance to the nearest centre so far.
    The trials are compared by one product for all of them; the distances to the chosen row
    are then computed exactly, where it may be nearer, so that a row that equals a centre
    has distance zero and the next draw has nothing of rounding in it.

    Cost: O(n k d log k) products, O(n k) for the draws.

    Returns
    -------
    rows : ndarray of intp of shape (n_clusters,)
    """
    seeding = _Greedy(problem)
    if n_local_trials is None:
        n_local_trials = 2 + int(np.log(problem.n_clusters))
    rows = np.empty(problem.n_clusters, np.intp)
    rows[0] = rows_by_weight(problem, rng.uniform(size=1))[0]
    seeding.add(rows[0], None)
    for c in range(1, problem.n_clusters):
        uniforms = rng.uniform(size=n_local_trials)
        if seeding.potential > 0:
            trials = seeding.draw(uniforms)
            best = seeding.best_of(trials)
            rows[c] = trials[best]
            seeding.add(rows[c], seeding.maybe[best])
        else:  # fewer distinct rows than centres
            rows[c] = rows_by_weight(problem, uniforms[:1])[0]
    return rows


class Seeding:
    """The squared distances to the nearest centre so far, and draws by them."""

    def __init__(self, problem):
        self._problem = problem
        self._chunks = problem.chunks
        self._canonical = problem.canonical
        self._closest = np.full(self._chunks.shape[0], np.inf)

    def _mass(self, rows):
        weights = self._problem.weights(rows)
        return self._closest[rows] if weights is None else self._closest[rows] * weights

    def draw(self, uniforms):
        """Rows drawn with a probability proportional to what they add to the potential."""
        return self._canonical.draw(uniforms, self._block_mass, self._mass)

    def _lower(self, update):
        """Have `update(rows, scratch)` lower the distances of each block, and sum them up."""
        block_mass = np.zeros(self._canonical.n_blocks)

        def kernel(rows, scratch):
            update(rows, scratch)
            return self._canonical.block_mass(rows, self._mass(rows))

        self._chunks.map_reduce(kernel, block_mass.__iadd__)
        self._block_mass = block_mass
        self.potential = block_mass.sum()


class _Greedy(Seeding):
    """One centre at a time, the best of several trials."""

    maybe = None

    def add(self, row, maybe):
        """Take `row` as a centre; only rows where `maybe` can have got nearer (None: all)."""
        center = self._chunks.dense_rows(np.array([row]))[0]

        def update(rows, scratch):
            near = np.arange(rows.start, rows.stop)
            if maybe is not None:
                near = near[maybe[rows]]
            if near.size:
                distances = sq_distances_to(self._gather(rows, near), center)
                self._closest[near] = np.minimum(self._closest[near], distances)

        self._lower(update)

    def _gather(self, rows, near):
        """Rows `near` of the block `rows`."""
        return self._chunks.rows(rows if near.size == rows.stop - rows.start else near)

    def best_of(self, trials):
        """Position of the trial that takes most off the potential; the first of equals."""
        problem, chunks = self._problem, self._chunks
        if self.maybe is None or len(self.maybe) != len(trials):
            self.maybe = np.empty((len(trials), chunks.shape[0]), bool)
        table = CenterTable(chunks.dense_rows(trials), problem.shift, chunks.n_terms)
        tight = self.potential < _TIGHT * problem.sum_of_squares
        dtype = np.float64 if tight else problem.screen_dtype
        gains = np.zeros(len(trials))

        def screen(rows, scratch):
            return trial_gains(
                chunks.rows(rows),
                self._closest[rows],
                problem.sq_norms[rows],
                problem.weights(rows),
                table,
                dtype,
                self.maybe[:, rows],
                scratch,
            )

        chunks.map_reduce(screen, gains.__iadd__)
        contenders = np.flatnonzero(gains >= gains.max() * (1 - _CONTENDERS))
        if contenders.size == 1:
            return contenders[0]
        first = np.unique(problem.canonical.keys[trials[contenders]], return_index=True)[1]
        contenders = contenders[np.sort(first)]
        if contenders.size == 1:
            return contenders[0]
        exact = np.array([self._exact_gain(trials[i], self.maybe[i]) for i in contenders])
        return contenders[np.argmax(exact >= exact.max() * (1 - _ROUNDING))]

    def _exact_gain(self, row, maybe):
        center = self._chunks.dense_rows(np.array([row]))[0]
        gain = np.zeros(())

        def improve(rows, scratch):
            near = np.arange(rows.start, rows.stop)[maybe[rows]]
            if near.size == 0:
                return 0.0
            closer = self._closest[near] - sq_distances_to(self._gather(rows, near), center)
            weights = self._problem.weights(near)
            closer = np.maximum(closer, 0)
            return closer.sum() if weights is None else (closer * weights).sum()

        self._chunks.map_reduce(improve, gain.__iadd__)
        return float(gain)
