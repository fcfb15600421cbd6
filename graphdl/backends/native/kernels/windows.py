"""Maximum and mean over sliding windows, and their gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from llvmlite import ir

from ....program.primitives.window import Windowed
from ..compile.library import writer
from ..emit.emit import Emit
from ..emit.mathematics import maximum
from ..emit.runtime_sizes import Number
from .call import Call, Making
from .operand import Operand
from .pointwise import Access, fill

# Offsets of a window that are written out one by one; of larger ones there are loops. Written out,
# a maximum over 6 x 6 took a tenth less and 70 ms to compile, not 40; one over 8 x 8 a twentieth
# less and 150 ms, not 50.
WRITTEN_OUT = 36


@dataclass(frozen=True, slots=True)
class Windows:
    """`lead`, `counts` (or `sides` of what the windows slide over) and `rest` are extents.

    arrays   what is read or written: of the shape of windows first, then of the shape of sides
    inside   whether every window lies inside
    """

    lead: tuple[Number, ...]
    counts: tuple[Number, ...]
    sides: tuple[Number, ...]
    rest: tuple[Number, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    ceil: bool
    inside: bool
    arrays: tuple[Access, ...]

    @property
    def apart(self) -> bool:
        """Whether no two windows overlap."""
        return all(s >= k for s, k in zip(self.stride, self.kernel, strict=True))


def _call(
    family: str,
    primitive: Windowed,
    windows: Sequence[Operand],
    wholes: Sequence[Operand],
    precision: str,
) -> list[Call]:
    making = Making()
    lead, counts, rest = primitive.cut(windows[0].extents)
    sides = primitive.cut(wholes[0].extents)[1]
    rest = tuple(rest)
    inside = all(
        before == 0 and (count - 1) * stride + kernel <= side
        for (before, _), count, stride, kernel, side in zip(
            primitive.padding, counts, primitive.stride, primitive.kernel_shape, sides, strict=True
        )
    )
    spec = Windows(
        making.all(lead),
        making.all(counts),
        making.all(sides),
        making.all(rest),
        primitive.kernel_shape,
        primitive.stride,
        primitive.padding,
        primitive.ceil,
        inside,
        tuple(
            Access(making.operand(o), o.kind, making.all(o.strides)) for o in (*windows, *wholes)
        ),
    )
    lanes = 8 if rest and windows[0].strides[-1] == 1 else 1
    work = windows[0].count * prod(primitive.kernel_shape) * 2 // lanes
    return [making.call(family, spec, precision, work)]


def window_max(primitive: Windowed, out: Operand, x: Operand, precision: str) -> list[Call]:
    """The call that takes the largest number of each window."""
    return _call("window_max", primitive, [out], [x], precision) if out.count else []


def window_mean(primitive: Windowed, out: Operand, x: Operand, precision: str) -> list[Call]:
    """The call that takes the mean of each window."""
    return _call("window_mean", primitive, [out], [x], precision) if out.count else []


def window_max_gradient(
    primitive: Windowed, out: Operand, x: Operand, largest: Operand, grad: Operand, precision: str
) -> list[Call]:
    """The calls that give each window's gradient to the first of its largest numbers."""
    if not out.count:
        return []
    calls = _call("window_max_gradient", primitive, [largest, grad], [x, out], precision)
    return calls if _covers(primitive, largest, out) else [*fill(out, 0, precision), *calls]


def window_mean_gradient(
    primitive: Windowed, out: Operand, grad: Operand, precision: str
) -> list[Call]:
    """The calls that spread each window's gradient over it."""
    if not out.count:
        return []
    calls = _call("window_mean_gradient", primitive, [grad], [out], precision)
    return calls if _covers(primitive, grad, out) else [*fill(out, 0, precision), *calls]


def _covers(primitive: Windowed, windows: Operand, whole: Operand) -> bool:
    """Whether every number of the whole lies in exactly one window."""
    counts, sides = primitive.cut(windows.extents)[1], primitive.cut(whole.extents)[1]
    # Only then need nothing be zeroed first.
    return all(
        k == s and not any(p) and n * s == side
        for k, s, p, n, side in zip(
            primitive.kernel_shape, primitive.stride, primitive.padding, counts, sides, strict=True
        )
    )


