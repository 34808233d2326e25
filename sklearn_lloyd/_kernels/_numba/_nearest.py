"""The two least scores of each row, and what follows from them.

Rows lie side by side in the lanes of the processor: every inner loop runs over the rows of a
tile, with no branch in it, and is vectorised by the compiler. Four centres (and four features)
are taken at a time, so that what is loaded once is used four times. Tables have their centres
filled up to a multiple of four by ones that are too far to matter.
"""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._distances import sq_distance
from sklearn_lloyd._kernels._numba._jit import any_order, exact
from sklearn_lloyd._kernels._screen import FEW, products_of_few

TILE = 256  # rows: a tile of a dozen features stays in the first level of the cache
WIDTH = TILE + 16  # rows a power of two apart would compete for the same lines of the cache
FEW_FEATURES = 20  # up to which a matrix product is the slower way
_SHORT = 8  # features: a loop over a row is longer in the starting than in the running
_FILLED = 32  # rows
_FAST_BATCH = 1024  # rows
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


@exact
def gather(X, index, start, n, shift, out):
    """Rows index[start:][:n] less the shift, in the dtype of `out` (at least n, n_features)."""
    for r in range(n):
        i = np.uintp(index[start + r])
        if shift.size:
            for j in range(X.shape[1]):
                out[r, j] = np.float64(X[i, j]) - shift[j]
        else:
            for j in range(X.shape[1]):
                out[r, j] = X[i, j]


@exact
def by_columns(X):
    """Whether loops had better run along the columns of X than along its rows."""
    return X.shape[1] < _SHORT or X.strides[0] < X.strides[1]


@exact
def fill(X, first, n, shift, out):
    """Rows X[first:][:n] less the shift, in the dtype of `out` (at least n, n_features)."""
    first = np.uintp(first)
    n_features = np.uintp(X.shape[1])
    if not by_columns(X):
        for r in range(np.uintp(n)):
            if shift.size:
                for j in range(n_features):
                    out[r, j] = np.float64(X[first + r, j]) - shift[j]
            else:
                for j in range(n_features):
                    out[r, j] = X[first + r, j]
        return
    # Along the columns, few rows at a time, so that what is written stays in the cache.
    for start in range(np.uintp(0), np.uintp(n), np.uintp(_FILLED)):
        stop = min(np.uintp(n), start + np.uintp(_FILLED))
        for j in range(n_features):
            if shift.size:
                for r in range(start, stop):
                    out[r, j] = np.float64(X[first + r, j]) - shift[j]
            else:
                for r in range(start, stop):
                    out[r, j] = X[first + r, j]


@exact
def gather_columns(X, index, start, n, shift, few, out):
    """As `gather`, feature by feature: `out` is (at least n_features, n).

    By way of `few`, eight rows: they are read as they lie and turned round in the cache.
    """
    n_features = X.shape[1]
    for r in range(0, n, 8):
        m = min(8, n - r)
        gather(X, index, start + r, m, shift, few)
        if m == 8:
            for j in range(n_features):
                for q in range(8):
                    out[j, r + q] = few[q, j]
        else:
            for j in range(n_features):
                for q in range(m):
                    out[j, r + q] = few[q, j]


@exact
def fill_columns(X, first, n, shift, out):
    """As `fill`, feature by feature: `out` is (at least n_features, n)."""
    first, n = np.uintp(first), np.uintp(n)
    for j in range(np.uintp(X.shape[1])):
        if shift.size:
            for r in range(n):
                out[j, r] = np.float64(X[first + r, j]) - shift[j]
        else:
            for r in range(n):
                out[j, r] = X[first + r, j]


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


