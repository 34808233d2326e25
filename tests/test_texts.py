"""Texts as X, texts beside X, embeddings: profiles, pictures, findings, bad input."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from sklearn.compose import make_column_transformer
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer, StandardScaler

from sklearn_lloyd import KMeans
from sklearn_lloyd.inspection import (
    CentroidDisplay,
    ClusterDisplay,
    ProfileDisplay,
    SilhouetteDisplay,
    _terms,
    cluster_profiles,
    diagnose,
)
from sklearn_lloyd.metrics import silhouette_scorer

TOPICS = {
    "animals": ["cat", "dog", "horse", "cow", "sheep", "goat"],
    "money": ["bank", "loan", "rate", "interest", "credit", "price"],
    "weather": ["rain", "snow", "wind", "storm", "cloud", "sun"],
}
OF_ALL = ["the", "a", "of", "and", "is", "in", "this", "that"]


def sentences(n=60, seed=0):
    """Texts of three topics in turn; each has a word that no other one has."""
    rng = np.random.default_rng(seed)
    texts = []
    for i in range(n):
        own = list(TOPICS.values())[i % 3]
        words = [*rng.choice(own, 5), *rng.choice(OF_ALL, 6), f"only{i}"]
        texts.append(" ".join(rng.permutation(words)))
    return texts


TEXTS = sentences()
PIPELINES = {
    "tf-idf": [TfidfVectorizer()],
    "counts, tf-idf": [CountVectorizer(), TfidfTransformer()],
    "components": [TfidfVectorizer(), TruncatedSVD(5, random_state=0), Normalizer()],
    "hash": [HashingVectorizer(n_features=512)],
    "a step of one's own": [FunctionTransformer(lambda texts: vectors(list(texts)))],
}


def vectors(texts, n_features=120):
    """An embedding without meaning: the topics are three points in space."""
    rng = np.random.default_rng(1)
    centers = rng.normal(size=(3, n_features))
    counts = [[sum(w in own for w in t.split()) for own in TOPICS.values()] for t in texts]
    return np.array(counts) @ centers + 0.1 * rng.normal(size=(len(texts), n_features))


def fitted(*steps, X=TEXTS, k=3):
    return make_pipeline(*steps, KMeans(k, n_init=5, random_state=0)).fit(np.array(X, object))


@pytest.fixture(scope="module")
def model():
    return fitted(TfidfVectorizer())


def topic_of(words):
    return {topic for topic, own in TOPICS.items() for word in words if word in own}


@pytest.mark.parametrize("steps", PIPELINES)
def test_terms(steps):
    profiles = cluster_profiles(fitted(*PIPELINES[steps]), TEXTS)
    assert {tuple(topic_of(name.split(", "))) for name in profiles.names} == {
        (topic,) for topic in TOPICS
    }
    assert len(topic_of(profiles.terms.in_words[0][:6])) == 1
    for i, own in enumerate(profiles.distinctive):
        assert not {*profiles.features[own]} & {f"only{i}" for i in range(60)}
        heavy = profiles.terms.heaviest[i]
        assert (np.diff(profiles.means[i, heavy]) <= 1e-12).all()
        assert (np.diff(profiles.terms.distinctiveness[i, own]) <= 1e-12).all()
        typical = profiles.exemplars[i]
        assert list(profiles.examples[i]) == [TEXTS[row] for row in typical]
    said = repr(profiles)
    assert f'typical: "{profiles.examples[0, 0]}"' in said
    assert "own: " in said
    assert "weight: " in said


def test_numbers_of_terms(model):
    profiles = cluster_profiles(model, pd.Series(TEXTS), columns=["cat", "of"])
    labels, weights = model.predict(TEXTS), model[0].transform(TEXTS).toarray()
    for j, term in enumerate(["cat", "of"]):
        column = weights[:, model[0].vocabulary_[term]]
        for i in range(3):
            own = labels == i
            s, e = (column[own] > 0).mean(), (column[~own] > 0).mean()
            np.testing.assert_allclose(profiles.means[i, j], column[own].mean())
            np.testing.assert_allclose(profiles.terms.text_shares[i, j], s)
            np.testing.assert_allclose(profiles.terms.shares_elsewhere[i, j], e, atol=1e-12)
            expected = column[own].mean() * np.log((s + 0.03) / (e + 0.03))
            found = profiles.terms.distinctiveness[i, j]
            np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_allclose(profiles.centers, profiles.means)
    assert isinstance(profiles.to_frame(), pd.DataFrame)
    assert list(profiles.to_frame())[4:6] == ["cat", "of"]
    cat = profiles.terms.of_cluster(int(profiles.terms.text_shares[:, 0].argmax()))
    assert cat["term"][0] == "cat"


def test_terms_are_looked_at_in_parts(model, monkeypatch):
    expected = cluster_profiles(model, TEXTS, max_categories=5)
    monkeypatch.setattr(_terms, "_AT_ONCE", 30)
    found = cluster_profiles(model, TEXTS, max_categories=5)
    assert repr(found) == repr(expected)
    assert list(found.features) == list(expected.features)


def test_weights_are_repeats(model):
    weights = np.arange(60) % 3
    weighted = cluster_profiles(model, TEXTS, sample_weight=weights)
    repeated = cluster_profiles(model, list(np.repeat(np.array(TEXTS, object), weights)))
    np.testing.assert_allclose(weighted.shares, repeated.shares)
    assert list(weighted.names) == list(repeated.names)


FORMS = {
    "tuple": tuple,
    "series": pd.Series,
    "strings": lambda texts: pd.Series(texts, dtype="string"),
    "polars": pl.Series,
    "arrow": lambda texts: pa.chunked_array([texts]),
    "array": np.array,
    "frame": lambda texts: pd.DataFrame({"text": texts}),
    "polars frame": lambda texts: pl.DataFrame({"text": texts}),
    "column": lambda texts: np.array(texts, object)[:, np.newaxis],
}


@pytest.mark.parametrize("form", FORMS)
def test_forms_of_texts(model, form):
    X = FORMS[form](TEXTS)
    assert repr(cluster_profiles(model, X)) == repr(cluster_profiles(model, TEXTS))
    assert silhouette_scorer(model, X) == silhouette_scorer(model, TEXTS)
    assert diagnose(model, X, n_starts=0).codes == diagnose(model, TEXTS, n_starts=0).codes


@pytest.mark.parametrize(
    "display", [ClusterDisplay, SilhouetteDisplay, CentroidDisplay, ProfileDisplay]
)
def test_displays(model, display):
    for X in (TEXTS, pd.DataFrame({"text": TEXTS})):
        display.from_estimator(model, X)


def test_picture_of_terms(model):
    display = ProfileDisplay.from_estimator(model, TEXTS)
    assert display.ax_.shape == (3,)
    shown = [set(terms) for terms, _, _ in display.terms]
    for i, own in enumerate(shown):
        others = set().union(*shown[:i], *shown[i + 1 :])
        assert 3 <= len(own - others) <= len(own) <= 6
        assert [bar.get_width() for bar in display.bars_[i]] == list(display.terms[i][1])
    _, ax = plt.subplots()
    ProfileDisplay.from_estimator(model, TEXTS, max_features=1, ax=ax)


def test_a_column_of_texts():
    price = np.arange(60) % 3 * 100.0 + np.arange(60)
    frame = pd.DataFrame({"text": TEXTS, "price": price})
    columns = make_column_transformer((TfidfVectorizer(), "text"), (StandardScaler(), ["price"]))
    model = make_pipeline(columns, KMeans(3, n_init=5, random_state=0)).fit(frame)
    profiles = cluster_profiles(model, frame)
    assert list(profiles.features) == ["price"]
    assert list(profiles.left_out) == ["text"]
    np.testing.assert_allclose(profiles.centers, profiles.means)
    told = cluster_profiles(model, frame, texts=frame["text"])
    assert all(len(topic_of(name.split(", "))) == 1 for name in told.names)


def test_embeddings():
    X = vectors(TEXTS)
    model = KMeans(3, n_init=5, random_state=0).fit(X)
    profiles = cluster_profiles(model, X)
    assert profiles.is_embedding
    assert list(profiles.names) == [f"like row {row}" for row in profiles.exemplars[:, 0]]
    apart = np.linalg.norm(model.cluster_centers_[:, np.newaxis] - model.cluster_centers_, axis=2)
    np.fill_diagonal(apart, np.inf)
    np.testing.assert_array_equal(profiles.nearest, apart.argmin(axis=1))
    assert f"nearest: {profiles.nearest[0]}" in repr(profiles)
    genes = [f"gene{j}" for j in range(120)]
    assert not cluster_profiles(model, X, feature_names=genes).is_embedding
    assert not cluster_profiles(model, X, columns=["x3"]).is_embedding
    frame = pd.DataFrame(X).add_prefix("svd")
    named = KMeans(3, n_init=5, random_state=0).fit(frame)
    assert cluster_profiles(named, frame).is_embedding

    told = cluster_profiles(model, X, texts=TEXTS)
    assert all(len(topic_of(name.split(", "))) == 1 for name in told.names)
    assert told.exemplars.tolist() == profiles.exemplars.tolist()
    # Titles that have nothing in common.
    told = cluster_profiles(model, X, texts=[f"photo{i}" for i in range(60)])
    assert list(told.names) == [f'like "photo{row}"' for row in told.exemplars[:, 0]]


def test_tables_and_pages(model):
    profiles = cluster_profiles(model, [*TEXTS, ""])
    table, page = profiles.to_markdown(9), profiles.to_html()
    terms = [line.split("|")[1].strip() for line in table.splitlines()[3:-1]]
    assert len(terms) == 9
    assert topic_of(terms) == {*TOPICS}
    assert table.count("**") == 2 * 9  # each in the cluster that it is of
    for text in profiles.examples[:, 0]:
        assert f'typical: "{text}"' in table
        assert f"typical: &quot;{text}&quot;" in page
    assert "1 row has none of the terms: 60" in page
    assert "own terms" in page

    X = vectors(TEXTS)
    profiles = cluster_profiles(KMeans(3, random_state=0).fit(X), X)
    assert len(profiles.to_markdown().splitlines()) == 4  # no coordinates
    rows = ", ".join(map(str, profiles.exemplars[0]))
    assert f"typical rows: {rows}" in profiles.to_html()
    assert "<table" not in profiles.to_html()


def test_a_wide_sparse_matrix(model):
    X = CountVectorizer(ngram_range=(1, 4)).fit(TEXTS)
    wide = KMeans(3, n_init=5, random_state=0).fit(X.transform(TEXTS))
    names = X.get_feature_names_out()
    assert names.size > 1000
    profiles = cluster_profiles(wide, X.transform(TEXTS), feature_names=names)
    assert profiles.terms.n_terms == names.size
    assert len(profiles.features) <= 3 * 40
    assert cluster_profiles(wide, X.transform(TEXTS)).features[0].startswith("x")


def test_findings_of_texts():
    rng = np.random.default_rng(0)
    words = np.array([f"w{i}" for i in range(1500)])
    shares = 1.0 / np.arange(1, 1501)
    texts = [
        " ".join(rng.choice(words, n, p=shares / shares.sum()))
        for n in rng.lognormal(5.0, 0.7, 200).astype(int) + 30
    ]
    counts = diagnose(fitted(CountVectorizer(), X=texts), texts, n_starts=0)
    assert counts[0].code == "unequal-lengths"
    codes = diagnose(fitted(TfidfVectorizer(), X=texts), texts, n_starts=0).codes
    assert "wide-sparse-rows" in codes
    assert "unequal-lengths" not in codes
    reduced = fitted(TfidfVectorizer(), TruncatedSVD(10, random_state=0), Normalizer(), X=texts)
    assert "wide-sparse-rows" not in diagnose(reduced, texts, n_starts=0).codes


# Bad input


def test_some_empty_texts(model):
    texts = [*TEXTS, "", "zebra"]
    profiles = cluster_profiles(model, texts)
    assert profiles.terms.without == [60, 61]
    assert "2 rows have none of the terms: 60, 61" in repr(profiles)
    assert not {60, 61} & set(profiles.exemplars.ravel().tolist())
    diagnose(model, texts, n_starts=0)
    one = cluster_profiles(model, TEXTS[:1])
    assert one.sizes.sum() == 1


@pytest.mark.parametrize("look", [cluster_profiles, diagnose, silhouette_scorer])
@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([*TEXTS, None], "missing values, in row 60"),
        (pd.Series([TEXTS[0], np.nan, TEXTS[1], None]), "missing values, in rows 1, 3"),
        ([*TEXTS, 7], "other values in row 60: the first is of type int"),
        (["", " "], "all empty"),
        ([], "has no texts"),
        (TEXTS[0], "is one text"),
        (pd.DataFrame({"a": TEXTS, "b": TEXTS}), "X has 2 columns"),
    ],
)
def test_bad_texts(model, look, X, message):
    with pytest.raises(ValueError, match=message):
        look(model, X)


def test_bad_descriptions(model):
    with pytest.raises(ValueError, match="has a term that the vectoriser knows"):
        cluster_profiles(model, ["zebra"])
    with pytest.raises(ValueError, match="feature_names are of columns"):
        cluster_profiles(model, TEXTS, feature_names=["a"])
    with pytest.raises(ValueError, match="texts has 59 texts, but X has 60 rows"):
        cluster_profiles(model, TEXTS, texts=TEXTS[1:])
    with pytest.raises(ValueError, match="texts has missing values, in row 0"):
        cluster_profiles(model, TEXTS, texts=[None, *TEXTS[1:]])
    with pytest.raises(ValueError, match="no words to describe"):
        cluster_profiles(model, TEXTS, texts=["?"] * 60)
    with pytest.raises(ValueError, match="'xyz', which is no column"):
        cluster_profiles(model, TEXTS, columns=["xyz"])
