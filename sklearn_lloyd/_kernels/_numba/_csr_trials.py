"""Compiled kernels for greedy k-means++ of CSR rows: what trials take off the potential.

Trials are rows, too, with few entries. So a list of the places of features leads to a table
that stays in the cache, and of which the features that no trial has share the first line.
"""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._distances import ZERO
from sklearn_lloyd._kernels._numba._entries import GROUP, add_terms
from sklearn_lloyd._kernels._numba._jit import exact

LANES = 4  # trials are filled up to a multiple of this


@exact
def set_trials(data, indices, indptr, trials, dense, places, factors):
    """Write rows of a CSR matrix down as trials.

    Parameters
    ----------
    data, indices, indptr : ndarrays
        Of the matrix, of shape (n_samples, n_features).
    trials : ndarray of intp
        Which rows.
    dense : ndarray of float64 of shape (n_trials, n_features)
        Zero, but for what `clear_trials` takes off again.
    places : ndarray of int32 of shape (n_features,)
        The same.
    factors : ndarray of float64 of shape (n_places * n_lanes,)
        -2 times the trials, feature by feature, group by group.
    """
    n = 1
    for t in range(len(trials)):
        for p in range(indptr[trials[t]], indptr[trials[t] + 1]):
            j = indices[p]
            dense[t, j] = data[p]
            if places[j] == 0:
                places[j] = n
                n += 1
    n_lanes, group = -(-len(trials) // LANES) * LANES, GROUP * LANES
    n_places = len(factors) // n_lanes
    for first in range(0, n_lanes, group):
        width = min(group, n_lanes - first)
        base = first * n_places
        for k in range(base, base + n * width):
            factors[k] = 0.0
        for t in range(first, min(first + width, len(trials))):
            for p in range(indptr[trials[t]], indptr[trials[t] + 1]):
                j = indices[p]
                factors[base + places[j] * width + t - first] = -2.0 * dense[t, j]


@exact
def clear_trials(indices, indptr, trials, dense, places):
    """Leave zeros where `set_trials` has written, but in the factors."""
    for t in range(len(trials)):
        for p in range(indptr[trials[t]], indptr[trials[t] + 1]):
            dense[t, indices[p]] = 0.0
            places[indices[p]] = 0


@exact
def measure_trials(
    data, indices, indptr, start, stop, places, factors, norms, closest, weights, distances, gains
):
    """Fill in the squared distances of rows to trials; add up what these take off the potential.

    Parameters
    ----------
    data, indices, indptr : ndarrays
    start, stop : int
        Which rows.
    places, factors
        See `set_trials`.
    norms : ndarray of float64 of shape (n_lanes,)
        The squared norms of the trials, and as many more as there are lanes.
    closest : ndarray of float64 of shape (n_samples,)
        Squared distance to the nearest centre so far.
    weights : ndarray of float64 of shape (n_samples,), or (0,) for one each
    distances : ndarray of float64 of shape (n_samples, n_lanes)
        Filled from start to stop.
    gains : ndarray of float64 of shape (n_trials,)
        Filled.
    """
    n_lanes, group = len(norms), GROUP * LANES
    n_places = len(factors) // n_lanes
    sums = np.empty(n_lanes)
    gains[:] = 0.0
    for i in range(np.uintp(start), np.uintp(stop)):
        first, last = np.intp(indptr[i]), np.intp(indptr[i + np.uintp(1)])
        for lane in range(0, n_lanes, group):
            n_vectors = min(group, n_lanes - lane) // LANES
            add_terms(
                data, indices, first, last, factors, lane * n_places, n_vectors, norms, lane,
                places, sums,
            )  # fmt: skip
        now, weight = closest[i], weights[i] if weights.size else 1.0
        for t in range(np.uintp(len(gains))):
            distance = sums[t] if sums[t] > ZERO * norms[t] else 0.0
            distances[i, t] = distance
            closer = now - distance
            gains[t] += weight * closer if closer > 0.0 else 0.0
