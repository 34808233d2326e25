"""The sums of the clusters, from all rows."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels import add_sums, label_sums


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
