"""What the columns of the data were like, and whether new data is scaled the same way."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import numpy as np
from scipy import sparse

from sklearn_lloyd._columns import (
    NUMBER,
    as_floats,
    column_kinds,
    column_names,
    column_of,
    is_frame,
)

_FEWEST = 30  # rows on which anything can be said of a scale
# So many times as wide or as narrow is another scale, if most columns are. Customers of one kind
# only, or heavy tails, seldom are in most columns; money or ages for z-scores are.
_WIDER = 8.0
# One column that is so many times as large or as small as it was is in another unit: ten, less
# what chance does in a few rows. The largest value has to go the same way: in a column of zeros
# and ones, or of rare counts, mean and deviation may change as much.
_OTHER_UNIT = 7.0
_LARGEST = 2.0
_COLLAPSED = 0.05  # of the former mean and deviation: where the new mean is, if X was scaled


class ColumnRange(NamedTuple):
    """A column of numbers; NaN in all but the first two if it has no values."""

    position: int
    feature: str
    mean: float
    deviation: float
    lowest: float
    highest: float


class RangeReader:
    """Adds up ranges of columns, block by block.

    Parameters
    ----------
    names : sequence of str, or None
        Of the columns of blocks that have none.
    """

    def __init__(self, names):
        self._names, self._columns = names, None
        self.n_rows = 0

    def read(self, X):
        """Add a block; of sparse rows nothing is known."""
        self.n_rows += X.shape[0]
        if sparse.issparse(X):
            return
        if self._columns is None:
            names = column_names(X) or self._names
            kinds = column_kinds(X)
            self._columns = {
                j: _Column(f"x{j}" if names is None else str(names[j]))
                for j, kind in enumerate(kinds)
                if kind.name == NUMBER
            }
        for j, column in self._columns.items():
            column.add(as_floats(column_of(X, j)))

    def ranges(self):
        """A list of `ColumnRange`."""
        return [
            ColumnRange(j, column.name, *column.range())
            for j, column in (self._columns or {}).items()
        ]


class _Column:
    def __init__(self, name):
        self.name = name
        self._n, self._mean, self._squares = 0, 0.0, 0.0
        self._lowest, self._highest = np.inf, -np.inf

    def add(self, values):
        values = values[np.isfinite(values)]
        if not values.size:
            return
        mean = float(values.mean())
        total = self._n + values.size
        step = mean - self._mean
        self._squares += float(np.square(values - mean).sum())
        self._squares += step**2 * self._n * values.size / total
        self._mean += step * values.size / total
        self._n = total
        self._lowest = min(self._lowest, float(values.min()))
        self._highest = max(self._highest, float(values.max()))

    def range(self):
        if not self._n:
            return (np.nan,) * 4
        return self._mean, (self._squares / self._n) ** 0.5, self._lowest, self._highest


def require_same_scale(old, new, n_rows):
    """Raise a ValueError if new rows are not scaled as those were that a model was made with.

    It is for gross mistakes: rows that were scaled before a pipeline that scales, rows that were
    not scaled before a clusterer alone, grams for kilograms. Drift is not one. Rows are refused

    - if a column is in another unit: typical size and deviation are both seven times as large or
      as small as they were, and the largest size twice. The typical size is the mean, of a
      column with values of both signs the deviation;
    - if all values of a column are above or below all former ones;
    - if most columns are eight times as wide, or as narrow and about zero.

    Parameters
    ----------
    old, new : list of ColumnRange
    n_rows : int
        How many new rows there are; of a few, nothing is said.
    """
    if n_rows < _FEWEST:
        return
    by_name = {column.feature: column for column in new}
    pairs = [(one, by_name[one.feature]) for one in old if one.feature in by_name]
    if not pairs:  # names of a frame on one side only
        by_place = {column.position: column for column in new}
        pairs = [(one, by_place[one.position]) for one in old if one.position in by_place]
    pairs = [(a, b) for a, b in pairs if a.deviation > 0.0 and b.deviation == b.deviation]
    outside = [(a, b) for a, b in pairs if b.lowest > a.highest or b.highest < a.lowest]
    sure = [(a, b) for a, b in pairs if (a, b) in outside or _is_in_another_unit(a, b)]
    suspect = [(a, b) for a, b in pairs if (a, b) in sure or _is_rescaled(a, b)]
    if sure or (pairs and len(suspect) > len(pairs) / 2):
        a, b = (sure or suspect)[0]
        raise ValueError(
            f"X is scaled otherwise than the rows that this version was registered with: in "
            f"{len(suspect)} of {len(pairs)} columns. {a.feature!r} was from {a.lowest:.4g} to "
            f"{a.highest:.4g} with a mean of {a.mean:.4g}, and is from {b.lowest:.4g} to "
            f"{b.highest:.4g} with {b.mean:.4g}. Give the rows as the registered estimator takes "
            "them: a pipeline scales them itself. If the data has really changed that much, or is "
            "of one kind only, such as new customers, pass check_scale=False (on the command line "
            "--any-scale)."
        )


def _is_in_another_unit(old, new):
    sizes = zip(_sizes(old), _sizes(new), (_OTHER_UNIT, _OTHER_UNIT, _LARGEST), strict=True)
    limits = [(a * factor <= b, b * factor <= a) for a, b, factor in sizes]
    return any(map(all, zip(*limits, strict=True))) and new.deviation > 0.0


def _sizes(column):
    """Typical size, deviation and largest size of the values."""
    has_one_sign = column.lowest >= 0.0 or column.highest <= 0.0
    typical = abs(column.mean) if has_one_sign else column.deviation
    return typical, column.deviation, max(abs(column.lowest), abs(column.highest))


def _is_rescaled(old, new):
    wider = new.deviation > _WIDER * old.deviation
    narrower = new.deviation * _WIDER < old.deviation
    return wider or (narrower and abs(new.mean) < _COLLAPSED * (abs(old.mean) + old.deviation))


class Fingerprint:
    """SHA-256 of rows that come in blocks: of their values, not of how they are held.

    Numbers count as float64, anything else as text. The sizes of the blocks make no difference
    to dense rows of one dtype; whether a table is sparse does.
    """

    def __init__(self):
        self._hashes = None

    def read(self, X):
        if sparse.issparse(X):
            X = X.tocsr()
            columns = [np.diff(X.indptr), X.indices, X.data]
        else:
            columns = [column_of(X, j) for j in range(X.shape[1])]
        if self._hashes is None:
            self._hashes = [hashlib.sha256() for _ in columns]
            if is_frame(X):
                self._hashes.append(hashlib.sha256("\0".join(column_names(X)).encode()))
        for values, own in zip(columns, self._hashes, strict=False):
            own.update(_bytes_of(np.asarray(values)))

    def hexdigest(self):
        digests = b"".join(own.digest() for own in self._hashes or ())
        return hashlib.sha256(digests).hexdigest()


def _bytes_of(values):
    if values.dtype.kind in "biuf":
        return np.ascontiguousarray(values, "<f8").tobytes()
    texts = (str(value).encode("utf-8", "replace") for value in values.tolist())
    return b"".join(len(text).to_bytes(8, "little") + text for text in texts)
