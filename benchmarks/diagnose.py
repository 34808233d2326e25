"""Planted faults: how often `diagnose` finds them, and what it says of data without fault.

    python benchmarks/diagnose.py [--seeds N] [--first N] [--only NAME]

Each fault is planted in sets of rows from a recipe, one set for each seed; found is how often the
finding of its code is there. The thresholds were chosen by the reasons that stand beside them.
They were tried on the recipes called "first"; those called "other" have other numbers of rows,
features and clusters, and other shapes. On the clean sets, any finding is a false one. `--first`
is the seed to begin with.
"""

import argparse
import warnings
from collections import Counter
from functools import partial
from itertools import combinations

import numpy as np
import pandas as pd
from sklearn.datasets import make_circles, make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_lloyd import KMeans
from sklearn_lloyd.inspection import diagnose
from sklearn_lloyd.preprocessing import ClusterScaler


def fit(X, k, **params):
    return KMeans(k, **{"n_init": 10, "random_state": 0, **params}).fit(X)


def centers_apart(rng, k, d, gap):
    """Random centres, no two of which are nearer than `gap`, and not much farther."""
    side = gap
    while True:
        for _ in range(100):
            centers = rng.uniform(0, side, size=(k, d))
            if all(np.linalg.norm(a - b) >= gap for a, b in combinations(centers, 2)):
                return centers
        side *= 1.1


def groups(rng, n, k, d, gap=8.0, shares=None, centers=None):
    """Normal groups of standard deviation 1, and their centres."""
    centers = centers_apart(rng, k, d, gap) if centers is None else centers
    shares = np.ones(k) if shares is None else np.array(shares)
    sizes = np.maximum(1, np.rint(n * shares / shares.sum()).astype(int))
    labels = np.repeat(np.arange(k), sizes)
    return centers[labels] + rng.normal(size=(labels.size, d)), labels, centers


# Data without fault


def clean(rng, n, k, d, gap=8.0, shares=None, dtype=np.float64, scale=False):
    X = groups(rng, n, k, d, gap, shares)[0].astype(dtype)
    if scale:
        X = X * rng.uniform(1, 1000, size=d)
        return make_pipeline(StandardScaler(), KMeans(k, n_init=10, random_state=0)).fit(X), X
    return fit(X, k), X


CLEAN = {
    "2 groups, 300 x 2": partial(clean, n=300, k=2, d=2),
    "3 groups, 150 x 4": partial(clean, n=150, k=3, d=4),
    "5 groups, 1000 x 2": partial(clean, n=1000, k=5, d=2),
    "8 groups, 2000 x 10": partial(clean, n=2000, k=8, d=10),
    "12 groups, 3000 x 3": partial(clean, n=3000, k=12, d=3),
    "4 groups, 800 x 50": partial(clean, n=800, k=4, d=50, gap=14.0),
    "5 groups, float32, 1000 x 5": partial(clean, n=1000, k=5, d=5, dtype=np.float32),
    "4 groups of 1:2:3:5, 900 x 3": partial(clean, n=900, k=4, d=3, shares=[1, 2, 3, 5]),
    "6 groups, scaled in a pipeline, 700 x 6": partial(clean, n=700, k=6, d=6, scale=True),
}
CLEAN_OTHER = {
    "2 groups, 60 x 2": partial(clean, n=60, k=2, d=2),
    "3 groups, gap of 6, 400 x 3": partial(clean, n=400, k=3, d=3, gap=6.0),
    "20 groups, 4000 x 8": partial(clean, n=4000, k=20, d=8),
    "5 groups, 20000 x 5": partial(clean, n=20000, k=5, d=5),
    "7 groups, 300 x 20": partial(clean, n=300, k=7, d=20, gap=12.0),
    "3 groups of 1:4:8, float32, 1500 x 7": partial(
        clean, n=1500, k=3, d=7, shares=[1, 4, 8], dtype=np.float32
    ),
    "4 groups, gap of 5, 600 x 2": partial(clean, n=600, k=4, d=2, gap=5.0),
}


def shaped(rng, n, k, d, gap, shape):
    """Groups that are compact but not normal, or not of one spread."""
    labels, centers = rng.randint(k, size=n), centers_apart(rng, k, d, gap)
    X = {
        "uniform": lambda: rng.uniform(-np.sqrt(3), np.sqrt(3), size=(n, d)),
        "t": lambda: rng.standard_t(5, size=(n, d)) / np.sqrt(5 / 3),
        "2:1 long": lambda: rng.normal(size=(n, d)) * np.where(np.arange(d) == 0, 2.0, 1.0),
        "1:2 spreads": lambda: rng.normal(size=(n, d)) * np.linspace(1, 2, k)[labels, np.newaxis],
    }[shape]() + centers[labels]
    return fit(X, k), X


