"""Questions to the tables of the store, on a connection."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np

from sklearn_lloyd._optional import import_optional
from sklearn_lloyd._parameters import advice_for
from sklearn_lloyd.tracking._result import StoreTable
from sklearn_lloyd.tracking._schema import tables

_IDS_AT_ONCE = 500  # SQLite has a limit on parameters


class Stored(NamedTuple):
    """One version as it is in the database.

    Attributes
    ----------
    model_id, version, current_version : int
    next_segment_id : int
    id_kind : str or None
    archive : bytes
    segment_ids : ndarray of shape (n_clusters,), int64
        The segment of each cluster.
    names : tuple of str
        Its present name.
    """

    model_id: int
    version: int
    current_version: int
    next_segment_id: int
    id_kind: Any
    archive: bytes
    segment_ids: np.ndarray
    names: tuple


def _sa():
    return import_optional("sqlalchemy", extra="store")


def find_model(connection, name, lock=False):
    """The row of a model, or None; with `lock` nobody else writes to it in this transaction."""
    models = tables().models
    query = _sa().select(models).where(models.c.name == name)
    return connection.execute(query.with_for_update() if lock else query).one_or_none()


def require_model(connection, name, lock=False):
    """The row of a model, or a LookupError."""
    model = find_model(connection, name, lock)
    if model is None:
        known = connection.scalars(_sa().select(tables().models.c.name)).all()
        advice = advice_for(str(name), known) if known else "it has none yet."
        raise LookupError(
            f"The store has no model {name!r}: {advice} Register it first if it is new."
        )
    return model


def require_version(connection, name, version):
    """The row of a model, and the number of a version that it has; None is the latest."""
    model = require_model(connection, name)
    if version is None:
        return model, model.current_version
    if not isinstance(version, Integral) or isinstance(version, bool):
        raise TypeError(f"version must be a whole number or None; got {version!r}.")
    if not 1 <= version <= model.current_version:
        raise LookupError(
            f"The model {name!r} has versions 1 to {model.current_version}, not {version}."
        )
    return model, int(version)


def read_version(connection, name, version):
    """A `Stored`; None is the latest."""
    sa, t = _sa(), tables()
    model, version = require_version(connection, name, version)
    own = model.model_id, version
    archive = connection.scalar(sa.select(t.versions.c.archive).where(_is(t.versions, *own)))
    c, n = t.clusters.c, t.names.c
    query = sa.select(c.segment_id, n.name).where(_is(t.clusters, *own))
    query = query.join(t.names, (n.model_id == c.model_id) & (n.segment_id == c.segment_id))
    ids, names = zip(*connection.execute(query.order_by(c.cluster)), strict=True)
    return Stored(
        model.model_id,
        version,
        model.current_version,
        model.next_segment_id,
        model.id_kind,
        bytes(archive),
        np.array(ids, np.int64),
        names,
    )


def read_ranges(connection, stored):
    """Ranges of the columns that a version was registered with, rows of `segment_features`."""
    features = tables().features
    query = _sa().select(features).where(_is(features, stored.model_id, stored.version))
    return connection.execute(query.order_by(features.c.position)).all()


def list_models(connection):
    sa, t = _sa(), tables()
    m, v = t.models.c, t.versions.c
    query = (
        sa.select(
            m.name,
            m.current_version,
            v.estimator,
            m.id_kind,
            m.created_at,
            v.created_at.label("updated_at"),
        )
        .join(t.versions, (v.model_id == m.model_id) & (v.version == m.current_version))
        .order_by(m.name)
    )
    return _table(connection, query)


def list_segments(connection, name, version):
    sa, t = _sa(), tables()
    model, version = require_version(connection, name, version)
    n, c = t.names.c, t.clusters.c
    query = (
        sa.select(
            c.segment_id,
            n.name,
            n.note,
            c.cluster,
            c.n_rows,
            c.share,
            n.first_version,
            n.last_version,
        )
        .join(t.names, (n.model_id == c.model_id) & (n.segment_id == c.segment_id))
        .where(_is(t.clusters, model.model_id, version))
        .order_by(c.segment_id)
    )
    return _table(connection, query)


def list_centroids(connection, name, version, space):
    sa, t = _sa(), tables()
    model, version = require_version(connection, name, version)
    n, c = t.names.c, t.centroids.c
    query = (
        sa.select(c.segment_id, n.name, c.feature, c.value)
        .join(t.names, (n.model_id == c.model_id) & (n.segment_id == c.segment_id))
        .where(_is(t.centroids, model.model_id, version), c.space == space)
        .order_by(c.position, c.segment_id)
    )
    own = "segment_id", "name"
    columns = {name: [] for name in own}
    for row in connection.execute(query):
        feature = f"feature {row.feature}" if row.feature in own else row.feature
        if feature not in columns:
            columns[feature] = []
        columns[feature].append(row.value)
        if len(columns) == 3:
            columns["segment_id"].append(row.segment_id)
            columns["name"].append(row.name)
    return StoreTable(columns)


def list_versions(connection, name):
    sa, t = _sa(), tables()
    model = require_model(connection, name)
    v, d = t.versions.c, t.drift.c

    def counted(status):
        mine = (d.model_id == v.model_id) & (d.version == v.version) & (d.status == status)
        counts = sa.select(sa.func.count()).select_from(t.drift).where(mine)
        return counts.scalar_subquery().label(f"n_{status}")

    largest = sa.select(sa.func.max(d.shift)).where(
        (d.model_id == v.model_id) & (d.version == v.version)
    )
    query = (
        sa.select(
            v.version,
            v.created_at,
            v.created_by,
            v.note,
            v.estimator,
            v.n_rows,
            *map(counted, ("kept", "new", "lost")),
            largest.scalar_subquery().label("largest_shift"),
            v.rand_index,
            v.data_fingerprint,
            v.parameters,
            v.packages,
        )
        .where(v.model_id == model.model_id)
        .order_by(v.version)
    )
    return _table(connection, query, json_columns=("parameters", "packages"))


def list_drift(connection, name, version):
    sa, t = _sa(), tables()
    model = require_model(connection, name)
    mine = t.drift.c.model_id == model.model_id
    if version is not None:
        mine &= t.drift.c.version == require_version(connection, name, version)[1]
    n, d = t.names.c, t.drift.c
    query = (
        sa.select(
            d.version,
            d.segment_id,
            n.name,
            d.status,
            d.distance,
            d.shift,
            d.share_before,
            d.share,
            d.split_into,
            d.merged_from,
        )
        .join(t.names, (n.model_id == d.model_id) & (n.segment_id == d.segment_id))
        .where(mine)
        .order_by(d.version, d.segment_id)
    )
    return _table(connection, query, json_columns=("split_into", "merged_from"))


def list_runs(connection, name):
    sa, r = _sa(), tables().runs.c
    model = require_model(connection, name)
    query = sa.select(
        r.run_id, r.version, r.n_records, r.n_changed, r.finished_at, r.created_by
    ).where(r.model_id == model.model_id)
    return _table(connection, query.order_by(r.run_id))


def list_assignments(connection, name, texts):
    """Rows of the view; `texts` are ids, or None for all."""
    sa = _sa()
    require_model(connection, name)
    time = sa.DateTime(timezone=True)
    names = ["record_id", "segment_id", "segment", "distance", "version", "assigned_at"]
    names += ["previous_segment_id", "previous_segment", "changed_at"]
    view = sa.table(
        "current_segments",
        sa.column("model", sa.Text),
        *(sa.column(one, time if one.endswith("_at") else None) for one in names),
    )
    query = sa.select(*(view.c[one] for one in names)).where(view.c.model == name)
    if texts is None:
        return _table(connection, query.order_by(view.c.record_id))
    found = {}
    for start in range(0, len(texts), _IDS_AT_ONCE):
        some = texts[start : start + _IDS_AT_ONCE]
        rows = connection.execute(query.where(view.c.record_id.in_(some)))
        found |= {row.record_id: row for row in rows}
    return _as_table(names, [found[text] for text in texts if text in found])


def _is(table, model_id, version):
    return (table.c.model_id == model_id) & (table.c.version == version)


def _table(connection, query, json_columns=()):
    result = connection.execute(query)
    return _as_table(result.keys(), result.all(), json_columns)


def _as_table(names, rows, json_columns=()):
    columns = {name: [row[j] for row in rows] for j, name in enumerate(names)}
    for name, values in columns.items():
        if name in json_columns:
            columns[name] = list(map(json.loads, values))
        else:
            columns[name] = [_in_utc(value) for value in values]
    return StoreTable(columns)


def _in_utc(value):
    """Times are stored in UTC; SQLite does not say so."""
    if not isinstance(value, datetime):
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
