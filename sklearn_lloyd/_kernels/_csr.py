"""CSR rows without the copies and checks that SciPy's own ways of saying the same make."""

from __future__ import annotations

import numpy as np
from scipy import sparse


def _csr(like, data, indices, indptr):
    """A matrix of these very arrays; SciPy's constructor copies parts of larger ones."""
    rows = type(like)((len(indptr) - 1, like.shape[1]), dtype=data.dtype)
    rows.data, rows.indices, rows.indptr = data, indices, indptr
    return rows


def read_only(rows):
    """The same rows, dense or CSR, as a view that refuses to be written to."""
    if sparse.issparse(rows):
        parts = (read_only(part) for part in (rows.data, rows.indices, rows.indptr))
        return _csr(rows, *parts)
    view = rows.view()
    view.flags.writeable = False
    return view


def truth_as_numbers(rows):
    """The same rows, dense or CSR, as a view with 0 and 1 for False and True."""
    if rows.dtype != np.bool_:
        return rows
    if sparse.issparse(rows):
        return _csr(rows, rows.data.view(np.uint8), rows.indices, rows.indptr)
    return rows.view(np.uint8)


def row_slice(rows, part):
    """Rows of a slice of step one, dense or CSR, as a view."""
    if not sparse.issparse(rows):
        return rows[part]
    start, stop, _ = part.indices(rows.shape[0])
    indptr = rows.indptr[start : stop + 1]
    entries = slice(indptr[0], indptr[-1])
    return _csr(rows, rows.data[entries], rows.indices[entries], indptr - indptr[0])


def has_duplicates(rows):
    """Whether any row of the CSR matrix has two entries in one column."""
    by_column = rows.tocsc()  # within a column, entries of one row are side by side
    same = by_column.indices[1:] == by_column.indices[:-1]
    # From the last of a column to the first of the next one is no pair.
    ends = by_column.indptr[1:-1]
    same[ends[(ends > 0) & (ends < rows.nnz)] - 1] = False
    return bool(same.any())


def with_dtype(rows, dtype):
    """CSR rows in that dtype; their indices are shared."""
    if rows.dtype == dtype:
        return rows
    return _csr(rows, rows.data.astype(dtype), rows.indices, rows.indptr)


def sum_by_row(rows, values):
    """Sum of the values of the entries of each CSR row, one after the other, in float64."""
    # A product with ones: nothing is added in another order, and no index of rows is made.
    return _csr(rows, values, rows.indices, rows.indptr) @ np.ones(rows.shape[1])
