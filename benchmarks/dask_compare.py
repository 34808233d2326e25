"""DaskKMeans against one process, KMeans on one machine, dask-ml and Spark.

    python benchmarks/dask_compare.py [--rows 4000000] [--rounds 3] [--only NAME,...]

The rivals run in turn in each round. Rows are on the workers, or in memory, before; starting a
cluster is not timed. Figures are ratios of medians. Inertias are computed here, in float64; ours
has to be no more than 2 % above any other.

    start    from the same first centres: two processes of one thread, one process of one thread,
             KMeans on two threads
    fit      with everything by default, and k-means||: dask-ml, and Spark's MLlib in local mode,
             which iterates 20 times at the most
    blocks   what an iteration costs with 10 to 10,000 blocks of 100 rows
"""

import argparse
import os
import statistics
import time

import dask.array as da
import numpy as np
from dask.distributed import Client, LocalCluster, wait

from sklearn_lloyd import KMeans
from sklearn_lloyd.distributed import DaskKMeans

K, WIDTH = 20, 10


def blobs(n_rows):
    rng = np.random.default_rng(0)
    centers = 1.5 * rng.normal(size=(K, WIDTH))
    X = rng.normal(size=(n_rows, WIDTH))
    X += centers[rng.integers(0, K, n_rows)]
    return X


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


def on_workers(X, client, n_blocks=8):
    with client.as_current():
        rows = da.from_array(X, chunks=(-(-len(X) // n_blocks), -1)).persist()
        wait(rows)
    return rows


def race(X, rivals, rounds):
    """Print the median seconds and inertias of the rivals, and ratios to the first one."""
    seconds, costs = {name: [] for name in rivals}, {}
    for i in range(rounds + 1):
        for name, run in rivals.items():
            start = time.perf_counter()
            centers = run()
            if i > 0:
                seconds[name].append(time.perf_counter() - start)
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
    init, one, two = X[:K].copy(), cluster(1), cluster(2)
    rows = {client: on_workers(X, client) for client in (one, two)}

    def on(client):
        with client.as_current():
            return DaskKMeans(K, init=init).fit(rows[client]).cluster_centers_

    rivals = {
        "2 processes": lambda: on(two),
        "1 process": lambda: on(one),
        "KMeans, 2 threads": lambda: KMeans(K, init=init, n_threads=2).fit(X).cluster_centers_,
    }
    race(X, rivals, rounds)
    for client in (one, two):
        client.cluster.close()
        client.close()


def compare_fit(X, rounds):
    two = cluster(2)
    rows = on_workers(X, two)

    def ours(**options):
        with two.as_current():
            return DaskKMeans(K, random_state=0, **options).fit(rows).cluster_centers_

    rivals = {"default": ours, "k-means||": lambda: ours(init="k-means||")}
    try:
        from dask_ml.cluster import KMeans as DaskMLKMeans

        def dask_ml():
            with two.as_current():
                return DaskMLKMeans(K, init="k-means||", random_state=0).fit(rows).cluster_centers_

        dask_ml()
        rivals["dask-ml, k-means||"] = dask_ml
    except Exception as error:
        print(f"dask-ml does not run: {type(error).__name__}: {error}")
    spark = None
    try:
        spark, rivals["Spark"] = spark_rival(X)
    except Exception as error:
        print(f"Spark does not run: {type(error).__name__}: {str(error)[:200]}")
    race(X, rivals, rounds)
    two.cluster.close()
    two.close()
    if spark is not None:
        spark.stop()


def spark_rival(X):
    import pandas as pd
    from pyspark.ml.clustering import KMeans as SparkKMeans
    from pyspark.ml.feature import VectorAssembler
    from pyspark.sql import SparkSession

    path = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"dask-compare-{os.getpid()}.parquet")
    columns = [f"x{j}" for j in range(WIDTH)]
    pd.DataFrame(X, columns=columns).to_parquet(path, row_group_size=500_000)
    spark = (
        SparkSession.builder.master("local[2]")
        .config("spark.driver.memory", "8g")
        .config("spark.ui.enabled", "false")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    frame = VectorAssembler(inputCols=columns, outputCol="features").transform(
        spark.read.parquet(path)
    )
    frame = frame.select("features").repartition(8).cache()
    frame.count()
    os.remove(path)

    def run():
        return np.array(SparkKMeans(k=K, seed=0).fit(frame).clusterCenters())

    return spark, run


def compare_blocks(X, rounds):
    two = cluster(2)
    with two.as_current():
        for n_blocks in (10, 100, 1000, 10_000):
            rows = da.random.normal(size=(100 * n_blocks, WIDTH), chunks=(100, -1)).persist()
            wait(rows)
            times = []
            for n_iter in (1, 6):
                start = time.perf_counter()
                DaskKMeans(K, init=X[:K], tol=0.0, max_iter=n_iter).fit(rows)
                times.append(time.perf_counter() - start)
            each = (times[1] - times[0]) / 5
            print(
                f"{n_blocks:6} blocks: {1e3 * each:7.1f} ms an iteration, "
                f"{1e3 * each / n_blocks:6.3f} ms a block; the rest {times[0]:.2f} s",
                flush=True,
            )
    two.cluster.close()
    two.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=4_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="start,fit,blocks")
    options = parser.parse_args()
    data = blobs(options.rows)
    parts = {"start": compare_start, "fit": compare_fit, "blocks": compare_blocks}
    for part in options.only.split(","):
        print(f"-- {part}: {options.rows:,} x {WIDTH}, k = {K}", flush=True)
        parts[part](data, options.rounds)
