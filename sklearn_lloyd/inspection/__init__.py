"""What clusters are, how they came about and what is wrong with them."""

from sklearn_lloyd._cluster_names import name_clusters
from sklearn_lloyd.inspection._centroids import CentroidDisplay
from sklearn_lloyd.inspection._cluster_differences import cluster_differences
from sklearn_lloyd.inspection._cluster_profiles import cluster_profiles
from sklearn_lloyd.inspection._clusters import ClusterDisplay
from sklearn_lloyd.inspection._convergence import ConvergenceDisplay
from sklearn_lloyd.inspection._diagnose import diagnose
from sklearn_lloyd.inspection._differences import ClusterDifferences
from sklearn_lloyd.inspection._findings import Diagnosis, Finding
from sklearn_lloyd.inspection._numbers import NClustersDisplay
from sklearn_lloyd.inspection._pairs import PairDisplay
from sklearn_lloyd.inspection._profile import ProfileDisplay
from sklearn_lloyd.inspection._profiles import ClusterProfiles
from sklearn_lloyd.inspection._report import ClusterReport, cluster_report
from sklearn_lloyd.inspection._silhouettes import SilhouetteDisplay
from sklearn_lloyd.inspection._steps import LloydStepsDisplay

__all__ = [
    "CentroidDisplay",
    "ClusterDifferences",
    "ClusterDisplay",
    "ClusterProfiles",
    "ClusterReport",
    "ConvergenceDisplay",
    "Diagnosis",
    "Finding",
    "LloydStepsDisplay",
    "NClustersDisplay",
    "PairDisplay",
    "ProfileDisplay",
    "SilhouetteDisplay",
    "cluster_differences",
    "cluster_profiles",
    "cluster_report",
    "diagnose",
    "name_clusters",
]
