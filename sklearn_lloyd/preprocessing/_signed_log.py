"""The SignedLog transformer."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_lloyd._base import VersionedPickle

_FLOATS = [np.float64, np.float32]
# Percent of the magnitudes below the unit. Where nothing is negative, all but the least amounts
# are then in the range in which log1p is a logarithm, and zeros lie one small amount below them.
# A unit as small would tear apart what lies left and right of zero: there it is the middle one.
_SMALL, _MIDDLE = 1, 50


class SignedLog(VersionedPickle, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Logarithm of amounts, which may be zero or negative: sign(x) log(1 + abs(x) / unit).

    What k-means compares are then ratios of amounts and no longer differences. Zero stays zero,
    and the unit of the numbers (cents or dollars) does not matter.

    Attributes
    ----------
    units_ : ndarray of shape (n_features,)
        Of each feature the amount from which ratios count. Of the magnitudes other than zero 1 %
        are smaller, or half of them if there are negative numbers.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X was a frame with names that are all strings.

    See Also
    --------
    table_pipeline : Takes logarithms where a column is skewed.

    References
    ----------
    Whittaker, J., Whitehead, C., Somers, M. "The neglog transformation and quantile regression
    for the analysis of a large credit scoring database". Journal of the Royal Statistical Society
    C 54, 2005.

    Examples
    --------
    >>> from sklearn_lloyd.preprocessing import SignedLog
    >>> log = SignedLog().fit([[1.0], [10.0], [100.0]])
    >>> log.transform([[0.0], [10.0], [100.0], [1000.0]]).ravel().round(1)
    array([0. , 2.2, 4.5, 6.7])
    >>> log.inverse_transform(log.transform([[20.0]])).round(6)
    array([[20.]])
    """

    _parameter_constraints: dict = {}

    def fit(self, X, y=None):
        """Learn the unit of each feature.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_samples, n_features)
            Amounts.

        y : Ignored
            Not used, present for API consistency.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        X = validate_data(self, X, dtype=_FLOATS)
        self.units_ = np.ones(X.shape[1])
        for unit, values in zip(self.units_[:, np.newaxis], X.T, strict=True):
            magnitudes = np.abs(values[values != 0.0])
            if magnitudes.size:
                unit[:] = np.percentile(magnitudes, _MIDDLE if (values < 0.0).any() else _SMALL)
        return self

    def transform(self, X):
        """Take logarithms.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_samples, n_features)
            Amounts.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_features)
            float32 if X is, else float64.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=_FLOATS, reset=False)
        return np.copysign(np.log1p(np.abs(X) / self.units_), X).astype(X.dtype, copy=False)

    def inverse_transform(self, X):
        """Bring logarithms, such as centres, back to amounts.

        Parameters
        ----------
        X : {array-like, frame} of shape (n_samples, n_features)
            Logarithms.

        Returns
        -------
        X_original : ndarray of shape (n_samples, n_features)
            float32 if X is, else float64. The mean of logarithms comes back as a geometric mean.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=_FLOATS, reset=False)
        return np.copysign(np.expm1(np.abs(X)) * self.units_, X).astype(X.dtype, copy=False)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
