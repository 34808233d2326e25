"""The functions beside the estimators."""

from __future__ import annotations

from numbers import Integral, Real

from sklearn.utils import check_array, check_random_state

from sklearn_lloyd._compat import Interval, StrOptions, validate_params
from sklearn_lloyd._init import kmeans_plusplus_rows
from sklearn_lloyd._kmeans import KMeans
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd._solvers import ASSIGNERS, lloyd, make_assigner
from sklearn_lloyd._validation import (
    check_centers,
    check_centers_fit,
    check_n_clusters,
    check_rows,
    check_weights,
)


@validate_params(
    {
        "X": ["array-like", "sparse matrix"],
        "sample_weight": ["array-like", None],
        "return_n_iter": ["boolean"],
    },
    prefer_skip_nested_validation=False,
)
def k_means(
    X,
    n_clusters,
    *,
    sample_weight=None,
    init="k-means++",
    n_init="auto",
    max_iter=300,
    verbose=False,
    tol=1e-4,
    random_state=None,
    copy_x=True,
    algorithm="lloyd",
    return_n_iter=False,
    init_size=None,
):
    """Fit a :class:`KMeans` and return its attributes.

    Parameters
    ----------
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
        Rows to cluster.
    n_clusters : int
        Number of clusters.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row.
    init : {'k-means++', 'k-means||', 'random', 'random-partition'}, callable or array-like \
            of shape (n_clusters, n_features), default='k-means++'
        As of :class:`KMeans`.
    n_init : 'auto' or int, default='auto'
        As of :class:`KMeans`.
    max_iter : int, default=300
        As of :class:`KMeans`.
    verbose : bool, default=False
        As of :class:`KMeans`.
    tol : float, default=1e-4
        As of :class:`KMeans`.
    random_state : int, RandomState instance or None, default=None
        As of :class:`KMeans`.
    copy_x : bool, default=True
        As of :class:`KMeans`: without effect.
    algorithm : {'lloyd', 'auto', 'elkan', 'hamerly'}, default='lloyd'
        As of :class:`KMeans`. The default is scikit-learn's; 'auto' gives the same result
        sooner.
    return_n_iter : bool, default=False
        Whether to return the number of iterations too.
    init_size : int, default=None
        As of :class:`KMeans`.

    Returns
    -------
    centroid : ndarray of shape (n_clusters, n_features)
        `cluster_centers_`.
    label : ndarray of shape (n_samples,), int32
        `labels_`.
    inertia : float
        `inertia_`.
    best_n_iter : int
        `n_iter_`; only if `return_n_iter`.

    Examples
    --------
    >>> from sklearn_lloyd import k_means
    >>> centers, labels, inertia = k_means([[1, 2], [1, 4], [10, 2], [10, 4]], 2)
    >>> inertia
    4.0
    """
    model = KMeans(
        n_clusters=n_clusters,
        init=init,
        n_init=n_init,
        max_iter=max_iter,
        verbose=verbose,
        tol=tol,
        random_state=random_state,
        copy_x=copy_x,
        algorithm=algorithm,
        init_size=init_size,
    ).fit(X, sample_weight=sample_weight)
    found = (model.cluster_centers_, model.labels_, model.inertia_)
    return (*found, model.n_iter_) if return_n_iter else found


