"""DaskKMeans against one process, KMeans on one machine, dask-ml and Spark.

    python benchmarks/dask_compare.py [--rows 4000000] [--rounds 3] [--only NAME,...]

The rivals run in turn in each round, each with the number of the round as its seed. Rows are on
the workers, or in memory, before; starting a cluster is not timed. Where one cluster is compared
with another it is alone, with a fit before that is not timed: each idle worker, with what dask has
beside it, takes 5 to 10 % of a processor. Figures are ratios of medians.
Inertias are computed here, in float64; ours has to be no more than 2 % above any other.

    start    from the same first centres: two processes of one thread, one process of one thread,
             KMeans on two threads
    fit      with everything by default, and k-means||: dask-ml, and Spark's MLlib in local mode,
             which iterates 20 times at the most
    blocks   what an iteration costs with 10 to 10,000 blocks of 100 rows
    memory   what processes take at most with rows of three times the memory of all workers, which
             are made anew in each pass; Linux only
"""

import argparse
import os
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path

import dask
import dask.array as da
import numpy as np
from dask.distributed import Client, LocalCluster, wait

from sklearn_lloyd import KMeans
from sklearn_lloyd.distributed import DaskKMeans

K, WIDTH, N_BLOCKS = 20, 10, 8


def blobs(number, n_rows):
    """Rows of groups that overlap; the number of the block gives other rows."""
    centers = 1.5 * np.random.default_rng(0).normal(size=(K, WIDTH))
    rng = np.random.default_rng([1, number])
    X = rng.normal(size=(n_rows, WIDTH))
    X += centers[rng.integers(0, K, n_rows)]
    return X


