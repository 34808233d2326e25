"""The one loop: Lloyd's algorithm as a generator of steps."""

from __future__ import annotations

from math import inf, isfinite
from time import perf_counter

import numpy as np

from sklearn_lloyd._solvers._sums import ClusterTotals
from sklearn_lloyd._types import Step

# A square of a norm that falls by this in one step has lost half of its digits.
_CANCELLED = 1e14


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
    clusters = _ClusterSums(problem, assigner)
    for iteration in range(max_iter):
        start = perf_counter()
        n_changed = clusters.n_changed
        assigner.assign(centers, clusters.add)
        clusters.refresh_if_cancelled()
        n_changed = clusters.n_changed - n_changed
        inertia = clusters.inertia(centers)
        new_centers, n_empty = clusters.means(centers)
        difference = new_centers - centers
        center_shift = float(np.vdot(difference, difference))
        converged = "tol" if center_shift <= tol else ""
        if n_changed == 0:
            converged = "strict"
        yield Step(
            iteration,
            assigner.labels,
            new_centers,
            inertia,
            center_shift,
            n_changed,
            n_empty,
            perf_counter() - start,
            converged,
        )
        if converged:
            return
        centers = new_centers


class _ClusterSums(ClusterTotals):
    """Weighted sums of the clusters, in float64 and relative to the shift.

    They are kept up to date by the rows that change cluster. Where a row has left that was
    so large, or so heavy, that what remains has lost its digits, they are summed again.
    """

    def __init__(self, problem, assigner):
        super().__init__(problem.n_clusters, problem.chunks.shape[1])
        self._problem, self._assigner = problem, assigner
        # Before the first pass.
        self._sq_norms = self._weights_before = np.zeros(problem.n_clusters)
        self.n_changed = 0

    def add(self, stats):
        self.n_changed += stats.n_changed
        super().add(stats)

    def refresh_if_cancelled(self):
        before = self._sq_norms
        self._sq_norms = np.einsum("ij,ij->i", self.sums, self.sums)
        cancelled = (before > _CANCELLED * self._sq_norms).any()
        if self._problem.sample_weight is not None:
            before, self._weights_before = self._weights_before, self.weights.copy()
            cancelled |= (before**2 > _CANCELLED * np.square(self.weights)).any()
        if cancelled:
            self._sum_again()

    def _sum_again(self):
        self.sums, self.weights = self._assigner.sums()
        self._sq_norms = np.einsum("ij,ij->i", self.sums, self.sums)
        self._weights_before = self.weights.copy()

    def inertia(self, centers):
        """Of the present labels to the given centres, from the sums alone."""
        shift = self._problem.shift
        offsets = centers if shift is None else centers - shift
        inertia = self._inertia_of(offsets)
        if not isfinite(inertia):  # a centre so far that its square overflows, chosen or not
            chosen = (self.members > 0)[:, np.newaxis]
            inertia = self._inertia_of(np.where(chosen, offsets, 0.0))
        return max(0.0, inertia) if isfinite(inertia) else inf

    def _inertia_of(self, offsets):
        # As floats of Python, which overflow without a word.
        cross = float(np.vdot(offsets, self.sums))
        own = float(np.vdot(self.weights, np.einsum("ij,ij->i", offsets, offsets)))
        return float(self._problem.sum_of_squares) - 2.0 * cross + own

    def means(self, centers):
        """The means, and how many clusters were empty."""
        sums, weights = self.sums, self.weights
        n_empty = 0
        if self.members.all():
            means = sums / weights[:, np.newaxis]
        else:
            empty = self.members == 0
            n_empty = int(np.count_nonzero(empty))
            sums[empty] = 0.0  # what rounding left of rows that came and went
            weights[empty] = 0.0
            moved = self._assigner.sums_without_empty(centers, self.members)
            sums, weights = (sums, weights) if moved is None else moved
            means = sums / np.where(weights > 0, weights, 1.0)[:, np.newaxis]
            means[weights <= 0] = means[np.argmax(weights)]
        if self._problem.shift is not None:
            means += self._problem.shift
        return means, n_empty
