"""Transformers around k-means: tables, scaling for clusters, and centroid features."""

from sklearn_lloyd.preprocessing._category_encoder import CategoryEncoder
from sklearn_lloyd.preprocessing._centroid_features import CentroidFeatures
from sklearn_lloyd.preprocessing._cluster_scaler import ClusterScaler
from sklearn_lloyd.preprocessing._signed_log import SignedLog
from sklearn_lloyd.preprocessing._table import table_pipeline
from sklearn_lloyd.preprocessing._table_columns import TableColumns
from sklearn_lloyd.preprocessing._time_features import TimeFeatures

__all__ = [
    "CategoryEncoder",
    "CentroidFeatures",
    "ClusterScaler",
    "SignedLog",
    "TableColumns",
    "TimeFeatures",
    "table_pipeline",
]
