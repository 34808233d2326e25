"""Principal axes, and points with the same distances in fewer dimensions.

What rounding, or the order of the rows, would decide about axes is decided by a rule. No matrix is
larger than the rows, or than the smaller of their two numbers squared.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, eigsh

from sklearn_lloyd._moments import centered, is_constant

# Of the largest variance. Products of rows are exact to about 1e-14 of it.
_FLAT = 1e-12  # axes of less variance are rounding
_EQUAL = 1e-8  # variances closer to each other count as equal; else axes are exact to 1e-6
_TIED = 1e-4  # relative: lengths closer to each other count as equal
# From so many rows and features on, a few axes are found sooner by Lanczos iterations.
_MANY = 400
_BESIDE = 10  # axes that are looked for beside those wanted, in case that variances are equal


class PrincipalAxes(NamedTuple):
    """The axes along which rows vary most.

    Attributes
    ----------
    mean : ndarray of shape (n_features,), float64
    variances : ndarray of shape (n_axes,), float64
        Along the axes, descending.
    axes : ndarray of shape (n_axes, n_features), float64
        One a row, of unit length.
    total : float
        The variance along all axes, wanted or not.
    """

    mean: np.ndarray
    variances: np.ndarray
    axes: np.ndarray
    total: float

    def project(self, rows):
        """Where rows (dense or sparse) lie along the axes, (n_rows, n_axes)."""
        if sparse.issparse(rows):
            return rows @ self.axes.T - self.mean @ self.axes.T
        return (rows - self.mean) @ self.axes.T


def principal_axes(rows, weights=None, n_axes=None):
    """Find principal axes that depend on the rows as a set, not on their order or on rounding.

    The sign of an axis is a matter of choice, and axes of equal variances may be turned among
    themselves. The rule: of the directions that are left to choose from, the next axis is that
    nearest to the axis of a feature, with a positive entry there; of equally near ones, that of
    the first feature. So the entry of largest magnitude of an axis that has its variance for
    itself is positive. What differs by no more than rounding may counts as equal.

    Parameters
    ----------
    rows : ndarray or CSR of shape (n_rows, n_features)
        Sparse ones are never made dense, and have more than `n_axes` features.
    weights : ndarray of shape (n_rows,), float64, or None
    n_axes : int or None
        How many at the most; None: all of them, of dense rows.

    Returns
    -------
    found : PrincipalAxes
        Of fewer axes where the rows vary along fewer, but of one at the least.
    """
    shares = np.ones(rows.shape[0]) if weights is None else weights / weights.max()
    shares /= shares.sum()
    if sparse.issparse(rows):
        mean = offset = rows.T @ shares
        deviations, squares = rows, rows.multiply(rows) @ np.ones(rows.shape[1])
    else:
        deviations, mean = centered(np.asarray(rows, np.float64), weights)
        deviations[:, is_constant(rows.min(axis=0), rows.max(axis=0), rows.dtype)] = 0.0
        offset, squares = np.zeros_like(mean), np.einsum("ij,ij->i", deviations, deviations)
    total = float(shares @ squares - offset @ offset)
    if total <= _FLAT * (offset @ offset):  # of sparse rows that are all the same
        total = 0.0
    wanted = min(rows.shape) if n_axes is None else n_axes
    if total == 0.0:
        variances, axes = np.zeros(1), np.eye(1, rows.shape[1])
    elif sparse.issparse(rows) or (min(rows.shape) > _MANY and n_axes is not None):
        variances, axes = _by_iterations(deviations, offset, shares, wanted + _BESIDE)
    else:
        variances, axes = _by_products(deviations, shares, wanted + _BESIDE)
    _settle(variances, axes)
    return PrincipalAxes(mean, variances[:wanted], axes[:wanted], total)


def _by_products(deviations, shares, n_axes):
    """From the products of the features, or of the rows if these are fewer."""
    n_rows, n_features = deviations.shape
    scaled = deviations * np.sqrt(shares)[:, np.newaxis]
    by_rows = n_rows < n_features
    products = scaled @ scaled.T if by_rows else scaled.T @ scaled
    variances, vectors = _eigen(products)
    vectors = vectors[:n_axes]
    axes = vectors @ scaled if by_rows else vectors
    return variances[:n_axes], axes / np.linalg.norm(axes, axis=1, keepdims=True)


def _by_iterations(rows, offset, shares, n_axes):
    """By products of the rows, less the offset, with vectors."""
    n_features = rows.shape[1]

    def scatter(vector):
        along = shares * (rows @ vector.ravel() - offset @ vector.ravel())
        return rows.T @ along - along.sum() * offset

    operator = LinearOperator((n_features, n_features), matvec=scatter, dtype=np.float64)
    start = 1.5 + np.sin(np.arange(1.0, n_features + 1.0) ** 2)  # the same for any rows
    found, axes = eigsh(operator, min(n_axes, n_features - 1), which="LA", v0=start)
    order = np.argsort(-found, kind="stable")
    return _without_flat(found[order], np.ascontiguousarray(axes.T[order]))


def _eigen(products):
    """The eigenvalues that are no rounding, descending, and the eigenvectors, one a row."""
    found, vectors = np.linalg.eigh(products)
    return _without_flat(found[::-1], np.ascontiguousarray(vectors.T[::-1]))


def _without_flat(variances, axes):
    kept = max(1, np.count_nonzero(variances > _FLAT * variances[0]))
    return np.maximum(variances[:kept], 0.0), axes[:kept]


def _settle(variances, axes):
    """Choose signs, and axes of equal variances, by the rule of `principal_axes`; in place."""
    apart = variances[:-1] - variances[1:] > _EQUAL * variances[0]
    edges = [0, *(np.flatnonzero(apart) + 1).tolist(), len(axes)]
    for first, stop in pairwise(edges):
        for i in range(first, stop):
            part = axes[i:stop]
            lengths = np.einsum("ij,ij->j", part, part)  # of each feature's axis in their space
            nearest = int(np.argmax(lengths >= (1.0 - _TIED) * lengths.max()))
            _turn(part, part[:, nearest].copy())


def _turn(axes, entries):
    """Reflect the axes so that the first one has all of some feature's entries, positive."""
    sign = np.copysign(1.0, entries[0])
    entries[0] += sign * np.linalg.norm(entries)
    axes -= np.outer(entries * (2.0 / (entries @ entries)), entries @ axes)
    axes[0] *= -sign


def same_distances(rows):
    """Points in fewer dimensions than there are rows, as far from each other as the rows are.

    Parameters
    ----------
    rows : ndarray or CSR of shape (n_rows, n_features)

    Returns
    -------
    points : ndarray of shape (n_rows, n_dimensions), float64
        Their mean is 0. They depend on the order of the rows.

    Notes
    -----
    O(n_rows^2 n_features) for dense rows, and O(n_rows^3). Sparse rows are not made dense.
    """
    if sparse.issparse(rows):
        rows = rows.astype(np.float64)
        products = (rows @ rows.T).toarray()
        means = products.mean(axis=0)
        products -= means
        products -= means[:, np.newaxis] - means.mean()
    else:
        offsets, _ = centered(np.asarray(rows, np.float64))
        products = offsets @ offsets.T
    if not products.any():
        return np.zeros((rows.shape[0], 1))
    variances, axes = _eigen(products)
    _settle(variances, axes)
    return axes.T * np.sqrt(variances)
