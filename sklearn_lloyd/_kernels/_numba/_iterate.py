"""Iterations of Lloyd's algorithm one after the other, on all threads that there are."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._assign import assign_block
from sklearn_lloyd._kernels._numba._batch import measure_sums, move_to_means
from sklearn_lloyd._kernels._numba._bounds import follow
from sklearn_lloyd._kernels._numba._code_tables import fill_codes, project
from sklearn_lloyd._kernels._numba._jit import exact, exact_part_with_arrays
from sklearn_lloyd._kernels._numba._sums import add_moved
from sklearn_lloyd._kernels._numba._tables import choose, fill_table, measure
from sklearn_lloyd._kernels._numba._team import STOP, announce, next_task, task_done, wait_for_all

_ASSIGN = 1
# What the leader tells the others: places in an array of whole numbers.
_ITERATION, _N_FAST, _ALL_ROWS = range(3)


@exact
def iterate(
    leads, shared, told, path, found, tol, first, most_open, largest_norm, rows, sq_norms, weights,
    labels, sum_of_squares, table, roundings, of_table, limit, drifts, offsets_before, fastest,
    costs, fast_table, coding, blocks, scratch, totals, totals_before,
):  # fmt: skip
    """Iterate until the run converges, or what comes next is not for compiled code.

    That is: centres that are equal, or too far for the precision of the table; a cluster that is
    empty; sums that have lost their digits or overflow.

    Parameters
    ----------
    leads, shared, told
        See `choose_rows`.
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
    rows : tuple
        As `assign_block` takes them: X, shift, rows, off_rows.
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
    coding : tuple
        Codes, see `assign_block`; a `CodeTable` to be filled, and what it is filled by; axes and
        error of a projection, see `project`, and scratch memory for projected centres.
    blocks : tuple
        Where the blocks start and stop, (n_blocks,); scratch memory for what `assign_block`
        returns, (n_blocks, 4), and for what it fills in from `sums` on, of each block.
    scratch : tuple
        Of this thread: from `lists` to `place`, see `assign_block`.
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
    tasks = (
        shared, told, path, rows, sq_norms, weights, labels, table, limit, drifts, fastest,
        fast_table, coding, blocks, scratch,
    )  # fmt: skip
    bounded, is_hard = limit.size > 0, False
    n_done, is_begun, n_changed, cancelled, inertia = 0, False, 0, False, 0.0
    if not leads:
        _work(False, *tasks)
        return n_done, is_hard, is_begun, n_changed, cancelled, inertia
    _, shift, _, _ = rows
    factors, norms, slack, _, _ = table
    offsets, center_norms = of_table
    fast_factors, fast_norms = fast_table
    codes, code_table, code_roundings, axes, error, projected = coding
    c_codes, c_norms, c_factors, c_slack, _, _, _, _ = code_table
    starts, _, counts, part_sums, part_weight, part_members, clusters = blocks
    sums, all_weights, members = totals
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
        if axes.size:
            project(offsets, center_norms, axes, error, projected)
            fill_codes(
                projected, center_norms, *code_roundings, c_codes, c_norms, c_factors, c_slack
            )
        elif codes.size:
            fill_codes(
                offsets, center_norms, *code_roundings, c_codes, c_norms, c_factors, c_slack
            )
        told[_ITERATION], told[_N_FAST], told[_ALL_ROWS] = n_done, n_fast, first or not bounded
        announce(shared, _ASSIGN)
        _work(True, *tasks)
        wait_for_all(shared, len(starts))
        n_looked = n_open = n_changed = 0
        for b in range(len(starts)):
            n_looked += counts[b, 0]
            n_open += counts[b, 1]
            n_changed += counts[b, 2]
            add_moved(
                clusters[b], counts[b, 3], part_sums[b], part_weight[b], part_members[b], sums,
                all_weights, members,
            )  # fmt: skip
        first, is_begun, is_hard = False, True, n_open > most_open * n_looked
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
    announce(shared, STOP)
    return n_done, is_hard, is_begun, n_changed, cancelled, inertia


@exact_part_with_arrays
def _work(
    leads, shared, told, path, rows, sq_norms, weights, labels, table, limit, drifts, fastest,
    fast_table, coding, blocks, scratch,
):  # fmt: skip
    """Assign blocks: all that are left, or whatever comes until there are no more."""
    fast_factors, fast_norms = fast_table
    codes, code_table, _, _, _, _ = coding
    c_codes, c_norms, c_factors, _, floor, scale, c_error, c_error_of_floor = code_table
    starts, stops, counts, sums, weight, members, clusters = blocks
    while True:
        _, b = next_task(shared, len(starts), not leads)
        if b < 0:
            return
        n_fast = told[_N_FAST]
        counts[b, 0], counts[b, 1], counts[b, 2], counts[b, 3] = assign_block(
            *rows, starts[b], stops[b], path[told[_ITERATION]], *table, sq_norms, weights, labels,
            limit, drifts, fastest[:n_fast], fast_factors[:n_fast], fast_norms[:n_fast], codes,
            c_codes, c_norms, c_factors, floor, scale, c_error, c_error_of_floor,
            told[_ALL_ROWS] != 0, False, *scratch, sums[b], weight[b], members[b], clusters[b],
        )  # fmt: skip
        task_done(shared)
