"""Compiled kernels for CSR rows, which must have no entry twice: exact distances to all centres.

Centres lie feature by feature, so that one stored entry meets a contiguous run of numbers, one
for each centre, and the inner loop over the centres is vectorised. Each centre's sum is still
added entry by entry in float64: the definition to the last bit, with nothing left to decide.
"""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._batch import measure_sums, move_centers, move_to_means
from sklearn_lloyd._kernels._numba._jit import exact, exact_part
from sklearn_lloyd._kernels._numba._rows import find_active

__all__ = [
    "distances",
    "empty_columns",
    "fill_columns",
    "find_active",
    "has_duplicates",
    "label_rows",
    "measure_sums",
    "move_centers",
    "move_rows",
    "move_to_means",
    "nearest_rows",
]

_LANES = 8  # centres are filled up to a multiple of this
_ZERO = 8 * np.finfo(np.float64).eps  # share of |c|^2, up to which cancellation leaves a zero


@exact
def has_duplicates(indices, indptr, n_features):
    """Whether any row has two entries in one column."""
    last_row = np.full(n_features, -1, np.intp)
    for i in range(len(indptr) - 1):
        for p in range(np.uintp(indptr[i]), np.uintp(indptr[i + 1])):
            j = np.uintp(indices[p])
            if last_row[j] == i:
                return True
            last_row[j] = i
    return False


