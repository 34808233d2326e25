"""Random rows, random partitions, random samples."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._problem import problem_of_rows
from sklearn_lloyd._solvers._sums import sums_of_labels


def rows_by_weight(problem, uniforms):
    """Rows with replacement, with a probability proportional to their weight."""

    canonical, weights = problem.canonical, problem.sample_weight
    if weights is None:
        return canonical.draw(uniforms, canonical.block_sizes, lambda rows: np.ones(rows.size))
    block_mass = canonical.block_mass(slice(None), weights)
    return canonical.draw(uniforms, block_mass, weights.__getitem__)


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
    rows : ndarray of intp of shape (n_clusters,)
    """
    n_rows = problem.chunks.shape[0]
    mass = np.ones(n_rows) if problem.sample_weight is None else problem.sample_weight.copy()
    chosen = []
    while len(chosen) < problem.n_clusters:
        block_mass = problem.canonical.block_mass(slice(None), mass)
        if not block_mass.any():
            break
        seen = set()
        for row in problem.canonical.draw(
            rng.uniform(size=problem.n_clusters - len(chosen)), block_mass, mass.__getitem__
        ):
            if problem.canonical.keys[row] not in seen:
                seen.add(problem.canonical.keys[row])
                chosen.append(row)
        for row in chosen[-len(seen) :]:
            mass[problem.canonical.equal_to(row)] = 0.0
    return np.resize(np.array(chosen, np.intp), problem.n_clusters)


def random_partition_centers(problem, rng):
    """Means of a random partition of the distinct rows.

    A cluster that no row falls into starts from a random row.

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features), float64
    """
    chunks, n_clusters = problem.chunks, problem.n_clusters
    canonical = problem.canonical
    label_of_group = np.zeros(canonical.group_starts.size, np.intp)
    counted = np.ones(label_of_group.size, bool)
    if problem.sample_weight is not None:
        # Rows of weight zero are as good as absent: groups of them draw no label.
        counted = canonical.group_sums(problem.sample_weight) > 0
    label_of_group[counted] = rng.randint(n_clusters, size=counted.sum())
    sums, totals = sums_of_labels(problem, label_of_group[canonical.group_of()])
    empty = totals == 0
    centers = sums / np.where(empty, 1.0, totals)[:, np.newaxis]
    if problem.shift is not None:
        centers += problem.shift
    if empty.any():
        centers[empty] = chunks.dense_rows(random_rows(problem, rng)[: empty.sum()])
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
