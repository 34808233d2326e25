"""Where numbers are not finite, in words: looked for when an error is certain."""

from __future__ import annotations

from collections import Counter

import numpy as np
from scipy import sparse

from sklearn_lloyd._columns import named_columns


def where_not_finite(rows):
    """Say in which columns of how many rows there is NaN, and where infinity."""
    said = []
    for what, is_it, advice in _NOT_FINITE:
        first, n_rows, columns = None, 0, Counter()
        for block in rows.slices():
            i, j = _places(rows.take(block), is_it)
            if i.size:
                first = (block.start + i[0], j[0]) if first is None else first
                n_rows += np.unique(i).size
                found, counts = np.unique(j, return_counts=True)
                columns.update(dict(zip(found.tolist(), counts.tolist(), strict=True)))
        if first is None:
            continue
        places = sorted(columns)
        counts = [f"{columns[j]} row{'s' if columns[j] > 1 else ''}" for j in places]
        said.append(
            f"Input X contains {what.format(rows.dtype)}: the first in row {first[0]}, column "
            f"{named_columns([first[1]], rows.names)} (rows count from 0). Such rows: {n_rows} "
            f"of {rows.shape[0]}; by column: {named_columns(places, rows.names, counts)}.\n"
            f"{advice}"
        )
    return "\n".join(said)


_NOT_FINITE = (
    (
        "NaN",
        np.isnan,
        "Fill in what is missing, for instance with sklearn.impute.SimpleImputer in a Pipeline, "
        "or drop these rows or columns.",
    ),
    (
        "infinity or a value too large for dtype('{}')",
        np.isinf,
        "Infinity mostly comes from a division by zero, a logarithm of zero or an overflow: mend "
        "that, or clip the values. Imputers refuse infinity: to impute it, make it NaN first.",
    ),
)


def _places(values, is_it):
    """Rows and columns of some values."""
    if not sparse.issparse(values):
        return np.nonzero(is_it(values))
    found = np.flatnonzero(is_it(values.data))
    return np.searchsorted(values.indptr, found, side="right") - 1, values.indices[found]
