"""Which axes of weights count ids: a row for each word of an embedding, for each class of a score.

Two axes count the same things where an operation pairs them entry by entry; what an axis is picked
by says what it counts. Nothing else is assumed, so an axis that is not found may still count ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .primitives.binary import Binary
from .primitives.compare import Equal, Select
from .primitives.contract import Contract
from .primitives.index import Gather, Pick
from .primitives.place import Concat, Pad
from .primitives.reduce import ArgMax, Reduction
from .primitives.scan import Scan
from .primitives.spec import parse
from .primitives.unary import Cast, Copy, Unary
from .primitives.view import Broadcast, Reshape, Reverse, Slice, Stop, Transpose
from .program import Input, Op, Value
from .size import Dim, product

IDS = -1  # stands for an axis: what the numbers of a value are, where they are ids
Place = tuple[Value, int]


def counted_axes(
    inputs: Sequence[Input], ops: Iterable[Op]
) -> dict[str, dict[int, tuple[str, ...]]]:
    """By weight, its axes that count the ids of data inputs, with the names of these."""
    pairs = _Pairs()
    pairs.walk(ops)
    sources: dict[Place, tuple[str, ...]] = {}
    for one in inputs:
        if one.role == "data":
            root = pairs.root((one.value, IDS))
            sources[root] = (*sources.get(root, ()), one.key)
    found: dict[str, dict[int, tuple[str, ...]]] = {}
    for one in inputs:
        if one.role != "data":
            axes = range(len(one.value.type.shape))
            roots = {axis: pairs.root((one.value, axis)) for axis in axes}
            named = {axis: sources[root] for axis, root in roots.items() if root in sources}
            found |= {one.key: named} if named else {}
    return found


class _Pairs:
    """Sets of places that count the same things."""

    def __init__(self) -> None:
        self._above: dict[Place, Place] = {}
        self._packed: dict[Value, list[tuple[Value, Dim]]] = {}  # results of a scan, and where

    def root(self, place: Place) -> Place:
        """The place that stands for all that count the same."""
        while place in self._above:
            place = self._above[place]
        return place

    def join(self, one: Place, other: Place) -> None:
        """These count the same things."""
        one, other = self.root(one), self.root(other)
        if one != other:
            self._above[one] = other

    def alike(self, one: Value, other: Value, skip: int = 0, but: int | None = None) -> None:
        """The axes of both are the same; `other` has `skip` more in front; `but` one of them."""
        for axis, size in enumerate(one.type.shape):
            if axis != but and size == other.type.shape[axis + skip]:
                self.join((one, axis), (other, axis + skip))

    def walk(self, ops: Iterable[Op]) -> None:
        """Pair what each operation pairs."""
        for op in ops:
            self._take(op)

    def _take(self, op: Op) -> None:
        out, args, primitive = op.out, op.args, op.primitive
        first = args[0] if args else out
        match primitive:
            case Gather():
                self.join((first, 0), (args[1], IDS))
                for axis in range(1, len(first.type.shape)):
                    self.join((first, axis), (out, axis + len(args[1].type.shape) - 1))
            case Pick():
                self.join((first, len(first.type.shape) - 1), (args[1], IDS))
            case ArgMax():
                self.join((first, primitive.axis), (out, IDS))
            case Reduction():
                kept = [a for a in range(len(first.type.shape)) if a not in primitive.axes]
                self._matched(first, kept, out)
            case Contract():
                labels: dict[str, Place] = {}
                for value, axes in zip((*args, out), parse(primitive.spec), strict=True):
                    for axis, label in enumerate(axes):
                        self.join((value, axis), labels.setdefault(str(label), (value, axis)))
            case Transpose():
                self._matched(first, primitive.permutation, out)
                self.join((first, IDS), (out, IDS))
            case Reshape():
                self._reshaped(first, out)
            case Slice() | Pad() | Concat() | Reverse():
                self._parts(op)
            case Scan():
                self._stepped(out, args, primitive)
            case Unary() | Binary() | Select() | Cast() | Copy() | Broadcast() | Stop():
                self._elementwise(op)
            case _:
                pass

    def _matched(self, value: Value, axes: Sequence[int], out: Value) -> None:
        for place, axis in enumerate(axes):
            self.join((value, axis), (out, place))

    def _elementwise(self, op: Op) -> None:
        for arg in op.args:
            skip = len(op.out.type.shape) - len(arg.type.shape)
            if skip >= 0:
                self.alike(arg, op.out, skip)
            if isinstance(op.primitive, Broadcast | Stop | Cast | Copy | Select):
                self.join((arg, IDS), (op.out, IDS))
        if isinstance(op.primitive, Equal):
            self.join((op.args[0], IDS), (op.args[1], IDS))

    def _parts(self, op: Op) -> None:
        """All axes but the one that is cut or put together."""
        axis = getattr(op.primitive, "axis", 0)
        if isinstance(op.primitive, Slice) and op.args[0] in self._packed:
            packed = self._packed[op.args[0]]
            self._packed[op.out] = [p for p in packed if p[1] == op.primitive.start]
            return
        for arg in op.args:
            self.alike(arg, op.out, but=axis)
            self.join((arg, IDS), (op.out, IDS))

    def _reshaped(self, value: Value, out: Value) -> None:
        """An axis stays where as many numbers are before it as after it."""
        self.join((value, IDS), (out, IDS))
        packed = self._packed.get(value, [])
        if len(packed) == 1:
            self.alike(packed[0][0], out, skip=1)
            return
        before, after = value.type.shape, out.type.shape
        for i, size in enumerate(before):
            for j, other in enumerate(after):
                if size == other and product(before[:i]) == product(after[:j]):
                    self.join((value, i), (out, j))

    def _stepped(self, out: Value, args: tuple[Value, ...], scan: Scan) -> None:
        body = scan.body
        for given, arg in zip(body.given, args, strict=True):
            self.alike(given, arg, skip=1 if given in body.steps else 0)
            self.join((given, IDS), (arg, IDS))
        for state, value in zip(body.carried, body.following, strict=True):
            self.alike(state, value)
        self.walk(body.ops)
        starts = [start for start, _ in scan.parts()]
        self._packed[out] = list(zip(body.results, starts, strict=True))
