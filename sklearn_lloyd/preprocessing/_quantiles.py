"""Quantiles of weighted values."""

from __future__ import annotations

import numpy as np


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

    Notes
    -----
    Lay the sorted values side by side, each as wide as its weight, over [0, W]. The quantile p is
    their mean from p (W - 1) to one more. Where all weights are whole numbers that is the
    interpolation between two neighbours.
    """
    if weights is None:
        return np.percentile(values, percents)
    values, weights = values[weights > 0.0], weights[weights > 0.0]
    order = np.argsort(values, kind="stable")
    values, ends = values[order], np.cumsum(weights[order])
    ends *= max(1.0, values.size / ends[-1])
    found = np.empty(len(percents))
    for i, percent in enumerate(percents):
        start = percent / 100.0 * max(0.0, ends[-1] - 1.0)
        first, last = np.searchsorted(ends, start, "right"), np.searchsorted(ends, start + 1.0)
        window = slice(first, last + 1)
        shares = np.diff(np.minimum(ends[window], start + 1.0), prepend=start)
        found[i] = shares @ values[window] / shares.sum()
    return found
