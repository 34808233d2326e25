"""The KMeans estimator: parameters, documentation, fitted attributes."""

from __future__ import annotations

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

from sklearn_lloyd._base import BaseKMeans
from sklearn_lloyd._batches import Batches, CheckedBatches
from sklearn_lloyd._callbacks import begin_fit
from sklearn_lloyd._compat import Interval, StrOptions, fit_context
from sklearn_lloyd._fit import fit_kmeans
from sklearn_lloyd._fit_batches import fit_batches
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd._solvers import ASSIGNERS
from sklearn_lloyd._validation import (
    check_init_size,
    check_n_clusters,
    check_weights,
    unchanged_on_failure,
    warn_user,
)


class KMeans(BaseKMeans):
    """K-means clustering: scikit-learn's `KMeans`, exact, faster and reproducible.

    Parameters, methods, fitted attributes and errors are those of
    :class:`sklearn.cluster.KMeans`; `n_threads`, `init_size`,
    ``algorithm="auto"`` and the `init` "k-means||" and "random-partition" are ours. One
    `random_state` gives one result, whatever the number of threads and the order of the
    rows, and integer weights give what repeated rows give.

    Parameters
    ----------
    n_clusters : int, default=8
        Number of clusters, and of centres.

    init : {'k-means++', 'k-means||', 'random', 'random-partition'}, callable or array-like \
            of shape (n_clusters, n_features), default='k-means++'
        Where the first centres come from:

        - 'k-means++': greedy k-means++ [1]_, with ``2 + int(log(n_clusters))`` trials for
          each centre; rows are drawn by weight times squared distance to the nearest
          centre so far.
        - 'k-means||': scalable k-means++ [4]_, in few passes over many rows. Each of five
          rounds draws ``2 * n_clusters`` rows as candidates, by weight times squared
          distance to the nearest candidate so far; greedy k-means++ then chooses among them,
          each with the weight of the rows that are nearest to it.
        - 'random': distinct rows, drawn by weight, without replacement.
        - 'random-partition': the means of a random partition of the rows.
        - array: the centres themselves.
        - callable: called as ``init(X, n_clusters, random_state=rng)``, returns centres. It
          sees X as `fit` was given it (as an array or CSR matrix, read-only), in the user's
          own coordinates.

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
        Accepted for compatibility, and without effect: X is never copied whole and never
        written to.

    algorithm : {'auto', 'lloyd', 'elkan', 'hamerly'}, default='auto'
        How rows find their nearest centre; the results are the same.

        - 'lloyd' compares every row with every centre in each iteration.
        - 'hamerly' leaves out the rows whose nearest centre cannot have changed by the
          triangle inequality, with one bound for each row [3]_.
        - 'elkan' is accepted for compatibility. At present it keeps the bounds of 'hamerly',
          not Elkan's [2]_ one for each row and centre, so that it needs little memory.
        - 'auto' is 'hamerly' but for small problems, which 'lloyd' solves sooner.

    init_size : int, default=None
        Number of rows to randomly sample for speeding up the initialization, at least
        `n_clusters`; several times that is sensible. An `init` that is a name then sees
        these rows alone. Each start draws its own, by weight, with replacement; in the
        sample they count one each. None, or as many as X has distinct rows: all rows. Not
        used by an `init` that is an array or a callable.

    n_threads : int or None, default=None
        Threads to use. None: what the machine, its cgroup, OMP_NUM_THREADS and the limits
        of joblib allow when a method is called. It never changes a result.

    Attributes
    ----------
    cluster_centers_ : ndarray of shape (n_clusters, n_features)
        Centres; float32 if X is, else float64. If the run did not converge to the end
        (see `tol`, `max_iter`) these are not the means of the clusters in `labels_`.

    labels_ : ndarray of shape (n_samples,), int32
        Nearest of `cluster_centers_` for each row.

    inertia_ : float
        Weighted sum of squared distances of the rows to their nearest centre.

    n_iter_ : int
        Iterations of the start that was kept.

    converged_ : bool
        False if `max_iter` ended that start before it converged.

    history_ : structured ndarray of shape (`n_iter_`,)
        A record for each iteration of that start. Fields: 'inertia' (of the new labels
        under the centres of the iteration before; from cluster sums in float64),
        'center_shift' (squared movement of the centres), 'n_changed' (rows with a new
        label) and 'n_empty' (clusters without rows, before they were relocated). How long
        iterations take is in the steps of :func:`lloyd_steps`.

    start_inertias_ : ndarray of shape (n_init,)
        Final inertia of every start. If they differ much, there are local optima, and more
        starts may pay.

    start_histories_ : structured ndarray
        A record for each iteration of every start: 'start', its number, and the fields of
        `history_`.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X was a frame with names that are all strings.

    See Also
    --------
    sklearn.cluster.KMeans : The estimator whose contract this one keeps.
    lloyd_steps : The loop of this estimator, one step at a time.
    kmeans_plusplus : The seeding alone.

    Notes
    -----
    An iteration costs O(n_samples n_clusters n_features) at the most; the bounds of
    'hamerly' leave a small part of that in later iterations. The seeding by 'k-means++' costs
    O(n_samples n_clusters n_features log(n_clusters)) in `n_clusters` passes over the rows,
    that by 'k-means||' O(n_samples n_clusters n_features) in six, and holds ten candidates
    for each centre; `init_size` takes the place of `n_samples` in both. Beside X, `fit` needs
    about 60 bytes for each row, and for each thread a few megabytes and a few arrays of the size
    of the centres. Rows with many features are kept once more in fewer bytes, at most half of X
    and at most scikit-learn's `working_memory`.

    The label of a row is defined by squared differences in float64, ties to the lowest
    index. Products in float32 or float64 decide where their error bound allows it, the
    definition decides the rest. Sums are in float64 and have one order, so that all results are
    the same bits on every processor.

    With scikit-learn 1.9 or later, `set_callbacks` has callbacks told of the fit, its starts and
    their iterations. One that stops an iteration ends that start; one that stops a start
    leaves out those that would follow.

    An empty cluster moves to the row that costs most (weight times squared distance, equal
    rows together).

    One feature only works as well; for a few groups along one axis quantile cuts
    (:class:`sklearn.preprocessing.KBinsDiscretizer`) may say the same more simply.

    References
    ----------
    .. [1] Arthur, D., Vassilvitskii, S. "k-means++: the advantages of careful seeding".
       SODA 2007.
    .. [2] Elkan, C. "Using the triangle inequality to accelerate k-means". ICML 2003.
    .. [3] Hamerly, G. "Making k-means even faster". SDM 2010.
    .. [4] Bahmani, B., Moseley, B., Vattani, A., Kumar, R., Vassilvitskii, S. "Scalable
       k-means++". VLDB 2012.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_lloyd import KMeans
    >>> X = np.array([[1, 2], [1, 4], [1, 0],
    ...               [10, 2], [10, 4], [10, 0]])
    >>> kmeans = KMeans(n_clusters=2, random_state=0).fit(X)
    >>> kmeans.inertia_
    16.0
    >>> labels = kmeans.predict([[0, 0], [12, 3]])
    >>> bool(labels[0] == kmeans.labels_[0])
    True
    >>> kmeans.converged_
    True
    """

    _parameter_constraints: dict = {
        **BaseKMeans._parameter_constraints,
        "copy_x": ["boolean"],
        "algorithm": [StrOptions({"auto", *ASSIGNERS})],
        "init_size": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        n_clusters=8,
        *,
        init="k-means++",
        n_init="auto",
        max_iter=300,
        tol=1e-4,
        verbose=0,
        random_state=None,
        copy_x=True,
        algorithm="auto",
        init_size=None,
        n_threads=None,
    ):
        self.n_clusters = n_clusters
        self.init = init
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.verbose = verbose
        self.random_state = random_state
        self.copy_x = copy_x
        self.algorithm = algorithm
        self.init_size = init_size
        self.n_threads = n_threads

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Compute the clustering.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Rows to cluster. Dense arrays of float64, float32, integers or booleans in any
            memory order, memmaps and CSR matrices are read where they are. Other dtypes and
            sparse formats, lists and frames that have no such array in them are converted.

        y : Ignored
            Not used, present for API consistency.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, zero or more; None: one each. An integer weight counts as
            so many equal rows. Not used by an `init` that is an array or a callable.

        Returns
        -------
        self : object
            The fitted estimator. If `fit` fails or is interrupted, the estimator is as it
            was before.

        Raises
        ------
        ValueError
            If X, the weights or the first centres do not fit; the message names what came
            and what is expected.

        """
        task = begin_fit(self, X, y, sample_weight, max_subtasks=self._n_starts(many=10))
        with unchanged_on_failure(self):
            check_init_size(self.init_size, self.n_clusters)
            rows = self._check_rows(X, reset=True)
            check_n_clusters(rows.shape[0], self.n_clusters)
            weights = check_weights(sample_weight, rows.shape[0])
            init, n_init = self._checked_init(rows, many=10)
            result = fit_kmeans(
                make_problem(rows, self.n_clusters, weights),
                init,
                n_init=n_init,
                max_iter=self.max_iter,
                tol=self.tol,
                algorithm=self._checked_algorithm(),
                rng=check_random_state(self.random_state),
                init_size=self.init_size,
                verbose=self.verbose,
                task=task,
            )
            self._warn_of_empty_clusters(np.count_nonzero(np.bincount(result.labels)))
            self.labels_ = result.labels
            self._take_over(result)
            task.end(dict)
        return self

    @fit_context(prefer_skip_nested_validation=True)
    def fit_batches(self, batches):
        """Compute the clustering of rows that come in batches, one of them in memory at a time.

        From the same first centres the result is that of `fit` on all rows in one array, but for
        the rounding of sums and for exact ties of rows that could each take over an empty cluster:
        these go by the order of the batches. Each iteration reads all batches once, in every pass
        the same ones.

        Parameters
        ----------
        batches : iterable or callable
            Arrays, frames or CSR matrices of shape (n_rows, n_features), or pairs
            ``(X, sample_weight)`` of these and weights. It must be possible to read them again:
            a list, an object whose `__iter__` starts anew, or a function that is called for each
            pass and returns an iterator, such as a generator function. Batches without rows, or
            with weights that are all zero, are skipped.

        Returns
        -------
        self : object
            The fitted estimator, which has no `labels_`: `predict` gives those of any batch.
            If `fit_batches` fails or is interrupted, the estimator is as it was before.

        Raises
        ------
        TypeError
            If `batches` is one table, a path or anything else that is no batches, before any work.

        ValueError
            If the batches can be read only once, before any work; if a batch does not fit or is
            not like the first one (columns, sparse or dense, float32 or not), with its number.

        Notes
        -----
        An `init` that is no array sees a sample of the rows, drawn by weight in the first pass:
        `init_size` of them, by default ``max(4096, 20 * n_clusters)``. A pass over all rows is
        dear, so that 'k-means++' takes the best centres of up to ten runs of k-means on that
        sample, the fewer the less rows there are. `algorithm` is not used: nothing is remembered
        of a row from pass to pass. So the field 'n_changed' of `history_`
        is -1 where labels changed; how many is not known. An empty cluster costs one more pass;
        equal rows count as one for it if together they are among the most costly of their batches.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_lloyd import KMeans
        >>> X = np.array([[1.0], [2.0], [9.0], [10.0]])
        >>> model = KMeans(n_clusters=2, init=X[:2]).fit_batches([X[:3], X[3:]])
        >>> model.cluster_centers_.ravel()
        array([1.5, 9.5])
        """
        batches = Batches(batches, n_passes=2)
        task = begin_fit(self, None, max_subtasks=self._n_starts(many=10))
        with unchanged_on_failure(self):
            check_init_size(self.init_size, self.n_clusters)
            checked = CheckedBatches(batches, lambda X, first: self._check_rows(X, reset=first))
            rows, _ = next(iter(checked))
            init, n_init = self._checked_init(rows, many=10)
            result, n_chosen = fit_batches(
                checked,
                self.n_clusters,
                init,
                n_init=n_init,
                max_iter=self.max_iter,
                tol=self.tol,
                rng=check_random_state(self.random_state),
                init_size=self.init_size,
                verbose=self.verbose,
                task=task,
            )
            self._warn_of_empty_clusters(n_chosen)
            vars(self).pop("labels_", None)
            self._take_over(result)
            task.end(dict)
        return self

    def _take_over(self, result):
        self._forget_ids()
        self.cluster_centers_ = result.centers
        self.inertia_ = result.inertia
        self.n_iter_ = result.n_iter
        self.converged_ = result.converged
        self.history_ = result.history
        self.start_inertias_ = result.start_inertias
        self.start_histories_ = result.start_histories

    def _checked_algorithm(self):
        if self.algorithm == "elkan" and self.n_clusters == 1:
            warn_user(
                "algorithm='elkan' doesn't make sense for a single cluster. Using 'lloyd' "
                "instead.",
                RuntimeWarning,
            )
            return "lloyd"
        return self.algorithm
