"""The DaskKMeans estimator: parameters, documentation, fitted attributes."""

from __future__ import annotations

import operator
from uuid import uuid4

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_lloyd._callbacks import begin_fit
from sklearn_lloyd._compat import fit_context
from sklearn_lloyd._dask import (
    Blocks,
    empty_like,
    empty_table,
    float_dtype,
    is_dask,
    lazily,
    refuse_other_output,
    require_dask,
    total,
)
from sklearn_lloyd._fit_batches import (
    best_of_starts,
    centers_of_sample,
    problem_of_moments,
    sample_size,
)
from sklearn_lloyd._kmeans import KMeans
from sklearn_lloyd._validation import check_init_size, unchanged_on_failure
from sklearn_lloyd.distributed import _passes
from sklearn_lloyd.distributed._assigner import BlocksAssigner
from sklearn_lloyd.distributed._passes import FitOptions
from sklearn_lloyd.distributed._seeding import kmeans_parallel_centers, sample_problem


class DaskKMeans(KMeans):
    """K-means of rows that lie on a dask cluster: the loop and the results of `KMeans`.

    Each iteration is one pass over the blocks of rows, on the workers that hold them. What comes
    back is what the pass changes in the sums of the clusters, ``n_clusters * (n_features + 2)``
    numbers for up to 32 blocks that are neighbours and lie on one worker; no block comes to the
    client. Works with any scheduler of dask. Take threads, which is what dask does by itself, or a
    cluster: the scheduler of processes starts new ones for each pass.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters, and of centres.

    init : {'k-means++', 'k-means||', 'random', 'random-partition'}, callable or array-like \
            of shape (n_clusters, n_features), default='k-means++'
        Where the first centres come from. 'k-means||' [1]_ looks at all rows, in six passes. The
        other names and a callable see a sample of the rows, see `init_size`; 'k-means++' gives
        the best centres of up to ten runs of k-means on it, the fewer the less rows there are.

    n_init : 'auto' or int, default='auto'
        Number of starts; the one with the least inertia is kept. 'auto' is 1 for
        'k-means++', 'k-means||' and arrays, 10 for the others.

    max_iter : int, default=300
        Iterations of a single start at the most.

    tol : float, default=1e-4
        A start has converged when the squared movement of all centres in an iteration is
        at most `tol` times the mean (weighted) variance of the features, or no label
        changed.

    verbose : int, default=0
        Whether to print the inertia of every iteration.

    random_state : int, RandomState instance or None, default=None
        Where the random numbers come from. They are drawn on the calling thread, in a
        fixed order.

    copy_x : bool, default=True
        Accepted for compatibility, and without effect: X is never written to.

    algorithm : {'auto', 'lloyd', 'elkan', 'hamerly'}, default='auto'
        How rows find their nearest centre; the results are the same. 'lloyd' does without bounds.
        Bounds are kept where the workers hold the blocks.

    init_size : int, default=None
        Rows of the sample that a start sees, drawn by weight, with replacement, at least
        `n_clusters`. None: ``max(4096, 20 * n_clusters)``.

    n_threads : int or None, default=None
        Threads for a block. None is one: workers already go through as many blocks at a time as
        they have threads. It never changes a result.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        Centres; float32 if X is, else float64.

    labels_ : dask array, dask series or list of Delayed
        Nearest of `cluster_centers_` for each row, lazily: as ``predict(X)``. It refers to X, so
        that pickles leave it out.

    inertia_ : float
        Weighted sum of squared distances of the rows to their nearest centre.

    n_iter_ : int
        Iterations of the start that was kept.

    converged_ : bool
        False if `max_iter` ended that start before it converged.

    history_ : structured ndarray of shape (`n_iter_`,)
        A record for each iteration of that start, as of :class:`~sklearn_lloyd.KMeans`.

    start_inertias_ : ndarray of shape (n_init,)
        Final inertia of every start.

    start_histories_ : structured ndarray
        A record for each iteration of every start.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X was a frame with names that are all strings.

    See Also
    --------
    sklearn_lloyd.KMeans : The same on one machine; its `fit_batches` reads batches one by one.

    Notes
    -----
    From the same first centres the result is that of `KMeans` on all rows in one array, but for
    the rounding of sums. What is added up is added in a tree over the numbers of the blocks: for
    the same blocks the result is the same bits for any number of workers and threads, and if a
    worker dies in between. If the blocks are those that `KMeans` cuts X into by itself, up to 32
    of them, it is the same bits as that of `KMeans`.

    The workers keep the blocks if these take less than half of their memory together. If not,
    blocks are read again in each pass. Beside the blocks, workers keep 4 to 16 bytes for each row
    until the fit ends.

    An iteration costs O(n_samples n_clusters n_features) at the most, divided by the workers.

    References
    ----------
    .. [1] Bahmani, B., Moseley, B., Vattani, A., Kumar, R., Vassilvitskii, S. "Scalable
       k-means++". VLDB 2012.

    Examples
    --------
    >>> import dask.array as da
    >>> from sklearn_lloyd.distributed import DaskKMeans
    >>> X = da.from_array([[1.0, 2.0], [1.0, 4.0], [10.0, 2.0], [10.0, 4.0]], chunks=(2, 2))
    >>> model = DaskKMeans(n_clusters=2, random_state=0).fit(X)
    >>> model.inertia_
    4.0
    >>> labels = model.predict(X)
    >>> type(labels).__name__, labels.shape, labels.dtype
    ('Array', (4,), dtype('int32'))
    >>> model.to_local()
    KMeans(n_clusters=2, random_state=0)
    """

    def __getstate__(self):
        return {name: value for name, value in super().__getstate__().items() if name != "labels_"}

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Compute the clustering.

        Parameters
        ----------
        X : dask array, dask dataframe or list of Delayed, of shape (n_samples, n_features)
            Rows to cluster, in blocks: dense, CSR or frames of numbers. Blocks may have any
            sizes, known or not. Those without rows or weight are skipped unseen. Blocks of a dask
            array along the features are put together.

        y : Ignored
            Not used, present for API consistency.

        sample_weight : dask array, dask series, list of Delayed or array-like, default=None
            Weight of each row, zero or more; None: one each. In the blocks of X.

        Returns
        -------
        self : object
            The fitted estimator. If `fit` fails or is interrupted, the estimator is as it
            was before.

        Raises
        ------
        TypeError
            If X is no collection of dask.
        ValueError
            If X, the weights or the first centres do not fit; the message names the block.
        RuntimeError
            If the cluster is gone; the message tells what had been done.
        ImportError
            If dask is missing.
        """
        require_dask(X)
        task = begin_fit(self, X, y, sample_weight, max_subtasks=self._n_starts(many=10))
        with unchanged_on_failure(self):
            check_init_size(self.init_size, self.n_clusters)
            blocks, fit = Blocks(X, sample_weight), uuid4().hex
            try:
                blocks.keep_if_they_fit()
                result, n_chosen = self._fit_blocks(X, blocks, fit, task)
            finally:
                blocks.close(_passes.forget, fit)
            self._warn_of_empty_clusters(n_chosen)
            self._take_over(result)
            self.labels_ = self.predict(X)
            task.end(dict)
        return self

    def fit_predict(self, X, y=None, sample_weight=None):
        """Compute the centres and return the label of each row, lazily.

        Parameters
        ----------
        X : dask array, dask dataframe or list of Delayed, of shape (n_samples, n_features)
            Rows to cluster.
        y : Ignored
            Not used, present for API consistency.
        sample_weight : dask array, dask series, list of Delayed or array-like, default=None
            Weight of each row; None: one each.

        Returns
        -------
        labels : dask array, dask series or list of Delayed
            `labels_`.
        """
        return self.fit(X, sample_weight=sample_weight).labels_

    def predict(self, X):
        """Predict the closest cluster of each row, lazily for collections of dask.

        Parameters
        ----------
        X : dask array, dask dataframe, list of Delayed, or what `KMeans` takes
            Rows of shape (n_samples, n_features).

        Returns
        -------
        labels : dask array, dask series or list of Delayed, or ndarray, of shape (n_samples,)
            int32. A series named "cluster" for a dataframe; computed at once, an ndarray, for X
            that is none of dask.
        """
        check_is_fitted(self)
        if not is_dask(X):
            return super().predict(X)
        self._check_features(X)
        return lazily(X, self.to_local(), "predict", np.dtype(np.int32))

    def transform(self, X):
        """Distances of each row to all centres, lazily for collections of dask.

        Parameters
        ----------
        X : dask array, dask dataframe, list of Delayed, or what `KMeans` takes
            Rows of shape (n_samples, n_features).

        Returns
        -------
        X_new : as X, of shape (n_samples, n_clusters)
            Euclidean distances, float64, or float32 if X and the centres are.
        """
        check_is_fitted(self)
        if not is_dask(X):
            return super().transform(X)
        refuse_other_output(self)
        dtype = np.result_type(float_dtype(X), self.cluster_centers_)
        self._check_features(X)
        return lazily(X, self.to_local(), "transform", dtype, self.get_feature_names_out())

    def fit_transform(self, X, y=None, sample_weight=None):
        """Compute the centres and return the distances of each row to them, lazily.

        Parameters
        ----------
        X : dask array, dask dataframe or list of Delayed, of shape (n_samples, n_features)
            Rows to cluster.
        y : Ignored
            Not used, present for API consistency.
        sample_weight : dask array, dask series, list of Delayed or array-like, default=None
            Weight of each row; None: one each.

        Returns
        -------
        X_new : as X, of shape (n_samples, n_clusters)
            As of `transform`.
        """
        return self.fit(X, sample_weight=sample_weight).transform(X)

    def score(self, X, y=None, sample_weight=None):
        """Opposite of the inertia of X under the fitted centres, computed at once.

        Parameters
        ----------
        X : dask array, dask dataframe, list of Delayed, or what `KMeans` takes
            Rows of shape (n_samples, n_features).
        y : Ignored
            Not used, present for API consistency.
        sample_weight : as X, or array-like, of shape (n_samples,), default=None
            Weight of each row; None: one each.

        Returns
        -------
        score : float
            Minus the weighted sum of squared distances to the nearest centre.
        """
        check_is_fitted(self)
        if not is_dask(X):
            return super().score(X, sample_weight=sample_weight)
        options = FitOptions("", self.n_features_in_, self.n_threads or 1)
        parts = Blocks(X, sample_weight).run(
            _passes.score, (options, self.cluster_centers_), operator.add
        )
        return -total([0.0, *parts], operator.add)

    def to_local(self):
        """The same model as a plain :class:`~sklearn_lloyd.KMeans`, which needs no dask.

        Returns
        -------
        model : KMeans
            With the parameters and fitted attributes of this one, but for `labels_`.
        """
        check_is_fitted(self)
        model = KMeans(**self.get_params(deep=False))
        fitted = {name: value for name, value in vars(self).items() if name.endswith("_")}
        fitted.pop("labels_", None)
        vars(model).update(fitted)
        return model

    def _fit_blocks(self, X, blocks, fit, task):
        n_threads = self.n_threads or 1
        shape = getattr(X, "shape", (None, None))
        width = shape[1] if isinstance(shape[1], int) else None
        options = FitOptions(fit, width, n_threads)
        measured = total(
            blocks.run(_passes.measure, options, _passes.add_measured), _passes.add_measured
        )
        if measured is None:
            raise ValueError("X has no rows, or none of positive weight.")
        _, is_sparse, dtype, n_features, names = measured.kind
        table = empty_table(n_features, names)
        validate_data(self, table, reset=True, skip_check_array=True)

        def ends():
            return total(blocks.run(_passes.ends, options, _passes.add_ends), _passes.add_ends)

        problem = problem_of_moments(
            measured.moments, is_sparse, np.dtype(dtype), self.n_clusters, ends,
            n_threads, "X",
        )  # fmt: skip
        unit = problem.weight_unit
        masses = [(number, weight * (own / unit)) for number, weight, own in measured.masses]
        bounded = self._checked_algorithm() != "lloyd"
        options = options._replace(
            n_features=n_features, weight_unit=unit, shift=problem.shift, kept=blocks.kept,
            bounded=bounded,
        )  # fmt: skip
        init, n_init = self._checked_init(problem.rows, many=10)
        rng = check_random_state(self.random_state)

        def start_centers(start):
            if isinstance(init, np.ndarray):
                return init
            if isinstance(init, str) and init == "k-means||":
                of_start = options._replace(start=start)
                return kmeans_parallel_centers(blocks, of_start, masses, self.n_clusters, rng)
            size = sample_size(self.init_size, self.n_clusters)
            sample = sample_problem(blocks, options, masses, size, self.n_clusters, rng)
            return centers_of_sample(sample, init, problem.rows.shape[0], rng)

        def new_assigner(start):
            of_start = options._replace(start=start)
            return BlocksAssigner(blocks, of_start, self.n_clusters, n_features)

        return best_of_starts(
            problem, start_centers, new_assigner,
            n_init=n_init, max_iter=self.max_iter, tol=self.tol, verbose=self.verbose, task=task,
        )  # fmt: skip

    def _check_features(self, X):
        """Refuse other columns than those of fit, before anything is computed."""
        if (like := empty_like(X)) is not None:
            validate_data(self, like, reset=False, skip_check_array=True)
