"""
================================================
Silhouettes and maps: are these good clusters?
================================================

A mean silhouette is one number. The picture says more: which clusters are compact, which are
torn apart, and which rows are in doubt. A map of the centres says which clusters lie so close
together that they may be one.

The rows are the 178 wines of scikit-learn, with 13 measurements each, scaled. The example needs
matplotlib: ``pip install "sklearn-lloyd[plot]"``. It writes ``silhouettes.png`` and
``cluster_map.png`` to ``examples/output``, or to the folder that you name on the command line.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no window: the pictures go to files
import matplotlib.pyplot as plt
from sklearn.datasets import load_wine
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_lloyd import KMeans
from sklearn_lloyd.inspection import (
    CentroidDisplay,
    ClusterDisplay,
    ProfileDisplay,
    SilhouetteDisplay,
)

if len(sys.argv) > 1:
    folder = Path(sys.argv[1])
elif "__file__" in globals():
    folder = Path(__file__).resolve().parent / "output"
else:  # in a notebook, or in the build of the documentation
    folder = Path.cwd() / "output"
folder.mkdir(parents=True, exist_ok=True)

X = load_wine(as_frame=True).data
models = {
    k: make_pipeline(StandardScaler(), KMeans(k, n_init=20, random_state=0)).fit(X) for k in (3, 6)
}

# %%
# Blades
# ------
#
# With three clusters, all blades reach beyond the mean and hardly any row is left of zero. With
# six, whole blades stay below it.

figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
for ax, (k, model) in zip(axes, models.items(), strict=True):
    display = SilhouetteDisplay.from_estimator(model, X, ax=ax)
    below = (display.widths < 0).sum()
    print(f"{k} clusters: mean silhouette {display.average:.2f}, {below} rows below zero.")
figure.savefig(folder / "silhouettes.png", dpi=100)
print(f"Wrote {folder.resolve() / 'silhouettes.png'}")

# %%
# Rows and centres
# ----------------
#
# On the left the rows in the plane of their first two principal components, which hold about
# half of the variance. On the right how far the centres are from each other in all 13
# features: each is joined to its nearest other one.

figure, (left, right) = plt.subplots(1, 2, figsize=(12, 5), layout="constrained")
ClusterDisplay.from_estimator(models[6], X, ax=left)
map_of_centers = CentroidDisplay.from_estimator(models[6], X, ax=right)
figure.savefig(folder / "cluster_map.png", dpi=100)
print(f"Wrote {folder.resolve() / 'cluster_map.png'}")
print("Distances between the centres:")
print(map_of_centers.distances.round(1))

# %%
# What the clusters are
# ---------------------
#
# The differences of the three clusters from all wines, in standard deviations. Names are made of
# what sets a cluster apart.

profile = ProfileDisplay.from_estimator(models[3], X)
for name in profile.clusters:
    print(name)
