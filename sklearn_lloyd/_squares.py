"""Whether squared distances of the rows are within float64, and what to say if they are not."""

from __future__ import annotations

import math

import numpy as np
from sklearn import get_config

from sklearn_lloyd._core import native
from sklearn_lloyd._moments import feature_ranges
from sklearn_lloyd._validation import require_finite

# A smaller square has lost digits, or all of them.
_LEAST = float(np.finfo(np.float64).tiny / np.finfo(np.float64).eps)
_LEAST_FLOAT32 = float(np.finfo(np.float32).tiny / np.finfo(np.float32).eps)
_MOST = float(np.finfo(np.float64).max)
_SCALE = (
    "Scale the features first, for instance with sklearn_lloyd.preprocessing.ClusterScaler in a "
    "Pipeline."
)


def is_square(number):
    """Whether float64 has all digits of such a square, which is not zero; of numbers or arrays."""
    return (number >= _LEAST) & (number < np.inf)


def require_squares(rows):
    """Raise a ValueError unless the rows are finite, and their squares do not overflow.

    A pass over the rows of its own, for rows that are compared with centres alone.
    """
    if rows.dtype != np.float64:  # squares of float32 and of integers are in float64
        require_finite(rows)
    elif not get_config()["assume_finite"] and not _sum_of_squares(rows) < _MOST / 4.0:
        refuse_squares(rows)


def _sum_of_squares(rows):
    return native.norms_and_keys(rows.threads, rows.native, None, None, None, None, None)


def refuse_squares(rows, sample_weight=None):
    """Raise a ValueError that says why, if squared distances of the rows are not in float64.

    A pass over the rows of its own: called where what was computed from them is not finite, or
    next to nothing.
    """
    refuse_ends(*ends_of(rows, sample_weight), rows.shape)


def ends_of(rows, sample_weight=None):
    """The least and the largest value of each feature, of rows that have a weight.

    What is not finite is an error, even if scikit-learn is told to assume that there is no such
    thing: those who ask would take it for something else.

    Returns
    -------
    least, most : ndarray of shape (n_features,), float64
    """
    least, most = feature_ranges(rows, sample_weight)
    if not np.isfinite([least, most]).all():
        require_finite(rows, assumed=False)
    return least, most


def refuse_ends(least, most, shape, what="X"):
    """Raise a ValueError if float64 does not hold the squared distances of rows between these.

    Nor their sum over all rows, of an array of that shape.
    """
    largest = max(float(most.max()), -float(least.min()))
    if largest >= math.sqrt(_MOST / math.prod(shape)) / 2.0:
        raise ValueError(
            f"{what} has values up to {largest:.3g}: squared distances overflow float64. {_SCALE}"
        )
    difference = float((most - least).max())
    if difference > 0.0 and not is_square(difference * difference):
        raise ValueError(
            f"No two values of a feature of {what} differ by more than {difference:.3g}: squared "
            f"distances vanish in float64. {_SCALE}"
        )


def refuse_of_array(rows, what):
    """As `refuse_squares`, of a small array of finite numbers."""
    refuse_ends(rows.min(axis=0), rows.max(axis=0), rows.shape, what)


def require_held(out):
    """Raise a ValueError if numbers of finite float64 overflow float32, where they are to be."""
    if out.dtype == np.float32 and not np.isfinite(out).all():
        raise ValueError(f"The result overflows float32: give X in float64. {_SCALE}")


def require_not_vanished(squares, out):
    """Raise a ValueError if squares vanish in float32, where they are to be."""
    if out.dtype == np.float32 and 0.0 < squares.max() < _LEAST_FLOAT32:
        raise ValueError(f"Squared distances vanish in float32: give X in float64. {_SCALE}")