def empty_columns(n_clusters, n_features):
    """Memory for `fill_columns`; zero where there is no centre."""
    return np.zeros((n_features, -(-n_clusters // _LANES) * _LANES))


@exact
def fill_columns(centers, start, stop, columns):
    """Write the centres times -2, feature by feature, for the features from start to stop."""
    for first in range(start, stop, 64):
        for c in range(len(centers)):
            for j in range(first, min(first + 64, stop)):
                columns[np.uintp(j), np.uintp(c)] = -2.0 * centers[np.uintp(c), np.uintp(j)]


@exact_part
def _sums(data, indices, start, stop, columns, sums):
    """For each centre, the sum of x (x - 2 c) over the stored entries of a row."""
    sums[:] = 0.0
    start, stop = np.uintp(start), np.uintp(stop)
    whole = start + (stop - start) // np.uintp(4) * np.uintp(4)
    # Four entries at a time, added one after the other: a quarter of the loads and stores.
    for p in range(start, whole, np.uintp(4)):
        q, r, s = p + np.uintp(1), p + np.uintp(2), p + np.uintp(3)
        x0, x1 = np.float64(data[p]), np.float64(data[q])
        x2, x3 = np.float64(data[r]), np.float64(data[s])
        j0, j1 = np.uintp(indices[p]), np.uintp(indices[q])
        j2, j3 = np.uintp(indices[r]), np.uintp(indices[s])
        for c in range(np.uintp(len(sums))):
            total = sums[c] + x0 * (x0 + columns[j0, c])
            total += x1 * (x1 + columns[j1, c])
            total += x2 * (x2 + columns[j2, c])
            sums[c] = total + x3 * (x3 + columns[j3, c])
    for p in range(whole, stop):
        x, j = np.float64(data[p]), np.uintp(indices[p])
        for c in range(np.uintp(len(sums))):
            sums[c] += x * (x + columns[j, c])


@exact_part
def _two_least(sums, norms):
    """The nearest centre, its squared distance and the second least one."""
    own, other, label = np.inf, np.inf, np.uintp(0)
    for c in range(np.uintp(len(norms))):
        distance = sums[c] + norms[c]
        distance = distance if distance > _ZERO * norms[c] else 0.0
        if distance < own:
            own, other, label = distance, own, c
        elif distance < other:
            other = distance
    return np.intp(label), own, other


@exact
def distances(data, indices, indptr, start, stop, columns, norms, out):
    """Squared distances of the rows from start to stop to all centres: fill out[start:stop]."""
    sums = np.empty(columns.shape[1])
    for i in range(np.uintp(start), np.uintp(stop)):
        _sums(data, indices, indptr[i], indptr[i + np.uintp(1)], columns, sums)
        for c in range(np.uintp(len(norms))):
            distance = sums[c] + norms[c]
            out[i, c] = distance if distance > _ZERO * norms[c] else 0.0


@exact
def nearest_rows(data, indices, indptr, start, stop, columns, norms, labels, costs):
    """Label the rows from start to stop, and fill in the squared distances to their centres."""
    sums = np.empty(columns.shape[1])
    for i in range(np.uintp(start), np.uintp(stop)):
        _sums(data, indices, indptr[i], indptr[i + np.uintp(1)], columns, sums)
        labels[i], costs[i], _ = _two_least(sums, norms)


@exact
def label_rows(
    data,
    indices,
    indptr,
    index,
    n,
    columns,
    norms,
    sq_norms,
    slack_of_norm,
    slack_of_center,
    labels,
    limit,
    drift,
    eps,
    changed,
    old,
):
    """Label the rows of `index`, keep their bounds, and list those whose label changed.

    Parameters
    ----------
    data, indices, indptr : ndarrays
        Of the CSR matrix of shape (n_samples, n_features).
    index : ndarray of intp
        Of which the first n count.
    columns : ndarray of shape (n_features, at least n_clusters)
        See `fill_columns`.
    norms : ndarray of float64 of shape (n_clusters,)
    sq_norms : ndarray of shape (n_samples,)
    slack_of_norm, slack_of_center : float
        A bound on the error of a squared distance: the first times the squared norm of the
        row, plus the second.
    labels : ndarray of intp of shape (n_samples,)
        Updated.
    limit : ndarray of shape (n_samples,), or (0,) where no bounds are kept
        Updated: the drift up to which the label is safe.
    drift : ndarray of shape (n_clusters,)
        What the bounds count from, rounded down.
    eps : float
        A bound on the relative rounding of a limit.
    changed, old : ndarrays of intp
        Filled: rows with a new label, and the one before.

    Returns
    -------
    n_changed : int
    """
    sums = np.empty(columns.shape[1])
    n_changed = 0
    for r in range(np.uintp(n)):
        i = np.uintp(index[r])
        _sums(data, indices, indptr[i], indptr[i + np.uintp(1)], columns, sums)
        c, own, other = _two_least(sums, norms)
        if limit.size:
            slack = np.float64(sq_norms[i]) * slack_of_norm + slack_of_center
            gap = np.sqrt(max(other - slack, 0.0)) - np.sqrt(own + slack)
            limit[i] = (np.float64(drift[c]) + gap) * (1.0 - eps)
        before = labels[i]
        if before != c:
            labels[i] = c
            changed[n_changed] = i
            old[n_changed] = before
            n_changed += 1
    return n_changed


@exact
def move_rows(
    data, indices, indptr, index, old, labels, weights, sums, sum_of_weights, members
):  # fmt: skip
    """Add rows to the clusters that they are in now, and take them off the old.

    Parameters
    ----------
    data, indices, indptr : ndarrays
    index, old : ndarrays of intp
        Rows, and the labels they had; -1: none.
    labels : ndarray of intp of shape (n_samples,)
    weights : ndarray of float64 of shape (n_samples,), or (0,) for one each
    sums : ndarray of float64 of shape (n_clusters, n_features)
    sum_of_weights : ndarray of float64 of shape (n_clusters,)
    members : ndarray of intp of shape (n_clusters,)
        Updated, all three.
    """
    for r in range(np.uintp(len(index))):
        i = np.uintp(index[r])
        w = weights[i] if weights.size else 1.0
        for side in range(2):
            c = labels[i] if side == 0 else old[r]
            if c < 0:
                continue
            sign = 1 if side == 0 else -1
            factor = sign * w
            c = np.uintp(c)
            sum_of_weights[c] += factor
            members[c] += sign * (w > 0)
            for p in range(np.uintp(indptr[i]), np.uintp(indptr[i + np.uintp(1)])):
                sums[c, np.uintp(indices[p])] += factor * np.float64(data[p])
