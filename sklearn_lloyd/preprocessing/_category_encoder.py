"""The CategoryEncoder transformer."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_lloyd._base import VersionedPickle
from sklearn_lloyd._columns import as_texts, column_of, is_frame
from sklearn_lloyd._compat import Interval, StrOptions, fit_context


class CategoryEncoder(VersionedPickle, TransformerMixin, BaseEstimator):
    """One-hot columns of categories, weighted so that they go with scaled numbers.

    Parameters
    ----------
    weight : float or 'mca', default=1.0
        What a difference of categories adds to the squared distance of two rows.

        - A float: that number, for any two categories. It is gamma of k-prototypes [1]_. The
          one-hot columns are multiplied by the root of half of it. Two rows differ in a z-score
          by 2 on average.
        - 'mca': 1 / p + 1 / q, of the shares p and q of the two categories, over the number of
          categories less one. That is the distance of multiple correspondence analysis [2]_,
          scaled so that the column has the variance of a z-score: two rows differ by 2 on
          average. Rare categories are far from all others.

    max_categories : int, default=20
        So many categories of a column have a column of their own; the rarest share one.

    min_frequency : float, default=0.01
        Categories of a smaller share of the rows share a column, too.

    Attributes
    ----------
    encoder_ : OneHotEncoder
        The encoder of the categories, which are texts there. Missing values are the category
        "missing".

    multipliers_ : ndarray of shape (n_features_out,)
        What each one-hot column is multiplied by.

    n_features_in_ : int
        Number of columns seen in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if X was a frame.

    See Also
    --------
    table_pipeline : Encodes the categories of a table and scales its numbers.

    Notes
    -----
    A category that `fit` did not see counts as rare. If there were no rare ones, all columns are
    zero: it is half as far from each category as they are from each other.

    References
    ----------
    .. [1] Huang, Z. "Extensions to the k-means algorithm for clustering large data sets with
       categorical values". Data Mining and Knowledge Discovery 2, 1998.
    .. [2] Greenacre, M. "Correspondence analysis in practice". CRC Press, 2017.

    Examples
    --------
    >>> from sklearn_lloyd.preprocessing import CategoryEncoder
    >>> regions = [["north"], ["south"], ["south"]]
    >>> encoder = CategoryEncoder(weight=0.5).fit(regions)
    >>> encoder.transform(regions)
    array([[0.5, 0. ],
           [0. , 0.5],
           [0. , 0.5]])
    >>> encoder.get_feature_names_out(["region"])
    array(['region=north', 'region=south'], dtype=object)
    """

    _parameter_constraints: dict = {
        "weight": [Interval(Real, 0, None, closed="neither"), StrOptions({"mca"})],
        "max_categories": [Interval(Integral, 2, None, closed="left")],
        "min_frequency": [Interval(Real, 0, 1, closed="neither")],
    }

    def __init__(self, weight=1.0, *, max_categories=20, min_frequency=0.01):
        self.weight = weight
        self.max_categories = max_categories
        self.min_frequency = min_frequency

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn the categories, and how frequent they are.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_samples, n_features)
            Categories: texts, numbers, yes and no, missing values.

        y : Ignored
            Not used, present for API consistency.

        Returns
        -------
        self : object
            The fitted encoder.
        """
        texts = read_columns(self, X, as_texts, reset=True)
        self.encoder_ = OneHotEncoder(
            sparse_output=False,
            handle_unknown="infrequent_if_exist",
            max_categories=self.max_categories,
            min_frequency=self.min_frequency,
        )
        shares = self.encoder_.fit_transform(texts).mean(axis=0)
        if self.weight == "mca":
            sizes = self._sizes()
            squares = 1.0 / (shares * np.repeat(np.maximum(sizes - 1, 1), sizes))
            self.multipliers_ = np.sqrt(squares)
        else:
            self.multipliers_ = np.full(shares.size, np.sqrt(self.weight / 2.0))
        return self

    def transform(self, X):
        """Make weighted one-hot columns.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_samples, n_features)
            Categories.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_features_out), float64
            A column for each category.
        """
        check_is_fitted(self)
        encoded = self.encoder_.transform(read_columns(self, X, as_texts, reset=False))
        encoded *= self.multipliers_
        return encoded

    def get_feature_names_out(self, input_features=None):
        """Names of the one-hot columns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns; None: those of the fit.

        Returns
        -------
        names : ndarray of str objects
            Such as "region=north"; what is rare is "region=rare".
        """
        check_is_fitted(self)
        names = names_of_columns(self, input_features)
        return np.array([
            f"{name}={label}"
            for name, kept, rare in zip(names, *self._kept(), strict=True)
            for label in [*kept, *[_name_of_rare(kept)] * rare]
        ], object)  # fmt: skip

    def _kept(self):
        """Of each column: the categories with a column of their own, and whether there are rare
        ones."""
        rare = self.encoder_.infrequent_categories_
        kept = [
            own if few is None else own[~np.isin(own, few)]
            for own, few in zip(self.encoder_.categories_, rare, strict=True)
        ]
        return kept, [few is not None for few in rare]

    def _sizes(self):
        """How many columns are made of each."""
        return np.array([len(own) + has_rare for own, has_rare in zip(*self._kept(), strict=True)])

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = tags.input_tags.string = tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = []
        return tags


def _name_of_rare(kept):
    """What is rare is called "rare"; if the data has such a category, "rare (joined)"."""
    name = "rare"
    while name in kept:
        name += " (joined)"
    return name


def names_of_columns(estimator, given):
    """Names of the fit, else those given, else x0, x1."""
    names = getattr(estimator, "feature_names_in_", given)
    return [f"x{j}" for j in range(estimator.n_features_in_)] if names is None else names


def read_columns(estimator, X, read, reset):
    """What `read` makes of each column, of shape (n_samples, n_features); X is checked first."""
    if is_frame(X):
        validate_data(estimator, X, skip_check_array=True, reset=reset)
    else:
        X = validate_data(estimator, X, dtype=None, ensure_all_finite=False, reset=reset)
    return np.stack([read(column_of(X, j)) for j in range(X.shape[1])], axis=1)
