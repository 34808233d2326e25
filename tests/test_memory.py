"""X is never copied whole: the peak of memory over X itself, each in a process of its own."""

import json
import subprocess
import sys
import textwrap
from functools import cache

import numpy as np
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


def peaks_over_x(actions, limits, order, shape, backend, dtype):
    """Megabytes by which the process rose above what it held with X read in, after each action.

    Actions that may take more come later: a peak hides those that follow only below its own limit.
    """
    n_rows, n_features, n_clusters = shape
    params = f"random_state=0, n_threads=2, backend='{backend}'"
    load = LOAD.format(dtype=dtype, order=order)
    actions = [action.format(k=n_clusters, params=params) for action in actions]
    code = load + textwrap.dedent(f"""
        def peak():
            # Of this program: ru_maxrss would start from what the tests held at the fork.
            with open("/proc/self/status") as status:
                return next(int(s.split()[1]) for s in status if s.startswith("VmHWM")) / 1024

        X = np.empty(({n_rows}, {n_features}), "{dtype}", order="{order}")
        for start in range(0, {n_rows}, 100):
            X[start : start + 100] = rng.random((100, {n_features}), dtype=np.float32)
        before, peaks = peak(), []
        for action in {actions}:
            exec(action)
            peaks.append(peak() - before)
        print(json.dumps(peaks))
    """)
    if backend == "numba":
        compiled(load)
    peaks = json.loads(run(code))
    if backend == "numpy" or all(p < limit for p, limit in zip(peaks, limits, strict=True)):
        return peaks
    # Once more, if something was yet to be compiled for such an X.
    return json.loads(run(code))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is there on Linux only")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_peak(order, shape):
    # (Compiled code for float32 in Fortran order would be needed here alone.)
    dtype = "float64" if (backend, order) == ("numba", "F") else "float32"
    actions = [
        "KMeans.from_centers(X[:{k}], {params}).predict(X)",
        "sklearn.set_config(working_memory=0); KMeans({k}, max_iter=5, {params}).fit(X)",
        "KMeans({k}, init='k-means||', max_iter=5, {params}).fit(X)",
    ]
    of_fit = 40 + 40 * SHAPES[shape][0] / 2**20
    limits = [20, of_fit, of_fit]
    peaks = peaks_over_x(actions, limits, order, SHAPES[shape], backend, dtype)
    assert (np.array(peaks) < limits).all(), (peaks, limits)


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
def test_what_saves_time_takes_half_of_x(dtype, n_features, share, megabytes):
    # Features of float64 are kept in float32 too; compiled code keeps many in codes. Neither
    # without working memory.
    action = f"sklearn.set_config(working_memory={megabytes}); "
    action += "KMeans({k}, max_iter=5, {params}).fit(X)"
    n_rows = 800_000 if n_features == 20 else 400_000
    more = share * n_rows * n_features * (4 if dtype == "float32" else 8) if megabytes else 0
    limit = 40 + (40 * n_rows + more) / 2**20
    shape = n_rows, n_features, 40
    (peak,) = peaks_over_x([action], [limit], "C", shape, backend, dtype)
    assert more / 2**20 < peak < limit


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc is there on Linux only")
def test_memmap(tmp_path):
    # 160 MB on disk. What is mapped is the system's; what the process has for itself counts.
    n_rows = 640_000
    limits = {
        "model.predict(X[:300_000]), model.predict(X[300_000:])": 20,
        "model.fit_batches([X[i : i + 20_000] for i in range(0, len(X), 20_000)])": 40,
        "sklearn.set_config(working_memory=0); model.fit(X)": 40 + 40 * n_rows / 2**20,
    }
    code = f"""
        import json
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
        before, peaks = private(), []

        def watch(done, seen):
            while not done.wait(0.0005):
                seen.append(private())

        for action in {list(limits)}:
            done, seen = threading.Event(), []
            watcher = threading.Thread(target=watch, args=(done, seen))
            watcher.start()
            exec(action)
            done.set()
            watcher.join()
            assert len(seen) > 10
            peaks.append(max(seen) - before)
        print(json.dumps(peaks))
    """
    peaks = json.loads(run(textwrap.dedent(code)))
    assert (np.array(peaks) < list(limits.values())).all(), (peaks, limits)
