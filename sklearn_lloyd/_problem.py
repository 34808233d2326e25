"""From validated rows to a stated problem: one pass for the moments, one for the norms."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._canonical import CanonicalRows
from sklearn_lloyd._core import native
from sklearn_lloyd._moments import mean_variance, power_of_two, shift_near
from sklearn_lloyd._squares import is_square, refuse_squares
from sklearn_lloyd._types import Problem
from sklearn_lloyd._weights import in_weight_unit, scaled_weights

# Spreads outside of which squared norms in float32 could overflow or vanish.
_FLOAT32_RANGE = (1e-14, 1e14)


def make_problem(rows, n_clusters, sample_weight):
    """Measure the rows and state the problem.

    Raises
    ------
    ValueError
        If X is not finite, or squared distances overflow; if the inertia, which is no more than
        the sum of squared distances from the mean, might overflow in the unit of the weights.
    """
    sample_weight, weight_unit = scaled_weights(sample_weight)
    mean, variances = mean_variance(rows, sample_weight)
    variance = float(variances.mean())
    with np.errstate(over="ignore", invalid="ignore"):
        finite = np.isfinite(np.square(mean)).all()
    if not is_square(variance) or not finite:
        refuse_squares(rows, sample_weight)
    if weight_unit > 1.0:
        most = float(variances.sum()) * float(sample_weight.sum())
        in_weight_unit(most, weight_unit, "inertia")
    shift = None if rows.is_sparse else shift_near(mean, np.sqrt(variance))
    spread = np.sqrt(variance) + (np.abs(mean).max() if shift is None else 0.0)
    narrow = _FLOAT32_RANGE[0] < spread < _FLOAT32_RANGE[1]
    sq_norms = None
    if not rows.is_sparse:
        sq_norms = np.empty(rows.shape[0], np.float32 if narrow else np.float64)
    keys = np.empty(rows.shape[0])
    direction = _direction(mean if shift is None else mean - shift, np.sqrt(variances))
    sum_of_squares = native.norms_and_keys(
        rows.threads, rows.native, sample_weight, shift, direction, sq_norms, keys
    )
    if not np.isfinite(sum_of_squares):  # rows that count nothing
        refuse_squares(rows)
    return Problem(
        rows=rows,
        n_clusters=n_clusters,
        sample_weight=sample_weight,
        dtype=rows.dtype if rows.dtype == np.float32 else np.dtype(np.float64),
        shift=shift,
        sq_norms=sq_norms,
        canonical=CanonicalRows(keys),
        variance=variance,
        sum_of_squares=sum_of_squares,
        weight_unit=weight_unit,
    )


def problem_of_rows(problem, index, sample_weight=None):
    """State the problem of some of the rows, which are copied, with weights of their own."""
    return make_problem(problem.rows.part(index), problem.n_clusters, sample_weight)


def _direction(mean, scale):
    """What rows are projected on for their keys: rows that differ have keys that differ.

    Numbers from 1 to 2 that look random, by which no whole combination of features vanishes.
    Features count alike, by powers of two, so that the last digit of a variance does not show; one
    that is all but constant by its distance from the shift, so that what rounding makes of it
    drowns nothing. No function whose last digit depends on the processor is used.
    """
    distance = np.abs(mean)
    scale = np.where(scale > 2.0**-10 * distance, scale, distance)
    scale[scale == 0.0] = 1.0
    bits = np.arange(1, mean.size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    bits ^= bits >> np.uint64(31)
    fraction = (bits >> np.uint64(12)).astype(np.float64) * 2.0**-52
    return (1.0 + fraction) / power_of_two(scale)
