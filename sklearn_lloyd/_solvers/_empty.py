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
    exact = centers.astype(np.float64)
    sq_distances = np.empty(chunks.shape[0])

    def measure(rows, scratch):
        sq_distances[rows] = own_sq_distances(chunks.rows(rows), exact, labels[rows])

    chunks.map_reduce(measure)
    weight = np.ones(chunks.shape[0])
    if problem.sample_weight is not None:
        weight = problem.sample_weight
    counts = (weight > 0) & (sq_distances > 0)
    keys, first, group = np.unique(problem.keys, return_index=True, return_inverse=True)
    group_cost = np.bincount(group, weight * sq_distances, minlength=keys.size)
    group_weight = np.bincount(group, weight, minlength=keys.size)
    group_members = np.bincount(group, weight > 0, minlength=keys.size)
    costly = np.flatnonzero(np.bincount(group, counts, minlength=keys.size))
    costly = costly[np.argsort(-group_cost[costly], kind="stable")]

    sums, weights, members = sums.copy(), weights.copy(), members.copy()
    empty = iter(np.flatnonzero(members == 0))
    for g in costly:
        old = labels[first[g]]
        if members[old] <= group_members[g]:
            continue
        new = next(empty, None)
        if new is None:
            break
        row = chunks.dense_rows(first[g : g + 1])[0]
        if problem.shift is not None:
            row -= problem.shift
        sums[new] = group_weight[g] * row
        sums[old] -= sums[new]
        weights[new] = group_weight[g]
        weights[old] -= group_weight[g]
        members[new] = group_members[g]
        members[old] -= group_members[g]
    return sums, weights
