"""Random numbers: NumPy's Philox stream, to the last bit."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from ..compile.library import writer
from ..emit.emit import Emit
from ..emit.function import WORD
from ..emit.runtime_sizes import Argument, Number
from .call import Call, Making
from .operand import Operand

# Philox 4x64 with its constants (Salmon and others, Parallel random numbers: as easy as 1, 2, 3,
# 2011): number n of a stream follows from n alone, so that threads can begin anywhere.
ROUNDS = 10
_MULTIPLIERS = 0xD2E7470EE14C6C93, 0xCA5A826395121157
_WEYL = 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
_BLOCK = 8  # numbers from one counter

Spec = tuple[Argument, Argument, Argument, Number, int]


def random(out: Operand, seed: Operand, draw: Operand, node: int, precision: str) -> list[Call]:
    """The call that fills `out`, which lies in order, from the stream (seed, draw, node)."""
    if not out.count:
        return []
    making = Making()
    spec: Spec = (
        making.operand(out),
        making.operand(seed),
        making.operand(draw),
        making.of(out.count),
        node % 2**64,
    )
    return [making.call("random", spec, precision, out.count * 2)]


@writer("random")
def _write(e: Emit, spec: Spec) -> None:
    out, seed, draw = (e.address(place) for place in spec[:3])
    count, node = e.number(spec[3]), ir.Constant(WORD, spec[4])
    keys = e.load(seed, 0, "int"), node
    turn = e.load(draw, 0, "int")
    start, stop = e.share(count, _BLOCK)
    with e.loop(start, stop, _BLOCK) as place:
        block = e.add(e.div(place, _BLOCK), 1)
        words = _philox(e, [block, turn, e.number(0), e.number(0)], keys)
        numbers = [number for word in words for number in _halves(e, word)]
        whole = e.build.icmp_signed("<=", e.add(place, _BLOCK), count)
        with e.build.if_else(whole) as (all_of_them, some):
            with all_of_them:
                for lane, number in enumerate(numbers):
                    e.store(number, out, e.add(place, lane), "float")
            with some:
                for lane, number in enumerate(numbers):
                    at = e.add(place, lane)
                    with e.when(e.build.icmp_signed("<", at, count)):
                        e.store(number, out, at, "float")


def _philox(e: Emit, counter: list[Any], keys: tuple[Any, Any]) -> list[Any]:
    build = e.build
    wide = ir.IntType(128)
    first, second = keys
    for turn in range(ROUNDS):
        if turn:
            first = build.add(first, ir.Constant(WORD, _WEYL[0]))
            second = build.add(second, ir.Constant(WORD, _WEYL[1]))
        halves = []
        for word, multiplier in zip((counter[0], counter[2]), _MULTIPLIERS, strict=True):
            whole = build.mul(build.zext(word, wide), ir.Constant(wide, multiplier))
            halves.append(
                (
                    build.trunc(build.lshr(whole, ir.Constant(wide, 64)), WORD),
                    build.trunc(whole, WORD),
                )
            )
        (high0, low0), (high1, low1) = halves
        counter = [
            build.xor(build.xor(high1, counter[1]), first),
            low1,
            build.xor(build.xor(high0, counter[3]), second),
            low0,
        ]
    return counter


def _halves(e: Emit, word: Any) -> list[Any]:
    """The top 24 bits of each half as numbers below 1, the low half first."""
    build, half = e.build, ir.IntType(32)
    parts = [build.trunc(word, half), build.trunc(build.lshr(word, ir.Constant(WORD, 32)), half)]
    tops = [build.lshr(part, ir.Constant(half, 8)) for part in parts]
    return [build.fmul(build.uitofp(top, e.real), ir.Constant(e.real, 2.0**-24)) for top in tops]
