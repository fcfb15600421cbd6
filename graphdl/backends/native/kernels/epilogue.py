"""What is done to the sums of a contraction before they are written: bias, ReLU, what is added.

Only what is cheap: a tile has its text once for each of its vectors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ....program import Op
from ..emit.emit import Emit
from ..emit.runtime_sizes import Argument
from ..emit.scalars import apply
from .operand import Operand, Sizes
from .pointwise import COSTS, Stage, stages_of

# What the operations may cost together, in additions: bias, ReLU and what is added cost 3, the
# cheapest function (`exp`) 12, and its text would stand in a tile up to 28 times.
MOST_COST = 8


@dataclass(frozen=True, slots=True)
class Epilogue:
    """`stages` count arguments first; the sum is number `place`, the others are `operands`."""

    stages: tuple[Stage, ...]
    place: int
    operands: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class EpilogueSpec:
    """What a kernel is made for; `args` are the addresses of the others."""

    stages: tuple[Stage, ...]
    place: int
    args: tuple[Argument, ...]

    def write(self, e: Emit, total: Any, others: Sequence[Any]) -> Any:
        """The result of a sum and the others."""
        values = [*others[: self.place], total, *others[self.place :]]
        for stage in self.stages:
            args = [values[operand] for operand in stage.operands]
            values.append(apply(e, stage.name, stage.kind, args))
        return values[-1]


def epilogue_of(
    op: Op, args: list[Operand], total: Operand, out: Operand, sizes: Sizes
) -> Epilogue | None:
    """The pointwise operation as the end of the contraction that makes `total`, if it can be."""
    operands, stages = stages_of(op, args, sizes)
    places = [place for place, operand in enumerate(operands) if operand is total]
    cost = sum(COSTS.get(stage.name, 1) for stage in stages)
    if len(places) != 1 or cost > MOST_COST or any(o.kind != "float" for o in operands):
        return None
    others = [o.broadcast(out.extents) for o in operands if o is not total]
    return Epilogue(tuple(stages), places[0], tuple(others))
