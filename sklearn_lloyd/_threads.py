"""Thread count, worker pool and BLAS limit: the only file that imports threadpoolctl.

Limits come in two kinds. Some BLAS builds keep the number of threads for the whole
process (OpenBLAS on pthreads, BLIS): those are counted, so that the first of several fits
at once sets the limit and the last one puts the user's value back. OpenMP builds keep it
for each thread: those are set in every worker, and put back in the caller's thread.
"""

from __future__ import annotations

import functools
import os
import threading
from contextlib import ExitStack, contextmanager
from queue import SimpleQueue

import numpy as np
from threadpoolctl import ThreadpoolController

from sklearn_lloyd._compat import openmp_effective_n_threads


def effective_n_threads(n_threads):
    """The number of threads to use now.

    None means what the machine, its cgroup, OMP_NUM_THREADS and the limits of joblib and
    threadpoolctl leave; it is asked anew at every call.
    """
    return openmp_effective_n_threads() if n_threads is None else int(n_threads)


class _ProcessWideLimit:
    """Holds process-wide BLAS libraries to one thread while anybody is inside."""

    def __init__(self):
        self._lock = threading.Lock()
        self._inside = 0
        self._limiter = None

    def __enter__(self):
        with self._lock:
            if self._inside == 0:
                self._limiter = _blas()[0].limit(limits=1)
            self._inside += 1

    def __exit__(self, *exc_info):
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self.restore()

    def restore(self):
        """Put the user's limits back, if they are held."""
        if self._limiter is not None:
            self._limiter.restore_original_limits()
            self._limiter = None


@functools.lru_cache(maxsize=1)
def _blas():
    """The BLAS libraries: those that keep one limit for the process, those with one a thread."""
    blas = ThreadpoolController().select(user_api="blas")
    by_thread = [lib for lib in blas.lib_controllers if _on_openmp(lib)]
    by_process = [lib for lib in blas.lib_controllers if not _on_openmp(lib)]
    return tuple(
        blas.select(filepath=[lib.filepath for lib in libs]) for libs in (by_process, by_thread)
    )


def _on_openmp(lib):
    return getattr(lib, "threading_layer", None) == "openmp"


_process_wide_limit = _ProcessWideLimit()


def _reset_after_fork():
    # The lock may have been held, and the count raised, by threads that the child lacks.
    global _process_wide_limit
    _process_wide_limit.restore()
    _process_wide_limit = _ProcessWideLimit()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_after_fork)


_SILENT = {"over": "ignore", "invalid": "ignore"}


class WorkerPool:
    """Runs functions on the caller's thread and on `n_workers - 1` others, until it is stopped.

    An executor of the standard library takes twice as long to hand over work and to see its end,
    which a fit does some hundred times.
    """

    def __init__(self, n_workers):
        self._tasks = SimpleQueue()
        self._threads = []
        self._dismissed = False
        try:
            for _ in range(n_workers - 1):
                # Daemons, lest a pool that an interrupted generator holds open keeps Python from
                # ending. None of them works while nobody waits for it.
                thread = threading.Thread(target=self._serve, name="sklearn_lloyd", daemon=True)
                thread.start()
                self._threads.append(thread)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        self._dismiss()
        for thread in self._threads:
            thread.join()

    def _dismiss(self):
        """Have the threads end when nothing is left to do."""
        if not self._dismissed:
            self._dismissed = True
            for _ in self._threads:
                self._tasks.put(None)

    def run(self, work, lead=None, last=False):
        """Call `work()` on every worker; return when all are done, raise what one raised.

        If there is something to `lead`, the caller's thread calls that, and returns its value.
        After what is said to be the `last`, threads need not be woken up once more to end; what
        comes all the same, the caller's thread does by itself.
        """
        tasks = [] if self._dismissed else [_Task(work) for _ in self._threads]
        for task in tasks:
            self._tasks.put(task)
        if last:
            self._dismiss()
        try:
            value = (lead or work)()
        finally:
            errors = [task.error() for task in tasks]
        for error in errors:
            if error is not None:
                raise error
        return value

    def later(self, work):
        """Start `work()` on another worker, if there is one.

        Returns what gives its value, once.
        """
        if self._dismissed or not self._threads:
            return work
        task = _Task(work)
        self._tasks.put(task)
        return task.value

    def _serve(self):
        # Both belong to the thread, and end with it.
        _blas()[1].limit(limits=1)
        np.seterr(**_SILENT)
        for task in iter(self._tasks.get, None):
            task.do()
            del task  # and what it has found


class _Task:
    def __init__(self, work):
        self._work = work
        self._outcome = SimpleQueue()

    def do(self):
        try:
            value, error = self._work(), None
        except BaseException as raised:
            value, error = None, raised
        self._outcome.put((value, error))

    def error(self):
        """Wait for the end of the work; what it raised, or None."""
        return self._outcome.get()[1]

    def value(self):
        """Wait for the value of the work."""
        value, error = self._outcome.get()
        if error is not None:
            raise error
        return value


@contextmanager
def worker_pool(n_workers, calls_blas=True):
    """A pool for the time of one fit or predict, with BLAS held to one thread in it.

    Nothing outlives the block, so there is nothing to pickle, to share or to lose in a fork.
    Floating point overflow is silent inside: the kernels take it for a row that is not
    decided, and validation has dealt with data that cannot be told apart at all. What does not
    call BLAS can say so, and is spared the limit.
    """
    with ExitStack() as stack:
        stack.enter_context(np.errstate(**_SILENT))
        if calls_blas:
            stack.enter_context(_process_wide_limit)
            stack.enter_context(_blas()[1].limit(limits=1))
        pool = WorkerPool(n_workers)
        stack.callback(pool.stop)
        yield pool
