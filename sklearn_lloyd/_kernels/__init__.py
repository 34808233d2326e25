"""The array functions that do the work: one block of rows in, partial results out.

No threads and no loop over iterations in here. `_numpy` can do everything; `_numba`, where it
is installed, does what most of the time goes into, and leaves to `_numpy` what it cannot
decide. The definition is shared by both.
"""

from importlib import import_module
from importlib.util import find_spec

import numpy as np
from scipy import sparse

from sklearn_lloyd._kernels._csr import (
    has_duplicates,
    read_only,
    row_slice,
    sum_by_row,
    truth_as_numbers,
    with_dtype,
)
from sklearn_lloyd._kernels._distances import (
    CANCELLED,
    PAIRS,
    all_sq_distances,
    own_sq_distances,
    parts_of,
    row_size,
    sq_distances_to,
    sq_distances_to_all,
)
from sklearn_lloyd._kernels._gaps import gap_to
from sklearn_lloyd._kernels._numpy import are_few, batch_rows, nearest, trial_gains
from sklearn_lloyd._kernels._screen import (
    CenterTable,
    Screen,
    largest_norm_for,
    precision_for,
    scratch_array,
)
from sklearn_lloyd._kernels._sums import (
    add_sums,
    label_sums,
    measure_sums,
    moments,
    move_centers,
    move_to_means,
    norms_and_keys,
)
from sklearn_lloyd._optional import import_optional

BACKENDS = ("auto", "numpy", "numba")

_NONE = np.empty(0)
_MUCH_WORK = 1 << 22  # products in a pass, from which loading compiled code is soon paid back


def compiled_kernels(backend, X, n_clusters, n_before=0):
    """The compiled kernels, where `backend` and the rows call for them, or None.

    "auto" looks at the shape alone and how many passes over such rows there were before, not at
    what is loaded already, so that the same calls give the same result.

    Raises
    ------
    ImportError
        If backend is "numba" and numba cannot be imported.
    """
    if backend == "numba":
        import_optional("numba", extra="fast")
    n_values = X.nnz if sparse.issparse(X) else X.shape[0] * X.shape[1]
    work = n_values * n_clusters * (1 + n_before)
    if backend == "numpy" or (backend == "auto" and work < _MUCH_WORK):
        return None
    if not X.dtype.isnative:
        return None
    try:
        if backend == "auto" and find_spec("numba") is None:
            return None
        name = "sklearn_lloyd._kernels._numba"
        return import_module(f"{name}._csr" if sparse.issparse(X) else name)
    except ImportError:  # installed, but not for this NumPy
        return None


def array_of(values):
    """None as an array of nothing, which is how compiled kernels take it."""
    return _NONE if values is None else values


__all__ = [
    "BACKENDS",
    "CANCELLED",
    "PAIRS",
    "CenterTable",
    "Screen",
    "add_sums",
    "all_sq_distances",
    "are_few",
    "array_of",
    "batch_rows",
    "compiled_kernels",
    "gap_to",
    "has_duplicates",
    "label_sums",
    "largest_norm_for",
    "measure_sums",
    "moments",
    "move_centers",
    "move_to_means",
    "nearest",
    "norms_and_keys",
    "own_sq_distances",
    "parts_of",
    "precision_for",
    "read_only",
    "row_size",
    "row_slice",
    "scratch_array",
    "sq_distances_to",
    "sq_distances_to_all",
    "sum_by_row",
    "trial_gains",
    "truth_as_numbers",
    "with_dtype",
]
