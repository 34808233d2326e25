"""Looking at clusterings: what commonly goes wrong, and what to do."""

from sklearn_lloyd.inspection._diagnose import diagnose
from sklearn_lloyd.inspection._findings import Diagnosis, Finding

__all__ = ["Diagnosis", "Finding", "diagnose"]
