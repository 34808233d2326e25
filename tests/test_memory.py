"""X is never copied whole: the peak of memory over X itself, each in a process of its own."""

import json
import subprocess
import sys
import textwrap

import pytest

# Rows, features, clusters: 80 MB of float32. Arrays of the size of the centres are not the matter
# here, so the wide one has few.
SHAPES = {"long": (400_000, 50, 16), "wide": (400, 50_000, 2)}


def peak_over_x(action, order, shape):
    """Megabytes by which the peak of the process rises above what it held with X read in."""
    n_rows, n_features, n_clusters = SHAPES[shape]
    code = f"""
        import json, resource
        import numpy as np
        from sklearn_lloyd import KMeans, _threads

        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

        rng = np.random.default_rng(0)
        small = rng.random((5_000, 50), dtype=np.float32)
        KMeans(16, random_state=0, max_iter=2).fit(small).predict(small)  # what loads once
        X = np.empty(({n_rows}, {n_features}), np.float32, order="{order}")
        for start in range(0, {n_rows}, 100):
            X[start : start + 100] = rng.random((100, {n_features}), dtype=np.float32)
        {action.format(k=n_clusters)}
        before = peak()
        work(X)
        print(json.dumps(peak() - before))
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="ru_maxrss is in KB on Linux only"
)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    ("limit", "action"),
    [
        (40, "work = KMeans({k}, random_state=0, max_iter=5, n_threads=2).fit"),
        (40, "work = KMeans({k}, init='k-means||', random_state=0, max_iter=5, n_threads=2).fit"),
        (20, "work = KMeans.from_centers(X[:{k}], n_threads=2).predict"),
    ],
)
def test_peak(limit, action, order, shape):
    peak = peak_over_x(action, order, shape)
    assert peak < limit
