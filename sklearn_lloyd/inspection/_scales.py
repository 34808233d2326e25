"""How the values of a feature are drawn along an axis."""

from __future__ import annotations

import numpy as np

_MOST_BINS = 30  # of a distribution
_FEW_VALUES = 30  # of whole numbers, up to which rows that share a place are drawn beside it
_SPREAD = 0.35  # how far beside: two neighbours stay apart
# Positive numbers have a logarithmic axis if they are as skewed as an exponential distribution,
# and their logarithms less than half as much.
_SKEWED = 2.0


class Scale:
    """How the values of a feature are drawn: along a line or its logarithm, and on which part."""

    def __init__(self, values):
        values = values[np.isfinite(values)]
        low, high = (values.min(), values.max()) if values.size else (0.0, 1.0)
        self.name = "log" if _is_better_as_logarithm(values) else "linear"
        n_bins = int(np.clip(np.sqrt(values.size), 8, _MOST_BINS))
        found = np.unique(values)
        is_whole = 0 < found.size <= _FEW_VALUES and (found == np.round(found)).all()
        # What is a part of the step between whole numbers.
        self.step = 1.0 if is_whole and self.name == "linear" and found.size > 1 else 0.0
        if self.name == "log":
            margin = high**0.05 / low**0.05
            self.limits = low / margin, high * margin
            self.edges = np.geomspace(low, high, n_bins + 1)
            return
        if self.step and high - low <= 2 * _MOST_BINS:
            self.edges = np.arange(low, high + 2) - 0.5
        else:
            self.edges = np.linspace(low, high if high > low else low + 1.0, n_bins + 1)
        margin = 0.05 * (high - low or 1.0)
        self.limits = min(low - margin, self.edges[0]), max(high + margin, self.edges[-1])

    def beside(self, values, seed):
        """Values, moved a little where many rows share them; the same at each call."""
        moved = np.random.default_rng(seed).uniform(-_SPREAD, _SPREAD, values.size)
        return values + self.step * moved


def _is_better_as_logarithm(values):
    if values.size < 3 or values.min() <= 0.0 or values.min() == values.max():
        return False
    skewness = _skewness(values / values.max())
    return skewness > _SKEWED and abs(_skewness(np.log(values))) < skewness / 2.0


def _skewness(values):
    standard = (values - values.mean()) / (values.std() or 1.0)
    return (standard**3).mean()
