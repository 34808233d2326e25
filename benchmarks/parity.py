"""The parity table: from the same start, ours against scikit-learn's KMeans.

    python benchmarks/parity.py

For every set that ships with scikit-learn, raw and standardised, in float64 and float32, with
each algorithm: how many labels differ, both n_iter_, and the relative difference of inertia.
Starts are rows of the data, moved a little: where two first centres are exactly as far from a
row (rows of whole numbers), scikit-learn's choice is a matter of rounding, ours is the lower
index. Exits with 1 if a line is not as promised: equal labels and n_iter_, inertia to 1e-9 in
float64 and 1e-5 in float32.
"""

import sys

import numpy as np
import sklearn
import sklearn.cluster
from sklearn import datasets
from sklearn.preprocessing import StandardScaler

import sklearn_lloyd

SETS = ("breast_cancer", "diabetes", "digits", "iris", "linnerud", "wine")


def main():
    print(f"scikit-learn {sklearn.__version__}, sklearn-lloyd {sklearn_lloyd.__version__}")
    print(
        f"{'set':14} {'scaled':6} {'dtype':8} {'k':>3} {'algorithm':9} "
        f"{'labels differ':>13} {'n_iter_':>9} {'inertia':>9}"
    )
    failures = 0
    for name in SETS:
        raw = getattr(datasets, f"load_{name}")().data
        for scaled in (False, True):
            for dtype in (np.float64, np.float32):
                X = StandardScaler().fit_transform(raw) if scaled else raw
                failures += compare(name, scaled, X.astype(dtype))
    print(f"{failures} lines not as promised")
    return 1 if failures else 0


def compare(name, scaled, X):
    failures = 0
    tolerance = 1e-9 if X.dtype == np.float64 else 1e-5
    for k in (3, 10):
        rng = np.random.RandomState(k)
        init = X[rng.choice(len(X), k, replace=False)]
        init = (init + rng.normal(scale=0.01 * X.std(axis=0), size=init.shape)).astype(X.dtype)
        theirs = sklearn.cluster.KMeans(k, init=init, n_init=1).fit(X)
        for algorithm in ("lloyd", "elkan"):
            ours = sklearn_lloyd.KMeans(k, init=init, algorithm=algorithm).fit(X)
            differ = int((ours.labels_ != theirs.labels_).sum())
            off = abs(ours.inertia_ / theirs.inertia_ - 1)
            kept = differ == 0 and ours.n_iter_ == theirs.n_iter_ and off <= tolerance
            failures += not kept
            print(
                f"{name:14} {scaled!s:6} {X.dtype!s:8} {k:3} {algorithm:9} {differ:13} "
                f"{ours.n_iter_:4}/{theirs.n_iter_:<4} {off:9.1e}{'' if kept else '  <--'}"
            )
    return failures


if __name__ == "__main__":
    sys.exit(main())
