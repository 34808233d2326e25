"""Silhouettes: of squared distances against one predict, of distances against scikit-learn.

    python benchmarks/metrics.py [--rounds 5] [--quick]

Rivals in turn in one process; results are compared before anything is timed, and the ratios of
medians are printed. "times predict" is what a score costs in calls of `predict`; "theirs / ours"
above 1 means that ours is the faster.
"""

import argparse
import statistics
import time
import warnings
from functools import partial

import numpy as np
import sklearn.metrics
from sklearn.datasets import make_blobs

from sklearn_lloyd import KMeans
from sklearn_lloyd._rows import Rows
from sklearn_lloyd.metrics import (
    silhouette_samples,
    silhouette_score,
    simplified_silhouette_score,
)
from sklearn_lloyd.metrics._silhouette import silhouette_of_many


def medians(rounds, *rivals):
    """Median seconds of each rival, in turn."""
    for rival in rivals:
        rival()
    times = [[_seconds(rival) for rival in rivals] for _ in range(rounds)]
    return [statistics.median(each) for each in zip(*times, strict=True)]


def _seconds(rival):
    start = time.perf_counter()
    rival()
    return time.perf_counter() - start


def require_equal(ours, theirs):
    worst = float(np.abs(np.subtract(ours, theirs)).max())
    if not worst < 1e-10:
        raise SystemExit(f"widths differ by {worst}")


def against_predict(n_rows, rounds):
    X, _ = make_blobs(n_rows, 10, centers=20, random_state=0)
    model = KMeans(20, random_state=0, max_iter=5).fit(X)
    labels = model.predict(X)
    few = slice(0, 5000)
    widths = silhouette_samples(X[few], labels[few], metric="sqeuclidean")
    theirs = sklearn.metrics.silhouette_samples(X[few], labels[few], metric="sqeuclidean")
    require_equal(widths, theirs)
    scores = {
        "squared distances": partial(silhouette_score, metric="sqeuclidean"),
        "simplified": simplified_silhouette_score,
        "distances, 1000 sampled": partial(silhouette_score, sample_size=1000, random_state=0),
    }
    for name, score in scores.items():
        call = partial(score, X, labels)
        ours, predict = medians(rounds, call, partial(model.predict, X))
        print(
            f"{n_rows} x 10, k = 20: {name:24} {1e3 * ours:8.1f} ms, "
            f"{ours / predict:6.2f} times predict ({1e3 * predict:.1f} ms)",
            flush=True,
        )


def against_scikit_learn(n_rows, n_features, rounds):
    X, _ = make_blobs(n_rows, n_features, centers=20, random_state=0)
    labels = KMeans(20, random_state=0).fit_predict(X)
    theirs = partial(sklearn.metrics.silhouette_samples, X, labels)
    ours = partial(silhouette_samples, X, labels)
    require_equal(ours(), theirs())
    reference, seconds = medians(rounds, theirs, ours)
    print(
        f"{n_rows} x {n_features}, k = 20: distances {seconds:6.3f} s, "
        f"theirs / ours {reference / seconds:5.2f} ({reference:.3f} s)",
        flush=True,
    )


def of_many_labelings(n_rows, rounds):
    """Nineteen labelings at once, against scikit-learn one by one; the latter is timed once."""
    X, _ = make_blobs(n_rows, 10, centers=20, random_state=0)
    labelings = [KMeans(k, random_state=0).fit_predict(X) for k in range(2, 21)]
    start = time.perf_counter()
    theirs = [sklearn.metrics.silhouette_samples(X, labels) for labels in labelings]
    reference = time.perf_counter() - start
    call = partial(silhouette_of_many, Rows(X), labelings, "euclidean", None)
    require_equal(call(), theirs)
    (seconds,) = medians(rounds, call)
    print(
        f"{n_rows} x 10, k = 2..20: distances {seconds:6.3f} s, "
        f"theirs / ours {reference / seconds:5.2f} ({reference:.3f} s)",
        flush=True,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    part = 10 if options.quick else 1
    against_predict(1_000_000 // part, options.rounds)
    for n_features in (10, 50):
        against_scikit_learn(20_000 // part, n_features, options.rounds)
    of_many_labelings(20_000 // part, options.rounds)


if __name__ == "__main__":
    main()
