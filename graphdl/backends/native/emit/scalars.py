"""What each pointwise primitive does to numbers in registers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir

from ....program import Kind
from . import mathematics, tails
from .emit import Emit
from .function import WORD

Write = Callable[..., Any]


def has_scalar(name: str) -> bool:
    """Whether a pointwise primitive can be done in registers; where not, NumPy does it."""
    return name == "cast" or name in TABLE


def apply(e: Emit, name: str, kind: Kind, args: list[Any]) -> Any:
    """The result of the primitive `name`, `kind` being that of the result."""
    if name == "cast":
        return _cast(e, kind, args[0])
    return TABLE[name](e, *args)


def _cast(e: Emit, kind: Kind, x: Any) -> Any:
    build, source = e.build, _element(x.type)
    width = x.type.count if isinstance(x.type, ir.VectorType) else 1
    target = e.vector({"float": e.real, "int": WORD, "bool": ir.IntType(1)}[kind], width)
    whole = isinstance(source, ir.IntType)
    if x.type == target:
        return x
    if kind == "bool":
        zero = e.zero(x.type)
        return build.icmp_unsigned("!=", x, zero) if whole else build.fcmp_unordered("!=", x, zero)
    if not whole:
        return build.fptosi(x, target)
    if source.width == 1:
        return build.zext(x, target) if kind == "int" else build.uitofp(x, target)
    return build.sitofp(x, target)


def _element(kind: Any) -> Any:
    return kind.element if isinstance(kind, ir.VectorType) else kind


def _whole(x: Any) -> bool:
    return isinstance(_element(x.type), ir.IntType)


def _binary(float_name: str, int_name: str) -> Write:
    def write(e: Emit, a: Any, b: Any) -> Any:
        return getattr(e.build, int_name if _whole(a) else float_name)(a, b)

    return write


def _compare(sign: str) -> Write:
    def write(e: Emit, a: Any, b: Any) -> Any:
        if not _whole(a):
            # Only "not equal" holds for what is not a number.
            compare = e.build.fcmp_unordered if sign == "!=" else e.build.fcmp_ordered
            return compare(sign, a, b)
        bits = _element(a.type).width == 1
        return (e.build.icmp_unsigned if bits else e.build.icmp_signed)(sign, a, b)

    return write


def _neg(e: Emit, x: Any) -> Any:
    return e.build.sub(e.zero(x.type), x) if _whole(x) else e.build.fneg(x)


def _abs(e: Emit, x: Any) -> Any:
    if not _whole(x):
        return e.intrinsic("fabs", x)
    return e.build.select(e.build.icmp_signed("<", x, e.zero(x.type)), _neg(e, x), x)


def _sign(e: Emit, x: Any) -> Any:
    build, zero = e.build, e.zero(x.type)
    one, minus = e.same(x.type, 1), e.same(x.type, -1)
    if _whole(x):
        above = build.select(build.icmp_signed(">", x, zero), one, zero)
        return build.select(build.icmp_signed("<", x, zero), minus, above)
    value = build.select(build.fcmp_ordered(">", x, zero), one, zero)
    value = build.select(build.fcmp_ordered("<", x, zero), minus, value)
    return build.select(build.fcmp_unordered("uno", x, x), x, value)


def _floordiv(e: Emit, a: Any, b: Any) -> Any:
    return _divided(e, a, b)[0]


def _mod(e: Emit, a: Any, b: Any) -> Any:
    return _divided(e, a, b)[1]


def _divided(e: Emit, a: Any, b: Any) -> tuple[Any, Any]:
    """Quotient rounded down and remainder with the sign of `b`, as NumPy has them."""
    build, zero = e.build, e.zero(a.type)
    if _whole(a):
        return _divided_whole(e, a, b)
    one = e.same(a.type, 1.0)
    rest = e.lanes(a, lambda x, y: e.call(_fmod(e), e.real, x, y), b)
    apart = build.and_(
        build.fcmp_unordered("!=", rest, zero),
        build.xor(build.fcmp_ordered("<", rest, zero), build.fcmp_ordered("<", b, zero)),
    )
    quotient = build.fdiv(build.fsub(a, rest), b)
    quotient = build.select(apart, build.fsub(quotient, one), quotient)
    whole = e.intrinsic("floor", quotient)
    short = build.fcmp_ordered(">", build.fsub(quotient, whole), e.same(a.type, 0.5))
    whole = build.select(short, build.fadd(whole, one), whole)
    off = build.fcmp_ordered("==", b, zero)
    rest = build.select(apart, build.fadd(rest, b), rest)
    even = build.fcmp_ordered("==", rest, zero)
    rest = build.select(even, e.intrinsic("copysign", zero, b), rest)
    return build.select(off, build.fdiv(a, b), whole), rest


def _fmod(e: Emit) -> str:
    return "fmod" if e.precision == "float64" else "fmodf"


def _divided_whole(e: Emit, a: Any, b: Any) -> tuple[Any, Any]:
    build, zero, one = e.build, e.zero(a.type), e.same(a.type, 1)
    nothing = build.icmp_signed("==", b, zero)
    minus = build.icmp_signed("==", b, e.same(a.type, -1))
    # The processor stops at a division by zero, and at the least number divided by -1.
    safe = build.select(build.or_(nothing, minus), one, b)
    quotient, rest = build.sdiv(a, safe), build.srem(a, safe)
    apart = build.and_(
        build.icmp_signed("!=", rest, zero),
        build.xor(build.icmp_signed("<", rest, zero), build.icmp_signed("<", safe, zero)),
    )
    quotient = build.select(apart, build.sub(quotient, one), quotient)
    rest = build.select(apart, build.add(rest, safe), rest)
    quotient = build.select(minus, build.sub(zero, a), quotient)
    return build.select(nothing, zero, quotient), build.select(nothing, zero, rest)


def _select(e: Emit, condition: Any, a: Any, b: Any) -> Any:
    return e.build.select(condition, a, b)


TABLE: dict[str, Write] = {
    "neg": _neg,
    "exp": mathematics.exp,
    "log": mathematics.log,
    "sqrt": lambda e, x: e.intrinsic("sqrt", x),
    "abs": _abs,
    "sign": _sign,
    "floor": lambda e, x: e.intrinsic("floor", x),
    "tanh": mathematics.tanh,
    "erf": mathematics.erf,
    "expm1": tails.expm1,
    "log1p": tails.log1p,
    "sigmoid": tails.sigmoid,
    "softplus": tails.softplus,
    "normal_cdf": tails.normal_cdf,
    "logical_not": lambda e, x: e.build.not_(x),
    "copy": lambda _, x: x,
    "add": _binary("fadd", "add"),
    "sub": _binary("fsub", "sub"),
    "mul": _binary("fmul", "mul"),
    "div": _binary("fdiv", "sdiv"),
    "floordiv": _floordiv,
    "mod": _mod,
    "power": mathematics.power,
    "maximum": mathematics.maximum,
    "minimum": mathematics.minimum,
    "equal": _compare("=="),
    "not_equal": _compare("!="),
    "less": _compare("<"),
    "less_equal": _compare("<="),
    "greater": _compare(">"),
    "greater_equal": _compare(">="),
    "logical_and": lambda e, a, b: e.build.and_(a, b),
    "logical_or": lambda e, a, b: e.build.or_(a, b),
    "select": _select,
}
