"""Displays: what they compute, and what they draw, by their artists."""

import sys
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.cluster import KMeans as TheirKMeans
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.metrics import silhouette_samples
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from sklearn_lloyd import KMeans, MiniBatchKMeans, lloyd_steps
from sklearn_lloyd.inspection import (
    CentroidDisplay,
    ClusterDisplay,
    ConvergenceDisplay,
    LloydStepsDisplay,
    NClustersDisplay,
    ProfileDisplay,
    SilhouetteDisplay,
    cluster_profiles,
    name_clusters,
)
from sklearn_lloyd.model_selection import NClustersSearch
from sklearn_lloyd.preprocessing import ClusterScaler

OF_CLUSTERS = [CentroidDisplay, ClusterDisplay, ProfileDisplay, SilhouetteDisplay]
OF_ROWS = [*OF_CLUSTERS, LloydStepsDisplay]


def blobs(n, d, k):
    return make_blobs(n, d, centers=k, random_state=0)[0]


@pytest.fixture(scope="module")
def X():
    return blobs(300, 2, 4)


@pytest.fixture(scope="module")
def model(X):
    return KMeans(4, n_init=5, init="random", random_state=0).fit(X)


# Of all


@pytest.mark.parametrize("display", [*OF_ROWS, ConvergenceDisplay])
@pytest.mark.parametrize(("n", "k"), [(50, 2), (50, 30), (6000, 10)])
def test_drawn_for_few_and_many(display, n, k):
    X = blobs(n, 5, k)
    model = KMeans(k, random_state=0).fit(X)
    args = (model,) if display is ConvergenceDisplay else (model, X)
    drawn = display.from_estimator(*args)
    drawn.figure_.canvas.draw()
    assert drawn.ax_ in drawn.figure_.axes
    assert drawn.plot() is drawn


@pytest.mark.parametrize("display", OF_ROWS)
def test_in_axes_of_another_figure(display, model, X):
    figure, (left, right) = plt.subplots(1, 2)
    drawn = display.from_estimator(model, X, ax=left)
    assert drawn.figure_ is figure
    assert not right.has_data()
    drawn.plot(ax=right)
    assert drawn.ax_.figure is figure
    figure.canvas.draw()
    with pytest.raises(TypeError, match="ax should be axes of matplotlib or None; got Figure"):
        drawn.plot(ax=figure)


@pytest.mark.parametrize("display", OF_CLUSTERS)
def test_as_the_clusterer_sees_the_rows(display, X):
    wide = X * [1.0, 1000.0]
    pipeline = make_pipeline(StandardScaler(), KMeans(4, random_state=0)).fit(wide)
    seen = StandardScaler().fit_transform(wide)
    a = display.from_estimator(pipeline, wide)
    b = display.from_estimator(pipeline[-1], seen)
    for name, value in vars(b).items():
        if isinstance(value, np.ndarray) and value.dtype.kind in "fi":
            np.testing.assert_allclose(vars(a)[name], value, rtol=1e-12, atol=1e-12)
    assert isinstance(a.ax_.get_title(loc="right"), str)


