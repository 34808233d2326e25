"""From a table of numbers and categories to clusters: `table_pipeline` and what it is made of."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler

from sklearn_lloyd import KMeans
from sklearn_lloyd.inspection import cluster_profiles, diagnose
from sklearn_lloyd.metrics import silhouette_scorer
from sklearn_lloyd.model_selection import NClustersSearch
from sklearn_lloyd.persistence import load, save, to_onnx
from sklearn_lloyd.preprocessing import (
    CategoryEncoder,
    ClusterScaler,
    SignedLog,
    TimeFeatures,
    table_pipeline,
)
from sklearn_lloyd.tracking import align_clusters

DAY = np.timedelta64(1, "D")


def retail(seed, n=1000):
    """Customers in three groups of 50, 38 and 12 percent, and what has nothing to do with them."""
    rng = np.random.RandomState(seed)
    group = rng.choice(3, n, p=[0.5, 0.38, 0.12])
    income, spend, visits, age = np.array(
        [[28e3, 60.0, 3.0, 29.0], [52e3, 300.0, 12.0, 47.0], [140e3, 1800.0, 30.0, 55.0]]
    )[group].T
    table = pd.DataFrame(
        {
            "customer_id": 100_000 + rng.permutation(3 * n)[:n],
            "income": np.exp(rng.normal(np.log(income), 0.25)).round(),
            "age": rng.normal(age, 6).round(),
            "spend": np.exp(rng.normal(np.log(spend), 0.5)).round(2),
            "visits": rng.poisson(visits),
            "region": rng.choice(["north", "south", "east", "west"], n),
            "joined": np.datetime64("2021-01-01") + rng.randint(1000, size=n) * DAY,
        }
    )
    for name in ("income", "age", "spend", "visits", "region"):
        table[name] = table[name].where(rng.rand(n) >= 0.02)
    return table, group


TABLE, GROUP = retail(0)


def odd_table():
    """A column of each kind."""
    rng = np.random.RandomState(1)
    n = len(TABLE)
    joined = TABLE["joined"]
    return TABLE.assign(
        member=pd.array(np.where(rng.rand(n) < 0.05, None, rng.rand(n) < 0.3), "boolean"),
        flag=rng.randint(2, size=n),
        code=rng.randint(1, 4, size=n),
        score=pd.array(np.where(rng.rand(n) < 0.1, None, rng.randint(50, size=n)), "Int64"),
        profit=rng.standard_t(2, size=n) ** 3 + 5 * rng.exponential(size=n) ** 3,
        town=[f"town {i % 400}" for i in range(n)],
        brand=[f"brand {int(x)}" for x in rng.exponential(5, size=n)],
        mail=[f"{i}@example.org" for i in range(n)],
        order=[f"A{i // 6}" for i in range(n)],
        empty=np.nan,
        one="x",
        mostly=np.where(rng.rand(n) < 0.2, rng.rand(n), np.nan),
        tags=[[1]] * n,
        waited=joined - joined.min(),
        zoned=joined.dt.tz_localize("Europe/Berlin"),
    ).rename(columns={"order": "order_id"})


def test_words():
    roles = {"code": "category", "joined": ("age", "time-of-year"), "age": "drop"}
    columns = table_pipeline(odd_table(), roles=roles)["columns"]
    assert columns.notes == {
        "customer_id": "left out: the name of an id",
        "income": "number: logarithm (skewness 2.1), scaled; missing (1.7 %): the median",
        "age": "left out: as roles says",
        "spend": "number: logarithm (skewness 3.4), scaled; missing (1.9 %): the median",
        "visits": "number: logarithm (skewness 1.5), scaled; missing (2.4 %): the median",
        "region": "category: 4 values, missing (1.5 %) as one more",
        "joined": "time: age and time-of-year",
        "member": "category: 2 values, missing (5.7 %) as one more",
        "flag": "category: 2 values",
        "code": "category: 3 values",
        "score": "number: scaled; missing (12.1 %): the median",
        "profit": "number: logarithm (skewness 18.8), scaled",
        "town": "left out: 400 values; those that are frequent enough for a column of their own "
        "have 0 % of the rows",
        "brand": "category: 32 values, of which 16 are joined as rare",
        "mail": "left out: text with 1,000 values, nearly one for each row",
        "order_id": "left out: the name of an id",
        "empty": "left out: all values are missing",
        "one": "left out: one value",
        "mostly": "left out: 82 % of the values are missing",
        "tags": "left out: lists",
        "waited": "left out: durations or times of day: make numbers of them",
        "zoned": "left out: times; roles={'zoned': 'age'} makes days of them",
    }
    assert str(columns).splitlines()[0] == "customer_id  left out: the name of an id"
    assert "brand" in repr(columns)


def test_is_an_ordinary_pipeline():
    scaler = RobustScaler()
    pipeline = table_pipeline(TABLE, KMeans(3, random_state=0), scaler=scaler)
    assert isinstance(pipeline, Pipeline)
    with pytest.raises(NotFittedError):
        pipeline.predict(TABLE)
    assert list(pipeline.named_steps) == ["columns", "kmeans"]
    assert isinstance(table_pipeline(TABLE)[-1], KMeans)
    again = clone(pipeline).fit(TABLE)
    assert again["columns"].notes == pipeline["columns"].notes
    labels = again.predict(TABLE)
    assert not hasattr(scaler, "scale_")
    frame = clone(again[:-1]).set_output(transform="pandas").fit_transform(TABLE)
    assert list(frame)[:5] == ["age", "income", "spend", "visits", "region=east"]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(again)).predict(TABLE), labels)
    np.testing.assert_array_equal(again.predict(TABLE[TABLE.columns[::-1]]), labels)


@pytest.mark.parametrize("seed", range(20))
def test_retail(seed):
    table, group = retail(seed)
    model = table_pipeline(table, KMeans(3, n_init=10, random_state=seed)).fit(table)
    assert adjusted_rand_score(group, model.predict(table)) > 0.9


def test_search():
    search = NClustersSearch(table_pipeline(TABLE), n_clusters=(2, 3, 4), random_state=0)
    model = search.fit(TABLE).best_estimator_
    assert model["columns"].notes["joined"].startswith("left out")
    # What diagnose says of each number of clusters, with a region that has no part in them.
    of_k = {
        k: diagnose(table_pipeline(TABLE, KMeans(k, random_state=0)).fit(TABLE), TABLE).codes
        for k in (2, 3)
    }
    assert "merged-groups" in of_k[2]
    assert of_k[3] == ()


def test_centers_come_back_in_their_units():
    table = odd_table()
    model = table_pipeline(
        table, KMeans(3, n_init=10, random_state=0), roles={"code": "category"}
    ).fit(table)
    profiles = cluster_profiles(model, table)
    found = profiles.to_frame("centers")
    labels = model.predict(table)
    for k in range(3):
        rows = table[labels == k]
        own = found.iloc[k]
        # The mean of the logarithms, as the ones with one unit of each column are.
        assert own["spend"] == pytest.approx(np.exp(np.log(rows["spend"]).mean()), rel=0.1)
        assert own["age"] == pytest.approx(rows["age"].mean(), rel=0.01)
        assert own["region=north"] == pytest.approx((rows["region"] == "north").mean())
        assert own["region=missing"] == pytest.approx(rows["region"].isna().mean())
        assert own["code=2"] == pytest.approx((rows["code"] == 2).mean())
        assert own["flag=1"] == pytest.approx(rows["flag"].mean())
        assert own["member"] == pytest.approx((rows["member"].fillna(False)).mean())
    assert np.isnan(found["customer_id"]).all()
    # Through the same steps there again: what is needed to match clusters after a refit.
    moved = align_clusters(model, clone(model).set_params(kmeans__random_state=1).fit(table))
    assert list(moved.new) == list(moved.lost) == []


@pytest.mark.parametrize(
    "make",
    [pl.from_pandas, lambda table: table.astype(object).where(table.notna(), None).to_numpy()],
)
def test_other_tables(make):
    table = odd_table().drop(columns=["tags", "waited", "zoned"])
    roles = {"code": "category", "joined": ("age", "day-of-week"), "customer_id": "drop"}
    other = make(table)
    by_place = {list(table).index(name): role for name, role in roles.items()}
    expected = table_pipeline(table, KMeans(3, random_state=0), roles=roles)
    given = (
        roles if hasattr(other, "columns") else {**by_place, list(table).index("order_id"): "drop"}
    )
    model = table_pipeline(other, KMeans(3, random_state=0), roles=given)
    kept = [note for note in model["columns"].notes.values() if "left out" not in note]
    assert kept == [n for n in expected["columns"].notes.values() if "left out" not in n]
    labels = expected.fit_predict(table)
    assert adjusted_rand_score(labels, model.fit_predict(other)) > 0.99
    np.testing.assert_allclose(model[-1].inertia_, expected[-1].inertia_)


def test_new_rows():
    model = table_pipeline(TABLE, KMeans(3, random_state=0)).fit(TABLE)
    some = TABLE.head(50).drop(columns=["customer_id"])
    new = some.assign(age=np.nan, region="mars", surplus=1)
    assert model.predict(new).shape == (50,)  # what is left out need not be there
    with pytest.raises(ValueError, match="income"):
        model.predict(new.drop(columns="income"))
    seen = model[:-1].transform(new)
    np.testing.assert_array_equal(seen[:, 0], seen[0, 0])  # the median
    assert np.all(seen[:, 4:] == 0.0)  # none of the categories


def test_refit_keeps_the_treatment():
    pipeline = table_pipeline(TABLE, KMeans(3, random_state=0))
    later = TABLE.assign(visits=np.nan, income=5.0)
    n_features = pipeline.fit(TABLE)[:-1].transform(TABLE).shape[1]
    assert pipeline.fit(later)[:-1].transform(later).shape[1] == n_features


def test_saved_without_pickle(tmp_path):
    table = odd_table()
    roles = {"joined": ("age", "time-of-day"), "code": "category"}
    model = table_pipeline(table, KMeans(3, random_state=0), roles=roles).fit(table)
    save(model, tmp_path / "model")
    loaded = load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(table), model.predict(table))
    assert loaded["columns"].notes == model["columns"].notes
    assert adjusted_rand_score(loaded.fit(table).predict(table), model.predict(table)) == 1.0


BAD = {
    "a list": ([[1, 2]], {}, TypeError, "must be a frame of pandas or polars.*got list"),
    "a series": (TABLE["age"], {}, TypeError, "got Series"),
    "no rows": (TABLE.head(0), {}, ValueError, "0 rows and 7 columns"),
    "one row": (TABLE.head(1), {}, ValueError, r"No column.*'age' \(one value\)"),
    "ids, constants": (
        pd.DataFrame({"customer_id": range(0, 300, 3), "one": 1, "none": None}),
        {},
        ValueError,
        r"No column .*'customer_id' \(the name of an id\), 'one' \(one value\), "
        r"'none' \(all values are missing\)",
    ),
    "10,000 names": (
        pd.DataFrame({"town": [f"{i}" for i in range(10_000)] * 2}),
        {},
        ValueError,
        r"'town' \(10,000 values; those that are frequent enough .* 0 % of the rows\)",
    ),
    "names twice": (
        TABLE.rename(columns={"age": "visits"}),
        {},
        ValueError,
        r"different names.*\['visits'\]",
    ),
    "infinite": (TABLE.assign(age=np.inf), {}, ValueError, "'age' has 1000 infinite values"),
    "unknown column": (TABLE, {"roles": {"agee": "log"}}, ValueError, "'agee'.*'age'"),
    "unknown role": (TABLE, {"roles": {"age": "logs"}}, ValueError, "'logs' for 'age'.*'log'"),
    "two roles": (TABLE, {"roles": {"age": ("log", "age")}}, ValueError, "one role, or several"),
    "no date": (TABLE, {"roles": {"age": "age"}}, ValueError, "'age'.* not hold dates"),
    "no role": (TABLE, {"roles": {"age": None}}, ValueError, "has None for 'age'"),
    "times": (TABLE, {"roles": {"joined": "number"}}, ValueError, "'joined' .* no numbers"),
    "no number": (TABLE, {"roles": {"region": "log"}}, ValueError, "'region' .* no numbers"),
    "nothing": (
        TABLE.assign(age=None),
        {"roles": {"age": "log"}},
        ValueError,
        "'age' to be 'log', but all values are missing",
    ),
    "weight": (TABLE, {"category_weight": 0.0}, ValueError, "category_weight"),
}


@pytest.mark.parametrize(("table", "options", "kind", "message"), BAD.values(), ids=BAD)
def test_bad_input(table, options, kind, message):
    with pytest.raises(kind, match=message):
        table_pipeline(table, **options)


def test_signed_log():
    rng = np.random.RandomState(0)
    X = np.column_stack([rng.lognormal(3, 2, 500), rng.standard_t(2, 500) ** 3])
    X[:20] = 0.0
    log = SignedLog().fit(X)
    made = log.transform(X)
    np.testing.assert_allclose(log.inverse_transform(made), X, rtol=1e-12)
    assert np.all(made[:20] == 0.0)
    assert np.all(np.sign(made) == np.sign(X))
    np.testing.assert_allclose(SignedLog().fit(X * 100.0).transform(X * 100.0), made)


def test_time_features():
    days = np.array(["2024-01-01T06", "2024-07-01T18", "NaT"], "datetime64[h]")[:, np.newaxis]
    ages = TimeFeatures().fit(days).transform(days)
    np.testing.assert_allclose(ages.ravel(), [182.5, 0.0, np.nan])
    for feature, product in (("time-of-year", -1.0), ("day-of-week", 1.0), ("time-of-day", -1.0)):
        made = TimeFeatures(feature).fit_transform(days)
        assert made[0] @ made[1] == pytest.approx(product, abs=0.15)
        np.testing.assert_array_equal(made[2], 0.0)
    monday = TimeFeatures("day-of-week").fit_transform(np.array([["2024-01-01"]], object))
    np.testing.assert_allclose(monday[0], [np.cos(2 * np.pi / 7), np.sin(2 * np.pi / 7)])


def test_weights_of_categories():
    rng = np.random.RandomState(0)
    X = rng.choice(["a", "b", "c"], 400, p=[0.7, 0.2, 0.1])[:, np.newaxis]
    for gamma in (1.0, 0.3):
        a, b = CategoryEncoder(gamma).fit(X).transform([["a"], ["b"]])
        assert np.sum((a - b) ** 2) == pytest.approx(gamma)
    encoder = CategoryEncoder("mca").fit(X)
    made = encoder.transform(X)
    assert made.var(axis=0).sum() == pytest.approx(1.0)  # as of a z-score
    p = (X == ["a", "b", "c"]).mean(axis=0)
    a, c = encoder.transform([["a"], ["c"]])
    assert np.sum((a - c) ** 2) == pytest.approx((1 / p[0] + 1 / p[2]) / 2)
    rare = CategoryEncoder(max_categories=2).fit(X)
    assert list(rare.get_feature_names_out()) == ["x0=a", "x0=rare"]
    np.testing.assert_array_equal(rare.transform([["new"]]), rare.transform([["b"]]))


def test_objective_of_k_prototypes():
    """What is equal to the objective of Huang (1998), and what is not."""
    rng = np.random.RandomState(0)
    gamma, n, k = 0.7, 300, 4
    numbers, categories = rng.normal(size=(n, 2)), rng.randint(5, size=(n, 3)).astype(str)
    encoder = CategoryEncoder(gamma).fit(categories)
    rows = np.column_stack([numbers, encoder.transform(categories)])
    labels = rng.randint(k, size=n)

    def most_frequent(column):
        values, counts = np.unique(column, return_counts=True)
        return values[counts.argmax()]

    means = np.array([numbers[labels == j].mean(axis=0) for j in range(k)])
    modes = np.array([
        [most_frequent(column) for column in categories[labels == j].T] for j in range(k)
    ])  # fmt: skip
    mismatches = np.sum(categories[:, np.newaxis] != modes, axis=2)
    distances = np.sum((numbers[:, np.newaxis] - means) ** 2, axis=2) + gamma * mismatches
    # Between rows and prototypes, squared distances are the dissimilarities of k-prototypes. So
    # for the same prototypes the assignment is the same, and the objective.
    prototypes = np.column_stack([means, encoder.transform(modes)])
    squares = np.sum((rows[:, np.newaxis] - prototypes) ** 2, axis=2)
    np.testing.assert_allclose(squares, distances)
    np.testing.assert_array_equal(
        KMeans.from_centers(prototypes).predict(rows), distances.argmin(axis=1)
    )
    # The centre of k-means is not the mode but the shares p of the categories. A category then
    # costs gamma/2 (1 - sum p^2) a row, half of gamma times the Gini impurity, not
    # gamma (1 - max p): at least half as much, and the same only in clusters that are pure.
    for j in range(k):
        own = rows[labels == j]
        cost = np.sum((own - own.mean(axis=0)) ** 2)
        of_numbers = np.sum((numbers[labels == j] - means[j]) ** 2)
        shares = [
            np.unique(column, return_counts=True)[1] / len(own)
            for column in categories[labels == j].T
        ]
        gini = sum(1 - np.sum(p**2) for p in shares)
        mode = sum(1 - np.max(p) for p in shares)
        assert cost == pytest.approx(of_numbers + gamma / 2 * gini * len(own))
        assert mode / 2 < gini / 2 < mode


def test_category_clusters():
    rng = np.random.RandomState(0)
    regions = np.eye(4)[rng.randint(4, size=600)]
    numbers = StandardScaler().fit_transform(
        rng.normal(size=(600, 3)) + rng.choice([0, 6], (600, 1))
    )
    planted = np.column_stack([numbers, 3 * regions])
    found = diagnose(KMeans(4, n_init=5, random_state=0).fit(planted), planted)
    (finding,) = [one for one in found if one.code == "category-clusters"]
    assert finding.evidence["features"] == ["x3", "x4", "x5", "x6"]
    assert finding.evidence["told_by_category"] > 0.99
    assert finding.evidence["told_by_others"] < 0.1
    yes_and_no = np.column_stack([numbers[:, :1], 9 * regions[:, 0]])
    model = KMeans(2, n_init=5, random_state=0).fit(yes_and_no)
    assert "category-clusters" in diagnose(model, yes_and_no).codes
    # Numbers and the category agree: then it is no fault.
    agreeing = np.column_stack([rng.normal(size=(600, 3)) + 8 * regions[:, :3], 3 * regions])
    model = KMeans(4, n_init=5, random_state=0).fit(agreeing)
    assert "category-clusters" not in diagnose(model, agreeing).codes
    # Latent classes of many columns of two values.
    classes = rng.randint(3, size=600)
    answers = (rng.rand(600, 12) < rng.choice([0.1, 0.9], (3, 12))[classes]).astype(float)
    model = KMeans(3, n_init=5, random_state=0).fit(answers)
    assert "category-clusters" not in diagnose(model, answers).codes


def test_scaled_one_hot_columns_and_the_remedy():
    one_hot = pd.get_dummies(TABLE["region"], dtype=float)
    X = np.column_stack([TABLE[["age"]].fillna(40), one_hot])
    model = KMeans(4, n_init=5, random_state=0).fit(ClusterScaler().fit_transform(X))
    codes = diagnose(model, ClusterScaler().fit_transform(X)).codes
    assert "category-clusters" in codes
    remedy = table_pipeline(TABLE, KMeans(3, random_state=0)).fit(TABLE)
    assert "category-clusters" not in diagnose(remedy, TABLE).codes


def test_has_no_onnx_form():
    model = table_pipeline(TABLE, KMeans(3, random_state=0)).fit(TABLE)
    with pytest.raises(TypeError, match=r"no form for the first step .*to_onnx\(estimator\[-1\]"):
        to_onnx(model, TABLE)


def test_parameters_of_its_parts_can_be_searched():
    grid = {"columns__category__weight": [0.5, "mca"], "kmeans__n_clusters": [2, 3]}
    model = table_pipeline(TABLE, KMeans(random_state=0))
    search = GridSearchCV(model, grid, scoring=silhouette_scorer, cv=2).fit(TABLE)
    assert set(search.best_params_) == set(grid)
    encoder = CategoryEncoder(2.0)
    assert model.set_params(columns__category=encoder)["columns"].transformers[-1][1] is encoder
    with pytest.raises(ValueError, match="Invalid parameter 'categry'"):
        model.set_params(columns__categry__weight=2.0)


def test_a_category_that_is_called_rare():
    values = np.repeat(["rare", "a", "few"], [50, 149, 1])
    encoder = CategoryEncoder().fit(values[:, np.newaxis])
    assert encoder.get_feature_names_out().tolist() == ["x0=a", "x0=rare", "x0=rare (joined)"]
    table = pd.DataFrame({"kind": values, "size": np.arange(200) % 7})
    model = table_pipeline(table, KMeans(2, random_state=0)).fit(table)
    assert cluster_profiles(model, table).names.shape == (2,)


def test_whole_numbers_beyond_float64_are_left_out():
    keys = pd.Series([10**400 + i for i in range(len(TABLE))], dtype=object)
    table = pd.DataFrame({"age": TABLE["age"], "key": keys})
    notes = table_pipeline(table)["columns"].notes
    assert notes["key"] == "left out: numbers beyond those of float64"
