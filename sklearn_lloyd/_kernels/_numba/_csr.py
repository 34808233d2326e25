"""Compiled kernels for CSR rows, which must have no entry twice.

The centres are screened by their scores, see `_entries`; what the scores leave open is decided
by the definition, whose sum is added entry by entry in float64.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sklearn_lloyd._kernels._distances import ZERO
from sklearn_lloyd._kernels._numba._batch import measure_sums, move_centers, move_to_means
from sklearn_lloyd._kernels._numba._csr_trials import (
    LANES,
    clear_trials,
    measure_trials,
    set_trials,
)
from sklearn_lloyd._kernels._numba._entries import GROUP_BYTES, fold_entries, score_entries
from sklearn_lloyd._kernels._numba._jit import any_order, any_order_part, exact, exact_part
from sklearn_lloyd._kernels._numba._rows import find_active

__all__ = [
    "LANES",
    "clear_trials",
    "empty_columns",
    "fill_columns",
    "find_active",
    "has_duplicates",
    "label_rows",
    "measure_sums",
    "measure_trials",
    "measured_columns",
    "move_centers",
    "move_rows",
    "move_to_means",
    "own_distances",
    "set_trials",
    "sq_movement",
]

_TILE = 512  # rows that meet one group of centres before the next
_REGISTER = 32  # bytes
_LINE = 64  # bytes
_BLOCK = 64  # features that are written at once


@exact
def has_duplicates(indices, indptr, n_features):
    """Whether any row has two entries in one column."""
    last_row = np.full(n_features, -1, np.intp)
    for i in range(len(indptr) - 1):
        for p in range(np.uintp(indptr[i]), np.uintp(indptr[i + 1])):
            j = np.uintp(indices[p])
            if last_row[j] == i:
                return True
            last_row[j] = i
    return False


class Columns(NamedTuple):
    """Centres in one precision, feature by feature, and how far their scores err.

    A score is the squared distance less the squared norm of the row. It is a lower bound but
    for `slack_of_norm`.

    Attributes
    ----------
    factors : ndarray of shape (n_features * n_lanes,)
        -2 times the centres, see `fill_columns`; zero where there is no centre.
    norms : ndarray of shape (n_lanes,)
        The squared norms of the centres, less the error; far where there is no centre.
    slack : ndarray of shape (n_lanes,)
        How much too low a score may be for the centre's own part.
    slack_of_norm : float
        How far off two scores of a row may be together for the row's part, times its squared
        norm.
    """

    factors: np.ndarray
    norms: np.ndarray
    slack: np.ndarray
    slack_of_norm: np.floating


def empty_columns(n_clusters, n_features, dtype):
    """Memory for the factors, the norms and the slacks of `Columns`."""
    lanes = _REGISTER // np.dtype(dtype).itemsize
    n_lanes = -(-n_clusters // lanes) * lanes
    size = n_features * n_lanes
    memory = np.zeros(size + _LINE, dtype)
    start = -memory.ctypes.data % _LINE // memory.itemsize  # of the first whole line of the cache
    return memory[start : start + size], *np.empty((2, n_lanes), dtype)


def measured_columns(memory, sq_norms, never, n_terms):
    """The `Columns` in that memory, of which `fill_columns` is to fill the factors.

    Parameters
    ----------
    memory : tuple
        What `empty_columns` has given.
    sq_norms : ndarray of float64 of shape (n_clusters,)
    never : ndarray of bool of shape (n_clusters,) or None
        Centres that no row may choose.
    n_terms : int
        The number of products in a score.
    """
    _, norms, slack = memory
    info, n = np.finfo(norms.dtype), len(sq_norms)
    # Roundings: of the products and their sum, of the norm; the rest and a twentieth are for what
    # is computed from the scores. In halves of an eps: the rounding to nearest.
    eta = 0.525 * float(info.eps) * (n_terms + 16)
    if info.dtype == np.float64:
        eta *= 4.0  # the definition rounds in the same precision
    norms[:n] = (1.0 - 2.0 * eta) * sq_norms
    slack[:n] = 4.0 * eta * sq_norms + 8.0 * (n_terms + 8) * float(info.tiny)
    norms[n:], slack[n:] = info.max / 16, 0.0
    if never is not None:
        norms[:n][never] = info.max / 16
    return Columns(*memory, info.dtype.type(2.0 * eta))


@exact
def fill_columns(centers, start, stop, factors):
    """Write the centres times -2, feature by feature, for the features from start to stop.

    The centres of a group lie side by side; behind all features of a group is the next one.
    """
    n_clusters, n_features = centers.shape
    n_lanes, group = len(factors) // n_features, GROUP_BYTES // factors.itemsize
    for first in range(0, n_lanes, group):
        width = np.uintp(min(group, n_lanes - first))
        base = np.uintp(first * n_features)
        for j_first in range(start, stop, _BLOCK):
            for c in range(min(width, n_clusters - first)):
                place = base + np.uintp(c)
                for j in range(np.uintp(j_first), np.uintp(min(j_first + _BLOCK, stop))):
                    factors[place + j * width] = -2.0 * centers[np.uintp(first + c), j]


@any_order
def sq_movement(centers, before, start, stop, out):
    """Fill in the squared differences in the features from start to stop, for each centre."""
    for c in range(np.uintp(len(centers))):
        total = 0.0
        for j in range(np.uintp(start), np.uintp(stop)):
            difference = centers[c, j] - before[c, j]
            total += difference * difference
        out[c] = total


@any_order_part
def _sq_norm(data, start, stop):
    total = 0.0
    for p in range(np.uintp(start), np.uintp(stop)):
        x = np.float64(data[p])
        total += x * x
    return total


@exact_part
def _sq_distance(data, indices, start, stop, centers, c, sq_norm):
    """The definition: see `_kernels/_distances`."""
    total, c = 0.0, np.uintp(c)
    for p in range(np.uintp(start), np.uintp(stop)):
        x = np.float64(data[p])
        total += x * (x - 2.0 * centers[c, np.uintp(indices[p])])
    distance = total + sq_norm
    return distance if distance > ZERO * sq_norm else 0.0


@exact_part
def _fold(data, indices, indptr, index, first, n, n_features, factors, norms, best, second, label):
    """The two least scores of n rows of `index` from `first` on."""
    lanes, group = _REGISTER // factors.itemsize, GROUP_BYTES // factors.itemsize
    for r in range(np.uintp(n)):
        best[r] = second[r] = np.inf
        label[r] = 0
    for lane in range(0, len(norms), group):
        n_vectors = min(group, len(norms) - lane) // lanes
        for r in range(n):
            i = np.uintp(index[np.uintp(first + r)])
            fold_entries(
                data, indices, np.intp(indptr[i]), np.intp(indptr[i + np.uintp(1)]), factors,
                lane * n_features, n_vectors, norms, lane, best, second, label, r,
            )  # fmt: skip


@exact_part
def _settle(data, indices, start, stop, centers, sq_norms, factors, norms, bound, scores):
    """The nearest centre by the definition, among those whose score is within a bound."""
    lanes, group = _REGISTER // factors.itemsize, GROUP_BYTES // factors.itemsize
    for lane in range(0, len(norms), group):
        n_vectors = min(group, len(norms) - lane) // lanes
        base = lane * centers.shape[1]
        score_entries(data, indices, start, stop, factors, base, n_vectors, norms, lane, scores)
    least, label = np.inf, 0
    for c in range(len(centers)):
        if not scores[c] > bound:
            distance = _sq_distance(data, indices, start, stop, centers, c, sq_norms[c])
            if distance < least:
                least, label = distance, c
    return label


@exact
def label_rows(
    data, indices, indptr, index, n, centers, sq_norms, factors, norms, slack, slack_of_norm,
    labels, limit, drift, eps, changed, old,
):  # fmt: skip
    """Label the rows of `index`, keep their bounds, and list those whose label changed.

    Parameters
    ----------
    data, indices, indptr : ndarrays
        Of the CSR matrix of shape (n_samples, n_features).
    index : ndarray of intp
        Of which the first n count.
    centers : ndarray of float64 of shape (n_clusters, n_features)
    sq_norms : ndarray of float64 of shape (n_clusters,)
    factors, norms, slack, slack_of_norm
        Of the `Columns` of the centres.
    labels : ndarray of intp of shape (n_samples,)
        Updated.
    limit : ndarray of shape (n_samples,), or (0,) where no bounds are kept
        Updated: the drift up to which the label is safe.
    drift : ndarray of shape (n_clusters,)
        What the bounds count from, rounded down.
    eps : float
        A bound on the relative rounding of a limit.
    changed, old : ndarrays of intp
        Filled: rows with a new label, and the one before.

    Returns
    -------
    n_open, n_changed : int
        Rows that the scores left open, and whose label changed.
    """
    best, second = np.empty((2, _TILE), factors.dtype)
    label, scores = np.empty(_TILE, np.int32), np.empty(len(norms), factors.dtype)
    n_open = n_changed = 0
    for first in range(0, n, _TILE):
        m = min(_TILE, n - first)
        _fold(
            data, indices, indptr, index, first, m, centers.shape[1], factors, norms, best, second,
            label,
        )  # fmt: skip
        for r in range(np.uintp(m)):
            i = np.uintp(index[np.uintp(first) + r])
            start, stop = np.intp(indptr[i]), np.intp(indptr[i + np.uintp(1)])
            c, norm = np.intp(label[r]), _sq_norm(data, start, stop)
            off = slack[c] + slack_of_norm * factors.dtype.type(norm)
            is_open = not second[r] - best[r] > off
            if limit.size:
                far = np.float64(second[r]) + norm - np.float64(off)
                near = np.float64(best[r]) + norm + np.float64(off)
                gap = np.sqrt(max(far, 0.0)) * (1.0 - eps) - np.sqrt(max(near, 0.0)) * (1.0 + eps)
                limit[i] = -np.inf if is_open else (np.float64(drift[c]) + gap) * (1.0 - eps)
            if is_open:
                n_open += 1
                bound = best[r] + off + off
                c = _settle(
                    data, indices, start, stop, centers, sq_norms, factors, norms, bound, scores
                )
            before = labels[i]
            if before != c:
                labels[i] = c
                changed[n_changed] = i
                old[n_changed] = before
                n_changed += 1
    return n_open, n_changed


@exact
def own_distances(data, indices, indptr, start, centers, sq_norms, labels, out):
    """Squared distances of as many rows from start on to the centres of their labels."""
    for r in range(np.uintp(len(out))):
        i = np.uintp(start) + r
        c = np.uintp(labels[i])
        first, last = indptr[i], indptr[i + np.uintp(1)]
        out[r] = _sq_distance(data, indices, first, last, centers, c, sq_norms[c])


@exact
def move_rows(
    data, indices, indptr, index, old, labels, weights, sums, sum_of_weights, members
):  # fmt: skip
    """Add rows to the clusters that they are in now, and take them off the old.

    Parameters
    ----------
    data, indices, indptr : ndarrays
    index, old : ndarrays of intp
        Rows, and the labels they had; -1: none.
    labels : ndarray of intp of shape (n_samples,)
    weights : ndarray of float64 of shape (n_samples,), or (0,) for one each
    sums : ndarray of float64 of shape (n_clusters, n_features)
    sum_of_weights : ndarray of float64 of shape (n_clusters,)
    members : ndarray of intp of shape (n_clusters,)
        Updated, all three.
    """
    for r in range(np.uintp(len(index))):
        i = np.uintp(index[r])
        w = weights[i] if weights.size else 1.0
        for side in range(2):
            c = labels[i] if side == 0 else old[r]
            if c < 0:
                continue
            sign = 1 if side == 0 else -1
            factor = sign * w
            c = np.uintp(c)
            sum_of_weights[c] += factor
            members[c] += sign * (w > 0)
            for p in range(np.uintp(indptr[i]), np.uintp(indptr[i + np.uintp(1)])):
                sums[c, np.uintp(indices[p])] += factor * np.float64(data[p])
