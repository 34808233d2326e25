"""Checks of the features and rows, as the clusterer sees them."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._axes import principal_axes
from sklearn_lloyd._moments import weighted_mean
from sklearn_lloyd._predict import distances_to_centers
from sklearn_lloyd._rows import Rows
from sklearn_lloyd.inspection._checks_view import N_PAIRED
from sklearn_lloyd.inspection._findings import Finding

# Squared distances are sums over the features, and the mean one between two rows is twice the
# sum of the variances: a share of the variance is a share of what k-means goes by.
DOMINANT = 0.9  # the others together add a tenth: half of the standard deviation, or less, each
# Guess the cluster of each row: the largest one, or that of most rows of its category. The share
# of the wrong guesses that the category puts right: nearly all if the clusters only repeat it. If
# the other features put half of them right, they and the category agree, and that is no fault.
REPEATS, OTHERS_TELL = 0.9, 0.5
INDICATORS = 0.5  # two-valued features decide more than all others
ONE_AXIS = 0.99  # the other axes together have a tenth of the standard deviation of the first
CORRELATED = 0.95  # nine tenths of the variance are shared: in effect a feature counts twice
FEWEST_FOR_CORRELATION = 30  # rows, from which noise does not reach that: eight standard errors
WIDEST = 1000  # features, of most variance, that are dense and looked at together
REPEATED = 0.5  # more rows are repeats than are not
FEW_ROWS = 10  # a cluster: its mean is off by a third of its spread
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


def category_clusters(view):
    if view.n_clusters < 2 or len(view.rows) < FEW_ROWS:
        return None
    two_valued = np.flatnonzero(view.two_valued)
    if not 0 < two_valued.size <= WIDEST:
        return None
    values = view.values_of(two_valued)
    on = values == values.max(axis=0)
    best, features, codes = 0.0, None, None
    for block in _one_hot_blocks(on):
        # The category of each row, the last one if none of them is on.
        own = np.where(on[:, block].any(axis=1), on[:, block].argmax(axis=1), len(block))
        share = _told(own, view.labels, view.weights)
        if share > best:
            best, features, codes = share, two_valued[block], own
    if best < REPEATS:
        return None
    others = np.setdiff1d(np.flatnonzero(view.variances > 0.0), features)
    by_others = 0.0
    if others.size:
        widest = np.argsort(-view.variances[others], kind="stable")[:WIDEST]
        rows = view.values_of(others[np.sort(widest)])
        present = np.unique(view.labels)
        means = np.array([
            weighted_mean(rows[view.labels == label], view.weights[view.labels == label])
            for label in present
        ])  # fmt: skip
        nearest = distances_to_centers(Rows(rows), means).argmin(axis=1)
        by_others = _told(nearest, view.labels, view.weights)
    if by_others >= OTHERS_TELL:
        return None
    names = [view.names[j] for j in features]
    return Finding(
        "category-clusters",
        "high",
        {
            "features": names,
            "n_categories": int(np.unique(codes).size),
            "told_by_category": best,
            "told_by_others": by_others,
        },
        "The clusters are the categories of one column, which was known without clustering; the "
        "other features hardly tell them apart.",
        "Let a category weigh like a number, with sklearn_lloyd.preprocessing.table_pipeline or "
        "CategoryEncoder in place of scaled one-hot columns, give it a lower category_weight, or "
        "drop the column and compare the clusters with it afterwards.",
    )


def _one_hot_blocks(on):
    """Neighbouring columns of which no row has two: a list of lists of their places."""
    blocks, taken = [], None
    for j, column in enumerate(on.T):
        if taken is None or taken.all() or (taken & column).any():
            blocks.append([])
            taken = np.zeros(len(column), bool)
        blocks[-1].append(j)
        taken = taken | column
    return blocks


def _told(codes, labels, weights):
    """How well codes tell labels: Goodman and Kruskal's lambda, 0 for a guess and 1 for all."""
    table = np.zeros((codes.max() + 1, labels.max() + 1))
    np.add.at(table, (codes, labels), weights)
    wrong = table.sum() - table.sum(axis=0).max()
    return float(1.0 - (table.sum() - table.max(axis=1).sum()) / wrong) if wrong else 0.0


def indicator_features(view):
    total = view.variances.sum()
    if len(view.rows) < FEW_ROWS or not total:
        return None
    share = float(view.variances[view.two_valued].sum() / total)
    if share <= INDICATORS:
        return None
    names = [view.names[j] for j in np.flatnonzero(view.two_valued)]
    return Finding(
        "indicator-features",
        "medium",
        {"share_of_variance": share, "n_indicators": len(names), "features": names},
        "Features of two values, such as one-hot columns, have most of the variance: clusters "
        "follow categories, and a mean of such columns is no row that could be.",
        "Let a category weigh like a number, with sklearn_lloyd.preprocessing.table_pipeline or "
        "CategoryEncoder (the distances of Gower and of k-prototypes), or reduce these columns "
        "first (PCA). If all columns are of two values, compare with a latent class model.",
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
    products = scaled.T @ (scaled * view.weights[:, np.newaxis]) / view.weights.sum()
    # One-hot columns of a column with two frequent categories are opposites by their form.
    opposite = (products < 0.0) & np.logical_and.outer(*[view.two_valued[varied]] * 2)
    products = np.where(opposite, 0.0, np.abs(products))
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
