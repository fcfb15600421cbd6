"""How a contraction is done: which label runs along vectors, which rows and columns make a tile.

broad    vectors lie along a label of one operand and the result; the other operand's numbers are
         repeated over them, one for each row
dot      vectors lie along a label that is summed; a tile is rows of one operand times columns of
         the other
each     vectors lie along a label that all three have; so do single numbers
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ....program import Kind
from ..emit.machine import this_machine
from ..emit.runtime_sizes import RuntimeSize
from ..kernels.call import Call, Making
from ..kernels.epilogue import Epilogue, EpilogueSpec
from ..kernels.operand import Operand, total
from ..kernels.pointwise import copy, fill
from ..tiles.tile import FAMILY
from ..tiles.tile_spec import PACKED_DEPTH, Axis, Guard, Tile
from .labels import LEFT, OUT, RIGHT, Contraction, Label, Unsupported, contraction, merged

Mode = Literal["broad", "dot", "each"]
Space = Callable[[tuple[int, ...], Kind], Operand]
# Bytes of the rows of a group of tiles, which are read again for each of the columns. What is not
# packed should stay in the first cache (32 or 48 KB); 8 to 96 KB could not be told apart.
FIRST_CACHE_BYTES = 24 * 1024
# Packed rows should stay in the second cache beside packed columns, by the number of registers:
# where there are 32 (AVX-512), it has 1 or 2 MB, else 256 or 512 KB. With AVX2, 80 to 640 KB could
# not be told apart, and 40 KB was a sixth slower.
PACKED_ROWS_BYTES = {16: 160 * 1024, 32: 320 * 1024}
# Rows that are read where they lie, beside packed columns, may come from further away, because each
# is read in order; 160 KB to 1.9 MB could not be told apart.
PLAIN_ROWS_BYTES = 960 * 1024
# Tasks from which on it is the outer loops that threads share: 16 leave two threads nearly even,
# and eight with two each. Below, they share tiles of rows or columns.
SHARED_TASKS = 16
# Vector instructions that copying a number out of order takes: from 1 in what stays in the first
# cache (0.3 ns in a matrix of 64 x 64) to 8 far out of it (2.5 ns in one of 512 x 512).
COPY_COST = 2.0


@dataclass(frozen=True)
class Way:
    """One way of doing it.

    swapped   whether the right operand is the one with the rows
    cost      in vector instructions
    """

    mode: Mode
    swapped: bool
    vector: Label | None
    rows: Label | None
    columns: Label | None
    cost: float


def contract(
    spec: str,
    extents: Mapping[str, int],
    out: Operand,
    left: Operand,
    right: Operand,
    precision: str,
    space: Space,
    epilogue: Epilogue | None = None,
) -> list[Call]:
    """The calls that do a contraction, and what may follow it.

    Unsupported is raised for a `epilogue` that it cannot take over.
    """
    if not out.count:
        return []
    if not left.count or not right.count:
        if epilogue is not None:
            raise Unsupported("there is nothing to add up")
        return fill(out, 0, precision)
    rest = epilogue.operands if epilogue is not None else ()
    found = merged(contraction(spec, extents, left, right, out, rest))
    best, before, after = _best(found, precision, space)
    way = _way(best, precision)
    if way.vector is not None and not all(s == 0 or _near(s) for s in way.vector.rest):
        raise Unsupported("what finishes it lies otherwise")
    return [*before, _call(best, way, precision, epilogue), *after]


def _best(
    found: Contraction, precision: str, space: Space
) -> tuple[Contraction, list[Call], list[Call]]:
    """The contraction as it is, or with operands copied into an order that is worth it.

    Also the copies before it, and after it.
    """
    price, best = _way(found, precision).cost, found
    copies: list[int] = []
    for label in found.labels:
        wrong = _out_of_order(found, label)
        if not wrong:
            continue
        trial = _reordered(found, wrong, label)
        cost = _way(trial, precision).cost
        cost += COPY_COST * sum(int(found.operands[which].count) for which in wrong)
        if cost < price:
            price, best, copies = cost, trial, wrong
    return _copied(found, best, copies, precision, space)


# ---- which way ------------------------------------------------------------------------------


def _way(found: Contraction, precision: str) -> Way:
    ways = [_scalar(found)]
    for label in found.labels:
        if label.name in found.guarded or label.extent < 2:
            continue
        ways += _along(found, label, precision)
    return min(ways, key=lambda way: way.cost)


def _along(found: Contraction, label: Label, precision: str) -> list[Way]:
    """The ways with vectors along a label, if its numbers lie side by side wherever it is."""
    apart = [w for w, s in enumerate(label.strides) if s is not None and not _near(s)]
    width = this_machine().width(4 if precision == "float32" else 8)
    lanes = label.extent / (-(-label.extent // width) * width)
    work = total([la.extent for la in found.labels]) / width / lanes
    left, right, out = label.where
    if out and left != right:
        way = _tiled(found, "broad", left, label, work)
        if not apart:
            return [way]
        # Numbers that lie apart can be put side by side with all others that are read often.
        own = LEFT if left else RIGHT
        if apart != [own] or isinstance(label.extent, RuntimeSize):
            return []
        gathers = "y" in _packing(found, way)[0]
        return [replace(way, cost=way.cost + found.operands[own].count)] if gathers else []
    if apart:
        return []
    if out:
        return [_tiled(found, "each", False, label, work)]
    way = _tiled(found, "dot", False, label, work)
    # Shorter loops, and adding up the lanes of each result, in log2(lanes) steps: three with AVX2.
    sums = total([la.extent for la in found.labels if not la.summed])
    return [replace(way, cost=1.3 * way.cost + 3 * sums)]


def _scalar(found: Contraction) -> Way:
    work = total([la.extent for la in found.labels])
    return _tiled(found, "each", False, None, work)


def _tiled(found: Contraction, mode: Mode, swapped: bool, vector: Label | None, work: float) -> Way:
    """Rows and columns for a vector, and what it costs: loads, or additions and multiplications."""
    free = [la for la in found.labels if la is not vector and la.name not in found.guarded]
    x, y = (RIGHT, LEFT) if swapped else (LEFT, RIGHT)

    def largest(one: int, other: int) -> Label | None:
        fitting = [la for la in free if la.strides[one] is not None and la.strides[other] is None]
        fitting = [la for la in fitting if not la.summed and la.extent > 1]
        # No tile is higher than 14: of labels that fill one, the first will do.
        return max(fitting, key=lambda la: min(la.extent, 16), default=None)

    rows = largest(x, y)
    columns = None if mode == "broad" else largest(y, x)
    height, width = _shape(mode, vector, rows, columns)
    tile = height * width
    loads = (height + width) / tile
    # Two of each in a cycle; a tile that is too small waits for its own results, for they are there
    # after four cycles, and 8 can be begun by then.
    cost = work * max(1.0, loads, 8 / tile) / 2
    return Way(mode, swapped, vector, rows, columns, cost)


def _shape(
    mode: Mode, vector: Label | None, rows: Label | None, columns: Label | None
) -> tuple[int, int]:
    """How many rows, and columns or vectors, a tile has."""
    registers = this_machine().registers
    tall = int(rows.extent) if rows else 1
    if mode == "broad":
        assert vector is not None
        lanes = this_machine().width(4)
        wide = 2 if vector.extent > lanes else 1
        # All registers but those for columns and a row's number: 14 x 2 vectors of 32, 6 x 2 of 16.
        # With AVX-512, tiles of 14, 12 and 8 x 2, 8 x 3 and 6 x 4 vectors were within 5 % of each
        # other, 28 x 1 was 15 % slower.
        most = (registers - 2 - wide) // wide
        return _even(tall, min(most, 14), rows), wide
    broad = int(columns.extent) if columns else 1
    # Fewer than there are registers for: the compiler takes some for itself.
    if registers == 32:
        high, side = 4, 5
    else:
        high, side = (4, 2) if isinstance(rows and rows.extent, RuntimeSize) else (3, 3)
    if broad < side:
        high = min(6, (registers - 4) // max(broad, 1) // 2)
    if tall < high:
        side = min(6, (registers - 4) // max(tall, 1) // 2)
    return _even(tall, high, rows), _even(broad, side, columns)


def _even(extent: int, most: int, label: Label | None) -> int:
    """The size of tiles of at most so many, as even as can be where the extent is known."""
    if label is None:
        return 1
    if isinstance(label.extent, RuntimeSize):
        return most if most < 8 else 8
    return -(-extent // -(-extent // max(most, 1)))


# ---- operands in another order -----------------------------------------------------------------


def _out_of_order(found: Contraction, label: Label) -> list[int]:
    """Which operands to copy so that a label's numbers lie side by side; none if that is no way."""
    if label.extent < 4 or label.name in found.guarded:
        return []
    wrong = [w for w, s in enumerate(label.strides) if s is not None and not _near(s)]
    return [] if LEFT in wrong and found.reaches else wrong


