"""MiniBatchKMeans: scikit-learn's contract, and what it promises beyond."""

import numpy as np
import pytest
import sklearn.cluster
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning

from sklearn_lloyd import KMeans, MiniBatchKMeans
from sklearn_lloyd._canonical import order_and_groups
from sklearn_lloyd._solvers import StopRule


@pytest.fixture
def blobs():
    rng = np.random.default_rng(0)
    centers = rng.uniform(-10, 10, size=(6, 5))
    return centers[rng.integers(6, size=3000)] + rng.normal(size=(3000, 5)) / 2


def as_kind(X, kind):
    return sparse.csr_array(np.maximum(X, 0)) if kind == "csr" else X.astype(kind)


@pytest.mark.parametrize("kind", ["float64", "float32", "csr"])
@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random", "random-partition"])
def test_close_to_the_full_fit(blobs, kind, init):
    X = as_kind(blobs, kind)
    full = KMeans(6, n_init=5, random_state=0).fit(X)
    n_init = 20 if "random" in init else 5  # four of five starts at random merge two groups
    model = MiniBatchKMeans(6, init=init, n_init=n_init, random_state=0).fit(X)
    assert model.inertia_ < 1.05 * full.inertia_
    assert_allclose(model.inertia_, -model.score(X), rtol=1e-5)
    assert_array_equal(model.labels_, model.predict(X))
    assert model.cluster_centers_.dtype == ("float64" if kind == "csr" else kind)
    assert model.labels_.dtype == np.int32


@pytest.mark.parametrize("kind", ["float64", "csr"])
def test_one_step_as_in_sklearn(blobs, kind):
    X, init, weights = as_kind(blobs, kind), blobs[:6], np.linspace(0, 2, len(blobs))
    params = {"init": init, "n_init": 1, "reassignment_ratio": 0}
    ours, theirs = MiniBatchKMeans(6, **params), sklearn.cluster.MiniBatchKMeans(6, **params)
    for rows in np.array_split(np.arange(len(blobs)), 7):
        ours.partial_fit(X[rows], sample_weight=weights[rows])
        theirs.partial_fit(X[rows], sample_weight=weights[rows])
        assert_allclose(ours.cluster_centers_, theirs.cluster_centers_, atol=1e-12)
        assert_array_equal(ours.labels_, theirs.labels_)
        assert_allclose(ours.inertia_, theirs.inertia_)
    assert ours.n_steps_ == theirs.n_steps_ == 7
    assert_allclose(ours.counts_.sum(), weights.sum())


def test_stop_rule_as_in_sklearn():
    rng = np.random.default_rng(0)
    for patience, tol in ((3, 0.0), (None, 1e-3), (5, 1e-3), (0, 0.0)):
        theirs = sklearn.cluster.MiniBatchKMeans(max_no_improvement=patience)
        theirs._tol, theirs._batch_size = tol, 1
        theirs._ewa_inertia = theirs._ewa_inertia_min = None
        theirs._no_improvement = 0
        ours = StopRule(2.0 * 1 / 51, tol, patience)
        for step in range(1, 200):
            inertia, shift = rng.uniform(), 10 ** rng.uniform(-4, 0)
            stops = theirs._mini_batch_convergence(step, 200, 50, shift, inertia)
            assert bool(ours.why(inertia, shift)) == stops
            assert_allclose(ours.smoothed, theirs._ewa_inertia)
            if stops:
                break
        assert stops


