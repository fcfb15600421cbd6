"""Groups of pointwise operations in one pass: loads, arithmetic in registers, one store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ....passes.fused import Fused, Step
from ....program import Kind, Op
from ..compile.library import writer
from ..emit.emit import Emit
from ..emit.runtime_sizes import Argument, Number
from ..emit.scalars import apply, has_scalar
from .call import Call, Making
from .operand import Operand, Sizes, merged

FAMILY = "pointwise"
# Numbers that are not worth a vector where each has a register: a smaller vector would have to be
# put together from what other kernels of a chain left in them, and be taken apart for the next.
FEW_NUMBERS = 4
# What an operation costs beside an addition, roughly: it decides whether threads share a call, and
# what may be an epilogue, so a factor of two does not matter. With AVX2, nanoseconds a vector:
# an addition and its pass over memory 0.6, div 1.0, erf 2.8, tanh 3.3, exp 3.9, expm1 3.9,
# sigmoid 6, log 7.6, log1p 10, normal_cdf 11, softplus 22, mod 27, power 47.
COSTS = {"exp": 12, "log": 16, "tanh": 14, "erf": 14, "power": 80, "div": 4, "mod": 40}
COSTS |= {"expm1": 16, "log1p": 24, "sigmoid": 18, "softplus": 40, "normal_cdf": 40}


@dataclass(frozen=True, slots=True)
class Stage:
    """One operation; operands count the arguments first, then earlier stages."""

    name: str
    operands: tuple[int, ...]
    kind: Kind


@dataclass(frozen=True, slots=True)
class Access:
    """How the kernel reaches an operand: its address and distances."""

    place: Argument
    kind: Kind
    strides: tuple[Number, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """What is read, done and written for one result; a number is the result of an earlier part."""

    out: Access
    args: tuple[Access | int, ...]
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Pointwise:
    """Extents of the loops, the innermost last, and what is done in turn inside them."""

    extents: tuple[Number, ...]
    parts: tuple[Part, ...]


def pointwise(
    out: Operand, args: Sequence[Operand], stages: Sequence[Stage], precision: str
) -> list[Call]:
    """The call that does `stages` on every element; arguments have the shape of `out`."""
    if not out.count:
        return []
    operands = [out, *args]
    extents, strides = merged(out.extents, [o.strides for o in operands])
    order = _innermost_last(extents, strides)
    extents = [extents[axis] for axis in order]
    making = Making()
    accesses = [
        Access(making.operand(o), o.kind, making.all(s[axis] for axis in order))
        for o, s in zip(operands, strides, strict=True)
    ]
    part = Part(accesses[0], tuple(accesses[1:]), tuple(stages))
    spec = Pointwise(making.all(extents), (part,))
    each = sum(COSTS.get(stage.name, 1) for stage in stages) + len(operands)
    flops = out.count * len(stages)
    return [making.call(FAMILY, spec, precision, out.count * each // 8, flops=flops)]


def has_kernel(op: Op) -> bool:
    """Whether every step of a pointwise operation can be done in registers."""
    fused = op.primitive
    steps = [s.primitive for s in fused.steps] if isinstance(fused, Fused) else [fused]
    return all(step.view or has_scalar(step.name) for step in steps)


def stages_of(op: Op, args: Sequence[Operand], sizes: Sizes) -> tuple[list[Operand], list[Stage]]:
    """A pointwise operation as stages; views among its steps become operands of their own."""
    if not isinstance(op.primitive, Fused):
        stage = Stage(op.primitive.name, tuple(range(len(args))), op.out.type.kind)
        return list(args), [stage]
    steps = op.primitive.steps
    operands = list(args)
    count = len(args)
    where: dict[int, tuple[str, int]] = {n: ("arg", n) for n in range(count)}
    kept: list[Step] = []
    for index, step in enumerate(steps):
        if step.primitive.view:
            kind, place = where[step.operands[0]]
            assert kind == "arg", "a view of what the group makes"
            seen = operands[place].seen(step.primitive, step.type, sizes)
            assert seen is not None
            operands.append(seen)
            where[count + index] = ("arg", len(operands) - 1)
        else:
            where[count + index] = ("stage", len(kept))
            kept.append(step)
    used = sorted({where[o][1] for step in kept for o in step.operands if where[o][0] == "arg"})
    places = {old: new for new, old in enumerate(used)}
    stages = [
        Stage(
            step.primitive.name,
            tuple(
                places[at] if kind == "arg" else len(used) + at
                for kind, at in (where[o] for o in step.operands)
            ),
            step.type.kind,
        )
        for step in kept
    ]
    return [operands[n] for n in used], stages


def copy(out: Operand, source: Operand, precision: str) -> list[Call]:
    """The call that copies numbers of one kind."""
    return pointwise(out, [source], [Stage("copy", (0,), out.kind)], precision)


def fill(out: Operand, number: float, precision: str) -> list[Call]:
    """The call that writes one number everywhere."""
    if not out.count:
        return []
    extents, (strides,) = merged(out.extents, [out.strides])
    making = Making()
    access = Access(making.operand(out), out.kind, making.all(strides))
    spec = (making.all(extents), access, float(number))
    return [making.call("fill", spec, precision, out.count // 8)]


def _innermost_last(extents: Sequence[int], strides: Sequence[Sequence[int]]) -> list[int]:
    """The order of loops: the axis along which most operands lie side by side is innermost."""
    axes = list(range(len(extents)))
    if not axes:
        return axes

    def score(axis: int) -> tuple[int, int]:
        near = sum(s[axis] in (0, 1) for s in strides[1:])
        return (2 * len(strides) if strides[0][axis] == 1 else 0) + near, axis

    best = max(axes, key=score)
    return [axis for axis in axes if axis != best] + [best]


@writer(FAMILY)
def _write_pointwise(e: Emit, spec: Pointwise) -> None:
    def read(access: Access, places: Sequence[Any], width: int) -> Any:
        stride = access.strides[-1] if access.strides else 0
        offset = e.offset(places, access.strides)
        return e.load(e.address(access.place), offset, access.kind, width, stride)

    def element(places: Sequence[Any], width: int) -> None:
        made: list[Any] = []
        for part in spec.parts:
            values = [made[a] if isinstance(a, int) else read(a, places, width) for a in part.args]
            for stage in part.stages:
                args = [values[o] for o in stage.operands]
                values.append(apply(e, stage.name, stage.kind, args))
            made.append(values[-1])
            stride = part.out.strides[-1] if part.out.strides else 1
            offset = e.offset(places, part.out.strides)
            e.store(made[-1], e.address(part.out.place), offset, part.out.kind, width, stride)

    each_vector(e, spec.extents, element)


@writer("fill")
def _write_fill(e: Emit, spec: tuple[tuple[Number, ...], Access, float]) -> None:
    extents, out, number = spec
    base, kind = e.address(out.place), e.type_of(out.kind)

    def element(places: Sequence[Any], width: int) -> None:
        from llvmlite import ir

        target = ir.IntType(1) if out.kind == "bool" else kind
        value = e.same(e.vector(target, width), number)
        stride = out.strides[-1] if out.strides else 1
        e.store(value, base, e.offset(places, out.strides), out.kind, width, stride)

    each_vector(e, extents, element)


def each_vector(e: Emit, extents: tuple[Number, ...], element: Any) -> None:
    """Call `element(places, width)` for this thread's part of all places, the last axis by vectors.

    Whether threads share the outer loops or the only one, an element is always done the same way.
    """
    if not extents:
        with e.when(e.build.icmp_signed("==", e.thread, e.number(0))):
            element([], 1)
        return
    *outer, inner = extents
    if not outer:
        start, stop = e.share(inner, 16 * e.width)
        _along(e, start, stop, inner, lambda place, width: element([place], width))
        return
    start, stop = e.share(e.count(outer))
    with e.loop(start, stop) as index:
        places = e.places(index, outer)
        _along(e, 0, inner, inner, lambda place, width: element([*places, place], width))


def _along(e: Emit, start: Any, stop: Any, extent: Number, element: Any) -> None:
    """From `start` to `stop`, by vectors as long as they fit, then one by one."""
    width = e.width
    while isinstance(extent, int) and width > max(extent, 1):
        width //= 2
    if e.joined and width <= FEW_NUMBERS:
        # One by one, so that they go from kernel to kernel in registers.
        width = 1
    if width == 1:
        with e.loop(start, stop) as place:
            element(place, 1)
        return
    length = e.sub(stop, start)
    whole = e.add(start, e.sub(length, e.rem(length, width)))
    with e.loop(start, whole, width) as place:
        element(place, width)
    if isinstance(extent, int) and extent % width == 0:
        return
    with e.loop(whole, stop) as place:
        element(place, 1)
