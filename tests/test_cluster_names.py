"""Names of one's own that stay with a model, and profiles as Markdown and HTML."""

import pickle
from html.parser import HTMLParser

import joblib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import KMeans as TheirKMeans
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_lloyd import KMeans, MiniBatchKMeans
from sklearn_lloyd._pipeline import split_steps
from sklearn_lloyd.inspection import (
    CentroidDisplay,
    ClusterDisplay,
    PairDisplay,
    cluster_profiles,
    name_clusters,
)
from sklearn_lloyd.metrics import silhouette_scorer
from sklearn_lloyd.persistence import load, save
from sklearn_lloyd.persistence._archive import dump_bytes
from sklearn_lloyd.tracking import AlignmentDisplay, SegmentStore, align_clusters

X = np.concatenate([np.arange(8.0), np.arange(8.0) + 50, np.arange(8.0) + 200]).reshape(-1, 1)
CENTERS = [[3.5], [53.5], [203.5]]


def names(model):
    return list(cluster_profiles(model, X).names)


@pytest.mark.parametrize("kind", [KMeans, MiniBatchKMeans, TheirKMeans, GaussianMixture])
def test_profiles_use_the_names(kind):
    model = kind(3, random_state=0).fit(X)
    suggested = names(model)
    assert name_clusters(model, {1: "Regulars"}) is model
    assert names(model) == [suggested[0], "Regulars", suggested[2]]
    name_clusters(model, {0: suggested[2]})  # what it would suggest for another
    assert names(model) == [suggested[2], "Regulars", f"{suggested[2]} (2)"]
    name_clusters(model, ["a", "b", "c"])
    assert names(model) == ["a", "b", "c"]
    assert names(name_clusters(model, None)) == suggested


def test_stored_with_the_model(tmp_path):
    model = make_pipeline(StandardScaler(), KMeans(3, random_state=0)).fit(X)
    name_clusters(model, {0: "Ünï", 2: "👩‍💻 & <b>"})
    save(model, tmp_path / "model.zip")
    joblib.dump(model, tmp_path / "model.joblib")
    copies = [pickle.loads(pickle.dumps(model)), load(tmp_path / "model.zip")]
    for copy in [*copies, joblib.load(tmp_path / "model.joblib")]:
        assert names(copy) == names(model)
        assert copy[-1].cluster_names_.tolist() == ["Ünï", None, "👩‍💻 & <b>"]
    for wrong in (["a", "a", None], ["", "b", "c"], ["a", 1, None], ["x" * 201, None, None]):
        model[-1].cluster_names_ = np.array(wrong, dtype=object)
        with pytest.raises(ValueError, match="cluster_names_"):
            dump_bytes(model)


@pytest.mark.parametrize("kind", [KMeans, MiniBatchKMeans])
def test_a_fit_forgets_them(kind):
    model = name_clusters(kind(3, random_state=0).fit(X), ["a", "b", "c"])
    assert not hasattr(clone(model), "cluster_names_")
    if kind is MiniBatchKMeans:
        assert names(model.partial_fit(X)) == ["a", "b", "c"]
    assert not hasattr(model.fit(X), "cluster_names_")
    name_clusters(model, {0: "a"})
    assert not hasattr(model.fit_batches([X, X]), "cluster_names_")


def test_in_a_search():
    grid = {"kmeans__n_clusters": [2, 3]}
    pipeline = make_pipeline(StandardScaler(), KMeans(random_state=0))
    search = GridSearchCV(pipeline, grid, scoring=silhouette_scorer, cv=2).fit(X[::-1])
    name_clusters(search, {0: "Regulars"})
    assert names(search)[0] == "Regulars"
    assert split_steps(search)[1].cluster_names_[0] == "Regulars"


def test_carried_by_ids():
    old = name_clusters(KMeans.from_centers(CENTERS), ["low", "middle", "high"])
    new = KMeans.from_centers([CENTERS[2], [900.0], CENTERS[0]])
    alignment = align_clusters(new, old)
    assert alignment.names == {0: "low", 1: "middle", 2: "high"}
    display = AlignmentDisplay.from_alignment(alignment, names={3: "Far"})
    assert display.names == {**alignment.names, 3: "Far"}
    applied = alignment.apply(new)
    assert applied.cluster_ids_.tolist() == [0, 2, 3]
    assert applied.cluster_names_.tolist() == ["low", "high", None]
    assert not hasattr(new, "cluster_names_")
    name_clusters(new, {0: "Rich", 1: "low"})  # its own are all that count
    alignment = align_clusters(new, old)
    assert alignment.names == {1: "middle", 2: "Rich", 3: "low"}
    assert alignment.apply(new).cluster_names_.tolist() == [None, "Rich", "low"]


@pytest.mark.parametrize("kind", [CentroidDisplay, ClusterDisplay, PairDisplay])
def test_in_pictures(kind):
    model = KMeans(3, random_state=0).fit(X)
    name_clusters(model, {1: "Regulars $1$", 2: "y" * 200})
    figure = kind.from_estimator(model, X).figure_
    figure.canvas.draw()
    said = " ".join(text.get_text() for text in figure.findobj(plt.Text))
    assert r"Regulars \$1\$" in said
    assert "yyy" in said
    assert "None" not in said
    name_clusters(model, None)
    assert ClusterDisplay.from_estimator(model, X).ax_.get_legend() is None


