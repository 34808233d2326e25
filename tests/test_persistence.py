"""Models in files: the same model again, nothing of a hostile file, and other formats.

`python tests/test_persistence.py` writes the golden files of the installed release.
"""

import json
import os
import sys
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import sklearn
import skops.io
from damaged_archives import damaged, put_together, taken_apart
from sklearn.cluster import KMeans as TheirKMeans
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.datasets import (
    load_breast_cancer,
    load_diabetes,
    load_digits,
    load_iris,
    load_linnerud,
    load_wine,
)
from sklearn.decomposition import PCA, TruncatedSVD
from sklearn.exceptions import InconsistentVersionWarning, NotFittedError
from sklearn.feature_selection import VarianceThreshold
from sklearn.frozen import FrozenEstimator
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.manifold import MDS
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    PowerTransformer,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
)

from sklearn_lloyd import KMeans, MiniBatchKMeans, __version__
from sklearn_lloyd.model_selection import NClustersSearch
from sklearn_lloyd.persistence import (
    ArchiveError,
    _files,
    load,
    save,
    to_onnx,
    to_sklearn,
    trusted_types,
)
from sklearn_lloyd.persistence._archive import dump_bytes, load_bytes
from sklearn_lloyd.preprocessing import CentroidFeatures, ClusterScaler

GOLDEN = Path(__file__).parent / "data"
X = load_iris().data
BUNDLED = {
    "breast_cancer": load_breast_cancer,
    "diabetes": load_diabetes,
    "digits": load_digits,
    "iris": load_iris,
    "linnerud": load_linnerud,
    "wine": load_wine,
}


def frame():
    table = load_iris(as_frame=True).data
    table["color"] = np.array(["red", "blue", "pink"])[np.arange(150) % 3]
    table["size"] = pd.Series(np.arange(150) % 4, dtype=float).mask(np.arange(150) % 7 == 0)
    return table


def table_model():
    """As a table is made ready: by columns, each kind in its own way."""
    numbers = make_pipeline(SimpleImputer(), FunctionTransformer(np.log1p), ClusterScaler())
    columns = ColumnTransformer(
        [
            ("numbers", numbers, make_column_selector(dtype_include=np.number)),
            ("colors", OneHotEncoder(drop="first", dtype=np.float32), ["color"]),
            ("as it is", "passthrough", slice(0, 2)),
        ]
    )
    return make_pipeline(columns, KMeans(4, random_state=0))


def stream():
    model = MiniBatchKMeans(3, random_state=0, batch_size=40)
    for part in np.array_split(X, 3):
        model.partial_fit(part)
    return model


MODELS = {
    "float64": lambda: KMeans(3, random_state=0).fit(X),
    "float32": lambda: KMeans(3, random_state=0, n_init=2).fit(X.astype(np.float32)),
    "frame": lambda: KMeans(3, random_state=0).fit(load_iris(as_frame=True).data),
    "init array": lambda: KMeans(3, init=X[:3]).fit(X),
    "batches": lambda: KMeans(3, random_state=0).fit_batches([X[:70], X[70:]]),
    "from centers": lambda: KMeans.from_centers(X[::50]),
    "mini-batch": lambda: MiniBatchKMeans(3, random_state=0).fit(X),
    "stream": stream,
    "scaled": lambda: make_pipeline(StandardScaler(), KMeans(3, random_state=0)).fit(X),
    "pandas output": lambda: (
        make_pipeline(ClusterScaler("whiten", clip=3), KMeans(3, random_state=0))
        .set_output(transform="pandas")
        .fit(load_iris(as_frame=True).data)
    ),
    "weights by name": lambda: make_pipeline(
        ClusterScaler("robust", feature_weights={"petal width (cm)": 2.0}),
        KMeans(3, random_state=0),
    ).fit(load_iris(as_frame=True).data),
    "features": lambda: CentroidFeatures(
        FrozenEstimator(KMeans(3, random_state=0).fit(X)), output=["soft", "label"]
    ).fit(X),
    "search": lambda: NClustersSearch(
        make_pipeline(ClusterScaler(), KMeans(random_state=0)), n_clusters=range(2, 6)
    ).fit(X),
    "search without refit": lambda: NClustersSearch(
        criteria={"bic"}, n_clusters=(2, 3), refit=False, random_state=0
    ).fit(X),
    "table": lambda: table_model().fit(frame()),
    "not fitted": lambda: make_pipeline(ClusterScaler(), KMeans(3)),
}