def _near(stride: int) -> bool:
    return stride == 1 and not isinstance(stride, RuntimeSize)


def _reordered(found: Contraction, wrong: Sequence[int], label: Label) -> Contraction:
    """With the distances that copies have in which `label` is innermost."""
    labels = {la.name: la for la in found.labels}
    for which in wrong:
        step = 1
        for one in reversed(_order(found, which, label)):
            strides = list(labels[one.name].strides)
            strides[which] = step
            labels[one.name] = replace(
                labels[one.name], strides=(strides[0], strides[1], strides[2])
            )
            step = one.extent * step
    return replace(found, labels=tuple(labels.values()))


def _order(found: Contraction, which: int, label: Label) -> list[Label]:
    """The labels of an operand in the order of its copy, `label` innermost."""
    mine = [la for la in found.labels if la.strides[which] not in (None, 0)]
    mine.sort(key=lambda la: (la.name == label.name, -abs(int(la.strides[which] or 0))))
    return mine


def _copied(
    found: Contraction, best: Contraction, copies: Sequence[int], precision: str, space: Space
) -> tuple[Contraction, list[Call], list[Call]]:
    """With operands in their copies, which are filled before, or read after."""
    calls: tuple[list[Call], list[Call]] = [], []
    operands = list(found.operands)
    before = {la.name: la for la in found.labels}
    for which in copies:
        labels = [la for la in best.labels if la.strides[which] not in (None, 0)]
        labels.sort(key=lambda la: -int(la.strides[which] or 0))
        source = operands[which]
        shape = tuple(la.extent for la in labels)
        strides = tuple(before[la.name].strides[which] or 0 for la in labels)
        turned = operands[which] = space(shape, "float")
        view = Operand(source.address, source.kind, source.size, shape, strides)
        if which == OUT:
            calls[1].extend(copy(view, turned, precision))
        else:
            calls[0].extend(copy(turned, view, precision))
    return replace(best, operands=(operands[0], operands[1], operands[2])), *calls


