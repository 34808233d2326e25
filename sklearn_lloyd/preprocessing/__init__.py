"""Transformers around k-means: scaling for clusters, and centroid features for any model."""

from sklearn_lloyd.preprocessing._centroid_features import CentroidFeatures
from sklearn_lloyd.preprocessing._cluster_scaler import ClusterScaler

__all__ = ["CentroidFeatures", "ClusterScaler"]
