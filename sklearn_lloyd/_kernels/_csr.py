"""CSR rows without the copies and checks that SciPy's own ways of saying the same make."""

from __future__ import annotations

import numpy as np
from scipy import sparse


def _csr(like, data, indices, indptr):
    """A matrix of these very arrays; SciPy's constructor copies parts of larger ones."""
    rows = type(like)((len(indptr) - 1, like.shape[1]), dtype=data.dtype)
    rows.data, rows.indices, rows.indptr = data, indices, indptr
    return rows


def row_slice(rows, part):
    """Rows of a slice of step one, dense or CSR, as a view."""
    if not sparse.issparse(rows):
        return rows[part]
    start, stop, _ = part.indices(rows.shape[0])
    indptr = rows.indptr[start : stop + 1]
    entries = slice(indptr[0], indptr[-1])
    return _csr(rows, rows.data[entries], rows.indices[entries], indptr - indptr[0])


def with_dtype(rows, dtype):
    """CSR rows in that dtype; their indices are shared."""
    if rows.dtype == dtype:
        return rows
    return _csr(rows, rows.data.astype(dtype), rows.indices, rows.indptr)


def sum_by_row(rows, values):
    """Sum of the values of the entries of each CSR row, one after the other, in float64."""
    # A product with ones: nothing is added in another order, and no index of rows is made.
    return _csr(rows, values, rows.indices, rows.indptr) @ np.ones(rows.shape[1])
