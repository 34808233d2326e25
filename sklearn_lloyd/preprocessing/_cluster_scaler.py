"""The ClusterScaler transformer: parameters, documentation, fitted attributes."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from sklearn_lloyd._base import VersionedPickle
from sklearn_lloyd._callbacks import begin_fit
from sklearn_lloyd._compat import CallbackSupportMixin, Interval, StrOptions, fit_context
from sklearn_lloyd._dask import (
    empty_like,
    empty_table,
    float_dtype,
    is_dask,
    lazily,
    refuse_other_output,
)
from sklearn_lloyd._squares import ends_of
from sklearn_lloyd._validation import (
    check_rows,
    check_weights,
    unchanged_on_failure,
    warn_user,
)
from sklearn_lloyd.preprocessing._apply import Scaling, scaled_rows
from sklearn_lloyd.preprocessing._dask_scaling import learn_from_blocks, learned_of
from sklearn_lloyd.preprocessing._scaling import (
    METHODS,
    SPARSE_METHODS,
    learn,
    require_room_to_whiten,
)


def _has_inverse(scaler):
    if scaler.scale_ is None if hasattr(scaler, "scale_") else scaler.method == "unit-norm":
        raise AttributeError(
            "method='unit-norm' has no inverse: the norms of the rows are not kept. Average the "
            "original rows of each cluster instead."
        )
    return True


class ClusterScaler(
    CallbackSupportMixin, VersionedPickle, OneToOneFeatureMixin, TransformerMixin, BaseEstimator
):
    """Every scaling that clustering uses in one transformer, to search over by name.

    K-means compares squared differences of features, so the feature with the largest numbers
    decides about the clusters, unless features are scaled before.

    Parameters
    ----------
    method : {'zscore', 'range', 'robust', 'maxabs', 'unit-norm', 'whiten', 'none'}, \
            default='zscore'
        How to scale.

        - 'zscore': less the mean, over the standard deviation;
          :class:`~sklearn.preprocessing.StandardScaler`.
        - 'range': less the minimum, over the range; :class:`~sklearn.preprocessing.MinMaxScaler`.
          It recovered clusters best in a comparison of eight ways [1]_, z-scores worse, with
          k-means too [2]_: they shrink a feature for the very spread that clusters give it.
        - 'robust': less the median, over the `quantile_range`;
          :class:`~sklearn.preprocessing.RobustScaler`.
        - 'maxabs': over the largest absolute value; :class:`~sklearn.preprocessing.MaxAbsScaler`.
        - 'unit-norm': each row over its norm; :class:`~sklearn.preprocessing.Normalizer`. For
          directions, such as texts and embeddings.
        - 'whiten': z-scores without their correlation, for clusters that are all stretched the
          same way. Of all ways to whiten it is the one that leaves each feature nearest to
          itself, ZCA of the correlations [3]_.
        - 'none': as they are.

    clip : float, default=None
        Bring outliers to a bound first: the median less and plus `clip` times the distance of the
        two quantiles of `quantile_range`. For normal data 2 is 2.7 standard deviations. What the
        method learns comes from clipped rows, too. A feature whose quantiles are equal is not
        clipped. None: no bound.

    feature_weights : array-like of shape (n_features,) or dict of str to float, default=None
        How much each feature counts: squared differences of the scaled feature count that many
        times, since it is multiplied by the root of its weight. Zero leaves a feature out, as a
        column of zeros. A dict names features; those that it does not name have weight one, as
        all have with None.

    quantile_range : tuple of two floats, default=(25.0, 75.0)
        Percents, of 'robust' and of `clip`.

    shrinkage : float, default=0.0
        Of 'whiten': correlations are multiplied by ``1 - shrinkage`` before, so that 1 is
        'zscore'. Above zero whitening works on few rows, too, even fewer than there are features.

    Attributes
    ----------
    center_ : ndarray of shape (n_features,) or None
        What is taken off: means, minima or medians. None for the methods that keep zeros.

    scale_ : ndarray of shape (n_features,) or None
        What is divided by; zero for constant features. None for 'unit-norm', where each row has
        its own.

    whitening_ : ndarray of shape (n_features, n_features) or None
        The symmetric matrix that z-scores are multiplied by; None but for 'whiten'.

    clip_bounds_ : ndarray of shape (2, n_features) or None
        Lower and upper bounds; infinite for a feature that is not clipped.

    feature_weights_ : ndarray of shape (n_features,)
        The weight of each feature.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X was a frame with names that are all strings.

    See Also
    --------
    CentroidFeatures : What to do after.

    Notes
    -----
    A feature that is constant in `fit` becomes zero, in new rows with another value too. (With
    'maxabs', 'unit-norm' and 'none' a constant other than zero stays as it is or is scaled.) With
    'whiten' so do combinations of features with less than 1e-10 of the largest variance.

    A `UserWarning` says so if 'whiten' gets no more rows than features and no `shrinkage`: all
    whitened rows are then equally far from each other. Another one names features that vary while
    their `quantile_range` is zero: 'robust' leaves them in their unit, as scikit-learn does.

    Each feature is looked at in a power of two of its own, so that no square overflows or
    vanishes. Refused are features whose differences overflow float64, and scales below 2.2e-308.

    Sparse X stays sparse: 'maxabs', 'unit-norm' and 'none' take it. The others would have to
    take off a centre from the zeros, and refuse it, as `clip` does. A parameter that is set after
    `fit` has no effect on `transform`.

    Statistics are in float64 and count each row by its weight; the standard deviation and the
    covariance are those of the rows themselves (``ddof=0``). 'unit-norm' and 'none' learn
    nothing, so weights have nothing to change there. A weighted quantile takes a weight as so
    many equal rows. If those that are positive have a mean below one, such as weights that sum to
    one, they are first scaled to the mean one.

    `fit` reads X in blocks, twice for 'whiten', and by feature for quantiles, O(n_samples
    log(n_samples)) each. 'whiten' costs O(n_samples n_features^2). Beside the result nothing of
    the size of X is made.

    References
    ----------
    .. [1] Milligan, G. W., Cooper, M. C. "A study of standardization of variables in cluster
       analysis". Journal of Classification 5, 1988.
    .. [2] Steinley, D. "Standardizing variables in K-means clustering". In: Classification,
       Clustering, and Data Mining Applications. Springer 2004.
    .. [3] Kessy, A., Lewin, A., Strimmer, K. "Optimal whitening and decorrelation". The American
       Statistician 72, 2018.

    Examples
    --------
    >>> from sklearn_lloyd.preprocessing import ClusterScaler
    >>> X = [[1.0, 1000.0], [2.0, 3000.0], [3.0, 2000.0]]
    >>> scaler = ClusterScaler("range", feature_weights=[4.0, 1.0]).fit(X)
    >>> scaler.transform(X)
    array([[0. , 0. ],
           [1. , 1. ],
           [2. , 0.5]])
    >>> scaler.inverse_transform([[2.0, 1.0]])
    array([[   3., 3000.]])
    """

    _parameter_constraints: dict = {
        "method": [StrOptions(set(METHODS))],
        "clip": [Interval(Real, 0, None, closed="neither"), None],
        "feature_weights": ["array-like", dict, None],
        "quantile_range": [tuple, list],
        "shrinkage": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(
        self,
        method="zscore",
        *,
        clip=None,
        feature_weights=None,
        quantile_range=(25.0, 75.0),
        shrinkage=0.0,
    ):
        self.method = method
        self.clip = clip
        self.feature_weights = feature_weights
        self.quantile_range = quantile_range
        self.shrinkage = shrinkage

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Learn centre and scale of the features.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Rows to learn from. Also a dask array, a dask dataframe or a list of Delayed, for
            methods that take one pass: 'zscore', 'range', 'maxabs', 'unit-norm' and 'none'. Blocks
            without rows or weight are skipped unseen.

        y : Ignored
            Not used, present for API consistency.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, zero or more; None: one each. An integer weight counts as
            so many equal rows. Of dask, in the blocks of X, if X is.

        Returns
        -------
        self : object
            The fitted scaler. If `fit` fails or is interrupted, it is as it was before.

        Raises
        ------
        ValueError
            If X, the weights or the parameters do not fit; the message names what came and what
            is expected. Among these: sparse X for a method that takes off a centre, features that
            are too large or too small, see the Notes, and 'whiten' of so many features that its
            matrix is beyond scikit-learn's `working_memory` (11,585 features by default).
        """
        task = begin_fit(self, X, y, sample_weight)
        with unchanged_on_failure(self):
            self._check_quantile_range()
            learn_from = self._learn_from_blocks if is_dask(X) else self._learn_from_rows
            *learned, self.clip_bounds_ = learn_from(X, sample_weight)
            if any(part is not None and not np.isfinite(part).all() for part in learned):
                raise ValueError(
                    f"sample_weight is so large that method={self.method!r} overflows float64: "
                    "divide the weights."
                )
            self.center_, self.scale_, self.whitening_ = learned
            self._check_scale()
            task.end(dict)
        return self

    def transform(self, X):
        """Scale rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Rows to scale, which stay as they are. Also a dask array, a dask dataframe or a list
            of Delayed.

        Returns
        -------
        X_new : ndarray or CSR matrix of shape (n_samples, n_features)
            float32 if X is, else float64; sparse if X is. Of dask, lazily, if X is.

        Raises
        ------
        ValueError
            If X does not fit, is sparse and has a centre to be taken off, or the result overflows.
        """
        check_is_fitted(self)
        if is_dask(X):
            refuse_other_output(self)
            if (like := empty_like(X)) is not None:
                validate_data(self, like, reset=False, skip_check_array=True)
            return lazily(X, self, "transform", float_dtype(X), self.get_feature_names_out())
        rows = self._check_rows(X, reset=False)
        scaling = self._scaling()
        return scaled_rows(rows, scaling.apply, scaling.apply_sparse)

    @available_if(_has_inverse)
    def inverse_transform(self, X):
        """Bring scaled rows, such as centres, back to the units of the features.

        What was clipped comes back as its bound. Features that are constant or of weight zero come
        back as their centre.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Scaled rows.

        Returns
        -------
        X_original : ndarray or CSR matrix of shape (n_samples, n_features)
            float32 if X is, else float64; sparse if X is.

        Raises
        ------
        ValueError
            If X does not fit, is sparse and has a centre to be added, or the result overflows.
        AttributeError
            For 'unit-norm', which does not keep the norms: there is no such method then.
        """
        check_is_fitted(self)
        name = type(self).__name__
        rows = check_rows(name, X, n_threads=None, reset=False)
        if rows.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {rows.shape[1]} features, but {name} is expecting "
                f"{self.n_features_in_} features as input."
            )
        if rows.is_sparse and self.center_ is not None:
            raise ValueError(
                "X is sparse, and the method that this scaler was fitted by takes off a centre, "
                "which has to be added to zeros too: give dense X."
            )
        scaling = self._scaling()
        return scaled_rows(rows, scaling.invert, scaling.invert_sparse)

    def _learn_from_rows(self, X, sample_weight):
        rows = self._check_rows(X, reset=True)
        if self.method == "whiten":
            require_room_to_whiten(rows.shape[1])
        self.feature_weights_ = self._checked_feature_weights()
        weights = check_weights(sample_weight, rows.shape[0])
        with np.errstate(over="ignore", invalid="ignore"):
            ends = ends_of(rows)
            self._check_ends(*ends)
            return learn(rows, weights, ends, self)

    def _learn_from_blocks(self, X, sample_weight):
        rows = learn_from_blocks(self, X, sample_weight)
        table = empty_table(rows.kind.n_features, rows.kind.names)
        validate_data(self, table, reset=True, skip_check_array=True)
        self.feature_weights_ = self._checked_feature_weights()
        with np.errstate(over="ignore", invalid="ignore"):
            self._check_ends(*rows.all_ends)
            return learned_of(self, rows)

    def _check_rows(self, X, reset):
        rows = check_rows(self, X, n_threads=None, reset=reset)
        if rows.is_sparse:
            # Once it is fitted, what was learned decides, whatever the parameters are by now.
            takes_off = self.method not in SPARSE_METHODS if reset else self.center_ is not None
            method = f"method={self.method!r}" if reset else "the method of the last fit"
            if takes_off:
                raise ValueError(
                    f"{method} takes off a centre, which would make sparse X dense. "
                    f"For sparse X fit with one of {', '.join(map(repr, SPARSE_METHODS))}."
                )
            if (self.clip if reset else self.clip_bounds_) is not None:
                clip = f"clip={self.clip}" if reset else "clip of the last fit"
                raise ValueError(f"{clip} is not for sparse X: fit with clip=None.")
        return rows

    def _check_ends(self, least, most):
        if self.method not in SPARSE_METHODS or self.clip is not None:
            # Those of a new row may be twice as large.
            large = ~np.isfinite(2.0 * (most - least))
            self._refuse(large, "are so large that differences overflow float64: divide")

    def _check_scale(self):
        if self.scale_ is not None:
            small = (self.scale_ > 0.0) & (self.scale_ < np.finfo(np.float64).tiny)
            self._refuse(small, "vary by so little that float64 has few digits left: multiply")

    def _refuse(self, which, why):
        if which.any():
            names = self.get_feature_names_out()[which]
            raise ValueError(
                f"Features {', '.join(map(repr, names))} of X {why} them by a power of ten "
                "before they are scaled."
            )

    def _scaling(self):
        learned = self.center_, self.scale_, self.whitening_
        return Scaling(*learned, self.clip_bounds_, self.feature_weights_)

    def _check_quantile_range(self):
        percents = self.quantile_range
        good = len(percents) == 2 and all(isinstance(p, Real) for p in percents)
        if not good or not 0 <= percents[0] < percents[1] <= 100:
            raise ValueError(
                f"quantile_range={percents!r} must be two percents, such as (25.0, 75.0), the "
                "lower one first."
            )

    def _checked_feature_weights(self):
        given, names = self.feature_weights, self.get_feature_names_out()
        if given is None:
            return np.ones(names.size)
        if isinstance(given, Mapping):
            unknown = [name for name in given if name not in names]
            if unknown:
                raise ValueError(
                    f"feature_weights names {unknown}, which X does not have; its features are "
                    f"{list(names)}."
                )
            given = [given.get(name, 1.0) for name in names]
        options = {"ensure_2d": False, "ensure_min_samples": 0, "copy": True}
        weights = check_array(given, dtype=np.float64, input_name="feature_weights", **options)
        if weights.shape != names.shape:
            raise ValueError(
                f"feature_weights.shape == {weights.shape}, expected {names.shape}: one weight "
                "for each feature of X."
            )
        if (weights < 0).any():
            worst = int(np.argmin(weights))
            raise ValueError(
                f"feature_weights must be zero or more; feature {names[worst]!r} has "
                f"{weights[worst]}."
            )
        if not weights.any():
            raise ValueError("feature_weights are all zero: at least one must be positive.")
        return weights

    def _warn_of_flat_features(self, flat):
        if flat.any():
            warn_user(
                f"The quantile_range {tuple(self.quantile_range)} of the features "
                f"{list(self.get_feature_names_out()[flat])} is zero, though they vary: they keep "
                "their unit. Take a wider range, or method='range'.",
                UserWarning,
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.method in SPARSE_METHODS and self.clip is None
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
