"""
=================================================
Quickstart: cluster, search k, store, load again
=================================================

The main job from start to end, on the handwritten digits that come with scikit-learn:
1797 pictures of 8 x 8 pixels. We put a scaler and :class:`~sklearn_lloyd.KMeans` in a
pipeline, look at the clusters, let a grid search choose the number of clusters, store the
model with joblib, and load it in another process.

Run it with ``python examples/quickstart.py``. It writes its picture and its model to
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
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sklearn_lloyd import KMeans

if len(sys.argv) > 1:
    folder = Path(sys.argv[1])
elif "__file__" in globals():
    folder = Path(__file__).resolve().parent / "output"
else:  # in a notebook, or in the build of the documentation
    folder = Path.cwd() / "output"
folder.mkdir(parents=True, exist_ok=True)

# %%
# Scale and cluster
# -----------------
#
# K-means measures distances, so features should be on one scale before it sees them. Here
# the scaler brings every pixel to the range from 0 to 1. The clustering does not see which
# digit a picture shows. `n_init=10` starts ten times and keeps the best run.

X, digit = load_digits(return_X_y=True)

model = make_pipeline(MinMaxScaler(), KMeans(n_clusters=10, n_init=10, random_state=0))
cluster = model.fit_predict(X)

kmeans = model[-1]
print(f"Clustered {len(X)} pictures of {X.shape[1]} pixels into {kmeans.n_clusters} groups.")
print(
    f"The best of {len(kmeans.start_inertias_)} starts took {kmeans.n_iter_} iterations; "
    f"converged: {kmeans.converged_}."
)
print(
    f"Inertia: {kmeans.inertia_:.0f} (the starts: {kmeans.start_inertias_.min():.0f} "
    f"to {kmeans.start_inertias_.max():.0f})."
)

# %%
# Look at the clusters
# --------------------
#
# A centre is a point in the space of the scaled pixels. The inverse of the scaler brings it
# back to a picture. Only now do we use the digits, to say what each cluster is made of.

counts = np.zeros((kmeans.n_clusters, 10), int)
np.add.at(counts, (cluster, digit), 1)
size, majority = counts.sum(axis=1), counts.argmax(axis=1)
share = counts.max(axis=1) / size
centers = model[0].inverse_transform(kmeans.cluster_centers_).reshape(-1, 8, 8)

figure, axes = plt.subplots(2, 5, figsize=(9, 4.6), layout="constrained")
for ax, c in zip(axes.flat, np.argsort(majority, kind="stable"), strict=True):
    ax.imshow(centers[c], cmap="gray_r", vmin=0, vmax=16, interpolation="nearest")
    ax.set_title(
        f"cluster {c}: {size[c]} pictures\n{share[c]:.0%} are a {majority[c]}", fontsize=10
    )
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_color("0.8")
figure.suptitle("The ten centres as pictures", fontsize=13)
figure.savefig(folder / "centroids.png", dpi=150)

print(
    f"If each cluster stood for its most frequent digit, {counts.max(axis=1).sum() / len(X):.1%} "
    "of the pictures would be named right."
)

# %%
# Search for k
# ------------
#
# As a transformer, k-means turns a row into its distances to the centres. Those are the
# features of a classifier here, and the best k is the one that lets it name most digits
# right. :class:`~sklearn.model_selection.GridSearchCV` fits the whole pipeline anew in each
# of five folds, so that no fold is tested on rows that its centres have seen.

classifier = LogisticRegression(max_iter=5000)
search = GridSearchCV(
    make_pipeline(MinMaxScaler(), KMeans(random_state=0), StandardScaler(), classifier),
    {"kmeans__n_clusters": [10, 20, 40, 80]},
    cv=5,
).fit(X, digit)

print("\nDigits named right, mean and standard deviation of five folds:")
results = search.cv_results_
for k, mean, spread in zip(
    results["param_kmeans__n_clusters"],
    results["mean_test_score"],
    results["std_test_score"],
    strict=True,
):
    print(f"  distances to {k:2d} centres: {mean:.1%} +- {spread:.1%}")
pixels = cross_val_score(make_pipeline(MinMaxScaler(), classifier), X, digit, cv=5)
print(f"  the 64 pixels instead:   {pixels.mean():.1%} +- {pixels.std():.1%}")
print(f"Chosen: k = {search.best_params_['kmeans__n_clusters']}.")

# %%
# Look at the spread before you trust the order: where the means differ by less than the
# spread, the smaller k is as good a choice.

# %%
# Store the model and load it elsewhere
# -------------------------------------
#
# The fitted pipeline is stored as one file. A second Python process, which shares nothing
# with this one, loads it and predicts; its predictions must be the same to the last row.
# Load only files that you trust: they are pickles, and reading one can run code.

model_file, predictions_file = folder / "digits.joblib", folder / "predictions.npy"
joblib.dump(search.best_estimator_, model_file)

program = """
import sys
import joblib, numpy as np
from sklearn.datasets import load_digits
model = joblib.load(sys.argv[1])
np.save(sys.argv[2], model.predict(load_digits().data))
"""
subprocess.run([sys.executable, "-c", program, model_file, predictions_file], check=True)

same = np.array_equal(np.load(predictions_file), search.predict(X))
print(f"\nStored the model in {model_file.name} ({model_file.stat().st_size / 1024:.0f} KiB).")
print(f"Loaded in a new process, it predicts the same for all {len(X)} pictures: {same}.")
if not same:
    raise SystemExit("The stored model predicts something else.")
