"""What all tests share."""

import os
import shutil
import sys

import pytest
from databases import new_database, postgresql
from joblib.externals.loky import get_reusable_executor

# The threads of scikit-learn turn round while they wait for each other, which takes ten times as
# long where other processes want the processor. Read when their library is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@pytest.fixture(scope="module")
def chromium():
    """A browser without a window."""
    from playwright.sync_api import sync_playwright

    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None and not os.environ.get("SKLEARN_LLOYD_NEEDS_BROWSER"):
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=list(QUIET))
        yield chromium
        chromium.close()


@pytest.fixture(autouse=True, scope="module")
def no_idle_workers():
    """End joblib's workers with each module.

    Idle ones end by themselves after five minutes. If that is just when they get work, joblib
    warns in a thread of its own; here warnings are errors, which end the thread, and the test
    waits for ever.
    """
    yield
    get_reusable_executor().shutdown(wait=True)


@pytest.fixture(autouse=True)
def no_figures_left():
    """Close what a test drew with pyplot, which keeps its figures for the next test."""
    yield
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot:
        pyplot.close("all")


@pytest.fixture(scope="session")
def postgresql_server():
    """The URL of a PostgreSQL server, without a database; see `databases`."""
    with postgresql() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """The URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/segments.db"
    return new_database(request.getfixturevalue("postgresql_server"))
