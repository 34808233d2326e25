"""The native core: one pass over all rows, on all threads, is one call.

`native` is compiled from `src/` when the package is built. Its functions check what they are
given: arrays of the dtypes and shapes that their first lines name, never anything that a kernel
could read or write outside of.
"""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np

from sklearn_lloyd._core import _native as native

__all__ = ["core_array", "native", "options"]


def core_array(values, dtype):
    """The values as the core takes them: of this dtype, in C order, aligned.

    They are copied only if they are not so. Arrays from pickles and from other processes may lie
    anywhere in memory.
    """
    return np.require(values, dtype, ["C", "A"])


@contextmanager
def options(*, block_rows=0, screen=0, fast_centers=0, least_work=0):
    """Have few rows take the ways that many take; for tests.

    Labels, drawn rows and iterations never depend on any of these; sums of rows depend on
    `block_rows` in their last digits.

    Parameters
    ----------
    block_rows : int
        Rows of a block.
    screen : {0, 1, 16, 32, 64}
        How distances are screened: in float32, in float64, or not at all (1). 16: as by itself,
        but seedings look at the rows in whole numbers of 16 bits first, and passes at rows on a
        few axes, whether that pays or not. 0: as the data call for.
    fast_centers : int
        Fast centres that the bounds keep apart, at least, where there are four times as many.
    least_work : int
        Products that call for one more thread.
    """
    native.set_options(block_rows, screen, fast_centers, least_work)
    try:
        yield
    finally:
        native.set_options(0, 0, 0, 0)
