"""Scorers without true labels: `(estimator, X, y=None)`, as scikit-learn's searches call them.

They only predict. What is scored is the rows as the clusterer at the end of a pipeline sees
them.
"""

from __future__ import annotations

import numpy as np
from sklearn.base import clone

from sklearn_lloyd._pipeline import seen_by_clusterer
from sklearn_lloyd.metrics._indices import calinski_harabasz_score, davies_bouldin_score
from sklearn_lloyd.metrics._labels import check_labels
from sklearn_lloyd.metrics._silhouette import silhouette_score
from sklearn_lloyd.metrics._simplified import simplified_silhouette_score

_SAMPLE = 5000
# Of clusterings that an index cannot judge. Finite: searches warn of infinite scores, and
# cannot take a mean over folds.
_WORST_SILHOUETTE, _WORST_CALINSKI_HARABASZ, _WORST_DAVIES_BOULDIN = -1.0, 0.0, -1e100


def silhouette_scorer(
    estimator, X, y=None, *, metric="euclidean", sample_size=_SAMPLE, random_state=0
):
    """Silhouette of the clusters that a fitted clusterer predicts.

    Parameters
    ----------
    estimator : estimator
        A fitted clusterer with `predict`, alone or as the last step of a Pipeline.
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
        Rows to score, as `estimator.predict` takes them.
    y : Ignored
        Not used, present for API consistency.
    metric : {'euclidean', 'sqeuclidean'}, default='euclidean'
        As of :func:`silhouette_score`.
    sample_size : int or None, default=5000
        As of :func:`silhouette_score`. Fewer rows are all used.
    random_state : int, RandomState instance or None, default=0
        Draws the sample: the same one at each call.

    Returns
    -------
    score : float
        From -1 to 1, larger is better; -1 if all rows are predicted to be in one cluster or each
        in its own.

    Raises
    ------
    TypeError
        If the estimator has no `predict`.

    Notes
    -----
    For other keywords in a search, wrap it:
    ``functools.partial(silhouette_scorer, metric="sqeuclidean")``.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV, ShuffleSplit
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.metrics import silhouette_scorer
    >>> search = GridSearchCV(
    ...     KMeans(random_state=0),
    ...     {"n_clusters": range(1, 7)},
    ...     scoring=silhouette_scorer,
    ...     cv=ShuffleSplit(3, random_state=0),
    ... )
    >>> search.fit(load_iris().data).best_params_
    {'n_clusters': 2}
    """
    rows, labels = _rows_and_labels(estimator, X)
    if not _can_be_judged(labels):
        return _WORST_SILHOUETTE
    return silhouette_score(
        rows, labels, metric=metric, sample_size=sample_size, random_state=random_state
    )


def simplified_silhouette_scorer(estimator, X, y=None, *, metric="euclidean"):
    """Simplified silhouette of the clusters that a fitted clusterer predicts.

    Parameters
    ----------
    estimator : estimator
        A fitted clusterer with `predict`, alone or as the last step of a Pipeline.
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
        Rows to score, as `estimator.predict` takes them.
    y : Ignored
        Not used, present for API consistency.
    metric : {'euclidean', 'sqeuclidean'}, default='euclidean'
        As of :func:`simplified_silhouette_score`, which takes the means of the predicted
        clusters as centres.

    Returns
    -------
    score : float
        From -1 to 1, larger is better; -1 if all rows are predicted to be in one cluster or each
        in its own.

    Raises
    ------
    TypeError
        If the estimator has no `predict`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.metrics import simplified_silhouette_scorer
    >>> X = load_iris().data
    >>> round(simplified_silhouette_scorer(KMeans(3, random_state=0).fit(X), X), 2)
    0.66
    """
    rows, labels = _rows_and_labels(estimator, X)
    if not _can_be_judged(labels):
        return _WORST_SILHOUETTE
    return simplified_silhouette_score(rows, labels, metric=metric)


def calinski_harabasz_scorer(estimator, X, y=None):
    """Calinski-Harabasz index of the clusters that a fitted clusterer predicts.

    Parameters
    ----------
    estimator : estimator
        A fitted clusterer with `predict`, alone or as the last step of a Pipeline.
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
        Rows to score, as `estimator.predict` takes them.
    y : Ignored
        Not used, present for API consistency.

    Returns
    -------
    score : float
        Not negative, larger is better; 0 if all rows are predicted to be in one cluster or each
        in its own.

    Raises
    ------
    TypeError
        If the estimator has no `predict`.

    Examples
    --------
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.metrics import calinski_harabasz_scorer
    >>> X = [[0.0], [1.0], [10.0], [11.0]]
    >>> calinski_harabasz_scorer(KMeans(2, random_state=0).fit(X), X)
    200.0
    >>> calinski_harabasz_scorer(KMeans(1, random_state=0).fit(X), X)
    0.0
    """
    rows, labels = _rows_and_labels(estimator, X)
    if not _can_be_judged(labels):
        return _WORST_CALINSKI_HARABASZ
    return calinski_harabasz_score(rows, labels)


