"""Clusters across refits: planted changes are told, ids are never given twice."""

import pickle

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.cluster import DBSCAN, BisectingKMeans
from sklearn.cluster import KMeans as TheirKMeans
from sklearn.cluster import MiniBatchKMeans as TheirMiniBatchKMeans
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    Normalizer,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)

from sklearn_lloyd import KMeans, MiniBatchKMeans
from sklearn_lloyd.inspection._undo import CannotUndo, redo_steps, undo_steps
from sklearn_lloyd.model_selection import NClustersSearch
from sklearn_lloyd.preprocessing import ClusterScaler
from sklearn_lloyd.tracking import Alignment, AlignmentDisplay, align_clusters, refit_clusters

METHODS = ("centers alone", "centers", "overlap")


def spaced(rng, k, d, apart):
    """So many places, none nearer to another than `apart`."""
    width, found = apart * max(1.5, 1.5 * k ** (1 / d)), []
    while len(found) < k:
        place = rng.uniform(0, width, d)
        if all(np.linalg.norm(place - other) >= apart for other in found):
            found.append(place)
        width *= 1.001  # in the end there is room
    return np.array(found)


def moved(rng, centers, distance):
    way = rng.normal(size=centers.shape)
    return centers + distance * way / np.linalg.norm(way, axis=1, keepdims=True)


def normal_rows(rng, centers, n_rows):
    return np.repeat(centers, n_rows, axis=0) + rng.normal(size=(np.sum(n_rows), centers.shape[1]))


def fitted(X, centers):
    return KMeans(len(centers), init=centers).fit(X)


def aligned_by(method, new, old, X, X_reference=None):
    if method == "centers alone":
        return align_clusters(new, old)
    return align_clusters(new, old, X=X, X_reference=X_reference, method=method)


# What must be told


@pytest.mark.parametrize("method", METHODS)
def test_permuted_refits_are_recovered(method):
    for draw in range(200):
        rng = np.random.default_rng(draw)
        k, d = int(rng.integers(2, 51)), int(rng.integers(1, 21))
        spread = np.sqrt(d)
        old_places = spaced(rng, k, d, 4.0 * spread)
        order = rng.permutation(k)
        new_places = moved(rng, old_places, 0.5 * spread)[order]
        old_rows, new_rows = (normal_rows(rng, c, [20] * k) for c in (old_places, new_places))
        old, new = fitted(old_rows, old_places), fitted(new_rows, new_places)
        alignment = aligned_by(method, new, old, new_rows)
        assert alignment.ids.tolist() == order.tolist(), draw
        assert not any([alignment.new, alignment.lost, alignment.splits, alignment.merges])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("change", ["new", "lost", "replaced", "split", "merge"])
def test_a_planted_change_is_told(change, method):
    for draw in range(50):
        rng = np.random.default_rng(draw)
        k, d = int(rng.integers(3, 21)), int(rng.integers(2, 21))
        spread = np.sqrt(d)
        places = spaced(rng, k + 1, d, 6.0 * spread)
        n_rows = np.full(k + 1, 40)
        if change in ("split", "merge"):  # the last two are parts of one, of unequal size
            gap = moved(rng, np.zeros((1, d)), 3.0 * spread)[0]
            share = rng.uniform(0.3, 0.5)
            places[k] = places[k - 1] + share * gap
            places[k - 1] -= (1.0 - share) * gap
            n_rows[k - 1 :] = 80 * share, 80 - int(80 * share)
        other = moved(rng, places, 0.1 * spread)
        old_rows = normal_rows(rng, places, n_rows)
        new_rows = normal_rows(rng, other, n_rows)
        every, fewer = np.arange(k + 1), np.arange(k)
        old_own = {"new": fewer, "replaced": fewer, "split": fewer}.get(change, every)
        new_own = {"lost": fewer, "merge": fewer, "replaced": every[1:]}.get(change, every)
        label = np.repeat(every, n_rows)
        if change not in ("split", "merge"):
            old_rows = old_rows[np.isin(label, old_own)]
            new_rows = new_rows[np.isin(label, new_own)]
        order = rng.permutation(new_own)
        start = places.copy()
        if change in ("split", "merge"):
            start[k - 1] = np.average(places[k - 1 :], axis=0, weights=n_rows[k - 1 :])
        old = fitted(old_rows, start[:k] if change == "split" else places[old_own])
        new = fitted(new_rows, (start if change == "merge" else other)[order])
        alignment = aligned_by(method, new, old, new_rows, old_rows)

        ids = dict(zip(order.tolist(), alignment.ids.tolist(), strict=True))
        for cluster in set(old_own[: k - 1].tolist()) & set(ids):
            assert ids[cluster] == cluster, draw
        if change == "split":
            parts = tuple(sorted((ids[k - 1], ids[k])))
            assert alignment.splits == {k - 1: parts}, draw
            assert parts == (k - 1, k)  # one keeps the id
        else:
            assert not alignment.splits, draw
        if change == "merge":
            assert alignment.merges == {ids[k - 1]: (k - 1, k)}, draw
            assert len(alignment.lost) == 1
        else:
            assert not alignment.merges, draw
        if change in ("new", "replaced"):
            assert alignment.new == (k,), draw
            assert ids[k] == k
        if change in ("lost", "replaced"):
            assert alignment.lost == ((k,) if change == "lost" else (0,)), draw


