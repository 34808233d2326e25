"""Assigning a block of rows: which to look at, what their scores prove, the rest exactly.

The two least scores of a row decide where they lie farther apart than they may be off. What
they leave open is decided by the definition of a distance, among the centres whose scores are
near enough to the least. Bounds are what they are in `_solvers/_assign`.
"""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._distances import sq_distance
from sklearn_lloyd._kernels._numba._jit import any_order, exact
from sklearn_lloyd._kernels._numba._panels import fill_panel, pad_index
from sklearn_lloyd._kernels._numba._simd import compare_panel, fold_panel, lowest_bit, product
from sklearn_lloyd._kernels._numba._sums import move_rows

_FLAGS = 256  # rows whose bounds are tested before those that fail are listed


@exact
def find_active(labels, limit, drift, start, stop, out):
    """Rows from start to stop whose bound does not hold any more; returns how many."""
    n = np.uintp(0)  # unsigned indices need no test for counting from the end
    holds = np.empty(_FLAGS, np.uint8)
    stop, one = np.uintp(stop), np.uintp(1)
    for first in range(np.uintp(start), stop, np.uintp(_FLAGS)):
        m = min(np.uintp(_FLAGS), stop - first)
        for r in range(m):
            holds[r] = limit[first + r] > drift[np.uintp(labels[first + r])]
        for r in range(m):
            out[n] = first + r
            n += one - np.uintp(holds[r])
    return np.intp(n)


@exact
def _split(index, n, labels, limit, drift_slow, fast):
    """Keep in `index` the rows that are not safe from the slow centres; list the others.

    Returns the length of each.
    """
    n_full, n_fast = np.uintp(0), np.uintp(0)
    for r in range(np.uintp(n)):
        i = index[r]
        safe = np.uintp(limit[np.uintp(i)] > drift_slow[np.uintp(labels[np.uintp(i)])])
        index[n_full] = i
        fast[n_fast] = i
        n_full += np.uintp(1) - safe
        n_fast += safe
    return np.intp(n_full), np.intp(n_fast)


@exact
def _merge(index, n_first, n, scratch):
    """Bring the first n rows of `index` into order, of which the first so many are, and the rest.

    So that sums do not depend on what the bounds could tell.
    """
    scratch[:n] = index[:n]
    a, b = 0, n_first
    for r in range(n):
        take_first = a < n_first and (b == n or scratch[a] < scratch[b])
        index[r] = scratch[a] if take_first else scratch[b]
        a += take_first
        b += not take_first


@any_order
def near_sq_distance(X, i, centers, c):
    """Squared distance in float64, but for the order of its sum that of the definition."""
    total = 0.0
    i, c = np.uintp(i), np.uintp(c)
    for j in range(np.uintp(X.shape[1])):
        difference = np.float64(X[i, j]) - centers[c, j]
        total += difference * difference
    return total


@exact
def two_least(X, index, n, shift, factors, norms, panel, best, second, label):
    """The two least scores of the first n rows of `index`, and the centre of the least."""
    n_lanes = panel.shape[1]
    if n:
        pad_index(index, n, n_lanes)
    for start in range(0, n, n_lanes):
        fill_panel(X, index, start, shift, panel)
        fold_panel(panel, factors, norms, best, second, label, start)


@exact
def _copy_row(X, i, shift, row):
    """Row i of X less the shift, in the precision of `row`."""
    i = np.uintp(i)
    if shift.size:
        for j in range(np.uintp(X.shape[1])):
            row[j] = np.float64(X[i, j]) - shift[j]
    else:
        for j in range(np.uintp(X.shape[1])):
            row[j] = X[i, j]


