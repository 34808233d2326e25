"""How many threads a call may use."""

from __future__ import annotations

from sklearn_lloyd._compat import openmp_effective_n_threads


def effective_n_threads(n_threads):
    """The number of threads to use now.

    None means what the machine, its cgroup, OMP_NUM_THREADS and the limits of joblib and
    threadpoolctl leave; it is asked anew at every call. The core starts its own threads, so this
    is all that it has to do with OpenMP.
    """
    return openmp_effective_n_threads() if n_threads is None else int(n_threads)
