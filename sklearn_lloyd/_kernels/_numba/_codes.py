"""Products of rows and centres in whole numbers of 16 bits.

The processor multiplies twice as many of those at a time as of float32, and adds up each two
neighbours: `Vectors.add_pairs` says by which instruction. The rows of a panel lie side by side,
two features of a row in the 32 bits of a lane.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from sklearn_lloyd._kernels._numba._simd import TwoLeast, Within
from sklearn_lloyd._kernels._numba._vectors import (
    INT32,
    arrays_of,
    groups_of_centers,
    vectors_of_panel,
)

LANES = 16  # rows of a panel
_INT16 = ir.IntType(16)


def _for_centers(vectors, panel, table, norms, factors, scales, use):
    """A loop over the centres of a table: `use(c, scores)` emits what is made of each.

    Scores are times the scales of the rows.
    """
    builder, width = vectors.builder, vectors.width
    n_centers, n_pairs = (builder.extract_value(table.shape, axis) for axis in (0, 1))
    intp = n_centers.type
    pairs, add = ir.VectorType(_INT16, 2 * width), vectors.add_pairs
    zero = ir.Constant(vectors.labels, [0] * width)
    scale = [vectors.load(scales.data, intp(width * v)) for v in vectors.each]
    for first, n in groups_of_centers(vectors, n_centers):
        sums = [[vectors.variable(zero) for _ in vectors.each] for _ in range(n)]
        each = [builder.add(first, intp(q)) for q in range(n)]
        starts = [builder.mul(c, n_pairs) for c in each]
        for pointer in (pointer for pointers in sums for pointer in pointers):
            builder.store(zero, pointer)
        with cgutils.for_range_slice(builder, intp(0), n_pairs, intp(1)) as (j, _):
            at = builder.mul(j, intp(LANES))
            rows = [
                builder.bitcast(
                    vectors.load(panel.data, builder.add(at, intp(width * v)), vectors.labels),
                    pairs,
                )
                for v in vectors.each
            ]
            for start, pointers in zip(starts, sums, strict=True):
                pair = builder.load(builder.gep(table.data, [builder.add(start, j)]))
                center = builder.bitcast(vectors.splat(pair, vectors.labels), pairs)
                for row, pointer in zip(rows, pointers, strict=True):
                    builder.store(add(builder.load(pointer), row, center), pointer)
        for c, pointers in zip(each, sums, strict=True):
            norm, factor = (
                vectors.splat(builder.load(builder.gep(array.data, [c])))
                for array in (norms, factors)
            )
            scores = []
            for v, pointer in enumerate(pointers):
                product = builder.sitofp(builder.load(pointer), vectors.reals)
                product = builder.fmul(product, factor)
                scores.append(vectors.add_product(product, norm, scale[v]))
            use(c, scores)


def _places(vectors, c):
    """Where the scores of centre c are, of those that are kept."""
    first = vectors.builder.mul(c, c.type(LANES))
    return [vectors.builder.add(first, c.type(vectors.width * v)) for v in vectors.each]


@intrinsic
def fold_codes(
    typingctx, panel, table, norms, factors, scales, scores, best, second, label, start
):
    """Find the two least scores of each row of a panel, and the centre of the least.

    Parameters
    ----------
    panel : ndarray of int32 of shape (n_pairs, LANES)
        C order, as all that follow.
    table : ndarray of int32 of shape (n_centers, n_pairs)
        The number of centres is a multiple of `CENTERS`.
    norms, factors : ndarrays of float32 of shape (n_centers,)
    scales : ndarray of float32 of shape (LANES,)
        A score is the norm times the scale of the row plus the factor times the product.
    scores : ndarray of float32 of shape (n_centers, LANES)
        Filled.
    best, second : ndarrays of float32
        Filled from `start` on, one for each lane.
    label : ndarray of int32
        Filled likewise: the first centre that has the least score.
    start : int
    """
    signature = types.void(
        panel, table, norms, factors, scales, scores, best, second, label, start
    )

    def codegen(context, builder, signature, args):
        *arrays, kept, best, second, label, start = arrays_of(context, builder, signature, args)
        vectors = vectors_of_panel(context, builder, types.float32)
        least = TwoLeast(vectors)

        def fold(c, scores):
            for place, score in zip(_places(vectors, c), scores, strict=True):
                vectors.store(score, kept.data, place)
            least.fold(c, scores)

        _for_centers(vectors, *arrays, fold)
        least.store(best, second, label, start)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def near_scores(typingctx, scores, bounds, masks):
    """Find which of the scores that `fold_codes` kept are within a bound, for each row.

    Parameters
    ----------
    scores : ndarray of float32 of shape (n_centers, LANES)
    bounds : ndarray of float32 of shape (LANES,)
    masks : ndarray of uint32 of shape (n_centers,)
        Filled: a bit for each row, set where the score is not above the bound.
    """
    signature = types.void(scores, bounds, masks)

    def codegen(context, builder, signature, args):
        kept, bounds, masks = arrays_of(context, builder, signature, args)
        vectors = vectors_of_panel(context, builder, types.float32)
        within = Within(vectors, bounds, masks)
        with cgutils.for_range(builder, builder.extract_value(kept.shape, 0)) as loop:
            scores = [vectors.load(kept.data, place) for place in _places(vectors, loop.index)]
            within.compare(loop.index, scores)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def any_near(typingctx, panel, table, norms, factors, scales, bounds):
    """Which rows of a panel have some score that is not above their bound, a bit for each.

    Parameters
    ----------
    panel, table, norms, factors, scales : ndarrays
        As of `fold_codes`.
    bounds : ndarray of float32 of shape (LANES,)
        Times the scales.
    """
    signature = types.uint32(panel, table, norms, factors, scales, bounds)

    def codegen(context, builder, signature, args):
        *arrays, bounds = arrays_of(context, builder, signature, args)
        vectors = vectors_of_panel(context, builder, types.float32)
        width = vectors.width
        zero = context.get_constant(types.intp, 0)
        bound = [vectors.load(bounds.data, zero.type(width * v)) for v in vectors.each]
        none = ir.Constant(vectors.labels, [0] * width)
        every = ir.Constant(vectors.labels, [-1] * width)
        near = [vectors.variable(none) for _ in bound]

        def compare(c, scores):
            for score, limit, pointer in zip(scores, bound, near, strict=True):
                above = builder.fcmp_ordered(">", score, limit)
                within = builder.select(above, none, every)
                builder.store(builder.or_(builder.load(pointer), within), pointer)

        _for_centers(vectors, *arrays, compare)
        mask = INT32(0)
        for v, pointer in enumerate(near):
            bits = builder.icmp_signed("<", builder.load(pointer), none)
            bits = builder.zext(builder.bitcast(bits, ir.IntType(width)), INT32)
            mask = builder.or_(mask, builder.shl(bits, INT32(width * v)))
        return mask

    return signature, codegen


@intrinsic
def compare_codes(typingctx, panel, table, norms, factors, scales, bounds, masks, rest):
    """Find which centres have scores within a bound, for each row of a panel.

    Parameters
    ----------
    panel, table, norms, factors, scales, bounds : ndarrays
        As of `any_near`.
    masks : ndarray of uint32 of shape (n_centers,)
        Filled: a bit for each row, set where the score is not above the bound.
    rest : ndarray of float32 of shape (LANES,)
        Filled: the least of the scores above it, infinite where there is none.
    """
    signature = types.void(panel, table, norms, factors, scales, bounds, masks, rest)

    def codegen(context, builder, signature, args):
        *arrays, bounds, masks, rest = arrays_of(context, builder, signature, args)
        vectors = vectors_of_panel(context, builder, types.float32)
        within = Within(vectors, bounds, masks)
        _for_centers(vectors, *arrays, within.compare)
        within.store(rest)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def encode_panel(typingctx, panel, scales, codes):
    """Fill in the codes of a panel of rows.

    Parameters
    ----------
    panel : ndarray of float32 of shape (n_features, LANES)
    scales : ndarray of float32 of shape (LANES,)
    codes : ndarray of int32 of shape (n_pairs, LANES)
    """
    signature = types.void(panel, scales, codes)

    def codegen(context, builder, signature, args):
        panel, scales, codes = arrays_of(context, builder, signature, args)
        vectors = vectors_of_panel(context, builder, types.float32)
        n_features, width = builder.extract_value(panel.shape, 0), vectors.width
        intp = n_features.type
        offsets = [intp(width * v) for v in vectors.each]
        scale = [vectors.load(scales.data, at) for at in offsets]
        sign, half, low, upper = (
            ir.Constant(vectors.labels, [number] * width)
            for number in (-(1 << 31), 0x3F000000, 0xFFFF, 16)  # the second is 0.5
        )

        def rounded(j, v):
            """To the nearest: half of its sign is added, and the rest cut off."""
            at = builder.add(builder.mul(j, intp(LANES)), offsets[v])
            value = builder.fmul(vectors.load(panel.data, at), scale[v])
            bits = builder.bitcast(value, vectors.labels)
            signed = builder.bitcast(builder.or_(builder.and_(bits, sign), half), vectors.reals)
            return builder.fptosi(builder.fadd(value, signed), vectors.labels)

        def store(code, pair, v):
            at = builder.add(builder.mul(pair, intp(LANES)), offsets[v])
            vectors.store(code, codes.data, at)

        whole = builder.lshr(n_features, intp(1))
        with cgutils.for_range(builder, whole) as loop:
            j = builder.shl(loop.index, intp(1))
            for v in vectors.each:
                lower = builder.and_(rounded(j, v), low)
                other = builder.shl(rounded(builder.add(j, intp(1)), v), upper)
                store(builder.or_(lower, other), loop.index, v)
        is_odd = builder.trunc(n_features, ir.IntType(1))
        with builder.if_then(is_odd):
            for v in vectors.each:
                store(builder.and_(rounded(builder.shl(whole, intp(1)), v), low), whole, v)
        return context.get_dummy_value()

    return signature, codegen
