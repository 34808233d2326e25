"""A new version of a model into the tables, and names of segments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sklearn_lloyd._optional import import_optional
from sklearn_lloyd.tracking._schema import tables


def check_text(text, what, may_be_empty=False):
    """A name or note, or an error that says what it is of."""
    if not isinstance(text, str):
        raise TypeError(f"{what} must be a str; got {text!r} ({type(text).__name__}).")
    if not may_be_empty and not text.strip():
        raise ValueError(f"{what} must not be empty.")
    if "\0" in text:
        raise ValueError(f"{what} contains the character NUL, which PostgreSQL cannot hold.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{what} is no valid Unicode: {error}.") from error
    return str(text)


def check_names(names, n_clusters):
    """Names of clusters that are to be registered, a dict of cluster to name."""
    if names is None:
        return {}
    if not isinstance(names, Mapping):
        if isinstance(names, str) or not hasattr(names, "__len__"):
            raise TypeError(f"names must be a list or a dict of clusters to names; got {names!r}.")
        if len(names) != n_clusters:
            raise ValueError(f"names has {len(names)} names for {n_clusters} clusters.")
        names = dict(enumerate(names))
    unknown = [cluster for cluster in names if cluster not in range(n_clusters)]
    if unknown:
        raise ValueError(
            f"The keys of names must be clusters as predict gives them, 0 to {n_clusters - 1}; "
            f"got {unknown}."
        )
    return {int(cluster): check_text(name, "A name") for cluster, name in names.items()}


def insert_version(connection, model, name, described, matched, names, details):
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
    by_segment = {ids[cluster]: text for cluster, text in names.items()}
    _write_names(connection, model_id, version, ids, by_segment)
    _insert(connection, t.clusters, own, _clusters(ids, described.sizes))
    fields = ("segment_id", "space", "position", "feature", "value")
    centroids = [
        dict(zip(fields, (ids[cluster], *rest), strict=True))
        for cluster, *rest in described.centroids
    ]
    _insert(connection, t.centroids, own, centroids)
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
    names = {int(one): check_text(name, "A name") for one, name in names.items()}
    notes = {int(one): check_text(note, "A note", True) for one, note in notes.items()}
    _require_different(current | names)
    for column, values in (("name", names), ("note", notes)):
        _update(connection, t.names, model.model_id, values, column)


def _write_names(connection, model_id, version, ids, given):
    t = tables()
    current = _names(connection, model_id)
    new = [segment for segment in ids if segment not in current]
    taken = {*current.values(), *given.values()}
    names = current | {segment: _unused(f"Segment {segment}", taken) for segment in new} | given
    _require_different(names)
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


def _unused(name, taken):
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name} ({number})"
    taken.add(found)
    return found


def _require_different(names):
    repeated = [name for name, count in Counter(names.values()).items() if count > 1]
    if repeated:
        raise ValueError(
            "Segments of a model must have different names, the lost ones too; these do not: "
            f"{', '.join(map(repr, repeated))}."
        )


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