@pytest.mark.parametrize("kind", ["float64", "csr"])
def test_weights_repeats_order_and_threads(blobs, kind):
    X = as_kind(blobs, kind)
    rng = np.random.default_rng(1)
    weights = rng.integers(0, 4, size=len(blobs))
    repeats = np.repeat(np.arange(len(blobs)), weights)
    rng.shuffle(repeats)
    params = {"random_state": 0, "batch_size": 200, "init_size": 500}
    params |= {"reassignment_ratio": 0.9, "max_no_improvement": 20}  # so that clusters do move
    weighted = MiniBatchKMeans(12, **params, n_threads=1).fit(X, sample_weight=weights)
    assert weighted.history_["n_reassigned"].any()
    repeated = MiniBatchKMeans(12, **params, n_threads=2).fit(X[repeats])
    assert weighted.n_steps_ == repeated.n_steps_
    assert_allclose(weighted.cluster_centers_, repeated.cluster_centers_, rtol=1e-9, atol=1e-9)
    assert_array_equal(weighted.labels_[repeats], repeated.labels_)
    assert_allclose(weighted.inertia_, repeated.inertia_)
    again = MiniBatchKMeans(12, **params, n_threads=2).fit(X, sample_weight=weights)
    assert_array_equal(again.cluster_centers_, weighted.cluster_centers_)


def test_batches_shared_by_threads():
    X = np.random.default_rng(0).normal(size=(4000, 60)).astype(np.float32)
    params = {"batch_size": 2000, "random_state": 0, "max_iter": 5}  # several parts a batch
    one = MiniBatchKMeans(100, n_threads=1, **params).fit(X)
    two = MiniBatchKMeans(100, n_threads=2, **params).fit(X)
    assert_array_equal(one.cluster_centers_, two.cluster_centers_)
    assert_array_equal(one.history_["inertia"], two.history_["inertia"])


def test_draws_are_by_weight(blobs):
    weights = np.where(blobs[:, 0] > 0, 1.0, 0.0)
    model = MiniBatchKMeans(3, random_state=0).fit(blobs, sample_weight=weights)
    assert (model.cluster_centers_[:, 0] > 0).all()


