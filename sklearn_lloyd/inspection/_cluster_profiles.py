"""Profiles of clusters in the units of the table that the pipeline takes."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_lloyd._cluster_names import with_own_names
from sklearn_lloyd._columns import column_names, is_frame
from sklearn_lloyd._compat import HasMethods, Interval, validate_params
from sklearn_lloyd._pipeline import fitted_names_of, split_steps
from sklearn_lloyd._validation import check_weights
from sklearn_lloyd.inspection._assigned import assign_rows
from sklearn_lloyd.inspection._columns import (
    FeatureReader,
    check_columns,
    check_names,
    check_table,
    frame_library,
)
from sklearn_lloyd.inspection._names import phrase, standing_out, unique_names
from sklearn_lloyd.inspection._profiles import ClusterProfiles
from sklearn_lloyd.inspection._statistics import FeatureStatistics, Groups
from sklearn_lloyd.inspection._undo import undo_steps


@validate_params(
    {
        "estimator": [HasMethods("predict")],
        "sample_weight": ["array-like", None],
        "feature_names": ["array-like", None],
        "n_exemplars": [Interval(Integral, 0, None, closed="left")],
        "n_names": [Interval(Integral, 1, None, closed="left")],
        "columns": ["array-like", str, None],
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
    columns=None,
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
    columns : array-like of str or int, default=None
        The columns to profile, by name or place, in this order. None: all that are numbers or
        categories; not text of which nearly every value occurs once, which names the rows.
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
        If the estimator has no `predict`, X has other columns than it was fitted with, weights,
        names or `columns` do not fit X, or a parameter is out of its range.

    See Also
    --------
    sklearn_lloyd.KMeans : A clusterer.

    Notes
    -----
    **Columns.** Strings, categories of a frame, and numbers that the pipeline one-hot encodes are
    categories; missing ones are another. Columns of a yes and no are shares. In columns of
    numbers and of yes and no, missing and infinite values are left out and counted. Columns that
    the pipeline drops have a profile, too. Columns that are neither numbers nor categories
    (times, lists, bytes, objects) have none, nor has text of which nearly every value (90 % of
    them) occurs once: `left_out` names these columns.

    **Names.** What sets a cluster apart is measured in ranks, as else the few who buy most would
    make all others look alike. "high" is a mean rank of at least half a standard deviation above
    that of all rows, "very high" 1.3, as for the top quarter of the rows; and a median no lower
    than that of all rows. "average" is a cluster with no such feature. Neither the order of the
    rows nor repeats instead of weights change a name, which follows from the statistics of all
    clusters. Colours of pictures and reports show the same measure, `contrasts`. Names that
    :func:`name_clusters` gave take the place of these.

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
      0: high spend, low orders, 40.0%
           spend 1,000 (all rows: 436)
           orders 1.5 (all rows: 6.6)
      1: high orders, low spend, 60.0%
           orders 10 (all rows: 6.6)
           spend 60 (all rows: 436)
    >>> profiles.means
    array([[1000. ,    1.5],
           [  60. ,   10. ]])
    """
    X = check_table(X)
    weights = check_weights(sample_weight, X.shape[0])
    check_is_fitted(estimator)
    steps, clusterer = split_steps(estimator)
    fitted_names = fitted_names_of(estimator)
    names = check_names(X, feature_names, fitted_names)
    chosen = check_columns(columns, names)
    assigned = assign_rows(steps, clusterer, X, weights)
    centers, centers_missing = undo_steps(steps, assigned.centers)
    if is_frame(X) and fitted_names is not None:  # perhaps in another order
        by_name = dict(zip(fitted_names, centers, strict=False))
        centers = [by_name.get(name) for name in column_names(X)]
    elif not centers:
        centers = [None] * X.shape[1]

    rows = slice(None) if weights is None or weights.all() else np.flatnonzero(weights)
    groups = Groups(assigned.codes, weights, len(assigned.clusters)).only(rows)
    reader = FeatureReader(X, rows, groups, names, centers, max_categories)
    features = list(reader.read(chosen))
    if not features:
        raise ValueError(f"X has no column of numbers or categories: {reader.left_out}.")
    tables = {
        name: np.stack([getattr(feature.statistics, name) for feature in features], axis=-1)
        for name in FeatureStatistics._fields
    }
    contrasts = _contrasts(tables)
    distinctive, stands_out = _compared(features, tables["means"], contrasts)
    totals = groups.totals
    names = unique_names(stands_out, totals == 0.0, n_names)
    return ClusterProfiles(
        clusters=assigned.clusters,
        names=np.array(with_own_names(names, clusterer), dtype=object),
        sizes=totals if weights is not None else totals.astype(np.intp),
        shares=totals / totals.sum(),
        features=np.array([feature.name for feature in features], dtype=object),
        columns=np.array([feature.column for feature in features]),
        is_share=np.array([feature.is_share for feature in features]),
        missing=np.array([feature.n_missing for feature in features]),
        infinite=np.array([feature.n_infinite for feature in features]),
        left_out=reader.left_out,
        **tables,
        contrasts=contrasts,
        centers=np.stack([_or_nan(feature.centers, totals) for feature in features], axis=1),
        centers_missing=centers_missing,
        distinctive=distinctive,
        stands_out=stands_out,
        exemplars=assigned.exemplars(np.arange(X.shape[0])[rows], n_exemplars),
        library=frame_library(X),
    )


def _or_nan(centers, totals):
    return np.full(totals.shape, np.nan) if centers is None else centers


def _contrasts(tables):
    """How far clusters are from the whole: by ranks, for sparse X by means.

    Where the ranks say more and the median less, nothing is said.
    """
    ranks = tables["rank_differences"]
    apart = np.where(np.isnan(ranks), tables["differences"], ranks)
    medians, whole = tables["medians"], tables["whole_median"]
    against = np.where(apart > 0.0, medians < whole, medians > whole)
    return np.where(against, 0.0, apart)


def _compared(features, means, contrasts):
    """For each cluster the features in which it stands out, and these in words."""
    columns = np.array([feature.column for feature in features])
    distinctive = [standing_out(own, columns) for own in contrasts]
    stands_out = [
        [
            phrase(features[j].name, contrasts[i, j], own[j] if features[j].is_share else None)
            for j in distinctive[i]
        ]
        for i, own in enumerate(means)
    ]
    return distinctive, stands_out
