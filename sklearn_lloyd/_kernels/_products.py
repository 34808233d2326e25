"""Products of centres with many rows, in pieces that BLAS is fast at."""

from __future__ import annotations

import numpy as np

# Products with up to so many centres go by tiles of rows, feature by feature or row by row.
_FEW_CENTERS = 16, 32
_TILE = 1024  # rows; or rows times centres, where the rows lie one by one...
_FEWEST_FEATURES = 32  # ...and are not too short for it


def can_be_multiplied(rows):
    """Whether BLAS takes the rows as they lie in memory."""
    return rows.itemsize in rows.strides and min(rows.strides) > 0


def multiply(table, block, out):
    """The product of few centres and many rows, in tiles of rows where BLAS is faster at those.

    OpenBLAS has code of its own for small matrices, two to four times as fast for so few centres.
    """
    n_rows, tile = block.shape[1], _tile(len(table), block)
    whole = 0 if tile is None else n_rows // tile * tile
    if whole:
        tiles, products = (
            array[:, :whole].reshape(len(array), -1, tile).transpose(1, 0, 2)
            for array in (block, out)
        )
        np.matmul(table, tiles, out=products)
    if whole < n_rows:
        np.matmul(table, block[:, whole:], out=out[:, whole:])
    return out


def _tile(n_clusters, block):
    """How many rows to multiply at once, or None for all."""
    if block.strides[1] == block.itemsize:
        return _TILE if n_clusters <= _FEW_CENTERS[0] else None
    if n_clusters > _FEW_CENTERS[1] or len(block) < _FEWEST_FEATURES:
        return None
    return max(32, min(128, _TILE >> (n_clusters - 1).bit_length()))
