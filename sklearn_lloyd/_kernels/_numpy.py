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
from sklearn_lloyd._kernels._screen import Screen, by_row, can_be_multiplied, scratch_array

_BATCH = 3 << 18  # numbers in one batch: long operations pay for Python's part in them
_PAIRS = 1 << 18  # elements in one batch of differences
_FLOAT32_SQUARES = 1e30  # larger squares of norms might overflow in a product in float32
_NO_GAP = -np.inf
_BATCH_BY_ROW = 1 << 18  # the same, where the scores of one row lie side by side
_FEW_CANDIDATES = 6  # for a row, up to which differences are faster than a screen in float64
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

    def screen(self, dtype):
        """The screen in `dtype`, made at the first call; in float64 if float32 is too narrow."""
        if dtype == np.float32 and self.sq_norms.max() > _FLOAT32_SQUARES:
            dtype = np.dtype(np.float64)
        screen = self._screens.get(dtype)
        if screen is None:
            screen = Screen(self.offsets, self.sq_norms, self.repeated, self.n_terms, dtype)
            self._screens[dtype] = screen
        return screen


def batch_rows(rows, table):
    """How many of the rows to compare with those centres at once."""
    if by_row(rows, table):
        return max(1, _BATCH_BY_ROW // len(table))
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
    block = screen.prepare(rows, table.shift, scratch)
    scores = screen.scores(block, scratch)
    if guess is None and gap is None and not by_row(rows, table):
        bound = screen.sq_norm_bound(block) if sq_norms is None else sq_norms
        own = np.minimum.reduce(scores, axis=0)
        unsure = _label_clear_rows(scores, own, bound, screen, scratch, labels)
        if unsure.size == 0:
            return 0
        norms = screen.sq_norms(block[:, unsure]) if sq_norms is None else sq_norms[unsure]
    else:
        norms = screen.sq_norms(block) if sq_norms is None else sq_norms
        if guess is None and by_row(rows, table):
            return _label_by_row(rows, scores.T, norms, screen, table, scratch, labels, gap)
        unsure = _label_with_gap(scores, norms, guess, screen, scratch, labels, gap)
        if unsure.size == 0:
            return 0
        norms = norms[unsure]
    scores = np.ascontiguousarray(scores.T[unsure])
    label, rest = labels[unsure], None if gap is None else gap[unsure]
    n_hard = _label_by_row(rows[unsure], scores, norms, screen, table, scratch, label, rest)
    labels[unsure] = label
    if gap is not None:
        gap[unsure] = rest
    return n_hard


def _label_clear_rows(scores, own, sq_norms, screen, scratch, labels):
    """Label the rows that have one candidate, by a slack that will do for any; return the rest.

    Parameters
    ----------
    scores : ndarray of shape (n_clusters, n_rows)
    own : ndarray of shape (n_rows,)
        The least of them.
    sq_norms : ndarray of shape (n_rows,) or scalar
    """
    slack = sq_norms * screen.dtype.type(2 * screen.row_error)
    slack += screen.own_error.max()
    near = scratch_array(scratch, "near", scores.shape, np.dtype(bool))
    np.less_equal(scores, own + slack, out=near)
    # In bytes, which hold the number of any centre whose scores lie side by side.
    near = near.view(np.uint8)
    n_near = np.add.reduce(near, axis=0, dtype=np.uint8)
    near *= np.arange(len(near), dtype=np.uint8)[:, np.newaxis]
    labels[:] = np.bitwise_or.reduce(near, axis=0)
    return np.flatnonzero(n_near != 1)  # none, if a score is not a number


def _label_with_gap(scores, sq_norms, guess, screen, scratch, labels, gap):
    """Label rows, by the guess if there is one, with their gaps; return those left open.

    The scores are as they were in the end.
    """
    if guess is None:
        unsure = _label_clear_rows(
            scores, np.minimum.reduce(scores, axis=0), sq_norms, screen, scratch, labels
        )
        labels[unsure] = scores.T[unsure].argmin(axis=1)
    else:
        labels[:] = guess
    own_index, flat, own = _own(scores, labels)
    flat[own_index] = np.inf
    if scores.strides[0] == scores.itemsize:
        other = flat.take(_index(scores, scores.T.argmin(axis=1)))
    else:
        other = np.minimum.reduce(scores, axis=0)
    unsure = _tell_apart(own, other, labels, sq_norms, screen, gap)
    flat[own_index[unsure]] = own[unsure]
    return unsure


def _index(scores, labels):
    """Where the scores of the labels are in the memory that all lie in."""
    by_label, by_row = (stride // scores.itemsize for stride in scores.strides)
    index = labels * by_label
    index += np.arange(0, by_row * labels.size, by_row)
    return index


def _own(scores, labels):
    """Where the scores of the labels are, in which memory, and what they are."""
    index, flat = _index(scores, labels), scores.base.reshape(-1)
    return index, flat, flat.take(index)


def _tell_apart(own, other, labels, sq_norms, screen, gap):
    """Rows whose two least scores do not tell which is less; fill the gap of all."""
    near_error = sq_norms * screen.dtype.type(screen.row_error)
    slack = near_error + screen.own_error.take(labels)
    if gap is not None:
        gap[:] = _gap(own, other, slack, near_error, sq_norms)
    slack += near_error
    return np.flatnonzero(~(other - own > slack))


def _label_by_row(rows, scores, sq_norms, screen, table, scratch, labels, gap):
    """Label rows from their C-ordered scores (n_rows, n_clusters); return n_hard."""
    labels[:] = scores.argmin(axis=1)
    unsure = _label_with_gap(scores.T, sq_norms, labels, screen, scratch, labels, gap)
    if unsure.size == 0:
        return 0
    scores, norms = scores[unsure], sq_norms[unsure]
    own = scores.min(axis=1)
    error = norms * screen.dtype.type(screen.row_error)
    slack = 2 * error + screen.own_error.take(labels[unsure])
    candidates = ~(scores > (own + slack)[:, np.newaxis])  # NaN is one too
    rows = rows[unsure]
    if screen.dtype == np.float64 or np.count_nonzero(candidates) <= _FEW_CANDIDATES * len(norms):
        scores[candidates] = np.inf
        others = scores.min(axis=1) + norms - error
        labels[unsure], again = _decide(rows, candidates, others, table, gap)
    else:
        labels[unsure], again, _ = nearest(
            rows, norms, None, table, np.float64, scratch, gap is not None
        )
    if gap is not None:
        gap[unsure] = again
    return unsure.size


def _gap(own, other, own_error, error, sq_norms):
    # The norms are kept in their own precision, whatever that of the scores.
    eps = 8 * float(np.finfo(sq_norms.dtype).eps)
    in_norms = sq_norms * sq_norms.dtype.type(eps)
    far = other + sq_norms
    far -= error + in_norms
    near = own + sq_norms
    near += own_error + in_norms
    return _difference_of_roots(far, near, eps)


def _difference_of_roots(far, near, eps):
    """A lower bound of sqrt(far) - sqrt(near), in the memory of both."""
    np.maximum(far, 0, out=far)
    np.sqrt(far, out=far)
    np.maximum(near, 0, out=near)
    np.sqrt(near, out=near)
    far *= far.dtype.type(1 - eps)
    far -= near
    return far


def _decide(rows, candidates, others, table, gap):
    """The nearest of the candidates (n_rows, n_clusters), by the definition, and the gaps.

    `others` are lower bounds on the squared distances to the other centres; without `gap` they
    are of no interest.
    """
    places = np.flatnonzero(candidates)  # quicker than the indices of two dimensions
    row = places // candidates.shape[1]
    label = places - row * candidates.shape[1]
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
    if gap is None:
        return labels, None
    sq_distances[label == labels[row]] = np.inf
    far = np.minimum(np.minimum.reduceat(sq_distances, starts), others)
    eps = 8 * float(np.finfo(gap.dtype).eps) + 2 * table.n_terms * float(np.finfo(float).eps)
    return labels, _difference_of_roots(far * (1 - eps), lowest, eps)


def sq_distances_to_all(rows, table, scratch, sq_norms=None):
    """Squared distances (n_rows, n_clusters) in float64.

    By products; those that cancel to less than a millionth are done again by differences.
    """
    screen = table.screen(np.dtype(np.float64))
    block = screen.prepare(rows, table.shift, scratch)
    if sq_norms is None:
        sq_norms = screen.sq_norms(block)
    sq_norms = sq_norms[:, np.newaxis]
    out = screen.scores(block, scratch, screen.norms).T + sq_norms
    row, label = np.nonzero(out <= 1e-6 * (sq_norms + table.sq_norms))
    step = max(1, _PAIRS // max(1, _row_size(rows)))
    for start in range(0, row.size, step):
        i, j = row[start : start + step], label[start : start + step]
        out[i, j] = pair_sq_distances(rows[i], table.centers, j)
    return out


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
    screen = table.screen(np.dtype(dtype))
    as_it_is = table.shift is None and rows.dtype == np.float64 and not sparse.issparse(rows)
    if as_it_is and can_be_multiplied(rows):  # to convert it would take longer
        screen = table.screen(rows.dtype)
    gains = np.zeros(len(table))
    step = batch_rows(rows, table)
    for start in range(0, rows.shape[0], step):
        part = slice(start, start + step)
        norms = sq_norms[part]
        block = screen.prepare(row_slice(rows, part), table.shift, scratch)
        if norms.dtype.itemsize < screen.dtype.itemsize:
            norms = screen.sq_norms(block)
        scores = screen.scores(block, scratch, screen.norms)
        target = (closest[part] - norms).astype(screen.dtype, copy=False)
        np.subtract(target, scores, out=scores)
        # The norms are kept in their own precision, whatever that of the scores.
        eta = screen.row_error + 2 * float(np.finfo(norms.dtype).eps)
        slack = eta * (norms + closest[part]).max() + screen.own_error.max()
        np.greater(scores, -screen.dtype.type(slack), out=maybe[:, part])
        np.maximum(scores, 0, out=scores)
        if weights is None:
            gains += scores.sum(axis=1, dtype=np.float64)
        else:
            heaviest = weights[part].max() or 1.0  # weights may not fit into float32
            gains += heaviest * (scores @ (weights[part] / heaviest).astype(screen.dtype))
    return gains