# ---- the call -------------------------------------------------------------------------------


def _call(found: Contraction, way: Way, precision: str, epilogue: Epilogue | None) -> Call:
    making = Making()
    x, y = (RIGHT, LEFT) if way.swapped else (LEFT, RIGHT)
    rest = epilogue.operands if epilogue is not None else ()

    def axis(label: Label | None) -> Axis:
        if label is None:
            return Axis(1, 0, 0, 0, (0,) * len(rest))
        extent = making.of(label.extent)
        places = making.all(label.strides[which] or 0 for which in (x, y, OUT))
        return Axis(extent, places[0], places[1], places[2], making.all(label.rest))

    height, width = _shape(way.mode, way.vector, way.rows, way.columns)
    outer, inner = _loops(found, way)
    places = {la.name: n for n, la in enumerate([*outer, *inner])}
    guards = tuple(
        Guard(
            places[r.position],
            places[r.offset],
            r.a,
            r.b,
            r.c,
            making.of(r.size),
            r.step,
            making.of(r.stride if r.step != 1 else 0),
            way.swapped,
        )
        for r in found.reaches
    )
    packing, block = _packing(found, way)
    free = [la for la in outer if packing and not la.strides[y]]
    outer = [la for la in outer if la not in free] + free
    tasks = total([la.extent for la in outer[: len(outer) - len(free)]])
    depth = total([la.extent for la in found.labels if la.summed])
    size = 4 if precision == "float32" else 8
    spec = Tile(
        way.mode,
        making.operand(found.operands[x]),
        making.operand(found.operands[y]),
        making.operand(found.operands[OUT]),
        axis(way.vector),
        axis(way.rows),
        axis(way.columns),
        tuple(axis(la) for la in outer),
        tuple(axis(la) for la in inner),
        guards,
        height,
        width,
        making.of(_group(packing, height, depth, size)),
        int(tasks) >= SHARED_TASKS,
        packing,
        making.of(block) if packing else 1,
        len(free),
        _epilogue_spec(epilogue, making),
    )
    work = max(int(way.cost), 1)
    flops = 2 * total([la.extent for la in found.labels])
    return making.call(FAMILY, spec, precision, work, flops=flops)


