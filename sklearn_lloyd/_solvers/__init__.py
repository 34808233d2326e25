"""The loop of k-means and its parts that can be exchanged."""

from sklearn_lloyd._solvers._assign import ASSIGNERS, make_assigner
from sklearn_lloyd._solvers._lloyd import lloyd

__all__ = ["ASSIGNERS", "lloyd", "make_assigner"]
