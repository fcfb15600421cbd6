"""A table of kernels for the native loop: a row says where a kernel and its arguments are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ....program import Array
from ..compile.library import Code, addresses
from ..kernels.call import Call
from ..kernels.operand import address_of
from ..run.pool import GUARD, PARALLEL, ROW, WAIT
from ..run.workers import Pool, wanted_threads


@dataclass(slots=True)
class Table:
    """Rows for the native loop: those of `calls`, or of one call that does what they do.

    What they point into is held on to by `memory`, `rows` and `code`.
    """

    calls: list[Call]
    chain: Call | None
    guard: Call | None
    verdict: Array
    memory: tuple[Array, ...]
    threads: int
    rows: tuple[Array, Array, Array]
    address: int
    order: int
    code: frozenset[Code]

    @property
    def ran(self) -> list[Call]:
        """A call for each row."""
        return self.calls if self.chain is None else [self.chain]

    def row(self, place: int) -> bool:
        """Run one row, by itself."""
        threads = self.threads if self.ran[place].parallel else 1
        return Pool.ours().run(self.address + 8 * ROW * place, 1, threads)

    def run(self) -> bool:
        """Run all rows; False where a guard found something that is not finite."""
        if self.threads == 1:
            return not (Pool.alone or Pool.ours().alone)(self.order)
        return Pool.ours().run(self.address, len(self.rows[0]), self.threads)

    def repeat(self, times: int) -> int:
        """Run all rows so many times, or until a guard stops it; how often they were run."""
        return Pool.ours().repeat(self.address, len(self.rows[0]), self.threads, times)

    def unchained(self) -> Table:
        """The same with a row for every call."""
        if self.chain is None:
            return self
        return table_of(self.calls, None, self.guard, self.verdict, self.memory)


def table_of(
    calls: list[Call],
    chain: Call | None,
    guard: Call | None,
    verdict: Array,
    memory: tuple[Array, ...],
) -> Table:
    """The rows of calls; threads meet after what they share, and before it."""
    ran = calls if chain is None else [chain]
    kernels, code = addresses(call.kernel for call in ran)
    threads = wanted_threads() if any(call.parallel for call in ran) else 1
    numbers = np.array([n for call in ran for n in call.numbers], np.int64)
    rows = np.zeros((len(ran), ROW), np.int64)
    start = address_of(numbers)
    for place, call in enumerate(ran):
        flags = PARALLEL if call.parallel else 0
        following = ran[place + 1] if place + 1 < len(ran) else None
        stops = call is guard or (call is chain and guard in calls)
        if call.parallel or following is None or following.parallel or stops:
            flags |= WAIT
        if stops:
            flags |= GUARD
        rows[place] = kernels[call.kernel], start, flags, address_of(verdict)
        start += 8 * len(call.numbers)
    order = np.array([address_of(rows), len(ran)], np.int64)
    held, places = (rows, numbers, order), (address_of(rows), address_of(order))
    return Table(calls, chain, guard, verdict, memory, threads, held, *places, code)
