"""Clusters that keep their ids and names from fit to fit, and the database that holds them."""

from sklearn_lloyd.tracking._database import StoreError
from sklearn_lloyd.tracking._result import StoreTable
from sklearn_lloyd.tracking._store import SegmentStore

__all__ = ["SegmentStore", "StoreError", "StoreTable"]
