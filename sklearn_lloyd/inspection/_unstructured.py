"""Tables without groups that are otherwise like a given one."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata
from sklearn.isotonic import isotonic_regression

_FEW = 10  # different values; of so few nothing tells whether they have one mode
_MODES = 33  # places that are tried for the mode


class Table:
    """Rows, and what the clusterer at the end of some steps sees of them.

    Parameters
    ----------
    X : frame or ndarray
    steps : list of fitted transformers
    """

    def __init__(self, X, steps):
        self._X, self._steps = X, steps

    def seen(self, columns=None):
        """As a dense array; with other values in some columns, by place.

        Parameters
        ----------
        columns : dict of int to ndarray
            Numbers, float64, or integers: the rows whose values to take.
        """
        X = _with_columns(self._X, columns) if columns else self._X
        for step in self._steps:
            X = step.transform(X)
        return np.asarray(X.toarray() if sparse.issparse(X) else X, np.float64)

    def driven(self, places, rng):
        """Which features change when the values of a column change places: (columns, features)."""
        order, seen = rng.permutation(len(self._X)), self.seen()
        return np.array([(self.seen({j: order}) != seen).any(axis=0) for j in places])


def _with_columns(X, columns):
    if isinstance(X, np.ndarray):
        changed = X.astype(np.float64 if X.dtype.kind in "biu" else X.dtype)
        for j, values in columns.items():
            changed[:, j] = X[values, j] if values.dtype.kind == "i" else values
        return changed
    if hasattr(X, "isetitem"):  # pandas
        changed = X.copy()
        for j, values in columns.items():
            is_rows = values.dtype.kind == "i"
            changed.isetitem(j, X.iloc[:, j].array.take(values) if is_rows else values)
        return changed
    series = {j: X[:, j] for j in columns}
    return X.with_columns(
        series[j].gather(values)
        if values.dtype.kind == "i"
        else type(series[j])(series[j].name, values)
        for j, values in columns.items()
    )


class Unstructured:
    """Draws rows without groups: each column has one mode, a Gaussian copula joins them.

    The columns keep their means, deviations and, but for second modes, their distributions; pairs
    of them keep their rank correlations. Missing values stay where they are.

    Parameters
    ----------
    columns : list of ndarray of shape (n_rows,)
        Numbers, float64 with NaN where they are missing, or categories, as integers.
    """

    def __init__(self, columns):
        self._missing = [values != values for values in columns]
        scores = np.stack(
            [_scores(v, gone) for v, gone in zip(columns, self._missing, strict=True)], axis=1
        )
        self._root = np.linalg.qr(scores, mode="r") / np.sqrt(len(scores))
        self._curves = [
            one_mode(values[~gone]) for values, gone in zip(columns, self._missing, strict=True)
        ]

    def draw(self, rng):
        """As many rows as there were: a list of columns."""
        normal = rng.standard_normal((len(self._missing[0]), len(self._root))) @ self._root
        drawn = []
        for own, (levels, values), gone in zip(
            ndtr(normal).T, self._curves, self._missing, strict=True
        ):
            if values.dtype.kind == "i":
                found = values[np.minimum(np.searchsorted(levels, own), len(values) - 1)]
            else:
                found = np.where(gone, np.nan, np.interp(own, levels, values))
            drawn.append(found)
        return drawn


def _scores(values, gone):
    """Normal scores, of variance one; zero for missing values and constant columns."""
    found = np.zeros(len(values))
    kept = ~gone
    if kept.any():
        ranks = rankdata(values[kept])
        found[kept] = ndtri((ranks - 0.5) / kept.sum())
    found -= found.mean()
    deviation = found.std()
    return found / deviation if deviation > 1e-12 else found * 0.0


def one_mode(values):
    """The distribution with one mode that is nearest to that of the values.

    A density that rises to a mode and falls after it: isotonic regressions of the histogram with
    a bin for each value, as of the dip test (Hartigan & Hartigan 1985).

    Returns
    -------
    levels, values : ndarray
        Points of the distribution function, which is linear in between. Of codes, and of numbers
        with few different ones, it is that of the values, which are integers then.
    """
    points, counts = np.unique(values, return_counts=True)
    shares = counts / max(1, counts.sum())
    if values.dtype.kind == "i":
        return np.cumsum(shares), points
    if not points.size:
        return np.array([0.0, 1.0]), np.zeros(2)
    if points.size <= _FEW:
        return np.repeat(np.cumsum(np.r_[0.0, shares]), 2)[1:-1], np.repeat(points, 2)
    is_whole = bool((points == np.rint(points)).all())
    unit = points[-1] - points[0]
    knots = np.r_[points[0] - (1.0 if is_whole else points[1] - points[0]), points]
    widths = np.diff(knots / unit)
    density, levels = shares / widths, np.cumsum(shares)
    best, least = shares, np.inf
    for mode in np.unique(np.linspace(0, len(widths), _MODES).astype(int)):
        rise, fall = slice(None, mode), slice(mode, None)
        parts = [
            isotonic_regression(density[side], sample_weight=widths[side], increasing=increasing)
            for side, increasing in ((rise, True), (fall, False))
            if len(density[side])
        ]
        fitted = np.concatenate(parts) * widths
        distance = np.abs(np.cumsum(fitted) - levels).max()
        if distance < least:
            best, least = fitted, distance
    levels = np.r_[0.0, np.cumsum(best) / best.sum()]
    if is_whole:
        return np.repeat(levels, 2)[1:-1], np.repeat(points, 2)
    middles = 0.5 * (knots[1:] + knots[:-1])
    mean = best @ middles / best.sum()
    deviation = np.sqrt(best @ (np.square(middles - mean) + np.diff(knots) ** 2 / 12) / best.sum())
    return levels, (knots - mean) * (values.std() / deviation) + values.mean()
