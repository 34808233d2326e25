"""Threads, forks, joblib, Ctrl-C: the same results, nothing left behind."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from joblib import Parallel, delayed, parallel_config
from scipy import sparse
from threadpoolctl import threadpool_limits

from sklearn_lloyd import KMeans, MiniBatchKMeans
from sklearn_lloyd._core import options
from sklearn_lloyd._threads import effective_n_threads

N_THREADS = (1, 2, 3, 7, None)
linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="/proc is there on Linux only"
)


@pytest.fixture
def many_blocks():
    """Even small problems have several blocks and threads."""
    with options(block_rows=300, least_work=1000):
        yield


@pytest.fixture(scope="module")
def X():
    return np.random.RandomState(0).normal(size=(6_000, 5)).astype(np.float32)


def fit(X, **params):
    return KMeans(40, random_state=0, max_iter=8, **params).fit(X)


def told(model, X):
    """All that a fitted model has to say, as bytes."""
    arrays = [
        *(model.cluster_centers_, model.labels_, model.inertia_, model.n_iter_),
        *(model.predict(X), model.transform(X[:1000]), model.score(X)),
    ]
    history = getattr(model, "history_", None)
    if history is not None:
        arrays += [history[name] for name in history.dtype.names if name != "seconds"]
    return [np.asarray(array).tobytes() for array in arrays]


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random", "random-partition"])
@pytest.mark.parametrize("kind", ["float32", "F", "weighted", "csr"])
@pytest.mark.usefixtures("many_blocks")
def test_any_number_of_threads_bitwise(X, kind, init):
    weights = np.random.default_rng(0).random(len(X)) if kind == "weighted" else None
    if kind == "F":
        X = np.asfortranarray(X, np.float64)
    elif kind == "csr":
        X = sparse.csr_array(X * (X > 0))
    params = {"n_clusters": 9, "init": init, "n_init": 2, "random_state": 0, "tol": 0}
    expected = None
    for n_threads in N_THREADS:
        model = KMeans(max_iter=20, n_threads=n_threads, **params).fit(X, sample_weight=weights)
        found = told(model, X)
        expected = expected or found
        assert found == expected, n_threads


@pytest.mark.parametrize("convert", [np.asarray, lambda X: sparse.csr_array(X * (X > 0))])
@pytest.mark.usefixtures("many_blocks")
def test_minibatch_by_any_number_of_threads_bitwise(X, convert):
    X = convert(X)
    params = {"n_clusters": 9, "batch_size": 1000, "max_iter": 3, "random_state": 0}
    models = [MiniBatchKMeans(n_threads=n, **params).fit(X) for n in N_THREADS]
    assert all(told(model, X) == told(models[0], X) for model in models[1:])


def test_any_number_of_threads_bitwise_in_blocks_of_the_usual_size():
    X = np.random.RandomState(0).normal(size=(150_000, 3))
    models = [KMeans(5, random_state=0, max_iter=5, n_threads=n).fit(X) for n in (1, 2, 3)]
    assert all(told(model, X) == told(models[0], X) for model in models[1:])


def test_threads_of_the_blas_do_not_show():
    # A dot product of many weights is cut into as many parts as BLAS has threads.
    rng = np.random.default_rng(6)
    X, weights = rng.standard_normal((40_000, 5)), rng.random(40_000)
    found = []
    for limit in (1, 2):
        with threadpool_limits(limit, user_api="blas"):
            model = KMeans(3, random_state=0, max_iter=5).fit(X, sample_weight=weights)
            found.append([*told(model, X), model.score(X, sample_weight=weights)])
    assert found[0] == found[1]


@pytest.mark.usefixtures("many_blocks")
def test_one_estimator_and_several_fits_in_many_threads(X):
    model = fit(X, n_threads=3)
    with ThreadPoolExecutor(4) as pool:
        predicted = list(pool.map(lambda _: model.predict(X), range(8)))
        fits = list(pool.map(lambda seed: fit(X, n_threads=3), range(4)))
    assert all((labels == model.labels_).all() for labels in predicted)
    assert all(told(other, X) == told(model, X) for other in fits)


@linux
@pytest.mark.usefixtures("many_blocks")
def test_threads_end_with_the_call(X):
    def n_threads():
        return len(os.listdir("/proc/self/task"))

    before, most, done = n_threads(), [0], threading.Event()

    def watch():
        while not done.is_set():
            most[0] = max(most[0], n_threads())
            time.sleep(1e-4)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for _ in range(10):
        fit(X, n_threads=5)
    done.set()
    watcher.join()
    assert most[0] > before + 1
    for _ in range(100):  # the system may take a moment to strike the last one off
        if n_threads() <= before:
            break
        time.sleep(0.01)
    assert n_threads() <= before


def run(code, **environment):
    """What Python prints, in a process group of its own that is ended if it hangs."""
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **environment},
    )
    try:
        printed, _ = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0
    return printed.split()


def test_limits_of_others_are_respected():
    with threadpool_limits(1):
        assert effective_n_threads(None) == 1
    assert effective_n_threads(5) == 5
    code = "from sklearn_lloyd._threads import effective_n_threads as n; print(n(None))"
    assert run(code, OMP_NUM_THREADS="3") == ["3"]


@pytest.mark.parametrize("backend", ["loky", "threading"])
def test_inside_joblib(X, backend):
    expected = fit(X).labels_
    with parallel_config(backend, n_jobs=2):
        models = Parallel()(delayed(fit)(X) for _ in range(3))
    assert all((model.labels_ == expected).all() for model in models)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform has no fork")
def test_after_fork():
    # In a process of its own, and bounded: what this guards against is a child that hangs.
    code = """
        import os, threading, warnings
        import numpy as np
        from sklearn_lloyd import KMeans
        from sklearn_lloyd._core import options
        warnings.simplefilter("ignore", DeprecationWarning)  # fork with threads: on purpose
        X = np.random.RandomState(0).normal(size=(60_000, 3)).astype(np.float32)
        fit = lambda: KMeans(40, random_state=0, max_iter=8, n_threads=3).fit(X)

        def forked():
            pid = os.fork()
            if pid == 0:
                os._exit(0 if (fit().labels_ == expected).all() else 3)
            return os.waitpid(pid, 0)[1]

        with options(block_rows=1000, least_work=1000):
            expected = fit().labels_
            print(forked())
            other = threading.Thread(target=lambda: [fit() for _ in range(20)])
            other.start()  # while the threads of another fit are at work
            print(*[forked() for _ in range(3)])
            other.join()
            print((fit().labels_ == expected).all())
    """
    assert run(code) == ["0", "0", "0", "0", "True"]


@pytest.mark.skipif(os.name != "posix", reason="the signal is sent as a terminal does")
def test_ctrl_c():
    # Each call would take a minute and more. Nothing of the estimator has changed after it.
    code = """
        import sys, time
        from functools import partial
        import numpy as np
        from sklearn_lloyd import KMeans
        from sklearn_lloyd._core import native

        def one_long_block():
            others = np.zeros(100_000_000, np.int64), np.zeros((100_000_000, 1), np.int32)
            out = np.empty((64, 1))
            native.distance_sums(2, native.rows(X), np.arange(64), *others, None, out)

        X = np.random.default_rng(0).random((400_000, 20))
        model = KMeans(2000, init=X[:2000], n_init=1, max_iter=1).fit(X[:2100])
        model.set_params(init="random", tol=0, n_init=100, max_iter=1000)
        fitted = KMeans.from_centers(X[:20_000])
        before = [dict(vars(it)) for it in (model, fitted)]
        for call in (partial(model.fit, X), partial(fitted.predict, X), one_long_block):
            print("ready", flush=True)
            try:
                call()
            except KeyboardInterrupt:
                print("interrupted", time.time(), flush=True)
        for it, was in zip((model, fitted), before, strict=True):
            assert vars(it).keys() == was.keys()
            assert all(vars(it)[key] is value for key, value in was.items())
        print((model.predict(X[:2100]) == model.labels_).all())
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    if_it_hangs = threading.Timer(90, os.killpg, (process.pid, signal.SIGKILL))
    if_it_hangs.start()
    try:
        for _ in range(3):
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.7)  # well within the call
            sent = time.time()
            process.send_signal(signal.SIGINT)
            word, at = process.stdout.readline().split()
            assert word == "interrupted"
            assert float(at) - sent < 5.0  # about a second; the machine may be busy
        same = process.communicate()[0].strip()
    finally:
        if_it_hangs.cancel()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert same == "True"
