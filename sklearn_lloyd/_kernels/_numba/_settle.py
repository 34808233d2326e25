"""What scores prove: the nearest centre, and up to which drift it stays that."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._distances import sq_distance
from sklearn_lloyd._kernels._numba._jit import any_order_part, exact_part, exact_part_with_arrays
from sklearn_lloyd._kernels._numba._panels import fill_panel
from sklearn_lloyd._kernels._numba._simd import compare_panel, lowest_bit


@any_order_part
def slacks(index, n, label, sq_norms, slack, slack_of_norm, off):
    """How far apart the two least scores of a row must be to tell which centre is nearest."""
    for r in range(np.uintp(n)):
        norm = off.dtype.type(sq_norms[np.uintp(index[r])])
        off[r] = norm * slack_of_norm + slack[np.uintp(label[r])]


@any_order_part
def prove(index, n, best, second, label, off, sq_norms, eps, drift, limits):
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


@any_order_part
def prove_fast(
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


@exact_part
def settle_fast(index, n, labels, limits, limit, drift, full, n_full):
    """Take over the limits of the rows that are safe now; list the others in `full`, too."""
    for r in range(np.uintp(n)):
        i = np.uintp(index[r])
        safe = limits[r] > drift[np.uintp(labels[i])]
        limit[i] = limits[r] if safe else limit[i]
        full[np.uintp(n_full)] = i
        n_full += not safe
    return n_full


@exact_part_with_arrays
def decide_open(
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
        fill_panel(rows, some, np.intp(0), off_rows, panel)  # a mere 0 is a type of its own
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
