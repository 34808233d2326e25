"""Public docstrings: every parameter is documented, as it is, and nothing else.

The examples in them run as doctests, see setup.cfg.
"""

import ast
import inspect

import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc

import sklearn_lloyd
import sklearn_lloyd.inspection
import sklearn_lloyd.metrics
import sklearn_lloyd.model_selection
from sklearn_lloyd import KMeans, MiniBatchKMeans
from sklearn_lloyd.model_selection import NClustersSearch

ESTIMATORS = [KMeans, MiniBatchKMeans, NClustersSearch]

FUNCTIONS = [
    getattr(package, name)
    for package in (
        sklearn_lloyd,
        sklearn_lloyd.metrics,
        sklearn_lloyd.model_selection,
        sklearn_lloyd.inspection,
    )
    for name in package.__all__
    if name[0].islower()
]
METHODS = [
    method
    for estimator in ESTIMATORS
    for name, method in inspect.getmembers(estimator)
    if name
    in {
        *("fit", "predict", "transform", "score", "fit_predict", "fit_transform"),
        *("from_centers", "partial_fit", "fit_batches"),
    }
]


def check_parameters(documented, signature):
    parameters = {
        ("**" if p.kind is p.VAR_KEYWORD else "") + name: p
        for name, p in signature.parameters.items()
        if name != "self"
    }
    assert [entry.name for entry in documented] == list(parameters)
    for entry in documented:
        default = parameters[entry.name].default
        assert " ".join(entry.desc).strip(), entry.name
        if default is inspect.Parameter.empty or entry.type == "Ignored":
            assert "default" not in entry.type
        else:
            stated = entry.type.split("default=")[1]
            assert ast.literal_eval(stated) == default, (entry.name, entry.type)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_functions(function):
    doc = FunctionDoc(function)
    check_parameters(doc["Parameters"], inspect.signature(function))
    assert doc["Returns"] or doc["Yields"]
    assert doc["Examples"]


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.__qualname__)
def test_methods(method):
    doc = FunctionDoc(method)
    check_parameters(doc["Parameters"], inspect.signature(method))
    assert doc["Returns"]


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_estimator(estimator):
    doc = ClassDoc(estimator)
    check_parameters(doc["Parameters"], inspect.signature(estimator))
    model = estimator(n_clusters=2).fit([[0.0, 1.0], [1.0, 0.0], [9.0, 9.0]])
    fitted = {name for name in vars(model) if name.endswith("_") and not name.startswith("_")}
    documented = {entry.name for entry in doc["Attributes"]}
    assert documented == fitted | {"feature_names_in_"}
    assert doc["References"]
    assert doc["Examples"]
