"""
==========================
The theory in ten pictures
==========================

What people ask about k-means, each with a picture and a check: why it converges, why only to a
local optimum, when it fails, how to choose k. The explanations are in :doc:`/guide/theory`; this
is the code that draws its pictures. What that page says of a picture is asserted here, so that it
cannot become false unnoticed.

It needs matplotlib: ``pip install "sklearn-lloyd[plot]"``. It writes ``theory_01.png`` to
``theory_10.png`` to ``examples/output``, or to the folder that you name on the command line.
"""

import sys
import warnings
from math import log
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no window: the pictures go to files
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris, load_wine, make_blobs, make_moons
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from sklearn_lloyd import KMeans, kmeans_plusplus
from sklearn_lloyd.inspection import (
    ClusterDisplay,
    LloydStepsDisplay,
    SilhouetteDisplay,
    diagnose,
)
from sklearn_lloyd.model_selection import NClustersSearch

if len(sys.argv) > 1:
    folder = Path(sys.argv[1])
elif "__file__" in globals():
    folder = Path(__file__).resolve().parent / "output"
else:  # in a notebook, or in the build of the documentation
    folder = Path.cwd() / "output"
folder.mkdir(parents=True, exist_ok=True)
plt.rcParams["savefig.dpi"] = 150

BLUE, ORANGE, GREEN = "#0072b2", "#e69f00", "#009e73"


def inertia(X, labels, centers):
    """The objective, written out."""
    return ((X - centers[labels]) ** 2).sum()


def means(X, labels):
    return np.array([X[labels == cluster].mean(axis=0) for cluster in np.unique(labels)])


def panels(n, width=8.6, height=3.6):
    return plt.subplots(1, n, figsize=(width, height), layout="constrained")


def save(figure, number):
    figure.savefig(folder / f"theory_{number:02}.png")


# %%
# 1. The objective
# ----------------
#
# The inertia sums up squared distances to centres. The spread of all rows is that within
# clusters plus that between them. For given labels the means are the best centres.

X, _ = make_blobs(90, centers=[[0, 0], [5, 1], [2, 5]], cluster_std=0.9, random_state=0)
model = KMeans(3, random_state=0).fit(X)
labels, centers = model.labels_, model.cluster_centers_
assert np.isclose(model.inertia_, inertia(X, labels, centers))
assert np.allclose(centers, means(X, labels))
total = ((X - X.mean(axis=0)) ** 2).sum()
between = ((centers[labels] - X.mean(axis=0)) ** 2).sum()
assert np.isclose(total, model.inertia_ + between)

figure, (left, right) = panels(2)
left.set_title(f"J = {model.inertia_:.0f}: the squared lengths of all lines")
for row, cluster in zip(X, labels, strict=True):
    left.plot(*np.array([row, centers[cluster]]).T, color="0.6", linewidth=0.7, zorder=0)
ClusterDisplay.from_estimator(model, X, ax=left)
shifts = np.linspace(-2, 2, 41)
costs = [inertia(X, labels, centers + np.outer([1, 0, 0], [shift, 0])) for shift in shifts]
assert np.argmin(costs) == 20  # at a shift of zero
assert np.allclose(costs, model.inertia_ + (labels == 0).sum() * shifts**2)
right.plot(shifts, costs, color=BLUE)
right.plot(0, model.inertia_, "o", color=BLUE)
right.set(title="Centre 0 moved away from the mean", xlabel="moved by", ylabel="J")
save(figure, 1)

# %%
# 2. Why it converges
# -------------------
#
# Neither half of a step raises the inertia, and no labelling comes twice.

X, _ = make_blobs(400, centers=5, cluster_std=1.3, random_state=3)
steps = LloydStepsDisplay.from_estimator(KMeans(5, init=X[:5], tol=0), X)
plt.close(steps.figure_)
(run,) = steps.runs
falls = np.column_stack([run.inertia, run.moved_inertia]).ravel()
assert (np.diff(falls) <= 1e-12 * falls[0]).all()
assert run.end == "strict"
assert len(np.unique(run.labels[:-1], axis=0)) == len(run.labels) - 1  # the last one confirms

