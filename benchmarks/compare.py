"""Every rival side by side: k-means++, Lloyd's iterations, the default fit, predict, growth.

    python benchmarks/compare.py [--quick] [--only NAME] [--modes seed,fit] [--markdown FILE]

The rivals run in turn in one process, round by round, each after a call that is not timed. A
cell is the median time of a call in milliseconds and, after the x, scikit-learn's median over
it: above 1, the rival is faster than scikit-learn. "ours" is sklearn_lloyd. "+5%*" marks a rival
whose inertia is that much above scikit-learn's: it is quick with a worse result. Inertia is
computed here, in float64, from what the rival returns. If ours is the worse one by more than the
mode allows, the run ends with exit code 1.

    seed     k-means++ alone; mean inertia within 1 %
    lloyd    from the same rows, max_iter=100; inertia within 1 %
    fit      KMeans(k, random_state=seed).fit(X), a seed a round; mean inertia within 1 %
    common   the same on the sizes that most people have, one start
    predict  the training rows, by the same centres; inertia of the labels within 0.1 %
    growth   ten iterations from k-means++ as rows, features or clusters grow; the exponents are
             slopes in log-log over the upper half of the range

Under each table: the geometric mean and the least of a column, and how far ahead ours is of
each rival, as the rival's time over ours. The small fit has no part in them. faiss and
superkmeans know float32 only, get X converted beforehand, and run as many iterations as
scikit-learn needed. Where ours looks worse by chance, further seeds decide, untimed.

"others" is how many cores other processes kept busy meanwhile. Above 0.1 the row is not to be
trusted: the threads of scikit-learn and faiss wait for each other busily, and take up to a
hundred times as long when one of them lacks a core. "iterations" are medians, a rival each.
"""

import argparse
import contextlib
import datetime
import importlib.metadata
import logging
import os
import platform
import re
import statistics
import sys
import time
import warnings
from functools import partial
from pathlib import Path

import numpy as np
import sklearn
import sklearn.cluster
from workloads import COMMON, GROWTH, SMALL_FIT, WORKLOADS, Data, Result, Workload, noise

import sklearn_lloyd

OURS = "ours"
# Per mode: by how much our inertia may be above scikit-learn's.
TOLERANCE = {
    "seed": 0.01, "lloyd": 0.01, "fit": 0.01, "common": 0.01, "predict": 0.001, "growth": 0.01
}  # fmt: skip
SEEDED = ("seed", "fit", "common", "growth")
MAX_SEEDS = 30
# No round starts later than this, but the first two.
SECONDS = 6
DECIDING_SECONDS = 30  # of further seeds, at most
COLUMNS = ("n", "d", "k", "type", "others")
PACKAGES = (
    *("scikit-learn", "sklearn-lloyd", "numpy"),
    *("faiss-cpu", "scikit-learn-intelex", "superkmeans"),
)
# The threads of the rival before go on spinning for a while: those of OpenBLAS for 0.1 s.
PAUSE = 0.15
# Shorter calls are repeated, to be longer than the clock and the scheduler blur.
SHORTEST = 0.1


# A rival has a method for each of its modes. It returns the call to time: what is made ready
# before the call is not timed. `n_iter` is the median number of scikit-learn's iterations.


class Estimator:
    """KMeans, and perhaps kmeans_plusplus, with the interface of scikit-learn."""

    def __init__(self, KMeans, kmeans_plusplus=None, **params):
        self.KMeans = partial(KMeans, **params)
        self.modes = {"lloyd", "fit", "common", "predict"}
        if kmeans_plusplus is not None:
            self.modes |= {"seed", "growth"}
            self.kmeans_plusplus = partial(kmeans_plusplus, **params)

    def takes(self, data):
        return True

    def seed(self, data, seed, n_iter):
        return lambda: Result(self.kmeans_plusplus(data.X, data.k, random_state=seed)[0])

    def lloyd(self, data, seed, n_iter):
        return self._fit(data, init=data.start, n_init=1, max_iter=100)

    def fit(self, data, seed, n_iter):
        return self._fit(data, n_init=data.n_init, random_state=seed)

    common = fit

    def growth(self, data, seed, n_iter):
        return self._fit(data, max_iter=10, tol=0, n_init=1, random_state=seed)

    def predict(self, data, seed, n_iter):
        # The means of the centres, each twice, are the centres. Twice, because sklearnex
        # leaves it to scikit-learn when there are no more rows than clusters.
        model = self.KMeans(data.k, init=data.centers, n_init=1)
        model.fit(np.concatenate([data.centers, data.centers]))
        return lambda: Result(data.centers, model.predict(data.X))

    def _fit(self, data, **params):
        model = self.KMeans(data.k, **params)

        def call():
            model.fit(data.X)
            return Result(model.cluster_centers_, n_iter=model.n_iter_)

        return call


