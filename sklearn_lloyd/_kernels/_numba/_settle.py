"""From scores to labels: what they prove is taken over, the rest is decided exactly."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._distances import sq_distance
from sklearn_lloyd._kernels._numba._jit import exact


@exact
def settle(
    X,
    index,
    n,
    least,
    centers,
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
            c, own, other = _nearest(X, i, centers)
            if limit.size:
                gap = np.sqrt(other) * (1 - 1e-15 * X.shape[1]) - np.sqrt(own)
                limit[i] = (drift[c] + best.dtype.type(gap)) * (one - eps)
        before = labels[i]
        if before != c:
            labels[i] = c
            changed[n_changed] = i
            old[n_changed] = before
            n_changed += 1
    return n_changed, n_unsure


@exact
def _nearest(X, i, centers):
    """The nearest centre of row i by the definition, and the two least squared distances."""
    own, other, label = np.inf, np.inf, 0
    for c in range(len(centers)):
        distance = sq_distance(X, i, centers, c)
        if distance < own:
            own, other, label = distance, own, c
        elif distance < other:
            other = distance
    return label, own, other