figure, (left, right) = panels(2)
at = np.arange(1, len(falls) + 1) / 2
right.plot(at, falls, color=BLUE)
right.plot(at[::2], falls[::2], "o", color=BLUE, markerfacecolor="white", label="rows assigned")
right.plot(at[1::2], falls[1::2], "o", color=BLUE, label="centres moved")
right.set(title="J after each half of a step", xlabel="step", ylabel="J", ylim=(0, None))
right.legend()
left.scatter(*steps.points.T, s=6, c="0.7")
for path in np.moveaxis(steps.centers, 1, 0):
    left.plot(*path.T, "-", color=BLUE, marker=".")
    left.plot(*path[-1], "o", color=BLUE, markersize=9)
left.set(title=f"The way of the centres in {len(run.inertia)} steps", xlabel="x0", ylabel="x1")
save(figure, 2)

# %%
# 3. Why only to a local optimum
# ------------------------------
#
# Two starts on the same irises: both end where no row and no centre moves, at different
# inertias.

X = load_iris(as_frame=True).data[["sepal length (cm)", "petal length (cm)"]]
figure, axes = panels(2)
ends = []
for ax, start in zip(axes, ([0, 70, 120], [13, 56, 18]), strict=True):
    model = KMeans(3, init=X.iloc[start], tol=0).fit(X)
    again = KMeans(3, init=model.cluster_centers_, max_iter=1, tol=0).fit(X)
    assert np.array_equal(again.labels_, model.labels_)  # no step leads out of it
    ClusterDisplay.from_estimator(model, X, ax=ax)
    ax.plot(*X.iloc[start].to_numpy().T, "x", color="black", markersize=9, markeredgewidth=2)
    ax.set_title(f"start at the crosses: J = {model.inertia_:.0f}")
    ends.append(model.inertia_)
assert ends[1] > 1.5 * ends[0]
several = KMeans(3, init="random", n_init=20, random_state=0).fit(X)
assert several.start_inertias_.max() > 1.5 * several.inertia_  # some of 20 starts fail
assert np.isclose(several.inertia_, ends[0], rtol=1e-2)  # the best of them does not
save(figure, 3)

# %%
# 4. When it fails
# ----------------
#
# Four sets with known groups. k-means misses them, and it is not the search that fails: by its
# objective its own clusters are the better ones.

rng = np.random.default_rng(0)
round_rows, group = make_blobs(500, centers=3, random_state=170)
sets = {
    "moons": make_moons(500, noise=0.06, random_state=0),
    "long groups": (round_rows @ [[0.6, -0.64], [-0.41, 0.85]], group),
    "unequal spread": make_blobs(
        500, centers=[[0, 0], [6.5, 0], [9, 0]], cluster_std=[3.0, 0.4, 0.4], random_state=1
    ),
    "unequal size": (
        np.vstack([rng.normal(0, 1, (2000, 2)), rng.normal([5, 0], 1, (40, 2))]),
        np.repeat([0, 1], [2000, 40]),
    ),
}
figure, axes = plt.subplots(2, 2, figsize=(8.6, 7.0), layout="constrained")
for ax, (name, (X, group)) in zip(axes.flat, sets.items(), strict=True):
    k = len(np.unique(group))
    model = KMeans(k, n_init=20, random_state=0).fit(X)
    agreement = adjusted_rand_score(group, model.labels_)
    assert agreement < 0.8, (name, agreement)
    assert model.inertia_ < inertia(X, group, means(X, group))
    assert diagnose(model, X).codes, name
    ClusterDisplay.from_estimator(model, X, ax=ax)
    ax.set_title(f"{name}: agreement {agreement:.2f}")
    ax.set_aspect("equal")
    print(f"{name}: adjusted Rand index {agreement:.2f}")
save(figure, 4)

# %%
# 5. How to choose k
# ------------------
#
# The inertia falls with every further cluster, on groups and on noise. It takes a criterion
# that can also answer "one".

groups, _ = make_blobs(400, centers=4, cluster_std=0.8, random_state=4)
noise = rng.uniform(size=(400, 2))
figure, axes = panels(2, height=4.4)
for ax, (name, X, n_groups) in zip(
    axes, [("four groups", groups, 4), ("noise", noise, 1)], strict=True
):
    search = NClustersSearch(n_clusters=range(1, 9), random_state=0).fit(X)
    curve = search.results_["inertia"]
    assert (np.diff(curve) < 0).all()
    assert search.n_clusters_ == n_groups
    ax.plot(search.results_["n_clusters"], curve / curve[0], "o-", color=BLUE)
    ax.axvline(search.n_clusters_, color=ORANGE, linestyle="--")
    ax.set(title=f"{name}: the search says {search.n_clusters_}", xlabel="k", ylim=(0, 1.05))
    ax.set_ylabel("J / J of one cluster")
    print(search.summary().headline)
