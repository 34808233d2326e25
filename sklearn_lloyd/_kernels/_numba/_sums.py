"""Sums over rows in float64: of clusters, moments, norms, distances to the own centre."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import any_order, exact
from sklearn_lloyd._kernels._numba._tiles import TILE, by_columns


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
    n_clusters, n_features = 0, np.uintp(X.shape[1])
    for r in range(np.uintp(n)):
        for c in (labels[np.uintp(index[r])], old[r]):
            if c >= 0 and place[c] < 0:
                place[c] = n_clusters
                clusters[n_clusters] = c
                n_clusters += 1
    sums[:n_clusters] = 0.0
    weight[:n_clusters] = 0.0
    members[:n_clusters] = 0
    for r in range(np.uintp(n)):
        i = np.uintp(index[r])
        w = weights[i] if weights.size else 1.0
        new, is_member = np.uintp(place[labels[i]]), np.intp(w > 0.0)
        weight[new] += w
        members[new] += is_member
        if old[r] < 0:
            for j in range(n_features):
                sums[new, j] += w * (X[i, j] - (shift[j] if shift.size else 0.0))
            continue
        before = np.uintp(place[old[r]])
        weight[before] -= w
        members[before] -= is_member
        for j in range(n_features):
            term = w * (X[i, j] - (shift[j] if shift.size else 0.0))
            sums[new, j] += term
            sums[before, j] -= term
    for p in range(n_clusters):
        place[clusters[p]] = -1
    return n_clusters


@exact
def add_moved(clusters, n, sums, weight, members, all_sums, all_weights, all_members):
    """Add the first n changes that `move_rows` found to the sums of all clusters."""
    for p in range(np.uintp(n)):
        c = np.uintp(clusters[p])
        all_weights[c] += weight[p]
        all_members[c] += members[p]
        for j in range(np.uintp(sums.shape[1])):
            all_sums[c, j] += sums[p, j]


@exact
def moments(X, start, stop, weights):
    """Weight, mean and sum of squared deviations by feature of rows from start to stop."""
    n_features, total = X.shape[1], np.float64(stop - start)
    mean, squares, nowhere = np.zeros(n_features), np.zeros(n_features), np.zeros(n_features)
    if weights.size:
        total = weights[start:stop].sum()
    if total > 0.0:
        _add_moments(X, start, stop, weights, nowhere, mean, squares)
        mean /= total
        _add_moments(X, start, stop, weights, mean, nowhere, squares)
    return total, mean, squares


@any_order
def _add_moments(X, start, stop, weights, center, sums, squares):
    """Add up what rows are off a centre; fill in the squares of that."""
    start, stop = np.uintp(start), np.uintp(stop)
    squares[:] = 0.0
    if by_columns(X):
        for j in range(np.uintp(X.shape[1])):
            total = square = 0.0
            for i in range(start, stop):
                off = X[i, j] - center[j]
                weighted = off * weights[i] if weights.size else off
                total += weighted
                square += weighted * off
            sums[j] += total
            squares[j] += square
        return
    one, two, three, four = np.uintp(1), np.uintp(2), np.uintp(3), np.uintp(4)
    whole = start + (stop - start) // four * four
    w0 = w1 = w2 = w3 = 1.0
    for i in range(start, whole, four):  # four at a time: a quarter of the loads and stores
        if weights.size:
            w0, w1, w2, w3 = weights[i], weights[i + one], weights[i + two], weights[i + three]
        for j in range(np.uintp(X.shape[1])):
            off = center[j]
            x0, x1, x2, x3 = X[i, j], X[i + one, j], X[i + two, j], X[i + three, j]
            x0, x1, x2, x3 = x0 - off, x1 - off, x2 - off, x3 - off
            sums[j] += (w0 * x0 + w1 * x1) + (w2 * x2 + w3 * x3)
            squares[j] += (w0 * x0 * x0 + w1 * x1 * x1) + (w2 * x2 * x2 + w3 * x3 * x3)
    for i in range(whole, stop):
        weight = weights[i] if weights.size else 1.0
        for j in range(np.uintp(X.shape[1])):
            x0 = X[i, j] - center[j]
            sums[j] += weight * x0
            squares[j] += weight * x0 * x0


@exact
def norms_and_keys(X, start, stop, shift, direction, weights, sq_norms, keys):
    """Fill in squared distances from the shift and the projections of rows from start to stop.

    Returns the weighted sum of the squared distances, in float64.
    """
    total, norm, key = 0.0, np.empty(TILE), np.empty(TILE)
    shift = shift if shift.size else np.zeros(X.shape[1])
    for first in range(start, stop, TILE):
        n = min(TILE, stop - first)
        if by_columns(X):
            _along_columns(X, first, n, shift, direction, norm, key)
        else:
            _along_rows(X, first, n, shift, direction, norm, key)
        first = np.uintp(first)
        for r in range(np.uintp(n)):
            sq_norms[first + r] = norm[r]
            keys[first + r] = key[r]
            total += norm[r] * (weights[first + r] if weights.size else 1.0)
    return total


@exact
def round_rows(X, start, stop, shift, out):
    """Copy rows from start to stop less the shift, in the precision of `out`."""
    for i in range(np.uintp(start), np.uintp(stop)):
        if shift.size:
            for j in range(np.uintp(X.shape[1])):
                out[i, j] = X[i, j] - shift[j]
        else:
            for j in range(np.uintp(X.shape[1])):
                out[i, j] = X[i, j]


@exact
def fill_norms(X, start, stop, shift, sq_norms):
    """Fill in squared distances from the shift of rows from start to stop."""
    norm, key, nowhere = np.empty(TILE), np.empty(TILE), np.zeros(X.shape[1])
    shift = shift if shift.size else nowhere
    for first in range(start, stop, TILE):
        n = min(TILE, stop - first)
        if by_columns(X):
            _along_columns(X, first, n, shift, nowhere, norm, key)
        else:
            _along_rows(X, first, n, shift, nowhere, norm, key)
        sq_norms[first : first + n] = norm[:n]


# Equal rows have equal keys, so each row is summed by the same operations in the same order.


@exact
def _along_columns(X, first, n, shift, direction, norm, key):
    first, n = np.uintp(first), np.uintp(n)
    norm[:n] = 0.0
    key[:n] = 0.0
    for j in range(np.uintp(X.shape[1])):
        for r in range(n):
            value = np.float64(X[first + r, j]) - shift[j]
            norm[r] += value * value
            key[r] += value * direction[j]


@any_order
def _along_rows(X, first, n, shift, direction, norm, key):
    first = np.uintp(first)
    for r in range(np.uintp(n)):
        sum_of_squares = product = 0.0
        for j in range(np.uintp(X.shape[1])):
            value = np.float64(X[first + r, j]) - shift[j]
            sum_of_squares += value * value
            product += value * direction[j]
        norm[r] = sum_of_squares
        key[r] = product


@exact
def inertia(X, start, stop, centers, labels, weights):
    """Weighted sum of the squared distances of rows to the centres of their labels."""
    total, distance = 0.0, np.empty(TILE)
    for first in range(start, stop, TILE):
        n = min(TILE, stop - first)
        if by_columns(X):
            _own_along_columns(X, first, n, centers, labels, distance)
        else:
            _own_along_rows(X, first, n, centers, labels, distance)
        for r in range(n):
            total += distance[r] * (weights[first + r] if weights.size else 1.0)
    return total


@any_order
def _own_along_columns(X, first, n, centers, labels, distance):
    first, n = np.uintp(first), np.uintp(n)
    distance[:n] = 0.0
    for j in range(np.uintp(X.shape[1])):
        for r in range(n):
            difference = np.float64(X[first + r, j]) - centers[np.uintp(labels[first + r]), j]
            distance[r] += difference * difference


@any_order
def _own_along_rows(X, first, n, centers, labels, distance):
    first = np.uintp(first)
    for r in range(np.uintp(n)):
        total, c = 0.0, np.uintp(labels[first + r])
        for j in range(np.uintp(X.shape[1])):
            difference = np.float64(X[first + r, j]) - centers[c, j]
            total += difference * difference
        distance[r] = total
