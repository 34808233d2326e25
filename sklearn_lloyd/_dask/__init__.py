"""Collections of dask as blocks of rows, and passes over them; nothing else imports dask."""

from sklearn_lloyd._dask._blocks import Blocks, is_dask, require_dask
from sklearn_lloyd._dask._lazy import (
    empty_like,
    empty_table,
    float_dtype,
    lazily,
    refuse_other_output,
)
from sklearn_lloyd._dask._tree import total

__all__ = [
    "Blocks",
    "empty_like",
    "empty_table",
    "float_dtype",
    "is_dask",
    "lazily",
    "refuse_other_output",
    "require_dask",
    "total",
]
