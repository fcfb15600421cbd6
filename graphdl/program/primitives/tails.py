"""Functions whose plain formulas cancel or overflow: precise near 0 and far out.

None of them is a word of the language. `stable.py` finds their formulas where these are written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import pi, sqrt
from types import ModuleType
from typing import TYPE_CHECKING

from ..primitive import Array, Call, Scratch
from ..program import Value
from .normal_cdf import normal_cdf_calls
from .unary import Unary

if TYPE_CHECKING:
    from ..builder import Builder


@dataclass(frozen=True)
class Expm1(Unary):
    """exp(x) - 1."""

    name = "expm1"
    function = "expm1"

    def slope(self, build: Builder, x: Value, y: Value, grad: Value) -> Value:
        # Not y + 1, which is 0 long before the exponential is.
        return build.mul(grad, build.exp(x))


@dataclass(frozen=True)
class Log1p(Unary):
    """log(1 + x)."""

    name = "log1p"
    function = "log1p"

    def slope(self, build: Builder, x: Value, y: Value, grad: Value) -> Value:
        return build.div(grad, build.add(x, 1.0))


@dataclass(frozen=True)
class Sigmoid(Unary):
    """1 / (1 + exp(-x)), as small as the numbers go."""

    name = "sigmoid"
    finite = True
    not_negative = True

    def slope(self, build: Builder, x: Value, y: Value, grad: Value) -> Value:
        # The slope is y (1 - y), so only y is kept.
        return build.mul(grad, build.mul(y, build.sub(1.0, y)))

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        # With t = exp(-x / 2): 1/t as a share of 1/t + t, neither of which is ever too large. From
        # 100 on it is 1.
        t = scratch(out.shape, "float")
        yield partial(xp.minimum, args[0], 100.0, out=t)
        yield partial(xp.multiply, t, -0.5, t)
        yield partial(xp.exp, t, t)
        yield partial(xp.divide, 1.0, t, out)
        yield partial(xp.add, t, out, t)
        yield partial(xp.divide, out, t, out)


@dataclass(frozen=True)
class Softplus(Unary):
    """log(1 + exp(x))."""

    name = "softplus"
    finite = True
    not_negative = True

    def slope(self, build: Builder, x: Value, y: Value, grad: Value) -> Value:
        return build.mul(grad, build.sigmoid(x))

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        e = scratch(out.shape, "float")
        yield partial(xp.absolute, args[0], e)
        yield partial(xp.negative, e, e)
        yield partial(xp.exp, e, e)
        yield partial(xp.log1p, e, e)
        yield partial(xp.maximum, args[0], 0.0, out=out)
        yield partial(xp.add, out, e, out)


@dataclass(frozen=True)
class NormalCdf(Unary):
    """The share of the standard normal distribution below x, (1 + erf(x / sqrt(2))) / 2."""

    name = "normal_cdf"
    finite = True
    not_negative = True

    def slope(self, build: Builder, x: Value, y: Value, grad: Value) -> Value:
        bell = build.exp(build.mul(build.mul(x, x), -0.5))
        return build.mul(grad, build.mul(bell, 1 / sqrt(2 * pi)))

    def kernel(
        self, xp: ModuleType, scratch: Scratch, sizes: dict[str, int], out: Array, *args: Array
    ) -> Iterator[Call]:
        return normal_cdf_calls(xp, scratch, out, args[0])
