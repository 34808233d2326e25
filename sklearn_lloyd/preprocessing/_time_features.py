"""The TimeFeatures transformer."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_lloyd._base import VersionedPickle
from sklearn_lloyd._columns import as_times
from sklearn_lloyd._compat import StrOptions, fit_context
from sklearn_lloyd.preprocessing._category_encoder import read_columns

AGE = "age"
# Days to a round, and the day since 1970 on which one begins: 4 January 1970 was a Sunday.
_ROUNDS = {"time-of-year": (365.2425, 0.0), "day-of-week": (7.0, 3.0), "time-of-day": (1.0, 0.0)}
TIME_FEATURES = (AGE, *_ROUNDS)


class TimeFeatures(VersionedPickle, TransformerMixin, BaseEstimator):
    """Numbers of times: their age in days, or the place in a year, week or day.

    Parameters
    ----------
    feature : {'age', 'time-of-year', 'day-of-week', 'time-of-day'}, default='age'
        What is made of each column.

        - 'age': days before the latest time of the fit. Scale it as any other number.
        - the others: cosine and sine of an angle, so that December is next to January and 23:00
          next to 01:00. The variances of the two add up to one at the most, as that of a z-score.

    Attributes
    ----------
    latest_ : ndarray of shape (n_features,)
        The latest time of each column, in days since 1970.

    n_features_in_ : int
        Number of columns seen in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if X was a frame.

    See Also
    --------
    table_pipeline : Makes such features of the columns for which `roles` asks for them.

    Notes
    -----
    Times with a time zone are read by its clock (those of polars by that of UTC). The age of a
    missing time is missing, too; on a round it is the middle of the circle, as far from all times.

    References
    ----------
    Mardia, K. V., Jupp, P. E. "Directional statistics". Wiley, 2000.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_lloyd.preprocessing import TimeFeatures
    >>> joined = np.array([["2024-01-01"], ["2024-12-31"]], "datetime64[D]")
    >>> TimeFeatures().fit_transform(joined)
    array([[365.],
           [  0.]])
    >>> TimeFeatures("time-of-year").fit_transform(joined).round(1)
    array([[ 1., -0.],
           [ 1., -0.]])
    """

    _parameter_constraints: dict = {"feature": [StrOptions(set(TIME_FEATURES))]}

    def __init__(self, feature="age"):
        self.feature = feature

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn the latest time of each column.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_samples, n_features)
            Times, as NumPy, pandas, polars or Python's own objects hold them; texts such as
            "2024-12-31"; or numbers, which are days.

        y : Ignored
            Not used, present for API consistency.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        days = read_columns(self, X, as_times, reset=True)
        latest = np.fmax.reduce(days, axis=0)
        self.latest_ = np.where(np.isnan(latest), 0.0, latest)
        return self

    def transform(self, X):
        """Make numbers of times.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_samples, n_features)
            Times.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_features or 2 n_features)
            Days, or cosine and sine of each column.
        """
        check_is_fitted(self)
        days = read_columns(self, X, as_times, reset=False)
        if self.feature == AGE:
            return self.latest_ - days
        length, start = _ROUNDS[self.feature]
        angles = 2.0 * np.pi / length * (days - start)
        found = np.stack([np.cos(angles), np.sin(angles)], axis=2).reshape(len(days), -1)
        return np.where(np.isnan(found), 0.0, found)

    def get_feature_names_out(self, input_features=None):
        """Names of the numbers.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns; None: those of the fit.

        Returns
        -------
        names : ndarray of str objects
            Such as "joined: age", or "joined: time-of-year, cos".
        """
        check_is_fitted(self)
        names = getattr(self, "feature_names_in_", input_features)
        names = [f"x{j}" for j in range(self.n_features_in_)] if names is None else names
        ends = [""] if self.feature == AGE else [", cos", ", sin"]
        return np.array([f"{name}: {self.feature}{end}" for name in names for end in ends], object)
