"""Estimators as JSON and arrays, and back: data alone, no code.

None, truth values, whole numbers, finite floats, texts and lists are what they are in JSON. All
else is a JSON object with a field "kind", see `_DECODERS`.
"""

from __future__ import annotations

import re
from collections import UserList
from inspect import Parameter, signature
from math import isfinite

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_lloyd._version import __version__
from sklearn_lloyd.persistence._checks import check
from sklearn_lloyd.persistence._container import ArchiveError, is_allowed
from sklearn_lloyd.persistence._types import (
    UFUNCS,
    class_of_name,
    is_ours,
    name_of_class,
    name_of_type,
    type_of_name,
)

_DTYPE = re.compile(r"[<>|=][biufcSUOMm]\d*(\[\d*\w+\])?")
_VERSION = "_sklearn_lloyd_version"
_ELSE = "Store the model with skops (see sklearn_lloyd.persistence.trusted_types) or joblib."
_ADVICE = {
    "random_state": "Set an int or None: an archive holds no stream of random numbers that other "
    "objects may share.",
    "init": "Set a name or an array, such as the centres that the function gives.",
    "memory": "Set memory=None.",
    "_skl_callbacks": "Take the callbacks off: estimator.set_callbacks().",
    "_metadata_request": "Save a model without requests, and set them after loading.",
}


class Encoder:
    """Makes nodes of values, and collects their arrays.

    Attributes
    ----------
    arrays : list of ndarray
    """

    def __init__(self):
        self.arrays = []
        self._places = {}

    def encode(self, value, path):
        """The node of a value; `path` says where it is, for messages."""
        kind = type(value)
        if value is None or kind in (bool, int, str) or (kind is float and isfinite(value)):
            return value
        if kind is list:
            return self._items(value, path)
        if isinstance(value, UserList):  # that of scikit-learn 1.6 warns when it is read itself
            return self._items(value.data, path)
        if kind in _ENCODERS:
            return {"kind": kind.__name__, **_ENCODERS[kind](self, value, path)}
        if isinstance(value, np.generic):
            return {"kind": "scalar", **self._array(np.asarray(value), path)}
        if kind is np.memmap:
            return {"kind": "ndarray", **self._array(np.asarray(value), path)}
        if isinstance(value, np.dtype) and _DTYPE.fullmatch(value.str):
            return {"kind": "dtype", "value": value.str}
        if isinstance(value, type) and name_of_type(value):
            return {"kind": "type", "name": name_of_type(value)}
        if isinstance(value, np.ufunc) and value.__name__ in UFUNCS:
            return {"kind": "ufunc", "name": value.__name__}
        if name_of_class(kind):
            return self._object(value, path)
        what = "a function" if callable(value) and not isinstance(value, type) else kind.__name__
        name = path.rpartition(".")[2].partition("[")[0]
        raise TypeError(
            f"{path} is {what} ({kind.__module__}.{kind.__qualname__}), which an archive without "
            f"pickle cannot hold. {_ADVICE.get(name, _ELSE)}"
        )

    def _items(self, values, path):
        return [self.encode(value, f"{path}[{i}]") for i, value in enumerate(values)]

    def _pairs(self, value, path):
        return {"items": [self._items(item, f"{path}[{item[0]!r}]") for item in value.items()]}

    def _array(self, value, path):
        if value.dtype == object:
            items = self._items(value.ravel().tolist(), path)
            return {"items": items, "shape": list(value.shape)}
        if not is_allowed(value.dtype):
            raise TypeError(f"{path} is an array of {value.dtype}. {_ELSE}")
        # Arrays that are one object stay so, such as labels of a search and of its best estimator.
        if id(value) not in self._places:
            self._places[id(value)] = len(self.arrays)
            self.arrays.append(value)  # which also keeps the id from being used again
        return {"array": self._places[id(value)]}

    def _random_state(self, value, path):
        if not path.endswith("._random_state"):
            raise TypeError(f"{path} is a RandomState. {_ADVICE['random_state']}")
        state = value.get_state(legacy=False)
        if state["bit_generator"] != "MT19937":
            raise TypeError(f"{path} is a RandomState over {state['bit_generator']}. {_ELSE}")
        return self._pairs(
            {**state["state"], **{k: state[k] for k in ("has_gauss", "gauss")}}, path
        )

    def _object(self, value, path):
        state = dict(value.__getstate__())
        state.pop(_VERSION, None)
        # In order, so that a model that was loaded makes the same bytes.
        nodes = {name: self.encode(state[name], f"{path}.{name}") for name in sorted(state)}
        check(value, state)
        return {"kind": "object", "class": name_of_class(type(value)), "state": nodes}


