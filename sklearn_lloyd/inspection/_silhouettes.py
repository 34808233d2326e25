"""Silhouette widths, cluster by cluster, as knives."""

from __future__ import annotations

import numpy as np
from sklearn.utils import check_random_state

from sklearn_lloyd._cluster_names import own_names
from sklearn_lloyd._pipeline import seen_by_clusterer
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd.inspection._drawing import label_of, look_of, one_panel, shown_of
from sklearn_lloyd.metrics._sampling import estimate_mean, sample_of_clusters
from sklearn_lloyd.metrics._silhouette import checked_clusters
from sklearn_lloyd.metrics._widths import silhouette_of_many

_GAP = 0.02  # between two blades, of the height of all
_ROOM = 0.06  # for a label, of the same; of many clusters an equal part
_LONGEST = 30  # letters of a name
_LINE = 1.25  # height of a line of text, in sizes of its font
_SMALLEST, _LARGEST = 4.0, 8.3  # of the font of labels, in points


class SilhouetteDisplay:
    """The silhouette widths of the rows of each cluster, sorted; a blade for each.

    A blade that hardly reaches the mean is a poor cluster, a part of one left of zero are rows
    that are nearer to another cluster. Make it with :meth:`from_estimator` or
    :meth:`from_predictions`.

    Parameters
    ----------
    widths : ndarray of shape (n_shown,), float64
        Of the rows that are drawn.
    labels : ndarray of shape (n_shown,)
        Their clusters.
    average : float
        Mean width of all rows, or an estimate.
    std_error : float
        Of that estimate; 0 if it is none.
    n_rows : int
        How many rows there are.
    metric : {'euclidean', 'sqeuclidean'}
        Which distances the widths are of.
    names : dict of label to str, default=None
        Of the clusters that have one.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    blades_ : list of FillBetweenPolyCollection
        One for each cluster.
    mean_line_ : Line2D
    cluster_averages_ : ndarray of shape (n_clusters,)
        Mean width of the rows of each cluster that are drawn.

    References
    ----------
    Rousseeuw, P. J. "Silhouettes: a graphical aid to the interpretation and validation of
    cluster analysis". Journal of Computational and Applied Mathematics 20, 1987.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.inspection import SilhouetteDisplay
    >>> X = load_iris().data
    >>> display = SilhouetteDisplay.from_estimator(KMeans(3, random_state=0).fit(X), X)
    >>> display.cluster_averages_.round(2)
    array([0.44, 0.8 , 0.42])
    """

    def __init__(self, widths, labels, average, std_error, n_rows, metric, names=None):
        self.widths = widths
        self.labels = labels
        self.average = average
        self.std_error = std_error
        self.n_rows = n_rows
        self.metric = metric
        self.names = names

    @classmethod
    def from_estimator(
        cls, estimator, X, *, metric="euclidean", sample_size=2000, random_state=0, ax=None
    ):
        """Draw the silhouettes of the clusters that a fitted estimator predicts.

        Parameters
        ----------
        estimator : estimator
            A fitted clusterer with `predict`, alone, at the end of a Pipeline or the best of
            a search.
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Rows, as `estimator.predict` takes them. Distances are those of the rows as the
            clusterer sees them.
        metric : {'euclidean', 'sqeuclidean'}, default='euclidean'
            As of :func:`~sklearn_lloyd.metrics.silhouette_samples`.
        sample_size : int or None, default=2000
            Of more rows, so many are drawn, cluster by cluster; their widths are exact, from the
            distances to all rows. None: all are drawn.
        random_state : int, RandomState instance or None, default=0
            Draws the sample.
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure.

        Returns
        -------
        display : SilhouetteDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If there are fewer than two clusters, or X does not fit the estimator.
        ImportError
            If matplotlib is not installed.
        """
        model, seen, _ = seen_by_clusterer(estimator, X)
        display = cls._measured(seen, model.predict(seen), metric, sample_size, random_state)
        names = own_names(model, len(getattr(model, "cluster_centers_", ())))
        display.names = {i: name for i, name in enumerate(names) if name is not None}
        return display.plot(ax)

    @classmethod
    def from_predictions(
        cls, X, labels, *, metric="euclidean", sample_size=2000, random_state=0, ax=None
    ):
        """Draw the silhouettes of given clusters.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Rows that were clustered.
        labels : array-like of shape (n_samples,)
            Their clusters.
        metric : {'euclidean', 'sqeuclidean'}, default='euclidean'
            As of :meth:`from_estimator`.
        sample_size : int or None, default=2000
            As of :meth:`from_estimator`.
        random_state : int, RandomState instance or None, default=0
            As of :meth:`from_estimator`.
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure.

        Returns
        -------
        display : SilhouetteDisplay

        Raises
        ------
        ValueError
            If there are fewer than two clusters, or the labels are not as many as the rows or not
            all known.
        ImportError
            If matplotlib is not installed.
        """
        return cls._measured(X, labels, metric, sample_size, random_state).plot(ax)

    @classmethod
    def _measured(cls, X, labels, metric, sample_size, random_state):
        rows, codes, _ = checked_clusters("SilhouetteDisplay", X, labels, None, metric, None)
        n_rows = codes.size
        size = n_rows if sample_size is None else min(sample_size, n_rows)
        problem = make_problem(rows, 1, None)
        strata, sample = sample_of_clusters(check_random_state(random_state), codes, problem, size)
        widths = silhouette_of_many(rows, [codes], metric, None, sample)[0]
        average, error = estimate_mean(widths, sample, strata, None)
        return cls(widths, np.asarray(labels)[sample], average, error, n_rows, metric)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: in a new figure.

        Returns
        -------
        self : SilhouetteDisplay
        """
        clusters, codes = np.unique(self.labels, return_inverse=True)
        height = max(4.0, 0.25 * len(clusters))
        self.ax_ = ax = one_panel(ax, (6.0, height))
        self.figure_ = ax.figure
        n_shown = self.widths.size
        # A thin blade has as much room as its label.
        gap, room = _GAP * n_shown, n_shown * min(_ROOM, 1.0 / len(clusters))
        bottom = 0.0
        self.blades_, averages, middles = [], [], []
        for cluster in range(len(clusters)):
            widths = np.sort(self.widths[codes == cluster])
            middle = bottom + max(widths.size, room) / 2
            # A step for each row, so that a cluster of one row shows.
            edges = np.arange(widths.size + 1) + middle - widths.size / 2
            edges = np.repeat(edges, 2)[1:-1]
            self.blades_.append(
                ax.fill_betweenx(
                    edges, 0.0, np.repeat(widths, 2), color=look_of(cluster).color, linewidth=0.5
                )
            )
            averages.append(widths.mean())
            middles.append(middle)
            bottom = 2 * middle - bottom + gap
        self.cluster_averages_ = np.array(averages)
        about = "mean" if self.std_error == 0 else "about"
        label = f"{about} {self.average:.2f}"
        if self.std_error > 0:
            label += f" ± {2 * self.std_error:.1g}"
        self.mean_line_ = ax.axvline(self.average, color="gray", linestyle="--", label=label)
        ax.axvline(0.0, color="gray", linewidth=0.8)
        own = self.names or {}
        names = [f"{each}, {own[each]}" if each in own else each for each in clusters.tolist()]
        texts = [
            f"{label_of(name, _LONGEST)}: {mean:.2f}"
            for name, mean in zip(names, averages, strict=True)
        ]
        # In axes that are lower than those of its own figure, the text is smaller, and in the end
        # only some blades have one.
        step = np.diff(middles).min(initial=bottom) / (bottom + gap)
        font = step * 72.0 * ax.get_position().height * self.figure_.get_figheight() / _LINE
        every = slice(None, None, int(np.ceil(_SMALLEST / font)))
        ax.set_yticks(middles[every], texts[every], fontsize=np.clip(font, _SMALLEST, _LARGEST))
        ax.set(xlabel=f"silhouette width ({self.metric})", ylabel="cluster: mean width")
        ax.set_ylim(bottom, -gap)
        ax.legend(loc="upper left", bbox_to_anchor=(0.0, -0.12), frameon=False)
        ax.set_title(shown_of(self.widths.size, self.n_rows), fontsize="small", loc="right")
        return self
