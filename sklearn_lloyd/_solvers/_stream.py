"""The assigner of rows that come in batches: no labels are kept, sums are new in each pass."""

from __future__ import annotations

from hashlib import blake2b

import numpy as np

from sklearn_lloyd._core import native
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd._solvers._assign import label_rows
from sklearn_lloyd._solvers._clusters import ClusterSums


class StreamAssigner:
    """Assigns the rows of all batches, one batch in memory at a time.

    Parameters
    ----------
    batches : iterable
        Gives pairs of `Rows` and weights, the same ones in each pass, all in one unit.
    shift : ndarray of shape (n_features,), float64, or None
    n_clusters, n_features : int
    """

    labels = None

    def __init__(self, batches, shift, n_clusters, n_features):
        self._batches, self._shift = batches, shift
        self.clusters = ClusterSums(n_clusters, n_features)
        self._digest = b""

    def assign(self, centers, clusters=None):
        """Assign all rows; their sums replace those of `clusters`.

        Returns
        -------
        n_changed : int
            How many labels changed is not known, but whether any did: 0 or -1.
        """
        self.clusters.clear()
        self.inertia, digest = 0.0, blake2b(digest_size=16)
        for rows, weights in self._batches:
            labels, inertia, _ = label_rows(
                rows, centers, self._shift, weights=weights, clusters=self.clusters
            )
            self.inertia += inertia
            digest.update(labels)
        n_changed = 0 if digest.digest() == self._digest else -1
        self._digest = digest.digest()
        if clusters is not None:
            for into, values in zip(clusters.arrays, self.clusters.arrays, strict=True):
                into[:] = values
        return n_changed

    def sums(self):
        """The ClusterSums of the last pass."""
        return self.clusters

    def sums_without_empty(self, centers, members):
        """The same once empty clusters have the rows that cost most; None if no row moves.

        As `labels_without_empty`, in a pass of its own. Equal rows are one row if together they
        are among the most costly of their batches.
        """
        found, most = {}, np.count_nonzero(members == 0) + members.size
        for rows, weights in self._batches:
            found = merge_costly(
                found, costly_rows(rows, weights, centers, self._shift, most), most
            )
        return sums_without_empty(self.clusters, members, found.values())


def costly_rows(rows, weights, centers, shift, most):
    """The rows of a batch that cost most: weight times squared distance to the nearest centre.

    Equal rows are one row.

    Returns
    -------
    found : dict
        The bytes of a row: [cost, weight, number of rows, label, row less the shift].
    """
    labels, _, _ = label_rows(rows, centers, shift, inertia=False)
    cost = np.empty(labels.size)
    native.own_distances(rows.threads, rows.native, None, centers, labels, cost)
    weights = np.ones(cost.size) if weights is None else weights
    canonical = make_problem(rows, len(centers), weights).canonical
    of_group = [canonical.group_sums(each) for each in (cost * weights, weights)]
    n_rows = canonical.group_sums((weights > 0).astype(np.int64))
    top = np.argsort(-of_group[0], kind="stable")[:most]
    top = top[of_group[0][top] > 0]
    first = canonical.order[canonical.group_starts[top]]
    off = rows.dense(first) if shift is None else rows.dense(first) - shift
    return {
        row.tobytes(): [of_group[0][g], of_group[1][g], n_rows[g], labels[i], row]
        for g, i, row in zip(top, first, off, strict=True)
    }


def merge_costly(found, others, most):
    """The most costly rows of two batches together."""
    merged = {key: [*seen] for key, seen in found.items()}
    for key, (cost, weight, n_rows, label, row) in others.items():
        seen = merged.setdefault(key, [0.0, 0.0, 0, label, row])
        seen[:3] = seen[0] + cost, seen[1] + weight, seen[2] + n_rows
    return dict(sorted(merged.items(), key=lambda item: -item[1][0])[:most])


def sums_without_empty(clusters, members, costly):
    """The sums once empty clusters have the most costly rows; None if no row moves."""
    moved = ClusterSums(*clusters.sums.shape)
    for into, values in zip(moved.arrays, clusters.arrays, strict=True):
        into[:] = values
    empty, any_moved = np.flatnonzero(members == 0), False
    for _, weight, n_rows, old, row in costly:
        if empty.size == 0:
            break
        if moved.members[old] <= n_rows:
            continue
        new, empty, any_moved = empty[0], empty[1:], True
        for c, sign in ((new, 1), (old, -1)):
            moved.sums[c] += sign * weight * row
            moved.weights[c] += sign * weight
            moved.members[c] += sign * n_rows
    return moved if any_moved else None