_ENCODERS = {
    float: lambda self, value, path: {"value": repr(value)},
    tuple: lambda self, value, path: {"items": self._items(value, path)},
    set: lambda self, value, path: {"items": self._items(sorted(value, key=repr), path)},
    dict: Encoder._pairs,
    slice: lambda self, v, path: {"items": self._items((v.start, v.stop, v.step), path)},
    range: lambda self, v, path: {"items": [v.start, v.stop, v.step]},
    np.ndarray: Encoder._array,
    np.random.RandomState: Encoder._random_state,
}


class Decoder:
    """Makes values of nodes.

    Parameters
    ----------
    arrays : list of ndarray
    """

    def __init__(self, arrays):
        self._arrays = arrays

    def decode(self, node):
        if isinstance(node, list):
            return [self.decode(each) for each in node]
        if not isinstance(node, dict):
            return node
        if node["kind"] not in _DECODERS:
            raise ArchiveError(f"values of kind {node['kind']!r} are not known")
        return _DECODERS[node["kind"]](self, node)

    def _items(self, node):
        if not isinstance(node["items"], list):
            raise ArchiveError(f"a {node['kind']} without items")
        return self.decode(node["items"])

    def _array(self, node):
        if "items" not in node:
            place = node["array"]
            if type(place) is not int or not 0 <= place < len(self._arrays):
                raise ArchiveError(f"there is no array {place!r}")
            return self._arrays[place]
        items = self._items(node)
        if any(length > max(1, len(items)) for length in node["shape"]):
            raise ArchiveError(f"{len(items)} items are not of shape {node['shape']}")
        array = np.empty(len(items), dtype=object)
        for i, item in enumerate(items):
            array[i] = item
        return array.reshape(node["shape"])

    def _named(self, name, found):
        if found is None:
            raise ArchiveError(f"{name!r} is not a type that is allowed")
        return found

    def _dtype(self, node):
        if not _DTYPE.fullmatch(node["value"]):
            raise ArchiveError(f"dtype {node['value']!r} is not allowed")
        return np.dtype(node["value"])

    def _ufunc(self, node):
        name = node["name"]
        return self._named(name, getattr(np, name) if name in UFUNCS else None)

    def _random_state(self, node):
        state = dict(self._items(node))
        key, position = state["key"], state["pos"]
        if key.shape != (624,) or key.dtype != np.uint32 or not 0 <= position <= 624:
            raise ArchiveError("a state of random numbers that is none")
        rng = np.random.RandomState()
        rng.set_state(("MT19937", key, position, state["has_gauss"], state["gauss"]))
        return rng

    def _object(self, node):
        kind = self._named(node["class"], class_of_name(node["class"]))
        state = {name: self.decode(each) for name, each in node["state"].items()}
        for name in state:
            # A value in the place of a method or property would hide it.
            if not name.isidentifier() or name.startswith("__") or hasattr(kind, name):
                raise ArchiveError(f"{node['class']} has no attribute {name!r}")
        instance = kind.__new__(kind)
        if not issubclass(kind, BaseEstimator):
            vars(instance).update(state)
            return instance
        # Parameters that are newer than the file have their defaults.
        state = {**_defaults(kind), **state}
        instance.__setstate__({**state, _VERSION: __version__} if is_ours(kind) else state)
        try:
            check(instance, state)
        except (TypeError, ValueError) as error:
            raise ArchiveError(f"{node['class']}: {error}") from error
        return instance


def _defaults(kind):
    parameters = signature(kind.__init__).parameters.values()
    return {each.name: each.default for each in parameters if each.default is not Parameter.empty}


_DECODERS = {
    "float": lambda self, node: {"nan": np.nan, "inf": np.inf, "-inf": -np.inf}[node["value"]],
    "tuple": lambda self, node: tuple(self._items(node)),
    "set": lambda self, node: set(self._items(node)),
    "dict": lambda self, node: dict(self._items(node)),
    "slice": lambda self, node: slice(*self._items(node)),
    "range": lambda self, node: range(*self._items(node)),
    "ndarray": Decoder._array,
    "scalar": lambda self, node: self._array(node)[()],
    "dtype": Decoder._dtype,
    "type": lambda self, node: self._named(node["name"], type_of_name(node["name"])),
    "ufunc": Decoder._ufunc,
    "RandomState": Decoder._random_state,
    "object": Decoder._object,
}
