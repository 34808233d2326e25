"""A new version of a model into the tables, and names of segments."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter

from sklearn_lloyd._cluster_names import check_name, check_text, require_different, unused
from sklearn_lloyd._optional import import_optional
from sklearn_lloyd.tracking._bulk import insert_many
from sklearn_lloyd.tracking._schema import tables

_OF = "Segments of a model, the lost ones too,"
_CENTROIDS = {"model_id": "int8", "version": "int8", "segment_id": "int8", "space": "text"}
_CENTROIDS |= {"position": "int8", "feature": "text", "value": "float8"}


def insert_version(connection, model, name, described, matched, names, own_names, details):
    """Write one version whole, in the transaction of the connection.

    Parameters
    ----------
    model : row of `segment_models`, or None
        None for the first version.
    name : str
    described : Description
    matched : Matched
    names : dict of int to str
        By cluster.
    own_names : dict of int to str
        Of the model, by cluster: for segments that are new.
    details : dict
        The remaining columns of `segment_versions`.

    Returns
    -------
    version : int
    """
    t = tables()
    if model is None:
        version = 1
        row = {"name": name, "next_segment_id": matched.next_segment_id}
        row |= {"current_version": 1, "created_at": details["created_at"]}
        model_id = connection.execute(t.models.insert(), row).inserted_primary_key[0]
    else:
        version, model_id = model.current_version + 1, model.model_id
        new = {"current_version": version, "next_segment_id": matched.next_segment_id}
        connection.execute(t.models.update().where(t.models.c.model_id == model_id), new)
    own = {"model_id": model_id, "version": version}
    row = own | described.columns | details | {"rand_index": matched.rand_index}
    connection.execute(t.versions.insert(), row)
    ids = matched.segment_ids.tolist()
    given = {ids[cluster]: text for cluster, text in names.items()}
    held = {ids[cluster]: text for cluster, text in own_names.items()}
    _write_names(connection, model_id, version, ids, given, held)
    _insert(connection, t.clusters, own, _clusters(ids, described.sizes))
    # In the order of the key. Wide models have millions.
    centroids = (
        (model_id, version, segment, space, position, feature, values[cluster])
        for cluster, segment in sorted(enumerate(ids), key=itemgetter(1))
        for space, position, feature, values in described.centroids
    )
    insert_many(connection, t.centroids.name, _CENTROIDS, centroids)
    _insert(connection, t.features, own, [_without_nan(one._asdict()) for one in described.ranges])
    _insert(connection, t.drift, own, [_without_nan(one) for one in matched.drift])
    return version


def change_names(connection, model, names, notes):
    """Give some segments of a model other names and notes, by segment id."""
    t = tables()
    current = _names(connection, model.model_id)
    for what in (names, notes):
        if not isinstance(what, Mapping):
            raise TypeError(f"names and notes must be dicts of segment ids to text; got {what!r}.")
        unknown = [segment for segment in what if segment not in current]
        if unknown:
            raise LookupError(
                f"The model {model.name!r} has no segments {unknown}; it has {sorted(current)}."
            )
    names = {int(one): check_name(name) for one, name in names.items()}
    notes = {int(one): check_text(note, "A note", True) for one, note in notes.items()}
    require_different((current | names).values(), _OF)
    for column, values in (("name", names), ("note", notes)):
        _update(connection, t.names, model.model_id, values, column)


def _write_names(connection, model_id, version, ids, given, held):
    t = tables()
    current = _names(connection, model_id)
    new = [segment for segment in ids if segment not in current]
    given = {segment: held[segment] for segment in new if segment in held} | given
    taken = {*current.values(), *given.values()}
    names = current | {segment: unused(f"Segment {segment}", taken) for segment in new} | given
    require_different(names.values(), _OF)
    # The ones that stay: perhaps with another name.
    kept = {segment: names[segment] for segment in given if segment in current}
    _update(connection, t.names, model_id, kept, "name")
    stays = {segment: version for segment in ids if segment in current}
    _update(connection, t.names, model_id, stays, "last_version")
    rows = [
        {"segment_id": segment, "name": names[segment], "note": "", "first_version": version}
        for segment in new
    ]
    _insert(connection, t.names, {"model_id": model_id, "last_version": version}, rows)


def _names(connection, model_id):
    sa = import_optional("sqlalchemy", extra="store")
    n = tables().names.c
    query = sa.select(n.segment_id, n.name).where(n.model_id == model_id)
    return {row.segment_id: row.name for row in connection.execute(query)}


def _update(connection, table, model_id, values, column):
    """Set a column by segment id."""
    sa = import_optional("sqlalchemy", extra="store")
    if values:
        mine = (table.c.model_id == model_id) & (table.c.segment_id == sa.bindparam("own_segment"))
        statement = table.update().where(mine).values({column: sa.bindparam("own_value")})
        rows = [{"own_segment": one, "own_value": value} for one, value in values.items()]
        connection.execute(statement, rows)


def _insert(connection, table, own, rows):
    if rows:
        connection.execute(table.insert(), [own | row for row in rows])


def _clusters(ids, sizes):
    total = sum(sizes) if sizes else None
    return [
        {
            "segment_id": segment,
            "cluster": cluster,
            "n_rows": None if sizes is None else sizes[cluster],
            "share": None if sizes is None else sizes[cluster] / total,
        }
        for cluster, segment in enumerate(ids)
    ]


def _without_nan(row):
    return {key: None if value != value else value for key, value in row.items()}
