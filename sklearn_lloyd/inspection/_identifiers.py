"""Which of the columns that a clusterer sees name the rows."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from sklearn_lloyd._columns import NUMBER, column_kinds, column_of
from sklearn_lloyd._identifiers import identifier_by
from sklearn_lloyd.inspection._columns import check_names, check_table


def identifiers(X, fitted_names, seen_names, weights):
    """Columns that the clusterer sees and that name the rows.

    They are looked for in the table as it came: after a scaler, numbers are whole no more, and
    what a quantile transformer makes are all evenly spaced.

    Parameters
    ----------
    X : array-like, sparse matrix or frame
    fitted_names : sequence of str, or None
        Of the columns that the estimator was fitted to.
    seen_names : sequence of str
        Of the features that the clusterer sees: a column is seen if one is called as it is, with
        the name of a transformer before it perhaps.
    weights : ndarray of shape (n_samples,), or None

    Returns
    -------
    by_name, by_values : list of str
        Columns with the name of an id; columns of evenly spaced whole numbers, each once.
    """
    X = check_table(X)
    names = check_names(X, None, fitted_names)
    rows = slice(None) if weights is None else np.flatnonzero(weights > 0.0)
    parts = [name.split("__") for name in seen_names]
    seen = {"__".join(own[i:]) for own in parts for i in range(len(own))}
    filled = np.ones(X.shape[1], bool)
    if sparse.issparse(X):  # of ids one at most is zero
        filled = np.bincount(X.indices, minlength=X.shape[1]) >= X.shape[0] - 1
    found = {"name": [], "values": [], None: []}
    for j, kind in enumerate(column_kinds(X)):
        if kind.name == NUMBER and names[j] in seen and filled[j]:
            column = X[:, [j]].toarray().ravel() if sparse.issparse(X) else column_of(X, j)
            found[identifier_by(names[j], np.asarray(column)[rows])].append(names[j])
    # Where all features are so, they are ranks that someone has made of other numbers.
    return found["name"], found["values"] if len(found["values"]) < max(2, len(seen_names)) else []
