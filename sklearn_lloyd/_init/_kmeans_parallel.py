"""k-means||: seeding in few rounds that draw many rows each."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._core import native
from sklearn_lloyd._init._kmeans_plusplus import kmeans_plusplus_rows
from sklearn_lloyd._init._random import draw, rows_by_weight
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
    Memory: a few numbers for each row, and the 10 k candidates.

    Returns
    -------
    rows : ndarray of int64 of shape (n_clusters,)
    """
    n_clusters = problem.n_clusters
    candidates = _Candidates(problem)
    candidates.add(rows_by_weight(problem, rng.uniform(size=1)))
    n_rounds = 0
    while n_rounds < _N_ROUNDS or candidates.rows.size < n_clusters:
        mass = candidates.mass()
        if not mass.any():
            break
        candidates.add(draw(problem, mass, rng.uniform(size=_OVERSAMPLING * n_clusters)))
        n_rounds += 1
    reduced = problem_of_rows(problem, candidates.rows, candidates.weights())
    return candidates.rows[kmeans_plusplus_rows(reduced, rng)]


class _Candidates:
    """Rows that may become centres, and which of them is nearest to each row."""

    def __init__(self, problem):
        n_rows = problem.rows.shape[0]
        self._problem = problem
        self.rows = np.empty(0, np.int64)
        self._nearest = np.zeros(n_rows, np.int64)
        self._closest = np.full(n_rows, np.inf)

    def add(self, drawn):
        """Take the rows `drawn`, but for repeats, as candidates."""
        problem, rows = self._problem, self._problem.rows
        first = np.unique(problem.canonical.keys[drawn], return_index=True)[1]
        drawn = drawn[np.sort(first)]
        labels, distances = np.empty(rows.shape[0], np.int32), np.empty(rows.shape[0])
        native.label(
            rows.threads,
            rows.native,
            None,
            None,
            problem.shift,
            rows.dense(drawn),
            labels,
            distances,
            None,
            None,
            None,
            False,
        )
        nearer = distances < self._closest
        np.copyto(self._closest, distances, where=nearer)
        np.add(labels, self.rows.size, out=self._nearest, where=nearer)
        self.rows = np.concatenate([self.rows, drawn])

    def mass(self):
        """Weight times squared distance to the nearest candidate, if there is a weight."""
        weights = self._problem.sample_weight
        if weights is None:
            return self._closest
        mass = np.zeros_like(weights)
        return np.multiply(weights, self._closest, out=mass, where=weights > 0.0)

    def weights(self):
        """The weight of the rows that are nearest to each candidate."""
        weights = np.bincount(self._nearest, self._problem.sample_weight, self.rows.size)
        return weights.astype(np.float64)
