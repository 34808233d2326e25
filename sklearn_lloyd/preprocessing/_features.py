"""What centroids say of rows, as features: each output a function that fills in its columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from sklearn_lloyd._predict import distances_to_centers, predict_labels
from sklearn_lloyd._squares import require_held, require_not_vanished, require_squares


@dataclass(frozen=True)
class Centroids:
    """The centres, and the scales of their features.

    Parameters
    ----------
    centers : ndarray of shape (n_clusters, n_features)
    gamma : float
        Of similarities: one over a squared distance.
    temperature : float
        Of soft memberships: a squared distance.
    """

    centers: np.ndarray
    gamma: float
    temperature: float


# Of squared distances in float64, which the functions may overwrite. Exponentials are taken in the
# dtype of the result, since those in float32 take half of the time.


def _distance(squares, centroids, out):
    np.sqrt(squares, out=out, casting="same_kind")


def _squared_distance(squares, centroids, out):
    np.copyto(out, squares, casting="same_kind")
    require_not_vanished(squares, out)


def _similarity(squares, centroids, out):
    np.multiply(squares, -centroids.gamma, out=out, casting="same_kind")
    np.exp(out, out=out)


def _soft(squares, centroids, out):
    least = squares.min(axis=1, keepdims=True)
    squares -= least  # so that the largest exponential is one
    squares /= -centroids.temperature
    weights = squares.astype(out.dtype, copy=False)
    np.exp(weights, out=weights)
    np.divide(weights, weights.sum(axis=1, keepdims=True), out=out)


def _triangle(squares, centroids, out):
    distances = np.sqrt(squares, out=squares)
    mean = distances.mean(axis=1, keepdims=True)
    np.maximum(np.subtract(mean, distances, out=distances), 0.0, out=out, casting="same_kind")


# Of rows and their labels.


def _one_hot(rows, labels, centroids, out):
    out[:] = 0.0
    out[np.arange(labels.size), labels] = 1.0


def _label(rows, labels, centroids, out):
    out[:, 0] = labels


def _residual(rows, labels, centroids, out):
    out[:] = centroids.centers.take(labels, axis=0)
    np.subtract(rows, out, out=out)


OF_DISTANCES = {
    "distance": _distance,
    "squared-distance": _squared_distance,
    "similarity": _similarity,
    "soft": _soft,
    "triangle": _triangle,
}
OF_LABELS = {"one-hot": _one_hot, "label": _label, "residual": _residual}
OUTPUTS = {**OF_DISTANCES, **OF_LABELS}


def names_of(output, n_clusters, names):
    """Names of the columns of an output, given those of the features."""
    if output == "label":
        return ["cluster_label"]
    if output == "residual":
        return [f"residual_{name}" for name in names]
    return [f"cluster{j}_{output.replace('-', '_')}" for j in range(n_clusters)]


@np.errstate(over="ignore", invalid="ignore")  # what overflows is refused in words
def fill_features(rows, centroids, columns, out):
    """Fill in the columns of each output, a few rows at a time.

    Parameters
    ----------
    rows : Rows
    centroids : Centroids
    columns : dict of str to slice
        The place of each output in `out`.
    out : ndarray of shape (n_samples, n_columns)
    """
    of_distances = [name for name in columns if name in OF_DISTANCES]
    of_labels = [name for name in columns if name in OF_LABELS]
    if of_distances:
        require_squares(rows)
    if of_labels:
        labels = predict_labels(rows, centroids.centers)
    for part in rows.slices(len(centroids.centers)):
        if of_distances:
            squares = distances_to_centers(rows, centroids.centers, squared=True, part=part)
        for name in of_distances:
            own = squares if name == of_distances[-1] else squares.copy()
            _fill(name, out[part, columns[name]], own, centroids)
        for name in of_labels:
            given = rows.take(part), labels[part], centroids
            _fill(name, out[part, columns[name]], *given)


def _fill(name, out, *given):
    OUTPUTS[name](*given, out)
    require_held(out)


def sparse_one_hot(rows, centers, dtype):
    """Membership as a CSR matrix of shape (n_samples, n_clusters): a one for each row."""
    labels = predict_labels(rows, centers)
    places = np.arange(labels.size + 1, dtype=np.int32 if labels.size < 2**31 else np.int64)
    shape = labels.size, len(centers)
    return sparse.csr_matrix((np.ones(labels.size, dtype), labels, places), shape=shape)