@exact
def _two_least_of_near(
    X, index, n, shift, factors, norms, slack, slack_of_norm, sq_norms, labels, projected,
    p_factors, p_norms, p_slack_of_norm, n_lanes, best, second, label,
):  # fmt: skip
    """As `two_least`, of the centres that a projection does not show to be too far.

    The scores of projected rows are lower bounds. A centre whose bound is above the score of the
    one that the row has now is not nearer; the least of those bounds may be the second score.
    """
    real = best.dtype
    panel = np.empty((projected.shape[1], n_lanes), real)
    bound, rest = np.empty((2, n_lanes), real)
    masks = np.empty(len(p_norms), np.uint32)
    rows, own = np.empty((n_lanes, X.shape[1]), real), np.empty(n_lanes, np.int32)
    nothing = np.empty(0)
    pad_index(index, n, n_lanes)
    for first in range(0, n, n_lanes):
        fill_panel(projected, index, first, nothing, panel)
        for r in range(n_lanes):
            i = np.uintp(index[first + r])
            c = labels[i]
            _copy_row(X, i, shift, rows[r])
            score = norms[c] + product(rows[r], factors, c)
            of_norm = real.type(sq_norms[i])
            bound[r] = score + slack[c] + of_norm * (slack_of_norm + p_slack_of_norm)
            own[r] = c
            best[first + r], second[first + r], label[first + r] = score, np.inf, c
        compare_panel(panel, p_factors, p_norms, bound, masks, rest)
        for c in range(len(masks)):
            mask = masks[c]
            while mask:
                r = lowest_bit(mask)
                mask &= mask - np.uint32(1)
                if own[r] == c or c >= len(norms):
                    continue
                score, p = norms[c] + product(rows[r], factors, c), np.uintp(first) + r
                if score < best[p]:
                    best[p], second[p], label[p] = score, best[p], c
                elif score < second[p]:
                    second[p] = score
        for r in range(n_lanes):
            of_norm = real.type(sq_norms[np.uintp(index[first + r])])
            below = rest[r] - of_norm * p_slack_of_norm
            second[first + r] = min(second[first + r], below)


@exact
def _own_distances(X, index, n, centers, labels, out):
    """Distances of the first n rows of `index` to their own centres, rounded as `out` has it."""
    for r in range(np.uintp(n)):
        i = index[r]
        out[r] = near_sq_distance(X, i, centers, labels[np.uintp(i)])
    for r in range(np.uintp(n)):
        out[r] = np.sqrt(out[r])


@any_order
def _prove_fast(
    index, n, fast, best, second, label, own, labels, sq_norms, slack_of_norm, eps, limit, drift,
    extra, limits,
):  # fmt: skip
    """Fill in the limits of rows that are safe from the slow centres, by their scores."""
    zero, one = best.dtype.type(0), best.dtype.type(1)
    for r in range(np.uintp(n)):
        i = np.uintp(index[r])
        c = np.uintp(labels[i])
        norm = best.dtype.type(sq_norms[i])
        other = second[r] if np.uintp(fast[np.uintp(label[r])]) == c else best[r]
        far = np.sqrt(max(other + norm - norm * (slack_of_norm + eps), zero)) * (one - eps)
        # What the fast ones moved is not to be counted against the slow.
        slow = limit[i] + best.dtype.type(extra[c])
        gap = best.dtype.type(drift[c]) + (far - own[r] * (one + eps))
        least = min(slow, gap)
        limits[r] = least - eps * abs(least)


@exact
def _settle_fast(index, n, labels, limits, limit, drift, full, n_full):
    """Take over the limits of the rows that are safe now; list the others in `full`, too."""
    for r in range(np.uintp(n)):
        i = np.uintp(index[r])
        safe = limits[r] > drift[np.uintp(labels[i])]
        limit[i] = limits[r] if safe else limit[i]
        full[np.uintp(n_full)] = i
        n_full += not safe
    return n_full


@any_order
def _slacks(index, n, label, sq_norms, slack, slack_of_norm, off):
    """How far apart the two least scores of a row must be to tell which centre is nearest."""
    for r in range(np.uintp(n)):
        norm = off.dtype.type(sq_norms[np.uintp(index[r])])
        off[r] = norm * slack_of_norm + slack[np.uintp(label[r])]


@any_order
def _prove(index, n, best, second, label, off, sq_norms, eps, drift, limits):
    """Fill in the limits that the scores prove, with -inf where they leave the label open."""
    zero, one = best.dtype.type(0), best.dtype.type(1)
    none = best.dtype.type(-np.inf)
    for r in range(np.uintp(n)):
        norm = best.dtype.type(sq_norms[np.uintp(index[r])])
        slack = off[r] + norm * eps
        # By how much nearer the own centre is than any other, rounded down.
        far = np.sqrt(max(second[r] + norm - slack, zero)) * (one - eps)
        gap = far - np.sqrt(max(best[r] + norm + slack, zero))
        limit = (best.dtype.type(drift[np.uintp(label[r])]) + gap) * (one - eps)
        limits[r] = limit if second[r] - best[r] > off[r] else none


