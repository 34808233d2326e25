"""Mini-batch k-means: the centres move a little with every batch of rows."""

from math import inf
from typing import NamedTuple

import numpy as np

from sklearn_lloyd._core import native
from sklearn_lloyd._solvers._assign import label_rows
from sklearn_lloyd._solvers._clusters import ClusterSums
from sklearn_lloyd._weights import require_finite_total

_ROWS_PER_CLUSTER = 10  # that have to come by before small clusters may move again


class BatchStep(NamedTuple):
    """What one batch did to the centres.

    Attributes
    ----------
    inertia : float
        Weighted sum of the squared distances of the rows to the centres before, in the unit of
        the weights of the rows.
    center_shift : float
        Squared Frobenius norm of the movement of the centres.
    n_reassigned : int
        Clusters of little weight that were moved to rows of the batch.
    """

    inertia: float
    center_shift: float
    n_reassigned: int


class MovingCenters:
    """Centres, each the weighted mean of all rows that chose it when they came (Sculley 2010).

    Parameters
    ----------
    centers : ndarray of shape (n_clusters, n_features), float64
        Written over from the second step on.
    counts : ndarray of shape (n_clusters,), float64
        The weight of the rows that have chosen each centre so far, in the unit of the user's
        weights, which is the same for all batches. Written over.
    n_waited : int
        Rows of positive weight since small clusters were looked at last.
    reassignment_ratio : float
    choose : callable
        ``choose(n_small)`` gives as many rows, dense, for small clusters to move to.
    verbose : int

    Attributes
    ----------
    chosen : ndarray of shape (n_clusters,), bool
        Which of them some row has chosen in these steps.
    """

    def __init__(self, centers, counts, n_waited, *, reassignment_ratio, choose, verbose=0):
        self.centers, self.counts, self.n_waited = centers, counts, n_waited
        self._ratio, self._choose, self._verbose = reassignment_ratio, choose, verbose
        self._clusters = ClusterSums(*centers.shape)
        self._spare = np.empty_like(centers)
        self.chosen = np.zeros(len(centers), bool)

    def step(self, rows, shift, index=None, weights=None, weight_unit=1.0):
        """Move the centres by some rows.

        Parameters
        ----------
        rows : Rows
        shift : ndarray of shape (n_features,), float64, or None
            A point near the centres.
        index : ndarray of int64, or None
            Which of the rows; None: all.
        weights : ndarray of shape (n_samples,), float64, or None
            By row of `rows`.
        weight_unit : float
            What the weights were divided by.

        Returns
        -------
        step : BatchStep
        """
        clusters, before, moved = self._clusters, self.centers, self._spare
        clusters.clear()
        _, inertia, _ = label_rows(
            rows, before, shift, index=index, weights=weights, clusters=clusters
        )
        n_rows = int(clusters.members.sum())
        small_may_move = self._small_may_move(n_rows)
        self.chosen |= clusters.members > 0
        with np.errstate(over="ignore"):
            self.counts += clusters.weights * weight_unit
        require_finite_total(self.counts)
        counts = self.counts / weight_unit
        center_shift = native.move_centers(
            rows.threads, before, shift, counts, clusters.sums, clusters.weights, moved
        )
        self.centers, self._spare, n_moved = moved, before, 0
        if small_may_move and self._ratio > 0:
            n_moved = self._move_small(n_rows)
            if n_moved:
                center_shift = float(np.square(moved - before).sum(axis=1).sum())
        return BatchStep(inertia, center_shift, n_moved)

    def _small_may_move(self, n_rows):
        """Whether clusters of little weight may move: now and then, or if one has none at all."""
        self.n_waited += n_rows
        if self.n_waited >= _ROWS_PER_CLUSTER * len(self.counts) or not self.counts.all():
            self.n_waited = 0
            return True
        return False

    def _move_small(self, n_rows):
        """Move centres of little weight to rows; return how many. At most half as many as rows."""
        counts = self.counts
        enough = self._ratio * counts.max()
        if counts.min() >= enough:
            return 0
        small = counts < enough
        small[counts.argmax()] = False
        n_small = int(np.count_nonzero(small))
        if n_small > n_rows // 2:
            n_small = n_rows // 2
            small[np.argsort(counts, kind="stable")[n_small:]] = False
        if n_small == 0:
            return 0
        if self._verbose:
            print(f"[MiniBatchKMeans] Reassigning {n_small} cluster centers.")
        self.centers[small] = self._choose(n_small)
        # Not so small that they move again at once.
        counts[small] = counts[~small].min()
        return n_small


class StopRule:
    """Ends a run when the smoothed inertia does not fall any more, or the centres rest.

    Parameters
    ----------
    smoothing : float
        What the last batch counts in the smoothed inertia, at most 1.
    tol : float
        Squared movement of the centres that counts as none; 0: not looked at.
    max_no_improvement : int or None
        Batches without a new least smoothed inertia that end the run; None: never.
    """

    def __init__(self, smoothing, tol, max_no_improvement):
        self._alpha, self._tol, self._patience = min(smoothing, 1.0), tol, max_no_improvement
        self.smoothed = None
        self._least, self._n_waited = inf, 0

    def why(self, inertia, center_shift):
        """Why to stop after this step, or "".

        Parameters
        ----------
        inertia : float
            Mean of the batch, for one row.
        center_shift : float
        """
        if self.smoothed is None:
            self.smoothed = inertia
        else:
            self.smoothed = self.smoothed * (1 - self._alpha) + inertia * self._alpha
        if self._tol > 0.0 and center_shift <= self._tol:
            return "small centers change"
        if self.smoothed < self._least:
            self._n_waited, self._least = 0, self.smoothed
        else:
            self._n_waited += 1
        if self._patience is not None and self._n_waited >= self._patience:
            return "lack of improvement in inertia"
        return ""
