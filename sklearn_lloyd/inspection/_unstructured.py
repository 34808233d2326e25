"""Tables without groups that are otherwise like a given one, clustered in the same way."""

from __future__ import annotations

import warnings

import numpy as np
from scipy import sparse
from scipy.special import ndtr, ndtri
from scipy.stats import rankdata
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
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
    knots = (knots - mean) * (values.std() / deviation) + values.mean()
    return levels, np.clip(knots, points[0], points[-1])  # a logarithm may need them positive


def like(clusterer, n_clusters):
    """A clone that finds as many clusters, from starts of its own."""
    model = clone(clusterer)
    params = model.get_params(deep=False)
    if "n_clusters" in params:
        model.set_params(n_clusters=n_clusters)
    if not isinstance(params.get("init", ""), str):
        model.set_params(init="k-means++")
    return model


def against_references(table, columns, own, labels, model, n_refs, rng):
    """Effects, their means without groups, p-values and adjusted ones of some columns.

    Parameters
    ----------
    table : Table
    columns : dict of int to ndarray
        Numbers, or categories by row, by place.
    own : ndarray of shape (n_columns, n_features_seen), bool
        Features that come from one column alone.
    labels : ndarray of shape (n_rows,), intp
    model : clusterer
        Is fitted to each reference.
    """
    unstructured = Unstructured(list(columns.values()))
    random_state = "random_state" in model.get_params(deep=False)
    found = [_effects(table.seen(), columns, own, labels)]
    for _ in range(n_refs):
        drawn = dict(zip(columns, unstructured.draw(rng), strict=True))
        seen = table.seen(drawn)
        if random_state:
            model.set_params(random_state=rng.randint(np.iinfo(np.int32).max))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            labels = np.unique(model.fit(seen).predict(seen), return_inverse=True)[1]
        found.append(_effects(seen, drawn, own, labels))
    found = np.array(found)
    # X is one of the tables, so that without groups each of them is as likely to be the largest.
    sizes = -np.log(np.maximum(1.0 - found, 1e-6))  # effects near one differ, those near zero not
    # Of columns that clusters hardly ever split by, one that does is many deviations off: theirs
    # are taken for larger than they are (Tusher, Tibshirani & Chu 2001).
    spread = sizes.std(axis=0)
    spread += np.median(spread)
    sizes = (sizes - sizes.mean(axis=0)) / np.where(spread > 1e-9, spread, np.inf)
    sizes[0] -= 1e-9  # rounding must not make X the largest
    p_values = (sizes >= sizes[0]).mean(axis=0)
    adjusted = (sizes.max(axis=1)[:, np.newaxis] >= sizes[0]).mean(axis=0)
    return found[0], found[1:].mean(axis=0), p_values, adjusted


def _effects(seen, columns, own, labels):
    """Eta squared of each column: as the clusterer sees it, where it has features of its own."""
    effects = []
    for values, mine in zip(columns.values(), own, strict=True):
        if mine.any():
            block = seen[:, mine]
        elif values.dtype.kind == "i":
            block = (values[:, np.newaxis] == np.unique(values)).astype(np.float64)
        else:
            block = np.where(np.isnan(values), np.nanmean(values), values)[:, np.newaxis]
        block = block - block.mean(axis=0)
        weights = np.bincount(labels)
        sums = np.stack([np.bincount(labels, column) for column in block.T])
        between = (np.square(sums) / np.maximum(weights, 1)).sum()
        total = np.square(block).sum()
        effects.append(between / total if total > 0.0 else 0.0)
    return effects
