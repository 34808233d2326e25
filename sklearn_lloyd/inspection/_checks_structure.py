"""Checks of what there is to find: are there groups, and are they ones for k-means?"""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kmeans import KMeans
from sklearn_lloyd._moments import weighted_mean
from sklearn_lloyd.inspection._checks_data import DOMINANT, dominant_share
from sklearn_lloyd.inspection._checks_view import FEWEST, MOST_AXES, N_PAIRED, WINDOW
from sklearn_lloyd.inspection._findings import Finding
from sklearn_lloyd.metrics import silhouette_score
from sklearn_lloyd.model_selection import gap_statistic

WEAK = 0.25  # "no substantial structure" up to here (Kaufman and Rousseeuw 1990, table 4)
# Two normal clusters that are 3 standard deviations apart, where their sum begins to have
# two modes worth the name, have so many rows within a tenth of the way to each other.
BORDER = 0.1
STD_ERRORS = 3.0  # uniform noise passes for structure once in 740 times
LESS = 0.05  # of the inertia: a smaller difference from noise is none worth the name
N_REFERENCES = 10
# Density at the border relative to the less dense of two centres. A normal cluster cut in half
# has 1.4, a uniform one 1, two normal clusters 3 standard deviations apart 0.6, 4: 0.3.
NO_VALLEY = 0.8
# Two equal normal groups 5 standard deviations apart have 1 / (1 + 5**2 / 4) = 0.14 of their
# variance within them and 0.1 of the density in the middle; a uniform cloud cut in half has 0.25
# and 1.
TWO_GROUPS = 0.15
DEEP_VALLEY = 0.25
LEAST_PART = 0.1  # of the rows: less are stragglers, not a group
CUT, MIXED = 0.1, 0.1  # of the rows: in another cluster than most of their group; the reverse
ELONGATED = 9.0  # variance along the first axis, relative to the mean of others: 3 to 1 in length
LONG_SHARE = 0.5  # of the variance of the cluster: the first axis has more than all others
MOST_ROWS = 0.5  # of the rows at least are in clusters that are elongated


def overlapping_clusters(view):
    present = np.unique(view.labels[:N_PAIRED])
    if not 1 < present.size < len(view.rows[:N_PAIRED]) or view.border_share < BORDER:
        return None
    rows, labels = view.rows[:N_PAIRED], view.labels[:N_PAIRED]
    width = silhouette_score(rows, labels)
    if width >= WEAK:
        return None
    return Finding(
        "overlapping-clusters",
        "medium",
        {"silhouette": float(width), "share_near_borders": view.border_share},
        "Clusters run into each other: many rows are nearly as close to another centre as to "
        "their own.",
        "Try other numbers of clusters (sklearn_lloyd.model_selection.NClustersSearch) and fewer "
        "or other features (PCA). Take memberships as soft "
        "(sklearn_lloyd.preprocessing.CentroidFeatures(output='soft'), "
        "sklearn.mixture.GaussianMixture), not as facts about single rows.",
    )


def no_structure(view):
    n_distinct = np.unique(view.keys[:N_PAIRED]).size
    if view.n_clusters < 2 or n_distinct < FEWEST * view.n_clusters:
        return None
    # The inertia says little of groups that are no balls, or of very unequal sizes.
    if view.n_dense_groups > 1 or _gaps_everywhere(view):
        return None
    # In as many principal axes as can hold the centres: noise in others would drown the gap.
    n_axes = min(view.n_clusters, view.n_features, MOST_AXES)
    gap = gap_statistic(
        view.principal.project(view.rows[:N_PAIRED])[:, :n_axes],
        (1, view.n_clusters),
        estimator=KMeans(n_threads=1),
        n_refs=N_REFERENCES,
        sample_weight=view.weights[:N_PAIRED],
        n_init=3,
        random_state=view.seed,
    )
    # How much more of the inertia k clusters take away here than from uniform noise, as a log.
    gain, error = gap.gap[1] - gap.gap[0], np.hypot(*gap.std_error)
    if gain >= max(STD_ERRORS * error, LESS):
        return None
    return Finding(
        "no-structure",
        "high",
        {"gap": float(gain), "std_error": float(error), "n_references": N_REFERENCES},
        "Clusters explain no more of these rows than they would of a uniform cloud of the same "
        "shape: k-means cuts it to pieces.",
        "Do not read the clusters as kinds. Other features or scaling may show groups; if pieces "
        "of about equal size are what is needed, all is well.",
    )


def _gaps_everywhere(view):
    ratios, _ = view.valleys
    known = ratios[~np.isnan(ratios)]
    return known.size > 0 and known.max() <= DEEP_VALLEY


