"""What fitted centres say of rows: nearest centre, distances, inertia."""

from __future__ import annotations

import math

import numpy as np

from sklearn_lloyd._fit import inertia_of
from sklearn_lloyd._kernels import CenterTable, batch_rows, sq_distances_to_all
from sklearn_lloyd._moments import shift_near
from sklearn_lloyd._solvers import label_kernel
from sklearn_lloyd._squares import require_held, require_squares
from sklearn_lloyd._threads import effective_n_threads
from sklearn_lloyd._weights import in_weight_unit, scaled_weights

_LITTLE_WORK = 1 << 20  # products, and what else a row takes in these: for a last block
_ONE_BLOCK = 1 << 23  # the same, up to which another thread would come too late
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


def predict_labels(chunks, centers, last=True):
    """Index of the nearest centre of each row, ndarray of int32 of shape (n_samples,).

    `last` says that this is all for which `chunks` is open.
    """
    labels = np.empty(chunks.shape[0], np.int32)
    table = _table(chunks, centers)
    is_compiled = chunks.compiled_dense is not None
    blocks = _shrinking_blocks(chunks, len(table)) if is_compiled else chunks.blocks
    with chunks.open(calls_blas=chunks.compiled is None, n_blocks=len(blocks)):
        kernel = label_kernel(chunks, table, labels)
        if is_compiled:
            norms = []
            chunks.map_reduce(kernel, norms.append, blocks, last)
            if not math.isfinite(sum(norms)):
                require_squares(chunks)
        else:
            require_squares(chunks)
            chunks.map_reduce(kernel, last=last)
    return labels


def _shrinking_blocks(chunks, n_clusters):
    """Large ones first, then smaller ones, so that all threads are done at about the same time."""
    n_rows, n_features = chunks.shape
    work = (n_features + _OF_ROW) * (n_clusters + _OF_ROW)
    fewest = n_rows if n_rows * work < _ONE_BLOCK else max(_FEWEST_ROWS, _LITTLE_WORK // work)
    of_rest = 2 * effective_n_threads(chunks.n_threads)
    blocks, start = [], 0
    while start < n_rows:
        stop = min(n_rows, start + max(fewest, (n_rows - start) // of_rest))
        blocks.append(slice(start, stop))
        start = stop
    return blocks


def distances_dtype(chunks, centers):
    """float32 if both the rows and the centres are, else float64."""
    both = chunks.dtype == centers.dtype == np.float32
    return np.dtype(np.float32 if both else np.float64)


def distances_to_centers(chunks, centers):
    """Euclidean distances, (n_samples, n_clusters), of `distances_dtype`."""
    out = np.empty((chunks.shape[0], len(centers)), distances_dtype(chunks, centers))

    def use(rows, squares):
        np.sqrt(squares, out=out[rows], casting="same_kind")
        require_held(out[rows])

    use_sq_distances(chunks, centers, use)
    return out


def use_sq_distances(chunks, centers, use):
    """Call `use(rows, squares)` for all rows, a few at a time, on the threads of the pool.

    `rows` is a slice, `squares` their squared distances to the centres, (n_rows, n_clusters) in
    float64, in any memory order: to be used while they are in the cache, and written to at will.
    """
    require_squares(chunks)
    table = _table(chunks, centers)

    def kernel(rows, scratch):
        block = chunks.rows(rows)
        step = batch_rows(block, table, np.dtype(np.float64))
        for start in range(0, block.shape[0], step):
            part = slice(rows.start + start, min(rows.start + start + step, rows.stop))
            use(part, sq_distances_to_all(block[start : start + step], table, scratch))

    chunks.map_reduce(kernel)


def inertia_under(chunks, centers, sample_weight):
    """Weighted sum of the squared distances to the nearest centre, float.

    A ValueError if it overflows only in the unit of the weights.
    """
    weights, unit = scaled_weights(sample_weight)
    with chunks.open():
        labels = predict_labels(chunks, centers, last=False).astype(np.intp)
        inertia = inertia_of(chunks, centers, labels, weights)
    return in_weight_unit(inertia, unit, "inertia")
