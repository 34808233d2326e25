"""A page of its own that plays the steps of Lloyd's algorithm: no network, no library."""

from __future__ import annotations

import json
import os
import tempfile
from importlib.resources import files

_MARK = "/*DATA*/null"
_DIGITS = 5


def write_page(path, **data):
    """Write the page, in one go, and return its path.

    Parameters
    ----------
    path : pathlib.Path
    **data
        What can be written as JSON: points, runs, axes, colors, markers, shown, starts, features.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"There is no folder {path.parent} to write {path.name} to.")
    text = json.dumps(_rounded(data), separators=(",", ":"))
    # Names of features come from the user: they must not end the script that holds them.
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    page = _page().replace(_MARK, text)
    # A page that is half written never takes the place of one that is whole.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(page)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    return path


def parts_of_page():
    """The style, the elements and the script of the page, for other pages with the same picture.

    Without data the script draws nothing until its function `load` is called.
    """
    page = _page()
    marks = (
        ("<style>", "</style>"),
        ("<!-- stage -->", "<!-- end of stage -->"),
        ("<script>", "</script>"),
    )
    return tuple(page.split(begin, 1)[1].split(end, 1)[0] for begin, end in marks)


def _page():
    return files(__package__).joinpath("steps.html").read_text(encoding="utf-8")


def _rounded(data):
    if isinstance(data, dict):
        return {name: _rounded(value) for name, value in data.items()}
    if isinstance(data, list):
        return [_rounded(value) for value in data]
    return float(f"{data:.{_DIGITS}g}") if isinstance(data, float) else data


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
