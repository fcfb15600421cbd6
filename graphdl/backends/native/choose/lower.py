"""From operations to calls of kernels: `TABLE` has one entry for each primitive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ....program import Kind, Op, Primitive, evaluate
from ....program import primitives as p
from ....program.primitives.spec import parse, windows_of, written
from ..kernels import reduction, rows, windows
from ..kernels.call import Call
from ..kernels.epilogue import Epilogue
from ..kernels.operand import Operand, number
from ..kernels.pointwise import Stage, copy, fill, has_kernel, pointwise, stages_of
from ..kernels.random import random
from .contraction import contract
from .sparse_contraction import contract_spread

Args = list[Operand]


@dataclass(frozen=True)
class Context:
    """What lowering needs beside operands: `space` gives memory that lasts for one operation."""

    precision: str
    sizes: Mapping[str, int]
    space: Callable[[tuple[int, ...], Kind], Operand]


def lower(op: Op, out: Operand, args: Args, context: Context) -> list[Call] | None:
    """The calls of an operation that is no view and no scan; None where it has no kernel."""
    primitive = op.primitive
    if primitive.pointwise:
        if not has_kernel(op):
            return None
        operands, stages = stages_of(op, args, context.sizes)
        whole = [o if o.extents else o.broadcast(out.extents) for o in operands]
        return pointwise(out, whole, stages, context.precision)
    found = TABLE.get(type(primitive))
    return None if found is None else found(primitive, out, args, context)


def _reduce(primitive: Primitive, out: Operand, args: Args, context: Context) -> list[Call]:
    return reduced(primitive, out, args, [], context)


def reduced(
    primitive: Primitive, out: Operand, args: Args, stages: list[Stage], context: Context
) -> list[Call]:
    """The calls that reduce what `stages` make of the arguments, which have one shape."""
    assert isinstance(primitive, p.Sum | p.Mean | p.Amax | p.Amin)
    name = primitive.name
    if not primitive.axes:
        return pointwise(out, args, stages or [Stage("copy", (0,), out.kind)], context.precision)
    if not args[0].count and name in ("sum", "mean"):
        return fill(out, 0, context.precision)
    return reduction.reduction(
        name, out, args, primitive.axes, stages, context.precision, context.space
    )


def _argmax(primitive: Primitive, out: Operand, args: Args, context: Context) -> list[Call]:
    assert isinstance(primitive, p.ArgMax)
    return reduction.argmax(out, args[0], primitive.axis, context.precision)


def _contract(primitive: Primitive, out: Operand, args: Args, context: Context) -> list[Call]:
    return contraction(primitive, out, args, context)


def contraction(
    primitive: Primitive, out: Operand, args: Args, context: Context, end: Epilogue | None = None
) -> list[Call]:
    """The calls of a contraction, which may end with more than the sum."""
    assert isinstance(primitive, p.Contract)
    extents = {name: number(dim, context.sizes) for name, dim in primitive.extents}
    sides = args[0], args[1]
    return contract(primitive.spec, extents, out, *sides, context.precision, context.space, end)


def _rearranged(primitive: Primitive, out: Operand, args: Args, context: Context) -> list[Call]:
    """Windows taken apart or added up: a contraction with ones along an axis of the windows."""
    assert isinstance(primitive, p.Unfold | p.Fold)
    (x,), (source, result) = args, parse(primitive.spec)
    extents = {name: number(dim, context.sizes) for name, dim in primitive.extents}
    for axes, operand in ((source, x), (result, out)):
        extents |= zip(map(str, axes), operand.extents, strict=True)
    windows = windows_of(source) or windows_of(result)
    label = windows[0].offset if windows else str(source[0])
    one = context.space((1,), "float")
    spec = f"{written(source)}, {label} -> {written(result)}"
    ones = one.broadcast((extents[label],))
    calls = contract(spec, extents, out, x, ones, context.precision, context.space)
    return [*fill(one, 1, context.precision), *calls]


def _contract_spread(
    primitive: Primitive, out: Operand, args: Args, context: Context
) -> list[Call]:
    assert isinstance(primitive, p.ContractSpread)
    extents = {name: number(dim, context.sizes) for name, dim in primitive.extents}
    count = number(primitive.count, context.sizes)
    return contract_spread(primitive, extents, count, out, args, context.precision, context.space)


def _pad(primitive: Primitive, out: Operand, args: Args, context: Context) -> list[Call]:
    assert isinstance(primitive, p.Pad)
    axis, (x,) = primitive.axis, args
    before, after = number(primitive.before, context.sizes), number(primitive.after, context.sizes)
    inner = out.sliced(axis, before, x.extents[axis], primitive.step)
    if primitive.step > 1 or not x.count:
        return [*fill(out, primitive.value, context.precision), *copy(inner, x, context.precision)]
    edges = (out.sliced(axis, 0, before), out.sliced(axis, out.extents[axis] - after, after))
    calls = [call for edge in edges for call in fill(edge, primitive.value, context.precision)]
    return [*calls, *copy(inner, x, context.precision)]


def _concat(primitive: Primitive, out: Operand, args: Args, context: Context) -> list[Call]:
    assert isinstance(primitive, p.Concat)
    calls: list[Call] = []
    start = 0
    for arg in args:
        count = arg.extents[primitive.axis]
        part = out.sliced(primitive.axis, start, count)
        calls += copy(part, arg, context.precision)
        start = start + count
    return calls


def _constant(primitive: Primitive, out: Operand, _: Args, context: Context) -> list[Call]:
    assert isinstance(primitive, p.Constant)
    return fill(out, primitive.number, context.precision)


def _extent(primitive: Primitive, out: Operand, _: Args, context: Context) -> list[Call]:
    assert isinstance(primitive, p.Extent)
    return fill(out, evaluate(primitive.dim, context.sizes), context.precision)


def _gather(_: Primitive, out: Operand, args: Args, context: Context) -> list[Call]:
    return rows.gather(out, args[0], args[1], context.precision)


def _scatter_add(_: Primitive, out: Operand, args: Args, context: Context) -> list[Call]:
    calls: list[Call] = []
    lines = _in_lines(args[0], args[1], context, calls)
    return calls + rows.scatter_add(out, args[0], lines, context.precision)


def _in_lines(ids: Operand, lines: Operand, context: Context, calls: list[Call]) -> Operand:
    """Rows whose numbers are at one distance from each other; copied where they are not."""
    rank = len(ids.extents)
    width = 1
    for extent in lines.extents[rank:]:
        width = extent * width
    if lines.reshaped((*ids.extents, width)) is not None:
        return lines
    target = context.space(lines.extents, lines.kind)
    calls += copy(target, lines, context.precision)
    return target


def _merge_rows(primitive: Primitive, out: Operand, args: Args, context: Context) -> list[Call]:
    assert isinstance(primitive, p.MergeRows)
    calls: list[Call] = []
    ids, lines, places = args
    lines = _in_lines(ids, lines, context, calls)
    count = number(primitive.count, context.sizes)
    return calls + rows.merge_rows(out, ids, lines, places, count, context.precision, context.space)


def _put_rows(_: Primitive, out: Operand, args: Args, context: Context) -> list[Call]:
    table, ids, lines = args
    calls = [] if out.address == table.address else copy(out, table, context.precision)
    return calls + rows.put_rows(out, ids, lines, context.precision)


def _pick(_: Primitive, out: Operand, args: Args, context: Context) -> list[Call]:
    return rows.pick(out, args[0], args[1], context.precision)


def _spread(_: Primitive, out: Operand, args: Args, context: Context) -> list[Call]:
    return rows.spread(out, args[0], args[1], context.precision)


def _random(primitive: Primitive, out: Operand, args: Args, context: Context) -> list[Call]:
    assert isinstance(primitive, p.Random)
    return random(out, args[0], args[1], primitive.node, context.precision)


def _window_max(primitive: Primitive, out: Operand, args: Args, context: Context) -> list[Call]:
    assert isinstance(primitive, p.WindowMax)
    return windows.window_max(primitive, out, args[0], context.precision)


def _window_max_gradient(
    primitive: Primitive, out: Operand, args: Args, context: Context
) -> list[Call]:
    assert isinstance(primitive, p.WindowMaxGradient)
    x, largest, grad = args
    return windows.window_max_gradient(primitive, out, x, largest, grad, context.precision)


def _window_mean(primitive: Primitive, out: Operand, args: Args, context: Context) -> list[Call]:
    assert isinstance(primitive, p.WindowMean)
    return windows.window_mean(primitive, out, args[0], context.precision)


def _window_mean_gradient(
    primitive: Primitive, out: Operand, args: Args, context: Context
) -> list[Call]:
    assert isinstance(primitive, p.WindowMeanGradient)
    return windows.window_mean_gradient(primitive, out, args[0], context.precision)


Lower = Callable[[Primitive, Operand, Args, Context], list[Call]]
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
