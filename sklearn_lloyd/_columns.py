"""What the columns of a table are: the only module that knows of the dtypes of frames.

pandas, polars and Arrow begin the names of their dtypes with the same few words, so that one table
of words serves them all, and none of them is imported. (narwhals is not there with the oldest
scikit-learn, and it does not look at the values of columns of objects, which have to be told
apart all the same.)
"""

import re
from datetime import date, time, timedelta
from functools import lru_cache, partial
from numbers import Number, Real
from typing import NamedTuple

import numpy as np

NUMBER, BOOLEAN, CATEGORY, TIME, OTHER = "number", "boolean", "category", "time", "other"
MISSING = "missing"  # as a category


class Kind(NamedTuple):
    """What a column is: one of five kinds, and in words what it holds."""

    name: str
    holds: str


_KINDS = {
    word: Kind(name, holds)
    for name, holds, words in (
        (NUMBER, "numbers", "int uint float halffloat double decimal null"),
        (BOOLEAN, "yes and no", "bool boolean"),
        (CATEGORY, "text", "str string utf large_string large_utf string_view"),
        (CATEGORY, "categories", "category categorical enum dictionary"),
        (TIME, "times", "date datetime time timestamp timedelta duration period"),
        (TIME, "times", "month_interval day_time_interval month_day_nano_interval"),
        (OTHER, "lists", "list large_list fixed_size_list list_view large_list_view array map"),
        (OTHER, "structs", "struct"),
        (OTHER, "bytes", "bytes binary large_binary fixed_size_binary binary_view"),
        (OTHER, "intervals", "interval"),
        (OTHER, "complex numbers", "complex"),
    )
    for word in words.split()
}
# Of the values of a column of objects, by the first class that they are of: a bool is an int, a
# duration of NumPy is a whole number, and a duration of pandas is a timedelta.
_CLASSES = (
    ((bool, np.bool_), _KINDS["bool"]),
    ((date, time, timedelta, np.datetime64, np.timedelta64), _KINDS["time"]),
    ((complex, np.complexfloating), _KINDS["complex"]),
    (Number, _KINDS["float"]),
    (str, _KINDS["str"]),
    ((bytes, bytearray, memoryview), _KINDS["bytes"]),
    (dict, _KINDS["struct"]),
    ((list, tuple, set, frozenset, np.ndarray), _KINDS["list"]),
)
_SIMPLE = {str, int, float, bool, type(None)}  # that NumPy compares, each with itself and None
_MOST_NAMED = 10  # columns, in a message
_ADVICE = {
    CATEGORY: "encode text and categories, for instance with "
    "sklearn_lloyd.preprocessing.table_pipeline (k-means then goes by the distances of "
    "k-prototypes), or free text with sklearn.feature_extraction.text.TfidfVectorizer, and "
    "convert numbers written as text such as '1,200'",
    TIME: "turn times into numbers that mean something: days since a date, the hour, the weekday",
    OTHER: "take numbers out of whatever is neither number nor text, or drop it",
}


def is_frame(X):
    """Whether X is a frame of pandas, polars or Arrow, or one that is like them."""
    has = partial(hasattr, type(X))  # the class: to make the list of dtypes takes polars a while
    return has("shape") and (has("column_names") or (has("columns") and has("dtypes")))


def refuse_lazy(X):
    """Raise a TypeError if X is a table whose rows are not in memory."""
    if hasattr(X, "__dask_graph__") and not isinstance(getattr(X, "shape", (0,))[0], int):
        raise TypeError(
            f"X is a dask {type(X).__name__}, whose rows are not in memory. "
            "sklearn_lloyd.distributed.DaskKMeans clusters it in blocks. X.compute() loads all of "
            "it, X.sample(frac=0.01).compute() some rows, to look at or to prepare columns by."
        )
    if hasattr(X, "collect") and not hasattr(X, "shape"):
        raise TypeError(f"X is a {type(X).__name__}, which has no rows yet: give X.collect().")


def column_labels(X):
    """What a frame calls its columns; None for anything else."""
    if not is_frame(X):
        return None
    return X.column_names if hasattr(X, "column_names") else X.columns


def column_names(X):
    """The same as a list of str."""
    labels = column_labels(X)
    return None if labels is None else [str(label) for label in labels]


def column_of(X, j):
    """A column of a frame or a dense array, of the type that it has there."""
    j = int(j)  # polars and Arrow take no integers of NumPy
    if hasattr(X, "iloc"):
        return X.iloc[:, j]
    return X.column(j) if hasattr(X, "column_names") else X[:, j]


def column_kinds(X):
    """The kind of each column of a frame, an array or a sparse matrix: a list of `Kind`.

    Dtypes decide, and only where they do not, as of columns of objects, all values.
    """
    if is_frame(X):
        dtypes = X.schema.types if hasattr(X, "column_names") else X.dtypes
    else:
        dtypes = [X.dtype] * X.shape[1]
    kinds = map(_kind_of_dtype, dtypes)
    return [kind or _kind_of_values(np.asarray(column_of(X, j))) for j, kind in enumerate(kinds)]


def _kind_of_dtype(dtype):
    """None where the dtype leaves it open."""
    if getattr(dtype, "kind", "O") in "iuf":
        return _KINDS["float"]
    return _kind_of_name(dtype.name if isinstance(dtype, np.dtype) else str(dtype))


@lru_cache(maxsize=64)
def _kind_of_name(name):
    return _KINDS.get(re.match("[a-z_]*", name.lower())[0])


