"""The segment store, on SQLite and on PostgreSQL."""

import json
import sqlite3
import subprocess
import sys
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from enum import Enum
from pathlib import Path

import databases
import numpy as np
import pandas as pd
import polars as pl
import psycopg
import pyarrow as pa
import pytest
import sqlalchemy as sa
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_lloyd import KMeans
from sklearn_lloyd.tracking import (
    SegmentStore,
    StoreError,
    StoreTable,
    _schema,
    _store,
    align_clusters,
)

CENTERS = np.array([[20.0, 1000.0], [40.0, 9000.0], [60.0, 3000.0]])
NAMES = ["Young", "Rich", "Old"]
COLUMNS = ["age", "income"]


def draw(centers=CENTERS, n=300, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, len(centers), n)
    return np.asarray(centers)[labels] + rng.normal(size=(n, 2)) * [2.0, 200.0]


def frame(X):
    return pd.DataFrame(X, columns=COLUMNS)


def fitted(X, k=3, seed=0):
    return make_pipeline(StandardScaler(), KMeans(k, random_state=seed)).fit(X)


@pytest.fixture
def store(database_url):
    return SegmentStore(database_url, who="ann")


@pytest.fixture
def visits(tmp_path):
    """A store on SQLite that has a model with named segments."""
    store = SegmentStore(f"sqlite:///{tmp_path}/visits.db", who="ann")
    X = frame(draw())
    model = fitted(X)
    store.register("visits", model, X, names=named(model, X))
    return store


def named(model, X):
    """The names of the clusters of a model of `draw`, by cluster."""
    return {int(c): name for c, name in zip(model.predict(frame(CENTERS)), NAMES, strict=True)}


def ask(store, query, *parameters):
    """Rows of a query by the database's own driver, as people without this package ask it."""
    url = store._database.url
    if url.get_backend_name() == "sqlite":
        with closing(sqlite3.connect(url.database, isolation_level=None)) as connection:
            return connection.execute(query, parameters).fetchall()
    told = {"host": url.host, "port": url.port, "user": url.username, "dbname": url.database}
    with psycopg.connect(**told, **url.query) as connection:
        cursor = connection.execute(query.replace("?", "%s"), parameters or None)
        return cursor.fetchall() if cursor.description else []


def test_three_months(store):
    X = frame(draw())
    first = fitted(X)
    assert store.register("visits", first, X, names=named(first, X), note="January") == 1
    ids = np.arange(300)
    told = store.assign("visits", ids, X)
    assert dict(zip(told["name"], told["n_records"], strict=True)) == {
        name: int((first.predict(X) == cluster).sum()) for cluster, name in named(first, X).items()
    }

    # February: another order, one segment gone, one new.
    others = np.array([[80.0, 20_000.0], [61.0, 3100.0], [20.5, 1050.0]])
    X2 = frame(draw(others, seed=1))
    second = fitted(X2, seed=5)
    assert store.register("visits", second, X2) == 2
    segments = store.segments("visits")
    by_name = dict(zip(segments["name"], segments["segment_id"], strict=True))
    assert {"Young", "Old", "Segment 3"} == set(by_name)
    assert by_name["Segment 3"] == 3
    drift = store.drift("visits", 2)
    status = dict(zip(drift["name"], drift["status"], strict=True))
    assert status == {"Young": "kept", "Rich": "lost", "Old": "kept", "Segment 3": "new"}

    # March: the first again. Its id was lost, and is not given again.
    assert store.register("visits", fitted(X, seed=3), X, names=None) == 3
    assert 4 in store.segments("visits")["segment_id"]
    assert store.segments("visits", 1)["name"] == sorted(
        NAMES, key=list(store.segments("visits", 1)["name"]).index
    )
    history = store.history("visits")
    assert history["version"] == [1, 2, 3]
    assert history["note"] == ["January", "", ""]
    assert history["n_lost"] == [0, 1, 1]
    assert history["created_by"] == ["ann"] * 3
    assert history["packages"][0]["sklearn-lloyd"]
    assert history["parameters"][0]["kmeans__n_clusters"] == 3
    assert history["data_fingerprint"][0] == history["data_fingerprint"][2]
    assert history["data_fingerprint"][0] != history["data_fingerprint"][1]
    assert store.models()["current_version"] == [3]
    assert len(ask(store, "SELECT next_segment_id FROM segment_models WHERE next_segment_id = 5"))


def test_load_gives_the_same_model(store):
    X = draw()
    model = fitted(X)
    store.register("visits", model, X)
    store.register("visits", fitted(draw(seed=8), seed=4))
    again = store.load("visits", 1)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(again.transform(X), model.transform(X))
    ids = store.load("visits")[-1].cluster_ids_
    assert ids.tolist() == [
        row["segment_id"]
        for row in sorted(store.segments("visits").rows(), key=lambda row: row["cluster"])
    ]


def test_centroids_in_both_spaces(store):
    X = frame(draw())
    model = fitted(X)
    store.register("visits", model, X)
    original = store.centroids("visits").to_frame()
    np.testing.assert_allclose(
        original[COLUMNS], model[0].inverse_transform(model[1].cluster_centers_)
    )
    within = store.centroids("visits", space="model").to_frame()
    np.testing.assert_array_equal(within[COLUMNS], model[1].cluster_centers_)
    assert list(within.columns) == ["segment_id", "name", *COLUMNS]


