"""What all tests share."""

import pytest
from databases import new_database, postgresql
from joblib.externals.loky import get_reusable_executor


@pytest.fixture(autouse=True, scope="module")
def no_idle_workers():
    """End joblib's workers with each module.

    Idle ones end by themselves after five minutes. If that is just when they get work, joblib
    warns in a thread of its own; here warnings are errors, which end the thread, and the test
    waits for ever.
    """
    yield
    get_reusable_executor().shutdown(wait=True)


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
