"""Rows of X, copied a panel at a time: side by side in memory that stays in the cache."""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from sklearn_lloyd._kernels._numba._jit import UNCOUNTED, exact_part, inlined
from sklearn_lloyd._kernels._numba._vectors import INT32, Vectors, arrays_of, vectors_of_panel

INT32_POINTER = INT32.as_pointer()
_LINE = 64  # bytes that the cache takes at a time
_TURNED = 16  # bytes of a row that are turned round at a time
# Rows of so many bytes are read ahead; of longer ones the processor sees for itself.
_FEW_BYTES, _MANY_BYTES = 64, 1024


@intrinsic
def turn_rows(typingctx, X, step, index, first, j, n, shift, panel):
    """Copy features j:j + n of `lanes` rows into a panel, less the shift.

    As many features as fill 16 bytes are turned round at a time, in registers: so many are read,
    whatever n.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features), float32 or float64
        The features of a row lie side by side...
    step : int
        ...and from row to row it is so many numbers.
    index : ndarray of intp, or None
        The rows are index[first:][:lanes], or those from `first` on.
    first, j : int
    n : int, or None for all that are read
        Features to write.
    shift : ndarray of float64 of shape (n_features,), or None
    panel : ndarray of shape (n_features, lanes)
    """
    signature = types.void(X, step, index, first, j, n, shift, panel)

    def codegen(context, builder, signature, args):
        listed, counted, shifted = (
            not isinstance(signature.args[place], types.NoneType) for place in (2, 5, 6)
        )
        X, step, index, first, j, n, shift, panel = arrays_of(context, builder, signature, args)
        vectors = vectors_of_panel(context, builder, signature.args[7].dtype)
        source = Vectors(context, builder, signature.args[0].dtype)
        intp, width, n_read = first.type, vectors.width, _TURNED // vectors.size
        part = ir.VectorType(source.real, n_read)
        doubles, reals = (ir.VectorType(t, n_read) for t in (ir.DoubleType(), vectors.real))
        off = vectors.load(shift.data, j, doubles, 8) if shifted else None

        def place_of(row):
            if not listed:
                return builder.add(next_to, builder.mul(step, intp(row)))
            i = builder.load(builder.gep(index.data, [builder.add(first, intp(row))]))
            return builder.add(builder.mul(i, step), j)

        next_to = None if listed else builder.add(builder.mul(first, step), j)

        def part_of(row):
            place = place_of(row)
            values = vectors.load(X.data, place, part, source.size)
            if shifted:
                values = builder.fpext(values, doubles) if source.size == 4 else values
                values = builder.fsub(values, off)
            size = 8 if shifted else source.size
            if size == vectors.size:
                return values
            return (builder.fptrunc if size > vectors.size else builder.fpext)(values, reals)

        def shuffled(a, b, places):
            mask = ir.Constant(ir.VectorType(INT32, len(places)), places)
            return builder.shuffle_vector(a, b, mask)

        def side_by_side(parts):
            while len(parts) > 1:
                places = list(range(2 * parts[0].type.count))
                parts = [
                    shuffled(a, b, places) for a, b in zip(parts[::2], parts[1::2], strict=True)
                ]
            return parts[0]

        # Each 16 bytes of a register hold a row. They are turned round all at once, with no number
        # crossing from one to the other.
        half, lows = n_read // 2, range(0, width, n_read)
        zips = [
            [low + q for low in lows for r in some for q in (r, width + r)]
            for some in (range(half), range(half, n_read))
        ]
        for v in vectors.each:
            start = width * v
            rows = [
                side_by_side([part_of(start + low + r) for low in lows]) for r in range(n_read)
            ]
            for _ in range(n_read.bit_length() - 1):
                pairs = zip(rows[:half], rows[half:], strict=True)
                rows = [shuffled(a, b, places) for a, b in pairs for places in zips]
            for q, feature in enumerate(rows):
                row = builder.mul(builder.add(j, intp(q)), intp(len(vectors.each) * width))
                at = builder.add(row, intp(start))
                if counted:
                    with builder.if_then(builder.icmp_signed("<", intp(q), n), likely=True):
                        vectors.store(feature, panel.data, at)
                else:
                    vectors.store(feature, panel.data, at)
        return context.get_dummy_value()

    return signature, codegen


