"""Lower bounds on distances from few whole numbers.

Rows and centres are kept in whole numbers of 16 bits (`_kernels/_numba/_code_tables`), which are
half as many bytes as float32, and of which the processor multiplies twice as many at a time.
Scores from them are lower bounds, and near to the scores.

Where a few axes catch most of the variance, a projection on those is kept instead. Let P be the
projection of the rows on an orthonormal basis, and r the norm of what it leaves. Then x.c <=
Px.Pc + r(x) r(c) by Cauchy-Schwarz, so a row with its r appended stands for the whole: scores
from such rows are lower bounds, too. The better the basis catches the variance, the closer they
come; principal axes of a sample catch most. That the sample is a sample only makes the bound
less close.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.linalg import qr
from sklearn import get_config

from sklearn_lloyd._chunks import even_slices
from sklearn_lloyd._kernels import array_of

_SAMPLE = 512  # rows
_WIDTHS = (16, 32)  # of a projected row, what is left of it included
FEWEST_FEATURES = 32  # with fewer, what a comparison takes besides the products counts for more
_MUCH_WORK = 1 << 18  # distances: so many take longer than to encode the rows
_WORTH_IT = 0.75  # of the work without
_BLOCK = 1 << 17  # values, at least
_EPS = float(np.finfo(np.float32).eps)
# As the kernels take it that there are no codes.
NO_CODES = (
    np.empty((0, 0, 0), np.int32),
    np.empty((0, 0), np.int32),
    *2 * [np.empty(0, np.float32)],
    *4 * [np.float32(0)],
)


# As `iterate` takes it that there is no projection.
NO_BASIS = np.empty((0, 0), np.float32), 0.0, np.empty((0, 0))


class _Basis:
    """A few axes, and how to project rows and centres on them.

    Parameters
    ----------
    axes : ndarray of shape (width - 1, n_features), float32
        Orthonormal but for rounding.
    """

    def __init__(self, axes):
        self.axes = np.ascontiguousarray(axes)
        n_axes, n_features = axes.shape
        self.width = n_axes + 1
        # A bound on the relative error of the products: of a projected row, which adds up
        # over the axes, and of the basis, which is orthonormal to its own precision only.
        self.error = 2.0 * np.sqrt(n_axes) * (n_features + 8) * _EPS

    def project(self, offsets, sq_norms):
        """Rows less the shift; the last column is the norm of what is left."""
        projected = np.empty((len(offsets), self.width), np.float32)
        inside = projected[:, :-1]
        np.matmul(offsets.astype(np.float32, copy=False), self.axes.T, out=inside)
        rest = sq_norms * (1.0 + 4.0 * self.error) - np.einsum("ij,ij->i", inside, inside)
        projected[:, -1] = np.sqrt(np.maximum(rest, 0.0))
        return projected


class Codes:
    """The rows in whole numbers, projected or not, and tables of centres to go with them.

    Parameters
    ----------
    problem : Problem
    basis : _Basis or None
        None: all features.

    Attributes
    ----------
    width : int
        Numbers of a row.
    panels : ndarray of int32 of shape (n_panels, n_pairs, LANES)
        As `encode_rows` fills them.
    """

    def __init__(self, problem, basis):
        chunks, shift = problem.chunks, array_of(problem.shift)
        kernels = self._kernels = chunks.compiled
        (n_rows, n_features), lanes = chunks.shape, kernels.LANES
        self._basis, self.width = basis, n_features if basis is None else basis.width
        floor = np.float32(kernels.FLOOR * problem.variance * n_features)
        # Projected rows may be a little longer than they were.
        scale = kernels.scale_for(n_features, 4.0 * basis.error if basis else 0.0)
        codes = np.empty((-(-n_rows // lanes), -(-self.width // 2), lanes), np.int32)
        self.panels, self._scaling = codes, (floor, scale)

        def encode(panels, scratch):
            rows = slice(panels.start * lanes, min(panels.stop * lanes, n_rows))
            norms, out = problem.sq_norms[rows], codes[panels]
            if basis is None:
                of_rows = chunks.X, rows.start, rows.stop, shift
            else:
                offsets = chunks.rows(rows)
                if shift.size:
                    offsets = np.subtract(offsets, shift, dtype=np.float64)
                of_rows = basis.project(offsets, norms), 0, len(norms), np.empty(0)
            kernels.encode_rows(*of_rows, norms, floor, scale, out)

        wanted = max(1, _BLOCK // (n_features * lanes))
        chunks.map_reduce(encode, blocks=even_slices(len(codes), wanted))

    @property
    def is_whole(self):
        """Whether they are of all features."""
        return self._basis is None

    def tables(self, n_centers):
        """What makes tables of so many centres."""
        error = 2.2 * self._basis.error if self._basis else 0.0
        return self._kernels.CodeTables(n_centers, self.width, *self._scaling, error)

    def table(self, tables, offsets, sq_norms, never=None):
        """The table of centres, given less the shift."""
        if self._basis is not None:
            projected = np.empty((len(offsets), self.width))
            self._kernels.project(
                offsets, sq_norms, self._basis.axes, self._basis.error, projected
            )
            offsets = projected
        return tables.table(offsets, sq_norms, never)

    def coding(self, tables):
        """The codes, a `CodeTable` and what it is filled by, as compiled code takes them."""
        return self.panels, tables.memory, tables.roundings

    def projection(self, n_centers):
        """Axes, error and memory to project so many centres, as compiled code takes them."""
        if self._basis is None:
            return NO_BASIS
        return self._basis.axes, self._basis.error, np.empty((n_centers, self.width))


def no_coding(kernels):
    """No codes, a `CodeTable` of nothing and what it is filled by, as compiled code takes them."""
    tables = kernels.CodeTables(0, 0, np.float32(1), np.float32(1), 0.0)
    return NO_CODES[0], tables.memory, tables.roundings


class _Sample(NamedTuple):
    """A sample of the rows, and what it tells of good projections.

    Attributes
    ----------
    rows : ndarray of shape (n_rows, n_features), float32
        Less the shift.
    sq_norms : ndarray of shape (n_rows,), float32
    axes : ndarray of shape (n_features, n_axes), float32
        The principal ones, as many as the widest projection takes.
    widths : list of int
        Of projected rows that are not too wide.
    """

    rows: np.ndarray
    sq_norms: np.ndarray
    axes: np.ndarray
    widths: list


def working_memory():
    """Bytes that what is only there to save time may take: a setting of scikit-learn's."""
    return get_config()["working_memory"] * 2**20


