"""Profiles of clusters as a heat map; of texts, as bars of terms."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd.inspection._cluster_profiles import cluster_profiles
from sklearn_lloyd.inspection._drawing import grid_of, label_of, look_of, one_panel
from sklearn_lloyd.inspection._profile_tables import most_telling, number_of, titles_of
from sklearn_lloyd.inspection._terms import excerpt, own_terms

_MOST_WRITTEN = 150  # cells with numbers in them
_STRONG = 2.0  # standard deviations, where the colours end at the latest...
_FAINT = 1.0  # ...and at the earliest: hardly any difference should not look like one
_FEWEST_TERMS, _MOST_TERMS = 3, 6  # of a cluster
_TITLE = 34  # letters of a name above a panel


class ProfileDisplay:
    """How the clusters differ from the whole, feature by feature.

    The colour of a cell is what names go by: the mean rank of a feature in a cluster less that of
    all rows, in standard deviations (for sparse X, the mean of the values). The number in it is
    the mean in the units of the feature; where a few large values put that on the other side, the
    median, in brackets.

    Of texts there is a panel for each cluster, with the terms that are its own: the bar is the
    share of its texts that have the term, the mark across it that of all other texts.

    Make it with :meth:`from_estimator`, or with :meth:`from_profiles` of what
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
    terms : list of (list of str, ndarray, ndarray), default=None
        Of texts, for each cluster: terms, and their shares in the cluster and elsewhere. Then
        `differences` and `numbers` are not drawn.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Of texts, an ndarray of them, of shape (n_clusters,).
    figure_ : matplotlib Figure
    image_ : AxesImage
        None of texts.
    texts_ : list of Text
        The numbers in the cells, if there are no more than 150.
    bars_ : list of BarContainer
        Of texts, for each cluster; else empty.

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

    def __init__(self, differences, numbers, features, clusters, n_features, terms=None):
        self.differences = differences
        self.numbers = numbers
        self.features = features
        self.clusters = clusters
        self.n_features = n_features
        self.terms = terms

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
        texts=None,
        max_features=20,
        ax=None,
    ):
        """Draw the profiles of the clusters that a fitted estimator predicts.

        Parameters
        ----------
        estimator : estimator
            As of :func:`cluster_profiles`.
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_columns), or texts
            Rows as `estimator.predict` takes them.
        sample_weight : array-like of shape (n_samples,), default=None
            As of :func:`cluster_profiles`.
        feature_names : array-like of str of shape (n_columns,), default=None
            As of :func:`cluster_profiles`.
        columns : array-like of str or int, default=None
            As of :func:`cluster_profiles`.
        max_categories : int, default=20
            As of :func:`cluster_profiles`.
        texts : sequence of str of shape (n_samples,), default=None
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
        options |= {"columns": columns, "max_categories": max_categories, "texts": texts}
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
            mean square of the differences, weighted by the sizes of the clusters. Of texts: terms
            of each cluster, six at most and three at least.
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure.

        Returns
        -------
        display : ProfileDisplay
        """
        differences = profiles.contrasts
        drawn = most_telling(profiles, max_features)
        clusters = titles_of(profiles, with_shares=True)
        features = [str(name) for name in profiles.features[drawn]]
        numbers = [[number_of(profiles, i, j) for j in drawn] for i in range(len(clusters))]
        arrays = differences[:, drawn], np.array(numbers)
        terms = None
        if profiles.terms is not None:
            n_terms = int(np.clip(max_features, _FEWEST_TERMS, _MOST_TERMS))
            terms = own_terms(profiles.terms, _FEWEST_TERMS, n_terms)
        return cls(*arrays, features, clusters, len(profiles.features), terms).plot(ax)

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
        self.image_, self.texts_, self.bars_ = None, [], []
        if self.terms is not None:
            return self._plot_terms(ax)
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

    def _plot_terms(self, ax):
        most = max((len(names) for names, _, _ in self.terms), default=1)
        self.ax_ = grid_of(ax, len(self.terms), (3.4, 0.7 + 0.24 * most))
        self.figure_ = self.ax_[0].figure
        for i, (own, (names, shares, elsewhere)) in enumerate(
            zip(self.ax_, self.terms, strict=True)
        ):
            places = np.arange(len(names))
            color = look_of(i).color
            self.bars_.append(own.barh(places, shares, height=0.7, color=color, alpha=0.8))
            own.vlines(elsewhere, places - 0.42, places + 0.42, colors="black", linewidth=1.5)
            own.set_yticks(places, names, size="small")
            own.set(xlim=(0.0, 1.0), ylim=(max(most, 1) - 0.4, -0.6))
            own.set_xticks([0.0, 0.5, 1.0], ["0", "50 %", "100 %"], size="x-small")
            own.spines[["top", "right"]].set_visible(False)
            own.set_title(excerpt(self.clusters[i], _TITLE), size="small", loc="left")
        said = "bar: share of the cluster's texts with the term; black line: of all other texts"
        if ax is None:
            self.figure_.supxlabel(said, size="small")
        else:
            ax.set_title(said, size="small", loc="left")
        return self
