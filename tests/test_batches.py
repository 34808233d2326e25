"""fit_batches: the same result as fit on all rows, one batch in memory, and clear errors."""

import gc
import weakref
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse

from sklearn_lloyd import KMeans, MiniBatchKMeans
from sklearn_lloyd._fit_batches import Reservoir
from sklearn_lloyd._rows import Rows


@pytest.fixture
def X():
    return np.random.default_rng(0).normal(size=(900, 4))


def cut(X, weights=None, size=250):
    """A generator function of blocks."""

    def blocks():
        for start in range(0, X.shape[0], size):
            part = slice(start, start + size)
            yield X[part] if weights is None else (X[part], weights[part])

    return blocks


@pytest.mark.parametrize("kind", ["dense", "float32", "csr", "far"])
@pytest.mark.parametrize("weighted", [False, True])
def test_same_as_fit_from_the_same_start(X, kind, weighted):
    if kind == "csr":
        X = sparse.csr_array(np.where(X > 1, X, 0))  # with many rows of zeros alone
        init = X[:40:8].toarray()
    else:
        X = (X + 1e5 if kind == "far" else X).astype("float32" if kind == "float32" else "float64")
        init = X[:5]
    weights = np.random.default_rng(1).integers(0, 3, 900) if weighted else None
    model = KMeans(5, init=init)
    whole = model.fit(X, sample_weight=weights)
    expected, labels = whole.cluster_centers_, whole.labels_
    n_iter, inertia, history = whole.n_iter_, whole.inertia_, whole.history_
    model.fit_batches(cut(X, weights))
    assert_allclose(model.cluster_centers_, expected, rtol=1e-9, atol=1e-9)
    assert model.cluster_centers_.dtype == expected.dtype
    assert_array_equal(model.predict(X), labels)
    assert model.n_iter_ == n_iter
    assert model.converged_
    assert_allclose(model.inertia_, inertia)
    assert_allclose(model.history_["inertia"], history["inertia"])
    assert not hasattr(model, "labels_")


def test_empty_clusters_move_as_in_fit(X):
    init = np.concatenate([X[:2], X[:3] + 100])
    whole = KMeans(5, init=init).fit(X)
    model = KMeans(5, init=init).fit_batches(cut(X))
    assert_array_equal(model.history_["n_empty"], whole.history_["n_empty"])
    assert whole.history_["n_empty"][0] > 0
    assert_allclose(model.cluster_centers_, whole.cluster_centers_)


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random", "random-partition"])
@pytest.mark.parametrize("kind", ["dense", "csr"])
def test_starts_by_name(X, init, kind):
    X = X if kind == "dense" else sparse.csr_array(np.maximum(X, 0))
    whole = KMeans(6, n_init=3, random_state=0).fit(X)
    model = KMeans(6, init=init, n_init=3, random_state=0).fit_batches(cut(X))
    assert model.inertia_ < 1.05 * whole.inertia_
    assert model.start_inertias_.shape == (3,)
    assert model.inertia_ == model.start_inertias_.min()
    again = KMeans(6, init=init, n_init=3, random_state=0).fit_batches(cut(X))
    assert_array_equal(again.cluster_centers_, model.cluster_centers_)


@pytest.mark.parametrize("weighted", [False, True])
def test_the_sample_of_a_start_is_drawn_by_weight(weighted):
    X = np.arange(60.0).reshape(-1, 1)
    weights = np.where(np.arange(60) % 3, 1.0, 4.0) if weighted else None
    sample, so_far = Reservoir(30_000, np.random.RandomState(0)), 0.0
    for part in np.split(np.arange(60), [7, 40]):
        of_part = None if weights is None else weights[part]
        total = part.size if weights is None else of_part.sum()
        so_far += total
        sample.add(Rows(X[part]), of_part, total / so_far)
    counts = np.bincount(sample.part(slice(None)).X[:, 0].astype(int), minlength=60)
    share = np.full(60, 1 / 60) if weights is None else weights / weights.sum()
    assert (np.abs(counts - 30_000 * share) < 6 * np.sqrt(30_000 * share)).all()


def test_frames_lists_memmaps_and_empty_batches(X, tmp_path):
    expected = KMeans(3, init=X[:3]).fit(X).cluster_centers_
    np.save(tmp_path / "X.npy", X)
    on_disk = np.load(tmp_path / "X.npy", mmap_mode="r")
    frames = [pd.DataFrame(part, columns=list("abcd")) for part in np.split(X, 3)]
    for batches in (np.split(X, 3), [X[:0], X[:100], X[100:], X[:0]], cut(on_disk), frames):
        model = KMeans(3, init=X[:3]).fit_batches(batches)
        assert_allclose(model.cluster_centers_, expected)
    assert list(model.feature_names_in_) == list("abcd")


