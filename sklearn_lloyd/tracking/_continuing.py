"""Which segments the clusters of a new version are: ids that hold for the life of a model."""

from __future__ import annotations

import json
import re
from typing import NamedTuple

import numpy as np

from sklearn_lloyd._cluster_names import set_names
from sklearn_lloyd._pipeline import split_steps
from sklearn_lloyd.persistence._archive import load_bytes
from sklearn_lloyd.tracking._align import align_clusters
from sklearn_lloyd.tracking._models import read_model, stable_ids


class Matched(NamedTuple):
    """The clusters of a version as segments.

    Attributes
    ----------
    segment_ids : ndarray of shape (n_clusters,), int64
        By cluster.
    next_segment_id : int
        The smallest id that no segment has ever had.
    rand_index : float or None
        Of the rows, against the version before.
    drift : list of dict
        Rows of `segment_drift`, without model and version.
    """

    segment_ids: np.ndarray
    next_segment_id: int
    rand_index: float | None
    drift: list


def first_match(estimator):
    """Of the first version of a model: its clusters are its segments, by the ids they have."""
    ids, next_id = stable_ids(read_model("estimator", estimator))
    return Matched(ids, next_id, None, [])


def match_segments(before, estimator, X, alignment):
    """Of a later version.

    Parameters
    ----------
    before : Stored
        The version before.
    estimator : fitted estimator
        The new version.
    X : table or None
    alignment : Alignment or None
        None: by centres.
    """
    if alignment is None:
        reference = with_ids(load_bytes(before.archive), before)
        alignment = align_clusters(estimator, reference, X=X, next_id=before.next_segment_id)
    else:
        _require_of(alignment, before, estimator)
    # Models know of the ids that they had, the store of all.
    next_id = max(alignment.next_id, before.next_segment_id)
    return Matched(alignment.ids, next_id, alignment.adjusted_rand, _drift_rows(alignment))


def with_ids(estimator, stored):
    """The estimator of a version, whose clusterer knows its segments and their names."""
    _, clusterer = split_steps(estimator)
    clusterer.cluster_ids_ = stored.segment_ids
    clusterer.next_cluster_id_ = stored.next_segment_id
    # A name that the store made of the id says less than what profiles suggest.
    made = [re.compile(rf"Segment {i}( \(\d+\))?") for i in stored.segment_ids]
    pairs = zip(made, stored.names, strict=True)
    set_names(clusterer, [None if own.fullmatch(name) else name for own, name in pairs])
    return estimator


def _require_of(alignment, before, estimator):
    _, clusterer = split_steps(estimator)
    if not np.array_equal(alignment.own_centers, clusterer.cluster_centers_):
        raise ValueError("alignment is of another estimator than the one to be registered.")
    new = min(alignment.new, default=before.next_segment_id)
    same = np.array_equal(np.sort(alignment.reference_ids), np.sort(before.segment_ids))
    if not same or new < before.next_segment_id:
        raise ValueError(
            "alignment is with another version than the latest: align the estimator with "
            "store.load(name), and register it then."
        )


def _drift_rows(alignment):
    numbers = ("distance", "shift", "share_before", "share")
    columns = [np.asarray(alignment.drift[name]).tolist() for name in ("id", "status", *numbers)]
    return [
        {
            "segment_id": segment,
            "status": str(status),
            **dict(zip(numbers, values, strict=True)),
            "split_into": json.dumps(alignment.splits.get(segment, ())),
            "merged_from": json.dumps(alignment.merges.get(segment, ())),
        }
        for segment, status, *values in zip(*columns, strict=True)
    ]
