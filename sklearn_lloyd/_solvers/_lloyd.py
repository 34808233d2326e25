"""The one loop: Lloyd's algorithm as a generator of steps."""

from __future__ import annotations

from math import inf, isfinite
from time import perf_counter

import numpy as np

from sklearn_lloyd._core import native
from sklearn_lloyd._solvers._clusters import ClusterSums
from sklearn_lloyd._types import Step


def lloyd(problem, centers, assigner, max_iter, tol):
    """Iterate: assign all rows, then move each centre to the mean of its rows.

    Parameters
    ----------
    problem : Problem
    centers : ndarray of shape (n_clusters, n_features), float64
        Not changed.
    assigner : Assigner
        A fresh one; it holds the labels.
    max_iter : int
    tol : float
        The run has converged when the squared movement of the centres is at most this.

    Yields
    ------
    step : Step
        Its labels are the assigner's own array, which the next iteration overwrites.
    """
    update = _Update(problem, assigner)
    centers = np.array(centers, np.float64, order="C")
    for iteration in range(max_iter):
        start = perf_counter()
        n_changed = assigner.assign(centers, update.clusters)
        centers, inertia, center_shift, n_empty = update.means(centers)
        converged = "tol" if center_shift <= tol else ""
        if n_changed == 0:
            converged = "strict"
        yield Step(
            iteration,
            assigner.labels,
            centers,
            inertia,
            center_shift,
            n_changed,
            n_empty,
            perf_counter() - start,
            converged,
        )
        if converged:
            return


class _Update:
    """From sums of clusters to their means.

    The sums are kept up to date by the rows that change cluster. Where a row has left that was
    so large, or so heavy, that what remains has lost its digits, they are summed again.
    """

    def __init__(self, problem, assigner):
        n_clusters, n_features = problem.n_clusters, problem.rows.shape[1]
        self.clusters = ClusterSums(n_clusters, n_features)
        self._problem, self._assigner = problem, assigner
        self._threads = problem.rows.threads
        # Squared norms of the sums, and the weights, of the step before. Weights of one are
        # counted without rounding.
        weights = None if problem.sample_weight is None else np.zeros(n_clusters)
        self._before = np.zeros(n_clusters), weights

    def means(self, centers):
        """The means of the clusters, once the rows have been assigned to `centers`.

        Returns
        -------
        means : ndarray of shape (n_clusters, n_features)
        inertia : float
            Of the labels under `centers`, from the sums.
        center_shift : float
            Squared movement.
        n_empty : int
        """
        clusters, n_empty = self.clusters, 0
        if not clusters.members.all():  # what rounding left of rows that came and went
            empty = clusters.members == 0
            n_empty = int(np.count_nonzero(empty))
            clusters.sums[empty] = 0.0
            clusters.weights[empty] = 0.0
        means = np.empty_like(centers)
        lost_digits, inertia, center_shift = self._measured(clusters, centers, means)
        if lost_digits:
            summed = self._assigner.sums()
            clusters.sums[:], clusters.weights[:] = summed.sums, summed.weights
            _, inertia, center_shift = self._measured(clusters, centers, means, once_more=True)
        if not isfinite(inertia):  # a centre so far that its square overflows, chosen or not
            shift = self._problem.shift
            nowhere = 0.0 if shift is None else shift
            chosen = (clusters.members > 0)[:, np.newaxis]
            at = np.where(chosen, centers, nowhere)
            inertia = self._measured(clusters, at, None, once_more=True)[1]
        if n_empty:
            center_shift = self._fill_means_without_empty(centers, means)
        return means, max(0.0, inertia) if isfinite(inertia) else inf, center_shift, n_empty

    def _measured(self, clusters, centers, means, once_more=False):
        return native.update_means(
            self._threads,
            clusters.sums,
            clusters.weights,
            self._problem.shift,
            centers,
            self._problem.sum_of_squares,
            *((None, None) if once_more else self._before),
            means,
        )

    def _fill_means_without_empty(self, centers, means):
        """Fill in the means where some clusters are empty; returns the squared movement."""
        moved = self._assigner.sums_without_empty(centers, self.clusters.members)
        clusters = self.clusters if moved is None else moved
        # What is still empty is where the largest cluster is.
        weights = clusters.weights
        stand_in = np.where(weights > 0, np.arange(weights.size), np.argmax(weights))
        filled = ClusterSums(*means.shape)
        filled.sums, filled.weights = clusters.sums[stand_in], weights[stand_in]
        return self._measured(filled, centers, means, once_more=True)[2]
