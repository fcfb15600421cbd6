"""Kernels made for AArch64, run by an emulator in a process that is told what to do with memory."""

from __future__ import annotations

import ctypes
import importlib.util
import mmap
import re
import shutil
import struct
import subprocess
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

TESTS = Path(__file__).parents[2]
TOOLS = "aarch64-linux-gnu-"
CODE_BYTES = 1 << 26
LINE = 64
SCRIPT = """
{known}
SECTIONS {{
  . = {start};
  .text : {{ *(.text*) }}
  .data : {{ *(.rodata*) *(.data*) *(.bss*) *(.got*) }}
  /DISCARD/ : {{ *(.eh_frame*) *(.note*) *(.comment*) }}
}}
"""


def load(*path: str) -> ModuleType:
    """A test file as a module: tests are no package."""
    name = "emulated_" + "_".join(path)
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, TESTS.joinpath(*path))
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]


def machine() -> Any:
    """A processor with 32 registers of 16 bytes, and what makes code for it."""
    llvm = pytest.importorskip("llvmlite.binding")
    from graphdl.backends.native.emit.machine import Machine

    found = Machine("aarch64-unknown-linux-gnu", "neoverse-n1", "", 16, 32, True)
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        found.target()
    except RuntimeError as error:
        pytest.skip(f"LLVM makes no code for AArch64 here: {error}")
    return found


