"""Which new cluster is which old one: gates, splits and merges, the assignment."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

# A new centre within so many standard deviations of a feature is the old cluster, whatever else
# is near: two normal groups of equal spread and size make one mode up to 2 (Robertson & Fryer
# 1969).
_ONE_MODE = 2.0
# Two centres that are the nearest of each other may be so far apart, of the distance of the old
# one to its nearest other one. Without structure, k-means wanders between samples: of refits of
# a normal cloud in 5 to 40 dimensions, from the old centres and with 10 to 50 clusters, 0.5 keeps
# 2 to 98 % of the clusters, 0.75 92 to 100 %. A normal group put in the place of another one,
# about 7 standard deviations from the others as these are, is taken for it in 0 to 2 % of draws
# at 0.75, and in 16 to 19 % at 1 (3 clusters, 20 and 100 dimensions; less for more clusters; in 5
# dimensions 10 and 20 %, of which the limit of spreads leaves less).
_OF_NEAREST = 0.75
# A part with a smaller share of a split or merged cluster is none.
_LEAST_PART = 0.1


def pair_distances(new, reference):
    """Euclidean distances, (n_new, n_reference); row by row, for differences without rounding."""
    return np.stack([np.linalg.norm(reference - center, axis=1) for center in new])


def gates(distances, reference, spreads, max_shift):
    """How far a new centre may be from each old one to be the same cluster.

    Parameters
    ----------
    distances : ndarray of shape (n_new, n_reference)
    reference : ndarray of shape (n_reference, n_features)
    spreads : ndarray of shape (n_reference,), or None
        Root mean square distance of rows to their centre; None: not known.
    max_shift : float
        In spreads.

    Returns
    -------
    gates : ndarray of shape (n_new, n_reference)
    """
    apart = pair_distances(reference, reference)
    np.fill_diagonal(apart, np.inf)
    apart = apart.min(axis=1)
    gate = np.tile(0.5 * apart, (len(distances), 1))
    # The nearest of each other.
    i, j = np.arange(len(distances)), distances.argmin(axis=1)
    mutual = distances.argmin(axis=0)[j] == i
    gate[i[mutual], j[mutual]] = _OF_NEAREST * apart[j[mutual]]
    if spreads is not None:
        one_mode = _ONE_MODE * spreads / np.sqrt(reference.shape[1])
        with np.errstate(invalid="ignore"):  # of no spread without a limit
            most = np.nan_to_num(max_shift * spreads, nan=0.0, posinf=np.inf)
        gate = np.minimum(np.maximum(one_mode, gate), most)
    # Centres that went to other units and back are a little elsewhere.
    return np.maximum(gate, 1e-6 * np.abs(reference).max())


def parts(centers, whole, part_of, sizes, spreads=None, whole_spreads=None):
    """Groups of clusters that together are where one cluster of the other model is.

    What is to be told apart is a cluster that was cut, and one that stays while another one comes
    up beside it. A cut leaves its mean to the parts: their common mean is nearer to the old
    centre than any of them, while a cluster that stays is nearest itself. A cut leaves its
    variance to them as well: W within them and B between them and the centre add up to what it
    was, while in a cluster that stays W alone is as large. The limit is half-way, W + B / 2. Where
    the spreads are known, either will do: drift hides the one, and growth the other.

    Parameters
    ----------
    centers : ndarray of shape (n_parts, n_features)
        Of the clusters that may be parts.
    whole : ndarray of shape (n_whole, n_features)
        Of the clusters that they may be parts of.
    part_of : ndarray of shape (n_parts,), int
        Which of those each would be a part of; -1: of none.
    sizes : ndarray of shape (n_parts,), or None
        None: not known, equal ones.
    spreads : ndarray of shape (n_parts,), default=None
    whole_spreads : ndarray of shape (n_whole,), default=None
        Each of its own rows; None: not known.

    Returns
    -------
    found : dict of int to list of int
    """
    sizes = np.ones(len(centers)) if sizes is None else sizes
    found = {}
    for j in range(len(whole)):
        own = np.flatnonzero(part_of == j)
        own = own[sizes[own] >= _LEAST_PART * sizes[own].sum()]
        if own.size < 2 or not sizes[own].any():
            continue
        away = np.linalg.norm(centers[own] - whole[j], axis=1)
        common = np.average(centers[own], axis=0, weights=sizes[own])
        is_cut = np.linalg.norm(common - whole[j]) < away.min()
        if spreads is not None and whole_spreads is not None:
            variances = spreads[own] ** 2 + 0.5 * away**2
            is_cut |= np.average(variances, weights=sizes[own]) < whole_spreads[j] ** 2
        if is_cut:
            found[j] = own.tolist()
    return found


def majority(counts):
    """For each row of a table the column that has more than half of it; -1: none."""
    best = counts.argmax(axis=1)
    enough = 2 * counts[np.arange(len(counts)), best] > counts.sum(axis=1)
    return np.where(enough, best, -1)


def match(distances, gate, splits, merges, counts):
    """Find the best partners.

    Every pair within its gate may be made; so may that of a cluster and its parts, or none of
    them could go on. Costs are squared distances in units of the gate (by rows: one less the
    Jaccard index), and one for a cluster without partner, which is the cost at the gate: so a
    cluster far from all others takes no partner from another.

    Parameters
    ----------
    distances : ndarray of shape (n_new, n_reference)
    gate : ndarray of shape (n_new, n_reference)
    splits : dict
        By cluster of the reference: its parts, as of `parts`.
    merges : dict
        By new cluster: its parts.
    counts : ndarray of shape (n_reference, n_new), or None
        Rows that they share, to match by these; None: by centres.

    Returns
    -------
    partners : ndarray of shape (n_new,), int64
        -1: none.
    """
    gate = gate.copy()
    for i, j in [
        *(np.ix_(own, [j]) for j, own in splits.items()),
        *(np.ix_([i], own) for i, own in merges.items()),
    ]:
        gate[i, j] = np.maximum(gate[i, j], 2.0 * distances[i, j].max())
    ratios = np.full(distances.shape, np.inf)
    np.divide(distances, gate, out=ratios, where=gate > 0.0)
    may = (ratios <= 1.0) | (distances == 0.0)
    cost = np.where(distances == 0.0, 0.0, np.minimum(ratios, 1.0) ** 2)
    if counts is not None:
        shared = counts.T
        n_new, n_reference = shared.sum(axis=1, keepdims=True), shared.sum(axis=0)
        may &= 2 * shared > np.minimum(n_new, n_reference)
        cost = 1.0 - shared / np.maximum(n_new + n_reference - shared, 1)
    cost[~may] = 1.0
    partners = np.full(len(distances), -1)
    rows, columns = linear_sum_assignment(cost)
    made = may[rows, columns]
    partners[rows[made]] = columns[made]
    return partners
