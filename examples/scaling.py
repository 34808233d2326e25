"""
===========================================
Why scaling matters: wine, seven ways to it
===========================================

178 wines from three cultivars, 13 measurements of each: alcohol in percent, magnesium in
milligrams, proline in hundreds of them. K-means adds up squared differences, and never learns
what a unit is. We look at how much each measurement counts before and after scaling, and at how
well three clusters agree with the three cultivars for every `method` of
:class:`~sklearn_lloyd.preprocessing.ClusterScaler`.

Run it with ``python examples/scaling.py``. It needs scikit-learn and this package only.
"""

import numpy as np
from sklearn.datasets import load_wine
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline

from sklearn_lloyd import KMeans
from sklearn_lloyd.preprocessing import ClusterScaler

wine = load_wine()
X, cultivar = wine.data, wine.target
METHODS = ["none", "zscore", "range", "robust", "maxabs", "unit-norm", "whiten"]

# %%
# Who decides?
# ------------
#
# The mean squared distance between two rows is twice the sum of the variances. So the share of a
# feature in that sum is its share in every decision of k-means, before the clusters are known.
# Unscaled, one feature has nearly all of it: the clusters are a list of thresholds on proline.

shares = {}
for method in METHODS:
    variance = ClusterScaler(method).fit_transform(X).var(axis=0)
    shares[method] = variance / variance.sum()

print("Share of each feature in the squared distances, in percent:")
print(f"{'':30}" + "".join(f"{method:>10}" for method in METHODS))
for j, name in enumerate(wine.feature_names):
    print(f"{name:30}" + "".join(f"{100 * shares[method][j]:10.2f}" for method in METHODS))

# %%
# Do the clusters find the cultivars?
# -----------------------------------
#
# The adjusted Rand index is 1 for the same partition and 0, on average, for chance. K-means sees
# the measurements only. Ten seeds, each with ten starts, show that the figures are not luck.

seeds = range(10)


def agreement(scaler):
    found = []
    for seed in seeds:
        model = make_pipeline(scaler, KMeans(n_clusters=3, n_init=10, random_state=seed))
        found.append(adjusted_rand_score(cultivar, model.fit_predict(X)))
    return np.mean(found), np.std(found)


print("\nAdjusted Rand index against the cultivars, mean and deviation of ten seeds:")
print(f"{'method':12}{'largest share':>30}{'no clip':>18}{'clip=2':>18}")
scores = {}
for method in METHODS:
    top = int(np.argmax(shares[method]))
    who = "each" if np.ptp(shares[method]) < 1e-6 else wine.feature_names[top]
    largest = f"{who} {shares[method][top]:.0%}"
    (mean, spread), (clipped, of_clipped) = (
        agreement(ClusterScaler(method, clip=clip)) for clip in (None, 2.0)
    )
    scores[method] = mean
    print(
        f"{method:12}{largest:>30}{mean:10.3f} +- {spread:.3f}{clipped:10.3f} +- {of_clipped:.3f}"
    )

# %%
# Unscaled features lose to every scaling by feature. `"unit-norm"` is for rows whose direction
# counts, such as texts; here the norm is that of proline, and magnesium decides about the rest.
# `"whiten"` takes off the correlations, and most of these are what tells the cultivars apart. It
# is for clusters that are stretched, not for groups that make the features correlate; what is
# left here has several local optima, as the deviation shows. A bound on outliers helps the methods
# that divide by extremes, `"range"` and `"maxabs"`.
#
# No method is best for all data, which is why the method is a parameter: a grid search over
# ``clusterscaler__method`` tries them all.

# %%
# Centres in the original units
# -----------------------------
#
# Clusters are found in scaled features and read in units. `inverse_transform` brings the centres
# back.

model = make_pipeline(ClusterScaler("range"), KMeans(n_clusters=3, n_init=10, random_state=0))
label = model.fit_predict(X)
centers = model[0].inverse_transform(model[1].cluster_centers_)

print("\nCentres of the clusters by 'range', in the units of the measurements:")
shown = [wine.feature_names.index(name) for name in ("alcohol", "flavanoids", "hue", "proline")]
print(f"{'':10}{'wines':>8}" + "".join(f"{wine.feature_names[j]:>12}" for j in shown))
for c, center in enumerate(centers):
    row = "".join(f"{center[j]:12.2f}" for j in shown)
    print(f"cluster {c} {np.sum(label == c):8d}{row}")

if not scores["range"] > scores["none"] + 0.3:
    raise SystemExit("Scaling should have helped.")
