"""Tables from files of the user: read block by block, thinned where they are long."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from pathlib import PurePath
from threading import Lock
from typing import Any, NamedTuple

import numpy as np

from sklearn_lloyd._columns import column_names, reads_as_numbers, require_numbers
from sklearn_lloyd._optional import import_optional
from sklearn_lloyd.inspection._plane import drawn_rows

MOST_BYTES = 1 << 30  # of a file
_MOST_ROWS = 20_000  # that take part; more make a step slow and the picture no clearer
_MOST_VALUES = 4_000_000
_MOST_COLUMNS = 2_000
_MOST_READ = 200_000_000  # rows of a file: a small compressed one may hold any number
_BLOCK = 65_536  # rows
_LONGEST_NAME, _LONGEST_LINE = 200, 1 << 20
_MOST_TABLES = 8  # that are kept; the oldest is forgotten


class Table(NamedTuple):
    """Rows to cluster, and where they come from.

    Attributes
    ----------
    name : str
        Of the file, or of the data set.
    X : ndarray or pandas.DataFrame of shape (n_samples, n_features)
    names : tuple of str, or None
        Of the features.
    n_rows : int
        How many the source has; those of X are drawn from them.
    code : str
        Python that makes X.
    """

    name: str
    X: Any
    names: tuple | None
    n_rows: int
    code: str

    @property
    def note(self):
        """What the reader should know of it."""
        if self.n_rows == len(self.X):
            return ""
        return (
            f"{self.name} has {self.n_rows:,} rows: {len(self.X):,} of them, drawn at random, "
            "take part."
        )


class Tables:
    """The tables that were loaded, by keys that cannot be guessed."""

    def __init__(self):
        self._kept, self._lock = OrderedDict(), Lock()

    def add(self, table):
        key = f"file-{secrets.token_urlsafe(16)}"
        with self._lock:
            self._kept[key] = table
            if len(self._kept) > _MOST_TABLES:
                self._kept.popitem(last=False)
        return key

    def __getitem__(self, key):
        with self._lock:
            if key not in self._kept:
                raise ValueError("This file is no longer in memory. Load it again.")
            return self._kept[key]


def read_table(path, name, numbers_only=False):
    """Read a file whose type its name tells.

    Parameters
    ----------
    path : pathlib.Path
        Where it is now.
    name : str
        Its name where it comes from.
    numbers_only : bool
        Whether columns of other things, and rows with missing values, are left out.

    Raises
    ------
    ValueError
        If it is no table of finite numbers.
    ImportError
        If a package that reads it is missing.
    """
    name = PurePath(name.replace("\\", "/")).name[-_LONGEST_NAME:] or "file"
    kind = PurePath(name).suffix.lower()
    if kind not in _READERS:
        raise ValueError(
            f"{name} is no table that can be read here: its name should end in "
            f"{', '.join([*_READERS][:-1])} or {[*_READERS][-1]}."
        )
    try:
        blocks, code = _READERS[kind](path, name)
        if numbers_only:
            of_npy = "X[~np.isnan(X).any(axis=1)]"
            code += f"\nX = {of_npy if kind == '.npy' else _OF_FRAMES}"
            blocks = map(_numbers_of, blocks)
        X, n_rows = _thinned(blocks)
        drawn_rows("playground", X)
    except (ValueError, TypeError, OSError, EOFError, OverflowError) as error:
        said = (str(error) or "It ends too early.").replace(str(path), name)
        if isinstance(error, UnicodeDecodeError):
            said = "It is no text in UTF-8."
        raise ValueError(said if said.startswith(name) else f"{name}: {said}") from error
    names = column_names(X)
    if n_rows > len(X):
        code += (
            f"\nkeys = np.random.default_rng(0).random({n_rows})"
            f"\nX = X{'.iloc' if names else ''}[np.sort(np.argsort(keys)[:{len(X)}])]"
        )
    return Table(name, X, names and tuple(names), n_rows, code)


_OF_FRAMES = "X.select_dtypes('number').dropna()"


def _numbers_of(block):
    if hasattr(block, "iloc"):
        return block.select_dtypes("number").dropna()
    return block[~np.isnan(block).any(axis=1)]


def _csv(path, name):
    pandas = import_optional("pandas", extra="app")
    with open(path, "rb") as file:
        line = file.readline(_LONGEST_LINE).decode("utf-8-sig").strip()
    separator = max(",;\t", key=line.count)
    options = f"sep={separator!r}"
    has_names = not reads_as_numbers([each.strip('" ') for each in line.split(separator)])
    if not has_names:
        options += ", header=None"

    def blocks():
        header = 0 if has_names else None
        with pandas.read_csv(path, sep=separator, header=header, chunksize=_BLOCK) as reader:
            yield from reader

    return blocks(), f"X = pd.read_csv({name!r}, {options})"


def _parquet(path, name):
    import_optional("pandas", extra="app")
    parquet = import_optional("pyarrow.parquet", extra="app")

    def blocks():
        with parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
            # What pandas wrote as its index is none of the features.
            index = (schema.pandas_metadata or {}).get("index_columns", ())
            columns = [each for each in schema.names if each not in index]
            for batch in file.iter_batches(_BLOCK, columns=columns):
                yield batch.to_pandas(ignore_metadata=True)

    return blocks(), f"X = pd.read_parquet({name!r})"


def _npy(path, name):
    X = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(X, np.ndarray) or X.dtype.kind not in "biuf" or X.ndim not in (1, 2):
        raise ValueError("It should hold an array of numbers, one row for each row.")
    code = f"X = np.load({name!r})"
    if X.ndim == 1:
        X, code = X.reshape(-1, 1), f"{code}.reshape(-1, 1)"
    return (np.asarray(X[i : i + _BLOCK]) for i in range(0, len(X), _BLOCK)), code


_READERS = {".csv": _csv, ".tsv": _csv, ".parquet": _parquet, ".npy": _npy}


def _thinned(blocks):
    """The rows with the least of as many random numbers, in their order, and how many there were.

    So a file of any length is read once, and a part of it kept.
    """
    rng, kept, keys, n_rows, most, limit = np.random.default_rng(0), [], [], 0, _MOST_ROWS, 1.0
    for block in blocks:
        if block.shape[1] > _MOST_COLUMNS:
            raise ValueError(f"It has {block.shape[1]:,} columns; {_MOST_COLUMNS:,} are too many.")
        require_numbers(block)
        most = min(_MOST_ROWS, _MOST_VALUES // max(1, block.shape[1]))
        own = rng.random(len(block))
        chosen = own < limit
        kept.append(block if chosen.all() else block[chosen])
        keys.append(own[chosen])
        n_rows += len(block)
        if n_rows > _MOST_READ:
            raise ValueError(f"It has more than {_MOST_READ:,} rows.")
        if sum(map(len, kept)) > most + _BLOCK:
            kept, keys = _least(kept, keys, most)
            limit = keys[0].max()
    if n_rows == 0:
        raise ValueError("It has no rows.")
    kept, _ = _least(kept, keys, most)
    return kept[0], n_rows


def _least(kept, keys, most):
    keys = np.concatenate(keys)
    is_frame = hasattr(kept[0], "iloc")
    X = import_optional("pandas", extra="app").concat(kept) if is_frame else np.concatenate(kept)
    least = np.sort(np.argsort(keys)[:most])
    X = X.iloc[least].reset_index(drop=True) if is_frame else X[least]
    return [X], [keys[least]]