@pytest.mark.parametrize("display", OF_CLUSTERS)
def test_other_clusterers_and_sparse_rows(display, X):
    their = TheirKMeans(4, init=X[:4], n_init=1).fit(X)
    ours = KMeans(4, init=X[:4]).fit(X)
    a, b = (display.from_estimator(estimator, X) for estimator in (their, ours))
    c = display.from_estimator(ours, sparse.csr_matrix(X))
    for name, value in vars(b).items():
        if isinstance(value, np.ndarray) and value.dtype.kind == "f":
            np.testing.assert_allclose(vars(a)[name], value, rtol=1e-7, atol=1e-7)
            if (display, name) != (ProfileDisplay, "differences"):  # sparse rows have no ranks
                np.testing.assert_allclose(vars(c)[name], value, rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("display", [*OF_CLUSTERS, ConvergenceDisplay])
def test_not_fitted(display, X):
    args = (KMeans(),) if display is ConvergenceDisplay else (KMeans(), X)
    with pytest.raises(NotFittedError, match="KMeans"):
        display.from_estimator(*args)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("display", OF_CLUSTERS)
def test_other_features(display, model, X):
    with pytest.raises(ValueError, match="X has 3 features, but KMeans is expecting 2"):
        display.from_estimator(model, np.column_stack([X, X[:, 0]]))
    assert plt.get_fignums() == []


@pytest.mark.parametrize("display", OF_ROWS)
def test_nan(display, model, X):
    bad = X.copy()
    bad[7, 1] = np.nan
    with pytest.raises(ValueError, match="row 7, column 1"):
        display.from_estimator(model, bad)


def test_without_matplotlib(model, X, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r'pip install "sklearn-lloyd\[plot\]"'):
        ClusterDisplay.from_estimator(model, X)


# ConvergenceDisplay


def test_convergence(model):
    display = ConvergenceDisplay.from_estimator(model)
    assert len(display.lines_) == 5
    assert display.best_start == model.start_inertias_.argmin()
    for start, (inertia, shift) in enumerate(display.lines_):
        records = model.start_histories_[model.start_histories_["start"] == start]
        np.testing.assert_array_equal(inertia.get_ydata(), records["inertia"])
        moved = records["center_shift"] > 0  # a logarithm has no room for zero
        np.testing.assert_array_equal(shift.get_ydata()[moved], records["center_shift"][moved])
        assert inertia.get_linewidth() == (2 if start == display.best_start else 1)
    kept, _ = (text.get_text() for text in display.ax_.get_legend().get_texts())
    assert kept == f"start {display.best_start}, kept"


def test_convergence_of_one_start_and_of_batches(X):
    display = ConvergenceDisplay.from_estimator(KMeans(4, init=X[:4]).fit(X))
    assert len(display.lines_) == 1
    assert display.ax_.get_legend() is None
    batches = MiniBatchKMeans(4, batch_size=32, random_state=0).fit(X)
    display = ConvergenceDisplay.from_estimator(batches)
    np.testing.assert_array_equal(display.lines_[0][0].get_ydata(), batches.history_["inertia"])
    assert display.axes_[1].get_xlabel() == "batch"
    with pytest.raises(TypeError, match="has no history_ to draw"):
        ConvergenceDisplay.from_estimator(TheirKMeans(2, n_init=1).fit(X))


# ClusterDisplay


def test_clusters_in_the_plane(model, X):
    display = ClusterDisplay.from_estimator(model, X)
    for cluster, drawn in enumerate(display.points_):
        np.testing.assert_array_equal(drawn.get_offsets(), X[model.labels_ == cluster])
    assert [number.get_text() for number in display.numbers_] == list("0123")
    places = [number.xy for number in display.numbers_]
    np.testing.assert_array_equal(places, model.cluster_centers_)
    x, y, labels = display.regions
    grid = np.column_stack([values.ravel() for values in np.meshgrid(x, y)])
    np.testing.assert_array_equal(labels.ravel(), model.predict(grid))
    assert display.ax_.get_title(loc="right") == ""


def test_clusters_in_many_features():
    X = blobs(3000, 6, 3)
    model = KMeans(3, random_state=0).fit(X)
    display = ClusterDisplay.from_estimator(model, X, max_rows=100)
    assert display.regions_ is None
    assert sum(len(drawn.get_offsets()) for drawn in display.points_) == 100
    assert display.ax_.get_title(loc="right") == "100 of 3,000 rows"
    centered = X - X.mean(axis=0)
    share = np.linalg.svd(centered, compute_uv=False)[0] ** 2 / np.square(centered).sum()
    assert display.ax_.get_xlabel() == f"principal component 1 ({share:.0%} of the variance)"
    again = ClusterDisplay.from_estimator(model, X, max_rows=100)
    np.testing.assert_array_equal(display.points, again.points)


def test_clusters_along_a_line():
    X = blobs(50, 1, 2)
    display = ClusterDisplay.from_estimator(KMeans(2, random_state=0).fit(X), X)
    np.testing.assert_array_equal(display.points, np.column_stack([X, np.zeros(50)]))
    assert display.ax_.get_ylabel() == "(no meaning)"


def test_places_that_rows_share():
    shares = [400, 300, 200, 100]
    frame = pd.DataFrame({"region": np.repeat(list("abcd"), shares)})
    encode = ColumnTransformer([("c", OneHotEncoder(), ["region"])])
    model = make_pipeline(encode, KMeans(4, random_state=0)).fit(frame)
    display = ClusterDisplay.from_estimator(model, frame)
    assert [len(drawn.get_offsets()) for drawn in display.points_] == [1] * 4
    areas = np.array([drawn.get_sizes()[0] for drawn in display.points_])
    np.testing.assert_allclose(areas / areas.sum(), np.bincount(model.predict(frame)) / 1000)
    assert areas.min() > 100  # more than the number of the cluster covers
    assert display.ax_.get_title(loc="right") == "area: number of rows"
    # Nothing is cut at the edges.
    display.figure_.canvas.draw()
    box = display.ax_.bbox
    radius = np.sqrt(areas.max() / np.pi) * display.figure_.dpi / 72
    places = display.ax_.transData.transform(display.points)
    assert (places > [box.x0 + radius, box.y0 + radius]).all()
    assert (places < [box.x1 - radius, box.y1 - radius]).all()


def test_looks_of_many_clusters_differ():
    X = blobs(400, 2, 30)
    display = ClusterDisplay.from_estimator(KMeans(30, random_state=0).fit(X), X)
    looks = {
        (*drawn.get_facecolor()[0], drawn.get_paths()[0].vertices.tobytes())
        for drawn in display.points_
    }
    assert len(looks) == 30
    X = blobs(400, 2, 40)
    display = ClusterDisplay.from_estimator(KMeans(40, random_state=0).fit(X), X)
    assert [number.get_text() for number in display.numbers_] == [str(i) for i in range(40)]


def test_names_of_features(X):
    frame = pd.DataFrame(X, columns=["spend", "visits"])
    model = KMeans(4, random_state=0).fit(frame)
    display = ClusterDisplay.from_estimator(model, frame)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("spend", "visits")
    pipeline = make_pipeline(StandardScaler(), KMeans(4, random_state=0)).fit(frame)
    assert ClusterDisplay.from_estimator(pipeline, frame).axis_labels == ("spend", "visits")


# SilhouetteDisplay


def test_silhouettes(model, X):
    display = SilhouetteDisplay.from_estimator(model, X)
    widths = silhouette_samples(X, model.labels_)
    np.testing.assert_allclose(display.average, widths.mean())
    assert len(display.blades_) == 4
    assert display.mean_line_.get_xdata()[0] == display.average
    for cluster, blade in enumerate(display.blades_):
        own = widths[model.labels_ == cluster]
        np.testing.assert_allclose(display.cluster_averages_[cluster], own.mean())
        corners = blade.get_paths()[0].vertices
        np.testing.assert_allclose(corners[:, 0].max(), own.max())
        assert np.ptp(corners[:, 1]) == own.size
    names = [tick.get_text() for tick in display.ax_.get_yticklabels()]
    assert names[0] == f"0: {display.cluster_averages_[0]:.2f}"


@pytest.mark.parametrize("n_clusters", [3, 20, 60])
def test_labels_of_silhouettes_do_not_overlap(n_clusters):
    labels = np.concatenate([np.zeros(1500, int), np.arange(1, n_clusters)])
    X = np.random.default_rng(0).normal(size=(labels.size, 2)) + 9.0 * labels[:, np.newaxis]
    _, small = plt.subplots(figsize=(4, 3))
    for ax in (None, small):
        drawn = SilhouetteDisplay.from_predictions(X, labels, ax=ax)
        drawn.figure_.canvas.draw()
        boxes = [text.get_window_extent() for text in drawn.ax_.get_yticklabels()]
        assert len(boxes) >= min(n_clusters, 20) // 2
        assert not any(a.overlaps(b) for a, b in pairwise(boxes))
        assert len(drawn.blades_) == n_clusters


def test_silhouettes_of_a_sample():
    X = blobs(6000, 3, 3)
    labels = np.array(["a", "b", "c"])[KMeans(3, random_state=0).fit_predict(X)]
    display = SilhouetteDisplay.from_predictions(X, labels, sample_size=300)
    assert 298 <= display.widths.size <= 302
    assert display.ax_.get_title(loc="right").endswith("of 6,000 rows")
    exact = SilhouetteDisplay.from_predictions(X, labels, sample_size=None)
    assert exact.std_error == 0
    assert abs(display.average - exact.average) < 4 * display.std_error
    assert "±" in display.mean_line_.get_label()
    assert set(display.labels) == {"a", "b", "c"}


def test_silhouettes_with_names(X):
    model = name_clusters(KMeans(3, random_state=0).fit(X), {1: "Regulars"})
    labels = SilhouetteDisplay.from_estimator(model, X).ax_.get_yticklabels()
    texts = [label.get_text().rpartition(":")[0] for label in labels]
    assert texts == ["0", "1, Regulars", "2"]


def test_silhouettes_that_cannot_be(X):
    with pytest.raises(ValueError, match="at least two"):
        SilhouetteDisplay.from_estimator(KMeans(1).fit(X), X)
    labels = np.where(np.arange(300) < 3, np.nan, 1.0)
    with pytest.raises(ValueError, match="labels contains NaN"):
        SilhouetteDisplay.from_predictions(X, labels)
    with pytest.raises(ValueError, match="labels has 7 entries, and X has 300 rows"):
        SilhouetteDisplay.from_predictions(X, np.arange(7) % 2)
    assert plt.get_fignums() == []


# CentroidDisplay


def test_centroids(model, X):
    weights = np.arange(300.0)
    display = CentroidDisplay.from_estimator(model, X, sample_weight=weights)
    sizes = np.bincount(model.labels_, weights)
    np.testing.assert_allclose(display.sizes, sizes)
    areas = display.circles_.get_sizes()
    np.testing.assert_allclose(areas / areas.sum(), sizes / sizes.sum())
    centers = model.cluster_centers_
    np.testing.assert_array_equal(display.circles_.get_offsets(), centers)
    apart = np.linalg.norm(centers[:, np.newaxis] - centers, axis=2)
    np.testing.assert_allclose(display.distances, apart)
    texts = {text.get_text() for text in display.ax_.texts}
    nearest = (apart + np.diag([np.inf] * 4)).min(axis=1)
    assert {f"{distance:.3g}" for distance in nearest} <= texts
    assert {f"{share:.0%}" for share in sizes / sizes.sum()} <= texts


def test_one_centroid(X):
    display = CentroidDisplay.from_estimator(KMeans(1).fit(X), X)
    assert display.links_ == []
    assert display.distances == 0


# ProfileDisplay


def test_profile():
    X = blobs(200, 4, 3)
    model = KMeans(3, random_state=0).fit(X)
    display = ProfileDisplay.from_estimator(model, X, feature_names=list("abcd"))
    profiles = cluster_profiles(model, X, feature_names=list("abcd"))
    np.testing.assert_array_equal(display.image_.get_array(), profiles.contrasts)
    assert [tick.get_text() for tick in display.ax_.get_xticklabels()] == list("abcd")
    first = display.ax_.get_yticklabels()[0].get_text()
    assert first == f"0: {profiles.names[0]} ({profiles.shares[0]:.0%})"
    assert [text.get_text() for text in display.texts_] == [
        f"{mean:.3g}" for mean in profiles.means.ravel()
    ]
    low, high = display.image_.get_clim()
    assert low == -high
    assert display.ax_.get_title(loc="right") == ""


def test_profile_and_names_go_by_one_measure():
    # Nearly all of the mean is what two customers spend.
    spend = np.concatenate([np.full(50, 10.0), np.full(50, 40.0), [1e6, 2e6]])
    X = np.column_stack([spend, np.zeros_like(spend)])
    model = KMeans.from_centers([[10.0, 0.0], [40.0, 0.0], [1.5e6, 0.0]])
    profiles = cluster_profiles(model, X, feature_names=["spend", "nothing"])
    display = ProfileDisplay.from_profiles(profiles)
    said = [name.split(" ")[-2] for name in profiles.names]
    assert [np.sign(own[0]) for own in display.differences] == [
        {"high": 1.0, "low": -1.0}[word] for word in said
    ]
    assert profiles.differences[1, 0] < 0.0 < display.differences[1, 0]
    # The mean of these would say the contrary: a median, in brackets.
    assert display.numbers[:, 0].tolist() == ["10", "(40)", "1,500,000"]


def test_profile_with_names_of_ones_own():
    X = blobs(200, 4, 3)
    profiles = cluster_profiles(KMeans(3, random_state=0).fit(X), X).rename({1: "Regulars"})
    labels = ProfileDisplay.from_profiles(profiles).ax_.get_yticklabels()
    assert labels[1].get_text() == f"1: Regulars ({profiles.shares[1]:.0%})"


def test_profile_of_chosen_columns():
    frame = pd.DataFrame({"spend": np.arange(40.0), "town": list("aabbbccccd") * 4, "x": 1.0})
    chosen = ColumnTransformer([("s", "passthrough", ["spend"])])
    model = make_pipeline(chosen, KMeans(2, random_state=0)).fit(frame)
    options = {"columns": ["town", "spend"], "max_categories": 2}
    display = ProfileDisplay.from_estimator(model, frame, **options)
    assert display.features == ["town=b", "town=c", "spend"]


def test_profile_of_categories():
    frame = pd.DataFrame({"spend": [1500.0, 1700.0, 10.0, 12.0], "channel": list("aabb")})
    encode = ColumnTransformer([("c", OneHotEncoder(), ["channel"])], remainder="passthrough")
    model = make_pipeline(encode, KMeans(2, init=[[1, 0, 1600], [0, 1, 11]])).fit(frame)
    display = ProfileDisplay.from_estimator(model, frame)
    assert display.features == ["spend", "channel=a", "channel=b"]
    assert display.numbers.tolist() == [["1,600", "100%", "0%"], ["11", "0%", "100%"]]


def test_names_are_no_formulas(X):
    frame = pd.DataFrame(X, columns=["$a_b$ and\n$c$", "x" * 200])
    model = KMeans(2, random_state=0).fit(frame)
    for display in OF_CLUSTERS:
        drawn = display.from_estimator(model, frame)
        drawn.figure_.canvas.draw()
    drawn = ProfileDisplay.from_estimator(model, frame)
    texts = [tick.get_text() for tick in drawn.ax_.get_xticklabels()]
    assert texts == [r"\$a_b\$ and \$c\$", "x" * 59 + "…"]


def test_profile_of_the_features_that_tell_most():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.normal(size=(300, 30)), blobs(300, 2, 3)])
    model = KMeans(3, n_init=5, random_state=0).fit(X)
    display = ProfileDisplay.from_profiles(cluster_profiles(model, X), max_features=2)
    assert display.features == ["x30", "x31"]
    assert display.ax_.get_title(loc="right") == "2 of 32 features"
    wide = ProfileDisplay.from_profiles(cluster_profiles(model, X), max_features=32)
    assert len(wide.texts_) == 3 * 32
    many = KMeans(30, random_state=0).fit(X)
    assert ProfileDisplay.from_estimator(many, X).texts_ == []


