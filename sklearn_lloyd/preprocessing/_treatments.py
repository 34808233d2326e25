"""The rules of `table_pipeline`: what becomes of a column, and in words why."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np

from sklearn_lloyd._columns import (
    BOOLEAN,
    CATEGORY,
    NUMBER,
    OTHER,
    TIME,
    as_floats,
    as_texts,
    as_times,
    missing_values,
    reads_as_numbers,
)
from sklearn_lloyd._identifiers import identifier_by, identifier_of_texts_by
from sklearn_lloyd.preprocessing._category_encoder import CategoryEncoder
from sklearn_lloyd.preprocessing._signed_log import SignedLog
from sklearn_lloyd.preprocessing._time_features import AGE, TIME_FEATURES

# A common bound for "highly skewed" (Bulmer, Principles of Statistics, 1979); that of an
# exponential distribution is 2.
SKEWED = 1.0
MOSTLY_MISSING = 0.5  # of the values: more would be made up than are known
# Of the rows, in categories that are frequent enough for a column of their own: with less, most
# rows would be alike for the sole reason that theirs are rare.
COVERED = 0.5
LOG, DROP = "log", "drop"
ROLES = (NUMBER, LOG, CATEGORY, *TIME_FEATURES, DROP)


class Treatment(NamedTuple):
    """What becomes of a column: roles that it plays, if any, and why, in words."""

    roles: tuple
    note: str


def _left_out(why):
    return Treatment((), f"left out: {why}")


def treat(name, kind, values, asked, max_categories):
    """The treatment of a column."""
    if asked == (DROP,):
        return _left_out("as roles says")
    missing = missing_values(values)
    share = float(missing.mean())
    if share == 1.0:
        why = "all values are missing"
    elif asked is None and share > MOSTLY_MISSING:
        why = f"{100 * share:.0f} % of the values are missing"
    elif asked is None and kind.name == OTHER:
        why = kind.holds
    elif asked is None and kind.name == TIME:
        why = "durations or times of day: make numbers of them"
        if _are_dates(values):
            why = f"times; roles={{{name!r}: 'age'}} makes days of them"
    else:
        if asked and asked[0] in TIME_FEATURES:
            found = _treat_times(name, kind, values, asked)
        elif asked[0] in (NUMBER, LOG) if asked else kind.name == NUMBER:
            found = _treat_numbers(name, kind, values, asked, max_categories)
        else:
            found = _treat_categories(name, kind, as_texts(values), missing, asked, max_categories)
        if found.roles and share and found.roles != (CATEGORY,):
            has_median = {NUMBER, LOG, AGE}.intersection(found.roles)
            filled = "the median" if has_median else "the middle of the circle"
            return found._replace(note=f"{found.note}; missing ({100 * share:.1f} %): {filled}")
        return found
    if asked:
        raise ValueError(f"roles asks for column {name!r} to be {asked[0]!r}, but {why}.")
    return _left_out(why)


def _treat_times(name, kind, values, asked):
    if kind.name not in (TIME, CATEGORY) or not _are_dates(values):
        raise ValueError(
            f"roles asks for column {name!r} to be {asked[0]!r}, but it does not hold dates."
        )
    return Treatment(asked, f"time: {' and '.join(asked)}")


def _are_dates(values):
    try:
        as_times(values)
    except (ValueError, TypeError, AttributeError):
        return False
    return True


def _treat_numbers(name, kind, values, asked, max_categories):
    if kind.name in (TIME, OTHER) or not reads_as_numbers(values):
        if asked is None:
            return _left_out("numbers beyond those of float64")
        raise ValueError(f"roles asks for column {name!r} to be {asked[0]!r}: it has no numbers.")
    numbers = as_floats(values)
    if np.isinf(numbers).any():
        raise ValueError(
            f"Column {name!r} has {np.isinf(numbers).sum()} infinite values: k-means needs finite "
            "ones. Replace them, perhaps by missing ones."
        )
    numbers = numbers[~np.isnan(numbers)]
    least, most = numbers.min(), numbers.max()
    if least == most:
        return Treatment((NUMBER,), "number: a single value") if asked else _left_out("one value")
    if asked is None:
        by = identifier_by(name, numbers)
        if by:
            return _left_out("numbers the rows" if by == "values" else "the name of an id")
        if ((numbers == least) | (numbers == most)).all():
            return _treat_categories(
                name, None, as_texts(values), missing_values(values), asked, max_categories
            )
    before = _skewness(numbers)
    after = _skewness(SignedLog().fit_transform(numbers[:, np.newaxis]).ravel())
    if asked == (LOG,) or (asked is None and before > SKEWED and abs(after) < before):
        return Treatment((LOG,), f"number: logarithm (skewness {before:.1f}), scaled")
    return Treatment((NUMBER,), "number: scaled")


def _skewness(numbers):
    """The third moment of z-scores; zero if these are not finite."""
    with np.errstate(all="ignore"):
        centered = numbers / np.abs(numbers).max()
        centered -= centered.mean()
        return float(np.nan_to_num(np.mean(centered**3) / np.mean(centered**2) ** 1.5))


def _treat_categories(name, kind, texts, missing, asked, max_categories):
    own = np.array(list(Counter(texts[~missing]).values()))
    counts = np.append(own, missing.sum()) if missing.any() else own
    if counts.size == 1 and asked is None:
        return _left_out("one value")
    fewest = CategoryEncoder().min_frequency * texts.size
    frequent = np.sort(counts[counts >= fewest])[::-1]
    n_kept = counts.size
    if not frequent.size == counts.size <= max_categories:
        n_kept = min(frequent.size, max_categories - 1)
    covered = float(frequent[:n_kept].sum() / texts.size)
    if asked is None and kind is not None and kind.name != BOOLEAN:
        by = identifier_of_texts_by(name, own)
        if by == "name":
            return _left_out("the name of an id")
        if by == "values":
            return _left_out(f"{kind.holds} with {own.size:,} values, nearly one for each row")
        if covered < COVERED:
            return _left_out(
                f"{own.size:,} values; those that are frequent enough for a column of their own "
                f"have {100 * covered:.0f} % of the rows"
            )
    note = f"category: {own.size} values"
    if n_kept < counts.size:
        note += f", of which {counts.size - n_kept} are joined as rare"
    if missing.any():
        note += f", missing ({100 * missing.mean():.1f} %) as one more"
    return Treatment((CATEGORY,), note)
