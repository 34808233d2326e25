"""scikit-learn's own tests of k-means, those of the installed release, run on this package.

Their file is read where scikit-learn is installed, and what it imports from `sklearn.cluster` and
we have too is ours. So the contract is checked against each new release, and the oldest.
"""

import ast
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import sklearn

import sklearn_lloyd

# Left out: tests of what is private in scikit-learn, and the private name that each is about. No
# other reason counts. What the attributes among them tell is tested by public ones in test_init,
# test_kmeans and test_minibatch.
PRIVATE = {
    "test_euclidean_distance": "_euclidean_dense_dense_wrapper",
    "test_inertia": "_inertia_dense",
    "test_is_same_clustering": "_is_same_clustering",
    "test_kmeans_init_auto_with_initial_centroids": "_n_init",
    "test_minibatch_kmeans_init_size": "_init_size",
    "test_minibatch_reassign": "_mini_batch_step",
    "test_minibatch_update_consistency": "_mini_batch_step",
    "test_n_init_auto": "_n_init",
    "test_relocate_empty_clusters": "_relocate_empty_clusters_dense",
    "test_sample_weight_init": "_init_centroids",
    "test_sample_weight_zero": "_init_centroids",
}

PATH = Path(find_spec("sklearn.cluster.tests.test_k_means").origin)
TREE = ast.parse(PATH.read_text())
THEIRS = {node.name: node for node in TREE.body if isinstance(node, ast.FunctionDef)}
OURS = {"KMeans", "MiniBatchKMeans", "k_means", "kmeans_plusplus"}


@pytest.fixture
def global_random_seed():
    """scikit-learn's default for its fixture of that name."""
    return 42


@pytest.fixture(params=[np.float32, np.float64])
def global_dtype(request):
    return request.param


def on_ours():
    """Their file without the tests left out, with our names in place of theirs."""
    body = []
    for node in TREE.body:
        if isinstance(node, ast.ImportFrom) and node.module == "sklearn.cluster":
            names = {alias.name for alias in node.names}
            assert names <= OURS, f"what is not ours to test: {names - OURS}"
            node = ast.copy_location(ast.ImportFrom("sklearn_lloyd", node.names, 0), node)
        if getattr(node, "name", None) not in PRIVATE:
            body.append(node)
    return compile(ast.Module(body, type_ignores=[]), PATH, "exec")


@pytest.mark.parametrize("name", PRIVATE)
def test_what_is_left_out_is_about_private_names(name):
    if name not in THEIRS:
        pytest.skip(f"scikit-learn {sklearn.__version__} has no {name}: strike it off the list")
    inside = list(ast.walk(THEIRS[name]))
    names = {node.id for node in inside if isinstance(node, ast.Name)}
    names |= {node.attr for node in inside if isinstance(node, ast.Attribute)}
    assert PRIVATE[name] in names


def test_what_runs_is_ours():
    assert {name for name in OURS if globals()[name] is getattr(sklearn_lloyd, name)} == OURS
    assert sum(name.startswith("test_") for name in THEIRS) > 50


exec(on_ours(), globals())