# NClustersDisplay


def test_numbers_of_clusters():
    X = make_blobs(300, centers=4, cluster_std=0.8, random_state=42)[0]
    search = NClustersSearch(criterion="silhouette", criteria=["elbow", "bic"], random_state=0)
    search.fit(X)
    display = NClustersDisplay.from_estimator(make_pipeline(search))
    assert list(display.axes_) == list(search.votes_)
    numbers = search.results_["n_clusters"]
    for name, axes in display.axes_.items():
        values = search.results_["inertia" if name == "elbow" else name]
        np.testing.assert_array_equal(display.curves_[name].get_xdata(), numbers)
        np.testing.assert_array_equal(display.curves_[name].get_ydata(), values)
        assert display.marks_[name].get_xdata() == [search.votes_[name]]
        assert axes.get_title().endswith(": 4")
        chosen = [line for line in axes.lines if len(set(line.get_xdata())) == 1]
        assert search.n_clusters_ in {line.get_xdata()[0] for line in chosen}
    assert display.errors_ == {}


def test_numbers_of_clusters_without_an_answer(X):
    numbers = np.arange(1, 5)
    results = {
        "n_clusters": numbers,
        "inertia": 1.0 / numbers,
        "gap": 1.0 - numbers,
        "gap_std_error": np.full(4, 0.2),
    }
    display = NClustersDisplay(results, {"elbow": None, "gap": 1}, 1).plot()
    assert display.axes_["elbow"].get_title() == "no clear elbow"
    assert display.marks_["elbow"] is None
    ((bars,),) = [display.errors_["gap"].lines[2]]
    ends = np.array([segment[:, 1] for segment in bars.get_segments()])
    np.testing.assert_allclose(np.ptp(ends, axis=1), 0.4)
    with pytest.raises(NotFittedError):
        NClustersDisplay.from_estimator(NClustersSearch())
    with pytest.raises(TypeError, match="KMeans has no votes_ to draw"):
        NClustersDisplay.from_estimator(KMeans(2, random_state=0).fit(X))


