"""What workers do with a block in a pass. None of it knows of dask."""

from __future__ import annotations

from collections import OrderedDict, deque
from threading import Lock
from typing import NamedTuple

import numpy as np

from sklearn_lloyd._batches import BlockKind, checked_block, naming_batch
from sklearn_lloyd._core import native
from sklearn_lloyd._fit import inertia_of
from sklearn_lloyd._moments import Moments
from sklearn_lloyd._predict import inertia_under
from sklearn_lloyd._solvers import (
    Assigner,
    ClusterSums,
    costly_rows,
    label_rows,
    merge_costly,
)
from sklearn_lloyd._squares import ends_of, require_squares
from sklearn_lloyd._types import Problem

# Fits whose states a process keeps. Fits beyond that at once lose theirs, and take longer.
_MOST_FITS = 4
# Ended fits that a process knows, by name: the last pass of one that was interrupted may still go
# on, and its states are then not kept. Far more than can end while one pass goes on.
_MOST_ENDED = 64


class FitOptions(NamedTuple):
    """How the blocks of a fit are looked at."""

    fit: str  # its name: of the states that workers keep between passes
    n_features: int | None  # None: not known yet
    n_threads: int  # of a task
    weight_unit: float = 1.0
    shift: np.ndarray | None = None
    kept: bool = False  # whether blocks stay where they are, and a state may refer to them
    bounded: bool = True
    start: int = 0  # of which the states are


def _checked(number, block, weights, options):
    """The rows of a block and their weights in the unit of the fit, or None if none counts."""
    found = checked_block("DaskKMeans", number, block, weights, options.n_threads)
    if found is None or options.weight_unit == 1.0:
        return found
    rows, weights = found
    return rows, (np.ones(rows.shape[0]) if weights is None else weights) / options.weight_unit


def add_arrays(one, other):
    return tuple(a + b for a, b in zip(one, other, strict=True))


class Measured(NamedTuple):
    """What is known of blocks after the first pass."""

    kind: BlockKind
    masses: list  # (number of the block, weight, unit) of those that count
    moments: Moments


def measure(number, block, weights, options):
    """The first pass: whether blocks are alike, their moments and weights."""
    found = _checked(number, block, weights, options)
    if found is None:
        return None
    rows, weights = found
    with naming_batch(number, "Block"):
        require_squares(rows)
        if options.n_features not in (None, rows.shape[1]):
            raise ValueError(f"it has {rows.shape[1]} features, expected {options.n_features}.")
        moments = Moments.of(rows, weights)
    masses = [(number, moments.weight, moments.unit)]
    return Measured(BlockKind.of(number, block, rows), masses, moments)


def add_measured(one, other):
    one.kind.require_alike(other.kind)
    return Measured(one.kind, one.masses + other.masses, one.moments.merged(other.moments))


def ends(number, block, weights, options):
    """The least and the largest value of each feature."""
    found = _checked(number, block, weights, options)
    return None if found is None else ends_of(*found)


def add_ends(one, other):
    return np.minimum(one[0], other[0]), np.maximum(one[1], other[1])


def sample(number, block, weights, args):
    """Rows drawn by weight, one for each of the uniforms that fall on this block."""
    options, uniforms = args[0], args[1][number]
    rows, weights = _checked(number, block, weights, options)
    mass = np.arange(1.0, rows.shape[0] + 1) if weights is None else weights.cumsum()
    return rows.take(_places(mass, uniforms))


def _places(mass, uniforms):
    """Places of draws in cumulated masses; never one of no mass, whatever rounding does."""
    places = mass.searchsorted(uniforms * mass[-1], side="right")
    return np.minimum(places, mass.searchsorted(mass[-1]))


class Pass(NamedTuple):
    """What an iteration asks of the blocks."""

    options: FitOptions
    number: int  # counted from 0
    before: np.ndarray | None  # the centres of the pass before
    centers: np.ndarray


def assign(number, block, weights, this):
    """Assign the rows of a block; what that changes in the sums of the clusters.

    It depends on the rows, the centres and those of the pass before alone. The labels of that
    pass, and bounds, are kept in the process to save time: a worker that does not have them
    assigns the rows to the centres before first.
    """
    key = this.options.fit, "labels", number
    done, state = _states.take(key, (None, None))
    # A pass is run again where its result is lost: then the state is ahead.
    goes_on = done == (this.options.start, this.number - 1)
    if goes_on and this.options.kept:
        assigner = state
    elif (found := _checked(number, block, weights, this.options)) is None:
        return None
    elif goes_on:
        assigner = Assigner(_problem(*found, this), False, labels=state)
    else:
        assigner = Assigner(_problem(*found, this), this.options.bounded)
        if this.before is not None:
            assigner.assign(this.before)
    delta = ClusterSums(*this.centers.shape)
    n_changed = assigner.assign(this.centers, delta)
    # A state with bounds refers to the block: only where that stays in memory anyway.
    done = this.options.start, this.number
    _states.put(key, (done, assigner if this.options.kept else assigner.labels))
    return *delta.arrays, n_changed


