"""Rows as a model takes them, block by block: columns by name, numbers, nothing missing."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

import numpy as np

from sklearn_lloyd._columns import (
    BOOLEAN,
    NUMBER,
    as_floats,
    column_kinds,
    column_of,
    is_missing,
    missing_values,
    named_columns,
    not_numbers,
    reads_as_numbers,
)
from sklearn_lloyd._optional import import_optional
from sklearn_lloyd._parameters import advice_for


class Block(NamedTuple):
    """Some rows.

    Attributes
    ----------
    ids : ndarray or None
    frame : pandas.DataFrame
        Numbers are float64.
    """

    ids: Any
    frame: Any


class Rows:
    """The rows of a source as a model takes them, to be read as often as needed.

    Parameters
    ----------
    source : Source
    columns : list of str or None
        Features, in order; None: all columns but the ids and the index of a pandas frame.
    id_column : str or None
        No feature.
    with_ids : bool
        Whether blocks have ids.
    missing : {'error', 'skip', 'keep'}
        What becomes of rows with missing values.
    check : callable
        Called after each block.
    bar : callable
        See `Progress.bar`.

    Attributes
    ----------
    columns : list of str
    n_rows : int or None
        Known after the first pass.
    n_skipped : int
        Rows with missing values that the last pass left out.

    Raises
    ------
    ValueError
        If a column is not there.
    """

    def __init__(self, source, columns, id_column, with_ids, missing, check, bar):
        self._source, self._missing, self._check, self._bar = source, missing, check, bar
        self._id_column = id_column if with_ids else None
        if id_column not in (None, *source.names):
            there = named_columns(range(len(source.names)), source.names)
            raise ValueError(
                f"{source.name} has no column {id_column!r}, the id column: it has {there}."
            )
        if columns is None:
            columns = [name for name in source.names if name not in (id_column, *source.index)]
        self.columns = list(map(str, columns))
        self.n_rows, self.n_skipped = None, 0
        repeated = [name for name, count in Counter(source.names).items() if count > 1]
        for name in self._wanted():
            if name not in source.names:
                raise ValueError(
                    f"{source.name} has no column {name!r}: {advice_for(name, source.names)}"
                )
            if name in repeated:
                raise ValueError(f"{source.name} has more than one column {name!r}.")
        if id_column in self.columns:
            raise ValueError(f"The id column {id_column!r} is among the columns of the model.")
        if not self.columns:
            raise ValueError(f"{source.name} has no columns but the ids.")

    def blocks(self, title, numbers=False):
        """Yield a `Block` after the other.

        Parameters
        ----------
        title : str
            Of the progress bar.
        numbers : bool
            Whether all columns have to be numbers.
        """
        n_read = n_kept = 0
        with self._bar(title, self.n_rows) as advance:
            for frame in self._source.read(self._wanted()):
                block = self._block(frame, n_read, numbers)
                n_read += len(frame)
                n_kept += len(block.frame)
                if len(block.frame):
                    yield block
                self._check()
                advance(len(frame))
        if n_kept == 0:
            why = "no rows" if n_read == 0 else f"no rows without missing values, of {n_read}"
            raise ValueError(f"{self._source.name} has {why}.")
        self.n_rows, self.n_skipped = n_kept, n_read - n_kept

    def _wanted(self):
        return self.columns if self._id_column is None else [*self.columns, self._id_column]

    def frames(self, title, numbers=False):
        """The same without ids."""
        for block in self.blocks(title, numbers):
            yield block.frame

    def _block(self, frame, start, numbers):
        pandas = import_optional("pandas", extra="cli")
        ids, frame = self._ids(frame, start)
        if numbers and (refused := not_numbers(frame)):
            places = [j for j, _ in refused]
            said = [_first_of_no_number(column_of(frame, j), start) for j in places]
            raise ValueError(
                f"{self._source.name}: columns that are not numbers: "
                f"{named_columns(places, self.columns, said)}. Make numbers of them, or fit "
                "without them (--columns)."
            )
        kinds = column_kinds(frame)
        columns = [
            as_floats(column_of(frame, j))
            if numbers or kind.name in (NUMBER, BOOLEAN)
            else column_of(frame, j).array
            for j, kind in enumerate(kinds)
        ]
        lacking = np.zeros(len(frame), bool)
        for values in columns:
            own = _lacking(values)
            if own.any() and self._missing == "error":
                self._refuse_missing(columns, start)
            lacking |= own
        if all(isinstance(values, np.ndarray) for values in columns):
            frame = pandas.DataFrame(np.stack(columns, axis=1), columns=self.columns)
        else:
            frame = pandas.DataFrame(dict(zip(self.columns, columns, strict=True)))
        if lacking.any() and self._missing == "skip":
            frame = frame[~lacking].reset_index(drop=True)
            ids = None if ids is None else ids[~lacking]
        return Block(ids, frame)

    def _ids(self, frame, start):
        if self._id_column is None:
            return None, frame
        ids = frame[self._id_column]
        n_missing = int(ids.isna().sum())
        if n_missing:
            raise ValueError(
                f"{self._source.name}: the id column {self._id_column!r} has no value in "
                f"{n_missing} of the rows {start + 1} to {start + len(frame)}: leave out records "
                "that have no id."
            )
        return ids.to_numpy(), frame[self.columns]

    def _refuse_missing(self, columns, start):
        counts = [int(_lacking(values).sum()) for values in columns]
        places = [j for j, count in enumerate(counts) if count]
        said = [f"{counts[j]} rows" for j in places]
        raise ValueError(
            f"{self._source.name}: values are missing or infinite in the columns "
            f"{named_columns(places, self.columns, said)} of the rows {start + 1} to "
            f"{start + len(columns[0])}. Fill them where the data is made, or leave such rows "
            "out by --missing skip."
        )


def _first_of_no_number(values, start):
    """The row, from 1, and the value."""
    values = list(values)
    of = (i for i, one in enumerate(values) if not (is_missing(one) or reads_as_numbers([one])))
    i = next(of, 0)
    return f"row {start + i + 1}: {str(values[i])[:40]!r}"


def _lacking(values):
    values = np.asarray(values)
    return ~np.isfinite(values) if values.dtype.kind == "f" else missing_values(values)
