"""From operations to calls of kernels: one entry for each primitive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ....program import Kind, Op, Primitive, evaluate
from ....program import primitives as p
from ....program.primitives.spec import parse, windows_of, written
from ..kernels import reduction, rows, windows
from ..kernels.call import Call
from ..kernels.epilogue import Finish
from ..kernels.operand import Operand, number
from ..kernels.pointwise import Stage, copy, fill, pointwise, stages_of
from ..kernels.random import random
from .contraction import contract
from .sparse_contraction import contract_spread

Args = list[Operand]


@dataclass(frozen=True)
class Room:
    """What lowering needs beside operands: `space` gives memory that lasts for one operation."""

    precision: str
    sizes: Mapping[str, int]
    space: Callable[[tuple[int, ...], Kind], Operand]


def lower(op: Op, out: Operand, args: Args, room: Room) -> list[Call] | None:
    """The calls of an operation that is no view and no scan; None where it has no kernel."""
    primitive = op.primitive
    if primitive.pointwise:
        operands, stages = stages_of(op, args, room.sizes)
        whole = [o if o.extents else o.broadcast(out.extents) for o in operands]
        return pointwise(out, whole, stages, room.precision)
    found = TABLE.get(type(primitive))
    return None if found is None else found(primitive, out, args, room)


def _reduce(primitive: Primitive, out: Operand, args: Args, room: Room) -> list[Call]:
    return reduced(primitive, out, args, [], room)


def reduced(
    primitive: Primitive, out: Operand, args: Args, stages: list[Stage], room: Room
) -> list[Call]:
    """The calls that reduce what `stages` make of the arguments, which have one shape."""
    assert isinstance(primitive, p.Sum | p.Mean | p.Amax | p.Amin)
    name = primitive.name
    if not primitive.axes:
        return pointwise(out, args, stages or [Stage("copy", (0,), out.kind)], room.precision)
    if not args[0].count and name in ("sum", "mean"):
        return fill(out, 0, room.precision)
    return reduction.reduction(name, out, args, primitive.axes, stages, room.precision, room.space)


def _argmax(primitive: Primitive, out: Operand, args: Args, room: Room) -> list[Call]:
    assert isinstance(primitive, p.ArgMax)
    return reduction.argmax(out, args[0], primitive.axis, room.precision)


def _contract(primitive: Primitive, out: Operand, args: Args, room: Room) -> list[Call]:
    return contraction(primitive, out, args, room)


def contraction(
    primitive: Primitive, out: Operand, args: Args, room: Room, end: Finish | None = None
) -> list[Call]:
    """The calls of a contraction, which may end with more than the sum."""
    assert isinstance(primitive, p.Contract)
    extents = {name: number(dim, room.sizes) for name, dim in primitive.extents}
    sides = args[0], args[1]
    return contract(primitive.spec, extents, out, *sides, room.precision, room.space, end)


def _rearranged(primitive: Primitive, out: Operand, args: Args, room: Room) -> list[Call]:
    """Windows taken apart or added up: a contraction with ones along an axis of the windows."""
    assert isinstance(primitive, p.Unfold | p.Fold)
    (x,), (source, result) = args, parse(primitive.spec)
    extents = {name: number(dim, room.sizes) for name, dim in primitive.extents}
    for axes, operand in ((source, x), (result, out)):
        extents |= zip(map(str, axes), operand.extents, strict=True)
    windows = windows_of(source) or windows_of(result)
    label = windows[0].offset if windows else str(source[0])
    one = room.space((1,), "float")
    spec = f"{written(source)}, {label} -> {written(result)}"
    ones = one.broadcast((extents[label],))
    calls = contract(spec, extents, out, x, ones, room.precision, room.space)
    return [*fill(one, 1, room.precision), *calls]


def _contract_spread(primitive: Primitive, out: Operand, args: Args, room: Room) -> list[Call]:
    assert isinstance(primitive, p.ContractSpread)
    extents = {name: number(dim, room.sizes) for name, dim in primitive.extents}
    count = number(primitive.count, room.sizes)
    return contract_spread(primitive, extents, count, out, args, room.precision, room.space)


def _pad(primitive: Primitive, out: Operand, args: Args, room: Room) -> list[Call]:
    assert isinstance(primitive, p.Pad)
    axis, (x,) = primitive.axis, args
    before, after = number(primitive.before, room.sizes), number(primitive.after, room.sizes)
    inner = out.sliced(axis, before, x.extents[axis], primitive.step)
    if primitive.step > 1 or not x.count:
        return [*fill(out, primitive.value, room.precision), *copy(inner, x, room.precision)]
    edges = (out.sliced(axis, 0, before), out.sliced(axis, out.extents[axis] - after, after))
    calls = [call for edge in edges for call in fill(edge, primitive.value, room.precision)]
    return [*calls, *copy(inner, x, room.precision)]


def _concat(primitive: Primitive, out: Operand, args: Args, room: Room) -> list[Call]:
    assert isinstance(primitive, p.Concat)
    calls: list[Call] = []
    start = 0
    for arg in args:
        count = arg.extents[primitive.axis]
        part = out.sliced(primitive.axis, start, count)
        calls += copy(part, arg, room.precision)
        start = start + count
    return calls


def _constant(primitive: Primitive, out: Operand, _: Args, room: Room) -> list[Call]:
    assert isinstance(primitive, p.Constant)
    return fill(out, primitive.number, room.precision)


def _extent(primitive: Primitive, out: Operand, _: Args, room: Room) -> list[Call]:
    assert isinstance(primitive, p.Extent)
    return fill(out, evaluate(primitive.dim, room.sizes), room.precision)


def _gather(_: Primitive, out: Operand, args: Args, room: Room) -> list[Call]:
    return rows.gather(out, args[0], args[1], room.precision)


def _scatter_add(_: Primitive, out: Operand, args: Args, room: Room) -> list[Call]:
    calls: list[Call] = []
    lines = _in_lines(args[0], args[1], room, calls)
    return calls + rows.scatter_add(out, args[0], lines, room.precision)


def _in_lines(ids: Operand, lines: Operand, room: Room, calls: list[Call]) -> Operand:
    """Rows whose numbers are at one distance from each other; copied where they are not."""
    rank = len(ids.extents)
    width = 1
    for extent in lines.extents[rank:]:
        width = extent * width
    if lines.reshaped((*ids.extents, width)) is not None:
        return lines
    target = room.space(lines.extents, lines.kind)
    calls += copy(target, lines, room.precision)
    return target


def _merge_rows(primitive: Primitive, out: Operand, args: Args, room: Room) -> list[Call]:
    assert isinstance(primitive, p.MergeRows)
    calls: list[Call] = []
    ids, lines, places = args
    lines = _in_lines(ids, lines, room, calls)
    count = number(primitive.count, room.sizes)
    return calls + rows.merge_rows(out, ids, lines, places, count, room.precision, room.space)


def _put_rows(_: Primitive, out: Operand, args: Args, room: Room) -> list[Call]:
    table, ids, lines = args
    calls = [] if out.address == table.address else copy(out, table, room.precision)
    return calls + rows.put_rows(out, ids, lines, room.precision)


def _pick(_: Primitive, out: Operand, args: Args, room: Room) -> list[Call]:
    return rows.pick(out, args[0], args[1], room.precision)


def _spread(_: Primitive, out: Operand, args: Args, room: Room) -> list[Call]:
    return rows.spread(out, args[0], args[1], room.precision)


def _random(primitive: Primitive, out: Operand, args: Args, room: Room) -> list[Call]:
    assert isinstance(primitive, p.Random)
    return random(out, args[0], args[1], primitive.node, room.precision)


def _window_max(primitive: Primitive, out: Operand, args: Args, room: Room) -> list[Call]:
    assert isinstance(primitive, p.WindowMax)
    return windows.window_max(primitive, out, args[0], room.precision)


def _window_max_gradient(primitive: Primitive, out: Operand, args: Args, room: Room) -> list[Call]:
    assert isinstance(primitive, p.WindowMaxGradient)
    x, largest, grad = args
    return windows.window_max_gradient(primitive, out, x, largest, grad, room.precision)


def _window_mean(primitive: Primitive, out: Operand, args: Args, room: Room) -> list[Call]:
    assert isinstance(primitive, p.WindowMean)
    return windows.window_mean(primitive, out, args[0], room.precision)


def _window_mean_gradient(primitive: Primitive, out: Operand, args: Args, room: Room) -> list[Call]:
    assert isinstance(primitive, p.WindowMeanGradient)
    return windows.window_mean_gradient(primitive, out, args[0], room.precision)


Lower = Callable[[Primitive, Operand, Args, Room], list[Call]]
TABLE: dict[type[Primitive], Lower] = {
    p.Sum: _reduce,
    p.Mean: _reduce,
    p.Amax: _reduce,
    p.Amin: _reduce,
    p.ArgMax: _argmax,
    p.Contract: _contract,
    p.Unfold: _rearranged,
    p.Fold: _rearranged,
    p.ContractSpread: _contract_spread,
    p.Pad: _pad,
    p.Concat: _concat,
    p.Constant: _constant,
    p.Extent: _extent,
    p.Gather: _gather,
    p.ScatterAdd: _scatter_add,
    p.MergeRows: _merge_rows,
    p.PutRows: _put_rows,
    p.Pick: _pick,
    p.Spread: _spread,
    p.Random: _random,
    p.WindowMax: _window_max,
    p.WindowMaxGradient: _window_max_gradient,
    p.WindowMean: _window_mean,
    p.WindowMeanGradient: _window_mean_gradient,
}