def rows_of(model):
    if not hasattr(model, "feature_names_in_"):
        return X
    return frame() if len(model.feature_names_in_) > 4 else load_iris(as_frame=True).data


def assert_same(first, second):
    """Equal in every attribute, type and bit."""
    assert type(first) is type(second)
    if isinstance(first, np.ndarray):
        assert first.dtype == second.dtype
        assert first.shape == second.shape
        if first.dtype == object:
            assert_same(first.tolist(), second.tolist())
        else:
            assert first.tobytes() == second.tobytes()
    elif isinstance(first, np.random.RandomState):
        assert_same(first.get_state(legacy=False), second.get_state(legacy=False))
    elif isinstance(first, list | tuple):
        assert len(first) == len(second)
        for a, b in zip(first, second, strict=True):
            assert_same(a, b)
    elif isinstance(first, dict):
        assert list(first) == list(second)
        assert_same(list(first.values()), list(second.values()))
    elif hasattr(first, "__dict__") and not callable(first):
        assert_same(dict(sorted(vars(first).items())), dict(sorted(vars(second).items())))
    elif first != first:  # NaN
        assert second != second
    elif type(first).__name__ != "make_column_selector":
        assert first == second


@pytest.mark.parametrize("name", MODELS)
def test_the_same_model_again(name, tmp_path):
    model = MODELS[name]()
    again = load(save(model, tmp_path / "model.zip"))
    assert_same(model, again)
    for method in ("predict", "transform", "score"):
        if hasattr(model, method) and name not in ("not fitted", "search without refit"):
            rows = rows_of(model)
            expected, got = getattr(model, method)(rows), getattr(again, method)(rows)
            assert np.asarray(expected).tobytes() == np.asarray(got).tobytes()
    assert dump_bytes(model) == dump_bytes(again) == (tmp_path / "model.zip").read_bytes()
    # As an estimator of any other origin: of the same parameters, and fitted again.
    assert name == "table" or repr(again) == repr(model)  # a selector has its address there
    assert again.fit(rows_of(model)) is again


def test_streams_go_on():
    model = stream()
    again = load_bytes(dump_bytes(model))
    for part in np.array_split(X[::-1], 3):
        model.partial_fit(part)
        again.partial_fit(part)
    assert_same(model, again)


@pytest.mark.parametrize(
    "step",
    [
        FeatureUnion([("pca", PCA(2)), ("svd", TruncatedSVD(2, random_state=0))]),
        KBinsDiscretizer(3, quantile_method="averaged_inverted_cdf")
        if "quantile_method" in KBinsDiscretizer().get_params()
        else KBinsDiscretizer(3),
        KNNImputer(add_indicator=True),
        MaxAbsScaler(),
        MinMaxScaler((-1, 1), clip=True),
        Normalizer(),
        OrdinalEncoder(encoded_missing_value=-1),
        PowerTransformer(),
        QuantileTransformer(n_quantiles=20),
        RobustScaler(),
        SimpleImputer(strategy="most_frequent", add_indicator=True),
        VarianceThreshold(0.2),
        FunctionTransformer(),
    ],
    ids=lambda step: type(step).__name__,
)
def test_steps_of_scikit_learn(step):
    holes = X[:, :3].copy()
    rows = X if type(step).__name__ not in ("KNNImputer", "SimpleImputer") else holes
    holes[::7, 1] = np.nan
    step.fit(rows)
    again = load_bytes(dump_bytes(step))
    assert_same(step, again)
    expected, got = step.transform(rows), again.transform(rows)
    if hasattr(expected, "toarray"):
        expected, got = expected.toarray(), got.toarray()
    assert expected.tobytes() == got.tobytes()