def sums(number, block, weights, this):
    """The sums of the clusters of a block, from all of its rows."""
    found = _checked(number, block, weights, this.options)
    if found is None:
        return None
    clusters = ClusterSums(*this.centers.shape)
    rows, weights = found
    label_rows(
        rows, this.centers, this.options.shift, weights=weights, clusters=clusters, inertia=False
    )
    return clusters.arrays


def inertia(number, block, weights, this):
    """Inertia of a block under the centres of the last pass, by differences."""
    found = _checked(number, block, weights, this.options)
    if found is None:
        return None
    rows, weights = found
    key = this.options.fit, "labels", number
    done, state = _states.take(key, (None, None))
    if done == (this.options.start, this.number - 1):
        _states.put(key, (done, state))
        labels = state.labels if this.options.kept else state
    else:
        labels, _, _ = label_rows(rows, this.centers, this.options.shift, inertia=False)
    return inertia_of(rows, this.centers, labels, weights)


def costly(number, block, weights, this):
    """The rows of a block that cost most, see `costly_rows`."""
    found = _checked(number, block, weights, this.options)
    if found is None:
        return None
    most = 2 * len(this.centers)
    return most, costly_rows(*found, this.centers, this.options.shift, most)


def add_costly(one, other):
    most, found = one
    return most, merge_costly(found, other[1], most)


def score(number, block, weights, args):
    """Inertia of a block under fitted centres, in the unit of the weights."""
    options, centers = args
    found = _checked(number, block, weights, options)
    if found is None:
        return None
    with naming_batch(number, "Block"):
        return inertia_under(found[0], centers, found[1])


class Candidates(NamedTuple):
    """What a round of k-means|| asks of the blocks."""

    options: FitOptions
    points: np.ndarray  # all candidates so far
    uniforms: dict | None = None  # of the draws that fall on each block


def mass(number, block, weights, this):
    """Weight times squared distance to the nearest candidate, summed."""
    found = _checked(number, block, weights, this.options)
    if found is None:
        return None
    return [(number, float(_costs(number, *found, this)[0].sum()))]


def drawn(number, block, weights, this):
    """Rows drawn by weight times squared distance to the nearest candidate."""
    rows, weights = _checked(number, block, weights, this.options)
    costs = _costs(number, rows, weights, this)[0]
    return rows.dense(_places(costs.cumsum(), this.uniforms[number]))


def candidate_weights(number, block, weights, this):
    """The weight of the rows that are nearest to each candidate."""
    found = _checked(number, block, weights, this.options)
    if found is None:
        return None
    _, nearest = _costs(number, *found, this)
    _states.take((this.options.fit, "candidates", number), None)  # the last that asks for it
    return np.bincount(nearest, found[1], len(this.points)).astype(np.float64)


def _costs(number, rows, weights, this):
    """Of each row, and its nearest candidate; goes on from what the process has of them."""
    key = this.options.fit, "candidates", number
    start, known, nearest, closest = _states.take(key, (0, 0, None, None))
    if nearest is None or start != this.options.start or known > len(this.points):
        known, nearest = 0, np.zeros(rows.shape[0], np.int64)
        closest = np.full(rows.shape[0], np.inf)
    if known < len(this.points):
        more = this.points[known:]
        labels, _, _ = label_rows(rows, more, this.options.shift, inertia=False)
        distances = np.empty(labels.size)
        native.own_distances(rows.threads, rows.native, None, more, labels, distances)
        nearer = distances < closest
        np.copyto(closest, distances, where=nearer)
        np.add(labels, known, out=nearest, where=nearer)
    _states.put(key, (this.options.start, len(this.points), nearest, closest))
    return closest if weights is None else weights * closest, nearest


def _problem(rows, weights, this):
    shift, n_clusters = this.options.shift, len(this.centers)
    return Problem(rows, n_clusters, weights, rows.dtype, shift, None, None, np.nan, np.nan)


class _States:
    """What a process keeps of blocks between passes. Results never depend on it."""

    def __init__(self):
        self._of_fit, self._lock = OrderedDict(), Lock()
        self._ended = deque(maxlen=_MOST_ENDED)

    def take(self, key, default):
        with self._lock:
            return self._of_fit.get(key[0], {}).pop(key[1:], default)

    def put(self, key, state):
        with self._lock:
            if key[0] in self._ended:
                return
            self._of_fit.setdefault(key[0], {})[key[1:]] = state
            self._of_fit.move_to_end(key[0])
            while len(self._of_fit) > _MOST_FITS:
                self._of_fit.popitem(last=False)

    def forget(self, fit):
        with self._lock:
            self._of_fit.pop(fit, None)
            self._ended.append(fit)


_states = _States()


def forget(fit):
    """Drop what this process keeps of a fit."""
    _states.forget(fit)