assert np.isclose(KMeans(50, init=noise[:50]).fit(noise[:50]).inertia_, 0)
save(figure, 5)

# %%
# 6. Why scale
# ------------
#
# Wines of three growers. Proline is counted in milligrams and has nearly all of the variance:
# without scaling the clusters are slices of proline.

wine = load_wine(as_frame=True)
X = wine.data[["flavanoids", "proline"]]
share = X.var() / X.var().sum()
assert share["proline"] > 0.999
figure, axes = panels(2)
agreements = []
for ax, rows, name in [
    (axes[0], X, "as measured"),
    (axes[1], StandardScaler().set_output(transform="pandas").fit_transform(X), "scaled"),
]:
    model = KMeans(3, n_init=20, random_state=0).fit(rows)
    agreements.append(adjusted_rand_score(wine.target, model.labels_))
    ClusterDisplay.from_estimator(model, rows, ax=ax)
    ax.set_title(f"{name}: agreement {agreements[-1]:.2f}")
alone = KMeans(3, n_init=20, random_state=0).fit(X[["proline"]]).labels_
raw = KMeans(3, n_init=20, random_state=0).fit(X).labels_
assert adjusted_rand_score(alone, raw) > 0.99  # as if there were no other column
assert agreements[1] > agreements[0] + 0.2
save(figure, 6)

# %%
# 7. What k-means++ does
# ----------------------
#
# It draws each first centre by squared distance to those before, so that they lie apart.
# Random rows often miss a group.

corners = 4.0 * np.array([(i, j) for i in range(4) for j in range(4)])
X, _ = make_blobs(640, centers=corners, cluster_std=0.5, random_state=5)
best = KMeans(16, init=corners).fit(X).inertia_
ends = {}
for init in ("random", "k-means++"):
    starts = KMeans(16, init=init, n_init=100, random_state=0).fit(X).start_inertias_
    assert starts.min() > 0.999 * best
    ends[init] = starts / best
    print(f"{init}: {(ends[init] < 1.01).mean():.0%} of the starts find all groups.")
assert (ends["random"] < 1.01).mean() < 0.1
assert (ends["k-means++"] < 1.01).mean() > 0.5
# The bound of Arthur and Vassilvitskii, for the plain seeding, before any step, on average.
seeds = [kmeans_plusplus(X, 16, n_local_trials=1, random_state=i)[0] for i in range(100)]
costs = [((X[:, np.newaxis] - seed) ** 2).sum(axis=2).min(axis=1).sum() for seed in seeds]
assert np.mean(costs) <= 8 * (log(16) + 2) * best

figure, (left, right) = panels(2)
three = kmeans_plusplus(X, 3, random_state=0)[0]
squares = ((X[:, np.newaxis] - three) ** 2).sum(axis=2).min(axis=1)
drawn = left.scatter(*X.T, c=squares / squares.sum(), s=9, cmap="viridis_r")
figure.colorbar(drawn, ax=left, label="probability to be drawn next")
left.plot(*three.T, "X", color="black", markersize=11)
left.set(title="After three centres", xlabel="x0", ylabel="x1")
bins = np.linspace(1, max(map(np.max, ends.values())), 25)
right.hist(list(ends.values()), bins, label=list(ends), color=[ORANGE, BLUE])
right.set(title="100 starts of each", xlabel="J at the end / least J known", ylabel="starts")
right.legend()
save(figure, 7)

# %%
# 8. Outliers
# -----------
#
# Squares let one far row outweigh a whole group.

X, group = make_blobs(150, centers=[[0, 0], [4, 0], [2, 3.5]], cluster_std=0.6, random_state=0)
far = np.vstack([X, [[60.0, 40.0]]])
figure, axes = panels(2)
for ax, rows, name in [(axes[0], X, "150 rows"), (axes[1], far, "and one far row")]:
    model = KMeans(3, n_init=20, random_state=0).fit(rows)
    ClusterDisplay.from_estimator(model, rows, ax=ax)
    sizes = sorted(np.bincount(model.labels_).tolist(), reverse=True)
    ax.set_title(f"{name}: clusters of {', '.join(map(str, sizes))}")
    agreement = adjusted_rand_score(group, model.labels_[:150])
    assert (agreement > 0.95) == (rows is X)
