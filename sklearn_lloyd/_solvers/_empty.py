"""Clusters that no row chose."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._core import native


def labels_without_empty(problem, labels, centers, members):
    """Labels in which empty clusters have the rows that cost most.

    A row costs its weight times the squared distance to its centre; equal rows are one row
    with the sum of their weights. The most costly goes to the empty cluster of lowest index.
    Where no row costs anything, or a row has its cluster to itself, there is nothing to gain,
    and what stays empty is left for the caller to place.

    Parameters
    ----------
    problem : Problem
    labels : ndarray of int32 of shape (n_samples,)
        Not changed.
    centers : ndarray of shape (n_clusters, n_features), float64
        The centres that the labels are of.
    members : ndarray of int64 of shape (n_clusters,)
        Rows of positive weight in each cluster.

    Returns
    -------
    moved : ndarray of int32 of shape (n_samples,), or None if no row moves
    """
    rows, canonical = problem.rows, problem.canonical
    cost = np.empty(rows.shape[0])
    native.own_distances(rows.threads, rows.native, None, centers, labels, cost)
    weight = problem.sample_weight
    if weight is not None:
        cost *= weight
    cost = canonical.group_sums(cost)
    members = members.copy()
    empty = np.flatnonzero(members == 0)
    # Of each cluster at most one group is passed over below, so this many are enough, and those
    # that cost as much: which of equals `partition` puts first is not told.
    n_cheap = max(0, cost.size - empty.size - members.size)
    costly = np.flatnonzero(cost >= np.partition(cost, n_cheap)[n_cheap])
    costly = costly[np.argsort(-cost[costly], kind="stable")]
    moved, empty = None, iter(empty)
    for group in costly[cost[costly] > 0]:
        equal = canonical.equal_to(canonical.order[canonical.group_starts[group]])
        old = labels[equal[0]]
        n_rows = equal.size if weight is None else np.count_nonzero(weight[equal] > 0)
        if members[old] <= n_rows:
            continue
        new = next(empty, None)
        if new is None:
            break
        moved = labels.copy() if moved is None else moved
        moved[equal] = new
        members[new] = n_rows
        members[old] -= n_rows
    return moved
