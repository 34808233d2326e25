"""Which number of clusters the rows speak for, how sure that is, and what else comes near."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sklearn_lloyd.metrics._separation import FEWEST

# In benchmarks/choosing_k.py, answers with so many doubts were right in so many cases: the share,
# rounded down. More doubts count as the last.
CONFIDENCE = (0.98, 0.9, 0.7, 0.4)
SURE = 0.95
SHALLOW = (
    0.45  # density at a border, relative to the less dense centre: groups 3.5 deviations apart
)
SMALL = 20  # rows of a cluster: its counts are off by a fifth and more
HINT = 0.9  # of two clusters: a plain has 1, and two groups may be too near for a valley
_SAY_WHETHER = ("silhouette", "calinski_harabasz", "bic")
_WRITTEN = {
    "calinski_harabasz": "Calinski-Harabasz",
    "davies_bouldin": "Davies-Bouldin",
    "bic": "BIC",
}
MOST_CANDIDATES = 3


class Choice(NamedTuple):
    """What the separation of the clusters says.

    Attributes
    ----------
    place : int or None
        The position of the number chosen; None: no number is without objection.
    clear : int or None
        That of the largest number all of whose clusters are groups of their own.
    open : list of int
        Positions of larger ones of which no two clusters are shown to be one group.
    """

    place: int | None
    clear: int | None
    open: list


def choose_number(evidence):
    """The largest number all of whose clusters are groups; of larger ones that are left open, and it,
    the one with the largest Calinski-Harabasz index.

    Open numbers do not count unless there are groups at all: if that number is 1, it is the answer.
    """
    present = np.array([np.unique(fit.codes).size for fit in evidence.fits])
    clear = np.flatnonzero(evidence.n_groups == present)
    clear = int(clear[-1]) if clear.size else None
    if clear is not None and present[clear] == 1:
        return Choice(clear, clear, [])
    open_ = [
        i
        for i in range(-1 if clear is None else clear, len(present))
        if i > -1 and _is_open(evidence, i)
    ]
    open_ = [i for i in open_ if i != clear]
    possible = open_ if clear is None else [clear, *open_]
    index = evidence.between_over_within
    place = max(possible, key=lambda i: index[i], default=None)
    return Choice(place, clear, open_)


def _is_open(evidence, i):
    """Whether no two clusters are shown to be one, and each has enough rows to say."""
    counts = np.bincount(evidence.fits[i].codes)
    return not evidence.separations[i].joined.any() and counts[counts > 0].min() >= FEWEST


def doubts(evidence, votes):
    """What speaks against the choice, in words; the fewer, the surer it is."""
    place, clear, open_ = evidence.choice
    numbers, n_groups = evidence.numbers, evidence.n_groups
    found, number, separation = [], numbers[place], evidence.separations[place]
    if n_groups.max() > number:
        said = f"with {numbers[np.argmax(n_groups)]} clusters, {n_groups.max()} are groups of their own"
        # Of one group, that is more than a doubt.
        found += [said] * (1 if number > 1 else 2)
    if number == 1:
        return found + _doubts_of_one(evidence)
    others = [numbers[i] for i in open_ if i != place]
    if clear != place:
        others = [numbers[clear], *others] if clear is not None else others
        found.append("the rows between some clusters are too few to tell whether they are apart")
    elif others:
        found.append(f"{_listed(others)} clusters cannot be ruled out")
    if place == len(numbers) - 1:
        found.append("it is the largest number that was tried")
    asked = [name for name in _SAY_WHETHER if votes.get(name) is not None]
    if asked and not any(votes[name] == number for name in asked):
        found.append(f"none of {_listed([written(name) for name in asked])} chooses it")
    deep = separation.ratios[(separation.border >= 1.0) & (separation.centers > 0.0)]
    if deep.size and deep.max() > SHALLOW:
        found.append(
            f"where two of the clusters meet, rows are {deep.max():.0%} as dense as at the less "
            "dense centre"
        )
    counts = np.bincount(evidence.fits[place].codes)
    if counts[counts > 0].min() < SMALL:
        found.append(f"the smallest cluster has {counts[counts > 0].min()} rows")
    return found


def _doubts_of_one(evidence):
    pairs = [i for i, number in enumerate(evidence.numbers) if number == 2]
    if not pairs:
        return ["2 clusters were not tried"]
    ratios, centers = evidence.separations[pairs[0]].ratios, evidence.separations[pairs[0]].centers
    if centers.shape[0] < 2:
        return []
    found = []
    if centers[0, 1] < 2 * FEWEST:
        found.append("there are too few rows to tell groups from one another")
    if ratios[0, 1] < HINT:
        found.append(f"between 2 clusters, rows are {ratios[0, 1]:.0%} as dense as at a centre")
    return found


def confidence(n_doubts):
    return CONFIDENCE[min(n_doubts, len(CONFIDENCE) - 1)]


def structure(evidence):
    """Whether there are groups: "none", "clusters" or "unclear"."""
    place, clear, _ = evidence.choice
    if place is None or clear is None:
        return "unclear"
    if evidence.numbers[clear] > 1:
        return "clusters"
    return "unclear" if (evidence.n_groups > 1).any() else "none"


def candidates(evidence, votes, chosen, against):
    """The number chosen and what comes near it.

    Returns
    -------
    candidates : list of dict
        "n_clusters", "shares" (of the rows, the largest first), "supports" and "objections", lists
        of str.
    """
    place, clear, open_ = evidence.choice
    own = np.flatnonzero(evidence.n_groups == np.array(evidence.numbers))[::-1].tolist()
    richest = int(np.argmax(evidence.n_groups))
    order = [chosen, place, clear, *open_]
    order += [richest] if evidence.n_groups[richest] > evidence.numbers[chosen] else []
    order += [i for i in own if evidence.numbers[i] > 1]
    if evidence.numbers[chosen] == 1:
        order += [
            i for i, number in enumerate(evidence.numbers) if number == votes.get("silhouette")
        ]
    order = list(dict.fromkeys(i for i in order if i is not None))[:MOST_CANDIDATES]
    return [_candidate(evidence, votes, i, against if i == place else None) for i in order]


def _candidate(evidence, votes, i, against):
    number, separation = evidence.numbers[i], evidence.separations[i]
    sizes = evidence.fits[i].moments.weights
    supports, objections = [], list(dict.fromkeys(against or []))
    if number == 1:
        if (evidence.n_groups == 1).all():
            supports.append("with any other number, all clusters touch others: they are no groups")
    elif evidence.n_groups[i] == number:
        supports.append(
            f"all {number} clusters are groups: between any two that meet, rows are fewer"
        )
    elif not separation.joined.any():
        supports.append("no two of its clusters are shown to be one group")
    names = [
        written(name) for name, vote in votes.items() if vote == number and name != "separation"
    ]
    if names:
        supports.append(f"chosen by {_listed(names)}")
    joined = np.argwhere(np.triu(separation.joined, k=1)).tolist()
    if joined:
        pairs = [f"{a} and {b}" for a, b in joined[:3]] + [f"{len(joined) - 3} more pairs"] * (
            len(joined) > 3
        )
        objections.append(f"clusters that are one group: {_listed(pairs)}")
    clear = evidence.choice.clear
    if clear is not None and clear > i and 1 < number:
        objections.append(
            f"{evidence.numbers[clear]} clusters are groups of their own, too: these are coarser"
        )
    shares = np.sort(sizes / sizes.sum())[::-1]
    return {
        "n_clusters": number,
        "shares": shares.tolist(),
        "supports": supports,
        "objections": objections,
    }


def written(name):
    return _WRITTEN.get(name, name.replace("_", " "))


def _listed(items):
    items = [str(item) for item in items]
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
