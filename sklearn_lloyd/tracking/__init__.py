"""Clusters that keep their ids and names from fit to fit, and the database that holds them."""

from sklearn_lloyd.tracking._align import align_clusters
from sklearn_lloyd.tracking._alignment import Alignment
from sklearn_lloyd.tracking._database import StoreError
from sklearn_lloyd.tracking._display import AlignmentDisplay
from sklearn_lloyd.tracking._refit import refit_clusters
from sklearn_lloyd.tracking._result import StoreTable
from sklearn_lloyd.tracking._store import SegmentStore

__all__ = [
    "Alignment",
    "AlignmentDisplay",
    "SegmentStore",
    "StoreError",
    "StoreTable",
    "align_clusters",
    "refit_clusters",
]
