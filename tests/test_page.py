"""The page with the steps of Lloyd's algorithm, in a real browser."""

import os
import shutil

import matplotlib.pyplot as plt
import numpy as np
import pytest
from playwright.sync_api import sync_playwright
from sklearn.datasets import make_blobs

from sklearn_lloyd import KMeans
from sklearn_lloyd.inspection import LloydStepsDisplay

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="module")
def display():
    X, _ = make_blobs(120, centers=3, random_state=2)
    display = LloydStepsDisplay.from_estimator(KMeans(3, init=X[:3]), X)
    plt.close(display.figure_)
    return display


@pytest.fixture
def page(display, tmp_path):
    """The page, opened; fails in the end on any error or request that it made."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None and not os.environ.get("SKLEARN_LLOYD_NEEDS_BROWSER"):
        pytest.skip("no Chromium on this machine")
    path = display.to_html(tmp_path / "steps.html")
    complaints, requests = [], []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=list(QUIET))
        page = chromium.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(path.as_uri())
        yield page
        chromium.close()
    assert complaints == []
    assert requests == [path.as_uri()]


def state(page):
    """The frame, the points of the curve so far, and where the numbers of the centres are."""
    curve = page.locator("#line").get_attribute("points").split()
    numbers = page.locator(".number")
    places = [
        [float(numbers.nth(i).get_attribute(axis)) for axis in "xy"]
        for i in range(numbers.count())
    ]
    return int(page.evaluate("document.body.dataset.frame")), curve, np.array(places)


def test_step_back_and_reset(page, display):
    n_steps = len(display.inertia)
    assert n_steps >= 3
    start = state(page)
    assert start[0] == 0
    assert start[1] == []
    assert page.locator("#back").is_disabled()
    page.click("#step")  # the rows choose
    chosen = state(page)
    assert (chosen[0], len(chosen[1])) == (1, 1)
    np.testing.assert_array_equal(chosen[2], start[2])
    colors = page.locator("#rows > circle").evaluate_all(
        "all => all.map(dot => dot.attributes.fill.value)"
    )
    for cluster in range(3):
        of_cluster = {colors[i] for i in np.flatnonzero(display.labels[0] == cluster)}
        assert len(of_cluster) == 1
    page.click("#step")  # the centres move
    moved = state(page)
    assert (moved[0], len(moved[1])) == (2, 1)
    assert np.abs(moved[2] - start[2]).max() > 1
    assert f"Step 1 of {n_steps}" in page.inner_text("#state")
    page.click("#back")
    np.testing.assert_array_equal(state(page)[2], chosen[2])
    page.click("#step")
    page.click("#step")
    assert len(state(page)[1]) == 2
    page.click("#reset")
    again = state(page)
    assert again[:2] == start[:2]
    np.testing.assert_array_equal(again[2], start[2])


def test_play_to_the_end(page, display):
    page.click("#play")
    assert page.inner_text("#play") == "Pause"
    last = 2 * len(display.inertia)
    page.locator(f"body[data-frame='{last}']").wait_for(timeout=20_000)
    page.locator("#play", has_text="Play").wait_for()
    frame, curve, _ = state(page)
    assert frame == last
    assert len(curve) == len(display.inertia)
    heights = [float(point.split(",")[1]) for point in curve]
    assert heights == sorted(heights)  # downwards: y grows
    assert "That was the last step" in page.inner_text("#state")
    assert page.locator("#step").is_disabled()


def test_names_from_the_user_stay_text(display, tmp_path):
    evil = "</script><script>alert(1)</script>"
    named = LloydStepsDisplay(
        display.points, display.labels, display.centers, display.inertia, (evil, "&"), 120
    )
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
