"""What fitted centres say of rows: nearest centre, distances, inertia."""

from __future__ import annotations

import math

import numpy as np

from sklearn_lloyd._core import core_array, native
from sklearn_lloyd._moments import shift_near
from sklearn_lloyd._solvers import label_rows
from sklearn_lloyd._squares import require_held, require_squares
from sklearn_lloyd._weights import in_weight_unit, scaled_weights


def shift_near_centers(centers):
    """A point near the centres, as `fit` has one near the data, or None; for dense rows."""
    exact = centers.astype(np.float64)
    mean = exact.sum(axis=0) / len(exact)
    deviations = exact - mean
    np.square(deviations, out=deviations)
    return shift_near(mean, math.sqrt(float(deviations.sum()) / exact.size))


def predict_labels(rows, centers):
    """Index of the nearest centre of each row, ndarray of int32 of shape (n_samples,)."""
    return _labels_and_inertia(rows, centers, None, False)[0]


def inertia_under(rows, centers, sample_weight):
    """Weighted sum of the squared distances to the nearest centre, float.

    A ValueError if it overflows only in the unit of the weights.
    """
    weights, unit = scaled_weights(sample_weight)
    inertia = _labels_and_inertia(rows, centers, weights, True)[1]
    return in_weight_unit(inertia, unit, "inertia")


def _labels_and_inertia(rows, centers, weights, want_inertia):
    shift = None if rows.is_sparse else shift_near_centers(centers)
    exact = core_array(centers, np.float64)
    labels, inertia, finite = label_rows(rows, exact, shift, weights=weights, inertia=want_inertia)
    if not finite:
        require_squares(rows)
    return labels, inertia


def distances_dtype(rows, centers):
    """float32 if both the rows and the centres are, else float64."""
    both = rows.dtype == centers.dtype == np.float32
    return np.dtype(np.float32 if both else np.float64)


def distances_to_centers(rows, centers, squared=False, part=slice(None)):
    """Distances of some rows, (n_rows, n_clusters), of `distances_dtype`; squares in float64."""
    start, stop, _ = part.indices(rows.shape[0])
    dtype = np.float64 if squared else distances_dtype(rows, centers)
    out = np.empty((stop - start, len(centers)), dtype)
    exact = core_array(centers, np.float64)
    native.distances(rows.threads, rows.native, start, stop, exact, squared, out)
    return out


def transformed(rows, centers):
    """Euclidean distances of all rows to the centres."""
    require_squares(rows)
    distances = distances_to_centers(rows, centers)
    require_held(distances)
    return distances
