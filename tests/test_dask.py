"""DaskKMeans: the results of KMeans for any blocks, scheduler and workers, and clear errors."""

import gc
import os
import pickle
import signal
import threading
import time

import dask
import dask.array as da
import dask.dataframe as dd
import joblib
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV

from sklearn_lloyd import KMeans
from sklearn_lloyd._core import options
from sklearn_lloyd._dask import _blocks, _holders, _tree
from sklearn_lloyd.distributed import DaskKMeans, _passes
from sklearn_lloyd.distributed._assigner import BlocksAssigner
from sklearn_lloyd.distributed._passes import FitOptions, Pass
from sklearn_lloyd.inspection import cluster_profiles
from sklearn_lloyd.model_selection import NClustersSearch
from sklearn_lloyd.preprocessing import ClusterScaler, table_pipeline

pytestmark = pytest.mark.filterwarnings(
    "ignore:Running on a single-machine scheduler"  # beside a client: on purpose
)
ROWS_OF_BLOCK = 64  # of the core, where a test says so


@pytest.fixture(autouse=True)
def in_this_thread():
    with dask.config.set(scheduler="sync"):
        yield


@pytest.fixture(scope="module")
def X():
    return np.random.default_rng(0).normal(size=(17 * ROWS_OF_BLOCK, 4))


@pytest.fixture
def cluster():
    """A client of two worker processes of one thread each, which a test may kill."""
    distributed = pytest.importorskip("distributed")
    with (
        dask.config.set(scheduler=None),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
        ) as local,
        distributed.Client(local) as client,
    ):
        yield client


def delayed_blocks(X, edges):
    return [dask.delayed(part) for part in np.split(X, edges)]


def same(model, whole, exact=False):
    compare = assert_array_equal if exact else assert_allclose
    tolerance = {} if exact else {"rtol": 1e-10, "atol": 1e-10}
    compare(model.cluster_centers_, whole.cluster_centers_, **tolerance)
    assert model.n_iter_ == whole.n_iter_
    assert model.converged_ == whole.converged_
    assert_allclose(model.inertia_, whole.inertia_, rtol=1e-12)
    for name in ("n_changed", "n_empty"):
        assert_array_equal(model.history_[name], whole.history_[name])
    assert_allclose(model.history_["inertia"], whole.history_["inertia"], rtol=1e-10)


CHUNKS = {
    "one": 17 * 64,
    "three": (100, 500, 488),
    "17, unequal": (*range(32, 96, 4), 96),
    "with empty ones": (0, 500, 0, 588),
    "more than the fan-in": 16,
}


@pytest.mark.parametrize("chunks", CHUNKS.values(), ids=CHUNKS)
@pytest.mark.parametrize("algorithm", ["lloyd", "hamerly"])
def test_same_as_in_one_array(X, chunks, algorithm):
    whole = KMeans(5, init=X[:5], tol=0.0).fit(X)
    model = DaskKMeans(5, init=X[:5], tol=0.0, algorithm=algorithm)
    model.fit(da.from_array(X, chunks=(chunks, 3)))  # cut along the features, too
    same(model, whole)
    assert isinstance(model.labels_, da.Array)
    assert_array_equal(model.labels_.compute(), whole.labels_)


def test_bitwise_for_the_blocks_of_the_core(X):
    with options(block_rows=ROWS_OF_BLOCK):
        whole = KMeans(5, init=X[:5]).fit(X)
        model = DaskKMeans(5, init=X[:5]).fit(da.from_array(X, chunks=(ROWS_OF_BLOCK, -1)))
    same(model, whole, exact=True)