def test_encoders_of_texts():
    table = pd.DataFrame({"a": ["x", "y", None, "x"], "b": [1, 2, 2, 3]})
    for encoder in (OneHotEncoder(min_frequency=2, handle_unknown="ignore"), OrdinalEncoder()):
        encoder.fit(table)
        again = load_bytes(dump_bytes(encoder))
        assert_same(encoder, again)
        expected, got = encoder.transform(table), again.transform(table)
        if isinstance(encoder, OneHotEncoder):
            expected, got = expected.toarray(), got.toarray()
        np.testing.assert_array_equal(expected, got)


def test_stable_ids_are_kept():
    model = KMeans(3, random_state=0).fit(X)
    model.cluster_ids_, model.next_cluster_id_ = np.array([0, 4, 7]), 9
    assert_same(model, load_bytes(dump_bytes(model)))
    model.cluster_ids_ = np.array([0, 4, 4])
    with pytest.raises(ValueError, match="cluster_ids_"):
        dump_bytes(model)
    model.cluster_ids_ = np.array([0, 4, 9])  # or the next new one would be 9, too
    with pytest.raises(ValueError, match="next_cluster_id_"):
        dump_bytes(model)


def test_arrays_that_are_one_stay_so():
    model = NClustersSearch(n_clusters=(2, 3), random_state=0).fit(X)
    again = load_bytes(dump_bytes(model))
    assert (again.labels_ is again.best_estimator_.labels_) == (
        model.labels_ is model.best_estimator_.labels_
    )
    again.cluster_centers = again.best_estimator_.cluster_centers_
    again.cluster_centers[0] = 0.0  # may be written to


def test_an_older_file_has_the_defaults_of_newer_parameters():
    manifest, arrays = taken_apart(KMeans(2, random_state=0).fit(X))
    del manifest["estimator"]["state"]["n_threads"]
    assert load_bytes(put_together(manifest, arrays)).n_threads is None


# --- what cannot be stored -------------------------------------------------------------------


def first_rows(X, n_clusters, random_state):
    return X[:n_clusters]


