"""The choice of k: what it costs, how good the path is, and how often it is right.

    python benchmarks/choosing_k.py [--quick] [--only path ...]

Four parts. "path": all k from 1 to 20 in one path, against twenty separate default fits of our own
KMeans; the ratio of the times (below 1: the path is faster) and of the inertias (geometric mean
over k). "table": k from 2 to 20 with inertia, silhouette, Calinski-Harabasz and Davies-Bouldin,
against the loop of scikit-learn's KMeans(n_init=1) and its three functions (above 1: ours is
faster). "right": how often each criterion chooses the number that the data were made with, or 1
where they have no structure. "digits": the table of a path.
"""

import argparse
import os
import platform
import statistics
import time
import warnings
from collections import Counter

import numpy as np
import sklearn
import workloads
from sklearn.cluster import KMeans as TheirKMeans
from sklearn.datasets import load_digits, make_blobs
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

import sklearn_lloyd
from sklearn_lloyd import KMeans
from sklearn_lloyd.model_selection import NClustersSearch


def some(X, n):
    return X[np.random.default_rng(0).choice(len(X), min(n, len(X)), replace=False)]


PATHS = {
    "four blobs": lambda: make_blobs(300, centers=4, cluster_std=0.8, random_state=42)[0],
    "digits": workloads.digits,
    "8 blobs": lambda: make_blobs(20_000, 10, centers=8, random_state=0)[0],
    "20 blobs": lambda: workloads.blobs(20_000, 10, 20, np.float64, 2.0),
    "uniform": lambda: workloads.uniform(20_000, 3),
    "china": lambda: some(workloads.china(), 50_000),
    "flights": lambda: some(workloads.flights(), 60_000),
}


def timed(function):
    start = time.perf_counter()
    value = function()
    return time.perf_counter() - start, value


def path(options):
    numbers = range(1, 21)
    print(f"{'path':12} {'rows':>7} {'d':>3}  {'20 fits':>9} {'path':>9} time   inertia by seed")
    times, inertias = [], []
    for name, load in PATHS.items():
        try:
            X = load()
        except ImportError as error:
            print(f"{name:12} left out: {error}")
            continue

        def separate(seed, X=X):
            return [KMeans(k, random_state=seed).fit(X).inertia_ for k in numbers]

        def together(seed, X=X):
            model = KMeans()
            search = NClustersSearch(
                model, n_clusters=numbers, criterion="elbow", criteria=(), random_state=seed
            )
            return search.fit(X).results_["inertia"]

        separate(0), together(0)
        seconds, ratios = [], []
        for seed in range(1 if options.quick else 5):
            a, theirs = timed(lambda seed=seed: separate(seed))
            b, ours = timed(lambda seed=seed: together(seed))
            seconds.append((a, b))
            ratios.append(np.exp(np.mean(np.log(ours) - np.log(theirs))))
        a, b = (statistics.median(column) for column in zip(*seconds, strict=True))
        times.append(b / a)
        inertias += ratios
        print(
            f"{name:12} {X.shape[0]:7} {X.shape[1]:3}  {1e3 * a:7.0f}ms {1e3 * b:7.0f}ms "
            f"{b / a:4.2f}   {' '.join(f'{ratio:.4f}' for ratio in ratios)}",
            flush=True,
        )
    print(
        f"time: geometric mean {statistics.geometric_mean(times):.2f}, worst {max(times):.2f}; "
        f"inertia: geometric mean {statistics.geometric_mean(inertias):.4f}, "
        f"worst {max(inertias):.4f}\n"
    )


