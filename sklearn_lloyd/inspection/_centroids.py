"""How far the centres are from each other, and how many rows each has."""

from __future__ import annotations

import numpy as np
from sklearn.utils import check_array

from sklearn_lloyd._optional import import_optional
from sklearn_lloyd._pipeline import seen_by_clusterer
from sklearn_lloyd._predict import distances_to_centers
from sklearn_lloyd._rows import Rows
from sklearn_lloyd._validation import check_weights
from sklearn_lloyd.inspection._drawing import label_of, look_of, one_panel, put_number
from sklearn_lloyd.inspection._plane import Plane

_MANY = 12  # clusters, from which on the distances are not written down
_LARGEST = 0.1  # radius of a circle that had all rows, as a share of the picture


class CentroidDisplay:
    """A map of the centres: as far apart as they are, with circles as large as the clusters.

    Two clusters that lie close together may be one. Every centre is joined to its nearest other
    one, with the distance between them, which is exact; the places are those of the first two
    principal components of the centres. Make it with :meth:`from_estimator`.

    Parameters
    ----------
    places : ndarray of shape (n_clusters, 2), float64
        Where the centres are drawn.
    distances : ndarray of shape (n_clusters, n_clusters), float64
        Between the centres, in all features.
    sizes : ndarray of shape (n_clusters,), float64
        Rows of each cluster, or their weight.
    axis_labels : tuple of two str
        With the share of the variance of the centres that a component explains.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    circles_ : PathCollection
        Their areas are in proportion to the sizes.
    numbers_ : list of Annotation
    links_ : list of Line2D
        From each centre to its nearest other one, once for each pair.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.inspection import CentroidDisplay
    >>> X = load_iris().data
    >>> display = CentroidDisplay.from_estimator(KMeans(3, random_state=0).fit(X), X)
    >>> display.distances.round(1)
    array([[0. , 5. , 1.8],
           [5. , 0. , 3.3],
           [1.8, 3.3, 0. ]])
    """

    def __init__(self, places, distances, sizes, axis_labels):
        self.places = places
        self.distances = distances
        self.sizes = sizes
        self.axis_labels = axis_labels

    @classmethod
    def from_estimator(cls, estimator, X, *, sample_weight=None, ax=None):
        """Draw the centres of a fitted estimator, with the sizes of the clusters of X.

        Parameters
        ----------
        estimator : estimator
            A fitted clusterer with `predict` and `cluster_centers_`, alone, at the end of a
            Pipeline or the best of a search.
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Rows, as `estimator.predict` takes them.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row; None: one each.
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure.

        Returns
        -------
        display : CentroidDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If X or the weights do not fit.
        ImportError
            If matplotlib is not installed.
        """
        model, seen, names = seen_by_clusterer(estimator, X)
        labels = np.asarray(model.predict(seen))
        weights = check_weights(sample_weight, labels.size)
        centers = check_array(model.cluster_centers_, dtype=np.float64)
        sizes = np.bincount(labels, weights, len(centers)).astype(np.float64)
        plane = Plane(centers, names)
        distances = distances_to_centers(Rows(centers), centers)
        return cls(plane.place(centers), distances, sizes, plane.axis_labels).plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: in a new figure.

        Returns
        -------
        self : CentroidDisplay
        """
        self.ax_ = ax = one_panel(ax, (6.0, 5.0))
        self.figure_ = ax.figure
        x, y = self.places.T
        n_clusters = len(self.places)
        self.links_ = [self._draw_link(ax, i, j) for i, j in self._nearest_pairs()]
        shares = self.sizes / self.sizes.sum()
        self.circles_ = ax.scatter(
            x,
            y,
            s=shares * self._area_of_all(ax),
            c=[look_of(cluster).color for cluster in range(n_clusters)],
            alpha=0.5,
            zorder=2,
        )
        self.numbers_ = [put_number(ax, i, place) for i, place in enumerate(self.places)]
        for i, share in enumerate(shares):
            ax.annotate(
                f"{share:.0%}" if share >= 0.01 or share == 0 else "<1%",
                self.places[i], xytext=(0, -14), textcoords="offset points", ha="center",
                va="top", fontsize="small",
            )  # fmt: skip
        ax.set(xlabel=label_of(self.axis_labels[0]), ylabel=label_of(self.axis_labels[1]))
        ax.margins(0.3)
        ax.set_aspect("equal", adjustable="datalim")
        ax.set_title("area: share of the rows", fontsize="small", loc="right")
        return self

    def _area_of_all(self, ax):
        """In points, of a circle for a cluster that had all rows."""
        width, height = ax.get_window_extent().size * 72.0 / self.figure_.dpi
        return 4 * (_LARGEST * min(width, height)) ** 2 * np.pi

    def _nearest_pairs(self):
        if len(self.places) < 2:
            return []
        apart = self.distances + np.diag(np.full(len(self.places), np.inf))
        pairs = {tuple(sorted((i, int(j)))) for i, j in enumerate(apart.argmin(axis=1))}
        return sorted(pairs)

    def _draw_link(self, ax, i, j):
        ends = self.places[[i, j]]
        if len(self.places) <= _MANY:
            text = ax.annotate(
                f"{self.distances[i, j]:.3g}", ends.mean(axis=0), ha="center", va="center",
                fontsize="small", zorder=4,
            )  # fmt: skip
            effects = import_optional("matplotlib.patheffects", extra="plot")
            text.set_path_effects([effects.withStroke(linewidth=3, foreground=ax.get_facecolor())])
        return ax.plot(*ends.T, color="gray", linewidth=1, zorder=1)[0]
