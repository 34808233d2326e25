"""How many clusters: a search over their number, and its criteria as functions."""

from sklearn_lloyd.model_selection._bic import bic
from sklearn_lloyd.model_selection._elbow import find_elbow
from sklearn_lloyd.model_selection._gap import gap_statistic
from sklearn_lloyd.model_selection._search import NClustersSearch
from sklearn_lloyd.model_selection._stability import bootstrap_stability, prediction_strength

__all__ = [
    "NClustersSearch",
    "bic",
    "bootstrap_stability",
    "find_elbow",
    "gap_statistic",
    "prediction_strength",
]
