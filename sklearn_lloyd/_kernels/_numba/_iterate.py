"""Iterations of Lloyd's algorithm, one after the other, where all rows are one block."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._assign import assign_block
from sklearn_lloyd._kernels._numba._batch import measure_sums, move_to_means
from sklearn_lloyd._kernels._numba._bounds import follow
from sklearn_lloyd._kernels._numba._jit import exact
from sklearn_lloyd._kernels._numba._sums import add_moved
from sklearn_lloyd._kernels._numba._tables import choose, fill_table, measure


@exact
def iterate(
    path, found, tol, first, most_open, largest_norm, rows, sq_norms, weights, labels,
    sum_of_squares, table, roundings, of_table, limit, drifts, offsets_before, fastest, costs,
    fast_table, coded, scratch, moved, totals, totals_before,
):  # fmt: skip
    """Iterate until the run converges, or what comes next is not for compiled code.

    That is: centres that are equal, or too far for the precision of the table; a cluster that is
    empty; sums that have lost their digits or overflow.

    Parameters
    ----------
    path : ndarray of float64 of shape (n_iterations + 1, n_clusters, n_features)
        The first centres. Filled: those after each iteration.
    found : ndarray of float64 of shape (n_iterations, 3)
        Filled: inertia, squared movement of the centres, rows whose label changed.
    tol : float
        The run has converged when the squared movement is at most this, or no label changed.
    first : bool
        Whether the rows have no labels yet.
    most_open : float
        Share of the rows looked at that scores may leave open.
    largest_norm : float
        Of the centres, up to which there is room in the precision of the table.
    rows, coded : tuples
        As `assign_block` takes them: X, shift, rows, off_rows; codes and what follows them.
    sq_norms, weights, labels, limit, drifts
        As `assign_block` takes them.
    sum_of_squares : float
        As `measure_sums` takes it.
    table, roundings, of_table : tuples
        A `Table` to be filled, what it is filled by, and scratch memory for the
        centres less the shift and the squares of their norms.
    offsets_before : ndarray of float64 of shape (n_clusters, n_features)
        The centres less the shift that the bounds count from. Updated.
    fastest, costs : ndarray of intp, tuple
        As `follow` takes them, the second from `numbers` on: multiples of `CENTERS`.
    fast_table : tuple
        Scratch memory for factors and norms of the fast centres.
    scratch, moved : tuples
        Of `assign_block`: from `lists` to `place`; from `sums` to `clusters`.
    totals, totals_before : tuples
        The sums, weights and members of the clusters; the squared norms of the sums and the
        weights of the iteration before. Updated.

    Returns
    -------
    n_done : int
        Iterations.
    is_hard : bool
        Whether the scores left open more rows than they may, at which the iterations end, too.
    is_begun : bool
        Whether the rows have been assigned once more and the sums measured:
    n_changed, cancelled, inertia
        What came of that.
    """
    _, shift, _, _ = rows
    factors, norms, slack, _, _ = table
    offsets, center_norms = of_table
    fast_factors, fast_norms = fast_table
    part_sums, part_weight, part_members, clusters = moved
    sums, all_weights, members = totals
    bounded, is_hard = limit.size > 0, False
    n_done, is_begun, n_changed, cancelled, inertia = 0, False, 0, False, 0.0
    while n_done < len(found):
        centers, n_fast = path[n_done], 0
        alike, largest = measure(centers, shift, offsets, center_norms)
        if alike or largest > largest_norm:
            break
        fill_table(offsets, center_norms, factors, norms, slack, *roundings)
        if bounded:
            if not first:
                n_fast = follow(offsets, offsets_before, labels, limit, drifts, fastest, *costs)
            offsets_before[:] = offsets
        choose(factors, norms, fastest[:n_fast], fast_factors, fast_norms)
        all_rows = first or not bounded
        n_looked, n_open, n_changed, n_clusters = assign_block(
            *rows, 0, len(labels), centers, *table, sq_norms, weights, labels, limit, drifts,
            fastest[:n_fast], fast_factors[:n_fast], fast_norms[:n_fast], *coded,
            all_rows, False, *scratch, *moved,
        )  # fmt: skip
        first, is_begun, is_hard = False, True, n_open > most_open * n_looked
        add_moved(
            clusters, n_clusters, part_sums, part_weight, part_members, sums, all_weights, members
        )
        cancelled, inertia = measure_sums(
            sums, all_weights, centers, shift, sum_of_squares, *totals_before
        )
        if cancelled or not np.isfinite(inertia) or not members.all():
            break
        center_shift = move_to_means(sums, all_weights, centers, shift, path[n_done + 1])
        found[n_done, 0], found[n_done, 1], found[n_done, 2] = inertia, center_shift, n_changed
        n_done += 1
        is_begun = False
        if is_hard or n_changed == 0 or center_shift <= tol:
            break
    return n_done, is_hard, is_begun, n_changed, cancelled, inertia
