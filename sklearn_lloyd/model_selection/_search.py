"""One object that fits a range of numbers of clusters, compares them and chooses."""

from __future__ import annotations

from numbers import Integral
from time import perf_counter

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClusterMixin,
    MetaEstimatorMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state, get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_lloyd._base import VersionedPickle
from sklearn_lloyd._callbacks import begin_fit
from sklearn_lloyd._compat import (
    CallbackSupportMixin,
    HasMethods,
    Interval,
    StrOptions,
    fit_context,
)
from sklearn_lloyd._kmeans import KMeans
from sklearn_lloyd._validation import check_rows, check_weights, unchanged_on_failure, warn_user
from sklearn_lloyd.model_selection._criteria import (
    COSTLY,
    CRITERIA,
    DEFAULT,
    Evidence,
    check_criteria,
    require_possible,
)
from sklearn_lloyd.model_selection._decision import candidates, confidence, doubts, structure
from sklearn_lloyd.model_selection._fits import (
    LARGEST_SEED,
    Refit,
    fit_numbers,
    fitted_model,
    joined,
    n_threads_of,
    rng_of,
    sample_of,
    split_pipeline,
    state,
)
from sklearn_lloyd.model_selection._numbers import check_numbers
from sklearn_lloyd.model_selection._summary import NClustersSummary


def _best_has(name):
    """Whether the best estimator, or before a fit the estimator, has the method."""

    def check(search):
        estimator = getattr(search, "best_estimator_", None) or search.estimator or KMeans()
        return hasattr(estimator, name)

    return check


