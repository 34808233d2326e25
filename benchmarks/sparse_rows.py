"""Sparse rows, against scikit-learn: Lloyd from the same start, seeding and predict.

    python benchmarks/sparse_rows.py [--rounds 5] [--quick]

Rows are like TF-IDF: words by Zipf's law, of one of k topics each, normalised; about a hundred
in a row. The rivals run in turn in one process, and the ratio of their medians is printed:
above 1, ours is the faster.
"""

import argparse
import statistics
import time
import warnings

import numpy as np
import sklearn.cluster
from scipy import sparse
from sklearn.preprocessing import normalize

import sklearn_lloyd

WORKLOADS = [
    # rows, features, clusters
    (10_000, 100_000, 20),
    (20_000, 20_000, 50),
    (20_000, 10_000, 100),
    (30_000, 2_000, 8),
    (50_000, 30_000, 20),
]


def make(n, d, k, dtype, per_row=100, seed=0):
    """Rows like TF-IDF: half of the words are common ones, half those of the row's topic."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, d + 1)
    share /= share.sum()
    topics = np.array([rng.permutation(d) for _ in range(k)])
    of_row = rng.integers(k, size=n)
    words = rng.choice(d, size=(n, per_row * 3 // 2), p=share)
    half = words.shape[1] // 2
    words[:, :half] = topics[of_row[:, np.newaxis], words[:, :half]]
    indptr = np.arange(n + 1) * words.shape[1]
    X = sparse.csr_matrix((np.ones(words.size, dtype), words.ravel(), indptr), shape=(n, d))
    X.sum_duplicates()
    seen = np.bincount(X.indices, minlength=d)
    X.data = ((1 + np.log(X.data)) * np.log(n / seen[X.indices])).astype(dtype)
    X.eliminate_zeros()
    return normalize(X)


def jobs(X, k, init):
    theirs, ours = sklearn.cluster, sklearn_lloyd
    model = {"n_clusters": k, "init": init, "n_init": 1, "max_iter": 20}
    fits = theirs.KMeans(**model), ours.KMeans(**model)
    fitted = [fit.fit(X) for fit in fits]
    if fitted[1].inertia_ > fitted[0].inertia_ * 1.001:
        raise SystemExit(f"{X.shape}: {fitted[1].inertia_} > {fitted[0].inertia_}")
    yield "lloyd", lambda: fits[0].fit(X), lambda: fits[1].fit(X)
    yield (
        "seeding",
        lambda: theirs.kmeans_plusplus(X, k, random_state=0),
        lambda: ours.kmeans_plusplus(X, k, random_state=0),
    )
    yield "predict", lambda: fitted[0].predict(X), lambda: fitted[1].predict(X)


def seconds(job):
    start = time.perf_counter()
    job()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--only", default="", help="the name of a job")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    ratios = {}
    for n, d, k in WORKLOADS:
        for dtype in (np.float32, np.float64):
            X = make(n // 10 if options.quick else n, d, k, dtype)
            init = X[np.random.default_rng(1).choice(X.shape[0], k, replace=False)].toarray()
            for name, *rivals in jobs(X, k, init):
                if options.only not in name:
                    continue
                [rival() for rival in rivals]
                times = [[seconds(rival) for rival in rivals] for _ in range(options.rounds)]
                a, b = (1e3 * statistics.median(each) for each in zip(*times, strict=True))
                ratios.setdefault(name, []).append(a / b)
                print(
                    f"{name:8} {X.shape[0]:7} x {d:6}, k = {k:3}, {X.dtype}: "
                    f"theirs {a:7.1f} ms, ours {b:7.1f} ms, ratio {a / b:5.2f}",
                    flush=True,
                )
    for name, each in ratios.items():
        print(
            f"{name}: geometric mean {statistics.geometric_mean(each):.2f}, least {min(each):.2f}"
        )


if __name__ == "__main__":
    main()
