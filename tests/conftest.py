"""What all tests share."""

import os

import pytest
from joblib.externals.loky import get_reusable_executor

# The threads of scikit-learn turn round while they wait for each other, which takes ten times as
# long where other processes want the processor. Read when their library is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


@pytest.fixture(autouse=True, scope="module")
def no_idle_workers():
    """End joblib's workers with each module.

    Idle ones end by themselves after five minutes. If that is just when they get work, joblib
    warns in a thread of its own; here warnings are errors, which end the thread, and the test
    waits for ever.
    """
    yield
    get_reusable_executor().shutdown(wait=True)
