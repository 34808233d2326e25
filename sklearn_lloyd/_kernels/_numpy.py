"""The NumPy backend: the nearest centre of each row, and the gains of seeding trials.

Products decide as far as their error bound allows; what is left is decided by the definition in
`_distances`. So labels do not depend on the precision, the BLAS, the cut into blocks or the
number of threads, and `predict` agrees with `fit`.
"""

from __future__ import annotations

import numpy as np
from scipy import sparse

from sklearn_lloyd._kernels._csr import row_slice
from sklearn_lloyd._kernels._distances import (
    PAIRS,
    all_sq_distances,
    pair_sq_distances,
    row_size,
)
from sklearn_lloyd._kernels._gaps import (
    difference_of_roots,
    gap_of_scores,
    index_in,
    own_scores_in,
)
from sklearn_lloyd._kernels._screen import by_row, scratch_array

# Numbers of float32 in one batch: in long operations, Python's part in them is small, and so are
# the chances that threads wait for each other to get at Python.
_BATCH = 1 << 20
_TRIAL_BATCH = 1 << 18  # scores with trials at a time, which stay in the cache
_NO_GAP = -np.inf
_BATCH_BY_ROW = 1 << 20  # the same, where the scores of one row lie side by side
_LEFT = 1 << 18  # scores of rows that batches leave open, up to which they are kept
_FEW_CANDIDATES = 6  # for a row, up to which differences are faster than a screen in float64
_FEW = 1 << 14  # differences, up to which they are computed sooner than a screen


