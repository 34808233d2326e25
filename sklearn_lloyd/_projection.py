"""A lower bound on distances from few dimensions.

Let P be the projection of the rows on an orthonormal basis, and r the norm of what it leaves.
Then x.c <= Px.Pc + r(x) r(c) by Cauchy-Schwarz, so a row with its r appended stands for the
whole: products of such rows are upper bounds of the products, and scores from them lower bounds
of the scores. The better the basis catches the variance, the closer they come; principal axes
of a sample catch most. That the sample is a sample only makes the bound less close.
"""

from __future__ import annotations

import numpy as np
from sklearn import get_config

from sklearn_lloyd._kernels import Screen

_SAMPLE = 1024  # rows
_WIDTHS = (16, 32, 64, 128)  # of a projected row, what is left of it included
_FEWEST = 32  # features
_MUCH_WORK = 1 << 21  # distances: to look for a projection costs about a tenth of so many
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

    def screen(self, table):
        """The screen of the projected centres: its scores are lower bounds."""
        projected = np.empty((len(table), self.rows.shape[1]), np.float32)
        self._project(table.offsets, table.sq_norms, projected)
        n_terms = 2.0 * self._error / _EPS
        return Screen(projected, table.sq_norms, table.repeated, n_terms, np.dtype(np.float32))


def make_projection(problem, n_trials):
    """A projection that saves seeding work, or None.

    The memory is half of X at the most, and no more than scikit-learn's `working_memory`.
    """
    n_rows, n_features = problem.chunks.shape
    little = n_features < _FEWEST or n_rows * problem.n_clusters < _MUCH_WORK
    if little or n_rows < _SAMPLE or problem.screen_dtype != np.float32:
        return None
    X = problem.chunks.X
    room = min(n_rows * n_features * X.itemsize / 2, get_config()["working_memory"] * 2**20)
    widths = [width for width in _WIDTHS if n_rows * width * 4 <= room and 2 * width <= n_features]
    if not widths:
        return None
    sample = problem.chunks.dense_rows(np.linspace(0, n_rows - 1, _SAMPLE).astype(np.intp))
    if problem.shift is not None:
        sample -= problem.shift
    axes = _principal_axes(sample.astype(np.float32), widths[-1] - 1)
    costs = [
        width / n_features
        + _share_left(sample, axes[:, : width - 1], problem.n_clusters, n_trials)
        for width in widths
    ]
    best = int(np.argmin(costs))
    if costs[best] > _WORTH_IT:
        return None
    return Projection(problem, np.ascontiguousarray(axes[:, : widths[best] - 1]))


def _principal_axes(sample, n_axes):
    """The first principal axes of the rows, nearly, by subspace iteration (Halko et al. 2011)."""
    largest = np.abs(sample).max()
    sample = sample / largest if largest > 0 else sample  # cubes of it are added up below
    axes = sample[:: len(sample) // n_axes][:n_axes].T
    for _ in range(3):
        axes = np.linalg.qr(sample.T @ (sample @ axes))[0]
    inside = sample @ axes
    order = np.linalg.eigh(inside.T @ inside)[1][:, ::-1]
    # Orthonormal in float64 first: a bound depends on it.
    return np.linalg.qr((axes @ order).astype(np.float64))[0].astype(np.float32)


def _share_left(sample, axes, n_clusters, n_trials):
    """Which share of rows the bound would leave, half way through a seeding."""
    n_centers = min(n_clusters // 2 + 1, len(sample) // 4)
    inside = sample @ axes
    rest = np.sqrt(np.maximum(np.square(sample).sum(axis=1) - np.square(inside).sum(axis=1), 0.0))
    reduced = np.column_stack([inside, rest])
    norms = np.square(sample).sum(axis=1)
    centers, trials, rows = np.split(np.arange(len(sample)), [n_centers, n_centers + n_trials])

    def distances(values, a, b):
        return norms[a][:, np.newaxis] + norms[b] - 2.0 * values[a] @ values[b].T

    closest = distances(sample, rows, centers).min(axis=1)
    return float((distances(reduced, rows, trials).min(axis=1) < closest).mean())
