"""The page with the steps of Lloyd's algorithm, in a real browser."""

import re

import numpy as np
import pytest
from sklearn.datasets import make_blobs

from sklearn_lloyd import KMeans
from sklearn_lloyd.inspection import LloydStepsDisplay
from sklearn_lloyd.inspection._drawing import look_of


@pytest.fixture(scope="module")
def X():
    return make_blobs(120, centers=3, random_state=2)[0]


@pytest.fixture(scope="module")
def display(X):
    return LloydStepsDisplay.from_estimator(KMeans(3, init=X[:3]), X)


@pytest.fixture
def opened(chromium, tmp_path):
    """Opens the page of a display; fails in the end on any error or request that it made."""
    complaints, requests, pages = [], [], []

    def open_page(display, **options):
        path = display.to_html(tmp_path / "steps.html")
        page = chromium.new_page(**options)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert complaints == []
    assert requests == [(tmp_path / "steps.html").as_uri()] * len(pages)


@pytest.fixture
def page(opened, display):
    return opened(display)


def frame_of(page):
    return int(page.evaluate("document.body.dataset.frame"))


def inertia_of(page):
    """That of the frame, and that the text says."""
    shown = float(page.evaluate("document.body.dataset.inertia"))
    said = page.inner_text("#state").rpartition("Inertia ")[2].rstrip(".").replace(",", "")
    assert float(said) == pytest.approx(shown, rel=1e-3)
    return shown


def places_of(page):
    """Where the numbers of the centres are."""
    numbers = page.locator(".number")
    return np.array(
        [
            [float(numbers.nth(i).get_attribute(axis)) for axis in "xy"]
            for i in range(numbers.count())
        ]
    )


def colors_of(page):
    return page.locator(".row").evaluate_all("all => all.map(dot => dot.attributes.fill.value)")


def curve_of(page):
    return page.locator("#line").get_attribute("points").split()


def test_assign_move_back_and_reset(page, display):
    n_steps = len(display.inertia)
    assert n_steps >= 3
    assert frame_of(page) == 0
    assert curve_of(page) == []
    assert page.locator("#back").is_disabled()
    assert page.locator("#step").inner_text() == "Step: assign"
    assert set(colors_of(page)) == {"var(--faint)"}
    start = places_of(page)
    page.click("#step")
    assert (frame_of(page), len(curve_of(page))) == (1, 1)
    assert f"Step 1 of {n_steps}, assigned" in page.inner_text("#state")
    assert page.locator("#step").inner_text() == "Step: update"
    assert inertia_of(page) == pytest.approx(display.inertia[0], rel=1e-4)
    np.testing.assert_array_equal(places_of(page), start)
    colors = np.array(colors_of(page))
    for cluster in range(3):
        assert set(colors[display.labels[0] == cluster]) == {look_of(cluster).color}
    page.click("#step")
    assert (frame_of(page), len(curve_of(page))) == (2, 2)
    assert f"Step 1 of {n_steps}, moved" in page.inner_text("#state")
    assert inertia_of(page) == pytest.approx(display.runs[0].moved_inertia[0], rel=1e-4)
    assert colors_of(page) == colors.tolist()
    moved = places_of(page)
    assert np.abs(moved - start).max() > 1
    page.click("#step")
    rings = page.locator(".changed").count()
    assert rings == display.runs[0].n_changed[1] > 0
    assert f"{rings} rows chose another centre" in page.inner_text("#state")
    page.click("#back")
    np.testing.assert_array_equal(places_of(page), moved)
    page.click("#reset")
    assert frame_of(page) == 0
    assert curve_of(page) == []
    np.testing.assert_array_equal(places_of(page), start)


def test_keys(page, display):
    last = 2 * len(display.inertia)
    for key, frame in [
        *(("ArrowLeft", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1)),
        *(("End", last), ("ArrowRight", last), ("Home", 0)),
    ]:
        page.keyboard.press(key)
        assert frame_of(page) == frame
    page.focus("#step")
    page.keyboard.press("ArrowRight")  # the arrows step whatever has the focus
    page.keyboard.press(" ")  # which presses the button, and does not play
    assert (frame_of(page), page.inner_text("#play")) == (2, "Play")
    page.locator("h1").click()
    page.keyboard.press(" ")
    assert page.inner_text("#play") == "Pause"
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#play") == "Play"


def test_slider(page, display):
    slider = page.get_by_label("Step", exact=True)
    assert slider.get_attribute("max") == str(2 * len(display.inertia))
    slider.fill("4")
    assert frame_of(page) == 4
    assert slider.get_attribute("aria-valuetext") == page.inner_text("#state")
    slider.press("ArrowRight")
    assert frame_of(page) == 5
    slider.press("End")
    assert frame_of(page) == 2 * len(display.inertia)
    page.click("#back")
    assert slider.input_value() == str(2 * len(display.inertia) - 1)


def test_play_to_the_end(page, display, X):
    page.click("#play")
    assert page.inner_text("#play") == "Pause"
    assert page.locator("#state").get_attribute("aria-live") == "off"
    last = 2 * len(display.inertia)
    page.locator(f"body[data-frame='{last}']").wait_for(timeout=20_000)
    page.locator("#play", has_text="Play").wait_for()
    assert page.locator("#state").get_attribute("aria-live") == "polite"
    heights = [float(point.split(",")[1]) for point in curve_of(page)]
    assert len(heights) == last
    assert heights == sorted(heights)  # downwards: y grows
    assert "It has converged" in page.inner_text("#state")
    assert page.locator("#step").is_disabled()
    fitted = KMeans(3, init=X[:3]).fit(X)
    assert inertia_of(page) == pytest.approx(fitted.inertia_, rel=1e-4)