def test_parts_that_moved_together_are_told_by_the_rows_of_both():
    told = {False: 0, True: 0}
    for draw in range(30):
        rng = np.random.default_rng(draw)
        drift = np.array([1.5, 0.0])
        parts = np.array([[-2.4, 0.0], [5.6, 0.0]])
        places = np.concatenate([parts, [[40.0, 0.0]]])
        old_rows = normal_rows(rng, places, [140, 60, 100])
        new_rows = normal_rows(rng, places, [140, 60, 100]) + drift
        old = fitted(old_rows, [[0.0, 0.0], [40.0, 0.0]])
        new = fitted(new_rows, places + drift)
        for X_reference in (None, old_rows):
            alignment = align_clusters(new, old, X=new_rows, X_reference=X_reference)
            told[X_reference is not None] += bool(alignment.splits)
    assert told == {False: 0, True: 30}


def test_a_far_cluster_takes_no_partner_from_another():
    old, new = (KMeans.from_centers(c) for c in ([[0.0], [10.0]], [[10.1], [1000.0]]))
    alignment = align_clusters(new, old)
    assert alignment.partners.tolist() == [1, -1]
    assert alignment.lost == (0,)


@pytest.mark.parametrize("d", [5, 20, 40])
def test_most_of_a_cloud_without_structure_is_kept(d):
    X, Y = np.random.default_rng(d).normal(size=(2, 4000, d))
    old = KMeans(20, random_state=0).fit(X)
    new = KMeans(20, init=old.cluster_centers_).fit(Y)
    for rows in (None, Y):
        assert np.mean(align_clusters(new, old, X=rows).ids == np.arange(20)) > 0.75


def test_a_new_cluster_does_not_widen_the_old_one_that_its_rows_are_nearest_to():
    rng = np.random.default_rng(0)
    places = np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 16.0]])
    old = fitted(normal_rows(rng, places[:2], [100, 100]), places[:2])
    new_rows = normal_rows(rng, places, [100, 100, 100])
    alignment = align_clusters(fitted(new_rows, places[::-1]), old, X=new_rows)
    assert alignment.ids.tolist() == [2, 1, 0]
    np.testing.assert_allclose(alignment.spreads, np.sqrt(2), rtol=0.1)
    assert not alignment.splits


# Ids


def test_ids_are_never_given_again():
    places = np.arange(0.0, 60.0, 10.0)[:, np.newaxis]
    first = KMeans.from_centers(places[:3])
    steps = [places[[2, 0, 4]], places[[4, 5]], places[[1, 0, 4]]]
    model, given = first, {0, 1, 2}
    for centers in steps:
        new = KMeans.from_centers(centers + 0.1)
        alignment = align_clusters(new, model)
        assert not given & set(alignment.new)
        given |= set(alignment.new)
        model = alignment.apply(new)
        ids = model.cluster_ids_
        assert (np.diff(ids) > 0).all()
        assert alignment.next_id == model.next_cluster_id_ == max(given) + 1
        np.testing.assert_array_equal(
            ids[model.predict(centers)], alignment.stable_labels(new.predict(centers))
        )
    assert ids.tolist() == [3, 5, 6]


