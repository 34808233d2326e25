"""Pairs of features, by cluster."""

from __future__ import annotations

from numbers import Integral
from textwrap import wrap

import numpy as np
from scipy import sparse

from sklearn_lloyd._columns import as_floats, column_of
from sklearn_lloyd._compat import HasMethods, Interval, validate_params
from sklearn_lloyd._optional import import_optional
from sklearn_lloyd._pipeline import fitted_names_of, seen_by_clusterer, split_steps
from sklearn_lloyd.inspection._cluster_profiles import cluster_profiles
from sklearn_lloyd.inspection._columns import check_columned, check_columns, check_names
from sklearn_lloyd.inspection._drawing import (
    key_of,
    label_of,
    look_of,
    panels,
    put_number,
    shown_of,
)
from sklearn_lloyd.inspection._plane import drawn_rows, thin
from sklearn_lloyd.inspection._profile_tables import titles_of
from sklearn_lloyd.inspection._scales import Scale

_MOST = 8  # features, since 28 pairs fill a page
_MANY = 8  # clusters, of more of which the legend has a column for itself, and numbers are small
_FEW = 3  # features, up to which it has one, too
_MOST_LISTED = 25  # clusters, in the legend
_LONG = 10_000.0  # numbers from which on axes say 10k
# Where a logarithmic axis has its ticks: within a decade, within two, over more.
_STEPS = (1.0, 2.0, 5.0), (1.0, 3.0), (1.0,)
_LETTER = 5.0  # width of a small letter, in points, with some to spare


