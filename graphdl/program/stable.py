"""Formulas that cancel or overflow where others do not: found as they are written, and replaced.

This is done before differentiation, so that gradients are those of the better formula. A user's
own `1 / (1 + exp(-x))` is the sigmoid, and `log(p)` of what came from one is -softplus, however p
was named, picked or reshaped in between.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .logarithm import alike, logarithm, minus, parts
from .primitive import Primitive
from .program import Value

if TYPE_CHECKING:
    from .builder import Builder


def better(build: Builder, primitive: Primitive, values: Sequence[Value]) -> Value | None:
    """The same number by a formula that keeps its digits, or None where the plain one does."""
    match primitive.name, values:
        case "log", (x,):
            return logarithm(build, x) or _log(build, x)
        case "sub", (a, b):
            return _sub(build, a, b) or _halves(build, a, b, -1)
        case "add", (a, b):
            return _add(build, a, b) or _add(build, b, a)
        case "mul", (a, b):
            return _mul(build, a, b) or _mul(build, b, a)
        case "div", (a, b):
            return _mul(build, b, a, 0.5) if build.number(b) == 2 else _div(build, a, b)
    return None


def _log(build: Builder, x: Value) -> Value | None:
    """log(1 + v) and log(1 - v) of a v that may be small."""
    for one, v in _both_ways(parts(build, x, "add")):
        if build.number(one) == 1:
            return build.log1p(v)
    difference = parts(build, x, "sub")
    if difference and build.number(difference[0]) == 1:
        return build.log1p(build.neg(difference[1]))
    return None


def _sub(build: Builder, a: Value, b: Value) -> Value | None:
    """exp(u) - 1 and 1 - exp(u), also of the power of a number."""
    if build.number(b) == 1 and (exponent := _exponent(build, a)):
        return build.expm1(exponent)
    if build.number(a) == 1 and (exponent := _exponent(build, b)):
        return build.neg(build.expm1(exponent))
    return None


def _exponent(build: Builder, x: Value) -> Value | None:
    """What e is raised to in exp(u) and c^v."""
    if power := parts(build, x, "power"):
        base = build.number(power[0])
        return build.mul(power[1], math.log(base)) if base is not None and base > 0 else None
    return next(iter(parts(build, x, "exp")), None)


def _add(build: Builder, a: Value, b: Value) -> Value | None:
    if build.number(b) == -1 and (exponent := _exponent(build, a)):
        return build.expm1(exponent)
    return _halves(build, a, b, 1)


def _halves(build: Builder, half: Value, b: Value, sign: int) -> Value | None:
    """1/2 + tanh(v) / 2, and the same with erf and with a minus."""
    if build.number(half) != 0.5:
        return None
    inner = _halved(build, b)
    return None if inner is None else _share(build, inner, sign)


def _mul(build: Builder, a: Value, b: Value, known: float | None = None) -> Value | None:
    """x/2 (1 + tanh(v)) and x/2 (1 + erf(v)); `a` counts as the number `known` where that is."""
    if (build.number(a) if known is None else known) == 0.5:
        share = _half(build, b)
        for x, factor in () if share else _both_ways(parts(build, b, "mul")):
            if found := _half(build, factor):
                return build.mul(x, found)
        return share
    whole = _halved(build, a)
    share = None if whole is None else _half(build, b)
    return None if whole is None or share is None else build.mul(whole, share)


def _half(build: Builder, x: Value) -> Value | None:
    """Half of 1 ± tanh(v) or 1 ± erf(v)."""
    for one, inner in _both_ways(parts(build, x, "add")):
        if build.number(one) == 1 and (share := _share(build, inner, 1)):
            return share
    difference = parts(build, x, "sub")
    if difference and build.number(difference[0]) == 1:
        return _share(build, difference[1], -1)
    return None


def _share(build: Builder, x: Value, sign: int) -> Value | None:
    """(1 ± tanh(v)) / 2 is a sigmoid, (1 ± erf(v)) / 2 a share of the normal distribution."""
    if inner := parts(build, x, "tanh"):
        v = _halved(build, inner[0]) or build.mul(inner[0], 2.0)
        return build.sigmoid(v if sign > 0 else minus(build, v))
    if inner := parts(build, x, "erf"):
        v = _scaled(build, inner[0], math.sqrt(0.5)) or build.mul(inner[0], math.sqrt(2))
        return build.normal_cdf(v if sign > 0 else minus(build, v))
    return None


def _div(build: Builder, a: Value, b: Value) -> Value | None:
    """Of a / (1 + exp(u)), exp(u) as a share of exp(u) + exp(v), and the like for tanh."""
    own = parts(build, a, "exp")
    for one, other in _both_ways(parts(build, b, "add")):
        exponent = parts(build, other, "exp")
        if not exponent:
            continue
        if build.number(one) == 1:
            if own and alike(build, own[0], exponent[0]):
                return build.sigmoid(own[0])
            if (tangent := _tangent(build, a, exponent[0])) is not None:
                return tangent
            share = build.sigmoid(minus(build, exponent[0]))
            return share if build.number(a) == 1 else build.mul(a, share)
        first = parts(build, one, "exp")
        if own and first and alike(build, own[0], first[0]):
            return build.sigmoid(build.sub(own[0], exponent[0]))
        gap = [arg for part in parts(build, a, "sub") for arg in parts(build, part, "exp")]
        if first and len(gap) == 2 and _are(build, gap, (first[0], exponent[0])):
            return build.tanh(build.mul(build.sub(*gap), 0.5))
    return None


def _tangent(build: Builder, a: Value, u: Value) -> Value | None:
    """(exp(u) - 1) / (1 + exp(u)), and the same with a minus."""
    turned = parts(build, a, "neg")
    risen = parts(build, turned[0] if turned else a, "expm1")
    if not risen or not alike(build, risen[0], u):
        return None
    half = build.tanh(build.mul(u, 0.5))
    return build.neg(half) if turned else half


def _are(build: Builder, pair: Sequence[Value], wanted: Sequence[Value]) -> bool:
    """Whether two values are these two, in this order."""
    return all(alike(build, one, other) for one, other in zip(pair, wanted, strict=True))


def _halved(build: Builder, x: Value) -> Value | None:
    """What is halved."""
    return _scaled(build, x, 0.5)


def _scaled(build: Builder, x: Value, factor: float) -> Value | None:
    """What is multiplied by a factor, however that is written."""
    for number, v in _both_ways(parts(build, x, "mul")):
        found = build.number(number)
        if found is not None and math.isclose(found, factor, rel_tol=1e-7):
            return v
    quotient = parts(build, x, "div")
    divisor = build.number(quotient[1]) if quotient else None
    if divisor is not None and math.isclose(divisor * factor, 1, rel_tol=1e-7):
        return quotient[0]
    return None


def _both_ways(pair: tuple[Value, ...]) -> tuple[tuple[Value, Value], ...]:
    return ((pair[0], pair[1]), (pair[1], pair[0])) if pair else ()
