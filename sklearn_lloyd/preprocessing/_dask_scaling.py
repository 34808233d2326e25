"""What a method of scaling learns from the blocks of a dask collection, in one pass."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sklearn_lloyd._batches import BlockKind, checked_block, naming_batch
from sklearn_lloyd._dask import Blocks, total
from sklearn_lloyd._moments import Moments, feature_ranges, is_constant
from sklearn_lloyd._squares import ends_of
from sklearn_lloyd._weights import scaled_weights
from sklearn_lloyd.preprocessing._apply import units_of
from sklearn_lloyd.preprocessing._scaling import METHODS, SPARSE_METHODS, TrainingRows, with_units

ONE_PASS = ("zscore", "range", "maxabs", "unit-norm", "none")


class BlockRows(NamedTuple):
    """Rows of some blocks, as the ways of scaling look at them: see `TrainingRows`.

    Attributes
    ----------
    kind : BlockKind
        Of the first block.
    all_ends : ndarray of shape (2, n_features)
        The least and the largest value of each feature.
    used_ends : ndarray of shape (2, n_features)
        The same of rows that have a weight.
    units : ndarray of shape (n_features,)
    moments : Moments
        In these units.
    """

    kind: BlockKind
    all_ends: np.ndarray
    used_ends: np.ndarray
    units: np.ndarray
    moments: Moments

    @property
    def ranges(self):
        return self.used_ends / self.units

    @property
    def constant(self):
        return is_constant(*self.ranges, self.kind.dtype)

    def mean_variance(self):
        return self.moments.mean, self.moments.squares / self.moments.weight


def learn_from_blocks(scaler, X, sample_weight):
    """The BlockRows of all rows of a collection, for a scaler that is to be fitted."""
    if scaler.method not in ONE_PASS or scaler.clip is not None:
        what = f"clip={scaler.clip}" if scaler.clip is not None else f"method={scaler.method!r}"
        raise ValueError(
            f"{what} needs quantiles or products of all rows together, which a dask collection "
            f"does not give in one pass. Choose one of {', '.join(map(repr, ONE_PASS))} without "
            "clip, or fit the scaler to a sample in memory, such as X.sample(frac=0.01).compute() "
            "of a dataframe; its transform takes dask collections."
        )
    rows = total(Blocks(X, sample_weight).run(_learn, scaler.method, _add), _add)
    if rows is None:
        raise ValueError("X has no rows, or none of positive weight.")
    return rows


def learned_of(scaler, rows):
    """What the method makes of all that was learned from the blocks."""
    return with_units(rows.units, *METHODS[scaler.method](rows, scaler), None)


@np.errstate(over="ignore", invalid="ignore")
def _learn(number, block, weights, method):
    found = checked_block("ClusterScaler", number, block, weights, n_threads=1)
    if found is None:
        return None
    rows, weights = found
    with naming_batch(number, "Block"):
        if rows.is_sparse and method not in SPARSE_METHODS:
            raise ValueError(
                f"method={method!r} takes off a centre, which would make sparse X dense. "
                f"For sparse X fit with one of {', '.join(map(repr, SPARSE_METHODS))}."
            )
        ends = np.array(ends_of(rows))
        used = ends if weights is None else np.array(feature_ranges(rows, weights))
    units = units_of(np.maximum(ends[1], -ends[0]))
    scaled, unit = scaled_weights(weights)
    mean, variance = TrainingRows(rows, scaled, units, used / units).mean_variance()
    weight = float(rows.shape[0] if scaled is None else scaled.sum())
    moments = Moments(rows.shape[0], weight, mean, weight * variance, unit)
    return BlockRows(BlockKind.of(number, block, rows), ends, used, units, moments)


@np.errstate(over="ignore", invalid="ignore")
def _add(one, other):
    one.kind.require_alike(other.kind)
    units = np.maximum(one.units, other.units)
    moments = [
        each.moments._replace(
            mean=each.moments.mean * (each.units / units),
            squares=each.moments.squares * (each.units / units) ** 2,
        )
        for each in (one, other)
    ]
    ends = [
        np.array([np.minimum(a[0], b[0]), np.maximum(a[1], b[1])])
        for a, b in ((one.all_ends, other.all_ends), (one.used_ends, other.used_ends))
    ]
    return BlockRows(one.kind, *ends, units, moments[0].merged(moments[1]))
