"""Which types an archive may hold: nothing else is ever imported or made."""

from __future__ import annotations

from importlib import import_module

import numpy as np

_OURS = {
    "KMeans": "sklearn_lloyd",
    "MiniBatchKMeans": "sklearn_lloyd",
    "NClustersSearch": "sklearn_lloyd.model_selection",
    **dict.fromkeys(
        (
            "CategoryEncoder",
            "CentroidFeatures",
            "ClusterScaler",
            "SignedLog",
            "TableColumns",
            "TimeFeatures",
        ),
        "sklearn_lloyd.preprocessing",
    ),
}
# Fitted, these hold numbers, texts, arrays and each other, and compute with NumPy: wrong numbers
# in them lead to an error or to wrong numbers, never out of an array.
_OF_SKLEARN = {
    "sklearn.compose": "ColumnTransformer make_column_selector",
    "sklearn.decomposition": "PCA TruncatedSVD",
    "sklearn.feature_selection": "VarianceThreshold",
    "sklearn.frozen": "FrozenEstimator",
    "sklearn.impute": "KNNImputer MissingIndicator SimpleImputer",
    "sklearn.pipeline": "FeatureUnion Pipeline",
    "sklearn.preprocessing": "Binarizer FunctionTransformer KBinsDiscretizer MaxAbsScaler "
    "MinMaxScaler Normalizer OneHotEncoder OrdinalEncoder PolynomialFeatures PowerTransformer "
    "QuantileTransformer RobustScaler StandardScaler",
}
# The public place of each, which stays the same when scikit-learn moves its files.
_PLACES = _OURS | {name: module for module, names in _OF_SKLEARN.items() for name in names.split()}
# The functions that a FunctionTransformer may have.
UFUNCS = ("cbrt", "exp", "expm1", "log", "log10", "log1p", "log2", "sqrt", "square")
_BUILTINS = {kind.__name__: kind for kind in (bool, int, float, str, object)}


def name_of_class(kind):
    """The name that a class has in archives, or None if it is not allowed."""
    module = _PLACES.get(kind.__name__)
    if module is None or getattr(import_module(module), kind.__name__) is not kind:
        return None
    return f"{module}.{kind.__name__}"


def class_of_name(name):
    """The class of a name that `name_of_class` gives, or None."""
    module, _, own = name.rpartition(".")
    return getattr(import_module(module), own) if _PLACES.get(own, "") == module else None


def is_ours(kind):
    return _PLACES.get(kind.__name__, "").startswith("sklearn_lloyd")


def name_of_type(kind):
    """The name of a type of numbers or texts that is a parameter, as of encoders; or None."""
    if _BUILTINS.get(kind.__name__) is kind:
        return kind.__name__
    name = "bool_" if kind is np.bool_ else kind.__name__  # NumPy 2 calls it bool
    return f"numpy.{name}" if getattr(np, name, None) is kind else None


def type_of_name(name):
    """The type of a name that `name_of_type` gives, or None."""
    if name in _BUILTINS:
        return _BUILTINS[name]
    module, _, own = name.partition(".")
    kind = getattr(np, own, None) if module == "numpy" and own.isidentifier() else None
    return kind if isinstance(kind, type) and issubclass(kind, np.generic) else None


def trusted_types():
    """Names of our types, for `skops.io.load` to trust.

    skops stores any object of scikit-learn without pickle, so also what :func:`save` does not
    take. It needs to be told which types of other packages may be made from a file.

    Returns
    -------
    names : list of str

    Examples
    --------
    >>> import skops.io
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.persistence import trusted_types
    >>> model = KMeans(n_clusters=2, random_state=0).fit([[0.0], [1.0], [9.0]])
    >>> data = skops.io.dumps(model)
    >>> skops.io.loads(data, trusted=trusted_types()).labels_ == model.labels_
    array([ True,  True,  True])
    """
    kinds = (getattr(import_module(module), name) for name, module in sorted(_OURS.items()))
    return [f"{kind.__module__}.{kind.__name__}" for kind in kinds]
