"""Steps of greedy k-means++ one after the other, where one thread does all of them."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._drawing import draw_rows
from sklearn_lloyd._kernels._numba._jit import exact
from sklearn_lloyd._kernels._numba._seeding import ask_again, place_trials, try_rows
from sklearn_lloyd._kernels._numba._tables import fill_table
from sklearn_lloyd._kernels._numba._taking import clip_and_sum, take_center


@exact
def choose_rows(
    uniforms, chosen, X, shift, weights, by_block, starts, in_order, keys, most, block_of,
    block_mass, closest, owner, noted, trials_of, offsets_so_far, norms_so_far, n_centers,
    centers, offsets, norms, screened, screen_shift, sq_norms, table, roundings, ask_with,
    potential, least_potential, largest_norm, contend,
):  # fmt: skip
    """Choose rows as first centres, as far as it is clear what to do.

    Parameters
    ----------
    uniforms : ndarray of shape (n_steps, n_trials)
        For the draws of each step.
    chosen : ndarray of intp of shape (n_steps,)
        Filled: the row that each step takes.
    X, shift, offsets_so_far, norms_so_far, centers, offsets, norms
        See `place_trials`. Those so far are added to.
    weights, by_block, starts, in_order, keys, most, block_mass
        See `draw_rows`.
    block_of, closest, owner
        See `take_center`.
    noted, trials_of : ndarrays of uint16 of shape (n_samples,)
        Scratch memory, see `try_rows`.
    n_centers : int
        How many there are so far.
    screened, screen_shift, sq_norms
        The rows as `try_rows` takes them.
    table, roundings : tuples
        The memory of a `Table`, and what `fill_table` wants to know.
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
    n_trials, n_rows, n_done = uniforms.shape[1], len(closest), 0
    drawn, gains = np.empty(n_trials, np.intp), np.empty(n_trials)
    first, n_noted, safe = np.zeros(1, np.intp), np.empty(1, np.intp), np.empty(len(norms_so_far))
    factors, factor_norms, slack, slack_of_norm, _ = table
    codes, c_table = np.empty((0, 0, 0), np.int32), np.empty((0, 0), np.int32)
    none, zero = np.empty(0, np.float32), np.float32(0)
    while n_done < len(uniforms) and potential > 0.0 and potential >= least_potential:
        state = draw_rows(
            uniforms[n_done], block_mass, by_block, starts, in_order, keys, most, closest,
            weights, drawn,
        )  # fmt: skip
        if state != -1:
            break
        asked = n_centers >= ask_with
        known = safe[: n_centers if asked else 0]
        place_trials(X, drawn, shift, offsets_so_far, norms_so_far, centers, offsets, norms, known)
        if norms.max() > largest_norm:
            break
        fill_table(offsets, norms, factors, factor_norms, slack, *roundings)
        n_noted[0], n_near = try_rows(
            screened, 0, n_rows, screen_shift, weights, sq_norms, closest, owner, known, factors,
            factor_norms, slack_of_norm, slack.max(), codes, c_table, none, none, zero, zero, zero,
            zero, noted, trials_of, gains,
        )  # fmt: skip
        best = _clear_best(gains, drawn, keys, contend)
        if best < 0:
            break
        take_center(
            X, first, n_noted, noted, trials_of, np.uint32(1 << best), centers[best : best + 1],
            n_centers, weights, block_of, closest, owner, block_mass,
        )  # fmt: skip
        potential = clip_and_sum(block_mass)
        if asked:
            ask_with = ask_again(n_centers, n_near, n_rows)
        offsets_so_far[n_centers] = offsets[best]
        norms_so_far[n_centers] = norms[best]
        n_centers += 1
        chosen[n_done] = drawn[best]
        n_done += 1
    return n_done, ask_with, potential


@exact
def _clear_best(gains, trials, keys, contend):
    """The trial of the largest gain, the first of equal rows; -1 if others come close to it."""
    best, least = -1, gains.max() * (1.0 - contend)
    for t in range(len(gains)):
        if gains[t] >= least:
            if best >= 0 and keys[trials[t]] != keys[trials[best]]:
                return -1
            best = t if best < 0 else best
    return best
