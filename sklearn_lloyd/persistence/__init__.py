"""Models in files without pickle, as scikit-learn's own estimators, and as ONNX."""

from sklearn_lloyd.persistence._container import ArchiveError
from sklearn_lloyd.persistence._files import load, save
from sklearn_lloyd.persistence._onnx import to_onnx
from sklearn_lloyd.persistence._sklearn import to_sklearn
from sklearn_lloyd.persistence._types import trusted_types

__all__ = ["ArchiveError", "load", "save", "to_onnx", "to_sklearn", "trusted_types"]
