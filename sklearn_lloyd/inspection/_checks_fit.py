"""Checks of the run of the algorithm: did it end, would another start end elsewhere?"""

from __future__ import annotations

from sklearn_lloyd.inspection._findings import Finding

# A median agreement of less than this, chance taken off, is where Hennig (2007) draws the line
# between clusters that are there again and those that are not.
UNSTABLE = 0.75
BETTER = 0.01  # of the inertia: less is the noise between good starts on data without clusters


def not_converged(view):
    if view.n_iter is None or view.max_iter is None or view.n_iter < view.max_iter:
        return None
    if view.converged:
        return None
    return Finding(
        "not-converged",
        "medium",
        {"n_iter": view.n_iter, "max_iter": view.max_iter},
        "max_iter ended the run while centres were still on the move.",
        "Fit with a larger max_iter.",
    )


def _can_start(view):
    return view.n_starts > 1 and 1 < view.n_clusters <= view.n_distinct


def unstable_starts(view):
    if not _can_start(view) or view.agreement >= UNSTABLE:
        return None
    best, worst = view.starts[0][1], view.starts[-1][1]
    return Finding(
        "unstable-starts",
        "medium",
        {
            "median_adjusted_rand": view.agreement,
            "n_starts": view.n_starts,
            "inertia_spread": float(worst / best - 1) if best else 0.0,
        },
        "Starts from other random numbers end in other clusters: what is found is an accident of "
        "the start.",
        "If the inertia differs much, use more starts (n_init). If it does not, there are many "
        "solutions as good as each other: another number of clusters, or no clusters "
        "(sklearn_lloyd.model_selection.NClustersSearch looks for both).",
    )


def local_optimum(view):
    if not _can_start(view):
        return None
    best = view.starts[0][1]
    gain = 1 - best / view.settled_inertia if view.settled_inertia else 0.0
    if gain < BETTER:
        return None
    return Finding(
        "local-optimum",
        "high",
        {
            "better_by": float(gain),
            "n_starts": view.n_starts,
            "n_rows": len(view.rows),
        },
        f"A fresh start finds clusters of {gain:.1%} less inertia: the fit is stuck in a local "
        "optimum.",
        "Fit with more starts (n_init=10 or more) and init='k-means++', and keep the best.",
    )
