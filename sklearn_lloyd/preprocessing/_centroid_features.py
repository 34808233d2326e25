"""The CentroidFeatures transformer: parameters, documentation, fitted attributes."""

from __future__ import annotations

from itertools import accumulate, pairwise
from numbers import Integral, Real

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils import get_tags
from sklearn.utils.validation import check_array, check_is_fitted, has_fit_parameter

from sklearn_lloyd._base import VersionedPickle
from sklearn_lloyd._callbacks import begin_fit
from sklearn_lloyd._compat import (
    CallbackSupportMixin,
    HasMethods,
    Interval,
    StrOptions,
    fit_context,
)
from sklearn_lloyd._kmeans import KMeans
from sklearn_lloyd._predict import distances_dtype, inertia_under
from sklearn_lloyd._squares import refuse_of_array
from sklearn_lloyd._validation import check_rows, check_weights, unchanged_on_failure
from sklearn_lloyd._weights import scaled_weights
from sklearn_lloyd.preprocessing._features import (
    OUTPUTS,
    Centroids,
    fill_features,
    names_of,
    sparse_one_hot,
)


# OneToOneFeatureMixin is here for its check of the names that come in: they are not those of the
# result, but no other public class has it.
class CentroidFeatures(
    CallbackSupportMixin, VersionedPickle, OneToOneFeatureMixin, TransformerMixin, BaseEstimator
):
    """Distances, similarities, memberships and residuals of k-means as features.

    A k-means is fitted, or was before, and each row is told by where it lies among the
    centres. A linear model on these features can follow what it cannot on the features
    themselves.

    Parameters
    ----------
    estimator : estimator, default=None
        A k-means: anything that has `fit` and then `cluster_centers_`, such as
        :class:`~sklearn_lloyd.KMeans`, :class:`~sklearn_lloyd.MiniBatchKMeans` and
        scikit-learn's own. `fit` fits a clone of it. One that is fitted and shall stay as it is
        comes as ``sklearn.frozen.FrozenEstimator(model)``. None: a
        :class:`~sklearn_lloyd.KMeans`; give one, to reach its parameters by name
        (`estimator__init`).

    n_clusters : int, default=None
        Number of clusters. None: what `estimator` says; 8 without one. A number is set on
        the clone that is fitted. For a frozen estimator it must be the number of its centres.

    output : {'distance', 'squared-distance', 'similarity', 'soft', 'triangle', 'one-hot', \
            'label', 'residual'} or list of these, default='distance'
        What to say of a row x with distances :math:`d_j` to the centres. Several outputs stand
        side by side in the order of the list.

        - 'distance': :math:`d_j`.
        - 'squared-distance': :math:`d_j^2`.
        - 'similarity': :math:`\\exp(-\\gamma d_j^2)`, a radial basis function.
        - 'soft': membership, :math:`\\exp(-d_j^2 / T)` over its sum. Rows sum to one.
        - 'triangle': :math:`\\max(0, \\bar d - d_j)` with the mean distance of the row, which
          leaves about half of the features at zero [1]_.
        - 'one-hot': one for the nearest centre, zero for the others.
        - 'label': the index of the nearest centre, a single column.
        - 'residual': the row less its nearest centre, one column for each feature.

    gamma : float, default=None
        :math:`\\gamma` of 'similarity'. None: one over the mean squared distance of the rows
        that `fit` sees to their nearest centre, so that a typical row is similar to its own
        centre by 1/e.

    temperature : float, default=None
        :math:`T` of 'soft', a squared distance: towards zero the membership is that of
        'one-hot', towards infinity it is equal for all. None: the mean squared distance of the
        rows that `fit` sees to their nearest centre. Two over the number of features times
        that makes it the posterior of the mixture of equal, spherical Gaussians that k-means
        stands for.

    passthrough : bool, default=False
        Whether to keep the input, in front of the features.

    sparse_output : bool, default=False
        Whether 'one-hot', which must be the only output, comes as a CSR matrix.

    random_state : int, RandomState instance or None, default=None
        Where the random numbers of the k-means come from. None: what `estimator` says.
        Otherwise it is set on the clone that is fitted, if that has such a parameter; a frozen
        estimator draws nothing.

    Attributes
    ----------
    estimator_ : estimator
        The fitted k-means, or the frozen estimator that was given.

    gamma_ : float
        The gamma in use; 1 where all rows lie on their centres.

    temperature_ : float
        The temperature in use; 1 where all rows lie on their centres.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X was a frame with names that are all strings.

    See Also
    --------
    sklearn_lloyd.KMeans : Its `transform` gives the distances.
    ClusterScaler : What to do before.
    sklearn.kernel_approximation.Nystroem : Similarities to rows in place of centres.

    Notes
    -----
    `transform` costs what that of :class:`~sklearn_lloyd.KMeans` does. Each output is made of
    distances while they are in the cache; there is no second array of shape (n_samples,
    n_clusters). 'one-hot', 'label' and 'residual' cost as much as `predict`. The nearest centre
    is that of :class:`~sklearn_lloyd.KMeans`, whatever `estimator` is. `fit` passes over the
    rows once more than `estimator` does, for `gamma_` and `temperature_`.

    A parameter that is set after `fit` has no effect on `transform`. Neither rows nor their
    features are kept. The fitted k-means has what it keeps by itself: the centres, and in
    `labels_` one number for each row.

    References
    ----------
    .. [1] Coates, A., Ng, A. Y., Lee, H. "An analysis of single-layer networks in unsupervised
       feature learning". AISTATS 2011.
    .. [2] Coates, A., Ng, A. Y. "Learning feature representations with k-means". In: Neural
       Networks: Tricks of the Trade. Springer 2012.

    Examples
    --------
    >>> from sklearn_lloyd.preprocessing import CentroidFeatures
    >>> X = [[0.0, 0.0], [0.0, 2.0], [9.0, 9.0], [9.0, 7.0]]
    >>> features = CentroidFeatures(n_clusters=2, output=["distance", "label"], random_state=0)
    >>> features.fit_transform(X).shape
    (4, 3)
    >>> list(features.get_feature_names_out())
    ['cluster0_distance', 'cluster1_distance', 'cluster_label']
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit"]), None],
        "n_clusters": [Interval(Integral, 1, None, closed="left"), None],
        "output": [StrOptions(set(OUTPUTS)), list, tuple],
        "gamma": [Interval(Real, 0, None, closed="neither"), None],
        "temperature": [Interval(Real, 0, None, closed="neither"), None],
        "passthrough": ["boolean"],
        "sparse_output": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        n_clusters=None,
        output="distance",
        gamma=None,
        temperature=None,
        passthrough=False,
        sparse_output=False,
        random_state=None,
    ):
        self.estimator = estimator
        self.n_clusters = n_clusters
        self.output = output
        self.gamma = gamma
        self.temperature = temperature
        self.passthrough = passthrough
        self.sparse_output = sparse_output
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, sample_weight=None):
        """Fit the k-means, unless it is frozen, and the scales of the features.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Rows to cluster.

        y : array-like, default=None
            Passed on to `estimator`, which has no use for it if it is a k-means.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, zero or more; None: one each.

        Returns
        -------
        self : object
            The fitted transformer. If `fit` fails or is interrupted, it is as it was before.

        Raises
        ------
        ValueError
            If X, the weights or the parameters do not fit; the message names what came and what
            is expected. Among these: a frozen estimator of other features, and an estimator
            without `cluster_centers_`.

        sklearn.exceptions.NotFittedError
            If a frozen estimator is not fitted.
        """
        task = begin_fit(self, X, y, sample_weight)
        with unchanged_on_failure(self):
            outputs = self._checked_outputs()
            estimator = self._estimator_to_fit()
            rows = check_rows(self, X, n_threads=None, reset=True)
            _check_layout(rows, outputs)
            weights = check_weights(sample_weight, rows.shape[0])
            self.estimator_ = _fitted(estimator, X, y, weights)
            self._made = outputs, self.passthrough, self.sparse_output
            centers = self._checked_centers()
            self._require_unique_names()
            weights, _ = scaled_weights(weights)  # a mean does not depend on their unit
            total = rows.shape[0] if weights is None else weights.sum()
            scale = inertia_under(rows, centers, weights) / total
            scale = scale if scale > np.finfo(np.float64).tiny else 1.0
            self.gamma_ = 1.0 / scale if self.gamma is None else self.gamma
            self.temperature_ = scale if self.temperature is None else self.temperature
            task.end(dict)
        return self

    def transform(self, X):
        """The features of each row.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Rows to transform.

        Returns
        -------
        X_new : ndarray or CSR matrix of shape (n_samples, n_features_out)
            float32 if X and the centres are, else float64; labels too. CSR with
            `sparse_output`, or where `passthrough` keeps sparse X.
        """
        check_is_fitted(self)
        outputs, passthrough, sparse_output = self._made
        centers = self._centers
        n_threads = getattr(self.estimator_, "n_threads", None)
        rows = check_rows(self, X, n_threads=n_threads, reset=False)
        _check_layout(rows, outputs)
        dtype = distances_dtype(rows, centers)
        if sparse_output:
            features = sparse_one_hot(rows, centers, dtype)
            if not passthrough:
                return features
            return sparse.hstack([rows.X, features], format="csr", dtype=dtype)
        before = rows.shape[1] if passthrough and not rows.is_sparse else 0
        widths = [len(names_of(name, len(centers), range(rows.shape[1]))) for name in outputs]
        edges = list(accumulate(widths, initial=before))
        places = [slice(*edge) for edge in pairwise(edges)]
        out = np.empty((rows.shape[0], edges[-1]), dtype)
        if before:
            out[:, :before] = rows.X
        centroids = Centroids(centers, self.gamma_, self.temperature_)
        fill_features(rows, centroids, dict(zip(outputs, places, strict=True)), out)
        if passthrough and rows.is_sparse:
            return sparse.hstack([rows.X, sparse.csr_matrix(out)], format="csr", dtype=dtype)
        return out

    def get_feature_names_out(self, input_features=None):
        """Names of the features, such as 'cluster3_distance', 'cluster_label', 'residual_price'.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the features that come in; None: those seen in `fit`, or x0, x1, ...

        Returns
        -------
        names : ndarray of str objects
        """
        check_is_fitted(self)
        given = super().get_feature_names_out(input_features)
        outputs, passthrough, _ = self._made
        names = list(given) if passthrough else []
        for output in outputs:
            names += names_of(output, len(self._centers), given)
        return np.asarray(names, dtype=object)

    @property
    def _centers(self):
        return np.asarray(self.estimator_.cluster_centers_)

    def _checked_outputs(self):
        outputs = _as_list(self.output)
        known = all(isinstance(name, str) and name in OUTPUTS for name in outputs)
        if not known or not outputs or len(set(outputs)) < len(outputs):
            raise ValueError(
                f"output={self.output!r} must be one of {', '.join(map(repr, OUTPUTS))}, or a "
                "list of these, each of them once."
            )
        if self.sparse_output and outputs != ["one-hot"]:
            raise ValueError(
                f"sparse_output=True is for output='one-hot' alone; got output={self.output!r}, "
                "whose features are mostly not zero."
            )
        return outputs

    def _estimator_to_fit(self):
        if self.estimator is None:
            n_clusters = 8 if self.n_clusters is None else self.n_clusters
            return KMeans(n_clusters, random_state=self.random_state)
        if isinstance(self.estimator, FrozenEstimator):
            check_is_fitted(self.estimator)
            return self.estimator
        estimator = clone(self.estimator)
        known = estimator.get_params(deep=False)
        if self.n_clusters is not None:
            if "n_clusters" not in known:
                raise ValueError(
                    f"n_clusters={self.n_clusters} was given, but {type(estimator).__name__} has "
                    "no such parameter: leave n_clusters at None."
                )
            estimator.set_params(n_clusters=self.n_clusters)
        if self.random_state is not None and "random_state" in known:
            estimator.set_params(random_state=self.random_state)
        return estimator

    def _checked_centers(self):
        name = type(self.estimator_).__name__
        if not hasattr(self.estimator_, "cluster_centers_"):
            raise ValueError(
                f"estimator must have cluster_centers_ once it is fitted; {name} has none. A "
                "scaler belongs before CentroidFeatures in a Pipeline, not inside of `estimator`."
            )
        centers = check_array(self._centers, input_name="cluster_centers_")
        if centers.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {self.n_features_in_} features, but {name} was fitted on "
                f"{centers.shape[1]}."
            )
        if self.n_clusters is not None and len(centers) != self.n_clusters:
            raise ValueError(
                f"n_clusters={self.n_clusters}, but {name} has {len(centers)} centres: leave "
                "n_clusters at None, or give an estimator that is not frozen."
            )
        refuse_of_array(centers, "cluster_centers_")
        theirs = getattr(self.estimator_, "feature_names_in_", None)
        ours = getattr(self, "feature_names_in_", None)
        if theirs is not None and ours is not None and not np.array_equal(theirs, ours):
            raise ValueError(
                f"X has the features {list(ours)}, but {name} was fitted on {list(theirs)}."
            )
        return self._centers

    def _require_unique_names(self):
        names, counts = np.unique(self.get_feature_names_out(), return_counts=True)
        if (counts > 1).any():
            raise ValueError(
                f"passthrough=True: X has features of the same names as the output: "
                f"{list(names[counts > 1])}. Rename them, or set passthrough=False."
            )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = True if self.estimator is None else get_tags(self.estimator).input_tags.sparse
        tags.input_tags.sparse = inner and "residual" not in _as_list(self.output)
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _as_list(output):
    return list(output) if isinstance(output, list | tuple) else [output]


def _fitted(estimator, X, y, weights):
    if isinstance(estimator, FrozenEstimator) or weights is None:
        return estimator.fit(X, y)
    if not has_fit_parameter(estimator, "sample_weight"):
        raise ValueError(f"sample_weight was given, but {type(estimator).__name__} takes none.")
    return estimator.fit(X, y, sample_weight=weights)


def _check_layout(rows, outputs):
    if rows.is_sparse and "residual" in outputs:
        raise ValueError(
            "output='residual' is not for sparse X: rows less their centres are dense. Choose "
            "another output, or give dense X."
        )
