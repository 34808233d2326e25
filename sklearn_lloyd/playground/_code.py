"""Python code that makes the same clustering, for the user to take away."""

from __future__ import annotations

from inspect import getsource

from sklearn_lloyd.playground._datasets import LOADED, MADE


def code_of_data(name, n_rows):
    """Python that makes a data set: the source of the function that made it here, and its call."""
    function = MADE.get(name) or LOADED[name]
    call = f"{name}({n_rows})" if name in MADE else f"{name}()"
    return f"{getsource(function)}\n\nX = {call}"


def code_of(data, scaler, init, settings):
    """Python that runs as it is, and gives the labels of the last step.

    Parameters
    ----------
    data : str
        Python that makes X.
    scaler : transformer, or None
    init : str or ndarray
        As of :class:`~sklearn_lloyd.KMeans`.
    settings : Settings
    """
    imports = ["import numpy as np"] * ("np." in data or not isinstance(init, str))
    imports += ["import pandas as pd"] * ("pd." in data)
    modules = {"sklearn": [name for name in ("datasets", "decomposition") if f"{name}." in data]}
    body = [data]
    if scaler is not None:
        cls = type(scaler)
        modules[cls.__module__.split("._")[0]] = [cls.__name__]
        body.append(f"X = {cls.__name__}().fit_transform(X)")
    modules["sklearn_lloyd"] = ["KMeans"]
    imports += [
        f"from {module} import {', '.join(names)}" for module, names in modules.items() if names
    ]
    if isinstance(init, str):
        options = f"init={init!r}, n_init={settings.n_init}, random_state={settings.seed}"
    else:
        body.append(f"init = np.array({init.tolist()})")
        options = "init=init"
    body.append(f"model = KMeans({settings.n_clusters}, {options}).fit(X)")
    body.append("print(model.labels_, model.inertia_)")
    gap = "\n\n\n" if data.startswith("def ") else "\n\n"
    return "\n".join(imports) + gap + "\n".join(body) + "\n"
