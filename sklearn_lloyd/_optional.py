"""Extras: packages that the user may or may not have, imported where they are first needed."""

from __future__ import annotations

from importlib import import_module


def import_optional(module, extra):
    """Import `module`, or say which extra brings it.

    Raises
    ------
    ImportError
        Names the package and the command that installs it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = module.split(".")[0]
        raise ImportError(
            f"{package} is needed here and could not be imported ({error}). Install it with "
            f'`pip install "sklearn-lloyd[{extra}]"`.'
        ) from error
