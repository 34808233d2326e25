"""Entry points by kinds of column: what is a number is decided once, for all of them."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.cluster import KMeans as SklearnKMeans
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_lloyd import KMeans, MiniBatchKMeans, k_means, kmeans_plusplus, lloyd_steps
from sklearn_lloyd._columns import column_kinds, column_of
from sklearn_lloyd.inspection import (
    ClusterDisplay,
    LloydStepsDisplay,
    ProfileDisplay,
    SilhouetteDisplay,
    cluster_profiles,
    diagnose,
)
from sklearn_lloyd.metrics import silhouette_score, simplified_silhouette_score
from sklearn_lloyd.model_selection import NClustersSearch, bic, gap_statistic
from sklearn_lloyd.preprocessing import CentroidFeatures, ClusterScaler
from sklearn_lloyd.tracking import SegmentStore, align_clusters

N = 12
NUMBERS = np.repeat([0.0, 5.0, 9.0], 4) + np.arange(N) / 100
LABELS = np.repeat([0, 1, 2], 4)
DAYS = [dt.date(2024, 1, 1 + i) for i in range(N)]
STAMPS = pd.date_range("2024-01-01", periods=N)
HOURS = [dt.timedelta(hours=i) for i in range(N)]
LETTERS = ["a", "b", "a", "b"] * 3
STORE = SegmentStore("sqlite://")  # in memory


def objects(values):
    found = np.empty(N, dtype=object)
    found[:] = values
    return found


def pandas_arrow(values, kind):
    return pd.Series(values, dtype=pd.ArrowDtype(kind))


# name: (the column, its kind, what it holds)
PANDAS = {
    "int": (np.arange(N), "number", "numbers"),
    "unsigned": (np.arange(N, dtype=np.uint8), "number", "numbers"),
    "float32": (NUMBERS.astype(np.float32), "number", "numbers"),
    "nullable int": (pd.array(range(N), dtype="Int64"), "number", "numbers"),
    "nullable float": (pd.array(NUMBERS, dtype="Float32"), "number", "numbers"),
    "arrow double": (pandas_arrow(NUMBERS, pa.float64()), "number", "numbers"),
    "arrow decimal": (pandas_arrow([Decimal(1)] * N, pa.decimal128(5, 2)), "number", "numbers"),
    "decimal objects": (objects([Decimal("1.5")] * N), "number", "numbers"),
    "fractions": (objects([Fraction(1, 2)] * N), "number", "numbers"),
    "objects": (objects([1, 2.5, np.float32(2), True] * 3), "number", "numbers"),
    "sparse": (pd.arrays.SparseArray(NUMBERS), "number", "numbers"),
    "bool": (np.arange(N) > 3, "boolean", "yes and no"),
    "nullable bool": (pd.array([True, False] * 6, dtype="boolean"), "boolean", "yes and no"),
    "bool objects": (objects([True, False] * 6), "boolean", "yes and no"),
    "arrow bool": (pandas_arrow([True, False] * 6, pa.bool_()), "boolean", "yes and no"),
    "strings": (pd.Series(LETTERS), "category", "text"),
    "text objects": (objects(LETTERS), "category", "text"),
    "text and NaN": (objects(["a", np.nan, "b", None] * 3), "category", "text"),
    "string dtype": (pd.array(["a", pd.NA] * 6, dtype="string"), "category", "text"),
    "arrow text": (pandas_arrow(LETTERS, pa.large_string()), "category", "text"),
    "categories": (pd.Categorical(LETTERS), "category", "categories"),
    "bins": (pd.cut(NUMBERS, 3), "category", "categories"),
    "datetime": (STAMPS, "time", "times"),
    "with a zone": (STAMPS.tz_localize("UTC"), "time", "times"),
    "duration": (pd.to_timedelta(HOURS), "time", "times"),
    "period": (STAMPS.to_period("D"), "time", "times"),
    "arrow timestamp": (pandas_arrow(STAMPS, pa.timestamp("us", "UTC")), "time", "times"),
    "arrow date": (pandas_arrow(DAYS, pa.date32()), "time", "times"),
    "arrow duration": (pandas_arrow(HOURS, pa.duration("us")), "time", "times"),
    "date objects": (objects(DAYS), "time", "times"),
    "datetime objects": (objects([dt.datetime(2024, 1, 1)] * N), "time", "times"),
    "dates and NaT": (objects([*DAYS[:9], pd.NaT, None, np.nan]), "time", "times"),
    "time objects": (objects([dt.time(12)] * N), "time", "times"),
    "timedelta objects": (objects(HOURS), "time", "times"),
    "datetime64 objects": (objects([np.datetime64("2024-01-01")] * N), "time", "times"),
    "timedelta64 objects": (objects([np.timedelta64(1, "D")] * N), "time", "times"),
    "period objects": (objects(list(STAMPS.to_period("D"))), "time", "times"),
    "interval": (pd.interval_range(0, N), "other", "intervals"),
    "interval objects": (objects(list(pd.interval_range(0, N))), "other", "intervals"),
    "lists": (objects([["x"]] * N), "other", "lists"),
    "arrays": (pd.Series(list(np.ones((N, 2)))), "other", "lists"),
    "dicts": (objects([{"x": 1}] * N), "other", "structs"),
    "arrow lists": (pandas_arrow([[1]] * N, pa.list_(pa.int64())), "other", "lists"),
    "bytes": (objects([b"1"] * N), "other", "bytes"),
    "complex": (np.full(N, 1j), "other", "complex numbers"),
    "mixed": (objects(["a", 1] * 6), "other", "objects of mixed kind (numbers, text)"),
    "any objects": (objects([Ellipsis] * N), "other", "objects of type ellipsis"),
}
POLARS = {
    "Int64": (pl.Series(range(N)), "number", "numbers"),
    "UInt8": (pl.Series(range(N), dtype=pl.UInt8), "number", "numbers"),
    "Decimal": (pl.Series([Decimal("1.5")] * N), "number", "numbers"),
    "Boolean": (pl.Series([True, False] * 6), "boolean", "yes and no"),
    "String": (pl.Series(LETTERS), "category", "text"),
    "Categorical": (pl.Series(LETTERS, dtype=pl.Categorical), "category", "categories"),
    "Enum": (pl.Series(LETTERS, dtype=pl.Enum(["a", "b"])), "category", "categories"),
    "Date": (pl.Series(DAYS), "time", "times"),
    "Datetime": (pl.Series(list(STAMPS.to_pydatetime())), "time", "times"),
    "zone": (pl.Series(list(STAMPS.to_pydatetime())).dt.replace_time_zone("UTC"), "time", "times"),
    "Duration": (pl.Series(HOURS), "time", "times"),
    "Time": (pl.Series([dt.time(12, 30)] * N), "time", "times"),
    "date objects": (pl.Series(DAYS, dtype=pl.Object), "time", "times"),
    "List": (pl.Series([["x"]] * N), "other", "lists"),
    "Array": (pl.Series([[1.0, 2.0]] * N, dtype=pl.Array(pl.Float64, 2)), "other", "lists"),
    "Struct": (pl.Series([{"x": 1}] * N), "other", "structs"),
    "Binary": (pl.Series([b"1"] * N), "other", "bytes"),
}
ARROW = {
    "double": (pa.array(NUMBERS), "number", "numbers"),
    "half": (pa.array(NUMBERS.astype(np.float16)), "number", "numbers"),
    "decimal": (pa.array([Decimal("1.5")] * N), "number", "numbers"),
    "bool": (pa.array([True, False] * 6), "boolean", "yes and no"),
    "text": (pa.array(LETTERS), "category", "text"),
    "dictionary": (pa.array(LETTERS).dictionary_encode(), "category", "categories"),
    "date": (pa.array(DAYS), "time", "times"),
    "timestamp": (pa.array(STAMPS, pa.timestamp("us")), "time", "times"),
    "time": (pa.array([dt.time(12)] * N), "time", "times"),
    "duration": (pa.array(HOURS), "time", "times"),
    "list": (pa.array([[1]] * N), "other", "lists"),
    "struct": (pa.array([{"x": 1}] * N), "other", "structs"),
    "binary": (pa.array([b"1"] * N), "other", "bytes"),
}
ARRAYS = {
    "float": (NUMBERS, "number", "numbers"),
    "numbers": (objects([1, 2.5] * 6), "number", "numbers"),
    "text": (objects(LETTERS), "category", "text"),
    "dates": (objects(DAYS), "time", "times"),
    "datetime64": (objects([np.datetime64("2024-01-01")] * N), "time", "times"),
    "timedelta64": (objects([np.timedelta64(1, "h")] * N), "time", "times"),
    "lists": (objects([[1]] * N), "other", "lists"),
    "bytes": (objects([b"1"] * N), "other", "bytes"),
}
MAKE = {
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "arrow": pa.table,
    "numpy": lambda columns: np.column_stack([objects(column) for column in columns.values()]),
}
COLUMNS = [
    pytest.param(library, *case, id=f"{library} {name}")
    for library, cases in zip(MAKE, (PANDAS, POLARS, ARROW, ARRAYS), strict=True)
    for name, case in cases.items()
]


def table_of(library, column):
    return MAKE[library]({"spend": NUMBERS, "visits": NUMBERS**2, "extra": column})


@pytest.mark.parametrize(("library", "column", "kind", "holds"), COLUMNS)
def test_kinds(library, column, kind, holds):
    found = column_kinds(table_of(library, column))
    assert found[2] == (kind, holds)
    assert [one.name for one in found[:2]] == ["number", "number"]


@pytest.mark.filterwarnings("ignore:pandas.DataFrame with sparse columns found:UserWarning")
@pytest.mark.parametrize(("library", "column", "kind", "holds"), COLUMNS)
def test_what_fit_takes(library, column, kind, holds):
    X = table_of(library, column)
    model = KMeans(3, random_state=0)
    if kind in ("number", "boolean"):
        assert np.isfinite(model.fit(X).cluster_centers_).all()
        return
    name = "2 (counted from 0" if library == "numpy" else "'extra'"
    with pytest.raises((ValueError, TypeError)) as raised:
        model.fit(X)
    message = str(raised.value)
    assert f"Columns that are not numbers: {name}" in message
    assert f"They hold {holds}. " in message
    assert not hasattr(model, "n_features_in_")


def first_two(X):
    return np.column_stack([np.asarray(column_of(X, j), dtype=float) for j in (0, 1)])


def of_first_two(X):
    """A clusterer that sees two columns of a table of any kind."""
    return make_pipeline(FunctionTransformer(first_two), KMeans(3, random_state=0)).fit(X)


@pytest.mark.parametrize(("library", "column", "kind", "holds"), COLUMNS)
def test_what_profiles_leave_out(library, column, kind, holds):
    X = table_of(library, column)
    profiles = cluster_profiles(of_first_two(X), X)
    name = "x2" if library == "numpy" else "extra"
    features = [feature for feature in profiles.features if feature.startswith(name)]
    if kind in ("number", "boolean", "category"):
        assert profiles.left_out == {}
        assert features
        assert set(profiles.is_share[2:]) == {kind != "number"}
    else:
        assert profiles.left_out == {name: holds}
        assert features == []
        assert f"left out:\n    {name}: {holds}" in repr(profiles)


def batches(X):
    return [X[:6], X[6:]]


FITTED = KMeans(3, random_state=0).fit(pd.DataFrame({"spend": NUMBERS, "joined": NUMBERS}))
SCALER = ClusterScaler().fit(pd.DataFrame({"spend": NUMBERS, "joined": NUMBERS}))
DISTANCES = CentroidFeatures(FITTED).fit(pd.DataFrame({"spend": NUMBERS, "joined": NUMBERS}))
ENTRIES = {
    "fit": lambda X: KMeans(3).fit(X),
    "fit_predict": lambda X: KMeans(3).fit_predict(X),
    "fit_transform": lambda X: KMeans(3).fit_transform(X),
    "fit_batches": lambda X: KMeans(3).fit_batches(batches(X)),
    "predict": FITTED.predict,
    "transform": FITTED.transform,
    "score": FITTED.score,
    "from_centers": KMeans.from_centers,
    "init": lambda X: KMeans(N, init=X).fit(np.column_stack([NUMBERS, NUMBERS])),
    "mini-batch fit": lambda X: MiniBatchKMeans(3).fit(X),
    "mini-batch partial_fit": lambda X: MiniBatchKMeans(3).partial_fit(X),
    "mini-batch fit_batches": lambda X: MiniBatchKMeans(3).fit_batches(batches(X)),
    "k_means": lambda X: k_means(X, 3),
    "kmeans_plusplus": lambda X: kmeans_plusplus(X, 3),
    "lloyd_steps": lambda X: list(lloyd_steps(X, np.zeros((3, 2)))),
    "ClusterScaler.fit": lambda X: ClusterScaler().fit(X),
    "ClusterScaler.transform": SCALER.transform,
    "ClusterScaler.inverse_transform": SCALER.inverse_transform,
    "CentroidFeatures.fit": lambda X: CentroidFeatures(n_clusters=3).fit(X),
    "CentroidFeatures.transform": DISTANCES.transform,
    "NClustersSearch.fit": lambda X: NClustersSearch(n_clusters=[2, 3]).fit(X),
    "gap_statistic": lambda X: gap_statistic(X, n_clusters=[1, 2]),
    "bic": lambda X: bic(X, LABELS),
    "silhouette_score": lambda X: silhouette_score(X, LABELS),
    "simplified_silhouette_score": lambda X: simplified_silhouette_score(X, LABELS),
    "centers": lambda X: simplified_silhouette_score(
        np.column_stack([NUMBERS, NUMBERS]), LABELS, centers=X[:3]
    ),
    "diagnose": lambda X: diagnose(FITTED, X),
    "ClusterDisplay": lambda X: ClusterDisplay.from_estimator(FITTED, X),
    "LloydStepsDisplay": lambda X: LloydStepsDisplay.from_estimator(FITTED, X),
    "SilhouetteDisplay": lambda X: SilhouetteDisplay.from_estimator(FITTED, X),
    "SilhouetteDisplay of labels": lambda X: SilhouetteDisplay.from_predictions(X, LABELS),
}
BAD = {
    **{f"polars {name}": ("polars", POLARS[name][0]) for name in ("Date", "Datetime", "Time")},
    "polars Duration": ("polars", POLARS["Duration"][0]),
    "polars Binary": ("polars", POLARS["Binary"][0]),
    "polars String": ("polars", POLARS["String"][0]),
    "pandas datetime64 objects": ("pandas", PANDAS["datetime64 objects"][0]),
    "pandas timedelta64 objects": ("pandas", PANDAS["timedelta64 objects"][0]),
    "pandas lists": ("pandas", PANDAS["lists"][0]),
    "arrow timestamp": ("arrow", ARROW["timestamp"][0]),
}


@pytest.mark.parametrize(("library", "column"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("call", ENTRIES.values(), ids=ENTRIES)
def test_every_entry_names_the_column(call, library, column):
    X = MAKE[library]({"spend": NUMBERS, "joined": column})
    with pytest.raises((ValueError, TypeError), match="Columns that are not numbers: 'joined'"):
        call(X)


# Text, missing and infinite values, and what is not there


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_text_of_numbers_is_taken_as_by_sklearn(make):
    text = make({"spend": NUMBERS, "price": [str(value) for value in NUMBERS]})
    init = np.column_stack([NUMBERS, NUMBERS])[[0, 4, 8]]
    ours, theirs = (kind(3, init=init, n_init=1).fit(text) for kind in (KMeans, SklearnKMeans))
    np.testing.assert_allclose(ours.cluster_centers_, theirs.cluster_centers_)
    profiles = cluster_profiles(ours, text)  # a number, since the clusterer takes it for one
    assert list(profiles.features) == ["spend", "price"]
    np.testing.assert_allclose(profiles.means[:, 1], profiles.means[:, 0])


def holed(library, value):
    spend, visits = NUMBERS.copy(), NUMBERS.copy()
    visits[[2, 5, 7]] = value
    spend[5] = value
    return MAKE[library]({"age": NUMBERS, "spend": spend, "visits": visits})


@pytest.mark.parametrize("library", ["pandas", "polars", "arrow", "numpy", "sparse", "batches"])
def test_where_values_are_missing_or_infinite(library):
    def fit(value):
        if library == "batches":
            return KMeans(3).fit_batches([holed("pandas", value)])
        X = holed("numpy" if library == "sparse" else library, value)
        return KMeans(3).fit(sparse.csr_array(X.astype(float)) if library == "sparse" else X)

    named = library in ("pandas", "polars", "arrow", "batches")
    first, spend, visits = ("'visits'", "'spend'", "'visits'") if named else ("2", "1", "2")
    where = (
        f"the first in row 2, column {first} (rows count from 0). Such rows: 3 of 12; by column: "
        f"{spend} (1 row), {visits} (3 rows)."
    )
    with pytest.raises(ValueError, match="Input X contains NaN") as raised:
        fit(np.nan)
    assert where in str(raised.value)
    assert "SimpleImputer" in str(raised.value)
    with pytest.raises(ValueError, match="Input X contains infinity") as raised:
        fit(np.inf)
    assert where in str(raised.value)
    assert "SimpleImputer" not in str(raised.value)
    assert "Imputers refuse infinity" in str(raised.value)


def test_missing_and_infinite_values_of_one_table():
    X = pd.DataFrame({"a": NUMBERS, "b": NUMBERS})
    X.loc[3, "a"], X.loc[4, "b"] = np.inf, np.nan
    with pytest.raises(ValueError, match="contains NaN: the first in row 4, column 'b'") as raised:
        KMeans(3).fit(X)
    assert (
        "infinity or a value too large for dtype('float64'): the first in row 3, column 'a'"
        in (str(raised.value))
    )


@pytest.mark.parametrize("value", [pd.NA, None, np.nan])
def test_missing_objects_are_named(value):
    X = pd.DataFrame({"a": NUMBERS, "b": objects([1.0, value] * 6)})
    with pytest.raises(ValueError, match=r"NaN: .* column 'b' .* Such rows: 6 of 12"):
        KMeans(3).fit(X)


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
def test_empty_frames(make):
    none = np.empty(0)
    with pytest.raises(ValueError, match=r"0 sample\(s\) .*Its columns are 'a', 'b'\. Look at"):
        KMeans(2).fit(make({"a": none, "b": none}))
    with pytest.raises(ValueError, match=r"0 feature\(s\) .*how its columns were selected"):
        KMeans(2).fit(make({}))


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame])
@pytest.mark.parametrize("call", ["predict", "transform", "score"])
def test_columns_in_another_order(make, call):
    columns = {"a": NUMBERS, "b": NUMBERS, "c": NUMBERS}
    model = KMeans(3, random_state=0).fit(make(columns))
    with pytest.raises(ValueError, match="'c', 'b' stand where 'b', 'c' stood") as raised:
        getattr(model, call)(make({name: columns[name] for name in "acb"}))
    assert "must be in the same order" in str(raised.value)
    assert "The order is to be 'a', 'b', 'c'." in str(raised.value)


def test_an_array_of_text_has_no_names():
    message = r"not numbers: 0, 2 \(counted from 0.*They hold text\. .*encode text.*ClusterScaler"
    with pytest.raises(ValueError, match=message):
        KMeans(2).fit(np.array([["x", "1", "y"]] * 4))
    wide = np.full((4, 40), "x")
    with pytest.raises(ValueError, match="8, 9 and 30 more"):
        KMeans(2).fit(wide)


def test_a_lazy_frame_has_no_rows_yet():
    with pytest.raises(TypeError, match=r"LazyFrame, which has no rows yet: give X.collect\(\)"):
        KMeans(2).fit(pl.LazyFrame({"spend": NUMBERS}))


def test_several_kinds_are_told_apart():
    X = pd.DataFrame({"city": LETTERS, "spend": NUMBERS, "joined": STAMPS})
    with pytest.raises(ValueError, match="not numbers: 'city', 'joined'") as raised:
        KMeans(2).fit(X)
    assert "They hold text ('city'), times ('joined')." in str(raised.value)


def test_a_new_column_is_named_first():
    model = KMeans(3, random_state=0).fit(pd.DataFrame({"spend": NUMBERS}))
    with pytest.raises(ValueError, match="unseen at fit time:\n- joined"):
        model.predict(pd.DataFrame({"spend": NUMBERS, "joined": STAMPS}))


def test_labels_of_columns_that_are_no_strings():
    X = pd.DataFrame({0: NUMBERS, 1: STAMPS})
    with pytest.raises(ValueError, match="not numbers: '1'"):
        KMeans(2).fit(X)
    twice = pd.DataFrame(np.column_stack([NUMBERS, LETTERS]), columns=["a", "a"])
    with pytest.raises(ValueError, match="not numbers: 'a'"):
        KMeans(2).fit(twice)


def test_times_that_a_pipeline_clusters():
    X = pl.DataFrame({"spend": NUMBERS, "joined": DAYS})
    model = make_pipeline(StandardScaler(), KMeans(3, random_state=0)).fit(X)
    profiles = cluster_profiles(model, X)
    assert profiles.left_out == {"joined": "times, which the pipeline clusters"}


@pytest.mark.parametrize("library", ["pandas", "polars", "arrow"])
def test_pictures_take_the_same_tables(library):
    X = table_of(library, DAYS)
    display = ProfileDisplay.from_estimator(of_first_two(X), X)
    assert display.features == ["spend", "visits"]


@pytest.mark.parametrize(
    "function",
    [
        cluster_profiles,
        diagnose,
        lambda model, X: align_clusters(model, model, X=X),
        lambda model, X: SegmentStore("sqlite://").register("visits", model, X),
        lambda model, X: STORE.assign("visits", range(N), X),
    ],
)
@pytest.mark.parametrize("library", [pd, pl])
def test_columns_of_the_fit_before_a_step_that_does_not_look_at_names(function, library):
    X = library.DataFrame({"spend": NUMBERS, "visits": NUMBERS[::-1] / 10})
    first = FunctionTransformer(feature_names_out="one-to-one")
    model = make_pipeline(first, KMeans(3, random_state=0)).fit(X)
    STORE.register("visits", model, X)
    with pytest.raises(ValueError, match="X has 'visits', 'spend'; the fit had 'spend', 'visits'"):
        function(model, X[["visits", "spend"]])
    with pytest.raises(ValueError, match=r"Missing: 'spend'. Not known to the fit: 'money'"):
        function(model, library.DataFrame({"money": NUMBERS, "visits": NUMBERS}))
    function(model, X)
