"""Lists of rows: which to look at, which are open, which changed."""

from __future__ import annotations

import numpy as np

from sklearn_lloyd._kernels._numba._jit import exact, exact_part, inlined

FLAGS = 256  # rows that are tested before those that fail are listed


@inlined
def list_flagged(flags, m, first, out, n):
    """Add `first` plus the places of those of the first m flags that are set to a list of n.

    Eight flags are looked at together. Returns how long the list is now.
    """
    words, eight = flags.view(np.uint64), np.uintp(8)
    for place in range(m, np.uintp(-(-np.intp(m) // 8) * 8)):
        flags[place] = 0
    for w in range((m + np.uintp(7)) // eight):
        if words[w]:
            for r in range(w * eight, min(w * eight + eight, m)):
                out[n] = first + r
                n += np.uintp(flags[r])
    return n


@exact
def find_active(labels, limit, drift, start, stop, out):
    """Rows from start to stop whose bound does not hold any more; returns how many."""
    n = np.uintp(0)  # unsigned indices need no test for counting from the end
    flags, stop = np.empty(FLAGS, np.uint8), np.uintp(stop)
    for first in range(np.uintp(start), stop, np.uintp(FLAGS)):
        m = min(np.uintp(FLAGS), stop - first)
        for r in range(m):
            flags[r] = not limit[first + r] > drift[np.uintp(labels[first + r])]
        n = list_flagged(flags, m, first, out, n)
    return np.intp(n)


@exact_part
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


@exact_part
def merge(index, n_first, n, scratch):
    """Bring the first n rows of `index` into order, of which the first so many are, and the rest.

    So that sums do not depend on what the bounds could tell.
    """
    a, b = 0, n_first
    for r in range(n):
        scratch[r] = index[r]
    for r in range(n):
        take_first = a < n_first and (b == n or scratch[a] < scratch[b])
        index[r] = scratch[a] if take_first else scratch[b]
        a += take_first
        b += not take_first


@exact_part
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


@exact_part
def open_rows(n, best, second, off, flags, out):
    """Which of the first n places the scores leave open; returns how many.

    `flags` is scratch memory for `FLAGS` of uint8.
    """
    n_open, n = np.uintp(0), np.uintp(n)
    for first in range(np.uintp(0), n, np.uintp(FLAGS)):
        m = min(np.uintp(FLAGS), n - first)
        for r in range(m):
            flags[r] = not second[first + r] - best[first + r] > off[first + r]
        n_open = list_flagged(flags, m, first, out, n_open)
    return np.intp(n_open)
