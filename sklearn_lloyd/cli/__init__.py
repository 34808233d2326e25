"""The command ``sklearn-lloyd``: fit, predict, profile and watch for drift, as batch jobs do."""

from sklearn_lloyd.cli._main import main

__all__ = ["main"]
