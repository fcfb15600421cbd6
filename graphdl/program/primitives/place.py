"""Primitives that copy their arguments into a larger result: pad and concat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING

from ..primitive import Array, Call, Primitive, Scratch, ShapeError
from ..program import Type, Value
from ..size import Dim, evaluate

if TYPE_CHECKING:
    from ..builder import Builder


def _along(axis: int, start: int, stop: int, step: int = 1) -> tuple[slice, ...]:
    return (slice(None),) * axis + (slice(start, stop, step),)


@dataclass(frozen=True)
class Pad(Primitive):
    """One axis lengthened by `value`s before, after, and (with a step) between its entries."""

    name = "pad"
    finite = True
    axis: int
    before: Dim
    after: Dim
    value: float = 0.0
    step: int = 1

    def infer(self, *types: Type) -> Type:
        (x,) = types
        if not 0 <= self.axis < len(x.shape):
            raise ShapeError(f"{x} has no axis {self.axis}")
        if any(isinstance(dim, int) and dim < 0 for dim in (self.before, self.after)):
            raise ShapeError(f"cannot pad {x} by {self.before} and {self.after}")
        extent = self.before + (x.shape[self.axis] - 1) * self.step + 1 + self.after
        return Type((*x.shape[: self.axis], extent, *x.shape[self.axis + 1 :]), x.kind)

    def batched(self) -> Primitive:
        return replace(self, axis=self.axis + 1)

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        stop = out.type.shape[self.axis] - self.after
        return (build.slice(grad, self.axis, self.before, stop, self.step),)

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        start = evaluate(self.before, sizes)
        stop = out.shape[self.axis] - evaluate(self.after, sizes)
        if self.step > 1:
            yield partial(out.fill, self.value)
        else:
            yield partial(out[_along(self.axis, 0, start)].fill, self.value)
            yield partial(out[_along(self.axis, stop, out.shape[self.axis])].fill, self.value)
        yield partial(xp.copyto, out[_along(self.axis, start, stop, self.step)], args[0])


@dataclass(frozen=True)
class Concat(Primitive):
    """The arguments one after another along an axis."""

    name = "concat"
    keeps_steps = True
    finite = True
    axis: int

    def infer(self, *types: Type) -> Type:
        first = types[0]
        total: Dim = 0
        for other in types:
            self._check(first, other)
            total = total + other.shape[self.axis]
        return Type((*first.shape[: self.axis], total, *first.shape[self.axis + 1 :]), first.kind)

    def batched(self) -> Primitive:
        return replace(self, axis=self.axis + 1)

    def _check(self, first: Type, other: Type) -> None:
        if len(first.shape) != len(other.shape) or first.kind != other.kind:
            raise ShapeError(f"cannot concat {first} and {other}", code="E0403")
        if not 0 <= self.axis < len(first.shape):
            raise ShapeError(f"{first} has no axis {self.axis}", code="E0403")
        for axis, (a, b) in enumerate(zip(first.shape, other.shape, strict=True)):
            if axis != self.axis and a != b:
                raise ShapeError(
                    f"`concat` needs equal sizes except axis {self.axis}: "
                    f"{a} vs {b} on axis {axis}",
                    code="E0403",
                )

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        grads = []
        start: Dim = 0
        for arg in args:
            stop = start + arg.type.shape[self.axis]
            grads.append(build.slice(grad, self.axis, start, stop))
            start = stop
        return tuple(grads)

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        start = 0
        for arg in args:
            stop = start + arg.shape[self.axis]
            yield partial(xp.copyto, out[_along(self.axis, start, stop)], arg)
            start = stop
