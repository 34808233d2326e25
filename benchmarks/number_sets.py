"""Sets with a known number of groups, for choosing_k.py.

The first half are the kinds of sets that the rule of NClustersSearch was found with. The second,
`later`, was made after the rule was fixed, and written down before the rule was run on any of it;
neither was changed since. Where there is no structure, the number is 1.
"""

import importlib
import inspect
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn import datasets
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer, TfidfVectorizer
from sklearn.preprocessing import normalize

from sklearn_lloyd.preprocessing import table_pipeline


class Set(NamedTuple):
    name: str
    kind: str  # "groups", "skewed", "texts", "public", "retail" or "none"
    later: bool
    k: int
    make: object  # of a Generator: rows and the group of each


SETS = []


def add(name, kind, later, k, make):
    SETS.append(Set(name, kind, later, k, make))


def z_scores(X, rng=None):
    spread = X.std(axis=0)
    return (X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


def scattered(rng, k, d, apart):
    """Centres anywhere in a box, no two nearer than `apart`."""
    side, tries, centers = apart * max(1.0, k ** (1 / d)) * (1.2 if d <= 3 else 1.0), 0, []
    while len(centers) < k:
        center = rng.uniform(-side, side, d)
        if all(np.linalg.norm(center - other) >= apart for other in centers):
            centers.append(center)
        tries += 1
        if tries % 500 == 0:
            side *= 1.1
    return np.array(centers)


def grown(rng, k, d, apart):
    """Each centre 1 to 1.4 times `apart` from one of the others, and none nearer."""
    centers = [np.zeros(d)]
    while len(centers) < k:
        way = rng.normal(size=d)
        way *= rng.uniform(1.0, 1.4) * apart / np.linalg.norm(way)
        center = centers[rng.integers(len(centers))] + way
        if all(np.linalg.norm(center - other) >= 0.999 * apart for other in centers):
            centers.append(center)
    return np.array(centers)


def shares_of(rng, k, shares):
    if shares is None:
        return np.full(k, 1 / k)
    if shares == "uneven":
        shares = np.maximum(rng.dirichlet(np.full(k, 3.0)), 0.3 / k)
    return np.array(shares) / np.sum(shares)


def normal(rng, size):
    return rng.normal(size=size)


def groups(k, d, n, apart, shares=None, widest=1.0, draw=normal, place=scattered, then=None):
    """Groups of like shape, of unit deviation up to `widest`, `apart` of each other."""

    def make(rng):
        centers = place(rng, k, d, apart) if callable(place) else apart * np.array(place)
        labels = rng.choice(k, n, p=shares_of(rng, k, shares))
        widths = rng.uniform(1.0, widest, k)[labels, np.newaxis]
        X = centers[labels] + widths * draw(rng, (n, centers.shape[1]))
        return X if then is None else then(X, rng), labels

    return make


def slanted(groups_of, strength=0.5):
    """Each group has a covariance of its own."""

    def make(rng):
        X, labels = groups_of(rng)
        for label in np.unique(labels):
            own, d = labels == label, X.shape[1]
            middle = X[own].mean(axis=0)
            slant = np.eye(d) + strength * rng.normal(size=(d, d)) / np.sqrt(d)
            X[own] = middle + (X[own] - middle) @ slant
        return X, labels

    return make


def noise_features(n_features):
    return lambda X, rng: np.c_[X, rng.normal(size=(len(X), n_features))]


def outliers(share, scale):
    def then(X, rng):
        X = X.copy()
        some = rng.choice(len(X), int(share * len(X)), replace=False)
        X[some] = X.mean(axis=0) + scale * X.std(axis=0) * rng.normal(size=X[some].shape)
        return X

    return then


def drawn(k, n, of_group):
    """Rows by `of_group(rng, labels)`, groups of equal shares."""

    def make(rng):
        labels = rng.integers(k, size=n)
        return of_group(rng, labels), labels

    return make


def nothing(draw):
    def make(rng):
        X = draw(rng)
        return X, np.zeros(len(X), dtype=int)

    return make


def counted(k, d, of, lowest=0.0, highest=3.5, draw=lambda rng, mean: rng.poisson(mean)):
    """Counts whose means are spread evenly by their logarithm."""
    return lambda rng, labels: of(
        draw(rng, np.exp(rng.uniform(lowest, highest, size=(k, d)))[labels])
    )


def answers_of(k, d, steps, spread):
    """Answers from 1 to 5."""
    return lambda rng, labels: np.clip(
        np.round(
            rng.choice(steps, size=(k, d))[labels] + spread * rng.normal(size=(labels.size, d))
        ),
        1,
        5,
    )


def yes_or_no(k, d):
    return lambda rng, labels: (
        rng.uniform(size=(labels.size, d)) < rng.choice([0.1, 0.9], size=(k, d))[labels]
    ).astype(float)


def topics(k, n, n_words=2000, length=60, own=0.5, n_axes=20, zipf=False):
    """TF-IDF of documents; of the words of each, a part `own` belong to its topic."""

    def make(rng):
        common = rng.dirichlet(np.full(n_words, 0.05))
        if zipf:
            common = 1.0 / (10.0 + rng.permutation(n_words))
            common /= common.sum()
        words = [
            (1 - own) * common + own * rng.dirichlet(np.full(n_words, 0.02)) for _ in range(k)
        ]
        words = np.array(words) if k > 1 else common[np.newaxis]
        labels = rng.integers(k, size=n)
        lengths = rng.poisson(length, size=n) + 5
        counts = [rng.multinomial(m, words[j]) for m, j in zip(lengths, labels, strict=True)]
        X = TfidfTransformer(sublinear_tf=True).fit_transform(np.array(counts))
        if n_axes is None:
            return X.toarray(), labels
        return normalize(TruncatedSVD(n_axes, random_state=0).fit_transform(X)), labels

    return make


def docstrings(*modules):
    """Docstrings by module, as a user would prepare them."""

    def make(rng):
        found = []
        for label, name in enumerate(modules):
            module = importlib.import_module(name)
            for public in sorted(getattr(module, "__all__", None) or dir(module)):
                one = getattr(module, public, None)
                text = None if inspect.ismodule(one) else inspect.getdoc(one)
                if isinstance(text, str) and len(text) > 80 and public[0] != "_":
                    found.append((text, label))
        texts, labels = zip(*found, strict=True)
        X = TfidfVectorizer(stop_words="english", sublinear_tf=True, min_df=2).fit_transform(texts)
        axes = TruncatedSVD(10, random_state=int(rng.integers(1000))).fit_transform(X)
        return normalize(axes), np.array(labels)

    return make


def columns_of_customers(n, shares, region=False, logs=True):
    def make(rng):
        g = rng.choice(3, n, p=shares)
        income = np.exp(np.array([10.2, 10.9, 11.7])[g] + 0.22 * rng.normal(size=n))
        age = np.array([28, 47, 60])[g] + 6 * rng.normal(size=n)
        spend = np.exp(np.array([4.2, 5.6, 7.2])[g] + 0.45 * rng.normal(size=n))
        visits = rng.poisson(np.array([3, 9, 22])[g])
        if logs:
            income, spend, visits = np.log(income), np.log(spend), np.log1p(visits)
        X = z_scores(np.column_stack([income, age, spend, visits]))
        if region:
            X = np.c_[X, np.sqrt(0.5) * np.eye(4)[rng.integers(4, size=n)]]
        return X, g

    return make


def customers(rng, n, shares, levels=None, categories=(4,), width=1.0, missing=0.02, extra=0):
    """A table of customers as a shop keeps it, and the segment of each.

    `levels`: how high income, age, spend and visits of each segment are, in steps that are 2 to 3
    deviations.
    """
    g = rng.choice(len(shares), n, p=np.array(shares) / np.sum(shares))
    levels = np.array([[i] * 4 for i in range(len(shares))] if levels is None else levels, float)
    income, age, spend, visits = levels[g].T
    table = pd.DataFrame(
        {
            "customer_id": 10_000 + rng.permutation(n),
            "income": np.exp(10.2 + 0.7 * income + 0.28 * width * rng.normal(size=n)).round(),
            "age": np.clip(27 + 16 * age + 6.5 * width * rng.normal(size=n), 18, 95).round(),
            "spend": np.exp(4.0 + 1.4 * spend + 0.55 * width * rng.normal(size=n)).round(2),
            "visits": rng.poisson(3.0 * np.exp(1.0 * visits)),
            "joined": pd.Timestamp("2021-01-01")
            + pd.to_timedelta(rng.integers(0, 1500, n), unit="D"),
        }
    )
    for i, n_levels in enumerate(categories):
        names = np.array([f"{['region', 'channel', 'plan'][i]} {j}" for j in range(n_levels)])
        table[f"category_{i}"] = rng.choice(names, n, p=rng.dirichlet(np.full(n_levels, 5.0)))
    for i in range(extra):
        table[f"measure_{i}"] = rng.normal(50, 10, n).round(1)
    for name in table.columns.drop(["customer_id", "joined"]):
        table[name] = table[name].where(rng.uniform(size=n) >= missing)
    return table, g


def retail(*shape, **settings):
    def make(rng):
        table, g = customers(rng, *shape, **settings)
        return through_the_pipeline(table), g

    return make


def through_the_pipeline(table):
    X = table_pipeline(table)[:-1].fit_transform(table)
    return np.asarray(X.toarray() if hasattr(X, "toarray") else X, dtype=float)


def phone_contracts(n, k):
    """Minutes, data and tenure of `k` kinds of customers; the plan goes with the kind in part."""

    def make(rng):
        g = rng.integers(k, size=n)
        usage = np.array([[0, 2, 1], [2, 0, 2], [3, 3, 0], [0, 4, 3], [5, 1, 4]])[g]
        plan = np.where(rng.uniform(size=n) < 0.6, g, rng.integers(k, size=n))
        table = pd.DataFrame(
            {
                "minutes": (rng.gamma(8.0, 1.0, n) * np.exp(2 + usage[:, 0])).round(1),
                "gigabytes": (rng.gamma(8.0, 0.05, n) * np.exp(usage[:, 1])).round(2),
                "tenure": np.clip(6 + 14 * usage[:, 2] + 5 * rng.normal(size=n), 0, None).round(),
                "complaints": rng.poisson(0.4, n),
                "plan": np.array(list("ABCDE"))[plan],
            }
        )
        return through_the_pipeline(table), g

    return make


def digits_of(*classes):
    def make(rng):
        data, target = datasets.load_digits(return_X_y=True)
        some = np.isin(target, classes)
        return data[some], target[some]

    return make


def public(name, scale):
    def make(rng):
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        return z_scores(X) if scale else X, y

    return make


def first_half():
    def first(name, kind, k, make):
        add(name, kind, False, k, make)

    for k, d, n, apart in [
        (2, 10, 300, 6.0),
        (3, 2, 300, 6.0),
        (4, 5, 800, 4.2),
        (5, 20, 500, 6.0),
        (6, 2, 1000, 4.2),
        (3, 4, 60, 6.0),
        (7, 3, 1500, 3.8),
        (3, 10, 300, 4.0),
        (8, 50, 800, 6.0),
        (12, 20, 600, 6.0),
        (20, 10, 2000, 6.0),
        (30, 8, 3000, 6.0),
        (15, 2, 2000, 5.0),
    ]:
        first(f"normal k{k} {n}x{d}, {apart}", "groups", k, groups(k, d, n, apart))
    first("shares k3", "groups", 3, groups(3, 6, 2000, 5.5, "uneven"))
    first("shares k8", "groups", 8, groups(8, 10, 2000, 5.5, "uneven"))
    first("spreads k4", "groups", 4, groups(4, 3, 1000, 9.0, widest=2.5))
    first("shares and spreads k5", "groups", 5, groups(5, 4, 800, 5.0, "uneven", 1.6))
    first("slanted k5", "groups", 5, slanted(groups(5, 6, 1500, 7.0)))
    first("noise features k3", "groups", 3, groups(3, 3, 800, 6.0, then=noise_features(12)))
    first("outliers k5", "groups", 5, groups(5, 3, 1500, 6.0, then=outliers(0.02, 5)))
    first("background k4", "groups", 4, groups(4, 2, 1000, 7.0, then=outliers(0.08, 1.5)))

    def fat(rng, size):
        return rng.standard_t(5, size)

    first("heavy tails k6", "groups", 6, groups(6, 4, 1800, 8.0, draw=fat))

    def gamma(rng, size):
        return rng.gamma(2.0, 0.5, size)

    first("gamma k3", "skewed", 3, groups(3, 4, 1000, 3.2, "uneven", draw=gamma))
    first("gamma k6", "skewed", 6, groups(6, 5, 2000, 3.2, "uneven", draw=gamma))

    def small(rng, size):
        return 0.5 * rng.normal(size=size)

    def exp(X, rng):
        return z_scores(np.exp(0.5 * X))

    first("log-normal k4", "skewed", 4, groups(4, 4, 1200, 3.0, draw=small, then=exp))

    def root(X):
        return z_scores(np.sqrt(X))

    first("counts k4", "skewed", 4, drawn(4, 1000, counted(4, 8, root)))
    first("counts k7", "skewed", 7, drawn(7, 1500, counted(7, 12, root)))
    first("answers k3", "skewed", 3, drawn(3, 600, answers_of(3, 10, [1.5, 3, 4.5], 0.8)))
    first("yes or no k5", "skewed", 5, drawn(5, 1200, yes_or_no(5, 24)))
    first("topics k4", "texts", 4, topics(4, 600))
    first("topics k8", "texts", 8, topics(8, 1200))
    first("tf-idf k5", "texts", 5, topics(5, 800, 3000, 80, n_axes=None))
    first("embeddings k8", "texts", 8, groups(8, 200, 800, 14.0))
    for name, k, scale in [
        ("iris", 3, False),
        ("wine", 3, True),
        ("breast_cancer", 2, True),
        ("digits", 10, False),
    ]:
        first(name, "public", k, public(name, scale))
    usual = (0.5, 0.38, 0.12)
    first("customers 2000", "retail", 3, columns_of_customers(2000, usual))
    first("customers 600", "retail", 3, columns_of_customers(600, usual))
    first("customers, region", "retail", 3, columns_of_customers(1500, usual, region=True))
    first("customers 60/30/10", "retail", 3, columns_of_customers(3000, (0.6, 0.3, 0.1)))
    first("customers 80/15/5", "retail", 3, columns_of_customers(3000, (0.8, 0.15, 0.05)))
    first("customers, no logs", "retail", 3, columns_of_customers(2000, usual, logs=False))
    for draw in ("normal", "uniform", "lognormal", "exponential"):
        for shape in (100, 2), (300, 50), (1000, 2), (2000, 5):
            make = nothing(lambda rng, draw=draw, shape=shape: getattr(rng, draw)(size=shape))
            first(f"no {draw} {shape[0]}x{shape[1]}", "none", 1, make)
    t3 = nothing(lambda rng: rng.standard_t(3, size=(500, 10)))
    first("no t3", "none", 1, t3)
    mixed = nothing(lambda rng: rng.normal(size=(1000, 5)) @ rng.normal(size=(5, 5)))
    first("no correlated", "none", 1, mixed)
    first("no answers", "none", 1, drawn(1, 600, answers_of(1, 10, [3.0], 1.2)))
    first("no yes or no", "none", 1, nothing(lambda rng: rng.integers(2, size=(500, 10)) * 1.0))
    first("no tf-idf", "none", 1, topics(1, 800, 3000, 80, n_axes=None))

    def one_hot(rng):
        return np.c_[
            np.sqrt(0.5) * np.eye(4)[rng.integers(4, size=800)], rng.normal(size=(800, 3))
        ]

    first("no one-hot", "none", 1, nothing(one_hot))


def later_half():
    def later(name, kind, k, make):
        add(name, kind, True, k, make)

    for k, d, n, apart in [
        (2, 30, 200, 8.0),
        (2, 50, 300, 3.5),
        (2, 2, 1000, 4.5),
        (3, 2, 150, 5.0),
        (3, 2, 1000, 3.5),
        (4, 7, 80, 7.0),
        (5, 2, 5000, 4.5),
        (6, 15, 400, 5.0),
        (7, 4, 350, 6.0),
        (9, 3, 1800, 5.0),
        (11, 6, 2200, 6.0),
        (14, 2, 2000, 7.0),
        (18, 12, 1200, 8.0),
        (24, 5, 2400, 7.0),
        (30, 20, 3000, 10.0),
    ]:
        later(f"normal k{k} {n}x{d}, {apart}", "groups", k, groups(k, d, n, apart, place=grown))

    def near(k, d, n, apart, *rest, **settings):
        return groups(k, d, n, apart, *rest, place=grown, **settings)

    halving = 0.6 ** np.arange(5)
    later("shares that halve k5", "groups", 5, near(5, 3, 1200, 6.0, tuple(halving)))
    later("shares 90/10 k2", "groups", 2, near(2, 4, 500, 6.0, (9, 1)))
    later("shares 70/27/3 k3", "groups", 3, near(3, 5, 1000, 8.0, (70, 27, 3)))
    later("spreads k4", "groups", 4, near(4, 2, 900, 10.0, widest=2.0))
    later("shares and spreads k6", "groups", 6, near(6, 6, 1500, 8.0, "uneven", 1.8))

    def long(rng, size):
        return rng.normal(size=size) * np.linspace(2.0, 0.7, size[1])

    later("all long one way k3", "groups", 3, near(3, 3, 700, 9.0, draw=long))
    later("slanted k4", "groups", 4, slanted(near(4, 8, 1000, 6.5)))
    later("outliers 3 % k4", "groups", 4, near(4, 3, 800, 7.0, then=outliers(0.03, 4)))
    later("whole numbers k4", "groups", 4, near(4, 2, 800, 7.0, then=lambda X, rng: X.round()))

    def peaked(rng, size):
        return rng.laplace(size=size) / np.sqrt(2)

    later("peaked k3", "groups", 3, near(3, 4, 800, 7.0, draw=peaked))

    def fat(rng, size):
        return rng.standard_t(4, size)

    later("heavy tails k4", "groups", 4, near(4, 5, 1200, 9.0, draw=fat))
    angles = np.arange(6) * np.pi / 3
    hexagon = np.r_[[[0.0, 0.0]], np.c_[np.cos(angles), np.sin(angles)]]
    later("hexagon k7", "groups", 7, groups(7, 2, 1400, 5.0, place=hexagon))
    corners = np.array(np.meshgrid([0, 1], [0, 1], [0, 1])).reshape(3, 8).T
    later("corners of a cube k8", "groups", 8, groups(8, 3, 1600, 4.5, place=corners))
    row = np.c_[np.arange(5), np.zeros((5, 2))]
    later("in a row k5", "groups", 5, groups(5, 3, 500, 6.0, place=row))
    pairs = np.array([[0, 0, 0, 0], [1, 0, 0, 0], [0, 4, 0, 0], [0, 4, 1, 0]])
    later("two pairs k4", "groups", 4, groups(4, 4, 800, 5.0, place=pairs))
    later("noise features k4", "groups", 4, near(4, 4, 500, 8.0, then=noise_features(30)))

    def ball(rng, size):
        way = rng.normal(size=size)
        way /= np.linalg.norm(way, axis=1, keepdims=True)
        return way * rng.uniform(size=(size[0], 1)) ** (1 / size[1])

    later("filled balls k4", "groups", 4, near(4, 3, 700, 2.6, draw=ball))

    def log(X, rng):
        return z_scores(np.log(np.exp(0.3 * X + 5.0).round(1)))

    later("logs of prices k4", "skewed", 4, near(4, 4, 1500, 5.5, then=log))

    def prices(X, rng):
        return z_scores(np.exp(0.2 * X))

    later("prices, no logs k3", "skewed", 3, near(3, 3, 900, 6.5, then=prices))

    def durations(rng, mean):
        return rng.gamma(6.0, mean / 6.0)

    def logs(X):
        return z_scores(np.log(X))

    make = counted(3, 5, logs, 0.0, 4.0, durations)
    later("logs of durations k3", "skewed", 3, drawn(3, 800, make))
    later(
        "logs of counts k5",
        "skewed",
        5,
        drawn(5, 1000, counted(5, 6, lambda X: z_scores(np.log1p(X)), 0.5, 4.5)),
    )

    def many(rng, mean):
        return rng.negative_binomial(5, 5 / (5 + mean))

    later(
        "roots of counts k3",
        "skewed",
        3,
        drawn(3, 600, counted(3, 10, lambda X: np.sqrt(X), 0.5, 4.0, many)),
    )

    def chi(rng, size):
        return rng.chisquare(4, size) / np.sqrt(8)

    later("chi-square k4", "skewed", 4, near(4, 3, 1000, 6.0, draw=chi))
    later("answers k4", "skewed", 4, drawn(4, 500, answers_of(4, 12, [1.5, 2.5, 3.5, 4.5], 0.7)))
    later("phone contracts k3", "retail", 3, phone_contracts(1200, 3))
    later("phone contracts k5", "retail", 5, phone_contracts(2500, 5))

    later("topics k3", "texts", 3, topics(3, 400, 1500, 40, 0.5, 10, zipf=True))
    later("topics k6", "texts", 6, topics(6, 900, 3000, 100, 0.4, 15, zipf=True))
    later("topics k12", "texts", 12, topics(12, 1800, 3000, 120, 0.5, 30, zipf=True))
    later("tf-idf k4", "texts", 4, topics(4, 500, 1500, 100, 0.5, None, zipf=True))
    later("docstrings k2", "texts", 2, docstrings("numpy.random", "sklearn.metrics"))
    later("docstrings k3", "texts", 3, docstrings("scipy.stats", "scipy.special", "scipy.signal"))

    def directions(k, d, n, own):
        def of_group(rng, labels):
            middle = normalize(rng.normal(size=(k, d)))
            return normalize(own * middle[labels] + rng.normal(size=(labels.size, d)) / np.sqrt(d))

        return drawn(k, n, of_group)

    later("directions k6", "texts", 6, directions(6, 128, 1000, 1.0))
    later("directions k15", "texts", 15, directions(15, 64, 1500, 1.5))

    def low_rank(k, d, n, apart):
        def of_group(rng, labels):
            scales = 1.0 / np.sqrt(1.0 + np.arange(d))
            within = rng.normal(size=(labels.size, d)) * scales
            between = grown(rng, k, d // 8, apart)[labels]
            return (np.c_[between, np.zeros((labels.size, d - d // 8))] + within) @ rotation(
                rng, d
            )

        return drawn(k, n, of_group)

    def rotation(rng, d):
        return np.linalg.qr(rng.normal(size=(d, d)))[0]

    later("uneven axes k5", "texts", 5, low_rank(5, 96, 800, 5.0))
    later("uneven axes k10", "texts", 10, low_rank(10, 128, 1500, 5.0))
    later("digits 0 and 1", "public", 2, digits_of(0, 1))
    later("digits 0, 4 and 6", "public", 3, digits_of(0, 4, 6))
    later("digits 0, 2, 6 and 7", "public", 4, digits_of(0, 2, 6, 7))

    usual = (50, 38, 12)
    later("table 2000", "retail", 3, retail(2000, usual))
    later("table 500", "retail", 3, retail(500, usual))
    later("table 5000", "retail", 3, retail(5000, usual, categories=(6,)))
    later("table 45/30/25", "retail", 3, retail(1500, (45, 30, 25), categories=(5, 3)))
    later("table 70/22/8", "retail", 3, retail(2500, (70, 22, 8)))
    later("table 60/40", "retail", 2, retail(800, (60, 40)))
    later("table, wider groups", "retail", 3, retail(2000, usual, width=1.2))
    later("table, 8 % missing", "retail", 3, retail(2000, usual, missing=0.08))
    later("table, three categories", "retail", 3, retail(2000, usual, categories=(4, 3, 2)))
    later("table, two measures more", "retail", 3, retail(2000, usual, extra=2))
    four = [[0, 0, 0, 0], [1, 0, 1, 2], [0, 2, 1, 0], [2, 2, 2, 2]]
    later("table 40/30/20/10", "retail", 4, retail(2000, (40, 30, 20, 10), four))
    five = [[0, 0, 0, 1], [2, 0, 1, 0], [1, 2, 0, 0], [0, 2, 2, 2], [2, 1, 2, 2]]
    later("table of five", "retail", 5, retail(3000, (30, 25, 20, 15, 10), five))

    def none(name, draw):
        later(f"no {name}", "none", 1, nothing(draw))

    none("normal 250x4", lambda rng: rng.normal(size=(250, 4)))
    none("normal 1500x8", lambda rng: rng.normal(size=(1500, 8)))
    none("normal 80x3", lambda rng: rng.normal(size=(80, 3)))
    none("normal 200x150", lambda rng: rng.normal(size=(200, 150)))
    none("normal 5000x2", lambda rng: rng.normal(size=(5000, 2)))
    none("uniform 600x3", lambda rng: rng.uniform(size=(600, 3)))
    none("uniform 120x6", lambda rng: rng.uniform(size=(120, 6)))
    none("disc", lambda rng: ball(rng, (800, 2)))
    none("ball", lambda rng: ball(rng, (1200, 5)))
    none("log-normal", lambda rng: z_scores(rng.lognormal(0, 0.8, size=(700, 4))))
    none(
        "logs of prices", lambda rng: z_scores(np.log(rng.lognormal(3, 1, (900, 3)).round(2) + 1))
    )
    none("long", lambda rng: rng.normal(size=(500, 2)) * [10.0, 1.0])

    def after_each_other(rng):
        X = rng.normal(size=(1000, 6))
        for j in range(1, 6):
            X[:, j] = 0.9 * X[:, j - 1] + np.sqrt(1 - 0.81) * X[:, j]
        return X

    none("correlated", after_each_other)
    none(
        "factors",
        lambda rng: (
            rng.normal(size=(800, 3)) @ rng.normal(size=(3, 20)) + 0.7 * rng.normal(size=(800, 20))
        ),
    )
    none("peaked", lambda rng: rng.laplace(size=(800, 3)))
    none("t4", lambda rng: rng.standard_t(4, size=(1500, 5)))
    none("t2", lambda rng: rng.standard_t(2, size=(600, 2)))
    none("exponential", lambda rng: rng.exponential(size=(900, 3)))
    none("gamma", lambda rng: z_scores(rng.gamma(1.5, size=(1000, 4))))
    none("Weibull", lambda rng: rng.weibull(0.8, size=(400, 2)))
    none("beta", lambda rng: rng.beta(2, 5, size=(500, 6)))
    none("counts", lambda rng: rng.poisson(2.0, size=(700, 4)).astype(float))
    none("counts of two columns", lambda rng: rng.binomial(8, 0.4, size=(900, 2)).astype(float))
    none("dice", lambda rng: rng.integers(1, 7, size=(600, 3)).astype(float))

    def one_hot(rng):
        columns = [
            np.eye(3)[rng.choice(3, 700, p=[0.6, 0.3, 0.1])],
            np.eye(5)[rng.integers(5, size=700)],
        ]
        return np.c_[np.sqrt(0.5) * np.hstack(columns), rng.normal(size=(700, 2))]

    none("one-hot", one_hot)
    none(
        "only one-hot",
        lambda rng: np.hstack([np.eye(m)[rng.integers(m, size=500)] for m in (2, 3, 6)]),
    )
    none("directions", lambda rng: normalize(rng.normal(size=(800, 128))))
    none(
        "funnel",
        lambda rng: (lambda z: np.c_[z, np.exp(0.5 * z) * rng.normal(size=1000)])(
            rng.normal(size=1000)
        ),
    )
    later("no topics", "none", 1, topics(1, 600, 2000, 60, 0.5, 15, zipf=True))

    def one(n, categories):
        return nothing(
            lambda rng: through_the_pipeline(
                customers(rng, n, (1,), width=2.5, categories=categories)[0]
            )
        )

    later("no segments", "none", 1, one(1500, (4,)))
    later("no segments, three categories", "none", 1, one(1000, (5, 3, 2)))


first_half()
later_half()
