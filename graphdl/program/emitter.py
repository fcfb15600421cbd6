"""The part of the builder that keeps the list of operations, and broadcasts and promotes."""

from __future__ import annotations

from collections.abc import Sequence

from .facts import Facts
from .layout import can_reshape
from .primitive import Primitive, ShapeError
from .primitives import Broadcast, Cast, Constant, Copy, Extent, Reshape, Stop
from .program import Input, Kind, Op, Program, Role, Type, Update, Value
from .size import Dim, Size

Operand = Value | float


def shape_text(shape: Sequence[Dim]) -> str:
    """A shape as people write it: [16, 32, 32]."""
    return f"[{', '.join(map(str, shape))}]"


class Emitter:
    """A program under construction: inputs and operations so far."""

    def __init__(self) -> None:
        self.inputs: list[Input] = []
        self.ops: list[Op] = []
        self.origin = ""
        self._makers: dict[Value, Op] = {}
        self._names: dict[str, int] = {}
        self.facts = Facts(self)
        self._count = 0

    def input(self, name: str, type: Type, role: Role, key: str) -> Value:
        """A value that comes from outside."""
        value = Value(self._unique(name), type)
        self.inputs.append(Input(value, role, key))
        return value

    def emit(self, primitive: Primitive, *args: Value) -> Value:
        """Append one operation; raises ShapeError if the arguments do not fit it."""
        type = primitive.infer(*(arg.type for arg in args))
        self._count += 1
        out = Value(self._unique(str(self._count)), type)
        op = Op(out, primitive, args, self.origin)
        self.ops.append(op)
        self._makers[out] = op
        return out

    def placeholder(self, name: str, type: Type) -> Value:
        """A value that no operation makes: what the body of a scan is given."""
        return Value(self._unique(name), type)

    def maker(self, value: Value) -> Op | None:
        """The operation that made a value."""
        return self._makers.get(value)

    def prune(self, start: int, results: Sequence[Value]) -> None:
        """Drop the operations from number `start` on that the results do not need."""
        needed = set(results)
        kept: list[Op] = []
        for op in reversed(self.ops[start:]):
            if op.out in needed:
                needed.update(op.args)
                kept.append(op)
        self.ops[start:] = reversed(kept)

    def finish(
        self, outputs: Sequence[tuple[str, Value]], updates: Sequence[Update] = ()
    ) -> Program:
        """The program with these named results."""
        return Program(tuple(self.inputs), tuple(self.ops), tuple(outputs), tuple(updates))

    def constant(self, number: float, kind: Kind = "float") -> Value:
        """One number, without axes."""
        return self.emit(Constant(number if kind != "float" else float(number), kind))

    def extent(self, dim: Dim) -> Value:
        """A size as a number of kind float, known when the program runs."""
        if isinstance(dim, Size):
            return self.emit(Extent(dim))
        return self.constant(dim)

    def number(self, value: Value) -> float | None:
        """The number a constant value is full of, or None."""
        op = self._makers.get(value)
        if op is None:
            return None
        if isinstance(op.primitive, Constant):
            return op.primitive.number
        looks = isinstance(op.primitive, (Broadcast, Reshape, Stop, Cast))
        return self.number(op.args[0]) if looks else None

    def broadcast(self, x: Operand, shape: Sequence[Dim]) -> Value:
        """`x` repeated along the axes it lacks in front or has with size 1."""
        x = self._value(x)
        shape = tuple(shape)
        return x if x.type.shape == shape else self.emit(Broadcast(shape), x)

    def cast(self, x: Operand, kind: Kind) -> Value:
        """`x` as another kind."""
        x = self._value(x)
        return x if x.type.kind == kind else self.emit(Cast(kind), x)

    def reshape(self, x: Value, shape: Sequence[Dim]) -> Value:
        """The same numbers in the same order; a strided view is copied into order first."""
        shape = tuple(shape)
        if x.type.shape == shape:
            return x
        primitive = Reshape(shape)
        primitive.infer(x.type)
        if not can_reshape(self._makers, x, shape):
            x = self.emit(Copy(), x)
        return self.emit(primitive, x)

    def _unique(self, name: str) -> str:
        # The count goes on where it was: a thousand layers ask for the same name.
        unique, number = name, self._names.get(name, 0)
        while unique in self._names:
            number += 1
            unique = f"{name}.{number}"
        self._names[unique] = 1
        self._names[name] = max(number, 1)
        return unique

    def _value(self, x: Operand, kind: Kind = "float") -> Value:
        if isinstance(x, Value):
            return x
        whole = kind == "int" and x == int(x)
        return self.constant(int(x), "int") if whole else self.constant(x)

    def _values(self, operands: Sequence[Operand]) -> list[Value]:
        """The operands as values; a bare number among whole numbers is one of them."""
        given = [x.type.kind for x in operands if isinstance(x, Value)]
        kind: Kind = "int" if given and all(k == "int" for k in given) else "float"
        return [self._value(x, kind) for x in operands]

    def _promoted(self, values: Sequence[Value], kinds: Sequence[Kind]) -> list[Value]:
        """The values in one of the `kinds`: their own if they share one that is allowed."""
        own = {x.type.kind for x in values}
        kind = own.pop() if len(own) == 1 else "float"
        return [self.cast(x, kind if kind in kinds else "float") for x in values]

    def _aligned(self, verb: str, values: Sequence[Value]) -> list[Value]:
        """The values broadcast to their common shape, aligned at the last axis."""
        shape: tuple[Dim, ...] = ()
        for value in values:
            merged = merged_shape(shape, value.type.shape)
            if merged is None:
                shapes = " and ".join(shape_text(x.type.shape) for x in values)
                raise ShapeError(f"cannot {verb} {shapes}")
            shape = merged
        return [self.broadcast(x, shape) for x in values]


def merged_shape(a: tuple[Dim, ...], b: tuple[Dim, ...]) -> tuple[Dim, ...] | None:
    """The shape two shapes broadcast to, None if they clash."""
    rank = max(len(a), len(b))
    a, b = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    if any(x != y and 1 not in (x, y) for x, y in zip(a, b, strict=True)):
        return None
    return tuple(y if x == 1 else x for x, y in zip(a, b, strict=True))
