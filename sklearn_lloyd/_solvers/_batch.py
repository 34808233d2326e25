"""Rows in passing: their nearest centres, and what they add to the clusters.

No bounds, and nothing is kept of the rows: for batches, for streams, for `predict`.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from sklearn_lloyd._chunks import even_slices
from sklearn_lloyd._codes import FEWEST_FEATURES
from sklearn_lloyd._kernels import CenterTable, array_of, label_sums, nearest, own_sq_distances
from sklearn_lloyd._solvers._compiled_csr import CenterColumns
from sklearn_lloyd._types import ChunkStats
from sklearn_lloyd._weights import scaled_weights

# Products in a part of a batch, from which on another thread is worth waking up for it.
_PART = 1 << 22


def assign_rows(chunks, centers, shift, weights=None):
    """The nearest centre of each row, and the inertia.

    Parameters
    ----------
    chunks : Chunks
    centers : ndarray of shape (n_clusters, n_features), float64
    shift : ndarray of shape (n_features,), float64, or None
        A point near the centres.
    weights : ndarray of shape (n_samples,), float64, or None

    Returns
    -------
    labels : ndarray of shape (n_samples,), int32
    inertia : float
        Weighted sum of the squared distances to these centres, by differences.
    """
    rows = PassingRows(chunks, weights, shift)
    inertia = rows.assign(centers, chunks.blocks)
    return rows.labels, inertia


def label_kernel(chunks, table, labels):
    """A kernel that fills in the index of the nearest centre of each row, in int32.

    If it is compiled, of dense rows, it returns a sum that is not finite if some row is not.
    """
    return _labeller(chunks)(chunks, labels, {}).kernel(table)


def _labeller(chunks):
    if chunks.compiled is None:
        return _Labels
    return _CsrLabels if chunks.is_sparse else _CompiledLabels


class _Labels:
    """Fills in the labels of rows; memory for the centres is kept from pass to pass."""

    kind_of_table = CenterTable

    def __init__(self, chunks, labels, kept):
        self._chunks, self._labels, self._kept = chunks, labels, kept

    def kernel(self, table):
        chunks, labels = self._chunks, self._labels

        def label(rows, scratch):
            block = chunks.rows(rows)
            labels[rows] = nearest(block, None, None, table, np.float32, scratch)[0]

        return label


_FEWEST_ROWS, _FEWEST_CENTERS = 256, 16  # that have to meet for it to pay that they are encoded
_LEAST_FLOOR = 1e-30
_NO_CODES = (
    np.empty((0, 0), np.int32),
    *3 * [np.empty(0, np.float32)],
    *3 * [np.float32(0)],
)


def _pays_in_codes(chunks, n_clusters):
    n_rows, n_features = chunks.shape
    many = n_rows >= _FEWEST_ROWS and n_clusters >= _FEWEST_CENTERS
    return many and n_features >= FEWEST_FEATURES


def _code_table(kernels, offsets, sq_norms, never):
    """The table of centres in codes, for rows that are encoded as they come."""
    floor = np.float32(max(kernels.FLOOR * sq_norms.max(), _LEAST_FLOOR))
    n_clusters, n_features = offsets.shape
    tables = kernels.CodeTables(n_clusters, n_features, floor, kernels.scale_for(n_features), 0.0)
    return tables.table(offsets, sq_norms, never)


class _CompiledLabels(_Labels):
    def __init__(self, *args):
        super().__init__(*args)
        self.kind_of_table = self._chunks.compiled.CompiledCenters

    def kernel(self, table):
        chunks, labels, kernels = self._chunks, self._labels, self._chunks.compiled
        float32 = np.dtype(np.float32)
        dtype = table.precision(float32)
        if dtype not in self._kept:
            self._kept[dtype] = kernels.Tables(*table.centers.shape, dtype, float32)
        of_centers = table.offsets, table.sq_norms, table.repeated
        screen, codes = self._kept[dtype].table(*of_centers), _NO_CODES
        if dtype == float32 and _pays_in_codes(chunks, len(table)):
            codes = _code_table(kernels, *of_centers).of_labels
        shift, codes_fail = array_of(table.shift), np.zeros(1, np.int8)

        def label(rows, scratch):
            arrays = shift, table.centers, *screen, *codes, codes_fail, labels
            return kernels.label_block(chunks.X, rows.start, rows.stop, *arrays)

        return label


class _CsrLabels(_Labels):
    def kernel(self, table):
        chunks, labels, label_rows = self._chunks, self._labels, self._chunks.compiled.label_rows
        if "columns" not in self._kept:
            self._kept["columns"] = CenterColumns()
        screen = self._kept["columns"].fill(chunks, table, np.dtype(np.float32))
        X, no_bounds = chunks.X, (np.empty(0), np.empty(0), 0.0)

        def label(rows, scratch):
            index = np.arange(rows.start, rows.stop)
            changed_old = np.empty((2, index.size), np.intp)
            label_rows(
                X.data, X.indices, X.indptr, index, index.size, *screen, labels, *no_bounds,
                *changed_old,
            )  # fmt: skip

        return label


class PassingRows:
    """Rows that are assigned all at once, or a part at a time.

    Parameters
    ----------
    chunks : Chunks
    weights : ndarray of shape (n_samples,), float64, or None
    shift : ndarray of shape (n_features,), float64, or None
        A point near the rows: what sums are relative to.
    kept : dict or None
        Memory that other rows with as many centres may use after these.
    weight_unit : float or None
        What the weights were divided by; None: they are scaled here, see `scaled_weights`.

    Attributes
    ----------
    labels : ndarray of shape (n_samples,), int32
    """

    def __init__(self, chunks, weights, shift, kept=None, weight_unit=None):
        if weight_unit is None:
            weights, weight_unit = scaled_weights(weights)
        self.chunks, self.weights, self.shift = chunks, weights, shift
        self.weight_unit = weight_unit
        n_rows = chunks.shape[0]
        self.labels = np.empty(n_rows, np.int32)
        self._own = np.empty(n_rows, np.intp)  # the same, as the kernels of sums take them
        self._labels = _labeller(chunks)(chunks, self.labels, {} if kept is None else kept)
        self._kernels = chunks.compiled
        if self._kernels is not None:
            self._index, self._nowhere = np.arange(n_rows), np.full(n_rows, -1, np.intp)

    def assign(self, centers, blocks, add=None):
        """Find the nearest centres of the rows of some blocks; return their inertia.

        If `add` is given, it is called with the ChunkStats of each block, in order.
        """
        table = self._labels.kind_of_table(centers, self.shift, self.chunks.n_terms)
        label, of_block = self._labels.kernel(table), self._stats
        if self._kernels is not None:
            of_block = self._csr_stats if self.chunks.is_sparse else self._compiled_stats
        inertia = 0.0

        def kernel(rows, scratch):
            label(rows, scratch)
            self._own[rows] = self.labels[rows]
            return of_block(rows, table, add is not None)

        def collect(part):
            nonlocal inertia
            stats, cost = part
            inertia += float(cost)
            if stats is not None:
                add(stats)

        self.chunks.map_reduce(kernel, collect, blocks)
        return inertia

    def parts(self, batch, n_clusters):
        """The blocks of a batch, which is a slice of the rows, whatever the number of threads."""
        n_rows = batch.stop - batch.start
        n_parts = max(1, n_rows * self.chunks.n_terms * n_clusters // _PART)
        if n_parts == 1:
            return [batch]
        cut = even_slices(n_rows, -(-n_rows // n_parts))
        return [slice(batch.start + part.start, batch.start + part.stop) for part in cut]

    def _stats(self, rows, table, want_sums):
        block, own = self.chunks.rows(rows), self._own[rows]
        weights = None if self.weights is None else self.weights[rows]
        costs = own_sq_distances(block, table.centers, own)
        inertia = costs.sum() if weights is None else costs @ weights
        if not want_sums:
            return None, inertia
        sums = label_sums(block, weights, own, None, table.shift, len(table))
        return ChunkStats(*sums, own.size), inertia

    def _compiled_stats(self, rows, table, want_sums):
        kernels, weights = self._kernels, array_of(self.weights)
        X, own, (n_clusters, n_features) = self.chunks.X, self._own, table.centers.shape
        inertia = kernels.inertia(X, rows.start, rows.stop, table.centers, own, weights)
        if not want_sums:
            return None, inertia
        index, nowhere = self._index[rows], self._nowhere[rows]
        place = np.empty(n_clusters, np.intp)
        place.fill(-1)
        # Not of the worker: they wait for their turn to be added.
        moved = np.empty((n_clusters, n_features)), np.empty(n_clusters)
        moved += np.empty(n_clusters, np.intp), np.empty(n_clusters, np.intp)
        shift = array_of(table.shift)
        n = kernels.move_rows(X, index, index.size, own, nowhere, weights, shift, place, *moved)
        sums, weight, members, clusters = moved
        add = partial(kernels.add_moved, clusters, n, sums, weight, members)
        return ChunkStats(None, None, None, index.size, add_to=add), inertia

    def _csr_stats(self, rows, table, want_sums):
        X, costs = self.chunks.X, np.empty(rows.stop - rows.start)
        self._kernels.own_distances(
            X.data,
            X.indices,
            X.indptr,
            rows.start,
            table.centers,
            table.sq_norms,
            self._own,
            costs,
        )
        inertia = costs.sum() if self.weights is None else costs @ self.weights[rows]
        if not want_sums:
            return None, inertia
        index = self._index[rows]
        moved = index, self._nowhere[rows], self._own, array_of(self.weights)
        add = partial(self._kernels.move_rows, X.data, X.indices, X.indptr, *moved)
        return ChunkStats(None, None, None, index.size, add_to=add), inertia
