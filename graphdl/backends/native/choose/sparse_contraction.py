"""How a contraction is done whose one operand has a single number in each row, and else zeros.

Such is the gradient of a maximum: it goes to the largest number alone. Only what meets the chosen
numbers is read or written, by the loops of `sparse_loops`.

Vectors lie along a label that the other operand and the result have. What has its numbers apart is
copied into another order first, or made in another order and copied back. Where windows stand
otherwise than in convolutions along the axis of choice, the operand is made as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ....program import Kind
from ....program.primitives import ContractSpread
from ....program.primitives.spec import Axes, Axis, Window, labels_of, parse, windows_of
from ..emit.machine import this_machine
from ..emit.runtime_sizes import RuntimeSize
from ..kernels.call import Call, Making
from ..kernels.operand import Operand, total
from ..kernels.pointwise import copy, fill
from ..kernels.rows import spread
from ..tiles.sparse_loops import FAMILY, Chosen, Loop, Reached
from .contraction import contract

Space = Callable[[tuple[int, ...], Kind], Operand]
# Places of `kept` loops from which on it is those alone that threads share: 16 leave two threads
# nearly even, and eight with two each.
SHARED_PLACES = 16
# The longest label that is woven into vectors: each of its places has sums in registers of their
# own, of which there are 16 with AVX2.
LONGEST_WOVEN = 8


@dataclass(frozen=True)
class _Line:
    """A label, and its distances where it is (else 0)."""

    name: str
    extent: int
    ids: int = 0
    values: int = 0
    other: int = 0
    out: int = 0


@dataclass(frozen=True)
class _Hot:
    """The axis of choice in the other operand and the result: a label, or a window made of it.

    offset    what a window adds to the label, "" where there is none
    a, b, c   what a chosen entry, and an offset, lead to: see `Reached`
    size      entries of the axis; they are `other` and `out` apart
    scatters  whether the result has it
    """

    offset: str
    a: int
    b: int
    c: int
    size: int
    other: int
    out: int
    scatters: bool


@dataclass(frozen=True)
class _Found:
    """Labels of the ids that the result has, or lacks, and labels that only the others have."""

    kept: tuple[_Line, ...]
    summed: tuple[_Line, ...]
    free: tuple[_Line, ...]
    hot: _Hot
    count: int


def contract_spread(
    primitive: ContractSpread,
    extents: Mapping[str, int],
    count: int,
    out: Operand,
    args: Sequence[Operand],
    precision: str,
    space: Space,
) -> list[Call]:
    """The calls of a contraction with chosen entries."""
    ids, values, other = args
    if not out.count:
        return []
    if not values.count or not other.count or not count:
        return fill(out, 0, precision)
    axes = _axes(primitive)
    if not _is_plain(axes, primitive.axis):
        return _as_a_whole(primitive, extents, count, out, args, precision, space)
    labels = partial(_labels, axes, primitive.axis, count, ids, values)
    found = labels(other, out)
    vector = _vector(found)
    if vector is None:
        return [_call(found, "", (ids, values, other, out), precision)]
    before: list[Call] = []
    after: list[Call] = []
    if not _near(vector.other):
        other = _turned(other, axes[1].index(vector.name), space)
        before = copy(other, args[2], precision)
    if not _near(vector.out) and _woven(found, vector) is None:
        turned = _turned(out, axes[2].index(vector.name), space)
        after, out = copy(out, turned, precision), turned
    call = _call(labels(other, out), vector.name, (ids, values, other, out), precision)
    return [*before, call, *after]


def _as_a_whole(
    primitive: ContractSpread,
    extents: Mapping[str, int],
    count: int,
    out: Operand,
    args: Sequence[Operand],
    precision: str,
    space: Space,
) -> list[Call]:
    """With the operand made as a whole, for what there is no kernel here."""
    ids, values, other = args
    axis = primitive.axis
    whole = space((*ids.extents[:axis], count, *ids.extents[axis:]), "float")
    rows = whole.transposed([*(n for n in range(len(whole.extents)) if n != axis), axis])
    left, right = (other, whole) if primitive.side else (whole, other)
    return [
        *spread(rows, ids, values, precision),
        *contract(primitive.spec, extents, out, left, right, precision, space),
    ]


def _turned(operand: Operand, axis: int, space: Space) -> Operand:
    """Memory for an operand in which the numbers of an axis lie side by side."""
    ranks = range(len(operand.extents))
    order = sorted(ranks, key=lambda n: (n == axis, -abs(int(operand.strides[n]))))
    memory = space(tuple(operand.extents[n] for n in order), operand.kind)
    return memory.transposed([order.index(n) for n in ranks])


# ---- labels ----------------------------------------------------------------------------------


def _axes(primitive: ContractSpread) -> tuple[Axes, Axes, Axes]:
    """The axes of the operand with chosen entries, of the other one, and of the result."""
    left, right, out = parse(primitive.spec)
    return (right, left, out) if primitive.side else (left, right, out)


def _is_plain(axes: tuple[Axes, Axes, Axes], place: int) -> bool:
    """Whether there is no window, or one that is made of the axis of choice and a free label."""
    own, *both = axes
    windows = [window for each in both for window in windows_of(each)]
    if windows_of(own) or len(windows) > 1:
        return False
    if not windows:
        return True
    names = {windows[0].position, windows[0].offset}
    seen = [name for each in both for name in labels_of(each)]
    return names & set(labels_of(own)) == {own[place]} and seen.count(str(own[place])) == 1


def _labels(
    axes: tuple[Axes, Axes, Axes],
    place: int,
    count: int,
    ids: Operand,
    values: Operand,
    other: Operand,
    out: Operand,
) -> _Found:
    """The labels with their distances."""
    own, *both = axes
    hot, names = own[place], [str(axis) for n, axis in enumerate(own) if n != place]
    lines = {
        name: _Line(name, ids.extents[n], ids.strides[n], values.strides[n])
        for n, name in enumerate(names)
    }
    seen: dict[str, tuple[Axis, int, int]] = {}
    for where, each, operand in (("other", both[0], other), ("out", both[1], out)):
        for axis, extent, stride in zip(each, operand.extents, operand.strides, strict=True):
            if axis == hot or isinstance(axis, Window):
                seen[where] = axis, extent, stride
                continue
            line = lines.get(str(axis), _Line(str(axis), extent))
            at_out = where == "out"
            line = replace(line, out=stride) if at_out else replace(line, other=stride)
            lines[line.name] = line
    return _Found(
        tuple(lines[name] for name in names if name in both[1]),
        tuple(lines[name] for name in names if name not in both[1]),
        tuple(line for name, line in lines.items() if name not in names),
        _hot(hot, seen),
        count,
    )


def _hot(hot: Axis, seen: Mapping[str, tuple[Axis, int, int]]) -> _Hot:
    strides = [seen[where][2] if where in seen else 0 for where in ("other", "out")]
    axis, size, _ = next(iter(seen.values()))
    if not isinstance(axis, Window):
        return _Hot("", 1, 0, 0, size, strides[0], strides[1], "out" in seen)
    offset, a, b = axis.offset, axis.stride, axis.dilation
    if offset == hot:
        offset, a, b = axis.position, b, a
    return _Hot(offset, a, b, -axis.pad, size, strides[0], strides[1], "out" in seen)


# ---- vectors -----------------------------------------------------------------------------------


def _vector(found: _Found) -> _Line | None:
    """The label along which vectors lie."""
    lines = [line for line in found.free if line.name != found.hot.offset and line.extent > 1]

    def rank(line: _Line) -> tuple[bool, int, int]:
        near = _near(line.other), _near(line.out)
        # What is read is read many times; what is added to, read and written.
        worth = near[0] + 2 * near[1] if found.hot.scatters else 2 * near[0] + near[1]
        return line.extent >= 4, worth, int(line.extent)

    return max(lines, key=rank, default=None)


def _near(stride: int) -> bool:
    return stride == 1 and not isinstance(stride, RuntimeSize)


def _woven(found: _Found, vector: _Line) -> _Line | None:
    """A short label that lies inside the vectors in the result and can be woven into them."""
    sizes = vector.out, vector.extent
    if found.hot.scatters or any(isinstance(size, RuntimeSize) for size in sizes):
        return None
    for line in found.free:
        fixed = not isinstance(line.extent, RuntimeSize)
        if fixed and line.out == 1 and 1 < line.extent == vector.out <= LONGEST_WOVEN:
            return line
    return None


def _longer(found: _Found, vector: _Line, fixed: bool) -> tuple[_Line, list[_Line]]:
    """The vectors' label with labels around it taken as one, and the rest.

    A `fixed` length stays one.
    """
    rest = [line for line in found.free if line.name != vector.name]
    again = True
    while again:
        again = False
        for line in rest:
            if fixed and isinstance(line.extent, RuntimeSize):
                continue
            ends = vector.other * vector.extent, vector.out * vector.extent
            if line.name != found.hot.offset and (line.other, line.out) == ends:
                vector = replace(vector, extent=line.extent * vector.extent)
                rest.remove(line)
                again = True
                break
    return vector, rest


# ---- the call ----------------------------------------------------------------------------------


def _call(
    found: _Found, name: str, operands: tuple[Operand, Operand, Operand, Operand], precision: str
) -> Call:
    making = Making()
    single = _Line("", 1, other=1, out=1)
    vector = next((line for line in found.free if line.name == name), single)
    woven = _woven(found, vector)
    vector, rest = _longer(found, vector, woven is not None)
    rest.sort(key=lambda line: (line is woven, -abs(int(line.other))))
    places = [n for n, line in enumerate(rest) if line.name == found.hot.offset]
    lanes = this_machine().width(4 if precision == "float32" else 8)
    ids, values, other, out = map(making.operand, operands)
    spec = Chosen(
        "scatter" if found.hot.scatters else "gather",
        ids,
        values,
        other,
        out,
        making.of(found.count),
        _loops(making, found.kept),
        _loops(making, found.summed),
        _loops(making, rest),
        places[0] if places else None,
        _reached(making, found, [rest[n].extent for n in places]),
        making.of(vector.extent),
        _width(vector.extent, int(woven.extent) if woven else 1, found.hot.scatters, lanes),
        woven is not None,
        _loops(making, _zeros(found.hot, rest)),
        int(total([line.extent for line in found.kept])) >= SHARED_PLACES,
    )
    entries = int(total([line.extent for line in (*found.kept, *found.summed)]))
    row = int(total([line.extent for line in (vector, *rest)]))
    work = entries * (3 + row // lanes)
    return making.call(FAMILY, spec, precision, work, flops=2 * entries * row)


def _loops(making: Making, lines: Sequence[_Line]) -> tuple[Loop, ...]:
    def loop(line: _Line) -> Loop:
        extent, ids, values = making.all((line.extent, line.ids, line.values))
        return Loop(extent, ids, values, making.of(line.other), making.of(line.out))

    return tuple(map(loop, lines))


def _zeros(hot: _Hot, rest: Sequence[_Line]) -> list[_Line]:
    """What of the result is filled with zeros before anything is added."""
    if not hot.scatters:
        return []
    return [_Line("", hot.size, out=hot.out), *(la for la in rest if la.name != hot.offset)]


def _reached(making: Making, found: _Found, offsets: Sequence[int]) -> Reached:
    hot = found.hot
    ends = [(found.count, hot.a), *((extent, hot.b) for extent in offsets)]
    last = hot.c + sum((int(extent) - 1) * by for extent, by in ends)
    size, other, out = making.all((hot.size, hot.other, hot.out))
    return Reached(hot.a, hot.b, hot.c, size, other, out, hot.c >= 0 and last < int(hot.size))


def _width(extent: int, depth: int, scatters: bool, lanes: int) -> int:
    """How many vectors a tile has; those of a gather are sums in registers, `depth` times."""
    # Sums in registers leave a few of 16 or 32 for the row and its number; a scatter has no sums,
    # and its tile is only as long as is worth unrolling.
    many = this_machine().registers == 32
    most = 8 if scatters else max(1, (24 if many else 12) // depth)
    if isinstance(extent, RuntimeSize):
        return min(most, 4)
    vectors = -(-extent // lanes)
    return -(-vectors // -(-vectors // min(most, 12)))
