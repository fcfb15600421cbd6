"""A step worked out apart, every result in an array of its own: what it would write, and the fault.

A fault is traced back from what must be finite to the first result on its way that is not. Others,
such as the logarithms of zeros that a mask leaves out, are none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import ModuleType

from ..graph.kept import CARRIED, MEMORY
from ..program import Array, Op, Program, Value
from .interpreter import interpret
from .watch import Watch


@dataclass(frozen=True, slots=True)
class Fault:
    """What is not finite, in words, and the node that it comes from."""

    what: str
    origin: str


class Trial:
    """The results of one run; nothing that is kept is touched."""

    def __init__(
        self,
        program: Program,
        xp: ModuleType,
        dtype: str,
        store: Mapping[str, Array],
        data: Mapping[str, Array],
        scalars: Mapping[str, float],
    ) -> None:
        self.program, self.xp = program, xp
        self.ops: dict[Value, Op] = {}
        self.keys = {i.value: i.key for i in program.inputs}
        self.arrays: dict[Value, Array] = {
            i.value: {**store, **data}[i.key] for i in program.inputs if i.role != "scalar"
        }
        self.arrays |= {
            i.value: xp.asarray(scalars[i.key], dtype) for i in program.inputs if i.role == "scalar"
        }
        for op, array in interpret(program, xp, dtype, store, data, scalars):
            self.ops[op.out], self.arrays[op.out] = op, array

    def finite(self, value: Value) -> bool:
        """Whether all numbers of a value are."""
        if value.type.kind != "float":
            return True
        return bool(self.xp.isfinite(self.arrays[value]).all())

    def fault(self, watched: Watch) -> Fault | None:
        """What is not finite of what must be; None where all is well."""
        if not self.finite(watched.value):
            return Fault(f"the {watched.name}", self.origin([watched.value]))
        carried = [v for name, v in self.program.outputs if name.startswith(CARRIED)]
        bad = [value for value in carried if not self.finite(value)]
        if bad:
            return Fault("a state that is carried on", self.origin(bad))
        written = {u.value: self.keys[u.target] for u in self.program.updates}
        weights = {i.value for i in self.program.inputs if i.role == "weight"}
        made_of = [s.value for s in watched.sources if not s.written]
        bad = [value for value in made_of if not self.finite(value)]
        if bad:
            behind = self._reached_by(bad)
            learned = any(u.target in weights for u in self.program.updates if u.value in behind)
            kept = any(written[v].startswith(MEMORY) for v in written if v in behind)
            what = "the gradient" if learned or kept else "a running average"
            return Fault(what, self.origin(bad))
        for value, key in written.items():
            if not self.finite(value):
                name = key.removeprefix(MEMORY)
                return Fault(f"the next value of `{name}`", self.origin([value]))
        return None

    def origin(self, bad: Iterable[Value]) -> str:
        """The node whose result was the first on the way to these that is not finite."""
        first: list[tuple[int, str]] = []
        order = {value: place for place, value in enumerate(self.ops)}
        pending, seen = list(bad), set[Value]()
        while pending:
            value = pending.pop()
            if value in seen:
                continue
            seen.add(value)
            op = self.ops.get(value)
            if op is None:
                first.append((-1, self.keys[value]))
                continue
            before = [arg for arg in op.args if not self.finite(arg)]
            if not before:
                first.append((order[value], op.origin or self._near(op)))
            pending += before
        return min(first, default=(0, ""))[1]

    def _near(self, op: Op) -> str:
        """A name for what belongs to no node: the nearest one that it is computed from."""
        pending, seen = list(op.args), set[Value]()
        while pending:
            value = pending.pop(0)
            made = self.ops.get(value)
            if made is not None and made.origin:
                return made.origin
            if made is not None and value not in seen:
                seen.add(value)
                pending += made.args
        return ""

    def _reached_by(self, values: Iterable[Value]) -> set[Value]:
        reached = set(values)
        for op in self.ops.values():
            if any(arg in reached for arg in op.args):
                reached.add(op.out)
        return reached
