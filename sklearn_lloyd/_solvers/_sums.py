"""The sums of the clusters, from all rows."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels import add_sums, label_sums


class ClusterTotals:
    """Weighted sums of rows, weights and numbers of members of the clusters.

    Attributes
    ----------
    sums : ndarray of shape (n_clusters, n_features), float64
        Relative to the shift.
    weights : ndarray of shape (n_clusters,), float64
    members : ndarray of shape (n_clusters,), intp
        Rows of positive weight.
    """

    def __init__(self, n_clusters, n_features):
        self.sums = np.zeros((n_clusters, n_features))
        self.weights = np.zeros(n_clusters)
        self.members = np.zeros(n_clusters, np.intp)

    def add(self, stats):
        """Add the ChunkStats of a block."""
        if stats.add_to is not None:
            stats.add_to(self.sums, self.weights, self.members)
            return
        add_sums(self.sums, stats.sums)
        self.weights += stats.weights
        self.members += stats.members

    def clear(self):
        self.sums.fill(0.0)
        self.weights.fill(0.0)
        self.members.fill(0)


def sums_of_labels(problem, labels):
    """Weighted sums and weights of the clusters of any labels.

    Parameters
    ----------
    problem : Problem
    labels : ndarray of intp of shape (n_samples,)

    Returns
    -------
    sums : ndarray of shape (n_clusters, n_features), float64
        Relative to the shift.
    weights : ndarray of shape (n_clusters,), float64
    """
    chunks, n_clusters = problem.chunks, problem.n_clusters
    sums, weights = np.zeros((n_clusters, chunks.shape[1])), np.zeros(n_clusters)

    def kernel(rows, scratch):
        block = chunks.rows(rows)
        return label_sums(
            block, problem.weights(rows), labels[rows], None, problem.shift, n_clusters
        )

    def add(part):
        add_sums(sums, part[0])
        np.add(weights, part[1], out=weights)

    chunks.map_reduce(kernel, add)
    return sums, weights
