"""From settings to what the page shows; all of k-means is done by the package."""

from __future__ import annotations

import warnings
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sklearn_lloyd._kmeans import KMeans
from sklearn_lloyd.inspection import LloydStepsDisplay, diagnose
from sklearn_lloyd.inspection._plane import Plane, thin
from sklearn_lloyd.inspection._runs import first_centers_of, run_from_centers
from sklearn_lloyd.metrics import silhouette_samples
from sklearn_lloyd.model_selection import NClustersSearch
from sklearn_lloyd.playground._code import code_of, code_of_data
from sklearn_lloyd.playground._datasets import IMAGE_WIDTH, LOADED, MADE, NAMES
from sklearn_lloyd.playground._settings import SCALERS
from sklearn_lloyd.playground._tables import Table, Tables

_MOST_DRAWN = 3000  # rows; a browser moves so many dots within a few milliseconds
_MOST_LABELLED = 12_000  # rows of all starts together: an answer of a few megabytes
_MOST_WIDTHS = 200  # of a cluster's silhouette, from the least to the largest
_NUMBERS = range(1, 11)
_DIGITS = 6
_MADE_KEPT = 8


class Made(NamedTuple):
    """All starts of one fit.

    Attributes
    ----------
    table : Table
    X : ndarray or frame
        The rows as the clusterer sees them.
    values : ndarray
        The same as numbers.
    scaler : transformer or None
    plane : Plane
        Of the picture.
    shown : ndarray of int
        The rows that are drawn.
    model : KMeans
        Fitted.
    starts : list of ndarray
        First centres.
    runs : list of Run
    kept : int
        The start that the model has kept.
    """

    table: Any
    X: Any
    values: np.ndarray
    scaler: Any
    plane: Plane
    shown: np.ndarray
    model: KMeans
    starts: list
    runs: list
    kept: int


