"""Checks of the features and rows, as the clusterer sees them."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._axes import principal_axes
from sklearn_lloyd._moments import weighted_mean
from sklearn_lloyd.inspection._checks_view import N_PAIRED
from sklearn_lloyd.inspection._findings import Finding

# Squared distances are sums over the features, and the mean one between two rows is twice the
# sum of the variances: a share of the variance is a share of what k-means goes by.
DOMINANT = 0.9  # the others together add a tenth: half of the standard deviation, or less, each
INDICATORS = 0.5  # two-valued features decide more than all others
ONE_AXIS = 0.99  # the other axes together have a tenth of the standard deviation of the first
CORRELATED = 0.95  # nine tenths of the variance are shared: in effect a feature counts twice
FEWEST_FOR_CORRELATION = 30  # rows, from which noise does not reach that: eight standard errors
WIDEST = 1000  # features, of most variance, that are correlated with each other
REPEATED = 0.5  # more rows are repeats than are not
FEW_ROWS = 10  # a cluster: its mean is off by a third of its spread
# Standard deviation of the lengths of rows, relative to their mean. Words of ten sets of texts,
# counted or weighted by tf-idf without norm, have 0.29 to 1.26, and clusters have next to nothing
# in common with what the texts are of; scaled to one length they have (benchmarks/texts.py).
LENGTHS = 0.25
FEWEST_WORDS = 1000  # features: words, and not a few counts that mean something as such
# Values of a row. Where texts have 50 different words or more, fewer dimensions made clusters
# better, by 0.01 to 0.21 of adjusted Rand index in eight sets; single sentences gain next to none.
MANY_VALUES = 20
ROUNDING = 1e-12  # of a variance, relative: less within clusters is none


def constant_features(view):
    constant = view.variances == 0.0
    if not constant.any():
        return None
    names = [view.names[j] for j in np.flatnonzero(constant)]
    return Finding(
        "constant-features",
        "low",
        {"n_constant": len(names), "features": names},
        "Features with a single value tell no rows apart.",
        "Drop them, for instance with sklearn.feature_selection.VarianceThreshold, or find out "
        "why they do not vary.",
    )


def dominant_share(view):
    """The feature of most variance, and its share of it, of all rows and within clusters.

    The lesser of the two shares counts: clusters far apart along a feature give it variance that
    is no matter of scale, and k-means that cuts along it takes some away.
    """
    if view.n_features < 2 or not view.within.any():
        return 0, 0.0
    j = int(np.argmax(view.variances))
    return j, float(min(part[j] / part.sum() for part in (view.variances, view.within)))


def dominant_feature(view):
    j, share = dominant_share(view)
    if share < DOMINANT:
        return None
    others = np.delete(view.variances, j)
    ratio = np.sqrt(view.variances[j] / others.max()) if others.any() else np.inf
    return Finding(
        "dominant-feature",
        "high",
        {
            "feature": view.names[j],
            "share_of_variance": float(view.variances[j] / view.variances.sum()),
            "share_within_clusters": float(view.within[j] / view.within.sum()),
            "std_relative_to_next": float(ratio),
        },
        f"Feature {view.names[j]} has nearly all of the variance, so the clusters are cuts along "
        "it alone. Most often it is merely counted in a smaller unit than the others.",
        "Scale the features before k-means with sklearn_lloyd.preprocessing.ClusterScaler; with "
        "method='robust' or clip=2 where there are outliers. Take a logarithm of amounts that "
        "spread over powers of ten.",
    )


def unequal_lengths(view):
    spread = _spread_of_lengths(view)
    if spread is None or spread < LENGTHS:
        return None
    return Finding(
        "unequal-lengths",
        "high",
        {
            "spread_relative_to_mean": spread,
            "share_of_largest_cluster": float(view.sizes.max() / view.sizes.sum()),
        },
        "Rows of many counts, such as words of texts, differ in length, and k-means goes by it: "
        "short rows end in one large cluster, long ones in small ones, whatever they are about.",
        "Scale the rows to one length: sklearn.feature_extraction.text.TfidfVectorizer does so "
        "for texts, sklearn.preprocessing.Normalizer for any rows.",
    )


def wide_sparse_rows(view):
    spread = _spread_of_lengths(view)
    if spread is None or spread >= LENGTHS:
        return None
    n_values = float(np.median(np.diff(view.counts_of_rows.indptr)))
    if n_values < MANY_VALUES:
        return None
    return Finding(
        "wide-sparse-rows",
        "low",
        {"n_features": view.n_features, "median_values_of_a_row": n_values},
        "Each row has values in few of very many features, such as the words of texts, so that "
        "rows about the same are nearly as far from each other as any.",
        "Compare with fewer dimensions, which bring such rows together: "
        "sklearn.decomposition.TruncatedSVD(100), then sklearn.preprocessing.Normalizer; for "
        "texts after TfidfVectorizer(sublinear_tf=True, max_df=0.5).",
    )


def _spread_of_lengths(view):
    """Standard deviation relative to the mean, of rows of words; None of others.

    Rows of no words have no length.
    """
    rows = view.counts_of_rows
    if rows is None or view.n_features < FEWEST_WORDS or rows.shape[0] < FEW_ROWS:
        return None
    lengths = np.sqrt(rows.multiply(rows) @ np.ones(rows.shape[1]))
    weights = view.weights[lengths > 0.0]
    lengths = lengths[lengths > 0.0]
    if lengths.size < FEW_ROWS:
        return None
    mean = weighted_mean(lengths, weights)
    return float(np.sqrt(weighted_mean(np.square(lengths - mean), weights)) / mean)


def identifier_features(view):
    by_name, by_values = view.identifiers
    if not by_name and not by_values:
        return None
    return Finding(
        "identifier-features",
        "medium",
        {"features_by_name": by_name, "features_by_values": by_values},
        "Features number the rows: their names are those of ids, or their values are evenly "
        "spaced whole numbers, each once. Such numbers say which row it is and not what it is "
        "like, so that clusters are cut along them at random.",
        "Leave ids and row numbers out of the clustering. An index of time that is meant to "
        "count makes periods of the clusters; ranks that were made on purpose may stay.",
    )


def indicator_features(view):
    total = view.variances.sum()
    if len(view.rows) < FEW_ROWS or not total:
        return None

    def has_two_values(features):
        values = view.values_of(features)
        low, high = values.min(axis=0), values.max(axis=0)
        return (low < high) & ((values == low) | (values == high)).all(axis=0)

    two_valued = view.by_feature(has_two_values) > 0.0
    share = float(view.variances[two_valued].sum() / total)
    if share <= INDICATORS:
        return None
    names = [view.names[j] for j in np.flatnonzero(two_valued)]
    return Finding(
        "indicator-features",
        "medium",
        {"share_of_variance": share, "n_indicators": len(names), "features": names},
        "Features of two values, such as one-hot columns, have most of the variance: clusters "
        "follow categories, and a mean of such columns is no row that could be.",
        "Leave these columns unscaled or divide them by a weight, reduce them first (PCA, MCA), "
        "or use a method for mixed data, such as k-prototypes or hierarchical clustering on "
        "Gower distances.",
    )


def correlated_features(view):
    if len(view.rows) - view.n_clusters < FEWEST_FOR_CORRELATION or view.n_features < 2:
        return None
    # Within clusters: far clusters correlate features that have nothing else in common.
    varied = np.flatnonzero(view.within > ROUNDING * view.variances)
    varied = np.sort(varied[np.argsort(-view.within[varied], kind="stable")[:WIDEST]])
    if varied.size < 2:
        return None
    scaled = view.residuals_of(varied) / np.sqrt(view.within[varied])
    products = np.abs(scaled.T @ (scaled * view.weights[:, np.newaxis])) / view.weights.sum()
    pairs = np.argwhere(np.triu(products >= CORRELATED, k=1))
    if not len(pairs):
        return None
    names = [f"{view.names[varied[i]]} and {view.names[varied[j]]}" for i, j in pairs.tolist()]
    return Finding(
        "correlated-features",
        "medium",
        {
            "n_pairs": len(names),
            "largest_correlation": float(products[tuple(pairs.T)].max()),
            "pairs": names,
        },
        "Features say the same, also within the clusters, and what they say counts as often as "
        "there are of them.",
        "Keep one of each pair, or take the correlation away: "
        "sklearn_lloyd.preprocessing.ClusterScaler('whiten'), "
        "sklearn.decomposition.PCA(whiten=True), sklearn.cluster.FeatureAgglomeration.",
    )


def one_dimensional(view):
    if view.n_features == 1:
        evidence = {"n_features": 1}
    elif dominant_share(view)[1] >= ONE_AXIS or len(view.rows) < FEW_ROWS:
        return None  # a feature is the axis, which a finding says; a few rows always are near one
    else:
        evidence = {"share_of_first_axis": _first_share(view.principal)}
        if evidence["share_of_first_axis"] < ONE_AXIS:
            return None
        # Two clusters far apart lie on a line, however wide they are: within them, too, it must.
        within = principal_axes(view.residuals[:N_PAIRED], view.weights[:N_PAIRED], 1)
        evidence["share_within_clusters"] = _first_share(within)
        if evidence["share_within_clusters"] < ONE_AXIS:
            return None
    return Finding(
        "one-dimensional",
        "medium",
        evidence,
        "The rows lie along a single axis, and the clusters are intervals on it.",
        "Look at a histogram along the axis. Cuts at its gaps or at quantiles "
        "(sklearn.preprocessing.KBinsDiscretizer) say the same more simply; other features, or "
        "scaling, may bring back what is lost.",
    )


def _first_share(found):
    return float(found.variances[0] / found.total) if found.total else 0.0


def repeated_rows(view):
    n_rows, n_distinct = len(view.rows), view.n_distinct
    if n_distinct >= (1 - REPEATED) * n_rows and n_distinct >= view.n_clusters:
        return None
    too_few = n_distinct < view.n_clusters
    return Finding(
        "repeated-rows",
        "high" if too_few else "low",
        {"n_rows": n_rows, "n_distinct": n_distinct, "n_clusters": view.n_clusters},
        "There are fewer distinct rows than clusters: some clusters are empty or alike."
        if too_few
        else "More than half of the rows repeat others, so that they are less evidence than their "
        "number says; a cluster may be a single row, many times.",
        "If a join or a copy has made the repeats, remove them. Else give each distinct row once, "
        "with its count as sample_weight: the clusters are the same, sooner."
        + (" Use fewer clusters." if too_few else ""),
    )


def few_rows(view):
    n_rows = int(view.counts.sum())
    if n_rows >= FEW_ROWS * view.n_clusters:
        return None
    return Finding(
        "few-rows",
        "medium",
        {"n_rows": n_rows, "n_clusters": view.n_clusters, "per_cluster": n_rows / view.n_clusters},
        "There are few rows for each cluster, so that other rows would give other clusters.",
        "Use fewer clusters or more rows; see how stable the clusters are on halves of the rows "
        "(sklearn_lloyd.model_selection.prediction_strength).",
    )
