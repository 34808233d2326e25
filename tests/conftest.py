"""What all tests share."""

import pytest
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