def test_next_id_of_a_table():
    old, new = KMeans.from_centers([[0.0], [1.0]]), KMeans.from_centers([[0.0], [50.0]])
    alignment = align_clusters(new, old, next_id=7)
    assert (alignment.new, alignment.next_id) == ((7,), 8)
    assert alignment.mapping == {0: 0, 1: 7}
    with pytest.raises(ValueError, match="next_id=1 was given before: the reference has 1"):
        align_clusters(new, old, next_id=1)


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(0)
    places = np.array([[20, 300, 5], [60, 900, 1], [40, 100, 9], [70, 200, 2]])
    X = np.repeat(places, 60, axis=0) + rng.normal(size=(240, 3)) * [2, 20, 0.3]
    return pd.DataFrame(X, columns=["age", "spend", "orders"])


KINDS = [
    lambda seed: KMeans(4, random_state=seed),
    lambda seed: MiniBatchKMeans(4, random_state=seed, n_init=3),
    lambda seed: TheirKMeans(4, random_state=seed, n_init=5),
    lambda seed: TheirMiniBatchKMeans(4, random_state=seed, n_init=5),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scaled", [False, True])
def test_apply_permutes_everything_alike(kind, scaled, frame):
    X = frame if scaled else frame / frame.std()
    make = (lambda seed: make_pipeline(StandardScaler(), kind(seed))) if scaled else kind
    old, new = make(0).fit(X), make(3).fit(X * 1.01)
    alignment = align_clusters(new, old, X=X)
    before = joblib.hash(new)
    applied = alignment.apply(new)
    assert joblib.hash(new) == before
    a, b = (m[-1] if scaled else m for m in (applied, new))
    assert a.cluster_ids_.tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(applied.predict(X), old.predict(X))
    np.testing.assert_array_equal(applied.predict(X), alignment.stable_labels(new.predict(X)))
    np.testing.assert_array_equal(a.labels_, alignment.stable_labels(b.labels_))
    assert a.labels_.dtype == b.labels_.dtype
    for name in ("cluster_centers_", "counts_", "_counts"):
        if hasattr(b, name):
            np.testing.assert_array_equal(getattr(a, name)[alignment.ids], getattr(b, name))
    if hasattr(a, "partial_fit") and not scaled:
        again, other = applied.partial_fit(X), pickle.loads(pickle.dumps(new)).partial_fit(X)
        np.testing.assert_allclose(
            again.cluster_centers_[alignment.ids], other.cluster_centers_, rtol=1e-6
        )
        assert again.cluster_ids_.tolist() == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="This is not the model that was aligned"):
        alignment.apply(old)


@pytest.mark.parametrize("kind", [KMeans, MiniBatchKMeans])
def test_a_fit_forgets_ids(kind):
    X = np.array([[0.0], [1.0], [9.0], [10.0]])
    model = kind(2, random_state=0).fit(X)
    applied = align_clusters(model, model).apply(model)
    assert set(vars(applied)) - set(vars(model)) == {"cluster_ids_", "next_cluster_id_"}
    assert not hasattr(clone(applied), "cluster_ids_")
    assert set(vars(applied.fit(X))) == set(vars(model))
    applied = align_clusters(model, model).apply(model).fit_batches([X, X])
    assert not hasattr(applied, "cluster_ids_")


def test_searches_and_pickles(frame):
    pipeline = make_pipeline(StandardScaler(), KMeans(4, random_state=0))
    old = pipeline.fit(frame)
    for search in (
        GridSearchCV(pipeline, {"kmeans__n_clusters": [4]}).fit(frame),
        NClustersSearch(pipeline, n_clusters=[3, 4], criteria=["silhouette"]).fit(frame),
    ):
        alignment = align_clusters(search, old, X=frame)
        applied = alignment.apply(search)
        np.testing.assert_array_equal(applied.predict(frame), old.predict(frame))
        assert repr(pickle.loads(pickle.dumps(alignment))) == repr(alignment)


# Units


