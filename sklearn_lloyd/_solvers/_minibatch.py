"""Mini-batch k-means: the centres move a little with every batch of rows."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np

from sklearn_lloyd._chunks import slices_of_features
from sklearn_lloyd._kernels import array_of, move_centers
from sklearn_lloyd._solvers._sums import ClusterTotals
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
        self._totals = ClusterTotals(*centers.shape)
        self._spare = np.empty_like(centers)
        self.chosen = np.zeros(len(centers), bool)

    def step(self, rows, batch):
        """Move the centres by some rows.

        Parameters
        ----------
        rows : PassingRows
        batch : slice
            Of those rows.

        Returns
        -------
        step : BatchStep
        """
        totals, before, moved = self._totals, self.centers, self._spare
        totals.clear()
        inertia = rows.assign(before, rows.parts(batch, len(before)), totals.add)
        n_rows = int(totals.members.sum())
        small_may_move = self._small_may_move(n_rows)
        self.chosen |= totals.members > 0
        self.counts += totals.weights * rows.weight_unit
        require_finite_total(self.counts)
        center_shift = self._move(rows, moved)
        self.centers, self._spare, n_moved = moved, before, 0
        if small_may_move and self._ratio > 0:
            n_moved = self._move_small(n_rows)
            if n_moved:
                difference = moved - before
                center_shift = float(np.einsum("ij,ij->", difference, difference))
        return BatchStep(inertia, center_shift, n_moved)

    def _move(self, rows, moved):
        """Fill in the centres moved by what the rows add; return the squared movement."""
        chunks, totals, shifts = rows.chunks, self._totals, []
        move = move_centers if chunks.compiled is None else chunks.compiled.move_centers
        counts = self.counts / rows.weight_unit
        arrays = array_of(rows.shift), counts, totals.sums, totals.weights

        def kernel(features, scratch):
            return move(self.centers, *arrays, features.start, features.stop, moved)

        chunks.map_reduce(kernel, shifts.append, slices_of_features(*moved.shape))
        return sum(shifts)

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
