"""The batch job on more rows than its memory budget holds: peaks as seen from outside.

    python benchmarks/batch.py [--rows 5000000] [--features 20] [--memory-limit 512M]

Writes a Parquet file of float64 to a temporary folder (0.9 GB by default), then runs each command
of `sklearn-lloyd` on it in a process of its own, and looks at its peak (VmHWM in /proc, so Linux
only) every 20 ms. Ends with 1 if a command failed or was above the limit.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

N_CLUSTERS = 12
BLOCK = 100_000


def write_rows(path, n_rows, n_features):
    rng = np.random.default_rng(0)
    centers = rng.normal(size=(N_CLUSTERS, n_features))
    names, writer = ["id", *(f"feature {j}" for j in range(n_features))], None
    for start in range(0, n_rows, BLOCK):
        n = min(BLOCK, n_rows - start)
        X = centers[rng.integers(0, N_CLUSTERS, n)] + rng.normal(size=(n, n_features))
        columns = [np.arange(start, start + n), *X.T]
        table = pa.table(dict(zip(names, columns, strict=True)))
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    writer.close()


def run(arguments):
    """Exit code, peak in MiB, seconds and log of a command."""
    command = [sys.executable, "-m", "sklearn_lloyd.cli", *map(str, arguments)]
    peak, start = 0, time.perf_counter()
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)
        while process.poll() is None:
            status = Path(f"/proc/{process.pid}/status").read_text()
            # Of a process that has just ended there is none.
            peak = int((re.search(r"VmHWM:\s*(\d+)", status) or [0, peak])[1])
            time.sleep(0.02)
        seconds = time.perf_counter() - start
        log.seek(0)
        return process.returncode, peak / 1024, seconds, log.read()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--memory-limit", default="512M")
    parser.add_argument("--commands", default="fit,drift,predict,profile")
    options = parser.parse_args()
    limit, failed = int(options.memory_limit.removesuffix("M")), False
    with tempfile.TemporaryDirectory() as folder:
        data = f"{folder}/rows.parquet"
        write_rows(data, options.rows, options.features)
        print(f"{options.rows:,} rows x {options.features}, limit {limit} MiB")
        given = [data, "--id-column", "id", "--memory-limit", options.memory_limit]
        given += ["--store", f"sqlite:///{folder}/segments.db", "--name", "rows"]
        for command in options.commands.split(","):
            more = ["--n-clusters", N_CLUSTERS, "--max-iter", 20] if command == "fit" else []
            code, peak, seconds, log = run([command, *given, *more])
            verdict = "ok" if code == 0 and peak < limit else "FAILED"
            failed |= verdict != "ok"
            print(f"{command:8} {peak:6.0f} MiB {seconds:7.1f} s  exit code {code}  {verdict}")
            print("".join(f"    {line}\n" for line in log.splitlines()), end="", flush=True)
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
