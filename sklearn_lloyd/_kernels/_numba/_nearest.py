"""The two least scores of each row, and what follows from them.

Rows lie side by side in the lanes of the processor: every inner loop runs over the rows of a
tile, with no branch in it, and is vectorised by the compiler. Four centres (and four features)
are taken at a time, so that what is loaded once is used four times. Tables have their centres
filled up to a multiple of four by ones that are too far to matter.
"""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import exact, screening

TILE = 256  # rows: a tile of a dozen features stays in the first level of the cache
_FEW_FEATURES = 12  # up to which a matrix product is the slower way
_SCORES = 1 << 17  # of one matrix product: they stay in the second level of the cache


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
def gather(X, index, n, shift, out):
    """Rows `index` less the shift, in the dtype of `out` (at least n, n_features)."""
    for r in range(n):
        i = np.uintp(index[r])
        if shift.size:
            for j in range(X.shape[1]):
                out[r, j] = np.float64(X[i, j]) - shift[j]
        else:
            for j in range(X.shape[1]):
                out[r, j] = X[i, j]


@exact
def gather_columns(X, index, start, n, shift, out):
    """As `gather`, feature by feature: `out` is (at least n_features, n)."""
    if shift.size:
        for r in range(n):
            i = np.uintp(index[start + r])
            for j in range(X.shape[1]):
                out[j, r] = np.float64(X[i, j]) - shift[j]
    else:
        for r in range(n):
            i = np.uintp(index[start + r])
            for j in range(X.shape[1]):
                out[j, r] = X[i, j]


@screening
def _add_products(x0, x1, x2, x3, table, norms, c, j, s0, s1, s2, s3):
    """Scores of four centres: the part of four features; the first four bring the norm."""
    a0, a1, a2, a3 = table[c, j], table[c, j + 1], table[c, j + 2], table[c, j + 3]
    b0, b1, b2, b3 = table[c + 1, j], table[c + 1, j + 1], table[c + 1, j + 2], table[c + 1, j + 3]
    c0, c1, c2, c3 = table[c + 2, j], table[c + 2, j + 1], table[c + 2, j + 2], table[c + 2, j + 3]
    d0, d1, d2, d3 = table[c + 3, j], table[c + 3, j + 1], table[c + 3, j + 2], table[c + 3, j + 3]
    if j == 0:
        na, nb, nc, nd = norms[c], norms[c + 1], norms[c + 2], norms[c + 3]
        for r in range(TILE):
            s0[r] = na + a0 * x0[r] + a1 * x1[r] + a2 * x2[r] + a3 * x3[r]
            s1[r] = nb + b0 * x0[r] + b1 * x1[r] + b2 * x2[r] + b3 * x3[r]
            s2[r] = nc + c0 * x0[r] + c1 * x1[r] + c2 * x2[r] + c3 * x3[r]
            s3[r] = nd + d0 * x0[r] + d1 * x1[r] + d2 * x2[r] + d3 * x3[r]
    else:
        for r in range(TILE):
            s0[r] += a0 * x0[r] + a1 * x1[r] + a2 * x2[r] + a3 * x3[r]
            s1[r] += b0 * x0[r] + b1 * x1[r] + b2 * x2[r] + b3 * x3[r]
            s2[r] += c0 * x0[r] + c1 * x1[r] + c2 * x2[r] + c3 * x3[r]
            s3[r] += d0 * x0[r] + d1 * x1[r] + d2 * x2[r] + d3 * x3[r]


@screening
def _keep_least(s0, s1, s2, s3, n0, n1, n2, n3, c, best, second, label):
    """Fold the scores of four centres into the least, the second least, and whose it is."""
    c0, c1, c2, c3 = np.int32(c), np.int32(c + 1), np.int32(c + 2), np.int32(c + 3)
    for r in range(TILE):
        b, e, lab = best[r], second[r], label[r]
        s = s0[r] + n0
        m = s if b < s else b
        e = m if m < e else e
        lab = c0 if s < b else lab
        b = s if s < b else b
        s = s1[r] + n1
        m = s if b < s else b
        e = m if m < e else e
        lab = c1 if s < b else lab
        b = s if s < b else b
        s = s2[r] + n2
        m = s if b < s else b
        e = m if m < e else e
        lab = c2 if s < b else lab
        b = s if s < b else b
        s = s3[r] + n3
        m = s if b < s else b
        e = m if m < e else e
        lab = c3 if s < b else lab
        b = s if s < b else b
        best[r], second[r], label[r] = b, e, lab


