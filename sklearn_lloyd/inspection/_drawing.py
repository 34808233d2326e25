"""What the displays share: axes, colours that the colour-blind can tell apart."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sklearn_lloyd._optional import import_optional

# Okabe & Ito's palette less yellow and black, which vanish on a light or a dark background.
_COLORS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#999999")
# With each round of colours another shape: 35 clusters look different, then it starts anew.
_MARKERS = ("o", "s", "^", "D", "v")
_PANEL = (4.2, 3.4)  # inches
_COLUMNS = 3
_LONGEST = 60  # characters of a label; more would leave no room for the picture


class Look(NamedTuple):
    """How a cluster is drawn."""

    color: str
    marker: str


def look_of(cluster):
    """The look of a cluster by its number; numbers beyond 34 share one with an earlier cluster."""
    n_colors = len(_COLORS)
    return Look(_COLORS[cluster % n_colors], _MARKERS[cluster // n_colors % len(_MARKERS)])


def one_panel(ax, size=_PANEL):
    """The axes to draw on: those given, or those of a new figure."""
    return panels(ax, 1, 1, size)[0, 0]


def panels(ax, n_rows, n_columns, size=_PANEL):
    """A grid of axes: of a new figure, or inside of the axes given.

    Returns
    -------
    axes : ndarray of Axes of shape (n_rows, n_columns)

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    TypeError
        If `ax` is neither None nor axes.
    """
    pyplot = import_optional("matplotlib.pyplot", extra="plot")
    if ax is None:
        _, axes = pyplot.subplots(
            n_rows,
            n_columns,
            figsize=(size[0] * n_columns, size[1] * n_rows),
            squeeze=False,
            layout="constrained",
        )
        return axes
    axes_type = import_optional("matplotlib.axes", extra="plot").Axes
    if not isinstance(ax, axes_type):
        raise TypeError(f"ax should be axes of matplotlib or None; got {type(ax).__name__}.")
    if n_rows == n_columns == 1:
        return np.array([[ax]])
    ax.set_axis_off()
    axes = np.empty((n_rows, n_columns), object)
    width, height = 1.0 / n_columns, 1.0 / n_rows
    for i in range(n_rows):
        for j in range(n_columns):
            box = (j + 0.15) * width, 1.0 - (i + 0.8) * height, 0.8 * width, 0.65 * height
            axes[i, j] = ax.inset_axes(box)
    return axes


def grid_of(ax, n_panels, size=_PANEL):
    """So many axes, an array, in rows of up to three; as of `panels`."""
    n_columns = min(_COLUMNS, n_panels)
    axes = panels(ax, -(-n_panels // n_columns), n_columns, size).ravel()
    for unused in axes[n_panels:]:
        unused.set_axis_off()
    return axes[:n_panels]


def shown_of(n_shown, n_rows):
    """Says how many of the rows are drawn; empty if all are."""
    return "" if n_shown == n_rows else f"{n_shown:,} of {n_rows:,} rows"


def label_of(text, longest=_LONGEST):
    """A name from the data as a label: on one line, not too long, with no formula in it."""
    text = " ".join(str(text).split())
    text = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return text.replace("$", r"\$")  # matplotlib would take what is between two for a formula


def put_number(ax, cluster, place, size=8):
    """Write the number of a cluster at a place, readable on any background."""
    text = ax.annotate(
        str(cluster),
        place,
        ha="center",
        va="center",
        fontsize=size,
        fontweight="bold",
        color="white",
        bbox={"boxstyle": "circle,pad=0.25", "facecolor": "#222222", "edgecolor": "white"},
    )
    text.set_zorder(5)
    return text