def test_features_that_are_called_as_columns_are(store):
    X = pd.DataFrame(draw(), columns=["segment_id", "name"])
    store.register("visits", KMeans.from_centers(frame(CENTERS).set_axis(X.columns, axis=1)), X)
    table = store.centroids("visits")
    assert list(table) == ["segment_id", "name", "feature segment_id", "feature name"]
    assert table["segment_id"] == [0, 1, 2]
    assert table["feature name"] == CENTERS[:, 1].tolist()


def test_parameters_are_json(store):
    store.register("visits", make_pipeline(SimpleImputer(), KMeans(2)).fit(draw()))
    ((text,),) = ask(store, "SELECT parameters FROM segment_versions")
    parameters = json.loads(text, parse_constant=pytest.fail)
    assert parameters["simpleimputer__missing_values"] == "NaN"


def test_what_sql_says(store):
    """The join of the guide: customers to the names of their segments."""
    X = frame(draw())
    model = fitted(X)
    store.register("visits", model, X, names=named(model, X))
    ids = np.arange(1000, 1300)
    store.assign("visits", ids, X)
    ask(store, "CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT)")
    ask(store, "INSERT INTO customers VALUES (1000, 'a@b.c'), (1299, 'd@e.f'), (7, 'g@h.i')")
    found = ask(
        store,
        """
        SELECT c.id, c.email, s.segment
        FROM customers c
        LEFT JOIN current_segments s
               ON s.record_id = CAST(c.id AS TEXT) AND s.model = 'visits'
        ORDER BY c.id
        """,
    )
    names = np.array([named(model, X)[label] for label in model.predict(X)])
    expected = [(7, "g@h.i", None), (1000, "a@b.c", names[0]), (1299, "d@e.f", names[-1])]
    assert found == expected
    counts = ask(
        store,
        "SELECT segment, count(*) FROM current_segments WHERE model = ? GROUP BY 1",
        "visits",
    )
    assert dict(counts) == {name: int((names == name).sum()) for name in NAMES}
    store.assign("visits", ids[:100], X[:100])  # the others left
    counts = ask(
        store,
        """
        SELECT segment, count(*) FROM current_segments
        WHERE model = 'visits' AND assigned_at = (
            SELECT max(assigned_at) FROM current_segments WHERE model = 'visits')
        GROUP BY segment
        """,
    )
    assert dict(counts) == {name: int((names[:100] == name).sum()) for name in NAMES}
    ages = ask(
        store,
        """
        SELECT n.name, c.value FROM segment_models m
        JOIN segment_centroids c ON c.model_id = m.model_id AND c.version = m.current_version
        JOIN segment_names n ON n.model_id = c.model_id AND n.segment_id = c.segment_id
        WHERE m.name = 'visits' AND c.space = 'original' AND c.feature = 'age'
        """,
    )
    assert {name: round(age, -1) for name, age in ages} == dict(
        zip(NAMES, CENTERS[:, 0], strict=True)
    )


def test_no_row_points_nowhere(store):
    """What foreign keys would say of the assignments."""
    store.register("visits", KMeans.from_centers(CENTERS), draw())
    store.assign("visits", range(300), draw())
    orphans = """
        SELECT count(*) FROM segment_assignments a
        LEFT JOIN segment_clusters c ON c.model_id = a.model_id AND c.version = a.version
                                    AND c.segment_id = a.segment_id
        LEFT JOIN segment_runs r ON r.run_id = a.run_id AND r.version = a.version
        LEFT JOIN segment_runs f ON f.run_id = a.changed_run_id
        WHERE c.cluster IS NULL OR r.run_id IS NULL OR f.run_id IS NULL
    """
    assert ask(store, orphans) == [(0,)]


def test_records_that_move(store):
    model = KMeans.from_centers(CENTERS)
    store.register("visits", model, draw(), names=NAMES)
    store.assign("visits", ["a", "b"], CENTERS[:2])
    store.assign("visits", ["b", "c"], CENTERS[[2, 2]] + 3.0)
    moved = store.assignments("visits", ["c", "b", "nobody", "a"])
    assert moved["record_id"] == ["c", "b", "a"]
    assert moved["segment"] == ["Old", "Old", "Young"]
    assert moved["previous_segment"] == [None, "Rich", None]
    np.testing.assert_allclose(moved["distance"], [18**0.5, 18**0.5, 0.0], atol=1e-9)
    assert store.runs("visits")["n_changed"] == [0, 1]
    assert store.runs("visits")["n_records"] == [2, 2]
    # The same again: nobody moves, and it stays known where b was.
    before = store.assignments("visits")
    store.assign("visits", ["b", "c"], CENTERS[[2, 2]] + 3.0)
    after = store.assignments("visits")
    assert store.runs("visits")["n_changed"] == [0, 1, 0]
    assert after["changed_at"] == before["changed_at"]
    assert after["previous_segment"] == before["previous_segment"]
    assert after["assigned_at"][1] > before["assigned_at"][1]
    assert after["assigned_at"][1].utcoffset().total_seconds() == 0


