"""The first call in a new process: import, fit and predict, ours beside scikit-learn's.

    python benchmarks/first_call.py [--rounds 7]

Each call is a process of its own, in turn. The data are made before the clock starts, with NumPy
alone. "import" is what `from sklearn_lloyd import KMeans` takes once `sklearn.cluster` is there,
in milliseconds of processor time and megabytes of memory; "x" is scikit-learn's median over ours.
Both find the same inertia within 1 %.

Both packages have their bytecode, as pip leaves it, even if PYTHONDONTWRITEBYTECODE is set.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys

SIZES = [
    ("300 x 2", 300, 2, 3, "float64"),
    ("5,000 x 8", 5_000, 8, 8, "float64"),
    ("20,000 x 30", 20_000, 30, 20, "float64"),
    ("20,000 x 100", 20_000, 100, 20, "float32"),
    ("200,000 x 10", 200_000, 10, 20, "float32"),
]
CALL = """
import json, sys, time
import numpy as np
package, dtype, seed = sys.argv[1], sys.argv[5], int(sys.argv[6])
n, d, k = map(int, sys.argv[2:5])
rng = np.random.default_rng(0)
X = (rng.uniform(-9, 9, (k, d))[rng.integers(k, size=n)] + rng.normal(size=(n, d))).astype(dtype)
start = time.perf_counter()
if package == "ours":
    from sklearn_lloyd import KMeans
else:
    from sklearn.cluster import KMeans
model = KMeans(k, n_init=1, random_state=seed).fit(X)
model.predict(X)
seconds = time.perf_counter() - start
print(json.dumps([seconds, float(model.inertia_)]))
"""
IMPORT = """
import json, resource, time
import sklearn.cluster
memory = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before, start = memory(), time.process_time()
from sklearn_lloyd import KMeans
print(json.dumps([1e3 * (time.process_time() - start), memory() - before]))
"""
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def told(script, *arguments):
    command = [sys.executable, "-c", script, *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
    return json.loads(run.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    imports = [told(IMPORT) for _ in range(rounds + 1)][1:]  # the first one writes bytecode
    milliseconds, megabytes = (statistics.median(column) for column in zip(*imports, strict=True))
    print(f"import over sklearn.cluster: {milliseconds:.0f} ms, {megabytes:.1f} MB")
    for name, *size in SIZES:
        times, inertias = {"theirs": [], "ours": []}, {"theirs": [], "ours": []}
        for seed in range(rounds):
            for package in times:
                seconds, inertia = told(CALL, package, *size, seed)
                times[package].append(seconds)
                inertias[package].append(inertia)
        ours, theirs = (statistics.median(times[package]) for package in ("ours", "theirs"))
        least = {package: min(values) for package, values in inertias.items()}
        assert least["ours"] <= 1.01 * least["theirs"], (name, least)
        print(f"{name:14} ours {ours:6.2f} s   theirs {theirs:6.2f} s   x{theirs / ours:.2f}")


if __name__ == "__main__":
    main()
