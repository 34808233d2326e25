"""Quantiles of weighted values."""

from __future__ import annotations

import numpy as np

_ROUNDING = 1e-10  # of the whole weight: less is a rounding error of its sums


def quantiles(values, percents, weights=None):
    """Quantiles by linear interpolation, as :func:`numpy.percentile` gives them.

    Parameters
    ----------
    values : ndarray of shape (n,)
    percents : sequence of float
    weights : ndarray of shape (n,), or None
        A weight counts as so many equal values. If those that are positive have a mean below
        one, as weights that sum to one do, they are scaled to the mean one.

    Returns
    -------
    found : ndarray of shape (n_percents,), float64
    """
    if weights is None:
        return np.percentile(values, percents)
    values, weights = values[weights > 0.0], weights[weights > 0.0]
    order = np.argsort(values, kind="stable")
    values, upto = values[order], np.cumsum(weights[order])
    upto *= max(1.0, values.size / upto[-1])
    # Of as many sorted values as the weights count, number t is the first with a sum above t.
    place = np.asarray(percents) / 100.0 * max(upto[-1] - 1.0, 0.0)
    below = np.floor(place + _ROUNDING)
    above = np.minimum(below + 1.0, max(upto[-1] - 1.0, 0.0))

    def value_at(t):
        found = np.searchsorted(upto, t + _ROUNDING * upto[-1], side="right")
        return values[np.minimum(found, values.size - 1)]

    low, high = value_at(below), value_at(above)
    return low + np.clip(place - below, 0.0, 1.0) * (high - low)
