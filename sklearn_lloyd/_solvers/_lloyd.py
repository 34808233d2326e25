"""The one loop: Lloyd's algorithm as a generator of steps."""

from __future__ import annotations

from math import inf, isfinite
from time import perf_counter

import numpy as np

from sklearn_lloyd._kernels import array_of, measure_sums, move_to_means
from sklearn_lloyd._solvers._sums import ClusterTotals
from sklearn_lloyd._types import Step


def lloyd(problem, centers, assigner, max_iter, tol, ahead=False):
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
    ahead : bool
        Whether iterations may be done some time before they are asked for. The labels of a step
        are later ones then, and its time is a share of theirs.

    Yields
    ------
    step : Step
        Its labels are the assigner's own array, which the next iteration overwrites.
    """
    clusters = _ClusterSums(problem, assigner)
    centers = np.array(centers, np.float64, order="C")
    iteration = 0
    while iteration < max_iter:
        start = perf_counter()
        found = clusters.iterate(centers, max_iter - iteration if ahead else 1, tol)
        seconds = (perf_counter() - start) / len(found)
        for centers, inertia, center_shift, n_changed, n_empty in found:
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
                seconds,
                converged,
            )
            if converged:
                return
            iteration += 1


class _ClusterSums(ClusterTotals):
    """Weighted sums of the clusters, in float64 and relative to the shift.

    They are kept up to date by the rows that change cluster. Where a row has left that was
    so large, or so heavy, that what remains has lost its digits, they are summed again.
    """

    def __init__(self, problem, assigner):
        super().__init__(problem.n_clusters, problem.chunks.shape[1])
        self._assigner = assigner
        compiled = problem.chunks.compiled
        self._measure = measure_sums if compiled is None else compiled.measure_sums
        self._move = move_to_means if compiled is None else compiled.move_to_means
        self._shift, self.sum_of_squares = array_of(problem.shift), problem.sum_of_squares
        # Squared norms and weights. Weights of one are counted without rounding.
        n_weights = 0 if problem.sample_weight is None else problem.n_clusters
        self.before = np.zeros(problem.n_clusters), np.zeros(n_weights)
        self._n_changed = 0
        self._begun = None  # an iteration: what came of assigning all rows

    def add(self, stats):
        self._n_changed += stats.n_changed
        super().add(stats)

    def iterate(self, centers, n, tol):
        """Iterate up to n times, once at least, and no further than to the end of the run.

        Returns
        -------
        found : list of tuples
            Of each iteration: the new centres, the inertia under those before, the squared
            movement, how many labels changed and how many clusters were empty.
        """
        if self._begun is None and self._assigner.iterate is not None:
            found, self._begun = self._assigner.iterate(centers, n, tol, self)
            if found:
                return found
        n_changed, *measured = self._begun or self._assigned(centers)
        self._begun = None
        inertia = self._inertia(centers, *measured)
        new_centers, center_shift, n_empty = self._means(centers)
        return [(new_centers, inertia, center_shift, n_changed, n_empty)]

    def _assigned(self, centers):
        """Assign all rows; how many labels changed, and what the sums tell then."""
        self._n_changed = 0
        self._assigner.assign(centers, self.add)
        return self._n_changed, *self._measured(centers)

    def _inertia(self, centers, cancelled, inertia):
        """Of the present labels to the given centres, from the sums alone."""
        if cancelled:
            self._sum_again()
            inertia = self._measured(centers)[1]
        if not isfinite(inertia):  # a centre so far that its square overflows, chosen or not
            chosen = (self.members > 0)[:, np.newaxis]
            nowhere = self._shift if self._shift.size else 0.0
            inertia = self._measured(np.where(chosen, centers, nowhere))[1]
        return max(0.0, inertia) if isfinite(inertia) else inf

    def _measured(self, centers):
        arrays = self.sums, self.weights, centers, self._shift
        return self._measure(*arrays, self.sum_of_squares, *self.before)

    def _sum_again(self):
        self.sums, self.weights = self._assigner.sums()
        for values in self.before:
            values.fill(0.0)

    def _means(self, centers):
        """The means, their squared distance from the centres, and how many clusters were empty."""
        sums, weights = self.sums, self.weights
        n_empty = 0
        if not self.members.all():
            empty = self.members == 0
            n_empty = int(np.count_nonzero(empty))
            sums[empty] = 0.0  # what rounding left of rows that came and went
            weights[empty] = 0.0
            moved = self._assigner.sums_without_empty(centers, self.members)
            sums, weights = (sums, weights) if moved is None else moved
            # What is still empty is where the largest cluster is.
            stand_in = np.where(weights > 0, np.arange(weights.size), np.argmax(weights))
            sums, weights = sums[stand_in], weights[stand_in]
        means = np.empty_like(centers)
        center_shift = self._move(sums, weights, centers, self._shift, means)
        return means, center_shift, n_empty
