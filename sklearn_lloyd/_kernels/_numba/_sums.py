"""Sums over rows in float64: of clusters, moments, norms, distances to the own centre."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import any_order, exact


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


@exact
def moments(X, start, stop, weights):
    """Weight, mean and sum of squared deviations by feature of rows from start to stop."""
    n_features = X.shape[1]
    mean, squares, total = np.zeros(n_features), np.zeros(n_features), 0.0
    for i in range(np.uintp(start), np.uintp(stop)):
        weight = weights[i] if weights.size else 1.0
        total += weight
        for j in range(n_features):
            mean[j] += weight * X[i, j]
    if total == 0.0:
        return 0.0, mean, squares
    for j in range(n_features):
        mean[j] /= total
    for i in range(np.uintp(start), np.uintp(stop)):
        weight = weights[i] if weights.size else 1.0
        for j in range(n_features):
            deviation = X[i, j] - mean[j]
            squares[j] += weight * (deviation * deviation)
    return total, mean, squares


@exact
def norms_and_keys(X, start, stop, shift, direction, weights, sq_norms, keys):
    """Fill in squared distances from the shift and the projections of rows from start to stop.

    Returns the weighted sum of the squared distances, in float64.
    """
    total = 0.0
    for i in range(np.uintp(start), np.uintp(stop)):
        norm, key = _norm_and_key(X, i, shift, direction)
        sq_norms[i] = norm
        keys[i] = key
        total += norm * (weights[i] if weights.size else 1.0)
    return total


@exact
def fill_norms(X, start, stop, shift, sq_norms):
    """Fill in squared distances from the shift of rows from start to stop."""
    for i in range(np.uintp(start), np.uintp(stop)):
        sq_norms[i] = _norm(X, i, shift)


@any_order
def _norm(X, i, shift):
    norm = 0.0
    for j in range(X.shape[1]):
        value = X[i, j] - (shift[j] if shift.size else 0.0)
        norm += value * value
    return norm


@any_order
def _norm_and_key(X, i, shift, direction):
    norm = key = 0.0
    if shift.size:
        for j in range(X.shape[1]):
            value = X[i, j] - shift[j]
            norm += value * value
            key += value * direction[j]
    else:
        for j in range(X.shape[1]):
            value = np.float64(X[i, j])
            norm += value * value
            key += value * direction[j]
    return norm, key


@exact
def inertia(X, start, stop, centers, labels, weights):
    """Weighted sum of the squared distances of rows to the centres of their labels."""
    total = 0.0
    for i in range(start, stop):
        distance = _distance(X, np.uintp(i), centers, np.uintp(labels[i]))
        total += distance * (weights[i] if weights.size else 1.0)
    return total


@any_order
def _distance(X, i, centers, c):
    total = 0.0
    for j in range(X.shape[1]):
        difference = X[i, j] - centers[c, j]
        total += difference * difference
    return total
