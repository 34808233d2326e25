"""Ids of records: whole numbers, text or UUIDs, as the text that the database holds."""

from __future__ import annotations

from collections import Counter
from numbers import Integral
from uuid import UUID

import numpy as np

from sklearn_lloyd._columns import missing_values

INTEGER, TEXT, KIND_UUID = "integer", "text", "uuid"
_SHOWN = 5


def check_ids(ids):
    """Check the ids of one block.

    Parameters
    ----------
    ids : array-like of shape (n_records,)

    Returns
    -------
    texts : list of str
        Whole numbers in decimal digits, UUIDs in lower case with hyphens, text as it is.
    kind : {'integer', 'text', 'uuid', None}
        None if there are no ids.

    Raises
    ------
    ValueError
        If one is missing, occurs twice, or is of another kind than the others.
    TypeError
        If they are of no such kind.
    """
    values = ids_as_array(ids)
    if values.size == 0:
        return [], None
    missing = int(missing_values(values).sum())
    if missing:
        raise ValueError(
            f"{missing} of {len(values)} ids are missing (NULL, None or NaN): leave out records "
            "that have no id."
        )
    texts, kind = _as_texts(values)
    if len(set(texts)) < len(texts):
        repeated = [text for text, count in Counter(texts).most_common(_SHOWN) if count > 1]
        raise ValueError(repeated_message(repeated))
    return texts, kind


def require_kind(kind, expected):
    """Raise a ValueError if ids are of another kind than those of the model; None is open."""
    if None not in (kind, expected) and kind != expected:
        raise ValueError(
            f"The records of this model have ids of kind {expected!r}, and these are of kind "
            f"{kind!r}: the number 1 and the text '1' would be two records. Convert the ids."
        )


def repeated_message(repeated):
    return (
        f"Ids occur more than once, among them {', '.join(map(repr, repeated))}: a record can be "
        "in one segment only."
    )


def ids_as_array(ids):
    """The ids as an array of one dimension."""
    if isinstance(ids, str | bytes):
        raise TypeError(f"ids must be a sequence with one id for each row; got {ids!r}.")
    values = np.asarray(ids) if hasattr(ids, "__array__") else np.asarray(list(ids), object)
    if values.ndim != 1:
        raise ValueError(f"ids must have one dimension; got the shape {values.shape}.")
    return values


def _as_texts(values):
    if values.dtype.kind in "iu":
        return list(map(str, values.tolist())), INTEGER
    if values.dtype.kind not in "OUT":  # T: NumPy's own text of any length
        raise TypeError(_wrong(values.dtype.name))
    values = values.tolist()
    kinds = {each: _kind_of(each) for each in set(map(type, values))}
    if len(set(kinds.values())) > 1:
        raise TypeError(f"ids are of more than one kind: {', '.join(sorted(kinds.values()))}.")
    kind = next(iter(kinds.values()))
    if kind == INTEGER:  # also NumPy's
        return [str(int(value)) for value in values], kind
    texts = list(map(str, values))
    if kind == TEXT:
        _check_texts(texts)
    return texts, kind


def _kind_of(one):
    if issubclass(one, str):
        return TEXT
    if issubclass(one, Integral) and not issubclass(one, bool):
        return INTEGER
    if issubclass(one, UUID):
        return KIND_UUID
    raise TypeError(_wrong(one.__name__))


def _wrong(name):
    advice = ""
    if name.startswith("float"):
        advice = " pandas makes floats of whole numbers next to missing ones: take Int64 there."
    return f"ids must be whole numbers, text or UUIDs; got {name}.{advice}"


def _check_texts(texts):
    whole = "".join(texts)
    if "\0" in whole:
        raise ValueError("ids contain the character NUL, which PostgreSQL cannot hold.")
    try:
        whole.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"ids contain text that is no valid Unicode: {error}.") from error