@pytest.mark.parametrize("kind", ["float32", "csr", "far", "frame", "integers"])
@pytest.mark.parametrize("weighted", [False, True])
def test_kinds_of_rows_and_weights(X, kind, weighted):
    weights = np.random.default_rng(1).integers(0, 3, len(X)) if weighted else None
    if kind == "csr":
        given = np.where(X > 0.5, X, 0.0)
        rows = da.from_array(given, chunks=(300, -1)).map_blocks(sparse.csr_array)
        given = sparse.csr_array(given)
        init = given[:200:40].toarray()
    else:
        given = {"float32": X.astype(np.float32), "far": X + 1e5}.get(kind, X)
        given = (X * 9).astype(np.int16) if kind == "integers" else given
        init = given[:5]
        rows = da.from_array(given, chunks=(300, -1))
    if kind == "frame":
        given = pd.DataFrame(given, columns=list("abcd"))
        rows = dd.from_pandas(given, npartitions=4)
        if weighted:
            weights = pd.Series(weights)
    whole = KMeans(5, init=init).fit(given, sample_weight=weights)
    if kind == "frame" and weighted:
        weights = dd.from_pandas(weights, npartitions=4)
    model = DaskKMeans(5, init=init).fit(rows, sample_weight=weights)
    assert_allclose(model.cluster_centers_, whole.cluster_centers_, rtol=1e-9, atol=1e-9)
    assert model.cluster_centers_.dtype == whole.cluster_centers_.dtype
    assert model.n_iter_ == whole.n_iter_
    assert_array_equal(np.asarray(model.labels_.compute()), whole.labels_)
    assert_allclose(model.score(rows, sample_weight=weights), -whole.inertia_)
    assert hasattr(model, "feature_names_in_") == (kind == "frame")


def test_empty_clusters_move_as_in_fit(X):
    init = np.concatenate([X[:2], X[:3] + 100])
    whole = KMeans(5, init=init).fit(X)
    assert whole.history_["n_empty"][0] > 0
    same(DaskKMeans(5, init=init).fit(da.from_array(X, chunks=(200, -1))), whole)


def test_sums_that_lose_their_digits_are_summed_again(X):
    X = np.concatenate([X, [[1e12] * 4]])
    init = np.concatenate([X[:1], X[:1] + 0.1])  # the far row leaves a cluster of near ones
    whole = KMeans(3, init=np.concatenate([init, [[1e11] * 4]])).fit(X)
    model = DaskKMeans(3, init=np.concatenate([init, [[1e11] * 4]]))
    model.fit(da.from_array(X, chunks=(200, -1)))
    assert_allclose(model.cluster_centers_, whole.cluster_centers_, rtol=1e-9)


@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random", "random-partition"])
def test_starts_by_name(X, init):
    groups = np.concatenate([X, X + 20, X - 20])
    rows = da.from_array(groups, chunks=(700, -1))
    model = DaskKMeans(3, init=init, n_init=3, random_state=0)
    first = model.fit(rows)
    centers = first.cluster_centers_
    assert_allclose(first.inertia_, KMeans(3, random_state=0).fit(groups).inertia_)
    assert first.start_inertias_.shape == (3,)
    assert_array_equal(model.fit(rows).cluster_centers_, centers)
    with dask.config.set(scheduler="threads"):
        assert_array_equal(model.fit(rows).cluster_centers_, centers)


def test_a_callable_sees_a_sample(X):
    seen = []

    def init(rows, n_clusters, random_state):
        seen.append(rows.shape)
        return rows[:n_clusters]

    DaskKMeans(3, init=init, n_init=1, init_size=50).fit(da.from_array(X, chunks=(200, -1)))
    assert seen == [(50, 4)]


@pytest.mark.parametrize("init", ["k-means++", "k-means||"])
def test_fewer_distinct_rows_than_clusters(init):
    rows = da.from_array(np.repeat([[1.0, 2.0], [3.0, 4.0]], 50, axis=0), chunks=(30, -1))
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(2\)"):
        model = DaskKMeans(4, init=init, random_state=0).fit(rows)
    assert model.inertia_ == 0.0


def test_rows_of_no_weight_are_never_drawn(X):
    weights = np.zeros(len(X))
    weights[500:520] = 1.0
    for init in ("k-means++", "k-means||"):
        model = DaskKMeans(4, init=init, random_state=0, max_iter=1)
        model.fit(da.from_array(X, chunks=(100, -1)), sample_weight=weights)
        whole = KMeans(4, random_state=0).fit(X[500:520])
        assert model.inertia_ < 3 * whole.inertia_


