"""What the estimators share: everything that only needs the centres."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from sys import intern

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from sklearn_lloyd._columns import require_numbers
from sklearn_lloyd._compat import CallbackSupportMixin, Interval, StrOptions
from sklearn_lloyd._init import INIT
from sklearn_lloyd._parameters import NamedParameters
from sklearn_lloyd._predict import inertia_under, predict_labels, transformed
from sklearn_lloyd._squares import refuse_of_array
from sklearn_lloyd._validation import (
    check_centers,
    check_centers_fit,
    check_rows,
    check_weights,
    warn_user,
)
from sklearn_lloyd._version import __version__


class VersionedPickle(NamedParameters):
    """Base of all estimators. Another version than that which stored one warns on loading."""

    def __getstate__(self):
        state = {**super().__getstate__(), "_sklearn_lloyd_version": __version__}
        # Pickles tell apart in which order attributes were set, and whether equal strings are one
        # object. Neither is part of the model.
        return {
            intern(name): intern(value) if type(value) is str else value
            for name, value in sorted(state.items())
        }

    def __setstate__(self, state):
        state = dict(state)
        version = state.pop("_sklearn_lloyd_version", "unknown")
        if version != __version__:
            warnings.warn(
                f"This {type(self).__name__} was stored by sklearn-lloyd {version} and is read "
                f"by {__version__}: it may not behave as before. Fit it again, or install "
                "the version that stored it.",
                UserWarning,
                stacklevel=2,
            )
        super().__setstate__(state)


class BaseKMeans(
    CallbackSupportMixin,
    VersionedPickle,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    ClusterMixin,
    BaseEstimator,
):
    """Predict, transform and score from `cluster_centers_`; and how models are stored."""

    _parameter_constraints: dict = {
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "init": [StrOptions(set(INIT)), callable, "array-like"],
        "n_init": [StrOptions({"auto"}), Interval(Integral, 1, None, closed="left")],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
    }

    @classmethod
    def from_centers(cls, centers, **params):
        """Make a fitted estimator from saved centres.

        Parameters
        ----------
        centers : array-like or frame of shape (n_clusters, n_features)
            float32 is kept, anything else becomes float64. The columns of a frame become
            `feature_names_in_`.
        **params
            Parameters of the constructor, but for `n_clusters`, which the centres give.

        Returns
        -------
        estimator : object
            Ready to predict, transform and score. It has no `labels_`, `inertia_` or other
            attribute that tells of training.

        Raises
        ------
        ValueError
            If the centres are not a finite array of two dimensions, their squared distances are
            beyond float64, or a parameter is out of its range.

        Examples
        --------
        >>> from sklearn_lloyd import KMeans
        >>> KMeans.from_centers([[0.0, 0.0], [10.0, 10.0]]).predict([[9, 8], [1, 0]])
        array([1, 0], dtype=int32)
        """
        options = {"dtype": [np.float64, np.float32], "copy": True, "order": "C"}
        require_numbers(centers)
        checked = check_array(centers, input_name="centers", **options)
        refuse_of_array(checked, "centers")
        estimator = cls(n_clusters=len(checked), **params)
        estimator._validate_params()
        estimator.cluster_centers_ = validate_data(estimator, centers, **options)
        return estimator

    def predict(self, X):
        """Predict the closest cluster of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            float32 or float64, whatever the model was fitted on.

        Returns
        -------
        labels : ndarray of shape (n_samples,), int32
            Index of the nearest centre, the lowest of equally near ones. On the rows that
            the model was fitted on these are `labels_`.

        Notes
        -----
        Costs O(n_samples n_clusters n_features) products and no array of that size:
        scratch memory is a few megabytes for each thread.
        """
        rows = self._check_new_rows(X)
        return predict_labels(rows, self.cluster_centers_)

    def fit_predict(self, X, y=None, sample_weight=None):
        """Compute the centres and return the label of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Rows to cluster.
        y : Ignored
            Not used, present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row; None: one each.

        Returns
        -------
        labels : ndarray of shape (n_samples,), int32
            `labels_`.
        """
        return self.fit(X, sample_weight=sample_weight).labels_

    def transform(self, X):
        """Distances of each row to all centres.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Rows to transform.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_clusters)
            Euclidean distances, dense; float32 if X and the centres are, else float64.
        """
        rows = self._check_new_rows(X)
        return transformed(rows, self.cluster_centers_)

    def fit_transform(self, X, y=None, sample_weight=None):
        """Compute the centres and return the distances of each row to them.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Rows to cluster.
        y : Ignored
            Not used, present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row; None: one each.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_clusters)
            As of `transform`.
        """
        return self.fit(X, sample_weight=sample_weight).transform(X)

    def score(self, X, y=None, sample_weight=None):
        """Opposite of the inertia of X under the fitted centres.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Rows to score.
        y : Ignored
            Not used, present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row; None: one each.

        Returns
        -------
        score : float
            Minus the weighted sum of squared distances to the nearest centre.

        Notes
        -----
        More centres are nearer to any rows, those of a test fold too. So a search over
        `n_clusters` by this score, as :class:`~sklearn.model_selection.GridSearchCV` without
        `scoring` is, chooses the largest: give it a scorer of :mod:`sklearn_lloyd.metrics`, such
        as :func:`~sklearn_lloyd.metrics.silhouette_scorer`, or take
        :class:`~sklearn_lloyd.model_selection.NClustersSearch`.
        """
        rows = self._check_new_rows(X)
        weights = check_weights(sample_weight, rows.shape[0])
        return -inertia_under(rows, self.cluster_centers_, weights)

    def _check_rows(self, X, reset):
        return check_rows(self, X, n_threads=self.n_threads, reset=reset)

    def _check_new_rows(self, X):
        check_is_fitted(self)
        return self._check_rows(X, reset=False)

    def _checked_init(self, rows, many):
        """The init, an array as checked centres, and how many starts: by default 1 or many."""
        if self._init_is_a_way():
            return self.init, self._n_starts(many)
        if self.n_init not in ("auto", 1):
            warn_user(
                "Explicit initial center position passed: performing only one init in "
                f"{type(self).__name__} instead of n_init={self.n_init}.",
                RuntimeWarning,
            )
        centers = check_centers(self.init)
        return check_centers_fit(centers, self.n_clusters, rows.shape[1]), self._n_starts(many)

    def _forget_ids(self):
        """Ids and names that the clusters before were given are not of the new ones."""
        for name in ("cluster_ids_", "next_cluster_id_", "cluster_names_"):
            vars(self).pop(name, None)

    def _init_is_a_way(self):
        """Whether `init` says how to choose first centres, instead of being these."""
        return isinstance(self.init, str) or callable(self.init)

    def _n_starts(self, many):
        if not self._init_is_a_way():
            return 1
        if self.n_init == "auto":
            return 1 if self.init in ("k-means++", "k-means||") else many
        return self.n_init

    def _warn_of_empty_clusters(self, n_chosen):
        if n_chosen < self.n_clusters:
            warn_user(
                f"Number of distinct clusters ({n_chosen}) found smaller than n_clusters "
                f"({self.n_clusters}). Possibly due to duplicate points in X.",
                ConvergenceWarning,
            )

    @property
    def _n_features_out(self):
        return len(self.cluster_centers_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
