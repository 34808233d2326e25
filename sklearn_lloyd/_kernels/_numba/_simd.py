"""Products of rows and centres in the vector registers of the processor.

The rows of a *panel* lie side by side: it has the shape (n_features, `lanes`), so that one
feature of all its rows fills two registers, or one of twice the width. A panel meets four or
eight centres at a time: eight sums stay in registers while the features go by, and what is made
of the scores (the two least, a comparison, a sum) is made there too, before anything is stored.
That needs no memory for the scores.

Numba has no vector types, so these few functions are written in LLVM's own language. LLVM turns
vectors of any length into what the processor has; nothing here is of one kind of processor.

A sum is taken in runs of `RUN` features, and the runs are then added up. Its error grows with
the length of a run plus the number of runs, not with the number of features: `sum_terms`.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from sklearn_lloyd._kernels._numba._vectors import (
    INT32,
    arrays_of,
    for_centers,
    vectors_of_panel,
)

_N_SUMS = 4  # registers that `product` adds to in turn


class TwoLeast:
    """Emits how the two least scores of each row of a panel are kept, and the nearest centre."""

    def __init__(self, vectors):
        self._vectors = vectors
        none = ir.Constant(vectors.labels, [0] * vectors.width)
        values = vectors.infinite, vectors.infinite, none
        self._state = [[vectors.variable(value) for value in values] for _ in vectors.each]

    def fold(self, c, scores):
        """Take in the scores of centre c."""
        vectors, builder = self._vectors, self._vectors.builder
        this = vectors.splat(builder.trunc(c, INT32), vectors.labels)
        for score, pointers in zip(scores, self._state, strict=True):
            least, next_least, nearest = (builder.load(p) for p in pointers)
            nearer = vectors.less(score, least)
            larger = builder.select(nearer, least, score)
            builder.store(builder.select(nearer, score, least), pointers[0])
            builder.store(vectors.min(larger, next_least), pointers[1])
            builder.store(builder.select(nearer, this, nearest), pointers[2])

    def store(self, best, second, label, start):
        """Store them, one for each lane from `start` on."""
        vectors, builder = self._vectors, self._vectors.builder
        for v, pointers in enumerate(self._state):
            at = builder.add(start, start.type(vectors.width * v))
            least, next_least, nearest = (builder.load(p) for p in pointers)
            vectors.store(least, best.data, at)
            vectors.store(next_least, second.data, at)
            vectors.store(nearest, label.data, at, 4)


class Within:
    """Emits which scores of rows of a panel are within a bound, and the least of the rest."""

    def __init__(self, vectors, bound, masks):
        self._vectors, self._masks = vectors, masks
        offsets = [masks.shape.type.element(vectors.width * v) for v in vectors.each]
        self._bounds = [vectors.load(bound.data, at) for at in offsets]
        self._least = [vectors.variable(vectors.infinite) for _ in offsets]

    def compare(self, c, scores):
        """Take in the scores of centre c."""
        vectors, builder = self._vectors, self._vectors.builder
        mask = INT32(0)
        for v, (score, bound, pointer) in enumerate(
            zip(scores, self._bounds, self._least, strict=True)
        ):
            above = builder.fcmp_ordered(">", score, bound)
            within = builder.bitcast(builder.not_(above), ir.IntType(vectors.width))
            shifted = builder.shl(builder.zext(within, INT32), INT32(vectors.width * v))
            mask = builder.or_(mask, shifted)
            lower = builder.select(above, score, vectors.infinite)
            builder.store(vectors.min(lower, builder.load(pointer)), pointer)
        builder.store(mask, builder.gep(self._masks.data, [c]))

    def store(self, rest):
        """Store the least of the scores that are not."""
        vectors, builder = self._vectors, self._vectors.builder
        for v, pointer in enumerate(self._least):
            at = rest.shape.type.element(vectors.width * v)
            vectors.store(builder.load(pointer), rest.data, at)


@intrinsic
def fold_panel(typingctx, panel, table, norms, best, second, label, start):
    """Find the two least scores of each row of a panel, and the centre of the least.

    Parameters
    ----------
    panel : ndarray of shape (n_features, lanes)
        C order, as all that follow.
    table : ndarray of shape (n_centers, n_features)
        -2 times the centres; their number is a multiple of `CENTERS`.
    norms : ndarray of shape (n_centers,)
    best, second : ndarrays
        Filled from `start` on, one for each lane; infinite where no score is a number.
    label : ndarray of int32
        Filled likewise: the first centre that has the least score.
    start : int
    """
    signature = types.void(panel, table, norms, best, second, label, start)

    def codegen(context, builder, signature, args):
        panel, table, norms, best, second, label, start = arrays_of(
            context, builder, signature, args
        )
        vectors = vectors_of_panel(context, builder, signature.args[0].dtype)
        least = TwoLeast(vectors)
        for_centers(vectors, panel, table, norms, least.fold)
        least.store(best, second, label, start)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def compare_panel(typingctx, panel, table, norms, bound, masks, rest):
    """Find which centres have scores within a bound, for each row of a panel.

    Parameters
    ----------
    panel, table, norms : ndarrays
        As of `fold_panel`.
    bound : ndarray of shape (lanes,)
    masks : ndarray of uint32 of shape (n_centers,)
        Filled: a bit for each row, set where the score is not above the bound.
    rest : ndarray of shape (lanes,)
        Filled: the least of the scores above it, infinite where there is none.
    """
    signature = types.void(panel, table, norms, bound, masks, rest)

    def codegen(context, builder, signature, args):
        panel, table, norms, bound, masks, rest = arrays_of(context, builder, signature, args)
        vectors = vectors_of_panel(context, builder, signature.args[0].dtype)
        within = Within(vectors, bound, masks)
        for_centers(vectors, panel, table, norms, within.compare)
        within.store(rest)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def product(typingctx, row, table, c):
    """The product of a row and centre c of a table.

    Parameters
    ----------
    row : ndarray of shape (n_features,)
        In the precision of the table.
    table : ndarray of shape (n_centers, n_features)
    c : int
    """
    signature = table.dtype(row, table, c)

    def codegen(context, builder, signature, args):
        row, table, c = arrays_of(context, builder, signature, args)
        vectors = vectors_of_panel(context, builder, signature.args[0].dtype)
        n_features = builder.extract_value(row.shape, 0)
        width, intp = vectors.width, n_features.type
        first = builder.mul(c, n_features)
        sums = [vectors.variable(vectors.zeros) for _ in range(_N_SUMS)]

        def add(j, pointer):
            a = vectors.load(row.data, j)
            b = vectors.load(table.data, builder.add(first, j))
            builder.store(vectors.add_product(builder.load(pointer), a, b), pointer)

        def whole(size):
            return builder.mul(builder.sdiv(n_features, intp(size)), intp(size))

        each = width * _N_SUMS
        with cgutils.for_range_slice(builder, intp(0), whole(each), intp(each)) as (j, _):
            for v, pointer in enumerate(sums):
                add(builder.add(j, intp(width * v)), pointer)
        with cgutils.for_range_slice(builder, whole(each), whole(width), intp(width)) as (j, _):
            add(j, sums[0])
        parts = [builder.load(pointer) for pointer in sums]
        while len(parts) > 1:
            parts = [builder.fadd(a, b) for a, b in zip(parts[::2], parts[1::2], strict=True)]
        total = parts[0]
        while total.type.count > 1:
            half = total.type.count // 2
            lower, upper = (
                builder.shuffle_vector(
                    total, total, ir.Constant(ir.VectorType(INT32, half), list(places))
                )
                for places in (range(half), range(half, 2 * half))
            )
            total = builder.fadd(lower, upper)
        # No way to a sum, here as in a panel, is longer than `sum_terms`.
        rest = vectors.variable(ir.Constant(vectors.real, 0.0))
        with cgutils.for_range_slice(builder, whole(width), n_features, intp(1)) as (j, _):
            a = builder.load(builder.gep(row.data, [j]))
            b = builder.load(builder.gep(table.data, [builder.add(first, j)]))
            builder.store(vectors.add_product(builder.load(rest), a, b), rest)
        return builder.fadd(builder.extract_element(total, INT32(0)), builder.load(rest))

    return signature, codegen


@intrinsic
def improve_panel(typingctx, panel, table, norms, start, target, reach, weight, trials, gains):
    """What each trial takes off the targets of the rows of a panel.

    Parameters
    ----------
    panel, table, norms : ndarrays
        As of `fold_panel`; the centres are trials.
    start : int
        Where in the next four arrays the rows of the panel are.
    target, reach, weight : ndarrays
        The score that a row has now, that up to which a trial may be nearer, and what it counts.
    trials : ndarray of int32
        Filled: which trials have a score that is not above the reach, a bit for each.
    gains : ndarray of shape (n_trials, lanes)
        Added to: weight times what the score is less.
    """
    signature = types.void(panel, table, norms, start, target, reach, weight, trials, gains)

    def codegen(context, builder, signature, args):
        panel, table, norms, start, target, reach, weight, trials, gains = arrays_of(
            context, builder, signature, args
        )
        vectors = vectors_of_panel(context, builder, signature.args[0].dtype)
        width, zero = vectors.width, context.get_constant(types.intp, 0)
        offsets = [zero.type(width * v) for v in vectors.each]
        places = [builder.add(start, at) for at in offsets]
        targets = [vectors.load(target.data, at) for at in places]
        reaches = [vectors.load(reach.data, at) for at in places]
        weights = [vectors.load(weight.data, at) for at in places]
        none = ir.Constant(vectors.labels, [0] * width)
        near = [vectors.variable(none) for _ in offsets]
        for pointer in near:
            builder.store(none, pointer)

        def improve(trial, scores):
            row = builder.mul(trial, zero.type(len(vectors.each) * width))
            bit = builder.shl(INT32(1), builder.trunc(trial, INT32))
            bits = vectors.splat(bit, vectors.labels)
            for v, at in enumerate(offsets):
                above = builder.fcmp_ordered(">", scores[v], reaches[v])
                this = builder.select(above, none, bits)
                builder.store(builder.or_(builder.load(near[v]), this), near[v])
                closer = builder.fsub(targets[v], scores[v])
                place = builder.add(row, at)
                positive = builder.select(
                    vectors.less(vectors.zeros, closer), closer, vectors.zeros
                )
                total = vectors.load(gains.data, place)
                total = vectors.add_product(total, weights[v], positive)
                vectors.store(total, gains.data, place)

        for_centers(vectors, panel, table, norms, improve)
        for at, pointer in zip(places, near, strict=True):
            vectors.store(builder.load(pointer), trials.data, at, 4)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def norms_of_panel(typingctx, panel, norms, start):
    """Fill in the squared norms of the rows of a panel, in order from `start` on."""
    signature = types.void(panel, norms, start)

    def codegen(context, builder, signature, args):
        panel, norms, start = arrays_of(context, builder, signature, args)
        vectors = vectors_of_panel(context, builder, signature.args[0].dtype)
        n_features = builder.extract_value(panel.shape, 0)
        width, intp = vectors.width, start.type
        sums = [vectors.variable(vectors.zeros) for _ in vectors.each]
        for pointer in sums:
            builder.store(vectors.zeros, pointer)
        with cgutils.for_range(builder, n_features) as loop:
            row = builder.mul(loop.index, intp(len(vectors.each) * width))
            for v, pointer in enumerate(sums):
                x = vectors.load(panel.data, builder.add(row, intp(width * v)))
                builder.store(vectors.add_product(builder.load(pointer), x, x), pointer)
        for v, pointer in enumerate(sums):
            vectors.store(builder.load(pointer), norms.data, builder.add(start, intp(width * v)))
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def lowest_bit(typingctx, mask):
    """The place of the lowest bit that is set, of an integer that is not zero."""
    signature = types.uintp(mask)

    def codegen(context, builder, signature, args):
        bit = builder.cttz(args[0], ir.Constant(ir.IntType(1), 1))
        return context.cast(builder, bit, signature.args[0], types.uintp)

    return signature, codegen
