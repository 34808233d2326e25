"""Quantiles of weighted values."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._weights import scaled_weights

_NARROWEST = 2.0**-26


def quantiles(values, percents, weights=None):
    """Quantiles by linear interpolation, as :func:`numpy.percentile` gives them.

    Parameters
    ----------
    values : ndarray of shape (n,)
    percents : sequence of float
    weights : ndarray of shape (n,), or None
        A weight counts as so many equal values. If those that are positive have a mean below
        one, as weights that sum to one do, they are scaled to the mean one. So their unit
        shows in where a quantile is between two values.

    Returns
    -------
    found : ndarray of shape (n_percents,), float64

    Notes
    -----
    Lay the sorted values side by side, each as wide as its weight, over [0, W]. The quantile p is
    their mean from p (W - 1) to one more. Where all weights are whole numbers that is the
    interpolation between two neighbours. Beyond a W of 2**26 the window is W / 2**26 wide, lest
    rounding decide on which side of the border between two values it is.
    """
    if weights is None:
        return np.percentile(values, percents)
    weights, unit = scaled_weights(weights)
    values, weights = values[weights > 0.0], weights[weights > 0.0]
    order = np.argsort(values, kind="stable")
    values, ends = values[order], np.cumsum(weights[order])
    total = ends[-1]
    width = min(total / values.size, max(1.0 / unit, _NARROWEST * total))
    found = np.empty(len(percents))
    for i, percent in enumerate(percents):
        start = percent / 100.0 * (total - width)
        first = np.searchsorted(ends, start, "right")
        last = np.searchsorted(ends, start + width)
        window = slice(first, last + 1)
        shares = np.diff(np.minimum(ends[window], start + width), prepend=start)
        # Relative to one of them: equal values are their own mean, to the last digit.
        found[i] = values[first] + shares @ (values[window] - values[first]) / shares.sum()
    return found
