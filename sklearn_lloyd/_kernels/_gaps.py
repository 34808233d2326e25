"""Gaps: how much farther than its own centre the others are from a row, at the least."""

from __future__ import annotations

import numpy as np

_BATCH = 1 << 19  # numbers in one batch


def gap_to(few, rows, sq_norms, labels, table, dtype, scratch):
    """A lower bound on how much farther than its own centre a few others are from each row.

    Parameters
    ----------
    few : ndarray of intp
        Which centres; a row's own one does not count.
    rows : ndarray of shape (n_rows, n_features)
    sq_norms : ndarray of shape (n_rows,)
    labels : ndarray of intp of shape (n_rows,)
        The centre of each row.
    table : CenterTable
        Without repeated centres.
    dtype : dtype
    scratch : dict

    Returns
    -------
    gap : ndarray of shape (n_rows,), in the dtype of `sq_norms`
        Not a number where it is not known.
    """
    screen = table.screen(dtype)
    gap = np.empty_like(sq_norms)
    place = np.full(len(table), -1)
    place[few] = np.arange(few.size)
    step = max(1, _BATCH // (few.size + 2 * rows.shape[1]))
    for start in range(0, len(gap), step):
        part = slice(start, start + step)
        block = screen.prepare(rows[part], table.shift, scratch)
        own, norms = labels[part], sq_norms[part]
        others = screen.scores_of(few, block, scratch)
        places = place.take(own)
        own_too = np.flatnonzero(places >= 0)
        others[places[own_too], own_too] = np.inf
        errors = screen.errors(norms)
        gap[part] = gap_of_scores(
            screen.own_scores(block, own),
            np.minimum.reduce(others, axis=0),
            errors + screen.own_error.take(own),
            errors,
            norms,
        )
    return gap


def gap_of_scores(own, other, own_errors, errors, sq_norms):
    """The gap between the least scores of rows and the second least, as far as it is certain."""
    # The norms are kept in their own precision, whatever that of the scores.
    eps = 8 * float(np.finfo(sq_norms.dtype).eps)
    in_norms = sq_norms * sq_norms.dtype.type(eps)
    far = other + sq_norms
    far -= errors + in_norms
    near = own + sq_norms
    near += own_errors + in_norms
    return difference_of_roots(far, near, eps)


def difference_of_roots(far, near, eps):
    """A lower bound of sqrt(far) - sqrt(near), in the memory of both."""
    np.maximum(far, 0, out=far)
    np.sqrt(far, out=far)
    np.maximum(near, 0, out=near)
    np.sqrt(near, out=near)
    far *= far.dtype.type(1 - eps)
    far -= near
    return far


def index_in(scores, labels):
    """Where the scores of the labels are in the memory that all lie in."""
    by_label, by_row = (stride // scores.itemsize for stride in scores.strides)
    index = labels * by_label
    index += np.arange(0, by_row * labels.size, by_row)
    return index


def own_scores_in(scores, labels):
    """Where the scores of the labels are, in which memory, and what they are."""
    index, flat = index_in(scores, labels), scores.base.reshape(-1)
    return index, flat, flat.take(index)