assert np.bincount(model.labels_).min() == 1  # a cluster for the far row alone
assert model.inertia_ < inertia(far, np.append(group, 0), means(far, np.append(group, 0)))
more = KMeans(4, n_init=20, random_state=0).fit_predict(far)
assert adjusted_rand_score(np.append(group, 3), more) > 0.95  # one cluster more has room for all
# A mean follows a far row, a median does not.
one = X[group == 0]
moved = np.vstack([one, [[60.0, 40.0]]])
assert np.linalg.norm(moved.mean(axis=0) - one.mean(axis=0)) > 1
assert np.linalg.norm(np.median(moved, axis=0) - np.median(one, axis=0)) < 0.1
save(figure, 8)

# %%
# 9. Silhouettes
# --------------
#
# For each row: is its own cluster nearer than the next one? Cut a group in two, and its rows
# sink.

X, _ = make_blobs(300, centers=[[0, 0], [6, 0], [3, 5]], cluster_std=0.8, random_state=0)
figure, axes = panels(2, height=4.2)
averages = {}
for ax, k in zip(axes, (3, 5), strict=True):
    model = KMeans(k, n_init=20, random_state=0).fit(X)
    display = SilhouetteDisplay.from_estimator(model, X, ax=ax)
    ax.set_title(f"k = {k}: mean {display.average:.2f}")
    averages[k] = display.average
    assert ((display.widths >= -1) & (display.widths <= 1)).all()
    if k == 3:
        least, whole = model.inertia_, display
assert averages[3] > averages[5] + 0.2
assert model.inertia_ < least
assert whole.widths.min() > 0
# The same by the definition.
model = KMeans(3, n_init=20, random_state=0).fit(X)
distances = np.linalg.norm(X[:, np.newaxis] - X, axis=2)
to = np.array([distances[:, model.labels_ == c].sum(axis=1) for c in range(3)]).T
sizes, rows = np.bincount(model.labels_), np.arange(len(X))
a = to[rows, model.labels_] / (sizes[model.labels_] - 1)
to[rows, model.labels_] = np.inf
b = (to / sizes).min(axis=1)
assert np.allclose(np.sort(whole.widths), np.sort((b - a) / np.maximum(a, b)))
save(figure, 9)

# %%
# 10. Empty clusters
# ------------------
#
# No row chooses a centre that is far from all. It has no mean to move to, and takes over the
# row that costs most.

X, _ = make_blobs(120, centers=[[0, 0], [6, 0], [3, 5]], cluster_std=0.8, random_state=0)
start = np.array([[0.0, 0.0], [6.0, 1.0], [30.0, 30.0]])
steps = LloydStepsDisplay.from_estimator(KMeans(3, init=start, tol=0), X)
plt.close(steps.figure_)
(run,) = steps.runs
assert run.n_empty[0] == 1
assert not run.n_empty[1:].any()
(taken,) = np.flatnonzero(run.moved_labels[0] != run.labels[0])
cost = ((X - start[run.labels[0]]) ** 2).sum(axis=1)
assert taken == cost.argmax()
assert np.allclose(steps.centers[1][2], X[taken])
falls = np.column_stack([run.inertia, run.moved_inertia]).ravel()
assert (np.diff(falls) <= 1e-12 * falls[0]).all()
assert np.bincount(run.last_labels).min() > 30
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    few = KMeans(3, random_state=0).fit([[0.0], [0.0], [1.0], [1.0]])  # two distinct rows
assert len(np.unique(few.labels_)) == 2
assert caught

figure, axes = panels(3, width=11.0)
colours = np.array([BLUE, ORANGE, GREEN])
titles = ["no row chooses centre 2", "it takes the row that costs most", "the end"]
for ax, title, labels, places in zip(
    axes,
    titles,
    (run.labels[0], run.moved_labels[0], run.last_labels),
    (steps.centers[0][:2], steps.centers[1], steps.centers[-1]),
    strict=True,
):
    ax.scatter(*X.T, s=12, c=colours[labels])
    ax.scatter(*places.T, s=130, marker="X", c=colours[: len(places)], edgecolors="black")
    ax.set(title=title, xlabel="x0", ylabel="x1", xlim=(-3, 9), ylim=(-3, 8))
axes[0].annotate("centre 2: (30, 30)", (8.8, 7.8), (3.0, 6.9), arrowprops={"arrowstyle": "->"})
save(figure, 10)
print(f"Wrote {folder.resolve() / 'theory_01.png'} to theory_10.png.")
