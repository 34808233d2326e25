"""Mini-batches: against scikit-learn's, against our own full fit, and as a stream.

    python benchmarks/minibatch.py [--quick] [--only NAME] [--modes fit,full,stream,memmap]

The rivals run in turn in one process, a seed a round, each after a call that is not timed. Times
and inertias are medians over the seeds; inertia is computed here, of all rows, in float64.

    fit     MiniBatchKMeans(k, random_state=seed).fit(X), of scikit-learn and ours
    full    our MiniBatchKMeans against our KMeans; the default of both
    stream  partial_fit of 10,000 batches of 100 rows, and how memory grows meanwhile
    memmap  only if asked for, since it writes 2 GB to the temporary folder: ten iterations of
            KMeans with k = 16 on rows in a file, and the peak of private memory (Linux only)
"""

import argparse
import gc
import multiprocessing
import statistics
import tempfile
import threading
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import sklearn.cluster
from workloads import WORKLOADS, Data, Result, Workload, blobs, embeddings, text

import sklearn_lloyd

FLIGHTS = next(workload for workload in WORKLOADS if workload.name == "flights")
FIT = [
    Workload("blobs-2", 8, partial(blobs, 300_000, 2, 8, np.float32, 3.0)),
    FLIGHTS,
    Workload("blobs-50", 100, partial(blobs, 100_000, 50, 100, np.float32, 2.0)),
    Workload("embeddings-250", 500, partial(embeddings, 40_000, 250)),
    Workload("text", 50, text),
]
FULL = [
    Workload("1M x 10", 20, partial(blobs, 1_000_000, 10, 20, np.float32, 2.0)),
    Workload("300k x 50", 100, partial(blobs, 300_000, 50, 100, np.float32, 1.0)),
]
BATCHES, ROWS = 10_000, 100


def race(data, rivals, seeds):
    """Median seconds and inertia of each rival, which run in turn."""
    times, costs = {name: [] for name in rivals}, {name: [] for name in rivals}
    for seed in range(-1, seeds):
        for name, make in rivals.items():
            model = make(data.k, random_state=max(seed, 0))
            start = time.perf_counter()
            model.fit(data.X)
            if seed >= 0:
                times[name].append(time.perf_counter() - start)
                costs[name].append(data.inertia(Result(model.cluster_centers_, model.labels_)))
    median = statistics.median
    return {name: (median(times[name]), median(costs[name])) for name in rivals}


def compare(title, workloads, rivals, options):
    """A table of two rivals, the second of which is ours."""
    speeds = []
    print(f"\n{title}: seconds of each, how often as fast, inertia of ours relative to theirs")
    for workload in workloads:
        if options.only not in workload.name:
            continue
        data = Data(workload, options.scale)
        (a, cost_a), (b, cost_b) = race(data, rivals, options.seeds).values()
        speeds.append(a / b)
        shape = f"{data.X.shape[0]} x {data.X.shape[1]}, k = {data.k}"
        print(
            f"{data.name:15} {shape:24} {a:8.3f} {b:8.3f}  x{a / b:6.2f}  {cost_b / cost_a:.4f}",
            flush=True,
        )
    if speeds:
        print(f"geometric mean x{statistics.geometric_mean(speeds):.2f}, least x{min(speeds):.2f}")


def resident():
    """Megabytes of private memory; Linux only."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    lines = status.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024


def stream(rivals, options):
    """Rows a second of `partial_fit`, and how much memory rises after the first tenth."""
    n_batches = BATCHES // 10 if options.quick else BATCHES
    X = blobs(50 * ROWS, 20, 10, np.float64, 3.0)
    batches = np.split(X, 50)
    print(f"\nstream: {n_batches} batches of {ROWS} rows of 20 features, k = 10")
    for labels in (True, False):
        seconds = {}
        for name, make in rivals.items():
            model = make(10, random_state=0, compute_labels=labels)
            for i in range(n_batches):
                if i == n_batches // 10:
                    gc.collect()
                    before, start = resident(), time.perf_counter()
                model.partial_fit(batches[i % 50])
            seconds[name] = time.perf_counter() - start
            n_rows = ROWS * (n_batches - n_batches // 10)
            print(
                f"compute_labels={labels!s:5} {name:8} {n_rows / seconds[name]:9.0f} rows/s, "
                f"memory +{resident() - before:.1f} MB, "
                f"inertia {-model.score(X):.5g}",
                flush=True,
            )
        theirs, ours = seconds.values()
        print(f"compute_labels={labels!s:5} x{theirs / ours:.2f}")


def memmap(options):
    """Peak of private memory of `fit`, and of `fit_batches` of slices, on a file of 2 GB."""
    n_rows, n_features = int(2**31 / 4 / 64 * options.scale), 64
    print(f"\nmemmap: {n_rows} x {n_features} float32, {n_rows * n_features * 4 / 2**20:.0f} MB")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "X.npy"
        X = np.lib.format.open_memmap(path, "w+", np.float32, (n_rows, n_features))
        rng = np.random.default_rng(0)
        for start in range(0, n_rows, 1 << 16):
            X[start : start + (1 << 16)] = rng.random(X[start : start + (1 << 16)].shape)
        X.flush()
        context = multiprocessing.get_context("spawn")
        for way in ("fit", "fit_batches"):
            seen = context.Queue()
            process = context.Process(target=fit_memmap, args=(path, way, seen))
            process.start()
            seconds, peak = seen.get()
            process.join()
            print(f"{way:12} {seconds:6.1f} s, peak {peak:.0f} MB", flush=True)


def fit_memmap(path, way, seen):
    X = np.load(path, mmap_mode="r")
    peak, done = resident(), threading.Event()

    def watch():
        nonlocal peak
        while not done.wait(0.005):
            peak = max(peak, resident())

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    model = sklearn_lloyd.KMeans(16, max_iter=10, tol=0, random_state=0)
    if way == "fit":
        model.fit(X)
    else:
        model.fit_batches([X[i : i + (1 << 16)] for i in range(0, len(X), 1 << 16)])
    seconds = time.perf_counter() - start
    done.set()
    watcher.join()
    seen.put((seconds, peak))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, 3 seeds")
    parser.add_argument("--only", default="", metavar="SUBSTRING", help="of a workload's name")
    parser.add_argument("--modes", default="fit,full,stream")
    parser.add_argument("--seeds", type=int)
    options = parser.parse_args()
    options.scale = 0.1 if options.quick else 1
    options.seeds = options.seeds or (3 if options.quick else 5)
    warnings.simplefilter("ignore")
    mini = {"sklearn": sklearn.cluster.MiniBatchKMeans, "ours": sklearn_lloyd.MiniBatchKMeans}
    full = {"full": sklearn_lloyd.KMeans, "mini": sklearn_lloyd.MiniBatchKMeans}
    if "fit" in options.modes:
        compare("fit", FIT, mini, options)
    if "full" in options.modes:
        compare("full", FULL, full, options)
    if "stream" in options.modes:
        stream(mini, options)
    if "memmap" in options.modes:
        memmap(options)


if __name__ == "__main__":
    main()