HARDER = {
    "3 groups, gap of 4, 600 x 2": partial(clean, n=600, k=3, d=2, gap=4.0),
    "2 groups of 1:10, 500 x 3": partial(clean, n=500, k=2, d=3, shares=[1, 10]),
    "3 groups, 30 x 2": partial(clean, n=30, k=3, d=2),
    "4 uniform groups, 800 x 3": partial(shaped, n=800, k=4, d=3, gap=8.0, shape="uniform"),
    "4 groups with heavy tails, 800 x 3": partial(shaped, n=800, k=4, d=3, gap=10.0, shape="t"),
    "4 groups 2 to 1 long, 800 x 4": partial(shaped, n=800, k=4, d=4, gap=12.0, shape="2:1 long"),
    "3 groups, spreads of 1 to 2, 600 x 4": partial(
        shaped, n=600, k=3, d=4, gap=14.0, shape="1:2 spreads"
    ),
    "30 groups, 6000 x 2": partial(clean, n=6000, k=30, d=2),
}


# Planted faults


def unscaled(rng, n, k, d, factor):
    X = groups(rng, n, k, d)[0]
    X[:, rng.randint(d)] *= factor
    return fit(X, k), X


def skewed_amount(rng):
    X = np.column_stack([groups(rng, 400, 4, 6)[0], rng.lognormal(8, 1, size=400)])
    return fit(X, 4), X


def constant(rng, n, k, d, value):
    X = np.insert(groups(rng, n, k, d)[0], rng.randint(d), value, axis=1)
    return fit(X, k), X


def one_hot(rng, n, levels, numeric, k, scale):
    X = np.column_stack(
        [rng.normal(size=(n, numeric))]
        + [np.eye(m)[rng.randint(m, size=n)] * (1 if scale else 3) for m in levels]
    )
    steps = [StandardScaler()] if scale else []
    return make_pipeline(*steps, KMeans(k, n_init=10, random_state=0)).fit(X), X


def by_region(rng, n, k, d, gap, levels, scale):
    """Groups in numbers, and a category that has nothing to do with them but weighs more."""
    X = groups(rng, n, k, d, gap)[0]
    X = np.column_stack(
        [
            ClusterScaler().fit_transform(X),
            np.eye(levels)[rng.randint(levels, size=len(X))] * scale,
        ]
    )
    return fit(X, levels), X


def row_numbers(rng, n, k, d, first, step):
    X = groups(rng, n, k, d)[0]
    X = np.column_stack([X, first + step * rng.permutation(len(X))])
    return make_pipeline(StandardScaler(), KMeans(k, n_init=10, random_state=0)).fit(X), X


