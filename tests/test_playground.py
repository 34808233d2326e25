"""The playground: what is behind the page, its guard, and the page in a real browser."""

import asyncio
import base64
import contextlib
import io
import json
import re
import socket
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from numpy.lib.format import open_memmap

from sklearn_lloyd.playground import _app, _tables, main
from sklearn_lloyd.playground._app import make_app
from sklearn_lloyd.playground._datasets import LOADED, MADE
from sklearn_lloyd.playground._main import _listen
from sklearn_lloyd.playground._run import Playground
from sklearn_lloyd.playground._settings import read_settings
from sklearn_lloyd.playground._tables import MOST_BYTES, read_table

HOST = "127.0.0.1:8765"


@pytest.fixture
def playground():
    return Playground()


def run_code(code):
    """What is defined after the code has run."""
    names = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(code, "playground", "exec"), names)
    return names


def last_labels(run):
    return (
        run["moved_labels"][-1] or run["labels"][-1]
        if run["end"] == "strict"
        else run["last_labels"]
    )


def inertias_of(run):
    halves = [value for pair in zip(run["inertia"], run["moved_inertia"], strict=True)
              for value in pair]  # fmt: skip
    return np.array([*halves, run["last_inertia"]])


# ---- the state behind the page


@pytest.mark.parametrize("data", [*MADE, *LOADED])
def test_code_gives_the_labels_of_each_data_set(playground, data):
    scaling = {"iris": "standard", "moons": "minmax", "digits": "robust", "blobs": "cluster"}
    given = {"data": data, "n_clusters": 3, "seed": 1, "scaling": scaling.get(data, "none")}
    answer = playground.steps(read_settings(given))
    (run,) = answer["runs"]
    values = inertias_of(run)
    assert (np.diff(values) <= 1e-12 * values[0]).all()
    model = run_code(answer["code"])["model"]
    assert model.inertia_ == pytest.approx(values[-1], rel=1e-12)
    np.testing.assert_array_equal(model.labels_, last_labels(run))
    assert len(answer["points"]) == len(model.labels_)
    assert (answer["image"] is not None) == (data == "image_colours")


@pytest.mark.parametrize("init", ["random", "random-partition", "k-means||"])
def test_each_start_has_its_code(playground, init):
    settings = read_settings({"data": "uniform", "n_clusters": 6, "n_init": 4, "init": init})
    answer = playground.steps(settings)
    ends = [run["last_inertia"] for run in answer["runs"]]
    assert answer["kept"] == np.argmin(ends)
    for start, run in enumerate(answer["runs"]):
        model = run_code(playground.code(settings, start)["code"])["model"]
        np.testing.assert_array_equal(model.labels_, last_labels(run))
    assert "n_init=4" in answer["code"]


@pytest.mark.parametrize("data", ["moons", "iris"])
def test_centres_by_hand(playground, data):
    places = [[0.0, 0.5], [1.0, -0.25]]
    given = {"data": data, "init": "hand", "n_clusters": 2, "places": places, "n_init": 7}
    answer = playground.steps(read_settings(given))
    (run,) = answer["runs"]
    if data == "moons":
        np.testing.assert_allclose(run["centers"][0], places)
    else:  # the nearest rows in the picture
        points = np.array(answer["points"])
        for place, start in zip(places, run["centers"][0], strict=True):
            apart = ((points - place) ** 2).sum(axis=1)
            np.testing.assert_allclose(start, points[apart.argmin()], atol=1e-4)
    np.testing.assert_array_equal(run_code(answer["code"])["model"].labels_, last_labels(run))


