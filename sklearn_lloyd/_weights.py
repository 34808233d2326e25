"""The unit of the weights: what is computed sees a power of two of it, near the largest."""

from __future__ import annotations

import math


def scaled_weights(weights):
    """Checked weights over a power of two, so that the largest is from 1 to 2, and that power.

    What is computed depends on ratios of weights alone. In this unit no sum or product of weights
    leaves the range of float64, whatever the unit of the user's weights, and no digit is lost.

    Returns
    -------
    scaled : ndarray of shape (n_samples,), float64, or None
        The array itself if the power is 1; None for None.
    unit : float
        What sums of the scaled weights are multiplied by to be sums of the weights.
    """
    if weights is None or not (most := weights.max(initial=0.0)):
        return weights, 1.0
    unit = math.ldexp(0.5, math.frexp(most)[1])
    return (weights if unit == 1.0 else weights / unit), unit


def in_weight_unit(value, unit, what):
    """A weighted sum in the unit of the user's weights, float.

    Raises
    ------
    ValueError
        If it overflows there.
    """
    # Floats of Python overflow without a word.
    total = float(value) * unit
    if math.isinf(total) and not math.isinf(value):
        raise ValueError(
            f"The {what} overflows float64 in the unit of sample_weight: divide the weights."
        )
    return total


def require_finite_total(counts):
    """Raise a ValueError if the weights of all batches so far, added up by cluster, overflow."""
    if not math.isfinite(sum(counts.tolist())):
        raise ValueError(
            "The sum of sample_weight over all batches so far overflows float64: divide the "
            "weights."
        )