@screening
def _keep_least_of_products(x0, x1, x2, x3, table, norms, c, best, second, label):
    """Both at once, for up to four features: no score goes through memory."""
    a0, a1, a2, a3 = table[c, 0], table[c, 1], table[c, 2], table[c, 3]
    b0, b1, b2, b3 = table[c + 1, 0], table[c + 1, 1], table[c + 1, 2], table[c + 1, 3]
    c0, c1, c2, c3 = table[c + 2, 0], table[c + 2, 1], table[c + 2, 2], table[c + 2, 3]
    d0, d1, d2, d3 = table[c + 3, 0], table[c + 3, 1], table[c + 3, 2], table[c + 3, 3]
    na, nb, nc, nd = norms[c], norms[c + 1], norms[c + 2], norms[c + 3]
    i0, i1, i2, i3 = np.int32(c), np.int32(c + 1), np.int32(c + 2), np.int32(c + 3)
    for r in range(TILE):
        b, e, lab = best[r], second[r], label[r]
        s = na + a0 * x0[r] + a1 * x1[r] + a2 * x2[r] + a3 * x3[r]
        m = s if b < s else b
        e = m if m < e else e
        lab = i0 if s < b else lab
        b = s if s < b else b
        s = nb + b0 * x0[r] + b1 * x1[r] + b2 * x2[r] + b3 * x3[r]
        m = s if b < s else b
        e = m if m < e else e
        lab = i1 if s < b else lab
        b = s if s < b else b
        s = nc + c0 * x0[r] + c1 * x1[r] + c2 * x2[r] + c3 * x3[r]
        m = s if b < s else b
        e = m if m < e else e
        lab = i2 if s < b else lab
        b = s if s < b else b
        s = nd + d0 * x0[r] + d1 * x1[r] + d2 * x2[r] + d3 * x3[r]
        m = s if b < s else b
        e = m if m < e else e
        lab = i3 if s < b else lab
        b = s if s < b else b
        best[r], second[r], label[r] = b, e, lab


@exact
def _reset(best, second, label):
    best[:] = np.inf
    second[:] = np.inf
    label[:] = 0


@exact
def least_of_rows(X, index, n, shift, table, norms, x, s, best, second, label):
    """The two least scores of rows `index`, for few features.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features), C order
    index : ndarray of intp
        Of which the first n count.
    table : ndarray of shape (n_centers, n_columns)
        -2 times the offsets; both numbers multiples of four.
    norms : ndarray of shape (n_centers,)
    x, s : ndarrays of shapes (n_columns, TILE) and (4, TILE)
        Scratch memory; x has zeros beyond n_features.
    best, second, label : ndarrays
        Filled; as long as whole tiles need.
    """
    for start in range(0, n, TILE):
        gather_columns(X, index, start, min(TILE, n - start), shift, x)
        b, e, lab = (
            best[start : start + TILE],
            second[start : start + TILE],
            label[start : start + TILE],
        )
        _reset(b, e, lab)
        for c in range(0, table.shape[0], 4):
            if table.shape[1] == 4:
                _keep_least_of_products(x[0], x[1], x[2], x[3], table, norms, c, b, e, lab)
                continue
            for j in range(0, table.shape[1], 4):
                _add_products(
                    x[j], x[j + 1], x[j + 2], x[j + 3], table, norms, c, j, s[0], s[1], s[2], s[3]
                )
            zero = norms.dtype.type(0)
            _keep_least(s[0], s[1], s[2], s[3], zero, zero, zero, zero, c, b, e, lab)


@exact
def least_of_scores(scores, n, norms, best, second, label):
    """The two least of each of the first n columns of `scores` plus `norms`.

    Parameters
    ----------
    scores : ndarray of shape (n_centers, width)
        C order; the width is one of whole tiles.
    """
    for start in range(0, n, TILE):
        stop = start + TILE
        b, e, lab = best[start:stop], second[start:stop], label[start:stop]
        _reset(b, e, lab)
        for c in range(0, scores.shape[0], 4):
            _keep_least(
                scores[c, start:stop],
                scores[c + 1, start:stop],
                scores[c + 2, start:stop],
                scores[c + 3, start:stop],
                norms[c],
                norms[c + 1],
                norms[c + 2],
                norms[c + 3],
                c,
                b,
                e,
                lab,
            )


class Workspace:
    """Scratch memory of one worker, for blocks of up to so many rows.

    Parameters
    ----------
    n_rows : int
    n_features : int
    screen : Screen
    """

    def __init__(self, n_rows, n_features, screen):
        n_centers, width = screen.by_fours[0].shape
        room = -(-n_rows // TILE) * TILE
        self.room = room
        self.dtype = screen.dtype
        self.index, self.changed, self.old = np.empty((3, room), np.intp)
        self.least = (
            np.empty(room, screen.dtype),
            np.empty(room, screen.dtype),
            np.empty(room, np.int32),
        )
        if width <= _FEW_FEATURES:
            self._tile = np.zeros((width, TILE), screen.dtype), np.empty((4, TILE), screen.dtype)
        else:
            self._batch = min(room, TILE * max(1, _SCORES // (n_centers * TILE)))
            # Scores whose rows lie a power of two apart compete for a few lines of the cache.
            self._scores = np.empty((n_centers, self._batch + 16), screen.dtype)
            self._rows = np.empty((self._batch, n_features), screen.dtype)

    def two_least(self, X, n, shift, screen):
        """Fill `least` for the first n rows of `index`.

        `least` is the least score of each row, the second least, and the centre of the least.
        Few features go through `least_of_rows` at once; more through a matrix product.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        n : int
        shift : ndarray of float64 of shape (n_features,), or (0,) for none
        screen : Screen
        """
        table, norms = screen.by_fours
        if table.shape[1] <= _FEW_FEATURES:
            least_of_rows(X, self.index, n, shift, table, norms, *self._tile, *self.least)
            return
        table = table[:, : X.shape[1]]
        for start in range(0, n, self._batch):
            m = min(self._batch, n - start)
            gather(X, self.index[start:], m, shift, self._rows)
            np.matmul(table, self._rows[:m].T, out=self._scores[:, :m])
            part = slice(start, start + self._batch)
            least_of_scores(self._scores, m, norms, *(array[part] for array in self.least))
