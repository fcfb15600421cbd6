"""Kernels by what they do: written, compiled, kept on disk, and linked into this process.

A kernel's name is a hash of its family, what it was made for, the machine and our own sources, so
that models share kernels, and a stale one is never found. What is on disk has a checksum; whatever
is wrong with a file, the kernel is compiled anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, wraps
from itertools import count
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import llvmlite
import llvmlite.binding as llvm

from ..llvm import LISTENERS, MAKING, MANY
from .emit import Emit
from .machine import Machine, this_machine

P = ParamSpec("P")
R = TypeVar("R")
Write = Callable[[Emit, Any], None]
CHECKSUM = 32  # bytes of SHA-256 before the code


@dataclass(frozen=True)
class Kernel:
    """A kernel: who writes it, what it is made for (its text names it), the type of floats."""

    family: str
    spec: object
    precision: str

    @property
    def name(self) -> str:
        """Its name everywhere, for ever."""
        text = f"{_origin(this_machine())} {self.family} {self.precision} {self.spec!r}"
        return f"{self.family}_{hashlib.sha256(text.encode()).hexdigest()[:32]}"


WRITERS: dict[str, Write] = {}
_addresses: dict[str, int] = {}
_names: dict[tuple[Machine, Kernel], str] = {}
# Names of those that this process had to compile.
COMPILED: list[str] = []
# The code lives as long as these do.
_trackers: list[Any] = []
# What is linked has a name of its own each time, whether or not linking came to its end.
_links = count()
# Held by the thread that compiles or links.
LOCK = threading.RLock()
if hasattr(os, "register_at_fork"):
    # No process begins with what another one has half linked.
    os.register_at_fork(
        before=LOCK.acquire, after_in_parent=LOCK.release, after_in_child=LOCK.release
    )


def writer(family: str) -> Callable[[Write], Write]:
    """Declare the function that writes the kernels of a family."""

    def declare(write: Write) -> Write:
        WRITERS[family] = write
        return write

    return declare


def written(kernel: Kernel) -> str:
    """LLVM's text of a kernel, before it is optimised."""
    emit = Emit(_name(kernel), this_machine(), kernel.precision)
    WRITERS[kernel.family](emit, kernel.spec)
    return emit.finish()


def in_turn(make: Callable[P, R]) -> Callable[P, R]:
    """A function that compiles or links: one thread at a time."""

    @wraps(make)
    def alone(*args: P.args, **named: P.kwargs) -> R:
        with LOCK:
            thread = threading.get_ident()
            first = thread not in MAKING
            try:
                MAKING.add(thread)
                return make(*args, **named)
            finally:
                if first:
                    MAKING.discard(thread)

    return alone


@in_turn
def addresses(kernels: Iterable[Kernel]) -> dict[Kernel, int]:
    """Where each kernel is in memory; those that never were, are compiled."""
    wanted = {_name(k): k for k in kernels}
    objects = _objects({n: k for n, k in wanted.items() if n not in _addresses})
    if objects:
        _addresses.update(link(objects))
    return {kernel: _addresses[name] for name, kernel in wanted.items()}


def _objects(wanted: Mapping[str, Kernel]) -> dict[str, bytes]:
    """Object code of kernels, from disk or compiled."""
    found = {name: _read(name) for name in wanted}
    missing = [name for name, code in found.items() if code is None]
    for listener in LISTENERS if len(missing) >= MANY else ():
        listener(len(missing))
    for name in missing:
        code = found[name] = compiled(written(wanted[name]))
        COMPILED.append(name)
        _write(name, code)
    return {name: code for name, code in found.items() if code is not None}


@in_turn
def functions(text: str, names: tuple[str, ...]) -> dict[str, int]:
    """Where the functions of a module given as LLVM's text are, compiled or found as kernels."""
    digest = hashlib.sha256((_origin(this_machine()) + text).encode()).hexdigest()[:32]
    module = f"functions_{digest}"
    code = _read(module)
    if code is None:
        code = compiled(text)
        _write(module, code)
    library = llvm.JITLibraryBuilder().add_object_img(code).add_current_process()
    for name in names:
        library.export_symbol(name)
    tracker = library.link(_linker(), f"{module}_{next(_links)}")
    _trackers.append(tracker)
    return {name: int(tracker[name]) for name in names}


def compiled(text: str) -> bytes:
    """Object code of a module."""
    module = optimised(text)
    return bytes(_target(this_machine()).emit_object(module))


def assembly(text: str) -> str:
    """What the processor is told, as text."""
    return str(_target(this_machine()).emit_assembly(optimised(text)))


def optimised(text: str) -> Any:
    """The module after LLVM's passes; its `str` is its text."""
    module = llvm.parse_assembly(text)
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_vectorization = False
    options.slp_vectorization = False
    options.loop_interleaving = False
    builder = llvm.create_pass_builder(_target(this_machine()), options)
    manager = builder.getModulePassManager()
    manager.run(module, builder)
    return module


def link(objects: dict[str, bytes]) -> dict[str, int]:
    """Bring object code, by the name of its function, into this process; where it is then."""
    library = llvm.JITLibraryBuilder()
    for code in objects.values():
        library.add_object_img(code)
    for name in objects:
        library.export_symbol(name)
    library.add_current_process()
    tracker = library.link(_linker(), f"kernels_{next(_links)}")
    _trackers.append(tracker)
    return {name: int(tracker[name]) for name in objects}


def _name(kernel: Kernel) -> str:
    key = this_machine(), kernel
    found = _names.get(key)
    if found is None:
        found = _names[key] = kernel.name
    return found


@cache
def _target(machine: Machine) -> Any:
    return machine.target()


@cache
def _linker() -> Any:
    return llvm.create_lljit_compiler(this_machine().target())


@cache
def _origin(machine: Machine) -> str:
    """What stands for this version of the generator, LLVM, and the machine."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    version = ".".join(map(str, llvm.llvm_version_info))
    return f"{digest.hexdigest()} {version} {llvmlite.__version__} {machine.key}"


# ---- on disk -------------------------------------------------------------------------------


@cache
def _folder() -> Path | None:
    """Where kernels are kept; None where others could write, or nobody can."""
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(home) / "graphdl" / "kernels"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        about = folder.stat()
        ours = not hasattr(os, "getuid") or about.st_uid == os.getuid()
        return folder if ours and not about.st_mode & 0o022 else None
    except (OSError, RuntimeError):
        return None


def _read(name: str) -> bytes | None:
    folder = _folder()
    if folder is None:
        return None
    try:
        found = (folder / f"{name}.o").read_bytes()
    except OSError:
        return None
    checksum, code = found[:CHECKSUM], found[CHECKSUM:]
    return code if hashlib.sha256(code).digest() == checksum else None


def _write(name: str, code: bytes) -> None:
    """Keep a kernel. Two processes may do so at once; a full disk is no reason to stop."""
    folder = _folder()
    if folder is None:
        return
    with contextlib.suppress(OSError):
        handle, path = tempfile.mkstemp(dir=folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(hashlib.sha256(code).digest() + code)
            Path(path).replace(folder / f"{name}.o")
        except OSError:
            Path(path).unlink(missing_ok=True)