# LloydStepsDisplay


def test_steps(X):
    start = X[:4]
    display = LloydStepsDisplay.from_estimator(KMeans(4, init=start), X)
    steps = list(lloyd_steps(X, start))
    assert len(display.inertia) == len(steps) > 5
    for i, step in enumerate(steps):
        np.testing.assert_array_equal(display.labels[i], step.labels)
        np.testing.assert_array_equal(display.centers[i + 1], step.centers)
    assert [axes.get_title() for axes in display.axes_[:-1]] == [
        *("step 1", "step 2", "step 3", "step 4"),
        f"step {len(steps)}",
    ]
    first = display.axes_[0].collections
    arrows = next(drawn for drawn in first if hasattr(drawn, "U"))
    np.testing.assert_allclose(arrows.U, steps[0].centers[:, 0] - start[:, 0])
    curve = display.axes_[-1].lines[0]
    np.testing.assert_array_equal(curve.get_ydata(), [step.inertia for step in steps])


def test_steps_are_those_of_the_first_start(X):
    model = KMeans(4, n_init=3, random_state=3)
    display = LloydStepsDisplay.from_estimator(model, X)
    fitted = KMeans(4, n_init=3, random_state=3).fit(X)
    first = fitted.start_histories_[fitted.start_histories_["start"] == 0]
    np.testing.assert_array_equal(display.inertia, first["inertia"])
    assert not hasattr(model, "cluster_centers_")


