"""What speaks for a number of clusters: measures of each clustering, rules to choose by them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from sklearn_lloyd._moments import weighted_mean
from sklearn_lloyd._problem import problem_of_rows
from sklearn_lloyd._validation import warn_user
from sklearn_lloyd.metrics._indices import calinski_harabasz, davies_bouldin
from sklearn_lloyd.metrics._labels import has_company
from sklearn_lloyd.metrics._sampling import estimate_mean
from sklearn_lloyd.metrics._simplified import simplified_widths
from sklearn_lloyd.metrics._widths import silhouette_of_many
from sklearn_lloyd.model_selection._bic import bic_of
from sklearn_lloyd.model_selection._elbow import elbow_place
from sklearn_lloyd.model_selection._gap import gap_of, no_sparse_rows
from sklearn_lloyd.model_selection._stability import last_strong, strength_of

if TYPE_CHECKING:
    from sklearn_lloyd._types import Problem
    from sklearn_lloyd.model_selection._fits import Fit, Refit


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
    """

    problem: Problem
    numbers: list
    fits: list[Fit]
    sample: np.ndarray | None
    refits: dict[str, Refit]

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

    def in_given_unit(self, values):
        """Values over the unit of the weights as they are in the unit of the user."""
        with np.errstate(over="ignore", invalid="ignore"):
            return values * self.problem.weight_unit


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
    index = evidence.each(lambda fit: calinski_harabasz(fit.moments))
    # Where nothing is left within clusters the index is 1 by convention, but could not be better.
    nothing_left = (evidence.each(lambda fit: fit.within) == 0.0) & ~np.isnan(index)
    table = {"calinski_harabasz": evidence.in_given_unit(index)}
    return table, _largest(np.where(nothing_left, np.inf, index))


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
# Those that compare the rows with others which are dense.
DENSE_ONLY = ("gap",)
# Those that decide by vote unless told: all, but the silhouette only once.
VOTERS = tuple(name for name in CRITERIA if name != "simplified_silhouette")


def check_criteria(names):
    """The names in the order of `CRITERIA`; a ValueError if there are others, or none."""
    unknown = [name for name in names if name not in CRITERIA]
    if unknown or not names:
        raise ValueError(
            f"criteria should hold names out of {sorted(CRITERIA)}; got "
            f"{', '.join(map(repr, unknown)) or 'none'}."
        )
    return [name for name in CRITERIA if name in names]


def possible_criteria(names, is_sparse, asked_for):
    """The criteria that can be had of such rows: known before any work.

    Parameters
    ----------
    names : list of str
    is_sparse : bool
        Whether the rows are.
    asked_for : set of str
        Those of the names that the user wrote down; the others may be left out, with a warning.
    """
    if not is_sparse:
        return names
    missing = [name for name in names if name in DENSE_ONLY]
    for name in missing:
        if name in asked_for:
            raise ValueError(no_sparse_rows(f"The criterion {name!r}"))
        warn_user(f"{no_sparse_rows(f'The criterion {name!r}')} It has no vote.", UserWarning)
    return [name for name in names if name not in missing]


def vote(votes):
    """The number that most criteria choose; in a tie the choice of the criterion named first.

    None if no criterion chooses any. The gap statistic alone compares the rows with such that have
    no structure: if it is among the criteria, 1 is the answer if and only if it says so.
    """
    if votes.get("gap") == 1:
        return 1
    chosen = [number for number in votes.values() if number is not None]
    if "gap" in votes:
        chosen = [number for number in chosen if number > 1]
    counts = Counter(chosen)
    return max(counts, key=counts.get, default=None)


def structure(votes, numbers):
    """What gap and stability say together: "none", "clusters", "unclear" or "not tested"."""
    if numbers[0] != 1 or any(votes.get(name) is None for name in COSTLY):
        return "not tested"
    single = [votes[name] == 1 for name in COSTLY]
    if all(single):
        return "none"
    return "unclear" if any(single) else "clusters"
