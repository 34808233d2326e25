"""The NumPy backend: the nearest centre of each row, and the gains of seeding trials.

Products decide as far as their error bound allows; what is left is decided by the definition in
`_distances`. So labels do not depend on the precision, the BLAS, the cut into blocks or the
number of threads, and `predict` agrees with `fit`.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from scipy import sparse

from sklearn_lloyd._kernels._csr import row_slice
from sklearn_lloyd._kernels._distances import all_sq_distances, pair_sq_distances
from sklearn_lloyd._kernels._screen import Screen, least

_BATCH = 3 << 18  # numbers in one batch: long operations pay for Python's part in them
_PAIRS = 1 << 18  # elements in one batch of differences
_FLOAT32_SQUARES = 1e30  # larger squares of norms might overflow in a product in float32
_NO_GAP = -np.inf
_FEW = 1 << 14  # elements that are compared by differences at once sooner than screened


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
    def repeated(self):
        """Mask of the centres that equal one of lower index, or None: those get no rows."""
        ordered = np.sort(self.sq_norms)
        if not (ordered[1:] == ordered[:-1]).any():
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
        too_narrow = dtype == np.float32 and self.sq_norms.max() > _FLOAT32_SQUARES
        return np.dtype(np.float64) if too_narrow else np.dtype(dtype)

    def screen(self, dtype):
        """The screen in `dtype`, made at the first call; in float64 if float32 is too narrow."""
        dtype = self.precision(dtype)
        screen = self._screens.get(dtype)
        if screen is None:
            screen = Screen(self.offsets, self.sq_norms, self.repeated, self.n_terms, dtype)
            self._screens[dtype] = screen
        return screen


def batch_rows(rows, table):
    """How many of the rows to compare with those centres at once."""
    return max(1, _BATCH // (len(table) + _row_size(rows)))


def _row_size(rows):
    return rows.nnz // max(1, rows.shape[0]) if sparse.issparse(rows) else rows.shape[1]


def nearest(rows, sq_norms, guess, table, dtype, scratch, want_gap=False):
    """Assign rows to their nearest centres.

    Parameters
    ----------
    rows : ndarray or CSR of shape (n_rows, n_features)
    sq_norms : ndarray of shape (n_rows,) or None
        Squared distances from the shift; None: computed, to the precision of the screen.
    guess : ndarray of intp of shape (n_rows,) or None
        Labels that are probably right, such as those of the iteration before.
    table : CenterTable
    dtype : dtype
        Precision to screen in.
    scratch : dict
    want_gap : bool

    Returns
    -------
    labels : ndarray of intp of shape (n_rows,)
    gap : ndarray of shape (n_rows,), in the dtype of `sq_norms`, or -inf
        A lower bound on how much farther than its own centre any other one is from the row;
        negative where the two cannot be told apart, -inf where it is not known or wanted.
    n_hard : int
        Rows that `dtype` could not decide.
    """
    n_rows = rows.shape[0]
    if n_rows * table.centers.size <= _FEW and not sparse.issparse(rows):
        return all_sq_distances(rows, table.centers).argmin(axis=0), _NO_GAP, 0
    labels = np.zeros(n_rows, np.intp)
    if len(table) == 1:
        return labels, _NO_GAP, 0
    gap = None
    if want_gap:
        gap = np.empty(n_rows, np.float32 if sq_norms is None else sq_norms.dtype)
    n_hard = 0
    step = batch_rows(rows, table)
    for start in range(0, n_rows, step):
        part = slice(start, min(start + step, n_rows))
        n_hard += _nearest(
            row_slice(rows, part),
            None if sq_norms is None else sq_norms[part],
            None if guess is None else guess[part],
            table,
            np.dtype(dtype),
            scratch,
            labels[part],
            None if gap is None else gap[part],
        )
    return labels, _NO_GAP if gap is None else gap, n_hard


def _nearest(rows, sq_norms, guess, table, dtype, scratch, labels, gap):
    """One batch of `nearest`: fill `labels` and `gap` and return n_hard."""
    screen = table.screen(dtype)
    dtype = screen.dtype
    block = screen.prepare(rows, table.shift, scratch)
    if sq_norms is None:
        sq_norms = screen.sq_norms(block)
    scores = screen.scores(block, scratch)
    labels[:] = least(scores, scratch) if guess is None else guess
    flat = scores.base  # the scratch memory that they lie in
    by_label, by_row = (stride // scores.itemsize for stride in scores.strides)
    own_index = labels * by_label
    own_index += np.arange(0, by_row * labels.size, by_row)
    own = flat.take(own_index)
    flat[own_index] = np.inf
    other = np.minimum.reduce(scores, axis=0)
    slack = sq_norms * dtype.type(2 * screen.eta)
    slack += screen.slack.take(labels)
    unsure = np.flatnonzero(~(other - own > slack))
    if gap is not None:
        gap[:] = _gap(own, other, slack, sq_norms)
    if unsure.size == 0:
        return 0
    if guess is None and dtype == np.float64:
        flat[own_index] = own
        candidates = ~(scores[:, unsure] > own[unsure] + slack[unsure])  # NaN is one too
        labels[unsure] = _decide(rows[unsure], candidates.T, table)
        if gap is not None:
            gap[unsure] = _NO_GAP
        return 0
    labels[unsure], again, n_hard = nearest(
        rows[unsure],
        sq_norms[unsure],
        None,
        table,
        np.float64 if guess is None else dtype,
        scratch,
        gap is not None,
    )
    if gap is not None:
        gap[unsure] = again
    return n_hard if guess is not None else unsure.size


def _gap(own, other, slack, sq_norms):
    # The norms are kept in their own precision, whatever that of the scores.
    eps = 8 * float(np.finfo(sq_norms.dtype).eps)
    slack = slack + sq_norms * sq_norms.dtype.type(eps)
    far = other + sq_norms
    far -= slack
    np.maximum(far, 0, out=far)
    np.sqrt(far, out=far)
    near = own + sq_norms
    near += slack
    np.maximum(near, 0, out=near)
    np.sqrt(near, out=near)
    far *= far.dtype.type(1 - eps)
    far -= near
    return far


def _decide(rows, candidates, table):
    """The nearest of the candidates (n_rows, n_clusters), by the definition."""
    row, label = np.nonzero(candidates)
    sq_distances = np.empty(row.size)
    step = max(1, _PAIRS // max(1, _row_size(rows)))
    for start in range(0, row.size, step):
        part = slice(start, start + step)
        sq_distances[part] = pair_sq_distances(rows[row[part]], table.centers, label[part])
    starts = np.searchsorted(row, np.arange(rows.shape[0]))
    lowest = np.minimum.reduceat(sq_distances, starts)
    hits = np.flatnonzero(sq_distances == lowest[row])[::-1]
    labels = np.empty(rows.shape[0], np.intp)
    labels[row[hits]] = label[hits]  # the last to be written is the lowest index
    return labels


def sq_distances_to_all(rows, table, scratch, sq_norms=None):
    """Squared distances (n_rows, n_clusters) in float64.

    By products; those that cancel to less than a millionth are done again by differences.
    """
    screen = table.screen(np.dtype(np.float64))
    block = screen.prepare(rows, table.shift, scratch)
    if sq_norms is None:
        sq_norms = screen.sq_norms(block)
    sq_norms = sq_norms[:, np.newaxis]
    out = screen.scores(block, scratch).T + sq_norms
    if table.repeated is not None:
        out[:, table.repeated] = 0.0  # they stood aside; done below
    row, label = np.nonzero(out <= 1e-6 * (sq_norms + table.sq_norms))
    step = max(1, _PAIRS // max(1, _row_size(rows)))
    for start in range(0, row.size, step):
        i, j = row[start : start + step], label[start : start + step]
        out[i, j] = pair_sq_distances(rows[i], table.centers, j)
    return out


def _can_be_multiplied(rows, shift, dtype):
    """Whether rows may stay as they are in a product that is to be of that dtype, or wider."""
    if shift is not None or sparse.issparse(rows) or rows.itemsize not in rows.strides:
        return False
    return rows.dtype in (np.float32, np.float64) and rows.dtype.itemsize >= dtype.itemsize


def trial_gains(rows, closest, sq_norms, weights, table, dtype, maybe, scratch):
    """How much each of the table's centres would take off the potential of a block.

    Parameters
    ----------
    closest : ndarray of shape (n_rows,)
        Squared distance to the nearest centre so far.
    maybe : ndarray of bool of shape (n_trials, n_rows)
        Filled: where the trial may be nearer than the nearest so far.

    Returns
    -------
    gains : ndarray of shape (n_trials,), float64
        To the precision of `dtype`.
    """
    if rows.shape[0] * table.centers.size <= _FEW and not sparse.issparse(rows):
        closer = closest - all_sq_distances(rows, table.centers)
        np.greater(closer, 0, out=maybe)
        np.maximum(closer, 0, out=closer)
        return closer.sum(axis=1) if weights is None else closer @ weights
    dtype = np.dtype(dtype)
    screen = table.screen(dtype)
    if _can_be_multiplied(rows, table.shift, screen.dtype):
        screen = table.screen(rows.dtype)
    in_place = _can_be_multiplied(rows, table.shift, screen.dtype)
    gains = np.zeros(len(table))
    step = batch_rows(rows, table)
    for start in range(0, rows.shape[0], step):
        part = slice(start, start + step)
        norms = sq_norms[part]
        if in_place:
            block = rows[part]
            if norms.dtype.itemsize < dtype.itemsize:
                norms = np.einsum("ij,ij->i", block, block)
            scores = screen.scores_in_place(block, scratch)
        else:
            block = screen.prepare(row_slice(rows, part), table.shift, scratch)
            if norms.dtype != screen.dtype:
                norms = screen.sq_norms(block)
            scores = screen.scores(block, scratch)
            scores += screen.bias[:, np.newaxis]
        target = (closest[part] - norms).astype(screen.dtype, copy=False)
        np.subtract(target, scores, out=scores)
        # The norms are kept in their own precision, whatever that of the scores.
        eta = 2 * screen.eta + 2 * float(np.finfo(norms.dtype).eps)
        slack = eta * (norms + closest[part]).max() + screen.slack.max() + screen.bias.max()
        np.greater(scores, -screen.dtype.type(slack), out=maybe[:, part])
        np.maximum(scores, 0, out=scores)
        if weights is None:
            gains += scores.sum(axis=1, dtype=np.float64)
        else:
            heaviest = weights[part].max() or 1.0  # weights may not fit into float32
            gains += heaviest * (scores @ (weights[part] / heaviest).astype(screen.dtype))
    return gains
