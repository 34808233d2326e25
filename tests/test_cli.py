"""The command line: what it reads, what it refuses, what it says, how it fits into memory."""

import json
import logging
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from sklearn.cluster import KMeans as TheirKMeans
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import sklearn_lloyd
from sklearn_lloyd import KMeans
from sklearn_lloyd.cli import _fitting, _logs, _memory, _sources, main
from sklearn_lloyd.persistence import load, save
from sklearn_lloyd.tracking import SegmentStore

CENTERS = np.array([[20.0, 1000.0, 1.0], [40.0, 9000.0, 5.0], [60.0, 3000.0, 9.0]])
COLUMNS = ["age", "income", "visits"]
N_ROWS = 600


def table(seed=0, move=0.0, n_rows=N_ROWS):
    rng = np.random.default_rng(seed)
    X = CENTERS[rng.integers(0, 3, n_rows)] + rng.normal(size=(n_rows, 3)) * [2.0, 200.0, 0.5]
    frame = pd.DataFrame(X, columns=COLUMNS)
    frame["income"] += move
    frame.insert(1, "id", np.arange(n_rows))
    return frame


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder with data.csv, as the working directory."""
    monkeypatch.chdir(tmp_path)
    table().to_csv("data.csv", index=False)
    return tmp_path


@pytest.fixture
def blocks_of_100(monkeypatch):
    monkeypatch.setattr("sklearn_lloyd.cli._sources._ROWS", 100)
    monkeypatch.setattr("sklearn_lloyd.cli._sources._CSV_BYTES", 6000)


FIT = ["--id-column", "id", "--n-clusters", "3", "--model", "model.zip"]
PREDICT = ["--id-column", "id", "--model", "model.zip", "--output", "out.csv"]
STORE = ["--id-column", "id", "--store", "sqlite:///segments.db", "--name", "customers"]


def run(capsys, *arguments):
    """The exit code and the log."""
    capsys.readouterr()
    code = main(list(arguments))
    return code, capsys.readouterr().err


def refused(capsys, *arguments, code=2):
    """The message of a command that fails with a code."""
    found, log = run(capsys, *arguments)
    assert found == code, log
    assert "Traceback" not in log
    return log


def same_clusters(a, b):
    return len(set(zip(a, b, strict=True))) == len(set(a)) == len(set(b))


def test_fit_and_predict(here):
    assert main(["fit", "data.csv", *FIT]) == 0
    assert main(["predict", "data.csv", *PREDICT]) == 0
    model, found = load("model.zip"), pd.read_csv("out.csv")
    assert list(model.feature_names_in_) == COLUMNS
    X = table()[COLUMNS]
    assert found["segment_id"].tolist() == model.predict(X).tolist()
    np.testing.assert_allclose(found["distance"], model.transform(X).min(axis=1))
    assert found["id"].tolist() == list(range(N_ROWS))
    theirs = TheirKMeans(3, random_state=0).fit_predict(StandardScaler().fit_transform(X))
    assert same_clusters(found["segment_id"], theirs)


def write(kind, frame):
    """Write a table as each kind of source; the arguments that read it."""
    if kind == "parquet":
        frame.to_parquet("other.parquet", row_group_size=250)
        return ["other.parquet"]
    if kind == "pattern":
        Path("parts").mkdir()
        frame[:200].to_csv("parts/1.csv", index=False)
        frame[200:][frame.columns[::-1]].to_csv("parts/2.csv", index=False)
        return ["parts/*.csv"]
    if kind == "semicolons":
        frame.to_csv("other.csv.gz", index=False, sep=";")
        return ["other.csv.gz", "--delimiter", ";"]
    engine = sa.create_engine("sqlite:///other.db", poolclass=sa.NullPool)
    frame.to_sql("customers", engine, index=False)
    return ["sqlite:///other.db", "--query", "SELECT * FROM customers ORDER BY id"]


@pytest.mark.parametrize("kind", ["parquet", "pattern", "semicolons", "query"])
@pytest.mark.usefixtures("blocks_of_100")
def test_sources_give_the_same(kind, here):
    assert main(["fit", "data.csv", *FIT]) == 0
    expected = load("model.zip")
    assert main(["predict", "data.csv", *PREDICT]) == 0
    segments = pd.read_csv("out.csv")
    source = write(kind, table())
    assert main(["fit", *source, *FIT, "--columns", ",".join(COLUMNS)]) == 0
    # Blocks of other sizes: other last digits.
    centers = load("model.zip")[-1].cluster_centers_
    np.testing.assert_allclose(centers, expected[-1].cluster_centers_, rtol=1e-12)
    assert main(["predict", *source, *PREDICT]) == 0
    pd.testing.assert_frame_equal(pd.read_csv("out.csv"), segments)


def test_ids_are_no_features(here, capsys):
    # A name that the data has not would make the ids a feature.
    log = refused(capsys, "fit", "data.csv", *FIT, "--id-column", "ids")
    assert "no column 'ids', the id column: it has 'age', 'id', 'income', 'visits'." in log
    code, log = run(capsys, "fit", "data.csv", *FIT)
    assert code == 0
    assert "The columns are 'age', 'income', 'visits'." in log
    assert "looks like an id" not in log
    for name in ("id", "place"):  # by its name, by its values
        table().rename(columns={"id": name}).to_csv("other.csv", index=False)
        code, log = run(capsys, "fit", "other.csv", *FIT[2:])
        assert code == 0
        assert f"The column '{name}' looks like an id" in log


def test_other_order_and_other_columns(here):
    # By name: the model's columns are found whatever else the table has.
    assert main(["fit", "data.csv", *FIT]) == 0
    assert main(["predict", "data.csv", *PREDICT]) == 0
    expected = Path("out.csv").read_text()
    frame = table()
    frame["city"] = "x"
    frame[["visits", "city", "income", "id", "age"]].to_csv("other.csv", index=False)
    assert main(["predict", "other.csv", *PREDICT]) == 0
    assert Path("out.csv").read_text() == expected


def test_bad_tables(here, capsys):
    frame = table()
    assert main(["fit", "data.csv", *FIT]) == 0

    def told(table, command="predict", more=()):
        table.to_csv("bad.csv", index=False)
        options = PREDICT if command == "predict" else FIT
        return refused(capsys, command, "bad.csv", *options, *more)

    assert "no column 'income'; did you mean 'incomes'?" in told(
        frame.rename(columns={"income": "incomes"})
    ).replace("'income': ", "'income'; ")
    text = frame.astype({"income": object})
    text.loc[5, "income"] = "a lot"
    for command in ("fit", "predict"):
        log = told(text, command)
        assert "columns that are not numbers: 'income' (row 6: 'a lot')." in log
    missing = frame.copy()
    missing.loc[[3, 4], "visits"] = np.nan
    missing.loc[7, "age"] = np.inf
    assert "'age' (1 rows), 'visits' (2 rows) of the rows 1 to 600" in told(missing)
    assert "id column 'id' has no value in 1 " in told(
        frame.assign(id=frame["id"].where(frame["id"] > 0))
    )
    assert "has no rows" in told(frame[:0])
    assert "n_clusters=3" in told(frame[:2], "fit")
    assert "no column 'ids'" in told(frame, more=["--id-column", "ids"])
    assert "is among the columns" in told(frame, "fit", ["--columns", "age,id"])
    Path("twice.csv").write_text("age,age,id\n1,2,3\n")
    assert "more than one column 'age'" in refused(capsys, "fit", "twice.csv", *FIT)
    Path("ragged.csv").write_text("age,id\n1,2\n1\n")
    assert "ragged.csv: " in refused(capsys, "fit", "ragged.csv", *FIT)
    Path("empty.csv").write_text("")
    assert "empty.csv: " in refused(capsys, "fit", "empty.csv", *FIT)
    for delimiter, shown in ((";", "';'"), ("\t", r"'\t'")):
        frame.to_csv("other.csv.gz", index=False, sep=delimiter, decimal=",")
        log = refused(capsys, "fit", "other.csv.gz", *FIT)
        assert f"the header has no ',', but {shown}: give --delimiter {shown}." in log
    assert main(["fit", "other.csv.gz", "--delimiter", r"\t", "--columns", "id", *FIT[2:]]) == 0
    Path("cut.parquet").write_bytes(b"PAR1 no more")
    assert "cut.parquet: " in refused(capsys, "fit", "cut.parquet", *FIT)
    assert "no file 'none.csv'" in refused(capsys, "fit", "none.csv", *FIT)
    assert "no file 'none*.csv'" in refused(capsys, "fit", "none*.csv", *FIT)
    assert "neither .csv" in refused(capsys, "fit", "model.zip", *FIT)
    assert "No data" in refused(capsys, "fit", *FIT)
    assert "needs the URL" in refused(capsys, "fit", "data.csv", "--query", "SELECT 1", *FIT)


def test_the_index_of_pandas(here):
    frame = table().query("visits > 1")
    frame.to_parquet("filtered.parquet")
    assert pq.read_schema("filtered.parquet").names[-1] == "__index_level_0__"
    assert main(["fit", "filtered.parquet", *FIT]) == 0
    assert list(load("model.zip").feature_names_in_) == COLUMNS
    # An id may be the index; it is a feature only if that is asked for.
    frame.set_index("id").to_parquet("index.parquet")
    assert main(["fit", "index.parquet", *FIT]) == 0
    assert main(["predict", "index.parquet", *PREDICT]) == 0
    assert pd.read_csv("out.csv")["id"].tolist() == frame["id"].tolist()
    assert main(["fit", "index.parquet", *FIT[2:]]) == 0
    assert list(load("model.zip").feature_names_in_) == COLUMNS
    assert main(["fit", "index.parquet", *FIT[2:], "--columns", "age,id"]) == 0
    assert list(load("model.zip").feature_names_in_) == ["age", "id"]


@pytest.mark.usefixtures("blocks_of_100")
def test_text_in_a_later_block(here, capsys):
    frame = table().astype({"income": object})
    frame.loc[500, "income"] = "a lot"
    frame.to_csv("late.csv", index=False)
    log = refused(capsys, "fit", "late.csv", *FIT)
    assert "column 'income' does not go on as it began" in log
    assert "a lot" in log
    # Whole numbers that turn out to be none, and a column that begins empty.
    frame["income"] = np.where(frame["id"] < 500, 1.0, 1.5)
    lines = frame.to_csv(index=False).replace(",1.0,", ",1,")
    Path("late.csv").write_text(lines)
    assert main(["fit", "late.csv", *FIT]) == 0


def test_missing_rows_are_left_out(here, capsys):
    frame = table()
    frame.loc[[3, 4], "visits"] = np.nan
    frame.to_csv("missing.csv", index=False)
    frame.dropna().to_csv("whole.csv", index=False)
    assert main(["fit", "whole.csv", *FIT]) == 0
    expected = load("model.zip")
    code, log = run(capsys, "fit", "missing.csv", "--missing", "skip", *FIT)
    assert code == 0
    assert "2 rows with missing values were left out" in log
    centers = load("model.zip")[-1].cluster_centers_
    np.testing.assert_allclose(centers, expected[-1].cluster_centers_, rtol=1e-12)
    assert main(["predict", "missing.csv", "--missing", "skip", *PREDICT]) == 0
    assert pd.read_csv("out.csv")["id"].tolist() == frame.dropna()["id"].tolist()


@pytest.mark.filterwarnings(r"ignore:\s*The format of the columns:FutureWarning")  # 1.6
def test_models_that_take_text_and_fill_values(here):
    frame = table()
    frame["city"] = pd.Series(["Graz", "Linz", None])[np.arange(N_ROWS) % 3].tolist()
    frame.loc[3, "age"] = np.nan
    encode = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="?"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = ColumnTransformer([("n", numbers, COLUMNS), ("c", encode, ["city"])])
    features = [*COLUMNS, "city"]
    frame["city"] = frame["city"].astype(object)
    model = make_pipeline(columns, KMeans(3, random_state=0)).fit(frame[features])
    save(model, "model.zip")
    frame.to_parquet("other.parquet")
    assert main(["predict", "other.parquet", "--missing", "keep", *PREDICT]) == 0
    found = pd.read_csv("out.csv")["segment_id"]
    assert found.tolist() == model.predict(frame[features]).tolist()


@pytest.mark.parametrize("kind", ["integer", "text", "uuid", "zeros"])
def test_kinds_of_ids(kind, here, capsys):
    ids = {
        "integer": list(range(N_ROWS)),
        "text": [f"c{i}" for i in range(N_ROWS)],
        "uuid": [str(uuid.UUID(int=i)) for i in range(N_ROWS)],
        "zeros": [f"{i:05}" for i in range(N_ROWS)],  # no numbers
    }[kind]
    table().assign(id=ids).to_csv("ids.csv", index=False)
    assert main(["fit", "ids.csv", *STORE]) == 0
    assert main(["predict", "ids.csv", *STORE]) == 0
    store = SegmentStore("sqlite:///segments.db")
    assert set(store.assignments("customers")["record_id"]) == set(map(str, ids))
    if kind == "integer":
        log = refused(capsys, "predict", "ids.csv", *STORE, "--text-ids")
        assert "ids of kind 'integer', and these are of kind 'text'" in log


def test_refit(here, capsys):
    fit = ["fit", "data.csv", *STORE, "--n-clusters", "3"]
    assert main(fit) == 0
    store = SegmentStore("sqlite:///segments.db")
    store.rename("customers", {0: "Regulars"})
    # The same again is no other version; other parameters are.
    code, log = run(capsys, *fit, "--model", "model.zip")
    assert code == 0
    assert "Version 1 is of these rows and parameters" in log
    assert load("model.zip").predict(table()[COLUMNS]).shape == (N_ROWS,)
    # Another order of the columns; the number of clusters is that of before.
    moved = table(1, move=100.0)[["visits", "id", "income", "age"]]
    moved.to_parquet("next.parquet")
    for start in ("previous", "new"):
        assert main(["fit", "next.parquet", *STORE, "--start", start]) == 0
        assert main(["fit", "next.parquet", *STORE, "--start", start]) == 0
    assert store.history("customers")["version"] == [1, 2, 3]
    segments = store.segments("customers")
    assert segments["segment_id"] == [0, 1, 2]
    assert "Regulars" in segments["name"]
    assert set(store.drift("customers")["status"]) == {"kept"}
    assert main(["fit", "next.parquet", *STORE, "--again"]) == 0
    assert store.history("customers")["version"] == [1, 2, 3, 4]


def test_refit_of_files(here):
    assert main(["fit", "data.csv", *FIT]) == 0
    table(1)[["id", "visits", "income", "age"]].to_csv("next.csv", index=False)
    more = ["--reference", "model.zip", "--model", "next.zip", "--random-state", "5"]
    assert main(["fit", "next.csv", "--id-column", "id", *more]) == 0
    X = pd.DataFrame(CENTERS, columns=COLUMNS)
    assert load("next.zip").predict(X).tolist() == load("model.zip").predict(X).tolist()


def test_drift(here, capsys):
    assert main(["fit", "data.csv", *STORE, "--n-clusters", "3"]) == 0
    table(1, move=300.0).to_csv("moved.csv", index=False)
    limits = ["--max-shift", "0.5", "--max-share-change", "0.2"]
    assert main(["drift", "data.csv", *STORE, *limits]) == 0
    log = refused(capsys, "drift", "moved.csv", *STORE, *limits, code=3)
    assert "Drift is above the limit: segment 2: shift 0.505, limit 0.5" in log
    assert main(["drift", "moved.csv", *STORE]) == 0  # no limit
    # A refit above the limit is not registered.
    refused(capsys, "fit", "moved.csv", *STORE, *limits, code=3)
    assert SegmentStore("sqlite:///segments.db").history("customers")["version"] == [1]
    candidate = ["--candidate", "candidate.zip"]
    log = refused(capsys, "fit", "moved.csv", *STORE, *limits, *candidate, code=3)
    assert "The refit is in candidate.zip." in log
    assert load("candidate.zip")[-1].cluster_ids_.tolist() == [0, 1, 2]
    assert main(["profile", "moved.csv", "--model", "candidate.zip"]) == 0
    more = ["--max-share-change", "0.2", "--output", "drift.json"]
    one = table().query("age < 30")
    one.to_csv("one.csv", index=False)
    assert "share_change" in refused(capsys, "drift", "one.csv", *STORE, *more, code=3)
    found = pd.DataFrame(json.loads(Path("drift.json").read_text()))
    assert found["n_rows"].sum() == len(one)
    assert found["share"].max() == 1.0


def test_limits_need_a_model_before(here, capsys):
    limits = ["--max-shift", "0.5"]
    for where in (FIT, STORE):
        code, log = run(capsys, "fit", "data.csv", *where, *limits)
        assert code == 0
        assert "nothing to compare with" in log
    log = refused(capsys, "fit", "data.csv", *FIT, *limits)
    assert "give --reference model.zip" in log
    assert main(["fit", "data.csv", *FIT, *limits, "--reference", "model.zip"]) == 0


def test_drift_of_a_file(here, capsys):
    assert main(["fit", "data.csv", *FIT]) == 0
    drift = ["drift", "data.csv", "--id-column", "id", "--model", "model.zip"]
    assert "give --against" in refused(capsys, *drift, "--max-share-change", "1")
    more = ["--against", "data.csv", "--max-shift", "0", "--max-share-change", "0"]
    assert main([*drift, *more]) == 0
    # By hand: the shift of a mean, in spreads of before.
    table(1, move=300.0).to_csv("moved.csv", index=False)
    more = ["--against", "data.csv", "--output", "drift.csv"]
    assert main(["drift", "moved.csv", *drift[2:], *more]) == 0
    model, found = load("model.zip"), pd.read_csv("drift.csv")
    old, new = table()[COLUMNS], table(1, move=300.0)[COLUMNS]
    for j in range(3):
        before, now = (model[0].transform(X[model.predict(X) == j]) for X in (old, new))
        spread = np.sqrt(np.square(before - before.mean(axis=0)).sum(axis=1).mean())
        distance = np.linalg.norm(now.mean(axis=0) - before.mean(axis=0))
        assert found["shift"][j] == pytest.approx(distance / spread)
        assert found["share_before"][j] == pytest.approx(len(before) / N_ROWS)


def test_profile(here, capsys, monkeypatch):
    assert main(["fit", "data.csv", *STORE, "--n-clusters", "3"]) == 0
    SegmentStore("sqlite:///segments.db").rename("customers", {1: "Regulars"})
    capsys.readouterr()
    assert main(["profile", "data.csv", *STORE]) == 0
    assert "1: Regulars" in capsys.readouterr().out
    for name in ("p.csv", "p.json", "p.html"):
        assert main(["profile", "data.csv", *STORE, "--output", name]) == 0
        assert "Regulars" in Path(name).read_text()
    assert "should end in" in refused(capsys, "profile", "data.csv", *STORE, "--output", "p.txt")
    monkeypatch.setattr(_fitting, "_SAMPLE_ROWS", 100)
    _, log = run(capsys, "profile", "data.csv", *STORE)
    assert "a sample of 100 of 600 rows" in log


def test_samples_do_not_depend_on_blocks():
    frame = table(n_rows=250_000)[COLUMNS]
    samples = [
        _fitting.take_sample([frame[i : i + n] for i in range(0, len(frame), n)], 0)
        for n in (7_000, 250_000)
    ]
    pd.testing.assert_frame_equal(*samples)
    assert len(samples[0]) == 100_000
    assert samples[0]["age"].mean() == pytest.approx(frame["age"].mean(), rel=0.01)
    some = frame[:1000]
    pd.testing.assert_frame_equal(_fitting.take_sample([some], 0), some)


@pytest.mark.parametrize("scaling", ["zscore", "range", "maxabs", "none"])
@pytest.mark.parametrize("method", ["fit", "batches", "mini-batches"])
@pytest.mark.usefixtures("blocks_of_100")
def test_ways_to_fit(method, scaling, here):
    frame = table()
    if scaling == "none":
        frame["income"] /= 1000
    frame.to_csv("data.csv", index=False)
    more = ["--method", method, "--scaling", scaling]
    assert main(["fit", "data.csv", *FIT, *more]) == 0
    assert main(["predict", "data.csv", *PREDICT]) == 0
    groups = np.random.default_rng(0).integers(0, 3, N_ROWS)
    assert same_clusters(pd.read_csv("out.csv")["segment_id"], groups)


def test_the_way_by_the_size_of_the_data():
    budget = _memory.Budget(512 * 2**20)
    assert budget.choose(100_000, 20).method == "fit"
    way = budget.choose(5_000_000, 20)
    assert way.method == "batches"
    assert "5,000,000 rows x 20 columns" in way.why
    assert "512 MiB (--memory-limit)" in way.why
    assert budget.choose(1_000_000_000, 20).method == "mini-batches"
    assert budget.choose(10, 2, "mini-batches").method == "mini-batches"
    with pytest.raises(_memory.OverBudget, match="method 'fit' is not possible"):
        budget.choose(5_000_000, 20, "fit")
    assert _memory.Budget(None).limit > 0
    sizes = {"512M": 2**29, "2g": 2**31, "1.5GiB": 3 * 2**29, "2Gi": 2**31, "7B": 7, "1kB": 1024}
    assert {text: _memory.parse_size(text) for text in sizes} == sizes


def test_out_of_the_memory_budget(here, capsys, monkeypatch):
    assert "too little" in refused(capsys, "fit", "data.csv", *FIT, "--memory-limit", "9M", code=4)
    monkeypatch.setattr(_memory, "peak", lambda: 2**40)
    log = refused(capsys, "fit", "data.csv", *FIT, "--memory-limit", "512M", code=4)
    assert "1,048,576 MiB were taken" in log
    for text in ("much", "-1", "0M", "12X"):
        assert "no size of memory" in refused(capsys, "fit", *FIT, f"--memory-limit={text}")
    assert "are bytes" in refused(capsys, "fit", *FIT, "--memory-limit", "100")
    assert not Path("model.zip").exists()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is there on Linux only")
@pytest.mark.newest
@pytest.mark.parametrize(
    ("rows", "limit", "way"), [(200_000, "450M", "KMeans.fit:"), (300_000, "450M", "fit_batches:")]
)
def test_memory_from_outside(rows, limit, way):
    root = Path(sklearn_lloyd.__file__).parents[1]
    benchmark = Path(__file__).parents[1] / "benchmarks" / "batch.py"
    command = [sys.executable, benchmark, "--rows", str(rows), "--memory-limit", limit]
    done = subprocess.run(
        [*command, "--commands", "fit"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert way in done.stdout


def test_config(here, capsys, monkeypatch):
    monkeypatch.setenv("FOLDER", str(here))
    Path("job.toml").write_text(
        'data = "data.csv"\nid_column = "id"\nmodel = "${FOLDER}/model.zip"\n'
        'columns = ["age", "income"]\nlog_format = "json"\n'
        "[fit]\nn_clusters = 3\nmax_shift = 1\ntext_ids = true\n[predict]\noutput = 'out.csv'\n"
    )
    assert main(["fit", "--config", "job.toml"]) == 0
    model = load("model.zip")
    assert model[-1].n_clusters == 3
    assert list(model.feature_names_in_) == ["age", "income"]
    # The command line comes first.
    Path("model.zip").unlink()  # the first fit has nothing to compare with
    assert main(["fit", "--config", "job.toml", "--n-clusters", "2", "--columns", "visits"]) == 0
    assert load("model.zip")[-1].n_clusters == 2
    assert list(load("model.zip").feature_names_in_) == ["visits"]
    assert main(["predict", "--config", "job.toml"]) == 0
    assert len(pd.read_csv("out.csv")) == N_ROWS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("n_cluster = 3", "n_cluster is not known: did you mean 'n_clusters'?"),
        ("[predict]\nn_clusters = 3", "predict.n_clusters is not known"),
        ("[drift]\nmax_shft = 3.0", "drift.max_shft is not known: did you mean 'max_shift'?"),
        ("config = 'x'", "config is not known"),
        ("[fits]\nn_clusters = 3", "fits is not known: did you mean 'fit'?"),
        ("fit = 3", "fit should be a table, [fit]."),
        ("n_clusters = '3'", "n_clusters should be a whole number; got '3'."),
        ("n_clusters = true", "n_clusters should be a whole number; got True."),
        ("columns = 'age'", "columns should be a list of texts"),
        ("columns = [1]", "columns should be a list of texts"),
        ("again = 1", "again should be true or false; got 1."),
        ("max_shift = 'a'", "max_shift should be a number; got 'a'."),
        ("data = 3", "data should be a text"),
        ("missing = 'drop'", "missing should be one of error, skip, keep; got 'drop'."),
        ("store = '${NOBODY_SETS_THIS}'", "the environment variable NOBODY_SETS_THIS"),
        ("a = ", "job.toml is no valid TOML"),
    ],
)
def test_bad_config(text, message, here, capsys):
    Path("job.toml").write_text(text)
    assert message in refused(capsys, "fit", "data.csv", "--config", "job.toml")


def test_bad_options(here, capsys):
    log = refused(capsys, "fit", "--config", "none.toml")
    assert "--config: There is no file 'none.toml'." in log
    assert "give both" in refused(capsys, "fit", "data.csv", "--store", "sqlite:///s.db")
    assert "Which model?" in refused(capsys, "fit", "data.csv")
    for more in (["--version", "1"], ["--any-scale"]):
        assert "is for a store" in refused(capsys, "predict", "data.csv", *PREDICT, *more)
    both = [*STORE, "--model", "model.zip"]
    for command in ("predict", "profile", "drift"):
        assert "leave out one" in refused(capsys, command, "data.csv", *both)
    assert "Where to?" in refused(capsys, "predict", "data.csv", "--model", "model.zip")
    assert "give --id-column" in refused(capsys, "predict", "data.csv", *STORE[2:])
    log = refused(capsys, "predict", "data.csv", *PREDICT)
    assert "--model: There is no file 'model.zip'." in log
    log = refused(capsys, "fit", "data.csv", *FIT, "--reference", "before.zip")
    assert "--reference: There is no file 'before.zip'." in log
    log = refused(capsys, "predict", "data.csv", *PREDICT, "--output", "none/out.csv")
    assert "--output: there is no folder 'none'." in log
    assert "DATA: There is no file 'none.csv'" in refused(capsys, "fit", "none.csv", *FIT)
    assert "--candidate is for" in refused(capsys, "fit", "data.csv", *FIT, "--candidate", "c.zip")
    assert "no model 'customers'" in refused(capsys, "predict", "data.csv", *STORE)
    Path("model.zip").write_text("no model")
    assert "model.zip: " in refused(capsys, "predict", "data.csv", *PREDICT)
    assert main(["fit", "data.csv", *FIT]) == 0
    assert "end in .csv or .parquet" in refused(
        capsys, "predict", "data.csv", *PREDICT, "--output", "x.txt"
    )
    previous = ["--start", "previous", "--reference", "model.zip", "--n-clusters", "4"]
    assert "n_clusters is 4" in refused(capsys, "fit", "data.csv", *FIT, *previous)
    with pytest.raises(SystemExit) as error:
        main(["--version"])
    assert error.value.code == 0
    for wrong in ([], ["fits"], ["fit", "--n-clusters", "x"], ["fit", "--n-cluster", "3"]):
        with pytest.raises(SystemExit) as error:
            main(wrong)
        assert error.value.code == 2


def test_passes_over_a_query_see_one_state(database_url):
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    if database_url.startswith("sqlite"):  # as a store makes it: one writes while others read
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    frame = table()
    frame.to_sql("customers", engine, index=False)
    source = _sources.open_source(database_url, "SELECT * FROM customers")
    passes = []
    for _ in range(2):
        passes.append(sum(map(len, source.read(["age"]))))
        frame.to_sql("customers", engine, index=False, if_exists="append")
    source.close()
    assert passes == [N_ROWS, N_ROWS]


def test_databases_that_fail(here, capsys):
    url = ["--query", "SELECT * FROM nothing", *FIT]
    assert "There is no file" in refused(capsys, "fit", "sqlite:///none.db", *url)
    sa.create_engine("sqlite:///some.db", poolclass=sa.NullPool).connect().close()
    Path("some.db").touch()
    assert "refused the query" in refused(capsys, "fit", "sqlite:///some.db", *url)
    assert "needs a --query" in refused(capsys, "fit", "sqlite:///some.db", *FIT)
    assert "cannot be used" in refused(capsys, "fit", "nodatabase://x", *url)
    # Outside: the scheduler may try again. The password is not in the log.
    code, log = run(capsys, "fit", "postgresql://me:secret@127.0.0.1:1/x", *url)
    assert code == 1
    assert "secret" not in log
    store = ["--store", "postgresql://me:secret@127.0.0.1:1/x", "--name", "a"]
    code, log = run(capsys, "fit", "data.csv", *store)
    assert code == 1
    assert "secret" not in log


def test_other_scale(here, capsys):
    assert main(["fit", "data.csv", *STORE, "--n-clusters", "3"]) == 0
    frame = table()
    frame[COLUMNS] = StandardScaler().fit_transform(frame[COLUMNS])
    frame.to_csv("scaled.csv", index=False)
    log = refused(capsys, "predict", "scaled.csv", *STORE)
    assert "scaled otherwise" in log
    assert "--any-scale" in log
    assert main(["predict", "scaled.csv", *STORE, "--any-scale"]) == 0


def test_files_are_whole_or_not_there(here, capsys):
    assert main(["fit", "data.csv", *FIT]) == 0
    Path("out.csv").write_text("the one before")
    frame = table()
    frame.loc[599, "age"] = np.nan
    frame.to_parquet("bad.parquet", row_group_size=100)
    refused(capsys, "predict", "bad.parquet", *PREDICT)
    assert Path("out.csv").read_text() == "the one before"
    assert not list(here.glob(".*"))
    # What a killed process has left does not count.
    Path(".out.csv.part").write_text("a part")
    assert main(["predict", "data.csv", *PREDICT]) == 0
    assert not list(here.glob(".*"))
    assert main(["predict", "data.csv", *PREDICT, "--output", "out.parquet"]) == 0
    assert pq.read_table("out.parquet").schema.names == ["id", "segment_id", "distance"]
    assert pq.read_table("out.parquet").schema.field("id").type == pa.int64()


def test_logs(here, capsys):
    _, log = run(capsys, "fit", "data.csv", *FIT, "--log-format", "json")
    entries = [json.loads(line) for line in log.splitlines()]
    assert entries[0]["columns"] == COLUMNS
    assert entries[1]["method"] == "fit"
    assert entries[1]["n_rows"] == N_ROWS
    assert {"time", "level", "message"} <= set(entries[0])
    _, log = run(capsys, "fit", "none.csv", *FIT, "--log-format", "json")
    assert json.loads(log)["exit_code"] == 2
    _, log = run(capsys, "fit", "data.csv", *FIT, "--log-level", "warning")
    assert log == ""
    _, log = run(capsys, "fit", "none.csv", *FIT, "--log-level", "debug")
    assert "Traceback" in log
    # What Python warns of is in the log; afterwards logging is as it was.
    _, log = run(capsys, "fit", "data.csv", *FIT, "--max-iter", "1", "--n-clusters", "8")
    assert not logging.getLogger("py.warnings").handlers
    assert not _logs.log.handlers


def test_interrupted(here, capsys, monkeypatch):
    def interrupt(*_):
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(_memory, "peak", interrupt)
    for method in ("fit", "batches"):
        log = refused(capsys, "fit", "data.csv", *FIT, "--method", method, code=130)
        assert log.splitlines()[-1].endswith("Interrupted.")


def test_progress_on_a_terminal(here, capsys, monkeypatch):
    _, log = run(capsys, "fit", "data.csv", *FIT)
    assert "Iterate" not in log
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    code, log = run(capsys, "fit", "data.csv", *FIT, "--method", "batches")
    assert code == 0
    assert "Iterate" in log
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.progress", None)
    code, log = run(capsys, "fit", "data.csv", *FIT, "--log-level", "debug")
    assert code == 0
    assert "No progress bar without rich." in log


def test_start_without_extras(tmp_path):
    # Help, and the error that names the extra, need nothing but the package itself.
    code = """
        import sys
        for name in ("pandas", "pyarrow", "rich", "sqlalchemy"):
            sys.modules[name] = None
        from sklearn_lloyd.cli import main
        assert main(["fit", "x.csv", "--model", "y"]) == 2
        open("x.csv", "w").close()
        assert main(["fit", "x.csv", "--model", "y"]) == 2
        main(["fit", "--help"])
    """
    root = Path(sklearn_lloyd.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(line[8:] for line in code.splitlines())],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert done.returncode == 0, done.stderr
    assert 'pip install "sklearn-lloyd[cli]"' in done.stderr
    assert "exit codes: 0 done" in done.stdout


def test_program():
    root = Path(sklearn_lloyd.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-m", "sklearn_lloyd.cli"],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert done.returncode == 2
    assert "usage: sklearn-lloyd" in done.stderr
