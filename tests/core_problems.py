"""Rows in every layout that the core reads, for tests of its functions."""

import numpy as np
from numpy.testing import assert_array_equal
from scipy import sparse

from sklearn_lloyd._rows import Rows

LAYOUTS = ["C", "F", "strided", "reversed", "swapped", "int32", "int64", "unsorted"]
DTYPES = ["float64", "float32", "int8", "uint16", "int64"]


def in_layout(X, layout):
    """The same rows, laid out in memory in another way."""
    if layout == "F":
        return np.asfortranarray(X)
    if layout == "strided":
        return np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3]
    if layout == "reversed":
        return X[::-1, ::-1].copy()[::-1, ::-1]
    if layout == "swapped":
        return X.astype(X.dtype.newbyteorder())
    if layout == "C":
        return X
    matrix = sparse.csr_array(X)
    if layout == "unsorted":  # half of each value, twice, in reversed order
        twice = sparse.coo_array(
            (np.tile(matrix.data / 2, 2)[::-1], np.tile([matrix.tocoo().row, matrix.tocoo().col], 2)[:, ::-1]),
            shape=X.shape,
        )
        order = np.argsort(twice.row, kind="stable")
        starts = np.searchsorted(twice.row[order], np.arange(len(X) + 1))
        matrix = sparse.csr_array(
            (twice.data[order], twice.col[order], starts), shape=X.shape
        )
    index = np.int64 if layout == "int64" else np.int32
    matrix.indices, matrix.indptr = matrix.indices.astype(index), matrix.indptr.astype(index)
    return matrix


def problem(dtype, layout, n=1000, d=13, k=7, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(0.0, 20.0, (n, d)).round(2)
    X[rng.random(X.shape) < 0.4] = 0.0
    if dtype.startswith("u"):
        X = abs(X)
    X = X.astype(dtype)
    if layout == "unsorted" and X.dtype.kind != "f":
        X = X // 2 * 2
    labels = rng.integers(0, k, n).astype(np.int32)
    weights = rng.integers(0, 4, n) + rng.random(n) * (rng.random(n) < 0.5)
    weights[rng.random(n) < 0.2] = 0.0
    given = X // 2 if layout == "unsorted" and X.dtype.kind != "f" else X
    laid = in_layout(given, layout)
    if layout == "unsorted" and X.dtype.kind != "f":
        laid = in_layout(X, layout)
        laid.data = laid.data.astype(dtype)
    return X.astype(np.float64), laid, labels, weights


def with_threads(laid, call, *args):
    """What `call(rows, *args)` returns, a tuple; to the last bit by any number of threads."""
    found = [call(Rows(laid, n), *args) for n in (1, 2, 3, 7)]
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            assert_array_equal(a, b)
    return found[0]


def pairwise(terms):
    """The sum along the last axis in the order of the definition, which is NumPy's."""
    terms = np.ascontiguousarray(terms)
    return terms.sum(axis=-1)
