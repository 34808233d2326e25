"""Results in files: whole, or not at all."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

import numpy as np

from sklearn_lloyd._optional import import_optional
from sklearn_lloyd.persistence._files import replacing


def _replacing(path):
    """What a killed job leaves has one name, so that the next one writes over it."""
    return replacing(path, f".{Path(path).name}.part")


def write_text(path, text):
    with _replacing(path) as file:
        file.write(text.encode())


@contextmanager
def open_table(path):
    """Give a function that adds a block to a CSV or Parquet file: a dict of columns.

    Raises
    ------
    ValueError
        If the name of the file is neither.
    """
    pa = import_optional("pyarrow", extra="cli")
    ending = Path(path).suffix.lower()
    if ending not in (".csv", ".parquet"):
        raise ValueError(f"output should end in .csv or .parquet; got {path!r}.")
    writer = schema = None

    def write(columns):
        nonlocal writer, schema
        table = pa.table({name: _plain(values) for name, values in columns.items()})
        if writer is None:
            schema = table.schema
            if ending == ".csv":
                writer = import_optional("pyarrow.csv", extra="cli").CSVWriter(file, schema)
            else:
                parquet = import_optional("pyarrow.parquet", extra="cli")
                writer = parquet.ParquetWriter(file, schema)
        writer.write_table(table.cast(schema))

    with _replacing(path) as file:
        yield write
        if writer is not None:
            writer.close()


def _plain(values):
    """UUIDs, as databases give them, as text."""
    is_other = values.dtype == object and not all(isinstance(one, str) for one in values)
    return np.array([str(one) for one in values], object) if is_other else values