def _lines(context, builder, X, first, n):
    """A loop over the lines of the cache that n rows of X from `first` on are in: yields where."""
    n_features = builder.extract_value(X.shape, 1)
    start = builder.mul(first, n_features)
    stop = builder.add(start, builder.mul(n, n_features))
    step = first.type(_LINE // context.get_abi_sizeof(X.data.type.pointee))
    with cgutils.for_range_slice(builder, start, stop, step) as (place, _):
        yield builder.gep(X.data, [place])


@intrinsic
def read_ahead(typingctx, X, first, n):
    """Read n rows of X from `first` on once, line by line of the cache.

    Panels are turned a few features of all rows at a time: to the processor, which reads ahead
    of what comes in order, that is no order.
    """
    signature = types.void(X, first, n)

    def codegen(context, builder, signature, args):
        X, first, n = arrays_of(context, builder, signature, args)
        read = ir.FunctionType(ir.VoidType(), [INT32])
        for line in _lines(context, builder, X, first, n):
            number = builder.load(builder.bitcast(line, INT32_POINTER))
            builder.asm(read, "", "r", [number], side_effect=True)  # or it would be left out
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def _fetch(typingctx, X, first, n):
    """Have n rows of X from `first` on brought near to the processor, which goes on meanwhile."""
    signature = types.void(X, first, n)

    def codegen(context, builder, signature, args):
        X, first, n = arrays_of(context, builder, signature, args)
        pointer = ir.IntType(8).as_pointer()
        kind = ir.FunctionType(ir.VoidType(), [pointer, INT32, INT32, INT32])
        prefetch = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        for line in _lines(context, builder, X, first, n):
            builder.call(prefetch, [builder.bitcast(line, pointer), INT32(0), INT32(2), INT32(1)])
        return context.get_dummy_value()

    return signature, codegen


def fetch_rows(X, first, n):
    """Have rows on their way before they are needed, as far as there are any."""


@overload(fetch_rows)
def _fetch_rows(X, first, n):
    if X.layout != "C":
        return lambda X, first, n: None

    def fetch(X, first, n):
        if _FEW_BYTES <= X.shape[1] * X.itemsize <= _MANY_BYTES:
            _fetch(X, first, max(0, min(n, len(X) - first)))

    return fetch


@exact_part
def are_neighbours(index, first, n_lanes):
    """Whether the rows index[first:][:n_lanes], which are in order, lie side by side."""
    first = np.uintp(first)
    last = first + np.uintp(n_lanes) - np.uintp(1)
    as_far = np.uintp(index[last] - index[first]) == last - first
    # The last is not the one before once more, which is how lists are padded.
    return as_far and index[last] != index[last - np.uintp(1)]


def _turn_in_registers(X, index, first, shift, panel):
    """Fill a panel as far as that goes in registers; returns how many features that is."""


@overload(_turn_in_registers, jit_options={**UNCOUNTED, "forceinline": True})
def _turn_in_registers_of(X, index, first, shift, panel):
    floats = (types.float32, types.float64)
    if X.dtype not in floats or X.layout not in "CA" or not X.aligned:
        return lambda X, index, first, shift, panel: 0
    one_after_the_other = X.layout == "C"

    def turn(X, index, first, shift, panel):
        n_features, n_lanes, step = X.shape[1], panel.shape[1], X.shape[1]
        if not one_after_the_other:
            step = X.strides[0] // X.itemsize
            if X.strides[1] != X.itemsize or step * X.itemsize != X.strides[0]:
                return 0
        n_bytes = n_features * X.itemsize
        if one_after_the_other and index is None and _FEW_BYTES <= n_bytes <= _MANY_BYTES:
            read_ahead(X, first, n_lanes)
        width = _TURNED // panel.itemsize
        j, last_start = 0, n_features - width
        if last_start < 0:
            # What lies behind a row is read, too: the next one, if there is one.
            last = first + n_lanes - 1
            if index is not None:
                last = index[last]
            if shift.size or not one_after_the_other or last * n_features + width > X.size:
                return 0
            turn_rows(X, step, index, first, 0, n_features, None, panel)
            return n_features
        while True:
            if shift.size:
                turn_rows(X, step, index, first, j, None, shift, panel)
            else:
                turn_rows(X, step, index, first, j, None, None, panel)
            if j == last_start:
                return n_features
            j = min(j + width, last_start)  # the last ones once more, if need be

    return turn


@inlined
def fill_neighbours(X, first, shift, panel):
    """As `fill_panel`, of the rows from `first` on."""
    done = _turn_in_registers(X, None, first, shift, panel)
    first, n_lanes = np.uintp(first), np.uintp(panel.shape[1])
    for j in range(np.uintp(done), np.uintp(X.shape[1])):
        if shift.size == 0:
            for r in range(n_lanes):
                panel[j, r] = X[first + r, j]
        else:
            for r in range(n_lanes):
                panel[j, r] = np.float64(X[first + r, j]) - shift[j]


@exact_part
def fill_panel(X, index, first, shift, panel):
    """Copy rows index[first:][:lanes] less the shift into a panel.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    index : ndarray of intp
        In order; at least a whole panel from `first` on, see `pad_index`.
    first : int
    shift : ndarray of float64 of shape (n_features,), or (0,) for none
    panel : ndarray of shape (n_features, lanes)
        Filled.
    """
    n_lanes = np.uintp(panel.shape[1])
    if are_neighbours(index, first, n_lanes):
        fill_neighbours(X, index[np.uintp(first)], shift, panel)
        return
    done = _turn_in_registers(X, index, first, shift, panel)
    first = np.uintp(first)
    for j in range(np.uintp(done), np.uintp(X.shape[1])):
        if shift.size == 0:
            for r in range(n_lanes):
                panel[j, r] = X[np.uintp(index[first + r]), j]
        else:
            for r in range(n_lanes):
                panel[j, r] = np.float64(X[np.uintp(index[first + r]), j]) - shift[j]


@exact_part
def pad_index(index, n, n_lanes):
    """Repeat the last of the first n rows, up to a whole panel."""
    for r in range(n, -(-n // n_lanes) * n_lanes):
        index[r] = index[n - 1]
