"""From settings to what the page draws; all of k-means is done by the package."""

from __future__ import annotations

import base64
import warnings
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from sklearn_lloyd._fit import first_centers, inertia_of
from sklearn_lloyd._functions import lloyd_steps
from sklearn_lloyd._kmeans import KMeans
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd._validation import check_n_clusters, check_rows
from sklearn_lloyd.inspection import diagnose
from sklearn_lloyd.inspection._drawing import look_of, shown_of
from sklearn_lloyd.inspection._plane import Plane, thin
from sklearn_lloyd.metrics import silhouette_samples
from sklearn_lloyd.model_selection import NClustersSearch
from sklearn_lloyd.playground._code import code_of, code_of_data
from sklearn_lloyd.playground._datasets import IMAGE_WIDTH, LOADED, MADE, NAMES
from sklearn_lloyd.playground._settings import SCALERS
from sklearn_lloyd.playground._tables import Table, Tables

_MOST_DRAWN = 3000  # rows; a browser moves so many dots within a few milliseconds
_MOST_WIDTHS = 200  # of a cluster's silhouette, from the least to the largest
_NUMBERS = range(1, 11)
_DIGITS = 6
_RUNS_KEPT = 8


class Frame(NamedTuple):
    """The picture after half a step.

    Attributes
    ----------
    kind : {'start', 'assigned', 'moved', 'end'}
        'end': rows chose once more, since the run stopped before no row changed.
    labels : int or None
        Which of the labels of the run.
    centers : int
    inertia : float or None
    n_changed : int
        Rows that chose another cluster.
    n_empty : int
        Clusters without rows, whose centres then moved to costly rows.
    """

    kind: str
    labels: int | None
    centers: int
    inertia: float | None
    n_changed: int = 0
    n_empty: int = 0


class Run(NamedTuple):
    """A run from first centres to the end, in half-steps.

    Attributes
    ----------
    table : Table
    X : ndarray or frame
        As the clusterer sees the rows.
    scaler : transformer or None
    plane : Plane
        Of the picture.
    init : str or ndarray
        As of KMeans, to make the same again.
    model : KMeans
        Fitted; its labels and inertia are those of the last frame.
    start_inertias : list of float
    kept, start : int
        Which of the starts is the best, and which one this is.
    frames : list of Frame
    labels : list of ndarray of shape (n_samples,), uint8
    centers : list of ndarray of shape (n_clusters, n_features)
    """

    table: Any
    X: Any
    scaler: Any
    plane: Plane
    init: Any
    model: KMeans
    start_inertias: list
    kept: int
    start: int
    frames: list
    labels: list
    centers: list


