"""Greedy k-means++ of CSR rows."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._chunks import center_columns
from sklearn_lloyd._init._greedy import Greedy
from sklearn_lloyd._kernels import CenterTable, sq_distances_to_all, sum_by_row


class SparseGreedy(Greedy):
    """As `Greedy`, but all distances to the trials are kept until one of them is taken.

    Reading sparse rows is what takes the time, so they are read once for each centre, and
    distances are computed in float64 at once; a distance is less memory than a row.
    """

    def __init__(self, problem, n_trials):
        super().__init__(problem, 0)
        self._distances = np.empty((self._chunks.shape[0], n_trials))
        if self._chunks.compiled is None:
            self._sq_norms = np.empty(self._chunks.shape[0])
            self._chunks.map_reduce(self._fill_sq_norms)

    def start(self, row):
        self._measure(np.array([row]), lambda rows: 0.0)
        self._take(None, 0)

    def _fill_sq_norms(self, index, scratch):
        rows = self._chunks.rows(index)
        self._sq_norms[index] = sum_by_row(rows, np.square(rows.data, dtype=np.float64))

    def _gains(self, trials):
        return self._measure(trials, lambda rows: self._gain(rows, slice(None)))

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

        self._lower(update)

    def _measure(self, trials, gain):
        """Fill the distances to the trials; return the sum of the gains of all blocks."""
        chunks, kernels = self._chunks, self._chunks.compiled
        table = CenterTable(chunks.dense_rows(trials), None, chunks.n_terms)
        gains = np.zeros(len(trials))
        n = len(trials)
        columns = None if kernels is None else center_columns(chunks, table.centers)

        def kernel(rows, scratch):
            if kernels is None:
                self._distances[rows, :n] = sq_distances_to_all(
                    chunks.rows(rows), table, scratch, self._sq_norms[rows]
                )
            else:
                X, part = chunks.X, (rows.start, rows.stop)
                parts = X.data, X.indices, X.indptr, *part, columns, table.sq_norms
                kernels.distances(*parts, self._distances)
            return gain(rows)

        chunks.map_reduce(kernel, gains.__iadd__)
        return gains
