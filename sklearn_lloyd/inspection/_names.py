"""Plain words for what sets clusters apart."""

from __future__ import annotations

from collections import Counter

import numpy as np

STANDS_OUT = 0.5  # standard deviations from the whole
_VERY = 1.3  # of ranks: where a cluster in the top or bottom quarter of the rows is
_MOST_EXTRA = 2  # features more than asked for, to tell clusters apart


def standing_out(differences, columns):
    """The features in which one cluster stands out, the most first; one of each column.

    Parameters
    ----------
    differences : ndarray of shape (n_features,)
        From the whole, in standard deviations.
    columns : ndarray of shape (n_features,)
        Which column of the table each feature is of.

    Returns
    -------
    features : ndarray of intp
    """
    size = np.round(np.abs(differences), 9)  # rounding errors must not decide between equals
    # Of two categories that mirror each other, the one that is there says more.
    order = np.lexsort((differences < 0.0, -size))
    order = order[size[order] >= STANDS_OUT]  # NaN does not
    _, first = np.unique(columns[order], return_index=True)
    return order[np.sort(first)]


def phrase(name, difference, share=None):
    """Say of one feature how a cluster differs: "high spend", "mostly channel web".

    Parameters
    ----------
    name : str
    difference : float
    share : float, default=None
        In the cluster, of a category.
    """
    words = name.replace("_", " ").replace("=", " ")
    if share is None:
        degree = "high" if difference > 0.0 else "low"
        return f"{'very ' if abs(difference) >= _VERY else ''}{degree} {words}"
    if difference > 0.0:
        return f"{'mostly' if share > 0.5 else 'more'} {words}"
    return f"{'no' if share == 0.0 else 'less'} {words}"


def unique_names(phrases, is_empty, n_names):
    """Name each cluster by its first phrases; by more, or a number, where these are the same.

    Parameters
    ----------
    phrases : list of list of str
        Of each cluster, what tells most first.
    is_empty : ndarray of bool of shape (n_clusters,)
    n_names : int

    Returns
    -------
    names : list of str
    """
    lengths = [n_names] * len(phrases)
    for _ in range(_MOST_EXTRA):
        names = _joined(phrases, lengths)
        count = Counter(names)
        lengths = [n + (count[name] > 1) for n, name in zip(lengths, names, strict=True)]
    names = _joined(phrases, lengths)
    names = ["empty" if gone else name for name, gone in zip(names, is_empty, strict=True)]
    seen = Counter()
    for i, name in enumerate(names):
        seen[name] += 1
        if seen[name] > 1:
            names[i] = f"{name} ({seen[name]})"
    return names


def _joined(phrases, lengths):
    return [
        ", ".join(said[:length]) or "average"
        for said, length in zip(phrases, lengths, strict=True)
    ]


def told_apart(names, taken):
    """Names of columns beside others that are taken: " (feature)" is added until they differ.

    Parameters
    ----------
    names : sequence of str
    taken : set of str

    Returns
    -------
    names : list of str
    """
    taken, found = {*taken}, []
    kept = {name for name in names if name not in taken}  # they give way to none
    for name in names:
        own = name
        while own in taken or (own != name and own in kept):
            own += " (feature)"
        taken.add(own)
        found.append(own)
    return found
