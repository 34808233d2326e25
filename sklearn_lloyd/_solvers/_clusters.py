"""What is added up of the rows of each cluster."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._core import native


class ClusterSums:
    """Weighted sums of rows, weights and numbers of members of the clusters.

    Attributes
    ----------
    sums : ndarray of shape (n_clusters, n_features), float64
        Relative to the shift.
    weights : ndarray of shape (n_clusters,), float64
    members : ndarray of shape (n_clusters,), int64
        Rows of positive weight.
    """

    def __init__(self, n_clusters, n_features):
        self.sums = np.zeros((n_clusters, n_features))
        self.weights = np.zeros(n_clusters)
        self.members = np.zeros(n_clusters, np.int64)

    @property
    def arrays(self):
        """As the core adds to them."""
        return self.sums, self.weights, self.members

    def clear(self):
        for values in self.arrays:
            values.fill(0)


def sums_of_labels(problem, labels):
    """The sums of the clusters of any labels, int32, from all rows."""
    rows = problem.rows
    clusters = ClusterSums(problem.n_clusters, rows.shape[1])
    native.cluster_sums(
        rows.threads,
        rows.native,
        problem.sample_weight,
        problem.shift,
        None,
        labels,
        *clusters.arrays,
        None,
    )
    return clusters
