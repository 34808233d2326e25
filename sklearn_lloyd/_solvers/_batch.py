"""Rows that are met once: their nearest centres, and what they add to the clusters."""

from __future__ import annotations

from functools import partial

import numpy as np

from sklearn_lloyd._kernels import CenterTable, array_of, label_sums, nearest, own_sq_distances
from sklearn_lloyd._solvers._compiled import scratch_of
from sklearn_lloyd._types import ChunkStats


def label_kernel(chunks, table, labels):
    """A kernel that fills in the index of the nearest centre of each row, in int32.

    Parameters
    ----------
    chunks : Chunks
    table : CenterTable
    labels : ndarray of int32 of shape (n_samples,)
    """
    if chunks.compiled is None:
        return _numpy_kernel(chunks, table, labels)
    return (_csr_kernel if chunks.is_sparse else _dense_kernel)(chunks, table, labels)


def _numpy_kernel(chunks, table, labels):
    def kernel(rows, scratch):
        labels[rows] = nearest(chunks.rows(rows), None, None, table, np.float32, scratch)[0]

    return kernel


def _dense_kernel(chunks, table, labels):
    kernels, dtype = chunks.compiled, np.dtype(np.float32)
    tables = kernels.Tables(*table.centers.shape, table.precision(dtype), dtype)
    screen = tables.table(table.offsets, table.sq_norms, table.repeated)
    shift = array_of(table.shift)

    def kernel(rows, scratch):
        work = scratch_of(chunks, rows, screen, scratch)
        kernels.label_block(
            chunks.X, rows.start, rows.stop, shift, table.centers, *screen, labels, *work
        )

    return kernel


def _csr_kernel(chunks, table, labels):
    X, kernels = chunks.X, chunks.compiled
    columns = kernels.center_columns(table.centers)

    def kernel(rows, scratch):
        parts = X.data, X.indices, X.indptr, rows.start, rows.stop
        kernels.nearest_rows(*parts, columns, table.sq_norms, labels)

    return kernel


def assign_batch(chunks, centers, shift, weights, add):
    """Find the nearest centres of rows, and what these rows add to the clusters.

    Parameters
    ----------
    chunks : Chunks
    centers : ndarray of shape (n_clusters, n_features), float64
    shift : ndarray of shape (n_features,), float64, or None
        What the sums are relative to.
    weights : ndarray of shape (n_samples,), float64, or None
    add : callable or None
        Called with the ChunkStats of each block, in order.

    Returns
    -------
    labels : ndarray of shape (n_samples,), int32
    inertia : float
        Weighted sum of the squared distances to the centres, by differences.
    """
    kernels = chunks.compiled_dense
    kind = CenterTable if kernels is None else kernels.CompiledCenters
    table = kind(centers, shift, chunks.n_terms)
    labels = np.empty(chunks.shape[0], np.int32)
    own = np.empty(chunks.shape[0], np.intp)
    label = label_kernel(chunks, table, labels)
    of_block = _compiled_stats if kernels is not None else _stats
    inertia = 0.0

    def kernel(rows, scratch):
        label(rows, scratch)
        own[rows] = labels[rows]
        return of_block(chunks, rows, table, own, weights, add is not None)

    def collect(part):
        nonlocal inertia
        stats, cost = part
        inertia += float(cost)
        if stats is not None:
            add(stats)

    chunks.map_reduce(kernel, collect)
    return labels, inertia


def _stats(chunks, rows, table, labels, weights, want_sums):
    block, own = chunks.rows(rows), labels[rows]
    weights = None if weights is None else weights[rows]
    costs = own_sq_distances(block, table.centers, own)
    inertia = costs.sum() if weights is None else costs @ weights
    if not want_sums:
        return None, inertia
    sums = label_sums(block, weights, own, None, table.shift, len(table))
    return ChunkStats(*sums, own.size), inertia


def _compiled_stats(chunks, rows, table, labels, weights, want_sums):
    kernels, weights = chunks.compiled_dense, array_of(weights)
    X, start, stop = chunks.X, rows.start, rows.stop
    inertia = kernels.inertia(X, start, stop, table.centers, labels, weights)
    if not want_sums:
        return None, inertia
    n_clusters, n_features = table.centers.shape
    moved = np.empty((n_clusters, n_features)), np.empty(n_clusters)
    moved += np.empty(n_clusters, np.intp), np.empty(n_clusters, np.intp)
    index, nowhere = np.arange(start, stop), np.full(stop - start, -1, np.intp)
    place = np.full(n_clusters, -1, np.intp)
    n = kernels.move_rows(
        X, index, index.size, labels, nowhere, weights, array_of(table.shift), place, *moved
    )
    sums, weight, members, clusters = moved
    add = partial(kernels.add_moved, clusters, n, sums, weight, members)
    return ChunkStats(None, None, None, index.size, add_to=add), inertia
