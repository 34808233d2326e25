"""The batch job of examples/batch: two months, on both databases, killed, in its container."""

import json
import os
import shutil
import subprocess
import sys
from importlib import import_module, metadata
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa

import sklearn_lloyd
from sklearn_lloyd.cli import main
from sklearn_lloyd.tracking import SegmentStore

ROOT = Path(sklearn_lloyd.__file__).parents[1]
BATCH = Path(__file__).parents[1] / "examples" / "batch"
MONTHS = ["2026-01", "2026-02"]
# What differs from run to run: times, who, and how many runs there were.
TABLES = {
    "segment_models": "name, current_version, next_segment_id, id_kind",
    "segment_versions": "version, estimator, parameters, features, n_rows, data_fingerprint, "
    "rand_index, note, archive",
    "segment_names": "segment_id, name, note, first_version, last_version",
    "segment_clusters": "version, segment_id, cluster, n_rows, share",
    "segment_centroids": "version, segment_id, space, position, feature, value",
    "segment_features": "version, position, feature, mean, deviation, lowest, highest",
    "segment_drift": "version, segment_id, status, distance, shift, share_before, share, "
    "split_into, merged_from",
    "segment_assignments": "record_id, segment_id, distance, version, previous_segment_id",
}


def tables_of(url):
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.connect() as connection:
        rows = {
            name: connection.exec_driver_sql(f"SELECT {columns} FROM {name}").all()
            for name, columns in TABLES.items()
        }
    plain = {
        name: [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in found]
        for name, found in rows.items()
    }
    return {name: sorted(found, key=repr) for name, found in plain.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A copy of the example, with its data."""
    folder = tmp_path_factory.mktemp("batch")
    for path in BATCH.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    subprocess.run([sys.executable, folder / "make_data.py"], check=True)
    return folder


def month(folder, month, source=None):
    data = [f"{folder}/months/{month}.csv"] if source is None else source
    config = ["--config", f"{folder}/batch.toml", *data]
    assert main(["fit", *config, "--note", f"{month}.csv"]) == 0
    assert main(["predict", *config]) == 0


@pytest.fixture(scope="module")
def in_one_go(folder):
    """The tables after two months without interruption, on SQLite."""
    url = f"sqlite:///{folder}/one_go.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEGMENTS_URL", url)
        for one in MONTHS:
            month(folder, one)
    return tables_of(url)


def test_two_months(in_one_go, folder):
    store = SegmentStore(f"sqlite:///{folder}/one_go.db")
    assert store.history("customers")["note"] == ["2026-01.csv", "2026-02.csv"]
    assert store.segments("customers")["first_version"] == [1, 1, 1, 1]
    assert store.drift("customers", 2)["status"] == ["kept"] * 4
    frames = [pd.read_csv(folder / "months" / f"{one}.csv") for one in MONTHS]
    assert list(frames[0]) != list(frames[1])  # another order of the columns
    ids = set(frames[0]["customer_id"]) | set(frames[1]["customer_id"])
    assert {int(row[0]) for row in in_one_go["segment_assignments"]} == ids
    # Customers stay where they were: the columns are matched by name.
    moved = [row for row in in_one_go["segment_assignments"] if row[4] is not None]
    assert len(moved) < 0.01 * len(ids)


@pytest.mark.newest
def test_killed_and_started_again(database_url, in_one_go, folder):
    command = [sys.executable, Path(__file__).parent / "kill_batch.py", database_url, "6", folder]
    environ = os.environ | {"PYTHONPATH": f"{ROOT}:{Path(__file__).parent}"}
    done = subprocess.run([*command, *MONTHS], capture_output=True, text=True, env=environ)
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.split()[-2]) >= 12, done.stdout
    assert tables_of(database_url) == in_one_go


def test_from_a_query(database_url, in_one_go, folder, monkeypatch):
    # The rows are in the database that has the segments.
    monkeypatch.setenv("SEGMENTS_URL", database_url)
    engine = sa.create_engine(database_url, poolclass=sa.NullPool)
    for one in MONTHS:
        table = "month_" + one[-2:]
        pd.read_csv(folder / "months" / f"{one}.csv").to_sql(table, engine, index=False)
        query = f"SELECT * FROM {table} WHERE age > -1 AND 'a%' LIKE '%' ORDER BY customer_id"
        month(folder, one, [database_url, "--query", query])
    found = tables_of(database_url)
    # In the order of the ids; February's file has another, and other last digits.
    assert found["segment_names"] == in_one_go["segment_names"]
    assert found["segment_clusters"] == in_one_go["segment_clusters"]
    segments, expected = (
        [row[:2] for row in tables["segment_assignments"]] for tables in (found, in_one_go)
    )
    assert segments == expected


def instructions():
    """The Dockerfile as pairs of instruction and text."""
    text = (BATCH / "Dockerfile").read_text().replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines()]
    return [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]


@pytest.mark.newest
def test_dockerfile(folder, tmp_path, monkeypatch):
    """Each step is done as Docker would, below a temporary folder.

    Nothing is downloaded: the packages that RUN installs have to be here already, in versions that
    fit, and pip then says so without a look at the network.
    """
    root, environ, done, user = tmp_path / "root", {}, [], None
    (folder / "wheels").mkdir(exist_ok=True)
    # The command of the package that is tested, whether it is installed or not.
    program = tmp_path / "bin" / "sklearn-lloyd"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m sklearn_lloyd.cli "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("SEGMENTS_URL", f"sqlite:///{tmp_path}/segments.db")
    workdir = root
    for instruction, text in instructions():
        done.append(instruction)
        if instruction == "FROM":
            image, version = text.split(":")
            number = version.removesuffix("-slim")
            assert image == "python"
            assert version.endswith("-slim")
            assert tuple(map(int, number.split("."))) >= (3, 11)
        elif instruction == "ENV":
            environ |= dict(pair.split("=") for pair in text.split())
        elif instruction == "WORKDIR":
            workdir = root / text.lstrip("/")
            workdir.mkdir(parents=True)
        elif instruction == "COPY":
            *names, target = text.split()
            for name in names:
                to = root / target.lstrip("/")
                if name.endswith("/"):
                    shutil.copytree(folder / name, to)
                else:
                    shutil.copy(folder / name, to / name)
        elif instruction == "RUN":
            run_pip(text, root)
        elif instruction == "USER":
            user = text
        elif instruction == "ENTRYPOINT":
            entry = json.loads(text)
        elif instruction == "CMD":
            arguments = json.loads(text)
        else:
            pytest.fail(f"{instruction} is not known to this test")
    assert user.split(":")[0].isdigit()
    assert int(user.split(":")[0]) > 0
    assert done.count("RUN") == 1
    shutil.copytree(folder / "months", workdir / "months")
    entry = [str(root) + part if part.startswith("/") else part for part in entry]
    for one in [arguments, ["months/2026-02.csv"]]:
        job = subprocess.run(
            [*entry, *one], cwd=workdir, env=os.environ | environ, capture_output=True, text=True
        )
        assert job.returncode == 0, job.stderr
        assert all("level" in json.loads(line) for line in job.stderr.splitlines())
    missing = subprocess.run([*entry, "months/none.csv"], cwd=workdir, capture_output=True)
    assert missing.returncode == 2  # that of the command that failed


def run_pip(text, root):
    """Have pip say whether what a RUN line installs is here."""
    command = text.replace("/job/", f"{root}/job/")
    assert command.startswith("python -m pip install --only-binary :all: ")
    try:
        metadata.distribution("sklearn-lloyd")
    except metadata.PackageNotFoundError:  # run from a checkout
        command = command.replace('"sklearn-lloyd[cli]"', " ")
    command = command.replace(
        "python -m pip install", f"{sys.executable} -m pip install --dry-run"
    )
    told = subprocess.run(
        ["sh", "-c", f"{command} --no-index"], capture_output=True, text=True, cwd=root
    )
    assert told.returncode == 0, told.stderr
    assert "Would install" not in told.stdout


def test_cron_job():
    text = (BATCH / "cronjob.yaml").read_text()
    # The container is that of the Dockerfile.
    steps = dict(instructions())
    assert f"runAsUser: {steps['USER'].split(':')[0]}" in text
    assert json.loads(steps["ENTRYPOINT"])[1] in text
    for name in ("SEGMENTS_URL", "${SEGMENTS_URL}"):
        assert name in text + (BATCH / "batch.toml").read_text()
    try:
        yaml = import_module("yaml")
    except ImportError:
        return
    job = yaml.safe_load(text)
    assert (job["apiVersion"], job["kind"]) == ("batch/v1", "CronJob")
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    of_job = job["spec"]["jobTemplate"]["spec"]
    rule = of_job["podFailurePolicy"]["rules"][0]
    assert rule["onExitCodes"]["values"] == [2, 3, 4]
    pod = of_job["template"]["spec"]
    assert pod["restartPolicy"] == "Never"  # as podFailurePolicy requires
    assert pod["securityContext"]["runAsNonRoot"]
    (container,) = pod["containers"]
    assert rule["onExitCodes"]["containerName"] == container["name"]
    assert container["resources"]["limits"]["memory"] == "512Mi"
    mounted = {one["name"] for one in container["volumeMounts"]}
    assert mounted == {one["name"] for one in pod["volumes"]}