def test_what_stands_beside_the_steps(playground):
    settings = read_settings({"init": "random"})  # a start that fails
    silhouettes = playground.silhouettes(settings, 0, 1)
    assert [each["cluster"] for each in silhouettes["clusters"]] == [0, 1, 2, 3, 4]
    assert sum(each["n_rows"] for each in silhouettes["clusters"]) == 600
    numbers = playground.numbers(settings)
    assert numbers["votes"]["separation"] == 5
    assert numbers["summary"].startswith("5 clusters")
    assert numbers["table"]["silhouette"][0] is None
    findings = playground.findings(settings, 0)["findings"]
    assert findings[0]["code"] == "local-optimum"
    assert playground.findings(read_settings({}), 0) == {"findings": []}
    for frame in (0, 99, -1, "1"):
        with pytest.raises(ValueError, match="step"):
            playground.silhouettes(settings, 0, frame)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "JSON object"),
        ({"n_clusters": 0}, "k, the number"),
        ({"n_clusters": None}, "k, the number"),
        ({"n_clusters": 2.5}, "k, the number"),
        ({"seed": -1}, "seed"),
        ({"n_init": 10**6}, "number of starts"),
        ({"n_rows": True}, "number of rows"),
        ({"data": 3}, "data"),
        ({"init": "best"}, "init should be one of"),
        ({"scaling": "__class__"}, "scaling should be one of"),
        ({"init": "hand", "places": [[0.0, 0.0]]}, "1 of 5 first centres"),
        ({"places": [[float("nan"), 0.0]]}, "pairs of numbers"),
        ({"places": "ab"}, "pairs of numbers"),
    ],
)
def test_settings_that_do_not_fit(given, message):
    with pytest.raises(ValueError, match=message):
        read_settings(given)


def test_k_above_the_rows(playground):
    with pytest.raises(ValueError, match="k = 5 is too large: 3 rows"):
        playground.steps(read_settings({"n_rows": 3}))
    with pytest.raises(ValueError, match="Load it again"):
        playground.steps(read_settings({"data": "file-of-another-day"}))


# ---- tables of the user


def write_tables(folder):
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(90, 3)) + np.repeat([0, 9, 18], 30)[:, None])
    table.columns = ["spend", "visits", "age"]
    table.to_csv(folder / "comma.csv", index=False)
    table.to_csv(folder / "semicolon.csv", index=False, sep=";")
    table.to_csv(folder / "tab.tsv", index=False, sep="\t")
    table.to_csv(folder / "bare.csv", index=False, header=False)
    table.set_index("age").to_parquet(folder / "indexed.parquet")
    np.save(folder / "array.npy", table.to_numpy(np.float32))
    np.save(folder / "line.npy", table["age"].to_numpy())


FILES = ["comma.csv", "semicolon.csv", "tab.tsv", "bare.csv", "indexed.parquet", "array.npy"]


@pytest.mark.parametrize("most", [20_000, 40])
@pytest.mark.parametrize("name", [*FILES, "line.npy"])
def test_tables(playground, tmp_path, monkeypatch, name, most):
    write_tables(tmp_path)
    monkeypatch.setattr(_tables, "_MOST_ROWS", most)
    monkeypatch.setattr(_tables, "_BLOCK", 25)
    table = read_table(tmp_path / name, f"C:\\data\\{name}")
    n_columns = {"indexed.parquet": 2, "line.npy": 1}.get(name, 3)
    assert (table.name, table.X.shape) == (name, (min(90, most), n_columns))
    key = playground.tables.add(table)
    given = {"data": key, "n_clusters": 3, "scaling": "standard"}
    answer = playground.steps(read_settings(given))
    assert ("90 rows: 40 of them, drawn at random" in " ".join(answer["notes"])) == (most < 90)
    monkeypatch.chdir(tmp_path)
    model = run_code(answer["code"])["model"]
    np.testing.assert_array_equal(model.labels_, last_labels(answer["runs"][0]))
    if name == "comma.csv":
        assert answer["axes"][0].startswith("principal component 1")
        assert playground.findings(read_settings(given), 0) is not None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"id,name\n1,ann\n2,bob\n", "a.csv: Columns that are not numbers: 'name'"),
        ("a.csv", b"x,y\n1,2\n3,\n", "NaN: the first in row 1, column 'y'"),
        ("a.csv", b"x,y\n1,inf\n3,4\n", "infinity"),
        ("a.csv", b"", "a.csv: No columns"),
        ("a.csv", b"x,y\n", "a.csv: It has no rows"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\x00\x00\xff", "a.csv: It is no text in UTF-8"),
        ("a.csv", b"x\n1\n2,3,4\n", "a.csv: Error tokenizing data"),
        ("a.parquet", b"PAR1 no", "a.parquet: "),
        ("a.npy", b"\x93NUMPY", "a.npy: "),
        ("a.npy", b"", "a.npy: "),
        ("a.xlsx", b"PK", "its name should end in .csv, .tsv, .parquet or .npy"),
        ("", b"", "no table that can be read"),
        ("a.csv", b",".join([b"x"] * 2001) + b"\n" + b",".join([b"1"] * 2001), "2,001 columns"),
    ],
)
def test_files_that_are_no_tables_of_numbers(tmp_path, name, content, message):
    path = tmp_path / "table"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(message)) as caught:
        read_table(path, name)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("name", ["mixed.csv", "mixed.parquet", "holes.npy"])
