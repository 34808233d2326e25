"""The choice of k: what it costs, how good the path is, and how often it is right.

    python benchmarks/choosing_k.py [--quick] [--only path ...] [--seeds 3] [--jobs 1]

Three parts. "path": all k from 1 to 20 in one path, against twenty separate default fits of our
own KMeans; the ratio of the times (below 1: the path is faster) and of the inertias (geometric
mean over k). "table": k from 2 to 20 with inertia, silhouette, Calinski-Harabasz and Davies-
Bouldin, against the loop of scikit-learn's KMeans(n_init=1) and its three functions (above 1: ours
is faster). "right": how often the default rule, each criterion alone and other packages find the
number of groups of the sets of number_sets.py, and how sure the rule said it was.
"""

import argparse
import os
import platform
import statistics
import time
import warnings
from collections import Counter, defaultdict

import numpy as np
import sklearn
import workloads
from joblib import Parallel, delayed
from number_sets import SETS
from sklearn.cluster import KMeans as TheirKMeans
from sklearn.datasets import make_blobs
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_score,
)
from threadpoolctl import threadpool_limits

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
            criterion="silhouette",
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


FOUND = (
    0.9  # the adjusted Rand index from which k-means finds the groups, if it knows their number
)
FEW_REFS = 5  # reference sets and splits of the gap and the stability
MOST_COLUMNS = 300  # wider rows: no gap, whose references are dense and as wide
KINDS = {
    "groups": ("groups", "skewed", "texts", "public"),
    "retail-like tables": ("retail",),
    "no structure": ("none",),
}


