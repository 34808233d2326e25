"""
==========================================================
Quickstart: choose k, cluster, look, store, load again
==========================================================

The main job from start to end, on the handwritten digits that come with scikit-learn:
1797 pictures of 8 x 8 pixels. We put a scaler and :class:`~sklearn_lloyd.KMeans` in a
pipeline, let :class:`~sklearn_lloyd.model_selection.NClustersSearch` try numbers of clusters,
look at the evidence and at the clusters, store the model with joblib, and load it in
another process.

Run it with ``python examples/quickstart.py``. It writes its pictures and its model to
``examples/output``, or to the folder that you name: ``python examples/quickstart.py FOLDER``.
It needs matplotlib: ``pip install "sklearn-lloyd[plot]"``.
"""

import subprocess
import sys
from pathlib import Path

import joblib
import matplotlib

matplotlib.use("Agg")  # no window: the picture goes to a file
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline

from sklearn_lloyd import KMeans
from sklearn_lloyd.inspection import NClustersDisplay
from sklearn_lloyd.model_selection import NClustersSearch
from sklearn_lloyd.preprocessing import ClusterScaler

if len(sys.argv) > 1:
    folder = Path(sys.argv[1])
elif "__file__" in globals():
    folder = Path(__file__).resolve().parent / "output"
else:  # in a notebook, or in the build of the documentation
    folder = Path.cwd() / "output"
folder.mkdir(parents=True, exist_ok=True)

# %%
# Scale, and choose the number of clusters
# ----------------------------------------
#
# K-means measures distances, so features should be on one scale before it sees them. Here
# the scaler brings every pixel to the range from 0 to 1. The search fits it once and
# clusters for every number from 1 to 20, as many groups as we are ready to look at. It does not
# see which digit a picture shows.

X, digit = load_digits(return_X_y=True)

search = NClustersSearch(
    make_pipeline(ClusterScaler("range"), KMeans()), n_clusters=range(1, 21), random_state=0
).fit(X)

results = search.results_
print(f"Clustered {len(X)} pictures of {X.shape[1]} pixels for each k from 1 to 20.")
print("\n  k  inertia  groups  silhouette  Davies-Bouldin")
for i, k in enumerate(results["n_clusters"]):
    print(
        f" {k:2d}  {results['inertia'][i]:7.0f}  {results['separation'][i]:6d}  "
        f"{results['silhouette'][i]:10.3f}  {results['davies_bouldin'][i]:14.3f}"
    )
print()
print(search.summary())

# %%
# Inertia falls with every cluster, so it decides nothing by itself. "groups" is how many of the k
# clusters are groups of their own, with fewer pictures between them than in them. There are some,
# but digits are written in many ways, and no number is without objection: the search says that it
# is not sure, and which numbers come near. So the choice is ours. Two kinds of pictures are of no
# use to read digits; we take the largest of the candidates, whose clusters were fitted already,
# and expect several for a digit that is written in several ways. (See
# :doc:`/auto_examples/choosing_k` for data with a clear answer, and with none.)

display = NClustersDisplay.from_estimator(search)
display.figure_.savefig(folder / "evidence.png", dpi=150)

k = max(search.candidate_estimators_)
model = search.candidate_estimators_[k]
cluster = model.predict(X)
print(f"\nWe take {k} clusters.")

# %%
# Look at the clusters
# --------------------
#
# A centre is a point in the space of the scaled pixels. The inverse of the scaler brings it
# back to a picture. Only now do we use the digits, to say what each cluster is made of.

kmeans = model[-1]
counts = np.zeros((kmeans.n_clusters, 10), int)
np.add.at(counts, (cluster, digit), 1)
size, majority = counts.sum(axis=1), counts.argmax(axis=1)
share = counts.max(axis=1) / size
centers = model[0].inverse_transform(kmeans.cluster_centers_).reshape(-1, 8, 8)

n_columns = 5
n_rows = -(-kmeans.n_clusters // n_columns)
figure, axes = plt.subplots(
    n_rows, n_columns, figsize=(9, 2.3 * n_rows), layout="constrained", squeeze=False
)
for ax in axes.flat[kmeans.n_clusters :]:
    ax.remove()
for ax, c in zip(axes.flat, np.argsort(majority, kind="stable"), strict=False):
    ax.imshow(centers[c], cmap="gray_r", vmin=0, vmax=16, interpolation="nearest")
    ax.set_title(
        f"cluster {c}: {size[c]} pictures\n{share[c]:.0%} are a {majority[c]}", fontsize=10
    )
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_color("0.8")
figure.suptitle(f"The {kmeans.n_clusters} centres as pictures", fontsize=13)
figure.savefig(folder / "centroids.png", dpi=150)

print(
    f"If each cluster stood for its most frequent digit, {counts.max(axis=1).sum() / len(X):.1%} "
    "of the pictures would be named right."
)

# %%
# Store the model and load it elsewhere
# -------------------------------------
#
# The fitted pipeline is stored as one file. A second Python process, which shares nothing
# with this one, loads it and predicts; its predictions must be the same to the last row.
# Load only files that you trust: they are pickles, and reading one can run code.

model_file, predictions_file = folder / "digits.joblib", folder / "predictions.npy"
joblib.dump(model, model_file)

program = """
import sys
import joblib, numpy as np
from sklearn.datasets import load_digits
model = joblib.load(sys.argv[1])
np.save(sys.argv[2], model.predict(load_digits().data))
"""
subprocess.run([sys.executable, "-c", program, model_file, predictions_file], check=True)

same = np.array_equal(np.load(predictions_file), cluster)
print(f"\nLoaded in a new process, the model predicts the same for all {len(X)} pictures: {same}.")
if not same:
    raise SystemExit("The stored model predicts something else.")

print(f"\nWritten to {folder.resolve()}:")
print("  evidence.png         what each criterion says of each k")
print("  centroids.png        the centres as pictures")
print(f"  digits.joblib        the model ({model_file.stat().st_size / 1024:.0f} KiB)")
print("  predictions.npy      the cluster of each picture, from the second process")
