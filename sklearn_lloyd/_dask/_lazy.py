"""What a fitted model makes of the blocks of a collection, and tables that tell their columns."""

from __future__ import annotations

from functools import partial

import numpy as np

from sklearn_lloyd._compat import get_output_config
from sklearn_lloyd._optional import import_optional


def empty_like(X):
    """A table of NumPy or pandas with the columns of a collection; None for delayed blocks."""
    if isinstance(X, list | tuple):
        return None
    return empty_table(X.shape[1], None if hasattr(X, "chunks") else X.columns)


def empty_table(n_features, names):
    """A table without numbers that tells scikit-learn the features and their names, or None."""
    if names is None:
        return np.empty((1, n_features))
    return import_optional("pandas", extra="dask").DataFrame(columns=list(names))


def float_dtype(X):
    """The dtype of what is made of X: float32 if all of it is known to be, else float64."""
    dtypes = [getattr(X, "dtype", None)] if not hasattr(X, "dtypes") else list(X.dtypes)
    return np.dtype(np.float32 if all(each == np.float32 for each in dtypes) else np.float64)


def refuse_other_output(estimator):
    """Raise a ValueError if scikit-learn would load a collection into a frame of its own."""
    output = get_output_config("transform", estimator)["dense"]
    if output != "default":
        raise ValueError(
            f"The output of transform is set to {output!r}, for which all rows would be loaded. "
            "Set it to 'default' for dask: of a dask dataframe transform makes another."
        )


def lazily(X, model, method, dtype, columns=None):
    """What a method of a fitted model makes of each block, as a collection like X.

    Parameters
    ----------
    X : dask array, dask dataframe or list of Delayed
    model : estimator
        Of rows in memory.
    method : str
    dtype : dtype
    columns : sequence of str, default=None
        Of the result; None: it has one value for each row.
    """
    if isinstance(X, list | tuple):
        delayed = import_optional("dask", extra="dask").delayed
        of_block = _labels_of_block if columns is None else partial(_of_block, columns=columns)
        return [delayed(of_block)(block, model, method, dtype) for block in X]
    if hasattr(X, "chunks"):
        X = X.rechunk({1: -1})
        n_columns = 1 if columns is None else len(columns)
        found = X.map_blocks(
            _of_block, model, method, dtype, columns,
            dtype=dtype, meta=np.empty((0, 0), dtype), chunks=(X.chunks[0], n_columns),
        )  # fmt: skip
        # Not by drop_axis: some versions put sparse blocks together for it.
        return found[:, 0] if columns is None else found
    meta = ("cluster", dtype) if columns is None else [(name, dtype) for name in columns]
    return X.map_partitions(_of_partition, model, method, dtype, columns, meta=meta)


def _of_block(block, model, method, dtype, columns=None):
    """What the method makes of a block, (n_rows, n_columns); without rows, too."""
    block = block if hasattr(block, "shape") else np.asarray(block)
    if block.shape[0] == 0:
        return np.empty((0, 1 if columns is None else len(columns)), dtype)
    found = getattr(model, method)(block)
    if hasattr(found, "tocsr"):
        return found.astype(dtype, copy=False)
    return np.asarray(found, dtype).reshape(block.shape[0], -1)


def _labels_of_block(block, model, method, dtype):
    return _of_block(block, model, method, dtype)[:, 0]


def _of_partition(frame, model, method, dtype, columns):
    pandas = import_optional("pandas", extra="dask")
    values = _of_block(frame, model, method, dtype, columns)
    if columns is None:
        return pandas.Series(values[:, 0], index=frame.index, name="cluster")
    return pandas.DataFrame(values, index=frame.index, columns=columns)
