"""What workers are given, in memory that the kernels read at full speed."""

from __future__ import annotations

import pickle

import numpy as np


class Args:
    """What is sent as it is, in one piece: dask does not look into it.

    Many small arrays travel faster so, and arrive aligned, which those that dask sends may not be.
    """

    def __init__(self, value):
        self.value = value

    def __reduce__(self):
        return _args_of, (pickle.dumps(self.value, 4),)


def _args_of(pickled):
    return Args(pickle.loads(pickled))


def aligned(block):
    """The block, or a copy if dask has laid it where it is not aligned."""
    return np.require(block, requirements="A") if isinstance(block, np.ndarray) else block