def test_text_and_gaps_left_out(playground, tmp_path, monkeypatch, name):
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"id": [f"c{i}" for i in range(60)], "spend": rng.normal(size=60)})
    table["visits"] = np.where(np.arange(60) % 20 == 7, np.nan, rng.normal(size=60))
    table.to_csv(tmp_path / "mixed.csv", index=False)
    table.to_parquet(tmp_path / "mixed.parquet")
    np.save(tmp_path / "holes.npy", table[["spend", "visits"]].to_numpy())
    monkeypatch.setattr(_tables, "_BLOCK", 25)
    with pytest.raises(ValueError, match=name):
        read_table(tmp_path / name, name)
    loaded = read_table(tmp_path / name, name, numbers_only=True)
    assert loaded.X.shape == (57, 2)
    key = playground.tables.add(loaded)
    answer = playground.steps(read_settings({"data": key}))
    monkeypatch.chdir(tmp_path)
    model = run_code(answer["code"])["model"]
    np.testing.assert_array_equal(model.labels_, last_labels(answer["runs"][0]))


def test_arrays_of_objects_are_not_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", np.array([[{}]]), allow_pickle=True)
    with pytest.raises(ValueError, match=r"a\.npy"):
        read_table(tmp_path / "a.npy", "a.npy")


def test_ten_million_rows(tmp_path):
    rows = open_memmap(tmp_path / "many.npy", "w+", np.float32, (10_000_000, 2))
    rows[::2] = 1.0
    del rows
    table = read_table(tmp_path / "many.npy", "many.npy")
    assert table.X.shape == (20_000, 2)
    assert table.note.startswith("many.npy has 10,000,000 rows: 20,000 of them")
    assert 0.48 < table.X.mean() < 0.52


# ---- the server


def asked(path, body=b"", method="POST", app=None, **headers):
    """Status, headers and body of the answer to a request, by default as of our page."""
    given = {"host": HOST, "origin": f"http://{HOST}", "sec-fetch-site": "same-origin"} | headers
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "headers": [(k.encode(), v.encode()) for k, v in given.items() if v is not None],
    }
    sent = []

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        sent.append(message)

    asyncio.run((app or make_app({HOST}))(scope, receive, send))
    return (
        sent[0]["status"],
        {k.decode(): v.decode() for k, v in sent[0]["headers"]},
        b"".join(message.get("body", b"") for message in sent[1:]),
    )


