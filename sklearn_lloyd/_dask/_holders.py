"""Blocks that stay on the workers of a cluster for a fit, which are called there directly.

Each worker has one holder, an actor of dask: it has the blocks in memory and runs the passes. A
call takes 6 ms where a task takes 20, since the scheduler only passes it on. What a holder knows
can be had again: if a worker is lost, dask computes its blocks on others, which get new holders,
and the pass is run again.
"""

from __future__ import annotations

import pickle
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import NamedTuple

import numpy as np

from sklearn_lloyd._dask._arguments import Args, aligned
from sklearn_lloyd._dask._tree import merged, run_part
from sklearn_lloyd._optional import import_optional

# Losses in a row until a pass is given up: as often as dask starts a task again.
_ATTEMPTS = 4
# Seconds without an answer until it is asked whether the worker is still there. A worker that
# dies mostly is known at once.
_PATIENCE = 2.0
# Seconds without any worker until a fit is given up: new ones may be on their way.
_ALONE = 60.0


class Holder:
    """The blocks of one worker.

    Parameters
    ----------
    about : Args of (numbers of the blocks, number of all blocks, threads of the worker)
    blocks, weights : list
        `weights` may be None.
    """

    def __init__(self, about, blocks, weights):
        numbers, self._n_blocks, n_threads = about.value
        weights = [None] * len(blocks) if weights is None else weights
        held = zip(numbers, map(aligned, blocks), weights, strict=True)
        self._held = {number: (block, of_block) for number, block, of_block in held}
        self._n_threads = n_threads

    def run(self, given):
        """Args of what `run_part` makes of the blocks, or of some, and of the error if it fails.

        An error that comes in another way is one of dask: the worker is lost.
        """
        function, numbers, args, add = given.value
        numbers = [n for n in self._held if numbers is None or n in numbers]

        def of_thread(some):
            blocks, weights = zip(*(self._held[number] for number in some), strict=True)
            return run_part(function, some, blocks, weights, args, self._n_blocks, add)

        n_parts = min(self._n_threads, len(numbers))
        parts = [part.tolist() for part in np.array_split(numbers, n_parts)]
        try:
            if n_parts == 1:
                nodes = of_thread(parts[0])
            else:
                with ThreadPoolExecutor(n_parts) as pool:
                    nodes = merged(pool.map(of_thread, parts), self._n_blocks, add)
        except Exception as error:
            return Args((None, _sendable(error)))
        return Args((nodes, None))


