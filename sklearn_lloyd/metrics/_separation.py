"""How many clusters are groups of their own: is there a valley in the density between them?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse

from sklearn_lloyd._moments import power_of_two
from sklearn_lloyd._predict import distances_to_centers
from sklearn_lloyd._rows import Rows, even_slices

# Half the width of the windows at the border and at the centres, as a part of the way between the
# centres. Wider ones hold more rows; at a third the windows would meet.
WINDOW = 0.15
# Rows at the border, for each at the less dense centre. 1 is a plain; two equal normal groups 3
# standard deviations apart have 0.65, 4: 0.3. A normal group cut in half has 1.4.
VALLEY = 0.65
# By so many standard errors there are fewer rows at the border: by chance once in 160 pairs.
STD_ERRORS = 2.5
# Rows at the border of two clusters that touch unless there is a valley. Fewer say nothing.
FEWEST = 5.0
# Of the rows at the border and at the less dense centre, how many are at the border if the two are
# one group, spread evenly, and if they are two. By these odds they are one.
_ONE, _TWO, _ODDS = 0.5, 0.3, np.exp(2.0)
# A value stands for its surroundings, as far as this from it, in distances from the next value of
# the feature. So much makes a plain of a category with a column for each value.
_SPREAD = np.sqrt(0.5)
_MOST_ROWS_EACH = 2.0**40
_AT_ONCE = 1 << 20  # values that are sorted, or compared with centres, together


@dataclass(frozen=True, eq=False)
class Separation:
    """What the rows between each two clusters say.

    Attributes
    ----------
    border, centers : ndarray of shape (n_clusters, n_clusters), float64
        Rows in the window at the border of two clusters, and at the less dense of their centres,
        of those whose way to the border ends between these two.
    sizes : ndarray of shape (n_clusters,), float64
        How many rows each cluster is the mean of; weights count.
    share_at_borders : float
        Of the rows, how many are in the window at a border.
    """

    border: np.ndarray
    centers: np.ndarray
    sizes: np.ndarray
    share_at_borders: float

    @property
    def least_size(self):
        """How many rows the smallest cluster has that has any."""
        return self.sizes[self.sizes > 0.0].min(initial=np.inf)

    @property
    def ratios(self):
        """Density at the border relative to the less dense centre; NaN if nothing is known."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.border / self.centers

    @cached_property
    def apart(self):
        """Which clusters have a valley between them, (n_clusters, n_clusters), bool."""
        fewer = self.centers - self.border
        clear = fewer > STD_ERRORS * np.sqrt(self.centers + self.border)
        return clear & (self.border < VALLEY * self.centers)

    @cached_property
    def joined(self):
        """Which clusters are one group, as far as the rows between them can say."""
        evidence = self.border * np.log(_ONE / _TWO)
        evidence += self.centers * np.log((1.0 - _ONE) / (1.0 - _TWO))
        return evidence >= np.log(_ODDS)

    @cached_property
    def n_groups(self):
        """How many groups there are: clusters that touch are one, and a valley makes two."""
        touching = self.joined | ((self.border >= FEWEST) & ~self.apart)
        reached = touching | np.eye(len(touching), dtype=bool)
        for _ in range(len(reached).bit_length()):
            reached = reached @ reached
        group_of = reached.argmax(axis=1)
        other = group_of[:, np.newaxis] != group_of
        return max(1, np.unique(group_of[(self.apart & other).any(axis=1)]).size)


