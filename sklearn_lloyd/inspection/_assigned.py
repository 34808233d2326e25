"""Rows as a fitted clusterer sees them: their clusters, and which are nearest to the centres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from sklearn_lloyd._core import core_array, native
from sklearn_lloyd._pipeline import require_columns
from sklearn_lloyd._predict import distances_to_centers
from sklearn_lloyd._rows import Rows, even_slices
from sklearn_lloyd._weights import scaled_weights
from sklearn_lloyd.inspection._columns import take_slice

_AT_ONCE = 1 << 16  # numbers of X that are transformed together
_WORDS = 64  # that a text counts for


@dataclass(frozen=True)
class AssignedRows:
    """What a clusterer, at the end of its steps, says of rows.

    Parameters
    ----------
    clusters : ndarray of shape (n_clusters,)
        What `predict` calls them.
    codes : ndarray of shape (n_samples,), intp
        The place in `clusters` of each row's own.
    sq_distances : ndarray of shape (n_samples,), float64
        To the centre of the own cluster, in the space of `centers`.
    centers : ndarray of shape (n_clusters, n_features_seen), float64
        NaN where a clusterer has none and no row came.
    """

    clusters: np.ndarray
    codes: np.ndarray
    sq_distances: np.ndarray
    centers: np.ndarray

    def exemplars(self, rows, n_exemplars):
        """Of some rows those nearest to each centre, the first of equally near ones.

        Parameters
        ----------
        rows : ndarray of intp
            The rows to choose from.
        n_exemplars : int

        Returns
        -------
        exemplars : ndarray of shape (n_clusters, n_exemplars), intp
            -1 where a cluster has fewer rows.
        """
        codes = self.codes[rows]
        # Equally near but for rounding is equally near.
        mantissa, exponent = np.frexp(self.sq_distances[rows])
        order = np.lexsort((np.ldexp(np.round(mantissa, 9), exponent), codes))
        start = np.searchsorted(codes[order], np.arange(len(self.clusters)))
        found = np.full((len(self.clusters), n_exemplars), -1)
        rank = np.arange(order.size) - start[codes[order]]
        first = rank < n_exemplars
        found[codes[order][first], rank[first]] = rows[order[first]]
        return found

    def nearest(self):
        """The nearest other cluster of each, of the first ones if equally near; -1: there is none.

        Returns
        -------
        nearest : ndarray of shape (n_clusters,), intp
        """
        found = np.full(len(self.clusters), -1)
        known = np.flatnonzero(np.isfinite(self.centers).all(axis=1))
        if known.size < 2:
            return found
        centers = np.ascontiguousarray(self.centers[known])
        for part in even_slices(known.size, max(1, _AT_ONCE // known.size)):
            distances = distances_to_centers(Rows(centers[part]), centers)
            here = np.arange(known.size)[part]
            distances[np.arange(here.size), here] = np.inf
            found[known[part]] = known[distances.argmin(axis=1)]
        return found


def assign_rows(steps, clusterer, X, sample_weight):
    """Transform rows and predict their clusters, block by block."""
    require_columns(steps, clusterer, X)
    centers = getattr(clusterer, "cluster_centers_", getattr(clusterer, "means_", None))
    if centers is not None:
        centers = np.asarray(centers.toarray() if sparse.issparse(centers) else centers)
        centers = core_array(centers, np.float64)
    labels, distances = [], np.empty(X.shape[0])

    for rows, seen in blocks_of(steps, X):
        labels.append(np.asarray(clusterer.predict(seen)))
        if centers is not None:
            _measure(seen, centers, labels[-1], distances[rows])
    labels = np.concatenate(labels)
    if centers is not None:
        return AssignedRows(np.arange(len(centers)), labels.astype(np.intp), distances, centers)

    clusters, codes = np.unique(labels, return_inverse=True)
    sample_weight, _ = scaled_weights(sample_weight)
    totals, members = np.zeros(len(clusters)), np.zeros(len(clusters), np.int64)
    sums = None
    for rows, seen in blocks_of(steps, X):
        weights = None if sample_weight is None else sample_weight[rows]
        block = rows_of(seen)
        sums = np.zeros((len(clusters), block.shape[1])) if sums is None else sums
        native.cluster_sums(
            block.threads, block.native, weights, None, None, codes[rows].astype(np.int32), sums,
            totals, members, None,
        )  # fmt: skip
    centers = np.full(sums.shape, np.nan)
    np.divide(sums, totals[:, np.newaxis], out=centers, where=totals[:, np.newaxis] > 0.0)
    for rows, seen in blocks_of(steps, X):
        _measure(seen, centers, codes[rows], distances[rows])
    return AssignedRows(clusters, codes, distances, centers)


def blocks_of(steps, X):
    """Slices of rows, and these rows as the clusterer takes them."""
    if sparse.issparse(X):
        per_row = X.nnz // max(1, X.shape[0])
    else:
        per_row = X.shape[1] if len(X.shape) == 2 else _WORDS
    for rows in even_slices(X.shape[0], max(1, _AT_ONCE // max(1, per_row))):
        seen = take_slice(X, rows)
        for step in steps:
            seen = step.transform(seen)
        yield rows, seen


def rows_of(seen):
    return Rows(seen.tocsr() if sparse.issparse(seen) else np.asarray(seen, dtype=np.float64))


def _measure(seen, centers, labels, out):
    """Fill `out` with the squared distances of rows to the centres of their labels."""
    rows = rows_of(seen)
    native.own_distances(
        rows.threads, rows.native, None, centers, core_array(labels, np.int32), out
    )
