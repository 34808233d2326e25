"""Rows in two dimensions: their own two features, or the first principal components."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state

from sklearn_lloyd._axes import principal_axes
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd._rows import Rows
from sklearn_lloyd._validation import check_rows, require_finite

_FIT_ROWS = 10_000  # at the most, from which the components are computed
_FIT_VALUES = 1 << 24  # at the most, of dense rows: 128 megabytes


class Plane:
    """Where rows lie in a picture.

    Rows of two features lie where they are, rows of one on a line. Of more features, the picture
    shows the first two principal components, as of `principal_axes`: the picture does not depend
    on the order of the rows.

    Parameters
    ----------
    X : {ndarray, CSR} of shape (n_samples, n_features)
    names : sequence of str, or None
        Of the features.

    Attributes
    ----------
    is_whole : bool
        Whether nothing is lost: X has two features.
    axis_labels : tuple of two str
    """

    def __init__(self, X, names=None):
        n_features = X.shape[1]
        names = [f"x{j}" for j in range(n_features)] if names is None else list(names)
        self.is_whole = n_features == 2
        self._components = None
        if n_features == 1:
            self.axis_labels = str(names[0]), "(no meaning)"
        elif n_features == 2:
            self.axis_labels = str(names[0]), str(names[1])
        else:
            some = _evenly(X, _FIT_ROWS if sparse.issparse(X) else _FIT_VALUES // n_features)
            self._components = principal_axes(X[some], n_axes=2)
            variances, total = self._components.variances, self._components.total
            shares = [*(variances / total if total else variances), 0.0][:2]
            self.axis_labels = tuple(
                f"principal component {i + 1} ({share:.0%} of the variance)"
                for i, share in enumerate(shares)
            )

    def place(self, rows):
        """Where the rows are, ndarray of shape (n_rows, 2)."""
        if self._components is not None:
            places = self._components.project(rows)
        else:
            places = rows.toarray() if sparse.issparse(rows) else np.asarray(rows)
            places = places.astype(np.float64)
        if places.shape[1] < 2:
            places = np.column_stack([places, np.zeros(len(places))])
        return places


def _evenly(X, most):
    """Rows from end to end of their canonical order."""
    n_rows = X.shape[0]
    n_wanted = min(n_rows, _FIT_ROWS, max(2, most))
    if n_wanted == n_rows:
        return np.arange(n_rows)
    order = canonical_order(X)
    return order[np.linspace(0, n_rows - 1, n_wanted).astype(np.intp)]


def thin(X, most, random_state):
    """Which rows to draw: all, or so many, drawn without replacement from a canonical order."""
    n_rows = X.shape[0]
    if most is None or n_rows <= most:
        return np.arange(n_rows)
    chosen = check_random_state(random_state).choice(n_rows, most, replace=False)
    return canonical_order(X)[np.sort(chosen)]


def canonical_order(X):
    """The rows in an order that does not depend on how they were given."""
    return make_problem(Rows(X), 1, None).canonical.order


def drawn_rows(name, X):
    """Check rows that are to be drawn, as ndarray or CSR."""
    rows = check_rows(name, X, n_threads=None, reset=True)
    require_finite(rows)
    return rows.X
