"""Screening: squared distances by one matrix product, with a bound on their error.

For a row x and a centre c, both relative to the shift, the *score* is |c|^2 - 2 x.c: the
squared distance less |x|^2, which all centres share. One product gives those of a block of rows,
to which |c|^2 is added or, as a factor of ones, belongs from the start. The part of its error
that depends on the centre is taken off a score beforehand, so scores are lower bounds but for
the part of the row, and a far outlying centre costs the others no precision.

The error is counted in terms. With u = eps / 2 of the precision, for sums in any order, the
products of numbers that were rounded before are off by at most (n_terms + 2) u (|x|^2 + |c|^2),
|c|^2 by u |c|^2, the sum of both by u (2 |c|^2 + |x|^2), and what a score is compared with by as
much. So h (|x|^2 + |c|^2) is more than all of it for h = (n_terms + 10) u; up to four features,
also if |c|^2 is a term of the product. Where products underflow, it is n_terms times the least
normal number more. What is of second order is added to h. In float64 the sum |c|^2 and the
definition are no more exact than the score: h is four times that, and a little more.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy import sparse

from sklearn_lloyd._kernels._csr import sum_by_row, with_dtype
from sklearn_lloyd._kernels._products import can_be_multiplied, multiply

_MANY = 160  # centres, at most 255, from which the scores of one row lie side by side
_SOME, _WIDE = 32, 256  # centres and features, from which they do as well
_NARROW = 4  # features, up to which rows are laid out feature by feature, and one more: ones
_SHORT = 32  # features, up to which a row's norm costs more than a bound for all rows
_LONG_LOOP = 4096  # numbers, above which NumPy is fast at adding the same to each row
_FLOAT32_SQUARES = 1e30  # larger squares of norms might overflow in a product in float32


def scratch_array(scratch, name, shape, dtype):
    """An uninitialised matrix out of `scratch`, which keeps the memory for the next call."""
    size = shape[0] * shape[1]
    key = (name, dtype)
    memory = scratch.get(key)
    if memory is None or memory.size < size:
        memory = scratch[key] = np.empty(size, dtype)
    return memory[:size].reshape(shape)


def scratch_scores(scratch, name, shape, dtype):
    """A scratch matrix whose rows do not lie a power of two apart.

    Else the rows compete for the same few lines of the cache, and the product takes half as
    long again.
    """
    width = -(-shape[1] // 16) * 16
    if width % 256 == 0:
        width += 16
    return scratch_array(scratch, name, (shape[0], width), dtype)[:, : shape[1]]


def precision_for(largest, dtype):
    """That precision, or float64 if float32 is too narrow for squared norms up to the largest."""
    return np.dtype(np.float64) if largest > largest_norm_for(dtype) else np.dtype(dtype)


def largest_norm_for(dtype):
    """The largest squared norm that there is room for in that precision."""
    return _FLOAT32_SQUARES if dtype == np.float32 else np.inf


class Screen:
    """The centres in one precision, ready for the product.

    Parameters
    ----------
    offsets : ndarray of shape (n_clusters, n_features), float64
        The centres less the shift.
    sq_norms : ndarray of shape (n_clusters,), float64
    never : ndarray of bool of shape (n_clusters,) or None
        Centres that no row may choose.
    n_terms : int
        Products in the sum of one distance.
    dtype : dtype
        float32 or float64.
    """

    def __init__(self, offsets, sq_norms, never, n_terms, dtype):
        info = np.finfo(dtype)
        self.dtype = np.dtype(dtype)
        self.table = np.empty((offsets.shape[0], offsets.shape[1] + 1), dtype)
        np.multiply(offsets, -2.0, out=self.table[:, :-1], casting="same_kind")
        self._sq_norms = sq_norms
        # Where products underflow, a score is off by no more than that, too.
        self._underflow = 4.0 * (n_terms + 8) * float(info.tiny)
        # h, the norms less the error, and what that adds to the slack.
        counted = n_terms + 10 if self.dtype == np.float32 else 4 * (n_terms + 14)
        h = 0.5 * counted * float(info.eps)
        self.row_error = h * (1.0 + 4.0 * h)
        self.lowered = ((1.0 - self.row_error) * sq_norms).astype(dtype)
        self.own_error = (2.0 * self.row_error * sq_norms + 2.0 * self._underflow).astype(dtype)
        if never is not None:
            self.lowered[never] = info.max / 16

    @cached_property
    def norms(self):
        """Squared norms of the centres as they are."""
        return self._sq_norms.astype(self.dtype)

    @cached_property
    def _by_feature(self):
        # Contiguous, since SciPy copies at every product what is not.
        return np.ascontiguousarray(self.table[:, :-1].T)

    def prepare(self, rows, shift, scratch, rounded=None):
        """The rows in this precision, less the shift, as `scores` and `sq_norms` take them.

        Dense rows: of shape (n_features, n_rows), with a one below each row if they are narrow;
        the very memory of the rows where that will do. `rounded` are the rows, less the shift,
        in float32, if they are at hand.
        """
        if sparse.issparse(rows):
            return with_dtype(rows, self.dtype)
        if rounded is not None and rounded.dtype == self.dtype:
            return rounded.T
        narrow = rows.shape[1] <= _NARROW
        if not narrow and shift is None and rows.dtype == self.dtype and can_be_multiplied(rows):
            return rows.T
        # X is read-only: where one batch is all of it, it is as it was in the pass before.
        what = None if rows.flags.writeable else (*_place(rows), id(shift), self.dtype)
        if what is not None and scratch.get("prepared", _NOTHING)[0] == what:
            return scratch["prepared"][1]
        block = self._copy(rows, shift, scratch, narrow)
        scratch["prepared"] = what, block, rows, shift  # kept, lest others take their places
        return block

    def _copy(self, rows, shift, scratch, narrow):
        n_rows, n_features = rows.shape
        if not narrow:
            block = scratch_array(scratch, "rows", (n_rows, n_features), self.dtype).T
            _copy_offsets(rows.T, shift, block)
            return block
        block = scratch_array(scratch, "rows", (n_features + 1, n_rows), self.dtype)
        _copy_offsets(rows.T, shift, block[:-1])
        block[-1] = 1
        return block

    def sq_norms(self, block):
        """Squared norms of the prepared rows, to the precision of the screen."""
        if sparse.issparse(block):
            return sum_by_row(block, np.square(block.data)).astype(self.dtype)
        rows = block[: self.table.shape[1] - 1]
        return np.einsum("ij,ij->j", rows, rows)

    def sq_norm_bound(self, block):
        """The same, or a bound on all of them where that is computed sooner."""
        if _NARROW < block.shape[0] <= _SHORT and block.size:
            largest = max(float(block.max()), -float(block.min()))
            return self.dtype.type(block.shape[0]) * self.dtype.type(largest) ** 2
        return self.sq_norms(block)

    def errors(self, sq_norms):
        """By how much the lower bounds on the squared distances of rows may be too large."""
        errors = sq_norms * self.dtype.type(self.row_error)
        errors += self.dtype.type(self._underflow)
        return errors

    def scores(self, block, scratch, norms=None):
        """Scores of the prepared rows, (n_clusters, n_rows), in memory of `scratch`.

        They are lower bounds up to `row_error` |x|^2, or to no side with `norms` as they are.
        """
        norms = self.lowered if norms is None else norms
        n_clusters, n_features = len(self.table), self.table.shape[1] - 1
        if sparse.issparse(block):
            return _add_to_rows(block @ self._by_feature, norms).T
        n_rows = block.shape[1]
        if by_row(block.T, self.table):
            out = scratch_array(scratch, "scores", (n_rows, n_clusters), self.dtype)
            if block.shape[0] > n_features:
                return np.matmul(block.T, _with_norms(self.table, norms).T, out=out).T
            return _add_to_rows(np.matmul(block.T, self.table[:, :-1].T, out=out), norms).T
        out = scratch_scores(scratch, "scores", (n_clusters, n_rows), self.dtype)
        if block.shape[0] > n_features:
            return multiply(_with_norms(self.table, norms), block, out)
        multiply(self.table[:, :-1], block, out)
        out += norms[:, np.newaxis]
        return out

    def scores_of(self, few, block, scratch):
        """Scores of the prepared rows with a few centres, (n_few, n_rows); of dense rows."""
        table = self.table[few, :-1]
        out = scratch_scores(scratch, "scores", (few.size, block.shape[1]), self.dtype)
        multiply(table, block[: table.shape[1]], out)
        out += self.lowered[few, np.newaxis]
        return out

    def own_scores(self, block, labels):
        """The score of each of the prepared rows with the centre of its label; of dense rows."""
        table = self.table[:, :-1].take(labels, axis=0)
        scores = np.einsum("ij,ji->i", table, block[: table.shape[1]])
        scores += self.lowered.take(labels)
        return scores


class CenterTable:
    """Centres, prepared once for all blocks of a pass.

    Parameters
    ----------
    centers : ndarray of shape (n_clusters, n_features)
        In the coordinates and the dtype of the model. Not to be written to from here on.
    shift : ndarray of shape (n_features,) or None
    n_terms : int
        Products in the sum of one distance.
    """

    def __init__(self, centers, shift, n_terms):
        self.centers = centers.astype(np.float64, order="C", copy=False)
        self.offsets = self.centers if shift is None else self.centers - shift
        self.shift = shift
        self.n_terms = n_terms
        self._screens = {}

    def __len__(self):
        return len(self.centers)

    @cached_property
    def sq_norms(self):
        return np.einsum("ij,ij->i", self.offsets, self.offsets)

    @cached_property
    def _largest(self):
        return self.sq_norms.max()

    @cached_property
    def repeated(self):
        """Mask of the centres that equal one of lower index, or None: those get no rows."""
        if len(set(self.sq_norms.tolist())) == len(self):
            return None
        # Rows of norm one have equal norms throughout; few of these agree in the projection too.
        places = np.arange(1.0, self.offsets.shape[1] + 1)
        projections = np.einsum("ij,j->i", self.offsets, places)
        repeated, seen = np.zeros(len(self), bool), {}
        for i, key in enumerate(zip(self.sq_norms.tolist(), projections.tolist(), strict=True)):
            others = seen.setdefault(key, [])
            if any(np.array_equal(self.centers[i], self.centers[j]) for j in others):
                repeated[i] = True
            else:
                others.append(i)
        return repeated if repeated.any() else None

    def precision(self, dtype):
        """That precision, or float64 if float32 is too narrow for these centres."""
        return precision_for(self._largest, dtype)

    def screen(self, dtype):
        """The screen in `dtype`, made at the first call; in float64 if float32 is too narrow."""
        dtype = self.precision(dtype)
        screen = self._screens.get(dtype)
        if screen is None:
            screen = Screen(self.offsets, self.sq_norms, self.repeated, self.n_terms, dtype)
            self._screens[dtype] = screen
        return screen


def by_row(rows, table):
    """Whether the scores of one row lie side by side."""
    if sparse.issparse(rows) or len(table) > _MANY:
        return True
    # BLAS is faster at that, but what follows is slower.
    return len(table) >= _SOME and rows.shape[1] >= _WIDE


_NOTHING = None, None


def _place(rows):
    return rows.ctypes.data, rows.shape, rows.strides, rows.dtype


def _with_norms(table, norms):
    table = table.copy()
    table[:, -1] = norms
    return table


def _copy_offsets(rows, shift, out):
    """The rows, (n_features, n_rows), less the shift."""
    if shift is None:
        np.copyto(out, rows, casting="unsafe")
    else:
        # In float64, whatever the dtypes: the difference is then rounded once.
        np.subtract(rows, shift[:, np.newaxis], out=out, dtype=np.float64, casting="unsafe")


def _add_to_rows(scores, norms):
    """Add the norms to each row of C-ordered scores, in place; several rows in one loop."""
    at_once = _LONG_LOOP // norms.size + 1
    whole = len(scores) // at_once * at_once
    if whole:
        several = scores[:whole].reshape(-1, at_once * norms.size)
        several += np.tile(norms, at_once)
    scores[whole:] += norms
    return scores
