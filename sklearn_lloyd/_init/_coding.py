"""Which codes of the rows pay in a seeding, if any; see `_codes`."""

from __future__ import annotations

from functools import partial

import numpy as np

from sklearn_lloyd._codes import best_codes, codes_of, distances, distances_below

_FEWEST_STEPS = 6  # in which it pays to encode all rows
# What it takes to turn round a number of a row, to multiply it with one of a trial, and that in
# codes; to look at a row, and to list one that is left: as nanoseconds. Only the ratios matter.
_TURN, _MULTIPLY, _IN_CODES = 0.15, 0.0235, 0.016
_LOOK, _LIST = 6.0, 2.0
_MUCH_WORK = 1 << 31  # products in a pass over all centres, from which on a sample soon pays


def codes_for_trials(problem, n_trials, n_steps):
    """The codes that save most in so many steps, or None."""
    n_rows, n_features = problem.chunks.shape
    if n_steps < _FEWEST_STEPS:
        return None
    if n_rows * n_steps * n_features < _MUCH_WORK:
        return codes_of(problem)
    return best_codes(problem, partial(_cost_of_trials, problem.n_clusters, n_trials))


def _cost_of_trials(n_clusters, n_trials, sample, norms, axes):
    """The work that codes leave half way through a seeding, see `best_codes`."""
    n_features = width = sample.shape[1]
    if axes is not None:
        width = axes.shape[1] + 1
    n_centers = min(n_clusters // 2 + 1, len(sample) // 4)
    centers, trials, rows = np.split(np.arange(len(sample)), [n_centers, n_centers + n_trials])
    of_rows = sample[rows], norms[rows]
    closest = distances(*of_rows, sample[centers], norms[centers]).min(axis=1)
    bounds = distances_below(*of_rows, sample[trials], norms[trials], axes).min(axis=1)
    left = float((bounds < closest).mean())
    whole = _LOOK + n_features * (_TURN + n_trials * _MULTIPLY)
    return (_LOOK + width * n_trials * _IN_CODES + left * (_LIST + whole)) / whole