def separations(rows, weights, clusterings):
    """The separation of several clusterings of the same rows.

    Parameters
    ----------
    rows : Rows
        Those that are looked at.
    weights : ndarray of shape (n_rows,), float64, or None
        How many rows each stands for; if less than one each, shares of a row.
    clusterings : list of (codes, centers, sizes)
        The cluster of each row, ndarray of intp; centres, (n_clusters, n_features), float64; and
        what the rows of each weigh.

    Returns
    -------
    separations : list of Separation
    """
    if weights is None:
        weights = np.ones(rows.shape[0])
    counted = weights[weights > 0.0]
    mean = float(np.sum(counted / counted.size))
    # So many that sums might overflow say no more than somewhat fewer.
    one = mean / min(max(mean, 1.0), _MOST_ROWS_EACH)
    clusterings = [(codes, centers, sizes / one) for codes, centers, sizes in clusterings]
    offsets = [centers - centers.mean(axis=0) for _, centers, _ in clusterings]
    unit = power_of_two(max(np.abs(each).max(initial=0.0) for each in offsets) or 1.0)
    codes = [codes for codes, _, _ in clusterings]
    spreads = _spreads(rows, codes, [each / unit for each in offsets], unit)
    return [
        _separation(rows, weights / one, *clustering, spread, unit)
        for clustering, spread in zip(clusterings, spreads, strict=True)
    ]


def _separation(rows, weights, codes, centers, sizes, spread, unit):
    k = len(centers)
    between = distances_to_centers(Rows(centers), centers, squared=True)
    distances = distances_to_centers(rows, centers, squared=True)
    own = distances[np.arange(codes.size), codes][:, np.newaxis]
    way = between[codes]
    # Places on the way from the own centre (0) to each other one (1), where the own centre is the
    # mean of the other rows of the cluster: few rows pull it towards themselves, in many
    # dimensions far, and would leave a gap at the border that is not there for other rows.
    pull = 1.0 / np.maximum(sizes[codes] - 1.0, 1.0)[:, np.newaxis]
    along = (own - distances + way) / 2.0
    with np.errstate(divide="ignore", invalid="ignore"):
        places = (1.0 + pull) * (along + pull * own) / (way + pull * (2.0 * along + pull * own))
        spread = _SPREAD * np.sqrt(spread) / (way / unit / unit)
    counts = weights[:, np.newaxis]
    at_border = counts * _share_inside(places, spread, 0.5)
    border = _by_cluster(at_border, codes, k)
    at_centers = np.zeros((k, k))
    for center in (0.0, 1.0):
        inside = counts * _share_inside(places, spread, center)
        if inside.any():
            # As far on as the border is from that centre: is it between these two there?
            inside *= _still_between(distances, codes, (0.5 - center) * between)
            found = _by_cluster(inside, codes, k)
            at_centers += found.T if center else found
    share = float(np.fmax.reduce(at_border, axis=1).sum() / weights.sum())
    return Separation(border + border.T, np.minimum(at_centers, at_centers.T), sizes, share)


def _by_cluster(values, codes, k):
    """Sums of the rows of each cluster, (n_clusters, n_columns); zero on the diagonal."""
    sums = np.stack([np.bincount(codes, column, k) for column in values.T], axis=1)
    np.fill_diagonal(sums, 0.0)
    return sums