def batch_rows(rows, table, dtype):
    """How many of the rows to compare with those centres at once in that precision."""
    width = dtype.itemsize // 4
    if by_row(rows, table):
        return max(1, _BATCH_BY_ROW // (width * len(table)))
    return max(1, _BATCH // (width * (len(table) + row_size(rows))))


def are_few(rows, n_centers):
    """Whether rows are compared with centres by differences at once sooner than screened."""
    return not sparse.issparse(rows) and rows.size * n_centers <= _FEW


def nearest(rows, sq_norms, guess, table, dtype, scratch, want_gap=False, rounded=None):
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
    rounded : ndarray of float32 of shape (n_rows, n_features) or None
        The rows less the shift of the table, if they are at hand.

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
    if are_few(rows, len(table)):
        return all_sq_distances(rows, table.centers).argmin(axis=0), _NO_GAP, 0
    labels = np.zeros(n_rows, np.intp)
    if len(table) == 1:
        return labels, _NO_GAP, 0
    gap = None
    if want_gap:
        gap = np.empty(n_rows, np.float32 if sq_norms is None else sq_norms.dtype)
    screen = table.screen(np.dtype(dtype))
    n_hard, left, room = 0, [], _LEFT
    step = batch_rows(rows, table, screen.dtype)
    for start in range(0, n_rows, step):
        part = slice(start, min(start + step, n_rows))
        index, *about_them = _label_batch(
            row_slice(rows, part),
            None if rounded is None else rounded[part],
            None if sq_norms is None else sq_norms[part],
            None if guess is None else guess[part],
            screen,
            table,
            scratch,
            labels[part],
            None if gap is None else gap[part],
        )
        if index.size:
            left.append((start + index, *about_them))
            room -= index.size * len(table)
        if left and (room < 0 or part.stop == n_rows):
            n_hard += _label_left(rows, left, screen, table, scratch, labels, gap)
            left, room = [], _LEFT
    return labels, _NO_GAP if gap is None else gap, n_hard


def _label_batch(rows, rounded, sq_norms, guess, screen, table, scratch, labels, gap):
    """One batch of `nearest`: fill `labels` and `gap` but for some rows.

    Returns
    -------
    left : ndarray of intp of shape (n_left,)
        These rows.
    scores : ndarray of shape (n_left, n_clusters)
    sq_norms : ndarray of shape (n_left,)
    """
    block = screen.prepare(rows, table.shift, scratch, rounded)
    scores = screen.scores(block, scratch)
    if guess is None and gap is None and not by_row(rows, table):
        bound = screen.sq_norm_bound(block) if sq_norms is None else sq_norms
        own = np.minimum.reduce(scores, axis=0)
        left = _label_clear_rows(scores, own, bound, screen, scratch, labels)
        if left.size == 0:
            return left, None, None
        norms = screen.sq_norms(block[:, left]) if sq_norms is None else sq_norms[left]
    else:
        norms = screen.sq_norms(block) if sq_norms is None else sq_norms
        if guess is None and by_row(rows, table):
            guess = scores.T.argmin(axis=1)
        left = _label_with_gap(scores, norms, guess, screen, scratch, labels, gap)
        norms = norms[left]
    return left, scores.T[left], norms


def _label_left(rows, left, screen, table, scratch, labels, gap):
    """Label what batches have left, and return n_hard."""
    index, scores, norms = map(np.concatenate, zip(*left, strict=True))
    scores = np.ascontiguousarray(scores)
    label = scores.argmin(axis=1)
    rest = None if gap is None else gap[index]
    n_hard = _label_by_row(rows, index, scores, norms, screen, table, scratch, label, rest)
    labels[index] = label
    if gap is not None:
        gap[index] = rest
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
    slack = 2 * screen.errors(sq_norms) + screen.own_error.max()
    near = scratch_array(scratch, "near", scores.shape, np.dtype(bool))
    np.less_equal(scores, own + slack, out=near)
    # In bytes: there are more centres than a byte counts only where scores lie row by row.
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
    own_index, flat, own = own_scores_in(scores, labels)
    flat[own_index] = np.inf
    if scores.strides[0] == scores.itemsize:
        other = flat.take(index_in(scores, scores.T.argmin(axis=1)))
    else:
        other = np.minimum.reduce(scores, axis=0)
    unsure = _tell_apart(own, other, labels, sq_norms, screen, gap)
    flat[own_index[unsure]] = own[unsure]
    return unsure


def _tell_apart(own, other, labels, sq_norms, screen, gap):
    """Rows whose two least scores do not tell which is less; fill the gap of all."""
    errors = screen.errors(sq_norms)
    slack = errors + screen.own_error.take(labels)
    if gap is not None:
        gap[:] = gap_of_scores(own, other, slack, errors, sq_norms)
    slack += errors
    return np.flatnonzero(~(other - own > slack))


def _label_by_row(rows, index, scores, sq_norms, screen, table, scratch, labels, gap):
    """Label rows `index` from their C-ordered scores; return n_hard.

    `labels` are those of the least scores.
    """
    hard = _label_with_gap(scores.T, sq_norms, labels, screen, scratch, labels, gap)
    if hard.size == 0:
        return 0
    scores, norms = scores[hard], sq_norms[hard]
    own = scores.min(axis=1)
    errors = screen.errors(norms)
    slack = 2 * errors + screen.own_error.take(labels[hard])
    candidates = ~(scores > (own + slack)[:, np.newaxis])  # NaN is one too
    rows = rows[index[hard]]
    if screen.dtype == np.float64 or np.count_nonzero(candidates) <= _FEW_CANDIDATES * hard.size:
        scores[candidates] = np.inf
        # The norms are kept in their own precision, whatever that of the scores.
        errors += norms * norms.dtype.type(8 * np.finfo(norms.dtype).eps)
        others = scores.min(axis=1) + norms - errors
        labels[hard], again = _decide(rows, candidates, others, table, gap)
    else:
        labels[hard], again, _ = nearest(
            rows, norms, None, table, np.float64, scratch, gap is not None
        )
    if gap is not None:
        gap[hard] = again
    return hard.size


def _decide(rows, candidates, others, table, gap):
    """The nearest of the candidates (n_rows, n_clusters), by the definition, and the gaps.

    `others` are lower bounds on the squared distances to the other centres; without `gap` they
    are of no interest.
    """
    places = np.flatnonzero(candidates)  # quicker than the indices of two dimensions
    row = places // candidates.shape[1]
    label = places - row * candidates.shape[1]
    sq_distances = np.empty(row.size)
    step = max(1, PAIRS // max(1, row_size(rows)))
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
    return labels, difference_of_roots(far * (1 - eps), lowest, eps)


def trial_gains(rows, closest, sq_norms, weights, table, dtype, maybe, scratch, rounded=None):
    """How much each of the table's centres would take off the potential of a block.

    Parameters
    ----------
    rows : ndarray of shape (n_rows, n_features)
    closest : ndarray of shape (n_rows,)
        Squared distance to the nearest centre so far.
    maybe : ndarray of bool of shape (n_trials, n_rows)
        Filled: where the trial may be nearer than the nearest so far.
    rounded : ndarray of float32 of shape (n_rows, n_features) or None
        As in `nearest`.

    Returns
    -------
    gains : ndarray of shape (n_trials,), float64
        To the precision of `dtype`.
    """
    if are_few(rows, len(table)):
        closer = closest - all_sq_distances(rows, table.centers)
        np.greater(closer, 0, out=maybe)
        np.maximum(closer, 0, out=closer)
        return closer.sum(axis=1) if weights is None else closer @ weights
    screen = table.screen(np.dtype(dtype))
    gains = np.zeros(len(table))
    step = max(1, _TRIAL_BATCH // len(table))
    for start in range(0, rows.shape[0], step):
        part = slice(start, start + step)
        norms = sq_norms[part]
        at_hand = None if rounded is None else rounded[part]
        block = screen.prepare(rows[part], table.shift, scratch, at_hand)
        if norms.dtype.itemsize < screen.dtype.itemsize:
            norms = screen.sq_norms(block)
        scores = screen.scores(block, scratch, screen.norms)
        highest = (closest[part] - norms).astype(screen.dtype, copy=False)
        np.subtract(highest, scores, out=scores)
        # The norms are kept in their own precision, whatever that of the scores.
        eta = screen.row_error + 2 * float(np.finfo(norms.dtype).eps)
        slack = eta * (float(norms.max()) + float(closest[part].max()))
        slack += float(screen.own_error.max())
        np.greater(scores, -screen.dtype.type(slack), out=maybe[:, part])
        # Scores of a row beyond float32, which only one of weight zero can be, are no numbers.
        clip = np.maximum if slack < np.inf else np.fmax
        clip(scores, 0, out=scores)
        if weights is None:
            gains += scores.sum(axis=1)  # pairwise, which is exact enough for a batch
        else:
            heaviest = weights[part].max() or 1.0  # weights may not fit into float32
            gains += heaviest * (scores @ (weights[part] / heaviest).astype(screen.dtype))
    return gains
