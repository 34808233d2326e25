"""`table_pipeline`: from a table to a pipeline that clusters its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline

from sklearn_lloyd._columns import (
    CATEGORY,
    NUMBER,
    column_kinds,
    column_labels,
    column_of,
    is_frame,
    named_columns,
    refuse_lazy,
)
from sklearn_lloyd._compat import Interval, StrOptions, validate_params
from sklearn_lloyd._kmeans import KMeans
from sklearn_lloyd._parameters import advice_for
from sklearn_lloyd.preprocessing._category_encoder import CategoryEncoder
from sklearn_lloyd.preprocessing._cluster_scaler import ClusterScaler
from sklearn_lloyd.preprocessing._signed_log import SignedLog
from sklearn_lloyd.preprocessing._table_columns import TableColumns
from sklearn_lloyd.preprocessing._time_features import AGE, TIME_FEATURES, TimeFeatures
from sklearn_lloyd.preprocessing._treatments import LOG, ROLES, treat

# Interquartile ranges around the median, 6.7 standard deviations of normal values: beyond is what
# was mistyped, and no group.
CLIP = 5.0


@validate_params(
    {
        "table": "no_validation",
        "clusterer": "no_validation",
        "roles": [Mapping, None],
        "category_weight": [Interval(Real, 0, None, closed="neither"), StrOptions({"mca"})],
        "max_categories": [Interval(Integral, 2, None, closed="left")],
        "scaler": "no_validation",
    },
    prefer_skip_nested_validation=True,
)
def table_pipeline(
    table, clusterer=None, *, roles=None, category_weight=1.0, max_categories=20, scaler=None
):
    """Make a pipeline that brings the columns of a table to one scale and clusters the rows.

    It looks at the columns once, decides what is to become of each, and says so in words. What
    it gives is an ordinary Pipeline, not fitted, whose first step is a ColumnTransformer. A refit
    on other rows treats the columns alike, and learns medians, scales and categories anew.

    Parameters
    ----------
    table : frame of pandas or polars, or ndarray of shape (n_rows, n_columns)
        Rows to cluster, or some that are like them.

    clusterer : estimator, default=None
        The last step, which is cloned. None: ``KMeans(n_init=10)``.

    roles : dict of str to str or tuple of str, default=None
        What columns are to be, by their names, or by their places in an array; the others follow
        the rules below.

        - 'number': as it is, without a logarithm; 'log': by its logarithm;
        - 'category': one-hot, such as codes that are numbers;
        - 'age', 'time-of-year', 'day-of-week', 'time-of-day': numbers of times, see
          :class:`TimeFeatures`; a tuple for several of them;
        - 'drop': left out.

    category_weight : float or 'mca', default=1.0
        What a difference of categories adds to the squared distance of two rows: gamma of
        k-prototypes, and in Gower's manner 1. Two rows differ in a number by 2 on average. 'mca'
        goes by frequencies, see :class:`CategoryEncoder`.

    max_categories : int, default=20
        So many categories of a column have a column of their own at the most. The others, and all
        below 1 % of the rows, count as one, "rare".

    scaler : transformer, default=None
        For numbers. None: ``ClusterScaler(clip=5.0)``, z-scores of values that are brought into
        the median plus and minus five interquartile ranges.

    Returns
    -------
    pipeline : Pipeline
        Its step "columns" is a :class:`TableColumns`: ``print(pipeline["columns"])`` says what
        becomes of each column, and its `notes` are the same as a dict. Without the last step,
        ``pipeline[:-1]``, it makes the rows that the clusterer sees.

    Raises
    ------
    TypeError
        If the table is none.

    ValueError
        If it has no rows, columns of one name, infinite numbers, or no column that tells rows
        apart; if `roles` asks for what a column cannot be. The message names the columns.

    See Also
    --------
    sklearn_lloyd.inspection.cluster_profiles : What the clusters are, in the units of the table.
    sklearn_lloyd.model_selection.NClustersSearch : How many there are.

    Notes
    -----
    The rules, in this order:

    - **Left out** are columns of one value or of none, or with more than half of the values
      missing; numbers that name the rows, see :func:`~sklearn_lloyd.inspection.diagnose`; texts of
      which nine in ten occur once, or few repeat under the name of an id; categories if those
      that are frequent enough for a column of their own have less than half of the rows, as in a
      column of 10,000 towns; times; and what is neither number, text nor time.
    - **Numbers of two values**, and yes and no, are categories.
    - **Other numbers:** the median for missing values; a logarithm (:class:`SignedLog`) if the
      skewness is above 1 and the logarithm brings it nearer to 0; then the scaler.
    - **Categories**, texts among them: one-hot columns (:class:`CategoryEncoder`). "missing" is a
      category.

    It reads the columns one after the other, O(n_rows log(n_rows)) each.

    References
    ----------
    Gower, J. C. "A general coefficient of similarity and some of its properties". Biometrics 27,
    1971.

    Huang, Z. "Extensions to the k-means algorithm for clustering large data sets with categorical
    values". Data Mining and Knowledge Discovery 2, 1998.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn_lloyd import KMeans
    >>> from sklearn_lloyd.preprocessing import table_pipeline
    >>> rng = np.random.RandomState(0)
    >>> table = pd.DataFrame({
    ...     "customer": [f"C{i:03}" for i in range(200)],
    ...     "spend": np.exp(rng.normal(np.repeat([3.0, 6.0], 100), 0.8)),
    ...     "age": np.where(rng.rand(200) < 0.1, np.nan, rng.normal(40, 9, 200).round()),
    ...     "region": rng.choice(["north", "south"], 200),
    ... })
    >>> model = table_pipeline(table, KMeans(2, random_state=0)).fit(table)
    >>> print(model["columns"])
    customer  left out: text with 200 values, nearly one for each row
    spend     number: logarithm (skewness 2.3), scaled
    age       number: scaled; missing (12.5 %): the median
    region    category: 2 values
    """
    labels = _check_table(table)
    asked = _check_roles(roles, labels)
    columns = [np.asarray(column_of(table, j)) for j in range(len(labels))]
    treatments = [
        treat(str(label), kind, values, own, max_categories)
        for label, kind, values, own in zip(
            labels, column_kinds(table), columns, asked, strict=True
        )
    ]
    notes = {str(label): found.note for label, found in zip(labels, treatments, strict=True)}
    if not any(found.roles for found in treatments):
        said = [found.note.removeprefix("left out: ") for found in treatments]
        raise ValueError(
            "No column of the table tells rows apart for k-means: "
            f"{named_columns(range(len(labels)), labels, said)}. The parameter roles takes a "
            "column all the same."
        )
    scaler = ClusterScaler(clip=CLIP) if scaler is None else scaler
    steps = _steps(scaler, CategoryEncoder(category_weight, max_categories=max_categories))
    by_name = is_frame(table) and all(isinstance(label, str) for label in labels)
    transformers = []
    for role, step in steps.items():
        own = [j for j, found in enumerate(treatments) if role in found.roles]
        if own:
            transformers.append((role, step, [labels[j] for j in own] if by_name else own))
    clusterer = KMeans(n_init=10) if clusterer is None else clone(clusterer)
    first = TableColumns(transformers, notes=notes)
    return Pipeline([("columns", first), (type(clusterer).__name__.lower(), clusterer)])


def _steps(scaler, encoder):
    """The transformers of all roles."""

    def numbers(before=(), after=()):
        # A column that has no value left in a refit is no reason to have fewer features.
        imputer = SimpleImputer(strategy="median", keep_empty_features=True)
        return make_pipeline(*before, imputer, *after, clone(scaler))

    return {
        NUMBER: numbers(),
        LOG: numbers(after=[SignedLog()]),
        **{role: TimeFeatures(role) for role in TIME_FEATURES},
        AGE: numbers(before=[TimeFeatures(AGE)]),
        CATEGORY: encoder,
    }


def _check_table(table):
    """What the columns are called, a list."""
    refuse_lazy(table)
    if not (is_frame(table) or isinstance(table, np.ndarray)) or len(table.shape) != 2:
        raise TypeError(
            f"table must be a frame of pandas or polars, or an array of rows and columns; got "
            f"{type(table).__name__}."
        )
    if hasattr(table, "column_names"):
        raise TypeError("table must be of pandas or polars: take table.to_pandas() of Arrow's.")
    if not all(table.shape):
        raise ValueError(f"table has {table.shape[0]} rows and {table.shape[1]} columns.")
    labels = list(column_labels(table)) if is_frame(table) else list(range(table.shape[1]))
    repeated = [name for name, count in Counter(map(str, labels)).items() if count > 1]
    if repeated:
        raise ValueError(
            f"Columns of the table must have different names; these are repeated: {repeated}."
        )
    return labels


def _check_roles(roles, labels):
    """The roles that are asked of each column, a list of tuples; of most columns, None."""
    names, asked = list(map(str, labels)), [None] * len(labels)
    for name, own in (roles or {}).items():
        if str(name) not in names:
            raise ValueError(
                f"roles names {name!r}, which is no column: {advice_for(str(name), names)}"
            )
        own = tuple(own) if isinstance(own, tuple | list) else (own,)
        for role in own:
            if role not in ROLES:
                advice = advice_for(str(role), ROLES)
                raise ValueError(f"roles has {role!r} for {name!r}: {advice}")
        if not own or (len(own) > 1 and not set(own) <= set(TIME_FEATURES)):
            raise ValueError(
                f"roles has {own} for {name!r}: it must be one role, or several of "
                f"{', '.join(TIME_FEATURES)}."
            )
        asked[names.index(str(name))] = own
    return asked
