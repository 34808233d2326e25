"""How a clustering was made, and how to make it again."""

from __future__ import annotations

import platform
import sys
from datetime import datetime
from html import escape
from importlib import import_module

import numpy as np
import scipy
import sklearn

from sklearn_lloyd._columns import column_names
from sklearn_lloyd._pipeline import fitted_names_of, last_step, split_steps
from sklearn_lloyd._version import __version__
from sklearn_lloyd.inspection._columns import frame_library

_MOST_NAMED = 30  # columns
_LONGEST = 4000  # characters of the text of an estimator


def search_of(estimator):
    """The search of ours that an estimator is or ends in, or None."""
    search = last_step(estimator)
    return search if hasattr(search, "votes_") else None


def how_it_was_made(estimator, X, profiles, n_rows, n_clusters=None):
    """Facts, and code."""
    steps, clusterer = split_steps(estimator)
    if n_clusters is not None:
        clusterer = split_steps(search_of(estimator).candidate_estimators_[n_clusters])[1]
    names = column_names(X) or fitted_names_of(estimator)
    columns = f"{X.shape[1]:,}" if hasattr(X, "shape") and len(X.shape) == 2 else ""
    facts = {
        "Date": datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
        "Rows": f"{n_rows:,}",
        "Columns": columns if names is None else _listed(names),
        "Rows of the fit": _of_the_fit(clusterer, profiles, n_rows),
        "Clusterer": _text_of(clusterer),
        "random_state": ", ".join(f"{name}={seed!r}" for name, seed in _seeds(estimator).items()),
        "Iterations": _said(clusterer, "n_iter_", "{:,}"),
        "Converged": _said(clusterer, "converged_", "{}"),
        "Inertia of the fit": _said(clusterer, "inertia_", "{:.10g}"),
        "Software": ", ".join(f"{name} {number}" for name, number in _versions(X).items()),
    }
    table = "".join(
        f"<tr><td>{name}</td><td>{escape(str(what))}</td></tr>"
        for name, what in facts.items()
        if what
    )
    code = _code(estimator, n_rows, names, n_clusters)
    return (
        '<h2>How it was made</h2><table class="facts">' + table + "</table>"
        f"<h2>How to make it again</h2><pre>{escape(code)}</pre>"
        f"<p>{escape(_is_reproducible(estimator, steps, clusterer))}</p>"
    )


def _listed(names):
    more = len(names) - _MOST_NAMED
    return ", ".join(map(str, names[:_MOST_NAMED])) + (f" and {more:,} more" if more > 0 else "")


def _of_the_fit(clusterer, profiles, n_rows):
    """Whether the rows of the page are those of the fit, as far as that can be seen."""
    labels = getattr(clusterer, "labels_", None)
    if labels is None:
        return ""
    if len(labels) != n_rows:
        return f"{len(labels):,}: other rows than those of this page"
    counts = [np.sum(np.asarray(labels) == cluster) for cluster in profiles.clusters]
    if profiles.sizes.dtype.kind == "i" and not np.array_equal(counts, profiles.sizes):
        return f"{len(labels):,}: other rows than those of this page, or not converged"
    return f"{len(labels):,}: as many as on this page"


def _said(clusterer, name, form):
    value = getattr(clusterer, name, None)
    return "" if value is None else form.format(value)


def _seeds(estimator):
    """The random_state of each part that has one, by its name."""
    parameters = estimator.get_params() if hasattr(estimator, "get_params") else {}
    found = {name: seed for name, seed in parameters.items() if name.endswith("random_state")}
    if search_of(estimator) is None:
        return found
    # A search of ours seeds the clusterer inside of it.
    return {name: seed for name, seed in found.items() if "estimator__" not in name}


def _is_reproducible(estimator, steps, clusterer):
    if not type(clusterer).__module__.startswith("sklearn_lloyd."):
        return "Whether the same rows give the same clusters is up to the clusterer."
    if not all(isinstance(seed, int | np.integer) for seed in _seeds(estimator).values()):
        return (
            "Not every random_state was a number, so that another run may find other clusters. "
            "Give numbers to make the result repeatable."
        )
    return (
        "The same rows give the same clusters, and the inertia above, whatever the number of "
        "threads and the processor"
        + (", if the steps before the clusterer give it the same numbers." if steps else ".")
    )


def _versions(X):
    versions = {"sklearn-lloyd": __version__, "scikit-learn": sklearn.__version__}
    versions |= {"numpy": np.__version__, "scipy": scipy.__version__}
    library = frame_library(X)
    if library:
        versions[library] = import_module(library).__version__
    return versions | {"Python": platform.python_version()}


def _code(estimator, n_rows, names, n_clusters=None):
    """Python that fits the same estimator."""
    imports, others = {"sklearn_lloyd.inspection": {"cluster_report"}}, set()
    for cls in _classes(estimator):
        module = _public_module(cls)
        (others if module is None else imports.setdefault(module, set())).add(cls.__name__)
    lines = [
        f"from {module} import {', '.join(sorted(found))}"
        for module, found in sorted(imports.items())
    ]
    lines += [f"# and these: {', '.join(sorted(others))}"] * bool(others)
    text = _text_of(estimator)
    lines += ["", "# Instead of <...> put the object that this is the name of."] * ("=<" in text)
    # As Python writes them: a line break in a name does not end the comment.
    chosen = "" if n_clusters is None else f", n_clusters={n_clusters}"
    known = "" if names is None else f" with the columns {_listed([*map(repr, names)])}"
    lines += [
        "",
        f"X = ...  # {n_rows:,} rows{known}",
        f"model = {text}",
        "model.fit(X)",
        f'cluster_report(model, X{chosen}).save("report.html")',
    ]
    return "\n".join(lines)


def _text_of(estimator):
    """As Python writes it, not shortened as by `repr`."""
    try:
        text = estimator.__repr__(N_CHAR_MAX=_LONGEST)
    except TypeError:  # not of scikit-learn
        text = repr(estimator)
    return text


def _classes(estimator):
    parameters = (
        estimator.get_params(deep=True).values() if hasattr(estimator, "get_params") else ()
    )
    each = [estimator, *(one for one in parameters if hasattr(one, "get_params"))]
    return {type(one) for one in each if not isinstance(one, type)}


def _public_module(cls):
    """Where to import a class from; None if that is not plain."""
    module = cls.__module__.split("._")[0]
    if module == "__main__" or getattr(sys.modules.get(module), cls.__name__, None) is not cls:
        return None
    return module
