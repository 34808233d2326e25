"""Threads that work on one thing after the other, without going back to Python in between.

One of them leads: it cuts the work into tasks, says when there are some to be done, does its share
of these and goes on when all are done. The others take tasks as long as there are any. Who
takes which is left to chance; so tasks must not depend on it.

What they share is an array of `SIZE` whole numbers. The first is a *ticket*: in its lower half is
the next task, in the upper one what kind of task, and how many rounds of tasks there were before.
So a ticket that is drawn belongs to one round only, however late it is used. Waiting threads look
again and again, and let others have their processor: rounds are short.
"""

from __future__ import annotations

import sys

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from sklearn_lloyd._kernels._numba._jit import exact_part
from sklearn_lloyd._kernels._numba._vectors import arrays_of

SIZE = 16
N_TOLD = 4  # whole numbers, by which a leader says what the tasks are about
STOP = 3  # the kind of task that none follows; others are 1 and 2
_TICKET, _N_DONE = 0, 8  # a line of the cache each
_PATIENCE = 200  # looks, after which others may have the processor
_YIELD = "SwitchToThread" if sys.platform == "win32" else "sched_yield"


@intrinsic
def _add(typingctx, shared, place, number):
    """Add to one of the shared numbers; returns what it was before."""
    signature = types.int64(shared, place, number)

    def codegen(context, builder, signature, args):
        shared, place, number = arrays_of(context, builder, signature, args)
        return builder.atomic_rmw("add", builder.gep(shared.data, [place]), number, "seq_cst")

    return signature, codegen


@intrinsic
def _read(typingctx, shared, place):
    signature = types.int64(shared, place)

    def codegen(context, builder, signature, args):
        shared, place = arrays_of(context, builder, signature, args)
        return builder.load_atomic(builder.gep(shared.data, [place]), "seq_cst", 8)

    return signature, codegen


@intrinsic
def _write(typingctx, shared, place, number):
    signature = types.void(shared, place, number)

    def codegen(context, builder, signature, args):
        shared, place, number = arrays_of(context, builder, signature, args)
        builder.store_atomic(number, builder.gep(shared.data, [place]), "seq_cst", 8)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def _let_others(typingctx):
    def codegen(context, builder, signature, args):
        kind = ir.FunctionType(ir.IntType(32), [])
        builder.call(cgutils.get_or_insert_function(builder.module, kind, _YIELD), [])
        return context.get_dummy_value()

    return types.void(), codegen


def dismiss(shared):
    """Send the others home, from Python: if the leader has stopped without a word."""
    shared[_TICKET] = STOP << 32


@exact_part
def announce(shared, kind):
    """Let the others know of a round of tasks; or with `STOP`, that there are no more."""
    rounds = (_read(shared, _TICKET) >> np.int64(34)) + np.int64(1)
    _write(shared, _N_DONE, np.int64(0))
    _write(shared, _TICKET, (rounds << np.int64(34)) | (np.int64(kind) << np.int64(32)))


@exact_part
def next_task(shared, n_tasks, waits):
    """Take a task: its kind, and its number.

    Where none is left it is number -1; if that `waits`, only after a `STOP`.
    """
    n_looks = 0
    while True:
        ticket = _read(shared, _TICKET)
        if (ticket & np.int64(0xFFFFFFFF)) < n_tasks and ticket >> np.int64(32):
            ticket = _add(shared, _TICKET, np.int64(1))
        kind, task = (ticket >> np.int64(32)) & np.int64(3), ticket & np.int64(0xFFFFFFFF)
        if kind == STOP:
            return kind, np.int64(-1)
        if kind and task < n_tasks:
            return kind, task
        if not waits:
            return kind, np.int64(-1)
        n_looks += 1
        if n_looks > _PATIENCE:
            _let_others()


@exact_part
def task_done(shared):
    _add(shared, _N_DONE, np.int64(1))


@exact_part
def wait_for_all(shared, n_tasks):
    """Wait until all tasks of the round are done."""
    n_looks = 0
    while _read(shared, _N_DONE) < n_tasks:
        n_looks += 1
        if n_looks > _PATIENCE:
            _let_others()
