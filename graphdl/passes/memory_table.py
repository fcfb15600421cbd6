"""The memory plan as people read it, and as its fixtures hold it."""

from __future__ import annotations

from .memory import Buffer, MemoryPlan

HEAD = ("offset", "bytes", "in use", "values")


def memory_table(plan: MemoryPlan) -> str:
    """One line for every stretch of the arena in order, then what planning saved."""
    rows = [HEAD, *(_row(b) for b in sorted(plan.buffers, key=lambda b: (b.offset, b.first)))]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    lines = [
        "  ".join([*(cell.rjust(w) for cell, w in zip(row[:3], widths, strict=True)), row[3]])
        for row in rows
    ]
    lines += [f"written in place: %{v.name} -> %{t.name}" for v, t in plan.direct.items()]
    saved = 1 - plan.size / plan.unplanned if plan.unplanned else 0.0
    lines += [
        f"without reuse  {plan.unplanned:,} bytes",
        f"with reuse     {plan.size:,} bytes, {saved:.0%} less",
    ]
    return "\n".join(lines) + "\n"


def _row(buffer: Buffer) -> tuple[str, str, str, str]:
    names = ", ".join(f"%{value.name}" for value in buffer.values)
    return f"{buffer.offset:,}", f"{buffer.nbytes:,}", f"{buffer.first}..{buffer.last}", names