def test_an_older_version_can_assign(store):
    store.register("visits", KMeans.from_centers(CENTERS), draw())
    store.register("visits", KMeans.from_centers(CENTERS + 1.0), draw())
    store.assign("visits", [1], CENTERS[:1], version=1)
    assert store.assignments("visits")["version"] == [1]
    store.assign("visits", [1], CENTERS[:1])
    assert store.assignments("visits")["version"] == [2]


def test_the_ways_to_give_rows(visits, monkeypatch):
    monkeypatch.setattr(_store, "rows_of_block", lambda *_: 7)  # so blocks are cut, too
    X = frame(draw(n=50, seed=3))
    ids = [f"c{i}" for i in range(50)]
    with_ids = X.assign(customer=ids)
    parts = [slice(0, 20), slice(20, 20), slice(20, 50)]
    ways = {
        "frame": (ids, X),
        "column": ("customer", with_ids),
        "polars": ("customer", pl.DataFrame({name: with_ids[name] for name in with_ids})),
        "blocks": (np.array(ids), (X[part] for part in parts)),
        "blocks with a column": ("customer", iter([with_ids[part] for part in parts])),
        "pairs": (None, ((ids[part], X[part]) for part in parts)),
    }
    expected = None
    for way, (own, rows) in ways.items():
        visits.assign("visits", own, rows)
        found = visits.assignments("visits").to_frame()[["record_id", "segment_id", "distance"]]
        assert len(found) == 50, way
        assert visits.runs("visits")["n_records"][-1] == 50, way
        expected = found if expected is None else expected
        pd.testing.assert_frame_equal(found, expected)


def test_ids_and_rows_with_an_index(visits):
    X = frame(draw())
    ids = pd.Series(X.index, X.index)
    for own, rows in [(ids[::-1], X), (None, [(ids[::-1], X)])]:
        with pytest.raises(
            ValueError, match=r"ids and X have different indexes.*ids.loc\[X.index"
        ):
            visits.assign("visits", own, rows)
    visits.assign("visits", ids[::-1], X[::-1])
    visits.assign("visits", ids, [X[:100], X[100:].reset_index(drop=True)])
    visits.assign("visits", ids[::-1].to_numpy(), X)


def test_arrays_lists_and_sparse_rows(store):
    X = draw(n=40)
    store.register("visits", KMeans.from_centers(CENTERS), X.tolist())
    for rows in (X, X.tolist(), sparse.csr_array(X), sparse.coo_array(X)):
        store.assign("visits", range(40), rows)
    assert store.runs("visits")["n_changed"] == [0, 0, 0, 0]
    store.assign("visits", [], np.empty((0, 2)))
    assert store.runs("visits")["n_records"][-1] == 0


@pytest.mark.parametrize("make", [
    lambda ids: ids, np.array, pd.Series, pl.Series, pa.array, lambda ids: np.array(ids, object),
    lambda ids: pd.Series(ids, dtype="category"), lambda ids: iter(ids),
])  # fmt: skip
@pytest.mark.parametrize("ids", [[3, -1, 2**62], ["3", "ü", " a'b"]])
def test_ids_of_every_container(visits, make, ids):
    visits.assign("visits", make(ids), frame(CENTERS))
    assert sorted(visits.assignments("visits")["record_id"]) == sorted(map(str, ids))
    assert visits.models()["id_kind"] == ["text" if isinstance(ids[0], str) else "integer"]


def test_uuids(store):
    store.register("visits", KMeans.from_centers(CENTERS))
    ids = [uuid.UUID(int=i) for i in (1, 2, 2**127)]
    store.assign("visits", ids, CENTERS)
    assert store.models()["id_kind"] == ["uuid"]
    assert store.assignments("visits", ids[:1])["record_id"] == [str(ids[0])]
    if not store._database.is_sqlite:
        found = ask(
            store,
            "SELECT count(*) FROM current_segments WHERE record_id = CAST(? AS uuid)::text",
            str(ids[2]).upper(),
        )
        assert found == [(1,)]


def test_a_number_is_not_its_text(store):
    store.register("visits", KMeans.from_centers(CENTERS))
    store.assign("visits", [1], CENTERS[:1])
    with pytest.raises(ValueError, match=r"kind 'integer', and these are of kind 'text'"):
        store.assign("visits", ["1"], CENTERS[:1])
    with pytest.raises(ValueError, match="the number 1 and the text"):
        store.assignments("visits", ["1"])
    assert store.assignments("visits")["record_id"] == ["1"]


@pytest.mark.parametrize(
    ("ids", "error", "message"),
    [
        ([1, 2, None], ValueError, "1 of 3 ids are missing"),
        ([1.0, 2.0, np.nan], ValueError, "missing"),
        (pd.Series([1, None, None], dtype="Int64"), ValueError, "2 of 3 ids are missing"),
        (pl.Series(["a", None, "c"]), ValueError, "missing"),
        (np.ma.array([1, 2, 3], mask=[0, 1, 0]), ValueError, "1 of 3 ids are missing"),
        (["a", "b", "a"], ValueError, "more than once, among them 'a'"),
        ([1, np.int64(1), 2], ValueError, "more than once, among them '1'"),
        ([1.0, 2.0, 3.0], TypeError, "got float.*Int64"),
        (np.array([1.5, 2.0, 3.0]), TypeError, "got float64"),
        ([1, "1", 2], TypeError, "more than one kind: integer, text"),
        ([True, False, True], TypeError, "got bool"),
        ([b"a", b"b", b"c"], TypeError, "got bytes"),
        (["a", "b\0", "c"], ValueError, "NUL"),
        (["a", "b", "\ud800"], ValueError, "Unicode"),
        ([1, 2], ValueError, "2 ids, but X has at least 3 rows"),
        ([1, 2, 3, 4], ValueError, "4 ids, but X has 3 rows"),
        ([[1], [2], [3]], (ValueError, TypeError), "one dimension|got list"),
        (np.ones((3, 1), int), ValueError, "one dimension"),
        (None, TypeError, "ids is None"),
        ("customer", ValueError, "no column 'customer' for the ids; it has age, income"),
    ],
)  # fmt: skip
def test_ids_that_are_refused(visits, ids, error, message):
    with pytest.raises(error, match=message):
        visits.assign("visits", ids, frame(CENTERS))
    assert visits.assignments("visits").n_rows == visits.runs("visits").n_rows == 0


