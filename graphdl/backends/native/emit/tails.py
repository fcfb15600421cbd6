"""What keeps its relative precision near 0 and far out, on vectors, out of `mathematics`."""

from __future__ import annotations

from typing import Any

from ....program.primitives.normal_cdf import FAR, HALF, RATIO
from .emit import Emit
from .mathematics import (
    LN2_HIGH,
    LN2_LOW,
    ROUND,
    ROUND_BITS,
    exp,
    horner,
    integers,
    library,
    log,
    maximum,
)

_EXPM1 = (1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 0.5)


def expm1(e: Emit, x: Any) -> Any:
    """e^x - 1."""
    if e.precision == "float64":
        return library(e, "expm1", x)
    kind, build = x.type, e.build
    whole = integers(kind)
    # Below -18 it is -1. Comparisons fail for what is not a number, so that it goes through.
    x = build.select(build.fcmp_ordered(">", x, e.same(kind, 89.0)), e.same(kind, 89.0), x)
    x = build.select(build.fcmp_ordered("<", x, e.same(kind, -18.0)), e.same(kind, -18.0), x)
    shifted = e.fma(x, e.same(kind, 1.4426950408889634), e.same(kind, ROUND))
    power = build.sub(build.bitcast(shifted, whole), e.same(whole, ROUND_BITS))
    count = build.fsub(shifted, e.same(kind, ROUND))
    rest = e.fma(count, e.same(kind, -LN2_HIGH), x)
    rest = e.fma(count, e.same(kind, -LN2_LOW), rest)
    square = build.fmul(rest, rest)
    small = e.fma(horner(e, rest, _EXPM1), square, rest)
    # 2^n small + (2^n - 1), at half the size: 2^128 is too large a number.
    factor = build.shl(build.add(power, e.same(whole, 126)), e.same(whole, 23))
    factor = build.bitcast(factor, kind)
    value = e.fma(factor, small, build.fsub(factor, e.same(kind, 0.5)))
    value = build.fadd(value, value)
    # So that -0 stays what it is, and the smallest numbers.
    near = build.fcmp_ordered("<", e.intrinsic("fabs", x), e.same(kind, 1e-8))
    return build.select(near, x, value)


def log1p(e: Emit, x: Any) -> Any:
    """log(1 + x): what rounding takes from 1 + x is given back."""
    if e.precision == "float64":
        return library(e, "log1p", x)
    kind, build = x.type, e.build
    one = e.same(kind, 1.0)
    above = build.fadd(x, one)
    value = log(e, above)
    lost = build.fdiv(build.fsub(x, build.fsub(above, one)), above)
    proper = build.and_(
        build.fcmp_ordered(">", above, e.zero(kind)),
        build.fcmp_ordered("<", above, e.same(kind, float("inf"))),
    )
    return build.select(proper, build.fadd(value, lost), value)


def sigmoid(e: Emit, x: Any) -> Any:
    """1 / (1 + e^-x)."""
    build, one = e.build, e.same(x.type, 1.0)
    small = _faded(e, x)
    top = build.select(build.fcmp_ordered(">=", x, e.zero(x.type)), one, small)
    return build.fdiv(top, build.fadd(one, small))


def softplus(e: Emit, x: Any) -> Any:
    """log(1 + e^x)."""
    return e.build.fadd(maximum(e, x, e.zero(x.type)), log1p(e, _faded(e, x)))


def _faded(e: Emit, x: Any) -> Any:
    return exp(e, e.build.fneg(e.intrinsic("fabs", x)))


def normal_cdf(e: Emit, x: Any) -> Any:
    """The share of the standard normal distribution below x."""
    kind, build = x.type, e.build
    if e.precision == "float64":
        scaled = build.fmul(x, e.same(kind, -(0.5**0.5)))
        return build.fmul(library(e, "erfc", scaled), e.same(kind, 0.5))
    far = e.same(kind, FAR[4])
    z = e.intrinsic("fabs", x)
    z = build.select(build.fcmp_ordered(">", z, far), far, z)
    t = build.fdiv(e.same(kind, 1.0), e.fma(z, e.same(kind, 0.25), e.same(kind, 1.0)))
    tail = build.fmul(build.fmul(horner(e, t, RATIO), t), _bell(e, z))
    above = build.fcmp_ordered(">", x, e.zero(kind))
    return build.select(above, build.fsub(e.same(kind, 1.0), tail), tail)


def _bell(e: Emit, z: Any) -> Any:
    """exp(-z² / 2), to which what rounding takes from the square is given back."""
    kind, build = z.type, e.build
    half = e.same(kind, -0.5)
    square = build.fmul(z, z)
    scaled = build.fmul(z, e.same(kind, HALF[4]))
    high = build.fsub(scaled, build.fsub(scaled, z))
    low = build.fsub(z, high)
    lost = build.fsub(build.fmul(high, high), square)
    cross = build.fmul(high, low)
    lost = build.fadd(build.fadd(lost, build.fadd(cross, cross)), build.fmul(low, low))
    value = exp(e, build.fmul(square, half))
    return build.fmul(value, e.fma(lost, half, e.same(kind, 1.0)))
