"""Findings: planted faults have them, clean data have none, and how they are shown."""

import dataclasses
import pickle
import re
from html.parser import HTMLParser
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn.cluster
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from sklearn_lloyd import KMeans, MiniBatchKMeans
from sklearn_lloyd.inspection import Diagnosis, Finding, diagnose
from sklearn_lloyd.inspection._checks import CHECKS
from sklearn_lloyd.inspection._findings import SEVERITIES
from sklearn_lloyd.preprocessing import ClusterScaler


def load_benchmark():
    path = Path(__file__).parents[1] / "benchmarks" / "diagnose.py"
    spec = spec_from_file_location("diagnose_benchmark", path)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


benchmark = load_benchmark()
PLANTED = [(code, name) for code, recipes in benchmark.FAULTS.items() for name in recipes]
CLEAN = {**benchmark.CLEAN, **benchmark.CLEAN_OTHER, **benchmark.HARDER}


def blobs(n=300, k=3, d=3, seed=0):
    return benchmark.groups(np.random.RandomState(seed), n, k, d)[0]


def fitted(X, k=3, **params):
    return KMeans(k, n_init=5, random_state=0, **params).fit(X)


def evidence_of(diagnosis, code):
    (finding,) = [finding for finding in diagnosis if finding.code == code]
    return finding.evidence


# What is found


def test_every_check_has_a_planted_fault():
    assert set(benchmark.FAULTS) == set(CHECKS)


# Too few distinct rows are one of the faults.
@pytest.mark.newest
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize(("code", "name"), PLANTED)
def test_planted_faults(code, name):
    diagnosis = diagnose(*benchmark.FAULTS[code][name](np.random.RandomState(1)))
    assert code in diagnosis.codes
    for finding in diagnosis:
        assert finding.severity in SEVERITIES
        assert CHECKS[finding.code]
        assert finding.meaning.endswith(".")
        assert finding.advice.endswith((".", ")."))
        pickle.dumps(finding.evidence)
        for value in finding.evidence.values():
            values = value if isinstance(value, list) else [value]
            assert all(type(v) in (int, float, str) for v in values), finding.evidence


@pytest.mark.parametrize("name", CLEAN)
def test_clean_sets(name):
    assert diagnose(*CLEAN[name](np.random.RandomState(1))).codes == ()


def test_the_feature_that_dominates():
    X = pd.DataFrame(blobs(), columns=["age", "income", "visits"])
    X["income"] *= 1000
    evidence = evidence_of(diagnose(fitted(X), X), "dominant-feature")
    assert evidence["feature"] == "income"
    share = X["income"].var() / X.var().sum()
    assert evidence["share_of_variance"] == pytest.approx(share)
    scaled = make_pipeline(StandardScaler(), KMeans(3, n_init=5, random_state=0)).fit(X)
    assert diagnose(scaled, X).codes == ()


def test_evidence_agrees_with_what_was_planted():
    X = blobs()
    X[:3] = [[500.0, 0, 0], [501.0, 0, 0], [500.0, 1, 0]]
    model = fitted(X)
    evidence = evidence_of(diagnose(model, X), "outlier-clusters")
    assert evidence["clusters"] == [model.labels_[0]]
    assert evidence["n_rows"] == 3
    assert evidence["share"] == 3 / 300

    X = np.column_stack([blobs(), np.full(300, 5.0)])
    assert evidence_of(diagnose(fitted(X), X), "constant-features")["features"] == ["x3"]

    X = np.column_stack([blobs(), -2 * blobs()[:, 1]])
    evidence = evidence_of(diagnose(fitted(X), X), "correlated-features")
    assert evidence["pairs"] == ["x1 and x3"]
    assert evidence["largest_correlation"] == pytest.approx(1)

    X = blobs()
    model = KMeans.from_centers(np.vstack([fitted(X).cluster_centers_, [[1e3, 0, 0]]]))
    evidence = evidence_of(diagnose(model, X), "tiny-clusters")
    assert evidence == {"clusters": [3], "n_rows": [0]}

    X = blobs(800, k=4, d=2)
    model = fitted(X, 5)
    evidence = evidence_of(diagnose(model, X), "split-groups")
    centers = model.cluster_centers_
    apart = np.linalg.norm(centers[:, np.newaxis] - centers, axis=2) + 1e9 * np.eye(5)
    a, b = sorted(np.unravel_index(apart.argmin(), apart.shape))
    assert evidence["pairs"] == [f"{a} and {b}"]


