"""How far rows are from the model in use, and whether that is too far."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from sklearn_lloyd._core import core_array, native
from sklearn_lloyd._pipeline import seen_by_clusterer, split_steps
from sklearn_lloyd._rows import Rows


class DriftAbove(Exception):
    """Drift is above the limit."""


class Spread(NamedTuple):
    """Where rows are, by cluster.

    Attributes
    ----------
    counts : ndarray of shape (n_clusters,)
    means : ndarray of shape (n_clusters, n_features)
        As the clusterer sees them; NaN without rows.
    spreads : ndarray of shape (n_clusters,)
        Root mean square distance to the mean.
    """

    counts: np.ndarray
    means: np.ndarray
    spreads: np.ndarray


def spread_of(estimator, frames):
    """The rows by cluster of a fitted estimator: a `Spread`."""
    _, clusterer = split_steps(estimator)
    centers = core_array(clusterer.cluster_centers_, np.float64)
    sums, counts, squares = np.zeros_like(centers), np.zeros(len(centers)), np.zeros(len(centers))
    members = np.zeros(len(centers), np.int64)
    for frame in frames:
        seen = seen_by_clusterer(estimator, frame).rows
        labels = core_array(clusterer.predict(seen), np.int32)
        rows = Rows(np.asarray(seen.toarray() if sparse.issparse(seen) else seen, np.float64))
        native.cluster_sums(
            rows.threads, rows.native, None, None, centers, labels, sums, counts, members, squares
        )
    with np.errstate(invalid="ignore"):
        moved = sums / counts[:, np.newaxis]
        spreads = np.sqrt(np.maximum(squares / counts - np.square(moved).sum(axis=1), 0.0))
    return Spread(counts, centers + moved, spreads)


def drift_table(now, before, centers, shares_before):
    """A row for each cluster: shift and shares, as lists by name.

    Parameters
    ----------
    now : Spread
    before : Spread or None
        Of the rows to compare with; None: the centres, in the spreads of now.
    centers : ndarray
    shares_before : ndarray or None
        If `before` is None.
    """
    if before is not None:
        shares_before = before.counts / before.counts.sum()
    means, spreads = (centers, now.spreads) if before is None else before[1:]
    distance = np.linalg.norm(now.means - means, axis=1)
    shift = np.full(len(distance), np.nan)
    np.divide(distance, spreads, out=shift, where=spreads > 0.0)
    share = now.counts / now.counts.sum()
    was = np.full(len(share), np.nan) if shares_before is None else shares_before
    columns = {
        "n_rows": now.counts.astype(int),
        "shift": shift,
        "share_before": was,
        "share": share,
    }
    columns["share_change"] = share - was
    return {name: np.asarray(values).tolist() for name, values in columns.items()}


def require_within(rows, max_shift, max_share_change):
    """Raise DriftAbove if a segment is above a limit that is given.

    Parameters
    ----------
    rows : list of dict
        With segment_id, shift, share_change, and status if there is one.
    max_shift, max_share_change : float or None
    """
    limits = {"shift": max_shift, "share_change": max_share_change}
    limits = {name: limit for name, limit in limits.items() if limit is not None}
    found = []
    for row in rows if limits else ():
        segment = f"segment {row['segment_id']}"
        if row.get("status", "kept") != "kept":
            found.append(f"{segment} is {row['status']}")
        for name, limit in limits.items():
            if abs(row[name]) > limit:
                found.append(f"{segment}: {name} {row[name]:.3g}, limit {limit:g}")
    if found:
        raise DriftAbove(f"Drift is above the limit: {'; '.join(found)}.")