def test_regions_are_of_the_nearest_centre(page, display):
    for frame in range(4):
        page.keyboard.press("ArrowRight")
        # Of the rows those near a border may be drawn on either side.
        cells = page.evaluate(
            """() => [...document.querySelectorAll('.row')].map(dot => {
                 const place = rows.createSVGPoint();
                 const {e, f} = dot.transform.baseVal[0].matrix;
                 place.x = e; place.y = f;
                 return [...document.querySelectorAll('.cell')]
                   .filter(cell => cell.isPointInFill(place))
                   .map(cell => cell.attributes.fill.value);
               })"""
        )
        centers = display.centers[(frame + 1) // 2]
        distances = np.linalg.norm(display.points[:, np.newaxis] - centers, axis=2)
        first, second = np.sort(distances, axis=1)[:, :2].T
        clear = second - first > 1e-3 * second
        assert clear.mean() > 0.95
        for row in np.flatnonzero(clear):
            assert cells[row] == [look_of(distances[row].argmin()).color]
    page.get_by_label("Regions").uncheck()
    assert page.locator(".cell").count() == 0


def test_axes_have_values(page, display):
    ticks = [tick.replace(",", "") for tick in page.locator("#rows .tick").all_text_contents()]
    values = np.array(ticks, float)
    assert len(values) > 6
    assert (values >= display.points.min() * 1.3).all()
    assert (values <= display.points.max() * 1.3).all()
    texts = page.locator("#curve text").all_text_contents()
    assert {"step", "inertia", "0", "1", "assigned", "moved"} <= set(texts)


def test_more_clusters_than_colors(opened, X):
    page = opened(LloydStepsDisplay.from_estimator(KMeans(9, random_state=0), X))
    page.click("#step")
    looks = page.locator(".row").evaluate_all(
        "all => all.map(dot => dot.attributes.fill.value + dot.attributes.d.value)"
    )
    assert len(set(looks)) == 9


def test_starts_to_choose_from(opened, X):
    model = KMeans(3, init="random", n_init=12, random_state=1)
    display = LloydStepsDisplay.from_estimator(model, X, max_starts=5)
    ends = [run.last_inertia for run in display.runs]
    np.testing.assert_allclose(ends, model.fit(X).start_inertias_[:5])
    page = opened(display)
    assert "The first 5 of 12 starts" in page.inner_text("#notes")
    for start in (3, 1):
        page.get_by_label("Start").select_option(index=start)
        assert frame_of(page) == 0
        page.click("h1")
        page.keyboard.press("End")
        assert inertia_of(page) == pytest.approx(ends[start], rel=1e-4)


def test_run_that_does_not_converge(opened, X):
    model = KMeans(3, init=X[:3], max_iter=1)
    display = LloydStepsDisplay.from_estimator(model, X)
    page = opened(display)
    page.keyboard.press("End")
    assert frame_of(page) == 3  # `fit` assigns the rows once more
    assert "It has not converged" in page.inner_text("#state")
    assert inertia_of(page) == pytest.approx(model.fit(X).inertia_, rel=1e-4)
    colors = np.array(colors_of(page))
    np.testing.assert_array_equal(colors, [look_of(label).color for label in model.labels_])


def test_empty_clusters_take_over_rows(opened, X):
    start = np.vstack([X[:2], X[:1]])
    display = LloydStepsDisplay.from_estimator(KMeans(3, init=start), X)
    (run,) = display.runs
    assert run.n_empty[0] == 1
    assert run.moved_inertia[0] <= run.inertia[0]
    page = opened(display)
    page.click("#step")
    page.click("#step")
    assert "it took the rows that cost most" in page.inner_text("#state")
    assert page.locator(".changed").count() == np.sum(run.moved_labels[0] != run.labels[0]) == 1


def test_projection_has_no_regions_and_says_so(opened):
    X, _ = make_blobs(60, 4, centers=3, random_state=0)
    page = opened(LloydStepsDisplay.from_estimator(KMeans(3, random_state=0), X))
    page.click("#step")
    assert page.locator(".cell").count() == 0
    assert page.get_by_label("Regions").is_hidden()
    assert "projection of 4 features" in page.inner_text("#notes")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_fits_the_window(opened, display, width, height, scheme):
    page = opened(display, viewport={"width": width, "height": height}, color_scheme=scheme)
    page.click("#step")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    box = page.locator("#rows").bounding_box()
    assert box["y"] + box["height"] < height  # controls, text and rows are seen together
    ink, paper = page.evaluate(
        """() => {
             const style = getComputedStyle(document.body);
             return [style.color, style.backgroundColor];
           }"""
    )
    brightness = [sum(map(int, re.findall(r"\d+", color)[:3])) for color in (ink, paper)]
    assert (brightness[0] < brightness[1]) == (scheme == "light")


def test_names_from_the_user_stay_text(display, tmp_path):
    evil = "</script><script>alert(1)</script>"
    named = LloydStepsDisplay(display.points, display.runs, (evil, "&"), 120, 1, 2)
    text = named.to_html(tmp_path / "evil.html").read_text(encoding="utf-8")
    assert text.count("<script>") == text.count("</script>") == 1
    assert "alert(1)" in text


def test_path_that_cannot_be_written(display, tmp_path):
    with pytest.raises(FileNotFoundError, match="missing"):
        display.to_html(tmp_path / "missing" / "steps.html")
    kept = tmp_path / "kept"
    kept.mkdir()
    with pytest.raises(OSError, match="kept"):
        display.to_html(kept)
    assert list(tmp_path.iterdir()) == [kept]  # nothing half written is left
