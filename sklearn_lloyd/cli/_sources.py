"""Sources of rows: CSV and Parquet files, and queries to databases."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from functools import partial
from glob import glob, has_magic
from pathlib import Path
from typing import NamedTuple

from sklearn_lloyd._optional import import_optional

# Of a block, at most; larger ones are hardly faster.
_ROWS, _VALUES = 65_536, 500_000
_CSV_BYTES = 2 * 2**20


class Source(NamedTuple):
    """Where rows come from.

    Attributes
    ----------
    name : str
        For messages.
    names : list of str
        All columns.
    read : callable
        ``read(columns)`` iterates over frames of these columns, in this order, from the first
        row on.
    close : callable
    index : list of str
        Columns that are features only if they are asked for: the index of a pandas frame.
    """

    name: str
    names: list
    read: Callable
    close: Callable = tuple
    index: Sequence = ()


def open_source(data, query=None, delimiter=",", id_column=None, text_ids=False):
    """The source of a file, a pattern of files, or a database.

    Parameters
    ----------
    data : str
        Path, pattern of paths, or URL.
    query : str or None
    delimiter : str
        Of CSV files.
    id_column : str or None
    text_ids : bool
        Whether ids of CSV files are text, whatever they look like.

    Raises
    ------
    ValueError
        If it cannot be read; OSError if it is not there.
    """
    if data is None:
        raise ValueError("No data: name a CSV or Parquet file, or the URL of a database.")
    if "://" in data:
        return _database(data, query)
    if query is not None:
        raise ValueError(f"--query needs the URL of a database; got the file {data!r}.")
    paths = sorted(glob(data, recursive=True)) if has_magic(data) else [data]
    for path in paths or [data]:
        if not Path(path).is_file():
            raise FileNotFoundError(f"There is no file {path!r}.")
    delimiter = "\t" if delimiter == r"\t" else delimiter
    kinds = set(map(_kind, paths))
    if len(kinds) > 1:
        raise ValueError(f"{data!r} takes both CSV and Parquet files.")
    name = paths[0] if len(paths) == 1 else f"{paths[0]} and {len(paths) - 1} more files"
    index = ()
    with _naming(paths[0]):
        if kinds == {"parquet"}:
            schema = _parquet(paths[0]).schema_arrow
            names, read = schema.names, _parquet_frames
            index = (schema.pandas_metadata or {}).get("index_columns", ())
        else:
            names, types = _csv_types(paths[0], delimiter, id_column, text_ids)
            read = partial(_csv_frames, delimiter=delimiter, types=types)

    def read_all(columns):
        for path in paths:
            with _naming(path):
                yield from read(path, columns)

    return Source(name, names, read_all, index=index)


def _kind(path):
    if path.lower().endswith((".parquet", ".pq")):
        return "parquet"
    if re.search(r"\.(csv|tsv|txt)(\.gz|\.bz2)?$", path.lower()):
        return "csv"
    raise ValueError(f"{path!r} is neither .csv (.csv.gz) nor .parquet by its name.")


@contextmanager
def _naming(path):
    """Have errors of the readers name the file."""
    pa = import_optional("pyarrow", extra="cli")
    try:
        yield
    except pa.ArrowException as error:
        raise ValueError(f"{path}: {error}") from error


def _parquet(path):
    parquet = import_optional("pyarrow.parquet", extra="cli")
    # Not a row group at a time: that of a file may be as large as the file.
    return parquet.ParquetFile(path, pre_buffer=False, buffer_size=2**20)


def _parquet_frames(path, columns):
    pa = import_optional("pyarrow", extra="cli")
    with _parquet(path) as file:
        for name in columns:
            if name not in file.schema_arrow.names:
                raise ValueError(f"{path} has no column {name!r}, which other files have.")
        for batch in file.iter_batches(_rows_of_block(columns), columns=columns):
            # With the metadata of pandas, the index would be no column.
            frame = batch.select(columns).to_pandas(ignore_metadata=True)
            del batch
            pa.default_memory_pool().release_unused()  # else a fourth more at the peak
            yield frame


def _rows_of_block(columns):
    return max(1, min(_ROWS, _VALUES // len(columns)))


def _open_csv(path, delimiter, **convert):
    csv = import_optional("pyarrow.csv", extra="cli")
    return csv.open_csv(
        path,
        # With threads, an error would not say in which row it is.
        read_options=csv.ReadOptions(use_threads=False, block_size=_CSV_BYTES),
        parse_options=csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=csv.ConvertOptions(strings_can_be_null=True, **convert),
    )


def _csv_types(path, delimiter, id_column, text_ids):
    """Names and types of columns, from the first block; numbers are float64, but for ids."""
    pa = import_optional("pyarrow", extra="cli")
    with pa.input_stream(path, compression="detect") as file:
        header = file.read(2**16).split(b"\n")[0].decode("utf-8", "replace")
    others = [repr(one) for one in ",;\t" if one in header]
    if others and delimiter not in header:
        raise ValueError(
            f"{path}: the header has no {delimiter!r}, but {' and '.join(others)}: give "
            f"--delimiter {others[0]}."
        )
    as_text = {} if id_column is None else {id_column: pa.string()}
    with _open_csv(path, delimiter, column_types=as_text) as reader:
        schema = reader.schema
        try:
            first = reader.read_next_batch()
        except StopIteration:
            return schema.names, as_text
    types = {}
    for name, kind in zip(schema.names, schema.types, strict=True):
        is_number = pa.types.is_integer(kind) or pa.types.is_null(kind)
        types[name] = pa.float64() if is_number else kind
    if schema.names.count(id_column) == 1 and not text_ids:
        # 007 is text: as a number it would be 7.
        ids = first.column(schema.names.index(id_column)).drop_null().to_pylist()
        if all(re.fullmatch(r"0|-?[1-9]\d{0,17}", text) for text in ids):
            types[id_column] = pa.int64()
    return schema.names, types


def _csv_frames(path, columns, delimiter, types):
    pa = import_optional("pyarrow", extra="cli")
    try:
        with _open_csv(path, delimiter, column_types=types, include_columns=columns) as reader:
            for batch in reader:
                frame = batch.to_pandas()
                del batch
                pa.default_memory_pool().release_unused()
                if len(frame):
                    yield frame
    except pa.ArrowInvalid as error:
        place = re.search(r"column #(\d+)", str(error))
        if place is None:
            raise
        with _open_csv(path, delimiter) as reader:
            name = reader.schema.names[int(place[1])]
        raise ValueError(f"{path}: the column {name!r} does not go on as it began: {error}") from (
            error
        )


def _database(url, query):
    sa = import_optional("sqlalchemy", extra="cli")
    if query is None:
        raise ValueError("The URL of a database needs a --query.")
    try:
        url = sa.make_url(url)
        if url.drivername == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
        engine = sa.create_engine(url)
    except (ImportError, sa.exc.ArgumentError, ValueError) as error:
        raise ValueError(f"The database cannot be used: {error}") from error
    name = url.render_as_string(hide_password=True)
    is_sqlite, path = url.get_backend_name() == "sqlite", url.database or ""
    if is_sqlite and path and not path.startswith("file:") and not Path(path).exists():
        raise FileNotFoundError(f"There is no file {path!r}.")  # SQLite would make one
    # All passes see one state of the database.
    isolated = {"isolation_level": "REPEATABLE READ"}
    isolated = isolated if url.get_backend_name() == "postgresql" else {}
    connection = engine.connect().execution_options(
        stream_results=True, no_parameters=True, **isolated
    )
    if is_sqlite:
        connection.exec_driver_sql("BEGIN")
    try:
        with connection.exec_driver_sql(query) as result:
            names = list(result.keys())
    except (sa.exc.DBAPIError, sa.exc.ResourceClosedError) as error:
        raise ValueError(f"{name} refused the query, or it gives no rows: {error}") from error

    def close():
        connection.close()
        engine.dispose()

    return Source(name, names, partial(_query_frames, connection, query, names), close)


def _query_frames(connection, query, names, columns):
    pandas = import_optional("pandas", extra="cli")
    with connection.exec_driver_sql(query) as result:
        # Python's objects take some five times as much as numbers in arrays.
        for part in result.partitions(max(1, _rows_of_block(names) // 5)):
            rows = list(map(tuple, part))  # of other rows pandas asks what they are
            yield pandas.DataFrame.from_records(rows, columns=names)[columns]