@pytest.mark.parametrize(
    ("model", "error", "says"),
    [
        (
            KMeans(random_state=np.random.RandomState(0)),
            TypeError,
            r"^KMeans\.random_state is a RandomState\. Set an int",
        ),
        (
            make_pipeline(StandardScaler(), KMeans(init=first_rows)),
            TypeError,
            r"Pipeline\.steps\[1\]\[1\]\.init is a function .* Set a name or an array",
        ),
        (make_pipeline(KMeans(), memory=object()), TypeError, r"memory=None"),
        (make_pipeline(KMeans(), memory="cache"), ValueError, r"memory=None"),
        (FunctionTransformer(first_rows), TypeError, r"FunctionTransformer\.func .* skops"),
        (TheirKMeans(), TypeError, r"sklearn\.cluster\._kmeans\.KMeans.* skops"),
        (MDS(), TypeError, r"skops"),
        (KMeans(n_clusters=-1), ValueError, r"n_clusters"),
        (KMeans(init=pd.DataFrame(X[:3])), TypeError, r"KMeans\.init is DataFrame"),
        (X, TypeError, r"expected an estimator, got ndarray"),
        (KMeans, TypeError, r"expected an estimator"),
    ],
)
def test_what_cannot_be_stored_is_told(model, error, says, tmp_path):
    path = tmp_path / "model.zip"
    path.write_text("old")
    with pytest.raises(error, match=says):
        save(model, path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["model.zip"]


def test_attributes_of_the_user_and_callbacks_are_told():
    model = KMeans(2, random_state=0).fit(X)
    model.note = "mine"
    with pytest.raises(ValueError, match=r"does not have: \['note'\]"):
        dump_bytes(model)
    del model.note
    with sklearn.config_context(enable_metadata_routing=True):
        asking = KMeans().set_fit_request(sample_weight=True)
    with pytest.raises(TypeError, match="set them after loading"):
        dump_bytes(asking)
    if hasattr(model, "set_callbacks"):
        from sklearn.callback import ProgressBar

        model.set_callbacks(ProgressBar())
        with pytest.raises(TypeError, match=r"set_callbacks\(\)"):
            dump_bytes(model)
        dump_bytes(model.set_callbacks())


def test_damaged_models_are_not_stored():
    model = KMeans(2, random_state=0).fit(X)
    model.cluster_centers_[0, 0] = np.nan
    with pytest.raises(ValueError, match="cluster_centers_"):
        dump_bytes(model)


# --- files -----------------------------------------------------------------------------------


@pytest.mark.parametrize("fails", ["fsync", "replace", "copymode"])
def test_a_save_that_fails_leaves_the_old_file(fails, tmp_path, monkeypatch):
    path = save(KMeans(2, random_state=0).fit(X), tmp_path / "model.zip")
    before = path.read_bytes()

    def refuse(*args):
        raise OSError("no space left on device")

    monkeypatch.setattr(_files if fails == "copymode" else os, fails, refuse)
    with pytest.raises(OSError, match="no space"):
        save(KMeans(3, random_state=0).fit(X), path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["model.zip"]


def test_modes_and_links_are_kept(tmp_path):
    path = save(KMeans(2), tmp_path / "model.zip")
    path.chmod(0o640)
    link = tmp_path / "latest.zip"
    link.symlink_to(path)
    save(KMeans(5), link)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert load(str(path)).n_clusters == 5
    save(KMeans(5), tmp_path / ("n" * 255))  # the longest name that most file systems have


def test_the_file_is_named(tmp_path):
    path = tmp_path / "model.zip"
    path.write_bytes(b"")
    with pytest.raises(ArchiveError, match=r"model\.zip: this is no archive"):
        load(path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "other.zip")
    with pytest.raises(FileNotFoundError):
        save(KMeans(), tmp_path / "no folder" / "model.zip")


# --- damaged and hostile files ---------------------------------------------------------------


class Watch:
    """What Python does, as its audit events tell."""

    def __init__(self):
        self.events = None
        sys.addaudithook(self.hook)  # for good

    def hook(self, event, args):
        if self.events is None:
            return
        writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
        others = ("os.", "subprocess.", "pickle.", "shutil.", "socket.", "ctypes.", "import")
        if writes or event.startswith(others):
            self.events.append((event, args))


WATCH = Watch()


def test_500_damaged_files_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files, seen = list(damaged(MODELS["float64"]())), set()
    assert len({data for _, data in files}) >= 500
    load_bytes(dump_bytes(KMeans(3)))
    WATCH.events = []
    try:
        for what, data in files:
            try:
                load_bytes(data)
            except ArchiveError as error:
                seen.add(str(error)[:30])
            else:
                pytest.fail(f"loaded: {what}")
    finally:
        events, WATCH.events = WATCH.events, None
    assert events == []
    assert os.listdir(tmp_path) == []
    assert len(seen) > 20  # each for its own reason


def test_files_of_any_content_are_refused_or_sound(tmp_path):
    """A fuzzer that knows the checksum: what loads can be used, or says what is wrong with it."""
    manifest, arrays = taken_apart(MODELS["search"]())
    text, rng = json.dumps(manifest).encode(), np.random.RandomState(0)
    n_loaded = 0
    for _ in range(150):
        other = bytearray(text)
        for place in rng.randint(len(text), size=rng.randint(1, 4)):
            other[place] = rng.choice(list(b'0123456789-"[]{},:eaNt. '))
        try:
            loaded = load_bytes(put_together(bytes(other), arrays))
        except ArchiveError:
            continue
        n_loaded += 1
        with suppress(AttributeError, ValueError, TypeError, KeyError, IndexError, NotFittedError):
            loaded.predict(X)
    assert n_loaded > 3


# --- other formats ---------------------------------------------------------------------------


def bundled(name, dtype, scale):
    rows = BUNDLED[name]().data.astype(dtype)
    return ClusterScaler().fit_transform(rows) if scale else rows


def n_other_labels(model, rows, labels):
    """How many labels differ from ours, of rows that are about as near to two centres."""
    ours = model.predict(rows)
    other = np.flatnonzero(ours != labels)
    if not other.size:
        return 0
    squares = np.square(model.transform(rows[other].astype(np.float64)))
    gaps = np.abs(squares[np.arange(other.size), labels[other]] - squares.min(axis=1))
    # Products in float32 are as exact as the largest of the squares that they are made of.
    largest = np.square(rows[other].astype(np.float64)).sum(axis=1) + squares.max(axis=1)
    assert (gaps <= 64 * np.finfo(rows.dtype).eps * largest).all()
    return other.size


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("kind", [KMeans, MiniBatchKMeans])
@pytest.mark.parametrize("name", BUNDLED)
def test_labels_elsewhere(name, kind, dtype):
    for scale in (False, True):
        rows = bundled(name, dtype, scale)
        for n_clusters in (2, 3, 8, 10) if kind is KMeans else (8,):
            model = kind(n_clusters, random_state=0).fit(rows)
            theirs = to_sklearn(model)
            n_other = n_other_labels(model, rows, theirs.predict(rows))
            assert n_other <= (0 if dtype == np.float64 else 1)
            assert theirs.cluster_centers_.tobytes() == model.cluster_centers_.tobytes()
            assert theirs.inertia_ == model.inertia_
            assert theirs.labels_.tobytes() == model.labels_.tobytes()

            labels, distances = run(to_onnx(model, dtype=rows.dtype.name), X=rows)
            assert n_other_labels(model, rows, labels) == 0
            assert distances.dtype == dtype
            limit = 1e-6 * np.abs(rows).max()
            np.testing.assert_allclose(distances, model.transform(rows), rtol=1e-5, atol=limit)


def run(onnx_model, **inputs):
    session = onnxruntime.InferenceSession(
        onnx_model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, inputs)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    "scaler",
    [
        *map(ClusterScaler, ("zscore", "range", "robust", "maxabs", "unit-norm", "none")),
        ClusterScaler("whiten", clip=2.0, feature_weights=[1.0, 2.0, 0.0, 0.5]),
        StandardScaler(),
        make_pipeline(PCA(2), MinMaxScaler()),
    ],
    ids=lambda scaler: getattr(scaler, "method", type(scaler).__name__),
)
def test_onnx_of_pipelines(scaler, dtype):
    rows = X.astype(dtype)
    model = make_pipeline(scaler, KMeans(3, random_state=0)).fit(rows)
    labels, distances = run(to_onnx(model, dtype=dtype), X=rows)
    np.testing.assert_array_equal(labels, model.predict(rows))
    np.testing.assert_allclose(distances, model.transform(rows), rtol=1e-4, atol=1e-5)


def test_onnx_of_zeros_of_centers_and_of_far_rows():
    rows = np.array([[0.0, 0.0], [3.0, 4.0], [1.0, 0.0], [0.0, 2.0]])
    model = make_pipeline(ClusterScaler("unit-norm"), KMeans(2, random_state=0)).fit(rows)
    labels, distances = run(to_onnx(model), X=rows)
    np.testing.assert_array_equal(labels, model.predict(rows))
    assert np.isfinite(distances).all()
    far = X + 1e7
    model = KMeans(3, random_state=0).fit(far)
    labels, distances = run(to_onnx(model), X=far)
    np.testing.assert_array_equal(labels, model.labels_)
    centers = model.cluster_centers_
    _, distances = run(to_onnx(model), X=centers)
    assert np.isfinite(distances).all()
    np.testing.assert_allclose(np.diag(distances), 0.0, atol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "scaler"),
    [
        ("float64", ClusterScaler()),
        ("float64", StandardScaler()),
        ("float32", make_pipeline(SimpleImputer(), ClusterScaler())),
    ],
)
def test_onnx_of_columns(dtype, scaler):
    rng = np.random.RandomState(0)
    table = pd.DataFrame(
        {
            "age": rng.randint(18, 80, 200),
            "spend": rng.lognormal(size=200),
            "region": rng.choice(["north", "south"], 200),
            "level": rng.randint(4, size=200),
            "open": rng.uniform(size=200) > 0.5,
        }
    )
    columns = ColumnTransformer(
        [
            ("numbers", scaler, ["age", "spend"]),
            ("texts", OneHotEncoder(), ["region"]),
            ("levels", OneHotEncoder(), ["level"]),
            ("truth", "passthrough", ["open"]),
        ]
    )
    model = make_pipeline(columns, KMeans(4, random_state=0)).fit(table)
    inputs = {name: table[[name]].to_numpy() for name in table}
    inputs = {
        name: column.astype(object if name == "region" else dtype)
        for name, column in inputs.items()
    }
    labels, _ = run(to_onnx(model, table, dtype=dtype), **inputs)
    np.testing.assert_array_equal(labels, model.predict(table))