class Faiss:
    """The labels are part of what is timed, as they are for every other rival."""

    def __init__(self, init_method, modes):
        import faiss

        self.Kmeans, self.init_method, self.modes = faiss.Kmeans, init_method, modes

    def takes(self, data):
        # Of several starts, n_iter is the best one's alone: too few for the others.
        return not data.sparse and data.n_init == 1

    def lloyd(self, data, seed, n_iter):
        return self._train(data, data.start.astype(np.float32), niter=n_iter)

    def fit(self, data, seed, n_iter):
        return self._train(data, niter=n_iter, init_method=self.init_method, seed=seed)

    def predict(self, data, seed, n_iter):
        model, X = self.Kmeans(data.X.shape[1], data.k), data.X32
        model.centroids = data.centers.astype(np.float32)
        return lambda: Result(data.centers, model.assign(X)[1])

    def _train(self, data, init=None, **params):
        X = data.X32
        n, d = X.shape
        # Without these it trains on a sample of the rows.
        points = {"max_points_per_centroid": n, "min_points_per_centroid": 1}

        def call():
            model = self.Kmeans(d, data.k, **points, **params)
            model.train(X, init_centroids=init)
            model.assign(X)
            return Result(model.centroids, n_iter=len(model.obj))

        return call


class SuperKMeans:
    """For many centres of many features. It takes no first centres, hence no "lloyd"."""

    modes = {"fit", "predict"}

    def __init__(self):
        import superkmeans

        # All rows, and no hierarchy of clusters: as k-means is defined.
        self.KMeans = partial(superkmeans.SuperKMeans, hierarchical=False, sampling_fraction=1.0)

    def takes(self, data):
        return not data.sparse and data.k >= 256 and data.X.shape[1] >= 128

    def fit(self, data, seed, n_iter):
        X = data.X32
        n, d = X.shape

        def call():
            model = self.KMeans(data.k, d, iters=n_iter, seed=seed, max_points_per_cluster=n)
            centers = model.train(X)
            model.assign(X, centers)
            return Result(centers)

        return call

    def predict(self, data, seed, n_iter):
        X, centers = data.X32, data.centers.astype(np.float32)
        model = self.KMeans(data.k, X.shape[1])
        return lambda: Result(data.centers, model.assign(X, centers))


def make_sklearn():
    return Estimator(sklearn.cluster.KMeans, sklearn.cluster.kmeans_plusplus)


def make_ours():
    return Estimator(sklearn_lloyd.KMeans, sklearn_lloyd.kmeans_plusplus)


def make_faiss():
    from faiss import ClusteringInitMethod_KMEANS_PLUS_PLUS as init

    return Faiss(init, {"lloyd", "fit", "predict"})


def make_faiss_random():
    from faiss import ClusteringInitMethod_RANDOM as init

    return Faiss(init, {"fit"})


def make_sklearnex():
    from sklearnex.cluster import KMeans

    # It says in its log where it hands over to scikit-learn.
    logger = logging.getLogger("sklearnex")
    handler = logging.StreamHandler(sys.stdout)
    handler.addFilter(lambda record: "fallback" in record.getMessage())
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.INFO)
    return Estimator(KMeans)


RIVALS = {
    "sklearn": make_sklearn,
    OURS: make_ours,
    "faiss": make_faiss,
    "faiss-random": make_faiss_random,
    "sklearnex": make_sklearnex,
    "superkmeans": SuperKMeans,
}


def busy_elsewhere():
    """Processor seconds of everything but this process, since the machine started."""
    try:
        ticks = [int(field) for field in Path("/proc/stat").read_text().split(maxsplit=9)[1:9]]
    except OSError:  # Linux only
        return float("nan")
    _user, _nice, _system, idle, iowait, *_ = ticks
    own = os.times()
    return (sum(ticks) - idle - iowait) / os.sysconf("SC_CLK_TCK") - own.user - own.system


