"""A refit that starts where the old clusters are."""

from __future__ import annotations

from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from sklearn_lloyd._compat import HasMethods, validate_params
from sklearn_lloyd._validation import check_weights
from sklearn_lloyd.inspection._undo import CannotUndo
from sklearn_lloyd.tracking._models import as_seen_by, read_model


@validate_params(
    {"reference": [HasMethods("predict")], "sample_weight": ["array-like", None]},
    prefer_skip_nested_validation=True,
)
def refit_clusters(reference, X, *, sample_weight=None):
    """Fit a model to new rows from the centres that it had.

    ``KMeans(k, init=old.cluster_centers_)`` does that for a clusterer alone. In a pipeline the
    old centres are in the units of the old scaler: here the transformers are fitted first, and
    the centres brought to their units.

    Parameters
    ----------
    reference : fitted KMeans or MiniBatchKMeans, Pipeline that ends in one, or search
        Ours or scikit-learn's; of a search its best estimator.
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_columns)
        The new rows.
    sample_weight : array-like of shape (n_samples,), default=None
        Weight of each row, for the clusterer; None: one each.

    Returns
    -------
    model : estimator
        A fitted clone. The `init` of its clusterer is an array, the old centres in the new units;
        `n_clusters` is their number, `n_init` is 1.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    TypeError
        If it has no `cluster_centers_`.
    ValueError
        If the centres cannot be brought to the new units, or X does not fit.

    See Also
    --------
    align_clusters : Whether the clusters are still the same.

    Notes
    -----
    Clusters that have only moved keep their numbers. That is one local optimum, near the old
    one: compare its `inertia_` with that of a fit from new starts from time to time, as a group
    that is new may share the centre of an old one. Give the result to `align_clusters` all
    the same: it tells what has moved too far.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.tracking import refit_clusters
    >>> X = np.array([[100.0, 1], [120.0, 2], [900.0, 9], [950.0, 8]])
    >>> old = make_pipeline(StandardScaler(), KMeans(2, random_state=0)).fit(X)
    >>> new = refit_clusters(old, 2 * X[::-1])
    >>> bool((new.predict(2 * X) == old.predict(X)).all())
    True
    """
    estimator = reference
    while hasattr(estimator, "best_estimator_") or isinstance(estimator, FrozenEstimator):
        estimator = getattr(estimator, "best_estimator_", None) or estimator.estimator
    old = read_model("reference", estimator)
    start = {"n_clusters": len(old.centers), "n_init": 1}
    if not isinstance(estimator, Pipeline):
        model = clone(estimator).set_params(init=old.centers, **start)
        return model.fit(X, sample_weight=sample_weight)

    front = clone(estimator[:-1])
    seen = front.fit_transform(X)
    weights = check_weights(sample_weight, seen.shape[0])
    name, last = estimator.steps[-1]
    if last is not old.clusterer:
        raise TypeError(f"The last step of the pipeline has to be a k-means, not {last!r}.")
    target = old._replace(steps=[step for _, step in front.steps])
    try:
        centers = as_seen_by(target, old)
    except CannotUndo as reason:
        raise ValueError(
            f"The old centres cannot be brought to the units of the new transformers: {reason}."
        ) from reason
    model = clone(last).set_params(init=centers, **start)
    model.fit(seen, sample_weight=weights)
    return Pipeline(
        [*front.steps, (name, model)], memory=estimator.memory, verbose=estimator.verbose
    )
