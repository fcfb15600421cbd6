"""Many small calls as one kernel, in which they can keep their numbers in registers.

A call through the table costs a few nanoseconds, and a step of a very small model is little else.
Addresses become distances within blocks of memory, so that LLVM sees which call reads what another
wrote. Nothing lets it reorder arithmetic, so results are the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from llvmlite import ir

from ....program import Array
from ..compile.library import WRITERS, writer
from ..emit.emit import Emit
from ..emit.function import Place
from ..emit.runtime_sizes import Argument
from ..kernels.call import Call, Making
from ..kernels.operand import address_of

FAMILY = "chain"
# Vector instructions of a call, on average, up to which its turn in the table, which takes 10 ns,
# weighs as much as its work: two or three of them are done in a nanosecond.
SMALL_WORK = 64
# Calls of a chain. LLVM's time grows with their square: chains of 100, 200 and 400 `tanh` took 0.9,
# 2.6 and 11 s, and were 2.2 to 2.5 times as fast as their tables.
MOST_LINKS = 200


@dataclass(frozen=True, slots=True)
class Link:
    """One of the calls, and what it is given; `stops` is where it says that something is wrong."""

    family: str
    spec: object
    given: tuple[Place, ...]
    stops: Place | None


@dataclass(frozen=True, slots=True)
class Chain:
    """The calls in turn; `blocks` are addresses of memory that does not overlap."""

    blocks: tuple[Argument, ...]
    links: tuple[Link, ...]


def chained(
    calls: Sequence[Call], guard: Call | None, verdict: Array, memory: Iterable[Array]
) -> Call | None:
    """One call for all of them; None where they are better called one by one."""
    few = 1 < len(calls) <= MOST_LINKS and sum(call.work for call in calls) <= SMALL_WORK * len(
        calls
    )
    if not few or any(call.parallel or call.varies for call in calls):
        return None
    blocks = _Blocks(memory)
    if blocks.overlap:
        return None
    found = [blocks.places(call) for call in calls]
    if any(places is None for places in found):
        return None
    bad = blocks.place(address_of(verdict))
    making = Making()
    order = [making.address(address) for address in blocks.settle()]
    links = tuple(
        Link(
            call.kernel.family,
            call.kernel.spec,
            tuple(blocks.settled(place) for place in places or ()),
            blocks.settled(bad) if call is guard and bad is not None else None,
        )
        for call, places in zip(calls, found, strict=True)
    )
    making.nbytes = sum(call.nbytes for call in calls)
    work, flops = sum(call.work for call in calls), sum(call.flops for call in calls)
    precision = calls[0].kernel.precision
    return making.call(FAMILY, Chain(tuple(order), links), precision, work, True, flops)


class _Blocks:
    """Stretches of memory, each with the lowest address in it that is used."""

    def __init__(self, memory: Iterable[Array]) -> None:
        roots = {address_of(root): int(root.nbytes) for root in map(_root, memory)}
        self.starts = sorted(roots)
        self.ends = [start + roots[start] for start in self.starts]
        self.overlap = any(
            end > start for end, start in zip(self.ends, self.starts[1:], strict=False)
        )
        self.lowest: dict[int, int] = {}
        self.numbers: dict[int, int] = {}

    def place(self, address: int) -> Place | None:
        """The block of an address, and the address."""
        number = int(np.searchsorted(self.starts, address, side="right")) - 1
        if number < 0 or address > self.ends[number]:
            return None
        self.lowest[number] = min(self.lowest.get(number, address), address)
        return Place(number, address)

    def places(self, call: Call) -> list[Place] | None:
        """What a call is given: addresses as places in blocks, numbers as they are."""
        found = []
        for number, value in enumerate(call.numbers):
            place = self.place(value) if number in call.places else Place(None, value)
            if place is None:
                return None
            found.append(place)
        return found

    def settle(self) -> list[int]:
        """The lowest address of each block that is used, in the order of their first use."""
        self.numbers = {old: new for new, old in enumerate(self.lowest)}
        return list(self.lowest.values())

    def settled(self, place: Place) -> Place:
        """The place as a distance from the lowest one of its block."""
        if place.block is None:
            return place
        return Place(self.numbers[place.block], place.number - self.lowest[place.block])


def _root(array: Array) -> Array:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


@writer(FAMILY)
def _write_chain(e: Emit, spec: Chain) -> None:
    with e.apart(spec.blocks) as blocks:
        for link in spec.links:
            e.give(link.given, blocks)
            WRITERS[link.family](e, link.spec)
            if link.stops is not None:
                bad = e.load(e.distant(link.stops, blocks), 0, "int")
                e.leave_when(e.build.icmp_signed("!=", bad, ir.Constant(bad.type, 0)))
