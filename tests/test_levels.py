"""The same bits on every instruction set and number of threads."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

from sklearn_lloyd._core import native

LEVELS = ["baseline", "avx2", "avx512"]
SCRIPT = """
import hashlib, json, sys
import numpy as np
from scipy import sparse
from sklearn_lloyd import KMeans, MiniBatchKMeans, kmeans_plusplus
from sklearn_lloyd._core import native, options
from sklearn_lloyd.metrics import silhouette_samples, simplified_silhouette_samples
from sklearn_lloyd.preprocessing import CentroidFeatures

def digest(*arrays):
    whole = hashlib.sha256()
    for array in arrays:
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()[:16]

def fitted(model):
    return (model.cluster_centers_, model.labels_, model.inertia_, model.history_)

found = {}
rng = np.random.RandomState(0)
with options(least_work=1000, block_rows=256):
    for name, n_features, k in (("narrow", 2, 7), ("middle", 13, 20), ("wide", 150, 30)):
        X = rng.normal(size=(2500, n_features)) + 3 * rng.randint(4, size=(2500, 1)) + 5.0
        X[::50] = X[1]
        weights = rng.randint(3, size=len(X)) + 0.1
        some = sparse.random(1500, 40 * n_features, 0.05, format="csr", random_state=rng)
        cases = {
            "float64": (X, None), "float32": (X.astype(np.float32), weights),
            "F": (np.asfortranarray(X.astype(np.float32)), None), "whole": (X.astype(int), None),
            "CSR": (some, None),
        }
        for kind, (rows, w) in cases.items():
            of_case = found[f"{name} {kind}"] = []
            for n_threads in json.loads(sys.argv[1]):
                params = {"random_state": 0, "n_threads": n_threads}
                model = KMeans(k, max_iter=20, **params).fit(rows, sample_weight=w)
                mini = MiniBatchKMeans(k, batch_size=300, max_iter=4, **params)
                mini.fit(rows, sample_weight=w)
                of_case.append([
                    digest(*fitted(model)), digest(*fitted(mini)), digest(model.transform(rows)),
                    digest(kmeans_plusplus(rows, k, random_state=1)[1]),
                    digest(np.float64(model.score(rows, sample_weight=w))),
                    digest(silhouette_samples(rows[:500], model.labels_[:500])),
                    digest(simplified_silhouette_samples(rows[:500], model.labels_[:500])),
                ])
print(json.dumps({"level": native.level(), "found": found}))
"""


def results_at(level, n_threads):
    """Of each case, what it gives by every one of these numbers of threads."""
    environment = {**os.environ, "SKLEARN_LLOYD_CPU": level}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(n_threads)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["level"] == level
    return told["found"]


@pytest.fixture(scope="module")
def at_baseline():
    return results_at("baseline", [1, 2, 7])


def test_number_of_threads_does_not_show(at_baseline):
    for name, found in at_baseline.items():
        assert found == 3 * found[:1], name


@pytest.mark.parametrize("level", LEVELS[1 : LEVELS.index(native.level()) + 1])
def test_instruction_set_does_not_show(at_baseline, level):
    found = results_at(level, [3])
    assert found == {name: of_case[:1] for name, of_case in at_baseline.items()}


def test_unknown_levels():
    code = """
        import os
        for level in ("avx1024", "AVX2"):
            os.environ["SKLEARN_LLOYD_CPU"] = level
            try:
                import sklearn_lloyd
            except ImportError as error:
                print(error)
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split(".")[0] for line in said] == [
        "SKLEARN_LLOYD_CPU is 'avx1024'",
        "SKLEARN_LLOYD_CPU is 'AVX2'",
    ]