def _still_between(distances, codes, step):
    """Whether rows, one step on towards each centre, have it or their own as the nearest one.

    Parameters
    ----------
    distances : ndarray of shape (n_rows, n_clusters)
        Squares.
    codes : ndarray of shape (n_rows,)
    step : ndarray of shape (n_clusters, n_clusters)
        Squared distances between the centres, times the part of the way that a step is.

    Returns
    -------
    between : ndarray of shape (n_rows, n_clusters), bool
    """
    k = len(step)
    found, places = np.ones(distances.shape, bool), np.arange(k)
    if k == 2:  # there is no other
        return found
    # By centre that is gone towards, centre that is nearer for it, and own one; rows come last,
    # along which NumPy is fast.
    nearer_by = np.ascontiguousarray((step[:, np.newaxis] - step).transpose(1, 2, 0))
    for part in even_slices(len(codes), max(1, _AT_ONCE // k**2)):
        own = codes[part]
        there = distances[part].T - nearer_by.take(own, axis=2)
        nearest = np.minimum(there[:, own, np.arange(own.size)], there[places, places])
        found[part] = (nearest <= there.min(axis=1)).T
    return found


def _share_inside(place, width, center):
    """Which part of place +- width is in the window around the centre."""
    width = np.maximum(width, 1e-9)
    low, high = (
        np.maximum(place - width, center - WINDOW),
        np.minimum(place + width, center + WINDOW),
    )
    return np.maximum(high - low, 0.0) / (2.0 * width)


def _spreads(rows, all_codes, all_offsets, unit):
    """How far the values of each row reach towards each centre; squares, by the squared way.

    Of offsets of centres that are divided by the unit, so that no product leaves float64.

    A feature that takes few values, as a count or a category does, has gaps between them that are
    none between groups. So each value stands for all up to the next one.
    """
    n_rows, n_features = rows.shape
    spreads = [np.zeros((n_rows, len(offsets))) for offsets in all_offsets]
    for part in even_slices(n_features, max(1, _AT_ONCE // max(1, n_rows))):
        gaps, empty = _sq_gaps(rows.X[:, part], unit)
        for spread, codes, offsets in zip(spreads, all_codes, all_offsets, strict=True):
            centers = offsets[:, part]
            # The sum over the features of gap^2 (center - own)^2.
            mixed = (centers * empty) @ centers.T
            squared = np.square(centers)
            own = squared[codes]
            if sparse.issparse(gaps):
                spread += gaps @ squared.T - 2.0 * (gaps.multiply(centers[codes]) @ centers.T)
                spread += np.asarray(gaps.multiply(own).sum(axis=1)).reshape(-1, 1)
            else:
                spread += gaps @ squared.T - 2.0 * ((gaps * centers[codes]) @ centers.T)
                spread += (gaps * own).sum(axis=1)[:, np.newaxis]
            common = empty @ squared.T
            spread += common - 2.0 * mixed[codes] + common[codes][:, np.newaxis]
    return [np.maximum(spread, 0.0) for spread in spreads]


def _sq_gaps(X, unit):
    """Squared distances of values from the next other value of their feature, by the unit.

    Returns
    -------
    gaps : ndarray or CSR of shape (n_rows, n_features), float64
        Of sparse X: of stored values, less those of zero.
    empty : ndarray of shape (n_features,), float64
        Those of values that are not stored.
    """
    n_rows, n_features = X.shape
    if not sparse.issparse(X):
        order = np.argsort(X, axis=0)
        values = np.take_along_axis(X, order, axis=0).T.ravel() / unit
        found = np.empty((n_features, n_rows))
        gaps = _sq_gaps_of_sorted(np.repeat(np.arange(n_features), n_rows), values)
        np.put_along_axis(found, order.T, gaps.reshape(n_features, n_rows), axis=1)
        return found.T, np.zeros(n_features)
    X = X.tocsc()
    X.sum_duplicates()
    columns = np.repeat(np.arange(n_features), np.diff(X.indptr))
    zeros = np.flatnonzero(np.diff(X.indptr) < n_rows)
    columns = np.concatenate([columns, zeros])
    values = np.concatenate([X.data / unit, np.zeros(zeros.size)])
    order = np.lexsort((values, columns))
    found = np.empty(values.size)
    found[order] = _sq_gaps_of_sorted(columns[order], values[order])
    empty = np.zeros(n_features)
    empty[zeros] = found[X.nnz :]
    stored = found[: X.nnz] - empty[columns[: X.nnz]]
    return sparse.csc_matrix((stored, X.indices, X.indptr), X.shape).tocsr(), empty


def _sq_gaps_of_sorted(columns, values):
    """Of values sorted by column and size; 0 where a column has a single value."""
    if not values.size:
        return values
    is_first = np.ones(values.size, bool)
    is_first[1:] = (columns[1:] != columns[:-1]) | (values[1:] != values[:-1])
    first = np.flatnonzero(is_first)
    steps = np.full(first.size + 1, np.inf)
    same = columns[first[1:]] == columns[first[:-1]]
    steps[1:-1][same] = (values[first[1:]] - values[first[:-1]])[same]
    nearest = np.minimum(steps[:-1], steps[1:])
    nearest[np.isinf(nearest)] = 0.0
    return np.square(nearest)[np.cumsum(is_first) - 1]
