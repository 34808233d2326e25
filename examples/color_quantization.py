"""
==================================
Color quantization: 64 colours
==================================

A photograph has many thousands of colours. K-means finds a palette of 64 that stands for
them with little error. Rows are pixels, features are red, green and blue.

The picture is one of the two that come with scikit-learn. The example needs matplotlib:
``pip install "sklearn-lloyd[plot]"``. It writes ``color_quantization.png`` to
``examples/output``, or to the folder that you name on the command line.
"""

import sys
from pathlib import Path
from time import perf_counter

import matplotlib

matplotlib.use("Agg")  # no window: the picture goes to a file
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_sample_image

from sklearn_lloyd import KMeans

if len(sys.argv) > 1:
    folder = Path(sys.argv[1])
elif "__file__" in globals():
    folder = Path(__file__).resolve().parent / "output"
else:  # in a notebook, or in the build of the documentation
    folder = Path.cwd() / "output"
folder.mkdir(parents=True, exist_ok=True)

N_COLOURS = 64

# %%
# The pixels as they are
# ----------------------
#
# The colours are whole numbers from 0 to 255, one byte each. They share one unit, so there
# is nothing to scale, and `fit` reads the bytes where they are: no copy of X as floats.

image = load_sample_image("china.jpg")
pixels = image.reshape(-1, 3)
print(f"{image.shape[1]} x {image.shape[0]} pixels: {len(pixels)} rows of {pixels.dtype}.")

# %%
# Two palettes
# ------------
#
# The first palette is the 64 centres of all pixels. The second, to compare with, is 64
# pixels at random; `from_centers` makes a model of them that can predict without a fit.

start = perf_counter()
fitted = KMeans(n_clusters=N_COLOURS, random_state=0).fit(pixels)
seconds = perf_counter() - start
print(f"Fit on all pixels: {fitted.n_iter_} iterations in {seconds:.2f} s.")

rows = np.random.default_rng(0).choice(len(pixels), N_COLOURS, replace=False)
random = KMeans.from_centers(pixels[rows])

# %%
# Compare
# -------
#
# The inertia is the sum of the squared errors of all pixels. Divided by the number of
# values, its root is the typical error of one colour channel, out of 255 levels.


def quantize(model):
    palette = np.rint(model.cluster_centers_).astype(np.uint8)
    return palette[model.predict(pixels)].reshape(image.shape)


def count_colours(picture):
    return len(np.unique(picture.reshape(-1, 3), axis=0))


pictures = {
    "original": image,
    "k-means palette": quantize(fitted),
    "random palette": quantize(random),
}
inertias = {"k-means palette": fitted.inertia_, "random palette": -random.score(pixels)}
captions = {}
for name, picture in pictures.items():
    captions[name] = f"{count_colours(picture):,} colours"
    if name in inertias:
        error = np.sqrt(inertias[name] / pixels.size)
        captions[name] += f", typical error {error:.1f} levels"
        print(f"{name:15}: {captions[name]}, inertia {inertias[name]:.3g}")
    else:
        print(f"{name:15}: {captions[name]}")

# %%
# The random palette follows the number of pixels: most of its entries are pale blue or
# nearly black. K-means weighs the squared error too, so rare but distinct colours, such as
# those of the roof, get entries of their own.

figure, axes = plt.subplots(2, 3, figsize=(13, 4.1), height_ratios=[6, 1], layout="constrained")
for (name, picture), ax in zip(pictures.items(), axes[0], strict=True):
    ax.imshow(picture)
    ax.set_title(f"{name}: {captions[name]}", fontsize=10)
palettes = {"k-means palette": fitted, "random palette": random}
for name, ax in zip(pictures, axes[1], strict=True):
    if name in palettes:
        palette = palettes[name].cluster_centers_ / 255
        brightness = palette @ [0.299, 0.587, 0.114]
        ax.imshow(palette[np.argsort(brightness)].reshape(2, -1, 3), aspect="auto")
axes[1, 0].text(1, 0.5, "The palettes, from dark to light:", ha="right", va="center", fontsize=10)
for ax in axes.flat:
    ax.set_axis_off()
figure.savefig(folder / "color_quantization.png", dpi=120)
print(f"\nWrote {folder.resolve() / 'color_quantization.png'}")