def split_groups(view):
    ratios, errors = view.valleys
    # A standard error below may be the noise of few rows; a true valley is far below.
    shared = np.argwhere(np.triu(ratios + errors >= NO_VALLEY, k=1))
    if not len(shared):
        return None
    return Finding(
        "split-groups",
        "medium",
        {
            "pairs": [f"{a} and {b}" for a, b in shared.tolist()],
            "largest_density_at_border": float(ratios[tuple(shared.T)].max()),
        },
        "Pairs of clusters share one group: where they meet, rows are as dense as at their "
        "centres.",
        "Use fewer clusters, or merge these. If a group is not round, whatever the number, "
        "compare with sklearn.mixture.GaussianMixture.",
    )


def merged_groups(view):
    found = {}
    for cluster, _, _, scores in view.shapes:
        weights = view.weights[view.members[cluster]]
        within = min(_within_two_groups(axis, weights) for axis in scores.T)
        if within <= TWO_GROUPS:
            found[cluster] = within
    if not found:
        return None
    return Finding(
        "merged-groups",
        "medium",
        {
            "clusters": list(found),
            "least_variance_within_two": min(found.values()),
        },
        "Clusters hold two groups each, with a gap between them.",
        "Use more clusters. If the number is right, another cluster has a centre too many: more "
        "starts (n_init).",
    )


def _within_two_groups(values, weights):
    """The share of the variance within two groups that a clear gap divides; 1 if none does."""
    order = np.argsort(values)
    values, weights = values[order], weights[order]
    total, sums = weights.cumsum(), (weights * values).cumsum()
    fewest = max(FEWEST, int(LEAST_PART * values.size))
    cuts = np.arange(fewest - 1, values.size - fewest)
    if not cuts.size:
        return 1.0
    low, high = sums[cuts] / total[cuts], (sums[-1] - sums[cuts]) / (total[-1] - total[cuts])
    between = total[cuts] * (total[-1] - total[cuts]) * np.square(high - low) / total[-1] ** 2
    best = int(np.argmax(between))
    variance = weighted_mean(np.square(values - sums[-1] / total[-1]), weights)
    if not variance:
        return 1.0
    places = (values - low[best]) / (high[best] - low[best])
    middle, *ends = (
        np.count_nonzero(np.abs(places - place) < 1.5 * WINDOW) for place in (0.5, 0.0, 1.0)
    )
    return float(1 - between[best] / variance) if middle <= DEEP_VALLEY * min(ends) else 1.0


def non_compact_groups(view):
    if view.n_clusters < 2 or len(view.rows) < FEWEST or view.n_dense_groups < 2:
        return None
    groups, radius = view.density
    inside = groups >= 0
    table = np.zeros((groups.max() + 1, view.n_clusters))
    np.add.at(table, (groups[inside], view.labels[: len(groups)][inside]), 1)
    # A cut alone means too many clusters, a mixture alone too few; both, the wrong shape.
    cut = float(1 - table.max(axis=1).sum() / table.sum())
    mixed = float(1 - table.max(axis=0).sum() / table.sum())
    if cut < CUT or mixed < MIXED:
        return None
    return Finding(
        "non-compact-groups",
        "high",
        {
            "n_groups": view.n_dense_groups,
            "cut": cut,
            "mixed": mixed,
            "dbscan_eps": radius,
        },
        "There are groups with gaps between them, but not round ones: clusters cut through them "
        "and mix their rows.",
        "Use what follows density or connections: sklearn.cluster.DBSCAN (try the eps above), "
        "HDBSCAN, SpectralClustering; sklearn.mixture.GaussianMixture if the groups are "
        "straight.",
    )


def elongated_clusters(view):
    if view.n_features < 2 or dominant_share(view)[1] >= DOMINANT:
        return None  # that finding says it, and why
    long_rows, lengths = 0.0, []
    for cluster, first, total, _ in view.shapes:
        n_rows, others = view.members[cluster].size, max(0.0, total - first)
        ratio = first * (view.n_features - 1) / others if others else np.inf
        # Noise alone makes axes unequal, in many dimensions more so (Marchenko and Pastur 1967).
        if not first:
            continue  # a single row, many times
        by_chance = (1 + np.sqrt(view.n_features / n_rows)) ** 2
        if ratio >= max(ELONGATED, 2 * by_chance) and first >= LONG_SHARE * total:
            long_rows += view.sizes[cluster]
            lengths.append(float(np.sqrt(ratio)))
    share = long_rows / view.sizes.sum()
    if share < MOST_ROWS:
        return None
    return Finding(
        "elongated-clusters",
        "medium",
        {"share_of_rows": float(share), "median_length_to_width": float(np.median(lengths))},
        "Most rows are in clusters that are much longer than wide. k-means looks for round ones, "
        "and long groups that come near each other are cut across.",
        "If all are long in the same direction, take that away with "
        "sklearn_lloyd.preprocessing.ClusterScaler('whiten'); else compare with "
        "sklearn.mixture.GaussianMixture.",
    )
