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
    decided,
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
        The two least scores of these rows and the centre of the least.
    decided : bool
        Whether that centre is the nearest even where the scores leave it open.
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
    scores = np.empty(len(table), best.dtype)
    columns = np.empty((0, 0), best.dtype)
    n_changed, n_unsure = np.uintp(0), 0
    for r in range(np.uintp(n)):
        i, c = np.uintp(index[r]), np.uintp(label[r])
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
            if not decided:
                if n_unsure == 1:
                    columns = np.ascontiguousarray(table.T)
                bound = best[r] + 2 * slack
                c = np.uintp(_nearest(X, i, centers, shift, columns, norms, bound, scores))
            if limit.size:
                limit[i] = -np.inf  # two are nearly as near: the next movement may tell
        before = labels[i]
        labels[i] = c
        changed[n_changed] = i
        old[n_changed] = before
        n_changed += np.uintp(before != np.intp(c))
    return np.intp(n_changed), n_unsure


@exact
def decide_open(
    X,
    index,
    first,
    n,
    scores,
    norms,
    centers,
    sq_norms,
    slack_of_norm,
    slack_of_center,
    best,
    second,
    label,
):
    """Decide by the definition the rows that the scores leave open.

    Only centres whose score is within the slack of the least are measured. The rows are
    index[first:][:n], their scores the first n columns of `scores`.
    """
    is_open, bound, n_open = np.empty(n, np.uintp), np.empty(n, best.dtype), np.uintp(0)
    for r in range(np.uintp(n)):
        p = np.uintp(first) + r
        slack = sq_norms[np.uintp(index[p])] * slack_of_norm + slack_of_center[np.uintp(label[p])]
        is_open[n_open] = r
        bound[n_open] = best[p] + 2 * slack
        n_open += np.uintp(not (second[p] - best[p] > slack))
    nearest = np.full(n_open, np.inf)
    for c in range(np.uintp(len(centers))):
        for q in range(n_open):
            r = is_open[q]
            if not (scores[c, r] + norms[c] > bound[q]):
                p = np.uintp(first) + r
                distance = sq_distance(X, index[p], centers, c)
                if distance < nearest[q]:
                    nearest[q] = distance
                    label[p] = c


@exact
def settle_fast(
    index,
    start,
    n,
    rows,
    products,
    fast,
    table,
    norms,
    sq_norms,
    slack_of_norm,
    slack_of_center,
    eps,
    labels,
    limit,
    drift,
    drift_above,
    full,
    n_full,
):
    """Lower the limits of rows by how near the fast centres are; list those that need more.

    Parameters
    ----------
    index, start, n
        The rows are index[start:][:n].
    rows : ndarray of shape (n, n_features)
        What they are, less the shift.
    products : ndarray of shape (n_fast, n)
        With the rows of `table` that are `fast`.
    fast : ndarray of intp of shape (n_fast,)
        Centres.
    drift, drift_above : ndarrays of shape (n_clusters,)
        Rounded down and up; without the movement of the fast centres.
    full : ndarray of intp
        Rows that some fast centre may be nearer to are added from n_full on.

    Returns
    -------
    n_full : int
    """
    zero, one = limit.dtype.type(0), limit.dtype.type(1)
    owners, least = np.empty(n, np.intp), np.empty(n, limit.dtype)
    for r in range(n):
        owners[r] = labels[index[start + r]]
    _least_but_own(products, n, fast, norms, owners, least)
    for r in range(n):
        i, own = index[start + r], owners[r]
        norm = sq_norms[i]
        best = _product(rows, r, table, own) + norms[own]
        slack = norm * (slack_of_norm + eps) + slack_of_center[own]
        far = np.sqrt(max(least[r] + norm - slack, zero)) * (one - eps)
        gap = far - np.sqrt(max(best + norm + slack, zero))
        left = (drift[own] + gap) * (one - eps)
        if left > drift_above[own] and np.isfinite(best):
            limit[i] = min(limit[i], left)
        else:
            full[n_full] = i
            n_full += 1
    return n_full


@exact
def _nearest(X, i, centers, shift, columns, norms, bound, scores):
    """The nearest centre of row i by the definition, among those whose score is in bounds."""
    scores[:] = norms
    for j in range(X.shape[1]):
        value = np.float64(X[i, j]) - shift[j] if shift.size else np.float64(X[i, j])
        _add_column(scores, columns, j, value)
    least, label = np.inf, 0
    for c in range(len(centers)):
        if not (scores[c] > bound):
            distance = sq_distance(X, i, centers, c)
            if distance < least:
                least, label = distance, c
    return label


@any_order
def _add_column(scores, columns, j, value):
    factor = scores.dtype.type(value)
    for c in range(len(scores)):
        scores[c] += factor * columns[j, c]


@any_order
def _product(rows, r, table, c):
    product = rows.dtype.type(0)
    r, c = np.uintp(r), np.uintp(c)
    for j in range(rows.shape[1]):
        product += rows[r, j] * table[c, j]
    return product


@any_order
def _least_but_own(products, n, fast, norms, own, least):
    """The least score of each row, but for that of its own centre."""
    for r in range(n):
        least[r] = np.inf
    for f in range(len(fast)):
        center, norm = fast[f], norms[fast[f]]
        for r in range(n):
            score = products[f, r] + norm
            least[r] = score if score < least[r] and own[r] != center else least[r]
