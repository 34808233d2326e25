"""`diagnose`: from an estimator and rows to the view that the checks share."""

from __future__ import annotations

import warnings
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from sklearn_lloyd._axes import same_distances
from sklearn_lloyd._compat import Interval, validate_params
from sklearn_lloyd._moments import feature_ranges, is_constant, mean_variance
from sklearn_lloyd._pipeline import fitted_names_of, seen_by_clusterer, split_steps
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd._texts import as_given
from sklearn_lloyd._validation import check_rows, check_weights
from sklearn_lloyd._weights import scaled_weights
from sklearn_lloyd.inspection._checks import CHECKS
from sklearn_lloyd.inspection._checks_view import View
from sklearn_lloyd.inspection._findings import Diagnosis
from sklearn_lloyd.inspection._identifiers import identifiers

_MOST_VALUES = 1 << 24  # of a sample that is dense: 128 megabytes
# Rows and centres that may be replaced by points in as many dimensions, which takes the third
# power of their number: about a second on one core.
_MOST_POINTS = 1500
_MOST_EACH = 2.0**40  # that a row may stand for
_SPARSE_ROWS = 700  # of a sample that stays sparse, since it has more features than that


@validate_params(
    {
        "estimator": "no_validation",
        "X": "no_validation",
        "sample_weight": ["array-like", None],
        "sample_size": [Interval(Integral, 2, None, closed="left")],
        "n_starts": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def diagnose(estimator, X, *, sample_weight=None, sample_size=5000, n_starts=10, random_state=0):
    """Look for what commonly goes wrong with k-means, and say what to do about it.

    The checks look at the space that the clusterer sees: after the other steps of a pipeline.
    On groups that suit k-means and are found by it there is nothing to report.

    Parameters
    ----------
    estimator : estimator
        A fitted clusterer with `cluster_centers_` and `predict`, of this package, scikit-learn
        or another one in its manner; also as the last step of a Pipeline, or the
        `best_estimator_` of a search.
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
        The rows that the estimator was fitted to, or others, as its `predict` takes them.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row, as in `fit`; None: one each.
    sample_size : int, default=5000
        Rows at the most that are looked at more closely, drawn at random; fewer if X is so wide
        that they would have more than 2**24 values, and 700 of sparse rows with more than 1500
        features. Sizes of clusters and variances of features are those of all rows.
    n_starts : int, default=10
        Fresh starts of k-means on these rows, to see whether they agree. Less than 2: no such
        check.
    random_state : int, RandomState instance or None, default=0
        Draws the rows, the starts and the reference sets. By default the same at each call: the
        same rows, in any order, give the same findings.

    Returns
    -------
    diagnosis : Diagnosis
        A sequence of :class:`Finding`, the most severe first; empty if all is well. It
        shows as text, and as HTML in notebooks.

    Raises
    ------
    TypeError
        If the estimator has no `predict` or no `cluster_centers_` when fitted.
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ValueError
        If X does not fit the estimator or is not finite, or an argument is out of range.

    Notes
    -----
    It takes O(n_samples n_features) and a `predict` of all rows, and on the sample of m rows
    O(m n_clusters n_features) for each start and iteration, a few principal axes, and
    O(2000^2 n_features) for silhouettes and neighbours. Where m rows and the centres are fewer
    than the features, and 1500 at the most, they are replaced by points that are as far from each
    other in as many dimensions as there are points: then all of that takes O(m^3). So 20,000
    sparse rows of 20,000 features take a second or two. No more than 2**24 values of sparse rows
    are dense at a time.

    The guide lists the codes, their thresholds and the reasons for them. With few rows, most
    checks have too little to go by, and say nothing.

    References
    ----------
    Hennig, C. "Cluster-wise assessment of cluster stability". Computational Statistics and Data
    Analysis 52, 2007.

    Kaufman, L., Rousseeuw, P. J. "Finding groups in data". Wiley, 1990.

    Tibshirani, R., Walther, G., Hastie, T. "Estimating the number of clusters in a data set via
    the gap statistic". Journal of the Royal Statistical Society B 63, 2001.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.inspection import diagnose
    >>> X = load_wine(as_frame=True).data
    >>> model = KMeans(n_clusters=3, n_init=10, random_state=0).fit(X)
    >>> diagnosis = diagnose(model, X)
    >>> diagnosis[0].code, diagnosis[0].evidence["feature"]
    ('dominant-feature', 'proline')
    """
    seen = seen_by_clusterer(estimator, X)
    centers = _centers_of(seen.clusterer)
    # On the caller's thread, whatever the checks draw later.
    rng = check_random_state(random_state)
    view = _view(estimator, X, seen, centers, sample_weight, sample_size, n_starts, rng)
    with warnings.catch_warnings():
        # Starts on fewer rows than the estimator saw may leave clusters empty.
        warnings.simplefilter("ignore", ConvergenceWarning)
        findings = [check(view) for check in CHECKS.values()]
    return Diagnosis(finding for finding in findings if finding is not None)


def _centers_of(clusterer):
    if not hasattr(clusterer, "cluster_centers_"):
        raise TypeError(
            "diagnose needs a clusterer with cluster_centers_, and a fitted "
            f"{type(clusterer).__name__} has none. Pass a fitted KMeans, or a Pipeline that ends "
            "in one."
        )
    return np.array(clusterer.cluster_centers_, dtype=np.float64, ndmin=2)


def _view(estimator, table, seen, centers, sample_weight, sample_size, n_starts, rng):
    clusterer, X, names = seen
    n_clusters = len(centers)
    given = check_rows(clusterer, X, n_threads=None, reset=False)
    n_samples, n_features = given.shape
    if n_features != centers.shape[1]:
        raise ValueError(
            f"X has {n_features} features, but the cluster_centers_ of "
            f"{type(clusterer).__name__} have {centers.shape[1]}: pass the rows as its predict "
            "takes them."
        )
    # Findings are of shares and ratios, but for how many rows each stands for.
    weights, unit = scaled_weights(check_weights(sample_weight, n_samples))
    weights = None if weights is None else weights * np.clip(unit, 1.0 / _MOST_EACH, _MOST_EACH)
    problem = make_problem(given, n_clusters, weights)  # sees that X is finite, too
    variances = mean_variance(given, weights)[1]
    variances[is_constant(*feature_ranges(given, weights), given.dtype)] = 0.0
    labels = np.asarray(clusterer.predict(X)).astype(np.intp)
    counted = labels if weights is None else labels[weights > 0.0]
    names = [f"x{j}" for j in range(n_features)] if names is None else list(map(str, names))
    sample = _sample(problem, sample_size, rng)
    steps, fitted_names = split_steps(estimator)[0], fitted_names_of(estimator)
    features, rows, points = _sampled(given, sample, problem.canonical.keys[sample], centers)
    sample = sample[: len(rows)]
    return View(
        features=features,
        rows=rows,
        keys=problem.canonical.keys[sample],
        weights=np.ones(sample.size) if weights is None else weights[sample],
        labels=labels[sample],
        centers=points,
        feature_centers=centers,
        counts=np.bincount(counted, minlength=n_clusters),
        sizes=np.bincount(labels, weights, n_clusters).astype(np.float64),
        variances=variances,
        names=names,
        counts_of_rows=_of_counts(given, sample),
        identifiers=identifiers(as_given(steps, table), fitted_names, names, weights),
        n_iter=_whole(getattr(clusterer, "n_iter_", None)),
        max_iter=_whole(getattr(clusterer, "max_iter", None)),
        converged=getattr(clusterer, "converged_", None),
        n_starts=n_starts,
        seed=int(rng.randint(2**31 - 1 - n_starts)),
    )


def _sample(problem, size, rng):
    """Rows of positive weight, in random order; which ones does not depend on theirs in X."""
    n_features = problem.rows.shape[1]
    most = max(2, _MOST_VALUES // n_features)
    if problem.rows.is_sparse and n_features > _MOST_POINTS:
        most = _SPARSE_ROWS
    order = problem.counted_rows()
    return order[rng.permutation(order.size)[: min(size, most)]]


def _sampled(given, sample, keys, centers):
    """A sample as it is, and the sample and the centres in as few dimensions as keep distances.

    Returns
    -------
    features : ndarray or CSC of shape (n_rows, n_features), float64
    rows : ndarray of shape (n_rows, n_dimensions), float64
    centers : ndarray of shape (n_clusters, n_dimensions), float64
    """
    n_features, n_points = given.shape[1], sample.size + len(centers)
    if n_points > _MOST_POINTS or n_points >= n_features:
        rows = given.dense(sample[: max(2, _MOST_VALUES // n_features)])
        return rows, rows, centers
    # Equal rows stay equal to the last digit.
    _, first, group_of = np.unique(keys, return_index=True, return_inverse=True)
    if given.is_sparse:
        features = given.take(sample).astype(np.float64)
        points = sparse.vstack([features[first], sparse.csr_matrix(centers)], format="csr")
        features = features.tocsc()
    else:
        features = given.dense(sample)
        points = np.concatenate([features[first], centers])
    points = same_distances(points)
    return features, points[: first.size][group_of], points[first.size :]


def _of_counts(given, sample):
    """A sample of sparse rows as it is, if no value is negative; else None."""
    rows = given.take(sample).astype(np.float64) if given.is_sparse else None
    return None if rows is None or (rows.nnz and rows.data.min() < 0.0) else rows


def _whole(number):
    return int(number) if isinstance(number, (Integral, np.integer)) else None
