"""
==============================================
How many clusters? Or none: six sets of data
==============================================

Inertia falls with every cluster that is added, structure or not.
:class:`~sklearn_lloyd.model_selection.NClustersSearch` clusters for a range of numbers, measures
each clustering in several ways, and says what each of them would choose. We let it look at
data with an answer (four groups), with more than one answer (flowers, digits, the colours of a
photo), with none (noise), and at data that k-means is the wrong tool for (two moons).

Run it with ``python examples/choosing_k.py``. If matplotlib is installed, it draws a picture to
``examples/output``, or to the folder that you name: ``python examples/choosing_k.py FOLDER``.
"""

import sys
import warnings
from pathlib import Path

import numpy as np
from sklearn.cluster import DBSCAN, SpectralClustering
from sklearn.datasets import load_digits, load_iris, load_sample_image, make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_lloyd import KMeans
from sklearn_lloyd.model_selection import NClustersSearch, bootstrap_stability

CRITERIA = [
    "silhouette",
    "calinski_harabasz",
    "davies_bouldin",
    "bic",
    "elbow",
    "gap",
    "stability",
]


def show(name, search):
    print(f"\n{name}")
    print(search.summary())
    votes = {name: k for name, k in search.votes_.items() if name != "separation"}
    print("  others choose:", ", ".join(f"{name} {k or 'none'}" for name, k in votes.items()))


# %%
# Four groups
# -----------
#
# The set of many tutorials. All criteria agree, the search is sure, and each cluster is found
# again in samples with replacement.

four = make_blobs(300, centers=4, cluster_std=0.8, random_state=42)[0]
search = NClustersSearch(criteria=CRITERIA, random_state=0).fit(four)
show("Four groups", search)
stability = bootstrap_stability(four, search.labels_, random_state=0)
print("  clusters found again in samples (Jaccard):", stability.round(2))
searches = {"four groups": search}

# %%
# Flowers
# -------
#
# Iris has three species, but two of them touch, with no fewer flowers between them than in them.
# So the search says two, and that it is not sure; other criteria say other numbers. Which one is
# of use depends on what the clusters are for.

iris = load_iris()
search = NClustersSearch(criteria=CRITERIA, random_state=0).fit(iris.data)
show("Iris", search)
for k in (2, 3):
    labels = KMeans(k, n_init=10, random_state=0).fit_predict(iris.data)
    print(f"  k={k}: agreement with the species {adjusted_rand_score(iris.target, labels):.2f}")

# %%
# Digits
# ------
#
# Ten digits are written in more than ten ways, and in 64 dimensions there is no clear bend in any
# curve. There is structure, but no single number of clusters.

digits = load_digits()
search = NClustersSearch(n_clusters=range(1, 21), criteria=CRITERIA, random_state=0)
search.fit(digits.data)
show("Digits", search)
searches["digits"] = search

# %%
# The colours of a photo
# ----------------------
#
# A palette is no set of groups: colours change gradually, and each further one helps. Every
# criterion says something else. For a palette look at the inertia, and take what the eye needs.
# Of 273,280 pixels separation and silhouettes are estimated from 5,000.

pixels = load_sample_image("china.jpg").reshape(-1, 3) / np.float32(255)
search = NClustersSearch(n_clusters=range(1, 13), random_state=0).fit(pixels)
show("Colours of a photo", search)

# %%
# No structure
# ------------
#
# Points spread evenly over a square. The silhouette still has a largest value, as it has for
# any data; only criteria that can choose 1, as separation and gap do, can say that there is
# nothing to find.

noise = np.random.default_rng(0).uniform(size=(300, 2))
search = NClustersSearch(criteria=CRITERIA, random_state=0).fit(noise)
show("Noise", search)
searches["noise"] = search

# %%
# Two moons
# ---------
#
# Two groups, but none of them is compact: the mean of a moon lies outside of it. No number of
# clusters is right for k-means: the pieces of a moon run into each other. What tells that there
# are groups is the comparison with methods that follow density or neighbours. If their clusters
# are other ones than those of k-means, and agree with each other, k-means is the wrong tool.

moons, side = make_moons(500, noise=0.05, random_state=0)
search = NClustersSearch(make_pipeline(StandardScaler(), KMeans()), random_state=0).fit(moons)
show("Two moons", search)
scaled = StandardScaler().fit_transform(moons)
neighbours = SpectralClustering(2, affinity="nearest_neighbors", random_state=0)
with warnings.catch_warnings():
    # The graph of the nearest neighbours is in two parts: just what is to be found.
    warnings.filterwarnings("ignore", "Graph is not fully connected")
    spectral = neighbours.fit_predict(scaled)
others = {
    "k-means, k=2": KMeans(2, n_init=10, random_state=0).fit_predict(scaled),
    "k-means, k=8": KMeans(8, n_init=10, random_state=0).fit_predict(scaled),
    "DBSCAN": DBSCAN(eps=0.3).fit_predict(scaled),
    "spectral": spectral,
}
for name, labels in others.items():
    print(f"  {name:14} agreement with the two moons: {adjusted_rand_score(side, labels):5.2f}")

# %%
# The picture
# -----------
#
# Inertia, left, falls for all three: it proves nothing. Silhouettes, middle, have a largest
# value for all three. Right, how many of the clusters are groups of their own: four and no more of
# the four groups, one of noise, and of the digits ever more, but always fewer than clusters.

try:
    import matplotlib
except ImportError:
    print("\nNo picture: matplotlib is not installed.")
    raise SystemExit from None

matplotlib.use("Agg")  # no window: the picture goes to a file
import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
for name, search in searches.items():
    results = search.results_
    k = results["n_clusters"]
    axes[0].plot(k, results["inertia"] / results["inertia"][0], marker="o", ms=3, label=name)
    axes[1].plot(k, results["silhouette"], marker="o", ms=3)
    axes[2].plot(k, results["separation"], marker="o", ms=3)
for ax, title in zip(
    axes, ("inertia, k=1 is 1", "silhouette", "groups among the clusters"), strict=True
):
    ax.set(title=title, xlabel="number of clusters")
    ax.spines[["top", "right"]].set_visible(False)
axes[0].legend(frameon=False)

if len(sys.argv) > 1:
    folder = Path(sys.argv[1])
else:  # without a file name: in a notebook, or in the build of the documentation
    start = Path(__file__).resolve().parent if "__file__" in globals() else Path.cwd()
    folder = start / "output"
folder.mkdir(parents=True, exist_ok=True)
figure.savefig(folder / "choosing_k.png", dpi=150)
print(f"\nWrote {folder.resolve() / 'choosing_k.png'}")
