"""Where the time of a training step goes, kernel by kernel, and the text of those kernels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..errors import UsageError

if TYPE_CHECKING:
    from ..backends.native.schedule.kernel_table import Table
    from ..backends.native.schedule.native_program import NativeProgram
    from .network import Network

# The best of so many runs counts.
REPEATS = 5
# Of sequences, where nothing says how long they are.
LENGTH = 20


@dataclass(frozen=True, slots=True)
class Line:
    """What the kernels of one kind cost that belong to one node, in one step."""

    node: str
    kernel: str
    calls: int
    seconds: float
    flops: int
    nbytes: int


@dataclass(frozen=True, slots=True)
class Profile:
    """Lines by time; peaks are what this machine did in a product and in a copy."""

    lines: tuple[Line, ...]
    seconds: float
    peak_flops: float
    peak_bytes: float

    def __str__(self) -> str:
        rows = [("node", "kernel", "calls", "time", "share", "GFLOP/s", "GB/s")]
        total = sum(line.seconds for line in self.lines) or 1.0
        for line in self.lines:
            per = max(line.seconds, 1e-9)
            rows.append(
                (
                    line.node or "(update)",
                    line.kernel,
                    f"{line.calls:,}",
                    _time(line.seconds),
                    f"{line.seconds / total:.1%}",
                    f"{line.flops / per / 1e9:.1f}",
                    f"{line.nbytes / per / 1e9:.1f}",
                )
            )
        widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
        lines = [
            "  ".join(
                cell.ljust(width) if n < 2 else cell.rjust(width)
                for n, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        lines.append(
            f"one step {_time(self.seconds)}; one kernel at a time {_time(total)}; this machine "
            f"reaches {self.peak_flops / 1e9:.0f} GFLOP/s and {self.peak_bytes / 1e9:.0f} GB/s"
        )
        return "\n".join(lines)


def blank(net: Network, examples: int, length: int | None = None) -> dict[str, Any]:
    """A batch of random numbers, and of ids, that fits the model; sequences of one length."""
    random = np.random.default_rng(0)
    found: dict[str, Any] = {}
    for name, port in {**net.inputs, **net.targets}.items():
        shape = (examples, *(length or LENGTH if isinstance(n, str) else n for n in port.shape))
        if port.classes:
            found[name] = random.integers(0, port.classes, shape)
        else:
            found[name] = random.standard_normal(shape).astype(net.dtype)
    return found


def profile(net: Network, /, **batch: Any) -> Profile:
    """Time every kernel of a training step on a batch; the weights stay as they are.

    Raises UsageError where the network does not run generated kernels.
    """
    with net.turn.lock:
        schedule = _schedule(net, batch)
        kept = net.state()
        try:
            return _timed(schedule)
        finally:
            net.restore(kept)


def kernels(net: Network, /, **batch: Any) -> str:
    """The text of every kernel of a training step, as LLVM has it when it is optimised."""
    from ..backends.native.compile.library import optimised, written

    found: dict[Any, list[str]] = {}
    for table in _tables(_schedule(net, batch)):
        for call in table.ran:
            every = table.calls if call is table.chain else [call]
            found.setdefault(call.kernel, []).extend(c.origin or "(update)" for c in every)
    parts = []
    for kernel, origins in found.items():
        places = ", ".join(dict.fromkeys(origins))
        parts.append(
            f"; {kernel.name}, {len(origins)} calls, of: {places}\n"
            f"; {kernel.spec!r}\n{optimised(written(kernel))}\n"
        )
    return "\n".join(parts)


def _schedule(net: Network, batch: Mapping[str, Any]) -> NativeProgram:
    if net.backend != "native":
        raise UsageError(f"the {net.backend} backend has no kernels of its own: use native")
    # One step binds the schedule, on weights that are put back.
    kept = net.state()
    steps, draws = net.steps, net.draws
    net.step(**batch)
    net.restore(kept)
    net.steps, net.draws = steps, draws
    return cast("NativeProgram", net.training_step().last.latest())


def _tables(schedule: NativeProgram) -> list[Table]:
    from ..backends.native.schedule.kernel_table import Table

    return [part for part in schedule.parts if isinstance(part, Table)]


def _timed(schedule: NativeProgram) -> Profile:
    tables = _tables(schedule)
    whole = min(_seconds(lambda: [table.run() for table in tables]) for _ in range(REPEATS))
    found: dict[tuple[str, str], list[float]] = {}
    for table in [table.unchained() for table in tables]:
        for place, call in enumerate(table.calls):
            best = min(_seconds(lambda t=table, p=place: t.row(p)) for _ in range(REPEATS))
            line = found.setdefault((call.origin, call.kernel.family), [0.0, 0, 0, 0])
            for n, value in enumerate((best, 1, call.flops, call.nbytes)):
                line[n] += value
    lines = [
        Line(node, kernel, int(calls), seconds, int(flops), int(nbytes))
        for (node, kernel), (seconds, calls, flops, nbytes) in found.items()
    ]
    lines.sort(key=lambda line: -line.seconds)
    return Profile(tuple(lines), whole, *_peaks())


def _seconds(run: Any) -> float:
    began = perf_counter()
    run()
    return perf_counter() - began


def _peaks() -> tuple[float, float]:
    """Operations and bytes per second of a large product, and of a copy beyond the caches."""
    from ..backends import Executable, Store
    from ..program import Builder, Type

    side, long = 768, 1 << 24
    build = Builder()
    a = build.input("a", Type((side, side)), "weight", "a")
    product = build.finish([("c", build.contract(a, a, "m k, k n -> m n"))])
    build = Builder()
    x = build.input("x", Type((long,)), "weight", "x")
    copy = build.finish([("y", build.neg(x))])
    speeds = []
    for program, key, shape, amount in (
        (product, "a", (side, side), 2 * side**3),
        (copy, "x", (long,), 2 * 4 * long),
    ):
        store = Store(np)
        store[key] = np.ones(shape, "float32")
        executable = Executable(program, np, "float32", native=True)
        executable.run(store, {}, {})
        best = min(_seconds(lambda e=executable, s=store: e.run(s, {}, {})) for _ in range(REPEATS))
        speeds.append(amount / best)
    return speeds[0], speeds[1]


def _time(seconds: float) -> str:
    if seconds < 1e-3:
        return f"{seconds * 1e6:.1f} µs"
    return f"{seconds * 1e3:.2f} ms"
