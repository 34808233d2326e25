"""A lower bound on distances from few dimensions.

Let P be the projection of the rows on an orthonormal basis, and r the norm of what it leaves.
Then x.c <= Px.Pc + r(x) r(c) by Cauchy-Schwarz, so a row with its r appended stands for the
whole: products of such rows are upper bounds of the products, and scores from them lower bounds
of the scores. The better the basis catches the variance, the closer they come; principal axes
of a sample catch most. That the sample is a sample only makes the bound less close.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import qr
from sklearn import get_config

_SAMPLE = 512  # rows
_WIDTHS = (16, 32, 64)  # of a projected row, what is left of it included
_FEWEST = 32  # features
_MUCH_WORK = 1 << 18  # distances: to look for a projection costs about a tenth of so many
_WORTH_IT = 0.6  # of the work without
_EPS = float(np.finfo(np.float32).eps)


class Projection:
    """The projected rows, and how to project centres.

    Parameters
    ----------
    problem : Problem
    basis : ndarray of shape (n_features, width - 1), float32
        Orthonormal but for rounding.

    Attributes
    ----------
    rows : ndarray of shape (n_samples, width), float32
        The last column is the norm of what the others leave.
    """

    def __init__(self, problem, basis):
        n_features, n_axes = basis.shape
        self._basis = basis
        # A bound on the relative error of the products: of a projected row, which adds up
        # over the axes, and of the basis, which is orthonormal to its own precision only.
        self._error = 2.0 * np.sqrt(n_axes) * (n_features + 8) * _EPS
        self.rows = np.empty((problem.chunks.shape[0], n_axes + 1), np.float32)

        def project(index, scratch):
            rows = problem.chunks.rows(index)
            if problem.shift is not None:
                rows = np.subtract(rows, problem.shift, dtype=np.float64)
            self._project(rows, problem.sq_norms[index], self.rows[index])

        problem.chunks.map_reduce(project)

    def _project(self, offsets, sq_norms, out):
        inside = out[:, :-1]
        np.matmul(offsets.astype(np.float32, copy=False), self._basis, out=inside)
        rest = sq_norms * (1.0 + 4.0 * self._error) - np.einsum("ij,ij->i", inside, inside)
        out[:, -1] = np.sqrt(np.maximum(rest, 0.0))

    @property
    def n_terms(self):
        """The error of a projected number, in roundings."""
        return 2.0 * self._error / _EPS

    def project(self, offsets, sq_norms):
        """Centres less the shift, as the rows are."""
        projected = np.empty((len(offsets), self.rows.shape[1]), np.float32)
        self._project(offsets, sq_norms, projected)
        return projected


class _Axes(NamedTuple):
    """A sample of the rows, and what it tells of good projections.

    Attributes
    ----------
    sample : ndarray of shape (n_rows, n_features), float32
        Less the shift.
    axes : ndarray of shape (n_features, n_axes), float32
        The principal ones, as many as the widest projection takes.
    widths : list of int
        Of projected rows for which there is room.
    """

    sample: np.ndarray
    axes: np.ndarray
    widths: list


def working_memory():
    """Bytes that what is only there to save time may take: a setting of scikit-learn's."""
    return get_config()["working_memory"] * 2**20


def can_project(chunks, n_clusters, screen_dtype):
    """Whether a projection of rows of that shape may pay."""
    n_rows, n_features = chunks.shape
    many = n_rows >= _SAMPLE and n_rows * n_clusters >= _MUCH_WORK
    return many and n_features >= _FEWEST and screen_dtype == np.float32


def _axes_of(problem):
    """The axes of a problem, computed once for all its starts; None where they cannot pay.

    The memory of a projection is half of X at the most, and no more than scikit-learn's
    `working_memory`.
    """
    n_rows, n_features = problem.chunks.shape
    if not can_project(problem.chunks, problem.n_clusters, problem.screen_dtype):
        return None
    X = problem.chunks.X
    room = min(n_rows * n_features * X.itemsize / 2, working_memory())
    widths = [width for width in _WIDTHS if n_rows * width * 4 <= room and 2 * width <= n_features]
    if not widths:
        return None
    sample = problem.chunks.dense_rows(np.linspace(0, n_rows - 1, _SAMPLE).astype(np.intp))
    if problem.shift is not None:
        sample -= problem.shift
    sample = sample.astype(np.float32)
    return _Axes(sample, _principal_axes(sample, widths[-1] - 1), widths)


def make_projection(problem, cost):
    """The projection that saves most work, kept for all that the problem is used for.

    Parameters
    ----------
    problem : Problem
    cost : callable
        Called with a sample of rows less the shift, its squared norms and some principal axes:
        gives the work with bounds from a projection on those, as a share of that without.

    Returns
    -------
    projection : Projection or None
        None where none saves much. What was made for something else is made no second time.
    """
    shared = problem.shared
    if "axes" not in shared:
        shared["axes"] = _axes_of(problem)
    if shared["axes"] is None:
        return None
    sample, axes, widths = shared["axes"]
    norms = np.square(sample).sum(axis=1)
    made = shared.get("projection")
    if made is not None:
        widths = [made.rows.shape[1]]
    costs = [cost(sample, norms, axes[:, : width - 1]) for width in widths]
    best = int(np.argmin(costs))
    if costs[best] > _WORTH_IT:
        return None
    if made is None:
        basis = np.ascontiguousarray(axes[:, : widths[best] - 1])
        made = shared["projection"] = Projection(problem, basis)
    return made


def reduced(values, norms, axes):
    """The values in the dimensions of a projection."""
    inside = values @ axes
    rest = np.sqrt(np.maximum(norms - np.square(inside).sum(axis=1), 0.0))
    return np.column_stack([inside, rest])


def _principal_axes(sample, n_axes):
    """The first principal axes of the rows, nearly, by subspace iteration (Halko et al. 2011)."""
    largest = np.abs(sample).max()
    sample = sample / largest if largest > 0 else sample  # cubes of it are added up below
    axes = sample[:: len(sample) // n_axes][:n_axes].T
    for _ in range(2):
        axes = qr(sample.T @ (sample @ axes), mode="economic", check_finite=False)[0]
    inside = sample @ axes
    order = np.linalg.eigh(inside.T @ inside)[1][:, ::-1]
    axes = (axes @ order).astype(np.float64)
    # A bound depends on it that they are orthonormal. A step of Newton's doubles the digits.
    return (axes @ (1.5 * np.eye(n_axes) - 0.5 * axes.T @ axes)).astype(np.float32)
