"""Products of rows and centres in whole numbers of 16 bits.

The processor multiplies twice as many of those at a time as of float32, and adds up each two
neighbours (PMADDWD, which LLVM finds by itself in what is written here, or does without). The
rows of a panel lie side by side, two features of a row in the 32 bits of a lane.

Each row, less the shift, is scaled so that its norm is nearly 2^15, and rounded: that is off
by half in each feature, so by no more than sqrt(n_features) / 2 together, and likewise for each
centre. By Cauchy-Schwarz their product is off by what `CodeTables` allows for. No sum of products
overflows, since no product of norms does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from sklearn_lloyd._kernels._numba._jit import exact, inlined
from sklearn_lloyd._kernels._numba._panels import are_neighbours, fill_neighbours, fill_panel
from sklearn_lloyd._kernels._numba._simd import TwoLeast, Within
from sklearn_lloyd._kernels._numba._vectors import (
    CENTERS,
    INT32,
    N_VECTORS,
    Vectors,
    arrays_of,
)

LANES = 16  # rows of a panel
_LARGEST = 32766.0  # one less than there is room for
# Rows or centres that are nearer to the shift than others, by this share of their squared
# distances, are no finer than there: a scale must not overflow.
FLOOR = 2.0**-20
_EPS = float(np.finfo(np.float32).eps)
_INT16 = ir.IntType(16)


def scale_for(n_features, longer=0.0):
    """The norm that rows and centres get, so that each number has room.

    Norms may be off by the rounding of their sums, and by as much more as is told.
    """
    return np.float32(_LARGEST / (1.0 + (n_features + 8) * _EPS + longer))


def _products(builder, a, b):
    """The products of whole numbers of 16 bits, the sum of each two neighbours."""
    width = a.type.count
    wide = ir.VectorType(INT32, width)
    products = builder.mul(builder.sext(a, wide), builder.sext(b, wide))
    even, odd = (
        builder.shuffle_vector(
            products,
            ir.Constant(wide, ir.Undefined),
            ir.Constant(ir.VectorType(INT32, width // 2), list(range(start, width, 2))),
        )
        for start in (0, 1)
    )
    return builder.add(even, odd)


def _for_centers(vectors, panel, table, norms, factors, scales, use):
    """A loop over the centres of a table: `use(c, scores)` emits what is made of each.

    Scores are times the scales of the rows.
    """
    builder, width = vectors.builder, vectors.width
    n_centers, n_pairs = (builder.extract_value(table.shape, axis) for axis in (0, 1))
    intp = n_centers.type
    pairs = ir.VectorType(_INT16, 2 * width)
    zero = ir.Constant(vectors.labels, [0] * width)
    scale = [vectors.load(scales.data, intp(width * v)) for v in range(N_VECTORS)]
    sums = [[vectors.variable(zero) for _ in range(N_VECTORS)] for _ in range(CENTERS)]
    with cgutils.for_range_slice(builder, intp(0), n_centers, intp(CENTERS)) as (first, _):
        each = [builder.add(first, intp(q)) for q in range(CENTERS)]
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
                for v in range(N_VECTORS)
            ]
            for start, pointers in zip(starts, sums, strict=True):
                pair = builder.load(builder.gep(table.data, [builder.add(start, j)]))
                center = builder.bitcast(vectors.splat(pair, vectors.labels), pairs)
                for row, pointer in zip(rows, pointers, strict=True):
                    part = _products(builder, row, center)
                    builder.store(builder.add(builder.load(pointer), part), pointer)
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


@intrinsic
def fold_codes(typingctx, panel, table, norms, factors, scales, best, second, label, start):
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
    best, second : ndarrays of float32
        Filled from `start` on, one for each lane.
    label : ndarray of int32
        Filled likewise: the first centre that has the least score.
    start : int
    """
    signature = types.void(panel, table, norms, factors, scales, best, second, label, start)

    def codegen(context, builder, signature, args):
        *arrays, best, second, label, start = arrays_of(context, builder, signature, args)
        vectors = Vectors(context, builder, types.float32)
        least = TwoLeast(vectors)
        _for_centers(vectors, *arrays, least.fold)
        least.store(best, second, label, start)
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
        vectors = Vectors(context, builder, types.float32)
        width = vectors.width
        zero = context.get_constant(types.intp, 0)
        bound = [vectors.load(bounds.data, zero.type(width * v)) for v in range(N_VECTORS)]
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
        vectors = Vectors(context, builder, types.float32)
        within = Within(vectors, bounds, masks)
        _for_centers(vectors, *arrays, within.compare)
        within.store(rest)
        return context.get_dummy_value()

    return signature, codegen


@inlined
def scale_of(norm, floor, scale):
    """By what a row is multiplied. It depends on nothing but its squared norm, as it is kept."""
    return scale / np.sqrt(max(norm, floor))


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
        vectors = Vectors(context, builder, types.float32)
        n_features, width = builder.extract_value(panel.shape, 0), vectors.width
        intp = n_features.type
        offsets = [intp(width * v) for v in range(N_VECTORS)]
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
            for v in range(N_VECTORS):
                lower = builder.and_(rounded(j, v), low)
                other = builder.shl(rounded(builder.add(j, intp(1)), v), upper)
                store(builder.or_(lower, other), loop.index, v)
        is_odd = builder.trunc(n_features, ir.IntType(1))
        with builder.if_then(is_odd):
            for v in range(N_VECTORS):
                store(builder.and_(rounded(builder.shl(whole, intp(1)), v), low), whole, v)
        return context.get_dummy_value()

    return signature, codegen


