"""Texts: what lengths and dimensions do to clusters, and how long reading them takes.

    python benchmarks/texts.py [--seeds N]

The texts are the docstrings of installed packages, at most 150 of each module; a set is a package
with its modules as labels, or all packages with the packages as labels, and the first paragraphs
of the same. Agreement is the adjusted Rand index of k-means, with as many clusters as labels, and
the labels, a mean over seeds. Packages that are not installed are left out.
"""

import argparse
import importlib
import inspect
import pkgutil
import time
import warnings
from collections import Counter

import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from sklearn_lloyd import KMeans
from sklearn_lloyd.inspection import ProfileDisplay, cluster_profiles, diagnose

PACKAGES = [
    "numpy",
    "scipy",
    "sklearn",
    "pandas",
    "matplotlib",
    "sqlalchemy",
    "skimage",
    "networkx",
]
LEAST, MOST = 25, 150  # texts of a label


def docstrings(package):
    """(module, docstring) of what the public modules of a package offer."""
    root, found = importlib.import_module(package), {}
    names = (f"{package}.{found.name}" for found in pkgutil.iter_modules(root.__path__))
    for name in [package, *sorted(n for n in names if not n.split(".")[-1].startswith("_"))]:
        try:
            module = importlib.import_module(name)
        except Exception:  # of another system, or without an extra
            continue
        for what in sorted(getattr(module, "__all__", None) or dir(module)):
            one = None if what.startswith("_") else _attribute(module, what)
            if one is None or inspect.ismodule(one):
                continue
            members = [one, *(vars(one).values() if inspect.isclass(one) else ())]
            for member in members:
                text = inspect.getdoc(member) if callable(member) else None
                if isinstance(text, str) and len(text) >= 80:
                    found.setdefault(text, name)
    return [(name, text) for text, name in found.items()]


def _attribute(module, name):
    try:
        return getattr(module, name, None)
    except Exception:  # experimental ones ask for an import
        return None


def labelled(texts):
    rng, rows = np.random.default_rng(0), []
    for label, count in sorted(Counter(label for label, _ in texts).items()):
        if count >= LEAST:
            own = [text for other, text in texts if other == label]
            rows += [(label, own[i]) for i in rng.permutation(count)[:MOST]]
    return rows


def first_paragraphs(rows):
    return [(label, text.split("\n\n")[0]) for label, text in rows]


PIPELINES = {
    "counts": lambda: [CountVectorizer()],
    "tf-idf, norm=None": lambda: [TfidfVectorizer(norm=None)],
    "tf-idf": lambda: [TfidfVectorizer()],
    "tf-idf, SVD": lambda: [
        TfidfVectorizer(sublinear_tf=True, max_df=0.5),
        TruncatedSVD(100, random_state=0),
        Normalizer(),
    ],
}


def agreement(rows, n_seeds):
    labels, texts = zip(*rows, strict=True)
    k = len(set(labels))
    print(f"{len(texts):6d} {k:3d}", end="")
    for make in PIPELINES.values():
        X = make_pipeline(*make()).fit_transform(texts)
        scores = [
            adjusted_rand_score(labels, KMeans(k, random_state=seed).fit(X).labels_)
            for seed in range(n_seeds)
        ]
        lengths = np.sqrt(np.asarray(X.multiply(X).sum(axis=1))) if hasattr(X, "multiply") else 1.0
        print(f"{np.mean(scores):13.2f} ({np.std(lengths) / np.mean(lengths):.2f})", end="")
    print(flush=True)


def seconds(texts):
    model = make_pipeline(*PIPELINES["tf-idf, SVD"](), KMeans(12, random_state=0)).fit(texts)
    wide = make_pipeline(TfidfVectorizer(), KMeans(12, random_state=0)).fit(texts)
    print(f"\n{len(texts)} docstrings, {len(wide[0].vocabulary_)} terms; best of 3, seconds")
    for name, one in (("tf-idf", wide), ("tf-idf, SVD", model)):
        calls = {
            "vectoriser": lambda one=one: one[0].transform(texts),
            "cluster_profiles": lambda one=one: cluster_profiles(one, texts),
            "diagnose": lambda one=one: diagnose(one, texts),
        }
        for said, call in calls.items():
            taken = []
            for _ in range(3):
                start = time.perf_counter()
                call()
                taken.append(time.perf_counter() - start)
            print(f"  {name:12s} {said:18s} {min(taken):.2f}")
        terms = ProfileDisplay.from_profiles(cluster_profiles(one, texts)).terms
        shown = [set(own) for own, _, _ in terms]
        own = [len(s - set().union(*shown[:i], *shown[i + 1 :])) for i, s in enumerate(shown)]
        print(f"  {name:12s} terms in the picture that no other cluster has: {min(own)} or more")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    n_seeds = parser.parse_args().seeds
    warnings.simplefilter("ignore")
    found = {}
    for package in PACKAGES:
        try:
            found[package] = docstrings(package)
        except ImportError:
            print(f"{package} is not installed")
    sets = {package: labelled(texts) for package, texts in found.items()}
    sets = {name: rows for name, rows in sets.items() if len({label for label, _ in rows}) > 2}
    all_of = [(package, text) for package, texts in found.items() for _, text in texts]
    sets["all packages"] = labelled(all_of)
    for name in ("scipy", "all packages"):
        sets[f"{name}, short"] = first_paragraphs(sets[name])
    print(
        f"{'agreement (spread of lengths)':30s}  texts   k"
        + "".join(f"{n:>20s}" for n in PIPELINES)
    )
    for name, rows in sets.items():
        print(f"{name:30s}", end=" ")
        agreement(rows, n_seeds)
    seconds([text for texts in found.values() for _, text in texts][:3000])


if __name__ == "__main__":
    main()
