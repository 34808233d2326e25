"""The two least scores of each row, and what follows from them.

Rows lie side by side in the lanes of the processor: every inner loop runs over the rows of a
tile, with no branch in it, and is vectorised by the compiler. Four centres (and four features)
are taken at a time, so that what is loaded once is used four times. Tables have their centres
filled up to a multiple of four by ones that are too far to matter.
"""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import any_order, exact
from sklearn_lloyd._kernels._numba._tiles import TILE, fill_columns, gather_columns


@exact
def find_active(labels, limit, drift, start, stop, out):
    """Rows from start to stop whose bound does not hold any more; returns how many."""
    n = np.uintp(0)  # unsigned indices need no test for counting from the end
    labels, limit = labels[start:stop], limit[start:stop]
    for r in range(len(labels)):
        out[n] = start + r
        n += np.uintp(not (limit[r] > drift[np.uintp(labels[r])]))
    return np.intp(n)


@exact
def sort_out(labels, limit, drift, extra, start, stop, eps, full, fast):
    """Which rows to compare with all centres, and which with the fast ones only.

    `drift` leaves out how far the fast centres have moved, `extra` is how much farther that is
    than the slow ones have. Rows that are safe from the fast ones too pay `extra` out of their
    limit. The lists `full` and `fast` are filled; returns the length of each.
    """
    n_full, n_fast = np.uintp(0), np.uintp(0)
    labels, limit = labels[start:stop], limit[start:stop]
    for r in range(len(labels)):
        c = np.uintp(labels[r])
        left = limit[r] - extra[c] - eps * abs(limit[r])
        safe = left > drift[c]
        slow = limit[r] > drift[c]
        limit[r] = left if safe else limit[r]
        full[n_full] = start + r
        fast[n_fast] = start + r
        n_full += np.uintp(not slow)
        n_fast += np.uintp(slow and not safe)
    return np.intp(n_full), np.intp(n_fast)


@any_order
def four_products(x, table, c, s):
    """Products (4, TILE) of four centres with rows that lie side by side in x."""
    for j in range(0, table.shape[1], 4):
        a0, a1, a2, a3 = table[c, j], table[c, j + 1], table[c, j + 2], table[c, j + 3]
        b0, b1, b2, b3 = (
            table[c + 1, j],
            table[c + 1, j + 1],
            table[c + 1, j + 2],
            table[c + 1, j + 3],
        )
        c0, c1, c2, c3 = (
            table[c + 2, j],
            table[c + 2, j + 1],
            table[c + 2, j + 2],
            table[c + 2, j + 3],
        )
        d0, d1, d2, d3 = (
            table[c + 3, j],
            table[c + 3, j + 1],
            table[c + 3, j + 2],
            table[c + 3, j + 3],
        )
        if j == 0:
            for r in range(TILE):
                x0, x1, x2, x3 = x[j, r], x[j + 1, r], x[j + 2, r], x[j + 3, r]
                s[0, r] = a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
                s[1, r] = b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
                s[2, r] = c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3
                s[3, r] = d0 * x0 + d1 * x1 + d2 * x2 + d3 * x3
        else:
            for r in range(TILE):
                x0, x1, x2, x3 = x[j, r], x[j + 1, r], x[j + 2, r], x[j + 3, r]
                s[0, r] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3
                s[1, r] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3
                s[2, r] += c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3
                s[3, r] += d0 * x0 + d1 * x1 + d2 * x2 + d3 * x3


@any_order
def _fold(score, c, best, second, label):
    """Fold one more score into the least, the second least, and whose the least is."""
    larger = score if best < score else best
    second = larger if larger < second else second
    label = c if score < best else label
    return (score if score < best else best), second, label


