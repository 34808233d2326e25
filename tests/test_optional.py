"""Numba is an extra: without it, or where it does not work, everything else does.

Each in a process of its own, since what is imported cannot be taken back.
"""

import os
import subprocess
import sys
import textwrap

import pytest

PREAMBLE = """
import sys
import numpy as np
from importlib.abc import MetaPathFinder

class Broken(MetaPathFinder):
    # As a numba that is there and does not fit: found, but its import fails.
    def find_spec(self, name, path=None, target=None):
        if name == "numba":
            from importlib.machinery import ModuleSpec
            return ModuleSpec(name, self)

    def create_module(self, spec):
        raise ImportError("Numba needs NumPy 9.9 or less")

    def exec_module(self, module):
        pass

class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "numba":
            raise ModuleNotFoundError("No module named 'numba'", name="numba")

X = np.random.default_rng(0).normal(size=(2**13, 16))
large = {"n_clusters": 32, "init": X[:32], "max_iter": 2}  # "auto" would compile
"""

AS_IF_GONE = {
    "not installed": 'sys.modules["numba"] = None',
    "not found": "sys.meta_path.insert(0, Missing())",
    "broken": "sys.meta_path.insert(0, Broken())",
}


def run(code, **environment):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PREAMBLE + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_importing_the_package_does_not_import_numba():
    assert run("import sklearn_lloyd; print('numba' in sys.modules)") == ["False"]


def test_small_problems_do_not_import_numba():
    code = """
        from sklearn_lloyd import KMeans
        KMeans(3).fit(X[:500]).predict(X[:500])
        print("numba" in sys.modules)
        KMeans(3).fit(X).predict(X)
        print("numba" in sys.modules)
    """
    assert run(code) == ["False", "False"]


@pytest.mark.parametrize("how", AS_IF_GONE)
def test_without_numba(how):
    code = f"""
        {AS_IF_GONE[how]}
        from sklearn_lloyd import KMeans, kmeans_plusplus, lloyd_steps

        auto, plain = (KMeans(**large, backend=b).fit(X) for b in ("auto", "numpy"))
        assert (auto.labels_ == plain.labels_).all()
        assert (auto.cluster_centers_ == plain.cluster_centers_).all()
        assert (auto.predict(X) == plain.labels_).all()
        assert len(kmeans_plusplus(X, 32, random_state=0)[1]) == 32

        model = KMeans(3, random_state=0).fit(X[:500])
        before = dict(vars(model))
        model.set_params()
        for work in (
            lambda: model.fit(X[:, :5]),  # had it started, it would know of five features
            lambda: model.predict(X),
            lambda: kmeans_plusplus(X, 3),
            lambda: lloyd_steps(X, X[:3]),
        ):
            try:
                work()
            except ImportError as error:
                assert 'pip install "sklearn-lloyd[fast]"' in str(error), error
                assert str(error).startswith("numba is needed"), error
            else:
                raise AssertionError("no error")
        after = dict(vars(model))
        assert before.pop("backend") == "auto" and after.pop("backend") == "numba"
        assert before.keys() == after.keys()
        assert all(before[name] is after[name] for name in before)
        print("done")
    """
    assert run(code) == ["done"]


def test_no_folder_to_keep_compiled_code_in(tmp_path):
    # No such folder can be made by root either: its parent is a file.
    (tmp_path / "file").touch()
    code = """
        from numba.core import caching

        def refuse(self):
            raise PermissionError("read-only")

        # Next to the package, and in the user's own folder.
        caching._CacheLocator.ensure_cache_path = refuse
        from sklearn_lloyd import kmeans_plusplus
        from sklearn_lloyd._kernels import compiled_kernels

        X = X[:300, :2]
        a, b = (kmeans_plusplus(X, 3, random_state=0, backend=b)[1] for b in ("numpy", "numba"))
        assert (a == b).all()
        kernels = compiled_kernels("numba", X, 3)
        assert not kernels.take_first_center.stats.cache_path
        print("done")
    """
    assert run(code, NUMBA_CACHE_DIR=str(tmp_path / "file" / "cache")) == ["done"]
    assert (tmp_path / "file").is_file()
