"""What a training step looks at before it writes: the loss, and what the updates are made of."""

from __future__ import annotations

from dataclasses import dataclass

from ..graph.kept import CARRIED
from ..passes.layout import Layout
from ..passes.sources import Source, sources, written
from ..passes.tame import untamed
from ..program import Program, Value

# Numbers below it make nothing infinite: neither their squares, nor sums of these, nor what a rate
# makes of them. Of larger ones, the step is worked out apart.
LIMIT = {"float32": 1e15, "float64": 1e150}


@dataclass(frozen=True, slots=True)
class Watch:
    """`value` is the output `name`, which must be finite; the `sources` must be below the limit."""

    name: str
    value: Value
    sources: tuple[Source, ...]

    @property
    def values(self) -> tuple[Value, ...]:
        """All that is looked at."""
        return (self.value, *(source.value for source in self.sources))

    def late(self, program: Program, layout: Layout) -> set[Value]:
        """The sources that something reads after all are there: until then their memory is theirs.

        Others must be looked at where they are made.
        """
        order = {op.out: place for place, op in enumerate(program.ops)}
        ready = max(order.get(value, -1) for value in self.values)
        read = {layout.roots[arg] for op in program.ops[ready + 1 :] for arg in op.args}
        read |= {layout.roots[value] for value in program.results}
        return {s.value for s in self.sources if layout.roots[s.value] in read}


def watch(program: Program, name: str | None, closely: bool = False) -> Watch | None:
    """What is looked at where the output `name` is guarded; None without one.

    All that is written is part of it if `closely`, as it must be where a scalar is larger than 1.
    """
    if name is None:
        return None
    outputs = dict(program.outputs)
    carried = tuple(Source(v) for key, v in program.outputs if key.startswith(CARRIED))
    made_of = sources(program)
    if closely:
        updates = [update.value for update in program.updates]
    else:
        updates = untamed(program, [source.value for source in made_of])
    return Watch(name, outputs[name], (*made_of, *carried, *written(program, updates)))
