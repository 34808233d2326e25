"""k-means||: seeding in few rounds that draw many rows each."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._init._greedy import Seeding
from sklearn_lloyd._init._kmeans_plusplus import kmeans_plusplus_rows
from sklearn_lloyd._init._random import rows_by_weight
from sklearn_lloyd._kernels import CenterTable, nearest, own_sq_distances
from sklearn_lloyd._problem import problem_of_rows

_N_ROUNDS = 5
_OVERSAMPLING = 2  # draws of a round, per centre


def kmeans_parallel_rows(problem, rng):
    """Choose rows by k-means|| (Bahmani et al. 2012).

    After a first row, drawn by weight, each of five rounds draws 2 k rows at once, with a
    probability proportional to weight times squared distance to the nearest candidate so
    far. Greedy k-means++ then chooses k of the candidates, each with the weight of the rows
    that are nearest to it. (The paper tosses a coin for every row. Draws with replacement,
    of which repeats are dropped, take as many in expectation but for those, and go through
    the canonical order.)

    The rounds end early when every row equals a candidate, and go on while there are fewer
    candidates than centres: far outliers may take all the draws of a round.

    Cost: 10 n k d products in six passes over the rows, O(k^2 d log k) for the choice.
    Memory: two numbers for each row, and the 10 k candidates.

    Returns
    -------
    rows : ndarray of intp of shape (n_clusters,)
    """
    n_clusters = problem.n_clusters
    candidates = _Candidates(problem)
    candidates.add(rows_by_weight(problem, rng.uniform(size=1)))
    n_rounds = 0
    while candidates.potential > 0 and (n_rounds < _N_ROUNDS or candidates.rows.size < n_clusters):
        candidates.add(candidates.draw(rng.uniform(size=_OVERSAMPLING * n_clusters)))
        n_rounds += 1
    reduced = problem_of_rows(problem, candidates.rows, candidates.weights())
    with reduced.chunks.open():
        return candidates.rows[kmeans_plusplus_rows(reduced, rng)]


class _Candidates(Seeding):
    """Many candidates at a time, and which of them is nearest to each row."""

    def __init__(self, problem):
        super().__init__(problem)
        self.rows = np.empty(0, np.intp)
        self._nearest = np.zeros(self._chunks.shape[0], np.intp)

    def add(self, drawn):
        """Take the rows `drawn`, but for repeats, as candidates."""
        problem, chunks = self._problem, self._chunks
        first = np.unique(self._canonical.keys[drawn], return_index=True)[1]
        drawn = drawn[np.sort(first)]
        table = CenterTable(chunks.dense_rows(drawn), problem.shift, chunks.n_terms)
        n_before = self.rows.size

        def update(rows, scratch):
            block = chunks.rows(rows)
            norms, dtype = problem.sq_norms[rows], problem.screen_dtype
            labels = nearest(block, norms, None, table, dtype, scratch)[0]
            distances = own_sq_distances(block, table.centers, labels)
            nearer = distances < self._closest[rows]
            np.copyto(self._closest[rows], distances, where=nearer)
            np.copyto(self._nearest[rows], labels + n_before, where=nearer)

        self._sum_up(update)
        self.rows = np.concatenate([self.rows, drawn])

    def weights(self):
        """The weight of the rows that are nearest to each candidate."""
        weights = np.bincount(self._nearest, self._problem.sample_weight, self.rows.size)
        return weights.astype(np.float64)
