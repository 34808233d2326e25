"""Collections of dask as blocks of rows, and passes over them: the only file that imports dask.

A pass calls a function on every block, where the block is, and adds up what it returns. The order
of the additions is a tree over the numbers of the blocks. It depends neither on the workers nor on
which of them has which block, so that results do not either.
"""

from __future__ import annotations

import pickle
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial, reduce
from uuid import uuid4

import numpy as np

from sklearn_lloyd._optional import import_optional

# Children of a node of the tree: neighbours in the order of the blocks. More make fewer levels,
# and more sums that the client adds; up to that many blocks the order is that of the core.
FAN_IN = 32
# Blocks of one task, where they are read anew in each pass. More take fewer tasks, of some
# milliseconds each, and more memory of a worker at once.
_PART_BYTES, _PART_BLOCKS = 1 << 26, 64
# Of the memory of all workers: blocks up to that are kept there. dask spills from 0.6 on.
_FITS = 0.5


def is_dask(X):
    """Whether X is a collection of dask, or a list of delayed blocks."""
    if isinstance(X, list | tuple):
        return len(X) > 0 and all(_is_delayed(block) for block in X)
    return hasattr(X, "__dask_graph__") and hasattr(X, "to_delayed")


def _is_delayed(block):
    return hasattr(block, "__dask_graph__") and hasattr(block, "key")


