"""A lower layer never imports a higher one, and what belongs in one file stays there."""

import ast
import sys
from pathlib import Path

import pytest

import sklearn_lloyd

ROOT = Path(sklearn_lloyd.__file__).parent
# From the bottom up; modules of one line may import each other.
LAYERS = [
    {"_version", "_types", "_compat", "_optional", "_callbacks", "_columns", "_parameters"},
    {"_texts"},
    {"_core", "_threads", "_canonical", "_identifiers", "_weights"},
    {"_rows"},
    {"_axes", "_batches", "_dask", "_finite", "_moments", "_squares", "_validation"},
    {"_problem"},
    {"_solvers"},
    {"_init", "_predict"},
    {"_fit", "_fit_batches", "_fit_minibatch", "_fit_path"},
    {"_base"},
    {"_kmeans", "_minibatch_kmeans"},
    {"_functions", "distributed"},
    {"_pipeline", "_cluster_names", "metrics", "preprocessing"},
    {"model_selection"},
    {"persistence"},
    {"inspection"},
    {"tracking"},
    {"cli", "playground"},
    {"__init__"},
]
LEVEL = {name: level for level, names in enumerate(LAYERS) for name in names}
RUN_TIME = {"numpy", "scipy", "sklearn", "sklearn_lloyd"}
MODULES = sorted(ROOT.rglob("*.py"))


def layer_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0]


def imports_of(path):
    """(module, names, only for type checkers) of every import in the file."""
    tree = ast.parse(path.read_text())
    for_types = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and getattr(branch.test, "id", "") == "TYPE_CHECKING"
        for node in ast.walk(branch)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, [], id(node) in for_types
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in {path}"
            yield node.module, [alias.name for alias in node.names], id(node) in for_types


def test_every_module_has_a_layer():
    assert {layer_of(path) for path in MODULES} == set(LEVEL)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports(path):
    for module, names, for_types in imports_of(path):
        if module.split(".")[0] == "sklearn_lloyd" and not for_types:
            imported = [*module.split("."), "__init__"][1]
            assert LEVEL[imported] <= LEVEL[layer_of(path)], f"{path} imports {module}"
        if module == "sklearn" or module.startswith("sklearn."):
            private = [part for part in [*module.split("."), *names] if part.startswith("_")]
            assert not private or path.name == "_compat.py", f"{path} imports {module} {names}"
        top = module.split(".")[0]
        assert top in RUN_TIME | sys.stdlib_module_names, f"{path} imports {module}"


def test_no_module_is_long():
    # Estimators are mostly documentation.
    limits = {"_kmeans": 400, "_minibatch_kmeans": 470, "_search": 530}
    limits |= {
        "_dask_kmeans": 400,
        "_pairs": 340,
        "_store": 430,
        "_centroid_features": 400,
        "_cluster_scaler": 430,
    }
    code = {path: len(path.read_text().splitlines()) for path in MODULES}
    assert all(n <= limits.get(path.stem, 330) for path, n in code.items()), code
