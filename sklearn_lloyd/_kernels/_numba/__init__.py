"""The compiled kernels, for dense rows. Importing this compiles nothing, but imports numba.

They run without the interpreter's lock, in the threads of `_threads`.
"""

from sklearn_lloyd._kernels._numba._assign import assign_block, label_block
from sklearn_lloyd._kernels._numba._batch import move_centers
from sklearn_lloyd._kernels._numba._bounds import follow, movement
from sklearn_lloyd._kernels._numba._drawing import draw_rows, order_by_block, sort_rows
from sklearn_lloyd._kernels._numba._seeding import place_trials, try_rows
from sklearn_lloyd._kernels._numba._sums import (
    add_moved,
    fill_norms,
    inertia,
    moments,
    move_rows,
    norms_and_keys,
    round_rows,
)
from sklearn_lloyd._kernels._numba._tables import CompiledCenters, Tables
from sklearn_lloyd._kernels._numba._taking import (
    add_mass,
    clip_and_sum,
    exact_gain,
    take_center,
    take_first_center,
)
from sklearn_lloyd._kernels._numba._vectors import lanes
from sklearn_lloyd._kernels._numba._widths import cluster_sums, distance_sums, own_and_nearest

__all__ = [
    "CompiledCenters",
    "Tables",
    "add_mass",
    "add_moved",
    "assign_block",
    "clip_and_sum",
    "cluster_sums",
    "distance_sums",
    "draw_rows",
    "exact_gain",
    "fill_norms",
    "follow",
    "inertia",
    "label_block",
    "lanes",
    "moments",
    "move_centers",
    "move_rows",
    "movement",
    "norms_and_keys",
    "order_by_block",
    "own_and_nearest",
    "place_trials",
    "round_rows",
    "sort_rows",
    "take_center",
    "take_first_center",
    "try_rows",
]