@pytest.mark.parametrize(
    "steps",
    [
        [],
        [ClusterScaler()],
        [StandardScaler()],
        [FeatureUnion([("a", ClusterScaler("range")), ("b", StandardScaler())])],
        [ColumnTransformer([("a", StandardScaler(), ["b", "c"]), ("b", "passthrough", ["a"])])],
    ],
    ids=lambda steps: type(steps[0]).__name__ if steps else "none",
)
def test_onnx_of_columns_that_a_step_takes_whole(steps):
    """Each is an input of its own; such a step takes them joined, in the order of the fit."""
    table = pd.DataFrame(X[:, :3] + 1.7e9, columns=["a", "b", "c"])  # float32 would not do
    model = make_pipeline(*steps, KMeans(3, random_state=0)).fit(table)
    inputs = {name: table[[name]].to_numpy() for name in table}
    labels, _ = run(to_onnx(model, table[["c", "a", "b"]].assign(more=1.0)), **inputs)
    np.testing.assert_array_equal(labels, model.predict(table))
    with pytest.raises(TypeError, match="X must be a frame or None; got ndarray"):
        to_onnx(model, table.to_numpy())


def test_onnx_of_steps_that_cannot_be_converted():
    table = pd.DataFrame(X[:, :2] + 1.0, columns=["my spend", "orders"])
    log = make_pipeline(FunctionTransformer(np.log1p), KMeans(3, random_state=0)).fit(table)
    with pytest.raises(TypeError, match=r"FunctionTransformer. Leave the step out.*tor\[1:\]"):
        to_onnx(log)
    labels, _ = run(to_onnx(log[1:]), X=np.log1p(table.to_numpy()))
    np.testing.assert_array_equal(labels, log.predict(table))
    columns = ColumnTransformer([("a", StandardScaler(), ["my spend", "orders"])])
    model = make_pipeline(columns, KMeans(3, random_state=0)).fit(table)
    with pytest.raises(TypeError, match=r"columns of a frame by name.*to_onnx\(estimator, X\)"):
        to_onnx(model)
    onnx_model = to_onnx(model, table)
    assert [one.name for one in onnx_model.graph.input] == ["my_spend", "orders"]
    assert [one.name for one in onnx_model.graph.output] == ["label", "scores"]


