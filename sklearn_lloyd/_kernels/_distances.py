"""The definition: squared distances by differences, in float64.

The label of a row is *defined* as the centre with the least of these, ties to the lowest index.
The order of the sum belongs to the definition, so that it comes out the same to the last bit
whichever function computes it, for one row or many, in any memory order.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from sklearn_lloyd._kernels._csr import sum_by_row
from sklearn_lloyd._kernels._screen import scratch_array

PAIRS = 1 << 18  # elements in one batch of differences
CANCELLED = 1e-6  # of the norms: squared distances below lose too many digits as products
# Share of |c|^2 up to which what cancellation leaves of a sparse distance is a zero.
ZERO = 8 * np.finfo(np.float64).eps
_LONG_LOOP = 4096  # numbers, above which NumPy is fast at taking the same off each row
_AT_ONCE = 1 << 16  # numbers in float64 that the cache holds, and memory at hand
_FLOAT64 = np.dtype(np.float64)
_LONG_SUM = 8  # features, from which NumPy's sum is not the plain one from first to last


def all_sq_distances(rows, centers):
    """Squared distances (n_centers, n_rows) of few rows to few centres, by the definition."""
    if rows.shape[1] >= _LONG_SUM:
        # In C order, whatever that of the rows: NumPy sums other layouts in another order.
        differences = np.subtract(rows, centers[:, np.newaxis, :], order="C")
        return _sum_of_squares(differences)
    columns = np.array(rows.T, np.float64, order="C")
    total = 0.0
    for column, center in zip(columns, centers.T, strict=True):
        differences = column - center[:, np.newaxis]
        differences *= differences
        differences += total
        total = differences
    return total


def _sum_of_squares(differences):
    """Over the last axis, in place; the order of the sum belongs to the definition."""
    squares = np.square(differences, out=differences)
    if squares.shape[-1] >= _LONG_SUM:
        return squares.sum(axis=-1)
    total = squares[..., 0].copy()
    for j in range(1, squares.shape[-1]):  # what NumPy's sum of so few does, but sooner
        total += squares[..., j]
    return total


def pair_sq_distances(rows, centers, labels):
    """Squared distance of each row to the centre of its label: the definition.

    Dense rows: the squares of the differences. Sparse rows: the same sum with the terms of
    absent features collected in |c|^2, in float64 too.
    """
    if sparse.issparse(rows):
        return _sparse_sq_distances(rows, centers, labels)
    differences = centers.take(labels, axis=0)
    np.subtract(rows, differences, out=differences)
    return _sum_of_squares(differences)


def _sparse_sq_distances(rows, centers, labels):
    if len(centers) == 1:
        places = rows.indices
    else:
        places = np.repeat(labels * centers.shape[1], np.diff(rows.indptr))
        places += rows.indices
    terms = centers.ravel().take(places)
    terms *= -2.0
    terms += rows.data
    terms *= rows.data
    sq_norms = _sq_norms_of(centers, labels)
    sums = sum_by_row(rows, terms) + sq_norms
    # What the cancellation leaves of a zero is a zero.
    return np.where(sums > ZERO * sq_norms, sums, 0.0)


def _sq_norms_of(centers, labels):
    """Squared norm of each label's centre; those of centres without a label are not computed."""
    used = np.bincount(labels, minlength=len(centers)).nonzero()[0]
    chosen = centers if used.size == len(centers) else centers[used]
    sq_norms = np.empty(len(centers))
    sq_norms[used] = np.einsum("ij,ij->i", chosen, chosen)
    return sq_norms.take(labels)


def own_sq_distances(rows, centers, labels):
    """Squared distance of each row to the centre of its label, float64, by differences."""
    if sparse.issparse(rows):
        return pair_sq_distances(rows, centers, labels)
    sq_distances = np.empty(len(rows))
    for part in parts_of(*rows.shape):
        differences = centers.take(labels[part], axis=0)
        np.subtract(rows[part], differences, out=differences)
        np.einsum("ij,ij->i", differences, differences, out=sq_distances[part])
    return sq_distances


def sq_distances_to(rows, center, scratch=None):
    """Squared distance of each row to one centre, float64, by differences."""
    if sparse.issparse(rows):
        labels = np.zeros(rows.shape[0], np.intp)
        return pair_sq_distances(rows, center.reshape(1, -1), labels)
    if rows.size <= _LONG_LOOP:
        return _sum_of_squares(np.subtract(rows, center, dtype=np.float64, order="C"))
    sq_distances = np.empty(len(rows))
    for part, offsets in offsets_by_batch(rows, center, scratch):
        sq_distances[part] = _sum_of_squares(offsets)
    return sq_distances


def parts_of(n_rows, n_features):
    """Slices of so few rows that what is made of them in float64 stays in the cache."""
    step = max(1, _AT_ONCE // n_features)
    return [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]


def offsets_by_batch(rows, point, scratch=None):
    """Slices of dense rows, and these less a point: float64, in C order, in the same memory.

    Fresh memory for all rows would take longer to be had than to be filled.
    """
    for part in parts_of(*rows.shape):
        shape = part.stop - part.start, rows.shape[1]
        out = scratch_array({} if scratch is None else scratch, "offsets", shape, _FLOAT64)
        _subtract(rows[part], point, out)
        yield part, out


def _subtract(rows, point, out):
    """The rows less the point; in long loops, however few the features."""
    whole = 0
    if rows.flags.c_contiguous:
        at_once = _LONG_LOOP // point.size + 1
        whole = len(rows) // at_once * at_once
        several = rows[:whole].reshape(-1, at_once * point.size)
        np.subtract(several, np.tile(point, at_once), out=out[:whole].reshape(several.shape))
    np.subtract(rows[whole:], point, out=out[whole:])


def sq_distances_to_all(rows, table, scratch, sq_norms=None):
    """Squared distances (n_rows, n_clusters) in float64.

    By products; those that cancel, see `CANCELLED`, are done again by differences.
    """
    screen = table.screen(np.dtype(np.float64))
    block = screen.prepare(rows, table.shift, scratch)
    if sq_norms is None:
        sq_norms = screen.sq_norms(block)
    sq_norms = sq_norms[:, np.newaxis]
    out = screen.scores(block, scratch, screen.norms).T + sq_norms
    largest = sq_norms.max(initial=0.0) + table.sq_norms.max()
    if out.min(initial=np.inf) > CANCELLED * largest:  # one pass, most often the only one
        return out
    row, label = np.nonzero(out <= CANCELLED * (sq_norms + table.sq_norms))
    step = max(1, PAIRS // max(1, row_size(rows)))
    for start in range(0, row.size, step):
        i, j = row[start : start + step], label[start : start + step]
        out[i, j] = pair_sq_distances(rows[i], table.centers, j)
    return out


def row_size(rows):
    """Numbers in a row, on average."""
    return rows.nnz // max(1, rows.shape[0]) if sparse.issparse(rows) else rows.shape[1]