def _kind_of_values(values):
    classes = set(map(type, values.flat))
    kinds = {_kind_of_class(one) for one in classes} - {None}
    if len(kinds) > 1 and any(issubclass(one, float | np.floating) for one in classes):
        classes = set(map(type, values[~missing_values(values)]))  # some NaN is no number
        kinds = {_kind_of_class(one) for one in classes} - {None}
    if kinds <= {_KINDS["bool"], _KINDS["float"]}:
        return _KINDS["bool" if kinds == {_KINDS["bool"]} else "float"]
    if len(kinds) == 1:
        return kinds.pop()
    return Kind(OTHER, f"objects of mixed kind ({', '.join(sorted(k.holds for k in kinds))})")


def _kind_of_class(one):
    """None of what stands for a missing value."""
    if one.__name__ in ("NoneType", "NAType", "NaTType"):
        return None
    for classes, kind in _CLASSES:
        if issubclass(one, classes):
            return kind
    if one.__module__.startswith("pandas._libs.tslibs"):  # periods, offsets
        return _KINDS["time"]
    if one.__name__ == "Interval":
        return _KINDS["interval"]
    return Kind(OTHER, f"objects of type {one.__name__}")


def missing_values(values):
    """Which values of an array are missing: NaN, None, and what pandas has for these."""
    if values.dtype.kind != "O":
        return np.isnan(values) if values.dtype.kind in "fmM" else np.zeros(values.shape, bool)
    if set(map(type, values.flat)) <= _SIMPLE:
        return (values != values) | np.equal(values, None)
    found = np.fromiter(map(is_missing, values.flat), bool, values.size)
    return found.reshape(values.shape)


def is_missing(value):
    if isinstance(value, float | np.floating):
        return value != value
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def as_floats(values):
    """Numbers, or text that reads as such, as float64; NaN where they are missing.

    Raises
    ------
    ValueError, TypeError
        If there is no number for a value.
    """
    values = np.asarray(values)
    try:
        return values.astype(np.float64, copy=False)
    except TypeError:  # of pandas.NA
        present = ~missing_values(values)
        if present.all():
            raise
        found = np.full(values.shape, np.nan)
        found[present] = values[present].astype(np.float64)
        return found


def label_of(category):
    """What a category is called: a whole number without a decimal point."""
    if is_missing(category):
        return MISSING
    whole = isinstance(category, Real) and float(category).is_integer()
    return str(int(category)) if whole else str(category)


def as_texts(values):
    """Categories as texts, an array of objects: missing ones are one of them.

    Numbers, also those in columns of objects, are called the same whatever type holds them.
    """
    values = np.asarray(values)
    if column_kinds(values[:, np.newaxis])[0].name == NUMBER:
        values = as_floats(values)
    if values.dtype.kind == "f":
        found, places = np.unique(values, return_inverse=True)
        return np.array([label_of(value) for value in found], object)[places]
    return np.where(missing_values(values), MISSING, values.astype(str)).astype(object)


def as_times(values):
    """Times as float64 days since 1970, by the clock of their own time zone; NaN where missing.

    Texts such as "2024-12-31" are read, too, and numbers are days.

    Raises
    ------
    ValueError, TypeError
        If they are no dates, but for instance durations.
    """
    values = np.asarray(values)
    if values.dtype.kind in "iuf":
        return as_floats(values)
    if values.dtype.kind == "O":
        values = np.array([_by_its_clock(each) for each in values], "datetime64[us]")
    if values.dtype.kind != "M":
        raise ValueError("no dates")
    days = values.astype("datetime64[us]").astype(np.int64) / 86_400e6
    return np.where(np.isnat(values), np.nan, days)


def _by_its_clock(moment):
    if is_missing(moment):
        return None
    return moment.replace(tzinfo=None) if getattr(moment, "tzinfo", None) else moment


def not_numbers(X):
    """The columns that k-means cannot take: a list of pairs (place, kind).

    Text and categories count as numbers if all of them read as such, as in scikit-learn.
    """
    return [
        (j, kind)
        for j, kind in enumerate(column_kinds(X))
        if kind.name not in (NUMBER, BOOLEAN)
        and not (kind.name == CATEGORY and reads_as_numbers(column_of(X, j)))
    ]


def reads_as_numbers(values):
    """Whether there is a number for each value."""
    try:
        as_floats(values)
    except (ValueError, TypeError, OverflowError):
        return False
    return True


def require_numbers(X):
    """Refuse a frame that has columns of anything else, by their names."""
    if is_frame(X) and (refused := not_numbers(X)):
        raise ValueError(refusal(X, refused))


def refusal(X, refused):
    """Say which columns are not numbers, what they are, and what to do."""
    names = column_names(X)
    places = {kind: [j for j, own in refused if own == kind] for _, kind in refused}
    held = [
        f"{kind.holds} ({named_columns(own, names)})" if len(places) > 1 else kind.holds
        for kind, own in places.items()
    ]
    counted = "" if names else " (counted from 0: columns of an array have no names)"
    advice = [said for name, said in _ADVICE.items() if any(kind.name == name for kind in places)]
    return (
        f"Columns that are not numbers: {named_columns([j for j, _ in refused], names)}{counted}. "
        f"They hold {', '.join(held)}. k-means needs numbers: {'; '.join(advice)}. Then bring "
        "all columns to one scale, for instance with sklearn_lloyd.preprocessing.ClusterScaler."
    )


def named_columns(places, names, said=None):
    """List columns in a sentence: by name, or by number where there are no names.

    Parameters
    ----------
    places : sequence of int
    names : sequence, or None
    said : sequence of str, default=None
        What to say of each, in brackets.
    """
    listed = [str(j) if names is None else repr(str(names[j])) for j in places[:_MOST_NAMED]]
    if said is not None:
        listed = [f"{name} ({what})" for name, what in zip(listed, said, strict=False)]
    more = len(places) - _MOST_NAMED
    return ", ".join(listed) + (f" and {more} more" if more > 0 else "")
