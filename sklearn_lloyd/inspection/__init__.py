"""Pictures of a clustering and of how it came about."""

from sklearn_lloyd.inspection._centroids import CentroidDisplay
from sklearn_lloyd.inspection._clusters import ClusterDisplay
from sklearn_lloyd.inspection._convergence import ConvergenceDisplay
from sklearn_lloyd.inspection._numbers import NClustersDisplay
from sklearn_lloyd.inspection._silhouettes import SilhouetteDisplay
from sklearn_lloyd.inspection._steps import LloydStepsDisplay

__all__ = [
    "CentroidDisplay",
    "ClusterDisplay",
    "ConvergenceDisplay",
    "LloydStepsDisplay",
    "NClustersDisplay",
    "SilhouetteDisplay",
]
