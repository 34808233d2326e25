"""The array functions that do the work: one block of rows in, partial results out.

No threads and no loop over iterations in here. Every backend has the same function names;
so far there is one, NumPy.
"""

from sklearn_lloyd._kernels._numpy import (
    CenterTable,
    batch_rows,
    label_sums,
    moments,
    nearest,
    norms_and_keys,
    own_sq_distances,
    sq_distances_to,
    sq_distances_to_all,
    trial_gains,
)

BACKENDS = ("auto", "numpy")

__all__ = [
    "BACKENDS",
    "CenterTable",
    "batch_rows",
    "label_sums",
    "moments",
    "nearest",
    "norms_and_keys",
    "own_sq_distances",
    "sq_distances_to",
    "sq_distances_to_all",
    "trial_gains",
]
