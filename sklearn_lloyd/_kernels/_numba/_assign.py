"""Assigning a block of rows: which to look at, what their scores prove, the rest exactly.

The two least scores of a row decide where they lie farther apart than they may be off. What
they leave open is decided by the definition of a distance, among the centres whose scores are
near enough to the least. Bounds are what they are in `_solvers/_assign`.
"""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import exact
from sklearn_lloyd._kernels._numba._least import (
    own_distances,
    two_least,
    two_least_of_near,
)
from sklearn_lloyd._kernels._numba._rows import (
    FLAGS,
    find_active,
    merge,
    open_rows,
    split,
    take_over,
)
from sklearn_lloyd._kernels._numba._settle import (
    decide_open,
    prove,
    prove_fast,
    settle_fast,
    slacks,
)
from sklearn_lloyd._kernels._numba._sums import move_rows


@exact
def assign_block(
    X, shift, rows, off_rows, start, stop, centers, factors, norms, slack, slack_of_norm, eps,
    sq_norms, weights, labels, limit, drifts, fast, fast_factors, fast_norms, codes, c_table,
    c_norms, c_factors, floor, scale, c_error, c_error_of_floor, all_rows, aside, lists, of_rows,
    label, panel, place, sums, weight, members, clusters,
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
    drifts : ndarray of shape (4, n_clusters)
        What the bounds count from: as `follow` fills it in.
    fast : ndarray of intp of shape (n_fast,)
        Rows that only these can have come nearer to are compared with these alone.
    fast_factors, fast_norms
        Of the table of those.
    codes : ndarray of int32 of shape (n_panels, n_pairs, LANES), or (0, 0, 0) for none
        The rows in whole numbers. Only if all rows have labels.
    c_table, c_norms, c_factors, floor, scale, c_error, c_error_of_floor
        Of the `CodeTable` of the centres.
    all_rows : bool
        Whether the bounds are not to be asked.
    aside : bool
        Whether some centre has no score since it equals another: no bounds hold then.
    lists, of_rows, label, panel, place : ndarrays
        Scratch memory. The first two are of shape (4, n_rows), for lists of rows and for numbers
        of theirs in the dtype of `factors`.
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
    index, other, changed, old = lists
    best, second, off, limits = of_rows
    drift_below, drift_above, drift_slow, extra = drifts
    if all_rows:
        n = stop - start
        for r in range(n):
            index[r] = start + r
    else:
        n = find_active(labels, limit, drift_above, start, stop, index)
        if fast.size and n:
            n_slow, n_fast = split(index, n, labels, limit, drift_slow, other)
            two_least(
                rows, other, n_fast, off_rows, fast_factors, fast_norms, panel, best, second, label
            )
            own_distances(X, other, n_fast, centers, labels, off)
            prove_fast(
                other, n_fast, fast, best, second, label, off, labels, sq_norms, slack_of_norm,
                eps, limit, drift_below, extra, limits,
            )  # fmt: skip
            n = settle_fast(other, n_fast, labels, limits, limit, drift_above, index, n_slow)
            merge(index, n_slow, n, other)
    if n == 0:
        return 0, 0, 0, 0
    if codes.size:
        two_least_of_near(
            rows, index, n, off_rows, factors, norms, slack, slack_of_norm, sq_norms, labels,
            codes, c_table, c_norms, c_factors, floor, scale, c_error, c_error_of_floor, best,
            second, label,
        )  # fmt: skip
    else:
        two_least(rows, index, n, off_rows, factors, norms, panel, best, second, label)
    slacks(index, n, label, sq_norms, slack, slack_of_norm, off)
    n_open = open_rows(n, best, second, off, np.empty(FLAGS, np.uint8), other)
    if limit.size:
        prove(index, n, best, second, label, off, sq_norms, eps, drift_below, limits)
        if aside:
            limits[:n] = -np.inf
    if n_open:
        decide_open(
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
    n_changed = take_over(index, n, label, labels, limits, limit, changed, old)
    n_clusters = 0
    if n_changed:
        n_clusters = move_rows(
            X, changed, n_changed, labels, old, weights, shift, place, sums, weight, members,
            clusters,
        )  # fmt: skip
    return n, n_open, n_changed, n_clusters
