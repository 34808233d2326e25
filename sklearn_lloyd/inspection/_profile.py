"""Profiles of clusters as a heat map."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd.inspection._cluster_profiles import cluster_profiles
from sklearn_lloyd.inspection._drawing import label_of, one_panel
from sklearn_lloyd.inspection._profile_tables import most_telling, number_of

_MOST_WRITTEN = 150  # cells with numbers in them
_STRONG = 2.0  # standard deviations, where the colours end at the latest...
_FAINT = 1.0  # ...and at the earliest: hardly any difference should not look like one


class ProfileDisplay:
    """How the clusters differ from the whole, feature by feature.

    The colour of a cell is what names go by: the mean rank of a feature in a cluster less that of
    all rows, in standard deviations (for sparse X, the mean of the values). The number in it is
    the mean in the units of the feature; where a few large values put that on the other side, the
    median, in brackets. Make it with :meth:`from_estimator`, or with :meth:`from_profiles` of what
    :func:`cluster_profiles` gave.

    Parameters
    ----------
    differences : ndarray of shape (n_clusters, n_features), float64
        The `contrasts` of the profiles. NaN stays blank.
    numbers : ndarray of shape (n_clusters, n_features), str
        What to write in the cells.
    features : sequence of str
        Their names.
    clusters : sequence of str
        What to write at each row.
    n_features : int
        Features that there are; those that are given may be a part of them.

    Attributes
    ----------
    ax_ : matplotlib Axes
    figure_ : matplotlib Figure
    image_ : AxesImage
    texts_ : list of Text
        The numbers in the cells, if there are no more than 150.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.inspection import ProfileDisplay
    >>> X = load_wine(as_frame=True).data
    >>> model = make_pipeline(StandardScaler(), KMeans(3, random_state=0)).fit(X)
    >>> display = ProfileDisplay.from_estimator(model, X)
    >>> display.differences.shape
    (3, 13)
    """

    def __init__(self, differences, numbers, features, clusters, n_features):
        self.differences = differences
        self.numbers = numbers
        self.features = features
        self.clusters = clusters
        self.n_features = n_features

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        sample_weight=None,
        feature_names=None,
        columns=None,
        max_categories=20,
        max_features=20,
        ax=None,
    ):
        """Draw the profiles of the clusters that a fitted estimator predicts.

        Parameters
        ----------
        estimator : estimator
            As of :func:`cluster_profiles`.
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_columns)
            Rows as `estimator.predict` takes them.
        sample_weight : array-like of shape (n_samples,), default=None
            As of :func:`cluster_profiles`.
        feature_names : array-like of str of shape (n_columns,), default=None
            As of :func:`cluster_profiles`.
        columns : array-like of str or int, default=None
            As of :func:`cluster_profiles`.
        max_categories : int, default=20
            As of :func:`cluster_profiles`.
        max_features : int, default=20
            As of :meth:`from_profiles`.
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure.

        Returns
        -------
        display : ProfileDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If X, the weights, the names or `columns` do not fit.
        ImportError
            If matplotlib is not installed.
        """
        options = {"sample_weight": sample_weight, "feature_names": feature_names}
        options |= {"columns": columns, "max_categories": max_categories}
        profiles = cluster_profiles(estimator, X, n_exemplars=0, **options)
        return cls.from_profiles(profiles, max_features=max_features, ax=ax)

    @classmethod
    def from_profiles(cls, profiles, *, max_features=20, ax=None):
        """Draw profiles.

        Parameters
        ----------
        profiles : ClusterProfiles
            From :func:`cluster_profiles`; :meth:`ClusterProfiles.rename` gives names of your own.
        max_features : int, default=20
            Of more features, those that tell the clusters apart most are drawn: with the largest
            mean square of the differences, weighted by the sizes of the clusters.
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure.

        Returns
        -------
        display : ProfileDisplay
        """
        differences = profiles.contrasts
        drawn = most_telling(profiles, max_features)
        named = zip(profiles.clusters, profiles.names, profiles.shares, strict=True)
        clusters = [f"{cluster}: {name} ({share:.0%})" for cluster, name, share in named]
        features = [str(name) for name in profiles.features[drawn]]
        numbers = [[number_of(profiles, i, j) for j in drawn] for i in range(len(clusters))]
        arrays = differences[:, drawn], np.array(numbers)
        return cls(*arrays, features, clusters, len(profiles.features)).plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: in a new figure.

        Returns
        -------
        self : ProfileDisplay
        """
        n_clusters, n_features = self.differences.shape
        size = 5.0 + 0.45 * n_features, max(3.6, 2.2 + 0.32 * n_clusters)
        self.ax_ = ax = one_panel(ax, size)
        self.figure_ = ax.figure
        found = np.abs(self.differences[np.isfinite(self.differences)])
        limit = np.clip(found.max(initial=0.0), _FAINT, _STRONG)
        look = {"cmap": "PuOr_r", "vmin": -limit, "vmax": limit, "aspect": "auto"}
        self.image_ = ax.imshow(self.differences, **look)
        bar = self.figure_.colorbar(self.image_, ax=ax, extend="both")
        bar.set_label("difference from the whole,\nstandard deviations", size="small")
        self.texts_ = []
        if self.differences.size <= _MOST_WRITTEN:
            for (i, j), value in np.ndenumerate(self.differences):
                if np.isfinite(value):
                    # Dark cells are those at either end of the colours.
                    color = "white" if abs(value) > 0.7 * limit else "black"
                    where = {"ha": "center", "va": "center", "size": "x-small"}
                    self.texts_.append(ax.text(j, i, self.numbers[i, j], color=color, **where))
        if any(number.startswith("(") for number in self.numbers.ravel()):
            ax.set_title("in brackets: medians", fontsize="small", loc="left")
        features, clusters = map(label_of, self.features), map(label_of, self.clusters)
        ax.set_xticks(range(n_features), list(features), rotation=45, ha="right", size="small")
        ax.set_yticks(range(n_clusters), list(clusters), size="small")
        if n_features < self.n_features:
            said = f"{n_features} of {self.n_features} features"
            ax.set_title(said, fontsize="small", loc="right")
        return self