@exact
def _open_rows(n, best, second, off, out):
    """Which of the first n places the scores leave open; returns how many."""
    n_open, n = np.uintp(0), np.uintp(n)
    proved, one = np.empty(_FLAGS, np.uint8), np.uintp(1)
    for first in range(np.uintp(0), n, np.uintp(_FLAGS)):
        m = min(np.uintp(_FLAGS), n - first)
        for r in range(m):
            proved[r] = second[first + r] - best[first + r] > off[first + r]
        for r in range(m):
            out[n_open] = first + r
            n_open += one - np.uintp(proved[r])
    return np.intp(n_open)


@exact
def _decide_open(
    X, rows, index, places, n, off_rows, centers, factors, norms, off, panel, best, label
):
    """Decide by the definition: label the first n of `places` of `index`."""
    real, n_lanes = best.dtype, panel.shape[1]
    some, bound = np.empty(n_lanes, np.intp), np.empty(n_lanes, real)
    rest, masks = np.empty(n_lanes, real), np.empty(len(norms), np.uint32)
    least, nearest = np.empty(n_lanes), np.empty(n_lanes, np.int32)
    for start in range(0, n, n_lanes):
        m = min(n_lanes, n - start)
        for r in range(n_lanes):
            place = places[start + min(r, m - 1)]
            some[r] = index[place]
            bound[r] = best[place] + real.type(2) * off[place] if r < m else -np.inf
            nearest[r] = label[place]
        least[:] = np.inf
        fill_panel(rows, some, 0, off_rows, panel)
        compare_panel(panel, factors, norms, bound, masks, rest)
        for c in range(len(centers)):
            mask = masks[c]
            while mask:
                r = lowest_bit(mask)
                mask &= mask - np.uint32(1)
                distance = sq_distance(X, some[r], centers, c)
                if distance < least[r]:
                    least[r], nearest[r] = distance, c
        for r in range(m):
            label[places[start + r]] = nearest[r]


@exact
def _take_over(index, n, label, labels, limits, limit, changed, old):
    """Write labels and limits down; list the rows with a new label, and the one before."""
    n_changed = np.uintp(0)
    for r in range(np.uintp(n)):
        i = np.uintp(index[r])
        before, new = labels[i], np.intp(label[r])
        labels[i] = new
        changed[n_changed] = i
        old[n_changed] = before
        n_changed += np.uintp(before != new)
    if limit.size:
        for r in range(np.uintp(n)):
            limit[np.uintp(index[r])] = limits[r]
    return np.intp(n_changed)


