"""Rows that come in batches, as often as they are asked for; every batch is checked each time."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from os import PathLike
from typing import NamedTuple

import numpy as np

from sklearn_lloyd._squares import require_squares
from sklearn_lloyd._validation import check_rows, check_weights

_EXPECTED = (
    "batches should be a list of arrays, frames or CSR matrices with two dimensions, or of pairs "
    "(X, sample_weight) of these and weights, or a function that returns an iterator of them"
)


class Batches:
    """What the user gave to be iterated over, batch by batch.

    Parameters
    ----------
    batches : iterable or callable
        Of arrays, frames or CSR matrices, or of pairs of these and weights. A callable is called
        for each pass and returns an iterable.
    n_passes : int
        How often they are going to be read.

    Raises
    ------
    TypeError
        If they cannot be iterated over, or are one table, a path or a list of something else.
    ValueError
        If they can be read only once, and more is needed.
    """

    def __init__(self, batches, n_passes):
        if not callable(batches):
            _require_batches(batches)
        if n_passes > 1 and not callable(batches) and iter(batches) is batches:
            raise ValueError(
                f"batches is a {type(batches).__name__}, which can be read only once, but several "
                "passes are needed. Give what can be read again: a list, or a function that "
                "returns a fresh iterator, such as the generator function itself."
            )
        self._batches = batches
        self._kind = None

    def __iter__(self):
        """Yield the number, counted from 0, X and checked weights of each batch that counts.

        Those without rows, or with weights that are all zero, are skipped.
        """
        batches = self._batches
        if callable(batches):
            batches = batches()
            _require_batches(batches)
        for number, batch in enumerate(batches):
            _require_table(number, batch)
            X, weights = _parts(batch)
            n_rows = X.shape[0] if hasattr(X, "shape") else len(X)
            with naming_batch(number):
                weights = check_weights(weights, n_rows, may_be_zero=True)
            if n_rows > 0 and (weights is None or weights.any()):
                yield number, X, weights

    def check_alike(self, rows):
        """Refuse rows that are sparse, or float32, where those before were not."""
        single = "float32" if rows.dtype == np.float32 else "float64"
        kind = "sparse" if rows.is_sparse else "dense", single
        if self._kind is None:
            self._kind = kind
        if kind != self._kind:
            raise ValueError(
                f"rows are {' '.join(kind)}, but {' '.join(self._kind)} in the batches before "
                "(all but float32 counts as float64): convert them to one kind."
            )


class CheckedBatches:
    """The same batches in each pass, as pairs of `Rows` and weights.

    Parameters
    ----------
    batches : Batches
    check : callable
        ``check(X, first)`` gives the `Rows` of a batch.

    Attributes
    ----------
    weight_unit : float
        What the weights are divided by, see `scaled_weights`. To be set once they are known.
    """

    def __init__(self, batches, check):
        self._batches, self._check, self._n_rows = batches, check, None
        self.weight_unit = 1.0

    def __iter__(self):
        n_rows = 0
        for number, X, weights in self._batches:
            with naming_batch(number):
                rows = self._check(X, self._n_rows is None and n_rows == 0)
                require_squares(rows)
                self._batches.check_alike(rows)
            n_rows += rows.shape[0]
            yield rows, self._in_unit(weights, rows.shape[0])
        require_rows(n_rows > 0)
        if self._n_rows not in (None, n_rows):
            raise ValueError(
                f"batches gave {self._n_rows} rows in the first pass and {n_rows} in a later one: "
                "every pass has to give the same rows."
            )
        self._n_rows = n_rows

    def _in_unit(self, weights, n_rows):
        if self.weight_unit == 1.0:
            return weights
        return (np.ones(n_rows) if weights is None else weights) / self.weight_unit


def require_rows(any_rows):
    """Raise an error unless there were any."""
    if not any_rows:
        raise ValueError("batches has no rows, or none of positive weight.")


@contextmanager
def naming_batch(number, what="Batch"):
    """Have what is wrong with a batch say which one it is."""
    try:
        yield
    except (ValueError, TypeError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"{what} {number} (counted from 0): {error}") from error


def checked_block(name, number, block, weights, n_threads):
    """The Rows of a block and its checked weights, or None where none of the rows counts.

    `name` is that of the estimator, and `number` that of the block, for messages.
    """
    n_rows = block.shape[0] if hasattr(block, "shape") else len(block)
    with naming_batch(number, "Block"):
        weights = check_weights(weights, n_rows, may_be_zero=True)
        if n_rows == 0 or (weights is not None and not weights.any()):
            return None
        rows = check_rows(name, block, n_threads=n_threads, reset=True)
    # What another process has sent may not be aligned; the core reads such rows, not such weights.
    return rows, None if weights is None else np.require(weights, requirements="A")


class BlockKind(NamedTuple):
    """What blocks have to have in common."""

    number: int  # of the block
    is_sparse: bool
    dtype: str  # float32 or float64
    n_features: int
    names: tuple | None  # of the columns

    @classmethod
    def of(cls, number, block, rows):
        names = getattr(block, "columns", None)
        dtype = "float32" if rows.dtype == np.float32 else "float64"
        names = None if names is None else tuple(names)
        return cls(number, rows.is_sparse, dtype, rows.shape[1], names)

    def require_alike(self, other):
        """Raise a ValueError unless another block is of the same kind."""
        if self[1:] != other[1:]:
            raise ValueError(
                f"Block {other.number} (counted from 0) has {other._words()}, and block "
                f"{self.number} has {self._words()}: convert them to one kind."
            )

    def _words(self):
        kind = "sparse" if self.is_sparse else "dense"
        columns = "" if self.names is None else f" {list(self.names)}"
        return f"{kind} {self.dtype} rows of {self.n_features} features{columns}"


def _require_batches(batches):
    """Refuse what cannot be batches: one table, text, paths; look into lists and tuples."""
    if _is_path(batches):
        raise TypeError(f"{_EXPECTED}; got the path or text {batches!r}: read the file first.")
    if hasattr(batches, "shape") and len(batches.shape) < 3:  # of three dimensions: several tables
        raise TypeError(
            f"{_EXPECTED}; got one {type(batches).__name__} of shape {tuple(batches.shape)}. Give "
            "its rows to fit, or cut it: [X[:10_000], X[10_000:20_000], ...]."
        )
    if not hasattr(batches, "__iter__"):
        raise TypeError(f"{_EXPECTED}; got {type(batches).__name__}.")
    if isinstance(batches, Mapping):
        raise TypeError(f"{_EXPECTED}; got a mapping: give list(batches.values()).")
    if isinstance(batches, tuple) and len(batches) == 2 and _is_pair(*batches):
        raise TypeError(f"{_EXPECTED}; got one pair: put it in a list, [(X, sample_weight)].")
    if isinstance(batches, list | tuple):
        for number, batch in enumerate(batches):
            _require_table(number, batch)


def _require_table(number, batch):
    """Refuse a batch that is no table: a path, a row, a number."""
    X, _ = _parts(batch)
    if _is_path(X):
        got = f"the path or text {X!r}: read the file first"
    elif isinstance(X, list | tuple):  # of rows; what these are shows when they are checked
        if not X or (hasattr(X[0], "__len__") and not _is_path(X[0])):
            return
        got = f"a {type(X).__name__} of {type(X[0]).__name__}"
    elif hasattr(X, "shape"):
        if len(X.shape) == 2:
            return
        got = f"{type(X).__name__} of shape {tuple(X.shape)}"
    elif hasattr(X, "__array__"):
        return
    else:
        got = f"a {type(X).__name__}"
    raise TypeError(f"{_EXPECTED}; batch {number} (counted from 0) is {got}.")


def _parts(batch):
    """X and the weights of a batch."""
    return batch if isinstance(batch, tuple) and len(batch) == 2 else (batch, None)


def _is_pair(X, weights):
    return len(getattr(X, "shape", ())) == 2 and np.ndim(weights) == 1


def _is_path(given):
    return isinstance(given, str | bytes | PathLike)