@pytest.mark.parametrize("give", ["at once", "in blocks"])
def test_ids_twice_far_from_each_other(store, monkeypatch, give):
    monkeypatch.setattr(_store, "rows_of_block", lambda *_: 3)
    store.register("visits", KMeans.from_centers(CENTERS))
    store.assign("visits", range(10), draw(n=10))
    before = store.assignments("visits")
    ids, X = [*range(10, 20), 12], draw(n=11)
    if give == "in blocks":
        ids, X = None, [(ids[i : i + 1], X[i : i + 1]) for i in range(11)]
    with pytest.raises(ValueError, match="more than once, among them '12'"):
        store.assign("visits", ids, X)
    assert dict(store.assignments("visits")) == dict(before)
    assert store.runs("visits").n_rows == 1


def test_other_rows_are_refused(visits):
    X = frame(draw())
    ids = range(300)
    for rows, message in [
        (X[COLUMNS[::-1]], "order"),
        (X.rename(columns={"age": "years"}), "years"),
        (X[["age"]], "income|1 features"),
        (X.assign(more=1.0), "more"),
        (X.assign(age="old"), "could not convert|old"),
        (X.assign(age=np.nan), "NaN"),
        # Scaled before the pipeline does so, one column in another unit, over the ranges.
        (frame(StandardScaler().fit_transform(X)), "300|scaled otherwise"),
        (X.assign(income=X["income"] / 1000), "'income' was from"),
        (X.assign(income=X["income"] / 10), "'income' was from"),
        (X.assign(age=X["age"] * 10), "'age' was from"),
        (X / X.max(), "scaled otherwise"),
        (X * 100, "scaled otherwise"),
    ]:
        with pytest.raises(ValueError, match=message):
            visits.assign("visits", ids, rows)
    assert visits.runs("visits").n_rows == 0
    # What may be: drift, customers of one kind, equal rows, a few rows, what was asked for.
    visits.assign("visits", ids, X * 1.3)
    visits.assign("visits", ids, frame(draw(CENTERS[:1])))
    visits.assign("visits", ids, pd.concat([X[:1]] * 300))
    visits.assign("visits", range(20), X[:20] * 100)
    visits.assign("visits", ids, X * 100, check_scale=False)
    assert visits.runs("visits").n_rows == 5


@pytest.mark.parametrize("factor", [0.01, 0.1, 10, 100])
@pytest.mark.parametrize("column", ["spend", "change", "orders"])
def test_one_column_in_another_unit(store, column, factor):
    def months(seed, spend=500.0):
        rng = np.random.default_rng(seed)
        columns = {"spend": rng.exponential(spend, 400), "change": rng.normal(0.0, 3.0, 400)}
        return pd.DataFrame(columns | {"orders": rng.poisson(2.0, 400)} | flags(seed, 0.5))

    def flags(seed, share):
        return {"is_new": np.random.default_rng(seed).random(400) < share} | {
            "calls": (np.arange(400) < 400 * share).astype(float)
        }

    X = months(0)
    store.register("visits", fitted(X), X)
    with pytest.raises(ValueError, match=f"in 1 of 4 columns. '{column}' was from"):
        store.assign("visits", range(400), months(1).assign(**{column: X[column] * factor}))
    store.assign("visits", range(400), months(1, spend=1500.0).assign(**flags(1, 0.01)))
    store.assign("visits", range(400), months(1, spend=150.0))


def test_raw_rows_for_a_clusterer_alone(store):
    X = StandardScaler().fit_transform(draw())
    store.register("visits", KMeans.from_centers(X[:3]), X)
    with pytest.raises(ValueError, match=r"2 of 2 columns.*'x0' was from"):
        store.assign("visits", range(300), draw())


def test_things_that_are_no_rows(visits):
    with pytest.raises(TypeError, match="X must be an array"):
        visits.assign("visits", [1], "rows.csv")
    with pytest.raises(TypeError, match=r"Block 1 \(counted from 0\) of X is no table"):
        visits.assign("visits", [1, 2, 3, 4], iter([frame(CENTERS), 5]))
    with pytest.raises(TypeError, match="must yield pairs"):
        visits.assign("visits", None, iter([frame(CENTERS)]))
    with pytest.raises(TypeError, match="X must be a frame that has this column"):
        visits.assign("visits", "customer", CENTERS)
    with pytest.raises(ValueError, match="2 ids, but X has at least 3"):
        visits.assign("visits", [1, 2], iter([frame(CENTERS)]))
    with pytest.raises(ValueError, match="4 ids, but X has 3"):
        visits.assign("visits", [1, 2, 3, 4], iter([frame(CENTERS)]))