class Blocks:
    """The blocks of rows of a collection, with their weights.

    Parameters
    ----------
    X : dask array, dask dataframe or list of Delayed
        Blocks along the features are put together.
    sample_weight : dask array, dask series, list of Delayed, array-like or None
        Blocks as those of X. An array is cut where X is, whose sizes it then has to know.
    """

    def __init__(self, X, sample_weight=None):
        self._delayed = import_optional("dask.delayed", extra="dask").Delayed
        self._dask = import_optional("dask.base", extra="dask")
        self._rows = _delayed_blocks(X)
        self._weights = None
        if sample_weight is not None:
            self._weights = _delayed_weights(X, sample_weight, len(self._rows))
        self._parts, self.kept, self.n_passes = None, False, 0
        known = hasattr(X, "chunks") and not np.isnan(X.nbytes)
        self._known_bytes = X.nbytes if known else None

    def __len__(self):
        return len(self._rows)

    def keep_if_they_fit(self):
        """Have the workers hold the blocks from here on, if these take half of their memory."""
        client = self._client()
        if client is None:
            room = import_optional("distributed.system", extra="dask").MEMORY_LIMIT
        else:
            room = sum(worker["memory_limit"] or np.inf for worker in _workers(client).values())
        if self._n_bytes() > _FITS * room:
            return
        self.kept = True
        delayed = import_optional("dask", extra="dask").delayed
        # Blocks that dask has sent may not be aligned, which would slow down each pass.
        self._rows = list(self._dask.persist(*map(delayed(_aligned), self._rows)))
        if self._weights is not None:
            self._weights = list(self._dask.persist(*self._weights))
        if client is not None:
            self._parts = self._parts_of_workers(client)

    def run(self, function, args, add):
        """Call ``function(number, block, weights, args)`` on all blocks, and add up the results.

        Returns
        -------
        sums : list
            At most `FAN_IN` partial sums, in order; None stands for nothing to add.
        """
        parts = self._parts or _consecutive(len(self), self._size_of_part())
        nodes = self._compute(function, parts, args, add)
        self.n_passes += 1
        n_nodes, level = len(self), 0
        while n_nodes > FAN_IN:
            n_nodes, level = -(-n_nodes // FAN_IN), level + 1
        return [nodes[level, i] for i in range(n_nodes)]

    def run_on(self, function, numbers, args):
        """Call ``function(number, block, weights, args)`` on some blocks.

        Returns
        -------
        results : list of (number, result)
        """
        nodes = self._compute(function, [[number] for number in numbers], args, None)
        return [(number, nodes[0, number]) for number in numbers]

    def call_on_workers(self, function, *args):
        """Call a function once in each process that has run passes; never fails."""
        with suppress(Exception):  # what is gone needs no call
            client = self._client()
            if client is None:
                function(*args)
            else:
                client.run(function, *args, on_error="ignore")

    def _compute(self, function, parts, args, add):
        """Graph of one task for each part, and of one for each 32 of these."""
        # By chance, not by number: clients in several processes may share a scheduler.
        name = f"sklearn-lloyd-{function.__name__.strip('_')}-{uuid4().hex}"
        graph = self._graph_of({number for part in parts for number in part})
        graph[name + "-args"] = _Args(args)
        keys = []
        for i, part in enumerate(parts):
            blocks = [self._rows[number].key for number in part]
            weights = None if self._weights is None else [self._weights[n].key for n in part]
            keys.append((name, i))
            about = _Args((part, len(self)))
            graph[name, i] = _run_part, function, about, blocks, weights, name + "-args", add
        level = 0
        while len(keys) > FAN_IN:
            level += 1
            groups = [keys[i : i + FAN_IN] for i in range(0, len(keys), FAN_IN)]
            keys = [(f"{name}-{level}", i) for i in range(len(groups))]
            for key, group in zip(keys, groups, strict=True):
                graph[key] = (_merge_parts, group, _Args(len(self)), add)
        try:
            found = self._dask.compute(*(self._delayed(key, graph) for key in keys))
        except Exception as error:
            if not _is_loss(error):
                raise
            raise RuntimeError(
                f"The dask cluster was lost after {self.n_passes} passes over the rows "
                f"({type(error).__name__}: {error}). The estimator is as it was before: connect "
                "to a cluster, and fit again."
            ) from error
        return _merge_parts(found, _Args(len(self)), add)

    def _graph_of(self, numbers):
        graph, seen = {}, {}
        for blocks in (self._rows, self._weights or []):
            for number in numbers:
                part = blocks[number].dask if blocks else {}
                if id(part) not in seen:  # blocks of one collection share one graph
                    seen[id(part)] = part
                    graph.update(part)
        return graph

    def _n_bytes(self):
        """Bytes of all blocks; where they are not known, as if all had the largest of three."""
        if self._known_bytes is None:
            some = sorted({0, len(self) // 2, len(self) - 1})
            sizes = [size for _, size in self.run_on(_size_of, some, None)]
            self._known_bytes = max(sizes) * len(self)
        return self._known_bytes

    def _size_of_part(self):
        if self._client() is None:
            return 1
        size = max(1.0, self._n_bytes() / len(self))
        return max(1, min(_PART_BLOCKS, int(_PART_BYTES / size)))

    def _client(self):
        """The client of a cluster, or None where dask computes in threads or processes."""
        client = getattr(self._dask.get_scheduler(), "__self__", None)
        return client if hasattr(client, "who_has") else None

    def _parts_of_workers(self, client):
        """The blocks that lie on each worker, in as many parts as it has threads."""
        distributed = import_optional("distributed", extra="dask")
        futures = distributed.futures_of(self._rows)
        distributed.wait(futures)
        holders = client.who_has(futures)
        n_threads = client.nthreads()
        of_worker = {}
        for number, block in enumerate(self._rows):
            holder = next(iter(sorted(holders.get(block.key, ()))), None)
            of_worker.setdefault(holder, []).append(number)
        parts = []
        for holder, numbers in of_worker.items():
            n_parts = min(len(numbers), n_threads.get(holder, 1))
            parts += [part.tolist() for part in np.array_split(numbers, n_parts)]
        return sorted(parts)


class _Args:
    """What a task is given as it is: dask does not look into it.

    Arrays arrive in memory of their own: those that dask sends may not be aligned.
    """

    def __init__(self, value):
        self.value = value

    def __reduce__(self):
        return _args_of, (pickle.dumps(self.value, 4),)


def _args_of(pickled):
    return _Args(pickle.loads(pickled))


def _delayed_blocks(X):
    if isinstance(X, list | tuple):
        return list(X)
    if hasattr(X, "chunks"):
        if len(X.shape) != 2:
            raise ValueError(
                f"X is a dask array of {len(X.shape)} dimension(s), expected 2: rows and "
                "features. Reshape it, X.reshape(-1, 1) if it has one feature."
            )
        return X.rechunk({1: -1}).to_delayed().ravel().tolist()
    return list(X.to_delayed())


def _delayed_weights(X, weights, n_blocks):
    if not is_dask(weights):
        sizes = X.chunks[0] if hasattr(X, "chunks") else (np.nan,)
        if np.isnan(sizes).any():
            raise ValueError(
                "sample_weight is an array, and the sizes of the blocks of X are not known, so "
                "that it cannot be cut. Give a dask array or series with the blocks of X, or call "
                "X.compute_chunk_sizes() first."
            )
        weights = np.asarray(weights)
        if weights.shape != (sum(sizes),):
            raise ValueError(
                f"sample_weight.shape == {weights.shape}, expected {(sum(sizes),)}: one weight "
                "for each row of X."
            )
        weights = import_optional("dask.array", extra="dask").from_array(weights, (sizes,))
    if hasattr(weights, "chunks") and hasattr(X, "chunks"):
        known = not np.isnan([*weights.chunks[0], *X.chunks[0]]).any()
        if known and weights.shape == X.shape[:1]:
            weights = weights.rechunk((X.chunks[0],))
    blocks = list(weights) if isinstance(weights, list | tuple) else weights.to_delayed()
    blocks = np.ravel(np.array(blocks, object)).tolist()
    if len(blocks) != n_blocks:
        raise ValueError(
            f"sample_weight has {len(blocks)} blocks, and X has {n_blocks}: give one block of "
            "weights for each block of rows."
        )
    return blocks


def _is_loss(error):
    """Whether an error says that workers, or the scheduler, are gone."""
    ours = type(error).__module__.split(".")[0] == "distributed"
    return ours or isinstance(error, CancelledError | ConnectionError)


def _consecutive(n_blocks, size):
    return [list(range(i, min(i + size, n_blocks))) for i in range(0, n_blocks, size)]


def _workers(client):
    try:
        return client.scheduler_info(n_workers=-1)["workers"]
    except TypeError:  # before dask 2025.4, which tells all without being asked
        return client.scheduler_info()["workers"]


def _aligned(block):
    return np.require(block, requirements="A") if isinstance(block, np.ndarray) else block


def _size_of(number, block, weights, args):
    """Bytes of a block, as dask measures them."""
    return import_optional("dask.sizeof", extra="dask").sizeof(block)


def _run_part(function, part, blocks, weights, args, add):
    """What a worker does: the function on each block of a part, then what can be added up."""
    numbers, n_blocks = part.value
    weights = [None] * len(blocks) if weights is None else weights
    nodes = {
        (0, number): function(number, block, of_block, args.value)
        for number, block, of_block in zip(numbers, blocks, weights, strict=True)
    }
    return _added(nodes, n_blocks, add)


def _merge_parts(parts, n_blocks, add):
    nodes = {}
    for part in parts:
        nodes.update(part)
    return _added(nodes, n_blocks.value, add)


def _added(nodes, n_blocks, add):
    """Replace the children of each node of the tree by their sum, where all are there."""
    if add is None:
        return nodes
    n_nodes, level = n_blocks, 0
    while n_nodes > FAN_IN:
        parents = {i // FAN_IN for at, i in nodes if at == level}
        for parent in sorted(parents):
            children = [
                (level, i) for i in range(parent * FAN_IN, min((parent + 1) * FAN_IN, n_nodes))
            ]
            if all(child in nodes for child in children):
                values = [nodes.pop(child) for child in children]
                nodes[level + 1, parent] = total(values, add)
        n_nodes, level = -(-n_nodes // FAN_IN), level + 1
    return nodes


def total(values, add):
    """The sum of what is not None, in order; None if there is nothing."""
    values = [value for value in values if value is not None]
    return reduce(add, values) if values else None


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