class Race:
    """The rivals on one workload in one mode."""

    def __init__(self, mode, data, rivals):
        self.mode, self.data = mode, data
        self.rivals = {
            name: rival
            for name, rival in rivals.items()
            if mode in rival.modes and rival.takes(data)
        }
        self.times = {name: [] for name in self.rivals}
        self.costs = {name: [] for name in self.rivals}
        self.n_iters = {name: [] for name in self.rivals}

    def run(self, rounds):
        start, busy = time.perf_counter(), busy_elsewhere()
        for name in self.rivals:
            self._call(name, seed=0)
        for seed in range(1, rounds + 1):
            if seed > 2 and time.perf_counter() > start + SECONDS:
                break
            for name, times in self.times.items():
                times.append(self._call(name, seed, SHORTEST))
        self.others = (busy_elsewhere() - busy) / (time.perf_counter() - start)
        if self.mode in SEEDED:
            self._add_seeds()
        return self

    def _add_seeds(self):
        if OURS not in self.rivals:
            return
        costs, deadline = self.costs[OURS], time.perf_counter() + DECIDING_SECONDS
        while self.is_worse(OURS) and len(costs) < MAX_SEEDS:
            if time.perf_counter() > deadline:
                break
            if len(self.costs["sklearn"]) == len(costs):
                self._call("sklearn", seed=len(costs))
            self._call(OURS, seed=len(costs))

    def _call(self, name, seed, shortest=0.0):
        """Mean seconds of as many calls as fill the shortest time to measure; one at least."""
        n_iters = self.n_iters["sklearn"]
        n_iter = round(statistics.median(n_iters)) if n_iters else None
        call = getattr(self.rivals[name], self.mode)(self.data, seed, n_iter)
        time.sleep(PAUSE)
        calls, seconds, start = 0, 0.0, time.perf_counter()
        while calls == 0 or seconds < shortest:
            result = call()
            calls, seconds = calls + 1, time.perf_counter() - start
        if self.mode in SEEDED or not self.costs[name]:
            self.costs[name].append(self.data.inertia(result))
        if result.n_iter is not None:
            self.n_iters[name].append(result.n_iter)
        return seconds / calls

    def seconds(self, name):
        return statistics.median(self.times[name])

    def ratio(self, slower, faster):
        return self.seconds(slower) / self.seconds(faster)

    def excess(self, name):
        """Mean inertia relative to scikit-learn's, from the same seeds, less 1."""
        costs = self.costs[name]
        return sum(costs) / sum(self.costs["sklearn"][: len(costs)]) - 1

    def is_worse(self, name):
        return self.excess(name) > TOLERANCE[self.mode]

    def row(self, names):
        cells = [self._cell(name) for name in names]
        n_iters = [self.n_iters.get(name) for name in names]
        medians = [str(round(statistics.median(n))) if n else "-" for n in n_iters]
        iterations = "/".join(medians) if any(n_iters) else ""
        return [self.data.name, *self.data.cells, f"{self.others:.2f}", *cells, iterations]

    def _cell(self, name):
        if name not in self.rivals:
            return "-"
        mark = f" {self.excess(name):+.1%}*" if self.is_worse(name) else ""
        return f"{1e3 * self.seconds(name):.4g} x{self.ratio('sklearn', name):.2f}{mark}"


class Report:
    """Lines to stdout as they come, the same as Markdown at the end."""

    def __init__(self):
        self.markdown = []

    def text(self, line):
        print(line, flush=True)
        self.markdown += ["", line]

    def head(self, title, cells):
        print(f"\n{title}")
        self.markdown += ["", f"## {title}", ""]
        self.row(cells)
        self.markdown.append("|---" * len(cells) + "|")

    def row(self, cells):
        first, *others = cells
        widths = [8] * len(COLUMNS) + [20] * len(others)
        columns = (f"{cell:>{width}}" for cell, width in zip(others, widths, strict=False))
        print(f"{first:19}", *columns, flush=True)
        self.markdown.append(f"| {' | '.join(cells)} |")


def compare(mode, datasets, rivals, rounds, report):
    """The races of a mode, each a row of its table."""
    races = []
    for data in datasets:
        races.append(Race(mode, data, rivals).run(rounds))
        report.row(races[-1].row(rivals))
    return races