class PairDisplay:
    """Features against each other, two at a time, with the rows in the colours of their clusters.

    Features are columns of numbers, in the units of the table that the pipeline takes. The
    diagonal shows how each of them is distributed within each cluster; numbers are at the centres.
    An axis is logarithmic where values are positive and very skewed. Make it with
    :meth:`from_estimator`.

    Parameters
    ----------
    values : ndarray of shape (n_shown, n_features), float64
        Of the rows that are drawn. NaN where they are missing.
    labels : ndarray of shape (n_shown,), intp
        Their clusters, by number.
    centers : ndarray of shape (n_clusters, n_features), float64
        In the same units.
    features : sequence of str
        Their names.
    clusters : sequence of str
        What the legend says of each.
    n_rows : int
        How many rows there are.
    n_features : int
        How many features there are to choose from.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Of the first feature alone.
    axes_ : ndarray of Axes of shape (n_features, n_features)
        The features of rows against those of columns; None above the diagonal.
    figure_ : matplotlib Figure
    legend_ : matplotlib Legend
    points_ : dict of (int, int) to list of PathCollection
        The rows of each cluster, by row and column of the panel.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.inspection import PairDisplay
    >>> X = load_wine(as_frame=True).data
    >>> model = make_pipeline(StandardScaler(), KMeans(3, random_state=0)).fit(X)
    >>> display = PairDisplay.from_estimator(model, X, max_features=3)
    >>> display.features
    ['flavanoids', 'od280/od315_of_diluted_wines', 'proline']
    """

    def __init__(self, values, labels, centers, features, clusters, n_rows, n_features):
        self.values = values
        self.labels = labels
        self.centers = centers
        self.features = features
        self.clusters = clusters
        self.n_rows = n_rows
        self.n_features = n_features

    @classmethod
    @validate_params(
        {
            "estimator": [HasMethods("predict")],
            "X": "no_validation",
            "features": ["array-like", str, None],
            "max_features": [Interval(Integral, 1, _MOST, closed="both")],
            "feature_names": ["array-like", None],
            "sample_size": [Interval(Integral, 1, None, closed="left"), None],
            "random_state": ["random_state"],
        },
        prefer_skip_nested_validation=True,
    )
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        features=None,
        max_features=5,
        feature_names=None,
        sample_size=2000,
        random_state=0,
        ax=None,
    ):
        """Draw the clusters that a fitted estimator predicts.

        Parameters
        ----------
        estimator : estimator
            As of :func:`cluster_profiles`.
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_columns)
            Rows as `estimator.predict` takes them.
        features : array-like of str or int, default=None
            Columns of numbers, by name or place, in this order; 8 at the most. None: those that
            tell the clusters apart most, of those that the pipeline does not drop. Columns of
            categories, and of yes and no, are not drawn: see :class:`ProfileDisplay`.
        max_features : int, default=5
            How many of them; from 1 to 8. The picture says if there are more.
        feature_names : array-like of str of shape (n_columns,), default=None
            As of :func:`cluster_profiles`.
        sample_size : int or None, default=2000
            Of more rows a sample is drawn, which the picture says. None: all are drawn.
        random_state : int, RandomState instance or None, default=0
            Draws the sample.
        ax : matplotlib Axes, default=None
            The panels are drawn inside of it; None: in a new figure.

        Returns
        -------
        display : PairDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If X or the names do not fit the estimator; if there is no column of numbers, or
            `features` are others, or more than 8.
        ImportError
            If matplotlib is not installed.
        """
        table = check_columned(X, split_steps(estimator)[0], "PairDisplay")
        names = check_names(table, feature_names, fitted_names_of(estimator))
        wanted = check_columns(features, names, "features")
        # Of all columns, so that clusters have the names that they have elsewhere.
        profiles = cluster_profiles(estimator, X, feature_names=names, n_exemplars=0)
        if wanted is None:
            chosen, n_features = most_distinctive(profiles, max_features)
        else:
            chosen, n_features = _asked_for(profiles, wanted, names), len(wanted)
        rows = sample_size, random_state
        return pairs_of(profiles, chosen, n_features, estimator, X, *rows).plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The panels are drawn inside of it; None: in a new figure.

        Returns
        -------
        self : PairDisplay
        """
        n = len(self.features)
        # Beside few features there is no room for the legend.
        n_columns = n + (n <= _FEW or len(self.clusters) > _MANY)
        size = max(1.5, 4.0 / n)
        if isinstance(ax, import_optional("matplotlib.axes", extra="plot").Axes):
            size = ax.get_position().width * ax.figure.get_figwidth() / n_columns
        axes = panels(ax, n, n_columns, (size, size))
        for unused in axes[np.triu_indices(n, 1, n_columns)]:
            unused.set_axis_off()
        self.axes_ = np.where(np.tri(n, dtype=bool), axes[:, :n], None)
        self.ax_ = self.axes_[0, 0]
        self.figure_ = self.ax_.figure
        self.points_ = {}
        formats = import_optional("matplotlib.ticker", extra="plot")
        # Large clusters first, which would else hide the small ones.
        order = np.argsort(-np.bincount(self.labels, minlength=len(self.clusters)), kind="stable")
        scales = [Scale(values) for values in self.values.T]
        for i, j in zip(*np.tril_indices(n), strict=True):
            panel = self.axes_[i, j]
            if i == j:
                self._draw_distributions(panel, j, order, scales[j])
            else:
                self._draw_rows(panel, (i, j), order, scales)
                panel.set_ylim(scales[i].limits)
                panel.set_yscale(scales[i].name)
            panel.set_xlim(scales[j].limits)
            panel.set_xscale(scales[j].name)
            for axis in (panel.xaxis, panel.yaxis):
                if axis.get_scale() == "log":
                    low, high = axis.get_view_interval()
                    steps = _STEPS[min(int(np.log10(high / low)), len(_STEPS) - 1)]
                    axis.set_major_locator(formats.LogLocator(subs=steps, numticks=4))
                    axis.set_minor_formatter(formats.NullFormatter())
                elif len(axis.get_majorticklocs()):
                    axis.get_major_locator().set_params(nbins=3)
                if np.abs(axis.get_view_interval()).max() >= _LONG:
                    axis.set_major_formatter(formats.EngFormatter(sep=""))
            panel.tick_params(labelsize="x-small", labelbottom=i == n - 1, labelleft=i != j == 0)
            if i == n - 1:
                panel.set_xlabel(_cut(self.features[j], size), size="small")
            if i != j == 0:
                panel.set_ylabel(_cut(self.features[i], size), size="small")
        self._describe(axes[0], size)
        return self

    def _draw_distributions(self, panel, j, order, scale):
        panel.set_yticks([])
        for cluster in order:
            own = self.values[self.labels == cluster, j]
            counts = np.histogram(own, scale.edges)[0]
            share = counts / max(1, counts.sum())
            panel.stairs(share, scale.edges, color=look_of(cluster).color, fill=True, alpha=0.25)
            panel.stairs(share, scale.edges, color=look_of(cluster).color)

    def _draw_rows(self, panel, place, order, scales):
        i, j = place
        y, x = scales[i].beside(self.values[:, i], i), scales[j].beside(self.values[:, j], j)
        area = 10.0 if len(self.labels) < 1000 else 4.0
        drawn = [None] * len(self.clusters)
        for cluster in order:
            is_own = self.labels == cluster
            color, marker = look_of(cluster)
            look = {"s": area, "linewidths": 0, "alpha": 0.6, "c": color, "marker": marker}
            drawn[cluster] = panel.scatter(x[is_own], y[is_own], **look)
        self.points_[place] = drawn
        for cluster, center in enumerate(self.centers):
            if np.isfinite(center[[i, j]]).all():
                put_number(panel, cluster, center[[j, i]], 6 if len(self.clusters) <= _MANY else 4)

    def _describe(self, first, size):
        """A legend beside the first feature, and what is not drawn."""
        n = len(self.features)
        said = [shown_of(len(self.labels), self.n_rows)]
        if n < self.n_features:
            said.append(f"{n} of {self.n_features} columns of numbers")
        listed = self.clusters[:_MOST_LISTED]
        if len(listed) < len(self.clusters):
            said.append(f"{len(listed)} of {len(self.clusters)} clusters")
        is_many = len(self.clusters) > _MANY
        width = size if is_many else size * (len(first) - 1)
        self.legend_ = first[-1 if is_many else 1].legend(
            [key_of(first[0], cluster) for cluster in range(len(listed))],
            [_cut(text, width, 2 - is_many) for text in listed],
            title="\n".join(filter(None, said)),
            title_fontsize="small",
            fontsize="x-small" if is_many else "small",
            loc="upper left",
            frameon=False,
            alignment="left",
        )
        self.legend_.set_in_layout(False)  # it lies over panels that stay empty


def _cut(text, width, n_lines=2):
    """Text in lines that are no longer than so many inches, cut if these are not enough."""
    width = max(5, int(width * 72.0 / _LETTER) - 3)
    lines = wrap(label_of(text, width * n_lines), width, max_lines=n_lines, placeholder="…")
    return "\n".join(lines)


def pairs_of(profiles, chosen, n_features, estimator, X, sample_size=2000, random_state=0):
    """The display of some features of profiles, and of rows, which may be fewer than those had."""
    model, seen, _ = seen_by_clusterer(estimator, X)
    shown = thin(drawn_rows("PairDisplay", seen), sample_size, random_state)
    labels = np.searchsorted(profiles.clusters, np.asarray(model.predict(seen))[shown])
    table = check_columned(X, [], "PairDisplay")
    # A step without a way back leaves the means.
    centers = np.where(np.isnan(profiles.centers), profiles.means, profiles.centers)
    return PairDisplay(
        np.stack([_numbers(table, j, shown) for j in profiles.columns[chosen]], axis=1),
        labels,
        centers[:, chosen],
        list(profiles.features[chosen]),
        titles_of(profiles, with_shares=True),
        table.shape[0],
        n_features,
    )


def _asked_for(profiles, columns, names):
    """The features of profiles that are of these columns."""
    place = {profiles.columns[j]: j for j in np.flatnonzero(~profiles.is_share)}
    others = [names[column] for column in columns if column not in place]
    if others:
        raise ValueError(f"features must be columns of numbers; these are not: {others}.")
    if len(columns) > _MOST:
        raise ValueError(f"features has {len(columns)} columns; {_MOST} at the most can be drawn.")
    return np.array([place[column] for column in columns])


def most_distinctive(profiles, max_features):
    """The features of profiles that tell the clusters apart most, and how many there are."""
    numbers = np.flatnonzero(~profiles.is_share)
    seen = np.isfinite(profiles.centers[:, numbers]).any(axis=0)
    if not numbers.size:
        raise ValueError("X has no column of numbers to draw; ProfileDisplay draws categories.")
    if seen.any():  # what the pipeline drops, as ids, is not what the clusters are about
        numbers = numbers[seen]
    between = profiles.shares @ np.nan_to_num(profiles.contrasts[:, numbers]) ** 2
    most = np.argsort(-between, kind="stable")[:max_features]
    return numbers[np.sort(most)], numbers.size


def _numbers(table, j, rows):
    """Of a column of numbers the values of some rows; NaN where they are not finite."""
    if sparse.issparse(table):
        values = table[rows][:, [j]].toarray().ravel().astype(np.float64)
    else:
        values = as_floats(column_of(table, j))[rows]
    return np.where(np.isfinite(values), values, np.nan)
