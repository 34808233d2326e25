"""Every criterion against the number of clusters."""

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_lloyd._optional import import_optional
from sklearn_lloyd._pipeline import last_step
from sklearn_lloyd.inspection._drawing import grid_of, look_of
from sklearn_lloyd.model_selection._stability import THRESHOLD

# The column of the table that a criterion reads, where it is called otherwise.
_READS = {"elbow": "inertia"}
_FAINT, _OWN, _BAND = (look_of(i).color for i in (6, 0, 1))
_TITLES = {
    "calinski_harabasz": "Calinski-Harabasz",
    "davies_bouldin": "Davies-Bouldin",
    "bic": "BIC",
}
# Which of its values a criterion chooses.
_NOTE = {
    "separation": "largest on the line, or open",
    "davies_bouldin": "least",
    "elbow": "where it bends",
    "gap": "least that no larger one beats",
    "stability": f"largest above {THRESHOLD}",
}


class NClustersDisplay:
    """The criteria that chose a number of clusters, a panel for each.

    The number that a criterion would choose by itself is marked in its panel, and the one that
    was chosen in all of them; below each panel stands which value the criterion takes. Of the
    separation, numbers all of whose clusters are groups lie on the dashed line. Make it with
    :meth:`from_estimator`.

    Parameters
    ----------
    results : dict of str to ndarray of shape (n_numbers,)
        As `results_` of :class:`~sklearn_lloyd.model_selection.NClustersSearch`.
    votes : dict of str to int or None
        What each criterion would choose; None: it has no answer.
    n_clusters : int
        The number chosen.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Of the first panel.
    axes_ : dict of str to matplotlib Axes
        By criterion.
    figure_ : matplotlib Figure
    curves_ : dict of str to Line2D
    marks_ : dict of str to Line2D or None
        The criterion's own choice.
    legend_ : Legend
    errors_ : dict of str to ErrorbarContainer
        Of the criteria that have a standard error: one of it up and down.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn_lloyd.inspection import NClustersDisplay
    >>> from sklearn_lloyd.model_selection import NClustersSearch
    >>> X, _ = make_blobs(300, centers=4, cluster_std=0.8, random_state=42)
    >>> display = NClustersDisplay.from_estimator(NClustersSearch(random_state=0).fit(X))
    >>> display.axes_["silhouette"].get_title()
    'silhouette: 4'
    """

    def __init__(self, results, votes, n_clusters):
        self.results = results
        self.votes = votes
        self.n_clusters = n_clusters

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw what a search found.

        Parameters
        ----------
        estimator : estimator
            A fitted :class:`~sklearn_lloyd.model_selection.NClustersSearch`, alone or at the end
            of a Pipeline.
        ax : matplotlib Axes, default=None
            The panels are drawn inside of it; None: in a new figure.

        Returns
        -------
        display : NClustersDisplay

        Raises
        ------
        NotFittedError
            If the search is not fitted.
        TypeError
            If it is no such search.
        ImportError
            If matplotlib is not installed.
        """
        estimator = last_step(estimator)
        check_is_fitted(estimator)
        if not hasattr(estimator, "votes_"):
            raise TypeError(
                f"{type(estimator).__name__} has no votes_ to draw. Fit a NClustersSearch."
            )
        return cls(estimator.results_, estimator.votes_, estimator.n_clusters_).plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            The panels are drawn inside of it; None: in a new figure.

        Returns
        -------
        self : NClustersDisplay
        """
        names = list(self.votes)
        self.axes_ = dict(zip(names, grid_of(ax, len(names), (3.4, 2.6)), strict=True))
        self.ax_ = self.axes_[names[0]]
        self.figure_ = self.ax_.figure
        self.curves_, self.marks_, self.errors_ = {}, {}, {}
        for name, axes in self.axes_.items():
            self._draw(name, axes)
        signs = {
            f"chosen: {self.n_clusters}": {"color": _BAND, "linewidth": 4, "alpha": 0.5},
            "what the criterion takes": {"color": _OWN, "marker": "o", "linestyle": ""},
        }
        if self.errors_:
            signs["one standard error"] = {"color": _FAINT, "marker": "|", "linestyle": ""}
        line = import_optional("matplotlib.lines", extra="plot").Line2D
        handles = [line([], [], label=label, **look) for label, look in signs.items()]
        if ax is None:
            where = {"loc": "outside lower center", "ncols": len(handles)}
            self.legend_ = self.figure_.legend(handles=handles, frameon=False, **where)
        else:
            self.legend_ = self.ax_.legend(handles=handles, fontsize="x-small")
        return self

    def _draw(self, name, axes):
        numbers, values = self.results["n_clusters"], self.results[_READS.get(name, name)]
        axes.axvline(self.n_clusters, color=_BAND, linewidth=4, alpha=0.5, zorder=1)
        if name == "separation":
            axes.plot(numbers, numbers, color=_FAINT, linestyle="--", linewidth=1)
        if name == "stability":
            axes.axhline(THRESHOLD, color=_FAINT, linestyle="--", linewidth=1)
        (self.curves_[name],) = axes.plot(numbers, values, marker=".", color=_FAINT)
        errors = self.results.get(f"{name}_std_error")
        if errors is not None and np.nan_to_num(errors).any():
            self.errors_[name] = axes.errorbar(
                numbers, values, errors, fmt="none", ecolor=_FAINT, capsize=2
            )
        vote, self.marks_[name] = self.votes[name], None
        if vote is not None:
            place = np.flatnonzero(numbers == vote)
            (self.marks_[name],) = axes.plot(
                numbers[place], values[place], "o", color=_OWN, zorder=3
            )
        answer = vote
        if vote is None:
            answer = "no clear elbow" if name == "elbow" else "no answer"
        title = _TITLES.get(name, name.replace("_", " "))
        axes.set_title(
            answer if answer == "no clear elbow" else f"{title}: {answer}", size="medium"
        )
        axes.set_ylabel(
            "groups" if name == "separation" else _READS.get(name, title), size="small"
        )
        axes.set_xlabel(f"clusters ({_NOTE.get(name, 'largest')})", size="small")
        axes.tick_params(labelsize="small")
        axes.xaxis.get_major_locator().set_params(integer=True)
