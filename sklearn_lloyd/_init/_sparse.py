"""Greedy k-means++ of CSR rows."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._init._greedy import Greedy
from sklearn_lloyd._kernels import CenterTable, array_of, sq_distances_to_all, sum_by_row


class SparseGreedy(Greedy):
    """As `Greedy`, but all distances to the trials are kept until one of them is taken.

    Reading sparse rows is what takes the time, so they are read once for each centre, and
    distances are computed in float64 at once; a distance is less memory than a row.
    """

    def __init__(self, problem, n_trials):
        super().__init__(problem, 0)
        self._blocks = None  # the usual ones: rows are long, but few of their numbers are there
        n_rows = self._chunks.shape[0]
        self._distances = np.empty((n_rows, n_trials))
        self._trials = None
        if self._chunks.compiled is not None:
            self._trials = _CompiledTrials(problem, n_trials)
            return
        self._sq_norms = np.empty(n_rows)
        self._chunks.map_reduce(self._fill_sq_norms)

    def start(self, row):
        self._gains(np.array([row]))
        self._take(None, 0)

    def _fill_sq_norms(self, index, scratch):
        rows = self._chunks.rows(index)
        self._sq_norms[index] = sum_by_row(rows, np.square(rows.data, dtype=np.float64))

    def _gain(self, rows, trials):
        """What the trials take off the potential of a block."""
        closer = self._closest[rows, np.newaxis] - self._distances[rows, trials]
        np.maximum(closer, 0.0, out=closer)
        weights = self._problem.weights(rows)
        return closer.sum(axis=0) if weights is None else weights @ closer

    def _exact_gain(self, trials, i):
        gain = np.zeros(1)
        only = slice(i, i + 1)
        self._chunks.map_reduce(lambda rows, scratch: self._gain(rows, only), gain.__iadd__)
        return float(gain[0])

    def _take(self, trials, i):
        def update(rows, scratch):
            closest = self._closest[rows]
            np.minimum(closest, self._distances[rows, i], out=closest)

        self._sum_up(update)

    def _gains(self, trials):
        """Fill the distances to the trials; return the sum of the gains of all blocks."""
        gains = np.zeros(len(trials))
        if self._trials is not None:
            self._trials.measure(trials, self._closest, self._distances, gains.__iadd__)
            return gains
        chunks, every = self._chunks, slice(len(trials))
        table = CenterTable(chunks.dense_rows(trials), None, chunks.n_terms)

        def kernel(rows, scratch):
            self._distances[rows, every] = sq_distances_to_all(
                chunks.rows(rows), table, scratch, self._sq_norms[rows]
            )
            return self._gain(rows, every)

        chunks.map_reduce(kernel, gains.__iadd__)
        return gains


class _CompiledTrials:
    """Compares all rows with trials in compiled code, and keeps the memory for the next ones."""

    def __init__(self, problem, n_trials):
        self._chunks, self._weights = problem.chunks, array_of(problem.sample_weight)
        self._kernels, X = self._chunks.compiled, self._chunks.X
        self._X = X.data, X.indices, X.indptr
        n_features, lanes = X.shape[1], self._kernels.LANES
        # No more features than that have a trial, and one place is for those that have none.
        n_places = min(n_trials * self._chunks.n_terms, n_features) + 1
        n_lanes = -(-n_trials // lanes) * lanes
        self._dense = np.zeros((n_trials, n_features))
        self._places = np.zeros(n_features, np.int32)
        self._factors, self._norms = np.empty(n_places * n_lanes), np.zeros(n_lanes)

    def measure(self, trials, closest, distances, add):
        """Fill in the squared distances; call `add` with the gains of each block."""
        kernels, n, lanes = self._kernels, len(trials), self._kernels.LANES
        n_lanes = -(-n // lanes) * lanes
        size = self._factors.size // self._norms.size * n_lanes
        factors, norms, dense = self._factors[:size], self._norms[:n_lanes], self._dense[:n]
        kernels.set_trials(*self._X, trials, dense, self._places, factors)
        norms[:n] = np.einsum("ij,ij->i", dense, dense)  # as `CenterTable` has them

        def kernel(rows, scratch):
            gains = np.empty(n)
            kernels.measure_trials(
                *self._X, rows.start, rows.stop, self._places, factors, norms, closest,
                self._weights, distances, gains,
            )  # fmt: skip
            return gains

        self._chunks.map_reduce(kernel, add)
        kernels.clear_trials(*self._X[1:], trials, dense, self._places)