def test_blocks_that_are_read_anew_give_the_same_bits(X, monkeypatch):
    rows = da.from_array(X, chunks=(100, -1))
    kept = DaskKMeans(5, random_state=0).fit(rows)
    monkeypatch.setattr(_blocks, "_FITS", 0.0)
    again = DaskKMeans(5, random_state=0).fit(rows)
    same(again, kept, exact=True)


def test_lists_of_delayed_blocks(X):
    blocks = delayed_blocks(X, [300, 310])
    model = DaskKMeans(5, init=X[:5]).fit(blocks)
    same(model, KMeans(5, init=X[:5]).fit(X))
    assert_array_equal(np.concatenate(dask.compute(*model.labels_)), model.predict(X))
    weights = [dask.delayed(np.ones(n)) for n in (300, 10, 778)]
    same(DaskKMeans(5, init=X[:5]).fit(blocks, sample_weight=weights), model)


def test_weights_of_the_same_files(X, tmp_path):
    """dask puts the more files into a block the fewer of the columns are read."""
    table = pd.DataFrame(X, columns=list("abcd")).assign(visits=np.arange(len(X)) % 3)
    table = table.assign(**{f"other{i}": 1.0 for i in range(30)})
    for number, rows in enumerate(np.array_split(np.arange(len(X)), 8)):
        table.iloc[rows].to_parquet(tmp_path / f"{number}.parquet")
    read = dd.read_parquet(tmp_path)
    model = DaskKMeans(5, init=X[:5]).fit(read[list("abcd")], sample_weight=read.visits)
    whole = KMeans(5, init=X[:5]).fit(table[list("abcd")], sample_weight=table.visits)
    same(model, whole)
    assert_array_equal(model.feature_names_in_, list("abcd"))
    score = model.score(read[list("abcd")], sample_weight=read.visits)
    assert_allclose(score, -whole.inertia_)


def test_what_has_rows_in_memory_refuses_collections(X):
    frame = dd.from_pandas(pd.DataFrame(X, columns=list("abcd")), npartitions=3)
    model = KMeans(3, random_state=0).fit(frame.compute())
    for refuses in (
        lambda: KMeans().fit(frame),
        lambda: model.predict(frame),
        lambda: NClustersSearch().fit(frame),
        lambda: table_pipeline(frame),
        lambda: cluster_profiles(model, frame),
    ):
        with pytest.raises(TypeError, match=r"dask DataFrame.*DaskKMeans.*sample"):
            refuses()


def test_what_is_lazy(X):
    rows = da.from_array(X, chunks=(100, 2))
    model = DaskKMeans(3, random_state=0).fit(rows)
    local = model.to_local()
    assert type(local) is KMeans
    assert not hasattr(local, "labels_")
    assert_array_equal(model.transform(rows).compute(), local.transform(X))
    assert model.transform(rows).shape == (len(X), 3)
    frame = dd.from_pandas(pd.DataFrame(X, columns=list("abcd")), npartitions=3)
    of_frame = DaskKMeans(3, random_state=0).fit(frame)
    labels, distances = of_frame.predict(frame), of_frame.transform(frame)
    assert isinstance(labels, dd.Series)
    assert list(distances.columns) == list(of_frame.get_feature_names_out())
    labels, distances = dask.compute(labels, distances)
    assert labels.name == "cluster"
    assert_array_equal(labels, of_frame.predict(frame.compute()))
    assert_array_equal(distances, of_frame.to_local().transform(frame.compute()))
    assert of_frame.predict(frame[frame.a > 99]).compute().empty
    assert not hasattr(pickle.loads(pickle.dumps(model)), "labels_")


