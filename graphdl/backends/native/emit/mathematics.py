"""Functions on vectors: without branches and calls in float32, from the C library in float64.

Errors as `tests/native` finds them: exp and log 1 unit in the last place, tanh 5, erf 3e-7; where
a*b + c takes two instructions, tanh 6.5, erf 3.4e-7.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from ....program.primitives.erf import BOTTOM, TOP
from .emit import Emit

# tanh(x) = x P(x²) / Q(x²) on |x| <= 8, highest power first (the rational form of Eigen).
_TANH_P = (
    -2.76076847742355e-16,
    2.00018790482477e-13,
    -8.60467152213735e-11,
    5.12229709037114e-08,
    1.48572235717979e-05,
    6.37261928875436e-04,
    4.89352455891786e-03,
)
_TANH_Q = (1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03)
# Taylor's, on |x| <= ln(2) / 2, where the first term left out is below half a unit: 0.35^8 / 8!.
_EXP = (1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 0.5, 1.0, 1.0)
ROUND = 12582912.0  # 1.5 * 2^23: added, it leaves a float's whole part in its last bits
ROUND_BITS = 0x4B400000
# ln(2) in two parts, of which the first has few digits, so that its products with small whole
# numbers are exact (Cody and Waite, Software manual for the elementary functions, 1980).
LN2_HIGH, LN2_LOW = 0.693145751953125, 1.428606765330187e-06
# log(1 + f) from s = f / (2 + f): FreeBSD's, for sqrt(1/2) <= 1 + f < sqrt(2).
_LOG = (0.66666662693, 0.40000972152, 0.28498786688, 0.24279078841)
_SQRT_HALF = 0x3F3504F3


def exp(e: Emit, x: Any) -> Any:
    """e^x."""
    if e.precision == "float64":
        return library(e, "exp", x)
    kind, build = x.type, e.build
    whole = integers(kind)
    # Comparisons fail for what is not a number, so that it goes through.
    x = build.select(build.fcmp_ordered(">", x, e.same(kind, 89.0)), e.same(kind, 89.0), x)
    x = build.select(build.fcmp_ordered("<", x, e.same(kind, -105.0)), e.same(kind, -105.0), x)
    shifted = e.fma(x, e.same(kind, 1.4426950408889634), e.same(kind, ROUND))
    power = build.sub(build.bitcast(shifted, whole), e.same(whole, ROUND_BITS))
    count = build.fsub(shifted, e.same(kind, ROUND))
    rest = e.fma(count, e.same(kind, -LN2_HIGH), x)
    rest = e.fma(count, e.same(kind, -LN2_LOW), rest)
    value = horner(e, rest, _EXP)
    # In two factors, for results near the end of the range.
    half = build.ashr(power, e.same(whole, 1))
    for part in (half, build.sub(power, half)):
        factor = build.shl(build.add(part, e.same(whole, 127)), e.same(whole, 23))
        value = build.fmul(value, build.bitcast(factor, kind))
    return value


def log(e: Emit, x: Any) -> Any:
    """The natural logarithm (the method of FreeBSD's logf)."""
    if e.precision == "float64":
        return library(e, "log", x)
    kind, build = x.type, e.build
    whole = integers(kind)
    small = build.fcmp_ordered("<", x, e.same(kind, 1.1754943508222875e-38))
    scaled = build.select(small, build.fmul(x, e.same(kind, 33554432.0)), x)
    bits = build.add(build.bitcast(scaled, whole), e.same(whole, 0x3F800000 - _SQRT_HALF))
    power = build.sub(build.ashr(bits, e.same(whole, 23)), e.same(whole, 127))
    count = build.sitofp(power, kind)
    count = build.fsub(count, build.select(small, e.same(kind, 25.0), e.zero(kind)))
    fraction = build.add(build.and_(bits, e.same(whole, 0x007FFFFF)), e.same(whole, _SQRT_HALF))
    f = build.fsub(build.bitcast(fraction, kind), e.same(kind, 1.0))
    s = build.fdiv(f, build.fadd(f, e.same(kind, 2.0)))
    z = build.fmul(s, s)
    w = build.fmul(z, z)
    odd = build.fmul(z, e.fma(w, e.same(kind, _LOG[2]), e.same(kind, _LOG[0])))
    even = build.fmul(w, e.fma(w, e.same(kind, _LOG[3]), e.same(kind, _LOG[1])))
    half = build.fmul(e.same(kind, 0.5), build.fmul(f, f))
    value = build.fmul(s, build.fadd(half, build.fadd(odd, even)))
    value = e.fma(count, e.same(kind, 9.0580006145e-06), value)
    value = build.fadd(build.fsub(value, half), f)
    value = e.fma(count, e.same(kind, 6.9313812256e-01), value)
    infinite = e.same(kind, float("inf"))
    value = build.select(build.fcmp_ordered("==", x, infinite), infinite, value)
    value = build.select(
        build.fcmp_ordered("==", x, e.zero(kind)), e.same(kind, float("-inf")), value
    )
    below = build.fcmp_unordered("<", x, e.zero(kind))
    return build.select(below, e.same(kind, float("nan")), value)


def tanh(e: Emit, x: Any) -> Any:
    """The hyperbolic tangent."""
    if e.precision == "float64":
        return library(e, "tanh", x)
    tiny = e.build.fcmp_ordered("<", e.intrinsic("fabs", x), e.same(x.type, 0.0004))
    value = _rational(e, x, 7.99881172180175781, _TANH_P, _TANH_Q)
    return e.build.select(tiny, x, value)


def erf(e: Emit, x: Any) -> Any:
    """The error function."""
    if e.precision == "float64":
        return library(e, "erf", x)
    return _rational(e, x, 4.0, TOP, BOTTOM)


def power(e: Emit, a: Any, b: Any) -> Any:
    """a^b, by the C library."""
    return library(e, "pow", a, b)


def maximum(e: Emit, a: Any, b: Any) -> Any:
    """The larger; what is not a number wins."""
    return _extreme(e, ">", a, b)


def minimum(e: Emit, a: Any, b: Any) -> Any:
    """The smaller; what is not a number wins."""
    return _extreme(e, "<", a, b)


def _extreme(e: Emit, sign: str, a: Any, b: Any) -> Any:
    build = e.build
    if _is_whole(a.type):
        return build.select(build.icmp_signed(sign, a, b), a, b)
    # Of the two, `b` remains where either is not a number: so look at `a`.
    better = build.select(build.fcmp_ordered(sign, a, b), a, b)
    return build.select(build.fcmp_unordered("uno", a, a), a, better)


def _rational(e: Emit, x: Any, bound: float, top: Any, bottom: Any) -> Any:
    kind, build = x.type, e.build
    clipped = build.select(build.fcmp_ordered(">", x, e.same(kind, bound)), e.same(kind, bound), x)
    low = build.fcmp_ordered("<", clipped, e.same(kind, -bound))
    clipped = build.select(low, e.same(kind, -bound), clipped)
    square = build.fmul(clipped, clipped)
    value = build.fmul(clipped, horner(e, square, top))
    return build.fdiv(value, horner(e, square, bottom))


def horner(e: Emit, x: Any, coefficients: tuple[float, ...]) -> Any:
    """A polynomial of x, highest power first."""
    value = e.same(x.type, coefficients[0])
    for coefficient in coefficients[1:]:
        value = e.fma(value, x, e.same(x.type, coefficient))
    return value


def library(e: Emit, name: str, *args: Any) -> Any:
    """A function of the C library, in each lane."""
    name, element = (name, e.real) if e.precision == "float64" else (f"{name}f", e.real)
    first, *rest = args
    return e.lanes(first, lambda *parts: e.call(name, element, *parts), *rest)


def integers(kind: Any) -> Any:
    """Whole numbers of 32 bits, as many as `kind` has floats."""
    return ir.VectorType(ir.IntType(32), kind.count) if _is_vector(kind) else ir.IntType(32)


def _is_vector(kind: Any) -> bool:
    return isinstance(kind, ir.VectorType)


def _is_whole(kind: Any) -> bool:
    element = kind.element if _is_vector(kind) else kind
    return isinstance(element, ir.IntType)
