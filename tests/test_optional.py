"""Each extra missing, in every way: the error says what to install. Nothing else misses it.

(That the package works without any extra: `test_public_api.py`.)
"""

import re
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import metadata
from pathlib import Path

import pytest

import sklearn_lloyd
from sklearn_lloyd._optional import import_optional

ROOT = Path(sklearn_lloyd.__file__).parent
CALL = re.compile(r'import_optional\("([a-z0-9]+)[a-z0-9_.]*", extra="([a-z]+)"\)')


class Broken(MetaPathFinder):
    """As of a package that is there and does not fit: found, but its import fails."""

    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, self) if name == "matplotlib" else None

    def create_module(self, spec):
        raise ImportError("needs NumPy 9.9 or less")

    def exec_module(self, module):
        pass


class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "matplotlib":
            raise ModuleNotFoundError("No module named 'matplotlib'", name=name)


@pytest.mark.parametrize(
    ("finder", "why"),
    [(None, "is not a package"), (Missing(), "No module"), (Broken(), "NumPy 9.9")],
)
def test_the_error_says_what_to_install(finder, why, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    if finder is None:
        monkeypatch.setitem(sys.modules, "matplotlib", None)
    else:
        monkeypatch.setattr(sys, "meta_path", [finder, *sys.meta_path])
    with pytest.raises(ImportError, match=r"^matplotlib is needed here") as caught:
        import_optional("matplotlib.pyplot", extra="plot")
    assert why in str(caught.value)
    assert 'pip install "sklearn-lloyd[plot]"' in str(caught.value)


def test_what_is_there_is_imported():
    assert import_optional("json.decoder", extra="plot") is sys.modules["json.decoder"]


def test_every_extra_that_is_named_exists():
    sources = "".join(path.read_text() for path in ROOT.rglob("*.py"))
    calls = CALL.findall(sources)
    assert len(calls) == sources.count("import_optional(") - 1  # but for its definition
    required = metadata("sklearn-lloyd").get_all("Requires-Dist")
    for package, extra in calls:
        assert any(re.match(rf"{package}\b.*extra == ['\"]{extra}['\"]", one) for one in required)
