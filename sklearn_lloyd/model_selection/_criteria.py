"""What speaks for a number of clusters: measures of each clustering, rules to choose by them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sklearn_lloyd._init import n_distinct_up_to
from sklearn_lloyd._kmeans import KMeans
from sklearn_lloyd._moments import weighted_mean
from sklearn_lloyd._problem import problem_of_rows
from sklearn_lloyd.metrics._indices import calinski_harabasz, davies_bouldin
from sklearn_lloyd.metrics._labels import has_company
from sklearn_lloyd.metrics._sampling import estimate_mean
from sklearn_lloyd.metrics._separation import separations
from sklearn_lloyd.metrics._simplified import simplified_widths
from sklearn_lloyd.metrics._widths import silhouette_of_many
from sklearn_lloyd.model_selection._bic import bic_of
from sklearn_lloyd.model_selection._decision import choose_number
from sklearn_lloyd.model_selection._elbow import elbow_place
from sklearn_lloyd.model_selection._gap import gap_of, no_sparse_rows
from sklearn_lloyd.model_selection._stability import last_strong, strength_of

if TYPE_CHECKING:
    from sklearn_lloyd._types import Problem
    from sklearn_lloyd.model_selection._fits import Fit, Refit

BEYOND = 3  # times the largest number that was tried


@dataclass(frozen=True)
class Evidence:
    """What the criteria judge.

    Attributes
    ----------
    problem : Problem
        All rows.
    numbers : list of int
        Numbers of clusters, increasing.
    fits : list of Fit
        A clustering of all rows for each.
    sample : ndarray of intp or None
        Rows that silhouettes, gap and stability are estimated from; None: all of them.
    refits : dict of str to Refit
        How other rows are clustered for the criteria that need that.
    rng : RandomState
        For the look at more clusters.
    """

    problem: Problem
    numbers: list
    fits: list[Fit]
    sample: np.ndarray | None
    refits: dict[str, Refit]
    rng: np.random.RandomState

    @property
    def inertia(self):
        return np.array([fit.inertia for fit in self.fits])

    @cached_property
    def sample_problem(self):
        """The problem of the sample."""
        if self.sample is None:
            return self.problem
        weights = self.problem.sample_weight
        weights = None if weights is None else weights[self.sample]
        return problem_of_rows(self.problem, self.sample, weights)

    @cached_property
    def sample_fits(self):
        """The clusterings of the sample, which the gap compares with references of its size."""
        if self.sample is None:
            return self.fits
        part = self.sample_problem
        refit = self.refits["gap"]
        return refit.fit(part.rows.X, part.sample_weight, refit.rng)

    @cached_property
    def separations(self):
        """Which clusters of each clustering are groups of their own."""
        problem = self.problem
        weights, sample = problem.given_weight, self.sample
        if sample is None:
            sample = np.arange(problem.rows.shape[0])
            sample = sample if weights is None else sample[weights > 0.0]
        sizes = [fit.moments.weights * fit.moments.unit for fit in self.fits]
        clusterings = [
            (fit.codes[sample], fit.moments.means, size)
            for fit, size in zip(self.fits, sizes, strict=True)
        ]
        weights = weights if weights is None else weights[sample]
        rows = problem.rows
        return separations(
            rows.part(sample) if sample.size < rows.shape[0] else rows, weights, clusterings
        )

    def each(self, measure):
        """`measure(fit)` of clusterings that have two clusters and a cluster of two rows."""
        values = np.full(len(self.fits), np.nan)
        for i in self.judged:
            values[i] = measure(self.fits[i])
        return values

    @cached_property
    def judged(self):
        """Positions of the clusterings with two clusters and a cluster of two rows."""
        weights, unit = self.problem.sample_weight, self.problem.weight_unit
        totals = [fit.moments.weights for fit in self.fits]
        return [
            i
            for i, fit in enumerate(self.fits)
            if np.count_nonzero(totals[i]) > 1 and has_company(fit.codes, totals[i], weights, unit)
        ]

    @cached_property
    def n_groups(self):
        """How many groups the clusters of each clustering are, ndarray of int."""
        return np.array([separation.n_groups for separation in self.separations])

    @cached_property
    def beyond(self):
        """How many groups there are among many more clusters than were tried, and how many more.

        Groups that are many more than the clusters are taken together in ways that hide them.
        """
        part = self.sample_problem
        number = n_distinct_up_to(BEYOND * self.numbers[-1], part)
        model = KMeans(number, random_state=self.rng, n_threads=part.rows.n_threads)
        model.fit(part.rows.X, sample_weight=part.sample_weight)
        weights = part.given_weight
        sizes = np.bincount(model.labels_, weights, number)
        codes, centers = model.labels_.astype(np.intp), model.cluster_centers_.astype(np.float64)
        (found,) = separations(part.rows, weights, [(codes, centers, sizes)])
        return found.n_groups, number

    @cached_property
    def between_over_within(self):
        """The Calinski-Harabasz index of each; infinite where nothing is left within clusters."""
        # There the index is 1 by convention, but could not be better.
        index = self.each(_calinski_harabasz_of)
        return np.where(
            (self.each(lambda fit: fit.within) == 0.0) & ~np.isnan(index), np.inf, index
        )

    @cached_property
    def choice(self):
        """The number that the separation of the clusters chooses."""
        return choose_number(self)

    def in_given_unit(self, values):
        """Values over the unit of the weights as they are in the unit of the user."""
        with np.errstate(over="ignore", invalid="ignore"):
            return values * self.problem.weight_unit


def _calinski_harabasz_of(fit):
    return calinski_harabasz(fit.moments)


def _separation(evidence):
    return {"separation": evidence.n_groups}, evidence.choice.place


def _silhouette(evidence):
    score, error = np.full((2, len(evidence.fits)), np.nan)
    weights, sample = evidence.problem.given_weight, evidence.sample
    n_counted = evidence.problem.rows.shape[0]
    if weights is not None:
        n_counted = int(np.count_nonzero(weights))
    codes = [evidence.fits[i].codes for i in evidence.judged]
    if codes:
        rows = evidence.problem.rows
        widths = silhouette_of_many(rows, codes, "euclidean", weights, sample)
        for i, values in zip(evidence.judged, widths, strict=True):
            if sample is None:
                score[i], error[i] = weighted_mean(values, weights), 0.0
            else:
                stratum = [(n_counted, slice(None))]
                score[i], error[i] = estimate_mean(values, sample, stratum, weights)
    return {"silhouette": score, "silhouette_std_error": error}, _largest(score)


def _simplified_silhouette(evidence):
    rows, weights = evidence.problem.rows, evidence.problem.given_weight

    def score(fit):
        clusters = fit.codes, len(fit.moments.weights), None, "euclidean", weights
        return weighted_mean(simplified_widths(rows, *clusters, fit.moments), weights)

    scores = evidence.each(score)
    return {"simplified_silhouette": scores}, _largest(scores)


def _calinski_harabasz(evidence):
    table = {"calinski_harabasz": evidence.in_given_unit(evidence.each(_calinski_harabasz_of))}
    return table, _largest(evidence.between_over_within)


def _davies_bouldin(evidence):
    index = evidence.each(lambda fit: davies_bouldin(fit.moments, fit.distances))
    return {"davies_bouldin": index}, _largest(-index)


def _bic(evidence):
    values = np.array([bic_of(fit.moments) for fit in evidence.fits])
    return {"bic": evidence.in_given_unit(values)}, _largest(values)


def _elbow(evidence):  # the inertia is in the table
    return {}, elbow_place(np.array(evidence.numbers, float), evidence.inertia)


def _gap(evidence):
    within = [fit.within for fit in evidence.sample_fits]
    gap, error, place = gap_of(evidence.sample_problem, within, evidence.refits["gap"])
    return {"gap": gap, "gap_std_error": error}, place


def _stability(evidence):
    strength, error = strength_of(evidence.sample_problem, evidence.refits["stability"])
    table = {"stability": strength, "stability_std_error": error}
    return table, last_strong(strength, error)


def _largest(values):
    """The position of the largest value, the first of equals; None if there is none."""
    return None if np.isnan(values).all() else int(np.nanargmax(values))


# Each takes Evidence and returns columns of the table, {name: array}, and the position that it
# chooses, or None: no answer.
CRITERIA = {
    "separation": _separation,
    "silhouette": _silhouette,
    "simplified_silhouette": _simplified_silhouette,
    "calinski_harabasz": _calinski_harabasz,
    "davies_bouldin": _davies_bouldin,
    "bic": _bic,
    "elbow": _elbow,
    "gap": _gap,
    "stability": _stability,
}
# Those that cluster other rows many times.
COSTLY = "gap", "stability"
# Those that are computed unless told: none that is costly, nor one that says the same as another.
DEFAULT = tuple(name for name in CRITERIA if name not in (*COSTLY, "simplified_silhouette"))
# Those that compare the rows with others which are dense.
DENSE_ONLY = ("gap",)


def check_criteria(names):
    """The names in the order of `CRITERIA`; a ValueError if there are others, or none."""
    unknown = [name for name in names if name not in CRITERIA]
    if unknown or not names:
        raise ValueError(
            f"criteria should hold names out of {sorted(CRITERIA)}; got "
            f"{', '.join(map(repr, unknown)) or 'none'}."
        )
    return [name for name in CRITERIA if name in names]


def require_possible(names, is_sparse):
    """Raise a ValueError for a criterion that such rows cannot have, before any work."""
    missing = [name for name in names if is_sparse and name in DENSE_ONLY]
    if missing:
        raise ValueError(no_sparse_rows(f"The criterion {missing[0]!r}"))
