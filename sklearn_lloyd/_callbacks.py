"""What a fit tells scikit-learn's callbacks: which task begins, which one ends.

The tasks of a fit are nested: the fit, its starts, their iterations. Where no callback is set, or
scikit-learn has none yet, `NO_TASK` stands for all of them and does nothing.
"""

from __future__ import annotations

from functools import partial

import numpy as np


class Task:
    """A task that has begun.

    Parameters
    ----------
    estimator : estimator
        Passed on, never looked at.
    context : sklearn.callback.CallbackContext
    data : dict
        X, y and metadata, as the hooks of a callback may ask for them.
    """

    def __init__(self, estimator, context, data):
        self._estimator, self._context, self._data = estimator, context, data
        context.call_on_fit_task_begin(estimator=estimator, **data)

    def begin(self, name, max_subtasks=0):
        """Begin a task within this one; `max_subtasks` is how many are going to be in it."""
        context = self._context.subcontext(task_name=name, max_subtasks=max_subtasks)
        return Task(self._estimator, context, self._data)

    def end(self, fitted=None, *args):
        """End the task, and return whether a callback wants no further ones beside it.

        Parameters
        ----------
        fitted : callable or None
            Gives the fitted attributes of an estimator that stopped here. Called only if a
            callback asks for that estimator, with...
        *args
            ...these.
        """
        return self._context.call_on_fit_task_end(
            estimator=self._estimator,
            reconstruction_attributes=fitted and partial(fitted, *args),
            **self._data,
        )


class _NoTask:
    """A task that nobody is told of."""

    def begin(self, name, max_subtasks=0):
        return self

    def end(self, fitted=None, *args):
        return False


NO_TASK = _NoTask()


def begin_fit(estimator, X, y=None, sample_weight=None, max_subtasks=0):
    """Begin the outermost task of a fit, if a callback is set.

    To be called before anything of the estimator changes: if the fit fails, scikit-learn tells
    the callbacks so by what this leaves on the estimator.
    """
    if not getattr(estimator, "_skl_callbacks", None):
        return NO_TASK
    if y is None and X is not None:
        # `ScoringMonitor` of scikit-learn 1.9 records nothing where there is no y.
        y = partial(_no_targets, X)
    context = estimator._init_callback_context(max_subtasks=max_subtasks)
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    return Task(estimator, context, {"X": X, "y": y, "metadata": metadata})


def _no_targets(X):
    return np.zeros(X.shape[0] if hasattr(X, "shape") else len(X))