def test_scaled_pipelines_are_compared_in_the_same_units(frame):
    other = frame * [1.05, 1.1, 1.0]
    far = pd.DataFrame([[500.0, 300.0, 5.0]] * 50, columns=frame.columns)  # changes every scale
    old = make_pipeline(StandardScaler(), KMeans(4, random_state=0)).fit(frame)
    other = pd.concat([other, far])
    new = make_pipeline(MinMaxScaler(), KMeans(5, n_init=20, random_state=2)).fit(other)
    alignment = align_clusters(new, old, X=other)
    assert alignment.new == (4,)
    assert not alignment.lost
    labels = alignment.stable_labels(new.predict(other))
    np.testing.assert_array_equal(labels[:240], old.predict(frame))
    means = np.stack([other[labels == id_].mean() for id_ in alignment.ids])
    np.testing.assert_allclose(alignment.centers, means, rtol=1e-10)
    seen = StandardScaler().fit(frame).transform(pd.DataFrame(means, columns=frame.columns))
    np.testing.assert_allclose(alignment.seen, seen, rtol=1e-10)
    assert list(alignment.features) == list(frame)


def mixed(frame):
    rng = np.random.default_rng(1)
    return frame.assign(
        town=rng.choice(["a", "b", "c"], len(frame)), rare=rng.choice(list("xxxxyz"), len(frame))
    )


STEPS = {
    "columns": lambda: make_column_transformer(
        (StandardScaler(), ["age", "spend"]),
        (OneHotEncoder(), ["town"]),
        (OneHotEncoder(min_frequency=60), ["rare"]),
        ("passthrough", ["orders"]),
    ),
    "dropped": lambda: make_column_transformer(
        (make_pipeline(SimpleImputer(), ClusterScaler()), ["orders", "age"]),
        (OneHotEncoder(drop="first"), ["town"]),
        remainder="drop",
    ),
}


@pytest.mark.parametrize("name", STEPS)
def test_centres_there_and_back(name, frame):
    X = mixed(frame)
    step = STEPS[name]().fit(X)
    centers = step.transform(X)[:7]
    centers = (centers.toarray() if sparse.issparse(centers) else centers) * 0.9
    if name == "columns":  # shares add up to one
        for part in (slice(2, 5), slice(5, 7)):
            centers[:, part] /= centers[:, part].sum(axis=1, keepdims=True)
    columns, _ = undo_steps([step], centers)
    np.testing.assert_allclose(redo_steps([step], columns), centers, rtol=1e-12, atol=1e-12)
    old = make_pipeline(step, KMeans(4, n_init=20, random_state=0)).fit(X)
    new = make_pipeline(STEPS[name](), KMeans(4, n_init=20, random_state=1)).fit(X[::-1])
    alignment = align_clusters(new, old, X=X)
    assert not alignment.new
    assert alignment.centers_source == "centers"


def test_other_steps(frame):
    log = FunctionTransformer(np.log1p, np.expm1)
    ways = [log, StandardScaler()], [VarianceThreshold(), PCA()], [StandardScaler(), PCA(2)]
    for steps in ways:
        old, new = (
            make_pipeline(*map(clone, steps), KMeans(4, n_init=5, random_state=seed)).fit(frame)
            for seed in (0, 5)
        )
        alignment = align_clusters(new, old)
        labels = alignment.stable_labels(new.predict(frame))
        np.testing.assert_array_equal(labels, old.predict(frame))


def test_without_a_way_back_the_rows_tell(frame):
    old, new = (
        make_pipeline(StandardScaler(), Normalizer(), KMeans(4, n_init=5, random_state=seed))
        for seed in (0, 5)
    )
    old.fit(frame)
    assert align_clusters(new.fit(frame), old).centers_source == "centers"  # equal steps
    other = frame * 1.01
    new.fit(other)
    with pytest.raises(ValueError, match=r"no way back.*Normalizer has no inverse.*give X"):
        align_clusters(new, old)
    alignment = align_clusters(new, old, X=other)
    assert alignment.centers_source == "rows"
    np.testing.assert_array_equal(alignment.stable_labels(new.predict(other)), old.predict(frame))
    assert alignment.centers is None
    alone = align_clusters(new, old, X=other[new.predict(other) != 1])  # one has no rows
    assert alone.partners[1] == -1
    AlignmentDisplay.from_alignment(alone).figure_.canvas.draw()


def test_encoders_that_take_no_averages(frame):
    X = mixed(frame)
    step = make_column_transformer((OrdinalEncoder(), ["town"]), ("passthrough", ["age"]))
    columns, _ = undo_steps([step.fit(X)], np.array([[0.5, 20.0]]))
    with pytest.raises(CannotUndo, match="OrdinalEncoder needs a column that has no way back"):
        redo_steps([step], columns)


