"""Sums and extremes over axes, with what is done to the elements before, in one pass.

A result that many elements go into is made in parts whose number depends on the shape alone, so
that it is the same for any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

from ....program import Kind
from ..compile.library import writer
from ..emit.emit import Emit
from ..emit.function import WORD
from ..emit.mathematics import maximum, minimum
from ..emit.runtime_sizes import Argument, Number, RuntimeSize
from ..emit.scalars import apply
from .call import Call, Making
from .operand import Operand, merged, total
from .pointwise import COSTS, Stage, each_vector

Space = Callable[[tuple[int, ...], Kind], Operand]
# Above so many elements for each result, it is made in parts, which threads share; so many at most,
# and a divisor of the length, whatever the number of threads. Two of them took 7 µs for a sum of
# 2^17 in parts and 12 in one, 43 and 84 for one of 2^20; up to 2^15 they were close.
LONG_SUM, MOST_PARTS = 1 << 14, 64
SUMS = ("sum", "mean")
DOUBLE = ir.DoubleType()
# Vectors added up side by side, to hide how long an addition takes: its result is there after four
# cycles, and one or two can begin in each. `_along` writes their sum out.
ABREAST = 4


@dataclass(frozen=True, slots=True)
class Source:
    """An argument: distances along the axes that are kept and those that are reduced."""

    place: Argument
    kind: Kind
    kept: tuple[Number, ...]
    reduced: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Reduce:
    """`along`: the innermost reduced axis is taken by vectors; else the innermost kept one is."""

    name: str
    kept: tuple[Number, ...]
    reduced: tuple[Number, ...]
    out: Source
    args: tuple[Source, ...]
    stages: tuple[Stage, ...]
    along: bool


def reduction(
    name: str,
    out: Operand,
    args: Sequence[Operand],
    axes: Sequence[int],
    stages: Sequence[Stage],
    precision: str,
    space: Space,
) -> list[Call]:
    """The calls that reduce what `stages` make of the arguments, all of one shape, over `axes`."""
    shape = args[0].extents
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    long = total([shape[axis] for axis in axes])
    far = {a: max(abs(int(arg.strides[a])) for arg in args) for a in axes}
    axis = max(axes, key=lambda a: (int(shape[a]) >= 8, far[a]))
    parts = _parts(shape[axis]) if out.count and long > LONG_SUM and out.count < MOST_PARTS else 1
    if parts == 1:
        return _single(name, out, args, kept, axes, stages, precision)
    cut = [_split(arg, axis, parts) for arg in args]
    between = space((parts, *out.extents), out.kind)
    first = [axis, *(a + (a > axis) for a in kept)]
    inner = sorted({axis + 1, *(a + (a > axis) for a in axes if a != axis)})
    calls = _single(name, between, cut, first, inner, stages, precision)
    rest = list(range(1, len(between.extents)))
    return calls + _single(name, out, [between], rest, [0], [], precision)


def _parts(length: int) -> int:
    """The largest divisor of a length that is no more than MOST_PARTS."""
    parts = max(n for n in range(1, MOST_PARTS + 1) if length % n == 0)
    return RuntimeSize(parts) if isinstance(length, RuntimeSize) and parts > 1 else parts


def _split(operand: Operand, axis: int, parts: int) -> Operand:
    """An axis as `parts` stretches of it."""
    length, stride = operand.extents[axis] // parts, operand.strides[axis]
    extents, strides = operand.extents, operand.strides
    return Operand(
        operand.address,
        operand.kind,
        operand.size,
        (*extents[:axis], parts, length, *extents[axis + 1 :]),
        (*strides[:axis], stride * length, stride, *strides[axis + 1 :]),
    )


def _single(
    name: str,
    out: Operand,
    args: Sequence[Operand],
    kept: Sequence[int],
    axes: Sequence[int],
    stages: Sequence[Stage],
    precision: str,
) -> list[Call]:
    if not out.count:
        return []
    shape = args[0].extents
    outer, strides = merged(
        [shape[a] for a in kept], [out.strides, *([o.strides[a] for a in kept] for o in args)]
    )
    inner, steps = merged([shape[a] for a in axes], [[o.strides[a] for a in axes] for o in args])
    order, along = _layout(outer, strides, inner, steps)
    depth = _by_distance(steps, inner)
    making = Making()
    target = Source(making.operand(out), out.kind, making.all(strides[0][a] for a in order), ())
    sources = tuple(
        Source(
            making.operand(o),
            o.kind,
            making.all(s[a] for a in order),
            making.all(r[a] for a in depth),
        )
        for o, s, r in zip(args, strides[1:], steps, strict=True)
    )
    spec = Reduce(
        name,
        making.all(outer[a] for a in order),
        making.all(inner[a] for a in depth),
        target,
        sources,
        tuple(stages),
        along,
    )
    each = 1 + sum(COSTS.get(stage.name, 1) for stage in stages)
    work = total(shape) * each // 8 + out.count
    flops = total(shape) * (1 + len(stages))
    return [making.call("reduce", spec, precision, work, flops=flops)]


def _layout(
    outer: Sequence[int],
    strides: Sequence[Sequence[int]],
    inner: Sequence[int],
    steps: Sequence[Sequence[int]],
) -> tuple[list[int], bool]:
    """The order of kept axes, and whether vectors go along a reduced one."""
    axes = list(range(len(outer)))
    side = [a for a in axes if strides[0][a] == 1 and all(s[a] in (0, 1) for s in strides[1:])]
    near = any(all(s[a] in (0, 1) for s in steps) and inner[a] >= 8 for a in range(len(inner)))
    best = next((a for a in side if outer[a] >= 4 or not near), None)
    if best is not None and any(s[best] for s in strides[1:]):
        return [a for a in axes if a != best] + [best], False
    return axes, near


def _by_distance(steps: Sequence[Sequence[int]], inner: Sequence[int]) -> list[int]:
    """The order of reduced axes: the one whose elements lie nearest is innermost."""
    return sorted(range(len(inner)), key=lambda a: -max((abs(int(s[a])) for s in steps), default=0))


@writer("reduce")
def _write(e: Emit, spec: Reduce) -> None:
    bases = [e.address(source.place) for source in spec.args]
    out = e.address(spec.out.place)
    combine = COMBINE[spec.name]

    def value(offsets: Sequence[Any], depth: Sequence[Any], width: int, along: bool) -> Any:
        values = []
        for source, base, start in zip(spec.args, bases, offsets, strict=True):
            axis = source.reduced if along else source.kept
            stride = axis[-1] if axis else 0
            offset = e.add(start, e.offset(depth, source.reduced))
            values.append(e.load(base, offset, source.kind, width, stride))
        for stage in spec.stages:
            args = [values[o] for o in stage.operands]
            values.append(apply(e, stage.name, stage.kind, args))
        return _widened(e, spec, values[-1])

    def element(places: Sequence[Any], width: int) -> None:
        offsets = [e.offset(places, source.kept) for source in spec.args]
        if spec.along:
            found = _along(e, spec, lambda d, w: value(offsets, d, w, True), combine)
        else:
            kind = e.vector(_type(e, spec), width)
            best = e.variable(kind, _neutral(e, spec.name, kind))
            with e.nest(spec.reduced) as depth:
                best.set(combine(e, best.get(), value(offsets, depth, width, False)))
            found = best.get()
        found = _finished(e, spec, found)
        stride = spec.out.kept[-1] if spec.out.kept else 1
        e.store(found, out, e.offset(places, spec.out.kept), spec.out.kind, width, stride)

    if spec.along or not spec.kept:
        start, stop = e.share(e.count(spec.kept))
        with e.loop(start, stop) as index:
            element(e.places(index, spec.kept), 1)
    else:
        each_vector(e, spec.kept, element)


def _along(e: Emit, spec: Reduce, value: Callable[..., Any], combine: Any) -> Any:
    """One result: vectors abreast, single vectors, then numbers."""
    kind = _type(e, spec)
    wide = e.vector(kind, e.width)
    sums = [e.variable(wide, _neutral(e, spec.name, wide)) for _ in range(ABREAST)]
    single = e.variable(kind, _neutral(e, spec.name, kind))
    *outer, inner = spec.reduced
    step = ABREAST * e.width
    with e.nest(outer) as places:
        far = e.sub(inner, e.rem(inner, step))
        whole = e.sub(inner, e.rem(inner, e.width))
        with e.loop(0, far, step) as place:
            for number, part in enumerate(sums):
                at = [*places, e.add(place, number * e.width)]
                part.set(combine(e, part.get(), value(at, e.width)))
        with e.loop(far, whole, e.width) as place:
            sums[0].set(combine(e, sums[0].get(), value([*places, place], e.width)))
        with e.loop(whole, inner) as place:
            single.set(combine(e, single.get(), value([*places, place], 1)))
    found = combine(
        e,
        combine(e, sums[0].get(), sums[1].get()),
        combine(e, sums[2].get(), sums[3].get()),
    )
    return combine(e, single.get(), e.across(found, lambda a, b: combine(e, a, b)))


def _type(e: Emit, spec: Reduce) -> Any:
    """What is added up: floats in float64, so that sums are exact however long they are."""
    if spec.out.kind != "float":
        return WORD
    return DOUBLE if spec.name in SUMS else e.real


def _widened(e: Emit, spec: Reduce, value: Any) -> Any:
    wide = e.vector(_type(e, spec), getattr(value.type, "count", 1))
    return value if value.type == wide else e.build.fpext(value, wide)


def _finished(e: Emit, spec: Reduce, value: Any) -> Any:
    """A sum as the mean that it is for, and both as they are stored."""
    width = getattr(value.type, "count", 1)
    if spec.name == "mean":
        count = e.build.sitofp(e.count(spec.reduced), DOUBLE)
        value = e.build.fdiv(value, e.splat(count, width))
    narrow = e.vector(e.real if spec.out.kind == "float" else WORD, width)
    return value if value.type == narrow else e.build.fptrunc(value, narrow)


def _plus(e: Emit, a: Any, b: Any) -> Any:
    element = a.type.element if isinstance(a.type, ir.VectorType) else a.type
    return e.build.add(a, b) if isinstance(element, ir.IntType) else e.build.fadd(a, b)


def _neutral(e: Emit, name: str, kind: Any) -> Any:
    if name in SUMS:
        return e.zero(kind)
    element = kind.element if isinstance(kind, ir.VectorType) else kind
    if isinstance(element, ir.IntType):
        return e.same(kind, -(2**63) if name == "amax" else 2**63 - 1)
    return e.same(kind, float("-inf") if name == "amax" else float("inf"))


COMBINE: dict[str, Any] = {"sum": _plus, "mean": _plus, "amax": maximum, "amin": minimum}


# ---- the place of the largest ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """The place of the largest along one axis of `source`, whose distance there is `step`."""

    kept: tuple[Number, ...]
    extent: Number
    step: Number
    source: Source
    out: Source


def argmax(out: Operand, x: Operand, axis: int, precision: str) -> list[Call]:
    """The call that finds where along `axis` the first of the largest stands."""
    if not out.count:
        return []
    rest = [a for a in range(len(x.extents)) if a != axis]
    extents, strides = merged(out.extents, [out.strides, [x.strides[a] for a in rest]])
    making = Making()
    target = Source(making.operand(out), "int", making.all(strides[0]), ())
    source = Source(making.operand(x), x.kind, making.all(strides[1]), ())
    spec = Place(
        making.all(extents),
        making.of(x.extents[axis]),
        making.of(x.strides[axis]),
        source,
        target,
    )
    side = bool(strides[1]) and strides[1][-1] == 1
    return [making.call("argmax", spec, precision, x.count // (4 if side else 1))]


@writer("argmax")
def _write_argmax(e: Emit, spec: Place) -> None:
    out, base = e.address(spec.out.place), e.address(spec.source.place)
    build, kind = e.build, spec.source.kind
    near = bool(spec.kept) and spec.source.kept[-1] == 1 and spec.out.kept[-1] == 1

    def element(places: Sequence[Any], width: int) -> None:
        start = e.offset(places, spec.source.kept)
        first = e.load(base, start, kind, width, 1)
        best = e.variable(first.type, first)
        words = e.vector(WORD, width)
        place = e.variable(words, e.zero(words))
        with e.loop(1, spec.extent) as number:
            x = e.load(base, e.add(start, e.mul(number, spec.step)), kind, width, 1)
            better = _better(e, kind, x, best.get())
            best.set(build.select(better, x, best.get()))
            place.set(build.select(better, e.splat(number, width), place.get()))
        stride = spec.out.kept[-1] if spec.out.kept else 1
        e.store(place.get(), out, e.offset(places, spec.out.kept), "int", width, stride)

    if near:
        each_vector(e, spec.kept, element)
        return
    start, stop = e.share(e.count(spec.kept))
    with e.loop(start, stop) as index:
        element(e.places(index, spec.kept), 1)


def _better(e: Emit, kind: Kind, x: Any, best: Any) -> Any:
    """Whether `x` takes the place of `best`; the first that is not a number keeps it."""
    build = e.build
    if kind != "float":
        return build.icmp_signed(">", x, best)
    odd = build.and_(build.fcmp_unordered("uno", x, x), build.fcmp_ordered("ord", best, best))
    return build.or_(build.fcmp_ordered(">", x, best), odd)