def test_what_is_not_there(store):
    with pytest.raises(LookupError, match=r"no model 'visits': it has none yet"):
        store.load("visits")
    with pytest.raises(LookupError, match="Register it first"):
        store.assign("visits", [1], CENTERS[:1])
    store.register("visits", KMeans.from_centers(CENTERS))
    with pytest.raises(LookupError, match=r"did you mean 'visits'"):
        store.load("visit")
    for version in (0, 2, -1, 10**30):
        with pytest.raises(LookupError, match=r"versions 1 to 1, not"):
            store.segments("visits", version)
    for version in ("1", 1.0, True):
        with pytest.raises(TypeError, match="version must be a whole number"):
            store.load("visits", version)
    with pytest.raises(LookupError, match=r"no segments \[7\]; it has \[0, 1, 2\]"):
        store.rename("visits", {7: "Lost"})
    with pytest.raises(ValueError, match="space must be"):
        store.centroids("visits", space="raw")


def test_registered_with_blocks(store):
    X = frame(draw())
    model = fitted(X)
    for name, rows in (("table", X), ("blocks", (X[i : i + 77] for i in range(0, len(X), 77)))):
        assert store.register(name, model, rows) == 1
    for asked in (store.segments, store.centroids):
        assert dict(asked("blocks")) == dict(asked("table"))
    one, other = (store.history(name)["data_fingerprint"] for name in ("table", "blocks"))
    assert one == other
    with pytest.raises(ValueError, match="X has no rows"):
        store.register("none", model, iter([]))


def test_what_cannot_be_registered(store):
    X = draw()
    with pytest.raises(NotFittedError):
        store.register("visits", KMeans(3))
    with pytest.raises(TypeError, match="must be a k-means"):
        store.register("visits", StandardScaler().fit(X))
    model = KMeans.from_centers(CENTERS)
    for names, error, message in [
        (["a", "b"], ValueError, "2 names for 3 clusters"),
        ("abc", TypeError, "a list or a dict"),
        ({3: "a"}, ValueError, r"0 to 2; got \[3\]"),
        (["a", "a", "b"], ValueError, "different names.*'a'"),
        (["a", "", "b"], ValueError, "must not be empty"),
        (["a", 1, "b"], TypeError, "must be a str"),
        (["a", "\0", "b"], ValueError, "NUL"),
    ]:
        with pytest.raises(error, match=message):
            store.register("visits", model, X, names=names)
    for name, error in [("", ValueError), (None, TypeError), ("a\0", ValueError)]:
        with pytest.raises(error):
            store.register(name, model)
    for rows in ([], np.empty((0, 2)), "X"):
        with pytest.raises(ValueError, match="X must be one"):
            store.register("visits", model, rows)
    assert store.models().n_rows == 0
    store.register("visits", model, X)
    with pytest.raises(ValueError, match="features"):
        store.register("visits", KMeans.from_centers([[0.0], [1.0]]))
    with pytest.raises(ValueError, match="scale"):
        store.register("visits", KMeans.from_centers(CENTERS / 1000))
    assert store.history("visits")["version"] == [1]


def test_text_is_only_text(store):
    bad = "x'); DROP TABLE segment_models; --\"%s ? :name {} \\ ü 漢"
    store.register(bad, KMeans.from_centers(CENTERS), draw(), names=["a", bad, "c"], note=bad)
    store.assign(bad, [bad, "%(id)s", ":id"], CENTERS)
    store.rename(bad, {0: bad + "2"}, {1: bad})
    assert store.models()["name"] == [bad]
    assert store.segments(bad)["name"] == [bad + "2", bad, "c"]
    assert store.segments(bad)["note"] == ["", bad, ""]
    assert store.history(bad)["note"] == [bad]
    assert store.assignments(bad, [bad])["segment"] == [bad + "2"]


def test_names(store):
    store.register("visits", KMeans.from_centers(CENTERS), names={1: "Segment 0"})
    assert store.segments("visits")["name"] == ["Segment 0 (2)", "Segment 0", "Segment 2"]
    swapped = store.rename("visits", {0: "Segment 0", 1: "Young"}, notes={2: "no notes"})
    assert swapped["name"] == ["Segment 0", "Young", "Segment 2"]
    assert swapped["note"] == ["", "", "no notes"]
    with pytest.raises(ValueError, match="'Young'"):
        store.rename("visits", {0: "Young"})
    with pytest.raises(TypeError, match="dicts"):
        store.rename("visits", ["a", "b", "c"])
    store.register("visits", KMeans.from_centers(CENTERS[::-1]), names={0: "Third"})
    assert store.segments("visits")["name"] == ["Segment 0", "Young", "Third"]
    assert store.segments("visits")["note"] == ["", "", "no notes"]


def test_enums_of_texts(store):
    kinds = Enum("Kind", {name: name.upper() for name in NAMES}, type=str)
    store.register("visits", KMeans.from_centers(CENTERS), names=list(kinds))
    assert store.segments("visits")["name"] == ["YOUNG", "RICH", "OLD"]
    store.assign("visits", list(kinds), CENTERS)
    assert store.assignments("visits", ["RICH"])["segment"] == ["RICH"]


