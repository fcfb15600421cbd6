"""The processor that kernels are made for, as LLVM names it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any

# An option of the environment for tests and comparisons: `GRAPHDL_CPU=x86-64` makes plain kernels.
CPU = "GRAPHDL_CPU"
# What the levels of x86-64 have; of any other name only the least is known.
LEVELS = {
    "x86-64-v3": ("avx2", "fma"),
    "x86-64-v4": ("avx2", "avx512bw", "avx512f", "avx512vl", "fma"),
}


@dataclass(frozen=True)
class Machine:
    """A processor.

    lanes      bytes of a vector register; `registers` is their number
    fused      whether a*b + c is one instruction
    """

    triple: str
    cpu: str
    features: str
    lanes: int
    registers: int
    fused: bool

    @property
    def key(self) -> str:
        """What kernels for it have in their name."""
        return (
            f"{self.triple} {self.cpu} {self.features} {self.lanes} {self.registers} {self.fused}"
        )

    def width(self, nbytes: int) -> int:
        """How many numbers of so many bytes a vector register holds."""
        return max(1, self.lanes // nbytes)

    def target(self) -> Any:
        """LLVM's target machine."""
        import llvmlite.binding as llvm

        target = llvm.Target.from_triple(self.triple)
        return target.create_target_machine(
            cpu=self.cpu, features=self.features, opt=2, reloc="pic", codemodel="default", jit=True
        )


_OTHER: ContextVar[Machine | None] = ContextVar("other machine", default=None)


def this_machine() -> Machine:
    """The processor that kernels are made for: the one we run on, but within `made_for`."""
    return _OTHER.get() or _ours()


@contextmanager
def made_for(machine: Machine) -> Iterator[None]:
    """Within it, kernels are made for another processor: they can be looked at, not run."""
    before = _OTHER.set(machine)
    try:
        yield
    finally:
        _OTHER.reset(before)


@cache
def _ours() -> Machine:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    triple = llvm.get_process_triple()
    asked = os.environ.get(CPU)
    if asked:
        return _described(triple, asked, dict.fromkeys(LEVELS.get(asked, ()), True))
    return _described(triple, llvm.get_host_cpu_name(), llvm.get_host_cpu_features())


def _described(triple: str, cpu: str, found: dict[str, bool]) -> Machine:
    features = ",".join(f"{'+' if has else '-'}{name}" for name, has in sorted(found.items()))
    if found.get("avx512f") and found.get("avx512vl") and found.get("avx512bw"):
        # Without it LLVM would use half of each register.
        return Machine(triple, cpu, f"{features},-prefer-256-bit", 64, 32, True)
    if found.get("avx2") and found.get("fma"):
        return Machine(triple, cpu, features, 32, 16, True)
    arm = triple.startswith(("aarch64", "arm64"))
    return Machine(triple, cpu, features, 16, 32 if arm else 16, arm)
