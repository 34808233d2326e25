"""Kill processes that write to a segment store, and look at what they leave.

    python tests/kill_writers.py URL NUMBER_OF_KILLS

A program of its own: each writer is forked from it, which has imported everything and holds no
connection. Every second writer is killed right before or after one of its statements, so that each
place comes up; the others at any time, so in the middle of a statement, too.
"""

import os
import random
import signal
import sys
import time

import numpy as np
import sqlalchemy as sa

from sklearn_lloyd import KMeans
from sklearn_lloyd.tracking import SegmentStore

N_RECORDS = 3000
CENTERS = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])
IDS = np.arange(N_RECORDS)


def rows(turn):
    """Other segments for most records in each turn."""
    labels = (IDS + IDS // 7 * turn) % len(CENTERS)
    return CENTERS[labels] + np.random.default_rng(turn).normal(scale=0.1, size=(N_RECORDS, 2))


def write(url, turn):
    store = SegmentStore(url, who=str(turn))
    if turn % 3 == 0:
        moved = KMeans.from_centers(CENTERS[::-1] + 0.01 * turn)
        store.register("model", moved, rows(turn), note=str(turn))
    store.assign("model", IDS, rows(turn))


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


def count_statements(target):
    """Call `target` and say how many statements it ran."""
    found = []

    def count(*_):
        found.append(1)

    sa.event.listen(sa.Engine, "after_cursor_execute", count)
    target()
    sa.event.remove(sa.Engine, "after_cursor_execute", count)
    return len(found)


def die_at(number):
    """Die before or after a statement; an odd number is after it."""
    left = [number // 2]

    def maybe(*_):
        left[0] -= 1
        if left[0] < 0:
            die()

    when = "after" if number % 2 else "before"
    sa.event.listen(sa.Engine, f"{when}_cursor_execute", maybe)


def fork(target):
    pid = os.fork()
    if pid:
        return pid
    try:
        target()
    except BaseException as error:
        print("a writer failed:", repr(error), flush=True)
        os._exit(1)
    os._exit(0)


def check(url):
    """The store is whole: what was written last is there for all records, and nothing else."""
    engine = sa.create_engine(url, poolclass=sa.NullPool)

    def ask(query):
        with engine.connect() as connection:
            return connection.exec_driver_sql(query).all()

    runs = ask("SELECT run_id, n_records, created_by, version FROM segment_runs ORDER BY run_id")
    own = ask("SELECT record_id, segment_id, run_id, version FROM segment_assignments")
    last, n_records, who, version = runs[-1]
    assert all(run[1] == N_RECORDS for run in runs)
    assert {(row[2], row[3]) for row in own} == {(last, version)}
    assert n_records == len(own) == N_RECORDS == len({row[0] for row in own})
    by_id = {int(row[0]): row[1] for row in own}
    labels = (IDS + IDS // 7 * int(who)) % len(CENTERS)
    assert [by_id[one] for one in IDS.tolist()] == labels.tolist()

    versions = ask("SELECT current_version, next_segment_id FROM segment_models")
    written = [row[0] for row in ask("SELECT version FROM segment_versions ORDER BY version")]
    assert versions == [(len(written), len(CENTERS))]
    assert written == list(range(1, len(written) + 1))
    for table, each in (("clusters", 4), ("centroids", 16), ("features", 2)):
        counts = ask(f"SELECT count(*) FROM segment_{table} GROUP BY version")
        assert counts == [(each,)] * len(written), (table, counts)
    if url.startswith("sqlite"):
        assert ask("PRAGMA integrity_check") == [("ok",)]
    SegmentStore(url).load("model").predict(CENTERS)
    return len(runs)


def main(url, n_kills):
    random.seed(0)
    store = SegmentStore(url, who="1")
    store.register("model", KMeans.from_centers(CENTERS), rows(1))
    store.assign("model", IDS, rows(1))
    start = time.perf_counter()
    n_statements = count_statements(lambda: write(url, 3))
    taken = time.perf_counter() - start
    finished = check(url)
    turn, killed, in_time = 3, 0, 0
    while killed < n_kills:
        turn += 1
        if turn % 2:
            number = random.randrange(2 * n_statements)
            pid = fork(lambda number=number, turn=turn: (die_at(number), write(url, turn)))
        else:
            pid = fork(lambda turn=turn: write(url, turn))
            time.sleep(random.uniform(0.0, taken))
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0
        killed += os.WIFSIGNALED(status)
        now = check(url)
        assert finished <= now <= finished + 1
        in_time += now - finished
        finished = now
    write(url, 2)  # started again
    assert check(url) == finished + 1
    print(f"{killed} of {turn - 3} killed, {in_time} finished; the store is whole")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