def test_ids_that_a_model_has_already(store):
    old = KMeans.from_centers(CENTERS)
    new = KMeans.from_centers([CENTERS[2], [0.0, -1e5]])
    aligned = align_clusters(new, old).apply(new)
    store.register("visits", aligned, names={1: "New"})
    assert dict(zip(store.segments("visits")["segment_id"], NAMES, strict=False)).keys() == {2, 3}
    assert store.segments("visits")["name"] == ["Segment 2", "New"]


def test_own_alignment(store):
    X = draw()
    store.register("visits", KMeans.from_centers(CENTERS), X)
    new = KMeans.from_centers(np.vstack([CENTERS[1:], [[500.0, 0.0]]]))
    alignment = align_clusters(new, store.load("visits"), X=X, method="overlap")
    with pytest.raises(ValueError, match="another estimator"):
        store.register("visits", KMeans.from_centers(CENTERS), X, alignment=alignment)
    store.register("visits", new, X, alignment=alignment)
    assert store.segments("visits")["segment_id"] == [1, 2, 3]
    with pytest.raises(ValueError, match="another version than the latest"):
        store.register("visits", new, X, alignment=alignment)
    # Of a model that does not know of ids that were lost; these are not given again.
    first = [KMeans.from_centers(CENTERS[:k]) for k in (3, 2)]
    store.register("others", first[0])
    store.register("others", first[1])
    store.register("others", first[1], alignment=align_clusters(first[1], first[1]))
    store.register("others", KMeans.from_centers([*CENTERS[:2], [0.0, -1e5]]))
    assert store.segments("others")["segment_id"] == [0, 1, 3]


def test_several_writers_of_versions(database_url):
    """Each gets a version of its own, and no id is given twice."""

    def write(turn):
        store = SegmentStore(database_url)
        # A cluster of its own each: a new segment.
        own = np.vstack([CENTERS, [[0.0, -1e5 * 4**turn]]])
        return store.register("visits", KMeans.from_centers(own), names={3: f"own {turn}"})

    with ThreadPoolExecutor(4) as pool:
        versions = list(pool.map(write, range(1, 5)))
    assert sorted(versions) == [1, 2, 3, 4]
    store = SegmentStore(database_url)
    # That it also made the store four times at once is part of the test.
    assert ask(store, "SELECT version FROM segment_schema") == [(_schema.VERSION,)]
    rows = ask(store, "SELECT segment_id, name FROM segment_names ORDER BY segment_id")
    assert [row[0] for row in rows] == list(range(7))
    assert {row[1] for row in rows} >= {f"own {turn}" for turn in range(1, 5)}


def test_several_writers_of_records(database_url):
    store = SegmentStore(database_url)
    store.register("visits", KMeans.from_centers(CENTERS), names=NAMES)
    ids = np.random.default_rng(0).permutation(2000)

    def write(turn):
        rows = np.repeat(CENTERS[turn % 3 : turn % 3 + 1], 2000, axis=0)
        SegmentStore(database_url, who=str(turn)).assign("visits", ids, rows)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(8)))
    runs = ask(store, "SELECT run_id, created_by FROM segment_runs ORDER BY run_id")
    assert len(runs) == 8
    found = ask(
        store, "SELECT run_id, segment_id, count(*) FROM segment_assignments GROUP BY 1, 2"
    )
    assert found == [(runs[-1][0], int(runs[-1][1]) % 3, 2000)]


def test_a_version_that_comes_between(store):
    store.register("visits", KMeans.from_centers(CENTERS))

    def blocks():
        yield [1], CENTERS[:1]
        store.register("visits", KMeans.from_centers(CENTERS))  # nothing is locked meanwhile
        yield [2], CENTERS[:1]

    with pytest.raises(StoreError, match=r"Version 2 of 'visits' was registered while"):
        store.assign("visits", None, blocks())
    assert store.assignments("visits").n_rows == 0
    store.assign("visits", None, blocks(), version=1)
    assert store.assignments("visits")["version"] == [1, 1]


def test_threads_share_a_database_in_memory():
    store = SegmentStore("sqlite://")
    store.register("visits", KMeans.from_centers(CENTERS))

    def write(turn):
        store.assign("visits", range(100 * turn, 100 * turn + 100), draw(n=100))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(12)))
    assert store.assignments("visits").n_rows == 1200


def test_errors_of_the_database_that_rows_come_from(store):
    """They are not those of the store."""
    store.register("visits", KMeans.from_centers(CENTERS))

    def blocks(connect):
        yield [1], CENTERS[:1]
        with connect() as connection:
            connection.execute(sa.text("SELECT * FROM customers"))

    engine = sa.create_engine("sqlite://")
    with pytest.raises(sa.exc.OperationalError, match="no such table: customers"):
        store.assign("visits", None, blocks(engine.connect))
    assert store.runs("visits").n_rows == 0


def test_another_writer_takes_too_long(database_url):
    store = SegmentStore(database_url, timeout=0.05)
    store.register("visits", KMeans.from_centers(CENTERS))
    other = SegmentStore(database_url)
    with other._database.writing() as connection:
        connection.execute(sa.select(_schema.tables().models).with_for_update())
        with pytest.raises(StoreError, match="Another process is writing"):
            store.assign("visits", [1], CENTERS[:1])
        assert store.segments("visits").n_rows == 3  # reading waits for nobody
    store.assign("visits", [1], CENTERS[:1])