def test_in_a_store():
    store = SegmentStore("sqlite://")
    model = name_clusters(KMeans.from_centers(CENTERS), {0: "low", 2: "high"})
    store.register("visits", model, X, names={2: "Rich"})
    assert store.segments("visits")["name"] == ["low", "Segment 1", "Rich"]
    assert store.load("visits").cluster_names_.tolist() == ["low", None, "Rich"]
    store.rename("visits", {0: "Rare"})
    new = KMeans.from_centers([CENTERS[0], [900.0]])
    new = align_clusters(new, model).apply(new)  # which calls them "low", and none
    store.register("visits", name_clusters(new, {1: "Far"}))
    assert store.segments("visits")["name"] == ["Rare", "Far"]


def test_what_is_refused():
    class Letters(BaseEstimator):
        def fit(self, X):
            self.fitted_ = True
            return self

        def predict(self, X):
            return np.full(len(X), "a")

    model = KMeans.from_centers(CENTERS)
    name_clusters(model, {0: "a"})
    for given, error, message in [
        ({3: "b"}, ValueError, r"0 to 2; got \[3\]"),
        ({1: "a"}, ValueError, "different names; these do not: 'a'"),
        ({1: " "}, ValueError, "must not be empty"),
        ({1: 5}, TypeError, r"must be a str; got 5 \(int\)"),
        ({1: "x" * 201}, ValueError, "at most 200 characters"),
        (5, TypeError, "list or a dict"),
        ("abc", TypeError, "list or a dict"),
        (["a"], ValueError, "1 names for 3 clusters"),
    ]:
        with pytest.raises(error, match=message):
            name_clusters(model, given)
    assert model.cluster_names_.tolist() == ["a", None, None]  # as before
    with pytest.raises(NotFittedError):
        name_clusters(KMeans(3), {0: "a"})
    with pytest.raises(TypeError, match="no cluster_centers_"):
        name_clusters(Letters().fit(X), {"a": "b"})


def test_names_of_another_number_of_clusters_do_not_count():
    model = name_clusters(TheirKMeans(3, random_state=0).fit(X), ["a", "b", "c"])
    assert "a" not in names(model.set_params(n_clusters=2).fit(X))


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.texts = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [value or "" for _, value in attributes]

    def handle_data(self, text):
        self.texts.append(text)


def profiles():
    rng = np.random.default_rng(0)
    kind = np.repeat([0, 1, 2], 40)
    frame = pd.DataFrame({"a|<b>": 9.0 * kind + rng.normal(size=120), "half": rng.random(120)})
    frame["town <script>"] = np.array(["x&y", "<i>", "z"])[kind]
    frame.loc[3, "half"] = np.nan
    model = KMeans.from_centers([[0.0], [9.0], [18.0]])
    model = make_pipeline(KeepFirst().fit(frame), model)
    name_clusters(model, {1: "<script>alert('1')</script> | *x*\n\ny"})
    return cluster_profiles(model, frame)


class KeepFirst(BaseEstimator):
    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return X.iloc[:, [0]].to_numpy()


def test_html_is_escaped_and_needs_nothing_else():
    own = profiles()
    for text in (own.to_html("<Title>"), own._repr_html_()):
        read = Tags(text)
        assert not {"script", "i", "b", "img", "link", "iframe"} & {*read.tags}
        assert not any("http" in value or "url" in value for value in read.attributes)
        assert "url(" not in text
        assert "@import" not in text
        assert any(own.names[1] in said for said in read.texts)
        assert "half: 1 missing" in text
    assert "<title>&lt;Title&gt;</title>" in own.to_html("<Title>")


def test_colours_and_bold_say_what_names_say():
    own = profiles()
    for i, places in enumerate(own.distinctive):
        for j in places:
            word = own.stands_out[i][list(places).index(j)].split()[0:2]
            is_high = bool({"high", "mostly", "more"} & {*word})
            assert is_high == (own.contrasts[i, j] > 0.0)
    cards = own._repr_html_().split('<div class="card">')[1:]
    for i, card in enumerate(cards):
        colours = card.split("<details>")[0].count("rgb(224"), card.count("rgb(128,115")
        signs = own.contrasts[i, own.distinctive[i]] > 0.0
        assert colours == (signs.sum(), (~signs).sum())


def test_markdown():
    lines = profiles().to_markdown().splitlines()
    cells = [line.replace("\\|", "").count("|") for line in lines]
    assert set(cells) == {6}  # as many in each line
    assert r"1: &lt;script>alert('1')&lt;/script> \| \*x\* y" in lines[0]
    assert lines[3].startswith(r"| a\|&lt;b>")
    assert [line.count("**") for line in lines[3:5]] == [4, 0]
    short = profiles().to_markdown(max_features=1).splitlines()
    assert len(short) == 4
    as_sparse = cluster_profiles(KMeans.from_centers(CENTERS), sparse.csr_array(X))
    assert len(as_sparse.to_markdown().splitlines()) == 4
    assert "x0" in as_sparse.to_html()


def test_a_cluster_without_rows():
    own = cluster_profiles(KMeans.from_centers([[0.0], [1e9]]), X)
    assert "0 (0.0%)" in own.to_markdown()
    assert "much like all rows" in own._repr_html_()
