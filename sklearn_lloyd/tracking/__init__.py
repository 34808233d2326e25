"""Cluster ids that stay across refits."""

from sklearn_lloyd.tracking._align import align_clusters
from sklearn_lloyd.tracking._alignment import Alignment
from sklearn_lloyd.tracking._display import AlignmentDisplay
from sklearn_lloyd.tracking._refit import refit_clusters

__all__ = ["Alignment", "AlignmentDisplay", "align_clusters", "refit_clusters"]