def _sendable(error):
    """The error, or one that says the same if it does not come through a pickle."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


class _Held(NamedTuple):
    """A holder as the client knows it."""

    worker: str
    numbers: set
    future: object
    actor: object


class OtherClient(Exception):
    """dask ties actors to the default client of a process, which is not that of the fit."""


class LostWorker(ConnectionError):
    """A worker that holds blocks is gone."""


class Holders:
    """The holders of all blocks.

    Parameters
    ----------
    client : distributed.Client
    rows, weights : list of Delayed
        Persisted ones; `weights` may be None.
    """

    def __init__(self, client, rows, weights):
        self._distributed = import_optional("distributed", extra="dask")
        futures = {each.key: each for each in self._distributed.futures_of([rows, weights or []])}
        self._client, self._all = client, None
        self._rows = [futures[block.key] for block in rows]
        self._weights = weights and [futures[block.key] for block in weights]

    def run(self, function, numbers, args, add):
        """The nodes of each worker, of all blocks or of some numbers."""
        numbers = None if numbers is None else set(numbers)
        given = Args((function, numbers, args, add))
        for attempt in range(_ATTEMPTS):
            try:
                with self._client.as_current():  # it need not be the default one
                    if self._all is None:
                        with _thread_given_up(self._distributed):
                            self._all = self._placed()
                    return self._answers(given, numbers)
            except LostWorker:
                self.close()
                if attempt + 1 == _ATTEMPTS:
                    raise
                time.sleep(0.1 * 4**attempt)  # until the scheduler knows of it, too

    def close(self):
        """Have the workers let go of the blocks now; Python may find the actors much later."""
        if self._all is not None:
            with suppress(Exception):  # what is gone holds nothing
                self._client.cancel([held.future for held in self._all])
        self._all = None

    def _answers(self, given, numbers):
        asked = [held for held in self._all if numbers is None or held.numbers & numbers]
        try:
            calls = [held.actor.run(given) for held in asked]
            answers = [self._answer(*pair).value for pair in zip(asked, calls, strict=True)]
        except Exception as error:
            raise LostWorker(f"{type(error).__name__}: {error}") from error
        for _, error in answers:
            if error is not None:
                raise error
        return [nodes for nodes, _ in answers]

    def _answer(self, held, call):
        # Some losses dask tells by neither an error nor the status of the actor.
        return _result(
            call,
            lambda: held.future.status == "finished" and held.worker in self._client.nthreads(),
        )

    def _wait_for(self, futures):
        without_workers = 0.0
        while True:
            try:
                self._distributed.wait(futures, timeout=_PATIENCE)
                return
            except TimeoutError:
                without_workers += _PATIENCE
                if self._client.nthreads():
                    without_workers = 0.0
                elif without_workers >= _ALONE:
                    raise CancelledError(f"no workers for {without_workers:.0f} s") from None

    def _placed(self):
        """Have the workers hold the blocks that they have, about as many bytes for each thread."""
        futures = self._rows + (self._weights or [])
        self._wait_for(futures)  # those of a lost worker are computed again
        for future in futures:
            if future.status == "error":
                future.result()
        workers = self._client.who_has(self._rows)
        sizes = self._client.nbytes([block.key for block in self._rows], summary=False)
        n_threads = {worker: max(n, 1) for worker, n in self._client.nthreads().items()}
        blocks = []
        for block in self._rows:
            of_block = sorted(set(workers.get(block.key, ())) & set(n_threads))
            if not of_block:
                raise LostWorker(f"no worker has {block.key}")
            blocks.append((of_block[0], sizes.get(block.key, 0)))
        numbers_of = balanced(blocks, n_threads)
        futures = {
            worker: self._client.submit(
                Holder,
                Args((numbers, len(self._rows), n_threads[worker])),
                [self._rows[number] for number in numbers],
                self._weights and [self._weights[number] for number in numbers],
                workers=[worker], actor=True, pure=False,
            )
            for worker, numbers in numbers_of.items()
        }  # fmt: skip
        held = []
        for worker, future in futures.items():
            try:
                actor = _result(future, lambda worker=worker: worker in self._client.nthreads())
            except RuntimeError as error:  # of an actor that was lost as soon as it was there
                raise LostWorker(f"{type(error).__name__}: {error}") from error
            if getattr(actor, "client", None) is not self._client:
                raise OtherClient
            held.append(_Held(worker, set(numbers_of[worker]), future, actor))
        return held


@contextmanager
def _thread_given_up(distributed):
    """A fit within a task leaves its worker's thread to the tasks that it waits for."""
    try:
        distributed.secede()
    except Exception:  # in no task, or that has been done
        yield
        return
    try:
        yield
    finally:
        distributed.rejoin()


def _result(future, is_there):
    """The result of a future or a call, as long as its worker is there."""
    while True:
        try:
            return future.result(timeout=_PATIENCE)
        except TimeoutError:
            if not is_there():
                raise LostWorker("it does not answer") from None


def balanced(blocks, n_threads):
    """Which worker holds which blocks, so that no thread has much more to do than others.

    Blocks stay where they are, except that a worker with too many bytes gives some to others,
    which get a copy.

    Parameters
    ----------
    blocks : list of (worker, bytes)
    n_threads : dict of worker to int

    Returns
    -------
    numbers : dict of worker to list of int
        In order, without workers that have none.
    """
    held = {worker: [] for worker in sorted(n_threads)}
    loads = dict.fromkeys(held, 0)
    for number, (worker, size) in enumerate(blocks):
        held[worker].append(number)
        loads[worker] += size
    while True:
        most = max(held, key=lambda worker: loads[worker] / n_threads[worker])
        least = min(held, key=lambda worker: loads[worker] / n_threads[worker])
        # A block that leaves both with less than the one has now; from the end, so that
        # neighbours stay together.
        room = loads[most] / n_threads[most] * n_threads[least] - loads[least]
        fitting = (i for i in reversed(held[most]) if 0 < blocks[i][1] < room)
        moved = next(fitting, None)
        if moved is None:
            return {worker: sorted(numbers) for worker, numbers in held.items() if numbers}
        held[most].remove(moved)
        held[least].append(moved)
        loads[most] -= blocks[moved][1]
        loads[least] += blocks[moved][1]
