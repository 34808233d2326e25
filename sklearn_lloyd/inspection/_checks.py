"""All checks by the code of their finding, in the order in which equally severe ones are shown.

Each takes a `View` and returns a `Finding`, or None. Thresholds stand above them, with the reason
for each.
"""

from sklearn_lloyd.inspection import (
    _checks_clusters,
    _checks_data,
    _checks_fit,
    _checks_structure,
)

CHECKS = {
    "dominant-feature": _checks_data.dominant_feature,
    "category-clusters": _checks_data.category_clusters,
    "no-structure": _checks_structure.no_structure,
    "non-compact-groups": _checks_structure.non_compact_groups,
    "outlier-clusters": _checks_clusters.outlier_clusters,
    "local-optimum": _checks_fit.local_optimum,
    "merged-groups": _checks_structure.merged_groups,
    "split-groups": _checks_structure.split_groups,
    "overlapping-clusters": _checks_structure.overlapping_clusters,
    "elongated-clusters": _checks_structure.elongated_clusters,
    "unstable-starts": _checks_fit.unstable_starts,
    "not-converged": _checks_fit.not_converged,
    "tiny-clusters": _checks_clusters.tiny_clusters,
    "unequal-spreads": _checks_clusters.unequal_spreads,
    "outlying-rows": _checks_clusters.outlying_rows,
    "one-dimensional": _checks_data.one_dimensional,
    "correlated-features": _checks_data.correlated_features,
    "identifier-features": _checks_data.identifier_features,
    "indicator-features": _checks_data.indicator_features,
    "few-rows": _checks_data.few_rows,
    "unequal-sizes": _checks_clusters.unequal_sizes,
    "repeated-rows": _checks_data.repeated_rows,
    "constant-features": _checks_data.constant_features,
}
