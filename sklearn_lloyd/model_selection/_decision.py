"""Which number of clusters the rows speak for, how sure that is, and what else comes near."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sklearn_lloyd._init import n_distinct_up_to
from sklearn_lloyd.metrics._separation import FEWEST

# In benchmarks/choosing_k.py, answers with so many doubts were right in so many cases: the share,
# rounded down. More doubts count as the last.
CONFIDENCE = (0.98, 0.93, 0.6, 0.05)
SURE = 0.95
# Density at a border, relative to the less dense centre: of groups 3.5 deviations apart.
SHALLOW = 0.45
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
    place : int
        The position of the number chosen.
    clear : int or None
        That of the largest number all of whose clusters are groups of their own.
    open : list of int
        Positions of larger ones of which no two clusters are shown to be one group.
    """

    place: int
    clear: int | None
    open: list


def choose_number(evidence):
    """Choose between the largest number all of whose clusters are groups and larger, open ones.

    It is the one with the largest Calinski-Harabasz index. Open numbers do not count unless there
    are groups at all: if all clusters are groups of 1 alone, that is the answer. If no number is
    clear or open, as where 1 was not tried and there are no groups, the index chooses among all.
    """
    present = np.array([np.unique(fit.codes).size for fit in evidence.fits])
    clear = np.flatnonzero(evidence.n_groups == present)
    clear = int(clear[-1]) if clear.size else None
    if clear is not None and present[clear] == 1:
        return Choice(clear, clear, [])
    larger = range(0 if clear is None else clear + 1, len(present))
    open_ = [i for i in larger if _is_open(evidence, i)]
    possible = open_ if clear is None else [clear, *open_]
    index = np.nan_to_num(evidence.between_over_within, nan=-np.inf)
    return Choice(max(possible or larger, key=lambda i: index[i]), clear, open_)


def _is_open(evidence, i):
    """Whether no two clusters are shown to be one, and each has enough rows to say."""
    separation = evidence.separations[i]
    return not separation.joined.any() and separation.least_size >= FEWEST


def doubts(evidence, votes):
    """What speaks against the choice, in words; the fewer, the surer it is."""
    place, clear, open_ = evidence.choice
    numbers, n_groups = evidence.numbers, evidence.n_groups
    found, number, separation = [], numbers[place], evidence.separations[place]
    if n_groups.max() > number:
        richest = numbers[int(np.argmax(n_groups))]
        said = f"with {richest} clusters there are {n_groups.max()} groups"
        # Of one group, that is more than a doubt.
        found += [said] * (1 if number > 1 else 2)
    if number == 1:
        n_beyond, n_clusters = evidence.beyond
        if n_beyond > numbers[-1]:
            found += [
                f"with {n_clusters} clusters there are {n_beyond} groups: try more numbers"
            ] * 3
        return found + _doubts_of_one(evidence)
    others = [numbers[i] for i in open_ if i != place]
    if clear is None and not open_:
        found += ["with every number that was tried, some clusters are one group"] * 3
    elif clear != place:
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
    if separation.least_size < SMALL:
        found.append(f"the smallest cluster has {separation.least_size:.0f} rows")
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
    """Whether there are groups: "none", "clusters", "unclear" or "not tested"."""
    if evidence.numbers[-1] == 1 and n_distinct_up_to(2, evidence.problem) > 1:
        return "not tested"
    clear = evidence.choice.clear
    if clear is not None and evidence.numbers[clear] > 1:
        return "clusters"
    if clear is not None and evidence.beyond[0] > evidence.numbers[-1]:
        return "clusters"
    return "unclear" if clear is None or (evidence.n_groups > 1).any() else "none"


def candidates(evidence, votes, chosen, against):
    """The number chosen and what comes near it.

    Parameters
    ----------
    evidence : Evidence
    votes : dict of str to int or None
    chosen : int
        Its position.
    against : list of str
        The doubts, if the separation has chosen it.

    Returns
    -------
    candidates : list of dict
        "n_clusters", "shares" (of the rows, the largest first), "supports" and "objections", lists
        of str.
    """
    if "separation" not in votes:
        return [_candidate(evidence, votes, chosen, [], [])]
    found = {chosen: list(dict.fromkeys(against))}
    for i in _near(evidence, votes, chosen):
        found.setdefault(i, [])
    first = list(found.items())[:MOST_CANDIDATES]
    return [
        _candidate(evidence, votes, i, _supports(evidence, i), said + _objections(evidence, i))
        for i, said in first
    ]


def _near(evidence, votes, chosen):
    """Positions of numbers that come near the one chosen, the nearest first."""
    place, clear, open_ = evidence.choice
    yield from (i for i in (place, clear, *open_) if i is not None)
    most = int(evidence.n_groups.max())
    if most > evidence.numbers[chosen]:
        if most in evidence.numbers:
            yield evidence.numbers.index(most)
        yield int(np.argmax(evidence.n_groups))
    for i in reversed(range(len(evidence.numbers))):
        if evidence.n_groups[i] == evidence.numbers[i] > 1:
            yield i
    if evidence.numbers[chosen] == 1 and votes.get("silhouette") is not None:
        yield evidence.numbers.index(votes["silhouette"])


def _supports(evidence, i):
    number = evidence.numbers[i]
    if number == 1:
        alone = evidence.numbers[-1] > 1 and (evidence.n_groups == 1).all()
        return ["with any other number, all clusters run into others"] if alone else []
    if evidence.n_groups[i] == number:
        every = "both" if number == 2 else f"all {number}"
        return [f"{every} clusters are groups: between any two that meet, rows are fewer"]
    if not evidence.separations[i].joined.any():
        return ["no two of its clusters are shown to be one group"]
    return []


def _objections(evidence, i):
    clear, found = evidence.choice.clear, []
    pairs = np.argwhere(np.triu(evidence.separations[i].joined, k=1)).tolist()
    if pairs:
        said = [f"{a} and {b}" for a, b in pairs[:3]]
        more = f"; {len(pairs) - 3} more pairs" if len(pairs) > 3 else ""
        found.append(f"clusters that are one group: {'; '.join(said)}{more}")
    if clear is not None and clear > i and evidence.numbers[i] > 1:
        finer = evidence.numbers[clear]
        found.append(f"{finer} clusters are groups of their own, too: these are coarser")
    return found


def _candidate(evidence, votes, i, supports, objections):
    number, sizes = evidence.numbers[i], evidence.fits[i].moments.weights
    names = [written(name) for name, vote in votes.items() if vote == number]
    names = [name for name in names if name != "separation"]
    if names:
        supports = [*supports, f"chosen by {_listed(names)}"]
    return {
        "n_clusters": number,
        "shares": np.sort(sizes / sizes.sum())[::-1].tolist(),
        "supports": supports,
        "objections": objections,
    }


def written(name):
    return _WRITTEN.get(name, name.replace("_", " "))


def _listed(items):
    items = [str(item) for item in items]
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}"
