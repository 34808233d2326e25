"""
==========================================
Texts: clusters that one can read
==========================================

The documentation of SciPy, a thousand texts that are installed with it, is clustered by its words.
:func:`~sklearn_lloyd.inspection.cluster_profiles` says what each cluster is about, and a picture
shows which words are its own. As each text comes from one of SciPy's modules, we can see what the
clusters have to do with these. The example needs pandas and matplotlib as well:
``pip install pandas matplotlib``. It writes its pictures to ``examples/output``, or to the folder
that you name on the command line.
"""

import importlib
import inspect
import re
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no window: the pictures go to files
import pandas as pd
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.metrics import adjusted_rand_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from sklearn_lloyd import KMeans
from sklearn_lloyd.inspection import ClusterDisplay, ProfileDisplay, cluster_profiles, diagnose

if len(sys.argv) > 1:
    folder = Path(sys.argv[1])
elif "__file__" in globals():
    folder = Path(__file__).resolve().parent / "output"
else:  # in a notebook, or in the build of the documentation
    folder = Path.cwd() / "output"
folder.mkdir(parents=True, exist_ok=True)

# %%
# The texts
# ---------
#
# Of what each module offers, the text that ``help`` shows, without notes and references: names of
# authors would make clusters of their own. The texts differ a little from one version of SciPy to
# the next.

MODULES = (
    "cluster.hierarchy fft integrate interpolate linalg ndimage optimize signal sparse spatial"
)
found = []
for name in [*MODULES.split(), "special", "stats"]:
    module = importlib.import_module(f"scipy.{name}")
    for what in sorted(module.__all__):
        one = getattr(module, what)
        text = None if inspect.ismodule(one) else inspect.getdoc(one)
        text = re.split(r"\n(?:Notes|References|See Also)\n", text or "")[0]
        if len(text) > 200:
            found.append((name, what, text))
docs = pd.DataFrame(found, columns=["module", "name", "text"]).drop_duplicates("text")
docs = docs.reset_index(drop=True)
print(f"{len(docs)} texts of {docs['module'].nunique()} modules")

# %%
# Counts of words
# ---------------
#
# The first thing that comes to mind is to count words. A long text is then far from all others,
# whatever it is about. :func:`~sklearn_lloyd.inspection.diagnose` says so.

k = docs["module"].nunique()
counts = make_pipeline(CountVectorizer(), KMeans(k, random_state=0)).fit(docs["text"])
print(diagnose(counts, docs["text"])[0])

# %%
# Texts of one length
# -------------------
#
# Words that are in few texts count more (tf-idf), words that often come together are taken
# together (a hundred components), and all texts get the same length. The pipeline takes the texts
# themselves.

model = make_pipeline(
    TfidfVectorizer(sublinear_tf=True, max_df=0.5, min_df=2),
    TruncatedSVD(100, random_state=0),
    Normalizer(copy=False),
    KMeans(k, n_init=5, random_state=0),
).fit(docs["text"])
agreement = adjusted_rand_score(docs["module"], model[-1].labels_)
print(f"Agreement with the modules (adjusted Rand index): {agreement:.2f}")

# %%
# What the clusters are about
# ---------------------------
#
# "own" are the words that set a cluster apart, with the share of its texts that have them, and
# that of all other texts in brackets. "weight" are the words of most weight in its centre. The
# components have no names, so the words are those of the vectoriser.

profiles = cluster_profiles(model, docs["text"])
print(profiles)

# %%
# The same as a picture: bars for the cluster, black lines for all other texts.

display = ProfileDisplay.from_profiles(profiles)
display.figure_.savefig(folder / "texts.png", dpi=100)

# %%
# Clusters and modules
# --------------------
#
# `exemplars` are the rows of the most typical texts. Most clusters are of one module, some of what
# several have in common.

for i, name in enumerate(profiles.names):
    own = docs[model[-1].labels_ == profiles.clusters[i]]
    module, share = own["module"].mode()[0], (own["module"] == own["module"].mode()[0]).mean()
    typical = ", ".join(docs.loc[profiles.exemplars[i], "name"])
    print(f"{name:32s} {len(own):4d} texts, {share:4.0%} {module:18s} such as {typical}")

# %%
# Where the clusters lie. Two axes of a hundred show a small part of what there is to see.

display = ClusterDisplay.from_estimator(model, docs["text"])
display.figure_.savefig(folder / "texts_clusters.png", dpi=100)
print(f"Wrote texts.png and texts_clusters.png to {folder.resolve()}")
