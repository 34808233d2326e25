"""The MiniBatchKMeans estimator: parameters, documentation, fitted attributes."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from sklearn.utils import check_random_state

from sklearn_lloyd._base import BaseKMeans
from sklearn_lloyd._batches import Batches, naming_batch, require_rows
from sklearn_lloyd._callbacks import begin_fit
from sklearn_lloyd._compat import Interval, fit_context
from sklearn_lloyd._fit_minibatch import (
    BatchOptions,
    BatchResult,
    best_start,
    fit_minibatch,
    label_all,
    moving_centers,
    own_rng,
    step_by_step,
)
from sklearn_lloyd._init import RowDraws
from sklearn_lloyd._predict import shift_near_centers
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd._solvers import label_rows
from sklearn_lloyd._squares import require_squares
from sklearn_lloyd._types import BATCH_HISTORY_DTYPE
from sklearn_lloyd._validation import (
    check_n_clusters,
    check_weights,
    unchanged_on_failure,
    warn_user,
)
from sklearn_lloyd._weights import in_weight_unit, scaled_weights


class MiniBatchKMeans(BaseKMeans):
    """Mini-batch k-means: scikit-learn's `MiniBatchKMeans`, faster and reproducible.

    Each step looks at a batch of rows only and moves each centre a little, to the mean of all
    rows that have chosen it so far [1]_. That is less work than :class:`KMeans` on many rows,
    for an inertia that is some percent higher, and rows may come one batch at a time
    (:meth:`partial_fit`).

    Parameters, methods, fitted attributes and errors are those of
    :class:`sklearn.cluster.MiniBatchKMeans`; `n_threads` and the `init` "k-means||"
    and "random-partition" are ours. One `random_state` gives one result, whatever the number of
    threads and the order of the rows that `fit` is given, and integer weights give what repeated
    rows give.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters, and of centres.

    init : {'k-means++', 'k-means||', 'random', 'random-partition'}, callable or array-like \
            of shape (n_clusters, n_features), default='k-means++'
        Where the first centres come from, as of :class:`KMeans`. All but an array see a sample
        of `init_size` rows. If these are at least 20 for each cluster, up to ten iterations of
        k-means on the sample follow a start by name. An array, and what a callable returns, is
        taken as it is.

    max_iter : int, default=100
        Batches end when as many rows were drawn as make this many passes over X.

    batch_size : int, default=1024
        Rows of a batch, drawn by weight, with replacement.

    verbose : int, default=0
        Whether to print the inertia of every batch.

    compute_labels : bool, default=True
        Whether to compute `labels_` and the exact `inertia_` in the end, which takes a pass over
        X. Only that pass finds clusters without rows, see the notes.

    random_state : int, RandomState instance or None, default=None
        Where the random numbers come from. They are drawn on the calling thread, in a fixed
        order.

    tol : float, default=0.0
        The run has converged when the squared movement of all centres in a step is at most `tol`
        times the mean (weighted) variance of the features. 0: movements do not end it.

    max_no_improvement : int, default=10
        The run has converged after this many batches in a row without a new least smoothed
        inertia. The smoothed inertia is an exponentially weighted mean, in which the last batch
        counts ``2 * batch_size / (n_samples + 1)``. None: never.

    init_size : int, default=None
        Rows of the sample that a start sees, drawn by weight, with replacement. None:
        ``3 * batch_size``, or ``3 * n_clusters`` if that is too little for `n_clusters`. If X has
        no more distinct rows, a start sees all rows.

    n_init : 'auto' or int, default='auto'
        Number of starts, in `fit` or on the first batch. The batches go on from the one with the
        least inertia on a sample of `init_size` rows. 'auto' is 1 for 'k-means++', 'k-means||'
        and arrays, 3 for the others.

    reassignment_ratio : float, default=0.01
        Clusters whose weight so far is below this share of the largest are moved to rows of the
        batch, drawn by weight, whenever ``10 * n_clusters`` rows have come by. 0: none moves.

    n_threads : int or None, default=None
        Threads to use, as of :class:`KMeans`. It never changes a result.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        Centres; float32 if X is (the X of the first call of `partial_fit`), else float64.

    labels_ : ndarray of shape (n_samples,), int32
        Nearest of `cluster_centers_` for each row of X, or of the last batch of `partial_fit`;
        only if `compute_labels`.

    inertia_ : float
        Weighted sum of squared distances of these rows to their nearest centre. After `fit`
        without `compute_labels`: the last smoothed inertia times the sum of the weights, an
        estimate. `partial_fit` does not set it then.

    n_iter_ : int
        Passes over X that as many rows as were drawn in `fit` would make, rounded up.

    n_steps_ : int
        Batches so far.

    counts_ : ndarray of shape (n_clusters,), float64
        The weight of the rows that have moved each centre, which is what the centre weighs in
        the next step.

    converged_ : bool
        False if `max_iter` ended `fit` before it converged.

    history_ : structured ndarray of shape (`n_steps_`,)
        A record for each step of `fit` or `fit_batches`. Fields: 'inertia' (of the batch under
        the centres of the step before, for one row), 'smoothed_inertia', 'center_shift' (squared
        movement of the centres) and 'n_reassigned' (clusters moved to a row).

    start_inertias_ : ndarray of shape (n_init,)
        Inertia of every start on the sample that they are compared by.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X was a frame with names that are all strings.

    See Also
    --------
    KMeans : All rows in each iteration; the better clustering, and often soon enough.
    sklearn.cluster.MiniBatchKMeans : The estimator whose contract this one keeps.

    Notes
    -----
    A step costs O(batch_size n_clusters n_features). Before the first, `fit` passes over X twice
    and sorts the rows in their canonical order, O(n_samples (n_features + log(n_samples))), for
    24 bytes a row.

    Where scikit-learn's parameters refer to the number of rows (the end of the run by
    `max_iter`, the smoothing, the upper limit of `batch_size` and `init_size`), it is the number
    of distinct rows of positive weight here: weights have to be as good as repeated rows.

    Clusters that no row of X has chosen in the end of `fit` move to the rows that cost most, as
    those of :class:`KMeans`, unless `reassignment_ratio` is 0. A ConvergenceWarning tells of those
    that stay empty; of `fit_batches`, those that no row of the last pass has chosen.

    Callbacks, as of :class:`KMeans`, are told of the steps.

    References
    ----------
    .. [1] Sculley, D. "Web-scale k-means clustering". WWW 2010.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_lloyd import MiniBatchKMeans
    >>> rng = np.random.default_rng(0)
    >>> X = np.concatenate([rng.normal(c, 0.5, size=(500, 2)) for c in (1, 5, 10)])
    >>> model = MiniBatchKMeans(n_clusters=3, random_state=0).fit(X)
    >>> np.sort(model.cluster_centers_[:, 0]).round()
    array([ 1.,  5., 10.])

    Batch by batch:

    >>> stream = MiniBatchKMeans(n_clusters=3, random_state=0)
    >>> for batch in np.array_split(rng.permutation(X), 10):
    ...     stream = stream.partial_fit(batch)
    >>> stream.n_steps_
    10
    """

    _parameter_constraints: dict = {
        **BaseKMeans._parameter_constraints,
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "compute_labels": ["boolean"],
        "max_no_improvement": [Interval(Integral, 0, None, closed="left"), None],
        "init_size": [Interval(Integral, 1, None, closed="left"), None],
        "reassignment_ratio": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        init="k-means++",
        max_iter=100,
        batch_size=1024,
        verbose=0,
        compute_labels=True,
        random_state=None,
        tol=0.0,
        max_no_improvement=10,
        init_size=None,
        n_init="auto",
        reassignment_ratio=0.01,
        n_threads=None,
    ):
        self.n_clusters = n_clusters
        self.init = init
        self.max_iter = max_iter
        self.batch_size = batch_size
        self.verbose = verbose
        self.compute_labels = compute_labels
        self.random_state = random_state
        self.tol = tol
        self.max_no_improvement = max_no_improvement
        self.init_size = init_size
        self.n_init = n_init
        self.reassignment_ratio = reassignment_ratio
        self.n_threads = n_threads

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Compute the centres from batches that are drawn from X.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Rows to cluster; read where they are, as by :meth:`KMeans.fit`.

        y : Ignored
            Not used, present for API consistency.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, zero or more; None: one each. Rows are drawn by it, for the
            starts and for the batches, and then count one each. Not used by an `init` that is an
            array.

        Returns
        -------
        self : object
            The fitted estimator; as it was before if `fit` fails or is interrupted.

        Raises
        ------
        ValueError
            If X, the weights or the first centres do not fit: the message says what is expected.

        """
        task = begin_fit(self, X, y, sample_weight, max_subtasks=None)
        with unchanged_on_failure(self):
            rows = self._check_rows(X, reset=True)
            weights = check_weights(sample_weight, rows.shape[0])
            init, options = self._checked_options(rows)
            rng = check_random_state(self.random_state)
            problem = make_problem(rows, self.n_clusters, weights)
            result = fit_minibatch(problem, init, options, rng, task)
            if self.compute_labels:
                found = label_all(problem, result.moving, self.reassignment_ratio)
                self.labels_, self.inertia_, n_chosen = found
                self._warn_of_empty_clusters(n_chosen)
            else:
                vars(self).pop("labels_", None)
                total = rows.shape[0] if weights is None else weights.sum()
                self.inertia_ = float(result.history["smoothed_inertia"][-1] * total)
            self._forget_ids()
            self._take_over(result.moving, result.rng, problem.dtype)
            for name in BatchResult._fields[2:]:
                setattr(self, f"{name}_", getattr(result, name))
            task.end(dict)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Move the centres by one batch of rows.

        The first call, if nothing was fitted before, chooses the first centres among the rows of
        this batch: the best of `n_init` starts. A later batch with weights that are all zero moves
        nothing and is no step; its rows get their labels.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            The batch; in the first call at least `n_clusters` rows.

        y : Ignored
            Not used, present for API consistency.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, zero or more; None: one each.

        Returns
        -------
        self : object
            The updated estimator. If `partial_fit` fails or is interrupted, the estimator is
            as it was before.

        Raises
        ------
        ValueError
            If X, the weights or the first centres do not fit, or if the first batch has fewer
            rows than `n_clusters`, or none of positive weight.
        """
        task = begin_fit(self, X, y, sample_weight)
        with unchanged_on_failure(self):
            first = not hasattr(self, "cluster_centers_")
            rows = self._check_rows(X, reset=first)
            weights = check_weights(sample_weight, rows.shape[0], may_be_zero=not first)
            moving, shift, rng = self._moving(rows, weights)
            scaled, unit = scaled_weights(weights)
            if weights is None or weights.any():
                moving.step(rows, shift, None, scaled, unit)
                self._take_over(moving, rng, self.cluster_centers_.dtype)
                self.n_steps_ = getattr(self, "n_steps_", 0) + 1
            if self.compute_labels:
                centers = self.cluster_centers_.astype(np.float64)
                labels, inertia, _ = label_rows(rows, centers, shift, weights=scaled)
                self.inertia_ = in_weight_unit(inertia, unit, "inertia")
                self.labels_ = labels
            if first and self._init_is_a_way():
                self._warn_of_empty_clusters(np.count_nonzero(moving.chosen))
            task.end(dict)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_batches(self, batches, n_passes=1):
        """Compute the centres of rows that come in batches, one of them in memory at a time.

        Starts anew. The first centres come from the rows of the first batch. The rows of each
        batch are taken in random order, `batch_size` of them in each step. Rows and batches
        without weight count as if they were not there.

        Parameters
        ----------
        batches : iterable or callable
            Arrays, frames or CSR matrices of shape (n_rows, n_features), or pairs
            ``(X, sample_weight)`` of these and weights; as of :meth:`KMeans.fit_batches`. For one
            pass an iterator will do.

        n_passes : int, default=1
            How often all batches are read.

        Returns
        -------
        self : object
            The fitted estimator, which has no `labels_`: `predict` gives those of any batch.
            `inertia_` is that of the rows as they came in the last pass, before they moved the
            centres. If a batch fails, the estimator is as it was before that batch: as all
            batches before have made it, or before the call if it is the first one.

        Raises
        ------
        TypeError, ValueError
            If `batches` is one table or a path; if it can be read only once and `n_passes` is
            more; if a batch does not fit or is not like the first one (columns, sparse or dense,
            float32 or not), with its number; if the first has fewer rows than `n_clusters`.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_lloyd import MiniBatchKMeans
        >>> def blocks():
        ...     rng = np.random.default_rng(0)
        ...     for _ in range(20):
        ...         yield rng.choice([1.0, 5.0], size=(300, 1)) + rng.normal(size=(300, 1)) / 4
        >>> model = MiniBatchKMeans(n_clusters=2, random_state=0).fit_batches(blocks, n_passes=2)
        >>> np.sort(model.cluster_centers_.ravel()).round()
        array([1., 5.])
        """
        if not isinstance(n_passes, Integral) or isinstance(n_passes, bool) or n_passes < 1:
            raise ValueError(f"n_passes should be an int of at least 1, got {n_passes!r}.")
        batches, first, history = Batches(batches, n_passes), True, []
        task = begin_fit(self, None, max_subtasks=n_passes)
        for n_iter in range(1, n_passes + 1):
            one_pass, inertia = task.begin("pass"), 0.0
            chosen = np.zeros(self.n_clusters, bool)
            for number, X, weights in batches:
                with unchanged_on_failure(self), naming_batch(number):
                    if first:
                        self._forget()
                    inertia += self._learn(X, weights, batches, history, chosen)
                    self.history_ = np.array(history, BATCH_HISTORY_DTYPE)
                    self.n_iter_, self.inertia_, first = n_iter, inertia, False
            if one_pass.end(dict):
                break
        require_rows(not first)
        self._warn_of_empty_clusters(np.count_nonzero(chosen))
        task.end(dict)
        return self

    def _forget(self):
        private = ("_random_state", "_n_waited")
        for name in [name for name in vars(self) if name.endswith("_") or name in private]:
            delattr(self, name)

    def _learn(self, X, weights, batches, history, chosen):
        """Move the centres by the rows of a large batch; return their inertia."""
        first = not hasattr(self, "cluster_centers_")
        rows = self._check_rows(X, reset=first)
        batches.check_alike(rows)
        moving, shift, rng = self._moving(rows, weights)
        inertia, records = step_by_step(moving, rows, weights, shift, rng, self.batch_size)
        self._take_over(moving, rng, self.cluster_centers_.dtype)
        self.n_steps_ = getattr(self, "n_steps_", 0) + len(records)
        history += records
        chosen |= moving.chosen
        return inertia

    def _checked_options(self, rows):
        """The init, an array as checked centres, and what else the loop is told."""
        check_n_clusters(rows.shape[0], self.n_clusters)
        init, n_init = self._checked_init(rows, many=3)
        if self.init_size is not None and self.init_size < self.n_clusters:
            warn_user(
                f"init_size={self.init_size} should be larger than n_clusters={self.n_clusters}. "
                "Setting it to min(3*n_clusters, n_samples)",
                RuntimeWarning,
            )
        values = {name: getattr(self, name) for name in BatchOptions._fields if name != "n_init"}
        return init, BatchOptions(n_init=n_init, **values)

    def _moving(self, rows, weights):
        """The centres as they are, or the first ones; a point near them; the random numbers."""

        def draws_of_rows():
            return rows, RowDraws(make_problem(rows, self.n_clusters, weights))

        if hasattr(self, "cluster_centers_"):
            require_squares(rows)
            centers = self.cluster_centers_.astype(np.float64)
            shift = None if rows.is_sparse else shift_near_centers(centers)
            rng = getattr(self, "_random_state", None)
            rng = rng or own_rng(check_random_state(self.random_state))
            state = getattr(self, "counts_", None), getattr(self, "_n_waited", 0)
            return moving_centers(centers, self, draws_of_rows, rng, *state), shift, rng
        init, options = self._checked_options(rows)
        starts = check_random_state(self.random_state)
        rng, problem = own_rng(starts), make_problem(rows, self.n_clusters, weights)
        best = best_start(problem, init, options, RowDraws(problem), starts)
        centers, self.start_inertias_ = best
        self.cluster_centers_ = centers.astype(problem.dtype)
        return moving_centers(centers, self, draws_of_rows, rng), problem.shift, rng

    def _take_over(self, moving, rng, dtype):
        self.cluster_centers_ = moving.centers.astype(dtype)
        self.counts_ = moving.counts
        self._n_waited = moving.n_waited
        self._random_state = rng
