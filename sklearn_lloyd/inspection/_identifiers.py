"""Columns of whole numbers that name the rows and measure nothing: ids, row numbers."""

from __future__ import annotations

import re

import numpy as np
from scipy import sparse

from sklearn_lloyd._columns import NUMBER, as_floats, column_kinds, column_of
from sklearn_lloyd.inspection._columns import check_names, check_table

# So many rows at least, of which 20 numbers in a row, each once, are no chance: that has odds of
# some 20!/20^20, one in forty million.
FEWEST = 20
# A customer's id comes with each order. With more rows for each number, a number with such a name
# may stand for a group of rows.
MOST_REPEATS = 10
_GLANCE = 1000  # rows that tell of most columns that they are no ids
_THINGS = (
    "account|case|client|contract|customer|employee|invoice|item|member|order|passenger|patient|"
    "person|phone|product|record|row|serial|student|ticket|transaction|user"
)
_NAMES = re.compile(
    rf"(.* )?(id|ids|uuid|guid|identifier|pk)|id .*|(.* )?({_THINGS})(id| (no|nr|num|number|key))"
    r"|unnamed 0"
)


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
    if len(X.shape) == 1:  # texts
        return [], []
    names = check_names(X, None, fitted_names)
    rows = slice(None) if weights is None else np.flatnonzero(weights > 0.0)
    parts = [name.split("__") for name in seen_names]
    seen = {"__".join(own[i:]) for own in parts for i in range(len(own))}
    filled = np.ones(X.shape[1], bool)
    if sparse.issparse(X):  # of ids one at most is zero
        filled = np.bincount(X.indices, minlength=X.shape[1]) >= X.shape[0] - 1
    by_name, by_values = [], []
    for j, kind in enumerate(column_kinds(X)):
        if kind.name == NUMBER and names[j] in seen and filled[j]:
            values = _whole_numbers(X, j, rows, is_id := _is_name_of_id(names[j]))
            if values is None or values.size < FEWEST:
                continue
            found = np.unique(values)
            if is_id and found.size * MOST_REPEATS >= values.size and found.size >= FEWEST:
                by_name.append(names[j])
            elif found.size == values.size and np.ptp(np.diff(found)) == 0.0:
                by_values.append(names[j])
    # Where all features are so, they are ranks that someone has made of other numbers.
    return by_name, by_values if len(by_values) < max(2, len(seen_names)) else []


def _whole_numbers(X, j, rows, may_repeat):
    """The values of a column; None if a glance shows that they are not whole, or repeated."""
    column = X[:, [j]].toarray().ravel() if sparse.issparse(X) else column_of(X, j)
    values = np.asarray(column)[rows]
    glance = as_floats(values[:_GLANCE])
    glance = glance[np.isfinite(glance)]
    if (glance % 1.0).any() or not (may_repeat or np.unique(glance).size == glance.size):
        return None
    values = as_floats(values)
    values = values[np.isfinite(values)]
    return None if (values % 1.0).any() else values


def _is_name_of_id(name):
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return _NAMES.fullmatch(" ".join(re.findall(r"[a-z]+|\d+", words.lower()))) is not None
