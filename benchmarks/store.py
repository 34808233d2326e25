"""SegmentStore.assign: rows a second, and how much memory grows, on SQLite and PostgreSQL.

    python benchmarks/store.py [--rows 1000000] [--features 20] [--clusters 8] [--url URL ...]

Without a URL: SQLite in a temporary folder, and a PostgreSQL server that is started there if this
machine has one. Rows come in blocks that are made on the way, so that only what `assign` itself
needs is in memory. Three times: new records, the same records of which some moved, and a tenth of
them. Seconds are wall clock; beside them the processor seconds of this process, which do not count
those of a server.
"""

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from sklearn_lloyd import KMeans
from sklearn_lloyd.tracking import SegmentStore

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from databases import new_database, postgresql

BLOCK = 50_000


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def blocks(n_rows, centers, seed, stride):
    """Ids in a random order and rows, in blocks; each block is made when it is asked for."""
    for start in range(0, n_rows, BLOCK):
        rng = np.random.default_rng([seed, start])
        n = min(BLOCK, n_rows - start)
        # Multiples of an odd number, modulo a power of two: each id once, in no order.
        ids = (np.arange(start, start + n) * stride) % 2**40
        labels = rng.integers(0, len(centers), n)
        yield ids, centers[labels] + rng.normal(size=(n, centers.shape[1]))


def measure(url, options):
    centers = np.random.default_rng(0).normal(scale=4.0, size=(options.clusters, options.features))
    store = SegmentStore(url)
    _, X = next(blocks(20_000, centers, 0, 1))
    store.register("model", KMeans.from_centers(centers), X)
    store.assign("model", None, blocks(BLOCK, centers, 0, 1))  # buffers that stay
    kind = url.split(":")[0].split("+")[0]
    runs = [
        ("new", options.rows, 1),
        ("again", options.rows, 2),
        ("a tenth", options.rows // 10, 3),
    ]
    for what, n_rows, seed in runs:
        before, cpu, start = peak(), time.process_time(), time.perf_counter()
        store.assign("model", None, blocks(n_rows, centers, seed, 0x9E3779B1))
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        print(
            f"{kind:10}  {what:8}  {n_rows:9,} rows  {wall:6.1f} s  {n_rows / wall:9,.0f} rows/s"
            f"  (processor {cpu:5.1f} s)  memory +{peak() - before:.0f} MB",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--clusters", type=int, default=8)
    parser.add_argument("--url", nargs="*")
    options = parser.parse_args()
    for url in options.url or ():
        measure(url, options)
    if options.url:
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(f"sqlite:///{folder}/segments.db", options)
    try:
        with postgresql() as server:
            measure(new_database(server), options)
    except pytest.skip.Exception as missing:
        print(missing)


if __name__ == "__main__":
    main()
