"""
===============================================
The steps of k-means: a good and a bad start
===============================================

Lloyd's algorithm does two things in turn: each row chooses the nearest centre, then each centre
moves to the mean of its rows. The inertia falls at each step, until nothing changes any more.
Where it ends depends on where it begins: a bad start leads to a local optimum, and no further
step leads out of it.

The example needs matplotlib: ``pip install "sklearn-lloyd[plot]"``. It writes
``lloyd_steps_good.png``, ``lloyd_steps_bad.png`` and the page ``lloyd_steps.html`` to
``examples/output``, or to the folder that you name on the command line.
"""

import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no window: the pictures go to files
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_iris

from sklearn_lloyd import KMeans
from sklearn_lloyd.inspection import ConvergenceDisplay, LloydStepsDisplay

if len(sys.argv) > 1:
    folder = Path(sys.argv[1])
elif "__file__" in globals():
    folder = Path(__file__).resolve().parent / "output"
else:  # in a notebook, or in the build of the documentation
    folder = Path.cwd() / "output"
folder.mkdir(parents=True, exist_ok=True)

# %%
# Two starts
# ----------
#
# Two measurements of 150 irises: one species lies apart, the two others touch. The bad start
# puts two of the three centres into the species that lies apart.

iris = load_iris(as_frame=True)
X = iris.data[["sepal length (cm)", "petal length (cm)"]]
starts = {"good": [0, 70, 120], "bad": [13, 56, 18]}

# %%
# A good start
# ------------
#
# Arrows show where the centres went in a step. The last panel has the inertia of all steps;
# the steps that are drawn are marked.

good = LloydStepsDisplay.from_estimator(KMeans(3, init=X.iloc[starts["good"]]), X)
good.figure_.savefig(folder / "lloyd_steps_good.png", dpi=100)
print(f"Wrote {folder.resolve() / 'lloyd_steps_good.png'}")
print(f"Good start: {len(good.inertia)} steps, inertia {good.inertia[-1]:.1f}.")

# %%
# A bad start
# -----------
#
# Two centres share the species that lies apart, and stay there: hardly any row of the others
# is nearer to them than to the third centre, which has to stand for both other species.

bad = LloydStepsDisplay.from_estimator(KMeans(3, init=X.iloc[starts["bad"]]), X)
bad.figure_.savefig(folder / "lloyd_steps_bad.png", dpi=100)
print(f"Wrote {folder.resolve() / 'lloyd_steps_bad.png'}")
print(f"Bad start: {len(bad.inertia)} steps, inertia {bad.inertia[-1]:.1f}.")

# %%
# The same, to play with
# ----------------------
#
# One file without any library, to be opened in a browser or sent by mail, with five random
# starts to choose from. It stands in :doc:`/guide/steps`.

model = KMeans(3, init="random", n_init=5, random_state=1)
steps = LloydStepsDisplay.from_estimator(model, X)
for number, run in enumerate(steps.runs, start=1):
    print(f"Start {number}: {len(run.inertia)} steps, inertia {run.last_inertia:.1f}.")
page = steps.to_html(folder / "lloyd_steps.html")
plt.close(steps.figure_)
print(f"Wrote {page.resolve()} ({page.stat().st_size / 1000:.0f} kB).")

# %%
# What helps
# ----------
#
# Careful seeding (k-means++) and several starts. `start_inertias_` says how much the starts
# differ, and the display shows their way. Here every start is random, to see them fail.

model = KMeans(3, init="random", n_init=20, random_state=0).fit(X)
display = ConvergenceDisplay.from_estimator(model)
found, counts = np.unique(model.start_inertias_.round(1), return_counts=True)
for inertia, count in zip(found, counts, strict=True):
    print(f"{count} of 20 random starts end at an inertia of {inertia}.")
