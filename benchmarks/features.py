"""CentroidFeatures: what each dense output costs, relative to the transform of KMeans.

    python benchmarks/features.py [--rounds 9] [--only NUMBER_OF_CLUSTERS]

Both transform the same rows with the same centres, in one process, in turn; times are medians over
the rounds, after one that is not timed. Above 1, the output takes longer than the distances do.
"""

import argparse
import statistics
import time

import numpy as np
from sklearn.frozen import FrozenEstimator

from sklearn_lloyd import KMeans
from sklearn_lloyd.preprocessing import CentroidFeatures

OUTPUTS = [
    *("distance", "squared-distance", "similarity", "soft", "triangle", "one-hot", "label"),
    "residual",
]
SHAPES = [  # rows, features, clusters
    (500_000, 2, 8),
    (300_000, 10, 20),
    (100_000, 50, 100),
    (20_000, 64, 300),
    (20_000, 784, 64),
    (50_000, 784, 8),
]


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def race(rivals, rounds):
    """Median seconds of each rival; they run in turn."""
    times = {name: [] for name in rivals}
    for i in range(rounds + 1):
        for name, work in rivals.items():
            taken = seconds(work)
            if i:
                times[name].append(taken)
    return {name: statistics.median(taken) for name, taken in times.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--only", type=int, help="shapes with that number of clusters")
    options = parser.parse_args()
    print(f"{'rows x features, k':22} {'dtype':8} {'transform':>9}", end="")
    print("".join(f" {name:>16}" for name in OUTPUTS))
    worst = 0.0
    for n_rows, n_features, k in SHAPES:
        if options.only not in (None, k):
            continue
        rng = np.random.default_rng(0)
        blobs = rng.normal(size=(k, n_features)) * 3
        wide = rng.normal(size=(n_rows, n_features)) + blobs[rng.integers(0, k, n_rows)]
        for dtype in (np.float64, np.float32):
            X = wide.astype(dtype)
            km = KMeans.from_centers(blobs.astype(dtype))
            rivals = {"transform": lambda km=km, X=X: km.transform(X)}
            for output in OUTPUTS:
                features = CentroidFeatures(FrozenEstimator(km), output=output).fit(X)
                rivals[output] = lambda features=features, X=X: features.transform(X)
            found = race(rivals, options.rounds)
            base = found.pop("transform")
            worst = max(worst, *(taken / base for taken in found.values()))
            shape = f"{n_rows} x {n_features}, {k}"
            print(f"{shape:22} {X.dtype.name:8} {base * 1e3:6.1f} ms", end="")
            print("".join(f" {t / base:16.2f}" for t in found.values()), flush=True)
    print(f"largest ratio: {worst:.2f}")


if __name__ == "__main__":
    main()