def summarise(races, rivals, report):
    rows = [
        ("geometric mean", statistics.geometric_mean, lambda name: ("sklearn", name)),
        ("least", min, lambda name: ("sklearn", name)),
    ]
    if OURS in rivals:
        rows += [
            ("our lead, mean", statistics.geometric_mean, lambda name: (name, OURS)),
            ("our lead, least", min, lambda name: (name, OURS)),
        ]
    for title, statistic, pair in rows:
        ratios = [
            [race.ratio(*pair(name)) for race in races if name in race.rivals] for name in rivals
        ]
        cells = [f"{statistic(column):.2f}" if column else "-" for column in ratios]
        report.row([title, *[""] * len(COLUMNS), *cells, ""])


def grow(rivals, options, report):
    """The races of growth, and under each axis its exponents."""
    races = []
    for axis, shapes in GROWTH.items():
        workloads = [Workload(f"more {axis}", k, partial(noise, n, d)) for n, d, k in shapes]
        datasets = (Data(workload, options.scale) for workload in workloads)
        along = compare("growth", datasets, rivals, options.rounds, report)
        upper = along[len(along) // 2 :]
        sizes = np.log([race.data.sizes[axis] for race in upper])
        slopes = [
            np.polyfit(sizes, np.log([race.seconds(name) for race in upper]), 1)[0]
            for name in rivals
        ]
        report.row(
            [
                f"exponent of {axis}",
                *[""] * len(COLUMNS),
                *(f"{slope:.2f}" for slope in slopes),
                "",
            ]
        )
        races += along
    return races


def run(mode, datasets, rivals, options, report):
    rivals = {name: rival for name, rival in rivals.items() if mode in rival.modes}
    report.head(mode, ["data", *COLUMNS, *rivals, "iterations"])
    if mode == "growth":
        return grow(rivals, options, report)
    if mode == "common":
        chosen = [w for w in COMMON if options.only in w.name]
        datasets = [Data(workload, 1) for workload in chosen]
    races = compare(mode, datasets, rivals, options.rounds, report)
    if races:
        summarise(races, rivals, report)
    if mode == "fit" and options.only in SMALL_FIT.name:
        races += compare(mode, [Data(SMALL_FIT, 1)], rivals, options.rounds, report)
    return races


def load_each(what, loaders, report):
    """What can be loaded, by name; a line for what cannot."""
    loaded = {}
    for name, load in loaders.items():
        try:
            loaded[name] = load()
        except ImportError as error:
            report.text(f"{what} {name} left out: {error}")
    return loaded


def machine():
    cpu = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        models = re.findall(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
        cpu = models[0] if models else cpu
    versions = []
    for package in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            versions.append(f"{package} {importlib.metadata.version(package)}")
    python = f"Python {platform.python_version()}"
    date = datetime.date.today().isoformat()
    return f"{cpu}, {os.cpu_count()} cores, {date}, {python}, {', '.join(versions)}"


def some_of(names):
    """The type of an option that is a list of these names."""

    def parse(text):
        chosen = text.split(",")
        if unknown := set(chosen) - set(names):
            raise argparse.ArgumentTypeError(f"{sorted(unknown)} not among {list(names)}")
        return chosen

    return parse


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows, 3 rounds")
    parser.add_argument("--scale", type=float, help="the part of the rows to take")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--only", default="", metavar="SUBSTRING", help="of a workload's name")
    parser.add_argument("--modes", type=some_of(TOLERANCE), default=list(TOLERANCE))
    parser.add_argument("--rivals", type=some_of(RIVALS), default=list(RIVALS))
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    options = parser.parse_args()
    options.scale = options.scale or (0.1 if options.quick else 1)
    options.rounds = options.rounds or (3 if options.quick else 5)
    return options


def main():
    options = parse_options()
    warnings.simplefilter("ignore")
    report = Report()
    report.text(machine())
    makers = {name: RIVALS[name] for name in RIVALS if name in ("sklearn", *options.rivals)}
    rivals = load_each("rival", makers, report)
    workloads = {
        w.name: partial(Data, w, options.scale) for w in WORKLOADS if options.only in w.name
    }
    datasets = load_each("data", workloads, report).values()
    races = []
    for mode in options.modes:
        races += run(mode, datasets, rivals, options, report)
        if options.markdown:  # after each mode, lest an interrupted run leave nothing
            options.markdown.write_text("\n".join(report.markdown) + "\n")
    failures = [
        f"{race.mode} {race.data.name}: inertia {race.excess(OURS):+.2%}"
        for race in races
        if OURS in race.rivals and race.is_worse(OURS)
    ]
    if failures:
        raise SystemExit("\n".join(failures))


if __name__ == "__main__":
    main()
