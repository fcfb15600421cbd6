"""Looking at what a step is about to write: whether its loss is finite, and no gradient too large.

What is too large leaves a mark; the last call, which looks at the loss, says whether to stop, and
takes the mark away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from llvmlite import ir

from ...watch import LIMIT
from ..compile.library import writer
from ..emit.emit import Emit
from ..emit.function import WORD
from ..emit.runtime_sizes import Argument, Number
from ..kernels.call import Call, Making
from ..kernels.operand import Operand, merged
from ..kernels.pointwise import each_vector


@dataclass(frozen=True, slots=True)
class Bound:
    """Numbers that must be below the limit; below its square where they are sums of squares."""

    place: Argument
    extents: tuple[Number, ...]
    strides: tuple[Number, ...]
    squared: bool


def bounded(operands: Sequence[tuple[Operand, bool]], mark: int, precision: str) -> list[Call]:
    """The call that leaves a mark where a number is too large or none; squares may be larger."""
    making, work = Making(), 0
    bounds = []
    for operand, squared in operands:
        if operand.count:
            extents, (strides,) = merged(operand.extents, [operand.strides])
            place = making.operand(operand)
            bounds.append(Bound(place, making.all(extents), making.all(strides), squared))
            work += operand.count // 8
    if not bounds:
        return []
    spec = (tuple(bounds), making.address(mark))
    return [making.call("bounded", spec, precision, work)]


def judged(value: Operand, verdict: int, precision: str) -> Call:
    """The call that says whether a value is finite and there is no mark."""
    making = Making()
    spec = (
        making.operand(value),
        making.all(value.extents),
        making.all(value.strides),
        making.address(verdict),
        making.address(verdict + 8),
    )
    return making.call("judged", spec, precision, 1, alone=True)


@writer("bounded")
def _write_bounded(e: Emit, spec: tuple[tuple[Bound, ...], Argument]) -> None:
    bounds, mark = spec
    bits, limit = ir.IntType(8 * e.bytes), LIMIT[e.precision]
    # The largest in vectors, by their width, and the sum of the squares of single numbers, which
    # stay in the registers they are in.
    most: dict[int, Any] = {}
    total = e.zeroed(e.real)

    def note(bound: Bound, places: Sequence[Any], width: int) -> None:
        stride = bound.strides[-1] if bound.strides else 1
        offset = e.offset(places, bound.strides)
        value = e.load(e.address(bound.place), offset, "float", width, stride)
        if width == 1:
            other = e.same(e.real, 1) if bound.squared else value
            total.set(e.fma(value, other, total.get()))
            return
        # Without their sign, the bits of floats are in the order of the floats, and what is no
        # number comes after the infinite.
        kind = e.vector(bits, width)
        size = e.build.and_(e.build.bitcast(value, kind), e.same(kind, 2 ** (8 * e.bytes - 1) - 1))
        if width not in most:
            most[width] = e.zeroed(kind)
        most[width].set(larger(most[width].get(), size))

    def larger(a: Any, b: Any) -> Any:
        return e.build.select(e.build.icmp_unsigned(">", a, b), a, b)

    for bound in bounds:
        each_vector(e, bound.extents, lambda p, w, b=bound: note(b, p, w))
    # Whether it is not below, which holds for what is no number.
    bad = e.build.fcmp_unordered(">=", total.get(), e.same(e.real, limit**2))
    least = ir.Constant(bits, int(np.array(limit, e.precision).view(f"u{e.bytes}")))
    for found in most.values():
        whole = e.across(found.get(), larger)
        bad = e.build.or_(bad, e.build.icmp_unsigned(">=", whole, least))
    with e.when(bad):
        e.store(e.number(1), e.address(mark), 0, "int")


@writer("judged")
def _write_judged(
    e: Emit, spec: tuple[Argument, tuple[Number, ...], tuple[Number, ...], Argument, Argument]
) -> None:
    base, verdict, mark = e.address(spec[0]), e.address(spec[3]), e.address(spec[4])
    bad = e.variable(WORD, e.load(mark, 0, "int"))
    infinite = e.same(e.real, float("inf"))
    with e.nest(spec[1]) as places:
        value = e.intrinsic("fabs", e.load(base, e.offset(places, spec[2]), "float"))
        odd = e.build.fcmp_unordered("==", value, infinite)
        bad.set(e.build.or_(bad.get(), e.build.zext(odd, WORD)))
    e.store(bad.get(), verdict, 0, "int")
    e.store(e.number(0), mark, 0, "int")