@pytest.mark.parametrize("search", [None, NClustersSearch, GridSearchCV])
def test_steps_of_the_clusterer_in_a_pipeline_or_a_search(X, search):
    frame = pd.DataFrame(X, columns=["price", "size"])
    estimator = make_pipeline(ClusterScaler("range"), KMeans(3, random_state=0))
    if search is NClustersSearch:
        estimator = search(estimator, n_clusters=3)
    elif search is GridSearchCV:
        estimator = search(estimator, {"kmeans__n_clusters": [3]}, cv=2)
    estimator.fit(frame)
    display = LloydStepsDisplay.from_estimator(estimator, frame)
    rows = ClusterScaler("range").fit_transform(X)
    alone = LloydStepsDisplay.from_estimator(KMeans(3, random_state=0), rows)
    np.testing.assert_array_equal(display.inertia, alone.inertia)
    np.testing.assert_array_equal(display.points, alone.points)
    assert display.axis_labels == ("price", "size")


@pytest.mark.parametrize("tol", [0.0, 0.1])
def test_both_halves_of_the_steps(X, tol):
    model = KMeans(4, init=X[:4], tol=tol)
    (run,) = LloydStepsDisplay.from_estimator(model, X).runs
    model.fit(X)
    assert run.end == ("tol" if tol else "strict")
    falls = np.append(np.column_stack([run.inertia, run.moved_inertia]).ravel(), run.last_inertia)
    assert (np.diff(falls) <= 1e-12 * falls[:-1]).all()
    assert run.last_inertia == model.inertia_
    np.testing.assert_array_equal(run.last_labels, model.labels_)
    for labels, centers, inertia in zip(
        run.labels, run.centers[1:], run.moved_inertia, strict=True
    ):
        np.testing.assert_allclose(inertia, ((X - centers[labels]) ** 2).sum())


