"""A PostgreSQL server for the tests: in a temporary folder, on loopback, ended with them."""

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

_NUMBERS = count(1)
NEEDED = "SKLEARN_LLOYD_NEEDS_POSTGRESQL"


def binaries():
    """The folder that has initdb and pg_ctl, or None; Debian keeps it out of the PATH."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else []
    if shutil.which("pg_config"):
        told = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True)
        folders.append(Path(told.stdout.strip()))
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((one for one in folders if (one / "initdb").exists()), None)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@contextmanager
def postgresql():
    """The URL of a server that runs meanwhile, with the name of the user and no database."""
    folder = binaries()
    if folder is None:
        if os.environ.get(NEEDED):
            pytest.fail(f"no PostgreSQL on this machine, and {NEEDED} is set")
        pytest.skip("no PostgreSQL on this machine")
    # The server refuses to run as root.
    user = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.getuid() == 0 else {}
    with tempfile.TemporaryDirectory(prefix="lloyd-", ignore_cleanup_errors=True) as home:
        if user:
            shutil.chown(home, user["user"], user["group"])
        port, data = free_port(), f"{home}/data"

        def run(program, *arguments):
            with open(f"{home}/{program}.log", "w+") as log:  # no pipe, the server would keep it
                command = [folder / program, "-D", data, *arguments]
                done = subprocess.run(command, cwd=home, stdout=log, stderr=log, **user)
                log.seek(0)
                assert done.returncode == 0, log.read()

        run("initdb", "--auth=trust", "--no-sync", "--username=tester", "--encoding=UTF8")
        # Not written through to the disk: a killed client is tested, not a power cut.
        run("pg_ctl", "-w", "-o", f"-F -h 127.0.0.1 -p {port} -k {home}", "start")
        try:
            yield f"postgresql+psycopg://tester@127.0.0.1:{port}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")


def new_database(server):
    """The URL of an empty schema on a server of `postgresql`; a new database takes longer."""
    name = f"test_{next(_NUMBERS)}"
    with sa.create_engine(f"{server}/postgres", poolclass=sa.NullPool).begin() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {name}")
    return f"{server}/postgres?options=-csearch_path%3D{name}"