@any_order
def _keep_least(s, row, column, norms, c, best, second, label, start):
    """Fold the scores of four centres: a tile of s[row : row + 4, column:] plus their norms."""
    c0, c1, c2, c3 = np.int32(c), np.int32(c + 1), np.int32(c + 2), np.int32(c + 3)
    n0, n1, n2, n3 = norms[c], norms[c + 1], norms[c + 2], norms[c + 3]
    row, column, start = np.uintp(row), np.uintp(column), np.uintp(start)
    for r in range(np.uintp(TILE)):
        b, e, lab = best[start + r], second[start + r], label[start + r]
        b, e, lab = _fold(s[row, column + r] + n0, c0, b, e, lab)
        b, e, lab = _fold(s[row + np.uintp(1), column + r] + n1, c1, b, e, lab)
        b, e, lab = _fold(s[row + np.uintp(2), column + r] + n2, c2, b, e, lab)
        b, e, lab = _fold(s[row + np.uintp(3), column + r] + n3, c3, b, e, lab)
        best[start + r], second[start + r], label[start + r] = b, e, lab


@any_order
def _keep_least_of_four_features(x, table, norms, c, best, second, label, start):
    """As `four_products` and `_keep_least`, for up to four features: nothing is stored between."""
    a0, a1, a2, a3 = table[c, 0], table[c, 1], table[c, 2], table[c, 3]
    b0, b1, b2, b3 = table[c + 1, 0], table[c + 1, 1], table[c + 1, 2], table[c + 1, 3]
    c0, c1, c2, c3 = table[c + 2, 0], table[c + 2, 1], table[c + 2, 2], table[c + 2, 3]
    d0, d1, d2, d3 = table[c + 3, 0], table[c + 3, 1], table[c + 3, 2], table[c + 3, 3]
    i0, i1, i2, i3 = np.int32(c), np.int32(c + 1), np.int32(c + 2), np.int32(c + 3)
    n0, n1, n2, n3 = norms[c], norms[c + 1], norms[c + 2], norms[c + 3]
    start = np.uintp(start)
    for r in range(np.uintp(TILE)):
        x0, x1, x2, x3 = x[0, r], x[1, r], x[2, r], x[3, r]
        b, e, lab = best[start + r], second[start + r], label[start + r]
        b, e, lab = _fold(n0 + a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3, i0, b, e, lab)
        b, e, lab = _fold(n1 + b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3, i1, b, e, lab)
        b, e, lab = _fold(n2 + c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3, i2, b, e, lab)
        b, e, lab = _fold(n3 + d0 * x0 + d1 * x1 + d2 * x2 + d3 * x3, i3, b, e, lab)
        best[start + r], second[start + r], label[start + r] = b, e, lab


@exact
def least_of_rows(X, index, n, shift, table, norms, few, x, s, best, second, label):
    """The two least scores of rows `index`, for few features.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features), C order
    index : ndarray of intp
        Of which the first n count.
    table : ndarray of shape (n_centers, n_columns)
        -2 times the offsets; both numbers multiples of four.
    norms : ndarray of shape (n_centers,)
    few, x, s : ndarrays of shapes (8, n_features), (n_columns, WIDTH) and (4, TILE)
        Scratch memory; x has zeros beyond n_features.
    best, second, label : ndarrays
        Filled; as long as whole tiles need.
    """
    for start in range(0, n, TILE):
        m = min(TILE, n - start)
        if index[start + m - 1] - index[start] == m - 1:
            fill_columns(X, index[start], m, shift, x)
        else:
            gather_columns(X, index, start, m, shift, few, x)
        best[start : start + TILE] = np.inf
        second[start : start + TILE] = np.inf
        label[start : start + TILE] = 0
        for c in range(0, table.shape[0], 4):
            if table.shape[1] == 4:
                _keep_least_of_four_features(x, table, norms, c, best, second, label, start)
            else:
                four_products(x, table, c, s)
                _keep_least(s, 0, 0, norms, c, best, second, label, start)


@exact
def least_of_scores(scores, n, norms, best, second, label, first):
    """The two least of each of the first n columns of `scores` plus `norms`.

    Parameters
    ----------
    scores : ndarray of shape (n_centers, width)
        C order; the width is one of whole tiles, and more.
    best, second, label : ndarrays
        Filled from `first` on.
    """
    for start in range(0, n, TILE):
        part = slice(first + start, first + start + TILE)
        best[part] = np.inf
        second[part] = np.inf
        label[part] = 0
        for c in range(0, scores.shape[0], 4):
            _keep_least(scores, c, start, norms, c, best, second, label, first + start)
