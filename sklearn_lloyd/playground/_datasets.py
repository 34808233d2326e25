"""Data sets to play with.

The page shows the source of these functions as a part of the code that it gives: each stands
alone, with NumPy as `np` and `datasets` and `decomposition` of scikit-learn.
"""

from __future__ import annotations

import numpy as np
from sklearn import datasets, decomposition


def blobs(n_rows):
    X, _ = datasets.make_blobs(n_rows, centers=5, cluster_std=0.8, random_state=7)
    return X


def unequal_blobs(n_rows):
    sizes = [n_rows - 2 * (n_rows // 12), n_rows // 12, n_rows // 12]
    places = [[0.0, 0.0], [5.0, 2.0], [5.0, -2.0]]
    X, _ = datasets.make_blobs(sizes, centers=places, cluster_std=[1.6, 0.3, 0.3], random_state=0)
    return X


def moons(n_rows):
    X, _ = datasets.make_moons(n_rows, noise=0.06, random_state=0)
    return X


def anisotropic(n_rows):
    X, _ = datasets.make_blobs(n_rows, random_state=170)
    return X @ [[0.6, -0.6], [-0.4, 0.8]]


def uniform(n_rows):
    return np.random.default_rng(0).uniform(size=(n_rows, 2))


def iris():
    return datasets.load_iris().data


def digits():
    return decomposition.PCA(2, svd_solver="full").fit_transform(datasets.load_digits().data)


def image_colours():
    return datasets.load_sample_image("china.jpg")[::10, ::10].reshape(-1, 3) / 255.0


MADE = {
    each.__name__: each for each in (blobs, unequal_blobs, moons, anisotropic, uniform)
}  # of as many rows as wanted
LOADED = {each.__name__: each for each in (iris, digits, image_colours)}
NAMES = {
    "iris": ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"),
    "digits": ("principal component 1", "principal component 2"),
    "image_colours": ("red", "green", "blue"),
}
IMAGE_WIDTH = 64  # of `image_colours`, in rows of X
