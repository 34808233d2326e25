"""How rows find their nearest centre: pass after pass, or in passing."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._core import native
from sklearn_lloyd._rows import working_memory
from sklearn_lloyd._solvers._clusters import sums_of_labels
from sklearn_lloyd._solvers._empty import labels_without_empty

# Products in a pass, up to which bounds take longer than they save.
_LITTLE_WORK = 1 << 17
# Name: whether rows that bounds show to be safe are passed over.
ASSIGNERS = {"lloyd": False, "elkan": True, "hamerly": True}


def make_assigner(algorithm, problem):
    """The assigner of that name; "auto" takes bounds where they can save more than they cost."""
    if algorithm == "auto":
        n_rows, n_features = problem.rows.shape
        much = n_rows * problem.n_clusters * n_features > _LITTLE_WORK
        algorithm = "hamerly" if much else "lloyd"
    return Assigner(problem, ASSIGNERS[algorithm])


class Assigner:
    """Assigns all rows in each pass, and keeps their labels and the sums of the clusters.

    Parameters
    ----------
    problem : Problem
    bounded : bool
        Whether to look only at rows whose nearest centre may have changed. Labels are the same.
    labels : ndarray of int32 of shape (n_samples,), default=None
        Those of an earlier pass, to go on from; taken over.

    Attributes
    ----------
    labels : ndarray of int32 of shape (n_samples,)
        Updated in place; -1 before the first pass.
    """

    def __init__(self, problem, bounded, labels=None):
        rows = problem.rows
        self._problem = problem
        self.labels = np.full(rows.shape[0], -1, np.int32) if labels is None else labels
        self._native = native.assigner(
            rows.threads,
            rows.native,
            problem.sample_weight,
            problem.shift,
            problem.n_clusters,
            bounded,
            self.labels,
            working_memory(),
        )

    def assign(self, centers, clusters=None):
        """Assign all rows to `centers`, float64; returns how many labels changed.

        `clusters`, the ClusterSums of the labels before, are brought up to date.
        """
        arrays = (None, None, None) if clusters is None else clusters.arrays
        return native.assign(self._problem.rows.threads, self._native, centers, *arrays)[0]

    def sums(self):
        """The ClusterSums of the labels, from all rows."""
        return sums_of_labels(self._problem, self.labels)

    def sums_without_empty(self, centers, members):
        """The same once empty clusters have the rows that cost most; None if no row moves."""
        moved = labels_without_empty(self._problem, self.labels, centers, members)
        return None if moved is None else sums_of_labels(self._problem, moved)


def label_rows(rows, centers, shift, *, index=None, weights=None, clusters=None, inertia=True):
    """The nearest centre of each row, in passing.

    Parameters
    ----------
    rows : Rows
    centers : ndarray of shape (n_clusters, n_features), float64
    shift : ndarray of shape (n_features,), float64, or None
        A point near the centres.
    index : ndarray of int64, or None
        Which rows; None: all.
    weights : ndarray of shape (n_samples,), float64, or None
        By row of `rows`.
    clusters : ClusterSums, or None
        What the sums of the rows are added to.
    inertia : bool
        Whether the inertia is wanted.

    Returns
    -------
    labels : ndarray of int32
    inertia : float
        Weighted sum of the squared distances to these centres, by differences.
    finite : bool
        False if some row may not be finite, or is so far that its square may overflow.
    """
    labels = np.empty(rows.shape[0] if index is None else index.size, np.int32)
    arrays = (None, None, None) if clusters is None else clusters.arrays
    found = native.label(
        rows.threads,
        rows.native,
        index,
        weights,
        shift,
        centers,
        labels,
        None,
        *arrays,
        inertia,
    )
    return labels, *found
