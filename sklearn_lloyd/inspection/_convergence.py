"""The record of a fit as curves: inertia and movement, iteration by iteration."""

from __future__ import annotations

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_lloyd._pipeline import split_steps
from sklearn_lloyd.inspection._drawing import look_of, panels


class ConvergenceDisplay:
    """Inertia and movement of the centres by iteration, of all starts.

    Make it with :meth:`from_estimator`.

    Parameters
    ----------
    start : ndarray of shape (n_records,), int
        Which start each record belongs to.
    inertia : ndarray of shape (n_records,), float64
        Under the centres that the iteration started from.
    center_shift : ndarray of shape (n_records,), float64
        Squared movement of the centres.
    best_start : int
        The one that was kept.
    unit : {'iteration', 'batch'}, default='iteration'
        What a record is of. The inertia of a batch is for one row.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Of the inertia.
    axes_ : ndarray of two matplotlib Axes
        Of inertia and movement.
    figure_ : matplotlib Figure
    lines_ : list of (Line2D, Line2D)
        Of inertia and movement, for each start.

    See Also
    --------
    sklearn_lloyd.KMeans : Has the record as `start_histories_` and `history_`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.inspection import ConvergenceDisplay
    >>> model = KMeans(3, n_init=4, random_state=0).fit(load_iris().data)
    >>> display = ConvergenceDisplay.from_estimator(model)
    >>> len(display.lines_)
    4
    """

    def __init__(self, start, inertia, center_shift, best_start, unit="iteration"):
        self.start = start
        self.inertia = inertia
        self.center_shift = center_shift
        self.best_start = best_start
        self.unit = unit

    @classmethod
    def from_estimator(cls, estimator, *, ax=None):
        """Draw the record of a fit.

        Parameters
        ----------
        estimator : estimator
            A fitted :class:`~sklearn_lloyd.KMeans` or :class:`~sklearn_lloyd.MiniBatchKMeans`,
            alone, at the end of a Pipeline or the best of a search.
        ax : matplotlib Axes, default=None
            Where to draw; None: in a new figure.

        Returns
        -------
        display : ConvergenceDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it keeps no record of its fit.
        ImportError
            If matplotlib is not installed.
        """
        model = split_steps(estimator)[1]
        check_is_fitted(model)
        if not hasattr(model, "history_"):
            raise TypeError(
                f"{type(model).__name__} has no history_ to draw. Fit KMeans or MiniBatchKMeans "
                "of sklearn_lloyd."
            )
        if "smoothed_inertia" in model.history_.dtype.names:
            history, starts, best, unit = model.history_, None, 0, "batch"
        elif hasattr(model, "start_histories_"):
            history, unit = model.start_histories_, "iteration"
            starts, best = history["start"], int(np.argmin(model.start_inertias_))
        else:
            history, starts, best, unit = model.history_, None, 0, "iteration"
        if starts is None:
            starts = np.zeros(len(history), np.intp)
        # Copies: arrays of their own, not views of the model's records.
        values = (history[name].copy() for name in ("inertia", "center_shift"))
        return cls(starts.copy(), *values, best, unit).plot(ax)

    def plot(self, ax=None):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Two panels are drawn inside of it; None: in a new figure.

        Returns
        -------
        self : ConvergenceDisplay
        """
        self.axes_ = panels(ax, 2, 1)[:, 0]
        self.ax_, below = self.axes_
        self.figure_ = self.ax_.figure
        self.lines_ = []
        for start in np.unique(self.start):
            is_best = start == self.best_start
            records = np.flatnonzero(self.start == start)
            # The others in one colour: what matters is where they end up.
            style = {"color": look_of(0 if is_best else 6).color, "zorder": 3 if is_best else 2}
            style |= {"linewidth": 2.0 if is_best else 1.0}
            number = np.arange(1, records.size + 1)
            shift = np.where(self.center_shift[records] > 0, self.center_shift[records], np.nan)
            marker = "." if records.size <= 50 else ""
            above = self.ax_.plot(number, self.inertia[records], marker=marker, **style)
            self.lines_.append((above[0], below.plot(number, shift, marker=marker, **style)[0]))
        if len(self.lines_) > 1:
            best, others = self.lines_[self.best_start], self.lines_[self.best_start - 1]
            self.ax_.legend(
                [best[0], others[0]], [f"start {self.best_start}, kept", "other starts"]
            )
        self.ax_.set_ylabel("inertia" if self.unit == "iteration" else "inertia for one row")
        below.set(xlabel=self.unit, ylabel="squared movement", yscale="log")
        below.set_xlim(self.ax_.get_xlim())
        for axes in self.axes_:
            axes.xaxis.get_major_locator().set_params(integer=True)
        return self
