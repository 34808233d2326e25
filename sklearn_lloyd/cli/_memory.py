"""The memory budget: what it is, which way to fit it allows, and whether it was kept."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import NamedTuple

MIB = 2**20
# The program with all that it imports, and one block of rows on its way; and what the reader of
# Parquet holds of a column (pages, dictionary, buffers). Measured, see benchmarks/batch.py.
PROGRAM, _PER_COLUMN = 280 * MIB, 5 * MIB
# Of a value: in X, and half of that once more for rows with many features. Of a row: see KMeans.
_PER_VALUE, _PER_ROW = 12, 64
# Exact k-means reads all rows some twenty times. Above so many values (64 GB) that takes hours.
_MOST_VALUES = 8_000_000_000
_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


class OverBudget(Exception):
    """The memory budget does not allow this, or was exceeded."""


class Way(NamedTuple):
    """A way to fit: which, and why."""

    method: str
    why: str


def parse_size(text):
    """Bytes of a size such as 512M, 2G, 2Gi or 1.5GiB; the units are powers of 1024."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:iB|i|B)?", text.strip(), re.IGNORECASE)
    size = int(float(match[1]) * _UNITS[match[2].upper()]) if match else 0
    if size <= 0:
        raise ValueError(f"{text!r} is no size of memory; write 512M or 2G.")
    if size < MIB and text.strip().isdigit():
        raise ValueError(f"{text!r} are bytes, as there is no unit; write 512M or 2G.")
    return size


class Budget:
    """How much memory the process may have at its peak.

    Parameters
    ----------
    limit : int or None
        Bytes; None: the limit of the container, or else the memory of the machine.

    Raises
    ------
    OverBudget
        If it is not even enough for the program.
    """

    def __init__(self, limit):
        self.origin = "--memory-limit"
        if limit is None:
            limit, self.origin = _limit_of_system()
        self.limit = limit
        if limit < PROGRAM:
            raise OverBudget(
                f"{shown(limit)} ({self.origin}) is too little: the program and the blocks that "
                f"it reads need {shown(PROGRAM)}."
            )

    def check(self):
        """Raise OverBudget if the process has had more than it may."""
        taken = peak()
        if taken is not None and taken > self.limit:
            raise OverBudget(
                f"{shown(taken)} were taken at the peak, and {shown(self.limit)} "
                f"({self.origin}) are allowed. Give more, or fewer columns."
            )

    def choose(self, n_rows, n_features, method="auto"):
        """How to fit so many rows: a `Way`.

        It depends on numbers alone, not on what is in use now: the same job is done the same way.
        """
        needed = PROGRAM + n_features * _PER_COLUMN
        needed += n_rows * (_PER_VALUE * n_features + _PER_ROW)
        size = f"{n_rows:,} rows x {n_features} columns"
        needs = f"{size} in memory need {shown(needed)} of {shown(self.limit)} ({self.origin})"
        if method == "fit" and needed > self.limit:
            raise OverBudget(f"{needs}: method 'fit' is not possible; 'auto' reads in blocks.")
        if method != "auto":
            return Way(method, "as was asked for")
        if needed <= self.limit:
            return Way("fit", needs)
        if n_rows * n_features <= _MOST_VALUES:
            return Way("batches", f"{needs}, so they are read again in each iteration")
        return Way("mini-batches", f"{needs}, and to read them in each iteration takes hours")


def peak():
    """The most memory that the process has had, in bytes; None where nothing tells."""
    try:
        # Of this program alone: ru_maxrss starts from what the parent held at the fork.
        status = Path("/proc/self/status").read_text()
        return 1024 * int(re.search(r"VmHWM:\s*(\d+)", status)[1])
    except (OSError, TypeError):
        pass
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def shown(n_bytes):
    return f"{n_bytes / MIB:,.0f} MiB"


def _limit_of_system():
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            limit = int(Path(path).read_text())
        except (OSError, ValueError):  # none, or "max"
            continue
        if limit < 2**60:  # else none, as version 1 says it
            # What the kernel keeps for the process counts there, too.
            return limit * 9 // 10, "nine tenths of the limit of the container"
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf(
            "SC_PHYS_PAGES"
        ), "the memory of this machine"
    except (AttributeError, ValueError, OSError):
        return 2**33, "taken for granted on this system"
