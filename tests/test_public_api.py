"""What is public, and what importing it costs and needs."""

import subprocess
import sys
import textwrap
from importlib.metadata import version

import sklearn_lloyd
import sklearn_lloyd.inspection
import sklearn_lloyd.metrics
import sklearn_lloyd.model_selection

PACKAGES = {"inspection", "metrics", "model_selection"}


def test_names():
    assert sklearn_lloyd.__all__ == sorted(sklearn_lloyd.__all__)
    public = {name for name in vars(sklearn_lloyd) if not name.startswith("_")}
    assert public - PACKAGES == set(sklearn_lloyd.__all__) - {"__version__"}
    assert set(sklearn_lloyd.__all__) == {
        "KMeans",
        "MiniBatchKMeans",
        "__version__",
        "k_means",
        "kmeans_plusplus",
        "lloyd_steps",
    }


def test_names_of_metrics():
    metrics = sklearn_lloyd.metrics
    assert metrics.__all__ == sorted(metrics.__all__)
    public = {name for name in vars(metrics) if not name.startswith("_")}
    assert public == set(metrics.__all__)
    assert public == {
        "calinski_harabasz_score",
        "calinski_harabasz_scorer",
        "davies_bouldin_score",
        "davies_bouldin_scorer",
        "silhouette_samples",
        "silhouette_score",
        "silhouette_scorer",
        "simplified_silhouette_samples",
        "simplified_silhouette_score",
        "simplified_silhouette_scorer",
        "stability_scorer",
    }


def test_names_of_model_selection():
    package = sklearn_lloyd.model_selection
    assert package.__all__ == sorted(package.__all__)
    public = {name for name in vars(package) if not name.startswith("_")}
    assert public == set(package.__all__)
    assert public == {
        "NClustersSearch",
        "bic",
        "bootstrap_stability",
        "find_elbow",
        "gap_statistic",
        "prediction_strength",
    }


def test_names_of_inspection():
    inspection = sklearn_lloyd.inspection
    assert inspection.__all__ == sorted(inspection.__all__)
    public = {name for name in vars(inspection) if not name.startswith("_")}
    assert public == set(inspection.__all__)
    assert {"Diagnosis", "Finding", "diagnose"} <= public


def test_version_is_that_of_the_distribution():
    assert sklearn_lloyd.__version__ == version("sklearn-lloyd")


def test_import_and_fit_need_no_extra():
    code = """
        import builtins, sys
        blocked = {"matplotlib", "pandas", "polars", "pyarrow", "numba", "dask", "sqlalchemy"}
        real = builtins.__import__
        def refuse(name, *args, **kwargs):
            if name.split(".")[0] in blocked:
                raise ImportError(f"{name} is not there")
            return real(name, *args, **kwargs)
        builtins.__import__ = refuse
        import sklearn_lloyd
        import sklearn_lloyd.metrics
        import sklearn_lloyd.model_selection
        print(sklearn_lloyd.KMeans(2).fit([[0.0], [1.0], [9.0]]).inertia_)
        print(sorted(blocked & set(sys.modules)))
    """
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.split("\n")[:2] == ["0.5", "[]"]
