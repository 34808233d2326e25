"""First centres from blocks: rows drawn by weight, and k-means||."""

from __future__ import annotations

import operator

import numpy as np
from scipy import sparse

from sklearn_lloyd._dask import total
from sklearn_lloyd._init import kmeans_plusplus_rows
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd._rows import Rows
from sklearn_lloyd.distributed import _passes
from sklearn_lloyd.distributed._passes import Candidates

_N_ROUNDS = 5  # as of our k-means|| on one machine
_OVERSAMPLING = 2


class Draws:
    """Which blocks draws fall on, by the mass of each: (number, mass) of the blocks that count."""

    def __init__(self, masses, uniforms):
        self._numbers = [number for number, _ in masses]
        ends = np.cumsum([mass for _, mass in masses])
        starts = np.concatenate([[0.0], ends[:-1]])
        places = uniforms * ends[-1]
        self._of_draw = np.minimum(ends.searchsorted(places, side="right"), len(ends) - 1)
        rest = (places - starts[self._of_draw]) / (ends - starts)[self._of_draw]
        self.uniforms = {
            self._numbers[i]: np.clip(rest[self._of_draw == i], 0.0, 1.0)
            for i in np.unique(self._of_draw)
        }

    def in_order(self, found):
        """The rows of (number, rows of that block) in the order of the draws."""
        found = dict(found)
        rows = [found[self._numbers[i]] for i in np.unique(self._of_draw)]
        order = np.argsort(self._of_draw, kind="stable")
        back = np.empty_like(order)
        back[order] = np.arange(order.size)
        if sparse.issparse(rows[0]):
            return sparse.vstack(rows, format="csr")[back]
        return np.concatenate(rows)[back]


def sample_problem(blocks, options, masses, size, n_clusters, rng):
    """The problem of so many rows, drawn by weight with replacement, which count one each."""
    draws = Draws(masses, rng.uniform(size=size))
    found = blocks.run_on(_passes.sample, draws.uniforms, (options, draws.uniforms))
    return make_problem(Rows(draws.in_order(found)), n_clusters, None)


def kmeans_parallel_centers(blocks, options, masses, n_clusters, rng):
    """First centres by k-means|| (Bahmani et al. 2012), from all rows.

    After a first row, drawn by weight, each of five rounds draws 2 k rows, with a probability
    proportional to weight times squared distance to the nearest candidate so far. Greedy
    k-means++ then chooses k of these candidates, by the weights of the rows nearest to them.
    Each round is one pass over the rows, and reads the blocks again that draws fall on.
    """
    draws = Draws(masses, rng.uniform(size=1))
    found = blocks.run_on(_passes.sample, draws.uniforms, (options, draws.uniforms))
    points = Rows(draws.in_order(found)).dense(slice(None))
    n_rounds = 0
    while n_rounds < _N_ROUNDS or len(points) < n_clusters:
        this = Candidates(options, points)
        costs = total(blocks.run(_passes.mass, this, operator.add), operator.add)
        costs = [(number, cost) for number, cost in costs if cost > 0.0]
        if not costs:
            break
        draws = Draws(costs, rng.uniform(size=_OVERSAMPLING * n_clusters))
        this = this._replace(uniforms=draws.uniforms)
        drawn = draws.in_order(blocks.run_on(_passes.drawn, draws.uniforms, this))
        first = np.unique(drawn, axis=0, return_index=True)[1]
        points = np.concatenate([points, drawn[np.sort(first)]])
        n_rounds += 1
    parts = blocks.run(_passes.candidate_weights, Candidates(options, points), operator.add)
    weights = total(parts, operator.add)
    reduced = make_problem(Rows(points), n_clusters, weights)
    return points[kmeans_plusplus_rows(reduced, rng)]
