"""From scores to labels: what they prove is taken over, the rest is decided exactly."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._distances import sq_distance
from sklearn_lloyd._kernels._numba._jit import any_order, exact


@exact
def settle(
    X,
    index,
    n,
    least,
    centers,
    shift,
    table,
    norms,
    sq_norms,
    slack_of_norm,
    slack_of_center,
    eps,
    labels,
    limit,
    drift,
    changed,
    old,
):
    """Label the rows whose scores were computed; see that the others are decided too.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    index : ndarray of intp
        Of which the first n count.
    least : tuple of ndarrays (best, second, label)
        The two least scores of these rows and the centre of the least. Overwritten.
    centers : ndarray of float64 of shape (n_clusters, n_features)
    shift : ndarray of float64 of shape (n_features,), or (0,) for none
    table, norms : ndarrays
        What the scores were computed from, as of `least_of_rows`.
    sq_norms : ndarray of shape (n_samples,)
    slack_of_norm : float
        The slack of a score is this times the squared norm of the row...
    slack_of_center : ndarray of shape (n_clusters,)
        ...plus that of its centre.
    eps : float
        A bound on the relative rounding of what is computed here.
    labels : ndarray of intp of shape (n_samples,)
        Updated.
    limit : ndarray of shape (n_samples,), or (0,) where no bounds are kept
        Updated: the drift up to which the label is safe.
    drift : ndarray of shape (n_clusters,)
        What the bounds count from, rounded down.
    changed, old : ndarrays of intp
        Filled: rows with a new label, and the one before.

    Returns
    -------
    n_changed, n_unsure : int
        The length of what was filled, and how many rows the scores left open.
    """
    best, second, label = least
    zero, one = best.dtype.type(0), best.dtype.type(1)
    row = np.empty(X.shape[1], best.dtype)
    n_changed = n_unsure = 0
    for r in range(n):
        i, c = index[r], np.intp(label[r])
        norm = sq_norms[i]
        slack = norm * slack_of_norm + slack_of_center[c]
        if second[r] - best[r] > slack:
            if limit.size:
                # By how much nearer the own centre is than any other, rounded down.
                slack += norm * eps
                far = np.sqrt(max(second[r] + norm - slack, zero)) * (one - eps)
                gap = far - np.sqrt(max(best[r] + norm + slack, zero))
                limit[i] = (drift[c] + gap) * (one - eps)
        else:
            n_unsure += 1
            c = _nearest(X, i, centers, shift, table, norms, best[r] + 2 * slack, row)
            if limit.size:
                limit[i] = -np.inf  # two are nearly as near: the next movement may tell
        before = labels[i]
        if before != c:
            labels[i] = c
            changed[n_changed] = i
            old[n_changed] = before
            n_changed += 1
    return n_changed, n_unsure


@exact
def _nearest(X, i, centers, shift, table, norms, bound, row):
    """The nearest centre of row i by the definition, among those whose score is in bounds."""
    for j in range(X.shape[1]):
        row[j] = np.float64(X[i, j]) - shift[j] if shift.size else np.float64(X[i, j])
    least, label = np.inf, 0
    for c in range(len(centers)):
        if _product(row, table, c) + norms[c] > bound:
            continue
        distance = sq_distance(X, i, centers, c)
        if distance < least:
            least, label = distance, c
    return label


@any_order
def _product(row, table, c):
    product = row.dtype.type(0)
    for j in range(len(row)):
        product += row[j] * table[np.uintp(c), j]
    return product
