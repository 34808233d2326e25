"""Profiles of clusters in the units of the table that the pipeline takes."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_lloyd._compat import HasMethods, Interval, validate_params
from sklearn_lloyd._pipeline import split_steps
from sklearn_lloyd._validation import check_weights
from sklearn_lloyd.inspection._assigned import assign_rows
from sklearn_lloyd.inspection._columns import (
    check_names,
    check_table,
    frame_library,
    read_features,
)
from sklearn_lloyd.inspection._names import phrase, standing_out, unique_names
from sklearn_lloyd.inspection._statistics import FeatureStatistics, Groups
from sklearn_lloyd.inspection._undo import undo_steps

TABLES = ("means", "medians", "differences", "rank_differences", "centers")
_SHOWN = 5  # features of a cluster


@dataclass(frozen=True, eq=False, repr=False)
class ClusterProfiles:
    """What the clusters are, from :func:`cluster_profiles`: not to be made by hand.

    A column of numbers is one feature. A column of categories is a feature for each of them,
    named "column=category", that is one in the rows of the category and zero elsewhere: its mean
    is its share. So is a column of yes and no, with the share of yes.

    Attributes
    ----------
    clusters : ndarray of shape (n_clusters,)
        The labels that `predict` gives.
    names : ndarray of shape (n_clusters,), object
        A suggested name in plain words, another for each cluster.
    sizes : ndarray of shape (n_clusters,)
        Rows in each cluster, integers; with `sample_weight` sums of weights, float64.
    shares : ndarray of shape (n_clusters,), float64
        Sizes as parts of their sum.
    features : ndarray of shape (n_features,), object
        Names of the features.
    columns : ndarray of shape (n_features,), intp
        The column of X that each feature comes from.
    is_share : ndarray of shape (n_features,), bool
        Whether the feature is a category, or yes and no.
    means : ndarray of shape (n_clusters, n_features), float64
        In the units of X; NaN for a cluster without rows.
    medians : ndarray of shape (n_clusters, n_features), float64
        NaN for shares, and for sparse X.
    differences : ndarray of shape (n_clusters, n_features), float64
        Means less those of all rows, in standard deviations of all rows (``ddof=0``).
    rank_differences : ndarray of shape (n_clusters, n_features), float64
        The same of the ranks of the values: a few large values neither make a difference nor
        hide one. NaN for sparse X.
    centers : ndarray of shape (n_clusters, n_features), float64
        The centres of the clusterer, brought back to the units of X. NaN where that cannot be
        done, and for features that the clusterer does not see.
    centers_missing : str
        Which step of the pipeline has no way back; empty if there is one.
    whole_mean, whole_median, whole_deviation : ndarray of shape (n_features,), float64
        Mean, median and standard deviation of all rows.
    distinctive : list of ndarray of intp
        For each cluster the features in which it stands out by at least half a standard deviation
        of the ranks (of the values, for sparse X), the most first; of a column only one.
    stands_out : list of list of str
        The same in plain words.
    exemplars : ndarray of shape (n_clusters, n_exemplars), intp
        Positions of the rows nearest to the centre, the nearest first; -1 where there is none.
    library : {'pandas', 'polars', ''}
        Where X came from.
    """

    clusters: np.ndarray
    names: np.ndarray
    sizes: np.ndarray
    shares: np.ndarray
    features: np.ndarray
    columns: np.ndarray
    is_share: np.ndarray
    means: np.ndarray
    medians: np.ndarray
    differences: np.ndarray
    rank_differences: np.ndarray
    centers: np.ndarray
    centers_missing: str
    whole_mean: np.ndarray
    whole_median: np.ndarray
    whole_deviation: np.ndarray
    distinctive: list
    stands_out: list
    exemplars: np.ndarray
    library: str

    def to_frame(self, values="means"):
        """One row for each cluster, one column for each feature.

        Parameters
        ----------
        values : {'means', 'medians', 'differences', 'rank_differences', 'centers'}, \
                default='means'
            What to show of each feature.

        Returns
        -------
        frame : pandas or polars DataFrame, or dict of columns
            A frame of the library that X came from; for arrays a dict, of which either library
            makes a frame. The columns are "cluster", "name", "size", "share", the features,
            "stands out" (at most five features) and "exemplars".

        Raises
        ------
        ValueError
            If there is no such table.
        """
        if values not in TABLES:
            raise ValueError(f"values must be one of {', '.join(TABLES)}; got {values!r}.")
        first = {
            "cluster": self.clusters,
            "name": list(self.names),
            "size": self.sizes,
            "share": self.shares,
        }
        last = {
            "stands out": [", ".join(said[:_SHOWN]) for said in self.stands_out],
            "exemplars": [[int(row) for row in rows if row >= 0] for rows in self.exemplars],
        }
        taken = {*first, *last}
        names = [f"{name} (feature)" if name in taken else name for name in self.features]
        columns = first | dict(zip(names, getattr(self, values).T, strict=True)) | last
        return import_module(self.library).DataFrame(columns) if self.library else columns

    def __repr__(self):
        lines = [f"{len(self.clusters)} clusters, {len(self.features)} features"]
        for i, own in enumerate(self.distinctive):
            lines.append(f"  {self.clusters[i]}: {self.names[i]}, {self.shares[i]:.1%}")
            lines += [f"       {self._compared(i, j)}" for j in own[:_SHOWN]]
        return "\n".join(lines)

    def _compared(self, i, j):
        name, own, whole = self.features[j], self.means[i, j], self.whole_mean[j]
        if self.is_share[j]:
            return f"{name} {own:.0%} (all rows: {whole:.0%})"
        if self.differences[i, j] * self.rank_differences[i, j] < 0.0:
            # A few large values: means would contradict what is said of the ranks.
            name, own, whole = f"{name}, median", self.medians[i, j], self.whole_median[j]
        return f"{name} {short(own)} (all rows: {short(whole)})"


def short(number):
    return f"{number:,.0f}" if abs(number) >= 1000.0 else f"{number:.3g}"


@validate_params(
    {
        "estimator": [HasMethods("predict")],
        "sample_weight": ["array-like", None],
        "feature_names": ["array-like", None],
        "n_exemplars": [Interval(Integral, 0, None, closed="left")],
        "n_names": [Interval(Integral, 1, None, closed="left")],
        "max_categories": [Interval(Integral, 1, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def cluster_profiles(
    estimator,
    X,
    *,
    sample_weight=None,
    feature_names=None,
    n_exemplars=3,
    n_names=2,
    max_categories=20,
):
    """Say what each cluster is: sizes, averages, what sets it apart, exemplars and a name.

    Statistics are of the rows of X, by the cluster that `estimator` predicts for each. So they
    are in the units of X, whatever the pipeline does to it.

    Parameters
    ----------
    estimator : fitted clusterer, pipeline that ends in one, or search over either
        Ours, scikit-learn's, or another with `predict`. Centres are its `cluster_centers_` (or
        `means_`); without these, the means of the rows that it is given.
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_columns)
        Rows as `estimator.predict` takes them, in their original units.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row; None: one each. A row of weight zero does not count.
    feature_names : array-like of str of shape (n_columns,), default=None
        None: those of the frame, else those that the estimator was fitted with, else "x0", "x1".
    n_exemplars : int, default=3
        How many rows nearest to each centre to give, in the space that the clusterer sees.
    n_names : int, default=2
        How many features a name has; more where it takes them to tell two clusters apart.
    max_categories : int, default=20
        Of a column with more categories, the most frequent ones are looked at.

    Returns
    -------
    profiles : ClusterProfiles
        Arrays; its `to_frame` gives a pandas or polars DataFrame if X is one.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ValueError
        If the estimator has no `predict`, X has other columns than it was fitted with, weights or
        names do not fit X, or a parameter is out of its range.

    See Also
    --------
    sklearn_lloyd.KMeans : A clusterer.

    Notes
    -----
    **Columns.** Strings, categories of a frame, and numbers that the pipeline one-hot encodes are
    categories; missing ones are another. Columns of a yes and no are shares. In columns of
    numbers and of yes and no, missing ones are left out. Columns of times are not looked at;
    columns that the pipeline drops are.

    **Names.** What sets a cluster apart is measured in ranks, as else the few who buy most would
    make all others look alike. "high" is a mean rank of at least half a standard deviation above
    that of all rows, "very high" 1.3, as for the top quarter of the rows. "average" is a cluster
    with no such feature. Neither the order of the rows nor repeats instead of weights change a
    name, which follows from the statistics of all clusters.

    **Centres** come back by the `inverse_transform` of each step, those of a
    `ColumnTransformer` part by part, one-hot columns as the shares of their categories. Where
    every step is linear and the fit converged, they are the means of the rows of the fit; after a
    logarithm a centre is a geometric mean, and after components were dropped what is left of it.

    X is transformed in blocks of rows, and looked at column by column: O(n_samples log(n_samples)
    n_columns) time, memory for a few columns. Of sparse X there are no medians and no ranks;
    names are then by `differences`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.inspection import cluster_profiles
    >>> X = np.array([[900.0, 1], [1100.0, 2], [50.0, 9], [70.0, 11], [60.0, 10]])
    >>> model = make_pipeline(StandardScaler(), KMeans(n_clusters=2, random_state=0)).fit(X)
    >>> profiles = cluster_profiles(model, X, feature_names=["spend", "orders"])
    >>> profiles
    2 clusters, 2 features
      0: high orders, low spend, 60.0%
           orders 10 (all rows: 6.6)
           spend 60 (all rows: 436)
      1: high spend, low orders, 40.0%
           spend 1,000 (all rows: 436)
           orders 1.5 (all rows: 6.6)
    >>> profiles.means
    array([[  60. ,   10. ],
           [1000. ,    1.5]])
    """
    X = check_table(X)
    weights = check_weights(sample_weight, X.shape[0])
    check_is_fitted(estimator)
    steps, clusterer = split_steps(estimator)
    fitted_names = getattr([*steps, clusterer][0], "feature_names_in_", None)
    names = check_names(X, feature_names, fitted_names)
    assigned = assign_rows(steps, clusterer, X, weights)
    centers, centers_missing = undo_steps(steps, assigned.centers)
    if frame_library(X) and fitted_names is not None:  # perhaps in another order
        by_name = dict(zip(fitted_names, centers, strict=False))
        centers = [by_name.get(name) for name in X.columns]
    elif not centers:
        centers = [None] * X.shape[1]

    rows = slice(None) if weights is None or weights.all() else np.flatnonzero(weights)
    groups = Groups(assigned.codes, weights, len(assigned.clusters)).only(rows)
    features = list(read_features(X, rows, groups, names, centers, max_categories))
    if not features:
        raise ValueError("X has no column of numbers or categories.")
    tables = {
        name: np.stack([getattr(feature.statistics, name) for feature in features], axis=-1)
        for name in FeatureStatistics._fields
    }
    distinctive, stands_out = _compared(features, tables)
    totals = groups.totals
    return ClusterProfiles(
        clusters=assigned.clusters,
        names=np.array(unique_names(stands_out, totals == 0.0, n_names), dtype=object),
        sizes=totals if weights is not None else totals.astype(np.intp),
        shares=totals / totals.sum(),
        features=np.array([feature.name for feature in features], dtype=object),
        columns=np.array([feature.column for feature in features]),
        is_share=np.array([feature.is_share for feature in features]),
        **tables,
        centers=np.stack([_or_nan(feature.centers, totals) for feature in features], axis=1),
        centers_missing=centers_missing,
        distinctive=distinctive,
        stands_out=stands_out,
        exemplars=assigned.exemplars(np.arange(X.shape[0])[rows], n_exemplars),
        library=frame_library(X),
    )


def _or_nan(centers, totals):
    return np.full(totals.shape, np.nan) if centers is None else centers


def _compared(features, tables):
    """For each cluster the features in which it stands out, and these in words."""
    columns = np.array([feature.column for feature in features])
    ranks = tables["rank_differences"]
    apart = np.where(np.isnan(ranks), tables["differences"], ranks)
    distinctive = [standing_out(differences, columns) for differences in apart]
    stands_out = [
        [
            phrase(features[j].name, apart[i, j], means[j] if features[j].is_share else None)
            for j in own
        ]
        for i, (own, means) in enumerate(zip(distinctive, tables["means"], strict=True))
    ]
    return distinctive, stands_out
