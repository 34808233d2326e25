"""Threads, forks, joblib: the same results, nothing left behind."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config
from scipy import sparse
from threadpoolctl import threadpool_info, threadpool_limits

from sklearn_lloyd import KMeans, _chunks, _predict, _threads
from sklearn_lloyd._rows import Rows
from sklearn_lloyd._kernels._numba import _team


def blas_threads():
    return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]


@pytest.fixture(scope="module")
def X():
    return np.random.RandomState(0).normal(size=(60_000, 3)).astype(np.float32)


def fit(X, **params):
    return KMeans(40, random_state=0, max_iter=8, **params).fit(X)


@pytest.mark.parametrize("make", [np.asarray, lambda X: sparse.csr_array(X * (X > 0))])
def test_any_number_of_threads_bitwise(X, make, monkeypatch):
    monkeypatch.setattr(_chunks, "_MAX_ROWS", 20_000)
    X = make(X)
    one = fit(X, n_threads=1)
    assert len(Rows(X, 40).blocks) > 1
    for n_threads in (2, 3, 7, None):
        other = fit(X, n_threads=n_threads)
        np.testing.assert_array_equal(one.labels_, other.labels_)
        np.testing.assert_array_equal(one.cluster_centers_, other.cluster_centers_)
        assert one.inertia_ == other.inertia_
        for name in ("inertia", "center_shift", "n_changed", "n_empty"):
            np.testing.assert_array_equal(one.history_[name], other.history_[name])
        np.testing.assert_array_equal(one.transform(X[:9000]), other.transform(X[:9000]))
        assert one.score(X) == other.score(X)


def test_one_estimator_and_several_fits_in_many_threads(X):
    model = fit(X)
    with ThreadPoolExecutor(4) as pool:
        predicted = list(pool.map(lambda _: model.predict(X), range(8)))
        fits = list(pool.map(lambda seed: fit(X), range(4)))
    assert all((labels == model.labels_).all() for labels in predicted)
    assert all((other.labels_ == model.labels_).all() for other in fits)


def test_blas_threads_are_put_back(X):
    before = blas_threads()
    inside = []
    with _threads.worker_pool(3) as pool:
        pool.run(lambda: inside.append(blas_threads()))
        with ThreadPoolExecutor(1) as other:  # a second fit that starts and ends meanwhile
            other.submit(fit, X).result()
        pool.run(lambda: inside.append(blas_threads()))
    assert len(inside) == 6
    assert all(set(counts) == {1} for counts in inside)
    assert blas_threads() == before
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda seed: fit(X), range(6)))
    assert blas_threads() == before


class FakeOpenmpBlas:
    """A BLAS that keeps its number of threads for each thread, as those on OpenMP do."""

    user_api, threading_layer, filepath = "blas", "openmp", "fake"

    def __init__(self):
        self._limits = threading.local()

    @property
    def lib_controllers(self):
        return [self]

    @property
    def num_threads(self):
        return getattr(self._limits, "value", 8)

    def limit(self, limits):
        fake, before = self, self.num_threads

        class Limiter:
            def __enter__(self):
                return self

            def __exit__(self, *exc_info):
                fake._limits.value = before

        self._limits.value = limits
        return Limiter()


def test_blas_that_counts_by_thread(monkeypatch):
    fake = FakeOpenmpBlas()
    assert _threads._on_openmp(fake)
    both = (_threads._blas()[0], fake)
    monkeypatch.setattr(_threads, "_blas", lambda: both)
    inside = []
    entered, left = threading.Event(), threading.Event()

    def other():  # enters while the first is inside, leaves after it
        with _threads.worker_pool(2) as pool:
            pool.run(lambda: inside.append(fake.num_threads))
            entered.set()
            left.wait(10)
        inside.append(fake.num_threads)

    thread = threading.Thread(target=other)
    with _threads.worker_pool(2) as pool:
        thread.start()
        assert entered.wait(10)
        pool.run(lambda: inside.append(fake.num_threads))
    left.set()
    thread.join()
    assert inside == [1, 1, 1, 1, 8]
    assert fake.num_threads == 8


def test_an_error_in_a_worker_reaches_the_caller(X, monkeypatch):
    monkeypatch.setattr(_chunks, "_MAX_ROWS", 20_000)
    before, blas = threading.active_count(), blas_threads()
    chunks = Rows(X, 40, 3)

    def kernel(rows, scratch):
        if rows.start > 0:
            raise RuntimeError(f"rows from {rows.start}")

    with pytest.raises(RuntimeError, match="rows from"):
        chunks.map_reduce(kernel)
    assert threading.active_count() == before
    assert blas_threads() == blas


def test_work_for_later():
    for n_workers in (1, 2):
        with _threads.worker_pool(n_workers) as pool:
            value = pool.later(lambda: 3)
            pool.run(lambda: None)
            assert value() == 3
            with pytest.raises(ZeroDivisionError):
                pool.later(lambda: 1 / 0)()
            assert pool.later(lambda: 4)() == 4  # the worker goes on


def test_after_what_is_said_to_be_the_last():
    with _threads.worker_pool(3) as pool:
        seen = []
        pool.run(lambda: seen.append(threading.get_ident()), last=True)
        assert len(seen) == 3
        for thread in pool._threads:
            thread.join()
        # The caller's thread does what comes all the same.
        pool.run(lambda: seen.append(threading.get_ident()))
        assert seen[3:] == [threading.get_ident()]
        assert pool.later(lambda: 5)() == 5


@numba.njit(nogil=True)
def add_up(leads, shared, kinds, n_rounds):
    """Each task adds its kind, 1 or 2 by turns, to its place."""
    n_tasks = len(kinds)
    for r in range(n_rounds if leads else 1):
        if leads:
            _team.announce(shared, 1 + r % 2)
        while True:
            kind, task = _team.next_task(shared, n_tasks, not leads)
            if task < 0:
                break
            kinds[task] += kind
            _team.task_done(shared)
        if leads:
            _team.wait_for_all(shared, n_tasks)
    if leads:
        _team.announce(shared, _team.STOP)
    return kinds.sum()


@pytest.mark.parametrize("n_threads", [1, 2, 5])
def test_each_task_of_a_team_is_done_once(n_threads):
    chunks = Rows(np.zeros((9, 1)), 2, n_threads, "numba")
    with chunks.open(n_blocks=5):
        for n_tasks in (1, 3, 40):
            kinds, shared = np.zeros(n_tasks, np.intp), np.zeros(_team.SIZE, np.int64)
            arrays = shared, kinds
            total = chunks.together(
                lambda leads, arrays=arrays: add_up(leads, *arrays, 1000), shared
            )
            assert (kinds == 1500).all()
            assert total == 1500 * n_tasks


def test_a_team_whose_leader_fails():
    chunks = Rows(np.zeros((9, 1)), 2, 3, "numba")
    shared = np.zeros(_team.SIZE, np.int64)

    def work(leads):
        if leads:
            raise RuntimeError("no way on")
        add_up(leads, shared, np.zeros(4, np.intp), 0)

    with chunks.open(n_blocks=3), pytest.raises(RuntimeError, match="no way on"):
        chunks.together(work, shared)
    with chunks.open(n_blocks=3):  # as before
        seen = []
        chunks.map_reduce(lambda rows, scratch: rows, seen.append, [1, 2, 3])
    assert seen == [1, 2, 3]


def test_threads_that_cannot_be_started(monkeypatch):
    before, start = threading.active_count(), threading.Thread.start
    started = []

    def start_one(thread):
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_one)
    with pytest.raises(RuntimeError, match="new thread"), _threads.worker_pool(3):
        pass
    assert threading.active_count() == before


@pytest.mark.parametrize("n_rows", [1, 700, 40_000, 123_457])
def test_blocks_of_predict_shrink(n_rows):
    chunks = Rows(np.zeros((n_rows, 8), np.float32), 30, 2, "numba")
    blocks = _predict._shrinking_blocks(chunks, 30)
    sizes = [rows.stop - rows.start for rows in blocks]
    assert [rows.start for rows in blocks] == [0, *np.cumsum(sizes)[:-1]]
    assert sum(sizes) == n_rows
    assert sizes == sorted(sizes, reverse=True)
    assert len(blocks) == 1 if n_rows < 1000 else 4 < len(blocks) < 40


def test_predict_starts_no_more_threads_than_it_has_blocks(monkeypatch):
    numbers, pool = [], _threads.WorkerPool
    monkeypatch.setattr(_threads, "WorkerPool", lambda n: numbers.append(n) or pool(n))
    monkeypatch.setattr(_chunks, "_MAX_ROWS", 10_000)
    X = np.random.RandomState(0).normal(size=(40_000, 8))
    model = KMeans.from_centers(X[:4], n_threads=5)
    model.predict(X[:900])
    model.set_params().predict(X)
    assert numbers == [1, len(Rows(X, 4).blocks)] == [1, 4]


def test_results_are_reduced_in_order(X, monkeypatch):
    monkeypatch.setattr(_chunks, "_MAX_ROWS", 6_000)
    chunks = Rows(X, 40, 4)
    seen = []
    chunks.map_reduce(lambda rows, scratch: rows.start, seen.append)
    assert seen == sorted(seen)
    assert len(seen) == len(chunks.blocks)


def test_limits_of_others_are_respected(monkeypatch):
    with threadpool_limits(1):
        assert _threads.effective_n_threads(None) == 1
    assert _threads.effective_n_threads(5) == 5
    code = "from sklearn_lloyd._threads import effective_n_threads as n; print(n(None))"
    for limit in ("1", "3"):
        run = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "OMP_NUM_THREADS": limit},
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout.strip() == limit


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_inside_joblib(X):
    expected = fit(X).labels_
    with parallel_config(n_jobs=2):
        models = Parallel()(delayed(fit)(X) for _ in range(3))
    assert all((model.labels_ == expected).all() for model in models)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
def test_after_fork():
    # In a process of its own, and bounded: what this guards against is a child that hangs.
    code = """
        import os, warnings
        import numpy as np
        from threadpoolctl import threadpool_info
        from sklearn_lloyd import KMeans, _threads
        warnings.simplefilter("ignore", DeprecationWarning)  # fork with threads: on purpose
        X = np.random.RandomState(0).normal(size=(60_000, 3)).astype(np.float32)
        fit = lambda: KMeans(40, random_state=0, max_iter=8).fit(X)
        limits = lambda: [lib["num_threads"] for lib in threadpool_info()]
        before = limits()
        expected = fit().labels_
        def forked():
            pid = os.fork()
            if pid == 0:
                good = (fit().labels_ == expected).all() and limits() == before
                os._exit(0 if good else 3)
            return os.waitpid(pid, 0)[1]
        after_a_fit = forked()
        with _threads.worker_pool(3) as pool:
            pool.run(lambda: None)  # its threads are there, and idle
            with _threads._process_wide_limit._lock:
                with_the_lock_held = forked()
        print(after_a_fit, with_the_lock_held, (fit().labels_ == expected).all())
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        printed, _ = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert printed.strip() == "0 0 True"
