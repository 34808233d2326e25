"""What the store answers with: a small table."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib import import_module

_SHOWN = 60  # rows in a repr
_WIDEST = 40  # letters of a cell in a repr


class StoreTable(Mapping):
    """A table that :class:`SegmentStore` gives: columns by name, in order.

    It is a mapping of names to lists, so that ``table["name"]`` is a column, and pandas and polars
    take ``dict(table)``. Not to be made by hand. Printed, long texts are cut; the columns have
    them whole.

    Parameters
    ----------
    columns : dict of str to list
        All of the same length.

    Attributes
    ----------
    n_rows : int
        Number of rows.

    Examples
    --------
    >>> from sklearn_lloyd.tracking import StoreTable
    >>> StoreTable({"segment_id": [0, 1], "name": ["Regulars", "New"]})
    segment_id  name
    0           Regulars
    1           New
    """

    def __init__(self, columns):
        self._columns = columns

    @property
    def n_rows(self):
        return len(next(iter(self._columns.values()), ()))

    def __getitem__(self, name):
        return self._columns[name]

    def __iter__(self):
        return iter(self._columns)

    def __len__(self):
        return len(self._columns)

    def rows(self):
        """The rows, one after the other.

        Returns
        -------
        rows : list of dict
            Values by name of the column.
        """
        columns = self._columns.values()
        return [dict(zip(self._columns, row, strict=True)) for row in zip(*columns, strict=True)]

    def to_frame(self, library="pandas"):
        """The table as a frame.

        Parameters
        ----------
        library : {'pandas', 'polars'}, default='pandas'
            Whose frame; it has to be installed.

        Returns
        -------
        frame : pandas or polars DataFrame
        """
        if library not in ("pandas", "polars"):
            raise ValueError(f"library must be 'pandas' or 'polars'; got {library!r}.")
        return import_module(library).DataFrame(dict(self._columns))

    def _shown(self):
        return [[_short(value) for value in row.values()] for row in self.rows()[:_SHOWN]]

    def __repr__(self):
        lines = [list(self._columns), *self._shown()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        shown = [
            "  ".join(map(str.ljust, line, widths)).rstrip()
            for line in lines
        ]  # fmt: skip
        return "\n".join(shown + self._left_out())

    def _left_out(self):
        return [f"... {self.n_rows} rows"] if self.n_rows > _SHOWN else []

    def _repr_html_(self):
        head = "".join(f"<th>{escape(name)}</th>" for name in self._columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{escape(value)}</td>" for value in row) + "</tr>"
            for row in self._shown()
        )
        left = "".join(f"<p>{line}</p>" for line in self._left_out())
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{left}"


def _short(value):
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.1g}" if abs(value) < 1e-9 else f"{value:.4g}"  # of rounding errors
    text = f"{value:%Y-%m-%d %H:%M}" if hasattr(value, "strftime") else str(value)
    text = " ".join(text.split())
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 3]}..."