def test_sparse_rows_of_many_features_stay_sparse(monkeypatch):
    """What is found by distances is that of the features which are not zero."""
    monkeypatch.setattr(sparse.csr_matrix, "toarray", few_values(sparse.csr_matrix.toarray))
    monkeypatch.setattr(sparse.csc_matrix, "toarray", few_values(sparse.csc_matrix.toarray))
    narrow = np.column_stack([blobs(400, k=4, d=2), np.arange(400) % 3])
    wide = sparse.csr_matrix((400, 40_000), dtype=np.float64).tolil()
    wide[:, [3, 7000, 39_000]] = narrow
    wide = wide.tocsr()
    for k, code in ((3, "merged-groups"), (5, "split-groups")):
        model = fitted(narrow, k)
        centers = np.zeros((k, wide.shape[1]))
        centers[:, [3, 7000, 39_000]] = model.cluster_centers_
        lifted = KMeans.from_centers(centers)
        few, many = (
            evidence_of(diagnose(*pair), code) for pair in ((model, narrow), (lifted, wide))
        )
        assert few.keys() == many.keys()
        for name, value in few.items():
            assert many[name] == pytest.approx(value) or many[name] == value


def few_values(toarray):
    def checked(rows, *args, **kwargs):
        assert np.prod(rows.shape) <= 1 << 21
        return toarray(rows, *args, **kwargs)

    return checked


def test_a_better_start_by_how_much():
    model, X = benchmark.stuck(np.random.RandomState(0), n=600, k=6, d=2)
    best = fitted(X, 6).inertia_
    gain = evidence_of(diagnose(model, X), "local-optimum")["better_by"]
    assert gain == pytest.approx(1 - best / model.inertia_, rel=1e-6)
    assert "local-optimum" not in diagnose(model, X, n_starts=0).codes
    assert "local-optimum" not in diagnose(model, X, n_starts=1).codes


def test_not_converged_as_the_estimator_says():
    X = np.random.RandomState(0).normal(size=(500, 3))
    ours = KMeans(8, max_iter=2, random_state=0).fit(X)
    assert "not-converged" in diagnose(ours, X).codes
    ours.converged_ = True  # in the last of all iterations
    assert "not-converged" not in diagnose(ours, X).codes
    from_centers = KMeans.from_centers(ours.cluster_centers_)
    assert "not-converged" not in diagnose(from_centers, X).codes


def test_real_data():
    """As the guide says."""
    iris, wine, digits = (load().data for load in (load_iris, load_wine, load_digits))
    assert diagnose(fitted(iris), iris).codes == ("split-groups",)
    assert diagnose(fitted(iris, 2), iris).codes == ("elongated-clusters",)
    assert diagnose(fitted(wine), wine)[0].code == "dominant-feature"
    scaled = make_pipeline(StandardScaler(), KMeans(3, n_init=10, random_state=0)).fit(wine)
    assert diagnose(scaled, wine).codes == ()
    found = diagnose(fitted(digits, 10), digits).codes
    assert {"overlapping-clusters", "constant-features"} <= set(found)
    assert not {"no-structure", "dominant-feature", "non-compact-groups"} & set(found)


# What it takes


