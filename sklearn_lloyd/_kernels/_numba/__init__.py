"""The compiled kernels, for dense rows. Importing this compiles nothing, but imports numba.

They run without the interpreter's lock, in the threads of `_threads`.
"""

from sklearn_lloyd._kernels._numba._assign import assign_block
from sklearn_lloyd._kernels._numba._batch import measure_sums, move_centers, move_to_means
from sklearn_lloyd._kernels._numba._bounds import follow
from sklearn_lloyd._kernels._numba._code_tables import (
    FLOOR,
    CodeTables,
    encode_rows,
    project,
    scale_for,
)
from sklearn_lloyd._kernels._numba._codes import LANES
from sklearn_lloyd._kernels._numba._drawing import cut_into_blocks, draw_rows, sort_rows
from sklearn_lloyd._kernels._numba._greedy import choose_rows
from sklearn_lloyd._kernels._numba._iterate import iterate
from sklearn_lloyd._kernels._numba._labels import label_block
from sklearn_lloyd._kernels._numba._seeding import ask_again, place_trials, try_rows
from sklearn_lloyd._kernels._numba._sums import (
    add_moved,
    fill_norms,
    inertia,
    moments,
    move_rows,
    norms_and_keys,
)
from sklearn_lloyd._kernels._numba._tables import CompiledCenters, Tables
from sklearn_lloyd._kernels._numba._taking import (
    add_mass,
    clip_and_sum,
    exact_gain,
    take_center,
    take_first_center,
)
from sklearn_lloyd._kernels._numba._team import N_TOLD, dismiss
from sklearn_lloyd._kernels._numba._team import SIZE as SIZE_OF_TEAM
from sklearn_lloyd._kernels._numba._vectors import lanes
from sklearn_lloyd._kernels._numba._widths import cluster_sums, distance_sums, own_and_nearest

__all__ = [
    "FLOOR",
    "LANES",
    "N_TOLD",
    "SIZE_OF_TEAM",
    "CodeTables",
    "CompiledCenters",
    "Tables",
    "add_mass",
    "add_moved",
    "ask_again",
    "assign_block",
    "choose_rows",
    "clip_and_sum",
    "cluster_sums",
    "cut_into_blocks",
    "dismiss",
    "distance_sums",
    "draw_rows",
    "encode_rows",
    "exact_gain",
    "fill_norms",
    "follow",
    "inertia",
    "iterate",
    "label_block",
    "lanes",
    "measure_sums",
    "moments",
    "move_centers",
    "move_rows",
    "move_to_means",
    "norms_and_keys",
    "own_and_nearest",
    "place_trials",
    "project",
    "scale_for",
    "sort_rows",
    "take_center",
    "take_first_center",
    "try_rows",
]
