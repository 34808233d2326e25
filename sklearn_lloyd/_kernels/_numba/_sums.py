"""Sums over rows in float64: of clusters, moments, norms, distances to the own centre."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import any_order_part, exact, exact_part
from sklearn_lloyd._kernels._numba._tiles import TILE, by_columns, rows_at_hand, tile_of


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
    """Weight, mean and sum of squared deviations by feature of rows from start to stop.

    A tile of rows at a time, which is read twice while it is in the cache (Chan et al. 1983).
    """
    n_features, total = X.shape[1], 0.0
    # Four arrays, and not one of four rows: those, for all that LLVM can tell, overlap.
    mean, squares = np.zeros(n_features), np.zeros(n_features)
    part_mean, part_squares = np.zeros(n_features), np.zeros(n_features)
    copied, column = tile_of(X, start, stop), np.empty(TILE)
    for first in range(start, stop, TILE):
        n = min(TILE, stop - first)
        part = weights[first : first + n]
        weight = part.sum() if weights.size else np.float64(n)
        if weight == 0.0:
            continue
        if by_columns(X):
            _moments_along_columns(X, first, n, part, weight, column, part_mean, part_squares)
        else:
            rows, r = rows_at_hand(X, first, n, copied)
            _add_rows(rows, r, n, part, part_mean)
            part_mean /= weight
            _add_squares(rows, r, n, part, part_mean, part_squares)
        ratio = weight / (total + weight)
        for j in range(np.uintp(n_features)):
            delta = part_mean[j] - mean[j]
            squares[j] += part_squares[j] + total * ratio * delta * delta
            mean[j] += ratio * delta
        total += weight
    return total, mean, squares


@any_order_part
def _moments_along_columns(X, first, n, weights, weight, column, mean, squares):
    first, n = np.uintp(first), np.uintp(n)
    for j in range(np.uintp(X.shape[1])):
        total = square = 0.0
        for r in range(n):
            column[r] = X[first + r, j]
        for r in range(n):
            total += column[r] * (weights[r] if weights.size else 1.0)
        mean[j] = total / weight
        for r in range(n):
            off = column[r] - mean[j]
            square += off * off * (weights[r] if weights.size else 1.0)
        squares[j] = square


# Four rows at a time: a quarter of the loads and stores. One result in each loop: with two, LLVM
# gives up proving that they do not overlap.


@any_order_part
def _add_rows(X, first, n, weights, sums):
    first, n, weight = np.uintp(first), np.uintp(n), 1.0
    sums[:] = 0.0
    one, two, three, four = np.uintp(1), np.uintp(2), np.uintp(3), np.uintp(4)
    whole, w0, w1, w2, w3 = n // four * four, 1.0, 1.0, 1.0, 1.0
    for r in range(np.uintp(0), whole, four):
        if weights.size:
            w0, w1, w2, w3 = weights[r], weights[r + one], weights[r + two], weights[r + three]
        i = first + r
        for j in range(np.uintp(X.shape[1])):
            pair = w0 * X[i, j] + w1 * X[i + one, j]
            sums[j] += pair + (w2 * X[i + two, j] + w3 * X[i + three, j])
    for r in range(whole, n):
        if weights.size:
            weight = weights[r]
        for j in range(np.uintp(X.shape[1])):
            sums[j] += weight * X[first + r, j]


@any_order_part
def _add_squares(X, first, n, weights, center, squares):
    first, n, weight = np.uintp(first), np.uintp(n), 1.0
    squares[:] = 0.0
    one, two, three, four = np.uintp(1), np.uintp(2), np.uintp(3), np.uintp(4)
    whole, w0, w1, w2, w3 = n // four * four, 1.0, 1.0, 1.0, 1.0
    for r in range(np.uintp(0), whole, four):
        if weights.size:
            w0, w1, w2, w3 = weights[r], weights[r + one], weights[r + two], weights[r + three]
        i = first + r
        for j in range(np.uintp(X.shape[1])):
            off = center[j]
            x0, x1, x2, x3 = X[i, j], X[i + one, j], X[i + two, j], X[i + three, j]
            x0, x1, x2, x3 = x0 - off, x1 - off, x2 - off, x3 - off
            squares[j] += (w0 * x0 * x0 + w1 * x1 * x1) + (w2 * x2 * x2 + w3 * x3 * x3)
    for r in range(whole, n):
        if weights.size:
            weight = weights[r]
        for j in range(np.uintp(X.shape[1])):
            off = X[first + r, j] - center[j]
            squares[j] += weight * off * off


@exact
def norms_and_keys(X, start, stop, shift, direction, weights, sq_norms, keys, rounded):
    """Fill in squared distances from the shift and the projections of rows from start to stop.

    `rounded`, if it is not empty, is filled with the rows less the shift, in its precision.
    Returns the weighted sum of the squared distances, in float64.
    """
    total, norm, key = 0.0, np.empty(TILE), np.empty(TILE)
    off = shift if shift.size else np.zeros(X.shape[1])
    copied = tile_of(X, start, stop)
    for first in range(start, stop, TILE):
        n = min(TILE, stop - first)
        if by_columns(X):
            _along_columns(X, first, n, off, direction, norm, key)
            if rounded.size:
                _round_rows(X, first, n, shift, rounded[first:])
        else:
            rows, r = rows_at_hand(X, first, n, copied)
            _along_rows(rows, r, n, off, direction, norm, key)
            if rounded.size:
                _round_rows(rows, r, n, shift, rounded[first:])
        first = np.uintp(first)
        for r in range(np.uintp(n)):
            sq_norms[first + r] = norm[r]
            keys[first + r] = key[r]
            total += norm[r] * (weights[first + r] if weights.size else 1.0)
    return total


@exact_part
def _round_rows(X, first, n, shift, out):
    first = np.uintp(first)
    for r in range(np.uintp(n)):
        if shift.size:
            for j in range(np.uintp(X.shape[1])):
                out[r, j] = X[first + r, j] - shift[j]
        else:
            for j in range(np.uintp(X.shape[1])):
                out[r, j] = X[first + r, j]


@exact
def fill_norms(X, start, stop, shift, sq_norms):
    """Fill in squared distances from the shift of rows from start to stop."""
    norm, key, nowhere = np.empty(TILE), np.empty(TILE), np.zeros(X.shape[1])
    copied = tile_of(X, start, stop)
    shift = shift if shift.size else nowhere
    for first in range(start, stop, TILE):
        n = min(TILE, stop - first)
        if by_columns(X):
            _along_columns(X, first, n, shift, nowhere, norm, key)
        else:
            _along_rows(*rows_at_hand(X, first, n, copied), n, shift, nowhere, norm, key)
        first = np.uintp(first)
        for r in range(np.uintp(n)):
            sq_norms[first + r] = norm[r]


# Equal rows have equal keys, so each row is summed by the same operations in the same order.


@exact_part
def _along_columns(X, first, n, shift, direction, norm, key):
    first, n = np.uintp(first), np.uintp(n)
    norm[:n] = 0.0
    key[:n] = 0.0
    for j in range(np.uintp(X.shape[1])):
        for r in range(n):
            value = np.float64(X[first + r, j]) - shift[j]
            norm[r] += value * value
            key[r] += value * direction[j]


@any_order_part
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


@any_order_part
def _own_along_columns(X, first, n, centers, labels, distance):
    first, n = np.uintp(first), np.uintp(n)
    distance[:n] = 0.0
    for j in range(np.uintp(X.shape[1])):
        for r in range(n):
            difference = np.float64(X[first + r, j]) - centers[np.uintp(labels[first + r]), j]
            distance[r] += difference * difference


@any_order_part
def _own_along_rows(X, first, n, centers, labels, distance):
    first = np.uintp(first)
    for r in range(np.uintp(n)):
        total, c = 0.0, np.uintp(labels[first + r])
        for j in range(np.uintp(X.shape[1])):
            difference = np.float64(X[first + r, j]) - centers[c, j]
            total += difference * difference
        distance[r] = total
