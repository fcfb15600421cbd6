"""Operations whose results nothing reads are left out.

Inputs stay: they are the program's signature.
"""

from __future__ import annotations

from dataclasses import replace

from ..program import Op, Program


def dead_code(program: Program) -> Program:
    """Keep what outputs and updates depend on."""
    needed = set(program.results)
    kept: list[Op] = []
    for op in reversed(program.ops):
        if op.out in needed:
            needed.update(op.args)
            kept.append(op)
    return replace(program, ops=tuple(reversed(kept)))