def test_bad_input(X):
    rows = da.from_array(X, chunks=(100, -1))
    model = DaskKMeans(3, random_state=0).fit(rows)
    before = dict(vars(model))
    broken = X.copy()
    broken[705, 1] = np.nan
    refused = [
        (ValueError, r"Block 7 .*NaN", da.from_array(broken, chunks=(100, -1)), None),
        (TypeError, "got ndarray.*KMeans.*from_array", X, None),
        (TypeError, "got DataFrame.*from_pandas", pd.DataFrame(X), None),
        (TypeError, "got str.*read_parquet", "rows.parquet", None),
        (TypeError, r"got Delayed.*\[X\]", dask.delayed(X), None),
        (TypeError, "got list.*dask.delayed", [], None),
        (ValueError, "1 dimension.*reshape", rows[:, 0], None),
        (ValueError, "1 dimension.*to_frame", dd.from_pandas(pd.DataFrame(X), 3)[0], None),
        (ValueError, "n_samples=2", rows[:2], None),
        (ValueError, "no rows", rows[:0], None),
        (ValueError, "one weight", rows, np.ones(3)),
        (ValueError, "Block 1 .*Negative", rows, np.where(np.arange(len(X)) == 150, -1.0, 1.0)),
        (ValueError, "11 blocks|4 blocks", rows[:300], da.ones(400, chunks=100)),
        (ValueError, "Block 1 .*3 features", [dask.delayed(X[:9]), dask.delayed(X[:9, :3])], None),
        (ValueError, "compute_chunk", dd.from_pandas(pd.DataFrame(X), 3).values, np.ones(len(X))),
        (ValueError, "series of the same", dd.from_pandas(pd.DataFrame(X), 3), np.ones(len(X))),
    ]
    for error, message, given, weights in refused:
        with pytest.raises(error, match=f"(?s){message}"):
            model.fit(given, sample_weight=weights)
        assert vars(model).keys() == before.keys()
        assert all(vars(model)[name] is value for name, value in before.items())
    with pytest.raises(ValueError, match="3 features"):
        model.predict(rows[:, :3])
    with pytest.raises(NotFittedError):
        DaskKMeans().predict(rows)


