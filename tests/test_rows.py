"""Rows as Python takes them: views where they can be, never written to."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from sklearn_lloyd._rows import Rows, even_slices, row_slice


def twice(X):
    """The same matrix with entries in two parts, not in order."""
    X = sparse.csr_matrix(X)
    rows = zip(X.indptr[:-1], X.indptr[1:], strict=True)
    order = np.concatenate([np.tile(np.arange(a, b)[::-1], 2) for a, b in rows])
    return sparse.csr_matrix((X.data[order] / 2, X.indices[order], 2 * X.indptr), shape=X.shape)


KINDS = [np.asarray, np.asfortranarray, sparse.csr_matrix, sparse.csr_array, twice]


@pytest.fixture
def X():
    rng = np.random.default_rng(0)
    return rng.integers(1, 9, (50, 7)) * (rng.random((50, 7)) < 0.4) * 0.5


def as_array(rows):
    return rows.toarray() if sparse.issparse(rows) else rows


@pytest.mark.parametrize("kind", KINDS)
def test_some_of_the_rows(X, kind):
    rows = Rows(kind(X), 2)
    assert (rows.shape, rows.dtype, rows.threads) == (X.shape, X.dtype, 2)
    for index in (slice(13, 29), slice(None), slice(0, 0), np.array([3, 3, 49, 5])):
        assert_array_equal(rows.dense(index), X[index])
        assert rows.dense(index).flags.c_contiguous
        assert_array_equal(as_array(rows.take(index)), X[index])
        part = rows.part(index)
        assert_array_equal(as_array(part.X), X[index])
        assert part.threads == 2
    slices = rows.slices(row_size=1 << 14)
    assert len(slices) > 1
    assert_array_equal(np.concatenate([rows.dense(part) for part in slices]), X)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_a_view_that_refuses_to_be_written_to(X, kind):
    given = kind(X)
    rows = Rows(given)
    parts = [(rows.X, given)]
    if sparse.issparse(given):
        parts = [(getattr(rows.X, n), getattr(given, n)) for n in ("data", "indices", "indptr")]
    for view, array in parts:
        assert np.shares_memory(view, array)
        assert array.flags.writeable
        assert not view.flags.writeable
    assert np.shares_memory(parts[0][1], rows.take(slice(13, 29)).data)


@pytest.mark.parametrize("make", [sparse.csr_matrix, sparse.csr_array])
def test_slices_of_sparse_rows_are_views(X, make):
    X = make(X)
    part = row_slice(X, slice(13, 29))
    assert type(part) is type(X)
    assert np.shares_memory(part.data, X.data)
    assert_array_equal(part.toarray(), X.toarray()[13:29])
    assert row_slice(X, slice(50, 60)).shape == (0, X.shape[1])


@pytest.mark.parametrize("n_rows", [1, 9, 10, 11, 1000])
def test_even_slices(n_rows):
    slices = even_slices(n_rows, 10)
    sizes = [part.stop - part.start for part in slices]
    assert_array_equal(np.concatenate([np.arange(n_rows)[part] for part in slices]), range(n_rows))
    assert max(sizes) <= 10
    assert max(sizes) - min(sizes) <= 1
