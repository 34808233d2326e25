"""Collections of dask as blocks of rows, and passes over them; nothing else imports dask."""

from sklearn_lloyd._dask._blocks import Blocks, is_dask
from sklearn_lloyd._dask._lazy import empty_like, empty_table, float_dtype, lazily
from sklearn_lloyd._dask._tree import total

__all__ = [
    "Blocks",
    "empty_like",
    "empty_table",
    "float_dtype",
    "is_dask",
    "lazily",
    "total",
]
