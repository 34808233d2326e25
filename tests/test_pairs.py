"""PairDisplay: which features, whose rows, in which units."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse
from sklearn.cluster import AgglomerativeClustering
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_lloyd import KMeans
from sklearn_lloyd.inspection import PairDisplay, cluster_profiles


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    group = rng.choice(3, 600, p=[0.5, 0.38, 0.12])
    table = pd.DataFrame(
        {
            "id": np.arange(600),
            "spend": rng.lognormal(np.array([4.5, 5.7, 7.7])[group], 0.4),
            "age": rng.normal(np.array([30.0, 50, 45])[group], 5),
            "visits": rng.poisson(np.array([3.0, 9, 14])[group]).astype(float),
            "region": rng.choice(["N", "S"], 600),
        }
    )
    table.loc[::50, "age"] = np.nan
    return table


@pytest.fixture(scope="module")
def model(table):
    numbers = make_pipeline(SimpleImputer(), StandardScaler()), ["spend", "age", "visits"]
    steps = make_column_transformer(numbers, (OneHotEncoder(), ["region"]))
    return make_pipeline(steps, KMeans(3, n_init=3, random_state=0)).fit(table)


def blobs(n, d, k):
    X = make_blobs(n, d, centers=k, random_state=0)[0]
    return KMeans(k, random_state=0).fit(X), X


def test_in_the_units_of_the_table(model, table):
    display = PairDisplay.from_estimator(model, table, max_features=8)
    assert display.features == ["spend", "age", "visits"]  # not the id that the pipeline drops
    labels = model.predict(table)
    np.testing.assert_array_equal(display.labels, labels)
    np.testing.assert_array_equal(display.values, table[display.features])
    profiles = cluster_profiles(model, table, columns=display.features)
    np.testing.assert_allclose(display.centers, profiles.centers)
    texts = [text.get_text() for text in display.legend_.get_texts()]
    assert texts == [
        f"{i}: {name} ({share:.0%})"
        for i, (name, share) in enumerate(zip(profiles.names, profiles.shares, strict=True))
    ]
    assert display.axes_[0, 1] is None
    drawn = display.points_[1, 0][2].get_offsets()
    np.testing.assert_array_equal(drawn, table.loc[labels == 2, ["spend", "age"]])
    # Of whole numbers that many rows share, rows lie beside each other.
    beside = display.points_[2, 1][2].get_offsets()[:, 1]
    moved = np.abs(beside - table["visits"][labels == 2].to_numpy())
    assert 0.0 < moved.max() < 0.5
    assert display.ax_.get_xscale() == "log"
    assert display.axes_[2, 2].get_xscale() == "linear"
    assert display.axes_[2, 0].get_xlim() == display.ax_.get_xlim()


def test_features_by_name(model, table):
    display = PairDisplay.from_estimator(model, table, features=["visits", "id"])
    assert display.features == ["visits", "id"]
    assert display.legend_.get_title().get_text() == ""
    profiles = cluster_profiles(model, table)  # the clusters have the names that they have there
    assert profiles.names[0] in display.legend_.get_texts()[0].get_text()


def test_features_that_tell_most():
    model, X = blobs(300, 3, 3)
    X = np.column_stack([np.random.default_rng(0).normal(size=(300, 9)), X])
    model = KMeans(3, n_init=5, random_state=0).fit(X)
    display = PairDisplay.from_estimator(model, X, max_features=2)
    assert set(display.features) < {"x9", "x10", "x11"}
    assert display.legend_.get_title().get_text() == "2 of 12 columns of numbers"
    many = PairDisplay.from_estimator(model, X, max_features=8)
    assert many.axes_.shape == (8, 8)


def test_a_sample_that_does_not_depend_on_the_order():
    model, X = blobs(5000, 2, 26)
    display = PairDisplay.from_estimator(model, X, sample_size=200)
    assert display.legend_.get_title().get_text() == "200 of 5,000 rows\n25 of 26 clusters"
    assert len(display.legend_.get_texts()) == 25
    again = PairDisplay.from_estimator(model, X[::-1], sample_size=200)
    np.testing.assert_array_equal(display.values, again.values)
    figure, ax = plt.subplots()
    assert display.plot(ax).figure_ is figure
    figure.canvas.draw()


def test_an_unknown_feature():
    model, X = blobs(60, 3, 2)
    with pytest.raises(ValueError, match=r"^features has 'x7', which is no column of X"):
        PairDisplay.from_estimator(model, X, features=["x7"])


def test_sparse_rows_and_one_feature():
    model, X = blobs(200, 3, 2)
    dense = PairDisplay.from_estimator(model, X)
    thin = PairDisplay.from_estimator(model, sparse.csr_matrix(X))
    np.testing.assert_array_equal(dense.values, thin.values)
    one = PairDisplay.from_estimator(model, X, features=[1])
    assert one.features == ["x1"]
    one.figure_.canvas.draw()


def test_constants_and_missing_columns():
    X = np.column_stack([[0.0, 0, 9, 9], np.full(4, 7.0), [1e9, 1e9, 1e9, 1e9 + 1]])
    frame = pd.DataFrame(X, columns=list("abc")).assign(d=np.nan)
    steps = make_column_transformer(("passthrough", ["a", "b"]))
    model = make_pipeline(steps, KMeans(2, random_state=0)).fit(frame)
    PairDisplay.from_estimator(model, frame, features=list("abcd")).figure_.canvas.draw()


def test_errors(model, table):
    with pytest.raises(ValueError, match=r"'max_features' parameter .* must be an int in"):
        PairDisplay.from_estimator(model, table, max_features=9)
    with pytest.raises(ValueError, match=r"columns of numbers; these are not: \['region'\]"):
        PairDisplay.from_estimator(model, table, features=["age", "region"])
    wide, X = blobs(50, 9, 2)
    with pytest.raises(ValueError, match="features has 9 columns; 8 at the most"):
        PairDisplay.from_estimator(wide, X, features=range(9))
    with pytest.raises(NotFittedError):
        PairDisplay.from_estimator(KMeans(2), X)
    with pytest.raises(TypeError, match="ax should be axes of matplotlib or None; got Figure"):
        PairDisplay.from_estimator(wide, X, ax=plt.figure())
    steps = make_column_transformer((OneHotEncoder(), ["region"]))
    regions = make_pipeline(steps, KMeans(2, random_state=0)).fit(table)
    with pytest.raises(ValueError, match="ProfileDisplay draws categories"):
        PairDisplay.from_estimator(regions, table[["region"]])


@pytest.mark.parametrize("make", [pl.from_pandas, pa.Table.from_pandas])
def test_other_frames(model, table, make):
    if make is not pl.from_pandas:  # a ColumnTransformer of scikit-learn 1.6 takes no Arrow
        table = table[["age", "spend", "visits"]].dropna().reset_index(drop=True)
        model = KMeans(3, random_state=0).fit(table)
    expected = PairDisplay.from_estimator(model, table)
    found = PairDisplay.from_estimator(model, make(table))
    np.testing.assert_array_equal(found.values, expected.values)


def test_what_has_no_pairs():
    texts = ["red apple", "green apple", "fast car", "slow car"]
    model = make_pipeline(TfidfVectorizer(), KMeans(2, random_state=0)).fit(texts)
    for X in (texts, np.array(texts, dtype=object), pd.DataFrame({"text": texts})):
        with pytest.raises(ValueError, match=r"PairDisplay takes a table .* X holds texts"):
            PairDisplay.from_estimator(model, X)
    rows = np.arange(4.0)[:, np.newaxis]
    with pytest.raises(TypeError, match="must be an object implementing 'predict'"):
        PairDisplay.from_estimator(AgglomerativeClustering(2).fit(rows), rows)
