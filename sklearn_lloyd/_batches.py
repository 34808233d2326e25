"""Rows that come in batches, as often as they are asked for; every batch is checked each time."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np

from sklearn_lloyd._squares import require_squares
from sklearn_lloyd._validation import check_weights


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
        If they cannot be iterated over.
    ValueError
        If they can be read only once, and more is needed.
    """

    def __init__(self, batches, n_passes):
        if not callable(batches) and not hasattr(batches, "__iter__"):
            raise TypeError(
                "batches should be an iterable of arrays, frames or CSR matrices, or a function "
                f"that returns one; got {type(batches).__name__}."
            )
        if n_passes > 1 and not callable(batches) and iter(batches) is batches:
            raise ValueError(
                f"batches is a {type(batches).__name__}, which can be read only once, but several "
                "passes are needed. Give what can be read again: a list, or a function that "
                "returns a fresh iterator, such as the generator function itself."
            )
        self._batches = batches
        self._kind = None

    def __iter__(self):
        """Yield the number of each batch that has rows, counted from 0, its X and weights."""
        batches = self._batches() if callable(self._batches) else self._batches
        for number, batch in enumerate(batches):
            X, weights = batch if isinstance(batch, tuple) and len(batch) == 2 else (batch, None)
            if (X.shape[0] if hasattr(X, "shape") and len(X.shape) else len(X)) > 0:
                yield number, X, weights

    def check_alike(self, chunks):
        """Refuse rows that are sparse, or float32, where those before were not."""
        single = "float32" if chunks.dtype == np.float32 else "float64"
        kind = "sparse" if chunks.is_sparse else "dense", single
        if self._kind is None:
            self._kind = kind
        if kind != self._kind:
            raise ValueError(
                f"rows are {' '.join(kind)}, but {' '.join(self._kind)} in the batches before "
                "(all but float32 counts as float64): convert them to one kind."
            )


class CheckedBatches:
    """The same batches in each pass, as pairs of `Chunks` and weights.

    Parameters
    ----------
    batches : Batches
    check : callable
        ``check(X, first)`` gives the `Chunks` of a batch.
    """

    def __init__(self, batches, check):
        self._batches, self._check, self._n_rows = batches, check, None

    def __iter__(self):
        n_rows = 0
        for number, X, weights in self._batches:
            with naming_batch(number):
                chunks = self._check(X, self._n_rows is None and n_rows == 0)
                require_squares(chunks, alone=True)
                self._batches.check_alike(chunks)
                weights = check_weights(weights, chunks.shape[0])
            n_rows += chunks.shape[0]
            yield chunks, weights
        if n_rows == 0:
            raise ValueError("batches has no rows.")
        if self._n_rows not in (None, n_rows):
            raise ValueError(
                f"batches gave {self._n_rows} rows in the first pass and {n_rows} in a later one: "
                "every pass has to give the same rows."
            )
        self._n_rows = n_rows


@contextmanager
def naming_batch(number):
    """Have what is wrong with a batch say which one it is."""
    try:
        yield
    except (ValueError, TypeError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"Batch {number} (counted from 0): {error}") from error
