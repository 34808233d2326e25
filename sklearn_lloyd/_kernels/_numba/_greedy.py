"""Steps of greedy k-means++ one after the other, on all threads that there are."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._code_tables import fill_codes
from sklearn_lloyd._kernels._numba._drawing import draw_rows
from sklearn_lloyd._kernels._numba._jit import exact, exact_part, exact_part_with_arrays
from sklearn_lloyd._kernels._numba._seeding import ask_again, place_trials, try_rows
from sklearn_lloyd._kernels._numba._tables import fill_table
from sklearn_lloyd._kernels._numba._taking import clip_and_sum, take_center
from sklearn_lloyd._kernels._numba._team import STOP, announce, next_task, task_done, wait_for_all

_TRY, _TAKE = 1, 2
# What the leader tells the others: places in an array of whole numbers.
_KNOWN, _IN_CODES, _BEST, _NUMBER = range(4)


@exact
def choose_rows(
    leads, shared, told, slack_of_trial, uniforms, chosen, rows, screened, order, distances,
    blocks, so_far, n_centers, trials, table, roundings, codes, code_table, code_roundings,
    most_noted, little, ask_with, potential, least_potential, largest_norm, contend,
):  # fmt: skip
    """Choose rows as first centres, as far as it is clear what to do.

    Parameters
    ----------
    leads : bool
        Whether this thread decides, or works along until the one that does has returned.
    shared : ndarray of int64 of shape (SIZE,)
        See `_team`.
    told : ndarray of intp of shape (N_TOLD,)
    slack_of_trial : ndarray of shape (1,)
        Scratch memory of all threads.
    uniforms : ndarray of shape (n_steps, n_trials)
        For the draws of each step.
    chosen : ndarray of intp of shape (n_steps,)
        Filled: the row that each step takes.
    rows : tuple
        X, the shift and the weights.
    screened : tuple
        The rows as `try_rows` takes them, their shift, their squared norms.
    order : tuple
        by_block, starts, in_order, keys, most: see `draw_rows`; block_of: see `take_center`.
    distances : tuple
        block_mass, closest, owner: updated. See `take_center`.
    blocks : tuple
        What the rows are cut into: the first row of each and that behind the last, (n_blocks,);
        n_noted, noted, trials_of: see `exact_gain`; scratch memory for gains, (n_blocks,
        n_trials), for how many rows are near, (n_blocks,), and for what each block takes off
        those of `order`.
    so_far : tuple
        Offsets and squared norms of the centres so far: added to. Scratch memory for `safe`. See
        `place_trials`.
    n_centers : int
        How many there are.
    trials : tuple
        Scratch memory: centers, offsets, sq_norms, see `place_trials`.
    table, roundings : tuples
        The memory of a `Table`, and what `fill_table` wants to know.
    codes : ndarray of int32 of shape (n_panels, n_pairs, LANES), or (0, 0, 0) for none
    code_table, code_roundings : tuples
        The memory of a `CodeTable`, and what `fill_codes` wants to know.
    most_noted : float
        Noted rows in the step before, up to which codes are asked.
    little : float
        Noted rows, up to which one thread takes a centre.
    ask_with : int
        See `ask_again`.
    potential, least_potential : float
        The potential, and that from which on the precision of the screen does.
    largest_norm : float
        Of the trials, up to which it does.
    contend : float
        Gains whose relative difference is less are not clear.

    Returns
    -------
    n_steps, ask_with : int
    potential : float
        What has been done. A step that is not clear in all parts has not begun.
    """
    n_trials, n_blocks, n_done = uniforms.shape[1], len(blocks[0]), 0
    block_of = order[5]
    tasks = (
        shared, told, slack_of_trial, rows, screened, block_of, distances, blocks, so_far, trials,
        table, codes, code_table,
    )  # fmt: skip
    if not leads:
        _work(False, *tasks)
        return n_done, ask_with, potential
    X, shift, weights = rows
    block_mass, closest, owner = distances
    first_rows, _, n_noted, noted, trials_of, parts, n_near, masses = blocks
    offsets_so_far, norms_so_far, safe = so_far
    centers, offsets, norms = trials
    drawn, gains = np.empty(n_trials, np.intp), np.empty(n_trials)
    while n_done < len(uniforms) and potential > 0.0 and potential >= least_potential:
        if draw_rows(uniforms[n_done], block_mass, *order[:-1], closest, weights, drawn) != -1:
            break
        asked = n_centers >= ask_with
        told[_KNOWN] = n_centers if asked else 0
        known = safe[: told[_KNOWN]]
        place_trials(X, drawn, shift, offsets_so_far, norms_so_far, centers, offsets, norms, known)
        if norms.max() > largest_norm:
            break
        factors, factor_norms, slack, _, _ = table
        fill_table(offsets, norms, factors, factor_norms, slack, *roundings)
        slack_of_trial[0] = slack.max()
        told[_IN_CODES] = codes.size > 0 and n_noted.sum() <= most_noted
        if told[_IN_CODES]:
            c_codes, c_norms, c_factors, c_slack, _, _, _, _ = code_table
            fill_codes(offsets, norms, *code_roundings, c_codes, c_norms, c_factors, c_slack)
        announce(shared, _TRY)
        _work(True, *tasks)
        wait_for_all(shared, n_blocks)
        _add_up(parts, gains)
        best = _clear_best(gains, drawn, order[3], contend)
        if best < 0:
            break
        told[_BEST], told[_NUMBER] = best, n_centers
        if n_noted.sum() > little:
            announce(shared, _TAKE)
            _work(True, *tasks)
            wait_for_all(shared, n_blocks)
            for b in range(n_blocks):
                if n_noted[b]:
                    for m in range(np.uintp(len(block_mass))):
                        block_mass[m] += masses[b, m]
        else:
            take_center(
                X, first_rows, n_noted, noted, trials_of, np.uint32(1 << best),
                centers[best : best + 1], n_centers, weights, block_of, closest, owner,
                block_mass,
            )  # fmt: skip
        potential = clip_and_sum(block_mass)
        if asked:
            ask_with = ask_again(n_centers, n_near.sum(), len(closest))
        offsets_so_far[n_centers] = offsets[best]
        norms_so_far[n_centers] = norms[best]
        n_centers += 1
        chosen[n_done] = drawn[best]
        n_done += 1
    announce(shared, STOP)
    return n_done, ask_with, potential


@exact_part_with_arrays
def _work(
    leads, shared, told, slack_of_trial, rows, screened, block_of, distances, blocks, so_far,
    trials, table, codes, code_table,
):  # fmt: skip
    """Do tasks: all that are left of a round, or whatever comes until there are no more."""
    X, _, weights = rows
    screened_rows, screen_shift, sq_norms = screened
    _, closest, owner = distances
    first_rows, last_rows, n_noted, noted, trials_of, parts, n_near, masses = blocks
    factors, factor_norms, _, slack_of_norm, _ = table
    c_codes, c_norms, c_factors, _, floor, scale, c_error, c_error_of_floor = code_table
    while True:
        kind, b = next_task(shared, len(first_rows), not leads)
        if b < 0:
            return
        start, stop = first_rows[b], last_rows[b]
        if kind == _TRY:
            n_noted[b], n_near[b] = try_rows(
                screened_rows, start, stop, screen_shift, weights, sq_norms, closest, owner,
                so_far[2][: told[_KNOWN]], factors, factor_norms, slack_of_norm,
                slack_of_trial[0], codes[: len(codes) * told[_IN_CODES]], c_codes, c_norms,
                c_factors, floor, scale, c_error, c_error_of_floor, noted[start:stop],
                trials_of[start:stop], parts[b],
            )  # fmt: skip
        elif n_noted[b]:
            masses[b] = 0.0
            best, one = told[_BEST], slice(b, b + 1)
            take_center(
                X, first_rows[one], n_noted[one], noted, trials_of, np.uint32(1 << best),
                trials[0][best : best + 1], told[_NUMBER], weights, block_of, closest, owner,
                masses[b],
            )  # fmt: skip
        task_done(shared)


@exact_part
def _add_up(parts, gains):
    """The gains of all blocks, in order."""
    gains[:] = 0.0
    for b in range(len(parts)):
        for t in range(len(gains)):
            gains[t] += parts[b, t]


@exact_part
def _clear_best(gains, trials, keys, contend):
    """The trial of the largest gain, the first of equal rows; -1 if others come close to it."""
    best, least = -1, gains.max() * (1.0 - contend)
    for t in range(len(gains)):
        if gains[t] >= least:
            if best >= 0 and keys[trials[t]] != keys[trials[best]]:
                return -1
            best = t if best < 0 else best
    return best
