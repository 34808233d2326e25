"""Records into segments: collected in a temporary table, then written by one statement.

While rows are read and predicted nothing is locked, and only the temporary table is written; ids
that occur twice show before anything is changed. Then one transaction brings the records into
`segment_assignments`: a process that is killed before its end has changed nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sklearn_lloyd._optional import import_optional
from sklearn_lloyd.tracking._description import labels_and_distances
from sklearn_lloyd.tracking._record_ids import check_ids, repeated_message, require_kind
from sklearn_lloyd.tracking._schema import now, tables

_STAGED = """
CREATE TEMPORARY TABLE segment_staged (
    record_id TEXT {collation} NOT NULL, segment_id BIGINT NOT NULL,
    distance DOUBLE PRECISION NOT NULL
)
"""
_REPEATED = """
SELECT record_id FROM segment_staged GROUP BY record_id HAVING count(*) > 1 LIMIT 5
"""
_CHANGED = """
SELECT count(*) FROM segment_staged s JOIN segment_assignments a
ON a.model_id = :model_id AND a.record_id = s.record_id WHERE a.segment_id <> s.segment_id
"""
# "WHERE true" is for SQLite's parser. In order, so that neighbours in the index come one after the
# other.
_WRITTEN = """
INSERT INTO segment_assignments AS a (model_id, record_id, segment_id, distance, version, run_id,
                                      previous_segment_id, changed_run_id)
SELECT :model_id, record_id, segment_id, distance, :version, :run_id, NULL, :run_id
FROM segment_staged WHERE true ORDER BY record_id
ON CONFLICT (model_id, record_id) DO UPDATE SET
    segment_id = excluded.segment_id, distance = excluded.distance,
    version = excluded.version, run_id = excluded.run_id,
    previous_segment_id = CASE WHEN a.segment_id = excluded.segment_id
        THEN a.previous_segment_id ELSE a.segment_id END,
    changed_run_id = CASE WHEN a.segment_id = excluded.segment_id
        THEN a.changed_run_id ELSE excluded.run_id END
"""
_SQLITE = "INSERT INTO segment_staged VALUES (?, ?, ?)"
# A sixth of the time that an INSERT of three arrays takes.
_POSTGRESQL = "COPY segment_staged FROM STDIN (FORMAT BINARY)"


class Staged(NamedTuple):
    """What was collected.

    Attributes
    ----------
    counts : list of int
        Records by cluster.
    kind : str or None
        Of the ids; None if there are none.
    """

    counts: list
    kind: str | None


def stage(connection, begin, blocks, estimator, stored, ranges):
    """Collect the segments of records in a temporary table of the connection.

    Parameters
    ----------
    connection : sqlalchemy.Connection
    begin : callable
        Gives a transaction on it. Each block has its own: none is open while rows are read.
    blocks : iterable of pairs
        Ids and rows.
    estimator : fitted estimator
    stored : Stored
        The version.
    ranges : RangeReader or None
        Reads the rows, too.

    Returns
    -------
    staged : Staged
    """
    is_sqlite = connection.dialect.name == "sqlite"
    fill = _fill_sqlite if is_sqlite else _fill_postgresql
    with begin():
        # By its full name: without, a table that somebody has called so would be dropped.
        own = "temp" if is_sqlite else "pg_temp"
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {own}.segment_staged")
        collation = "" if is_sqlite else 'COLLATE "C"'
        connection.exec_driver_sql(_STAGED.format(collation=collation))
    counts, kind = np.zeros(len(stored.segment_ids), np.int64), stored.id_kind
    for ids, rows in blocks:
        texts, own = check_ids(ids)
        require_kind(own, kind)
        kind = own
        labels, distances = labels_and_distances(estimator, rows)
        if ranges is not None:
            ranges.read(rows)
        counts += np.bincount(labels, minlength=len(counts))
        columns = texts, stored.segment_ids[labels].tolist(), distances.tolist()
        with begin():
            fill(connection, zip(*columns, strict=True))
    with begin():
        repeated = connection.exec_driver_sql(_REPEATED).scalars().all()
    if repeated:
        raise ValueError(repeated_message(repeated))
    return Staged(counts.tolist(), kind)


def _fill_sqlite(connection, rows):
    connection.exec_driver_sql(_SQLITE, list(rows))


def _fill_postgresql(connection, rows):
    with connection.connection.cursor() as cursor, cursor.copy(_POSTGRESQL) as copy:
        copy.set_types(["text", "int8", "float8"])
        for row in rows:
            copy.write_row(row)


def write_staged(connection, stored, staged, who):
    """Write the collected records, in the transaction of the connection."""
    sa = import_optional("sqlalchemy", extra="store")
    t = tables()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("ANALYZE segment_staged")
    model = {"model_id": stored.model_id}
    run = model | {
        "version": stored.version,
        "n_records": sum(staged.counts),
        "n_changed": connection.scalar(sa.text(_CHANGED), model),
        "finished_at": now(),
        "created_by": who,
    }
    run_id = connection.execute(t.runs.insert(), run).inserted_primary_key[0]
    own = model | {"version": stored.version, "run_id": run_id}
    connection.execute(sa.text(_WRITTEN), own)
    mine = t.models.c.model_id == stored.model_id
    connection.execute(t.models.update().where(mine).values(id_kind=staged.kind))