class _Walk:
    """The loops of one kernel."""

    def __init__(self, e: Emit, spec: Windows) -> None:
        self.e, self.spec = e, spec
        self.bases = [e.address(access.place) for access in spec.arrays]
        accesses = spec.arrays
        self.near = bool(spec.rest) and all(a.strides[-1] == 1 for a in accesses)

    def each(self, element: Any, shared_counts: bool) -> None:
        """`element(lead, counts, rest, width)` for this thread's windows."""
        e, spec = self.e, self.spec
        outer = (*spec.lead, *spec.counts) if shared_counts else spec.lead
        start, stop = e.share(e.count(outer))
        cut = len(spec.lead)
        with e.loop(start, stop) as index:
            places = e.places(index, outer)
            lead, counts = places[:cut], places[cut:]
            if shared_counts:
                self._rest(lead, counts, element)
            else:
                with e.nest(spec.counts) as inner:
                    self._rest(lead, inner, element)

    def _rest(self, lead: Sequence[Any], counts: Sequence[Any], element: Any) -> None:
        e, rest = self.e, self.spec.rest
        if not rest:
            element(lead, counts, [], 1)
            return
        *outer, inner = rest
        width = e.width if self.near else 1
        while isinstance(inner, int) and width > max(inner, 1):
            width //= 2
        with e.nest(outer) as places:
            whole = e.sub(inner, e.rem(inner, width))
            with e.loop(0, whole, width) as place:
                element(lead, counts, [*places, place], width)
            if width > 1 and not (isinstance(inner, int) and inner % width == 0):
                with e.loop(whole, inner) as place:
                    element(lead, counts, [*places, place], 1)

    def each_offset(self, counts: Sequence[Any], visit: Any) -> None:
        """`visit(places)` for each place of a window that lies inside, in order."""
        e, spec = self.e, self.spec
        starts = [
            e.sub(e.mul(count, stride), before)
            for count, stride, (before, _) in zip(counts, spec.stride, spec.padding, strict=True)
        ]

        def at(offsets: Sequence[Any]) -> None:
            places = [e.add(start, offset) for start, offset in zip(starts, offsets, strict=True)]
            if spec.inside:
                visit(places)
                return
            build = e.build
            inside = ir.Constant(ir.IntType(1), 1)
            for place, side in zip(places, spec.sides, strict=True):
                # As unsigned numbers, those below zero are above everything.
                inside = build.and_(inside, build.icmp_unsigned("<", place, e.number(side)))
            with e.when(inside):
                visit(places)

        if prod(spec.kernel) <= WRITTEN_OUT:
            for offsets in product(*map(range, spec.kernel)):
                at(offsets)
        else:
            with e.nest(spec.kernel) as places:
                at(places)

    def load(self, which: int, places: Sequence[Any], width: int) -> Any:
        """A number of one of the arrays."""
        access = self.spec.arrays[which]
        offset = self.e.offset(places, access.strides)
        return self.e.load(self.bases[which], offset, "float", width)

    def store(self, which: int, value: Any, places: Sequence[Any], width: int) -> None:
        """Write one."""
        access = self.spec.arrays[which]
        offset = self.e.offset(places, access.strides)
        self.e.store(value, self.bases[which], offset, "float", width)

    def share(self, counts: Sequence[Any]) -> Any:
        """What part of a window each of its numbers is."""
        e, spec = self.e, self.spec
        if not spec.ceil:
            return ir.Constant(e.real, 1 / prod(spec.kernel))
        value = ir.Constant(e.real, 1.0)
        for axis, count in enumerate(counts):
            before, after = spec.padding[axis]
            start = e.sub(e.mul(count, spec.stride[axis]), before)
            end = e.least(e.add(start, spec.kernel[axis]), e.add(spec.sides[axis], after))
            size = e.build.sitofp(e.sub(end, start), e.real)
            value = e.build.fmul(value, e.build.fdiv(ir.Constant(e.real, 1.0), size))
        return value


@writer("window_max")
def _write_max(e: Emit, spec: Windows) -> None:
    walk = _Walk(e, spec)

    def element(lead: Any, counts: Any, rest: Any, width: int) -> None:
        kind = e.vector(e.real, width)
        best = e.variable(kind, e.same(kind, float("-inf")))
        walk.each_offset(
            counts,
            lambda at: best.set(maximum(e, best.get(), walk.load(1, [*lead, *at, *rest], width))),
        )
        walk.store(0, best.get(), [*lead, *counts, *rest], width)

    walk.each(element, shared_counts=True)


@writer("window_mean")
def _write_mean(e: Emit, spec: Windows) -> None:
    walk = _Walk(e, spec)

    def element(lead: Any, counts: Any, rest: Any, width: int) -> None:
        kind = e.vector(e.real, width)
        sum_ = e.variable(kind, e.zero(kind))
        walk.each_offset(
            counts,
            lambda at: sum_.set(e.build.fadd(sum_.get(), walk.load(1, [*lead, *at, *rest], width))),
        )
        value = e.build.fmul(sum_.get(), e.splat(walk.share(counts), width))
        walk.store(0, value, [*lead, *counts, *rest], width)

    walk.each(element, shared_counts=True)


@writer("window_max_gradient")
def _write_max_gradient(e: Emit, spec: Windows) -> None:
    walk = _Walk(e, spec)
    build = e.build

    def element(lead: Any, counts: Any, rest: Any, width: int) -> None:
        here = [*lead, *counts, *rest]
        largest, grad = walk.load(0, here, width), walk.load(1, here, width)
        left = e.variable(grad.type, grad)
        zero = e.zero(grad.type)

        def visit(at: Sequence[Any]) -> None:
            there = [*lead, *at, *rest]
            found = build.fcmp_ordered("==", walk.load(2, there, width), largest)
            part = build.select(found, left.get(), zero)
            left.set(build.select(found, zero, left.get()))
            if not spec.apart:
                part = build.fadd(part, walk.load(3, there, width))
            walk.store(3, part, there, width)

        walk.each_offset(counts, visit)

    walk.each(element, shared_counts=spec.apart)


@writer("window_mean_gradient")
def _write_mean_gradient(e: Emit, spec: Windows) -> None:
    walk = _Walk(e, spec)

    def element(lead: Any, counts: Any, rest: Any, width: int) -> None:
        grad = walk.load(0, [*lead, *counts, *rest], width)
        part = e.build.fmul(grad, e.splat(walk.share(counts), width))

        def visit(at: Sequence[Any]) -> None:
            there = [*lead, *at, *rest]
            value = part
            if not spec.apart:
                value = e.build.fadd(part, walk.load(1, there, width))
            walk.store(1, value, there, width)

        walk.each_offset(counts, visit)

    walk.each(element, shared_counts=spec.apart)
