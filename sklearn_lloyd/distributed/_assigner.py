"""The assigner of blocks that lie on a cluster: the same loop, a pass for each iteration."""

from __future__ import annotations

import operator

import numpy as np

from sklearn_lloyd._dask import total
from sklearn_lloyd._solvers import ClusterSums, sums_without_empty
from sklearn_lloyd.distributed import _passes
from sklearn_lloyd.distributed._passes import Pass


class BlocksAssigner:
    """Assigns the rows of all blocks; what changes comes back as one sum for each cluster.

    Parameters
    ----------
    blocks : Blocks
    options : FitOptions
    n_clusters, n_features : int
    """

    labels = None

    def __init__(self, blocks, options, n_clusters, n_features):
        self._blocks, self._options = blocks, options
        self._before, self._n_passes = None, 0
        self.clusters = ClusterSums(n_clusters, n_features)

    def assign(self, centers, clusters=None):
        """Assign all rows; returns how many labels changed.

        `clusters`, the ClusterSums of the labels before, are brought up to date.
        """
        this = Pass(self._options, self._n_passes, self._before, centers)
        self._before, self._n_passes, n_changed = centers.copy(), self._n_passes + 1, 0
        for part in self._blocks.run(_passes.assign, this, _passes.add_arrays):
            if part is None:
                continue
            *changes, changed = part
            n_changed += changed
            for sums in (self.clusters, clusters):
                if sums is not None:
                    for into, change in zip(sums.arrays, changes, strict=True):
                        into += change
        return n_changed

    @property
    def inertia(self):
        """That of the last pass, by differences, in a pass of its own."""
        parts = self._blocks.run(_passes.inertia, self._last(), operator.add)
        return total([0.0, *parts], operator.add)

    def sums(self):
        """The ClusterSums of the labels, from all rows."""
        summed = ClusterSums(*self._before.shape)
        parts = self._blocks.run(_passes.sums, self._last(), _passes.add_arrays)
        for into, values in zip(summed.arrays, total(parts, _passes.add_arrays), strict=True):
            into[:] = values
        return summed

    def sums_without_empty(self, centers, members):
        """The same once empty clusters have the rows that cost most; None if no row moves."""
        parts = self._blocks.run(_passes.costly, self._last(), _passes.add_costly)
        _, found = total(parts, _passes.add_costly)
        return sums_without_empty(self.clusters, members, found.values())

    def _last(self):
        return Pass(self._options, self._n_passes, None, np.ascontiguousarray(self._before))