@pytest.mark.parametrize(
    "estimator",
    [
        sklearn.cluster.KMeans(3, n_init=5, random_state=0),
        sklearn.cluster.MiniBatchKMeans(3, n_init=5, random_state=0),
        sklearn.cluster.BisectingKMeans(3, random_state=0),
        MiniBatchKMeans(3, n_init=5, random_state=0),
        make_pipeline(KMeans(3, n_init=5, random_state=0)),
        make_pipeline("passthrough", PCA(), make_pipeline(KMeans(3, n_init=5, random_state=0))),
        GridSearchCV(KMeans(n_init=5, random_state=0), {"n_clusters": [3]}, cv=2),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_estimators(estimator):
    X = blobs()
    estimator.fit(X)
    assert diagnose(estimator, X).codes == ()
    assert diagnose(FrozenEstimator(estimator), X).codes == ()
    X[:, 1] *= 1000
    assert "dominant-feature" in diagnose(estimator.fit(X), X).codes


def test_names_of_features_after_a_pipeline():
    frame = pd.DataFrame(blobs(d=2), columns=["a", "b"])
    frame["shop"] = np.resize(["x", "y", "z"], 300)
    encode = make_column_transformer(
        (OneHotEncoder(), ["shop"]), (StandardScaler(), ["a"]), remainder="passthrough"
    )
    frame["b"] *= 1000
    model = make_pipeline(encode, KMeans(3, n_init=5, random_state=0)).fit(frame)
    evidence = evidence_of(diagnose(model, frame), "dominant-feature")
    assert evidence["feature"] == "remainder__b"
    # A step that has no names to tell.
    model = make_pipeline(FunctionTransformer(np.asarray), KMeans(3, random_state=0))
    X = frame[["a", "b"]]
    evidence = evidence_of(diagnose(model.fit(X), X), "dominant-feature")
    assert evidence["feature"] == "x1"


def test_sparse_rows():
    X = blobs()
    X[:, 1] = 1000 * (X[:, 1] > X[:, 1].mean())
    dense, csr = (
        diagnose(fitted(X), X),
        diagnose(fitted(sparse.csr_matrix(X)), sparse.csr_matrix(X)),
    )
    assert "indicator-features" in dense.codes
    assert csr.codes == dense.codes


def test_other_rows_than_the_fitted_ones():
    X = np.random.RandomState(0).permutation(blobs(600))
    assert diagnose(fitted(X[:300]), X[300:]).codes == ()


@pytest.mark.parametrize("dtype", [np.float32, np.int64, np.float64])
def test_dtypes(dtype):
    X = (100 * blobs()).astype(dtype)
    assert diagnose(fitted(X), X).codes == ()


def test_one_cluster_and_tiny_data():
    X = np.random.RandomState(0).normal(size=(200, 3))
    assert diagnose(fitted(X, 1), X).codes == ()
    assert diagnose(fitted(X[:2], 1), X[:2]).codes == ("few-rows",)
    assert "few-rows" in diagnose(fitted(X[:3], 3), X[:3]).codes
    model = fitted(X, 3)
    for n in (1, 2, 5):
        assert "few-rows" in diagnose(model, X[:n]).codes
    same = np.ones((50, 2))
    assert "constant-features" in diagnose(fitted(same, 1), same).codes


# The same findings for the same rows


def test_repeatable_and_independent_of_the_order_of_rows():
    model, X = benchmark.FAULTS["no-structure"]["first: normal cloud, 500 x 2, k = 3"](
        np.random.RandomState(0)
    )
    first = diagnose(model, X, sample_size=300)
    assert first == diagnose(model, X, sample_size=300)
    assert hash(first) == hash(diagnose(model, X, sample_size=300))
    order = np.random.RandomState(0).permutation(len(X))
    shuffled = diagnose(model, X[order], sample_size=300)
    assert shuffled.codes == first.codes
    for a, b in zip(first, shuffled, strict=True):
        assert a.evidence.keys() == b.evidence.keys()
        numbers = [name for name, value in a.evidence.items() if isinstance(value, float)]
        assert [a.evidence[n] for n in numbers] == pytest.approx([b.evidence[n] for n in numbers])


def test_random_state():
    model, X = benchmark.FAULTS["unstable-starts"]["first: normal cloud, 1000 x 5, k = 8"](
        np.random.RandomState(0)
    )
    one, other = (
        evidence_of(diagnose(model, X, random_state=seed), "unstable-starts") for seed in (0, 1)
    )
    assert one != other
    rng = np.random.RandomState(0)
    assert evidence_of(diagnose(model, X, random_state=rng), "unstable-starts") == one


def test_nothing_is_changed():
    X = blobs()
    X.flags.writeable = False
    model = fitted(X)
    before = pickle.dumps(model)
    diagnose(model, X)
    assert pickle.dumps(model) == before


def test_weights():
    X = blobs()
    X[:40] = np.random.RandomState(0).normal(900.0, size=(40, 3))
    weight = np.ones(300)
    weight[:40] = 0.0
    model = fitted(X, 3)
    model.fit(X, sample_weight=weight)
    assert diagnose(model, X, sample_weight=weight).codes == ()
    assert diagnose(model, X).codes != ()
    # Rows of weight 40 are no few outliers.
    X = blobs()
    X[:3] = [[500.0, 0, 0], [501.0, 0, 0], [500.0, 1, 0]]
    model = fitted(X)
    assert "outlier-clusters" in diagnose(model, X).codes
    weight = np.ones(300)
    weight[:3] = 40.0
    assert "outlier-clusters" not in diagnose(model, X, sample_weight=weight).codes


def test_a_sample_finds_what_all_rows_have():
    X = np.vstack([blobs(40_000), [[1e5, 0.0, 0.0]] * 3])
    model = fitted(X, 4)
    evidence = evidence_of(diagnose(model, X, sample_size=500), "outlier-clusters")
    assert evidence["n_rows"] == 3


# How it is shown


def make_diagnosis():
    return Diagnosis(
        Finding(code, severity, {"share": 0.123456, "n": 7, "names": list("abcdefg")}, "M.", "A.")
        for code, severity in [("late", "low"), ("<b>", "high"), ("mid", "medium"), ("b", "high")]
    )


def test_diagnosis_is_a_sorted_sequence():
    diagnosis = make_diagnosis()
    assert diagnosis.codes == ("<b>", "b", "mid", "late")
    assert len(diagnosis) == 4
    assert diagnosis[-1].code == "late"
    assert diagnosis[:2].codes == ("<b>", "b")
    assert isinstance(diagnosis[:2], Diagnosis)
    assert diagnosis == make_diagnosis()
    assert diagnosis != diagnosis[:2]
    assert pickle.loads(pickle.dumps(diagnosis)) == diagnosis
    with pytest.raises(dataclasses.FrozenInstanceError):
        diagnosis[0].code = "other"


def test_text():
    text = repr(make_diagnosis())
    assert text.startswith("Diagnosis: 4 findings\n\n<b> (high)\n  M.\n")
    assert "Evidence: share = 0.1235, n = 7, names = [a, b, c, d, e, ... 7 in all]." in text
    assert "Advice: A." in text
    assert repr(Diagnosis([])) == "Diagnosis: no findings"
    assert repr(make_diagnosis()[:1]).startswith("Diagnosis: 1 finding\n")


class Checker(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_html():
    html = make_diagnosis()._repr_html_()
    checker = Checker()
    checker.feed(html)
    assert checker.open == []
    assert not {"script", "link", "img", "b"} & set(checker.seen)
    assert "&lt;b&gt;" in html
    assert "0.1235" in html
    # Text and background are the notebook's own.
    assert not re.search(r"background|[^-]color:(?!#(d9480f|b08800|5c7cfa))", html)
    assert "http" not in html
    assert "no findings" in Diagnosis([])._repr_html_()


# Bad input


def test_bad_estimators():
    X = blobs()
    with pytest.raises(NotFittedError):
        diagnose(KMeans(3), X)
    with pytest.raises(NotFittedError):
        diagnose(make_pipeline(StandardScaler(), KMeans(3)), X)
    with pytest.raises(TypeError, match="DBSCAN has no predict"):
        diagnose(sklearn.cluster.DBSCAN().fit(X), X)
    with pytest.raises(TypeError, match="cluster_centers_, and a fitted GaussianMixture has none"):
        diagnose(GaussianMixture(2).fit(X), X)
    with pytest.raises(TypeError, match=r"ndarray has no predict.* The estimator comes first"):
        diagnose(np.zeros((5, 2)), KMeans(2))
    with pytest.raises(TypeError, match="str has no predict"):
        diagnose("kmeans", X)


NAMED = {
    "customer_id": "by name",
    "CustomerID": "by name",
    "id": "by name",
    "order number": "by name",
    "Unnamed: 0": "by name",
    "orders": None,
    "paid": None,
    "number_of_orders": None,
    "price_index": None,
}


@pytest.mark.parametrize("make", [pd.DataFrame, pl.DataFrame, pa.table])
@pytest.mark.parametrize("name", NAMED)
def test_ids_by_their_names(make, name):
    rng = np.random.default_rng(0)
    numbers = rng.integers(0, 10**6, 300)  # distinct, nearly all, with gaps
    columns = dict(zip("abc", blobs().T, strict=True))
    X = make({**columns, name: numbers})
    model = make_pipeline(ClusterScaler(), KMeans(3, n_init=5, random_state=0)).fit(X)
    found = [one for one in diagnose(model, X) if one.code == "identifier-features"]
    assert [one.evidence["features_by_name"] for one in found] == [[name]] * bool(NAMED[name])


def shuffled(n, seed=1):
    return np.random.default_rng(seed).permutation(n)


WHOLE = {
    "row numbers": (np.arange(300), True),
    "in any order": (shuffled(300), True),
    "from a number on, in steps": (7000 + 10 * shuffled(300), True),
    "as floats": (shuffled(300).astype(float), True),
    "one is missing": (np.delete(np.arange(301), 150), False),
    "one comes twice": (np.minimum(shuffled(300), 298), False),
    "evenly spaced parts": (shuffled(300) / 8.0, False),
    "counts": (np.random.default_rng(0).poisson(1000, 300), False),
}


@pytest.mark.parametrize(("column", "is_found"), WHOLE.values(), ids=WHOLE)
@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_array])
def test_ids_by_their_values(column, is_found, kind):
    X = np.column_stack([blobs(), column])
    model = make_pipeline(ClusterScaler("maxabs"), KMeans(3, random_state=0)).fit(kind(X))
    weights = np.random.default_rng(2).uniform(1, 2, 300)
    for given in (None, weights):
        found = [
            one
            for one in diagnose(model, kind(X), sample_weight=given)
            if one.code == "identifier-features"
        ]
        assert [one.evidence["features_by_values"] for one in found] == [["x3"]] * is_found


def test_ids_that_are_none():
    # A column that the pipeline drops; ranks in place of all numbers; few rows.
    X = pd.DataFrame(blobs(), columns=list("abc")).assign(customer_id=shuffled(300))
    scaled = make_column_transformer((StandardScaler(), list("abc")))
    dropped = make_pipeline(scaled, KMeans(3, random_state=0)).fit(X)
    ranks = np.column_stack([shuffled(300, seed) for seed in range(4)]).astype(float)
    few = np.column_stack([blobs()[:15], np.arange(15)])
    for model, rows in ((dropped, X), (fitted(ranks), ranks), (fitted(few), few)):
        assert "identifier-features" not in diagnose(model, rows).codes
    kept = make_column_transformer((StandardScaler(), ["a", "b", "customer_id"]))
    model = make_pipeline(kept, KMeans(3, random_state=0)).fit(X)
    evidence = evidence_of(diagnose(model, X), "identifier-features")
    assert evidence["features_by_name"] == ["customer_id"]


def test_bad_rows():
    X = blobs()
    model = fitted(X)
    with pytest.raises(ValueError, match="X has 2 features, but KMeans is expecting 3"):
        diagnose(model, X[:, :2])
    with pytest.raises(ValueError, match="NaN: the first in row 2, column 1"):
        diagnose(model, np.where(np.arange(900).reshape(-1, 3) == 7, np.nan, X))
    with pytest.raises(ValueError, match="not numbers: 0 "):
        diagnose(model, [["a", 1, 2], ["b", 1, 2]])
    frame = pd.DataFrame(X, columns=list("abc"))
    with pytest.raises(ValueError, match="feature names"):
        diagnose(fitted(frame), frame.rename(columns={"a": "d"}))
    with pytest.raises(ValueError, match="sample_weight"):
        diagnose(model, X, sample_weight=[1.0, 2.0])


class Foreign(BaseEstimator):
    """Another package's clusterer: centres and predict, nothing else."""

    def fit(self, X):
        self.cluster_centers_ = np.zeros((2, 3))
        return self

    def predict(self, X):
        return np.zeros(len(X), int)


def test_foreign_clusterer_with_other_features():
    with pytest.raises(ValueError, match="X has 2 features, but the cluster_centers_ of Foreign"):
        diagnose(Foreign().fit(None), blobs(d=2))
    assert "tiny-clusters" in diagnose(Foreign().fit(None), blobs(d=3)).codes


@pytest.mark.parametrize(
    "params", [{"sample_size": 1}, {"n_starts": -1}, {"random_state": "no"}, {"sample_size": 0.5}]
)
def test_bad_parameters(params):
    X = blobs()
    (name,) = params
    with pytest.raises(ValueError, match=f"The '{name}' parameter of diagnose"):
        diagnose(fitted(X), X, **params)
