"""From validated rows to a stated problem: one pass for the moments, one for the norms."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._canonical import CanonicalRows
from sklearn_lloyd._chunks import Chunks
from sklearn_lloyd._codes import can_encode, working_memory
from sklearn_lloyd._kernels import array_of, norms_and_keys
from sklearn_lloyd._moments import OFF_CENTER, mean_variance, shift_near
from sklearn_lloyd._squares import is_square, refuse_squares
from sklearn_lloyd._types import Problem
from sklearn_lloyd._weights import in_weight_unit, scaled_weights

# Spreads outside of which float32 products could overflow or vanish.
_FLOAT32_RANGE = (1e-14, 1e14)


def make_problem(chunks, n_clusters, sample_weight, to_cluster=True):
    """Measure the rows and state the problem: one pass for the moments, one for the norms.

    Rows that are not going to be clustered, but only drawn from, are not kept in float32.

    Raises
    ------
    ValueError
        If X is not finite, or squared distances overflow; if the inertia, which is no more than
        the sum of squared distances from the mean, might overflow in the unit of the weights.
    """
    sample_weight, weight_unit = scaled_weights(sample_weight)
    dtype = chunks.dtype if chunks.dtype == np.float32 else np.dtype(np.float64)
    with chunks.open():
        mean, variances = mean_variance(chunks, sample_weight)
        variance = float(variances.mean())
        if not is_square(variance) or not np.isfinite(np.square(mean)).all():
            refuse_squares(chunks, sample_weight)
        if weight_unit > 1.0:
            most = float(variances.sum()) * float(sample_weight.sum())
            in_weight_unit(most, weight_unit, "inertia")
        shift = None if chunks.is_sparse else shift_near(mean, np.sqrt(variance))
        spread = np.sqrt(variance) + (np.abs(mean).max() if shift is None else 0.0)
        narrow = _FLOAT32_RANGE[0] < spread < _FLOAT32_RANGE[1]
        screen_dtype = np.dtype(np.float32 if narrow else np.float64)
        rounded = _room_for_rounded(chunks, n_clusters, screen_dtype) if to_cluster else None
        sq_norms, keys, sum_of_squares = _norms_and_keys(
            chunks, sample_weight, shift, mean, variances, screen_dtype, rounded
        )
        if not np.isfinite(sum_of_squares):  # rows that count nothing
            refuse_squares(chunks)
    return Problem(
        chunks=chunks,
        n_clusters=n_clusters,
        sample_weight=sample_weight,
        weight_unit=weight_unit,
        dtype=dtype,
        shift=shift,
        sq_norms=sq_norms,
        canonical=CanonicalRows(keys, chunks.compiled_dense),
        variance=variance,
        sum_of_squares=sum_of_squares,
        screen_dtype=screen_dtype,
        rounded=rounded,
    )


def _room_for_rounded(chunks, n_clusters, screen_dtype):
    """Memory for the rows in float32, or None.

    Compiled screens read float64 rows again and again, and in half of the time if they are half
    as large. Codes, where they may pay, do more. Those of NumPy would convert them each time;
    they multiply fastest what lies feature by feature.
    """
    if chunks.is_sparse or chunks.X.dtype != np.float64 or screen_dtype != np.float32:
        return None
    encoded = chunks.compiled is not None and can_encode(chunks, n_clusters, screen_dtype)
    if encoded or 4 * chunks.shape[0] * chunks.shape[1] > working_memory():
        return None
    return np.empty(chunks.shape, np.float32, order="F" if chunks.compiled is None else "C")


def problem_of_rows(problem, rows, sample_weight=None):
    """State the problem of some of the rows, which are copied, with weights of their own."""
    chunks = problem.chunks
    some = Chunks(chunks.rows(rows), problem.n_clusters, chunks.n_threads, chunks.backend)
    return make_problem(some, problem.n_clusters, sample_weight)


def _norms_and_keys(chunks, sample_weight, shift, mean, variances, dtype, rounded):
    n_samples, n_features = chunks.shape
    sq_norms = np.empty(n_samples, dtype)
    keys = np.empty(n_samples)
    # Sines of whole numbers, of which no combination with whole coefficients vanishes, so
    # that whole rows that differ have keys that differ. Features count alike, by powers of
    # two, so that the last digit of a variance does not show; one that is all but constant
    # by its distance from the shift, so that what rounding makes of it drowns nothing.
    direction = 1.5 + 0.5 * np.sin(np.arange(1.0, n_features + 1) ** 2)
    scale = np.sqrt(variances)
    distance = np.abs(mean if shift is None else mean - shift)
    scale = np.where(scale > 2.0**-10 * distance, scale, distance)
    scale[scale == 0.0] = 1.0
    direction /= 2.0 ** np.round(np.log2(scale) + OFF_CENTER)
    sum_of_squares = 0.0
    out = np.empty((0, 0), np.float32) if rounded is None else rounded

    def kernel(rows, scratch):
        if chunks.compiled_dense is not None:
            weights = array_of(sample_weight)
            arrays = array_of(shift), direction, weights, sq_norms, keys, out
            return chunks.compiled_dense.norms_and_keys(chunks.X, rows.start, rows.stop, *arrays)
        into = None if rounded is None else rounded[rows]
        norms, keys[rows] = norms_and_keys(chunks.rows(rows), shift, direction, into)
        sq_norms[rows] = norms
        return norms.sum() if sample_weight is None else norms @ sample_weight[rows]

    def add(part):
        nonlocal sum_of_squares
        sum_of_squares += float(part)

    chunks.map_reduce(kernel, add)
    if rounded is not None:
        rounded.flags.writeable = False  # like X, so that compiled code is the same for both
    return sq_norms, keys, sum_of_squares
