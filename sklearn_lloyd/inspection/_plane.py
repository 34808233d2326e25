"""Rows in two dimensions: their own two features, or the first principal components."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from sklearn.decomposition import PCA

from sklearn_lloyd._validation import check_rows, require_finite

_FIT_ROWS = 10_000  # from which the components are computed


class Plane:
    """Where rows lie in a picture.

    Rows of two features lie where they are, rows of one on a line. Of more features, the picture
    shows the first two principal components.

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
        n_rows, n_features = X.shape
        names = [f"x{j}" for j in range(n_features)] if names is None else list(names)
        self.is_whole = n_features == 2
        self._components = None
        if n_features == 1:
            self.axis_labels = str(names[0]), "(no meaning)"
        elif n_features == 2:
            self.axis_labels = str(names[0]), str(names[1])
        else:
            some = np.unique(np.linspace(0, n_rows - 1, min(n_rows, _FIT_ROWS)).astype(np.intp))
            n_components = min(2, some.size)
            solver = "arpack" if sparse.issparse(X) and some.size > 2 else "full"
            rows = X[some] if solver == "arpack" else _dense(X[some])
            self._components = PCA(n_components, svd_solver=solver, random_state=0)
            with np.errstate(divide="ignore", invalid="ignore"):  # rows that are all the same
                self._components.fit(rows)
            shares = np.nan_to_num(self._components.explained_variance_ratio_)
            shares = [*shares, 0.0][:2]
            self.axis_labels = tuple(
                f"principal component {i + 1} ({share:.0%} of the variance)"
                for i, share in enumerate(shares)
            )

    def place(self, rows):
        """Where the rows are, ndarray of shape (n_rows, 2)."""
        if self._components is not None:
            places = self._components.transform(rows)
        else:
            places = _dense(rows).astype(np.float64)
        if places.shape[1] < 2:
            places = np.column_stack([places, np.zeros(len(places))])
        return places


def _dense(rows):
    return rows.toarray() if sparse.issparse(rows) else np.asarray(rows)


def drawn_rows(name, X):
    """Check rows that are to be drawn, as ndarray or CSR."""
    chunks = check_rows(name, X, 1, backend="numpy", n_threads=None, reset=True)
    require_finite(chunks)
    return chunks.X
