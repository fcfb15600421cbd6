"""Reductions over axes; the axes disappear, keeping them is a reshape."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar

from ..primitive import Array, Call, Primitive, Scratch, ShapeError
from ..program import Type, Value
from ..size import Dim, Size, product

if TYPE_CHECKING:
    from ..builder import Builder


@dataclass(frozen=True)
class Reduction(Primitive):
    """Base: one array method over sorted, non-negative axes."""

    finite = True
    keeps_steps = True
    function: ClassVar[str]
    axes: tuple[int, ...]

    def infer(self, *types: Type) -> Type:
        (x,) = types
        if x.kind == "bool":
            raise ShapeError(f"{self.name} takes float or int, not bool")
        if any(not 0 <= axis < len(x.shape) for axis in self.axes):
            raise ShapeError(f"{x} has no axes {list(self.axes)}")
        return Type(tuple(d for i, d in enumerate(x.shape) if i not in self.axes), x.kind)

    def batched(self) -> Primitive:
        return replace(self, axes=tuple(axis + 1 for axis in self.axes))

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        # The method: `xp.sum` and its like spend a microsecond on finding it.
        yield partial(getattr(args[0], self.function), axis=self.axes, out=out)


@dataclass(frozen=True)
class Sum(Reduction):
    """The sum over axes; what is long is added up in float64."""

    name = "sum"
    function = "sum"

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        shape = args[0].type.shape
        kept = tuple(1 if i in self.axes else d for i, d in enumerate(shape))
        return (build.broadcast(build.reshape(grad, kept), shape),)

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        if out.dtype.char != "f" or _chain(args[0], self.axes) <= SHORT:
            yield from super().kernel(xp, scratch, sizes, out, *args)
            return
        total = _wide(scratch, out)
        yield partial(args[0].sum, axis=self.axes, dtype="f8", out=total)
        yield partial(xp.copyto, out, total)


@dataclass(frozen=True)
class Mean(Reduction):
    """The mean over axes, added up and divided in float64: of equal numbers it is that number."""

    name = "mean"
    function = "mean"

    def infer(self, *types: Type) -> Type:
        if types[0].kind != "float":
            raise ShapeError(f"{self.name} takes float, not {types[0].kind}")
        return super().infer(*types)

    def needs(self, args: tuple[Value, ...]) -> Iterator[tuple[Dim, int]]:
        yield from ((args[0].type.shape[axis], 1) for axis in self.axes)

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        shape = args[0].type.shape
        count = product(tuple(shape[axis] for axis in self.axes))
        share = (
            build.div(1.0, build.extent(count)) if isinstance(count, Size) else 1 / max(count, 1)
        )
        return Sum(self.axes).vjp(build, args, out, build.mul(grad, share))

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        total = _wide(scratch, out)
        yield partial(args[0].sum, axis=self.axes, dtype="f8", out=total)
        count = prod(args[0].shape[axis] for axis in self.axes)
        yield partial(xp.divide, total, max(count, 1), out)


# So many numbers may be added one by one in float32.
SHORT = 128


def _chain(x: Array, axes: tuple[int, ...]) -> int:
    """How many numbers are added one by one: those that lie side by side are added in pairs."""
    count: int = prod(x.shape[axis] for axis in axes)
    for axis in sorted(range(x.ndim), key=lambda axis: abs(x.strides[axis])):
        if x.shape[axis] > 1:
            if axis not in axes:
                return count
            count //= x.shape[axis]
    return count


def _wide(scratch: Scratch, out: Array) -> Array:
    """Room for a result in float64."""
    return scratch(out.shape, "int").view("f8")


@dataclass(frozen=True)
class Amax(Reduction):
    """The largest over axes; the first of equal ones takes the whole gradient."""

    name = "amax"
    function = "max"
    bends = True

    def needs(self, args: tuple[Value, ...]) -> Iterator[tuple[Dim, int]]:
        # Nothing is the sum of nothing, but there is no largest of nothing.
        yield from ((dim, 1) for dim in args[0].type.shape)

    def winner(self, build: Builder, x: Value) -> Value:
        """Where the result stands on the last axis."""
        return build.argmax(x, -1)

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        shape = args[0].type.shape
        order = [i for i in range(len(shape)) if i not in self.axes] + list(self.axes)
        turned = build.transpose(args[0], order)
        count = product(tuple(shape[axis] for axis in self.axes))
        ids = self.winner(build, build.reshape(turned, (*out.type.shape, count)))
        spread = build.reshape(build.spread(ids, grad, count), turned.type.shape)
        back = sorted(range(len(order)), key=order.__getitem__)
        return (build.transpose(spread, back),)


@dataclass(frozen=True)
class Amin(Amax):
    """The smallest over axes; the first of equal ones takes the whole gradient."""

    name = "amin"
    function = "min"

    def winner(self, build: Builder, x: Value) -> Value:
        return build.argmax(build.neg(x), -1)


@dataclass(frozen=True)
class ArgMax(Primitive):
    """The place of the largest along one axis, the first of equal ones."""

    name = "argmax"
    keeps_steps = True
    finite = True
    axis: int

    def infer(self, *types: Type) -> Type:
        (x,) = types
        if not 0 <= self.axis < len(x.shape):
            raise ShapeError(f"{x} has no axis {self.axis}")
        return Type(x.shape[: self.axis] + x.shape[self.axis + 1 :], "int")

    def batched(self) -> Primitive:
        return replace(self, axis=self.axis + 1)

    def needs(self, args: tuple[Value, ...]) -> Iterator[tuple[Dim, int]]:
        # Nothing is the sum of nothing, but there is no largest of nothing.
        yield from ((dim, 1) for dim in args[0].type.shape)

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        last = xp.moveaxis(args[0], self.axis, -1)
        if not last.flags.c_contiguous:
            # NumPy would make this copy itself, in new memory.
            rows = scratch(last.shape, "int" if last.dtype.kind == "i" else "float")
            yield partial(xp.copyto, rows, last)
            last = rows
        yield partial(xp.argmax, last, axis=-1, out=out)
