"""X is never copied whole: the peak of memory over X itself, each in a process of its own."""

import json
import subprocess
import sys
import textwrap
from functools import cache

import pytest

# Rows, features, clusters: 80 MB of float32. Arrays of the size of the centres are not the matter
# here, so the wide one has few.
SHAPES = {"long": (400_000, 50, 16), "wide": (400, 50_000, 2)}


# What loads once, before anything is measured; the compiler is held in memory too.
LOAD = """
import json
import numpy as np
import sklearn
from sklearn_lloyd import KMeans, _threads

rng = np.random.default_rng(0)
small = np.asarray(rng.random((5_000, 50)), "{dtype}", order="{order}")
model = KMeans(16, random_state=0, max_iter=2, backend="{backend}").fit(small)
model.set_params(init="k-means||").fit(small).predict(small)
"""


def run(code):
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@cache
def compiled(load):
    """Leave the compiled code on disk, so that no compiler's memory hides what comes later."""
    run(load)


def peak_over_x(action, order, shape, backend, limit, dtype="float32"):
    """Megabytes by which the peak of the process rises above what it held with X read in."""
    n_rows, n_features, n_clusters = shape
    params = f"random_state=0, n_threads=2, backend='{backend}'"
    load = LOAD.format(dtype=dtype, order=order, backend=backend)
    code = load + textwrap.dedent(f"""
        def peak():
            # Of this program: ru_maxrss would start from what the tests held at the fork.
            with open("/proc/self/status") as status:
                return next(int(s.split()[1]) for s in status if s.startswith("VmHWM")) / 1024

        X = np.empty(({n_rows}, {n_features}), "{dtype}", order="{order}")
        for start in range(0, {n_rows}, 100):
            X[start : start + 100] = rng.random((100, {n_features}), dtype=np.float32)
        {action.format(k=n_clusters, params=params)}
        before = peak()
        work(X)
        print(json.dumps(peak() - before))
    """)
    if backend == "numpy":
        return json.loads(run(code))
    compiled(load)
    peak = json.loads(run(code))
    # Once more, if something was yet to be compiled for such an X.
    return peak if peak < limit else json.loads(run(code))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is there on Linux only")
@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    ("limit", "per_row", "action"),
    [
        (40, 40, "work = KMeans({k}, max_iter=5, {params}).fit"),
        (40, 40, "work = KMeans({k}, init='k-means||', max_iter=5, {params}).fit"),
        (20, 0, "work = KMeans.from_centers(X[:{k}], {params}).predict"),
    ],
)
def test_peak(limit, per_row, action, order, shape, backend):
    action = "sklearn.set_config(working_memory=0); " + action
    limit += per_row * SHAPES[shape][0] / 2**20
    assert peak_over_x(action, order, SHAPES[shape], backend, limit) < limit


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is there on Linux only")
@pytest.mark.parametrize("megabytes", [1024, 0])
@pytest.mark.parametrize(
    ("backend", "dtype", "n_features", "share"),
    [
        ("numpy", "float64", 20, 0.5),
        ("numba", "float64", 20, 0.5),
        ("numba", "float32", 64, 0.5),
        ("numba", "float64", 64, 0.25),
    ],
)
def test_what_saves_time_takes_half_of_x(backend, dtype, n_features, share, megabytes):
    # Features of float64 are kept in float32 too; compiled code keeps many in codes. Neither
    # without working memory.
    action = f"""
        sklearn.set_config(working_memory={megabytes})
        work = KMeans({{k}}, max_iter=5, {{params}}).fit
    """
    n_rows = 800_000 if n_features == 20 else 400_000
    more = share * n_rows * n_features * (4 if dtype == "float32" else 8) if megabytes else 0
    limit = 40 + (40 * n_rows + more) / 2**20
    peak = peak_over_x(action, "C", (n_rows, n_features, 40), backend, limit, dtype)
    assert more / 2**20 < peak < limit


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is there on Linux only")
@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize(
    ("limit", "per_row", "action"),
    [
        (40, 40, "sklearn.set_config(working_memory=0); model.fit(X)"),
        (40, 0, "model.fit_batches([X[i : i + 20_000] for i in range(0, len(X), 20_000)])"),
        (20, 0, "model.predict(X[:300_000]), model.predict(X[300_000:])"),
    ],
)
def test_memmap(limit, per_row, action, backend, tmp_path):
    # 160 MB on disk. What is mapped is the system's; what the process has for itself counts.
    n_rows = 640_000
    code = f"""
        import threading
        import numpy as np
        import sklearn
        from sklearn_lloyd import KMeans

        def private():
            with open("/proc/self/status") as status:
                return next(int(s.split()[1]) for s in status if s.startswith("RssAnon")) / 1024

        rng = np.random.default_rng(0)
        X = np.lib.format.open_memmap("{tmp_path}/X.npy", "w+", np.float32, ({n_rows}, 64))
        for start in range(0, {n_rows}, 10_000):
            X[start : start + 10_000] = rng.random((10_000, 64), dtype=np.float32)
        model = KMeans(16, max_iter=3, random_state=0, n_threads=2, backend="{backend}")
        model.fit(X[:20_000]).predict(X[:20_000])
        model.fit_batches([X[:10_000], X[10_000:20_000]])
        model.fit(X[:20_000])
        X.flush()
        X = np.load("{tmp_path}/X.npy", mmap_mode="r")
        done, seen = threading.Event(), [private()]

        def watch():
            while not done.wait(0.0005):
                seen.append(private())

        watcher = threading.Thread(target=watch)
        watcher.start()
        {action}
        done.set()
        watcher.join()
        print(len(seen), max(seen) - seen[0])
    """
    n_seen, peak = run(textwrap.dedent(code)).split()
    assert int(n_seen) > 10
    assert float(peak) < limit + per_row * n_rows / 2**20
