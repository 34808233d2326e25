"""The compiled kernels, for dense rows. Importing this compiles nothing, but imports numba.

They run without the interpreter's lock, in the threads of `_threads`.
"""

from sklearn_lloyd._kernels._numba._drawing import draw_rows, order_by_block, sort_rows
from sklearn_lloyd._kernels._numba._nearest import find_active, sort_out
from sklearn_lloyd._kernels._numba._seeding import tile_rows, trials_screen, try_rows
from sklearn_lloyd._kernels._numba._settle import settle, settle_fast
from sklearn_lloyd._kernels._numba._sums import (
    fill_norms,
    inertia,
    moments,
    move_rows,
    norms_and_keys,
)
from sklearn_lloyd._kernels._numba._taking import (
    add_mass,
    exact_gain,
    take_center,
    take_first_center,
)
from sklearn_lloyd._kernels._numba._workspace import Workspace

__all__ = [
    "Workspace",
    "add_mass",
    "draw_rows",
    "exact_gain",
    "fill_norms",
    "find_active",
    "inertia",
    "moments",
    "move_rows",
    "norms_and_keys",
    "order_by_block",
    "settle",
    "settle_fast",
    "sort_out",
    "sort_rows",
    "take_center",
    "take_first_center",
    "tile_rows",
    "trials_screen",
    "try_rows",
]