class NClustersSearch(
    CallbackSupportMixin,
    VersionedPickle,
    MetaEstimatorMixin,
    TransformerMixin,
    ClusterMixin,
    BaseEstimator,
):
    """Cluster for several numbers of clusters, choose one, and say how sure that is.

    The answer may be 1: there are no groups. :meth:`summary` tells what speaks for and against the
    answer and the numbers that come near it. The clusterings of :class:`~sklearn_lloyd.KMeans`
    share their work: each is joined from the one with a cluster more (see Notes). Others are
    fitted one by one.

    Parameters
    ----------
    estimator : estimator, default=None
        A clusterer with the parameter `n_clusters`, or a Pipeline that ends in one. Its other
        steps are fitted once, and criteria are computed in the space that the clusterer sees.
        None: :class:`~sklearn_lloyd.KMeans` with its defaults. It is cloned, never changed.

    n_clusters : int or iterable of int, default=(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
        Numbers of clusters to try. Larger ones than there are distinct rows are left out, with
        a warning.

    criterion : {'separation', 'silhouette', 'simplified_silhouette', 'calinski_harabasz', \
            'davies_bouldin', 'bic', 'elbow', 'gap', 'stability'}, default='separation'
        What decides.

        - 'separation': the largest number all of whose clusters are groups of their own: where any
          two of them meet, rows are fewer than at the centres of both. Larger numbers are open if
          no two of their clusters are shown to be one group; then the Calinski-Harabasz index
          decides between that number and these. It may be 1. Where 1 is not tried and no number
          will do, that index alone decides, and `confidence_` is low.
        - 'silhouette': the largest mean silhouette; 'simplified_silhouette' (distances to
          means, not rows), 'calinski_harabasz': the largest; 'davies_bouldin': the least. None of
          these can choose 1.
        - 'bic': the largest, see :func:`bic`.
        - 'elbow': see :func:`find_elbow`, which may find none.
        - 'gap': see :func:`gap_statistic`.
        - 'stability': see :func:`prediction_strength`.

        Where a criterion has no answer, the least number is taken, with a warning. The gap needs
        dense rows, and is refused before any clustering if these are sparse.

    criteria : iterable of str, default=None
        Criteria to compute beside `criterion`, by the same names. None: all but 'gap' and
        'stability', which cluster other rows, and 'simplified_silhouette', which says nearly what
        the silhouette does.

    n_init : int, default=None
        Starts for each number of clusters. None: as the estimator says. Of :class:`KMeans`, all
        starts but the first are from scratch: with 2, no clustering is worse than a fresh one.

    n_refs : int, default=20
        Reference sets of the gap statistic, and splits for the stability; each costs about as
        much as all clusterings of `sample_size` rows.

    sample_size : int, default=5000
        If X has more rows, separation, silhouettes, gap and stability are estimated from so
        many, drawn without replacement; silhouettes compare them with all rows. None: all rows.

    n_jobs : int, default=None
        Reference sets and splits that are clustered at a time, as joblib counts. It does not
        change the result. The threads of the estimator come on top, but joblib's processes leave
        each only its share of the machine; for large X the threads alone do as well.

    refit : bool, default=True
        Whether to keep the chosen clustering as `best_estimator_`, which costs no further fit.

    random_state : int, RandomState instance or None, default=None
        Where samples, reference sets and splits come from, and first centres unless the
        estimator has a `random_state` of its own.

    verbose : int, default=0
        Whether to print what is done and how long it took.

    Attributes
    ----------
    n_clusters_ : int
        The number chosen.

    confidence_ : float
        How sure that is: the share of right answers among those of as many doubts, in
        ``benchmarks/choosing_k.py``. 0.95 and more is sure. NaN if the separation was not
        computed or chooses another number.

    structure_ : {'none', 'clusters', 'unclear', 'not tested'}
        Whether there are groups, by the separation: 'clusters' if all clusters of a number above 1
        are groups, 'none' if no number has more than one group, else 'unclear'; 'not tested' if it
        was not computed, or 1 was the only number.

    candidates_ : list of dict
        The number chosen and at most two that come near it: 'n_clusters', 'shares' (of the rows,
        the largest first), 'supports' and 'objections' (lists of str).

    candidate_estimators_ : dict of int to estimator
        The estimator, fitted with each of these numbers. Only if `refit`.

    best_index_ : int
        The position of the number chosen in `results_`.

    best_estimator_ : estimator
        The estimator, fitted with that number. Only if `refit`.

    labels_ : ndarray of shape (n_samples,)
        The cluster of each row in that clustering.

    results_ : dict of str to ndarray of shape (n_numbers,)
        ``pandas.DataFrame(search.results_)`` is the table. 'n_clusters', 'inertia' and, of the
        criteria that were computed, 'separation' (how many groups the clusters are, where those
        that run into each other are one), 'silhouette' with 'silhouette_std_error' (0 unless
        estimated), 'simplified_silhouette', 'calinski_harabasz', 'davies_bouldin', 'bic', 'gap'
        with 'gap_std_error', 'stability' with 'stability_std_error'. NaN where something is not
        defined, as a silhouette of one cluster.

    votes_ : dict of str to int or None
        What each criterion that was computed would choose; None: no answer.

    n_features_in_ : int
        Number of features seen in `fit`.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features, if X was a frame with names that are all strings.

    See Also
    --------
    sklearn_lloyd.metrics.silhouette_scorer : For searches over other parameters.

    Notes
    -----
    **Separation.** For each two clusters, rows are counted in a window at the border between them,
    half way from centre to centre, and at either centre: there only those that, moved along to the
    border, would still be between these two, so that corners of clusters do not count as valleys.
    A group that k-means has cut has as many rows at the border as at the centres, or more. Two
    clusters are apart if there are fewer than 65 % at the border, by 2.5 standard errors; they are
    one group if the counts are 7 times as likely of a plain as of two groups. Each row is seen
    from the mean of the *other* rows of its cluster, since few rows of many features pull centres
    so far that there would be gaps at all borders. Where a feature takes few values, as a category
    or a count, each value stands for all between it and the next: a gap between two categories is
    none between groups.

    That takes O(m n_clusters (n_clusters + n_features)) for each number, m being `sample_size`.
    Weights count as so many rows; those that sum up to less than the number of rows are raised
    to it.

    **The path** of :class:`~sklearn_lloyd.KMeans` whose `init` is a name starts with half as many
    clusters again as the largest number. Of these, the two whose union adds least to the inertia
    become one, again and again; a few iterations follow each time. What a seeding has missed is
    found more often than by a start for each number, in about half of the time. The inertia never
    rises along the path. Labels for all numbers are kept until one is chosen: 12 bytes for each
    row and number. Callbacks of the search are told of each clustering and criterion; those of the
    estimator are not told of a path.

    References
    ----------
    Hennig, C. "Cluster validation by measurement of clustering characteristics relevant to the
    user". In "Data analysis and applications 1", Wiley, 2019.

    Milligan, G. W., Cooper, M. C. "An examination of procedures for determining the number of
    clusters in a data set". Psychometrika 50, 1985.

    Rousseeuw, P. J. "Silhouettes: a graphical aid to the interpretation and validation of
    cluster analysis". Journal of Computational and Applied Mathematics 20, 1987.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn_lloyd.model_selection import NClustersSearch
    >>> X, _ = make_blobs(300, centers=4, cluster_std=0.8, random_state=42)
    >>> search = NClustersSearch(random_state=0).fit(X)
    >>> search.n_clusters_, search.confidence_, search.structure_
    (4, 0.98, 'clusters')
    >>> search.summary()
    4 clusters; the number is sure: in tests, 98% of such answers were right
    There are groups: clusters with fewer rows between them than in them.
       4  25%, 25%, 25%, 25%
          + all 4 clusters are groups: between any two that meet, rows are fewer
          + chosen by silhouette, Calinski-Harabasz, Davies-Bouldin, BIC and elbow
       3  50%, 25%, 25%
          + all 3 clusters are groups: between any two that meet, rows are fewer
          - 4 clusters are groups of their own, too: these are coarser
       2  75%, 25%
          + both clusters are groups: between any two that meet, rows are fewer
          - 4 clusters are groups of their own, too: these are coarser
    >>> search.results_["silhouette"].round(2)[:5]
    array([ nan, 0.6 , 0.78, 0.83, 0.72])
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit"]), None],
        "n_clusters": [Integral, "array-like", range],
        "criterion": [StrOptions(set(CRITERIA))],
        "criteria": ["array-like", set, None],
        "n_init": [Interval(Integral, 1, None, closed="left"), None],
        "n_refs": [Interval(Integral, 2, None, closed="left")],
        "sample_size": [Interval(Integral, 2, None, closed="left"), None],
        "n_jobs": [Integral, None],
        "refit": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        estimator=None,
        *,
        n_clusters=(1, 2, 3, 4, 5, 6, 7, 8, 9, 10),
        criterion="separation",
        criteria=None,
        n_init=None,
        n_refs=20,
        sample_size=5000,
        n_jobs=None,
        refit=True,
        random_state=None,
        verbose=0,
    ):
        self.estimator = estimator
        self.n_clusters = n_clusters
        self.criterion = criterion
        self.criteria = criteria
        self.n_init = n_init
        self.n_refs = n_refs
        self.sample_size = sample_size
        self.n_jobs = n_jobs
        self.refit = refit
        self.random_state = random_state
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, sample_weight=None):
        """Cluster for every number of clusters, compute the criteria and choose.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Rows to cluster; of a Pipeline whatever its first step takes.

        y : Ignored
            Not used by clusterers; handed to the first steps of a Pipeline.

        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row, for the clusterer and for the criteria; None: one each. The
            first steps of a Pipeline do not see it.

        Returns
        -------
        self : object
            The fitted search. If `fit` fails or is interrupted, it is as it was before.

        Raises
        ------
        ValueError
            If X, the weights or a parameter does not fit, or the gap of sparse rows is asked for.

        TypeError
            If the estimator has no parameter `n_clusters`, or weights are given and it does not
            take any.
        """
        task = begin_fit(self, X, y, sample_weight, max_subtasks=None)
        with unchanged_on_failure(self):
            numbers, names = check_numbers(self.n_clusters), check_criteria(self._names())
            steps, clusterer = split_pipeline(self.estimator)
            rows = X
            if steps is None:
                name = self  # whose features these are
            else:
                name = type(clusterer).__name__
                validate_data(self, X, skip_check_array=True)
                rows = steps.fit_transform(X, y)
            checked = check_rows(name, rows, n_threads=n_threads_of(clusterer), reset=True)
            require_possible(names, checked.is_sparse)
            weights = check_weights(sample_weight, checked.shape[0])
            numbers, problem = state(checked, numbers, weights)
            evidence = self._evidence(clusterer, rows, problem, numbers, task)
            self._choose(evidence, names, task)
            self.labels_ = evidence.fits[self.best_index_].labels
            vars(self).pop("best_estimator_", None)
            vars(self).pop("candidate_estimators_", None)
            if self.refit:
                self.candidate_estimators_ = {}
                for number in (each["n_clusters"] for each in self.candidates_):
                    fit = evidence.fits[numbers.index(number)]
                    model = fitted_model(clusterer, number, self.n_init, fit, rows)
                    self.candidate_estimators_[number] = joined(self.estimator, steps, model)
                self.best_estimator_ = self.candidate_estimators_[self.n_clusters_]
            task.end(dict)
        return self

    def _names(self):
        """The criteria to compute, not checked."""
        names = self.criteria
        if names is None:
            names = DEFAULT
        names = {names} if isinstance(names, str) else set(names)
        return names | {self.criterion}

    def _evidence(self, clusterer, rows, problem, numbers, task):
        """Fit for all numbers. What each purpose draws does not depend on the others."""
        rng = check_random_state(self.random_state)
        seeds = rng.randint(LARGEST_SEED, size=3 + len(COSTLY))
        fit_rng, sample_rng, *others, beyond_rng = map(np.random.RandomState, seeds)
        start = perf_counter()
        fit_rng = rng_of(clusterer, fit_rng)
        fits = fit_numbers(clusterer, rows, problem, numbers, self.n_init, fit_rng, task)
        self._report(f"{len(numbers)} clusterings", start)
        refits = {
            name: Refit(clusterer, numbers, self.n_init, self.n_refs, own, self.n_jobs)
            for name, own in zip(COSTLY, others, strict=True)
        }
        sample = sample_of(problem, self.sample_size, sample_rng)
        return Evidence(problem, numbers, fits, sample, refits, beyond_rng)

    def _choose(self, evidence, names, task):
        numbers = evidence.numbers
        table = {"n_clusters": np.array(numbers), "inertia": evidence.inertia}
        places = {}
        for name in names:
            start, own = perf_counter(), task.begin(name)
            columns, places[name] = CRITERIA[name](evidence)
            own.end()
            self._report(name, start)
            table |= columns
        votes = {name: None if i is None else numbers[i] for name, i in places.items()}
        place = places[self.criterion]
        if place is None:
            place = 0
            if len(numbers) > 1:
                warn_user(
                    f"criterion={self.criterion!r} has no answer for n_clusters from "
                    f"{numbers[0]} to {numbers[-1]}: {numbers[0]} is taken, the least.",
                    UserWarning,
                )
        self.results_, self.votes_ = table, votes
        self.n_clusters_, self.best_index_ = numbers[place], place
        self.structure_, self.confidence_, against = "not tested", np.nan, []
        if "separation" in names:
            self.structure_ = structure(evidence)
            if place == evidence.choice.place:
                against = doubts(evidence, votes)
                self.confidence_ = confidence(len(against))
        self.candidates_ = candidates(evidence, votes, place, against)

    def _report(self, what, start):
        if self.verbose:
            print(f"[NClustersSearch] {what}: {perf_counter() - start:.2f} s")

    def summary(self):
        """What was chosen, how sure that is, what comes near it, and what speaks for and against.

        Returns
        -------
        summary : NClustersSummary
            It prints as text and shows as HTML in notebooks.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the search is not fitted.
        """
        check_is_fitted(self)
        return NClustersSummary(
            self.n_clusters_, self.confidence_, self.structure_, self.candidates_
        )

    @available_if(_best_has("predict"))
    def predict(self, X):
        """Predict the cluster of each row, by `best_estimator_`.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Rows as `fit` takes them.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            As of the estimator.
        """
        return self._best().predict(X)

    def transform(self, X):
        """Transform rows, by `best_estimator_`.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Rows as `fit` takes them.

        Returns
        -------
        X_new : ndarray of shape (n_samples, n_clusters\\_)
            As of the estimator; of :class:`~sklearn_lloyd.KMeans` distances to the centres.
        """
        return self._best().transform(X)

    @available_if(_best_has("score"))
    def score(self, X, y=None, sample_weight=None):
        """Score rows, by `best_estimator_`.

        Parameters
        ----------
        X : {array-like, sparse matrix, frame} of shape (n_samples, n_features)
            Rows as `fit` takes them.
        y : Ignored
            Not used, present for API consistency.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row; None: one each.

        Returns
        -------
        score : float
            As of the estimator; of :class:`~sklearn_lloyd.KMeans` minus the inertia. That
            compares no numbers of clusters: it is best for the largest one.
        """
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self._best().score(X, y, **weights)

    @available_if(_best_has("get_feature_names_out"))
    def get_feature_names_out(self, input_features=None):
        """Names of the columns that `transform` gives, by `best_estimator_`.

        Parameters
        ----------
        input_features : array-like of str, default=None
            As the estimator takes them.

        Returns
        -------
        names : ndarray of str
            As of the estimator.
        """
        return self._best().get_feature_names_out(input_features)

    def _best(self):
        check_is_fitted(self)
        if not hasattr(self, "best_estimator_"):
            raise AttributeError(
                "best_estimator_ was not kept: this search was fitted with refit=False."
            )
        return self.best_estimator_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        own = get_tags(KMeans() if self.estimator is None else self.estimator)
        tags.input_tags.sparse = own.input_tags.sparse and "gap" not in self._names()
        if own.transformer_tags is not None:
            tags.transformer_tags.preserves_dtype = own.transformer_tags.preserves_dtype
        return tags


# Now that the class is made: the wrapper that it puts around for `set_output` hides conditions.
NClustersSearch.transform = available_if(_best_has("transform"))(NClustersSearch.transform)
