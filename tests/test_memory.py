"""X is never copied whole: the peak of memory over X itself, each in a process of its own."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="/proc is there on Linux only"
)

# Rows, features, clusters: 80 MB of float32. Arrays of the size of the centres are not the matter
# here, so the wide one has few.
SHAPES = {"long": (400_000, 50, 16), "wide": (400, 50_000, 2)}
# MB. Predictions keep nothing of a row.
OF_PREDICTION = 20


def of_fit(n_rows):
    """MB that a fit may take: half of X (codes of 16 bits), 40 bytes a row, 2 MB a thread."""
    return 40 + 40 * n_rows / 2**20 + 2 * 2


def run(code):
    command = [sys.executable, "-c", textwrap.dedent(code)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


CASES = [
    *(("C", "float32", shape) for shape in SHAPES),
    *(("F", "float32", shape) for shape in SHAPES),
    ("C", "int16", "long"),
]


def limits_of(shape):
    # What may take more comes later: a peak hides those that follow only below its own limit.
    n_rows, _, k = SHAPES[shape]
    params = "random_state=0, n_threads=2"
    return {
        f"KMeans.from_centers(X[:{k}].astype(float), {params}).predict(X)": OF_PREDICTION,
        f"KMeans({k}, max_iter=2, {params}).fit(X)": of_fit(n_rows),
        f"KMeans({k}, init='k-means||', max_iter=2, {params}).fit(X)": of_fit(n_rows),
        f"MiniBatchKMeans({k}, max_iter=2, {params}).fit(X)": of_fit(n_rows),
    }


@pytest.fixture(scope="module")
def peaks():
    """Of every case, in a fork of one process that has imported and run nothing.

    So what loads at the first call counts as well.
    """
    cases = [
        (order, dtype, *SHAPES[shape], list(limits_of(shape))) for order, dtype, shape in CASES
    ]
    return run(f"""
        import json
        import multiprocessing
        import numpy as np
        from sklearn_lloyd import KMeans, MiniBatchKMeans

        def peak():
            # Of this program: ru_maxrss would start from what the tests held at the fork.
            with open("/proc/self/status") as status:
                return next(int(s.split()[1]) for s in status if s.startswith("VmHWM")) / 1024

        def peaks(order, dtype, n_rows, n_features, k, actions):
            rng = np.random.default_rng(0)
            X = np.empty((n_rows, n_features), dtype, order=order)
            for start in range(0, n_rows, 1000):
                part = X[start : start + 1000]
                part[:] = 1000 * rng.random(part.shape, dtype=np.float32)
            before, found = peak(), []
            for action in actions:
                exec(action, globals(), {{"X": X}})
                found.append(peak() - before)
            return found

        with multiprocessing.get_context("fork").Pool(1, maxtasksperchild=1) as pool:
            print(json.dumps(pool.starmap(peaks, {cases}, chunksize=1)))
    """)


@pytest.mark.parametrize("case", CASES)
def test_peak(peaks, case):
    limits, found = limits_of(case[-1]), peaks[CASES.index(case)]
    assert (np.array(found) < list(limits.values())).all(), (found, limits)


def test_memmap(tmp_path):
    # 80 MB on disk. What is mapped is the system's; what the process has for itself counts.
    n_rows = 320_000
    limits = {
        "model.predict(X[:150_000]), model.predict(X[150_000:])": OF_PREDICTION,
        "model.fit_batches([X[i : i + 20_000] for i in range(0, len(X), 20_000)])": 40,
        "model.fit(X)": of_fit(n_rows),
    }
    peaks = run(f"""
        import json
        import threading
        import numpy as np
        from sklearn_lloyd import KMeans

        def private():
            with open("/proc/self/status") as status:
                return next(int(s.split()[1]) for s in status if s.startswith("RssAnon")) / 1024

        rng = np.random.default_rng(0)
        X = np.lib.format.open_memmap("{tmp_path}/X.npy", "w+", np.float32, ({n_rows}, 64))
        for start in range(0, {n_rows}, 10_000):
            X[start : start + 10_000] = rng.random((10_000, 64), dtype=np.float32)
        X.flush()
        X = np.load("{tmp_path}/X.npy", mmap_mode="r")
        model = KMeans(16, max_iter=3, random_state=0, n_threads=2)
        model.fit(np.array(X[:100]))
        before, peaks = private(), []

        def watch(done, seen):  # the largest so far: a list of all would count, too
            while not done.wait(0.0005):
                seen[:] = seen[0] + 1, max(seen[1], private())

        for action in {list(limits)}:
            done, seen = threading.Event(), [0, 0.0]
            watcher = threading.Thread(target=watch, args=(done, seen))
            watcher.start()
            exec(action)
            done.set()
            watcher.join()
            assert seen[0] > 10
            peaks.append(seen[1] - before)
        print(json.dumps(peaks))
    """)
    assert (np.array(peaks) < list(limits.values())).all(), (peaks, limits)
