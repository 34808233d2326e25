"""The only file that imports private scikit-learn names or bridges its versions."""

from inspect import signature

from sklearn.base import _fit_context as fit_context
from sklearn.utils._openmp_helpers import (
    _openmp_effective_n_threads as openmp_effective_n_threads,
)
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    StrOptions,
)
from sklearn.utils._param_validation import validate_params as _validate_params

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:
        """There are no callbacks yet."""


def validate_params(constraints, *, prefer_skip_nested_validation):
    """As scikit-learn's, which asks for the signature at every call: it is found once here."""
    decorator = _validate_params(
        constraints, prefer_skip_nested_validation=prefer_skip_nested_validation
    )

    def validated(function):
        function.__signature__ = signature(function)
        return decorator(function)

    return validated


__all__ = [
    "CallbackSupportMixin",
    "HasMethods",
    "Interval",
    "StrOptions",
    "fit_context",
    "openmp_effective_n_threads",
    "validate_params",
]
