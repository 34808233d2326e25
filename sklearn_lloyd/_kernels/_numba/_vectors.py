"""Loads, stores and arithmetic on vectors, emitted in LLVM's own language; see `_simd`."""

from __future__ import annotations

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils

binding.initialize_native_asmparser()  # for the one instruction that is asked for by name

RUN = 16  # features
CENTERS = 4  # that a panel meets at a time, or twice that; tables are filled up to a multiple
_SUMS = 8  # registers that products add to in turn: so many keep the processor busy
FEW = 4  # features of a panel that stays in registers

INT32 = ir.IntType(32)
_FAST = ("contract", "nsz")  # a product and its sum may be rounded once
_REGISTER = 32  # bytes
_PANEL = 64  # bytes of a feature: two registers, or one where the processor has wider ones


def _has(context, *features):
    """Whether the processor that is compiled for has these."""
    there = context.codegen().magic_tuple()[-1].split(",")
    return all(f"+{feature}" in there for feature in features)


def lanes(dtype):
    """Rows of a panel in that precision."""
    return _PANEL // np.dtype(dtype).itemsize


def sum_terms(n_features):
    """The error of a product is at most so many roundings of the sum of its absolute terms."""
    return min(n_features, RUN) + -(-n_features // RUN)


class Vectors:
    """Emits loads, stores and arithmetic on vectors as wide as one register.

    Parameters
    ----------
    context, builder
        As an intrinsic gets them.
    dtype : numba type
        float32 or float64.
    register : int
        Bytes.
    """

    def __init__(self, context, builder, dtype, register=_REGISTER):
        self.builder = builder
        self.real = context.get_data_type(dtype)
        self.size = 4 if dtype == types.float32 else 8
        self.width = register // self.size
        self.each = range(_PANEL // register)  # the registers of a feature of a panel
        self._has_dot_products = _has(context, "avx512vnni", "avx512vl")
        self.reals = ir.VectorType(self.real, self.width)
        self.labels = ir.VectorType(INT32, self.width)
        self.zeros = ir.Constant(self.reals, [0.0] * self.width)
        self.infinite = ir.Constant(self.reals, [float("inf")] * self.width)

    def load(self, data, index, kind=None, align=None):
        kind = kind or self.reals
        pointer = self.builder.bitcast(self.builder.gep(data, [index]), kind.as_pointer())
        vector = self.builder.load(pointer)
        vector.align = align or self.size  # no more than the elements are aligned
        return vector

    def store(self, vector, data, index, align=None):
        pointer = self.builder.gep(data, [index])
        pointer = self.builder.bitcast(pointer, vector.type.as_pointer())
        self.builder.store(vector, pointer).align = align or self.size

    def splat(self, scalar, kind=None):
        kind = kind or self.reals
        undefined = ir.Constant(kind, ir.Undefined)
        first = self.builder.insert_element(undefined, scalar, INT32(0))
        return self.builder.shuffle_vector(
            first, undefined, ir.Constant(self.labels, [0] * self.width)
        )

    def variable(self, value):
        """A vector that changes; LLVM keeps it in a register."""
        pointer = cgutils.alloca_once(self.builder, value.type)
        self.builder.store(value, pointer)
        return pointer

    def add_product(self, total, a, b):
        return self.builder.fadd(self.builder.fmul(a, b, flags=_FAST), total, flags=_FAST)

    def add_pairs(self, total, a, b):
        """As `add_product`, of whole numbers of 16 bits: each two neighbours add to one of 32."""
        builder, wide = self.builder, ir.VectorType(INT32, 2 * self.width)
        if self._has_dot_products:
            # LLVM knows it, but takes it apart again where it thinks that a sum is waited for.
            signature = ir.FunctionType(total.type, [total.type, a.type, b.type])
            return builder.asm(signature, "vpdpwssd $3, $2, $0", "=v,0,v,v", [total, a, b], False)
        products = builder.mul(builder.sext(a, wide), builder.sext(b, wide))
        even, odd = (
            builder.shuffle_vector(
                products,
                ir.Constant(wide, ir.Undefined),
                ir.Constant(self.labels, list(range(start, 2 * self.width, 2))),
            )
            for start in (0, 1)
        )
        return builder.add(total, builder.add(even, odd))

    def less(self, a, b):
        """A lane is false where either is NaN."""
        return self.builder.fcmp_ordered("<", a, b)

    def min(self, a, b):
        """The second where either is NaN."""
        return self.builder.select(self.less(a, b), a, b)


def vectors_of_panel(context, builder, dtype):
    """Vectors for the products of panels: in the widest registers that there are."""
    register = _PANEL if _has(context, "avx512bw") else _REGISTER
    return Vectors(context, builder, dtype, register)


def groups_of_centers(vectors, n_centers):
    """A loop over the centres of a table, some at a time: yields the first, and how many."""
    builder, intp = vectors.builder, n_centers.type
    start = intp(0)
    for n in sorted({_SUMS // len(vectors.each), CENTERS}, reverse=True):
        stop = builder.and_(n_centers, intp(-n))
        with cgutils.for_range_slice(builder, start, stop, intp(n)) as (first, _):
            yield first, n
        start = stop


def _scores(vectors, panel, table, norms, first, n):
    """Scores of a panel and of n centres from `first` on: [centre][register]."""
    builder = vectors.builder
    n_features = builder.extract_value(panel.shape, 0)
    intp = n_features.type
    each = [builder.add(first, intp(q)) for q in range(n)]
    starts = [builder.mul(c, n_features) for c in each]
    norm_of = [vectors.splat(builder.load(builder.gep(norms.data, [c]))) for c in each]
    total = [[vectors.variable(norm) for _ in vectors.each] for norm in norm_of]

    def add_run(start, stop, sums):
        with cgutils.for_range_slice(builder, start, stop, intp(1)) as (j, _):
            x = _feature(vectors, panel, j)
            for q in range(n):
                place = builder.gep(table.data, [builder.add(starts[q], j)])
                factor = vectors.splat(builder.load(place))
                for v in vectors.each:
                    old = builder.load(sums[q][v])
                    builder.store(vectors.add_product(old, factor, x[v]), sums[q][v])

    def end_of(start):
        stop = builder.add(start, intp(RUN))
        return builder.select(builder.icmp_signed("<", stop, n_features), stop, n_features)

    add_run(intp(0), end_of(intp(0)), total)  # the first run goes on from the norms
    with cgutils.for_range_slice(builder, intp(RUN), n_features, intp(RUN)) as (start, _):
        run = [[vectors.variable(vectors.zeros) for _ in vectors.each] for _ in range(n)]
        for sums in run:
            for pointer in sums:
                builder.store(vectors.zeros, pointer)
        add_run(start, end_of(start), run)
        for sums, totals in zip(run, total, strict=True):
            for part, pointer in zip(sums, totals, strict=True):
                builder.store(builder.fadd(builder.load(pointer), builder.load(part)), pointer)
    return [[builder.load(pointer) for pointer in pointers] for pointers in total]


def _feature(vectors, panel, j):
    """One feature of all rows of a panel."""
    width = vectors.width
    at = vectors.builder.mul(j, j.type(len(vectors.each) * width))
    return [
        vectors.load(panel.data, vectors.builder.add(at, j.type(width * v))) for v in vectors.each
    ]


def for_centers(vectors, panel, table, norms, use):
    """A loop over the centres of a table: `use(c, scores)` emits what is made of each.

    Several centres at a time share the loads of the panel. A panel of few features stays in
    registers as a whole, and what is made of the scores needs the others: one centre at a time.
    """
    builder = vectors.builder
    n_centers, n_features = (builder.extract_value(table.shape, axis) for axis in (0, 1))
    intp = n_centers.type
    done, many = (builder.append_basic_block(name) for name in ("scores.done", "scores.many"))
    few = [builder.append_basic_block(f"scores.few.{n}") for n in range(1, FEW + 1)]
    switch = builder.switch(n_features, many)
    for n, block in enumerate(few, 1):
        switch.add_case(intp(n), block)
        builder.position_at_end(block)
        x = [_feature(vectors, panel, intp(j)) for j in range(n)]
        with cgutils.for_range(builder, n_centers) as loop:
            c = loop.index
            norm = vectors.splat(builder.load(builder.gep(norms.data, [c])))
            scores, start = [norm] * len(vectors.each), builder.mul(c, intp(n))
            for j in range(n):
                place = builder.gep(table.data, [builder.add(start, intp(j))])
                factor = vectors.splat(builder.load(place))
                scores = [
                    vectors.add_product(score, factor, part)
                    for score, part in zip(scores, x[j], strict=True)
                ]
            use(c, scores)
        builder.branch(done)
    builder.position_at_end(many)
    for first, n in groups_of_centers(vectors, n_centers):
        for q, scores in enumerate(_scores(vectors, panel, table, norms, first, n)):
            use(builder.add(first, intp(q)), scores)
    builder.branch(done)
    builder.position_at_end(done)


def arrays_of(context, builder, signature, args):
    return [
        context.make_array(kind)(context, builder, arg) if isinstance(kind, types.Array) else arg
        for kind, arg in zip(signature.args, args, strict=True)
    ]
