"""What is public, and what importing it costs and needs."""

import subprocess
import sys
import textwrap
from importlib import import_module
from importlib.metadata import version

import sklearn_lloyd

SUBPACKAGES = {
    "cli": {"main"},
    "distributed": {"DaskKMeans"},
    "inspection": {
        "CentroidDisplay",
        "ClusterDifferences",
        "ClusterDisplay",
        "ClusterProfiles",
        "ClusterReport",
        "ClusterTerms",
        "ConvergenceDisplay",
        "Diagnosis",
        "Finding",
        "LloydStepsDisplay",
        "NClustersDisplay",
        "PairDisplay",
        "ProfileDisplay",
        "SilhouetteDisplay",
        "cluster_differences",
        "cluster_profiles",
        "cluster_report",
        "diagnose",
        "name_clusters",
    },
    "metrics": {
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
    },
    "model_selection": {
        "NClustersSearch",
        "bic",
        "bootstrap_stability",
        "find_elbow",
        "gap_statistic",
        "prediction_strength",
    },
    "playground": {"main"},
    "persistence": {"ArchiveError", "load", "save", "to_onnx", "to_sklearn", "trusted_types"},
    "preprocessing": {
        "CategoryEncoder",
        "CentroidFeatures",
        "ClusterScaler",
        "SignedLog",
        "TableColumns",
        "TimeFeatures",
        "table_pipeline",
    },
    "tracking": {
        "Alignment",
        "AlignmentDisplay",
        "SegmentStore",
        "StoreError",
        "StoreTable",
        "align_clusters",
        "refit_clusters",
    },
}


def public_names(module):
    return {name for name in vars(module) if not name.startswith("_")}


def test_names():
    assert sklearn_lloyd.__all__ == sorted(sklearn_lloyd.__all__)
    own = set(sklearn_lloyd.__all__) - {"__version__"}
    assert public_names(sklearn_lloyd) - {*SUBPACKAGES} == own
    assert own == {"KMeans", "MiniBatchKMeans", "k_means", "kmeans_plusplus", "lloyd_steps"}


def test_names_of_subpackages():
    for package, names in SUBPACKAGES.items():
        module = import_module(f"sklearn_lloyd.{package}")
        assert module.__all__ == sorted(names)
        assert public_names(module) == names
        assert module.__doc__


def test_version_is_that_of_the_distribution():
    assert sklearn_lloyd.__version__ == version("sklearn-lloyd")


def printed_by(code):
    """The lines that a new process prints."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()


def test_import_and_fit_need_no_extra():
    code = """
        import builtins, sys
        blocked = {"matplotlib", "pandas", "polars", "pyarrow", "dask", "sqlalchemy"}
        blocked |= {"distributed"}
        blocked |= {"skops", "skl2onnx", "onnx", "onnxruntime", "psycopg", "rich"}
        blocked |= {"starlette", "uvicorn"}
        real = builtins.__import__
        def refuse(name, *args, **kwargs):
            if name.split(".")[0] in blocked:
                raise ImportError(f"{name} is not there")
            return real(name, *args, **kwargs)
        builtins.__import__ = refuse
        import sklearn_lloyd
        import sklearn_lloyd.cli
        import sklearn_lloyd.distributed
        import sklearn_lloyd.inspection
        import sklearn_lloyd.persistence
        import sklearn_lloyd.playground
        import sklearn_lloyd.tracking
        print(sklearn_lloyd.KMeans(2).fit([[0.0], [1.0], [9.0]]).inertia_)
        from sklearn_lloyd.preprocessing import CentroidFeatures, ClusterScaler
        CentroidFeatures(n_clusters=2).fit_transform(ClusterScaler().fit_transform([[0.0], [9.0]]))
        print(sorted(blocked & set(sys.modules)))
    """
    assert printed_by(code)[:2] == ["0.5", "[]"]


def test_import_takes_no_package_that_sklearn_cluster_does_not():
    code = """
        import sys, sklearn.cluster
        before = set(sys.modules)
        import sklearn_lloyd
        print(*set(sys.modules) - before, sep="\\n")
    """
    imported = [name.split(".") for name in printed_by(code)]
    assert ["sklearn_lloyd", "_kmeans"] in imported
    assert {top for top, *_ in imported} <= {"sklearn_lloyd", *sys.stdlib_module_names}
    assert not {part for _, *parts in imported for part in parts} & {*SUBPACKAGES}
