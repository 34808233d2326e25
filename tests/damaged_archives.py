"""Archives that were not made by `save`: damaged, or by somebody who means harm."""

import json
import os
import pickle
import warnings
import zipfile
from hashlib import sha256
from io import BytesIO

import numpy as np

from sklearn_lloyd.persistence._archive import dump_bytes, load_bytes

N_DIGITS = 64
N_TAIL = 29 + N_DIGITS  # the comment of the zip


def sealed(data):
    """With the checksum that fits, as an attacker would have it."""
    return data[:-N_DIGITS] + sha256(data[:-N_DIGITS]).hexdigest().encode()


def taken_apart(model):
    with zipfile.ZipFile(BytesIO(dump_bytes(model))) as archive:
        names = archive.namelist()
        return json.loads(archive.read(names[0])), [archive.read(name) for name in names[1:]]


def put_together(manifest, arrays, names=None, compression=zipfile.ZIP_STORED):
    """An archive by other means than ours, of any content."""
    if names is None:
        names = ["manifest.json", *(f"{i}.npy" for i in range(len(arrays)))]
    buffer = BytesIO()
    text = manifest if isinstance(manifest, bytes | str) else json.dumps(manifest)
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        archive.comment = b"sklearn-lloyd archive sha256:" + b"0" * N_DIGITS
        for name, content in zip(names, [text, *arrays], strict=True):
            archive.writestr(name, content)
    return sealed(buffer.getvalue())


def npy(descr, shape, content=b"", is_fortran=False):
    stream = BytesIO()
    header = {"descr": descr, "fortran_order": is_fortran, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    return stream.getvalue() + content


class Evil:
    def __reduce__(self):
        return os.system, ("touch evil",)


def evil_npy():
    array = np.empty(1, dtype=object)
    array[0] = Evil()
    stream = BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=True)
    return stream.getvalue()


def other_attributes():
    """Attributes of a fitted KMeans that fit would not leave, with other arrays."""
    good = {"kind": "ndarray"}
    yield "n_clusters", "3"
    yield "n_clusters", -1
    yield "n_clusters", None
    yield "init", "nowhere"
    yield "tol", {"kind": "float", "value": "nan"}
    yield "tol", {"kind": "float", "value": "1.5"}
    yield "algorithm", ["lloyd"]
    yield "verbose", {"kind": "type", "name": "int"}
    yield "n_features_in_", 5
    yield "n_features_in_", 0
    yield "n_features_in_", True
    yield "n_features_in_", "4"
    yield "n_iter_", -3
    yield "n_iter_", 2.5
    yield "inertia_", "16"
    yield "inertia_", -1.0
    yield "inertia_", {"kind": "float", "value": "nan"}
    yield "converged_", "yes"
    yield "feature_names_in_", ["a"]
    yield "feature_names_in_", {**good, "items": [1, 2, 3, 4], "shape": [4]}
    yield "feature_names_in_", {**good, "items": ["a", "b"], "shape": [4]}
    yield "cluster_centers_", [[0.0] * 4]
    yield "cluster_centers_", None
    for place in (-1, 99, "0", True, None, 0.0):
        yield "cluster_centers_", {**good, "array": place}
    yield "labels_", None
    yield "labels_", {**good, "items": [0, 1], "shape": [2]}
    yield "predict", 1
    yield "fit", {"kind": "ufunc", "name": "exp"}
    yield "__class__", 1
    yield "__dict__", {"kind": "dict", "items": []}
    yield "_parameter_constraints", {"kind": "dict", "items": []}
    yield "note", "mine"
    yield "_random_state", None


def other_centers():
    yield np.zeros((3, 4), dtype=np.int64)
    yield np.zeros((3, 4), dtype=np.float16)
    yield np.zeros((3, 4), dtype=complex)
    yield np.zeros(12)
    yield np.zeros((3, 5))
    yield np.zeros((0, 4))
    yield np.zeros((3, 4, 1))
    yield np.full((3, 4), np.nan)
    yield np.full((3, 4), np.inf)
    yield np.full((3, 4), 1e300)
    yield np.zeros((1, 4))  # fewer than the labels say
    yield np.array(["a"])
    yield np.zeros((3, 4), dtype=[("x", "f8")])


