"""All passes in the order they run; each is a function from program to program."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..program import Program
from .absorb_transposes import absorb_transposes
from .batch_last import batch_last
from .chosen_entries import chosen_entries
from .common_subexpressions import common_subexpressions
from .compare_extremes import compare_extremes
from .dead_code import dead_code
from .fuse_pointwise import fuse_pointwise
from .inside_scans import inside_scans
from .pick_early import pick_early
from .settle import settle_updates
from .simplify import simplify
from .sparse_updates import sparse_updates

Pass = Callable[[Program], Program]

PASSES: tuple[Pass, ...] = (
    dead_code,
    simplify,
    absorb_transposes,
    common_subexpressions,
    compare_extremes,
    batch_last,
    common_subexpressions,
    dead_code,
    chosen_entries,
    dead_code,
    pick_early,
    dead_code,
    sparse_updates,
    common_subexpressions,
    settle_updates,
    fuse_pointwise,
    dead_code,
)


def optimise(program: Program, passes: Sequence[Pass] = PASSES) -> Program:
    """The program after all passes.

    In-place reuse and the memory plan follow when the sizes are known: see `plan_memory`.
    """
    for each in passes:
        program = each(program)
    return inside_scans(program, lambda body: optimise(body, passes))
