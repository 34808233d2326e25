"""What fitted centres say of rows: nearest centre, distances, inertia."""

from __future__ import annotations

import math

import numpy as np

from sklearn_lloyd._chunks import even_slices
from sklearn_lloyd._fit import inertia_of
from sklearn_lloyd._kernels import CenterTable, array_of, batch_rows, nearest, sq_distances_to_all
from sklearn_lloyd._problem import shift_near
from sklearn_lloyd._validation import require_finite

_WORK_OF_BLOCK = 1 << 23  # products, and what else a row takes in these
_OF_ROW = 4  # in features and in clusters
_FEWEST_ROWS = 512


def _table(chunks, centers):
    """The centres relative to a point near them, as `fit` has them relative to the data."""
    shift = None
    if not chunks.is_sparse:
        exact = centers.astype(np.float64)
        mean = np.add.reduce(exact, axis=0) / len(exact)
        deviations = exact - mean
        # Not by BLAS: outside of the pool its threads wake up, and compete with those of the pool.
        squares = float(np.einsum("ij,ij->", deviations, deviations))
        shift = shift_near(mean, math.sqrt(squares / exact.size))
    return CenterTable(centers, shift, chunks.n_terms)


def predict_labels(chunks, centers):
    """Index of the nearest centre of each row, ndarray of int32 of shape (n_samples,)."""
    labels = np.empty(chunks.shape[0], np.int32)
    if chunks.compiled_dense is not None:
        _predict_compiled(chunks, centers, labels)
        return labels
    table = _table(chunks, centers)
    kernel = (_numpy_kernel if chunks.compiled is None else _csr_kernel)(chunks, table, labels)
    with chunks.open():
        require_finite(chunks)
        chunks.map_reduce(kernel)
    return labels


def _numpy_kernel(chunks, table, labels):
    def kernel(rows, scratch):
        labels[rows] = nearest(chunks.rows(rows), None, None, table, np.float32, scratch)[0]

    return kernel


def _predict_compiled(chunks, centers, labels):
    kernels, table, dtype = chunks.compiled, _table(chunks, centers), np.dtype(np.float32)
    tables = kernels.Tables(*table.centers.shape, table.precision(dtype), dtype)
    screen = tables.table(table.offsets, table.sq_norms, table.repeated)
    shift = array_of(table.shift)
    (n_rows, n_features), n_clusters = chunks.shape, len(table)
    # Finer than other passes are cut, so that all threads are done at about the same time.
    work = (n_features + _OF_ROW) * (n_clusters + _OF_ROW)
    blocks = even_slices(n_rows, max(_FEWEST_ROWS, _WORK_OF_BLOCK // work))
    norms = []

    def kernel(rows, scratch):
        return kernels.label_block(
            chunks.X, rows.start, rows.stop, shift, table.centers, *screen, labels
        )

    chunks.map_reduce(kernel, norms.append, blocks)
    if not math.isfinite(sum(norms)):
        require_finite(chunks)


def _csr_kernel(chunks, table, labels):
    X, kernels = chunks.X, chunks.compiled
    columns = kernels.center_columns(table.centers)

    def kernel(rows, scratch):
        parts = X.data, X.indices, X.indptr, rows.start, rows.stop
        kernels.nearest_rows(*parts, columns, table.sq_norms, labels)

    return kernel


def distances_to_centers(chunks, centers):
    """Euclidean distances, (n_samples, n_clusters); float32 if both arguments are."""
    require_finite(chunks)
    table = _table(chunks, centers)
    dtype = np.float32 if chunks.dtype == centers.dtype == np.float32 else np.float64
    out = np.empty((chunks.shape[0], len(table)), dtype)

    def kernel(rows, scratch):
        block = chunks.rows(rows)
        step = batch_rows(block, table)
        for start in range(0, block.shape[0], step):
            squares = sq_distances_to_all(block[start : start + step], table, scratch)
            part = slice(rows.start + start, min(rows.start + start + step, rows.stop))
            np.sqrt(squares, out=out[part], casting="same_kind")

    chunks.map_reduce(kernel)
    return out


def inertia_under(chunks, centers, sample_weight):
    """Weighted sum of the squared distances to the nearest centre, float."""
    with chunks.open():
        labels = predict_labels(chunks, centers).astype(np.intp)
        return inertia_of(chunks, centers, labels, sample_weight)
