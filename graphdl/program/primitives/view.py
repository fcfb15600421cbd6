"""Primitives that only look at their argument differently; none of them moves a number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import TYPE_CHECKING

from ..primitive import Array, Primitive, ShapeError
from ..program import Type, Value
from ..size import Dim, evaluate, product

if TYPE_CHECKING:
    from ..builder import Builder


@dataclass(frozen=True)
class View(Primitive):
    """Base of the views."""

    view = True
    moves = True
    finite = True


@dataclass(frozen=True)
class Reshape(View):
    """The same numbers in the same order under another shape.

    Its argument lies in memory in order, or loses and gains only axes of size 1: see `layout`.
    """

    name = "reshape"
    zero_at_zero = True
    shape: tuple[Dim, ...]

    def infer(self, *types: Type) -> Type:
        (x,) = types
        if x.count != product(self.shape):
            target = f"[{', '.join(map(str, self.shape))}]"
            facts = f"{x.count} numbers do not fill {product(self.shape)}"
            raise ShapeError(f"cannot reshape {_shape(x)} to {target}: {facts}")
        return Type(self.shape, x.kind)

    def identity(self, x: Type, out: Type) -> bool:
        return x == out

    def batch(
        self, build: Builder, args: tuple[Value, ...], whole: Mapping[Value, Value], length: Dim
    ) -> Value | None:
        return build.reshape(whole[args[0]], (length, *self.shape))

    def by_steps(
        self, args: tuple[Value, ...], given: Sequence[int | None], out: Value, axis: int
    ) -> bool:
        # As many entries stand before one step follows another.
        return product(args[0].type.shape[: given[0]]) == product(out.type.shape[:axis])

    def keeps_order(self, x: Type, out: Type) -> bool:
        return True

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        return (build.reshape(grad, args[0].type.shape),)

    def alias(self, xp: ModuleType, sizes: dict[str, int], arg: Array) -> Array:
        return arg.reshape(tuple(evaluate(dim, sizes) for dim in self.shape))


@dataclass(frozen=True)
class Transpose(View):
    """The axes in another order."""

    name = "transpose"
    keeps_steps = True
    zero_at_zero = True
    permutation: tuple[int, ...]

    def infer(self, *types: Type) -> Type:
        (x,) = types
        if sorted(self.permutation) != list(range(len(x.shape))):
            raise ShapeError(f"{list(self.permutation)} does not order the axes of {_shape(x)}")
        return Type(tuple(x.shape[axis] for axis in self.permutation), x.kind)

    def identity(self, x: Type, out: Type) -> bool:
        return self.permutation == tuple(range(len(out.shape)))

    def batched(self) -> Primitive:
        return Transpose((0, *(axis + 1 for axis in self.permutation)))

    def keeps_order(self, x: Type, out: Type) -> bool:
        moved = [axis for axis in self.permutation if x.shape[axis] != 1]
        return moved == sorted(moved)

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        back = sorted(range(len(self.permutation)), key=self.permutation.__getitem__)
        return (build.transpose(grad, back),)

    def alias(self, xp: ModuleType, sizes: dict[str, int], arg: Array) -> Array:
        return arg.transpose(self.permutation)


@dataclass(frozen=True)
class Slice(View):
    """The entries start, start + step, ... before stop along one axis."""

    name = "slice"
    keeps_steps = True
    axis: int
    start: Dim
    stop: Dim
    step: int = 1

    def infer(self, *types: Type) -> Type:
        (x,) = types
        if not 0 <= self.axis < len(x.shape):
            raise ShapeError(f"{_shape(x)} has no axis {self.axis}")
        extent, count = x.shape[self.axis], self.stop - self.start
        beyond = isinstance(extent, int) and isinstance(self.stop, int) and self.stop > extent
        backward = isinstance(count, int) and count < 0
        before = isinstance(self.start, int) and self.start < 0
        if beyond or backward or before or self.step < 1:
            raise ShapeError(
                f"cannot slice {self.start} to {self.stop} out of axis {self.axis} of {_shape(x)}"
            )
        count = (count + self.step - 1) // self.step
        return Type((*x.shape[: self.axis], count, *x.shape[self.axis + 1 :]), x.kind)

    def identity(self, x: Type, out: Type) -> bool:
        return x == out

    def batched(self) -> Primitive:
        return replace(self, axis=self.axis + 1)

    def keeps_order(self, x: Type, out: Type) -> bool:
        leads = all(dim == 1 for dim in x.shape[: self.axis])
        return out.shape == x.shape or (leads and self.step == 1)

    def needs(self, args: tuple[Value, ...]) -> Iterator[tuple[Dim, int]]:
        yield self.start, 0
        yield args[0].type.shape[self.axis] - self.stop, 0

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        used = (out.type.shape[self.axis] - 1) * self.step + 1
        after = args[0].type.shape[self.axis] - self.start - used
        return (build.pad(grad, self.axis, self.start, after, 0.0, self.step),)

    def alias(self, xp: ModuleType, sizes: dict[str, int], arg: Array) -> Array:
        span = slice(evaluate(self.start, sizes), evaluate(self.stop, sizes), self.step)
        return arg[(slice(None),) * self.axis + (span,)]


@dataclass(frozen=True)
class Broadcast(View):
    """The argument repeated along axes it lacks (in front) or has with size 1."""

    name = "broadcast"
    keeps_steps = True
    zero_at_zero = True
    shape: tuple[Dim, ...]

    def infer(self, *types: Type) -> Type:
        (x,) = types
        skipped = len(self.shape) - len(x.shape)
        pairs = zip(x.shape, self.shape[max(skipped, 0) :], strict=False)
        if skipped < 0 or any(a not in (b, 1) for a, b in pairs):
            target = f"[{', '.join(map(str, self.shape))}]"
            raise ShapeError(f"cannot broadcast {_shape(x)} to {target}")
        return Type(self.shape, x.kind)

    def identity(self, x: Type, out: Type) -> bool:
        return x == out

    def batch(
        self, build: Builder, args: tuple[Value, ...], whole: Mapping[Value, Value], length: Dim
    ) -> Value | None:
        x = whole[args[0]]
        first, *rest = x.type.shape
        lacking = len(self.shape) - len(rest)
        return build.broadcast(
            build.reshape(x, (first, *(1,) * lacking, *rest)), (length, *self.shape)
        )

    def keeps_order(self, x: Type, out: Type) -> bool:
        return long(x.shape) == long(self.shape)

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        shape = args[0].type.shape
        skipped = len(self.shape) - len(shape)
        repeated = [i + skipped for i, dim in enumerate(shape) if dim != self.shape[i + skipped]]
        total = build.sum(grad, [*range(skipped), *repeated])
        return (build.reshape(total, shape),)

    def alias(self, xp: ModuleType, sizes: dict[str, int], arg: Array) -> Array:
        return xp.broadcast_to(arg, tuple(evaluate(dim, sizes) for dim in self.shape))


@dataclass(frozen=True)
class Reverse(View):
    """One axis backwards."""

    name = "reverse"
    axis: int

    def infer(self, *types: Type) -> Type:
        (x,) = types
        if not 0 <= self.axis < len(x.shape):
            raise ShapeError(f"{_shape(x)} has no axis {self.axis}")
        return x

    def batched(self) -> Primitive:
        return replace(self, axis=self.axis + 1)

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        return (build.reverse(grad, self.axis),)

    def alias(self, xp: ModuleType, sizes: dict[str, int], arg: Array) -> Array:
        return arg[(slice(None),) * self.axis + (slice(None, None, -1),)]


@dataclass(frozen=True)
class Stop(View):
    """The argument as a constant: it passes no gradient."""

    name = "stop"
    keeps_steps = True

    def infer(self, *types: Type) -> Type:
        return types[0]

    def identity(self, x: Type, out: Type) -> bool:
        return True  # once gradients are made

    def batched(self) -> Primitive:
        return self

    def keeps_order(self, x: Type, out: Type) -> bool:
        return True

    def alias(self, xp: ModuleType, sizes: dict[str, int], arg: Array) -> Array:
        return arg


def _shape(x: Type) -> str:
    return f"[{', '.join(map(str, x.shape))}]"


def long(shape: tuple[Dim, ...]) -> tuple[Dim, ...]:
    """The extents that are not 1: those alone say where numbers lie."""
    return tuple(dim for dim in shape if dim != 1)
