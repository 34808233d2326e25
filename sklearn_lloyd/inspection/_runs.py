"""Lloyd's algorithm in half-steps, for pictures: rows choose a centre, centres move."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from sklearn_lloyd._fit import first_centers, inertia_of
from sklearn_lloyd._functions import lloyd_steps
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd._solvers import labels_without_empty
from sklearn_lloyd._validation import check_n_clusters, check_rows


class Run(NamedTuple):
    """One start of k-means, from its first centres to its end.

    Attributes
    ----------
    labels : ndarray of shape (n_steps, n_shown), int32
        The nearest centre of each row that is drawn, step by step.
    centers : ndarray of shape (n_steps + 1, n_clusters, n_features), float64
        Before the first step, and after each.
    inertia : ndarray of shape (n_steps,), float64
        When the rows have been assigned, before the centres move.
    moved_labels : ndarray of shape (n_steps, n_shown), int32
        When the centres have moved: the same, but for rows that empty clusters took over.
    moved_inertia : ndarray of shape (n_steps,), float64
        When the centres have moved.
    n_changed, n_empty : ndarray of shape (n_steps,), int
        Of all rows: how many chose another centre; clusters that none chose.
    end : {"strict", "tol", ""}
        Why it ends: no row changed, the centres hardly moved, or no further steps were wanted.
    last_labels : ndarray of shape (n_shown,), int32
        Nearest of the last centres. After a strict end these are the labels of the last step;
        after others `fit` assigns once more.
    last_inertia : float
        Of these: the `inertia_` of the fit.
    """

    labels: np.ndarray
    centers: np.ndarray
    inertia: np.ndarray
    moved_labels: np.ndarray
    moved_inertia: np.ndarray
    n_changed: np.ndarray
    n_empty: np.ndarray
    end: str
    last_labels: np.ndarray
    last_inertia: float


def run_from_centers(X, centers, shown, *, max_iter, tol):
    """Walk the loop of `fit`, and measure the inertia after both halves of each step.

    Parameters
    ----------
    X : {ndarray, CSR} of shape (n_samples, n_features)
    centers : array-like of shape (n_clusters, n_features)
        The first ones.
    shown : ndarray of int
        The rows whose labels are kept.
    max_iter : int
    tol : float
        Both as of `lloyd_steps`.

    Returns
    -------
    run : Run
    """
    places = [np.array(centers, np.float64)]
    n_clusters = len(places[0])
    problem = _problem(X, n_clusters, None)
    records = []
    for step in lloyd_steps(X, centers, max_iter=max_iter, tol=tol):
        moved = None
        if step.n_empty:
            members = np.bincount(step.labels, minlength=n_clusters)
            moved = labels_without_empty(problem, step.labels, places[-1], members)
        moved = step.labels if moved is None else moved
        places.append(step.centers)
        inertia = inertia_of(problem.rows, step.centers, moved, None)
        counts = step.n_changed, step.n_empty
        records.append((step.labels[shown], step.inertia, moved[shown], inertia, *counts))
    labels, inertias, moved_labels, moved_inertias, n_changed, n_empty = map(
        np.array, zip(*records, strict=True)
    )
    last = step.labels
    if step.converged != "strict":
        last = next(lloyd_steps(X, step.centers, max_iter=1)).labels
    return Run(
        labels,
        np.array(places),
        inertias,
        moved_labels,
        moved_inertias,
        n_changed,
        n_empty,
        step.converged,
        last[shown],
        inertia_of(problem.rows, step.centers, last, None),
    )


def first_centers_of(estimator, X, n_starts):
    """The first centres of so many starts of the estimator's fit, in their order."""
    if not isinstance(estimator.init, str) and not callable(estimator.init):
        return [estimator.init]
    problem = _problem(X, estimator.n_clusters, estimator.n_threads)
    rng = check_random_state(estimator.random_state)
    init, init_size = estimator.init, estimator.init_size
    return [first_centers(problem, init, init_size, rng) for _ in range(n_starts)]


def _problem(X, n_clusters, n_threads):
    rows = check_rows("LloydStepsDisplay", X, n_threads=n_threads, reset=True)
    check_n_clusters(rows.shape[0], n_clusters)
    return make_problem(rows, n_clusters, None)
