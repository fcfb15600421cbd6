"""Pointwise comparisons, logic, and the choice between two values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar

from ..primitive import Array, Call, Primitive, Scratch, ShapeError
from ..program import Kind, Type, Value
from .binary import Binary

if TYPE_CHECKING:
    from ..builder import Builder


@dataclass(frozen=True)
class Comparison(Binary):
    """Base: two arguments of one type, a bool out."""

    kinds: ClassVar[tuple[Kind, ...]] = ("float", "int", "bool")
    finite = True
    jumps = True

    def infer(self, *types: Type) -> Type:
        return Type(super().infer(*types).shape, "bool")


@dataclass(frozen=True)
class Equal(Comparison):
    """Whether a == b."""

    name = "equal"
    function = "equal"
    commutative = True


@dataclass(frozen=True)
class NotEqual(Comparison):
    """Whether a != b."""

    name = "not_equal"
    function = "not_equal"
    commutative = True


@dataclass(frozen=True)
class Less(Comparison):
    """Whether a < b."""

    name = "less"
    function = "less"


@dataclass(frozen=True)
class LessEqual(Comparison):
    """Whether a <= b."""

    name = "less_equal"
    function = "less_equal"


@dataclass(frozen=True)
class Greater(Comparison):
    """Whether a > b."""

    name = "greater"
    function = "greater"


@dataclass(frozen=True)
class GreaterEqual(Comparison):
    """Whether a >= b."""

    name = "greater_equal"
    function = "greater_equal"


@dataclass(frozen=True)
class LogicalAnd(Comparison):
    """Both."""

    name = "logical_and"
    function = "logical_and"
    kinds = ("bool",)
    commutative = True


@dataclass(frozen=True)
class LogicalOr(Comparison):
    """Either."""

    name = "logical_or"
    function = "logical_or"
    kinds = ("bool",)
    commutative = True


@dataclass(frozen=True)
class Select(Primitive):
    """`a` where the condition holds, else `b`."""

    name = "select"
    pointwise = True
    finite = True

    def infer(self, *types: Type) -> Type:
        condition, a, b = types
        if a != b or condition != Type(a.shape, "bool"):
            raise ShapeError(f"select cannot choose by {condition} between {a} and {b}")
        return a

    def vjp(
        self, build: Builder, args: tuple[Value, ...], out: Value, grad: Value
    ) -> tuple[Value | None, ...]:
        condition = args[0]
        return None, build.select(condition, grad, 0.0), build.select(condition, 0.0, grad)

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        # On the bits: b ^ ((a ^ b) & mask). A copy `where` a condition branches at every element.
        condition = args[0]
        kind: Kind = "bool" if out.dtype == bool else "float" if out.dtype.kind == "f" else "int"
        bits = f"i{out.dtype.itemsize}"
        a, b, result = (x.view(bits) for x in (*args[1:], out))
        mask, part = (scratch(out.shape, kind).view(bits) for _ in range(2))
        yield partial(xp.copyto, mask, condition)
        yield partial(xp.bitwise_xor, a, b, part)
        yield partial(xp.multiply, part, mask, part)
        yield partial(xp.bitwise_xor, part, b, result)
