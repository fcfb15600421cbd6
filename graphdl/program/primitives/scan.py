"""The loop over time: a body done once for every step of a sequence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

from ..body import Body, pieces
from ..primitive import Array, Call, Primitive, Scratch, ShapeError
from ..program import Type, Value
from ..size import Dim, evaluate
from .loop import Loop

if TYPE_CHECKING:
    from ..builder import Builder


@dataclass(frozen=True)
class Scan(Primitive):
    """Arguments: sequences [T, ...] that are stepped over, held values, states at the start.

    The result is one row of numbers: all steps of each state, then all steps of each emitted value,
    so that a slice of it, reshaped to [T, ...], is a view in order.
    """

    name = "scan"
    finite = True
    body: Body
    length: Dim
    reverse: bool = False

    def infer(self, *types: Type) -> Type:
        body = self.body
        for given, type in zip(body.given, types, strict=True):
            shape = (self.length, *given.type.shape) if given in body.steps else given.type.shape
            if type != Type(shape, given.type.kind):
                raise ShapeError(f"a scan of {self.length} steps takes {given!r}, not {type}")
        for state, value in zip(body.carried, body.following, strict=True):
            if state.type != value.type:
                raise ShapeError(f"a scan carries {state!r}, its next value is {value!r}")
        if any(value.type.kind != "float" for value in body.results):
            raise ShapeError("a scan keeps floats only")
        return Type((self.length * body.count,))

    def parts(self) -> list[tuple[Dim, Dim]]:
        """Where the steps of each state and emitted value stand in the result."""
        return list(pieces(tuple(v.type for v in self.body.results), self.length))

    def pull(
        self,
        build: Builder,
        args: tuple[Value, ...],
        out: Value,
        grad: Value,
        wanted: Sequence[bool],
    ) -> tuple[Value | None, ...]:
        from ..through_time import gradients  # it needs the builder, which needs all primitives

        return gradients(build, self, args, out, grad, wanted)

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        floats = [arg.type.kind == "float" for arg in args]
        return self.pull(build, args, out, grad, floats)

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        length = evaluate(self.length, sizes)
        rows = []
        for value, (start, stop) in zip(self.body.results, self.parts(), strict=True):
            shape = tuple(evaluate(dim, sizes) for dim in value.type.shape)
            part = out[evaluate(start, sizes) : evaluate(stop, sizes)]
            rows.append(part.reshape((length, *shape)))
        order = range(length)
        loop = Loop(xp, scratch, sizes, self.body, args, rows)
        return loop.calls(order[::-1] if self.reverse else order)
