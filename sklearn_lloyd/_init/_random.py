"""Random rows, random partitions, random samples."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._core import native
from sklearn_lloyd._problem import problem_of_rows
from sklearn_lloyd._solvers._clusters import sums_of_labels


def draw(problem, mass, uniforms):
    """Rows with replacement, with a probability proportional to their mass (None: one each)."""
    drawn = np.empty(uniforms.size, np.int64)
    uniforms = np.ascontiguousarray(uniforms)
    native.draw(problem.rows.threads, problem.canonical.keys, mass, uniforms, drawn)
    return drawn


def rows_by_weight(problem, uniforms):
    """The same with a probability proportional to their weight."""
    return draw(problem, problem.sample_weight, uniforms)


class RowDraws:
    """Draws by weight as of `rows_by_weight`, of so many rows that sorting all of them pays.

    Parameters
    ----------
    problem : Problem
    order : ndarray of intp, default=None
        The rows that have a weight, in canonical order, where that of equal ones matters.

    Attributes
    ----------
    n_distinct : int
        Distinct rows of positive weight.
    """

    def __init__(self, problem, order=None):
        canonical, weights = problem.canonical, problem.sample_weight
        self._keys, self._mass = canonical.keys, None
        self._order = canonical.order if order is None else order
        self.n_distinct = canonical.group_starts.size
        if weights is not None:
            self._mass = weights[self._order].cumsum()
            self.n_distinct = int(np.count_nonzero(canonical.group_sums(weights)))

    def rows(self, uniforms):
        if self._mass is None:
            return self._order.take((uniforms * self._order.size).astype(np.intp))
        places = self._mass.searchsorted(uniforms * self._mass[-1], side="right")
        # Rounding may lead beyond the last row that has a weight.
        last = self._mass.searchsorted(self._mass[-1])
        return self._order.take(np.minimum(places, last))

    def distinct_rows(self, n_rows, rng):
        """Rows of which none comes twice, unless hardly any others are drawn."""
        drawn = self.rows(rng.uniform(size=4 * n_rows))
        first = np.unique(self._keys[drawn], return_index=True)[1]
        return np.resize(drawn[np.sort(first)], n_rows)


def random_rows(problem, rng):
    """Distinct rows without replacement, with a probability proportional to their weight.

    A row and its repeats are one candidate with the sum of their weights. Only where there
    are fewer distinct rows than clusters do rows come twice.

    Returns
    -------
    rows : ndarray of int64 of shape (n_clusters,)
    """
    n_rows = problem.rows.shape[0]
    mass = np.ones(n_rows) if problem.sample_weight is None else problem.sample_weight.copy()
    chosen = []
    while len(chosen) < problem.n_clusters and mass.any():
        seen = set()
        for row in draw(problem, mass, rng.uniform(size=problem.n_clusters - len(chosen))):
            if problem.canonical.keys[row] not in seen:
                seen.add(problem.canonical.keys[row])
                chosen.append(row)
        for row in chosen[-len(seen) :]:
            mass[problem.canonical.equal_to(row)] = 0.0
    return np.resize(np.array(chosen, np.int64), problem.n_clusters)


def random_partition_centers(problem, rng):
    """Means of a random partition of the distinct rows.

    A cluster that no row falls into starts from a random row.

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features), float64
    """
    n_clusters, canonical = problem.n_clusters, problem.canonical
    label_of_group = np.zeros(canonical.group_starts.size, np.int32)
    counted = np.ones(label_of_group.size, bool)
    if problem.sample_weight is not None:
        # Rows of weight zero are as good as absent: groups of them draw no label.
        counted = canonical.group_sums(problem.sample_weight) > 0
    label_of_group[counted] = rng.randint(n_clusters, size=counted.sum())
    clusters = sums_of_labels(problem, label_of_group[canonical.group_of()])
    empty = clusters.weights == 0
    centers = clusters.sums / np.where(empty, 1.0, clusters.weights)[:, np.newaxis]
    if problem.shift is not None:
        centers += problem.shift
    if empty.any():
        centers[empty] = problem.rows.dense(random_rows(problem, rng)[: empty.sum()])
    return centers


def random_sample(problem, size, rng):
    """The problem of `size` rows, drawn by weight with replacement, which count one each.

    If no more distinct rows than that have a weight, or `size` is None: the problem itself.
    (The number of all rows would not do: weights must be as good as repeats.)
    """
    if size is None or not more_distinct_rows_than(size, problem):
        return problem
    return problem_of_rows(problem, rows_by_weight(problem, rng.uniform(size=size)))


def more_distinct_rows_than(size, problem):
    """Whether more distinct rows than that have a weight."""
    keys, weights = problem.canonical.keys, problem.sample_weight
    for part in (slice(4 * size), slice(None)):  # mostly the first rows will tell
        counted = keys[part] if weights is None else keys[part][weights[part] > 0]
        if np.unique(counted).size > size:
            return True
    return False


def n_distinct_up_to(most, problem):
    """How many distinct rows have a weight, but no more than `most`."""
    if more_distinct_rows_than(most - 1, problem):
        return most
    return RowDraws(problem).n_distinct
