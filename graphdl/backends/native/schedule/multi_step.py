"""Many training steps in one native call: each takes its batch from a row of batches.

Two small kernels stand around the table of a step: `feed` copies the next batch to where the step
reads it, `keep` copies the outputs to where they are collected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from llvmlite import ir

from ....program import Array
from ..compile.library import writer
from ..emit.emit import BIT, Emit
from ..emit.function import WORD
from ..emit.runtime_sizes import Argument, Number
from ..kernels.call import Call, Making
from ..kernels.operand import address_of

# Words that kernels share: the number of the step, and what `draw` and `step` are at the first.
CURSOR, COUNTERS = 0, ("draw", "step")


@dataclass(frozen=True, slots=True)
class Feeding:
    """Batches of `nbytes` are copied from `sources` to `targets`; `scalars` are counted up.

    `fixed` is what is the same at every step: from, to, and bytes. It must be put there again all
    the same, because memory is used for other things when nothing reads it any more.
    """

    state: Argument
    sources: tuple[Argument, ...]
    targets: tuple[Argument, ...]
    nbytes: tuple[Number, ...]
    scalars: tuple[tuple[int, Argument, str], ...]
    fixed: tuple[tuple[Argument, Argument, int], ...]


class MultiStep:
    """Where a number of steps take their batches from and leave their outputs."""

    def __init__(
        self,
        data: Sequence[tuple[str, Array]],
        scalars: Sequence[tuple[str, Array]],
        outputs: Mapping[str, Array],
        precision: str,
    ) -> None:
        self.data, self.scalars, self.outputs = data, dict(scalars), outputs
        self.precision = precision
        self.state = np.zeros(1 + len(COUNTERS), np.int64)
        self.fixed = {key: np.zeros_like(buffer) for key, buffer in scalars if key not in COUNTERS}
        self.staged: dict[str, Array] = {}
        self.results: dict[str, Array] = {}
        # Whether there is memory that `before` and `after` were not asked for yet.
        self.fresh = True

    def prepare(self, batches: Mapping[str, Array], times: int) -> None:
        """Take over the batches, one after the other, into larger memory where that is needed."""
        for key, buffer in self.data:
            count = times * max(buffer.size, 1)
            known = self.staged.get(key)
            if known is None or known.size < count:
                self.fresh = True
                self.staged[key] = np.empty(count, buffer.dtype)
            target = self.staged[key][: times * buffer.size].reshape(times, *buffer.shape)
            np.copyto(target, batches[key].reshape(target.shape), "same_kind")
        for name, array in self.outputs.items():
            known = self.results.get(name)
            if known is None or len(known) < times:
                self.fresh = True
                self.results[name] = np.empty(times, array.dtype)

    def begin(self, scalars: Mapping[str, float]) -> None:
        """Set the counters for the first step."""
        self.state[CURSOR] = 0
        for place, name in enumerate(COUNTERS):
            self.state[1 + place] = int(scalars.get(name, 0))
        for key, kept in self.fixed.items():
            kept.fill(scalars[key])

    def memory(self) -> list[Array]:
        """Everything that the calls read and write."""
        own = [self.state, *self.fixed.values(), *self.staged.values(), *self.results.values()]
        others = [array for _, array in self.data], self.scalars.values(), self.outputs.values()
        return [*own, *chain(*others)]

    def before(self, settled: bool) -> Call:
        """The call that feeds a step; if `settled`, it is made for batches of this size."""
        making = Making()
        counted = [(place, name) for place, name in enumerate(COUNTERS) if name in self.scalars]
        spec = Feeding(
            making.address(address_of(self.state)),
            tuple(making.address(address_of(self.staged[key])) for key, _ in self.data),
            tuple(making.address(address_of(buffer)) for _, buffer in self.data),
            tuple(
                int(buffer.nbytes) if settled else making.argument(int(buffer.nbytes))
                for _, buffer in self.data
            ),
            tuple(
                (
                    1 + place,
                    making.address(address_of(self.scalars[name])),
                    _kind(self.scalars[name]),
                )
                for place, name in counted
            ),
            tuple(
                (
                    making.address(address_of(kept)),
                    making.address(address_of(self.scalars[key])),
                    int(kept.nbytes),
                )
                for key, kept in self.fixed.items()
            ),
        )
        return making.call("feed", spec, self.precision, 1, alone=True)

    def after(self) -> Call:
        """The call that keeps what a step gave, and goes on to the next."""
        making = Making()
        spec = (
            making.address(address_of(self.state)),
            tuple(
                (making.address(address_of(array)), making.address(address_of(self.results[name])))
                for name, array in self.outputs.items()
            ),
        )
        return making.call("keep", spec, self.precision, 1, alone=True)


def _kind(array: Array) -> str:
    return {"f": "float", "i": "int", "b": "bool"}[array.dtype.kind]


@writer("feed")
def _write_feed(e: Emit, spec: Feeding) -> None:
    state = e.address(spec.state)
    cursor = e.load(state, CURSOR, "int")
    for source, target, nbytes in zip(spec.sources, spec.targets, spec.nbytes, strict=True):
        size = e.number(nbytes)
        place = e.at(e.address(source), e.mul(cursor, size), ir.IntType(8))
        e.call(
            "llvm.memcpy.p0.p0.i64",
            ir.VoidType(),
            e.address(target),
            place,
            size,
            ir.Constant(BIT, 0),
        )
    for source, target, size in spec.fixed:
        whole = ir.IntType(8 * size)
        kept = e.build.load(e.address(source), typ=whole, align=size)
        e.build.store(kept, e.address(target), align=size)
    for word, target, kind in spec.scalars:
        value = e.add(e.load(state, word, "int"), cursor)
        if kind == "float":
            value = e.build.sitofp(value, e.real)
        e.store(value, e.address(target), 0, "float" if kind == "float" else "int")


@writer("keep")
def _write_keep(e: Emit, spec: tuple[Argument, tuple[tuple[Argument, Argument], ...]]) -> None:
    state = e.address(spec[0])
    cursor = e.load(state, CURSOR, "int")
    for output, result in spec[1]:
        e.store(e.load(e.address(output), 0, "float"), e.address(result), cursor, "float")
    e.store(e.build.add(cursor, ir.Constant(WORD, 1)), state, CURSOR, "int")
