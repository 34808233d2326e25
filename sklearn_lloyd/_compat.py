"""The only file that imports private scikit-learn names or bridges its versions."""

from functools import wraps
from inspect import signature
from numbers import Integral

import numpy as np
from sklearn.base import _fit_context as fit_context
from sklearn.utils._openmp_helpers import (
    _openmp_effective_n_threads as openmp_effective_n_threads,
)
from sklearn.utils._param_validation import (
    HasMethods,
    StrOptions,
    make_constraint,
)
from sklearn.utils._param_validation import Interval as _Interval
from sklearn.utils._param_validation import validate_params as _validate_params
from sklearn.utils._set_output import _get_output_config as get_output_config

from sklearn_lloyd._parameters import names_parameters

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:  # before scikit-learn 1.9

    class CallbackSupportMixin:
        """There are no callbacks yet."""


class Interval(_Interval):
    """As scikit-learn's, but True and False are no whole numbers."""

    def is_satisfied_by(self, val):
        is_truth = isinstance(val, bool | np.bool_)
        return not (is_truth and self.type is Integral) and super().is_satisfied_by(val)


def validate_params(constraints, *, prefer_skip_nested_validation=None):
    """As scikit-learn's, which asks for the signature at every call: it is found once here.

    It also makes the constraints and sets its configuration every time. Where the function calls
    nothing with parameters to validate, leave the setting out: scikit-learn is then only asked
    about what does not fit at first sight.
    """
    skip = bool(prefer_skip_nested_validation)
    decorator = _validate_params(constraints, prefer_skip_nested_validation=skip)

    def validated(function):
        function.__signature__ = signature(function)
        strict = decorator(function)
        if prefer_skip_nested_validation is None:
            strict = quick(function, strict)
        return names_parameters(strict)

    def quick(function, strict):
        names = tuple(function.__signature__.parameters)
        made = {name: [make_constraint(each) for each in of] for name, of in constraints.items()}

        @wraps(strict)
        def checked(*args, **kwargs):
            given = {**dict(zip(names, args, strict=False)), **kwargs}
            fits = all(
                any(each.is_satisfied_by(value) for each in made.get(name, ()))
                for name, value in given.items()
            )
            return (function if fits else strict)(*args, **kwargs)

        return checked

    return validated


__all__ = [
    "CallbackSupportMixin",
    "HasMethods",
    "Interval",
    "StrOptions",
    "fit_context",
    "get_output_config",
    "openmp_effective_n_threads",
    "validate_params",
]
