"""Rows and their ids, block by block."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from sklearn_lloyd._columns import column_names, is_frame
from sklearn_lloyd.inspection._columns import take_slice
from sklearn_lloyd.tracking._record_ids import ids_as_array

# Values of a block, of the rows or of their distances to all centres: 8 MB in float64. Larger
# blocks are no faster.
_VALUES = 1_000_000
_MOST_ROWS = 20_000


def rows_of_block(n_features, n_clusters):
    return max(1, min(_MOST_ROWS, _VALUES // max(n_features, n_clusters)))


def table_blocks(X, n_rows):
    """The rows of a table, block by block, of the type that it has."""
    for start in range(0, X.shape[0], n_rows):
        yield take_slice(X, slice(start, start + n_rows))


def as_table(X):
    """X if it is one table, of a type whose rows can be cut; or None."""
    if sparse.issparse(X):
        return X.tocsr()
    if is_frame(X) or len(getattr(X, "shape", ())) == 2:
        return X
    if isinstance(X, list | tuple) and not (X and _is_block(X[0])):
        return np.asarray(X)
    return None


def table_or_blocks(X):
    """X as one table with rows, or as it is if it is an iterable of blocks; or an error."""
    table = as_table(X)
    if table is None and hasattr(X, "__iter__") and not isinstance(X, str | bytes | dict):
        return X
    if table is None or len(table.shape) != 2 or table.shape[0] == 0:
        raise ValueError("X must be one array, sparse matrix or frame, with rows.")
    return table


def _is_block(block):
    return is_frame(block) or hasattr(block, "shape") or isinstance(block, tuple)


def record_blocks(ids, X, n_rows):
    """Yield ids and rows of blocks of at most `n_rows` rows.

    Parameters
    ----------
    ids : array-like, str or None
        See `SegmentStore.assign`.
    X : table or iterable of tables or of pairs

    Raises
    ------
    ValueError, TypeError
        If they do not fit together.
    """
    table = as_table(X)
    if table is not None:
        if ids is None:
            raise TypeError("ids is None: then X must be an iterable of pairs (ids, rows).")
        _require_same_index(ids, table)
        blocks = [table]
    elif hasattr(X, "__iter__") and not isinstance(X, str | bytes):
        blocks = X
    else:
        raise TypeError(
            "X must be an array, a sparse matrix, a frame, or an iterable of these; got "
            f"{type(X).__name__}."
        )
    for own, block in _with_ids(ids, blocks):
        for start in range(0, len(own), n_rows):
            part = slice(start, start + n_rows)
            yield own[part], take_slice(block, part)


def _with_ids(ids, blocks):
    """Pairs of ids, as an array, and a table."""
    if ids is None or isinstance(ids, str):
        for number, block in enumerate(blocks):
            own, table = _pair(number, block) if ids is None else _split(block, ids)
            _require_same_index(own, table)
            own, table = ids_as_array(own), _table_of(number, table)
            _require_as_many(len(own), table.shape[0])
            yield own, table
        return
    ids, start = ids_as_array(ids), 0
    for number, block in enumerate(blocks):
        table = _table_of(number, block)
        own = ids[start : start + table.shape[0]]
        start += table.shape[0]
        if len(own) < table.shape[0]:
            _require_as_many(len(ids), start, "at least ")
        yield own, table
    _require_as_many(len(ids), start)


def _require_as_many(n_ids, n_rows, least=""):
    if n_ids != n_rows:
        raise ValueError(f"There are {n_ids} ids, but X has {least}{n_rows} rows.")


def _require_same_index(ids, rows):
    """Refuse ids and rows of pandas that their indexes pair in another way than positions do."""
    if not (hasattr(ids, "iloc") and hasattr(rows, "iloc")) or len(ids) != len(rows):
        return
    if not ids.index.equals(rows.index):
        raise ValueError(
            "ids and X have different indexes, and they are paired by position. Bring the ids to "
            "the order of X, ids.loc[X.index], or give them as ids.to_numpy() if they have it."
        )


def _table_of(number, block):
    table = as_table(block)
    if table is None or len(table.shape) != 2:
        raise TypeError(f"Block {number} (counted from 0) of X is no table with two dimensions.")
    return table


def _pair(number, block):
    if not (isinstance(block, tuple) and len(block) == 2):
        raise TypeError(
            f"ids is None: then X must yield pairs (ids, rows), but block {number} (counted from "
            f"0) is {type(block).__name__}."
        )
    return block


def _split(frame, name):
    """The column of ids, and the frame without it."""
    names = column_names(frame)
    if names is None:
        raise TypeError(
            f"ids is {name!r}, a name: then X must be a frame that has this column, or an "
            f"iterable of such frames; got {type(frame).__name__}."
        )
    if name not in names:
        raise ValueError(f"X has no column {name!r} for the ids; it has {', '.join(names)}.")
    if hasattr(frame, "drop_columns"):  # Arrow
        return frame[name], frame.drop_columns([name])
    return frame[name], frame.drop(columns=name) if hasattr(frame, "iloc") else frame.drop(name)
