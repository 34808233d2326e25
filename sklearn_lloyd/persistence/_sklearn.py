"""Our k-means as scikit-learn's."""

from __future__ import annotations

import warnings
from copy import copy

import sklearn.cluster
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from sklearn_lloyd._kmeans import KMeans
from sklearn_lloyd._minibatch_kmeans import MiniBatchKMeans
from sklearn_lloyd._pipeline import split_steps

# What only we have, as scikit-learn's that is most like it.
_NAMES = {
    "algorithm": {"auto": "lloyd", "hamerly": "lloyd"},
    "init": {"k-means||": "k-means++", "random-partition": "random"},
}
_ATTRIBUTES = ["cluster_centers_", "labels_", "inertia_", "n_iter_", "n_steps_"]
_ATTRIBUTES += ["feature_names_in_"]
_KINDS = {KMeans: sklearn.cluster.KMeans, MiniBatchKMeans: sklearn.cluster.MiniBatchKMeans}


def to_sklearn(estimator):
    """Make a fitted k-means of scikit-learn from ours, for those who do not have this package.

    Parameters
    ----------
    estimator : KMeans, MiniBatchKMeans or a search
        Fitted. Of a search it is the best estimator.

    Returns
    -------
    estimator : sklearn.cluster.KMeans or sklearn.cluster.MiniBatchKMeans
        With the same centres, labels, inertia and parameters. It can go on by `partial_fit`.

    Raises
    ------
    TypeError
        If it is another estimator.

    sklearn.exceptions.NotFittedError
        If it is not fitted.

    Notes
    -----
    The centres are the same bits. scikit-learn compares distances that it computes from products,
    so it may give another label to a row that is nearly as far from two centres; the larger the
    values are compared with their differences, the sooner.

    Parameters that scikit-learn does not have are left out, values as well: its algorithm is then
    'lloyd', and its init 'k-means++' or 'random'. They tell only how it would be fitted again.

    Examples
    --------
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.persistence import to_sklearn
    >>> model = KMeans(n_clusters=2, random_state=0).fit([[0.0], [1.0], [9.0]])
    >>> theirs = to_sklearn(model)
    >>> theirs.predict([[0.2], [8.0]]) == model.predict([[0.2], [8.0]])
    array([ True,  True])
    """
    steps, clusterer = split_steps(estimator)
    kind = _KINDS.get(type(clusterer))
    if kind is None or steps:
        raise TypeError(
            f"to_sklearn takes a KMeans or MiniBatchKMeans of sklearn_lloyd, got "
            f"{type(estimator).__name__}. Of a Pipeline give the last step."
        )
    check_is_fitted(clusterer)
    theirs = _fitted(kind, clusterer)
    own = kind().get_params()
    params = {name: value for name, value in clusterer.get_params().items() if name in own}
    for name, instead in _NAMES.items():
        if isinstance(params.get(name), str):
            params[name] = instead.get(params[name], params[name])
    theirs.set_params(**{**params, "n_clusters": len(clusterer.cluster_centers_)})
    for name in _ATTRIBUTES:
        vars(theirs).pop(name, None)
        if hasattr(clusterer, name):
            setattr(theirs, name, copy(getattr(clusterer, name)))
    return theirs


def _fitted(kind, clusterer):
    """An estimator that was fitted on the centres, each of which is a cluster of its own.

    That sets what is private in scikit-learn. Its public attributes are then replaced.
    """
    centers = clusterer.cluster_centers_
    theirs = kind(len(centers), init=centers, n_init=1, max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of a centre that is there twice
        if not hasattr(clusterer, "counts_") or not clusterer.counts_.any():
            return theirs.fit(centers)
        # Each centre then weighs in the next step what it weighs in ours.
        theirs.set_params(reassignment_ratio=0.0)
        return theirs.partial_fit(centers, sample_weight=clusterer.counts_)