@pytest.mark.parametrize("n_threads", [1, 2])
def test_threads_do_not_show(n_threads):
    X = np.random.default_rng(0).normal(size=(20_000, 8))
    one = KMeans(30, random_state=0, max_iter=3, n_threads=1).fit_batches([X, X[:500]])
    model = KMeans(30, random_state=0, max_iter=3, n_threads=n_threads).fit_batches([X, X[:500]])
    assert_array_equal(model.cluster_centers_, one.cluster_centers_)


def test_minibatch_passes(X):
    X = np.concatenate([X, X + 8, X - 8])[np.random.default_rng(2).permutation(2700)]
    whole = KMeans(3, random_state=0).fit(X)
    model = MiniBatchKMeans(3, random_state=0, batch_size=100).fit_batches(cut(X))
    assert model.inertia_ < 1.1 * whole.inertia_
    assert -model.score(X) < 1.01 * whole.inertia_
    assert model.n_iter_ == 1
    assert model.n_steps_ == 32 == model.history_.size  # blocks of 250 in steps of 100
    assert not hasattr(model, "labels_")
    model.fit_batches(cut(X), n_passes=2)  # anew
    assert (model.n_iter_, model.n_steps_) == (2, 64)
    assert_allclose(model.counts_.sum(), 2 * len(X))
    model.partial_fit(X[:50])
    assert model.n_steps_ == 65


def test_minibatch_one_pass_of_an_iterator(X):
    model = MiniBatchKMeans(3, random_state=0, batch_size=100)
    from_iterator = model.fit_batches(cut(X)()).cluster_centers_
    assert_array_equal(model.fit_batches(cut(X)).cluster_centers_, from_iterator)


def test_weights_of_minibatches():
    X = np.array([[0.0], [1.0], [8.0], [9.0]] * 10)
    weights = np.array([3.0, 1.0, 1.0, 1.0] * 10)
    model = MiniBatchKMeans(2, random_state=0).fit_batches([(X, weights), (X, weights)])
    assert_allclose(np.sort(model.cluster_centers_.ravel()), [0.25, 8.5])


@pytest.mark.parametrize("n_passes", [1, 2])
def test_only_one_reading(X, n_passes):
    def refuse():
        raise AssertionError("read")
        yield

    with pytest.raises(ValueError, match="can be read only once"):
        KMeans(3).fit_batches(refuse())
    if n_passes > 1:
        with pytest.raises(ValueError, match="generator function"):
            MiniBatchKMeans(3).fit_batches(refuse(), n_passes=n_passes)


BAD = {
    "columns": (lambda X: X[:, :3], ValueError, "3 features, but .* expecting 4"),
    "NaN": (lambda X: np.where(np.isclose(X, X[5, 2]), np.nan, X), ValueError, "row 5, column 2"),
    "text": (lambda X: X.astype(str).astype(object) + "a", ValueError, "not numbers"),
    "dtype": (lambda X: X.astype(np.float32), ValueError, "float32"),
    "sparse": (sparse.csr_array, ValueError, "sparse"),
    "weights": (lambda X: (X, np.ones(3)), ValueError, "sample_weight"),
}


@pytest.mark.parametrize("name", BAD)
@pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans])
def test_bad_batch_is_named(X, name, estimator):
    spoil, error, message = BAD[name]
    batches = list(cut(X, size=15)())
    batches[57] = spoil(batches[57])
    model = estimator(3, random_state=0)
    with pytest.raises(error, match=f"(?s)Batch 57 .*{message}"):
        model.fit_batches(batches)
    if estimator is KMeans:
        assert not [name for name in vars(model) if name.endswith("_")]
    else:
        before = estimator(3, random_state=0).fit_batches(batches[:57])
        assert_array_equal(model.cluster_centers_, before.cluster_centers_)
        assert model.n_steps_ == before.n_steps_ == 57
        model.partial_fit(X[:20])


def test_failure_at_the_first_batch_changes_nothing(X):
    model = MiniBatchKMeans(3, random_state=0).fit(X)
    before = dict(vars(model))
    for batches in ([X[:2], X], [np.full((9, 4), np.nan)], []):
        with pytest.raises(ValueError, match=r"n_samples=2|NaN|no rows"):
            model.fit_batches(batches)
        assert vars(model) == before


@pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans])
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array, pd.DataFrame])
@pytest.mark.parametrize("init", ["k-means++", "array"])
def test_batches_without_weight_are_as_if_not_there(X, estimator, kind, init):
    def fitted(*weights):
        parts = zip(np.split(X, 3), weights, strict=True)
        batches = [(kind(part), of_part) for part, of_part in parts if of_part is not None]
        model = estimator(3, init=X[:3] if init == "array" else init, random_state=0)
        passes = {} if estimator is KMeans else {"n_passes": 2}
        return model.fit_batches(batches, **passes)

    one, two, none = np.ones(300), np.full(300, 2), np.zeros(300)
    for weights in ([none, one, two], [one, none, two], [one, two, none], [none, one, none]):
        given = fitted(*weights)
        without = fitted(*(each if each.any() else None for each in weights))
        assert_array_equal(given.cluster_centers_, without.cluster_centers_)
        assert given.inertia_ == without.inertia_
    before = dict(vars(given))
    with pytest.raises(ValueError, match="no rows, or none of positive weight"):
        given.fit_batches([(X, np.zeros(900)), (X, 0)])
    assert vars(given) == before


def test_rows_without_weight_are_as_if_not_there(X):
    weights = np.repeat([1.0, 0.0, 2.0], 300)
    kept = weights > 0
    for estimator in (KMeans, MiniBatchKMeans):
        model = estimator(3, init=X[:3], random_state=0)
        given = model.fit_batches([(X, weights)]).cluster_centers_
        without = model.fit_batches([(X[kept], weights[kept])]).cluster_centers_
        assert_allclose(given, without)


NO_BATCHES = {
    "number": 5,
    "frame": pd.DataFrame({"spend": [1.0, 2.0], "visits": [3.0, 4.0]}),
    "polars": pl.DataFrame({"spend": [1.0, 2.0]}),
    "arrow": pa.table({"spend": [1.0, 2.0]}),
    "column": pd.Series([1.0, 2.0]),
    "array": np.ones((60, 2)),
    "csr": sparse.csr_array(np.ones((60, 2))),
    "X and weights": (np.ones((60, 2)), np.ones(60)),
    "rows": [[1.0, 2.0], [3.0, 4.0]],
    "numbers": [1.0, 2.0],
    "text": "rows.csv",
    "bytes": b"rows.csv",
    "path": Path("rows.csv"),
    "paths": [np.ones((60, 2)), Path("february.csv")],
    "names": ["january.csv", "february.csv"],
    "dict": {"january": np.ones((60, 2))},
    "function of an array": lambda: np.ones((60, 2)),
    "function of paths": lambda: iter(["january.csv"]),
    "weighted path": [("january.csv", np.ones(3))],
    "column of names": [["anna", "berta"]],
}


@pytest.mark.parametrize("name", NO_BATCHES)
@pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans])
def test_what_is_no_batches(name, estimator):
    with pytest.raises(TypeError, match=r"^batches should be a list of arrays, frames or CSR"):
        estimator(3).fit_batches(NO_BATCHES[name])


@pytest.mark.parametrize(
    ("name", "advice"),
    [("dict", r"list\(batches.values\(\)\)"), ("X and weights", r"\[\(X, sample_weight\)\]")],
)
def test_what_batches_are_meant(name, advice):
    with pytest.raises(TypeError, match=rf"got .*: .*{advice}"):
        KMeans(3).fit_batches(NO_BATCHES[name])


def test_what_are_batches(X):
    expected = KMeans(3, init=X[:3]).fit(X).cluster_centers_
    stacked = np.stack(np.split(X, 3))
    for batches in (stacked, [X.tolist()], [(X.tolist(), 1.0)], [X, []], (X,)):
        assert_allclose(KMeans(3, init=X[:3]).fit_batches(batches).cluster_centers_, expected)


def test_too_few_rows_or_passes(X):
    with pytest.raises(ValueError, match="no rows"):
        KMeans(3).fit_batches([X[:0]])
    with pytest.raises(ValueError, match="n_samples=2"):
        KMeans(3).fit_batches([X[:2]])
    with pytest.raises(ValueError, match="n_passes"):
        MiniBatchKMeans(3).fit_batches([X], n_passes=0)


def test_passes_that_differ(X):
    sizes = iter([900, 900, 500, 500])
    with pytest.raises(ValueError, match="900 rows in the first pass and 500"):
        KMeans(3, init=X[:3]).fit_batches(lambda: [X[: next(sizes)]])


@pytest.mark.parametrize("estimator", [KMeans, MiniBatchKMeans])
def test_one_batch_in_memory(X, estimator):
    alive, most = set(), 0

    def blocks():
        nonlocal most
        for i in range(20):
            batch = X.copy()
            alive.add(i)
            weakref.finalize(batch, alive.discard, i)
            most = max(most, len(alive))
            yield batch

    gc.disable()  # nothing may wait for the collector of cycles
    try:
        estimator(3, random_state=0, max_iter=3).fit_batches(blocks)
    finally:
        gc.enable()
    assert most <= 4  # one at work, one on its way, the sample's first, one in the generator