def numbers_to_try(k):
    return range(1, max(10, k + k // 2) + 1)


def silhouette_loop(X, numbers, seed):
    """What scikit-learn's example does, and the knee of the inertias of the same clusterings."""
    inertias, best = [], (-1.0, None)
    for k in numbers:
        model = TheirKMeans(k, n_init=10, random_state=seed).fit(X)
        inertias.append(model.inertia_)
        if k > 1:
            size = min(len(X), 5000)
            score = silhouette_score(X, model.labels_, sample_size=size, random_state=seed)
            best = max(best, (score, k))
    found = {"scikit-learn, silhouettes": best[1]}
    try:
        from kneed import KneeLocator
    except ImportError:
        return found
    knee = KneeLocator(list(numbers), inertias, curve="convex", direction="decreasing").knee
    return found | {"kneed": None if knee is None else int(knee)}


def yellowbrick_elbow(X, numbers, seed):
    try:
        import matplotlib

        matplotlib.use("Agg")
        import matplotlib.pyplot as plt
        from yellowbrick.cluster import KElbowVisualizer
    except ImportError:
        return {}
    # Forced: it knows clusterers by an attribute that scikit-learn has no more.
    picture = KElbowVisualizer(
        TheirKMeans(random_state=seed), k=list(numbers)[1:], timings=False, force_model=True
    )
    value = picture.fit(X).elbow_value_
    plt.close("all")
    return {"yellowbrick": None if value is None else int(value)}


def answers(one, seed):
    """What each way says of one set: a dict."""
    warnings.simplefilter("ignore")
    X, groups = one.make(np.random.default_rng(1000 + seed))
    numbers = numbers_to_try(one.k)
    search = NClustersSearch(n_clusters=numbers, random_state=seed).fit(X)
    names = ["simplified_silhouette", "stability", "gap"]
    alone = NClustersSearch(
        n_clusters=numbers,
        criterion=names[0],
        criteria=names[: 2 if X.shape[1] > MOST_COLUMNS else 3],
        n_refs=FEW_REFS,
        sample_size=2000,
        random_state=seed,
    ).fit(X)
    labels = KMeans(one.k, n_init=10, random_state=seed).fit_predict(X)
    agreement = 1.0 if one.k == 1 else adjusted_rand_score(groups, labels)
    said = {"default": search.n_clusters_}
    said |= {name: vote for name, vote in search.votes_.items() if name != "separation"}
    said |= alone.votes_
    with threadpool_limits(1):  # faster for small rows where other processes run
        said |= silhouette_loop(X, numbers, seed) | yellowbrick_elbow(X, numbers, seed)
    return {
        "set": one.name,
        "kind": one.kind,
        "later": one.later,
        "seed": seed,
        "k": one.k,
        "agreement": agreement,
        "found": agreement >= FOUND,
        "said": said,
        "confidence": search.confidence_,
        "candidates": [each["n_clusters"] for each in search.candidates_],
        "against": search.candidates_[0]["objections"],
    }


def share(rows, way):
    """The share of the rows that the way is right in; "-" if it has none."""
    known = [row["said"][way] == row["k"] for row in rows if way in row["said"]]
    return f"{100 * np.mean(known):.0f} %" if known else "-"


def markdown(head, rows):
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(str(value) for value in row) + " |")
    print(flush=True)


def report(rows):
    """The tables of the part "right"."""
    ways = list(dict.fromkeys(way for row in rows for way in row["said"]))
    parts = {}
    for title, kinds in KINDS.items():
        for half, later in ("first", False), ("later", True):
            own = [row for row in rows if row["kind"] in kinds and row["later"] == later]
            parts[f"{title}, {half}"] = [row for row in own if row["found"]], own
    parts = {title: part for title, part in parts.items() if part[1]}
    print("Right, of the cases whose groups k-means finds if it knows their number\n")
    head = ["", *parts]
    body = [["sets", *(len({row["set"] for row in own}) for _, own in parts.values())]]
    body += [["cases", *(len(own) for _, own in parts.values())]]
    body += [["found by k-means", *(len(found) for found, _ in parts.values())]]
    body += [[way, *(share(found, way) for found, _ in parts.values())] for way in ways]
    body += [["default, all cases", *(share(own, "default") for _, own in parts.values())]]
    markdown(head, body)

    kinds = defaultdict(list)
    for row in rows:
        kinds[row["kind"], "later" if row["later"] else "first"].append(row)
    body = []
    for (kind, half), own in kinds.items():
        found = [row for row in own if row["found"]]
        body.append([f"{kind}, {half}", len(own), len(found)])
        body[-1] += [share(found, "default"), share(own, "default")]
    markdown(["kind", "cases", "found by k-means", "default right of these", "of all"], body)

    body = []
    for half, own in ("first", rows), ("later", rows), ("both", rows):
        own = [row for row in own if half == "both" or row["later"] == (half == "later")]
        for value in sorted({row["confidence"] for row in own}, reverse=True):
            those = [row for row in own if row["confidence"] == value]
            found = [row for row in those if row["found"]]
            body.append([half, value, len(those), f"{len(those) / len(own):.0%}"])
            body[-1] += [share(those, "default"), len(found), share(found, "default")]
    print("How sure the rule was, over all cases\n")
    head = [
        "half",
        "confidence",
        "answers",
        "of all",
        "right",
        "found by k-means",
        "right of these",
    ]
    markdown(head, body)

    wrong = defaultdict(list)
    for row in rows:
        if row["said"]["default"] != row["k"]:
            wrong[row["later"], row["set"], row["k"]].append(row)
    body = []
    for (later, name, k), own in sorted(wrong.items()):
        said = Counter((row["said"]["default"], row["confidence"]) for row in own)
        said = ", ".join(f"{n} x {number} ({sure})" for (number, sure), n in said.items())
        agreement = " ".join(f"{row['agreement']:.2f}" for row in own)
        candidate = sum(k in row["candidates"] for row in own)
        body.append(["later" if later else "first", name, k, said, agreement, candidate])
    print("Wrong answers, with the confidence; adjusted Rand index of k-means with the right k\n")
    markdown(["half", "set", "k", "said", "index", "right one among candidates"], body)


def right(options):
    seeds = range(1 if options.quick else options.seeds)
    some = [one for one in SETS if options.half in ("both", "later" if one.later else "first")]
    jobs = (delayed(answers)(one, seed) for one in some for seed in seeds)
    rows = Parallel(n_jobs=options.jobs)(jobs)
    missing = {"kneed", "yellowbrick"} - set(rows[0]["said"])
    if missing:
        print(f"left out, not installed: {', '.join(sorted(missing))}\n")
    report(rows)


PARTS = {"path": path, "table": table, "right": right}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer seeds and rows")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--seeds", type=int, default=3, help="draws of each set")
    parser.add_argument("--half", choices=["first", "later", "both"], default="both")
    parser.add_argument("--jobs", type=int, default=1, help="processes for the sets")
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
