"""Names that people give to clusters: checked in one way, and kept with the clusterer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_lloyd._pipeline import split_steps

MOST_CHARACTERS = 200  # of a name; more is a text, and no legend or table can hold it


def name_clusters(estimator, names):
    """Keep names of your own with a fitted model: profiles, tables and pictures then use them.

    The clusterer gets an attribute `cluster_names_`, which pickle, joblib and
    :func:`sklearn_lloyd.persistence.save` store with it.
    :func:`sklearn_lloyd.tracking.align_clusters` carries names to the next model by the ids of
    clusters.

    Parameters
    ----------
    estimator : fitted clusterer, pipeline that ends in one, or search over either
        With `cluster_centers_` (or `means_`).
    names : dict or list
        Names by label, as `predict` gives it, or one for each cluster. Clusters that a dict does
        not have keep their names. None takes all of them away.

    Returns
    -------
    estimator : estimator
        The same object. `fit` of ours takes the names away, as new clusters are others;
        `partial_fit` keeps them. After another `fit` of a clusterer of another package, name its
        clusters again.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    TypeError
        If `names` is neither dict nor list, a name is no str, or the clusterer has no centres.
    ValueError
        If there is no such cluster, or a name is empty, longer than 200 characters or of two
        clusters.

    See Also
    --------
    sklearn_lloyd.inspection.ClusterProfiles.rename : Names for one report alone.

    Examples
    --------
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.inspection import cluster_profiles, name_clusters
    >>> X = [[1.0], [2.0], [8.0], [9.0]]
    >>> model = name_clusters(KMeans.from_centers([[1.5], [8.5]]), {1: "Regulars"})
    >>> list(cluster_profiles(model, X).names)
    ['low x0', 'Regulars']
    """
    check_is_fitted(estimator)
    _, clusterer = split_steps(estimator)
    check_is_fitted(clusterer)
    centers = getattr(clusterer, "cluster_centers_", getattr(clusterer, "means_", None))
    if centers is None:
        raise TypeError(
            f"{type(clusterer).__name__} has no cluster_centers_, which say how many clusters "
            "there are. Take the rename of its profiles."
        )
    k = centers.shape[0]
    given = check_names(names, range(k))
    own = np.full(k, None) if names is None else own_names(clusterer, k)
    for cluster, name in given.items():
        own[cluster] = name
    require_different([name for name in own if name is not None], "Clusters")
    set_names(clusterer, own)
    return estimator


def check_text(text, what, may_be_empty=False):
    """A name or note, or an error that says what it is of."""
    if not isinstance(text, str):
        raise TypeError(f"{what} must be a str; got {text!r} ({type(text).__name__}).")
    if not may_be_empty and not text.strip():
        raise ValueError(f"{what} must not be empty.")
    if "\0" in text:
        raise ValueError(f"{what} contains the character NUL, which PostgreSQL cannot hold.")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{what} is no valid Unicode: {error}.") from error
    return str.__str__(text)  # what an Enum of texts stands for, not its name


def check_names(names, clusters, what="clusters as predict gives them"):
    """Names by label: a dict of them, or a list of one for each cluster.

    Parameters
    ----------
    names : dict, list or None
    clusters : sequence
        The labels.
    what : str
        What messages call these.

    Returns
    -------
    names : dict of label to str
    """
    clusters, noun = np.asarray(clusters).tolist(), what.split()[0]
    if names is None:
        return {}
    if not isinstance(names, Mapping):
        if isinstance(names, str) or not hasattr(names, "__len__"):
            raise TypeError(
                f"names must be a list or a dict of {what.split()[0]} to names, such as "
                f"got {names!r}."
            )
        if len(names) != len(clusters):
            raise ValueError(f"names has {len(names)} names for {len(clusters)} {noun}.")
        names = dict(zip(clusters, names, strict=True))
    unknown = [cluster for cluster in names if cluster not in clusters]
    if unknown:
        raise ValueError(f"The keys of names must be {what}, {_listed(clusters)}; got {unknown}.")
    found = {clusters[clusters.index(each)]: check_name(name) for each, name in names.items()}
    if len(found) < len(names):
        raise ValueError(f"names has a cluster twice: {list(names)}.")
    return found


def check_name(name):
    name = check_text(name, "A name")
    if len(name) > MOST_CHARACTERS:
        raise ValueError(
            f"A name must have at most {MOST_CHARACTERS} characters; {name[:20]!r}... has "
            f"{len(name)}."
        )
    return name


def require_different(names, of):
    """Raise a ValueError if two names are the same; `of` says whose they are."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise ValueError(
            f"{of} must have different names; these do not: {', '.join(map(repr, repeated))}."
        )


def unused(name, taken):
    """The name, or with a number where it is taken, which it then is."""
    number, found = 1, name
    while found in taken:
        number += 1
        found = f"{name} ({number})"
    taken.add(found)
    return found


def own_names(clusterer, n_clusters):
    """The names that a clusterer holds: an object array, None where a cluster has none.

    Names of another number of clusters are of an older fit, and none.
    """
    names = getattr(clusterer, "cluster_names_", None)
    if names is None or np.shape(names) != (n_clusters,):
        return np.full(n_clusters, None, dtype=object)
    return np.array(names, dtype=object)


def set_names(clusterer, names):
    """Keep names with a clusterer: a sequence of one for each cluster, or None."""
    vars(clusterer).pop("cluster_names_", None)
    if any(name is not None for name in names):
        clusterer.cluster_names_ = np.array(names, dtype=object)


def are_names(value, n_clusters):
    """Whether it is what `set_names` sets."""
    if not isinstance(value, np.ndarray) or value.dtype != object or value.shape != (n_clusters,):
        return False
    given = [name for name in value if name is not None]
    try:
        return [check_name(name) for name in given] == given and len({*given}) == len(given)
    except (TypeError, ValueError):
        return False


def with_own_names(suggested, clusterer):
    """Suggested names, and those that the clusterer holds in their places."""
    own = own_names(clusterer, len(suggested))
    taken = {name for name in own if name is not None}
    pairs = zip(own, suggested, strict=True)
    return [unused(name, taken) if mine is None else mine for mine, name in pairs]


def _listed(clusters):
    ends = len(clusters) > 1 and clusters == list(range(len(clusters)))
    return f"0 to {len(clusters) - 1}" if ends else str(clusters)
