"""What rows say of two models: who shares them, how far they spread."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn.metrics import adjusted_rand_score

from sklearn_lloyd._core import native
from sklearn_lloyd.inspection._assigned import assign_rows, blocks_of, rows_of
from sklearn_lloyd.inspection._columns import check_table


class SharedRows(NamedTuple):
    """Rows by both models.

    Attributes
    ----------
    counts : ndarray of shape (n_reference, n_new), int64
        Rows by the cluster of either.
    means : ndarray of shape (n_new, n_features_seen), float64
        Of the rows of each new cluster, as the reference's clusterer sees them; NaN without rows.
    spreads : ndarray of shape (n_reference,), float64
        Root mean square distance of the rows of each old cluster to their mean, within the new
        clusters.
    new_spreads : ndarray of shape (n_new,), float64
        The same of each new cluster, as a whole.
    adjusted_rand : float
    """

    counts: np.ndarray
    means: np.ndarray
    spreads: np.ndarray
    new_spreads: np.ndarray
    adjusted_rand: float


def share_rows(new, reference, X):
    """Predict by both models, block by block."""
    X = check_table(X)
    here = assign_rows(new.steps, new.clusterer, X, None).codes
    old = assign_rows(reference.steps, reference.clusterer, X, None)
    shape = len(reference.centers), len(new.centers)
    # A piece is what an old and a new cluster share.
    pieces, piece = np.unique(old.codes * shape[1] + here, return_inverse=True)
    sums, n_rows = _sums(reference.steps, X, piece, len(pieces), reference.centers.shape[1])
    counts = np.bincount(pieces, n_rows, shape[0] * shape[1]).astype(np.int64).reshape(shape)

    means = np.zeros((shape[1], sums.shape[1]))
    np.add.at(means, pieces % shape[1], sums)
    with np.errstate(invalid="ignore"):
        means /= counts.sum(axis=0)[:, np.newaxis]
    owner, heir = np.divmod(pieces, shape[1])
    piece_means = sums / n_rows[:, np.newaxis]
    away = n_rows * ((piece_means - reference.centers[owner]) ** 2).sum(axis=1)
    within = np.maximum(np.bincount(piece, old.sq_distances) - away, 0.0)
    apart = n_rows * ((piece_means - means[heir]) ** 2).sum(axis=1)
    spreads = _spreads(np.bincount(owner, within, shape[0]), counts.sum(axis=1))
    new_spreads = _spreads(np.bincount(heir, within + apart, shape[1]), counts.sum(axis=0))
    return SharedRows(counts, means, spreads, new_spreads, adjusted_rand_score(old.codes, here))


def spreads_of(reference, X):
    """Root mean square distances of rows that a model was fitted on to their own centres."""
    rows = assign_rows(reference.steps, reference.clusterer, check_table(X), None)
    k = len(reference.centers)
    return _spreads(
        np.bincount(rows.codes, rows.sq_distances, k), np.bincount(rows.codes, minlength=k)
    )


def _spreads(squares, n_rows):
    """From sums of squares; few rows say little, so that of all counts as one row more."""
    common = squares.sum() / n_rows.sum()
    return np.sqrt(np.where(n_rows, (squares + common) / np.maximum(n_rows, 1), common))


def _sums(steps, X, piece, n_pieces, n_features):
    sums = np.zeros((n_pieces, n_features))
    totals, members = np.zeros(n_pieces), np.zeros(n_pieces, np.int64)
    piece = piece.astype(np.int32)
    for part, seen in blocks_of(steps, X):
        rows = rows_of(seen)
        native.cluster_sums(
            rows.threads, rows.native, None, None, None, piece[part], sums, totals, members, None
        )
    return sums, totals