class Playground:
    """What the page can ask; each answer is plain data that JSON can hold."""

    def __init__(self):
        self.tables = Tables()
        self._run = lru_cache(_RUNS_KEPT)(self._make_run)

    def steps(self, settings):
        """All half-steps of a run, and the code to make it."""
        run = self._run(settings)
        X = np.asarray(run.X, dtype=np.float64)
        shown = thin(X, _MOST_DRAWN, 0)
        places = run.plane.place(X[shown])
        notes = [run.table.note, _of_clusters(run), _of_the_end(run)]
        answer = {
            "points": _rounded(places),
            "labels": [_packed(labels[shown]) for labels in run.labels],
            "centers": [_rounded(run.plane.place(centers)) for centers in run.centers],
            "frames": [frame._asdict() for frame in run.frames],
            "axes": list(run.plane.axis_labels),
            "is_whole": run.plane.is_whole,
            "n_features": X.shape[1],
            "n_rows": len(X),
            "shown": shown_of(shown.size, len(X)),
            "colors": [look_of(cluster).color for cluster in range(settings.n_clusters)],
            "starts": run.start_inertias,
            "kept": run.kept,
            "start": run.start,
            "notes": [note for note in notes if note],
            "code": code_of(run.table.code, run.scaler, run.init, settings),
        }
        if settings.data == "image_colours":
            answer["image"] = self._image(run, shown)
        return answer

    def silhouettes(self, settings, frame):
        """Silhouette widths of the clusters of one frame."""
        run = self._run(settings)
        if type(frame) is not int or not 0 <= frame < len(run.frames):
            raise ValueError("There is no such step.")
        place = run.frames[frame].labels
        if place is None:
            raise ValueError("No row has chosen a cluster yet: go a step on.")
        labels = run.labels[place]
        widths = silhouette_samples(run.X, labels)
        of_clusters = {}
        for cluster in np.unique(labels).tolist():
            own = np.sort(widths[labels == cluster])
            few = np.linspace(0, own.size - 1, min(own.size, _MOST_WIDTHS)).astype(int)
            of_clusters[cluster] = {
                "n_rows": own.size,
                "mean": float(own.mean()),
                "widths": _rounded(own[few]),
            }
        return {"mean": float(widths.mean()), "clusters": of_clusters}

    def numbers(self, settings):
        """What speaks for which number of clusters."""
        run = self._run(settings)
        init = "k-means++" if settings.is_by_hand else settings.init
        clusterer = KMeans(init=init, n_init=settings.n_init, random_state=settings.seed)
        numbers = [number for number in _NUMBERS if number <= len(run.X)]
        search = NClustersSearch(clusterer, n_clusters=numbers, random_state=settings.seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of equal rows: the table is shorter then
            search.fit(run.X)
        table = {
            name: [None if not np.isfinite(value) else value for value in column.tolist()]
            for name, column in search.results_.items()
            if not name.endswith("std_error")
        }
        return {
            "table": table,
            "votes": search.votes_,
            "n_clusters": search.n_clusters_,
            "summary": repr(search.summary()),
        }

    def findings(self, settings):
        """What commonly goes wrong, found in this clustering."""
        run = self._run(settings)
        return {
            "findings": [
                {
                    "code": finding.code,
                    "severity": finding.severity,
                    "meaning": finding.meaning,
                    "advice": finding.advice,
                }
                for finding in diagnose(run.model, run.X)
            ]
        }

    def _make_run(self, settings):
        table = self._table(settings)
        scaler = SCALERS[settings.scaling] and SCALERS[settings.scaling]()
        X = table.X
        if scaler is not None:
            if hasattr(X, "iloc"):
                scaler.set_output(transform="pandas")
            X = scaler.fit_transform(X)
        k = settings.n_clusters
        rows = check_rows("playground", X, n_threads=None, reset=True)
        check_n_clusters(rows.shape[0], k)
        seen = np.asarray(X, dtype=np.float64)
        plane = Plane(seen, table.names)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the page says it by a note
            if settings.is_by_hand:
                init = _by_hand(settings.places, seen, plane)
                model = KMeans(k, init=init).fit(X)
                starts = [init]
            else:
                init = settings.init
                model = KMeans(
                    k, init=init, n_init=settings.n_init, random_state=settings.seed
                ).fit(X)
                problem, rng = make_problem(rows, k, None), check_random_state(settings.seed)
                starts = [first_centers(problem, init, None, rng) for _ in range(settings.n_init)]
            inertias = model.start_inertias_.tolist()
            kept = inertias.index(model.inertia_)
            start = kept
            if settings.start is not None and not settings.is_by_hand:
                start = settings.start - 1
            if start != kept:
                init = starts[start]
                model = KMeans(k, init=init).fit(X)
        made = _half_steps(rows, seen, starts[start], model)
        return Run(table, X, scaler, plane, init, model, inertias, kept, start, *made)

    def _table(self, settings):
        name, n_rows = settings.data, settings.n_rows
        if name in MADE:
            X = MADE[name](n_rows)
        elif name in LOADED:
            X = LOADED[name]()
        else:
            return self.tables[name]
        return Table(name, X, NAMES.get(name), len(X), code_of_data(name, n_rows))

    def _image(self, run, shown):
        """The image in the colours of the centres: of each row in the picture its place in it."""
        paints = [
            centers if run.scaler is None else run.scaler.inverse_transform(centers)
            for centers in run.centers
        ]
        colours = [np.clip(paint * 255, 0, 255).astype(int).tolist() for paint in paints]
        return {
            "width": IMAGE_WIDTH,
            "height": -(-len(run.X) // IMAGE_WIDTH),
            "pixels": shown.tolist(),
            "original": np.rint(run.table.X[shown] * 255).astype(int).tolist(),
            "colours": colours,
        }


def _by_hand(places, X, plane):
    """First centres where the user put them.

    A picture of principal components has no one place for a point of it: there the row is
    taken that lies nearest.
    """
    places = np.array(places)
    if plane.is_whole:
        return places
    if X.shape[1] == 1:
        return places[:, :1]
    apart = plane.place(X)[np.newaxis] - places[:, np.newaxis]
    return X[(apart**2).sum(axis=2).argmin(axis=1)]


def _half_steps(rows, X, start, model):
    frames, labels, centers = [Frame("start", None, 0, None)], [], [np.asarray(start, float)]

    def put(kind, own, n_changed=0, n_empty=0):
        if not labels or not np.array_equal(labels[-1], own):
            labels.append(own.astype(np.uint8))
        places = centers[-1]
        inertia = inertia_of(rows, places, own.astype(np.int32), None)
        place = len(centers) - 1
        frames.append(Frame(kind, len(labels) - 1, place, inertia, n_changed, n_empty))

    for step in lloyd_steps(X, start, max_iter=model.max_iter, tol=model.tol):
        put("assigned", step.labels, step.n_changed, step.n_empty)
        centers.append(step.centers)
        own = step.labels
        if step.n_empty:
            own = _with_relocated(own, X, step.centers)
        put("moved", own)
    if step.converged != "strict":
        n_changed = int((step.labels != model.labels_).sum())
        put("end", model.labels_, n_changed)
    return frames, labels, centers


def _with_relocated(labels, X, centers):
    """Labels where the clusters that were empty own the rows that their centres moved to."""
    labels = labels.copy()
    for cluster in np.flatnonzero(np.bincount(labels, minlength=len(centers)) == 0):
        apart = ((X - centers[cluster]) ** 2).sum(axis=1)
        labels[apart == apart.min()] = cluster
    return labels


def _of_clusters(run):
    n_chosen, k = np.unique(run.model.labels_).size, len(run.centers[0])
    if n_chosen == k:
        return ""
    return f"Only {n_chosen} of {k} clusters have rows: there are no more distinct rows."


def _of_the_end(run):
    if run.model.converged_:
        return ""
    return f"The run was stopped after {run.model.n_iter_} steps, before it converged."


def _packed(labels):
    return base64.b64encode(labels.tobytes()).decode()


def _rounded(values):
    """As many digits as a picture needs, as lists."""
    if values.size == 0:
        return []
    largest = np.abs(values).max() or 1.0
    return np.round(values, max(0, _DIGITS - int(np.ceil(np.log10(largest))))).tolist()