def test_files_and_their_headers():
    for path in ("/", "/page.css", "/steps.js", "/page.js"):
        status, headers, body = asked(path, method="GET", origin=None)
        assert status == 200
        assert body
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
    page = asked("/", method="GET")[2].decode()
    assert f'data-most-bytes="{MOST_BYTES}"' in page
    assert "//" not in "".join(re.findall(r'(?:src|href)="([^"]*)"', page))
    assert not re.search(r"\son\w+=|\sstyle=|<script>|<style>", page)
    assert asked("/../_app.py", method="GET")[0] == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example:8765"},
        {"host": "127.0.0.1:9999"},
        {"host": None},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": None},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_other_sites_are_refused(headers):
    status, answered, _ = asked("/steps", b"{}", **headers)
    assert status == 403
    assert answered["content-security-policy"]


def test_questions():
    status, headers, body = asked("/steps", b'{"data": "moons", "n_clusters": 2}')
    assert (status, headers["content-type"]) == (200, "application/json")
    assert len(json.loads(body)["points"]) == 600
    for question in (b"{", b"\xff", b'{"n_clusters": NaN}', b" " * 70_000):
        status, _, body = asked("/steps", question)
        assert status == 200
        assert json.loads(body)["error"]
    assert asked("/steps", method="GET")[0] == 405


def test_uploads(monkeypatch):
    app = make_app({HOST})
    said = json.loads(asked("/upload?name=..%2F..%2Fa.csv", b"x,y\n1,2\n3,4\n", app=app)[2])
    assert (said["name"], said["n_rows"], said["n_columns"]) == ("a.csv", 2, 2)
    settings = json.dumps({"data": said["key"], "n_clusters": 2}).encode()
    assert len(json.loads(asked("/steps", settings, app=app)[2])["points"]) == 2
    huge = b"x,y\n1e300,1e300\n-1e300,2\n1,1\n"  # the squares overflow
    said = json.loads(asked("/upload?name=huge.csv", huge, app=app)[2])
    settings = json.dumps({"data": said["key"], "n_clusters": 1}).encode()
    assert json.loads(asked("/steps", settings, app=app)[2])
    monkeypatch.setattr(_app, "MOST_BYTES", 3)
    assert (
        "megabytes" in json.loads(asked("/upload?name=a.csv", b"x\n1\n2\n", app=app)[2])["error"]
    )


def test_a_port_in_use():
    first = _listen(0)
    port = first.getsockname()[1]
    second = _listen(port)
    assert second.getsockname()[0] == "127.0.0.1"
    assert second.getsockname()[1] > port
    first.close()
    second.close()


def test_bad_commands(monkeypatch, capsys):
    for options in (["--port", "70000"], ["--port", "x"], ["--host", "0.0.0.0"]):
        with pytest.raises(SystemExit, match="2"):
            main(options)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["--no-browser"]) == 2
    assert 'pip install "sklearn-lloyd[app]"' in capsys.readouterr().err


# ---- the page


