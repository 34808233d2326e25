"""Where the clusters went, and which rows went with them."""

from __future__ import annotations

import textwrap

import numpy as np

from sklearn_lloyd._cluster_names import check_names
from sklearn_lloyd._optional import import_optional
from sklearn_lloyd.inspection._drawing import label_of, look_of, panels, put_number
from sklearn_lloyd.inspection._plane import Plane

_BAR = 0.06  # width, of the picture of the flows
_LABEL = 20  # letters in a line
_GAP = 0.1  # between all bars of a side together, of their height


class AlignmentDisplay:
    """Old and new centres on a plane, and what flows from old clusters to new ones.

    On the left, a ring is an old centre, a number (the stable id) a new one; a line joins what is
    the same cluster. A ring with a cross is lost, a number in a square is new. On the right the
    bars are clusters, old ones and new ones, each as high as its share; the bands are the rows
    that both share. Make it with :meth:`from_alignment`.

    Parameters
    ----------
    places : ndarray of shape (n_clusters, 2), float64
        Where the new centres are drawn; NaN: not at all.
    reference_places : ndarray of shape (n_reference, 2), float64
        So, too, of the old ones.
    ids : ndarray of shape (n_clusters,), int
        Stable ids of the new clusters.
    reference_ids : ndarray of shape (n_reference,), int
        Those of the old ones.
    flows : ndarray of shape (n_reference, n_clusters), float64
        Share of the rows that go from each old to each new cluster.
    shares : ndarray of shape (n_clusters,), float64
        Of the new clusters.
    reference_shares : ndarray of shape (n_reference,), float64
        Of the old ones.
    axis_labels : tuple of two str
        Of the plane.
    title : str
        What the flows are.
    names : dict of int to str, default=None
        Names of clusters by stable id, to be written beside the bars.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Of the plane, where the display has a figure of its own; else what was given.
    axes_ : ndarray of Axes of shape (2,)
        Of the plane and of the flows.
    figure_ : matplotlib Figure
    numbers_ : list of Annotation
        At the new centres.
    bars_ : list of Rectangle
        Of the old clusters, then of the new ones.
    bands_ : list of PathPatch

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.tracking import AlignmentDisplay, align_clusters
    >>> X = load_iris().data
    >>> old, new = (KMeans(k, random_state=0).fit(X) for k in (2, 3))
    >>> display = AlignmentDisplay.from_alignment(align_clusters(new, old, X=X))
    >>> display.flows.round(2)
    array([[0.26, 0.  , 0.39],
           [0.  , 0.33, 0.02]])
    """

    def __init__(
        self, places, reference_places, ids, reference_ids, flows, shares, reference_shares,
        axis_labels, title, names=None,
    ):  # fmt: skip
        self.places = places
        self.reference_places = reference_places
        self.ids = ids
        self.reference_ids = reference_ids
        self.flows = flows
        self.shares = shares
        self.reference_shares = reference_shares
        self.axis_labels = axis_labels
        self.title = title
        self.names = names

    @classmethod
    def from_alignment(cls, alignment, *, names=None, ax=None):
        """Draw an alignment.

        Parameters
        ----------
        alignment : Alignment
            If it was made without X, the bands join what belongs together, as wide as the
            smaller cluster of both: shares of the rows are then not known.
        names : dict of int to str or list of str, default=None
            Names of clusters by stable id; or of all of them, old and new, in the order of the
            ids, as in the rows of :meth:`Alignment.to_frame`. Others are those of the alignment.
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure.

        Returns
        -------
        display : AlignmentDisplay

        Raises
        ------
        TypeError
            If it is no alignment, `names` is neither dict nor list, or a name is no str.
        ValueError
            If `names` has ids that the alignment has not, or a list of another length.
        ImportError
            If matplotlib is not installed.
        """
        if not hasattr(alignment, "reference_seen"):
            kind = type(alignment).__name__
            raise TypeError(f"Give what align_clusters returns; got {kind}.")
        names = alignment.names | check_names(names, alignment.drift["id"], "ids of the alignment")
        there = np.isfinite(alignment.seen).all(axis=1)
        every = np.concatenate([alignment.reference_seen, alignment.seen[there]])
        names_of_axes = alignment.features if len(alignment.features) == every.shape[1] else None
        plane = Plane(every, names_of_axes)
        places = np.full((len(there), 2), np.nan)
        places[there] = plane.place(alignment.seen[there])
        if alignment.flows is None:
            flows, shares, before = _links(alignment)
            title = "which belongs to which"
        else:
            flows = alignment.flows / alignment.flows.sum()
            shares, before = flows.sum(axis=0), flows.sum(axis=1)
            title = f"where {alignment.flows.sum():,} rows go"
        display = cls(
            places, plane.place(alignment.reference_seen), alignment.ids,
            alignment.reference_ids, flows, shares, before, plane.axis_labels, title, names,
        )  # fmt: skip
        return display.plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            None: in a new figure.

        Returns
        -------
        self : AlignmentDisplay
        """
        most = max(len(self.ids), len(self.reference_ids))
        self.axes_ = panels(ax, 1, 2, (5.6, max(4.6, 0.2 * most))).ravel()
        self.ax_ = self.axes_[0] if ax is None else ax
        self.figure_ = self.ax_.figure
        self._draw_plane(self.axes_[0])
        self._draw_flows(self.axes_[1])
        return self

    def _draw_plane(self, ax):
        was = {id_: j for j, id_ in enumerate(self.reference_ids.tolist())}
        size = 150
        for id_, (x, y) in zip(self.reference_ids.tolist(), self.reference_places, strict=True):
            ring = {"facecolors": "none", "edgecolors": look_of(id_).color, "linewidths": 1.5}
            ax.scatter(x, y, s=size, **ring, zorder=3)
            if id_ not in self.ids:
                ax.scatter(x, y, s=size / 2, c=look_of(id_).color, marker="x", zorder=3)
                ax.annotate(
                    f"{id_} lost", (x, y), xytext=(0, -10), textcoords="offset points",
                    ha="center", va="top", fontsize="small",
                )  # fmt: skip
        self.numbers_ = []
        for id_, place in zip(self.ids.tolist(), self.places, strict=True):
            if not np.isfinite(place).all():
                continue
            color = look_of(id_).color
            if id_ in was:
                ends = np.array([self.reference_places[was[id_]], place])
                ax.plot(*ends.T, color=color, linewidth=1.5, zorder=2)
            number = put_number(ax, id_, place)
            number.get_bbox_patch().set_facecolor(color)
            if id_ not in was:
                number.get_bbox_patch().set_boxstyle("square", pad=0.4)
                number.get_bbox_patch().set_edgecolor("#222222")
            self.numbers_.append(number)
            ax.scatter(*place, s=0)  # text alone does not widen the axes
        ax.set(xlabel=label_of(self.axis_labels[0]), ylabel=label_of(self.axis_labels[1]))
        ax.margins(0.12)
        ax.set_title("ring: before, number: now", fontsize="small", loc="right")

    def _draw_flows(self, ax):
        patches = import_optional("matplotlib.patches", extra="plot")
        total = max(self.shares.sum(), self.reference_shares.sum())
        old = _stack(self.reference_ids, self.reference_shares, total)
        new = _stack(self.ids, self.shares, total)
        self.bars_, self.bands_ = [], []
        sides = (
            (self.reference_ids, old, self.reference_shares, 0.0, "right"),
            (self.ids, new, self.shares, 1.0 - _BAR, "left"),
        )
        for ids, tops, shares, x, side in sides:
            for id_, top, share in zip(ids.tolist(), tops, shares, strict=True):
                bar = patches.Rectangle((x, top), _BAR, share, color=look_of(id_).color)
                self.bars_.append(ax.add_patch(bar))
                place = (x - 0.02 if side == "right" else x + _BAR + 0.02, top + share / 2)
                ax.annotate(
                    self._label(id_, share), place, ha=side, va="center", fontsize="small",
                    annotation_clip=False,
                )  # fmt: skip
        left, right = old.copy(), new.copy()
        for j in np.argsort(self.reference_ids):
            for i in np.argsort(self.ids):
                width = self.flows[j, i]
                if width > 0.0:
                    color = look_of(int(self.reference_ids[j])).color
                    band = _band(left[j], right[i], width)
                    patch = patches.PathPatch(band, facecolor=color, alpha=0.45, linewidth=0)
                    self.bands_.append(ax.add_patch(patch))
                    left[j] += width
                    right[i] += width
        ax.set(xlim=(-0.35, 1.35), ylim=(total * (1 + _GAP), -0.02 * total))
        ax.set_axis_off()
        for x, text in ((0.0, "before"), (1.0, "now")):
            ax.annotate(text, (x, -0.02 * total), ha="center", va="bottom", fontweight="bold")
        ax.annotate(
            self.title, (0.5, total * (1 + _GAP)), ha="center", va="top", fontsize="small",
            annotation_clip=False,
        )  # fmt: skip

    def _label(self, id_, share):
        name = (self.names or {}).get(id_)
        said = f"{id_} {name}" if name else f"{id_}"
        said += f", {share:.0%}" if share >= 0.01 else ", <1%"
        return "\n".join(textwrap.wrap(said, _LABEL))


def _stack(ids, shares, total):
    """Where the bars begin, from the top down in the order of the ids."""
    order = np.argsort(ids)
    gap = _GAP * total / max(1, len(ids) - 1)
    tops = np.empty(len(ids))
    tops[order] = np.cumsum(shares[order]) - shares[order] + gap * np.arange(len(ids))
    return tops


def _band(left, right, width):
    """A band of one width from the bars on the left to those on the right."""
    path = import_optional("matplotlib.path", extra="plot").Path
    start, end, middle = _BAR, 1.0 - _BAR, 0.5
    points = [
        (start, left), (middle, left), (middle, right), (end, right), (end, right + width),
        (middle, right + width), (middle, left + width), (start, left + width), (start, left),
    ]  # fmt: skip
    curve = [path.CURVE4] * 3
    return path(points, [path.MOVETO, *curve, path.LINETO, *curve, path.CLOSEPOLY])


def _links(alignment):
    """Flows that are not known from rows, and shares; of equal clusters where not known either."""
    drift, k, n_old = alignment.drift, len(alignment.ids), len(alignment.reference_ids)

    def shares_of(name, place, n):
        there = drift[place] >= 0
        shares = np.empty(n)
        shares[drift[place][there]] = drift[name][there]
        return np.where(np.isnan(shares), 1.0 / n, shares)

    shares = shares_of("share", "cluster", k)
    before = shares_of("share_before", "reference_cluster", n_old)
    row = {id_: i for i, id_ in enumerate(alignment.ids.tolist())}
    was = {id_: j for j, id_ in enumerate(alignment.reference_ids.tolist())}
    pairs = {(j, i) for i, j in enumerate(alignment.partners.tolist()) if j >= 0}
    pairs |= {(was[old], row[id_]) for old, ids in alignment.splits.items() for id_ in ids}
    pairs |= {(was[old], row[id_]) for id_, every in alignment.merges.items() for old in every}
    flows = np.zeros((n_old, k))
    for j, i in pairs:
        flows[j, i] = min(before[j], shares[i])
    # No more can leave or enter a cluster than it has.
    flows /= np.maximum(flows.sum(axis=1) / before, 1.0)[:, np.newaxis]
    return flows / np.maximum(flows.sum(axis=0) / shares, 1.0), shares, before
