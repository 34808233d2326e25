"""What a worker needs to find the two least scores of a block of rows."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._nearest import least_of_rows, least_of_scores
from sklearn_lloyd._kernels._numba._settle import decide_open
from sklearn_lloyd._kernels._numba._tiles import TILE, fill, gather
from sklearn_lloyd._kernels._screen import FEW, products_of_few

_WIDTH = TILE + 16  # rows a power of two apart would compete for the same lines of the cache
_FEW_FEATURES = 20  # up to which a matrix product is the slower way
_MANY_FEATURES = 128  # from which turning a product round costs little beside it
_FAST_BATCH = 1024  # rows
_SCORES = 1 << 17  # of one matrix product: they stay in the second level of the cache


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
        if width <= _FEW_FEATURES:
            shapes = (8, n_features), (width, _WIDTH), (4, TILE)
            self._tile = [np.zeros(shape, screen.dtype) for shape in shapes]
        else:
            self._batch = min(room, TILE * max(1, _SCORES // (n_centers * TILE)))
            # Scores whose rows lie a power of two apart compete for a few lines of the cache.
            self._scores = np.empty((n_centers, self._batch + 16), screen.dtype)
            self._rows = np.empty((self._batch, n_features), screen.dtype)
            self._few = n_centers <= (FEW if n_features < _MANY_FEATURES else 2 * FEW)
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
        if table.shape[1] <= _FEW_FEATURES:
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
            arrays = (norms, centers, sq_norms, *slack, *self.least)
            decide_open(X, self.index, start, m, self._scores, *arrays)
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
