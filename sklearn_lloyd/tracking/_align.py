"""Find each cluster of a refit in the model before."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np

from sklearn_lloyd._cluster_names import own_names
from sklearn_lloyd._compat import HasMethods, Interval, StrOptions, validate_params
from sklearn_lloyd.inspection._columns import frame_library
from sklearn_lloyd.inspection._undo import CannotUndo
from sklearn_lloyd.tracking._alignment import Alignment
from sklearn_lloyd.tracking._matching import gates, majority, match, pair_distances, parts
from sklearn_lloyd.tracking._models import (
    as_seen_by,
    check_alike,
    check_scale,
    original_centers,
    own_sizes,
    read_model,
    stable_ids,
)
from sklearn_lloyd.tracking._shared_rows import share_rows, spreads_of


@validate_params(
    {
        "new": [HasMethods("predict")],
        "reference": [HasMethods("predict")],
        "method": [StrOptions({"centers", "overlap"})],
        "max_shift": [Interval(Real, 0, None, closed="right")],
        "next_id": [Interval(Integral, 0, None, closed="left"), None],
    },
    prefer_skip_nested_validation=True,
)
def align_clusters(
    new, reference, *, X=None, X_reference=None, method="centers", max_shift=3.0, next_id=None
):
    """Find out which cluster of a new model is which of an older one, so that ids stay.

    Parameters
    ----------
    new : fitted KMeans or MiniBatchKMeans, Pipeline that ends in one, or search
        Ours or scikit-learn's.
    reference : fitted KMeans or MiniBatchKMeans, Pipeline that ends in one, or search
        The model before, fitted on the same columns. Its ids are 0 to n_clusters - 1, or
        those that :meth:`Alignment.apply` gave it. It may have another number of clusters, and
        transformers that learned other numbers.
    X : {array-like, sparse matrix, frame} of shape (n_samples, n_columns), default=None
        Rows as both take them, best those that `new` was fitted on. They tell how far each
        old cluster spreads, which rows move from which to which, and the adjusted Rand index.
    X_reference : {array-like, sparse matrix, frame} of shape (n_samples, n_columns), default=None
        The rows that `reference` was fitted on, if they are still there: how far each old cluster
        spread then. With X, splits and merges are told apart the better from clusters that
        come and go.
    method : {'centers', 'overlap'}, default='centers'
        Partners are clusters with centres close to each other, or, of those, clusters that
        share most of the rows of X.
    max_shift : float, default=3.0
        How many spreads of the old cluster its centre may move at the most. By Chebyshev's
        inequality at most a ninth of any rows is three spreads from their mean: farther away
        hardly a row of the cluster was. ``numpy.inf``: no such limit, where everything has moved
        far, as money does in an inflation.
    next_id : int, default=None
        The first id that was never given. None: what the reference knows of, or its largest id
        plus one. Give it where ids are kept in a table, beside the models.

    Returns
    -------
    alignment : Alignment

    Raises
    ------
    NotFittedError
        If one of the models is not fitted.
    TypeError
        If one of them has no `cluster_centers_`.
    ValueError
        If they were fitted on other features or on another scale, if X is needed and not given or
        has other columns, or `next_id` was given before.

    See Also
    --------
    refit_clusters : Fit anew from the old centres.
    AlignmentDisplay : The picture.

    Notes
    -----
    **One space.** New centres go back through the transformers of `new` to the columns, and
    forth through those of `reference`. So distances are between the same units, and weigh the
    columns as the old clustering did. Equal transformers are left out. Where a step has no way
    back, centres are the means of the rows of X.

    **Gate.** A new centre may have the id of an old cluster if it is

    - nearer than half the distance from the old centre to its nearest other one: then no other
      old centre is as near; than three quarters of it if both are the nearest of each other;
    - or nearer than two standard deviations of a feature, ``2 * spread / sqrt(n_features)``: two
      normal groups of equal spread and size that are so near make one mode [1]_;
    - and, in each case, not farther than `max_shift` spreads.

    Three quarters were found by refits of rows without structure, where centres wander.

    The partners are those of least total squared distance in units of the gate (SciPy's
    `linear_sum_assignment`), where a cluster without partner costs one. By 'overlap' it is one
    less the Jaccard index, and more than half of the rows of one of both have to be in the other.

    **Spread** is the root mean square distance of the rows of an old cluster to their mean,
    as its clusterer sees them. With X it is measured for each cluster, within the new
    clusters, so that rows of a cluster that is new do not widen an old one. Without, it is one
    for all, from the `inertia_` and `labels_` of the reference (right if its weights were one on
    average). If it has none, as after `from_centers`, distances between old centres are all that
    the gate goes by.

    **Splits and merges.** An old cluster was split into the new ones that lie in it (by most of
    their rows; without X by their centres) if their common mean is nearer to its centre than
    any of them. A new cluster beside an old one is told from that: the old one is where it was.
    With X and `X_reference` it is also a split if variance within the parts and half of that
    between them and the old centre are less than what the old cluster had: this finds parts that
    moved together. Merges are the same with old and new exchanged. One part keeps the id, as the
    assignment has it: the nearest, usually the largest. Parts with less than a tenth of the rows
    do not count. Without `labels_`, counts and X, parts are taken for equally large.

    Costs O(n_clusters**3) at the most; with X the passes of three predictions.

    References
    ----------
    .. [1] Robertson, C. A., Fryer, J. G. "Some descriptive properties of normal mixtures".
       Skandinavisk Aktuarietidskrift, 1969.

    Examples
    --------
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.tracking import align_clusters
    >>> old = KMeans.from_centers([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    >>> new = KMeans.from_centers([[0.3, 9.8], [30.0, 30.0], [0.1, 0.2]])
    >>> alignment = align_clusters(new, old)
    >>> alignment.ids, alignment.new, alignment.lost
    (array([2, 3, 0]), (3,), (1,))
    >>> aligned = alignment.apply(new)
    >>> aligned.cluster_ids_[aligned.predict([[0.0, 9.0], [29.0, 31.0]])]
    array([2, 3])
    """
    here, old = read_model("new", new), read_model("reference", reference)
    check_alike(here, old)
    old_ids, first_id = stable_ids(old)
    if next_id is None:
        next_id = first_id
    elif next_id <= old_ids.max():
        raise ValueError(f"next_id={next_id} was given before: the reference has {old_ids.max()}.")
    if X is None and method == "overlap":
        raise ValueError("method='overlap' compares the clusters of rows: give X.")
    rows = None if X is None else share_rows(here, old, X)
    seen, centers_source = _seen(here, old, rows)

    spreads, spread_source = _spreads(old, rows, X_reference)
    distances = pair_distances(seen, old.centers)
    distances[np.isnan(distances)] = np.inf
    gate = gates(distances, old.centers, spreads, max_shift)
    sizes, old_sizes = own_sizes(here), own_sizes(old)
    counts = None
    if rows is not None:
        counts = rows.counts
        sizes = counts.sum(axis=0).astype(float) if sizes is None else sizes
        old_sizes = counts.sum(axis=1).astype(float) if old_sizes is None else old_sizes
    both = None
    if rows is not None and X_reference is not None:
        both = rows.new_spreads, spreads
    splits, merges = _parts(seen, old.centers, distances, counts, (sizes, old_sizes), both)
    shared = counts if method == "overlap" else None
    partners = match(distances, gate, splits, merges, shared)
    check_scale(seen, old.centers, np.count_nonzero(partners >= 0))

    is_new = partners < 0
    ids = np.where(is_new, next_id + np.cumsum(is_new) - 1, old_ids[partners])
    is_lost = np.ones(len(old_ids), bool)
    is_lost[partners[~is_new]] = False
    drift = _drift(ids, old_ids, partners, is_lost, distances, spreads, sizes, old_sizes)
    return Alignment(
        method=method,
        ids=ids,
        reference_ids=old_ids,
        next_id=int(next_id + is_new.sum()),
        partners=partners,
        new=tuple(ids[is_new].tolist()),
        lost=tuple(sorted(old_ids[is_lost].tolist())),
        splits=_by_id(splits, old_ids, ids),
        merges=_by_id(merges, ids, old_ids),
        distances=distances,
        gates=gate,
        spreads=np.full(len(old_ids), np.nan) if spreads is None else spreads,
        spread_source=spread_source,
        centers_source=centers_source,
        drift=drift,
        adjusted_rand=np.nan if rows is None else rows.adjusted_rand,
        flows=counts,
        features=_features(here, old),
        centers=original_centers(here),
        reference_centers=original_centers(old),
        seen=seen,
        reference_seen=old.centers,
        own_centers=here.centers,
        library=frame_library(X),
        names=_names(here, ids, old, old_ids),
    )


def _names(here, ids, old, old_ids):
    """Names by id: the new model's if it has any, else those of the old one."""
    own, before = (
        {i: name for i, name in zip(each.tolist(), held, strict=True) if name is not None}
        for each, held in (
            (ids, own_names(here.clusterer, len(ids))),
            (old_ids, own_names(old.clusterer, len(old_ids))),
        )
    )
    gone = {i: name for i, name in before.items() if i not in ids}
    return gone | own if own else before


def _seen(here, old, rows):
    """The new centres as the reference's clusterer sees them, and whence they come."""
    try:
        return as_seen_by(old, here), "centers"
    except CannotUndo as reason:
        if rows is not None:
            return rows.means, "rows"
        raise ValueError(
            "The centres of `new` have no way back to the columns and through the transformers of "
            f"`reference` ({reason}): give X, for the means of its rows."
        ) from reason


def _spreads(old, rows, X_reference):
    if X_reference is not None:
        return spreads_of(old, X_reference), "reference rows"
    if rows is not None:
        return rows.spreads, "rows"
    inertia, labels = (getattr(old.clusterer, name, None) for name in ("inertia_", "labels_"))
    if inertia is None or labels is None:
        return None, "unknown"
    return np.full(len(old.centers), np.sqrt(inertia / len(labels))), "inertia"


def _parts(seen, old, distances, counts, sizes, spreads):
    """Splits, by old cluster, and merges, by new cluster."""
    if counts is None:
        into, out_of = distances.argmin(axis=0), distances.argmin(axis=1)
    else:
        into, out_of = majority(counts), majority(counts.T)
    known = np.isfinite(distances).all(axis=1)
    seen = np.where(known[:, np.newaxis], seen, 0.0)
    new_spreads, old_spreads = spreads or (None, None)
    return (
        parts(seen, old, np.where(known, out_of, -1), sizes[0], new_spreads, old_spreads),
        parts(old, seen, into, sizes[1], old_spreads, new_spreads),
    )


def _by_id(found, of, part_ids):
    return {int(of[whole]): tuple(sorted(part_ids[own].tolist())) for whole, own in found.items()}


def _features(here, old):
    names = old.names if old.names is not None else here.names
    if names is None:
        names = [f"x{j}" for j in range(old.n_columns or old.centers.shape[1])]
    return np.array(names, dtype=object)


def _drift(ids, old_ids, partners, is_lost, distances, spreads, sizes, old_sizes):
    """The table: a row for each id, in the order of the ids."""
    lost = np.flatnonzero(is_lost)
    every = np.concatenate([ids, old_ids[lost]])
    order = np.argsort(every)
    here = np.concatenate([np.arange(len(ids)), np.full(lost.size, -1)])[order]
    was = np.concatenate([partners, lost])[order]
    kept = (here >= 0) & (was >= 0)
    status = np.where(kept, "kept", np.where(here < 0, "lost", "new")).astype(object)

    def taken(values, places):
        values = np.full(places.max() + 1, np.nan) if values is None else values
        return np.where(places >= 0, values[places], np.nan)

    distance = np.full(len(every), np.nan)
    distance[kept] = distances[here[kept], was[kept]]
    shift = np.full(len(every), np.nan)
    spread = taken(spreads, was)
    np.divide(distance, spread, out=shift, where=spread > 0.0)
    shares, old_shares = (None if s is None else s / s.sum() for s in (sizes, old_sizes))
    share, before = taken(shares, here), taken(old_shares, was)
    return {
        "id": every[order],
        "status": status,
        "cluster": here,
        "reference_cluster": was,
        "distance": distance,
        "shift": shift,
        "share_before": before,
        "share": share,
        "share_change": share - before,
    }
