"""Which columns differ between clusters, and what may be claimed of that."""

from __future__ import annotations

from numbers import Integral, Real

import numpy as np
from scipy import sparse, stats
from sklearn.utils import check_random_state

from sklearn_lloyd._columns import as_floats, column_of, missing_values
from sklearn_lloyd._compat import HasMethods, Interval, validate_params
from sklearn_lloyd._pipeline import fitted_names_of, split_steps, through_steps
from sklearn_lloyd.inspection._cluster_profiles import cluster_profiles
from sklearn_lloyd.inspection._columns import check_columned, check_names, take_slice
from sklearn_lloyd.inspection._differences import ClusterDifferences
from sklearn_lloyd.inspection._plane import canonical_order, drawn_rows
from sklearn_lloyd.inspection._unstructured import Table, against_references, like

_RARE = 5  # rows that a category is expected to have in each cluster; others are put together
_CLAIMS = {
    (True, True): "groups: differs more than clusters of rows without groups do",
    (True, False): "no claim: clusters of rows without groups may differ as much",
    (False, True): "differs between the clusters",
    (False, False): "no difference shown",
}


@validate_params(
    {
        "estimator": [HasMethods("predict")],
        "feature_names": ["array-like", None],
        "columns": ["array-like", str, None],
        "alpha": [Interval(Real, 0, 1, closed="neither")],
        "n_refs": [Interval(Integral, 19, None, closed="left")],
        "sample_size": [Interval(Integral, 20, None, closed="left")],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def cluster_differences(
    estimator,
    X,
    *,
    feature_names=None,
    columns=None,
    alpha=0.05,
    n_refs=99,
    sample_size=1000,
    random_state=0,
):
    """Test which columns differ between clusters, allowing for how the clusters came about.

    Any clustering makes groups that differ in what it looked at, of pure noise too: an analysis
    of variance of these columns always finds something, and no p-value of it holds. Here such
    columns are compared with tables without groups that are clustered in the same way. Columns
    that the clusterer does not see are tested as usual.

    Parameters
    ----------
    estimator : fitted clusterer, pipeline that ends in one, or search over either
        As of :func:`cluster_profiles`; the clusterer can be cloned.
    X : {array-like, frame} of shape (n_samples, n_columns)
        Rows that the estimator was fitted to, in their original units; dense.
    feature_names : array-like of str of shape (n_columns,), default=None
        As of :func:`cluster_profiles`.
    columns : array-like of str or int, default=None
        The columns to test; None: all that have a profile.
    alpha : float, default=0.05
        The largest adjusted p-value that is called a difference.
    n_refs : int, default=99
        Tables without groups. The least p-value is ``1 / (n_refs + 1)``.
    sample_size : int, default=1000
        Rows of each of these tables. Of more rows of X that many are drawn to compare with.
    random_state : int, RandomState instance or None, default=0
        Where these rows and tables come from.

    Returns
    -------
    differences : ClusterDifferences

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the estimator is not fitted.
    ValueError
        If X is sparse, all rows are in one cluster, or an argument does not fit.

    See Also
    --------
    cluster_profiles : What the clusters are.

    Notes
    -----
    **Columns that the clusterer sees** are those a change of which changes its rows. The tables
    without groups have columns with one mode each that are else distributed like those of X, and
    the same rank correlations; as in SigClust, where they are normal. The fitted transformers and
    a clone of the clusterer, with as many clusters, are applied to each. The effect is the share
    of the variance, as the clusterer sees the column, that lies between clusters. The adjusted
    p-value is that of the largest standardised effect (Westfall & Young 1993), so that in a
    table without groups any column is called different with probability `alpha` at most.

    A claim is of the whole: *there are groups, and they differ in this column*. No claim does not
    say that there are none: groups that overlap, and a column of few values, look like none.
    It does not allow for a number of clusters, or columns, that were chosen by their looks.

    **Other columns** are tested by Kruskal and Wallis, or by chi squared of categories, with the
    false discovery rate of Benjamini and Hochberg. That is valid if rows are drawn independently
    and the column is not made of those that the clusterer sees.

    Costs n_refs fits of sample_size rows, and a transformation of these for each column.

    References
    ----------
    Gao, L., Bien, J., Witten, D. "Selective inference for hierarchical clustering". Journal of
    the American Statistical Association 119, 2024.

    Liu, Y., Hayes, D., Nobel, A., Marron, J. "Statistical significance of clustering for high
    dimension, low sample size data". Journal of the American Statistical Association 103, 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.inspection import cluster_differences
    >>> noise = np.random.default_rng(0).normal(size=(300, 2))
    >>> model = KMeans(n_clusters=3, random_state=0).fit(noise)
    >>> cluster_differences(model, noise).is_different
    array([False, False])
    """
    steps, clusterer = split_steps(estimator)
    X = check_columned(X, steps, "cluster_differences")
    X = X.to_pandas() if hasattr(X, "column_names") else X  # Arrow changes no columns
    if sparse.issparse(X):
        raise ValueError("cluster_differences takes dense X: a sparse table has no rows like it.")
    profiles = cluster_profiles(
        estimator, X, feature_names=feature_names, columns=columns, n_exemplars=0
    )
    labels = np.unique(np.asarray(estimator.predict(X)), return_inverse=True)[1]
    if labels.max() == 0:
        raise ValueError("All rows of X are in one cluster: nothing differs between clusters.")
    rng = check_random_state(random_state)
    places, first = np.unique(profiles.columns, return_index=True)
    order = np.argsort(first)
    places, is_category = places[order].tolist(), profiles.is_share[first[order]]
    names = np.array(check_names(X, feature_names, fitted_names_of(estimator)), dtype=object)
    held = [
        _values(column_of(X, j), is_code) for j, is_code in zip(places, is_category, strict=True)
    ]

    made = through_steps(steps, clusterer, X)[0]
    rows = canonical_order(drawn_rows("cluster_differences", made))
    if len(labels) > sample_size:
        rows = rows[rng.permutation(len(labels))[:sample_size]]
    table = Table(take_slice(X, rows), steps)
    driven = table.driven(places, rng)
    seen = driven.any(axis=1)
    effects, expected, p_values, adjusted = np.full((4, len(places)), np.nan)
    measures = np.full(len(places), "eta squared", dtype=object)
    for j in np.flatnonzero(~seen):
        test = _test_of_categories if is_category[j] else _test_of_numbers
        measures[j], effects[j], p_values[j] = test(held[j], labels)
    tested = ~seen & ~np.isnan(p_values)
    if tested.any():
        adjusted[tested] = stats.false_discovery_control(p_values[tested])
    if seen.any():
        columns = {places[j]: _by_row(held[j][rows]) for j in np.flatnonzero(seen)}
        own = driven[seen] & (driven[seen].sum(axis=0) == 1)
        model = like(clusterer, len(profiles.clusters))
        found = against_references(table, columns, own, labels[rows], model, n_refs, rng)
        effects[seen], expected[seen], p_values[seen], adjusted[seen] = found
    different = adjusted <= alpha
    claims = [_CLAIMS[bool(a), bool(b)] for a, b in zip(seen, different, strict=True)]
    return ClusterDifferences(
        names[places], seen, measures, effects, expected, p_values, adjusted, different,
        np.array(claims, dtype=object), alpha, profiles.library,
    )  # fmt: skip


def _values(column, is_category):
    """Numbers as float64, NaN where they are none; codes of categories."""
    values = np.asarray(column)
    if is_category:
        gone = missing_values(values)
        return np.unique(np.where(gone, "missing", values.astype(str)), return_inverse=True)[1]
    values = as_floats(values)
    return np.where(np.isfinite(values), values, np.nan)


def _by_row(values):
    """Categories as the first row that has them, which tells where to take one; numbers stay."""
    if values.dtype.kind != "i":
        return values
    _, first, codes = np.unique(values, return_index=True, return_inverse=True)
    return first[codes]


def _test_of_numbers(values, labels):
    kept = ~np.isnan(values)
    values, labels = values[kept], labels[kept]
    groups = [values[labels == label] for label in np.unique(labels)]
    if len(groups) < 2 or np.ptp(values) == 0.0:
        return "eta squared of ranks", 0.0, 1.0
    found = stats.kruskal(*groups)
    return "eta squared of ranks", found.statistic / (len(values) - 1), found.pvalue


def _test_of_categories(codes, labels):
    n_clusters = labels.max() + 1
    counts = np.bincount(codes * n_clusters + labels, minlength=(codes.max() + 1) * n_clusters)
    counts = counts.reshape(-1, n_clusters)
    rare = counts.sum(axis=1) < _RARE * n_clusters
    counts = np.vstack([counts[~rare], counts[rare].sum(axis=0)])
    counts = counts[counts.sum(axis=1) > 0]
    if len(counts) < 2:
        return "Cramer's V", 0.0, 1.0
    found = stats.chi2_contingency(counts, correction=False)
    effect = np.sqrt(found.statistic / (counts.sum() * (min(counts.shape) - 1)))
    return "Cramer's V", effect, found.pvalue
