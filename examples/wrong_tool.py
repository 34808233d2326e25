"""
==============================
When k-means is the wrong tool
==============================

K-means looks for round groups of similar spread, in features that share a scale. Where the
groups are of another shape, it still returns as many clusters as it was asked for, and does not
complain. :func:`~sklearn_lloyd.inspection.diagnose` does: here on moons, rings and long groups,
where other methods do better, and on wines whose features have different units.

It needs matplotlib: ``pip install "sklearn-lloyd[plot]"``. It writes ``wrong_tool.png`` to
``examples/output``, or to the folder that you name on the command line.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no window: the picture goes to a file
import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import DBSCAN, SpectralClustering
from sklearn.datasets import load_wine, make_circles, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_lloyd import KMeans
from sklearn_lloyd.inspection import diagnose

if len(sys.argv) > 1:
    folder = Path(sys.argv[1])
elif "__file__" in globals():
    folder = Path(__file__).resolve().parent / "output"
else:  # in a notebook, or in the build of the documentation
    folder = Path.cwd() / "output"
folder.mkdir(parents=True, exist_ok=True)

# %%
# Three shapes, and one that suits k-means
# ----------------------------------------
#
# Each set comes with the number of groups in it and with another method, one that is made for
# such shapes. k-means is told the right number of clusters. (The mixture for long groups starts
# from random rows. By default it starts from k-means, and would have to undo its cuts.)

rng = np.random.RandomState(0)


def long_groups(n_each=250):
    X = rng.normal(size=(3, n_each, 2)) * [9.0, 0.7]
    X[:, :, 1] += np.array([[-6.0], [0.0], [6.0]])
    turn = np.array([[0.8, -0.6], [0.6, 0.8]])  # tilted
    return X.reshape(-1, 2) @ turn.T, np.repeat([0, 1, 2], n_each)


def round_groups(n_each=250):
    X = rng.normal(size=(3, n_each, 2)) + np.array([[[0, 0]], [[8, 1]], [[3, 8]]])
    return X.reshape(-1, 2), np.repeat([0, 1, 2], n_each)


sets = {
    "moons": (make_moons(600, noise=0.06, random_state=0), 2, DBSCAN(eps=0.15)),
    "rings": (
        make_circles(600, noise=0.04, factor=0.5, random_state=0),
        2,
        SpectralClustering(2, gamma=50, random_state=0),
    ),
    "long groups": (
        long_groups(),
        3,
        GaussianMixture(3, init_params="random_from_data", n_init=20, random_state=0),
    ),
    "round groups": (round_groups(), 3, GaussianMixture(3, n_init=10, random_state=0)),
}

# %%
# What each method finds, and what the diagnosis says
# ---------------------------------------------------
#
# The adjusted Rand index compares clusters with the groups that the rows were drawn from: 1 is
# the same partition, 0 is what chance gives. Where there are no true groups to compare with,
# which is the usual case, the diagnosis of k-means is what is left.

figure, axes = plt.subplots(2, 4, figsize=(13, 6.4), layout="constrained")
colours = np.array(["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"])

for column, (name, ((X, group), k, other)) in enumerate(sets.items()):
    kmeans = KMeans(n_clusters=k, n_init=10, random_state=0).fit(X)
    diagnosis = diagnose(kmeans, X)
    found = {"k-means": kmeans.labels_, type(other).__name__: other.fit_predict(X)}
    print(f"{name}")
    for ax, (method, labels) in zip(axes[:, column], found.items(), strict=True):
        index = round(adjusted_rand_score(group, labels), 2) + 0.0  # no minus zero
        print(f"  {method:19} adjusted Rand index {index:.2f}")
        ax.scatter(*X.T, s=4, c=np.where(labels < 0, "0.6", colours[labels % len(colours)]))
        ax.set_title(f"{name}: {method}\nadjusted Rand index {index:.2f}", fontsize=10)
        ax.set(xticks=[], yticks=[], aspect="equal")
    axes[0, column].scatter(*kmeans.cluster_centers_.T, marker="X", c="black", s=60)
    text = ", ".join(diagnosis.codes) or "no findings"
    axes[0, column].set_xlabel(f"diagnosis: {text}", fontsize=8)
    print(f"  diagnosis of k-means: {text}")
figure.savefig(folder / "wrong_tool.png", dpi=120)
print(f"\nWrote {folder.resolve() / 'wrong_tool.png'}")

# %%
# A finding says what it means, what it was seen by, and what to do:

X = sets["moons"][0][0]
print(f"\n{diagnose(KMeans(n_clusters=2, n_init=10, random_state=0).fit(X), X)[0]}")

# %%
# The right tool, used on the wrong scale
# ---------------------------------------
#
# Wines of three growers, by 13 measurements. One of them, proline, is counted in milligrams and
# runs to a thousand and more; others stay below 1. Unscaled, k-means sees proline alone.

wine = load_wine(as_frame=True)
models = {
    "raw": KMeans(n_clusters=3, n_init=10, random_state=0),
    "scaled": make_pipeline(StandardScaler(), KMeans(n_clusters=3, n_init=10, random_state=0)),
}
for name, model in models.items():
    index = adjusted_rand_score(wine.target, model.fit_predict(wine.data))
    print(f"\nwine, {name}: adjusted Rand index {index:.2f}\n{diagnose(model, wine.data)}")

# %%
# The diagnosis knew neither groups nor growers. In a notebook it shows as formatted text:

diagnose(models["raw"].fit(wine.data), wine.data)
