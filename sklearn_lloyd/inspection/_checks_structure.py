"""Checks of what there is to find: are there groups, and are they ones for k-means?"""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._axes import principal_axes
from sklearn_lloyd._kmeans import KMeans
from sklearn_lloyd._rows import Rows
from sklearn_lloyd.inspection._checks_data import DOMINANT, dominant_share
from sklearn_lloyd.inspection._checks_view import FEWEST, MOST_AXES, N_PAIRED
from sklearn_lloyd.inspection._findings import Finding
from sklearn_lloyd.metrics import silhouette_score
from sklearn_lloyd.metrics._separation import separations
from sklearn_lloyd.model_selection import gap_statistic

WEAK = 0.25  # "no substantial structure" up to here (Kaufman and Rousseeuw 1990, table 4)
# Two normal clusters that are 3 standard deviations apart, where their sum begins to have
# two modes worth the name, have so many rows at their border.
BORDER = 0.12
STD_ERRORS = 3.0  # uniform noise passes for structure once in 740 times
LESS = 0.05  # of the inertia: a smaller difference from noise is none worth the name
N_REFERENCES = 10
# Density at the border relative to the less dense centre: of two normal groups 4 standard
# deviations apart it is 0.3, 5: 0.1.
DEEP_VALLEY = 0.25
LEAST_PART = 0.1  # of the rows: less are stragglers, not a group
CUT, MIXED = 0.1, 0.1  # of the rows: in another cluster than most of their group; the reverse
ELONGATED = 9.0  # variance along the first axis, relative to the mean of others: 3 to 1 in length
LONG_SHARE = 0.5  # of the variance of the cluster: the first axis has more than all others
MOST_ROWS = 0.5  # of the rows at least are in clusters that are elongated


def overlapping_clusters(view):
    present, share = np.unique(view.labels[:N_PAIRED]), view.separation.share_at_borders
    if not 1 < present.size < len(view.rows[:N_PAIRED]) or share < BORDER:
        return None
    rows, labels = view.rows[:N_PAIRED], view.labels[:N_PAIRED]
    width = silhouette_score(rows, labels)
    if width >= WEAK:
        return None
    return Finding(
        "overlapping-clusters",
        "medium",
        {"silhouette": float(width), "share_near_borders": share},
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
    if view.n_dense_groups > 1 or view.separation.n_groups == view.n_clusters:
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


def split_groups(view):
    found = view.separation
    shared = np.argwhere(np.triu(found.joined, k=1))
    ratios = found.border / np.maximum(found.centers, 1.0)
    if not len(shared):
        return None
    return Finding(
        "split-groups",
        "medium",
        {
            "pairs": [f"{a} and {b}" for a, b in shared.tolist()],
            "largest_density_at_border": float(ratios[found.joined].max()),
        },
        "Pairs of clusters share one group: where they meet, rows are as dense as at their "
        "centres.",
        "Use fewer clusters, or merge these. If a group is not round, whatever the number, "
        "compare with sklearn.mixture.GaussianMixture.",
    )


def merged_groups(view):
    found = {}
    for cluster, members in enumerate(view.members):
        if members.size >= 2 * FEWEST:
            density = _density_between_halves(view.rows[members], view.weights[members], view.seed)
            if density <= DEEP_VALLEY:
                found[cluster] = density
    if not found:
        return None
    return Finding(
        "merged-groups",
        "medium",
        {"clusters": list(found), "least_density_between": min(found.values())},
        "Clusters hold two groups each, with a gap between them.",
        "Use more clusters. If the number is right, another cluster has a centre too many: more "
        "starts (n_init).",
    )


def _density_between_halves(rows, weights, seed):
    """Relative to the less dense one of two clusters of the rows; 1 if there is no valley."""
    halves = KMeans(2, n_init=3, n_threads=1, random_state=seed).fit(rows, sample_weight=weights)
    sizes = np.bincount(halves.labels_, weights, 2)
    clustering = halves.labels_.astype(np.intp), halves.cluster_centers_, sizes
    found = separations(Rows(rows), weights, [clustering])[0]
    if not found.apart[0, 1] or sizes.min() < LEAST_PART * sizes.sum():
        return 1.0
    return float(found.ratios[0, 1])


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
    for cluster, members in enumerate(view.members):
        n_rows = members.size
        if n_rows < FEWEST:
            continue
        axes = principal_axes(view.residuals[members], view.weights[members], 1)
        first, total = axes.variances[0], axes.total
        others = max(0.0, total - first)
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