class Workspace:
    """Scratch memory of one worker, for blocks of up to so many rows.

    Parameters
    ----------
    n_rows : int
    n_features : int
    screen : Screen
    """

    def __init__(self, n_rows, n_features, screen):
        n_centers, width = screen.padded(4)[0].shape
        room = -(-n_rows // TILE) * TILE
        self.room = room
        self.dtype = screen.dtype
        self.index, self.fast, self.changed, self.old = np.empty((4, room), np.intp)
        self.least = (
            np.empty(room, screen.dtype),
            np.empty(room, screen.dtype),
            np.empty(room, np.int32),
        )
        if width <= FEW_FEATURES:
            shapes = (8, n_features), (width, WIDTH), (4, TILE)
            self._tile = [np.zeros(shape, screen.dtype) for shape in shapes]
        else:
            self._batch = min(room, TILE * max(1, _SCORES // (n_centers * TILE)))
            # Scores whose rows lie a power of two apart compete for a few lines of the cache.
            self._scores = np.empty((n_centers, self._batch + 16), screen.dtype)
            self._rows = np.empty((self._batch, n_features), screen.dtype)
            self._few = n_centers <= FEW
            self._products = np.empty((self._batch if self._few else 0, n_centers), screen.dtype)

    def take_all(self, rows):
        """Index all rows of a slice; returns how many."""
        n = rows.stop - rows.start
        self.index[:n] = np.arange(rows.start, rows.stop)
        return n

    def two_least(self, X, n, shift, screen, centers, sq_norms, slack):
        """Fill `least` for the first n rows of `index`.

        `least` is the least score of each row, the second least, and the centre of the least.
        Few features go through `least_of_rows` at once; more through a matrix product.

        Parameters
        ----------
        X : ndarray of shape (n_samples, n_features)
        n : int
        shift : ndarray of float64 of shape (n_features,), or (0,) for none
        screen : Screen
        centers : ndarray of float64 of shape (n_clusters, n_features)
        sq_norms : ndarray of shape (n_samples,)
        slack : tuple
            Of a squared norm and of the centres, as of `settle`.

        Returns
        -------
        decided : bool
            Whether the centre is the nearest even where the scores leave it open.
        """
        table, norms = screen.padded(4)
        if table.shape[1] <= FEW_FEATURES:
            least_of_rows(X, self.index, n, shift, table, norms, *self._tile, *self.least)
            return False
        table = table[:, : X.shape[1]]
        columns = np.ascontiguousarray(table.T) if self._few else None
        for start in range(0, n, self._batch):
            m = min(self._batch, n - start)
            rows = self._rows_of(X, start, m, shift)
            if self._few:
                self._scores[:, :m] = products_of_few(rows, columns, self._products[:m]).T
            else:
                np.matmul(table, rows.T, out=self._scores[:, :m])
            least_of_scores(self._scores, m, norms, *self.least, start)
            decide_open(
                X, self.index, start, m, self._scores, norms, centers, sq_norms, *slack, *self.least
            )
        return True

    def _rows_of(self, X, start, n, shift):
        """Rows index[start:][:n] less the shift; X itself, where they follow each other in it."""
        first = self.index[start]
        follow = self.index[start + n - 1] - first == n - 1
        if follow and shift.size == 0 and X.dtype == self.dtype and X.flags.c_contiguous:
            return X[first : first + n]
        if follow:
            fill(X, first, n, shift, self._rows)
        else:
            gather(X, self.index, start, n, shift, self._rows)
        return self._rows[:n]

    def products_with(self, X, n, shift, screen, centers):
        """Products of the first n rows of `fast` with some of the centres, batch by batch.

        Yields
        ------
        start, m : int
            The batch is fast[start:][:m].
        rows : ndarray of which the first m rows count
            Less the shift.
        products : ndarray of shape (n_centers, m)
        """
        table = screen.padded(4)[0][centers, : X.shape[1]]
        batch = min(self.room, _FAST_BATCH)
        rows = np.empty((batch, X.shape[1]), screen.dtype)
        products = np.empty((len(centers), batch + 16), screen.dtype)
        for start in range(0, n, batch):
            m = min(batch, n - start)
            gather(X, self.fast, start, m, shift, rows)
            np.matmul(table, rows[:m].T, out=products[:, :m])
            yield start, m, rows, products
