"""Columns that name the rows and measure nothing: ids, row numbers."""

from __future__ import annotations

import re

import numpy as np

from sklearn_lloyd._columns import as_floats

# So many rows at least, of which 20 numbers in a row, each once, are no chance: that has odds of
# some 20!/20^20, one in forty million.
FEWEST = 20
# A customer's id comes with each order. With more rows for each number, a number with such a name
# may stand for a group of rows.
MOST_REPEATS = 10
# Of the values of a column of text, so many occur once if they are names of the rows and not
# categories. A town in which every tenth customer lives would still be one.
NAMES_ROWS = 0.9
_GLANCE = 1000  # rows that tell of most columns that they are no ids
_THINGS = (
    "account|acct|case|client|contract|customer|employee|invoice|item|member|order|passenger|patient|"
    "person|phone|product|record|row|serial|student|ticket|transaction|user"
)
_NAMES = re.compile(
    rf"(.* )?(id|ids|uuid|guid|identifier|pk)|id .*|(.* )?({_THINGS})(id| (no|nr|num|number|key))"
    r"|unnamed 0"
)


def identifier_by(name, values):
    """By what a column of numbers is known to name the rows: "name", "values", or None.

    Parameters
    ----------
    name : str
    values : ndarray of shape (n_rows,)
    """
    is_id = _is_name_of_id(name)
    glance = as_floats(values[:_GLANCE])
    glance = glance[np.isfinite(glance)]
    if (glance % 1.0).any() or not (is_id or np.unique(glance).size == glance.size):
        return None
    values = as_floats(values)
    values = values[np.isfinite(values)]
    if (values % 1.0).any() or values.size < FEWEST:
        return None
    found = np.unique(values)
    if is_id and _hardly_repeats(found.size, values.size):
        return "name"
    evenly = found.size == values.size and np.ptp(np.diff(found)) == 0.0
    return "values" if evenly else None


def identifier_of_texts_by(name, counts):
    """The same of texts, of which nearly every one occurs once if their values tell it.

    Parameters
    ----------
    name : str
    counts : ndarray of shape (n_texts,)
        How often each occurs.
    """
    if (counts == 1).sum() >= NAMES_ROWS * counts.sum() > 1:
        return "values"
    return "name" if _is_name_of_id(name) and _hardly_repeats(counts.size, counts.sum()) else None


def _hardly_repeats(n_distinct, n_values):
    return n_distinct >= FEWEST and n_distinct * MOST_REPEATS >= n_values


def _is_name_of_id(name):
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return _NAMES.fullmatch(" ".join(re.findall(r"[a-z]+|\d+", words.lower()))) is not None
