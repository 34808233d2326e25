"""What `align_clusters` returns: stable ids, what moved, a copy of the model with these ids."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from html import escape
from importlib import import_module

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.utils.validation import check_is_fitted

from sklearn_lloyd._base import BaseKMeans
from sklearn_lloyd._cluster_names import set_names
from sklearn_lloyd._pipeline import split_steps

_PER_CLUSTER = ("cluster_centers_", "counts_", "_counts")  # as they are called by either library
_MOST_SHOWN = 30  # lines of a report


@dataclass(frozen=True, eq=False, repr=False)
class Alignment:
    """Which new cluster is which old one, from :func:`align_clusters`: not to be made by hand.

    Rows of arrays are clusters: of the new model, or of the reference, by their number. It prints
    as text and shows as a table in notebooks.

    Attributes
    ----------
    method : {'centers', 'overlap'}
        How partners were found.
    ids : ndarray of shape (n_clusters,), int64
        The stable id of each new cluster: that of its partner, or one that was never given.
    reference_ids : ndarray of shape (n_reference,), int64
        The stable ids of the reference.
    next_id : int
        The first id that was never given.
    partners : ndarray of shape (n_clusters,), int64
        The number of the old cluster that each new one is; -1 if it is new.
    new : tuple of int
        Ids of new clusters that are no old one.
    lost : tuple of int
        Ids of old clusters that no new one is; those that went into another one, too.
    splits : dict of int to tuple of int
        Old ids by which clusters they were cut into, one of which has mostly kept the id.
    merges : dict of int to tuple of int
        Ids of new clusters by the old ones that they are made of.
    distances : ndarray of shape (n_clusters, n_reference), float64
        Between the centres, as the reference's clusterer sees them.
    gates : ndarray of shape (n_clusters, n_reference), float64
        How far each new cluster could be from each old one to have its id.
    spreads : ndarray of shape (n_reference,), float64
        Root mean square distance of the rows of each old cluster to their mean; NaN if not known.
    spread_source : {'rows', 'inertia', 'unknown'}
        'rows': of `X`. 'inertia': all the same, from the reference's own `inertia_` and
        `labels_`. 'unknown': it had neither.
    centers_source : {'centers', 'rows'}
        'rows': a step has no way back to the columns, so that new centres are means of `X`.
    drift : dict of str to ndarray
        The table of :meth:`to_frame`.
    adjusted_rand : float
        How far both models agree on the rows of `X`, 1 if wholly, about 0 if by chance; NaN
        without.
    flows : ndarray of shape (n_reference, n_clusters), int64, or None
        Rows of `X` by their old and their new cluster.
    features : ndarray of shape (n_columns,), object
        Names of the columns.
    centers : ndarray of shape (n_clusters, n_columns), float64, or None
        New centres in the units of the columns; NaN, or None at all, where there is no way back.
    reference_centers : ndarray of shape (n_reference, n_columns), float64, or None
        So, too, of the reference.
    seen : ndarray of shape (n_clusters, n_features_seen), float64
        New centres as the reference's clusterer sees them.
    reference_seen : ndarray of shape (n_reference, n_features_seen), float64
        The reference's own centres.
    own_centers : ndarray of shape (n_clusters, n_own_features), float64
        The new centres as they are in the new model.
    library : {'pandas', 'polars', ''}
        Where `X` came from.
    names : dict of int to str
        Names of clusters by id: those that the new model holds if it has any (see
        :func:`~sklearn_lloyd.inspection.name_clusters`), else those of the reference.
    """

    method: str
    ids: np.ndarray
    reference_ids: np.ndarray
    next_id: int
    partners: np.ndarray
    new: tuple
    lost: tuple
    splits: dict
    merges: dict
    distances: np.ndarray
    gates: np.ndarray
    spreads: np.ndarray
    spread_source: str
    centers_source: str
    drift: dict
    adjusted_rand: float
    flows: np.ndarray | None
    features: np.ndarray
    centers: np.ndarray | None
    reference_centers: np.ndarray | None
    seen: np.ndarray
    reference_seen: np.ndarray
    own_centers: np.ndarray
    library: str
    names: dict

    @property
    def mapping(self):
        """The stable id of each new cluster by its number, dict of int to int."""
        return dict(enumerate(self.ids.tolist()))

    def stable_labels(self, labels):
        """Turn labels of the new model, as it was aligned, into stable ids.

        Parameters
        ----------
        labels : array-like of int
            What its `predict` gives, or its `labels_`.

        Returns
        -------
        ids : ndarray of int64

        Raises
        ------
        ValueError
            If there is no such cluster.
        """
        labels = np.asarray(labels)
        k = len(self.ids)
        if labels.dtype.kind not in "iu" or (
            labels.size and not 0 <= labels.min() <= labels.max() < k
        ):
            raise ValueError(f"labels must be numbers of clusters of the new model, 0 to {k - 1}.")
        return self.ids[labels]

    def apply(self, estimator):
        """Make a copy of the new model with its clusters in the order of their stable ids.

        Where the ids are 0 to n_clusters - 1, labels of the copy are stable ids. Else there are
        gaps, and a label stays what it is in scikit-learn: the number of a row of
        `cluster_centers_` and of a column of `transform`. So the copy of the clusterer has
        ``cluster_ids_``, its stable ids in ascending order; ``cluster_ids_[labels]`` are stable
        in every case.

        Parameters
        ----------
        estimator : estimator
            The new model that was aligned: alone, a Pipeline that ends in it, or a search.

        Returns
        -------
        aligned : estimator
            A fitted copy; of a search, of its best estimator. `cluster_centers_`, `labels_` and
            the counts of a mini-batch model are permuted alike. Its clusterer has
            `cluster_ids_` and `next_cluster_id_`, by which :func:`align_clusters` goes on when
            it is the reference next time, and `cluster_names_` if there are `names`.
            `partial_fit` keeps them. To fit anew, take :func:`~sklearn.base.clone` or
            :func:`refit_clusters`; our `fit` removes them, scikit-learn's does not.

        Raises
        ------
        NotFittedError
            If it is not fitted.
        TypeError
            If it is no k-means, of ours or scikit-learn's.
        ValueError
            If it is another model than the one that was aligned.
        """
        estimator = getattr(estimator, "best_estimator_", estimator)
        copy = deepcopy(estimator)
        _, clusterer = split_steps(copy)
        check_is_fitted(clusterer)
        if not isinstance(clusterer, BaseKMeans | KMeans | MiniBatchKMeans):
            raise TypeError(
                f"apply permutes the clusters of a k-means; {type(clusterer).__name__} may keep "
                "more by their numbers. Turn its labels into ids by stable_labels."
            )
        if not np.array_equal(clusterer.cluster_centers_, self.own_centers):
            raise ValueError(
                "This is not the model that was aligned: its cluster_centers_ are others. Give "
                "the `new` of align_clusters."
            )
        order = np.argsort(self.ids)
        for name in _PER_CLUSTER:
            if hasattr(clusterer, name):
                setattr(clusterer, name, np.ascontiguousarray(getattr(clusterer, name)[order]))
        if hasattr(clusterer, "labels_"):
            labels = clusterer.labels_
            clusterer.labels_ = np.argsort(order).astype(labels.dtype)[labels]
        clusterer.cluster_ids_ = self.ids[order]
        clusterer.next_cluster_id_ = self.next_id
        set_names(clusterer, [self.names.get(id_) for id_ in clusterer.cluster_ids_.tolist()])
        return copy

    def to_frame(self):
        """The drift report: one row for each id, old and new.

        Returns
        -------
        table : pandas.DataFrame, polars.DataFrame or dict of str to ndarray
            As `X` was a frame of either, else a dict of columns, of which
            ``pandas.DataFrame(table)`` makes one. 'id'; 'status', which is 'kept', 'new' or
            'lost'; 'cluster' and 'reference_cluster', the numbers in either model, or -1;
            'distance' between both centres; 'shift', the same in spreads of the old cluster;
            'share_before' and 'share', of the rows of either fit (of `X`, for a model that
            does not tell); 'share_change', their difference. NaN where it is not known or
            makes no sense.
        """
        columns = dict(self.drift)
        return import_module(self.library).DataFrame(columns) if self.library else columns

    def __repr__(self):
        lines = [self._summary()]
        rows = self._rows()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows[: _MOST_SHOWN + 1]:
            cells = (cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            lines.append("  " + "  ".join(cells).rstrip())
        lines += [f"  and {len(rows) - 1 - _MOST_SHOWN} more"] * (len(rows) - 1 > _MOST_SHOWN)
        return "\n".join(lines + [f"  {said}" for said in self._notes()])

    def _repr_html_(self):
        head, *rows = self._rows()
        style = 'style="text-align:right"'
        body = "".join(
            "<tr>" + "".join(f"<td {style}>{escape(cell)}</td>" for cell in row) + "</tr>"
            for row in rows
        )
        names = "".join(f"<th {style}>{escape(cell)}</th>" for cell in head)
        notes = "".join(f"<br>{escape(said)}" for said in self._notes())
        return (
            f"<div><p><strong>{escape(self._summary())}</strong>{notes}</p>"
            f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def _summary(self):
        kept = len(self.ids) - len(self.new)
        said = f"{len(self.ids)} clusters: {kept} kept, {len(self.new)} new"
        return f"{said}; {len(self.lost)} of {len(self.reference_ids)} lost"

    def _rows(self):
        """Cells of the table, with a first row of names."""
        rows = [["id", "status", "cluster", "was", "shift", "share before", "share"]]
        names = ["id", "status", "cluster", "reference_cluster", "shift", "share_before", "share"]
        for id_, status, here, was, *numbers in zip(*(self.drift[n] for n in names), strict=True):
            shift, before, share = numbers
            places = ["-" if place < 0 else str(place) for place in (here, was)]
            shares = ["-" if np.isnan(s) else f"{s:.1%}" for s in (before, share)]
            rows.append(
                [
                    str(id_),
                    str(status),
                    *places,
                    "-" if np.isnan(shift) else f"{shift:.2f}",
                    *shares,
                ]
            )
        return rows

    def _notes(self):
        notes = [f"{old} was split into {_listed(ids)}" for old, ids in self.splits.items()]
        notes += [f"{_listed(old)} were merged into {id_}" for id_, old in self.merges.items()]
        if not np.isnan(self.adjusted_rand):
            notes.append(f"adjusted Rand index {self.adjusted_rand:.3f}")
        if self.spread_source == "inertia":
            notes.append(
                "shifts are in the common spread of all old clusters: give X for their own"
            )
        elif self.spread_source == "unknown":
            notes.append("spreads are not known: give X for shifts")
        return notes


def _listed(ids):
    *first, last = map(str, ids)
    return f"{', '.join(first)} and {last}"