# The report


def test_spreads_shares_and_the_rand_index(frame):
    X = frame.to_numpy() / frame.std().to_numpy()
    old, new = KMeans(4, random_state=0).fit(X), KMeans(5, random_state=3).fit(X[:200])
    by_rows = align_clusters(new, old, X=X)
    labels, now = old.predict(X), new.predict(X)
    assert by_rows.adjusted_rand == pytest.approx(adjusted_rand_score(labels, now))
    np.testing.assert_array_equal(
        by_rows.flows, [[np.sum((labels == j) & (now == i)) for i in range(5)] for j in range(4)]
    )
    assert by_rows.spread_source == "rows"
    exact = align_clusters(new, old, X_reference=X)
    n_rows = np.bincount(labels)
    squares = np.bincount(labels, ((X - old.cluster_centers_[labels]) ** 2).sum(axis=1))
    expected = np.sqrt((squares + old.inertia_ / 240) / n_rows)
    np.testing.assert_allclose(exact.spreads, expected)
    assert exact.spread_source == "reference rows"
    common = align_clusters(new, old)
    np.testing.assert_allclose(common.spreads, np.sqrt(old.inertia_ / 240))
    assert np.isnan(common.adjusted_rand)
    table = exact.drift
    kept = table["status"] == "kept"
    np.testing.assert_allclose(
        table["shift"][kept],
        table["distance"][kept] / exact.spreads[table["reference_cluster"][kept]],
    )
    here, was = table["cluster"], table["reference_cluster"]
    shares = np.bincount(new.labels_) / 200
    np.testing.assert_allclose(table["share"][here >= 0], shares[here[here >= 0]])
    np.testing.assert_allclose(table["share_before"][was >= 0], n_rows[was[was >= 0]] / 240)
    assert np.isnan(table["share"][here < 0]).all()


def test_models_that_tell_nothing():
    centers = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    alignment = align_clusters(KMeans.from_centers(centers[::-1]), KMeans.from_centers(centers))
    assert alignment.ids.tolist() == [2, 1, 0]
    assert alignment.spread_source == "unknown"
    np.testing.assert_array_equal(alignment.gates, 5.0 + 2.5 * np.eye(3)[::-1])
    assert np.isnan(alignment.drift["shift"]).all()
    assert "spreads are not known" in repr(alignment)
    one = KMeans.from_centers([[1.0]])
    assert align_clusters(one, KMeans.from_centers([[5.0]])).ids.tolist() == [0]


def test_rows_that_are_all_at_their_centres():
    X = np.repeat([[0.1, 0.2], [0.3, 7.1], [5.3, 9.1]], 5, axis=0)
    old = make_pipeline(StandardScaler(), KMeans(3, random_state=0)).fit(X)
    new = make_pipeline(MinMaxScaler(), KMeans(3, random_state=1)).fit(X)
    for rows in (None, X):
        assert not align_clusters(new, old, X=rows).new


def test_how_it_reads(frame):
    old = make_pipeline(StandardScaler(), KMeans(3, random_state=0)).fit(frame)
    new = make_pipeline(StandardScaler(), KMeans(4, random_state=0)).fit(frame)
    alignment = align_clusters(new, old, X=frame)
    assert isinstance(alignment, Alignment)
    text, page = repr(alignment), alignment._repr_html_()
    assert text.splitlines()[0] == "4 clusters: 3 kept, 1 new; 0 of 3 lost"
    (split,) = alignment.splits
    said = f"{split} was split into {split} and 3"
    assert said in text
    assert said in page
    assert page.count("<tr>") == 1 + 4
    table = alignment.to_frame()
    assert isinstance(table, pd.DataFrame)
    assert table["status"].tolist() == ["kept", "kept", "kept", "new"]
    polars = align_clusters(new, old, X=pl.from_pandas(frame)).to_frame()
    assert polars["status"].to_list() == ["kept", "kept", "kept", "new"]
    assert isinstance(align_clusters(new, old).to_frame(), dict)
    many = KMeans.from_centers(np.arange(100.0)[:, np.newaxis])
    assert "and 70 more" in repr(align_clusters(many, many))


