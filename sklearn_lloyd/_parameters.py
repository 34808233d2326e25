"""Parameters by name: an unknown one is refused with the name that it is most like."""

from __future__ import annotations

from difflib import get_close_matches
from functools import wraps
from inspect import Parameter, signature


def advice_for(name, known):
    """What to say of a name that is not among the known ones."""
    alike = get_close_matches(name, known, n=1)
    return f"did you mean {alike[0]!r}?" if alike else f"known are {', '.join(sorted(known))}."


def names_parameters(function, of=None):
    """The function; called with a parameter that it has not, it says which one it is most like."""
    parameters = list(signature(function).parameters.values())
    if any(each.kind is Parameter.VAR_KEYWORD for each in parameters):
        return function
    known = {each.name for each in parameters} - {"self"}
    of = function.__name__ if of is None else of

    @wraps(function)
    def checked(*args, **kwargs):
        for name in kwargs:
            if name not in known:
                what = f"{of}() got an unexpected keyword argument {name!r}"
                raise TypeError(f"{what}: {advice_for(name, known)}")
        return function(*args, **kwargs)

    return checked


def is_no_scorer(instead):
    """Decorate a metric of rows and labels, for which an estimator is mistaken.

    `instead` is what belongs where an estimator is scored.
    """

    def decorate(function):
        @wraps(function)
        def checked(*args, **kwargs):
            X = args[0] if args else kwargs.get("X")
            if hasattr(X, "fit"):
                raise TypeError(
                    f"{function.__name__} takes rows and their labels, but got "
                    f"{type(X).__name__}, an estimator. To score an estimator, as in GridSearchCV "
                    f"or cross_val_score, use {instead}."
                )
            return function(*args, **kwargs)

        return checked

    return decorate


class NamedParameters:
    """An estimator that says which parameter was meant, when it is made and by `set_params`."""

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = names_parameters(cls.__init__, cls.__name__)

    def set_params(self, **params):
        """Set parameters, of this estimator or of one inside of it by `name__parameter`.

        Parameters
        ----------
        **params
            New values by name.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If there is no such parameter; the message says which one is most like it.
        """
        known = self.get_params(deep=False)
        for name in (name.partition("__")[0] for name in params):
            # Parts that have names of their own, such as transformers, are listed as deep ones.
            if name not in known and name not in self.get_params():
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {type(self).__name__}: "
                    f"{advice_for(name, known)}"
                )
        return super().set_params(**params)