def test_of_a_search():
    search = MODELS["search"]()
    labels, _ = run(to_onnx(search), X=X)
    np.testing.assert_array_equal(labels, search.predict(X))
    search = NClustersSearch(n_clusters=(2, 3), random_state=0).fit(X)
    np.testing.assert_array_equal(to_sklearn(search).predict(X), search.predict(X))


def test_to_sklearn_has_no_more_than_ours():
    model = KMeans.from_centers(load_iris(as_frame=True).data[::50], init="k-means||")
    theirs = to_sklearn(model)
    assert not hasattr(theirs, "labels_")
    assert not hasattr(theirs, "inertia_")
    assert list(theirs.feature_names_in_) == list(model.feature_names_in_)
    assert theirs.get_params()["init"] == "k-means++"
    theirs.fit(load_iris(as_frame=True).data)
    for kind in (KMeans, MiniBatchKMeans):
        twice = to_sklearn(kind.from_centers([[1.0], [1.0]]))
        np.testing.assert_array_equal(twice.predict([[0.0]]), 0)


def test_to_sklearn_goes_on():
    model = stream()
    theirs = to_sklearn(model)
    weight = model.counts_.copy()
    rows = X[:30]
    before, labels = model.cluster_centers_, theirs.predict(rows)
    theirs.set_params(reassignment_ratio=0.0).partial_fit(rows)
    assert theirs.n_steps_ == model.n_steps_ + 1
    for j in range(3):
        own = rows[labels == j]
        expected = (weight[j] * before[j] + own.sum(axis=0)) / (weight[j] + len(own))
        np.testing.assert_allclose(theirs.cluster_centers_[j], expected)


