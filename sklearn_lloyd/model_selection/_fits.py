"""Clusterings of the same rows for several numbers of clusters, by any clusterer."""

from __future__ import annotations

from functools import cached_property
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state
from sklearn.utils.parallel import Parallel, delayed
from sklearn.utils.validation import has_fit_parameter, validate_data

from sklearn_lloyd._callbacks import NO_TASK
from sklearn_lloyd._compat import HasMethods, Interval
from sklearn_lloyd._fit_path import fit_path
from sklearn_lloyd._kmeans import KMeans
from sklearn_lloyd._problem import make_problem
from sklearn_lloyd._rows import Rows
from sklearn_lloyd._validation import check_init_size, check_rows, check_weights
from sklearn_lloyd.metrics._labels import check_labels
from sklearn_lloyd.metrics._moments import cluster_moments, mean_distances
from sklearn_lloyd.model_selection._numbers import check_numbers, numbers_that_fit

LARGEST_SEED = np.iinfo(np.int32).max


COMMON = {  # constraints of what the functions of this package have in common
    "X": ["array-like", "sparse matrix"],
    "n_clusters": ["array-like", Integral],
    "estimator": [HasMethods(["fit"]), None],
    "sample_weight": ["array-like", None],
    "n_init": [Interval(Integral, 1, None, closed="left"), None],
    "n_jobs": [Integral, None],
    "random_state": ["random_state"],
}


class Refit(NamedTuple):
    """How often, with what and how other rows are clustered."""

    estimator: Any
    numbers: list
    n_init: int | None
    n: int
    rng: np.random.RandomState
    n_jobs: int | None

    def fit(self, X, sample_weight, rng):
        """The fits of plain rows."""
        problem = problem_for(self.estimator, X, self.numbers[-1], sample_weight)
        return fit_numbers(self.estimator, X, problem, self.numbers, self.n_init, rng)

    def run(self, function, *args):
        """Call `function(self, *args, seed)` for each seed; what comes back is in their order."""
        seeds = self.rng.randint(LARGEST_SEED, size=self.n)
        one = self._replace(rng=None)  # a job has its own seed
        return Parallel(n_jobs=self.n_jobs)(delayed(function)(one, *args, seed) for seed in seeds)


class Fit:
    """One clustering, and what is measured of it when it is first asked for.

    Attributes
    ----------
    problem : Problem
        What was clustered.
    labels : ndarray of shape (n_samples,)
        As the estimator has them.
    outcome : Result or estimator
        What a model is made of.
    """

    def __init__(self, problem, labels, inertia, outcome):
        self.problem, self.labels, self.outcome = problem, labels, outcome
        self._inertia = inertia

    @property
    def inertia(self):
        """That of the model; if it has none, `within`."""
        if self._inertia is not None:
            return self._inertia
        return float(self.within * self.problem.weight_unit)

    @cached_property
    def codes(self):
        """The clusters, numbered from 0, ndarray of intp of shape (n_samples,)."""
        return check_labels(self.labels)[0]

    @cached_property
    def moments(self):
        """The moments of the clusters."""
        n_clusters = int(self.codes.max()) + 1
        rows, weights = self.problem.rows, self.problem.given_weight
        return cluster_moments(rows, self.codes, n_clusters, weights)

    @property
    def distances(self):
        """The mean distance of the rows of each cluster from its mean, from the rows."""
        rows, weights = self.problem.rows, self.problem.sample_weight
        return mean_distances(rows, self.codes, self.moments, weights)

    @property
    def within(self):
        """Weighted sum of squared distances to the means, over the unit of the weights."""
        return self.moments.within


def check_clusterer(estimator):
    """Raise a TypeError unless the estimator can be told a number of clusters, and fitted."""
    params = estimator.get_params() if hasattr(estimator, "get_params") else {}
    if not hasattr(estimator, "fit") or "n_clusters" not in params:
        raise TypeError(
            f"{estimator!r} has no parameter n_clusters to search. Needed is a clusterer with "
            "fit, n_clusters, and labels_ or predict, such as KMeans, alone or at the end of a "
            "Pipeline."
        )


def split_pipeline(estimator):
    """The steps before the clusterer as an unfitted Pipeline, or None; and the clusterer."""
    if not isinstance(estimator, Pipeline):
        clusterer = KMeans() if estimator is None else clone(estimator)
        check_clusterer(clusterer)
        return None, clusterer
    pipeline = clone(estimator)
    clusterer = pipeline.steps[-1][1]
    check_clusterer(clusterer)
    return (pipeline[:-1] if len(pipeline) > 1 else None), clusterer


def joined(estimator, steps, model):
    """The fitted model, at the end of the fitted steps if the estimator is a Pipeline."""
    if not isinstance(estimator, Pipeline):
        return model
    pipeline = clone(estimator)
    before = [] if steps is None else steps.steps
    pipeline.steps = [*before, (pipeline.steps[-1][0], model)]
    return pipeline