def hostile_values():
    """JSON in place of the estimator."""
    for name in (
        "os.system",
        "builtins.eval",
        "builtins.exec",
        "subprocess.Popen",
        "pickle.loads",
        "sklearn.cluster.KMeans",
        "sklearn.base.BaseEstimator",
        "sklearn_lloyd.k_means",
        "sklearn_lloyd.persistence.load",
        "sklearn_lloyd._kmeans.KMeans",
        "sklearn.pipeline.make_pipeline",
        "KMeans",
        ".KMeans",
        "",
        None,
        [],
        {},
    ):
        yield {"kind": "object", "class": name, "state": {}}
    for kind in ("function", "partial", "method", "bytes", "__class__", "", None, 1, [], {}):
        yield {"kind": kind, "items": []}
    yield from (None, 1, "KMeans", [], {}, {"kind": "tuple"}, {"kind": "tuple", "items": "ab"})
    yield {"kind": "ufunc", "name": "frompyfunc"}
    yield {"kind": "ufunc", "name": "load"}
    yield {"kind": "type", "name": "numpy.load"}
    yield {"kind": "type", "name": "numpy.ndarray"}
    yield {"kind": "type", "name": "eval"}
    yield {"kind": "dtype", "value": "O,O"}
    yield {"kind": "dtype", "value": "(1000000,1000000)f8"}
    yield {"kind": "range", "items": [0, 10, 0]}
    yield {"kind": "range", "items": [0, 10]}
    yield {"kind": "ndarray", "items": [], "shape": [-1, 10**18]}
    yield {"kind": "ndarray", "items": [], "shape": [0, 10**18]}
    yield {"kind": "set", "items": [[]]}
    yield {"kind": "dict", "items": [[1]]}
    yield {"kind": "dict", "items": [[[], 1]]}
    yield {"kind": "object", "class": "sklearn.pipeline.Pipeline", "state": {"steps": None}}
    yield {"kind": "object", "class": "sklearn.pipeline.Pipeline", "state": {"steps": [["a", 1]]}}
    yield {"kind": "object", "class": "sklearn_lloyd.KMeans", "state": []}
    yield {"kind": "object", "class": "sklearn_lloyd.KMeans"}
    yield {"kind": "object", "class": "sklearn.compose.make_column_selector", "state": {}}
    rng = {"key": {"kind": "ndarray", "array": 0}, "pos": 10**9, "has_gauss": 0, "gauss": 0.0}
    yield {"kind": "RandomState", "items": [list(pair) for pair in rng.items()]}