@pytest.mark.parametrize("function", [to_sklearn, to_onnx])
def test_other_estimators_are_refused(function):
    for other in (TheirKMeans(3).fit(X), ClusterScaler().fit(X), make_pipeline(PCA()).fit(X)):
        with pytest.raises(TypeError, match=f"^{function.__name__} takes a KMeans"):
            function(other)
    with pytest.raises(NotFittedError):
        function(KMeans())


def test_onnx_dtype():
    with pytest.raises(ValueError, match="'float64' or 'float32'"):
        to_onnx(MODELS["float64"](), dtype="float16")


@pytest.mark.parametrize("name", [name for name in MODELS if name != "table"])
def test_skops(name):
    model = MODELS[name]()
    data = skops.io.dumps(model)
    assert set(skops.io.get_untrusted_types(data=data)) <= {*trusted_types(), "builtins.range"}
    if name == "search":
        return  # a range is no type of ours
    again = skops.io.loads(data, trusted=trusted_types())
    if name not in ("not fitted", "features", "search without refit"):
        np.testing.assert_array_equal(again.predict(rows_of(model)), model.predict(rows_of(model)))


# --- golden files ----------------------------------------------------------------------------


def golden():
    """What is stored of each release: each of our types, and what users make of them."""
    short = X[::5]
    return {
        "kmeans": KMeans(3, random_state=0).fit(short),
        "minibatch": MiniBatchKMeans(3, random_state=0, batch_size=16).fit(short),
        "pipeline": make_pipeline(
            StandardScaler(), ClusterScaler("robust", clip=3), KMeans(3, random_state=0)
        ).fit(short),
        "search": NClustersSearch(n_clusters=(2, 3, 4), random_state=0).fit(short),
        "features": CentroidFeatures(n_clusters=3, output=["soft", "label"], random_state=0).fit(
            short
        ),
    }


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.zip")), ids=lambda path: path.stem)
def test_files_of_each_release(path):
    short = X[::5]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InconsistentVersionWarning)
        model = load(path)
    if isinstance(model, CentroidFeatures):
        np.testing.assert_array_equal(model.transform(short)[:, -1], model.estimator_.labels_)
        np.testing.assert_allclose(model.transform(short)[:, :-1].sum(axis=1), 1.0)
        return
    last = getattr(model, "steps", [("", model)])[-1][1]
    labels = model.predict(short)
    np.testing.assert_array_equal(labels, last.labels_)
    assert len(np.unique(labels)) >= 2
    assert hasattr(model, "score")
    if isinstance(last, KMeans):
        assert -model.score(short) == pytest.approx(last.inertia_, rel=1e-12)


def test_golden_files_are_there():
    names = {path.stem for path in GOLDEN.glob("*.zip")}
    assert names >= {f"{name}-{__version__}" for name in golden()}


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, model in golden().items():
        print(save(model, GOLDEN / f"{name}-{__version__}.zip"))
