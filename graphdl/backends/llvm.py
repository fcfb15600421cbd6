"""The way to LLVM, or the one sentence that says why there are no generated kernels here."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from ..errors import UsageError

# Told how many kernels are about to be compiled, when that takes a while.
LISTENERS: list[Callable[[int], None]] = []
# Kernels from which on they are told: compiling so many takes about a second, 20 to 150 ms each.
WORTH_SAYING = 8
# Held by the thread that compiles or links.
LOCK = threading.RLock()
if hasattr(os, "register_at_fork"):
    # No process begins with what another one has half linked. Whoever holds more than this lock
    # took it last, so that hooks which take the other locks are registered after this one.
    os.register_at_fork(
        before=LOCK.acquire, after_in_parent=LOCK.release, after_in_child=LOCK.release
    )
# Threads that are making kernels, and hold what others wait for.
MAKING: set[int] = set()
OTHERWISE = "or run with --backend numpy"
# Before it, LLVM's linker or passes lack something that kernels need.
OLDEST_LLVMLITE = (0, 45)


def find_llvm() -> None:
    """Return where the native backend works; otherwise raise a UsageError."""
    reason = why_not()
    if reason:
        raise UsageError(f"{reason}, {OTHERWISE}")


@cache
def why_not() -> str:
    """Why the native backend cannot work here; empty where it can."""
    if sys.platform == "win32":
        return "the native backend needs POSIX threads, which Windows lacks"
    try:
        found = version("llvmlite")
    except PackageNotFoundError:
        return "llvmlite is not installed: `pip install 'graphdl[native]'`"
    if tuple(int(part) for part in found.split(".")[:2] if part.isdecimal()) < OLDEST_LLVMLITE:
        least = ".".join(map(str, OLDEST_LLVMLITE))
        return f"llvmlite {found} is too old: `pip install 'llvmlite>={least}'`"
    return _unusable(found)


def _unusable(found: str) -> str:
    try:
        from .native.emit.machine import this_machine

        this_machine().target()
    except (ImportError, OSError, RuntimeError) as error:
        return f"llvmlite {found} does not work here ({error})"
    return ""