@pytest.fixture(scope="module")
def program():
    """The program, as the command starts it, on a port that was in use."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        command = [sys.executable, "-m", "sklearn_lloyd.playground", "--no-browser"]
        program = subprocess.Popen(
            [*command, "--port", str(port)], stdout=subprocess.PIPE, text=True
        )
        said = program.stdout.readline()
        assert said.startswith(f"Port {port} is in use; ")
        url = program.stdout.readline().split()[-1]
    yield program, url
    program.terminate()
    program.communicate()


@pytest.fixture
def page(chromium, program):
    """The page, opened; fails in the end on any error, or request to elsewhere."""
    complaints, requests = [], []
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.set_default_timeout(20_000)
    with answered(page):
        page.goto(program[1])
    yield page
    page.close()
    assert complaints == []
    assert all(url.startswith((program[1], "data:")) for url in requests)


@contextlib.contextmanager
def answered(page, path="/steps"):
    """Waits for the answer to the question that the block makes, and for what it changes."""
    with page.expect_response(lambda response: response.url.endswith(path)) as waiting:
        yield
    waiting.value.finished()
    page.locator("#stage[aria-busy=false]").wait_for()


def frame_of(page):
    return int(page.evaluate("document.body.dataset.frame"))


def inertia_of(page):
    """That of the frame, and that the text says."""
    shown = float(page.evaluate("document.body.dataset.inertia"))
    said = page.inner_text("#state").rpartition("Inertia ")[2].rstrip(".").replace(",", "")
    assert float(said) == pytest.approx(shown, rel=1e-3)
    return shown


def to_the_end(page):
    """The inertias on the way, by the arrow key."""
    page.locator("#step").focus()
    seen = []
    while not page.evaluate("document.querySelector('#step').disabled"):
        page.keyboard.press("ArrowRight")
        seen.append(inertia_of(page))
    return seen


def labels_of(page):
    """By the colours of the dots."""
    shown = page.locator(".row").evaluate_all("all => all.map(dot => dot.attributes.fill.value)")
    colors = page.evaluate("data.colors")
    return [colors.index(color) for color in shown]


def model_of(page):
    return run_code(page.inner_text("#code"))["model"]


def test_a_visit(page):
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    assert paint < 5000
    assert page.title() == "k-means playground"
    seen = to_the_end(page)
    assert len(seen) > 6
    assert all(after <= before * (1 + 1e-12) for before, after in pairwise(seen))
    model = model_of(page)
    assert seen[-1] == pytest.approx(model.inertia_, rel=1e-12)
    assert labels_of(page) == model.labels_.tolist()
    assert page.locator("#cells polygon").count() == 5
    # A bad start; k-means++ saves it.
    page.click("#of-findings > summary")
    page.locator(".finding.high", has_text="local-optimum").wait_for()
    with answered(page):
        page.select_option("#init", "k-means++")
    assert to_the_end(page)[-1] < seen[-1] / 2
    page.locator("#of-findings .answer", has_text="No findings.").wait_for()
    # Another k, another seed.
    with answered(page):
        page.fill("#n_clusters", "3")
    with answered(page):
        page.click("#other")
    assert page.input_value("#seed") == "1"
    to_the_end(page)
    model = model_of(page)
    assert (model.n_clusters, model.random_state) == (3, 1)
    assert labels_of(page) == model.labels_.tolist()
    # The evidence for k, and silhouettes.
    page.click("#of-numbers > summary")
    page.locator("#of-numbers table").wait_for()
    assert "5 clusters; the number is sure" in page.inner_text("#of-numbers pre")
    assert page.locator("#of-numbers .charts svg").count() == 6
    page.click("#of-silhouettes > summary")
    page.locator("#of-silhouettes .blade").nth(2).wait_for()
    # The address keeps the settings.
    with answered(page):
        page.reload()
    assert page.input_value("#n_clusters") == "3"


@pytest.mark.newest
def test_several_starts(page):
    with answered(page):
        page.fill("#n_init", "6")
    ends = page.locator("#starts option").all_inner_texts()
    kept = int(page.input_value("#starts"))
    assert "the least" in ends[kept]
    assert "n_init=6" in page.inner_text("#code")
    other = next(i for i, end in enumerate(ends) if "the least" not in end)
    page.select_option("#starts", str(other))
    page.locator("#code", has_text="init=init").wait_for()
    to_the_end(page)
    assert labels_of(page) == model_of(page).labels_.tolist()


@pytest.mark.newest
def test_centres_placed_by_hand(page):
    with answered(page):
        page.fill("#n_clusters", "3")
    with answered(page):
        page.select_option("#init", "hand")
    assert "0 of 3 first centres" in page.inner_text("#state")
    box = page.locator("#rows").bounding_box()
    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.4 * box["height"])
    assert page.locator("#placed .disk").count() == 2
    with answered(page):  # without a mouse
        page.fill("#place-x", "-4")
        page.fill("#place-y", "2.5")
        page.locator("#place").press("Enter")
    starts = page.evaluate("film[0].centers")
    np.testing.assert_allclose(starts[2], [-4, 2.5])
    with answered(page):  # the nearest moves
        page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.45 * box["height"])
    moved = page.evaluate("film[0].centers")
    assert (moved[0], moved[2]) == (starts[0], starts[2])
    assert moved[1] != starts[1]
    to_the_end(page)
    model = model_of(page)
    np.testing.assert_allclose(model.init, moved)
    assert labels_of(page) == model.labels_.tolist()


@pytest.mark.newest
def test_a_file_of_ones_own(page, tmp_path, monkeypatch):
    write_tables(tmp_path)
    (tmp_path / "text.csv").write_text("spend,name\n1,ann\n2,bob\n")
    (tmp_path / "holes.csv").write_text("spend,visits\n1,2\n2,\n")
    before = page.inner_text("#code")
    for name, message in (("text.csv", "'name'"), ("holes.csv", "column 'visits'")):
        with page.expect_response("**/upload*"):
            page.set_input_files("#file", tmp_path / name)
        page.locator("#problem", has_text=message).wait_for()
        assert page.inner_text("#problem").startswith(name)
    assert page.inner_text("#code") == before
    assert len(to_the_end(page)) > 6  # it goes on
    page.check("#numbers_only")
    with answered(page):
        page.set_input_files("#file", tmp_path / "text.csv")
    assert "k = 5 is too large: 2 rows" in page.inner_text("#problem")
    with answered(page):
        page.set_input_files("#file", tmp_path / "comma.csv")
    assert page.locator("#problem").is_hidden()
    assert "comma.csv: 90 rows of 3 features." in page.inner_text("#about")
    with answered(page):
        page.select_option("#scaling", "standard")
    to_the_end(page)
    monkeypatch.chdir(tmp_path)
    assert labels_of(page) == model_of(page).labels_.tolist()


@pytest.mark.newest
def test_bad_values_and_the_image(page):
    with answered(page):
        page.fill("#n_rows", "3")
    assert "k = 5 is too large: 3 rows" in page.inner_text("#problem")
    with answered(page):
        page.fill("#n_clusters", "")
    assert "k, the number of clusters" in page.inner_text("#problem")
    with answered(page):
        page.fill("#n_clusters", "2")
    assert page.locator("#problem").is_hidden()
    with answered(page):
        page.select_option("#data", "image_colours")
    page.locator("#step").focus()
    page.keyboard.press("End")
    painted = page.evaluate("get('painted').toDataURL()")
    assert len(base64.b64decode(painted.partition(",")[2])) > 300
    assert page.locator("#of-rows").is_hidden()


@pytest.mark.newest
def test_a_step_is_quick(page):
    with answered(page):
        page.fill("#n_rows", "2000")
    took = page.evaluate(
        """() => film.slice(1).map(() => {
            const from = performance.now();
            get("step").click();
            rows.getBoundingClientRect();  // what changed is laid out
            return performance.now() - from;
        })"""
    )
    assert len(took) > 6
    assert np.median(took) < 150


@pytest.mark.newest
def test_controls_have_names_and_fit_a_phone(page):
    names = page.evaluate(
        """() => [...document.querySelectorAll("input, select, button")]
            .map(one => one.labels?.[0]?.textContent || one.textContent)"""
    )
    assert all(name.strip() for name in names)
    assert page.evaluate(
        "new Set([...document.querySelectorAll('[id]')].map(x => x.id)).size"
    ) == (page.locator("[id]").count())
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    colors = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        colors.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert colors[0] != colors[1]


@pytest.mark.newest
def test_a_lost_connection(chromium, program):
    page = chromium.new_page()
    with answered(page):
        page.goto(program[1])
    page.context.set_offline(True)
    page.fill("#seed", "2")
    page.locator("#lost").wait_for()
    n_seen = len(to_the_end(page))  # what is there can be played
    assert n_seen > 6
    page.context.set_offline(False)
    page.locator("#lost").wait_for(state="hidden")
    page.locator("body[data-frame='0']").wait_for()
    assert "random_state=2" in page.inner_text("#code")
    page.close()
