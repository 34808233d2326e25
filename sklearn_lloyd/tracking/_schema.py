"""The tables of the segment store, their version, and the steps from one version to the next.

Why no Alembic: the store owns all of its tables, has no branches and goes forward only. What is
left is a list of functions and a table of those that have run, both in one transaction, which
either database takes back as a whole. A company that has Alembic tells it to leave out the tables
that begin with "segment_".

To change the schema: change the tables here, raise `VERSION` by one, and add to `STEPS` the
function that brings a store of the version before to it. A step that was released stays as it is.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from types import SimpleNamespace

from sklearn_lloyd._optional import import_optional
from sklearn_lloyd._version import __version__

VERSION = 1
# Version -> function of a connection: what brings a store there from the version before. The first
# release makes its tables whole, and has none.
STEPS = {}
# One lock for making and changing tables; two processes may open a new store at once.
_LOCK = 5_306_814_927

_CURRENT = """
CREATE VIEW current_segments AS
SELECT m.name AS model, a.record_id, a.segment_id, n.name AS segment, n.note, a.distance,
       a.version, r.finished_at AS assigned_at,
       a.previous_segment_id, p.name AS previous_segment, c.finished_at AS changed_at
FROM segment_assignments a
JOIN segment_models m ON m.model_id = a.model_id
JOIN segment_names n ON n.model_id = a.model_id AND n.segment_id = a.segment_id
JOIN segment_runs r ON r.run_id = a.run_id
JOIN segment_runs c ON c.run_id = a.changed_run_id
LEFT JOIN segment_names p ON p.model_id = a.model_id AND p.segment_id = a.previous_segment_id
"""


def now():
    return datetime.now(UTC)


@lru_cache(maxsize=1)
def tables():
    """The tables of this version, by name without "segment_", and `metadata`.

    The comments of the columns are also those in a PostgreSQL database.
    """
    sa = import_optional("sqlalchemy", extra="store")
    metadata = sa.MetaData()
    whole, text, real = sa.BigInteger, sa.Text, sa.Double
    time = sa.DateTime(timezone=True)
    # By code points: much faster than by the rules of a language, and the same in SQLite.
    exact = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    # SQLite numbers rows by itself only where the key is an INTEGER.
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

    def column(name, kind, comment, *, key=False, null=False):
        return sa.Column(
            name, kind, comment=comment, primary_key=key, nullable=null, autoincrement=False
        )

    def numbered(name, comment):
        return sa.Column(name, number, comment=comment, primary_key=True, autoincrement=True)

    def model(key=True):
        return column("model_id", whole, "Model, in segment_models.", key=key)

    def version(key=True):
        return column("version", whole, "Version of the model: 1, 2, ...", key=key)

    def segment(key=True, null=False, comment="Stable id of the segment, in segment_names."):
        return column("segment_id", whole, comment, key=key, null=null)

    def of(names, table, targets=None):
        return sa.ForeignKeyConstraint(
            names, [f"{table}.{name}" for name in targets or names], name=None
        )

    def table(name, comment, *parts, **options):
        return sa.Table("segment_" + name, metadata, *parts, comment=comment, **options)

    table(
        "schema",
        "Versions of these tables that this database has had; the largest is the present one.",
        column("version", whole, "Version of the tables.", key=True),
        column("package_version", text, "Release of sklearn-lloyd that made it."),
        column("applied_at", time, "When."),
    )
    table(
        "models",
        "One row for each model.",
        numbered("model_id", "Number of the model."),
        sa.Column("name", text, unique=True, nullable=False, comment="Name of the model."),
        column("current_version", whole, "The latest version."),
        column("next_segment_id", whole, "The smallest id that no segment has ever had."),
        column(
            "id_kind", text, "What the ids of its records are: integer, text or uuid.", null=True
        ),
        column("created_at", time, "When the first version was registered."),
    )
    table(
        "versions",
        "One row for each version of a model; rows are never changed.",
        model(),
        version(),
        column("estimator", text, "Classes, in the order in which rows go through them."),
        column("parameters", text, "Parameters, as JSON."),
        column("packages", text, "Versions of the packages that it was made with, as JSON."),
        column("features", text, "Columns that the model takes, in order, as JSON."),
        column("n_rows", whole, "Rows that it was registered with.", null=True),
        column("data_fingerprint", text, "SHA-256 of these rows.", null=True),
        column(
            "rand_index",
            real,
            "Adjusted Rand index of these rows, against the version before.",
            null=True,
        ),
        column("note", text, "What whoever registered it wrote."),
        column("created_at", time, "When it was registered."),
        column("created_by", text, "Who registered it."),
        column("archive", sa.LargeBinary, "The fitted estimator; no pickle."),
        of(["model_id"], "segment_models"),
    )
    table(
        "names",
        "One row for each segment that a model has ever had.",
        model(),
        segment(comment="Stable id; never given to another segment of the model."),
        column("name", text, "Name, another one for each segment of a model."),
        column("note", text, "Free text."),
        column("first_version", whole, "The version that it came with."),
        column("last_version", whole, "The latest version that has it."),
        of(["model_id"], "segment_models"),
    )
    table(
        "clusters",
        "Which segments a version has, and their sizes in the rows it was registered with.",
        model(),
        version(),
        segment(),
        column("cluster", whole, "What predict of the estimator gives for it."),
        column("n_rows", whole, "Rows in it.", null=True),
        column("share", real, "The same as a part of all rows.", null=True),
        of(["model_id", "version"], "segment_versions"),
        of(["model_id", "segment_id"], "segment_names"),
    )
    table(
        "centroids",
        "Centroids: one row for each version, segment, space and feature.",
        model(),
        version(),
        segment(),
        column(
            "space",
            text,
            "original: units of the data; model: as the clusterer sees it.",
            key=True,
        ),
        column("position", whole, "Place of the feature, from 0.", key=True),
        column("feature", text, "Name of the feature; column=category for a share."),
        column("value", real, "NULL where a step of the pipeline cannot be undone.", null=True),
        of(["model_id", "version", "segment_id"], "segment_clusters"),
        sqlite_with_rowid=False,
    )
    table(
        "features",
        "The columns of numbers in the rows that a version was registered with.",
        model(),
        version(),
        column("position", whole, "Place of the column, from 0.", key=True),
        column("feature", text, "Name of the column."),
        column("mean", real, "Mean, without missing values.", null=True),
        column("deviation", real, "Standard deviation, without missing values.", null=True),
        column("lowest", real, "Smallest value.", null=True),
        column("highest", real, "Largest value.", null=True),
        of(["model_id", "version"], "segment_versions"),
    )
    table(
        "drift",
        "What became of each segment from the version before to this one.",
        model(),
        version(),
        segment(),
        column("status", text, "kept, new or lost."),
        column(
            "distance",
            real,
            "How far its centroid moved, in the space of the model before.",
            null=True,
        ),
        column("shift", real, "The same in spreads of the segment before.", null=True),
        column("share_before", real, "Its share in the version before.", null=True),
        column("share", real, "Its share in this version.", null=True),
        column("split_into", text, "Ids of this version that it was cut into, as a JSON list."),
        column("merged_from", text, "Ids of the version before it was made of, as a JSON list."),
        of(["model_id", "version"], "segment_versions"),
        of(["model_id", "segment_id"], "segment_names"),
    )
    table(
        "runs",
        "One row for each assignment of records that was finished.",
        numbered("run_id", "Number of the run, larger for later ones."),
        model(key=False),
        version(key=False),
        column("n_records", whole, "How many records were assigned."),
        column("n_changed", whole, "How many of these were in another segment before."),
        column("finished_at", time, "When."),
        column("created_by", text, "Who."),
        of(["model_id", "version"], "segment_versions"),
    )
    table(
        "assignments",
        "The segment of each record: one row for a model and record, the latest.",
        model(),
        column(
            "record_id", exact, "Id of the record as text; see id_kind of the model.", key=True
        ),
        segment(key=False),
        column("distance", real, "To the centroid of the segment, in the space of the model."),
        column("version", whole, "Version of the model that assigned it."),
        column("run_id", whole, "Run that assigned it last."),
        column(
            "previous_segment_id",
            whole,
            "The segment that it was in before; NULL: none.",
            null=True,
        ),
        column("changed_run_id", whole, "Run that put it into its segment first."),
        # No foreign keys: to check two for each row took most of PostgreSQL's time, and one
        # statement of `_assigning` is all that writes here.
        sqlite_with_rowid=False,
    )
    by_name = {name.removeprefix("segment_"): one for name, one in metadata.tables.items()}
    return SimpleNamespace(metadata=metadata, **by_name)


def version_of(connection):
    """The version of the tables in a database, or None where there are none."""
    sa = import_optional("sqlalchemy", extra="store")
    schema = tables().schema
    if not sa.inspect(connection).has_table(schema.name):
        return None
    return connection.scalar(sa.select(sa.func.max(schema.c.version)))


def lock_schema(connection):
    """Let nobody else make or change tables until the transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")


def create(connection):
    """Make all tables, in the transaction of the connection."""
    tables().metadata.create_all(connection)
    connection.exec_driver_sql(_CURRENT)
    _record(connection, VERSION)


def upgrade(connection, version):
    """Run the steps from an older version to this one, in the transaction of the connection."""
    for number in range(version + 1, VERSION + 1):
        STEPS[number](connection)
        _record(connection, number)


def _record(connection, version):
    row = {"version": version, "package_version": __version__, "applied_at": now()}
    connection.execute(tables().schema.insert(), row)
