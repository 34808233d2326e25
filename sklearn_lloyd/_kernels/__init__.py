"""The array functions that do the work: one block of rows in, partial results out.

No threads and no loop over iterations in here. Every backend has the function names of
`_numpy`, so far the only one; the definition and the sums are shared by all.
"""

from sklearn_lloyd._kernels._distances import own_sq_distances, sq_distances_to
from sklearn_lloyd._kernels._numpy import (
    CenterTable,
    batch_rows,
    nearest,
    sq_distances_to_all,
    trial_gains,
)
from sklearn_lloyd._kernels._sums import add_sums, label_sums, moments, norms_and_keys

BACKENDS = ("auto", "numpy")

__all__ = [
    "BACKENDS",
    "CenterTable",
    "add_sums",
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