def test_attributes_of_a_fit(blobs):
    model = MiniBatchKMeans(6, batch_size=100, random_state=0, max_iter=2).fit(blobs)
    assert model.n_iter_ == -(-model.n_steps_ * 100 // 3000)
    assert model.history_.shape == (model.n_steps_,)
    assert_allclose(model.counts_.sum(), 100 * model.n_steps_)
    assert model.start_inertias_.shape == (1,)
    by_chance = MiniBatchKMeans(6, init="random", random_state=0).fit(blobs)
    assert by_chance.start_inertias_.shape == (3,)
    endless = MiniBatchKMeans(6, random_state=0, max_iter=2, max_no_improvement=None).fit(blobs)
    assert not endless.converged_
    assert endless.n_steps_ == 2 * 3000 // 1024
    loose = MiniBatchKMeans(6, random_state=0, tol=1.0).fit(blobs)
    assert loose.converged_
    assert loose.n_steps_ < 6


def in_three_ways(X, weights=None, **params):
    """Models of the same rows by `fit`, `partial_fit` and `fit_batches`."""
    halves = [slice(0, 1500), slice(1500, None)]
    of_half = [None if weights is None else weights[half] for half in halves]
    yield MiniBatchKMeans(**params).fit(X, sample_weight=weights)
    stream = MiniBatchKMeans(**params)
    for half, some in zip(halves, of_half, strict=True):
        stream.partial_fit(X[half], sample_weight=some)
    yield stream
    batches = [(X[half], some) for half, some in zip(halves, of_half, strict=True)]
    yield MiniBatchKMeans(**params).fit_batches(batches)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("init", ["k-means++", "k-means||", "random", "random-partition"])
def test_dense_and_sparse_rows_have_one_answer(blobs, init, weighted):
    X = np.maximum(blobs, 0)
    weights = np.random.default_rng(1).integers(0, 3, len(X)) if weighted else None
    params = {
        "n_clusters": 6,
        "init": init,
        "batch_size": 200,
        "random_state": 0,
    }
    params |= {"reassignment_ratio": 0.6}  # so that clusters do move
    dense = in_three_ways(X, weights, **params)
    for one, two in zip(dense, in_three_ways(sparse.csr_array(X), weights, **params), strict=True):
        assert_allclose(one.cluster_centers_, two.cluster_centers_, atol=1e-9)
        assert_allclose(one.counts_, two.counts_)
        assert_array_equal(one.predict(X), two.predict(X))


@pytest.mark.parametrize("kind", ["float64", "csr"])
def test_a_callable_is_as_good_as_the_array_that_it_returns(blobs, kind):
    X, init = as_kind(blobs, kind), np.maximum(blobs[:6], 0)

    def draws_and_returns(X, n_clusters, random_state):
        random_state.uniform(size=7)
        return init

    params = {"n_clusters": 6, "batch_size": 100, "random_state": 0}
    by_array = in_three_ways(X, init=init, **params)
    by_callable = in_three_ways(X, init=draws_and_returns, **params)
    for one, two in zip(by_array, by_callable, strict=True):
        assert_array_equal(one.cluster_centers_, two.cluster_centers_)


def test_all_ways_take_the_best_of_the_starts(blobs):
    params = {"n_clusters": 6, "init": "random", "n_init": 20, "random_state": 0}
    full = KMeans(6, random_state=0).fit(blobs)
    for model in in_three_ways(blobs, **params):
        assert model.start_inertias_.shape == (20,)
        assert -model.score(blobs) < 1.05 * full.inertia_


@pytest.mark.parametrize("kind", ["float64", "float32", "csr"])
@pytest.mark.parametrize("batch_size", [4, 1024])
@pytest.mark.parametrize("weighted", [False, True])
def test_as_many_clusters_as_asked_for(kind, batch_size, weighted):
    rows = np.random.default_rng(0).uniform(1, 9, size=(30, 2))
    rows[15:] = rows[15:] if weighted else rows[:15]
    X, weights = as_kind(rows, kind), np.repeat([3.0, 0.0], 15) if weighted else None
    params = {"batch_size": batch_size, "random_state": 0}
    for n_clusters in (5, 15):
        model = MiniBatchKMeans(n_clusters, **params).fit(X, sample_weight=weights)
        assert np.unique(model.labels_[:15]).size == n_clusters
        assert_array_equal(model.labels_, model.predict(X))
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(15\) found"):
        MiniBatchKMeans(17, **params).fit(X, sample_weight=weights)


def test_fewer_distinct_rows_than_clusters():
    X = np.repeat([[0.0], [1.0], [5.0]], 10, axis=0)
    for call in ("fit", "partial_fit"):
        with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(3\) .* \(4\)"):
            getattr(MiniBatchKMeans(4, random_state=0), call)(X)
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(3\) .* \(4\)"):
        MiniBatchKMeans(4, random_state=0).fit_batches([X, X], n_passes=2)
    # Rows for the centres of an array may come later: no warning.
    stream = MiniBatchKMeans(3, init=[[0.0], [1.0], [8.0]], reassignment_ratio=0)
    stream.partial_fit(X[:20]).partial_fit(X)
    assert_allclose(stream.cluster_centers_, [[0.0], [1.0], [5.0]])


def test_a_batch_without_weight_moves_nothing(blobs):
    with pytest.raises(ValueError, match="All weights in sample_weight are zero"):
        MiniBatchKMeans(6).partial_fit(blobs, sample_weight=np.zeros(len(blobs)))
    model = MiniBatchKMeans(6, random_state=0).partial_fit(blobs)
    before = {name: value for name, value in vars(model).items() if name != "labels_"}
    model.partial_fit(blobs[:7], sample_weight=np.zeros(7))
    assert_array_equal(model.labels_, model.predict(blobs[:7]))
    for name in ("cluster_centers_", "counts_", "n_steps_", "_n_waited"):
        assert_array_equal(getattr(model, name), before[name])
    with pytest.raises(ValueError, match="Negative"):
        model.partial_fit(blobs[:2], sample_weight=[-1, 1])


def test_without_labels(blobs):
    model = MiniBatchKMeans(6, random_state=0).fit(blobs)
    inertia = model.inertia_
    model.set_params(compute_labels=False).fit(blobs)
    assert not hasattr(model, "labels_")
    assert_allclose(model.inertia_, inertia, rtol=0.1)


def test_partial_fit_goes_on_after_fit_and_from_centers(blobs):
    model = MiniBatchKMeans(6, random_state=0).fit(blobs)
    counts, steps = model.counts_, model.n_steps_
    model.partial_fit(blobs[:100])
    assert_allclose(model.counts_.sum(), counts.sum() + 100)
    assert model.n_steps_ == steps + 1
    known = MiniBatchKMeans.from_centers(model.cluster_centers_).partial_fit(blobs)
    assert_allclose(known.cluster_centers_, model.cluster_centers_, atol=0.2)
    assert known.n_steps_ == 1


def test_float32_centres_stay_float32(blobs):
    model = MiniBatchKMeans(6, random_state=0).partial_fit(blobs.astype(np.float32))
    assert model.partial_fit(blobs).cluster_centers_.dtype == np.float32


def test_small_clusters_move(blobs):
    init = np.concatenate([blobs[:3], np.full((3, 5), 1e3)])
    model = MiniBatchKMeans(6, init=init, random_state=0).fit(blobs)
    assert model.history_["n_reassigned"][0] == 3
    assert np.abs(model.cluster_centers_).max() < 50
    with pytest.warns(ConvergenceWarning, match=r"distinct clusters \(3\) found"):
        stays = MiniBatchKMeans(6, init=init, random_state=0, reassignment_ratio=0).fit(blobs)
    assert_array_equal(stays.cluster_centers_[3:], init[3:])
    everywhere = MiniBatchKMeans(6, random_state=0, reassignment_ratio=5.0, max_iter=3)
    assert np.isfinite(everywhere.fit(blobs).cluster_centers_).all()


def test_failures_change_nothing(blobs):
    model = MiniBatchKMeans(6, random_state=0).partial_fit(blobs)
    before = dict(vars(model))
    spoilt = blobs.copy()
    spoilt[57, 3] = np.nan
    for call in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match="row 57, column 3"):
            call(spoilt)
        with pytest.raises(ValueError, match=r"features|n_samples"):
            call(blobs[:5, :4])
        assert vars(model) == before
    assert model.counts_.sum() == len(blobs)
    fresh = MiniBatchKMeans(6)
    with pytest.raises(ValueError, match="n_samples=5 should be >= n_clusters=6"):
        fresh.partial_fit(blobs[:5])
    assert not hasattr(fresh, "n_features_in_")