def damaged(model):
    """Of the good file of a KMeans, fitted on iris, 500 that are not; each with what was done."""
    manifest, arrays = taken_apart(model)
    good, rng = dump_bytes(model), np.random.RandomState(0)
    assert load_bytes(put_together(manifest, arrays)).n_clusters == 3  # so it is not the means
    names = ["manifest.json", *(f"{i}.npy" for i in range(len(arrays)))]

    for length in np.unique([*range(0, 200, 20), *rng.randint(len(good), size=70)]):
        yield f"cut to {length}", good[:length]
        if length < len(good) - N_TAIL:
            yield f"cut to {length}, sealed", sealed(good[:length] + good[-N_TAIL:])
    for bit in rng.randint(8 * len(good), size=120):
        flipped = bytearray(good)
        flipped[bit // 8] ^= 1 << (bit % 8)
        yield f"bit {bit}", bytes(flipped)
    for start in rng.randint(len(good) - 100, size=20):
        yield f"zeros from {start}", good[:start] + bytes(64) + good[start + 64 :]
    yield "bytes before", b"#!/bin/sh\n" + good
    yield "bytes after", good + b"\n"
    yield "twice", good + good
    yield "a zip", put_together(manifest, arrays)[:-N_TAIL] + b"\0" * N_TAIL
    yield "a pickle", sealed(pickle.dumps(Evil()) + good[-N_TAIL:])

    for name in (
        "../evil.npy",
        "../../../../../../tmp/evil.npy",
        "/tmp/evil.npy",
        "..\\evil.npy",
        "C:\\evil.npy",
        "a/../../evil.npy",
        "0.npy/",
        "1.npy",
        "00.npy",
        "0.NPY",
        "manifest.json",
        ".",
    ):
        for place in (0, 1, 2, len(arrays)):
            other = list(names)
            other[place] = name
            if other != names:
                yield f"{names[place]} is {name!r}", put_together(manifest, arrays, other)
    # Python writes and shows a name up to its zero byte; others do not.
    hidden = put_together(manifest, [*arrays, arrays[0]], [*names, f"{len(arrays)}.npy#evil"])
    yield "a zero in a name", sealed(hidden.replace(b"#evil", b"\0evil"))
    yield "one more", put_together(manifest, [*arrays, arrays[0]], [*names, "evil.py"])
    yield "one twice", put_together(manifest, [*arrays, arrays[0]], [*names, "0.npy"])
    yield "no members", put_together(manifest, [], names[:1])
    yield "other order", put_together(manifest, arrays[::-1])
    yield "another manifest", put_together(manifest, [*arrays, b"{}"], [*names, "manifest.json"])

    for compression in (zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        yield "compressed", put_together(manifest, arrays, names, compression)
        bomb = [npy("<f8", (1 << 18, 8)) + bytes(1 << 24)]
        yield "a bomb", put_together(manifest, bomb, None, compression)
        yield "a bomb", put_together(b" " * (1 << 20) + b"{}", arrays, names, compression)
    yield "a long manifest", put_together(b" " * (1 << 24) + b"{}", arrays)
    yield "thousands", put_together(manifest, [arrays[0]] * 10_100)
    yield "deep", put_together("[" * 100_000 + "]" * 100_000, arrays)
    deep = '{"format": "sklearn-lloyd", "schema": 1, "estimator": %s}'
    yield "deep", put_together(deep % ("[" * 900 + "]" * 900), arrays)
    yield "deep", put_together(deep % ('{"kind":"tuple","items":[' * 600 + "]}" * 600), arrays)
    yield "many digits", put_together(deep % ("9" * 10_000), arrays)
    yield "NaN", put_together(deep % "NaN", arrays)

    for text in ("", "[]", "null", "{", '{"a": 1}', "\0", "\ud800".encode("utf-8", "replace")):
        yield f"manifest {text!r}", put_together(text, arrays)
    for schema in (2, 10**9, 0, -1, "1", 1.0, True, None, [1]):
        yield f"schema {schema!r}", put_together({**manifest, "schema": schema}, arrays)
    for key in ("format", "schema", "estimator"):
        yield f"no {key}", put_together({k: v for k, v in manifest.items() if k != key}, arrays)
    yield "another format", put_together({**manifest, "format": "other"}, arrays)

    for value in hostile_values():
        yield f"{value!r}", put_together({**manifest, "estimator": value}, arrays)
    estimator = manifest["estimator"]
    for name, value in other_attributes():
        state = {**estimator["state"], name: value}
        yield (
            f"{name}={value!r}",
            put_together({**manifest, "estimator": {**estimator, "state": state}}, arrays),
        )
    place = estimator["state"]["cluster_centers_"]["array"]
    for centers in other_centers():
        content = BytesIO()
        np.save(content, centers)
        other = list(arrays)
        other[place] = content.getvalue()
        yield f"centers {centers.dtype} {centers.shape}", put_together(manifest, other)
    for content in (
        b"",
        b"\x93NUMPY",
        arrays[place][:-1],
        arrays[place] + b"\0",
        evil_npy(),
        npy("<f8", (10**18, 4), bytes(96)),
        npy("<f8", (2**62, 2**62), bytes(96)),
        npy("<f8", (-3, -4), bytes(96)),
        npy("<f8", (0,), bytes(96)),
        npy("<U0", (10**18,)),
        npy("|V0", (10**18,)),
        npy("|O", (3, 4), bytes(96)),
        npy([("a", "|O")], (12,), bytes(96)),
        npy([("a", "<f8", (1000000,))], (12,), bytes(96)),
        npy("<f8", (3.0, 4.0), bytes(96)),
        npy("<f8", (10**18, 0)),
        npy("__import__('os')", (3, 4), bytes(96)),
        npy("<f8", (1,) * 70, bytes(8)),
        arrays[place].replace(b"\x93NUMPY\x01", b"\x93NUMPY\x07"),
    ):
        other = list(arrays)
        other[place] = content
        yield f"npy {content[:60]!r}", put_together(manifest, other)
