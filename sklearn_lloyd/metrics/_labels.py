"""Labels of any kind as numbers of clusters, and what of them counts."""

from __future__ import annotations

import numpy as np
from sklearn.utils import check_array, column_or_1d

from sklearn_lloyd._columns import require_numbers
from sklearn_lloyd._weights import scaled_weights

_LARGEST = np.iinfo(np.intp).max


def check_labels(labels):
    """Number the clusters of any labels.

    Returns
    -------
    codes : ndarray of intp of shape (n_samples,)
        From 0 on, in the order of the labels.
    n_clusters : int
    """
    labels = check_array(labels, ensure_2d=False, dtype=None, input_name="labels")
    labels = column_or_1d(labels)
    if labels.dtype.kind in "iu":
        least, most = int(labels.min()), int(labels.max())
        if most - least < 2 * labels.size and most <= _LARGEST:  # counted sooner than sorted
            return _number(labels, least, most - least + 1)
    try:
        names, codes = np.unique(labels, return_inverse=True)
    except TypeError as error:
        raise TypeError(
            f"labels must be of one kind, all numbers or all strings: {error}"
        ) from error
    return codes.reshape(-1), len(names)


def require_as_many(codes, n_samples):
    """Raise a ValueError unless there is one label for each row."""
    if codes.size != n_samples:
        raise ValueError(
            f"labels has {codes.size} entries, and X has {n_samples} rows: one label for "
            "each row is needed."
        )


def _number(labels, least, n_places):
    codes = labels.astype(np.intp)
    if least:
        codes -= least
    used = np.bincount(codes, minlength=n_places) > 0
    n_clusters = np.count_nonzero(used)
    if n_clusters < n_places:
        codes = (np.cumsum(used) - 1).take(codes)
    return codes, int(n_clusters)


def cluster_weights(codes, n_clusters, sample_weight):
    """The weight of each cluster, float64."""
    return np.bincount(codes, sample_weight, n_clusters).astype(np.float64, copy=False)


def weight_of_others(codes, totals, sample_weight, unit=1.0):
    """What the other rows of each row's own cluster weigh; 0 for a singleton.

    A row of weight w stands for w equal rows, and one of them is the row itself; all of it if
    the weight is less than one.

    Parameters
    ----------
    codes : ndarray of intp of shape (n_samples,)
    totals : ndarray of shape (n_clusters,), float64
        The weights of the clusters.
    sample_weight : ndarray of shape (n_samples,), float64, or None
    unit : float
        What the weights were divided by, see `scaled_weights`.

    Returns
    -------
    others : ndarray of shape (n_samples,), float64
    """
    if sample_weight is None:
        return totals.take(codes) - 1.0
    own = np.minimum(sample_weight, 1.0 / unit)
    others = totals.take(codes) - own
    # The heaviest row of a cluster may be nearly all of it: then the rest, which the difference
    # would lose, is added up.
    order = np.argsort(sample_weight, kind="stable")
    heaviest = np.full(totals.size, -1)
    heaviest[codes[order]] = order  # the last one stays
    heaviest = heaviest[heaviest >= 0]
    rest = sample_weight.copy()
    rest[heaviest] = 0.0
    rest = np.bincount(codes, rest, totals.size)[codes[heaviest]]
    others[heaviest] = rest + (sample_weight - own)[heaviest]
    return others


def has_company(codes, totals, sample_weight, unit):
    """Whether some row is not alone in its cluster, or stands for several; as above."""
    if sample_weight is None:
        return totals.max() > 1.0
    members = np.bincount(codes[sample_weight > 0.0])
    return members.max() > 1 or sample_weight.max() > 1.0 / unit


def require_clusters(codes, n_clusters, sample_weight, name):
    """Raise a ValueError unless there are two clusters, and one that is no singleton."""
    sample_weight, unit = scaled_weights(sample_weight)
    totals = cluster_weights(codes, n_clusters, sample_weight)
    n_present = int(np.count_nonzero(totals))
    if n_present < 2:
        raise ValueError(
            f"{name} compares clusters and needs at least two, but labels has one "
            f"{'with any weight ' if n_present < n_clusters else ''}"
            f"({codes.size} rows)."
        )
    if not has_company(codes, totals, sample_weight, unit):
        raise ValueError(
            f"{name} needs a cluster of at least two rows, but in labels each of the "
            f"{n_present} clusters has only one."
        )


def check_centers_of_labels(labels, centers, name):
    """Validate centres, and labels that are their row numbers.

    Returns
    -------
    codes : ndarray of intp of shape (n_samples,)
    centers : ndarray of shape (n_clusters, n_features), float64
    """
    require_numbers(centers)
    centers = check_array(centers, dtype=np.float64, input_name="centers")
    if len(centers) < 2:
        raise ValueError(f"{name} compares centers and needs at least two; got one.")
    labels = column_or_1d(check_array(labels, ensure_2d=False, dtype=None, input_name="labels"))
    if labels.dtype.kind not in "iu":
        raise ValueError(
            f"With centers, labels must be whole numbers, the rows of centers; got "
            f"dtype={labels.dtype}."
        )
    if labels.min() < 0 or labels.max() >= len(centers):
        raise ValueError(
            f"With {len(centers)} centers, labels must be from 0 to {len(centers) - 1}; got "
            f"{labels.min()} to {labels.max()}."
        )
    return labels.astype(np.intp), centers