def _epilogue_spec(epilogue: Epilogue | None, making: Making) -> EpilogueSpec | None:
    if epilogue is None:
        return None
    args = tuple(making.operand(operand) for operand in epilogue.operands)
    return EpilogueSpec(epilogue.stages, epilogue.place, args)


def _loops(found: Contraction, way: Way) -> tuple[list[Label], list[Label]]:
    """The labels that a tile does not have: those of the result, and those that are summed."""
    chosen = [way.vector, way.rows, way.columns]
    others = [la for la in found.labels if not any(la is one for one in chosen)]
    inner = _inner_order([la for la in others if la.summed], found)
    return [la for la in others if not la.summed], inner


def _packing(found: Contraction, way: Way) -> tuple[Literal["", "x", "y", "xy"], int]:
    """What to put side by side, and how much of the outermost summed loop at a time."""
    outer, inner = _loops(found, way)
    if way.mode != "broad" or found.reaches or not inner or way.vector is None:
        return "", 0
    x, y = (RIGHT, LEFT) if way.swapped else (LEFT, RIGHT)
    height, width = _shape(way.mode, way.vector, way.rows, way.columns)
    rest = int(total([la.extent for la in inner[1:]]))
    depth = rest * int(inner[0].extent)
    # What is packed is written once and read `over` times; of short sums little is read again.
    if depth < 16 or rest > PACKED_DEPTH:
        return "", 0
    tall = -(-int(way.rows.extent) // height) if way.rows else 1
    over = tall * int(total([la.extent for la in outer if not la.strides[y]]))
    wide = -(-int(way.vector.extent) // (width * this_machine().width(4)))
    far = (abs(int(s)) if (s := la.strides[x]) is not None else 0 for la in inner)
    tall_too = wide >= 4 and min(far) >= 16
    packing: Literal["", "x", "y", "xy"] = "xy" if tall_too else "y"
    if over < 4 and not tall_too:
        packing = ""
    step = max(1, min(int(inner[0].extent), PACKED_DEPTH // rest))
    known = not isinstance(inner[0].extent, RuntimeSize) and not isinstance(
        total([la.extent for la in inner[1:]]), RuntimeSize
    )
    return packing, step if known else RuntimeSize(step)


def _group(packing: str, height: int, depth: int, size: int) -> int:
    """Tiles of rows whose numbers stay in a cache while columns change."""
    if packing:
        room = PACKED_ROWS_BYTES[this_machine().registers] if "x" in packing else PLAIN_ROWS_BYTES
        return max(1, room // (height * PACKED_DEPTH * size))
    group = max(1, FIRST_CACHE_BYTES // max(height * int(depth) * size, 1))
    return RuntimeSize(group) if isinstance(depth, RuntimeSize) else group


def _inner_order(labels: list[Label], found: Contraction) -> list[Label]:
    """Summed labels: first what decides whether an index is inside, then the far ones."""
    guarded = found.guarded

    def rank(label: Label) -> tuple[bool, int]:
        near = max(abs(int(s)) for s in label.strides if s is not None)
        return label.name not in guarded, -near

    return sorted(labels, key=rank)
