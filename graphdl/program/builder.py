"""How programs are written: one method for everything a program can compute.

Lowering, differentiation and passes all go through here, so that broadcasting and kinds are decided
in one place and a program holds explicit primitives only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import primitives as p
from .arithmetic import Arithmetic
from .emitter import shape_text
from .logarithm import logarithm
from .primitive import ShapeError
from .primitives.binary import Binary
from .primitives.spec import Axis, Window, parse, written
from .primitives.unary import Unary
from .program import Type, Value
from .size import Dim
from .stable import better

Pads = Sequence[tuple[int, int]]


class Builder(Arithmetic):
    """A program under construction.

    >>> build = Builder()
    >>> x = build.input("x", Type((2, 3)), "data", "x")
    >>> build.sum(build.mul(x, x), axes=[1])
    %2: float[2]
    """

    def _written(self, primitive: Unary | Binary, values: list[Value]) -> Value:
        """The operation, or what computes the same without losing digits."""
        found = better(self, primitive, values)
        return self.emit(primitive, *values) if found is None else found

    def log_probability(self, x: Value) -> Value:
        """log(x) of an x from 0 to 1, not below -100; its slope, 1/x, is finite and never lost.

        What lies outside counts as the nearest that does not. Only above 1 is there no slope.
        """
        x = self.cast(x, "float")
        known = logarithm(self, x)
        if known is not None:
            return known
        still = self.stop(x)
        inside = self.minimum(self.maximum(still, 0.0), 1.0)
        slope = self.div(
            self.cast(self.less_equal(still, 1.0), "float"), self.maximum(still, 1e-12)
        )
        value = self.maximum(self.log(inside), -100.0)
        return self.add(value, self.mul(self.sub(x, still), slope))

    # reductions

    def sum(self, x: Value, axes: Sequence[int] | None = None, keep: bool = False) -> Value:
        """The sum over axes, all of them by default; `keep` leaves them with size 1."""
        x = self.cast(x, "float") if x.type.kind == "bool" else x
        return self._reduced(p.Sum, x, axes, keep)

    def mean(self, x: Value, axes: Sequence[int] | None = None, keep: bool = False) -> Value:
        """The mean over axes."""
        return self._reduced(p.Mean, self.cast(x, "float"), axes, keep)

    def amax(self, x: Value, axes: Sequence[int] | None = None, keep: bool = False) -> Value:
        """The largest over axes."""
        return self._reduced(p.Amax, x, axes, keep)

    def amin(self, x: Value, axes: Sequence[int] | None = None, keep: bool = False) -> Value:
        """The smallest over axes."""
        return self._reduced(p.Amin, x, axes, keep)

    def argmax(self, x: Value, axis: int) -> Value:
        """Where the largest stands along an axis, the first of equal ones."""
        return self.emit(p.ArgMax(self._axis(x, axis)), x)

    def _reduced(
        self,
        primitive: type[p.Sum | p.Mean | p.Amax],
        x: Value,
        axes: Sequence[int] | None,
        keep: bool,
    ) -> Value:
        places = self._axes(x, axes)
        y = self.emit(primitive(places), x) if places else x
        kept = tuple(1 if i in places else d for i, d in enumerate(x.type.shape))
        return self.reshape(y, kept) if keep else y

    # contractions

    def contract(
        self, left: Value, right: Value, spec: str, extents: Mapping[str, Dim] | None = None
    ) -> Value:
        """A sum of products as `spec` says: `b k, n k -> b n`."""
        axes = tuple(map(written, parse(spec)))
        canonical = f"{', '.join(axes[:-1])} -> {axes[-1]}"
        return self.emit(p.Contract(canonical, tuple((extents or {}).items())), left, right)

    def matmul(self, a: Value, b: Value) -> Value:
        """The product over the last axis of `a` and the last but one (or only one) of `b`."""
        a, b = self.cast(a, "float"), self.cast(b, "float")
        ranks = len(a.type.shape), len(b.type.shape)
        inner = b.type.shape[-2:][0] if b.type.shape else None
        shapes = f"{shape_text(a.type.shape)} by {shape_text(b.type.shape)}"
        if 0 in ranks or a.type.shape[-1] != inner:
            raise ShapeError(f"cannot multiply {shapes} as matrices")
        left = [*_numbered(ranks[0] - 2), *["m", "k"][-ranks[0] :]]
        right = [*_numbered(ranks[1] - 2), *(["k", "n"] if ranks[1] > 1 else ["k"])]
        a, left = self._without_ones(a, left, b, right)
        b, right = self._without_ones(b, right, a, left)
        out = [label for label in dict.fromkeys([*left, *right]) if label not in "kmn"]
        batch = sorted(out, reverse=True)
        result = [*batch, *(label for label in "mn" if label in (*left, *right))]
        try:
            return self.contract(a, b, f"{' '.join(left)}, {' '.join(right)} -> {' '.join(result)}")
        except ShapeError:
            raise ShapeError(f"cannot multiply {shapes} as matrices") from None

    def _without_ones(
        self, x: Value, labels: list[str], other: Value, others: list[str]
    ) -> tuple[Value, list[str]]:
        """Drop batch axes of size 1 that stand against longer ones."""
        longer = dict(zip(others, other.type.shape, strict=True))
        kept = [
            i
            for i, (label, dim) in enumerate(zip(labels, x.type.shape, strict=True))
            if label in "kmn" or dim != 1 or longer.get(label, 1) == 1
        ]
        shape = [x.type.shape[i] for i in kept]
        return self.reshape(x, shape), [labels[i] for i in kept]

    def convolve(
        self,
        x: Value,
        w: Value,
        stride: Sequence[int],
        pad: Pads,
        dilation: Sequence[int],
        groups: int = 1,
        batched: bool = True,
    ) -> Value:
        """Cross-correlation of x[B, C, *sides] with w[O, C/groups, *kernel].

        Every geometry has one entry for each side, pad as (before, after); there is no B unless
        `batched`.
        """
        rank = len(w.type.shape) - 2
        lead = x.type.shape[: len(x.type.shape) - rank - 1]
        if rank not in (1, 2, 3) or len(lead) != batched:
            raise ShapeError(
                f"cannot convolve {shape_text(x.type.shape)} with {shape_text(w.type.shape)}"
            )
        maps, taken, *kernel = w.type.shape
        channels, *sides = x.type.shape[len(lead) :]
        self._check_groups(channels, maps, taken, groups)
        axes, counts = _windows(kernel, sides, stride, pad, dilation)
        batch = ["b"] if batched else []
        group, first = (["g"], (groups,)) if groups > 1 else ([], ())
        x = self.reshape(x, (*lead, *first, taken, *sides)) if groups > 1 else x
        kernels = [k for k, axis in zip(kernel, axes, strict=True) if isinstance(axis, Window)]
        w = self.reshape(w, (*first, maps // groups, taken, *kernels))
        offsets = [axis.offset for axis in axes if isinstance(axis, Window)]
        places = [axis.position if isinstance(axis, Window) else axis for axis in axes]
        operands = (
            (*batch, *group, "c", *axes),
            (*group, "o", "c", *offsets),
            (*batch, *group, "o", *places),
        )
        sizes = dict(zip(map(str, places), counts, strict=True))
        spec = f"{written(operands[0])}, {written(operands[1])} -> {written(operands[2])}"
        extents = tuple((str(a.position), sizes[a.position]) for a in axes if isinstance(a, Window))
        y = self.emit(p.Contract(spec, extents), x, w)
        return self.reshape(y, (*lead, maps, *counts))

    def _check_groups(self, channels: Dim, maps: Dim, taken: Dim, groups: int) -> None:
        if taken * groups != channels:
            many = f" in each of {groups} groups" if groups > 1 else ""
            raise ShapeError(f"the kernel takes {taken} channels{many}, the input has {channels}")
        if maps % groups != 0:
            raise ShapeError(f"{maps} maps do not fall into {groups} equal groups")

    # windows

    def window_max(
        self, x: Value, kernel: Sequence[int], stride: Sequence[int], pad: Pads, ceil: bool = False
    ) -> Value:
        """The largest of each window on the last axes."""
        return self.emit(p.WindowMax(tuple(kernel), tuple(stride), _pairs(pad), ceil), x)

    def window_mean(
        self, x: Value, kernel: Sequence[int], stride: Sequence[int], pad: Pads, ceil: bool = False
    ) -> Value:
        """The mean of each window on the last axes, padding counted as zeros."""
        return self.emit(p.WindowMean(tuple(kernel), tuple(stride), _pairs(pad), ceil), x)

    # moves

    def transpose(self, x: Value, permutation: Sequence[int]) -> Value:
        """The axes in another order."""
        rank = len(x.type.shape)
        order = tuple(axis + rank if axis < 0 else axis for axis in permutation)
        return x if order == tuple(range(rank)) else self.emit(p.Transpose(order), x)

    def slice(
        self, x: Value, axis: int, start: Dim = 0, stop: Dim | None = None, step: int = 1
    ) -> Value:
        """Entries start, start + step, ... before stop; negative numbers count from the end."""
        axis = self._axis(x, axis)
        extent = x.type.shape[axis]
        stop = extent if stop is None else stop
        first, last = (extent + d if isinstance(d, int) and d < 0 else d for d in (start, stop))
        if first == 0 and last == extent and step == 1:
            return x
        return self.emit(p.Slice(axis, first, last, step), x)

    def pad(
        self, x: Value, axis: int, before: Dim, after: Dim, value: float = 0.0, step: int = 1
    ) -> Value:
        """`value` added before and after along an axis, with a step also between the entries."""
        if before == 0 and after == 0 and step == 1:
            return x
        return self.emit(p.Pad(self._axis(x, axis), before, after, value, step), x)

    def concat(self, xs: Sequence[Value], axis: int) -> Value:
        """The values one after another along an axis."""
        xs = self._promoted(xs, ("float", "int", "bool"))
        return self.emit(p.Concat(self._axis(xs[0], axis)), *xs) if len(xs) > 1 else xs[0]

    def reverse(self, x: Value, axis: int) -> Value:
        """One axis backwards."""
        return self.emit(p.Reverse(self._axis(x, axis)), x)

    def stop(self, x: Value) -> Value:
        """`x` as a constant that passes no gradient."""
        return self.emit(p.Stop(), x)

    # indices

    def gather(self, table: Value, ids: Value) -> Value:
        """Rows of a table: shape of ids, then of a row."""
        return self.emit(p.Gather(), table, ids)

    def scatter_add(self, ids: Value, rows: Value, count: Dim) -> Value:
        """A table of `count` rows: the sum of the rows of each id."""
        return self.emit(p.ScatterAdd(count), ids, rows)

    def merge_rows(self, ids: Value, rows: Value, places: Value, count: Dim) -> Value:
        """Rows `places` of the table of `count` rows: the sum of the rows of each id."""
        return self.emit(p.MergeRows(count), ids, rows, places)

    def put_rows(self, table: Value, ids: Value, rows: Value) -> Value:
        """The table with other rows at some places; rows of one id are equal."""
        return self.emit(p.PutRows(), table, ids, rows)

    def pick(self, x: Value, ids: Value) -> Value:
        """x[..., ids]: one number out of each row.

        Of logarithms only the picked ones are taken: the others may be infinite.
        """
        made = self.maker(x)
        if made and isinstance(made.primitive, p.Log):
            return self.log(self.pick(made.args[0], ids))
        return self.emit(p.Pick(), x, ids)

    def spread(self, ids: Value, values: Value, count: Dim) -> Value:
        """Rows of `count` zeros with one value each, at its id."""
        return self.emit(p.Spread(count), ids, values)

    def iota(self, shape: Sequence[Dim], axis: int) -> Value:
        """0, 1, 2, ... along an axis."""
        shape = tuple(shape)
        return self.emit(p.Iota(shape, axis + len(shape) if axis < 0 else axis))

    def random(self, shape: Sequence[Dim], node: int, seed: Value, draw: Value) -> Value:
        """Uniform on [0, 1), the same for the same seed, draw and node."""
        return self.emit(p.Random(tuple(shape), node), seed, draw)

    def zeros(self, type: Type) -> Value:
        """Zeros of a type."""
        return self.broadcast(self.constant(0, type.kind), type.shape)

    def _axis(self, x: Value, axis: int) -> int:
        rank = len(x.type.shape)
        if not -rank <= axis < rank:
            raise ShapeError(f"{shape_text(x.type.shape)} has no axis {axis}")
        return axis % rank

    def _axes(self, x: Value, axes: Sequence[int] | None) -> tuple[int, ...]:
        places = range(len(x.type.shape)) if axes is None else axes
        return tuple(sorted({self._axis(x, axis) for axis in places}))


def _numbered(count: int) -> list[str]:
    """Batch labels, counted from the matrix outwards so that operands align at the end."""
    return [f"b{i}" for i in reversed(range(max(count, 0)))]


def _pairs(pad: Pads) -> tuple[tuple[int, int], ...]:
    return tuple((before, after) for before, after in pad)


def _windows(
    kernel: Sequence[Dim],
    sides: Sequence[Dim],
    stride: Sequence[int],
    pad: Pads,
    dilation: Sequence[int],
) -> tuple[list[Axis], list[Dim]]:
    """The axes of a convolution's input, and how many places each window has."""
    positions, offsets = ("zyx"[-len(kernel) :], "hij"[-len(kernel) :])
    axes: list[Axis] = []
    counts: list[Dim] = []
    for i, size in enumerate(sides):
        before, after = pad[i]
        reach = (kernel[i] - 1) * dilation[i] + 1
        count = (size + before + after - reach) // stride[i] + 1
        if isinstance(count, int) and count < 1:
            shapes = ("x".join(map(str, s)) for s in (kernel, sides))
            raise ShapeError(
                "the kernel {} is larger than its input {}".format(*shapes), code="E0404"
            )
        counts.append(count)
        plain = kernel[i] == 1 and stride[i] == 1 and (before, after) == (0, 0)
        window = Window(positions[i], offsets[i], stride[i], dilation[i], before)
        axes.append(positions[i] if plain else window)
    return axes, counts
