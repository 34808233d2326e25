"""The steps of Lloyd's algorithm, as panels, as an animation and as a page."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sklearn_lloyd._kmeans import KMeans
from sklearn_lloyd._optional import import_optional
from sklearn_lloyd._pipeline import split_steps, through_steps
from sklearn_lloyd.inspection._drawing import (
    grid_of,
    label_of,
    look_of,
    panels,
    put_number,
    shown_of,
)
from sklearn_lloyd.inspection._page import write_page
from sklearn_lloyd.inspection._plane import Plane, drawn_rows, thin
from sklearn_lloyd.inspection._runs import first_centers_of, run_from_centers


class LloydStepsDisplay:
    """Lloyd's algorithm at work: rows choose the nearest centre, centres move to their mean.

    Make it with :meth:`from_estimator`, which runs :func:`~sklearn_lloyd.lloyd_steps`: the loop
    that `fit` runs.

    Parameters
    ----------
    points : ndarray of shape (n_shown, 2), float64
        Where the rows that are drawn lie: their two features, or the first two principal
        components.
    runs : list of Run
        The starts, one by one: named tuples of `labels`, `centers` (where they are drawn),
        `inertia`, `moved_labels` and `moved_inertia` (when the centres have moved), `n_changed`,
        `n_empty`, `end` ("strict", "tol" or "" if neither), `last_labels` and `last_inertia`.
    axis_labels : tuple of two str
        With the share of the variance that a component explains.
    n_rows : int
        How many rows there are.
    n_starts : int
        How many starts a fit makes.
    n_features : int
        Of the rows. Up to two are drawn as they are, so that regions can be shaded.

    Attributes
    ----------
    labels : ndarray of shape (n_steps, n_shown), int
        The cluster of each, step by step; of the first start.
    centers : ndarray of shape (n_steps + 1, n_clusters, 2), float64
        Before the first step, and after each; of the first start.
    inertia : ndarray of shape (n_steps,), float64
        Of the new labels, under the centres that the step started from; of the first start.
    ax_ : matplotlib Axes
        Of the first panel.
    axes_ : ndarray of matplotlib Axes
        Of all panels, that of the inertia last.
    figure_ : matplotlib Figure

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.inspection import LloydStepsDisplay
    >>> X, _ = make_blobs(200, centers=3, random_state=0)
    >>> display = LloydStepsDisplay.from_estimator(KMeans(3, init=X[:3]), X)
    >>> bool((np.diff(display.inertia) <= 0).all())
    True
    """

    def __init__(self, points, runs, axis_labels, n_rows, n_starts, n_features):
        self.points = points
        self.runs = runs
        self.axis_labels = axis_labels
        self.n_rows = n_rows
        self.n_starts = n_starts
        self.n_features = n_features

    @property
    def labels(self):
        return self.runs[0].labels

    @property
    def centers(self):
        return self.runs[0].centers

    @property
    def inertia(self):
        return self.runs[0].inertia

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        max_steps=50,
        max_starts=10,
        max_rows=2000,
        random_state=0,
        max_panels=5,
        ax=None,
    ):
        """Run the starts of an estimator step by step, and draw the first.

        Parameters
        ----------
        estimator : estimator
            A :class:`~sklearn_lloyd.KMeans`, alone, at the end of a Pipeline or the best of a
            search. Its `init`, `n_init`, `n_clusters`, `random_state`, `tol` and `max_iter` say
            how to run. Alone it need not be fitted. It is not changed.
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Rows to cluster, as the estimator takes them. What is drawn is what the clusterer sees.
        max_steps : int, default=50
            Steps of a start to keep at the most.
        max_starts : int, default=10
            Starts to run at the most, of those that a fit makes. The page of :meth:`to_html` has
            them all; panels and animation show the first.
        max_rows : int or None, default=2000
            All rows take part; of more, a sample is drawn. None: all are drawn.
        random_state : int, RandomState instance or None, default=0
            Draws that sample.
        max_panels : int, default=5
            As of :meth:`plot`.
        ax : matplotlib Axes, default=None
            As of :meth:`plot`.

        Returns
        -------
        display : LloydStepsDisplay

        Raises
        ------
        TypeError
            If the clusterer is no :class:`~sklearn_lloyd.KMeans`, or a search is not fitted.
        NotFittedError
            If the other steps of the Pipeline are not fitted.
        ValueError
            If X or a parameter does not fit.
        ImportError
            If matplotlib is not installed.
        """
        steps, clusterer = split_steps(estimator)
        if not isinstance(clusterer, KMeans):
            raise TypeError(
                "estimator should be a KMeans of sklearn_lloyd, alone, at the end of a Pipeline "
                f"or the best of a fitted search; got {type(clusterer).__name__}."
            )
        clusterer._validate_params()
        rows, names = through_steps(steps, clusterer, X)
        rows = drawn_rows("LloydStepsDisplay", rows)
        plane = Plane(rows, names)
        shown = thin(rows, max_rows, random_state)
        if max_starts < 1:
            raise ValueError(f"max_starts should be 1 or more; got {max_starts}.")
        n_starts = clusterer._n_starts(many=10)
        limits = {"max_iter": min(max_steps, clusterer.max_iter), "tol": clusterer.tol}
        runs = [
            run_from_centers(rows, start, shown, **limits)
            for start in first_centers_of(clusterer, rows, min(n_starts, max_starts))
        ]
        runs = [
            run._replace(centers=np.array([plane.place(places) for places in run.centers]))
            for run in runs
        ]
        placed = plane.place(rows[shown])
        display = cls(placed, runs, plane.axis_labels, rows.shape[0], n_starts, rows.shape[1])
        return display.plot(ax, max_panels=max_panels)

    def plot(self, ax=None, *, max_panels=5):
        """Draw steps side by side, and the inertia of all steps.

        Each panel has the rows in the colours of their new clusters, and arrows from where the
        centres were to where they went.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The panels are drawn inside of it; None: in a new figure.
        max_panels : int, default=5
            Of more steps, the first ones and the last are drawn.

        Returns
        -------
        self : LloydStepsDisplay
        """
        n_steps = len(self.inertia)
        steps = list(range(n_steps))
        if n_steps > max_panels:
            steps = [*range(max_panels - 1), n_steps - 1]
        self.axes_ = grid_of(ax, len(steps) + 1)
        self.ax_ = self.axes_[0]
        self.figure_ = self.ax_.figure
        for axes, step in zip(self.axes_, steps, strict=False):
            scatter, arrows, numbers = self._draw_rows(axes)
            self._show(2 * step + 1, scatter, arrows, numbers)
            axes.set_title(f"step {step + 1}", fontsize="medium")
        self._draw_inertia(self.axes_[-1], steps)
        return self

    def animate(self, interval=700):
        """Make an animation: in each step first the rows change cluster, then the centres move.

        Parameters
        ----------
        interval : int, default=700
            Milliseconds from picture to picture.

        Returns
        -------
        animation : matplotlib.animation.FuncAnimation
            ``animation.save("steps.gif")`` writes it; in a notebook,
            ``animation.to_jshtml()`` shows it.
        """
        animation = import_optional("matplotlib.animation", extra="plot")
        axes, below = panels(None, 1, 2)[0]
        scatter, arrows, numbers = self._draw_rows(axes)
        self._draw_inertia(below, [])
        (marker,) = below.plot([], [], "o", color=look_of(0).color)

        def show(frame):
            self._show(frame, scatter, arrows, numbers)
            step = frame // 2
            marker.set_data([step + 1], [self.inertia[step]])
            what = "centres move" if frame % 2 else "rows choose"
            axes.set_title(f"step {step + 1}: {what}", fontsize="medium")
            return [scatter, arrows, *numbers, marker]

        n_frames = 2 * len(self.inertia)
        return animation.FuncAnimation(axes.figure, show, n_frames, interval=interval)

    def to_html(self, path):
        """Write one page that shows the steps in any browser, without a network.

        It plays them, or goes on and back by half-steps: rows choose the nearest centre, centres
        move to the mean of their rows. Buttons, a slider and the arrow keys move it. It shades the
        region of each centre, unless the picture is a projection of more than two features, and
        has the inertia after both halves of each step. With several starts there is a list to
        choose from.

        Parameters
        ----------
        path : str or path
            The file to write. A file of that name is replaced when the page is complete.

        Returns
        -------
        path : pathlib.Path

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        return write_page(Path(path), **self._values_of_page())

    def _values_of_page(self):
        """What the script of the page draws, as JSON can hold it."""
        looks = [look_of(cluster) for cluster in range(self.centers.shape[1])]
        return {
            "points": self.points.tolist(),
            "runs": [_of_page(run) for run in self.runs],
            "axes": list(self.axis_labels),
            "colors": [look.color for look in looks],
            "markers": [look.marker for look in looks],
            "shown": shown_of(len(self.points), self.n_rows),
            "starts": self.n_starts,
            "features": self.n_features,
        }

    def _draw_rows(self, axes):
        scatter = axes.scatter(*self.points.T, s=10, linewidths=0)
        arrows = axes.quiver(
            *self.centers[0].T, *np.zeros((2, self.centers.shape[1])), angles="xy",
            scale_units="xy", scale=1, color=axes.xaxis.label.get_color(), zorder=4, width=0.008,
        )  # fmt: skip
        numbers = [put_number(axes, i, place) for i, place in enumerate(self.centers[0])]
        axes.set(xlabel=label_of(self.axis_labels[0]), ylabel=label_of(self.axis_labels[1]))
        shown = shown_of(len(self.points), self.n_rows)
        if shown:
            axes.text(1.0, 1.0, shown, transform=axes.transAxes, ha="right", va="bottom", size=7)
        return scatter, arrows, numbers

    def _show(self, frame, scatter, arrows, numbers):
        """Bring the picture to a frame: 2 i after the rows chose in step i, 2 i + 1 at its end."""
        step, moved = divmod(frame, 2)
        scatter.set_color([look_of(label).color for label in self.labels[step]])
        before, after = self.centers[step], self.centers[step + moved]
        arrows.set_offsets(before)
        arrows.set_UVC(*(after - before).T)
        for number, place in zip(numbers, after, strict=True):
            number.xy = tuple(place)
            number.set_position(tuple(place))

    def _draw_inertia(self, axes, marked):
        every = np.arange(1, len(self.inertia) + 1)
        axes.plot(every, self.inertia, marker=".", color=look_of(6).color)
        axes.plot(every[marked], self.inertia[marked], "o", color=look_of(0).color)
        axes.set(xlabel="step", ylabel="inertia")
        axes.xaxis.get_major_locator().set_params(integer=True)


def _of_page(run):
    """A start as JSON; labels that are those before are left out."""
    values = {
        name: value.tolist() if isinstance(value, np.ndarray) else value
        for name, value in run._asdict().items()
    }
    values["moved_labels"] = [
        moved if n_empty else None
        for moved, n_empty in zip(values["moved_labels"], values["n_empty"], strict=True)
    ]
    if run.end == "strict":  # the last assignment changed nothing
        values["last_labels"] = None
    return values