class Process:
    """A running server: see `server.c`."""

    def __init__(self, emulator: str, program: Path) -> None:
        command = [emulator, "-cpu", "max", str(program)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.input, self.output = self.process.stdin, self.process.stdout
        self.known = {}
        while line := self.output.readline().split():
            self.known[line[0].decode()] = int(line[1])

    def write(self, address: int, content: bytes) -> None:
        """Put bytes at an address."""
        self.input.write(struct.pack("8q", ord("w"), address, len(content), *5 * (0,)) + content)

    def read(self, address: int, count: int) -> bytes:
        """The bytes at an address."""
        self.input.write(struct.pack("8q", ord("r"), address, count, *5 * (0,)))
        return self._answer(count)

    def call(self, function: int, *args: int) -> int:
        """What a function returns."""
        words = (*args, *(6 - len(args)) * (0,))
        self.input.write(struct.pack("8q", ord("c"), function, *words))
        return int(struct.unpack("q", self._answer(8))[0])

    def map(self, count: int) -> int:
        """The address of new memory, for numbers and for code."""
        every = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
        return self.call(
            self.known["mmap"], 0, count, every, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1
        )

    def _answer(self, count: int) -> bytes:
        self.input.flush()
        answer = self.output.read(count)
        assert len(answer) == count, f"the process ended: {self.process.wait(5)}"
        return answer

    def close(self) -> None:
        """End it."""
        self.input.close()
        self.process.wait(10)
        self.output.close()


class Emulated:
    """Links and runs kernels in a process in place of this one."""

    def __init__(self, process: Process, folder: Path) -> None:
        from graphdl.backends.native.compile import library
        from graphdl.backends.native.run import pool

        self.process, self.folder = process, folder
        self.code = process.map(CODE_BYTES)
        self.room, self.place = 0, 0
        self.workers, self.runs = 0, 0
        self.functions = self.link({"pool": library.compiled(pool.module())}, pool.NAMES)
        self.pool = process.map(8 * pool.WORDS)
        self.job = self.pool + 8 * pool.JOB
        self.row = pool.ROW

    def link(self, objects: Mapping[str, bytes], names: Any = None) -> dict[str, int]:
        """Bring object code into the process; where its functions are."""
        for number, content in enumerate(objects.values()):
            (self.folder / f"{number}.o").write_bytes(content)
        known = "\n".join(f"{name} = {at};" for name, at in self.process.known.items())
        script = SCRIPT.format(known=known, start=self.code)
        (self.folder / "script").write_text(script)
        files = [f"{number}.o" for number in range(len(objects))]
        self._tool("ld", "-T", "script", "-e", "0", "-o", "linked", *files)
        self._tool("objcopy", "-O", "binary", "linked", "image")
        table = self._tool("nm", "linked")
        image = (self.folder / "image").read_bytes()
        self.process.write(self.code, image)
        self.code += -(-len(image) // mmap.PAGESIZE) * mmap.PAGESIZE
        found = {name: int(at, 16) for at, name in re.findall(r"(\w+) T (\w+)", table)}
        return {name: found[name] for name in names or objects}

    def _tool(self, tool: str, *args: str) -> str:
        done = subprocess.run(
            [TOOLS + tool, *args], cwd=self.folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def run(self, table: Any) -> bool:
        """Run a table once, in place of `Table.run`."""
        if table.threads > 1:
            return self._run(table, "graphdl_start", table.threads) == 0
        return self._run(table, "graphdl_alone", 1) == 0

    def repeat(self, table: Any, times: int) -> int:
        """Run a table so many times, in place of `Table.repeat`."""
        return self._run(table, "graphdl_repeat", table.threads, times)

    def _run(self, table: Any, function: str, threads: int, *more: int) -> int:
        self.runs += 1
        blocks = Blocks([*table.memory, *table.rows])
        if blocks.size > self.room:
            self.room, self.place = blocks.size, self.process.map(blocks.size)
        moved = self._moved(table, blocks)
        for address, count, offset in blocks.all:
            content = moved.get(address) or ctypes.string_at(address, count)
            self.process.write(self.place + offset, content)
        address = self.place + blocks.offset(table.address)
        args = (self.pool, address, len(table.rows[0]), self._hired(threads), *more)
        if function == "graphdl_alone":
            args = (self.place + blocks.offset(table.order),)
        result = self.process.call(self.functions[function], *args)
        for address, count, offset in blocks.all:
            if address not in moved:
                ctypes.memmove(address, self.process.read(self.place + offset, count), count)
        return result

    def _moved(self, table: Any, blocks: Blocks) -> dict[int, bytes]:
        """What says where things are, with addresses of the process, by its address here."""
        rows, numbers, order = (array.copy() for array in table.rows)
        rows[:, 1] = [self.place + blocks.offset(int(at)) for at in rows[:, 1]]
        rows[:, 3] = [self.place + blocks.offset(int(at)) for at in rows[:, 3]]
        order[0] = self.place + blocks.offset(table.address)
        start = 0
        for call in table.ran:
            for place in call.places:
                numbers[start + place] = self.place + blocks.offset(call.numbers[place])
            start += len(call.numbers)
        return {
            old.__array_interface__["data"][0]: new.tobytes()
            for old, new in zip(table.rows, (rows, numbers, order), strict=True)
            if old.size
        }

    def _hired(self, threads: int) -> int:
        """How many threads there are, at least so many if more than one is wanted."""
        if threads == 1:
            return 1
        while self.workers < threads - 1:
            self.workers += 1
            (job,) = struct.unpack("q", self.process.read(self.job, 8))
            work = self.functions["graphdl_work"], self.pool, self.workers, job
            assert self.process.call(self.process.known["hire"], *work) == 0
        return self.workers + 1


class Blocks:
    """Stretches of memory that do not overlap, and where each would be if they were together.

    all     the address, bytes and new place of each
    """

    def __init__(self, arrays: list[Any]) -> None:
        roots = [_root(array) for array in arrays]
        found = sorted({(r.__array_interface__["data"][0], r.nbytes) for r in roots})
        joined: list[tuple[int, int]] = []
        for start, count in found:
            if joined and start < sum(joined[-1]):
                before, held = joined.pop()
                joined.append((before, max(held, start + count - before)))
            else:
                joined.append((start, count))
        self.all: list[tuple[int, int, int]] = []
        self.size = LINE
        for start, count in joined:
            self.size += (start - self.size) % LINE
            self.all.append((start, count, self.size))
            self.size += count + LINE
        self.starts = [start for start, _, _ in self.all]

    def offset(self, address: int) -> int:
        """The new place of an address."""
        start, count, offset = self.all[bisect_right(self.starts, address) - 1]
        assert 0 <= address - start <= count, "an address of memory that is not held"
        return offset + address - start


def _root(array: Any) -> Any:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


@pytest.fixture(scope="session")
def emulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulated]:
    """A process of an AArch64 processor, with the pool's functions in it."""
    emulator = shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")
    if emulator is None or shutil.which(f"{TOOLS}gcc") is None:
        pytest.skip("qemu-aarch64 or aarch64-linux-gnu-gcc is not installed")
    other = machine()
    folder = tmp_path_factory.mktemp("emulated")
    source = Path(__file__).with_name("server.c")
    command = [f"{TOOLS}gcc", "-O1", "-static", "-o", "server", str(source), "-lm", "-pthread"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no C library for AArch64: {done.stderr[-200:]}")
    from graphdl.backends.native.emit.machine import made_for

    process = Process(emulator, folder / "server")
    with made_for(other):
        found = Emulated(process, folder)
    yield found
    process.close()


@pytest.fixture
def runs(emulated: Emulated, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], int]]:
    """Generated kernels are those of the other processor, and run there."""
    from graphdl.backends.native.compile import library
    from graphdl.backends.native.emit.machine import made_for
    from graphdl.backends.native.schedule.kernel_table import Table

    monkeypatch.setattr(library, "link", emulated.link)
    monkeypatch.setattr(Table, "run", lambda table: emulated.run(table))
    monkeypatch.setattr(Table, "repeat", lambda table, times: emulated.repeat(table, times))
    monkeypatch.setenv("GRAPHDL_THREADS", "1")
    before = emulated.runs
    with made_for(machine()):
        yield lambda: emulated.runs - before


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Tests that take `row` run on the whole table of primitives."""
    if "row" in metafunc.fixturenames:
        rows = load("program", "conftest.py").ROWS
        metafunc.parametrize("row", [pytest.param(row, id=row.name) for row in rows])


@pytest.fixture
def other() -> Callable[..., ModuleType]:
    """A test file elsewhere, as a module."""
    return load
