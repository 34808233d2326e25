"""K-means for scikit-learn: a drop-in that is exact, fast and reproducible."""

from sklearn_lloyd._functions import k_means, kmeans_plusplus, lloyd_steps
from sklearn_lloyd._kmeans import KMeans
from sklearn_lloyd._minibatch_kmeans import MiniBatchKMeans
from sklearn_lloyd._version import __version__

__all__ = [
    "KMeans",
    "MiniBatchKMeans",
    "__version__",
    "k_means",
    "kmeans_plusplus",
    "lloyd_steps",
]
