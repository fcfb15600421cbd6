"""The bodies of scans are programs too: every pass runs on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..program import Program
from ..program.primitives import Scan


def inside_scans(program: Program, optimise: Callable[[Program], Program]) -> Program:
    """Optimise the body of each scan; what it keeps of a step stays in its place."""
    ops = list(program.ops)
    for index, op in enumerate(ops):
        if isinstance(op.primitive, Scan):
            body = op.primitive.body
            better = body.rewritten(optimise(body.program))
            ops[index] = replace(op, primitive=replace(op.primitive, body=better))
    return replace(program, ops=tuple(ops))
