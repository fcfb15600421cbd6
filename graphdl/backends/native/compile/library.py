"""Kernels by what they do: written, compiled, kept on disk, and linked into this process.

A kernel's name is a hash of its family, what it was made for, the machine and our own sources, so
that models share kernels, and a stale one is never found. Code lives as long as a table that holds
it; what was linked last is kept as well, for the next network of its kind. What is on disk and does
not link is compiled anew.
"""

from __future__ import annotations

import ctypes
import hashlib
import threading
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache, wraps
from itertools import count
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import llvmlite
import llvmlite.binding as llvm

from ...llvm import LISTENERS, LOCK, MAKING, WORTH_SAYING
from ..emit.emit import Emit
from ..emit.machine import Machine, this_machine
from . import kernel_files

# What a kernel's text depends on beside its spec: all rooms, and where they take constants from.
_BACKENDS = Path(__file__).parents[2]
SOURCES = sorted(
    [*_BACKENDS.rglob("*.py"), *(_BACKENDS.parent / "program" / "primitives").glob("*.py")]
)
P = ParamSpec("P")
R = TypeVar("R")
Write = Callable[[Emit, Any], None]


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


class Places(dict[str, int]):
    """Where functions are, by name; their code is in memory as long as this is."""

    tracker: Any = None


class Code:
    """Kernels that were linked together, and go together."""

    __slots__ = ("__weakref__", "places")

    def __init__(self, places: dict[str, int]) -> None:
        self.places = places


WRITERS: dict[str, Write] = {}
# The code that is linked now, by the name of each kernel in it, and what was asked for last.
_linked: weakref.WeakValueDictionary[str, Code] = weakref.WeakValueDictionary()
# A program at one batch size links what it lacks at once, so that is as many of those.
_recent: deque[Code] = deque(maxlen=32)
# Names of those that this process had to compile: the last ones.
COMPILED: deque[str] = deque(maxlen=4096)
# Functions that threads run for ever: their code is never given back, not even at the end.
_for_ever: list[Any] = []
# What is linked has a name of its own each time, whether or not linking came to its end.
_links = count()


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
def addresses(kernels: Iterable[Kernel]) -> tuple[dict[Kernel, int], frozenset[Code]]:
    """Where each kernel is in memory, and the code to hold on to; what is missing is compiled."""
    wanted = {_name(k): k for k in kernels}
    codes = {name: code for name in wanted if (code := _linked.get(name)) is not None}
    missing = {name: kernel for name, kernel in wanted.items() if name not in codes}
    if missing:
        code = Code(_placed(missing))
        codes |= dict.fromkeys(missing, code)
        _linked.update(dict.fromkeys(missing, code))
    every = frozenset(codes.values())
    _recent.extend(every - set(_recent))
    return {kernel: codes[name].places[name] for name, kernel in wanted.items()}, every


def _placed(missing: Mapping[str, Kernel]) -> dict[str, int]:
    """Kernels brought into this process, from disk where that works."""
    try:
        return link(_objects(missing, _read))
    except RuntimeError:
        # Something on disk is whole and does not link here.
        return link(_objects(missing, lambda _: None))


def _read(name: str) -> bytes | None:
    """Code on disk that is for this machine: what is for another one would end the process."""
    code = kernel_files.read(name)
    start = _start(this_machine())
    return code if code is not None and code.startswith(start) else None


@cache
def _start(machine: Machine) -> bytes:
    """How all object code for a machine begins: with its format, and the processor it is for."""
    module = llvm.parse_assembly("define void @nothing() { ret void }")
    code = bytes(_target(machine).emit_object(module))
    return code[: 20 if code.startswith(b"\x7fELF") else 16]


def _objects(wanted: Mapping[str, Kernel], read: Callable[[str], bytes | None]) -> dict[str, bytes]:
    """Object code of kernels, from disk or compiled."""
    found = {name: read(name) for name in wanted}
    missing = [name for name, code in found.items() if code is None]
    for listener in LISTENERS if len(missing) >= WORTH_SAYING else ():
        listener(len(missing))
    for name in missing:
        code = found[name] = compiled(written(wanted[name]))
        COMPILED.append(name)
        kernel_files.write(name, code)
    return {name: code for name, code in found.items() if code is not None}


@in_turn
def functions(text: str, names: tuple[str, ...]) -> dict[str, int]:
    """Where the functions of a module given as LLVM's text are, compiled or found as kernels."""
    digest = hashlib.sha256((_origin(this_machine()) + text).encode()).hexdigest()[:32]
    module = f"functions_{digest}"
    code = _read(module)
    try:
        if code is not None:
            return _stay(_linked_in([code], names, module))
    except RuntimeError:
        pass
    code = compiled(text)
    kernel_files.write(module, code)
    return _stay(_linked_in([code], names, module))


def _stay(places: Places) -> dict[str, int]:
    """Functions that threads run for ever: their code stays, also when this process ends."""
    _for_ever.append(places.tracker)
    for each in (places.tracker, _linker()):
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(each))
    return places


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
    return _linked_in(objects.values(), objects, "kernels")


def _linked_in(objects: Iterable[bytes], names: Iterable[str], title: str) -> Places:
    library = llvm.JITLibraryBuilder()
    for code in objects:
        library.add_object_img(code)
    for name in names:
        library.export_symbol(name)
    library.add_current_process()
    tracker = library.link(_linker(), f"{title}_{next(_links)}")
    places = Places({name: int(tracker[name]) for name in names})
    places.tracker = tracker
    return places


def _name(kernel: Kernel) -> str:
    return _named(this_machine(), kernel)


@lru_cache(maxsize=4096)
def _named(_: Machine, kernel: Kernel) -> str:
    return kernel.name


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
    for path in SOURCES:
        digest.update(path.read_bytes())
    version = ".".join(map(str, llvm.llvm_version_info))
    return f"{digest.hexdigest()} {version} {llvmlite.__version__} {machine.key}"