def read_only(store):
    url = store._database.url
    if store._database.is_sqlite:
        return f"sqlite:///file:{url.database}?mode=ro&uri=true"
    schema = url.query["options"].rpartition("=")[2]
    ask(store, "CREATE ROLE reader LOGIN")
    ask(store, f"GRANT USAGE ON SCHEMA {schema} TO reader")
    ask(store, f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO reader")
    return url.set(username="reader")


def test_a_database_that_may_only_be_read(store):
    store.register("visits", KMeans.from_centers(CENTERS), draw(), names=NAMES)
    reader = SegmentStore(read_only(store))
    assert reader.segments("visits")["name"] == NAMES
    assert reader.load("visits").n_clusters == 3
    for write in (
        lambda: reader.register("visits", KMeans.from_centers(CENTERS)),
        lambda: reader.assign("visits", [1], CENTERS[:1]),
        lambda: reader.rename("visits", {0: "a"}),
    ):
        with pytest.raises(StoreError, match=r"read-only|may not do this"):
            write()


def test_a_transaction_that_may_only_read(postgresql_server, request):
    url = request.getfixturevalue("postgresql_server") + "/postgres"
    with pytest.raises(StoreError, match="read-only"):
        SegmentStore(url + "?options=-c%20default_transaction_read_only%3Don")


def test_a_file_that_is_gone(tmp_path):
    path = tmp_path / "segments.db"
    store = SegmentStore(f"sqlite:///{path}")
    for one in tmp_path.iterdir():
        one.unlink()
    for use in (store.models, lambda: store.register("visits", KMeans.from_centers(CENTERS))):
        with pytest.raises(StoreError, match="is gone"):
            use()
    assert not path.exists()  # no empty one in its place
    with pytest.raises(StoreError, match=r"gone, or its folder is missing.*nowhere/segments.db"):
        SegmentStore(f"sqlite:///{tmp_path}/nowhere/segments.db")


def test_a_file_that_is_no_database(tmp_path):
    path = tmp_path / "segments.db"
    path.write_text("id,segment\n" * 1000)
    with pytest.raises(StoreError, match=f"not an SQLite database: {str(path)!r}"):
        SegmentStore(f"sqlite:///{path}")


def test_a_server_that_is_gone(postgresql_server):
    with pytest.raises(StoreError, match=r"refused.*does not exist"):
        SegmentStore(f"{postgresql_server}/nowhere")
    with pytest.raises(StoreError, match="cannot be reached"):
        SegmentStore("postgresql://me:secret@127.0.0.1:1/nowhere")


def test_tables_that_are_gone(store):
    store.register("visits", KMeans.from_centers(CENTERS))
    ask(store, "DROP VIEW current_segments")
    ask(store, "DROP TABLE segment_assignments")
    with pytest.raises(StoreError, match="tables of the store are gone"):
        store.assign("visits", [1], CENTERS[:1])


@pytest.mark.parametrize("name", ["TABLE segment_names", "TABLE segment_schema"])
def test_tables_of_somebody_else(database_url, name):
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE {name} (x BIGINT)")
    with pytest.raises(StoreError, match="of this name that is not of the store"):
        SegmentStore(database_url)
    assert len(sa.inspect(engine).get_table_names()) == 1


def test_text_that_postgresql_cannot_hold(store):
    X = frame(CENTERS).set_axis(["a\0", "b"], axis=1)
    if store._database.is_sqlite:
        assert store.register("visits", KMeans.from_centers(X)) == 1
    else:
        with pytest.raises(StoreError, match="cannot do this"):
            store.register("visits", KMeans.from_centers(X))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "segments.db",
        "mysql://host/base",
        "sqlite3:///x.db",
        "postgresql+psycopg2://h/b",
        5,
        None,
    ],
)
def test_urls_that_are_refused(url):
    with pytest.raises(ValueError, match=r"url must be"):
        SegmentStore(url)


def test_the_password_is_not_shown(monkeypatch):
    monkeypatch.setattr(
        _store, "Database", lambda url, *_: type("D", (), {"url": sa.make_url(url)})
    )
    for url in ("//me:secret@host/base", "//host/base?password=secret&sslmode=require"):
        store = SegmentStore(f"postgresql:{url}")
        assert "secret" not in repr(store) + store.url
    monkeypatch.undo()
    with pytest.raises(ValueError, match="more than one @") as told:
        SegmentStore("postgresql://me:my@secret@host/base")
    assert "secret" not in str(told.value)
    with pytest.raises(ValueError, match="url must be that") as told:
        SegmentStore("postgresql://me:no@host:secret/base")
    assert told.value.__suppress_context__  # which has it


def test_other_settings_that_are_refused():
    for timeout in (0, -1.0, "1", True, np.inf):
        with pytest.raises(ValueError, match="timeout"):
            SegmentStore("sqlite://", timeout=timeout)
    with pytest.raises(TypeError, match="who"):
        SegmentStore("sqlite://", who=5)


