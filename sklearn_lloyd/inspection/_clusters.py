"""Clusters in the plane."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._optional import import_optional
from sklearn_lloyd._pipeline import seen_by_clusterer
from sklearn_lloyd._predict import predict_labels
from sklearn_lloyd._rows import Rows
from sklearn_lloyd.inspection._drawing import label_of, look_of, one_panel, put_number, shown_of
from sklearn_lloyd.inspection._plane import Plane, drawn_rows, thin

_GRID = 200  # points of the decision regions, along either axis
_REPEATED = 2  # rows at a place, on average, from which on areas say how many there are
# Areas of the place with the most rows, in square points: of few places, and of all together, so
# that many hardly overlap.
_LARGEST, _ALL_AREAS = 1500.0, 20_000.0
_MARGIN, _WIDE_MARGIN = 0.05, 0.15  # around the rows, of their extent; the wide one for areas


class ClusterDisplay:
    """Rows and centres in two dimensions, by cluster.

    Two features are drawn as they are, with the region that belongs to each cluster; of more, the
    first two principal components. Where rows share few places, as those of categories do, each
    place is drawn once, with an area by the number of its rows. Make it with
    :meth:`from_estimator`.

    Parameters
    ----------
    points : ndarray of shape (n_shown, 2), float64
        Where the rows that are drawn lie.
    labels : ndarray of shape (n_shown,), int
        Their clusters.
    centers : ndarray of shape (n_clusters, 2), float64
        Where the centres lie.
    axis_labels : tuple of two str
        With the share of the variance that a component explains.
    n_rows : int
        How many rows there are.
    regions : tuple of (x, y, labels) or None, default=None
        Coordinates of a grid, and the cluster of each of its points, of shape (n_y, n_x).

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    points_ : list of PathCollection
        The rows of each cluster, or the places that they share.
    numbers_ : list of Annotation
        The number of each cluster at its centre.
    regions_ : QuadMesh or None

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.inspection import ClusterDisplay
    >>> X = load_iris().data
    >>> display = ClusterDisplay.from_estimator(KMeans(3, random_state=0).fit(X), X)
    >>> display.ax_.get_xlabel()
    'principal component 1 (92% of the variance)'
    """

    def __init__(self, points, labels, centers, axis_labels, n_rows, regions=None):
        self.points = points
        self.labels = labels
        self.centers = centers
        self.axis_labels = axis_labels
        self.n_rows = n_rows
        self.regions = regions

    @classmethod
    def from_estimator(cls, estimator, X, *, max_rows=5000, random_state=0, ax=None):
        """Draw the clusters that a fitted estimator predicts.

        Parameters
        ----------
        estimator : estimator
            A fitted clusterer with `predict` and `cluster_centers_`, alone, at the end of a
            Pipeline or the best of a search.
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Rows, as `estimator.predict` takes them. They are drawn as the clusterer sees them.
        max_rows : int or None, default=5000
            Of more rows a sample is drawn, which the picture says. None: all are drawn.
        random_state : int, RandomState instance or None, default=0
            Draws the sample.
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure.

        Returns
        -------
        display : ClusterDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If X has other features than the estimator was fitted on, or numbers that are not
            finite.
        ImportError
            If matplotlib is not installed.
        """
        model, seen, names = seen_by_clusterer(estimator, X)
        labels = np.asarray(model.predict(seen))
        rows = drawn_rows("ClusterDisplay", seen)
        plane = Plane(rows, names)
        shown = thin(rows, max_rows, random_state)
        centers = plane.place(np.asarray(model.cluster_centers_))
        points = plane.place(rows[shown])
        regions = _regions(points, centers, labels[shown]) if plane.is_whole else None
        display = cls(points, labels[shown], centers, plane.axis_labels, len(labels), regions)
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: in a new figure.

        Returns
        -------
        self : ClusterDisplay
        """
        self.ax_ = ax = one_panel(ax, (6.0, 4.8))
        self.figure_ = ax.figure
        looks = [look_of(cluster) for cluster in range(len(self.centers))]
        self.regions_ = None
        if self.regions is not None:
            self.regions_ = self._draw_regions(ax, looks)
        points, labels, areas, is_counted = _places(self.points, self.labels)
        ax.margins(_WIDE_MARGIN if is_counted else _MARGIN)
        self.points_ = [
            ax.scatter(
                *points[labels == cluster].T,
                s=areas[labels == cluster],
                c=look.color,
                marker=look.marker,
                linewidths=0,
                alpha=0.8,
                label=str(cluster),
            )
            for cluster, look in enumerate(looks)
        ]
        self.numbers_ = [
            put_number(ax, cluster, place) for cluster, place in enumerate(self.centers)
        ]
        ax.set(xlabel=label_of(self.axis_labels[0]), ylabel=label_of(self.axis_labels[1]))
        said = [shown_of(len(self.points), self.n_rows), "area: number of rows" * is_counted]
        ax.set_title("; ".join(filter(None, said)), fontsize="small", loc="right")
        return self

    def _draw_regions(self, ax, looks):
        colors = [look.color for look in looks]
        x, y, labels = self.regions
        edges = np.arange(len(colors) + 1) - 0.5
        ax.contour(x, y, labels, levels=edges, colors="gray", linewidths=0.6)
        palettes = import_optional("matplotlib.colors", extra="plot")
        look = {
            "cmap": palettes.ListedColormap(colors),
            "norm": palettes.BoundaryNorm(edges, len(colors)),
            "alpha": 0.15,
        }
        return ax.pcolormesh(x, y, labels, rasterized=True, **look)


def _places(points, labels):
    """What to draw: the rows, or places that many of them share.

    Returns
    -------
    points : ndarray of shape (n_places, 2)
    labels : ndarray of shape (n_places,)
    areas : ndarray of shape (n_places,), in square points
    is_counted : bool
        Whether the areas are by the number of rows.
    """
    size = 12.0 if len(points) < 2000 else 5.0
    extent = np.ptp(points, axis=0).max(initial=0.0)
    # Equal but for the rounding of a projection is equal.
    rounded = np.round(points / extent, 9) if extent else np.zeros_like(points)
    found = np.column_stack([labels, rounded])
    _, first, counts = np.unique(found, axis=0, return_index=True, return_counts=True)
    if len(points) < _REPEATED * first.size:
        return points, labels, np.full(len(points), size), False
    largest = np.clip(_ALL_AREAS / first.size, size, _LARGEST)
    areas = np.maximum(largest * counts / counts.max(initial=1), size)
    return points[first], labels[first], areas, True


def _regions(points, centers, labels):
    """The nearest centres of a grid over what is drawn."""
    every = np.concatenate([points, centers])
    low, high = every.min(axis=0), every.max(axis=0)
    margin = _WIDE_MARGIN if _places(points, labels)[-1] else _MARGIN
    margin = margin * np.where(high > low, high - low, 1.0)
    x, y = (np.linspace(a, b, _GRID) for a, b in zip(low - margin, high + margin, strict=True))
    grid = np.column_stack([values.ravel() for values in np.meshgrid(x, y)])
    labels = predict_labels(Rows(grid), centers)
    return x, y, labels.reshape(_GRID, _GRID)
