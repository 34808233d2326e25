"""Rows against clusters: sums of distances to their rows, and the least score but the own.

Rows are looked at many at a time, feature by feature: loops over the rows run in vector registers.
Differences, not products: no digit is lost, however close the rows are.
"""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import any_order_part, exact, exact_part

_LANES = 64  # rows side by side
_OTHERS = 256  # rows that are copied at once to meet them


@exact_part
def _turn(X, rows, first, n, shift, out):
    """Copy rows[first:][:n] to columns, less the shift; the last of them to all that is left."""
    for r in range(np.uintp(out.shape[1])):
        i = np.uintp(rows[np.uintp(first) + min(r, np.uintp(n - 1))])
        for j in range(np.uintp(X.shape[1])):
            out[j, r] = X[i, j]
    if shift.size:
        for j in range(np.uintp(out.shape[0])):
            for r in range(np.uintp(out.shape[1])):
                out[j, r] -= shift[j]


@any_order_part
def _sq_distances(columns, point, p, out):
    """Squared distances of columns to row p of `point`."""
    one, two, three, four = np.uintp(1), np.uintp(2), np.uintp(3), np.uintp(4)
    n_features, p = np.uintp(columns.shape[0]), np.uintp(p)
    whole = n_features // four * four
    for r in range(np.uintp(_LANES)):
        out[r] = 0.0
    for j in range(np.uintp(0), whole, four):
        a, b, c, d = point[p, j], point[p, j + one], point[p, j + two], point[p, j + three]
        for r in range(np.uintp(_LANES)):
            e, f = columns[j, r] - a, columns[j + one, r] - b
            g, h = columns[j + two, r] - c, columns[j + three, r] - d
            out[r] += (e * e + f * f) + (g * g + h * h)
    for j in range(whole, n_features):
        a = point[p, j]
        for r in range(np.uintp(_LANES)):
            e = columns[j, r] - a
            out[r] += e * e


@exact
def distance_sums(X, rows, others, clusters, weights, sums):
    """Add up the distances of rows to other ones by the clusters of these.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    rows : ndarray of intp of shape (n_rows,)
    others : ndarray of intp of shape (n_others,)
    clusters : ndarray of intp of shape (n_others, n_labelings)
        Columns of `sums` that the distances to a row are added to.
    weights : ndarray of float64 of shape (n_others,), or (0,) for one each
    sums : ndarray of float64 of shape (n_rows, n_clusters)
        Filled.
    """
    n_rows, n_features = len(rows), X.shape[1]
    n_tiles = -(-n_rows // _LANES)
    tiles, nowhere = np.empty((n_tiles, n_features, _LANES)), np.empty(0)
    totals = np.zeros((n_tiles, sums.shape[1], _LANES))
    for t in range(n_tiles):
        _turn(X, rows, t * _LANES, min(_LANES, n_rows - t * _LANES), nowhere, tiles[t])
    points, distances = np.empty((_OTHERS, n_features)), np.empty(_LANES)
    for first in range(0, len(others), _OTHERS):
        n = min(_OTHERS, len(others) - first)
        for p in range(np.uintp(n)):
            i = np.uintp(others[np.uintp(first) + p])
            for j in range(np.uintp(n_features)):
                points[p, j] = X[i, j]
        for t in range(n_tiles):
            _add_distances(tiles[t], points, first, n, clusters, weights, distances, totals[t])
    for i in range(np.uintp(n_rows)):
        t, r = i // np.uintp(_LANES), i % np.uintp(_LANES)
        for c in range(np.uintp(sums.shape[1])):
            sums[i, c] = totals[t, c, r]


@exact_part
def _add_distances(columns, points, first, n, clusters, weights, distances, totals):
    first = np.uintp(first)
    for p in range(np.uintp(n)):
        _sq_distances(columns, points, p, distances)
        w = weights[first + p] if weights.size else 1.0
        for r in range(np.uintp(_LANES)):
            distances[r] = np.sqrt(distances[r]) * w
        for k in range(np.uintp(clusters.shape[1])):
            c = np.uintp(clusters[first + p, k])
            for r in range(np.uintp(_LANES)):
                totals[c, r] += distances[r]


@exact
def own_and_nearest(X, rows, shift, centers, extra, labels, own, nearest):
    """Squared distances of rows plus something: to the own centre, and the least to another.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    rows : ndarray of intp of shape (n_rows,)
    shift : ndarray of float64 of shape (n_features,), or (0,) for none
    centers : ndarray of shape (n_centers, n_features), float64
        Less the shift.
    extra : ndarray of shape (n_centers,), float64
        Added to the squared distances to the centres.
    labels : ndarray of intp of shape (n_rows,)
        The own centres.
    own, nearest : ndarrays of float64 of shape (n_rows,)
        Filled.
    """
    columns, scores = np.empty((X.shape[1], _LANES)), np.empty(_LANES)
    label, mine, least = np.empty(_LANES, np.intp), np.empty(_LANES), np.empty(_LANES)
    for first in range(0, len(rows), _LANES):
        n = min(_LANES, len(rows) - first)
        _turn(X, rows, first, n, shift, columns)
        for r in range(np.uintp(n)):
            label[r] = labels[np.uintp(first) + r]
        _fold_scores(columns, centers, extra, label, scores, mine, least)
        for r in range(np.uintp(n)):
            own[np.uintp(first) + r] = mine[r]
            nearest[np.uintp(first) + r] = least[r]


@exact_part
def _fold_scores(columns, centers, extra, label, scores, own, nearest):
    for r in range(np.uintp(_LANES)):
        own[r] = nearest[r] = np.inf
    for c in range(len(centers)):
        _sq_distances(columns, centers, c, scores)
        more = extra[np.uintp(c)]
        for r in range(np.uintp(_LANES)):
            score, is_own = scores[r] + more, label[r] == c
            own[r] = score if is_own else own[r]
            nearest[r] = nearest[r] if is_own or score > nearest[r] else score


@exact
def cluster_sums(X, start, stop, labels, weights, origins, sums, squares, totals):
    """Add up what rows from start to stop are off the origins of their clusters.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    start, stop : int
    labels : ndarray of intp of shape (n_samples,)
    weights : ndarray of float64 of shape (n_samples,), or (0,) for one each
    origins : ndarray of shape (n_clusters, n_features), float64
    sums : ndarray of shape (n_clusters, n_features), float64
        Added to: the weighted differences.
    squares, totals : ndarrays of shape (n_clusters,), float64
        Added to: their weighted squared norms, and the weights.
    """
    for i in range(np.uintp(start), np.uintp(stop)):
        c, square = np.uintp(labels[i]), 0.0
        w = weights[i] if weights.size else 1.0
        for j in range(np.uintp(X.shape[1])):
            off = X[i, j] - origins[c, j]
            sums[c, j] += w * off
            square += off * off
        squares[c] += w * square
        totals[c] += w
