"""The definition of a distance once more, compiled: the same sums in the same order."""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numba.np.arrayobj import load_item

from sklearn_lloyd._kernels._numba._jit import exact, exact_part, exact_part_with_arrays, inlined
from sklearn_lloyd._kernels._numba._vectors import INT32, arrays_of

_LEAF = 128  # features that NumPy adds in eight lanes before it halves what is longer
_LANES = 8
_DEPTH = 64


def _eight(context, builder, kind, array, i, j):
    """Features j:j + 8 of row i as a vector of float64."""
    reals = ir.VectorType(ir.DoubleType(), _LANES)

    def place_of(feature):
        return cgutils.get_item_pointer(context, builder, kind, array, [i, feature])

    if kind.layout == "C" and kind.dtype in (types.float32, types.float64):
        as_stored = ir.VectorType(context.get_data_type(kind.dtype), _LANES)
        values = builder.load(builder.bitcast(place_of(j), as_stored.as_pointer()))
        values.align = kind.dtype.bitwidth // 8 if kind.aligned else 1
        return values if kind.dtype == types.float64 else builder.fpext(values, reals)
    values = ir.Constant(reals, ir.Undefined)
    for q in range(_LANES):
        value = load_item(context, builder, kind, place_of(builder.add(j, j.type(q))))
        value = context.cast(builder, value, kind.dtype, types.float64)
        values = builder.insert_element(values, value, INT32(q))
    return values


@intrinsic
def _sum_of_eights(typingctx, X, i, centers, c, start, stop):
    """Squared differences of features from start to stop, a multiple of eight, as NumPy adds them.

    One lane of registers for each of the eight sums; then pairs of them.
    """
    signature = types.float64(X, i, centers, c, start, stop)

    def codegen(context, builder, signature, args):
        kinds = signature.args
        X, i, centers, c, start, stop = arrays_of(context, builder, signature, args)
        zeros = ir.Constant(ir.VectorType(ir.DoubleType(), _LANES), [0.0] * _LANES)
        pointer = cgutils.alloca_once(builder, zeros.type)
        builder.store(zeros, pointer)
        with cgutils.for_range_slice(builder, start, stop, start.type(_LANES)) as (j, _):
            x = _eight(context, builder, kinds[0], X, i, j)
            center = _eight(context, builder, kinds[2], centers, c, j)
            off = builder.fsub(x, center)
            builder.store(builder.fadd(builder.load(pointer), builder.fmul(off, off)), pointer)

        def pairs(sums, order):
            half = len(order) // 2
            a, b = (
                builder.shuffle_vector(sums, sums, ir.Constant(ir.VectorType(INT32, half), part))
                for part in (order[:half], order[half:])
            )
            return builder.fadd(a, b)

        # 0 + 1, 4 + 5, 2 + 3, 6 + 7: within the halves of a register, which costs least.
        sums = pairs(builder.load(pointer), [0, 4, 2, 6, 1, 5, 3, 7])
        sums = pairs(sums, [0, 1, 2, 3])
        return builder.fadd(*(builder.extract_element(sums, INT32(q)) for q in range(2)))

    return signature, codegen


@inlined
def _square(X, i, centers, c, j):
    difference = np.float64(X[i, j]) - centers[c, j]
    return difference * difference


@exact_part
def _sum_of_few(X, i, centers, c, start, stop):
    """Squared differences of up to `_LEAF` features, in the order in which NumPy adds them.

    All indices are unsigned: they need no test for counting from the end.
    """
    rest = stop - (stop - start) % np.uintp(_LANES)
    total = _sum_of_eights(X, i, centers, c, start, rest) if rest > start else 0.0
    for j in range(rest, stop):
        total += _square(X, i, centers, c, j)
    return total


@exact_part_with_arrays
def _stacks():
    """Memory for `_sum_of_many`: what is still to be added; sums, and how often halved."""
    return np.empty((_DEPTH, 3), np.intp), np.empty(_DEPTH), np.empty(_DEPTH, np.intp)


@exact_part
def _sum_of_many(X, i, centers, c, stacks):
    """Squared differences of more than `_LEAF` features, in NumPy's order."""
    # NumPy halves what is longer, and adds the sums of the halves. On stacks, since a function
    # that calls itself cannot be kept on disk.
    parts, sums, halved = stacks
    n_parts, n_sums = 1, 0
    parts[0, 0], parts[0, 1], parts[0, 2] = 0, X.shape[1], 0  # start, length, how often halved
    while n_parts:
        n_parts -= 1
        start, length, depth = parts[n_parts, 0], parts[n_parts, 1], parts[n_parts, 2]
        if length > _LEAF:
            half = length // 2
            half -= half % 8
            parts[n_parts, 0], parts[n_parts, 1] = start + half, length - half
            parts[n_parts + 1, 0], parts[n_parts + 1, 1] = start, half
            parts[n_parts, 2] = parts[n_parts + 1, 2] = depth + 1
            n_parts += 2
            continue
        # A half of more than 128 features has 56 at the least.
        sums[n_sums] = _sum_of_few(X, i, centers, c, np.uintp(start), np.uintp(start + length))
        halved[n_sums] = depth
        n_sums += 1
        while n_sums > 1 and halved[n_sums - 1] == halved[n_sums - 2]:
            n_sums -= 1
            sums[n_sums - 1] += sums[n_sums]
            halved[n_sums - 1] -= 1
    return sums[0]


@exact_part_with_arrays
def sq_distance(X, i, centers, c):
    """Squared distance of row i to centre c, by the definition."""
    i, c, n_features = np.uintp(i), np.uintp(c), np.uintp(X.shape[1])
    if n_features <= _LEAF:
        return _sum_of_few(X, i, centers, c, np.uintp(0), n_features)
    return _sum_of_many(X, i, centers, c, _stacks())


@exact
def sq_distances(X, index, n, center, out):
    """As `sq_distance`, of the first n rows of a list to a centre of shape (1, n_features)."""
    zero, n_features = np.uintp(0), np.uintp(X.shape[1])
    if n_features <= _LEAF:
        for r in range(np.uintp(n)):
            out[r] = _sum_of_few(X, np.uintp(index[r]), center, zero, zero, n_features)
    else:
        stacks = _stacks()
        for r in range(np.uintp(n)):
            out[r] = _sum_of_many(X, np.uintp(index[r]), center, zero, stacks)