def test_the_order_of_clusters_and_rows_does_not_matter(frame):
    X = frame.to_numpy()
    old, new = KMeans(4, random_state=0).fit(X), KMeans(6, random_state=1).fit(X)
    first = align_clusters(new, old, X=X)
    order = np.random.default_rng(0).permutation(6)
    other = KMeans.from_centers(new.cluster_centers_[order])
    other.labels_ = np.argsort(order)[new.labels_]
    second = align_clusters(other, old, X=X[::-1])
    np.testing.assert_array_equal(second.partners, first.partners[order])
    np.testing.assert_allclose(second.spreads, first.spreads)


def test_sparse_rows():
    X = sparse.random(300, 20, density=0.3, random_state=0, format="csr")
    old, new = (KMeans(4, random_state=seed).fit(X) for seed in (0, 1))
    a, b = (align_clusters(new, old, X=rows) for rows in (X, X.toarray()))
    np.testing.assert_array_equal(a.ids, b.ids)
    np.testing.assert_allclose(a.spreads, b.spreads)


# Refits


@pytest.mark.parametrize("kind", KINDS)
def test_a_refit_keeps_the_numbers(kind, frame):
    old = make_pipeline(StandardScaler(), kind(0)).fit(frame)
    other = (frame * [1.1, 1.3, 1.05] + [3, 0, 0]).iloc[::-1]
    new = refit_clusters(old, other, sample_weight=np.full(240, 2.0))
    np.testing.assert_array_equal(new.predict(other)[::-1], old.predict(frame))
    assert old[0].mean_[0] != new[0].mean_[0]
    # The clusters are so tight that such a move is far: it is asked for by hand.
    assert align_clusters(new, old, X=other).new
    assert align_clusters(new, old, X=other, max_shift=np.inf).ids.tolist() == [0, 1, 2, 3]
    alone = refit_clusters(kind(0).fit(frame), frame)
    assert alone.n_clusters == 4
    assert list(alone.feature_names_in_) == list(frame)


def test_a_refit_that_cannot_start_there(frame):
    old = make_pipeline(StandardScaler(), Normalizer(), KMeans(4, random_state=0)).fit(frame)
    with pytest.raises(ValueError, match="cannot be brought to the units"):
        refit_clusters(old, frame * 2 + 1)
    nested = make_pipeline(StandardScaler(), make_pipeline(PCA(), KMeans(4, random_state=0)))
    with pytest.raises(TypeError, match="last step of the pipeline has to be a k-means"):
        refit_clusters(nested.fit(frame), frame)


# Bad input


def test_bad_input(frame):
    X = frame.to_numpy()
    model = KMeans(4, random_state=0).fit(frame)
    raw = KMeans(4, random_state=0).fit(X)
    narrow = KMeans(4, random_state=0).fit(X[:, :2])
    with pytest.raises(ValueError, match="`new` was fitted on 2 features, `reference` on 3"):
        align_clusters(narrow, model)
    renamed = KMeans(4).fit(frame.rename(columns={"age": "years"}))
    with pytest.raises(
        ValueError, match=r"Only in `new`: \['years'\]; only in `reference`: \['age'\]"
    ):
        align_clusters(renamed, model)
    with pytest.raises(ValueError, match="same features in another order"):
        align_clusters(KMeans(4).fit(frame[["spend", "age", "orders"]]), model)
    for role, args in (("new", (KMeans(), model)), ("reference", (model, TheirKMeans()))):
        with pytest.raises(NotFittedError, match=f"`{role}` is a KMeans that is not fitted"):
            align_clusters(*args)
    with pytest.raises(NotFittedError, match="`new` is a KMeans that is not fitted"):
        align_clusters(make_pipeline(StandardScaler(), KMeans()), model)
    with pytest.raises(ValueError, match="The 'method' parameter of align_clusters must be"):
        align_clusters(model, model, method="names")
    with pytest.raises(ValueError, match="method='overlap' compares the clusters of rows: give X"):
        align_clusters(model, model, method="overlap")
    with pytest.raises(ValueError, match="The 'new' parameter of align_clusters"):
        align_clusters(DBSCAN().fit(X), model)
    with pytest.raises(ValueError, match="feature names"):
        align_clusters(model, model, X=frame.rename(columns={"age": "years"}))
    with pytest.raises(ValueError, match="3 features"):
        align_clusters(raw, raw, X=X[:, :2])
    with pytest.raises(ValueError, match="NaN"):
        align_clusters(raw, raw, X=np.where(X[0] == X, np.nan, X))
    with pytest.raises(ValueError, match="The 'max_shift' parameter"):
        align_clusters(raw, raw, max_shift=0)
    with pytest.raises(ValueError, match="labels must be numbers of clusters"):
        align_clusters(model, model).stable_labels([0, 4])
    bisecting = BisectingKMeans(4, random_state=0).fit(X)
    alignment = align_clusters(bisecting, bisecting)
    assert alignment.ids.tolist() == [0, 1, 2, 3]
    with pytest.raises(TypeError, match="apply permutes the clusters of a k-means"):
        alignment.apply(bisecting)
    with pytest.raises(TypeError, match="Give what align_clusters returns; got KMeans"):
        AlignmentDisplay.from_alignment(model)


