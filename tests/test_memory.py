"""X is never copied whole: the peak of memory over X itself, each in a process of its own."""

import json
import subprocess
import sys
import textwrap

import pytest

N_ROWS, N_FEATURES = 400_000, 50  # 80 MB of float32


def peak_over_x(action, order):
    """Megabytes by which the peak of the process rises above what it held with X read in."""
    code = f"""
        import json, resource
        import numpy as np
        from sklearn_lloyd import KMeans, _threads

        def peak():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

        rng = np.random.default_rng(0)
        small = rng.random((20_000, {N_FEATURES}), dtype=np.float32)
        KMeans(16, random_state=0, max_iter=2).fit(small).predict(small)  # what loads once
        X = np.empty(({N_ROWS}, {N_FEATURES}), np.float32, order="{order}")
        for start in range(0, {N_ROWS}, 1000):
            X[start : start + 1000] = rng.random((1000, {N_FEATURES}), dtype=np.float32)
        {action}
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
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize(
    ("limit", "action"),
    [
        (40, "work = KMeans(16, random_state=0, max_iter=5, n_threads=2).fit"),
        (20, "work = KMeans.from_centers(X[:16], n_threads=2).predict"),
    ],
)
def test_peak(limit, action, order):
    peak = peak_over_x(action, order)
    assert peak < limit
