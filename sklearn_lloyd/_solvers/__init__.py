"""The loop of k-means and its parts that can be exchanged."""

from sklearn_lloyd._solvers._assign import ASSIGNERS, Assigner, label_rows, make_assigner
from sklearn_lloyd._solvers._clusters import ClusterSums
from sklearn_lloyd._solvers._empty import labels_without_empty
from sklearn_lloyd._solvers._lloyd import lloyd
from sklearn_lloyd._solvers._minibatch import MovingCenters, StopRule
from sklearn_lloyd._solvers._stream import (
    StreamAssigner,
    costly_rows,
    merge_costly,
    sums_without_empty,
)

__all__ = [
    "ASSIGNERS",
    "Assigner",
    "ClusterSums",
    "MovingCenters",
    "StopRule",
    "StreamAssigner",
    "costly_rows",
    "label_rows",
    "labels_without_empty",
    "lloyd",
    "make_assigner",
    "merge_costly",
    "sums_without_empty",
]