def can_encode(chunks, n_clusters, screen_dtype):
    """Whether codes of rows of that shape may pay; only then can they be made.

    Their memory is half of X at the most, and no more than scikit-learn's `working_memory`.
    """
    n_rows, n_features = chunks.shape
    many = n_rows >= _SAMPLE and n_rows * n_clusters >= _MUCH_WORK
    fits = 2 * n_rows * n_features <= working_memory()
    return many and fits and n_features >= FEWEST_FEATURES and screen_dtype == np.float32


def _sample_of(problem):
    """A sample of the rows of a problem."""
    n_rows, n_features = problem.chunks.shape
    rows = problem.chunks.dense_rows(np.linspace(0, n_rows - 1, _SAMPLE).astype(np.intp))
    if problem.shift is not None:
        rows -= problem.shift
    rows = rows.astype(np.float32)
    widths = [width for width in _WIDTHS if 2 * width <= n_features]
    axes = _principal_axes(rows, max(widths) - 1)
    return _Sample(rows, np.square(rows).sum(axis=1), axes, widths)


def codes_of(problem, width=None, axes=None):
    """The codes of that width, all features by default; those of another are forgotten."""
    width = width or problem.chunks.shape[1]
    codes = problem.shared.get("codes")
    if codes is None or codes.width != width:
        problem.shared["codes"] = None  # before there is memory for others
        basis = None if axes is None else _Basis(axes.T)
        codes = problem.shared["codes"] = Codes(problem, basis)
    return codes


def best_codes(problem, cost):
    """The codes that save most work, by a sample of the rows.

    Parameters
    ----------
    problem : Problem
    cost : callable
        Called with a sample of rows less the shift, its squared norms and some principal axes, or
        None: gives the work with bounds from a projection on those, or from all features, as a
        share of that without.

    Returns
    -------
    codes : Codes or None
        None where none save much.
    """
    shared = problem.shared
    if "sample" not in shared:
        shared["sample"] = _sample_of(problem)
    rows, sq_norms, axes, widths = shared["sample"]
    choices = [(width, axes[:, : width - 1]) for width in widths] + [(None, None)]
    costs = [cost(rows, sq_norms, some_axes) for _, some_axes in choices]
    best = int(np.argmin(costs))
    return None if costs[best] > _WORTH_IT else codes_of(problem, *choices[best])


def distances(a, a_norms, b, b_norms):
    """Squared distances between rows or centres of a sample."""
    return a_norms[:, np.newaxis] + b_norms - 2.0 * a @ b.T


def distances_below(a, a_norms, b, b_norms, axes):
    """Lower bounds on the same, as codes have them."""
    if axes is not None:
        a, b = (_reduced(values, norms, axes) for values, norms in ((a, a_norms), (b, b_norms)))
    rounding = np.sqrt(a.shape[1]) / 2.0**15 * (a_norms[:, np.newaxis] + b_norms)
    return distances(a, a_norms, b, b_norms) - rounding


def _reduced(values, norms, axes):
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