def test_animation(X, tmp_path):
    display = LloydStepsDisplay.from_estimator(KMeans(4, init=X[:4], max_iter=3), X, max_rows=50)
    assert display.labels.shape[1] == 50
    animation = display.animate()
    path = tmp_path / "steps.gif"
    animation.save(path, writer="pillow", dpi=30)
    frames = plt.imread(path, format="gif") if path.stat().st_size else None
    assert frames is not None
    (axes, _) = animation._fig.axes
    assert axes.get_title() == f"step {len(display.inertia)}: centres move"


def test_steps_of_what_is_no_kmeans(X):
    for estimator in (MiniBatchKMeans(3), NClustersSearch(), make_pipeline(MiniBatchKMeans(3))):
        with pytest.raises(TypeError, match="should be a KMeans of sklearn_lloyd"):
            LloydStepsDisplay.from_estimator(estimator, X)
    with pytest.raises(NotFittedError):
        LloydStepsDisplay.from_estimator(make_pipeline(ClusterScaler(), KMeans(3)), X)
    with pytest.raises(ValueError, match="max_starts should be 1 or more"):
        LloydStepsDisplay.from_estimator(KMeans(4), X, max_starts=0)
    with pytest.raises(ValueError, match="n_samples=3 should be >= n_clusters=4"):
        LloydStepsDisplay.from_estimator(KMeans(4), X[:3])
