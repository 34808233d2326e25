"""The blocks of rows of a collection of dask, and passes over them.

A pass calls a function on every block, where the block is, and adds up what it returns, in the
order of a tree over the numbers of the blocks.
"""

from __future__ import annotations

from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from os import PathLike
from uuid import uuid4

import numpy as np

from sklearn_lloyd._dask._arguments import Args
from sklearn_lloyd._dask._holders import Holders, LostWorker, OtherClient
from sklearn_lloyd._dask._tree import FAN_IN, merged, run_part, top
from sklearn_lloyd._optional import import_optional

# Blocks of one task, where they are read anew in each pass. More take fewer tasks, of some
# milliseconds each, and more memory of a worker at once: at most this share of what a thread has.
_PART_BYTES, _PART_BLOCKS, _PART_SHARE = 1 << 26, 64, 1 / 16
# Of the memory of all workers: blocks up to that are kept there. dask spills from 0.6 on.
_FITS = 0.5


def is_dask(X):
    """Whether X is a collection of dask, or a list of delayed blocks."""
    if isinstance(X, list | tuple):
        return len(X) > 0 and all(_is_delayed(block) for block in X)
    return hasattr(X, "__dask_graph__") and hasattr(X, "to_delayed") and not _is_delayed(X)


def _is_delayed(block):
    # Also true of a Delayed are questions for attributes that it does not have.
    return hasattr(block, "__dask_graph__") and hasattr(block, "dask") and hasattr(block, "key")


def require_dask(X):
    """Raise a TypeError unless X is a collection of dask; says how it becomes one."""
    if is_dask(X):
        return
    instead = "dask.array.from_array(X, chunks=(100_000, -1))"
    if isinstance(X, str | PathLike):
        instead = "dask.dataframe.read_parquet(X) reads Parquet"
    elif hasattr(X, "__dask_graph__"):
        instead = "give [X] if it is the one block of rows"
    elif hasattr(X, "columns"):
        instead = "dask.dataframe.from_pandas(X, npartitions=8)"
    elif isinstance(X, list | tuple):
        instead = "give blocks by dask.delayed, one at least"
    raise TypeError(
        "X should be a dask array, a dask dataframe or a list of Delayed; got "
        f"{type(X).__name__}. For rows in memory there is sklearn_lloyd.KMeans. As blocks: "
        f"{instead}."
    )


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
        if hasattr(X, "columns") and hasattr(sample_weight, "divisions"):
            X, sample_weight = _cut_alike(X, sample_weight)
        self._rows = _delayed_blocks(X)
        self._weights = None
        if sample_weight is not None:
            self._weights = _delayed_weights(X, sample_weight, len(self._rows))
        self._holders, self.kept, self.n_passes = None, False, 0
        known = hasattr(X, "chunks") and not np.isnan(X.nbytes)
        self._known_bytes = X.nbytes if known else None

    def __len__(self):
        return len(self._rows)

    def keep_if_they_fit(self):
        """Have the workers hold the blocks from here on, if these take half of their memory."""
        with self._naming_loss():
            client = self._client()
            if client is None:
                room = import_optional("distributed.system", extra="dask").MEMORY_LIMIT
            else:
                if not client.nthreads():  # an adaptive cluster starts some for a task
                    client.submit(int, pure=False).result()
                room = sum(memory for memory, _ in _rooms(client))
            if self._n_bytes() > _FITS * room:
                return
            self.kept = True
            self._rows = list(self._dask.persist(*self._rows))
            if self._weights is not None:
                self._weights = list(self._dask.persist(*self._weights))
            if client is None:
                return
            # Older dask persists in this process where the client is not the default one.
            if import_optional("distributed", extra="dask").futures_of(self._rows):
                self._holders = Holders(client, self._rows, self._weights)

    def run(self, function, args, add):
        """Call ``function(number, block, weights, args)`` on all blocks, and add up the results.

        Returns
        -------
        sums : list
            At most `FAN_IN` partial sums, in order; None stands for nothing to add.
        """
        nodes = self._nodes(function, None, args, add)
        self.n_passes += 1
        return top(nodes, len(self))

    def run_on(self, function, numbers, args):
        """Call ``function(number, block, weights, args)`` on some blocks.

        Returns
        -------
        results : list of (number, result)
        """
        nodes = self._nodes(function, list(numbers), args, None)
        return [(number, nodes[0, number]) for number in numbers]

    def close(self, function, *args):
        """Call a function once in each process that has run passes; never fails."""
        if self._holders is not None:
            self._holders.close()
        with suppress(Exception):  # what is gone needs no call
            client = self._client()
            if client is None:
                function(*args)
            else:
                client.run(function, *args, on_error="ignore")

    def _nodes(self, function, numbers, args, add):
        with self._naming_loss():
            parts = None
            if self._holders is not None:
                try:
                    parts = self._holders.run(function, numbers, args, add)
                except OtherClient:  # by tasks, then, which take longer
                    self._holders = None
            if parts is None:
                parts = self._compute(function, numbers, args, add)
        return merged(parts, len(self), add)

    @contextmanager
    def _naming_loss(self):
        """Say how far it has come if the cluster is lost."""
        client = self._client()
        try:
            yield
        except Exception as error:
            is_gone = client is not None and client.status != "running"
            if not (is_gone or _is_loss(error)):
                raise
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]  # not all the blocks
            raise RuntimeError(
                f"The dask cluster was lost after {self.n_passes} passes over the rows "
                f"({reason}). The estimator is as it was before: connect to a cluster, and fit "
                "again."
            ) from error

    def _compute(self, function, numbers, args, add):
        """Graph of one task for each part, and of one for each 32 of these."""
        if numbers is None:
            parts = _consecutive(len(self), self._size_of_part())
        else:
            parts = [[number] for number in numbers]
        # By chance, not by number: clients in several processes may share a scheduler.
        name = f"sklearn-lloyd-{function.__name__.strip('_')}-{uuid4().hex}"
        graph = self._graph_of({number for part in parts for number in part})
        graph[name + "-args"] = Args(args)
        keys = []
        for i, part in enumerate(parts):
            blocks = [self._rows[number].key for number in part]
            weights = None if self._weights is None else [self._weights[n].key for n in part]
            keys.append((name, i))
            about = Args((part, len(self)))
            graph[name, i] = _run_part, function, about, blocks, weights, name + "-args", add
        level = 0
        while len(keys) > FAN_IN:
            level += 1
            groups = [keys[i : i + FAN_IN] for i in range(0, len(keys), FAN_IN)]
            keys = [(f"{name}-{level}", i) for i in range(len(groups))]
            for key, group in zip(keys, groups, strict=True):
                graph[key] = merged, group, len(self), add
        return self._dask.compute(*(self._delayed(key, graph) for key in keys))

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
        if (client := self._client()) is None:
            return 1
        least = min(memory / max(n_threads, 1) for memory, n_threads in _rooms(client))
        size = max(1.0, self._n_bytes() / len(self))
        return max(1, min(_PART_BLOCKS, int(min(_PART_BYTES, _PART_SHARE * least) / size)))

    def _client(self):
        """The client of a cluster, or None where dask computes in threads or processes."""
        client = getattr(self._dask.get_scheduler(), "__self__", None)
        return client if hasattr(client, "who_has") else None


