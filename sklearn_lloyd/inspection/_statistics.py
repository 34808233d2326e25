"""Statistics of the clusters, one feature at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy import sparse

from sklearn_lloyd._moments import (
    centered,
    feature_ranges,
    is_constant,
    mean_variance,
    weighted_mean,
)
from sklearn_lloyd._rows import Rows
from sklearn_lloyd._weights import scaled_weights
from sklearn_lloyd.metrics._labels import cluster_weights
from sklearn_lloyd.preprocessing._apply import in_units, units_of
from sklearn_lloyd.preprocessing._quantiles import quantiles


class FeatureStatistics(NamedTuple):
    """Of one feature: ndarrays of shape (n_clusters,), and of the whole a float each."""

    means: np.ndarray
    medians: np.ndarray
    differences: np.ndarray
    rank_differences: np.ndarray
    whole_mean: float
    whole_median: float
    whole_deviation: float


@dataclass(frozen=True)
class Groups:
    """The rows that count, by cluster.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,), intp
        The cluster of each row.
    weights : ndarray of shape (n_rows,), float64, or None
    n_clusters : int
    """

    codes: np.ndarray
    weights: np.ndarray | None
    n_clusters: int

    @cached_property
    def totals(self):
        """The weight of each cluster, float64."""
        return cluster_weights(self.codes, self.n_clusters, self.weights)

    @cached_property
    def _scaled(self):
        return scaled_weights(self.weights)[0]

    @cached_property
    def _divisors(self):
        return cluster_weights(self.codes, self.n_clusters, self._scaled)

    @cached_property
    def members(self):
        """The rows of each cluster, in their order: a list of ndarrays."""
        order = np.argsort(self.codes, kind="stable")
        ends = np.cumsum(np.bincount(self.codes, minlength=self.n_clusters))
        return np.split(order, ends[:-1])

    def only(self, rows):
        """The same of some rows."""
        weights = None if self.weights is None else self.weights[rows]
        return Groups(self.codes[rows], weights, self.n_clusters)

    def means(self, values):
        """The weighted mean in each cluster; NaN where none has a row."""
        weighted = values if self._scaled is None else values * self._scaled
        sums = np.bincount(self.codes, weighted, self.n_clusters)
        return _ratio(sums, self._divisors)

    def means_of_sparse(self, X):
        """The weighted means of the columns of sparse rows in each cluster."""
        rows = np.arange(self.codes.size)
        entries = np.ones(rows.size) if self._scaled is None else self._scaled
        shape = self.n_clusters, rows.size
        membership = sparse.csr_matrix((entries, (self.codes, rows)), shape=shape)
        return _ratio((membership @ X).toarray(), self._divisors[:, np.newaxis])

    def medians(self, values):
        found = np.full(self.n_clusters, np.nan)
        for i, rows in enumerate(self.members):
            if rows.size:
                weights = None if self.weights is None else self.weights[rows]
                (found[i],) = quantiles(values[rows], (50,), weights)
        return found


def statistics_of_numbers(values, groups):
    """Of numbers; missing ones are left out."""
    present = ~np.isnan(values)
    if not present.all():
        values, groups = values[present], groups.only(present)
    if not values.size:
        nan = np.full(groups.n_clusters, np.nan)
        return FeatureStatistics(nan, nan, nan, nan, np.nan, np.nan, np.nan)
    # In this unit the squares are float64.
    unit = units_of(np.abs(values).max())
    values = values / unit
    offsets, mean = centered(values, groups.weights)
    deviation = float(np.sqrt(weighted_mean(np.square(offsets), groups.weights)))
    place = np.unique(values, return_inverse=True)[1]
    if is_constant(values.min(), values.max(), values.dtype):
        deviation, place = 0.0, np.zeros_like(place)
    above = groups.means(offsets)
    return FeatureStatistics(
        (above + mean) * unit,
        groups.medians(values) * unit,
        _in_deviations(above, deviation),
        _rank_differences(place, groups),
        float(mean * unit),
        float(quantiles(values, (50,), groups.weights)[0] * unit),
        float(deviation * unit),
    )


def _rank_differences(place, groups):
    """How far the mean rank of each cluster is from that of the whole, in standard deviations.

    Parameters
    ----------
    place : ndarray of shape (n_rows,), intp
        The place of each value among all values in order; that of equal ones is equal.
    """
    weights = np.bincount(place, scaled_weights(groups.weights)[0])
    ranks, _ = centered(np.cumsum(weights) - weights / 2.0, weights)
    deviation = np.sqrt(weighted_mean(np.square(ranks), weights))
    return _in_deviations(groups.means(ranks[place]), deviation if ranks.size > 1 else 0.0)


def statistics_of_categories(codes, wanted, groups):
    """Of categories, each as a feature that is one or zero: the mean is its share.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,), intp
        -1 for a missing one, which is left out.
    wanted : sequence of int
        The categories to look at.
    groups : Groups

    Yields
    ------
    statistics : FeatureStatistics
    """
    if (codes < 0).any():
        codes, groups = codes[codes >= 0], groups.only(codes >= 0)
    nan = np.full(groups.n_clusters, np.nan)
    for code in wanted:
        is_it = (codes == code).astype(np.float64)
        shares = groups.means(is_it)
        whole = rest = np.nan
        if is_it.size:
            whole = float(weighted_mean(is_it, groups.weights))
            rest = float(weighted_mean(1.0 - is_it, groups.weights))
        deviation = np.sqrt(whole * rest)
        # Their ranks are as far apart as they are themselves.
        differences = _in_deviations(shares - whole, deviation)
        yield FeatureStatistics(shares, nan, differences, differences, whole, np.nan, deviation)


def most_frequent(codes, n_categories, groups, n_most):
    """The categories with most weight, at most so many, in their own order."""
    present = codes >= 0
    weights = None if groups.weights is None else groups.weights[present]
    totals = np.bincount(codes[present], weights, n_categories)[:n_categories]
    return np.sort(np.argsort(-totals, kind="stable")[:n_most])


def statistics_of_sparse(X, groups):
    """Of all features of sparse rows: medians, and what comes from ranks, are NaN.

    Yields
    ------
    statistics : FeatureStatistics
    """
    dtype, ends = X.dtype, feature_ranges(Rows(X), None)
    units = units_of(np.abs(ends).max(axis=0))
    X = in_units(X.astype(np.float64), units)
    means = groups.means_of_sparse(X)
    whole, variances = mean_variance(Rows(X), groups.weights)
    constant = is_constant(*ends, dtype)
    deviations = np.where(constant, 0.0, np.sqrt(variances))
    nan = np.full(groups.n_clusters, np.nan)
    for own, mean, deviation, unit in zip(means.T, whole, deviations, units, strict=True):
        differences = _in_deviations(own - mean, deviation)
        yield FeatureStatistics(
            own * unit, nan, differences, nan, mean * unit, np.nan, deviation * unit
        )


def _in_deviations(offsets, deviation):
    """Zero for a feature that does not vary; NaN stays."""
    return offsets / deviation if deviation > 0.0 else offsets * 0.0


def _ratio(sums, totals):
    """NaN where nothing was added up."""
    totals = np.broadcast_to(totals, np.shape(sums))
    return np.divide(sums, totals, out=np.full(np.shape(sums), np.nan), where=totals > 0.0)
