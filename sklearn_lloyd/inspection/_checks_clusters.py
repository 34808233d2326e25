"""Checks of the sizes and spreads of clusters, and of rows far out."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._moments import centered, weighted_mean
from sklearn_lloyd.inspection._checks_view import FEWEST
from sklearn_lloyd.inspection._findings import Finding

TINY = 0.1  # of the mean size of a cluster
RARE = 0.01  # of all rows, or fewer than a spread can be told of: more are a group
# In spreads (root mean squared distances from the mean): by Chebyshev's inequality at most
# a 25th of the rows of any cluster, and in effect no row of a normal one.
FAR = 5.0
NEAR_EMPTY = 5  # rows: fewer, and a mean is off by half a spread
# The border of k-means is half way between two centres. For normal clusters of one spread s,
# D = 4 s apart, the best border is off by s log(ratio) / 4: 0.75 s for this ratio of sizes.
UNEQUAL_SIZES = 20.0
# The best border divides the way between two clusters about as their spreads: with this ratio at a
# quarter of it, not half way, and a third of the spread of the narrow one is given up.
UNEQUAL_SPREADS = 3.0
# Rows this many median absolute deviations beyond the median distance from the centre are
# seven standard deviations out if distances are normal.
STRAGGLERS = 10.0
STRAGGLER_SHARE = 0.05  # at most: more rows than that are no stragglers
PULL = 0.25  # of the spread: how far stragglers move a centre


def _tiny(view):
    """Which clusters are much smaller than the others."""
    return (view.sizes < TINY * view.sizes.sum() / view.n_clusters) & (view.counts > 0)


def _distances_in_spreads(view):
    """Of each cluster from the next one that is not tiny, in spreads of that; 0 if not known."""
    known = np.flatnonzero(~_tiny(view) & (view.spreads >= 0.0))
    usual = np.median(view.spreads[known]) if known.size else 0.0
    if not usual:
        return np.zeros(view.n_clusters)
    # A narrow cluster is no reason to call its neighbour far.
    ratios = view.center_distances[:, known] / np.maximum(view.spreads[known], usual)
    ratios[known, np.arange(known.size)] = np.inf
    return ratios.min(axis=1)


def outlier_clusters(view):
    ratios = _distances_in_spreads(view)
    rare = (view.counts < FEWEST) | (view.sizes <= RARE * view.sizes.sum())
    found = np.flatnonzero(_tiny(view) & rare & (ratios >= FAR))
    if not found.size:
        return None
    return Finding(
        "outlier-clusters",
        "high",
        {
            "clusters": found.tolist(),
            "n_rows": int(view.counts[found].sum()),
            "share": float(view.sizes[found].sum() / view.sizes.sum()),
            "distance_in_spreads": float(ratios[found].min()),
        },
        "Clusters of very few rows are far from all others: outliers hold centres that the bulk "
        "of the rows could use.",
        "Look at these rows. Errors: remove them. Rare but real: set them aside as a group of "
        "their own and cluster the others, or bring them nearer with "
        "sklearn_lloyd.preprocessing.ClusterScaler(clip=2) or a logarithm, or use "
        "sklearn.cluster.HDBSCAN.",
    )


def tiny_clusters(view):
    near = _tiny(view) & (_distances_in_spreads(view) < FAR) & (view.counts < NEAR_EMPTY)
    found = np.flatnonzero(near | (view.counts == 0))
    if not found.size:
        return None
    return Finding(
        "tiny-clusters",
        "medium",
        {"clusters": found.tolist(), "n_rows": view.counts[found].tolist()},
        "Clusters are empty or have next to no rows, though they are not far from others.",
        "Use fewer clusters, more starts (n_init) or another init. If the model was fitted to "
        "other rows, these are not like them.",
    )


def unequal_sizes(view):
    # Clusters of next to no rows have findings of their own.
    usual = view.sizes[view.counts >= NEAR_EMPTY]
    if usual.size < 2 or usual.max() < UNEQUAL_SIZES * usual.min():
        return None
    return Finding(
        "unequal-sizes",
        "low",
        {
            "largest_share": float(usual.max() / view.sizes.sum()),
            "smallest_share": float(usual.min() / view.sizes.sum()),
            "ratio": float(usual.max() / usual.min()),
        },
        "Clusters differ much in size. k-means puts borders half way, so that clusters that "
        "touch a large one take rows from it.",
        "Fine if the clusters are far apart. Else compare with sklearn.mixture.GaussianMixture, "
        "which allows for sizes.",
    )


def unequal_spreads(view):
    # Medians: rows that a narrow cluster has taken from a wide one do not widen it.
    distances = np.linalg.norm(view.residuals, axis=1)
    usual = [np.median(distances[rows]) for rows in view.members if rows.size >= FEWEST]
    usual = np.array([median for median in usual if median > 0.0])
    if usual.size < 2 or usual.max() < UNEQUAL_SPREADS * usual.min():
        return None
    return Finding(
        "unequal-spreads",
        "medium",
        {
            "largest_median_distance": float(usual.max()),
            "smallest_median_distance": float(usual.min()),
            "ratio": float(usual.max() / usual.min()),
        },
        "Clusters differ much in how wide they are, and so in density. k-means puts borders half "
        "way, so that narrow clusters take rows from wide ones, which it would rather split.",
        "Take a logarithm of skewed features, or compare with sklearn.mixture.GaussianMixture or "
        "sklearn.cluster.HDBSCAN, which allow for spreads.",
    )


def outlying_rows(view):
    pulls, n_rows = {}, 0
    for cluster, members in enumerate(view.members):
        if members.size >= FEWEST:
            pull, n = _pull(view, members)
            if pull >= PULL:
                pulls[cluster], n_rows = pull, n_rows + n
    if not pulls:
        return None
    return Finding(
        "outlying-rows",
        "medium",
        {
            "clusters": list(pulls),
            "n_rows_in_sample": n_rows,
            "largest_shift_in_spreads": max(pulls.values()),
        },
        "A few rows far out pull the centres of their clusters towards them.",
        "Look at these rows. Remove errors, scale with "
        "sklearn_lloyd.preprocessing.ClusterScaler('robust', clip=2), take a logarithm of heavy "
        "tails, or use k-medoids.",
    )


def _pull(view, members):
    """How far stragglers move a centre, in spreads of the other rows, and how many they are."""
    rows, weights = view.rows[members], view.weights[members]
    # From the median: the mean has been moved.
    distances = np.linalg.norm(rows - np.median(rows, axis=0), axis=1)
    middle = np.median(distances)
    deviation = np.median(np.abs(distances - middle))
    out = distances > middle + STRAGGLERS * deviation
    n_out = np.count_nonzero(out)
    if not n_out or not deviation or weights[out].sum() > STRAGGLER_SHARE * weights.sum():
        return 0.0, 0
    offsets, center = centered(rows[~out], weights[~out])
    spread = np.sqrt(weighted_mean(np.square(offsets).sum(axis=1), weights[~out]))
    shift = np.linalg.norm(weighted_mean(rows - center, weights))
    return float(shift / spread), int(n_out)
