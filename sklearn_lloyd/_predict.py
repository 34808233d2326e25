"""What fitted centres say of rows: nearest centre, distances, inertia."""

from __future__ import annotations

import math

import numpy as np

from sklearn_lloyd._chunks import even_slices
from sklearn_lloyd._fit import inertia_of
from sklearn_lloyd._kernels import CenterTable, batch_rows, sq_distances_to_all
from sklearn_lloyd._problem import shift_near
from sklearn_lloyd._solvers import label_kernel
from sklearn_lloyd._validation import require_finite

_WORK_OF_BLOCK = 1 << 22  # products, and what else a row takes in these
_OF_ROW = 4  # in features and in clusters
_FEWEST_ROWS = 512


def shift_near_centers(centers):
    """A point near the centres, as `fit` has one near the data, or None; for dense rows."""
    exact = centers.astype(np.float64)
    mean = np.add.reduce(exact, axis=0) / len(exact)
    deviations = exact - mean
    # Not by BLAS: outside of the pool its threads wake up, and compete with those of the pool.
    squares = float(np.einsum("ij,ij->", deviations, deviations))
    return shift_near(mean, math.sqrt(squares / exact.size))


def _table(chunks, centers):
    shift = None if chunks.is_sparse else shift_near_centers(centers)
    return CenterTable(centers, shift, chunks.n_terms)


def predict_labels(chunks, centers):
    """Index of the nearest centre of each row, ndarray of int32 of shape (n_samples,)."""
    labels = np.empty(chunks.shape[0], np.int32)
    table = _table(chunks, centers)
    is_compiled = chunks.compiled_dense is not None
    blocks = _fine_blocks(chunks, len(table)) if is_compiled else chunks.blocks
    with chunks.open(calls_blas=chunks.compiled is None, n_blocks=len(blocks)):
        kernel = label_kernel(chunks, table, labels)
        if is_compiled:
            norms = []
            chunks.map_reduce(kernel, norms.append, blocks)
            if not math.isfinite(sum(norms)):
                require_finite(chunks)
        else:
            require_finite(chunks)
            chunks.map_reduce(kernel)
    return labels


def _fine_blocks(chunks, n_clusters):
    """Finer than other passes are cut, so that all threads are done at about the same time."""
    n_rows, n_features = chunks.shape
    work = (n_features + _OF_ROW) * (n_clusters + _OF_ROW)
    return even_slices(n_rows, max(_FEWEST_ROWS, _WORK_OF_BLOCK // work))


def distances_dtype(chunks, centers):
    """float32 if both the rows and the centres are, else float64."""
    both = chunks.dtype == centers.dtype == np.float32
    return np.dtype(np.float32 if both else np.float64)


def distances_to_centers(chunks, centers):
    """Euclidean distances, (n_samples, n_clusters), of `distances_dtype`."""
    out = np.empty((chunks.shape[0], len(centers)), distances_dtype(chunks, centers))

    def use(rows, squares):
        np.sqrt(squares, out=out[rows], casting="same_kind")

    use_sq_distances(chunks, centers, use)
    return out


def use_sq_distances(chunks, centers, use):
    """Call `use(rows, squares)` for all rows, a few at a time, on the threads of the pool.

    `rows` is a slice, `squares` their squared distances to the centres, (n_rows, n_clusters) in
    float64, in any memory order: to be used while they are in the cache, and written to at will.
    """
    require_finite(chunks)
    table = _table(chunks, centers)

    def kernel(rows, scratch):
        block = chunks.rows(rows)
        step = batch_rows(block, table)
        for start in range(0, block.shape[0], step):
            part = slice(rows.start + start, min(rows.start + start + step, rows.stop))
            use(part, sq_distances_to_all(block[start : start + step], table, scratch))

    chunks.map_reduce(kernel)


def inertia_under(chunks, centers, sample_weight):
    """Weighted sum of the squared distances to the nearest centre, float."""
    with chunks.open():
        labels = predict_labels(chunks, centers).astype(np.intp)
        return inertia_of(chunks, centers, labels, sample_weight)
