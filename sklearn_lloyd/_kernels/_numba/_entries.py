"""Products of a CSR row and many centres in the vector registers of the processor; see `_simd`.

Centres lie feature by feature, so that one stored entry meets a contiguous run of numbers, one
for each centre. The sums of a *group* of centres stay in registers while the entries of a row
go by. In memory, group follows upon group, so that many rows meet one before the next.
"""

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from sklearn_lloyd._kernels._numba._vectors import INT32, Vectors, arrays_of

GROUP = 8  # registers
GROUP_BYTES = 32 * GROUP


class _Row:
    """Emits the scores of one row and the centres of a group, in so many registers."""

    n_sums = None  # as many as fit: to be added to in turn, since an addition takes its time

    def __init__(self, context, builder, signature, args):
        self.kinds = signature.args
        self.context, self.builder = context, builder
        self.data, self.indices, self.start, self.stop, *rest = args
        self.columns, self.base, self.n_vectors, self.norms, self.first = rest
        self.vectors = Vectors(context, builder, signature.args[4].dtype)
        self.intp = self.start.type

    def _load(self, array, kind, place, to):
        value = self.builder.load(self.builder.gep(array.data, [place]))
        return self.context.cast(self.builder, value, kind.dtype, to)

    def _place(self, j):
        """Where the factors of a feature are, among those of its group."""
        return j

    def _add_term(self, total, x, factors):
        return self.vectors.add_product(total, x, factors)

    def _add_entry(self, p, sums):
        builder, vectors, intp = self.builder, self.vectors, self.intp
        x = vectors.splat(self._load(self.data, self.kinds[0], p, self.kinds[4].dtype))
        j = self._place(self._load(self.indices, self.kinds[1], p, types.intp))
        place = builder.add(self.base, builder.mul(j, intp(len(sums) * vectors.width)))
        for v, pointer in enumerate(sums):
            factors = vectors.load(self.columns.data, builder.add(place, intp(v * vectors.width)))
            builder.store(self._add_term(builder.load(pointer), x, factors), pointer)

    def scores(self, n_vectors):
        """One register after the other."""
        builder, vectors, intp = self.builder, self.vectors, self.intp
        n_sums = self.n_sums or max(1, GROUP // n_vectors)
        sums = [[vectors.variable(vectors.zeros) for _ in range(n_vectors)] for _ in range(n_sums)]
        n = builder.sub(self.stop, self.start)
        whole = builder.sub(self.stop, builder.srem(n, intp(n_sums)))
        with cgutils.for_range_slice(builder, self.start, whole, intp(n_sums)) as (p, _):
            for q, each in enumerate(sums):
                self._add_entry(builder.add(p, intp(q)), each)
        with cgutils.for_range_slice(builder, whole, self.stop, intp(1)) as (p, _):
            self._add_entry(p, sums[0])
        for v in range(n_vectors):
            at = builder.add(self.first, intp(v * vectors.width))
            total = vectors.load(self.norms.data, at)
            for each in sums:
                total = builder.fadd(total, builder.load(each[v]))
            yield total

    def store_scores(self, out):
        for n in self.each_width():
            for v, scores in enumerate(self.scores(n)):
                at = self.builder.add(self.first, self.intp(v * self.vectors.width))
                self.vectors.store(scores, out.data, at)

    def each_width(self):
        """For every number of registers: a branch that is taken if the group has so many."""
        for n in range(1, GROUP + 1):
            is_this = self.builder.icmp_signed("==", self.n_vectors, self.intp(n))
            with self.builder.if_then(is_this):
                yield n


@intrinsic
def score_entries(
    typingctx, data, indices, start, stop, columns, base, n_vectors, norms, first, out
):
    """Compute the scores of one row and a group of centres.

    Parameters
    ----------
    data, indices : ndarrays
        Of a CSR matrix, of which the row has the entries from `start` to `stop`.
    start, stop : int
    columns : ndarray of shape (n_features * n_lanes,)
        -2 times the centres: see `fill_columns`.
    base : int
        Where in it the group starts.
    n_vectors : int
        How many registers the group fills, at most `GROUP`.
    norms : ndarray of shape (n_lanes,)
    first : int
        The lane, of all, that the group starts with.
    out : ndarray of shape (n_lanes,)
        Filled from `first` on.
    """
    signature = types.void(data, indices, start, stop, columns, base, n_vectors, norms, first, out)

    def codegen(context, builder, signature, args):
        *args, out = arrays_of(context, builder, signature, args)
        _Row(context, builder, signature, args).store_scores(out)
        return context.get_dummy_value()

    return signature, codegen


class _ExactRow(_Row):
    """Sums of the definition, entry by entry; factors are there of some features only."""

    n_sums = 1

    def __init__(self, context, builder, signature, args):
        super().__init__(context, builder, signature, args[:-1])
        self._places = args[-1]

    def _place(self, j):
        return self._load(self._places, self.kinds[9], j, types.intp)

    def _add_term(self, total, x, factors):
        builder = self.builder
        return builder.fadd(total, builder.fmul(x, builder.fadd(x, factors)))


@intrinsic
def add_terms(
    typingctx, data, indices, start, stop, columns, base, n_vectors, norms, first, places, out
):
    """Compute the squared distances of one row and a group of centres, by the definition.

    Parameters
    ----------
    data, indices, start, stop, columns, base, n_vectors, norms, first, out
        As of `score_entries`, all in float64.
    places : ndarray of int of shape (n_features,)
        Where in `columns` the factors of a feature are.
    """
    signature = types.void(
        data, indices, start, stop, columns, base, n_vectors, norms, first, places, out
    )

    def codegen(context, builder, signature, args):
        *args, out = arrays_of(context, builder, signature, args)
        _ExactRow(context, builder, signature, args).store_scores(out)
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def fold_entries(
    typingctx, data, indices, start, stop, columns, base, n_vectors, norms, first, best, second,
    label, r,
):  # fmt: skip
    """Find the two least of the scores of one row and a group of centres, and those before.

    Parameters
    ----------
    data, indices, start, stop, columns, base, n_vectors, norms, first
        As of `score_entries`.
    best, second : ndarrays
        In place r, updated; infinite where there is none.
    label : ndarray of int32
        In place r, updated: a centre that has the least score.
    r : int
    """
    signature = types.void(
        data, indices, start, stop, columns, base, n_vectors, norms, first, best, second, label, r
    )

    def codegen(context, builder, signature, args):
        *args, best, second, label, r = arrays_of(context, builder, signature, args)
        row = _Row(context, builder, signature, args)
        vectors, width = row.vectors, row.vectors.width
        lanes = ir.Constant(vectors.labels, list(range(width)))
        state = [vectors.variable(x) for x in (vectors.infinite, vectors.infinite, lanes)]
        for n in row.each_width():
            least = vectors.infinite, vectors.infinite, lanes
            for v, scores in enumerate(row.scores(n)):
                at = builder.trunc(builder.add(row.first, row.intp(v * width)), INT32)
                number = builder.add(vectors.splat(at, vectors.labels), lanes)
                least = _merge(vectors, least, (scores, vectors.infinite, number))
            for value, pointer in zip(least, state, strict=True):
                builder.store(value, pointer)
        least = [builder.load(pointer) for pointer in state]
        half = width // 2
        while half:
            moved = ir.Constant(vectors.labels, [(lane + half) % width for lane in range(width)])
            other = [builder.shuffle_vector(x, x, moved) for x in least]
            least = _merge(vectors, least, other)
            half //= 2
        of_group = [builder.extract_element(x, INT32(0)) for x in least]
        places = [builder.gep(array.data, [r]) for array in (best, second, label)]
        before = [builder.load(place) for place in places]
        for value, place in zip(_merge(vectors, before, of_group), places, strict=True):
            builder.store(value, place)
        return context.get_dummy_value()

    return signature, codegen


def _merge(vectors, a, b):
    """The least, the next one and the label of the least of both."""
    builder = vectors.builder
    nearer = vectors.less(b[0], a[0])
    larger = builder.select(nearer, a[0], b[0])
    least, label = (builder.select(nearer, b[i], a[i]) for i in (0, 2))
    return least, vectors.min(larger, vectors.min(a[1], b[1])), label
