"""Cluster ids that stay across refits."""

from sklearn_lloyd.tracking._align import align_clusters
from sklearn_lloyd.tracking._alignment import Alignment

__all__ = ["Alignment", "align_clusters"]
