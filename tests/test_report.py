"""The report: one page that stands alone, in which nothing of the data is markup."""

from html import unescape
from html.parser import HTMLParser

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_blobs
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from sklearn_lloyd import KMeans
from sklearn_lloyd.inspection import cluster_report
from sklearn_lloyd.inspection._report_made import _code
from sklearn_lloyd.inspection._report_parts import choice
from sklearn_lloyd.model_selection import NClustersSearch

EVIL = "</title><script>alert('x')</script><img src=x onerror=alert(1)> $body ${title}\nimport os"


class Page(HTMLParser):
    """The tags of a page, its text, and what it refers to."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.text, self.links = [], "", []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("src", "href", "action")]
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data):
        self.text += data


def blobs(n=300, k=3):
    X, _ = make_blobs(n, 3, centers=k, random_state=2)
    return pd.DataFrame(X, columns=["spend", "visits", "age"])


@pytest.fixture(scope="module")
def table():
    return blobs()


@pytest.fixture(scope="module")
def report(table):
    # A name that is too long for a line on a phone.
    steps = [("scale", StandardScaler()), ("the_customers_of_this_year", KMeans(random_state=0))]
    model = Pipeline(steps).set_params(the_customers_of_this_year__n_clusters=3).fit(table)
    return cluster_report(model, table, rows="customers")


def test_what_it_says(report):
    page = Page(report.html)
    assert report.title == "Three clusters of 300 customers"
    assert "The 300 customers are in three clusters. The largest, " in page.text
    assert "What the clusters are" in page.text
    assert "How many clusters" not in page.text  # nothing chose it
    assert page.tags.count("img") == 4
    assert "model = Pipeline(steps=[('scale', StandardScaler())," in page.text
    assert "The same rows give the same clusters" in page.text
    assert "300: as many as on this page" in page.text
    assert plt.get_fignums() == []


def test_stands_alone(report, tmp_path):
    page = Page(report.html)
    assert {"script", "iframe", "form", "link"}.isdisjoint({*page.tags} - {"link"})
    assert all(link.startswith(("data:", "#")) for link in page.links)
    assert "default-src 'none'" in report.html
    assert len(report.html) < 2_000_000
    path = report.save(tmp_path / "report.html")
    assert path.read_text(encoding="utf-8") == report.html
    assert [*tmp_path.iterdir()] == [path]
    frame = report._repr_html_()
    assert unescape(frame[frame.index('"') + 1 : frame.rindex('" style')]) == report.html
    assert "300 customers" in repr(report)


def test_nothing_of_the_data_is_markup():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({EVIL: rng.normal(size=90), "b": np.repeat([EVIL, "x&y", "<i>"], 30)})
    steps = make_column_transformer((StandardScaler(), [EVIL]), (OneHotEncoder(), ["b"]))
    model = make_pipeline(steps, KMeans(3, random_state=0)).fit(table)
    report = cluster_report(model, table, title=EVIL, rows=EVIL)
    page = Page(report.html)
    assert {"script", "i"}.isdisjoint(page.tags)
    assert all(link.startswith(("data:", "#")) for link in page.links)
    assert page.text.count(EVIL) > 3
    assert "x&y" in page.text
    code = _code(model, 90, [EVIL]).replace("...", "None")
    compile(code, "report", "exec")
    assert "\nimport os" not in code


def test_of_a_search(table):
    model = make_pipeline(StandardScaler(), NClustersSearch(n_clusters=(1, 2, 3), random_state=0))
    report = cluster_report(model.fit(table), table)
    page = Page(report.html)
    assert "How many clusters" in page.text
    others = [number for number in model[-1].candidate_estimators_ if number > 1]
    others.remove(model[-1].n_clusters_)
    assert page.tags.count("img") == 5 + len(others) * bool(model[-1].summary().advice)
    assert "from sklearn_lloyd.model_selection import NClustersSearch" in page.text
    grid = GridSearchCV(KMeans(random_state=0), {"n_clusters": [2, 4]}, cv=2).fit(table)
    said = choice(grid, None, table, None)
    assert "GridSearchCV chose n_clusters=4, with a score of -" in said
    assert "chooses the largest" in said


def test_of_a_candidate_and_of_titles():
    rng = np.random.default_rng(0)
    X = make_blobs(300, centers=4, cluster_std=0.8, random_state=42)[0]
    search = NClustersSearch(n_clusters=range(1, 7), random_state=0).fit(X)
    page = Page(cluster_report(search, X, n_clusters=3).html)
    assert "Three clusters of 300 rows" in page.text
    assert "4 clusters; the number is" in page.text
    assert "cluster_report(model, X, n_clusters=3)" in page.text
    with pytest.raises(ValueError, match=r"n_clusters=9 is for a fitted NClustersSearch"):
        cluster_report(search, X, n_clusters=9)
    with pytest.raises(ValueError, match="there are none"):
        cluster_report(KMeans(2, random_state=0).fit(X), X, n_clusters=2)
    embeddings = np.repeat(np.eye(2, 120), 20, axis=0) + 0.01 * rng.normal(size=(40, 120))
    titles = ["red wine and cheese"] * 20 + ["fast trains and rails"] * 20
    model = KMeans(2, random_state=0).fit(embeddings)
    text = Page(cluster_report(model, embeddings, texts=titles).html).text
    assert "wine" in text
    assert "trains" in text
    assert "Pairs of columns" not in text


def test_of_many_rows_one_cluster_and_weights(table):
    weights = np.where(table["age"] > table["age"].median(), 0.5, 2.0)
    model = KMeans(1).fit(table, sample_weight=weights)
    text = Page(cluster_report(model, table, sample_weight=weights, max_rows=100).html).text
    assert "375 (100.0%)" in text  # half of the rows half, the others twice
    assert "The 300 rows are in one cluster." in text
    assert "Pictures of rows show 100 of them, drawn at random." in text
    assert "Silhouettes by cluster: not drawn." in text
    assert "Not every random_state was a number" in text


def test_code_makes_the_same_again(table):
    steps = make_column_transformer((StandardScaler(), ["spend", "age"]))
    model = make_pipeline(steps, KMeans(3, n_init=2, random_state=0)).fit(table)
    code = _code(model, 300, table.columns).replace("X = ...", "").partition("cluster_report(")
    found = {"X": table}
    exec(code[0], found)
    np.testing.assert_array_equal(found["model"][-1].labels_, model[-1].labels_)


def test_code_of_what_has_no_text():
    double = FunctionTransformer(np.log1p)
    code = _code(make_pipeline(double, KMeans(2)), 7, None)
    assert "Instead of <...>" in code
    assert "from sklearn.preprocessing import FunctionTransformer" in code
    assert "from sklearn_lloyd import KMeans" in code


def test_arrays(table):
    X = table.to_numpy()
    page = Page(cluster_report(KMeans(3, random_state=0).fit(X), X.tolist()).html)
    assert "x0" in page.text


def test_errors(table, tmp_path, report):
    with pytest.raises(NotFittedError):
        cluster_report(KMeans(3), table)
    with pytest.raises(TypeError, match="needs a clusterer with cluster_centers_"):
        cluster_report(GaussianMixture(2, random_state=0).fit(table), table)
    with pytest.raises(ValueError, match="feature_names has 1 names"):
        cluster_report(KMeans(3).fit(table), table, feature_names=["a"])
    with pytest.raises(ValueError, match="The 'max_rows' parameter"):
        cluster_report(KMeans(3).fit(table), table, max_rows=1)
    with pytest.raises(FileNotFoundError):
        report.save(tmp_path / "missing" / "report.html")


@pytest.mark.newest
@pytest.mark.parametrize("width", [390, 1400])
def test_in_a_browser(report, tmp_path, chromium, width):
    path = report.save(tmp_path / "report.html")
    complaints, requests = [], []
    page = chromium.new_page(viewport={"width": width, "height": 800})
    page.on("console", lambda message: complaints.append(message.text))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(path.as_uri())
    page.locator("details").evaluate_all("all => all.forEach(each => each.open = true)")
    # The page itself is not moved sideways; pictures and tables are, each by itself.
    assert page.evaluate("document.documentElement.scrollWidth") == width
    are_drawn = "images => images.every(image => image.naturalWidth > 100)"
    assert page.locator("img").evaluate_all(are_drawn)
    page.close()
    assert complaints == []
    assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]
