"""The canonical order of the rows: by key, so that the order they are given in does not show.

A key is a fixed projection of a row. Equal rows have equal keys, stand side by side and are
interchangeable, so what goes through this order depends on the weighted *set* of rows. Draws
of the core go through it, too, and sort only as much as they need.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np

_MANY = 1 << 14  # keys, from which sorting whole numbers is worth its preparation


class CanonicalRows:
    """The rows of a problem in canonical order, which is sorted when it is asked for.

    Parameters
    ----------
    keys : ndarray of shape (n_samples,), float64
        A fixed projection of each row.
    """

    def __init__(self, keys):
        self.keys = keys

    @cached_property
    def _sorted(self):
        return order_and_groups(self.keys)

    @property
    def order(self):
        """The rows, sorted by key; equal rows as they were given."""
        return self._sorted[0]

    @property
    def group_starts(self):
        """Where in the order each run of equal rows starts."""
        return self._sorted[1]

    def equal_to(self, row):
        """All rows equal to `row`, itself among them."""
        key = self.keys[row]
        start = np.searchsorted(self.keys, key, side="left", sorter=self.order)
        stop = np.searchsorted(self.keys, key, side="right", sorter=self.order)
        return self.order[start:stop]

    def group_of(self):
        """The number of each row's group of equal rows, in canonical order."""
        n_groups = self.group_starts.size
        group_of = np.empty(self.keys.size, np.intp)
        sizes = np.diff(self.group_starts, append=self.keys.size)
        group_of[self.order] = np.repeat(np.arange(n_groups), sizes)
        return group_of

    def group_sums(self, values):
        """The sum of `values` (one for each row) over each group of equal rows."""
        return np.add.reduceat(values[self.order], self.group_starts)


def order_and_groups(keys):
    """The stable order of the keys, and where in it each run of equal keys starts.

    Many keys are rounded to as many bits as a row number leaves of 64: whole numbers are
    sorted several times as fast as an index. Keys that the rounding makes equal are few.
    """
    low, high = keys.min(initial=np.inf), keys.max(initial=-np.inf)
    n_bits = keys.size.bit_length()
    if keys.size < _MANY or not 0 < high - low < np.inf:
        return _order_and_groups(keys)
    rounded = ((keys - low) * (2.0 ** (62 - n_bits) / (high - low))).astype(np.int64)
    rounded <<= n_bits
    rounded += np.arange(keys.size)
    rounded.sort()
    order = (rounded & ((1 << n_bits) - 1)).astype(np.intp, copy=False)
    rounded >>= n_bits
    starts = np.concatenate([[True], rounded[1:] != rounded[:-1]])
    same = np.flatnonzero(~starts)
    apart = keys.take(order.take(same)) != keys.take(order.take(same - 1))
    if apart.any():
        if np.count_nonzero(apart) > _MANY:
            return _order_and_groups(keys)
        group = np.cumsum(starts)
        for number in set(group[same[apart]].tolist()):
            run = slice(*group.searchsorted([number, number + 1]))
            rows = order[run]
            rows[:], inner = rows[np.argsort(keys[rows], kind="stable")], keys[rows]
            inner.sort()
            starts[run.start + 1 : run.stop] = inner[1:] != inner[:-1]
    return order, np.flatnonzero(starts)


def _order_and_groups(keys):
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    return order, np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
