"""The assigner of rows that come in batches: no labels are kept, sums are new in each pass."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from sklearn_lloyd._kernels import own_sq_distances
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd._solvers._batch import PassingRows
from sklearn_lloyd._solvers._sums import ClusterTotals
from sklearn_lloyd._types import ChunkStats


class StreamAssigner:
    """Assigns the rows of all batches, one batch in memory at a time.

    Parameters
    ----------
    batches : iterable
        Gives pairs of `Chunks` and weights, the same ones in each pass, all in one unit.
    shift : ndarray of shape (n_features,), float64, or None
    n_clusters, n_features : int
    """

    labels = iterate = None

    def __init__(self, batches, shift, n_clusters, n_features):
        self._batches, self._shift = batches, shift
        self.totals = ClusterTotals(n_clusters, n_features)
        self._kept, self._digest = {}, b""

    def assign(self, centers, reduce):
        """Assign all rows; `reduce` the sums of the clusters, which replace those before."""
        self.totals.clear()
        self.inertia, digest = 0.0, blake2b(digest_size=16)
        for rows in self._passing():
            self.inertia += rows.assign(centers, rows.chunks.blocks, self.totals.add)
            digest.update(rows.labels)
        # How many labels changed is not known, but whether any did.
        n_changed = 0 if digest.digest() == self._digest else -1
        self._digest = digest.digest()
        reduce(ChunkStats(None, None, None, n_changed, add_to=self._replace))

    def _passing(self):
        for chunks, weights in self._batches:
            with chunks.open():
                yield PassingRows(chunks, weights, self._shift, self._kept, weight_unit=1.0)

    def _replace(self, sums, weights, members):
        sums[:], weights[:] = self.totals.sums, self.totals.weights
        members[:] = self.totals.members

    def sums(self):
        return self.totals.sums.copy(), self.totals.weights.copy()

    def sums_without_empty(self, centers, members):
        """Sums and weights of the clusters once empty ones have the rows that cost most.

        As `labels_without_empty`, in a pass of its own. Equal rows are one row if together they
        are among the most costly of their batches.
        """
        members, (sums, weights) = members.copy(), self.sums()
        empty = np.flatnonzero(members == 0)
        costly, moved = self._costly(centers, members.size, empty.size + members.size), False
        for _, weight, n_rows, old, row in costly:
            if empty.size == 0:
                break
            if members[old] <= n_rows:
                continue
            new, empty, moved = empty[0], empty[1:], True
            for c, sign in ((new, 1), (old, -1)):
                sums[c] += sign * weight * row
                weights[c] += sign * weight
                members[c] += sign * n_rows
        return (sums, weights) if moved else None

    def _costly(self, centers, n_clusters, most):
        """The rows that cost most: (cost, weight, number of rows, label, row less the shift)."""
        found = {}
        for rows in self._passing():
            chunks = rows.chunks
            rows.assign(centers, chunks.blocks)
            cost = np.empty(chunks.shape[0])
            for block in chunks.blocks:
                cost[block] = own_sq_distances(
                    chunks.rows(block), centers, rows.labels[block].astype(np.intp)
                )
            weights = np.ones(cost.size) if rows.weights is None else rows.weights
            canonical = make_problem(chunks, n_clusters, rows.weights).canonical
            of_group = [canonical.group_sums(each) for each in (cost * weights, weights)]
            n_rows = canonical.group_sums((weights > 0).astype(np.intp))
            top = np.argsort(-of_group[0], kind="stable")[:most]
            top = top[of_group[0][top] > 0]
            first = canonical.order[canonical.group_starts[top]]
            for g, i, row in zip(top, first, chunks.dense_rows(first), strict=True):
                seen = found.setdefault(row.tobytes(), [0.0, 0.0, 0, rows.labels[i], row])
                seen[:3] = seen[0] + of_group[0][g], seen[1] + of_group[1][g], seen[2] + n_rows[g]
            best = sorted(found.items(), key=lambda item: -item[1][0])[:most]
            found = dict(best)
        shift = 0.0 if self._shift is None else self._shift
        return [(*seen[:4], seen[4] - shift) for seen in found.values()]
