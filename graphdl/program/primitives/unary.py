"""Pointwise primitives of one argument."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import pi, sqrt
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar

from ..primitive import Array, Call, Primitive, Scratch, ShapeError
from ..program import Kind, Type, Value
from .erf import erf_calls

if TYPE_CHECKING:
    from ..builder import Builder


@dataclass(frozen=True)
class Unary(Primitive):
    """Base: one NumPy function of one array, float to float unless a subclass says otherwise."""

    pointwise = True
    function: ClassVar[str]
    kinds: ClassVar[tuple[Kind, ...]] = ("float",)

    def infer(self, *types: Type) -> Type:
        (x,) = types
        if x.kind not in self.kinds:
            raise ShapeError(f"{self.name} takes {' or '.join(self.kinds)}, not {x.kind}")
        return x

    def slope(self, build: Builder, x: Value, y: Value, grad: Value) -> Value | None:
        """The gradient of `x`, given that of `y`."""
        return None

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        return (self.slope(build, args[0], out, grad),)

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        yield partial(getattr(xp, self.function), args[0], out)


@dataclass(frozen=True)
class Neg(Unary):
    """-x."""

    name = "neg"
    function = "negative"
    kinds = ("float", "int")
    finite = True

    def slope(self, build: Builder, x: Value, y: Value, grad: Value) -> Value:
        return build.neg(grad)


@dataclass(frozen=True)
class Exp(Unary):
    """The exponential."""

    name = "exp"
    function = "exp"

    def slope(self, build: Builder, x: Value, y: Value, grad: Value) -> Value:
        return build.mul(grad, y)


@dataclass(frozen=True)
class Log(Unary):
    """The natural logarithm."""

    name = "log"
    function = "log"
    finite_if_positive = True

    def slope(self, build: Builder, x: Value, y: Value, grad: Value) -> Value:
        return build.div(grad, x)


@dataclass(frozen=True)
class Sqrt(Unary):
    """The square root."""

    name = "sqrt"
    function = "sqrt"
    finite = True
    not_negative = True

    def slope(self, build: Builder, x: Value, y: Value, grad: Value) -> Value:
        return build.div(build.mul(grad, 0.5), y)


@dataclass(frozen=True)
class Abs(Unary):
    """The absolute value; its gradient at 0 is 0."""

    name = "abs"
    function = "absolute"
    kinds = ("float", "int")
    finite = True
    not_negative = True
    bends = True

    def slope(self, build: Builder, x: Value, y: Value, grad: Value) -> Value:
        return build.mul(grad, build.sign(x))


@dataclass(frozen=True)
class Sign(Unary):
    """-1, 0 or 1."""

    name = "sign"
    function = "sign"
    kinds = ("float", "int")
    finite = True
    jumps = True


@dataclass(frozen=True)
class Floor(Unary):
    """The largest whole number not above x."""

    name = "floor"
    function = "floor"
    finite = True
    jumps = True


@dataclass(frozen=True)
class Tanh(Unary):
    """The hyperbolic tangent."""

    name = "tanh"
    function = "tanh"
    finite = True

    def slope(self, build: Builder, x: Value, y: Value, grad: Value) -> Value:
        # The slope is 1 - y², so only y is kept.
        return build.mul(grad, build.sub(1.0, build.mul(y, y)))


@dataclass(frozen=True)
class Erf(Unary):
    """The error function, 2/sqrt(pi) times the integral of exp(-t²) from 0 to x."""

    name = "erf"
    finite = True

    def slope(self, build: Builder, x: Value, y: Value, grad: Value) -> Value:
        bell = build.exp(build.neg(build.mul(x, x)))
        return build.mul(grad, build.mul(bell, 2 / sqrt(pi)))

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        return erf_calls(xp, scratch, out, args[0])


@dataclass(frozen=True)
class LogicalNot(Unary):
    """Not."""

    name = "logical_not"
    function = "logical_not"
    kinds = ("bool",)
    finite = True


@dataclass(frozen=True)
class Cast(Primitive):
    """The same numbers as another kind: floats are truncated to int, and true where not 0."""

    name = "cast"
    pointwise = True
    finite = True
    zero_at_zero = True
    kind: Kind

    def infer(self, *types: Type) -> Type:
        return Type(types[0].shape, self.kind)

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        return (grad if args[0].type.kind == "float" else None,)

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        if self.kind == "bool":
            yield partial(xp.not_equal, args[0], 0, out)
        else:
            yield partial(xp.copyto, out, args[0], casting="unsafe")


@dataclass(frozen=True)
class Copy(Primitive):
    """The same numbers in order in memory: what a reshape of a transposed view needs."""

    name = "copy"
    pointwise = True
    finite = True
    moves = True
    zero_at_zero = True

    def infer(self, *types: Type) -> Type:
        return types[0]

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        return (grad,)

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        yield partial(xp.copyto, out, args[0])