def test_migrations(database_url, monkeypatch):
    """A store of this release under a release to come, and back."""
    SegmentStore(database_url).register("visits", KMeans.from_centers(CENTERS), names=NAMES)

    def wrong(connection):
        connection.exec_driver_sql("INSERT INTO nowhere VALUES (1)")

    def right(connection):
        connection.exec_driver_sql("ALTER TABLE segment_models ADD COLUMN owner TEXT")
        connection.execute(sa.text("UPDATE segment_models SET owner = :who"), {"who": "ann"})

    with monkeypatch.context() as patch:
        patch.setattr(_schema, "VERSION", _schema.VERSION + 2)
        patch.setattr(_schema, "STEPS", {_schema.VERSION - 1: right, _schema.VERSION: wrong})
        with pytest.raises(StoreError, match=r"upgrade=True"):
            SegmentStore(database_url)
        with pytest.raises(StoreError, match="nowhere"):
            SegmentStore(database_url, upgrade=True)
        assert columns(database_url) == {"created_at"}  # a step that fails takes all with it
        patch.setitem(_schema.STEPS, _schema.VERSION, lambda connection: None)
        with ThreadPoolExecutor(3) as pool:  # three at once: each step runs once
            stores = list(pool.map(lambda _: SegmentStore(database_url, upgrade=True), range(3)))
        assert ask(stores[0], "SELECT owner FROM segment_models") == [("ann",)]
        assert ask(stores[0], "SELECT version FROM segment_schema ORDER BY 1") == [
            (1,),
            (2,),
            (3,),
        ]
        assert SegmentStore(database_url).segments("visits")["name"] == NAMES
    with pytest.raises(StoreError, match=r"have version 3.*versions up to 1: install a newer"):
        SegmentStore(database_url, upgrade=True)


def columns(url):
    with sa.create_engine(url, poolclass=sa.NullPool).connect() as connection:
        found = sa.inspect(connection).get_columns("segment_models")
    return {one["name"] for one in found} & {"owner", "created_at"}


def test_frames(visits):
    visits.assign("visits", range(3), frame(CENTERS))
    tables = [visits.models(), visits.segments("visits"), visits.history("visits")]
    tables += [visits.drift("visits"), visits.runs("visits"), visits.assignments("visits")]
    for table in tables:
        assert list(table.to_frame().columns) == list(table)
        assert table.to_frame("polars").columns == list(table)
        assert len(table.to_frame()) == table.n_rows == len(table.rows())
        assert next(iter(table)) in repr(table)
        assert f"<th>{next(iter(table))}</th>" in table._repr_html_()
    with pytest.raises(ValueError, match="library"):
        tables[0].to_frame("numpy")


def test_long_cells_are_cut(visits):
    history = visits.history("visits")
    for shown in (repr(history), history._repr_html_()):
        assert "..." in shown
        assert history["data_fingerprint"][0] not in shown
    assert max(map(len, repr(history).splitlines())) < 300
    assert next(iter(history["parameters"][0])) in repr(history)
    table = StoreTable({"a": ["x" * 40, "x" * 41, "two\nlines"], "b": [3.583e-15, 12.34567, 0.0]})
    assert repr(table).splitlines()[1:] == [
        "x" * 40 + "  4e-15",
        "x" * 37 + "...  12.35",
        "two lines" + " " * 33 + "0",
    ]


def test_html_is_escaped(visits):
    visits.rename("visits", {0: "<script>"})
    assert "<script>" not in visits.segments("visits")._repr_html_()


def test_every_column_is_documented():
    page = Path(__file__).parents[1].joinpath("docs/guide/production_store.rst").read_text()
    for table in _schema.tables().metadata.sorted_tables:
        assert f"**{table.name}**" in page
        assert table.comment
        assert table.comment in page, table.comment
        own = page.split(f"**{table.name}**")[1].split("\n**")[0]
        for column in table.columns:
            line = f"`{column.name}`"
            assert line in own, (table.name, column.name)
            assert column.comment in " ".join(own.split()), column.comment


def test_postgresql_has_the_comments(database_url):
    if not database_url.startswith("postgresql"):
        return
    SegmentStore(database_url)
    with sa.create_engine(database_url, poolclass=sa.NullPool).connect() as connection:
        inspector = sa.inspect(connection)
        for table in _schema.tables().metadata.sorted_tables:
            assert inspector.get_table_comment(table.name)["text"] == table.comment


@pytest.mark.newest
def test_killed_writers(database_url):
    """25 on each database: nothing is half there, nothing is lost, nothing is there twice."""
    script = Path(__file__).with_name("kill_writers.py")
    run = subprocess.run(
        [sys.executable, "-W", "error", script, database_url, "25"], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert "the store is whole" in run.stdout


@pytest.mark.parametrize(("needed", "outcome"), [("1", pytest.fail), ("", pytest.skip)])
def test_a_missing_server_is_an_error_where_it_is_needed(monkeypatch, needed, outcome):
    monkeypatch.setattr(databases, "binaries", lambda: None)
    monkeypatch.setenv(databases.NEEDED, needed)
    with pytest.raises(outcome.Exception, match="no PostgreSQL"), databases.postgresql():
        pass


def test_the_archive_is_no_pickle(visits):
    ((archive,),) = ask(visits, "SELECT archive FROM segment_versions")
    assert archive[:2] == b"PK"
    ((parameters,),) = ask(visits, "SELECT parameters FROM segment_versions")
    assert json.loads(parameters)["standardscaler__with_mean"] is True