@exact
def encode_rows(X, start, stop, shift, sq_norms, floor, scale, codes):
    """Fill in the codes of the rows from start to stop.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
    start, stop : int
        What follows is of those rows alone.
    shift : ndarray of float64 of shape (n_features,), or (0,) for none
    sq_norms : ndarray of float32 of shape (n_rows,)
        Rows of a larger norm than by these may have no room.
    floor, scale : float32
        See `scale_of`.
    codes : ndarray of int32 of shape (n_panels, n_pairs, LANES)
        Filled: `LANES` rows to a panel, of which the last one is filled up.
    """
    panel, scales = np.empty((X.shape[1], LANES), np.float32), np.empty(LANES, np.float32)
    index = np.empty(LANES, np.intp)
    for p in range(len(codes)):
        first = p * LANES
        n = min(LANES, stop - start - first)
        if n == LANES:
            fill_neighbours(X, start + first, shift, panel)
        else:
            for r in range(LANES):
                index[r] = start + first + min(r, n - 1)
            fill_panel(X, index, 0, shift, panel)
        for r in range(LANES):
            scales[r] = scale_of(sq_norms[first + min(r, n - 1)], floor, scale)
        encode_panel(panel, scales, codes[p])


@exact
def panel_of(codes, index, first, gathered):
    """The codes of the rows index[first:][:LANES]: a panel that there is, or one gathered."""
    start = index[first]
    if start % LANES == 0 and are_neighbours(index, first, LANES):
        return codes[start // LANES]
    for r in range(np.uintp(LANES)):
        i = np.uintp(index[np.uintp(first) + r])
        panel, lane = i // np.uintp(LANES), i % np.uintp(LANES)
        for pair in range(np.uintp(gathered.shape[0])):
            gathered[pair, r] = codes[panel, pair, lane]
    return gathered


class CodeTable(NamedTuple):
    """Centres as codes, and how far their scores err; see `Table`.

    Attributes
    ----------
    codes : ndarray of int32 of shape (n_padded, n_pairs)
    norms, factors : ndarrays of float32 of shape (n_padded,)
        As `fold_codes` takes them; scores are lower bounds, but for the row's part.
    slack : ndarray of float32 of shape (n_padded,)
    floor, scale : float32
        Of the rows that go with them, see `scale_of`.
    error : float32
        How far off a score may be for the row's part, times the squared norm of the row...
    error_of_floor : float32
        ...or this, if that is more.
    """

    codes: np.ndarray
    norms: np.ndarray
    factors: np.ndarray
    slack: np.ndarray
    floor: np.float32
    scale: np.float32
    error: np.float32
    error_of_floor: np.float32

    @property
    def of_bounds(self):
        """What is needed where the rows have bounds on their scores."""
        return *self[:3], *self[4:]

    @property
    def of_labels(self):
        """What is needed where they have none."""
        return self[:7]


class CodeTables:
    """Makes one table after the other, of as many centres each, in the same memory.

    Parameters
    ----------
    n_centers, width : int
    floor : float32
        Squared norm below which rows and centres are no finer.
    scale : float32
        Of rows and centres.
    error : float
        How much too low a score may be besides, times each of the squared norms.
    """

    def __init__(self, n_centers, width, floor, scale, error):
        self._scale, self._floor = float(scale), float(floor)
        # What rounding takes off a row or a centre, as a share of its norm; a fiftieth is for
        # what float32 does before the rounding. Both ways of a product, and a score has two.
        share = 1.02 * 0.5 * np.sqrt(width) / self._scale
        self._error = share * (2.0 + share) + 8 * _EPS + error
        n_padded = -(-n_centers // CENTERS) * CENTERS
        self._far = float(np.finfo(np.float32).max) / 16
        self._table = CodeTable(
            np.zeros((n_padded, -(-width // 2)), np.int32),
            np.full(n_padded, self._far, np.float32),
            *np.zeros((2, n_padded), np.float32),
            np.float32(floor),
            np.float32(scale),
            np.float32(self._error),
            np.float32(2.0 * self._error * self._floor),
        )

    def table(self, offsets, sq_norms, never=None):
        """The table of centres; as `Tables.table`."""
        codes, norms, factors, slack, *_ = self._table
        _fill_codes(
            offsets, sq_norms, self._error, self._floor, self._scale, codes, norms, factors, slack
        )
        if never is not None:
            norms[: len(never)][never] = self._far
        return self._table


@exact
def _fill_codes(offsets, sq_norms, error, floor, scale, codes, norms, factors, slack):
    halves = codes.view(np.int16)
    for c in range(np.uintp(len(offsets))):
        counted = max(sq_norms[c], floor)
        to_codes = scale / np.sqrt(counted)
        for j in range(np.uintp(offsets.shape[1])):
            number = offsets[c, j] * to_codes
            halves[c, j] = np.int32(number + (0.5 if number >= 0.0 else -0.5))
        norms[c] = sq_norms[c] - error * counted
        factors[c] = -2.0 / to_codes
        slack[c] = 2.0 * error * (counted + 2.0 * floor)