def shares_path(estimator):
    """Whether the fits of that estimator share their work: our own `KMeans`, `init` by name."""
    return isinstance(estimator, KMeans) and isinstance(estimator.init, str)


def prepare(name, estimator, X, n_clusters, sample_weight):
    """Validate what the functions of this package take.

    Returns
    -------
    estimator : estimator
    numbers : list of int
        Increasing; no more than there are distinct rows.
    problem : Problem
        Stated for the largest of them.
    """
    estimator = KMeans() if estimator is None else estimator
    check_clusterer(estimator)
    numbers = check_numbers(n_clusters)
    rows = check_rows(name, X, n_threads=n_threads_of(estimator), reset=True)
    weights = check_weights(sample_weight, rows.shape[0])
    return estimator, *state(rows, numbers, weights)


def state(rows, numbers, sample_weight):
    """The numbers that there are rows for, and the problem for the largest of them."""
    problem = make_problem(rows, numbers[-1], sample_weight)
    return numbers_that_fit(numbers, problem), problem


def n_threads_of(estimator):
    return getattr(estimator, "n_threads", None)


def problem_for(estimator, X, n_clusters, sample_weight=None):
    """State the problem of plain rows, on the threads of the estimator."""
    return make_problem(Rows(X, n_threads_of(estimator)), n_clusters, sample_weight)


def fit_numbers(estimator, X, problem, numbers, n_init, rng, task=NO_TASK):
    """Fit a clusterer for each number of clusters.

    Parameters
    ----------
    estimator : estimator
        Not changed.
    X : array-like, sparse matrix or frame
        The rows as the estimator takes them.
    problem : Problem
        The same rows and their weights, stated for the largest number or a larger one.
    numbers : list of int
        Increasing.
    n_init : int or None
        None: as the estimator says.
    rng : RandomState
        What is random comes from.
    task : Task
        Told of each number.

    Returns
    -------
    fits : list of Fit
    """
    fit = _fit_shared if shares_path(estimator) else _fit_clones
    problem = problem._replace(n_clusters=numbers[-1])
    return [
        Fit(problem, labels, inertia, outcome)
        for labels, inertia, outcome in fit(estimator, X, problem, numbers, n_init, rng, task)
    ]


def _fit_shared(estimator, X, problem, numbers, n_init, rng, task):
    estimator._validate_params()
    check_init_size(estimator.init_size, numbers[-1])
    _, own_n_init = estimator._checked_init(problem.rows, many=10)
    results = fit_path(
        problem,
        numbers,
        estimator.init,
        n_init=own_n_init if n_init is None else n_init,
        max_iter=estimator.max_iter,
        tol=estimator.tol,
        algorithm=estimator.algorithm,
        rng=rng,
        init_size=estimator.init_size,
        verbose=estimator.verbose,
        task=task,
    )
    return [(result.labels, result.inertia, result) for result in results]


def _fit_clones(estimator, X, problem, numbers, n_init, rng, task):
    weights = {}
    if problem.sample_weight is not None:
        if not has_fit_parameter(estimator, "sample_weight"):
            raise TypeError(
                f"sample_weight was given, but {type(estimator).__name__}.fit does not take it."
            )
        weights["sample_weight"] = problem.given_weight
    for number in numbers:
        own = task.begin("clustering")
        model = _with_number(estimator, number, n_init)
        if "random_state" in model.get_params(deep=False):
            model.set_params(random_state=rng.randint(LARGEST_SEED))
        model.fit(X, **weights)
        labels = model.labels_ if hasattr(model, "labels_") else model.predict(X)
        own.end()
        yield labels, getattr(model, "inertia_", None), model


def _with_number(estimator, number, n_init):
    """An unfitted copy that is told the number of clusters, and of starts if it has such."""
    model = clone(estimator).set_params(n_clusters=number)
    if n_init is not None and "n_init" in model.get_params(deep=False):
        model.set_params(n_init=n_init)
    return model


def fitted_model(estimator, number, n_init, fit, X):
    """The estimator, fitted: with what `fit_numbers` found for that number on X."""
    if not shares_path(estimator):
        return fit.outcome
    model = _with_number(estimator, number, n_init)
    validate_data(model, X, skip_check_array=True)  # number and names of the features
    model.labels_ = fit.labels
    model._take_over(fit.outcome)
    return model


def rng_of(estimator, rng):
    """Where the fit of the data draws from: the estimator's own random state, if it has one."""
    own = getattr(estimator, "random_state", None)
    return rng if own is None else check_random_state(own)


def sample_of(problem, size, rng):
    """Rows that have a weight, drawn without replacement; None: there are no more than that."""
    if size is None or problem.rows.shape[0] <= size:
        return None
    order = problem.counted_rows()
    return None if order.size <= size else order[rng.choice(order.size, size, replace=False)]