def davies_bouldin_scorer(estimator, X, y=None):
    """Minus the Davies-Bouldin index of the clusters that a fitted clusterer predicts.

    Parameters
    ----------
    estimator : estimator
        A fitted clusterer with `predict`, alone or as the last step of a Pipeline.
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
        Rows to score, as `estimator.predict` takes them.
    y : Ignored
        Not used, present for API consistency.

    Returns
    -------
    score : float
        Not positive, larger is better; -1e100 if all rows are predicted to be in one cluster
        or each in its own.

    Raises
    ------
    TypeError
        If the estimator has no `predict`.

    Examples
    --------
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.metrics import davies_bouldin_scorer
    >>> X = [[0.0], [1.0], [10.0], [11.0]]
    >>> davies_bouldin_scorer(KMeans(2, random_state=0).fit(X), X)
    -0.1
    """
    rows, labels = _rows_and_labels(estimator, X)
    if not _can_be_judged(labels):
        return _WORST_DAVIES_BOULDIN
    return -davies_bouldin_score(rows, labels)


def stability_scorer(estimator, X, y=None):
    """Prediction strength of a fitted clusterer on rows that it has not seen.

    A *clone* of the clusterer is fitted to the rows. For each cluster that it finds, this is
    the share of pairs of its rows that the estimator, too, puts together; the score is
    the least share. The estimator itself only predicts and stays as it is.

    Parameters
    ----------
    estimator : estimator
        A fitted clusterer with `predict`, alone or as the last step of a Pipeline, whose other
        steps are not fitted anew.
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
        Rows to score, other ones than the estimator was fitted to.
    y : Ignored
        Not used, present for API consistency.

    Returns
    -------
    score : float
        From 0 to 1, larger is better; 0 if the estimator or its clone sees one cluster only, or
        the clone a cluster of one row, where there is nothing to predict.

    Raises
    ------
    TypeError
        If the estimator has no `predict`.
    ValueError
        If the clone cannot be fitted, for instance to fewer rows than clusters.

    Notes
    -----
    It costs a fit of the clusterer to X. X should have about as many rows as
    the estimator was fitted to: ``cv=ShuffleSplit(10, test_size=0.5)``.

    Often fewer clusters are as stable as the right number. Tibshirani and Walther take
    the *largest* number of clusters whose score is above 0.8 or 0.9, and not the one with the
    largest score: see the example.

    References
    ----------
    Tibshirani, R., Walther, G. "Cluster validation by prediction strength". Journal of
    Computational and Graphical Statistics 14, 2005.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.model_selection import GridSearchCV, ShuffleSplit
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.metrics import stability_scorer
    >>> X, _ = make_blobs(400, centers=[(0, 0), (0, 9), (9, 0), (9, 9)], random_state=0)
    >>> def largest_stable(results):
    ...     return (results["mean_test_score"] > 0.8).nonzero()[0][-1]
    >>> search = GridSearchCV(
    ...     KMeans(n_init=5, random_state=0),
    ...     {"n_clusters": range(1, 8)},
    ...     scoring=stability_scorer,
    ...     cv=ShuffleSplit(5, test_size=0.5, random_state=0),
    ...     refit=largest_stable,
    ... )
    >>> search.fit(X).best_params_
    {'n_clusters': 4}
    """
    clusterer, rows, _ = seen_by_clusterer(estimator, X)
    predicted = clusterer.predict(rows)
    return prediction_strength_of(predicted, clone(clusterer).fit(rows).predict(rows))


def prediction_strength_of(predicted, found):
    """The least share of pairs of rows of a found cluster that are predicted to be together.

    0 if either has one cluster only, or a found cluster has one row: nothing says that it would
    be found again.
    """
    predicted, n_predicted = check_labels(predicted)
    found, n_found = check_labels(found)
    if n_predicted < 2 or n_found < 2:
        return 0.0
    together = np.bincount(found * n_predicted + predicted, minlength=n_found * n_predicted)
    together = together.reshape(n_found, n_predicted).astype(np.float64)
    sizes = together.sum(axis=1)
    if sizes.min() < 2.0:
        return 0.0
    shared = (together * (together - 1.0)).sum(axis=1)
    return float((shared / (sizes * (sizes - 1.0))).min())


def _rows_and_labels(estimator, X):
    clusterer, rows, _ = seen_by_clusterer(estimator, X)
    return rows, clusterer.predict(rows)


def _can_be_judged(labels):
    """Whether there are two clusters, and one of them has two rows."""
    return 1 < check_labels(labels)[1] < len(labels)