def table(options):
    n = 4000 if options.quick else 20_000
    X = make_blobs(n, 10, centers=8, cluster_std=3.0, random_state=0)[0]
    numbers = range(2, 21)

    def theirs():
        rows = []
        for k in numbers:
            model = TheirKMeans(k, n_init=1, random_state=0).fit(X)
            scores = silhouette_score, calinski_harabasz_score, davies_bouldin_score
            rows.append([model.inertia_, *(score(X, model.labels_) for score in scores)])
        return rows

    def ours(sample_size):
        criteria = "calinski_harabasz", "davies_bouldin"
        return NClustersSearch(
            KMeans(),
            n_clusters=numbers,
            criteria=criteria,
            sample_size=sample_size,
            random_state=0,
        ).fit(X)

    ours(100)
    a, rows = timed(theirs)
    theirs_found = [row[1] for row in rows]
    print(f"table of k = 2..20, {n} x 10: scikit-learn's loop {a:.2f} s")
    for size in (5000, None):
        b, search = timed(lambda size=size: ours(size))
        found = search.results_["silhouette"]
        error = search.results_["silhouette_std_error"].max()
        print(
            f"  silhouettes of {size or 'all'} rows: {b:.3f} s, {a / b:.1f} times as fast; "
            f"standard error at most {error:.4f}; k={search.n_clusters_} with {found.max():.4f}, "
            f"theirs k={2 + int(np.argmax(theirs_found))} with {max(theirs_found):.4f}",
            flush=True,
        )
    print()


def separated_blobs(rng):
    """2 to 12 unit normal groups in 2 to 50 dimensions, all centres 8 or more apart."""
    k, d = rng.integers(2, 13), rng.integers(2, 51)
    side = 30.0 if d <= 3 else 8.0
    centers = []
    while len(centers) < k:
        center = rng.uniform(-side, side, size=d)
        if all(np.linalg.norm(center - other) >= 8.0 for other in centers):
            centers.append(center)
    labels = rng.integers(k, size=50 * k)
    return np.array(centers)[labels] + rng.normal(size=(labels.size, d)), k


def no_structure(shape, distribution):
    return lambda rng: (getattr(rng, distribution)(size=shape), 1)


def correlated(rng):
    return rng.normal(size=(300, 2)) @ [[3.0, 2.0], [0.0, 0.5]], 1


RIGHT = {  # draws, largest k to try, how to draw
    "four blobs": (1, 10, lambda rng: (PATHS["four blobs"](), 4)),
    "separated blobs": (40, 15, separated_blobs),
    "uniform, 200 x 2": (20, 10, no_structure((200, 2), "uniform")),
    "uniform, 1000 x 2": (20, 10, no_structure((1000, 2), "uniform")),
    "uniform, 300 x 10": (20, 10, no_structure((300, 10), "uniform")),
    "normal, 300 x 3": (20, 10, no_structure((300, 3), "normal")),
    "correlated normal, 300 x 2": (20, 10, correlated),
}


def right(options):
    print("right, out of as many draws; seeds other than the rules were chosen by")
    for name, (n_draws, largest, draw) in RIGHT.items():
        n_draws = min(n_draws, 3) if options.quick else n_draws
        counts, structures, start = Counter(), Counter(), time.perf_counter()
        for seed in range(n_draws):
            X, k = draw(np.random.default_rng(1000 + seed))
            search = NClustersSearch(
                KMeans(),
                n_clusters=range(1, largest + 1),
                criterion="vote",
                random_state=seed,
            ).fit(X)
            counts.update(name for name, number in search.votes_.items() if number == k)
            counts["vote"] += search.n_clusters_ == k
            structures[search.structure_] += 1
        names = ["vote", *search.votes_]
        found = ", ".join(f"{name} {counts[name]}" for name in names if k > 1 or counts[name])
        print(
            f"{name:27} {n_draws:2}: {found}; structure {dict(structures)} "
            f"({(time.perf_counter() - start) / n_draws:.2f} s each)",
            flush=True,
        )
    print()


def digits(options):
    search = NClustersSearch(
        KMeans(),
        n_clusters=range(1, 21),
        criterion="vote",
        random_state=0,
    )
    seconds, _ = timed(lambda: search.fit(load_digits().data))
    print(f"digits: {seconds:.1f} s, votes {search.votes_}, structure {search.structure_}")
    names = [name for name in search.results_ if not name.endswith("_std_error")]
    print(" ".join(f"{name[:12]:>12}" for name in names))
    for row in zip(*(search.results_[name] for name in names), strict=True):
        print(" ".join(f"{value:12.6g}" for value in row))


PARTS = {"path": path, "table": table, "right": right, "digits": digits}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer seeds and rows")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(
        f"{platform.machine()}, {os.cpu_count()} processors, scikit-learn {sklearn.__version__}, "
        f"numpy {np.__version__}, sklearn-lloyd {sklearn_lloyd.__version__}\n"
    )
    for part in options.only:
        PARTS[part](options)


if __name__ == "__main__":
    main()
