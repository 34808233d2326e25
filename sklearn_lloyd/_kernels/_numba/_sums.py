"""Sums of rows in float64, for the clusters that they enter and leave."""

from __future__ import annotations

from sklearn_lloyd._kernels._numba._jit import exact


@exact
def move_rows(X, index, n, labels, old, weights, shift, place, sums, weight, members, clusters):
    """What rows add to the clusters that they are in now, and take from those they were in.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    index : ndarray of intp
        Of which the first n count: rows whose label changed.
    labels : ndarray of intp of shape (n_samples,)
    old : ndarray of intp
        The labels before, of the rows of `index`; -1: from nowhere.
    weights : ndarray of float64 of shape (n_samples,), or (0,) for one each
    shift : ndarray of float64 of shape (n_features,), or (0,) for none
    place : ndarray of intp of shape (n_clusters,)
        Scratch memory, -1 throughout before and after.
    sums, weight, members, clusters : ndarrays
        Filled: by how much the clusters changed, and which.

    Returns
    -------
    n_clusters : int
        How many clusters changed.
    """
    n_changed = 0
    for r in range(n):
        i = index[r]
        w = weights[i] if weights.size else 1.0
        for side in range(2):
            c = labels[i] if side == 0 else old[r]
            if c < 0:
                continue
            sign = 1 if side == 0 else -1
            p = place[c]
            if p < 0:
                p = n_changed
                n_changed += 1
                place[c] = p
                clusters[p] = c
                sums[p] = 0.0
                weight[p] = 0.0
                members[p] = 0
            weight[p] += sign * w
            members[p] += sign * (w > 0)
            factor = sign * w
            if shift.size:
                for j in range(X.shape[1]):
                    sums[p, j] += factor * (X[i, j] - shift[j])
            else:
                for j in range(X.shape[1]):
                    sums[p, j] += factor * X[i, j]
    for p in range(n_changed):
        place[clusters[p]] = -1
    return n_changed