def _delayed_blocks(X):
    if isinstance(X, list | tuple):
        return list(X)
    if len(X.shape) != 2:
        instead = "X.to_frame()" if hasattr(X, "to_frame") else "X.reshape(-1, 1)"
        raise ValueError(
            f"X is a dask {type(X).__name__.lower()} of {len(X.shape)} dimension(s), expected 2: "
            f"rows and features. Give {instead} if it has one feature."
        )
    if hasattr(X, "chunks"):
        return X.rechunk({1: -1}).to_delayed().ravel().tolist()
    return list(X.to_delayed())


_WEIGHT = "sklearn-lloyd-weight"


def _cut_alike(X, weights):
    """A frame and a series from tables of the same columns, so that dask cuts both alike.

    By itself dask puts several files into a block where few columns are read. The price: files
    are read once for the rows, and once for the weights.
    """
    both = X.map_partitions(_beside, weights)
    return both.map_partitions(_all_but_weight), both.map_partitions(_weight_of)


def _beside(frame, weights):
    return frame.assign(**{_WEIGHT: weights.to_numpy()})


def _all_but_weight(frame):
    return frame.drop(columns=_WEIGHT)


def _weight_of(frame):
    return frame[_WEIGHT]


def _delayed_weights(X, weights, n_blocks):
    if not is_dask(weights):
        sizes = X.chunks[0] if hasattr(X, "chunks") else (np.nan,)
        if np.isnan(sizes).any():
            instead = "a series of the same dask frame"
            if hasattr(X, "chunks"):
                instead = "a dask array with its blocks, or call X.compute_chunk_sizes() first"
            raise ValueError(
                f"sample_weight is a {type(weights).__name__}, and the sizes of the blocks of X "
                f"are not known, so that it cannot be cut. Give {instead}."
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
    """Whether dask has lost workers or the scheduler; errors of reading a block are no loss."""
    ours = type(error).__module__.split(".")[0] == "distributed"
    return ours or isinstance(error, CancelledError | LostWorker)


def _consecutive(n_blocks, size):
    return [list(range(i, min(i + size, n_blocks))) for i in range(0, n_blocks, size)]


def _rooms(client):
    """(memory, threads) of each worker."""
    try:
        workers = client.scheduler_info(n_workers=-1)["workers"]
    except TypeError:  # before dask 2025.4, which tells all without being asked
        workers = client.scheduler_info()["workers"]
    return [(each["memory_limit"] or np.inf, each["nthreads"]) for each in workers.values()]


def _size_of(number, block, weights, args):
    """Bytes of a block, as dask measures them; of a frame, and of its numbers in an array."""
    size = import_optional("dask.sizeof", extra="dask").sizeof(block)
    return size + 8 * block.size if hasattr(block, "columns") else size


def _run_part(function, about, blocks, weights, args, add):
    """What a task does."""
    numbers, n_blocks = about.value
    return run_part(function, numbers, blocks, weights, args.value, n_blocks, add)
