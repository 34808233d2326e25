"""Pictures of a clustering and of how it came about, and a diagnosis of what goes wrong."""

from sklearn_lloyd.inspection._centroids import CentroidDisplay
from sklearn_lloyd.inspection._clusters import ClusterDisplay
from sklearn_lloyd.inspection._convergence import ConvergenceDisplay
from sklearn_lloyd.inspection._diagnose import diagnose
from sklearn_lloyd.inspection._findings import Diagnosis, Finding
from sklearn_lloyd.inspection._numbers import NClustersDisplay
from sklearn_lloyd.inspection._silhouettes import SilhouetteDisplay
from sklearn_lloyd.inspection._steps import LloydStepsDisplay

__all__ = [
    "CentroidDisplay",
    "ClusterDisplay",
    "ConvergenceDisplay",
    "Diagnosis",
    "Finding",
    "LloydStepsDisplay",
    "NClustersDisplay",
    "SilhouetteDisplay",
    "diagnose",
]
