"""Time of the whole fit from the same start, against scikit-learn's KMeans.

    python benchmarks/same_start.py [--rounds 5] [--quick]

The rivals run in turn in one process, and the ratio of their medians is printed: above 1, ours
is the faster. The start is rows of the data. Before a line is timed, both must have found the
same inertia (1e-3), or ours a lower one. "blobs" has clusters to find; "uniform" has none, the
worst case for bounds.
"""

import argparse
import os
import platform
import statistics
import time
import warnings

import numpy as np
import sklearn
import sklearn.cluster

import sklearn_lloyd

WORKLOADS = [
    # rows, features, clusters
    (200_000, 2, 50),
    (270_000, 3, 64),
    (100_000, 50, 100),
    (50_000, 128, 1024),
    (1_000_000, 10, 20),
    (300, 2, 4),
]


def make(kind, n, d, k, rng):
    if kind == "uniform":
        return rng.uniform(size=(n, d)).astype(np.float32)
    centers = rng.uniform(-10, 10, size=(k, d))
    return (centers[rng.integers(k, size=n)] + rng.normal(size=(n, d))).astype(np.float32)


def seconds(model, X, repeat):
    start = time.perf_counter()
    for _ in range(repeat):
        model.fit(X)
    return (time.perf_counter() - start) / repeat


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(
        f"{platform.machine()}, {os.cpu_count()} processors, scikit-learn {sklearn.__version__}, "
        f"numpy {np.__version__}, sklearn-lloyd {sklearn_lloyd.__version__}, float32"
    )
    print(
        f"{'data':8} {'rows':>9} {'d':>4} {'k':>5} {'n_iter_':>9} {'theirs':>9} {'ours':>9} ratio"
    )
    ratios = []
    for kind in ("blobs", "uniform"):
        for n, d, k in WORKLOADS:
            n = n // 10 if options.quick and n > 1000 else n
            rng = np.random.default_rng(0)
            X = make(kind, n, d, k, rng)
            init = X[rng.choice(n, k, replace=False)]
            rivals = {
                "theirs": sklearn.cluster.KMeans(k, init=init, n_init=1),
                "ours": sklearn_lloyd.KMeans(k, init=init),
            }
            theirs, ours = (model.fit(X) for model in rivals.values())
            if ours.inertia_ > theirs.inertia_ * 1.001:
                raise SystemExit(f"{kind} {n} x {d}: {ours.inertia_} > {theirs.inertia_}")
            times = {name: [] for name in rivals}
            for _ in range(options.rounds):
                for name, model in rivals.items():
                    times[name].append(seconds(model, X, 50 if n < 1000 else 1))
            a, b = (statistics.median(times[name]) for name in ("theirs", "ours"))
            ratios.append(a / b)
            print(
                f"{kind:8} {n:9} {d:4} {k:5} {theirs.n_iter_:4}/{ours.n_iter_:<4} "
                f"{1e3 * a:7.1f}ms {1e3 * b:7.1f}ms {a / b:5.2f}",
                flush=True,
            )
    print(f"geometric mean {statistics.geometric_mean(ratios):.2f}, least {min(ratios):.2f}")


if __name__ == "__main__":
    main()