@exact
def assign_block(
    X, shift, rows, off_rows, start, stop, centers, factors, norms, slack, slack_of_norm, eps,
    sq_norms, weights, labels, limit, drift_below, drift_above, drift_slow, extra, fast,
    fast_factors, fast_norms, projected, p_factors, p_norms, p_slack_of_norm, all_rows, aside,
    index, other, changed, old, best, second, off, limits, label, panel, place, sums, weight,
    members, clusters,
):  # fmt: skip
    """Label the rows from start to stop, and keep their bounds.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    shift : ndarray of float64 of shape (n_features,), or (0,) for none
    rows : ndarray of shape (n_samples, n_features)
        What the scores are computed from: X, or the rows less the shift in that precision...
    off_rows : ndarray of float64
        ...and what is to be taken off them yet, like `shift`.
    start, stop : int
    centers : ndarray of float64 of shape (n_clusters, n_features)
    factors, norms, slack, slack_of_norm, eps
        Of their `Table`.
    sq_norms : ndarray of shape (n_samples,)
        Squared distances from the shift.
    weights : ndarray of float64 of shape (n_samples,), or (0,) for one each
    labels : ndarray of intp of shape (n_samples,)
        Updated.
    limit : ndarray of shape (n_samples,), or (0,) where no bounds are kept
        Updated: the drift up to which the label is safe.
    drift_below, drift_above : ndarrays of shape (n_clusters,)
        What the bounds count from, rounded down and up.
    drift_slow : ndarray of shape (n_clusters,)
        What it would be had the fast centres not moved, rounded up...
    extra : ndarray of shape (n_clusters,)
        ...and by how much less that is, rounded down.
    fast : ndarray of intp of shape (n_fast,)
        Rows that only these can have come nearer to are compared with these alone.
    fast_factors, fast_norms
        Of the table of those.
    projected : ndarray of shape (n_samples, n_columns), or (0, 0) for none
        The rows in fewer dimensions...
    p_factors, p_norms, p_slack_of_norm
        ...and of the table of the centres in those: the scores are lower bounds. Only if all
        rows have labels.
    all_rows : bool
        Whether the bounds are not to be asked.
    aside : bool
        Whether some centre has no score since it equals another: no bounds hold then.
    index, other, changed, old, best, second, off, limits, label, panel, place : ndarrays
        Scratch memory.
    sums, weight, members, clusters : ndarrays
        Filled: by how much the clusters changed, and which.

    Returns
    -------
    n_looked, n_open, n_changed : int
        Rows that were compared with all centres, that the scores left open, and whose label
        changed.
    n_clusters : int
        How many clusters changed.
    """
    if all_rows:
        n = stop - start
        for r in range(n):
            index[r] = start + r
    else:
        n = find_active(labels, limit, drift_above, start, stop, index)
        if fast.size and n:
            n_slow, n_fast = _split(index, n, labels, limit, drift_slow, other)
            two_least(
                rows, other, n_fast, off_rows, fast_factors, fast_norms, panel, best, second, label
            )
            _own_distances(X, other, n_fast, centers, labels, off)
            _prove_fast(
                other, n_fast, fast, best, second, label, off, labels, sq_norms, slack_of_norm,
                eps, limit, drift_below, extra, limits,
            )  # fmt: skip
            n = _settle_fast(other, n_fast, labels, limits, limit, drift_above, index, n_slow)
            _merge(index, n_slow, n, other)
    if n == 0:
        return 0, 0, 0, 0
    if projected.size:
        _two_least_of_near(
            rows, index, n, off_rows, factors, norms, slack, slack_of_norm, sq_norms, labels,
            projected, p_factors, p_norms, p_slack_of_norm, panel.shape[1], best, second, label,
        )  # fmt: skip
    else:
        two_least(rows, index, n, off_rows, factors, norms, panel, best, second, label)
    _slacks(index, n, label, sq_norms, slack, slack_of_norm, off)
    n_open = _open_rows(n, best, second, off, other)
    if limit.size:
        _prove(index, n, best, second, label, off, sq_norms, eps, drift_below, limits)
        if aside:
            limits[:n] = -np.inf
    if n_open:
        _decide_open(
            X,
            rows,
            index,
            other,
            n_open,
            off_rows,
            centers,
            factors,
            norms,
            off,
            panel,
            best,
            label,
        )
    n_changed = _take_over(index, n, label, labels, limits, limit, changed, old)
    n_clusters = 0
    if n_changed:
        n_clusters = move_rows(
            X, changed, n_changed, labels, old, weights, shift, place, sums, weight, members,
            clusters,
        )  # fmt: skip
    return n, n_open, n_changed, n_clusters


@exact
def label_block(
    X, start, stop, shift, centers, factors, norms, slack, slack_of_norm, eps, labels,
    index, other, changed, old, best, second, off, limits, label, panel,
):  # fmt: skip
    """Label the rows from start to stop; all as for `assign_block`, but no more than that."""
    n, n_lanes = stop - start, panel.shape[1]
    for r in range(n):
        index[r] = start + r
    pad_index(index, n, n_lanes)
    of_sum = best.dtype.type(1) + eps * best.dtype.type(X.shape[1])  # rounding of the norms
    for first in range(0, n, n_lanes):
        fill_panel(X, index, first, shift, panel)
        fold_panel(panel, factors, norms, best, second, label, first)
        _norms_of_panel(panel, off[first : first + n_lanes])
    for r in range(np.uintp(n)):
        off[r] = off[r] * (of_sum * slack_of_norm) + slack[np.uintp(label[r])]
    n_open = _open_rows(n, best, second, off, other)
    if n_open:
        _decide_open(
            X, X, index, other, n_open, shift, centers, factors, norms, off, panel, best, label
        )
    labels[start:stop] = label[:n]


@exact
def _norms_of_panel(panel, out):
    """The squared norm of each row of a panel."""
    out[:] = 0
    for j in range(np.uintp(panel.shape[0])):
        for r in range(np.uintp(len(out))):
            out[r] += panel[j, r] * panel[j, r]
