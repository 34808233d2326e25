"""The version of the package, where the build and the models both find it."""

__version__ = "0.1.0"
