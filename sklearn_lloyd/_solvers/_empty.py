"""Clusters that no row chose."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels import own_sq_distances


def relocate_empty_clusters(problem, labels, centers, sums, weights, members):
    """Move empty clusters to the rows that cost most.

    A row costs its weight times the squared distance to its centre; equal rows are one row
    with the sum of their weights. The row leaves the sum of its cluster and becomes the sum
    of the empty one, the most costly row for the empty cluster of lowest index. Where no row
    costs anything, or a row has its cluster to itself, there is nothing to gain, and what
    stays empty is left for the caller to place.

    Returns
    -------
    sums : ndarray of shape (n_clusters, n_features)
        A copy, changed.
    weights : ndarray of shape (n_clusters,)
        A copy, changed.
    """
    chunks = problem.chunks
    sq_distances = np.empty(chunks.shape[0])

    def measure(rows, scratch):
        sq_distances[rows] = own_sq_distances(chunks.rows(rows), centers, labels[rows])

    chunks.map_reduce(measure)
    weight = np.ones(chunks.shape[0])
    if problem.sample_weight is not None:
        weight = problem.sample_weight
    canonical = problem.canonical
    cost = canonical.group_sums(weight * sq_distances)
    sums, weights, members = sums.copy(), weights.copy(), members.copy()
    empty = np.flatnonzero(members == 0)
    # Of each cluster at most one group is passed over below, so this many are enough.
    n_costly = min(empty.size + members.size, cost.size)
    costly = np.argpartition(cost, cost.size - n_costly)[cost.size - n_costly :]
    costly = np.sort(costly)
    costly = costly[np.argsort(-cost[costly], kind="stable")]
    empty = iter(empty)
    for group in costly[cost[costly] > 0]:
        rows = canonical.equal_to(canonical.order[canonical.group_starts[group]])
        old = labels[rows[0]]
        n_rows = np.count_nonzero(weight[rows] > 0)
        if members[old] <= n_rows:
            continue
        new = next(empty, None)
        if new is None:
            break
        offset = chunks.dense_rows(rows[:1])[0]
        if problem.shift is not None:
            offset -= problem.shift
        weights[new] = weight[rows].sum()
        weights[old] -= weights[new]
        sums[new] = weights[new] * offset
        sums[old] -= sums[new]
        members[new] = n_rows
        members[old] -= n_rows
    return sums, weights
