"""Pointwise arithmetic on two arguments of one shape; broadcasting is a primitive of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar

from ..primitive import Array, Call, Primitive, Scratch, ShapeError
from ..program import Kind, Type, Value
from .remainder import quotient_calls, remainder_calls

if TYPE_CHECKING:
    from ..builder import Builder


@dataclass(frozen=True)
class Binary(Primitive):
    """Base: one NumPy function of two arrays of one type."""

    pointwise = True
    function: ClassVar[str]
    kinds: ClassVar[tuple[Kind, ...]] = ("float", "int")

    def infer(self, *types: Type) -> Type:
        a, b = types
        if a != b:
            raise ShapeError(f"{self.name} takes two arguments of one type, not {a} and {b}")
        if a.kind not in self.kinds:
            raise ShapeError(f"{self.name} takes {' or '.join(self.kinds)}, not {a.kind}")
        return a

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        # `out` stands in its place: by its name, a call on a few numbers takes half as long again.
        yield partial(getattr(xp, self.function), *args, out)


@dataclass(frozen=True)
class Add(Binary):
    """The sum a + b."""

    name = "add"
    function = "add"
    finite = True
    commutative = True

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        return grad, grad


@dataclass(frozen=True)
class Sub(Binary):
    """The difference a - b."""

    name = "sub"
    function = "subtract"
    finite = True

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        return grad, build.neg(grad)


@dataclass(frozen=True)
class Mul(Binary):
    """The product a * b."""

    name = "mul"
    function = "multiply"
    finite = True
    commutative = True
    zero_at_zero = True

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        a, b = args
        return build.mul(grad, b), build.mul(grad, a)


@dataclass(frozen=True)
class Div(Binary):
    """The quotient a / b."""

    name = "div"
    function = "divide"
    kinds = ("float",)
    finite_if_positive = True

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        share = build.div(grad, args[1])
        return share, build.neg(build.mul(share, out))


@dataclass(frozen=True)
class FloorDiv(Binary):
    """The quotient rounded down."""

    name = "floordiv"
    function = "floor_divide"

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        if out.dtype.kind == "f":
            return quotient_calls(xp, scratch, out, *args)
        return super().kernel(xp, scratch, sizes, out, *args)


@dataclass(frozen=True)
class Mod(Binary):
    """The remainder a - b * (a // b), which has the sign of b."""

    name = "mod"
    function = "remainder"

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        return grad, build.neg(build.mul(grad, build.floordiv(*args)))

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        if out.dtype.kind == "f":
            return remainder_calls(xp, scratch, out, *args)
        return super().kernel(xp, scratch, sizes, out, *args)


@dataclass(frozen=True)
class Power(Binary):
    """The power a ^ b."""

    name = "power"
    function = "power"
    kinds = ("float",)

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        return self.pull(build, args, out, grad, (True, True))

    def pull(
        self,
        build: Builder,
        args: tuple[Value, ...],
        out: Value,
        grad: Value,
        wanted: Sequence[bool],
    ) -> tuple[Value | None, ...]:
        to_base = build.mul(grad, self._by_base(build, *args)) if wanted[0] else None
        if not wanted[1]:
            return to_base, None
        return to_base, build.mul(grad, self._by_exponent(build, args[0], args[1], out))

    def _by_base(self, build: Builder, a: Value, b: Value) -> Value:
        """The slope b a^(b - 1), and 0 where b is 0: a^0 is 1 everywhere."""
        exponent = build.number(b)
        if exponent is not None:
            return build.mul(b, build.power(a, exponent - 1.0)) if exponent else build.mul(b, 0.0)
        slope = build.mul(b, build.power(a, build.sub(b, 1.0)))
        return build.select(build.equal(b, 0.0), 0.0, slope)

    def _by_exponent(self, build: Builder, a: Value, b: Value, out: Value) -> Value:
        """The slope a^b log(a), and 0 where a^b is 0 for all exponents near."""
        still = build.logical_and(build.equal(a, 0.0), build.greater_equal(b, 0.0))
        return build.select(still, 0.0, build.mul(out, build.log(a)))


@dataclass(frozen=True)
class Extreme(Binary):
    """Base of maximum and minimum: of two equal arguments the first takes the whole gradient."""

    commutative = True
    finite = True
    bends = True

    def wins(self, build: Builder, a: Value, b: Value) -> Value:
        """Where the first argument is the result."""
        raise NotImplementedError

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        first = self.wins(build, *args)
        return build.select(first, grad, 0.0), build.select(first, 0.0, grad)

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        # NumPy is a third faster with the number it compares everything with in second place.
        first, second = args if any(args[0].strides) else args[::-1]
        # Of these two NumPy wants `out` by its name.
        yield partial(getattr(xp, self.function), first, second, out=out)


@dataclass(frozen=True)
class Maximum(Extreme):
    """The larger of two."""

    name = "maximum"
    function = "maximum"

    def wins(self, build: Builder, a: Value, b: Value) -> Value:
        return build.greater_equal(a, b)


@dataclass(frozen=True)
class Minimum(Extreme):
    """The smaller of two."""

    name = "minimum"
    function = "minimum"

    def wins(self, build: Builder, a: Value, b: Value) -> Value:
        return build.less_equal(a, b)