def test_warnings_are_scikit_learns(blobs):
    with pytest.warns(RuntimeWarning, match="init_size=3 should be larger than n_clusters=6"):
        MiniBatchKMeans(6, init_size=3, random_state=0).fit(blobs)
    with pytest.warns(RuntimeWarning, match="performing only one init in MiniBatchKMeans"):
        MiniBatchKMeans(6, init=blobs[:6], n_init=2).fit(blobs)


def test_verbose(blobs, capsys):
    MiniBatchKMeans(6, random_state=0, verbose=1).fit(blobs)
    said = capsys.readouterr().out
    for line in (
        "Init 1/1 with method k-means++",
        "Minibatch step 2/",
        "ewa inertia",
        "Converged",
    ):
        assert line in said


def test_callable_init_sees_a_sample(blobs):
    shapes = []

    def init(X, n_clusters, random_state):
        shapes.append(X.shape)
        return X[:n_clusters]

    model = MiniBatchKMeans(6, init=init, init_size=100, random_state=0).fit(blobs)
    assert shapes == [(100, 5)] * 3
    assert model.start_inertias_.size == 3


@pytest.mark.parametrize("kind", ["normal", "repeated", "outlier", "close", "equal", "few"])
def test_order_of_keys(kind):
    rng = np.random.default_rng(0)
    keys = {
        "normal": rng.normal(size=40_000),
        "repeated": rng.integers(0, 1000, 40_000) / 7,
        "outlier": np.append(rng.normal(size=40_000), 1e14),
        "close": np.append(rng.normal(size=20_000), [5.0, np.nextafter(5.0, 6), 5.0] * 3),
        "equal": np.ones(20_000),
        "few": rng.normal(size=10),
    }[kind]
    order, starts = order_and_groups(keys)
    assert_array_equal(order, np.argsort(keys, kind="stable"))
    distinct, first = np.unique(keys[order], return_index=True)
    assert_array_equal(starts, first)
    assert starts.size == distinct.size
