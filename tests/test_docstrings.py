"""Public docstrings: every parameter is documented, as it is, and nothing else.

The examples in them run as doctests, see setup.cfg.
"""

import ast
import inspect
from dataclasses import fields, is_dataclass
from importlib import import_module

import pytest
from numpydoc.docscrape import ClassDoc, FunctionDoc

PACKAGES = [
    import_module("sklearn_lloyd" + name)
    for name in (
        "",
        ".cli",
        ".distributed",
        ".inspection",
        ".metrics",
        ".model_selection",
        ".persistence",
        ".playground",
        ".preprocessing",
        ".tracking",
    )
]
PUBLIC = [getattr(package, name) for package in PACKAGES for name in package.__all__]
CLASSES = [
    thing for thing in PUBLIC if inspect.isclass(thing) and not issubclass(thing, Exception)
]
FUNCTIONS = [thing for thing in PUBLIC if callable(thing) and not inspect.isclass(thing)]
ESTIMATORS = [kind for kind in CLASSES if hasattr(kind, "fit")]


def own_methods(kind):
    """What is defined in this package: not what scikit-learn's mixins bring."""
    ours = [base for base in kind.__mro__ if base.__module__.startswith("sklearn_lloyd.")]
    names = {name for base in ours for name in vars(base) if not name.startswith("_")}
    found = (getattr(kind, name) for name in sorted(names))
    return [
        method
        for method in found
        if inspect.isroutine(method) and method.__module__.startswith("sklearn_lloyd.")
    ]


METHODS = [method for kind in CLASSES for method in own_methods(kind)]


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


@pytest.mark.parametrize("kind", CLASSES)
def test_classes(kind):
    doc = ClassDoc(kind)
    if is_dataclass(kind):  # what a function returns, where the example is
        documented = [entry.name for entry in doc["Attributes"]]
        assert ", ".join(documented) == ", ".join(field.name for field in fields(kind))
        return
    check_parameters(doc["Parameters"], inspect.signature(kind))
    assert doc["Attributes"]
    assert doc["Examples"]


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_estimators(estimator):
    doc = ClassDoc(estimator)
    clusters = {"n_clusters": 2} if hasattr(estimator(), "n_clusters") else {}
    X = [[0.0, 1.0], [1.0, 0.0], [9.0, 9.0]]
    if estimator.__name__ == "DaskKMeans":
        X = pytest.importorskip("dask.array").from_array(X)
    model = estimator(**clusters).fit(X)
    fitted = {name for name in vars(model) if name.endswith("_") and not name.startswith("_")}
    documented = {entry.name for entry in doc["Attributes"]}
    assert documented == fitted | {"feature_names_in_"}
    assert doc["References"]
