"""
==========================================
Embeddings: columns that mean nothing
==========================================

Models of language or of images turn each item into a vector of some hundred numbers. None of them
means anything by itself, so that "high x17" says nothing of a cluster. What can be said: which
items are typical, which cluster is nearest, and which words the items have in common, if there is
a text for each.

A real embedding comes from a model that has to be downloaded. So that the example runs without
network, ours is a plain one: latent semantic analysis of the documentation of NumPy, 200 numbers
for each function. For k-means it is an array of vectors like any other. Better vectors give better
clusters, by the same lines. The example needs matplotlib as well: ``pip install matplotlib``. It
writes its picture to ``examples/output``, or to the folder that you name on the command line.
"""

import inspect
import re
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # no window: the picture goes to a file
import numpy as np
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer

from sklearn_lloyd import KMeans
from sklearn_lloyd.inspection import ProfileDisplay, cluster_profiles

if len(sys.argv) > 1:
    folder = Path(sys.argv[1])
elif "__file__" in globals():
    folder = Path(__file__).resolve().parent / "output"
else:  # in a notebook, or in the build of the documentation
    folder = Path.cwd() / "output"
folder.mkdir(parents=True, exist_ok=True)

# %%
# The items and their vectors
# ---------------------------
#
# An item is a function of NumPy. Its title is the first paragraph of its documentation, and its
# vector comes from all of it. From here on we act as if someone had given us vectors and titles.

titles, texts = [], []
for module in (np, np.linalg, np.fft, np.random, np.ma):
    for name in sorted(module.__all__):
        text = inspect.getdoc(getattr(module, name, None)) or ""
        paragraphs = [part for part in text.split("\n\n") if not re.match(r"\w+\(", part)]
        title = f"{name}: {' '.join(paragraphs[0].split())}" if paragraphs else name
        if callable(getattr(module, name, None)) and len(text) > 200 and title not in titles:
            titles.append(title)
            texts.append(text)
embed = make_pipeline(
    TfidfVectorizer(sublinear_tf=True, min_df=2, max_df=0.5), TruncatedSVD(200, random_state=0)
)
vectors = embed.fit_transform([re.split(r"\nNotes\n|\nReferences\n", text)[0] for text in texts])
print(f"{vectors.shape[0]} items, {vectors.shape[1]} numbers each")

# %%
# Clusters
# --------
#
# Of embeddings, angles count and lengths do not, so all vectors get the same length.

model = make_pipeline(Normalizer(), KMeans(10, n_init=10, random_state=0)).fit(vectors)

# %%
# From the vectors alone, a cluster is named by its most typical row.

print(cluster_profiles(model, vectors))

# %%
# What they are about
# -------------------
#
# With the titles there are words. The model has not seen them.

profiles = cluster_profiles(model, vectors, texts=titles, n_exemplars=4)
print(profiles)

# %%
# `examples` are the titles of the typical items, `nearest` says which cluster is nearest.

for i, name in enumerate(profiles.names):
    print(f"\n{name} (nearest: {profiles.names[profiles.nearest[i]]})")
    for title in profiles.examples[i]:
        print(f"    {title[:80]}")

# %%
# The same as a picture: the words of the titles.

display = ProfileDisplay.from_profiles(profiles)
display.figure_.savefig(folder / "embeddings.png", dpi=100)
print(f"\nWrote {folder.resolve() / 'embeddings.png'}")