def test_the_tree_does_not_depend_on_the_parts():
    values = np.random.default_rng(0).normal(size=2000) * 10.0 ** np.arange(-10, 10).repeat(100)
    found = set()
    for size in (1, 7, 64, 2000):
        order = np.random.default_rng(size).permutation(2000)
        parts = [
            _tree.merged([{(0, i): values[i] for i in part}], 2000, float.__add__)
            for part in np.array_split(order, 2000 // size)
        ]
        sums = _tree.top(_tree.merged(parts, 2000, float.__add__), 2000)
        assert len(sums) <= _tree.FAN_IN
        found.add(_tree.total(sums, float.__add__))
    assert len(found) == 1


def test_blocks_are_spread_over_the_threads():
    assert _holders.balanced([("b", 1), ("a", 1), ("b", 1)], {"a": 1, "b": 1}) == {
        "a": [1], "b": [0, 2]
    }  # fmt: skip
    assert _holders.balanced([("a", 1)] * 8, {"a": 1, "b": 3}) == {
        "a": [0, 1], "b": [2, 3, 4, 5, 6, 7]
    }  # fmt: skip
    rng = np.random.default_rng(0)
    blocks = [("a", size) for size in rng.integers(0, 50, 300)]
    n_threads = {"a": 2, "b": 1, "c": 4}
    held = _holders.balanced(blocks, n_threads)
    assert sorted(np.concatenate(list(held.values()))) == list(range(300))
    each = [sum(blocks[i][1] for i in held[name]) / n_threads[name] for name in n_threads]
    assert max(each) - min(each) <= 50


def test_one_and_two_processes_give_the_same_bits(X, cluster):
    rows = da.from_array(np.tile(X, (3, 1)), chunks=(200, -1))
    with dask.config.set(scheduler="sync"):
        expected = DaskKMeans(5, random_state=0).fit(rows)
    model = DaskKMeans(5, random_state=0).fit(rows)
    same(model, expected, exact=True)
    cluster.retire_workers([next(iter(cluster.nthreads()))])
    same(DaskKMeans(5, random_state=0).fit(rows), expected, exact=True)


def test_workers_of_several_threads(X):
    distributed = pytest.importorskip("distributed")
    blocks = delayed_blocks(np.tile(X, (3, 1)), range(50, 3250, 50))
    weights = [dask.delayed(np.ones(n)) for n in [50] * 64 + [64]]
    expected = DaskKMeans(5, init=X[:5]).fit(blocks, sample_weight=weights)
    with (
        dask.config.set(scheduler=None),
        distributed.Client(
            n_workers=2, threads_per_worker=3, processes=False, dashboard_address=":0"
        ),
    ):
        model = DaskKMeans(5, init=X[:5]).fit(blocks, sample_weight=weights)
    same(model, expected, exact=True)


def test_blocks_of_unknown_sizes_that_are_read_anew_go_one_by_one(X, cluster, monkeypatch):
    monkeypatch.setattr(_blocks, "_FITS", 0.0)
    monkeypatch.setattr(_blocks, "_PART_BYTES", 1)
    sizes, cut = set(), _blocks._consecutive
    monkeypatch.setattr(
        _blocks, "_consecutive", lambda n_blocks, size: sizes.add(size) or cut(n_blocks, size)
    )
    rows = dd.from_pandas(pd.DataFrame(X, columns=list("abcd")), npartitions=6)
    scaled = ClusterScaler().fit(rows).transform(rows)
    DaskKMeans(3, random_state=0, max_iter=3).fit(scaled)
    assert sizes == {1}


class Stop:
    """A start that does something in the middle of a fit, from another thread."""

    def __init__(self, centers, action):
        self.centers, self.action = centers, action

    def __call__(self, X, n_clusters, random_state):
        self.thread = threading.Thread(target=self.action)
        self.thread.start()
        return self.centers


def actors(dask_scheduler):
    return [key for key, task in dask_scheduler.tasks.items() if task.actor]


def test_nothing_is_left_on_the_workers(X, cluster):
    rows = da.from_array(X, chunks=(100, -1))
    gc.disable()
    try:
        DaskKMeans(4, init=X[:4]).fit(rows)
        for _ in range(50):  # the scheduler hears of it a little later
            if not (left := cluster.run_on_scheduler(actors)):
                break
            time.sleep(0.1)
    finally:
        gc.enable()
    assert not left


def test_a_pass_that_outlives_its_fit_leaves_nothing(X):
    """A worker still ends the pass in which its client was interrupted."""
    this = Pass(FitOptions("interrupted", X.shape[1], n_threads=1, kept=True), 0, None, X[:4])
    _passes.assign(0, X, None, this)
    assert "interrupted" in _passes._states._of_fit
    _passes.forget("interrupted")
    _passes.assign(1, X, None, this)
    assert "interrupted" not in _passes._states._of_fit


def test_a_client_that_is_not_the_default(X):
    distributed = pytest.importorskip("distributed")
    client = distributed.Client(
        n_workers=1, processes=False, dashboard_address=":0", set_as_default=False
    )
    rows = da.from_array(X, chunks=(100, -1))
    expected = DaskKMeans(4, init=X[:4]).fit(rows)
    with client, dask.config.set(scheduler=client):
        same(DaskKMeans(4, init=X[:4]).fit(rows), expected, exact=True)


def test_no_workers_yet(X):
    distributed = pytest.importorskip("distributed")
    with (
        dask.config.set(scheduler=None),
        distributed.LocalCluster(
            n_workers=0, processes=False, dashboard_address=":0", silence_logs=50
        ) as local,
        distributed.Client(local),
    ):
        local.adapt(minimum=0, maximum=1, interval="100ms")
        model = DaskKMeans(4, init=X[:4]).fit(da.from_array(X, chunks=(100, -1)))
    same(model, KMeans(4, init=X[:4]).fit(X))


def test_errors_that_do_not_come_through_a_pickle():
    error = ValueError("no rows")
    error.lock = threading.Lock()
    sent = _holders._sendable(error)
    assert str(pickle.loads(pickle.dumps(sent))) == "ValueError: no rows"
    plain = ValueError("no rows")
    assert _holders._sendable(plain) is plain


def test_errors_of_blocks_are_told_as_they_are(X, cluster):
    def reads_from(service):
        raise ConnectionResetError(f"{service} does not answer")

    with pytest.raises(ConnectionResetError, match="the store does not answer"):
        DaskKMeans(2).fit([dask.delayed(X), dask.delayed(reads_from)("the store")])


def fit_in_a_task(X):
    distributed = pytest.importorskip("distributed")
    with distributed.get_client().as_current():
        return DaskKMeans(4, init=X[:4]).fit(da.from_array(X, chunks=(100, -1))).inertia_


def test_a_fit_within_a_task(X, cluster):
    expected = DaskKMeans(4, init=X[:4]).fit(da.from_array(X, chunks=(100, -1))).inertia_
    found = cluster.map(fit_in_a_task, [X, X, X], pure=False)  # more than there are threads
    assert cluster.gather(found) == [expected] * 3


def test_workers_that_die(X, cluster, monkeypatch):
    rows = da.from_array(np.tile(X, (20, 1)), chunks=(500, -1))
    options = {"init": X[:8], "tol": 0.0, "max_iter": 60}
    with dask.config.set(scheduler="sync"):
        expected = DaskKMeans(8, **options).fit(rows)
    before, between = cluster.run(os.getpid).values()
    numbers, assign = [], BlocksAssigner.assign

    def kill_and_assign(self, *args):
        numbers.append(len(numbers))
        if numbers[-1] == 3:
            os.kill(before, signal.SIGKILL)
        if numbers[-1] == 6:  # it does not answer, and then is gone
            os.kill(between, signal.SIGSTOP)
            threading.Timer(0.3, os.kill, (between, signal.SIGKILL)).start()
        return assign(self, *args)

    monkeypatch.setattr(BlocksAssigner, "assign", kill_and_assign)
    model = DaskKMeans(8, **options).fit(rows)
    assert len(numbers) > 8
    same(model, expected, exact=True)
    assert not {before, between} & set(cluster.run(os.getpid).values())


def test_all_workers_go_and_none_comes(X, monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(_holders, "_PATIENCE", 0.5)
    monkeypatch.setattr(_holders, "_ALONE", 1.0)
    with (
        dask.config.set(scheduler=None),
        distributed.Client(n_workers=1, processes=False, dashboard_address=":0") as client,
    ):
        assign = BlocksAssigner.assign

        def assign_alone(self, *args):
            client.cluster.scale(0)
            return assign(self, *args)

        monkeypatch.setattr(BlocksAssigner, "assign", assign_alone)
        model = DaskKMeans(8, init=X[:8], tol=0.0)
        with pytest.raises(RuntimeError, match=r"after \d+ passes.*no workers for"):
            model.fit(da.from_array(X, chunks=(100, -1)))


def test_a_cluster_that_goes_away(X, cluster):
    rows = da.from_array(np.tile(X, (20, 1)), chunks=(500, -1))
    model = DaskKMeans(3, random_state=0).fit(rows)
    before = dict(vars(model))
    model.set_params(init=Stop(X[:3] * 0.01, cluster.cluster.close), tol=0.0, n_init=1)
    before |= model.get_params()
    with pytest.raises(RuntimeError, match=r"lost after \d+ passes.*as it was before"):
        model.fit(rows)
    assert dict(vars(model)) == before


def test_searches_on_the_workers(X, cluster):
    groups = np.concatenate([X, X + 20, X - 20])
    expected = NClustersSearch(n_clusters=range(2, 5), criterion="stability", random_state=0).fit(
        groups
    )
    with joblib.parallel_config(backend="dask", wait_for_workers_timeout=30):
        search = NClustersSearch(
            n_clusters=range(2, 5), criterion="stability", random_state=0, n_jobs=2
        )
        search.fit(groups)
        grid = GridSearchCV(KMeans(random_state=0), {"n_clusters": [2, 3]}, n_jobs=2, cv=2)
        grid.fit(groups)
    assert search.n_clusters_ == expected.n_clusters_ == 3
    assert grid.best_params_ == {"n_clusters": 3}
