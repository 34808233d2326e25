"""Sums over rows: moments, norms and keys, and what a change of labels adds to the clusters."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from sklearn_lloyd._kernels._csr import sum_by_row, with_dtype
from sklearn_lloyd._kernels._distances import offsets_by_batch, parts_of

# A square of a norm that falls by this in one step has lost half of its digits.
CANCELLED_SQUARE = 1e14
# Sums of squares less the mean's that have lost as many digits are summed by differences instead.
_FEW_DIGITS = 1e-6
_FEW_ENTRIES = 1 << 14  # of a matrix of ones, up to which a dense one is the faster


def _offsets(rows, shift):
    """Dense rows less the shift, in float64 and C order; not to be written to."""
    if shift is None:
        return np.ascontiguousarray(rows, np.float64)
    return np.subtract(rows, shift, dtype=np.float64, order="C")


def norms_and_keys(rows, shift, direction, rounded=None):
    """Squared distances from the shift, and a fixed projection of each row; float64.

    Equal rows have equal keys, wherever they stand. `rounded`, if it is given, is filled with
    the rows less the shift.
    """
    if sparse.issparse(rows):
        data = rows.data.astype(np.float64)
        projected = direction.take(rows.indices)
        projected *= data
        return sum_by_row(rows, np.square(data, out=data)), sum_by_row(rows, projected)
    sq_norms, keys = np.empty((2, len(rows)))
    for part in parts_of(*rows.shape):
        offsets = _offsets(rows[part], shift)
        if rounded is not None:
            rounded[part] = offsets
        np.einsum("ij,ij->i", offsets, offsets, out=sq_norms[part])
        np.einsum("ij,j->i", offsets, direction, out=keys[part])
    return sq_norms, keys


def moments(rows, weights, scratch=None):
    """Weight, mean and sum of squared deviations by feature of a block, float64."""
    total = float(rows.shape[0]) if weights is None else float(weights.sum())
    if total == 0.0:
        return 0.0, np.zeros(rows.shape[1]), np.zeros(rows.shape[1])
    if sparse.issparse(rows):
        data = rows.data.astype(np.float64)
        if weights is not None:
            of_row = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
            weights = weights[of_row]
        scaled = data if weights is None else data * weights
        mean = np.bincount(rows.indices, scaled, minlength=rows.shape[1]) / total
        squares = np.bincount(rows.indices, scaled * data, minlength=rows.shape[1])
        deviations = squares - total * mean**2
        if (deviations < _FEW_DIGITS * squares).any():
            deviations = _sparse_squares(rows, data, weights, mean, total)
        return total, mean, deviations
    if weights is None:
        weights = np.ones(rows.shape[0])
    mean = np.zeros(rows.shape[1])
    for part in parts_of(*rows.shape):
        mean += weights[part] @ _offsets(rows[part], None)
    mean /= total
    squares = np.zeros(rows.shape[1])
    for part, offsets in offsets_by_batch(rows, mean, scratch):
        squares += weights[part] @ np.square(offsets, out=offsets)
    return total, mean, squares


def _sparse_squares(rows, data, weights, mean, total):
    """Sums of squared deviations of sparse rows by differences; weights are of the entries."""
    n_features = rows.shape[1]
    squares = np.square(data - mean.take(rows.indices))
    squares = squares if weights is None else squares * weights
    squares = np.bincount(rows.indices, squares, n_features)
    # A difference of weights would leave rounding where there is no zero.
    n_zeros = rows.shape[0] - np.bincount(rows.indices, minlength=n_features)
    of_zeros = n_zeros.astype(np.float64)
    if weights is not None:
        of_zeros = np.maximum(total - np.bincount(rows.indices, weights, n_features), 0.0)
    return squares + np.where(n_zeros > 0, of_zeros * mean**2, 0.0)


def label_sums(rows, weights, new, old, shift, n_clusters):
    """What rows that went from label `old` to `new` change in the clusters.

    In the first pass `old` is None: the rows come from nowhere.

    Returns
    -------
    sums : ndarray or sparse array of shape (n_clusters, n_features), float64
        Weighted sums of the rows, relative to the shift.
    weights : ndarray of shape (n_clusters,), float64
    members : ndarray of shape (n_clusters,), intp
        Rows of positive weight.
    """
    values = with_dtype(rows, np.float64) if sparse.issparse(rows) else _offsets(rows, shift)
    changes = _changes(new, old, weights, n_clusters)
    if sparse.issparse(rows):
        changes = sparse.csr_array(changes)  # as the rows, or SciPy converts them
    sums = changes @ values
    if weights is None:
        members = _counts(new, old, None, n_clusters)
        return sums, members.astype(np.float64), members
    members = np.rint(_counts(new, old, np.sign(weights), n_clusters)).astype(np.intp)
    return sums, _counts(new, old, weights, n_clusters), members


def _counts(new, old, weights, n_clusters):
    counts = np.bincount(new, weights, n_clusters)
    return counts if old is None else counts - np.bincount(old, weights, n_clusters)


def _changes(new, old, weights, n_clusters):
    """The matrix (n_clusters, n_rows) that adds rows to their new sums, takes off the old."""
    n_rows = new.size
    if n_rows * n_clusters <= _FEW_ENTRIES:
        clusters = np.arange(n_clusters)[:, np.newaxis]
        changes = np.equal(new, clusters).view(np.int8)
        if old is not None:
            changes = changes - np.equal(old, clusters).view(np.int8)
        changes = changes.astype(np.float64)
        if weights is not None:
            changes *= weights
        return changes
    signed = np.ones(n_rows) if weights is None else weights
    labels = new
    if old is not None:
        signed = np.column_stack([signed, -signed]).ravel()
        labels = np.column_stack([new, old]).ravel()
    each = labels.size // n_rows
    starts = np.arange(0, labels.size + 1, each)
    return sparse.csc_array((signed, labels, starts), shape=(n_clusters, n_rows))


def move_centers(centers, shift, counts, sums, weights, start, stop, moved):
    """Move centres to the means of all rows that have chosen them, those of a batch included.

    Parameters
    ----------
    centers : ndarray of shape (n_clusters, n_features), float64
    shift : ndarray of float64 of shape (n_features,), or (0,) for none
    counts : ndarray of shape (n_clusters,), float64
        The weight of all these rows.
    sums, weights : ndarrays, float64
        Of the batch; the sums are relative to the shift. The sums are overwritten.
    start, stop : int
        Features to do this for.
    moved : ndarray of shape (n_clusters, n_features), float64
        Filled: the centres afterwards.

    Returns
    -------
    center_shift : float
        Squared Frobenius norm of the movement.
    """
    centers, sums, moved = (array[:, start:stop] for array in (centers, sums, moved))
    offsets = centers - shift[start:stop] if shift.size else centers
    sums -= np.multiply(offsets, weights[:, np.newaxis], out=moved)
    sums /= np.maximum(counts, np.finfo(np.float64).tiny)[:, np.newaxis]
    np.add(centers, sums, out=moved)
    return float(np.einsum("ij,ij->", sums, sums))


def measure_sums(sums, weights, centers, shift, sum_of_squares, sq_norms_before, weights_before):
    """Whether sums of clusters have lost their digits, and the inertia that they tell.

    Parameters
    ----------
    sums, weights : ndarrays, float64
        Of all clusters; the sums are relative to the shift.
    centers : ndarray of shape (n_clusters, n_features), float64
    shift : ndarray of float64 of shape (n_features,), or (0,) for none
    sum_of_squares : float
        Weighted, of the distances of all rows from the shift.
    sq_norms_before, weights_before : ndarrays of shape (n_clusters,), float64
        Updated: the squared norms of the sums, and the weights, when they were measured before.
        Those of shape (0,) are passed over.

    Returns
    -------
    cancelled : bool
        Whether a sum, or a weight, is so much smaller than before that what it was made of has
        taken its digits.
    inertia : float
        Of the rows to the centres of their clusters. Not finite where a square overflows.
    """
    sq_norms = np.einsum("ij,ij->i", sums, sums)
    cancelled = (sq_norms_before > CANCELLED_SQUARE * sq_norms).any()
    sq_norms_before[:] = sq_norms
    if weights_before.size:
        cancelled |= (weights_before**2 > CANCELLED_SQUARE * np.square(weights)).any()
        weights_before[:] = weights
    offsets = centers - shift if shift.size else centers
    own = np.vdot(weights, np.einsum("ij,ij->i", offsets, offsets))
    # As floats of Python, which overflow without a word.
    return cancelled, float(sum_of_squares) - 2.0 * float(np.vdot(offsets, sums)) + float(own)


def move_to_means(sums, weights, centers, shift, means):
    """Fill in the means of clusters, all of some weight; return the squared movement.

    Parameters
    ----------
    sums, weights, centers, shift
        As of `measure_sums`.
    means : ndarray of shape (n_clusters, n_features), float64
    """
    np.divide(sums, weights[:, np.newaxis], out=means)
    if shift.size:
        means += shift
    difference = means - centers
    return float(np.vdot(difference, difference))


def add_sums(total, part):
    """Add the sums of a block to the total, in place; dense or sparse."""
    if isinstance(part, np.ndarray):
        total += part
    else:
        part = part.tocoo()
        total[part.row, part.col] += part.data