@validate_params(
    {
        "X": ["array-like", "sparse matrix"],
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
        "sample_weight": ["array-like", None],
        "x_squared_norms": ["array-like", None],
        "random_state": ["random_state"],
        "n_local_trials": [Interval(Integral, 1, None, closed="left"), None],
    }
)
def kmeans_plusplus(
    X,
    n_clusters,
    *,
    sample_weight=None,
    x_squared_norms=None,
    random_state=None,
    n_local_trials=None,
):
    """Choose rows as first centres by greedy k-means++.

    Parameters
    ----------
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
        Rows to choose from.
    n_clusters : int
        How many to choose.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row; None: one each.
    x_squared_norms : array-like of shape (n_samples,), default=None
        Accepted for compatibility and checked, but not needed: norms are taken from a
        point near the data.
    random_state : int, RandomState instance or None, default=None
        Where the random numbers come from.
    n_local_trials : int, default=None
        Rows to try for each centre but the first; the one that lowers the potential most is
        taken. None: ``2 + int(log(n_clusters))``. 1 gives plain k-means++.

    Returns
    -------
    centers : ndarray of shape (n_clusters, n_features)
        The rows, dense, in the dtype of X.
    indices : ndarray of shape (n_clusters,), int64
        Where they stand in X.

    Raises
    ------
    ValueError
        If X has fewer rows than `n_clusters`, or an argument does not fit.

    Notes
    -----
    O(n_samples n_clusters n_features n_local_trials) products.

    References
    ----------
    Arthur, D., Vassilvitskii, S. "k-means++: the advantages of careful seeding". SODA 2007.

    Examples
    --------
    >>> from sklearn_lloyd import kmeans_plusplus
    >>> X = [[1, 2], [1, 4], [1, 0], [10, 2], [10, 4], [10, 0]]
    >>> centers, indices = kmeans_plusplus(X, n_clusters=2, random_state=0)
    >>> centers.shape
    (2, 2)
    """
    rows = check_rows("kmeans_plusplus", X, n_threads=None, reset=True)
    n_samples = rows.shape[0]
    check_n_clusters(n_samples, n_clusters)
    weights = check_weights(sample_weight, n_samples)
    if x_squared_norms is not None:
        norms = check_array(x_squared_norms, ensure_2d=False, input_name="x_squared_norms")
        if norms.shape[0] != n_samples:
            raise ValueError(
                f"The length of x_squared_norms {norms.shape[0]} should be equal to the "
                f"length of n_samples {n_samples}."
            )
    rng = check_random_state(random_state)
    problem = make_problem(rows, n_clusters, weights)
    indices = kmeans_plusplus_rows(problem, rng, n_local_trials)
    return rows.dense(indices).astype(rows.dtype), indices


@validate_params(
    {
        "X": ["array-like", "sparse matrix"],
        "init": ["array-like"],
        "sample_weight": ["array-like", None],
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "algorithm": [StrOptions({"auto", *ASSIGNERS})],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
    }
)
def lloyd_steps(
    X,
    init,
    *,
    sample_weight=None,
    max_iter=300,
    tol=1e-4,
    algorithm="auto",
    n_threads=None,
):
    """Lloyd's algorithm step by step: the loop that :meth:`KMeans.fit` runs.

    Parameters
    ----------
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
        Rows to cluster.
    init : array-like of shape (n_clusters, n_features)
        The first centres.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row; None: one each.
    max_iter : int, default=300
        Steps at the most. To stop earlier, leave the loop.
    tol : float, default=1e-4
        As of :class:`KMeans`.
    algorithm : {'auto', 'lloyd', 'elkan', 'hamerly'}, default='auto'
        As of :class:`KMeans`.
    n_threads : int or None, default=None
        As of :class:`KMeans`.

    Yields
    ------
    step : Step
        With the attributes `iteration` (from 0), `labels` (nearest of the centres that the
        step started from), `centers` (the means of these clusters), `inertia` (of the
        labels under the centres that the step started from), `center_shift`, `n_changed`,
        `n_empty`, `seconds` and `converged` ("strict", "tol" or "" while it goes on). The
        arrays are the caller's to keep.

    Raises
    ------
    ValueError
        If an argument does not fit; at the call, not at the first step.

    Examples
    --------
    >>> from sklearn_lloyd import lloyd_steps
    >>> X = [[0.0], [1.0], [9.0], [10.0]]
    >>> for step in lloyd_steps(X, init=[[0.0], [1.0]]):
    ...     print(step.iteration, step.labels, step.inertia)
    0 [0 1 1 1] 145.0
    1 [0 0 1 1] 17.555555555555557
    2 [0 0 1 1] 1.0
    """
    centers = check_centers(init)
    n_clusters = len(centers)
    rows = check_rows("lloyd_steps", X, n_threads=n_threads, reset=True)
    check_n_clusters(rows.shape[0], n_clusters)
    weights = check_weights(sample_weight, rows.shape[0])
    check_centers_fit(centers, n_clusters, rows.shape[1])
    problem = make_problem(rows, n_clusters, weights)
    assigner = make_assigner(algorithm, problem)
    steps = lloyd(problem, centers, assigner, max_iter, tol * problem.variance)
    return (
        step._replace(
            labels=step.labels.copy(),
            centers=step.centers.copy(),
            inertia=step.inertia * problem.weight_unit,
        )
        for step in steps
    )
