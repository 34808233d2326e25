"""Where the curve of the inertia bends, if it does."""

from __future__ import annotations

from numbers import Real

import numpy as np
from sklearn.utils import check_array, column_or_1d

from sklearn_lloyd._compat import Interval, StrOptions, validate_params


@validate_params(
    {
        "n_clusters": ["array-like"],
        "inertia": ["array-like"],
        "method": [StrOptions({"kneedle", "second-difference"})],
        "scale": [StrOptions({"log", "linear"})],
        "clarity": [Interval(Real, 0, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def find_elbow(n_clusters, inertia, *, method="kneedle", scale="log", clarity=3.0):
    """Find the elbow of an inertia curve, or say that there is none.

    Parameters
    ----------
    n_clusters : array-like of shape (n_numbers,)
        Numbers of clusters, increasing.
    inertia : array-like of shape (n_numbers,)
        Inertia for each.
    method : {'kneedle', 'second-difference'}, default='kneedle'
        - 'kneedle' [1]_: where the curve, both axes scaled to the range from 0 to 1, is farthest
          below the straight line between its ends. It depends on the range.
        - 'second-difference': where the slope changes most.

    scale : {'log', 'linear'}, default='log'
        Whether the logarithm of the inertia is looked at, or the inertia as it is. The
        first few clusters take most off it, whatever comes after; as shares of what is left,
        a step down shows wherever it is.
    clarity : float, default=3.0
        How many times as steep the curve must be before the elbow as after it, both axes
        logarithmic, where rows without structure make a straight line: spread evenly in d
        dimensions, they have an inertia proportional to ``n_clusters ** (-2 / d)``. 0 takes any
        bend for an elbow.

    Returns
    -------
    elbow : int or None
        One of `n_clusters`, neither the first nor the last; None: no clear elbow. The first
        number with inertia 0, if others come before and after it: it leaves nothing to explain,
        as where rows repeat and there are no more distinct ones than that. What comes after an
        inertia of 0 is not looked at.

    Raises
    ------
    ValueError
        If the arguments do not fit, or numbers do not increase.

    Notes
    -----
    Any decreasing curve has a point farthest from its chord, so that a rule without `clarity`
    always finds something.

    References
    ----------
    .. [1] Satopää, V., Albrecht, J., Irwin, D., Raghavan, B. "Finding a 'kneedle' in a haystack:
       detecting knee points in system behavior". ICDCS workshops 2011.

    Examples
    --------
    >>> from sklearn_lloyd.model_selection import find_elbow
    >>> find_elbow([1, 2, 3, 4, 5, 6], [100.0, 60.0, 30.0, 8.0, 7.0, 6.0])
    4
    >>> print(find_elbow([1, 2, 3, 4, 5, 6], [100.0, 50.0, 33.0, 25.0, 20.0, 17.0]))
    None
    """
    numbers = column_or_1d(check_array(n_clusters, ensure_2d=False, input_name="n_clusters"))
    values = column_or_1d(
        check_array(inertia, ensure_2d=False, dtype=np.float64, input_name="inertia")
    )
    if len(numbers) != len(values):
        raise ValueError(
            f"n_clusters has {len(numbers)} entries, and inertia {len(values)}: one for each "
            "number of clusters is needed."
        )
    if (numbers[:1] <= 0).any() or (np.diff(numbers) <= 0).any() or (values < 0).any():
        raise ValueError(
            "n_clusters must be positive and increase, and inertia must not be negative."
        )
    place = elbow_place(numbers.astype(np.float64), values, method, scale, clarity)
    return None if place is None else int(numbers[place])


def elbow_place(numbers, inertia, method="kneedle", scale="log", clarity=3.0):
    """The position of the elbow, or None."""
    n_positive = int(np.argmin(inertia > 0.0)) if (inertia == 0.0).any() else len(inertia)
    if 0 < n_positive < len(inertia) - 1:
        return n_positive
    numbers, inertia = numbers[:n_positive], inertia[:n_positive]
    if len(numbers) < 3 or inertia[0] <= inertia[-1]:
        return None
    logs = np.log(inertia)
    place = 1 + int(np.argmax(_BENDS[method](numbers, logs if scale == "log" else inertia)))
    before, after = (-np.diff(logs) / np.diff(np.log(numbers)))[place - 1 : place + 1]
    return place if before > 0.0 and before >= clarity * after else None


def _below_chord(numbers, curve):
    x = (numbers - numbers[0]) / (numbers[-1] - numbers[0])
    y = (curve - curve[-1]) / (curve[0] - curve[-1])
    return (1.0 - x - y)[1:-1]


def _slope_changes(numbers, curve):
    return np.diff(np.diff(curve) / np.diff(numbers))


# What is largest at the elbow, for each number but the first and the last.
_BENDS = {"kneedle": _below_chord, "second-difference": _slope_changes}