def customer_id(rng, n, k, d, orders):
    X = pd.DataFrame(groups(rng, n, k, d)[0], columns=[f"amount_{j}" for j in range(d)])
    X["customer_id"] = rng.choice(10**6, len(X), replace=False)[np.arange(len(X)) // orders]
    return make_pipeline(ClusterScaler("range"), KMeans(k, n_init=10, random_state=0)).fit(X), X


def copied(rng, n, k, d, noise):
    X = groups(rng, n, k, d)[0]
    X = np.column_stack([X, X[:, 0] * 1.2 + noise * rng.normal(size=len(X))])
    return fit(X, k), X


def along_a_line(rng, n, k, d, noise):
    direction = rng.normal(size=d)
    X = np.outer(rng.uniform(0, 1, size=n), direction / np.linalg.norm(direction))
    X += noise * rng.normal(size=(n, d)) / np.sqrt(d)
    return fit(X, k), X


def single_feature(rng):
    X = groups(rng, 300, 3, 1, gap=10.0)[0]
    return fit(X, 3), X


def repeats(rng, n, distinct, k, d):
    X = groups(rng, distinct, k, d)[0]
    X = X[rng.randint(len(X), size=n)]
    return fit(X, k), X


def ratings(rng):
    X = rng.randint(1, 4, size=(600, 3)).astype(float)
    return fit(X, 30), X


def few(rng, n, k, d):
    X = groups(rng, n, k, d)[0]
    return fit(X, k), X


def with_outliers(rng, n, k, d, n_out, distance):
    X, _, centers = groups(rng, n, k, d)
    direction = rng.normal(size=(1, d))
    direction *= distance / np.linalg.norm(direction)
    X[:n_out] = centers.mean(axis=0) + direction + rng.normal(size=(n_out, d))
    return fit(X, k), X


def fringe(rng, n, k, d):
    X, _, centers = groups(rng, n, k, d, gap=12.0)
    direction = rng.normal(size=d)
    extra = centers[0] + 5.2 * direction / np.linalg.norm(direction)
    return KMeans.from_centers(np.vstack([centers, extra])), X


def empty(rng):
    X = groups(rng, 500, 4, 3)[0]
    model = fit(X, 4)
    return model, X[model.labels_ != 1]


def of_sizes(rng, n, shares, d, gap):
    X = groups(rng, n, len(shares), d, gap, shares)[0]
    return fit(X, len(shares)), X


def of_spreads(rng, n, spreads, d, gap):
    k = len(spreads)
    X, labels, centers = groups(rng, n, k, d, gap)
    X = centers[labels] + (X - centers[labels]) * np.array(spreads)[labels, np.newaxis]
    return fit(X, k), X


def pulled(rng, n, k, d, n_out, distance):
    X, labels, centers = groups(rng, n, k, d, gap=12.0)
    outwards = centers[0] - centers.mean(axis=0)
    outwards *= distance / np.linalg.norm(outwards)
    X[np.flatnonzero(labels == 0)[:n_out]] += outwards
    return fit(X, k), X


def cut_short(rng, n, k, d, max_iter):
    X = rng.normal(size=(n, d))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return fit(X, k, max_iter=max_iter, init="random", n_init=1), X


def cloud(rng, n, k, d, shape):
    X = rng.normal(size=(n, d)) if shape == "normal" else rng.uniform(size=(n, d))
    return fit(X, k), X


def tilted_cloud(rng):
    X = rng.normal(size=(700, 4)) @ rng.normal(size=(4, 4))
    return fit(X, 3), X


def stuck(rng, n, k, d):
    X, _, centers = groups(rng, n, k, d, gap=30.0)  # none can leave its place
    nearest = np.argsort(np.linalg.norm(centers - centers[0], axis=1))[1]
    first = np.delete(centers, nearest, axis=0)
    far = np.argmax(np.linalg.norm(first - first[0], axis=1))
    first = np.vstack([first, first[far] + rng.normal(size=d) * 0.5])
    return fit(X, k, init=first, n_init=1), X


def overlap(rng, n, k, d, distance):
    # Centres of a simplex, all as far from each other.
    centers = np.eye(k, d) * distance / np.sqrt(2)
    X = groups(rng, n, k, d, centers=centers)[0]
    return fit(X, k), X


def wrong_k(rng, n, k, d, fitted, gap=8.0):
    X = groups(rng, n, k, d, gap)[0]
    return fit(X, fitted), X


def moons(rng, n, noise, k=2):
    X = make_moons(n, noise=noise, random_state=rng)[0]
    return fit(X, k), X


def rings(rng, n, noise, factor, k=2):
    X = make_circles(n, noise=noise, factor=factor, random_state=rng)[0]
    return fit(X, k), X


def spirals(rng):
    turn = np.sqrt(rng.uniform(0.05, 1, size=600)) * 3 * np.pi
    arm = rng.randint(2, size=600) * np.pi
    X = np.column_stack([turn * np.cos(turn + arm), turn * np.sin(turn + arm)])
    X += 0.3 * rng.normal(size=X.shape)
    return fit(X, 2), X


def strips(rng, n, k, length, gap, d=2):
    labels = rng.randint(k, size=n)
    X = rng.normal(size=(n, d))
    X[:, 0] *= length
    X[:, 1] += labels * gap
    turn = np.linalg.qr(rng.normal(size=(d, d)))[0]
    return fit(X @ turn, k), X @ turn


def long_groups(rng, n, k, d, length, gap):
    X, labels, centers = groups(rng, n, k, d, gap)
    X = X - centers[labels]
    for group in range(k):
        direction = rng.normal(size=d)
        direction /= np.linalg.norm(direction)
        rows = labels == group
        X[rows] += (length - 1) * np.outer(X[rows] @ direction, direction)
    X += centers[labels]
    return fit(X, k), X


FAULTS = {
    "dominant-feature": {
        "first: 500 x 4, a feature times 100": partial(unscaled, n=500, k=3, d=4, factor=100),
        "other: 300 x 10, a feature times 300": partial(unscaled, n=300, k=5, d=10, factor=300),
        "other: a log-normal amount": skewed_amount,
    },
    "constant-features": {
        "first: 300 x 4, one of 7": partial(constant, n=300, k=3, d=3, value=7.0),
        "other: 2000 x 9, one of 0.1": partial(constant, n=2000, k=6, d=8, value=0.1),
    },
    "category-clusters": {
        "first: 3 groups, 4 regions": partial(
            by_region, n=600, k=3, d=3, gap=6.0, levels=4, scale=3.0
        ),
        "other: 5 groups of 8 features, yes and no": partial(
            by_region, n=1500, k=5, d=8, gap=8.0, levels=2, scale=5.0
        ),
        "other: a cloud, 10 regions": partial(
            by_region, n=2000, k=1, d=4, gap=1.0, levels=10, scale=8.0
        ),
    },
    "indicator-features": {
        "first: 2 numbers, 2 x 6 levels, scaled": partial(
            one_hot, n=600, levels=[6, 6], numeric=2, k=4, scale=True
        ),
        "other: 3 numbers, 5 levels times 3": partial(
            one_hot, n=300, levels=[5, 3], numeric=2, k=6, scale=False
        ),
        "other: 4 numbers, 20 levels, scaled": partial(
            one_hot, n=1500, levels=[20], numeric=4, k=5, scale=True
        ),
    },
    "identifier-features": {
        "first: row numbers, 300 x 4": partial(row_numbers, n=300, k=3, d=4, first=0, step=1),
        "other: tens from 10000": partial(row_numbers, n=80, k=4, d=6, first=10000, step=10),
        "other: customer_id, one order each": partial(customer_id, n=500, k=3, d=3, orders=1),
        "other: customer_id, 6 orders each": partial(customer_id, n=900, k=5, d=5, orders=6),
    },
    "correlated-features": {
        "first: 500 x 3 and a copy": partial(copied, n=500, k=3, d=3, noise=0.05),
        "other: 150 x 8 and a noisy copy": partial(copied, n=150, k=4, d=8, noise=0.2),
    },
    "one-dimensional": {
        "first: 400 x 5": partial(along_a_line, n=400, k=3, d=5, noise=0.004),
        "other: 1500 x 12": partial(along_a_line, n=1500, k=5, d=12, noise=0.003),
        "other: one feature": single_feature,
    },
    "repeated-rows": {
        "first: 300 rows, 2000 draws": partial(repeats, n=2000, distinct=300, k=3, d=3),
        "other: 100 rows, 400 draws": partial(repeats, n=400, distinct=100, k=4, d=6),
        "other: 27 distinct rows, k = 30": ratings,
    },
    "few-rows": {
        "first: 40 x 3, k = 8": partial(few, n=40, k=8, d=3),
        "other: 100 x 10, k = 15": partial(few, n=100, k=15, d=10),
    },
    "outlier-clusters": {
        "first: 3 of 300, 100 away": partial(
            with_outliers, n=300, k=3, d=2, n_out=3, distance=100.0
        ),
        "other: 8 of 1000 x 10, 100 away": partial(
            with_outliers, n=1000, k=4, d=10, n_out=8, distance=100.0
        ),
        "other: 1 of 500 x 4, 300 away": partial(
            with_outliers, n=500, k=5, d=4, n_out=1, distance=300.0
        ),
    },
    "tiny-clusters": {
        "first: a centre at the fringe": partial(fringe, n=600, k=3, d=2),
        "other: 400 x 5": partial(fringe, n=400, k=2, d=5),
        "other: rows of one cluster gone": empty,
    },
    "unequal-sizes": {
        "first: 40:40:1, 2000 x 2": partial(of_sizes, n=2000, shares=[40, 40, 1], d=2, gap=12.0),
        "other: 60:1, 3000 x 6": partial(of_sizes, n=3000, shares=[60, 1], d=6, gap=15.0),
    },
    "unequal-spreads": {
        "first: 1:4, 400 x 2": partial(of_spreads, n=400, spreads=[1, 4], d=2, gap=20.0),
        "other: 1:1:6, 900 x 5": partial(of_spreads, n=900, spreads=[1, 1, 6], d=5, gap=40.0),
    },
    "outlying-rows": {
        "first: 4 rows 20 out, 400 x 2": partial(pulled, n=400, k=3, d=2, n_out=4, distance=20.0),
        "other: 2 rows 40 out, 500 x 5": partial(pulled, n=500, k=4, d=5, n_out=2, distance=40.0),
    },
    "not-converged": {
        "first: 2 iterations, 2000 x 5": partial(cut_short, n=2000, k=8, d=5, max_iter=2),
        "other: 4 iterations, 5000 x 3": partial(cut_short, n=5000, k=20, d=3, max_iter=4),
    },
    "unstable-starts": {
        "first: normal cloud, 1000 x 5, k = 8": partial(cloud, n=1000, k=8, d=5, shape="normal"),
        "other: uniform cloud, 500 x 10, k = 6": partial(cloud, n=500, k=6, d=10, shape="uniform"),
        "other: normal cloud, 3000 x 3, k = 15": partial(cloud, n=3000, k=15, d=3, shape="normal"),
    },
    "local-optimum": {
        "first: 600 x 2, k = 6": partial(stuck, n=600, k=6, d=2),
        "other: 1000 x 5, k = 10": partial(stuck, n=1000, k=10, d=5),
    },
    "no-structure": {
        "first: normal cloud, 500 x 2, k = 3": partial(cloud, n=500, k=3, d=2, shape="normal"),
        "first: uniform cloud, 500 x 2, k = 4": partial(cloud, n=500, k=4, d=2, shape="uniform"),
        "other: normal cloud, 1500 x 10, k = 8": partial(cloud, n=1500, k=8, d=10, shape="normal"),
        "other: uniform cloud, 300 x 5, k = 2": partial(cloud, n=300, k=2, d=5, shape="uniform"),
        "other: tilted normal cloud, 700 x 4, k = 3": tilted_cloud,
    },
    "overlapping-clusters": {
        "first: 600 x 5, 3 apart": partial(overlap, n=600, k=4, d=5, distance=3.0),
        "other: 2000 x 20, 3 apart": partial(overlap, n=2000, k=6, d=20, distance=3.0),
    },
    "split-groups": {
        "first: 3 groups, k = 4": partial(wrong_k, n=600, k=3, d=2, fitted=4),
        "other: 5 groups of 10 features, k = 7": partial(wrong_k, n=1500, k=5, d=10, fitted=7),
    },
    "merged-groups": {
        "first: 4 groups, k = 3": partial(wrong_k, n=600, k=4, d=2, fitted=3),
        "other: 8 groups of 6 features, k = 5": partial(wrong_k, n=1600, k=8, d=6, fitted=5),
        "other: 5 groups, k = 4, 200 x 3": partial(wrong_k, n=200, k=5, d=3, fitted=4),
    },
    "non-compact-groups": {
        "first: moons": partial(moons, n=500, noise=0.05),
        "first: rings": partial(rings, n=500, noise=0.04, factor=0.5),
        "other: 1500 in moons, more noise": partial(moons, n=1500, noise=0.08),
        "other: rings, k = 3": partial(rings, n=1000, noise=0.03, factor=0.4, k=3),
        "other: spirals": spirals,
        "other: 3 strips": partial(strips, n=900, k=3, length=12.0, gap=7.0),
    },
    "elongated-clusters": {
        "first: 5 to 1, 600 x 2": partial(long_groups, n=600, k=3, d=2, length=5.0, gap=25.0),
        "other: 6 to 1, 1000 x 5": partial(long_groups, n=1000, k=4, d=5, length=6.0, gap=30.0),
    },
}


def codes(recipe, seed):
    model, X = recipe(np.random.RandomState(seed))
    return diagnose(model, X).codes


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", default="", help="part of the name of a code or a clean set")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    warnings.simplefilter("ignore", ConvergenceWarning)

    print(f"Planted faults: found in how many of {len(seeds)} sets, and what else was found")
    for code, recipes in FAULTS.items():
        for name, recipe in recipes.items():
            if options.only in code:
                seen = Counter(found for seed in seeds for found in codes(recipe, seed))
                others = ", ".join(f"{c} {n}" for c, n in seen.most_common() if c != code)
                print(f"{code:21} {name:43} {seen[code]:3}   {others}", flush=True)

    clean = {"Clean sets": CLEAN, "Other clean sets": CLEAN_OTHER, "Less clean sets": HARDER}
    for title, sets in clean.items():
        print(f"\n{title}: false findings in {len(seeds)} sets each")
        total = Counter()
        for name, recipe in sets.items():
            if options.only in name or options.only in title:
                seen = Counter(found for seed in seeds for found in codes(recipe, seed))
                total += seen
                print(f"{name:43} {seen.total():3}   {dict(seen) or ''}", flush=True)
        print(f"{'in all':43} {total.total():3}")


if __name__ == "__main__":
    main()