def test_another_scale(frame):
    scaled = make_pipeline(StandardScaler(), KMeans(4, random_state=0)).fit(frame)
    raw = KMeans(4, random_state=0).fit(frame.to_numpy())
    for new, old in ((scaled[-1], raw), (raw, scaled[-1])):
        with pytest.raises(ValueError, match=r"times as wide .* on another scale"):
            align_clusters(new, old)
    # The scaler and the raw rows are both in the units of the columns.
    assert not align_clusters(raw, scaled).lost or not align_clusters(scaled, raw).lost


def test_ids_of_another_fit():
    model = TheirKMeans(3, n_init=1).fit(np.arange(12.0).reshape(-1, 1))
    applied = align_clusters(model, model).apply(model)
    applied.set_params(n_clusters=2).fit(np.arange(12.0).reshape(-1, 1))
    with pytest.raises(ValueError, match="was fitted again after it got them"):
        align_clusters(model, applied)


# The picture


def test_names_in_the_display():
    old = KMeans.from_centers([[0.0], [10.0], [20.0]])
    alignment = align_clusters(KMeans.from_centers([[50.0], [0.0], [10.0]]), old)
    by_place = AlignmentDisplay.from_alignment(alignment, names=["a", "b", "lost", "d"])
    by_id = AlignmentDisplay.from_alignment(alignment, names={3: "d"})
    assert by_place.names == {0: "a", 1: "b", 2: "lost", 3: "d"}
    assert by_id.names == {3: "d"}
    for names, error, message in [
        ({17: "a"}, ValueError, r"ids of the alignment, 0 to 3; got \[17\]"),
        (["a"], ValueError, "1 names for 4 ids"),
        ("abcd", TypeError, "names must be a list or a dict of ids"),
    ]:
        with pytest.raises(error, match=message):
            AlignmentDisplay.from_alignment(alignment, names=names)


@pytest.mark.parametrize("with_rows", [False, True])
@pytest.mark.parametrize("k", [(2, 2), (4, 6), (12, 9), (1, 1)])
def test_display(with_rows, k, frame):
    X = (frame / frame.std()).to_numpy()
    old, new = (KMeans(n, random_state=n).fit(X) for n in k)
    alignment = align_clusters(new, old, X=X if with_rows else None)
    display = AlignmentDisplay.from_alignment(alignment, names={0: "all of them"})
    assert len(display.bars_) == sum(k)
    heights = [bar.get_height() for bar in display.bars_]
    np.testing.assert_allclose([sum(heights[: k[0]]), sum(heights[k[0] :])], 1.0)
    assert (display.flows.sum(axis=1) <= display.reference_shares + 1e-12).all()
    assert (display.flows.sum(axis=0) <= display.shares + 1e-12).all()
    if with_rows:
        np.testing.assert_allclose(display.flows.sum(), 1.0)
    assert len(display.bands_) == np.count_nonzero(display.flows)
    assert [number.get_text() for number in display.numbers_] == [str(i) for i in alignment.ids]
    assert any("all of them" in text.get_text() for text in display.axes_[1].texts)
    figure, ax = plt.subplots()
    assert display.plot(ax) is display
    assert display.ax_ is ax
    assert display.figure_ is figure
    figure.canvas.draw()
