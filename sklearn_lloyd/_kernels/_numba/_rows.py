"""Lists of rows: which to look at, which are open, which changed."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import exact

_FLAGS = 256  # rows that are tested before those that fail are listed


@exact
def find_active(labels, limit, drift, start, stop, out):
    """Rows from start to stop whose bound does not hold any more; returns how many."""
    n = np.uintp(0)  # unsigned indices need no test for counting from the end
    holds = np.empty(_FLAGS, np.uint8)
    stop, one = np.uintp(stop), np.uintp(1)
    for first in range(np.uintp(start), stop, np.uintp(_FLAGS)):
        m = min(np.uintp(_FLAGS), stop - first)
        for r in range(m):
            holds[r] = limit[first + r] > drift[np.uintp(labels[first + r])]
        for r in range(m):
            out[n] = first + r
            n += one - np.uintp(holds[r])
    return np.intp(n)


@exact
def split(index, n, labels, limit, drift_slow, fast):
    """Keep in `index` the rows that are not safe from the slow centres; list the others.

    Returns the length of each.
    """
    n_full, n_fast = np.uintp(0), np.uintp(0)
    for r in range(np.uintp(n)):
        i = index[r]
        safe = np.uintp(limit[np.uintp(i)] > drift_slow[np.uintp(labels[np.uintp(i)])])
        index[n_full] = i
        fast[n_fast] = i
        n_full += np.uintp(1) - safe
        n_fast += safe
    return np.intp(n_full), np.intp(n_fast)


@exact
def merge(index, n_first, n, scratch):
    """Bring the first n rows of `index` into order, of which the first so many are, and the rest.

    So that sums do not depend on what the bounds could tell.
    """
    scratch[:n] = index[:n]
    a, b = 0, n_first
    for r in range(n):
        take_first = a < n_first and (b == n or scratch[a] < scratch[b])
        index[r] = scratch[a] if take_first else scratch[b]
        a += take_first
        b += not take_first


@exact
def take_over(index, n, label, labels, limits, limit, changed, old):
    """Write labels and limits down; list the rows with a new label, and the one before."""
    n_changed = np.uintp(0)
    for r in range(np.uintp(n)):
        i = np.uintp(index[r])
        before, new = labels[i], np.intp(label[r])
        labels[i] = new
        changed[n_changed] = i
        old[n_changed] = before
        n_changed += np.uintp(before != new)
    if limit.size:
        for r in range(np.uintp(n)):
            limit[np.uintp(index[r])] = limits[r]
    return np.intp(n_changed)


@exact
def open_rows(n, best, second, off, out):
    """Which of the first n places the scores leave open; returns how many."""
    n_open, n = np.uintp(0), np.uintp(n)
    proved, one = np.empty(_FLAGS, np.uint8), np.uintp(1)
    for first in range(np.uintp(0), n, np.uintp(_FLAGS)):
        m = min(np.uintp(_FLAGS), n - first)
        for r in range(m):
            proved[r] = second[first + r] - best[first + r] > off[first + r]
        for r in range(m):
            out[n_open] = first + r
            n_open += one - np.uintp(proved[r])
    return np.intp(n_open)