def blocks_of(n_rows):
    return [(number, -(-n_rows // N_BLOCKS)) for number in range(N_BLOCKS)]


def in_memory(n_rows):
    return np.concatenate([blobs(*block) for block in blocks_of(n_rows)])


def inertia(X, centers):
    """By NumPy, in float64."""
    centers, total = np.asarray(centers, np.float64), 0.0
    for start in range(0, len(X), 200_000):
        part = X[start : start + 200_000]
        squares = (part**2).sum(axis=1)[:, None] - 2.0 * part @ centers.T
        total += (squares + (centers**2).sum(axis=1)).min(axis=1).sum()
    return total


def cluster(n_workers):
    local = LocalCluster(
        n_workers=n_workers, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    )
    return Client(local)


def on_workers(n_rows, client):
    """The same rows, made on the workers."""
    with client.as_current():
        made = [
            da.from_delayed(dask.delayed(blobs)(*block), (block[1], WIDTH), float)
            for block in blocks_of(n_rows)
        ]
        rows = da.concatenate(made).persist()
        wait(rows)
    return rows


def timed(fit, *args):
    """Seconds that a fit takes, and the centres that it returns."""
    start = time.perf_counter()
    centers = fit(*args)
    return time.perf_counter() - start, centers


def race(X, rivals, rounds):
    """Print the median seconds and inertias of the rivals, and ratios to the first one.

    A rival takes the number of the round, and returns seconds and centres.
    """
    seconds, costs = {name: [] for name in rivals}, {}
    for i in range(rounds + 1):
        for name, run in rivals.items():
            took, centers = run(i)
            if i > 0:
                seconds[name].append(took)
                costs.setdefault(name, []).append(inertia(X, centers))
    least = min(statistics.median(each) for each in costs.values())
    assert statistics.median(costs[next(iter(rivals))]) <= 1.02 * least, costs
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    first = next(iter(rivals))
    for name in rivals:
        cost = statistics.median(costs[name]) / statistics.median(costs[first])
        print(
            f"{name:34} {medians[name]:7.2f} s   time {medians[name] / medians[first]:5.2f} of "
            f"{first}   inertia {cost:.4f}",
            flush=True,
        )


def compare_start(X, rounds):
    init = X[:K].copy()

    def on_cluster(n_workers):
        client = cluster(n_workers)
        with client.cluster, client:
            rows = on_workers(len(X), client)

            def fit():
                return DaskKMeans(K, init=init).fit(rows).cluster_centers_

            fit()
            return timed(fit)

    def local():
        return KMeans(K, init=init, n_threads=2).fit(X).cluster_centers_

    rivals = {
        "2 processes": lambda seed: on_cluster(2),
        "1 process": lambda seed: on_cluster(1),
        "KMeans, 2 threads": lambda seed: timed(local),
    }
    race(X, rivals, rounds)


def compare_fit(X, rounds):
    two = cluster(2)
    rows = on_workers(len(X), two)

    def ours(seed, **options):
        with two.as_current():
            return DaskKMeans(K, random_state=seed, **options).fit(rows).cluster_centers_

    rivals = {"default": ours, "k-means||": partial(ours, init="k-means||")}
    if (dask_ml := dask_ml_rival(X, rows, two)) is not None:
        rivals["dask-ml"] = dask_ml
    spark = None
    try:
        spark, rivals["Spark"] = spark_rival(X)
    except Exception as error:
        print(f"Spark does not run: {type(error).__name__}: {str(error)[:200]}")
    race(X, {name: partial(timed, fit) for name, fit in rivals.items()}, rounds)
    two.cluster.close()
    two.close()
    if spark is not None:
        spark.stop()


def dask_ml_rival(X, rows, client):
    """With k-means||, or where that fails from an array; None if it does not run at all."""
    for init in ("k-means||", X[:K].copy()):
        try:
            from dask_ml.cluster import KMeans as DaskMLKMeans

            def run(seed, init=init):
                with client.as_current():
                    model = DaskMLKMeans(K, init=init, random_state=seed)
                    return model.fit(rows).cluster_centers_

            run(0)
            print("dask-ml: init", init if isinstance(init, str) else "from an array", flush=True)
            return run
        except Exception as error:
            print(f"dask-ml does not run: {type(error).__name__}: {str(error)[:200]}", flush=True)


def spark_rival(X):
    import pandas as pd
    from pyspark.ml.clustering import KMeans as SparkKMeans
    from pyspark.ml.feature import VectorAssembler
    from pyspark.sql import SparkSession

    columns = [f"x{j}" for j in range(WIDTH)]
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "8g")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rows.parquet")
        pd.DataFrame(X, columns=columns).to_parquet(path, row_group_size=500_000)
        frame = VectorAssembler(inputCols=columns, outputCol="features").transform(
            spark.read.parquet(path)
        )
        frame = frame.select("features").repartition(N_BLOCKS).cache()
        frame.count()

    def run(seed):
        return np.array(SparkKMeans(k=K, seed=seed).fit(frame).clusterCenters())

    return spark, run


def compare_blocks(X, rounds):
    two = cluster(2)
    with two.as_current():
        for n_blocks in (10, 100, 1000, 10_000):
            rows = da.random.normal(size=(100 * n_blocks, WIDTH), chunks=(100, -1)).persist()
            wait(rows)
            times = {1: [], 11: []}
            for i in range(rounds + 1):
                for n_iter, seconds in times.items():
                    start = time.perf_counter()
                    DaskKMeans(K, init=X[:K], tol=0.0, max_iter=n_iter).fit(rows)
                    if i > 0:
                        seconds.append(time.perf_counter() - start)
            first, last = (statistics.median(seconds) for seconds in times.values())
            each = (last - first) / 10
            print(
                f"{n_blocks:6} blocks: {1e3 * each:7.1f} ms an iteration, "
                f"{1e3 * each / n_blocks:6.3f} ms a block; a fit of one {first:.2f} s",
                flush=True,
            )
    two.cluster.close()
    two.close()


def megabytes(field):
    """Of this process: 'VmRSS' now, 'VmHWM' at most."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(field + ":")[2].split()[0]) / 1024


def compare_memory(X, rounds):
    limit, n_rows = 600, 250_000
    local = LocalCluster(
        n_workers=2, threads_per_worker=1, memory_limit=f"{limit} MiB", dashboard_address=":0",
        silence_logs=50,
    )  # fmt: skip
    n_blocks = -(-3 * 2 * limit * 2**20 // (8 * n_rows * WIDTH))
    with local, Client(local) as client:
        rows = [dask.delayed(blobs)(number, n_rows) for number in range(n_blocks)]
        base, start = megabytes("VmHWM"), time.perf_counter()
        model = DaskKMeans(K, random_state=0, max_iter=3).fit(rows)
        took = time.perf_counter() - start
        peaks = ", ".join(f"{peak:.0f}" for peak in client.run(megabytes, "VmHWM").values())
        print(
            f"{n_rows * n_blocks:,} rows in {n_blocks} blocks, {model.n_iter_} iterations: "
            f"{took:.0f} s; workers {peaks} MB at most, of {limit}; client "
            f"{megabytes('VmHWM') - base:.0f} MB more than before"
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=4_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="start,fit,blocks,memory")
    options = parser.parse_args()
    data = in_memory(options.rows)
    parts = {
        "start": compare_start,
        "fit": compare_fit,
        "blocks": compare_blocks,
        "memory": compare_memory,
    }
    for part in options.only.split(","):
        print(f"-- {part}: {options.rows:,} x {WIDTH}, k = {K}", flush=True)
        parts[part](data, options.rounds)