class Playground:
    """What the page can ask; each answer is plain data that JSON can hold."""

    def __init__(self):
        self.tables = Tables()
        self._made = lru_cache(_MADE_KEPT)(self._make)

    def steps(self, settings):
        """All half-steps of all starts, and the code of the one that is kept."""
        made = self._made(settings)
        rows, plane = made.values, made.plane
        runs = [
            run._replace(centers=np.array([plane.place(centers) for centers in run.centers]))
            for run in made.runs
        ]
        display = LloydStepsDisplay(
            _rounded(plane.place(rows[made.shown])),
            runs,
            plane.axis_labels,
            len(rows),
            len(runs),
            rows.shape[1],
        )
        data, n_features = made.table, f"{rows.shape[1]:,} feature{'s' * (rows.shape[1] > 1)}"
        notes = [f"{data.name}: {len(rows):,} rows of {n_features}.", data.note, _few(made)]
        return {
            **display._values_of_page(),
            "kept": made.kept,
            "notes": [note for note in notes if note],
            **self.code(settings, made.kept),
            "image": _image(made) if settings.data == "image_colours" else None,
        }

    def code(self, settings, start):
        """Python that gives the labels that a start ends at."""
        made = self._made(settings)
        is_kept = _checked(start, len(made.starts)) == made.kept
        init = made.model.init if is_kept else made.starts[start]
        return {"code": code_of(made.table.code, made.scaler, init, settings)}

    def silhouettes(self, settings, start, frame):
        """Silhouette widths of the rows that are drawn, in the clusters of one frame."""
        made = self._made(settings)
        run = made.runs[_checked(start, len(made.runs))]
        n_steps = len(run.labels)
        step, is_moved = divmod(_checked(frame, 2 * n_steps + 2) - 1, 2)
        if step < 0:
            raise ValueError("No row has chosen a cluster yet: go a step on.")
        labels = run.last_labels
        if step < n_steps:
            labels = (run.moved_labels if is_moved else run.labels)[step]
        widths = silhouette_samples(made.values[made.shown], labels)
        of_clusters = []
        for cluster in np.unique(labels).tolist():
            own = np.sort(widths[labels == cluster])[::-1]
            few = np.linspace(0, own.size - 1, min(own.size, _MOST_WIDTHS)).astype(int)
            of_clusters.append(
                {
                    "cluster": cluster,
                    "n_rows": own.size,
                    "mean": float(own.mean()),
                    "widths": _rounded(own[few]).tolist(),
                }
            )
        return {"mean": float(widths.mean()), "clusters": of_clusters}

    def numbers(self, settings):
        """What speaks for which number of clusters."""
        X = self._made(settings).X
        init = "k-means++" if settings.is_by_hand else settings.init
        clusterer = KMeans(init=init, n_init=settings.n_init, random_state=settings.seed)
        numbers = [number for number in _NUMBERS if number <= len(X)]
        search = NClustersSearch(clusterer, n_clusters=numbers, random_state=settings.seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of few distinct rows: the table is shorter then
            search.fit(X)
        table = {
            name: [value if np.isfinite(value) else None for value in column.tolist()]
            for name, column in search.results_.items()
            if not name.endswith("std_error")
        }
        return {"table": table, "votes": search.votes_, "summary": repr(search.summary())}

    def findings(self, settings, start):
        """What commonly goes wrong, found in the clustering that a start ends at."""
        made = self._made(settings)
        model = made.model
        if _checked(start, len(made.starts)) != made.kept:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)
                model = KMeans(settings.n_clusters, init=made.starts[start]).fit(made.X)
        names = "code", "severity", "meaning", "advice"
        found = diagnose(model, made.X)
        return {"findings": [{name: getattr(one, name) for name in names} for one in found]}

    def _make(self, settings):
        table = self._table(settings)
        X, scaler, k = table.X, None, settings.n_clusters
        if settings.scaling != "none":
            scaler = SCALERS[settings.scaling]()
            if hasattr(X, "iloc"):
                scaler.set_output(transform="pandas")
            X = scaler.fit_transform(X)
        if k > len(X):
            rows = f"{len(X):,} row{'s' * (len(X) > 1)}"
            raise ValueError(
                f"k = {k} is too large: {rows}, so that k can be {len(X)} at the most."
            )
        values = np.asarray(X, dtype=np.float64)
        plane = Plane(values, table.names)
        model = KMeans(k, init=settings.init, n_init=settings.n_init, random_state=settings.seed)
        if settings.is_by_hand:
            model.set_params(init=_by_hand(settings.places, values, plane), n_init=1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # the page says it by a note
            model.fit(X)
        n_starts = len(model.start_inertias_)
        most = min(_MOST_DRAWN, _MOST_LABELLED // n_starts)
        shown = thin(values, None if settings.data == "image_colours" else most, 0)
        starts = first_centers_of(model, values, n_starts)
        limits = {"max_iter": model.max_iter, "tol": model.tol}
        runs = [run_from_centers(values, start, shown, **limits) for start in starts]
        kept = model.start_inertias_.tolist().index(model.inertia_)
        return Made(table, X, values, scaler, plane, shown, model, starts, runs, kept)

    def _table(self, settings):
        name, n_rows = settings.data, settings.n_rows
        if name in MADE:
            X = MADE[name](n_rows)
        elif name in LOADED:
            X = LOADED[name]()
        else:
            return self.tables[name]
        said = name.replace("_", " ").capitalize()
        return Table(said, X, NAMES.get(name), len(X), code_of_data(name, n_rows))


def _by_hand(places, X, plane):
    """First centres where the user put them.

    A point in a picture of principal components stands for no one place: there the row is taken
    that lies nearest.
    """
    places = np.array(places)
    if plane.is_whole:
        return places
    if X.shape[1] == 1:
        return places[:, :1]
    apart = plane.place(X)[np.newaxis] - places[:, np.newaxis]
    return X[(apart**2).sum(axis=2).argmin(axis=1)]


def _image(made):
    """The pixels that the rows are, and the colours of the centres of each start, step by step."""

    def colours(centers):
        values = centers if made.scaler is None else made.scaler.inverse_transform(centers)
        return np.rint(np.clip(values, 0, 1) * 255).astype(int).tolist()

    return {
        "width": IMAGE_WIDTH,
        "pixels": colours(made.values),
        "centers": [[*map(colours, run.centers)] for run in made.runs],
    }


def _few(made):
    n_chosen, k = np.unique(made.model.labels_).size, made.model.n_clusters
    if n_chosen == k:
        return ""
    return f"Only {n_chosen} of {k} clusters have rows: there are no more distinct rows."


def _checked(number, n):
    if type(number) is not int or not 0 <= number < n:
        raise ValueError("There is no such step.")
    return number


def _rounded(values):
    """As many digits as a picture needs."""
    largest = np.abs(values).max(initial=0.0) or 1.0
    return np.round(values, max(0, _DIGITS - int(np.ceil(np.log10(largest)))))
