"""Kernels on disk: shared, checked, and never a reason to stop."""

from __future__ import annotations

import ast
import gc
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import graphdl as gdl

SCRIPT = """
import numpy as np, graphdl as gdl
text = "input x[3]\\ntarget y: int(2)\\nloss = x -> linear(2) -> softmax -> nll(y)"
net = gdl.compile(text, backend="native")
for _ in range(3):
    print(float(net.step(x=np.ones((4, 3)), y=[0, 1, 0, 1])))
from graphdl.backends.native.compile import library
print("compiled", sorted(n.split("_")[0] for n in library.COMPILED))
"""


def run(cache: Path, **more: str) -> tuple[list[str], str]:
    """The losses of a few steps, and what was compiled for them."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), **more}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, env=environment, check=True
    )
    *losses, compiled = done.stdout.splitlines()
    return losses, compiled


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str], str]:
    """A cache after its first process, and what that said."""
    folder = tmp_path_factory.mktemp("cache")
    return folder, *run(folder)


@pytest.fixture
def cache(first: tuple[Path, list[str], str], tmp_path: Path) -> Path:
    """A copy of that cache."""
    return shutil.copytree(first[0], tmp_path / "cache")


def test_a_second_process_compiles_nothing(first: Any, cache: Path) -> None:
    _, losses, compiled = first
    assert "tile" in compiled
    assert run(cache) == (losses, "compiled []")


def test_broken_files_are_made_anew(first: Any, cache: Path) -> None:
    kept = sorted((cache / "graphdl" / "kernels").glob("*.o"))
    assert kept
    for number, path in enumerate(kept):
        whole = path.read_bytes()
        path.write_bytes([b"", whole[:100], whole[:-1] + b"x"][number % 3])
    _, losses, compiled = first
    assert run(cache) == (losses, compiled)
    assert run(cache) == (losses, "compiled []")


def rewritten(change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    """Other code in a file, with the checksum that goes with it."""

    def write(path: Path) -> None:
        code = change(path.read_bytes()[32:])
        path.write_bytes(hashlib.sha256(code).digest() + code)

    return write


def replaced(make: Callable[[Path], object]) -> Callable[[Path], None]:
    """Something else in the place of a file."""

    def put(path: Path) -> None:
        path.unlink()
        make(path)

    return put


def linked_to_itself(path: Path) -> None:
    """A file that is reached through a link only, as anybody may have made one."""
    path.rename(path.with_suffix(".there"))
    path.symlink_to(path.with_suffix(".there"))


STRANGE: dict[str, Callable[[Path], object]] = {
    "empty code": rewritten(lambda code: code[:0]),
    "half the code": rewritten(lambda code: code[: len(code) // 2]),
    "no code at all": rewritten(lambda code: b"x" * len(code)),
    "of another processor": rewritten(lambda code: code[:18] + b"\xf3\x00" + code[20:]),
    "another kernel": rewritten(lambda code: code.replace(b"_", b"-")),
    "a folder": replaced(Path.mkdir),
    "a pipe": replaced(os.mkfifo),
    "a link to a device": replaced(lambda path: path.symlink_to("/dev/zero")),
    "a link": linked_to_itself,
    "others may write": lambda path: path.chmod(0o666),
    "a group may write": lambda path: path.chmod(0o620),
}


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no owners of files here")
@pytest.mark.parametrize("turn", range(2))
def test_files_that_are_not_ours_or_do_not_link(first: Any, cache: Path, turn: int) -> None:
    kept = sorted((cache / "graphdl" / "kernels").glob("*.o"))
    makers = list(STRANGE.values())
    for place, path in enumerate(kept):
        makers[(turn * len(kept) + place) % len(makers)](path)
    assert len(kept) * 2 >= len(makers)
    _, losses, compiled = first
    again, anew = run(cache)
    assert again == losses
    # What is whole and does not link takes the others with it, so some are compiled twice.
    assert set(anew.split("'")) == set(compiled.split("'"))


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root gives away")
@pytest.mark.parametrize("part", ["graphdl", "graphdl/kernels", "graphdl/kernels/*.o"])
def test_what_somebody_else_owns_is_not_run(first: Any, cache: Path, part: str) -> None:
    for path in cache.glob(part):
        os.chown(path, 65534, 65534)
    assert run(cache) == first[1:]


def test_what_killed_processes_left_is_removed(cache: Path) -> None:
    folder = cache / "graphdl" / "kernels"
    old, new = folder / ".writing-0", folder / ".writing-1"
    next(folder.glob("*.o")).unlink()
    for path, age in ((old, 7200), (new, 60), (folder / "tmpabc", 7200)):
        path.write_bytes(b"half")
        os.utime(path, (time.time() - age,) * 2)
    run(cache)
    assert [path.name for path in folder.iterdir() if path.suffix != ".o"] == [".writing-1"]


def test_a_cache_that_cannot_be_made(first: Any, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert run(file) == first[1:]


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no owners of files here")
def test_a_cache_that_others_may_write_is_not_read(first: Any, cache: Path) -> None:
    for part in ("graphdl/kernels", "graphdl"):
        (cache / part).chmod(0o777)
        assert run(cache) == first[1:]
        (cache / part).chmod(0o700)


def test_two_processes_at_once(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True, env=environment
        )
        for _ in range(2)
    ]
    outputs = [process.communicate()[0].splitlines()[:3] for process in both]
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) == 3
    assert run(tmp_path)[1] == "compiled []"


def test_a_plain_processor(first: Any, tmp_path: Path) -> None:
    """Kernels for a processor without wide vectors run here too, and agree."""
    losses = first[1]
    plain, compiled = run(tmp_path, GRAPHDL_CPU="x86-64" if os.uname().machine == "x86_64" else "")
    assert [round(float(a), 6) for a in plain] == [round(float(a), 6) for a in losses]
    assert "tile" in compiled


def test_a_child_process_has_threads_of_its_own(cache: Path) -> None:
    script = """
import os, numpy as np, graphdl as gdl
text = "input x[300]\\ntarget y: int(2)\\nloss = x -> linear(2) -> softmax -> nll(y)"
net = gdl.compile(text, backend="native")
x, y = np.ones((200, 300)), [0, 1] * 100
net.step(x=x, y=y)
child = os.fork()
if not child:
    net.step(x=x, y=y)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "GRAPHDL_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == "0"


def test_threads_that_compile_at_once(tmp_path: Path) -> None:
    script = """
import threading, numpy as np, graphdl as gdl
text = "input x[{}]\\ntarget y: int(2)\\nloss = x -> linear(40) -> linear(2) -> softmax -> nll(y)"
nets = [gdl.compile(text.format(300 + n % 2), backend="native") for n in range(6)]
start, losses = threading.Barrier(6), [0.0] * 6
def train(n):
    start.wait()
    for _ in range(3):
        losses[n] = float(nets[n].step(x=np.ones((200, 300 + n % 2)), y=[0, 1] * 100))
threads = [threading.Thread(target=train, args=(n,)) for n in range(6)]
for each in threads:
    each.start()
for each in threads:
    each.join()
from graphdl.backends.native.run.workers import Pool
print(len(set(losses)), Pool.ours().workers)
"""
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path), "GRAPHDL_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=120
    )
    # Two kinds of networks, and one pool with one worker.
    assert (done.stdout.strip(), done.stderr) == ("2 1", "")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_waits_for_a_thread_that_compiles(tmp_path: Path) -> None:
    script = """
import os, signal, threading, time, graphdl as gdl
from graphdl.backends.native.compile import library
text = "input x[{}]\\ntarget y: int(2)\\nloss = x -> linear(2) -> softmax -> nll(y)"
def step(size):
    net = gdl.compile(text.format(size), backend="native")
    net.step(**net.blank(5))
step(5)
compiling = threading.Event()
def slow(plain=library.compiled):
    def compiled(text):
        compiling.set()
        time.sleep(0.3)
        return plain(text)
    return compiled
plain, library.compiled = library.compiled, slow()
thread = threading.Thread(target=step, args=(6,))
thread.start()
compiling.wait()
child = os.fork()
if not child:
    signal.alarm(30)
    library.compiled = plain
    step(7)
    os._exit(0)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
thread.join()
"""
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=120
    )
    assert (done.stdout.strip(), done.stderr) == ("0", "")


def test_linking_can_be_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    import llvmlite.binding as llvm

    net = gdl.compile("input x[53]\nloss = x -> linear(47) -> sum(0) -> mean", backend="native")
    plain = llvm.JITLibraryBuilder.link

    def interrupted(*args: Any) -> Any:
        plain(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(llvm.JITLibraryBuilder, "link", interrupted)
    with pytest.raises(KeyboardInterrupt):
        net.step(**net.blank(3))
    monkeypatch.undo()
    assert np.isfinite(net.step(**net.blank(3)))


def test_a_name_holds_all_sources_that_a_kernel_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    from graphdl.backends import native
    from graphdl.backends.native.compile import library
    from graphdl.backends.native.emit.machine import this_machine

    plain, read = Path.read_bytes, set()

    def noted(path: Path) -> bytes:
        read.add(path)
        return plain(path)

    monkeypatch.setattr(Path, "read_bytes", noted)
    library._origin.__wrapped__(this_machine())
    rooms = set(Path(native.__path__[0]).rglob("*.py"))
    taken = {file for room in rooms for file in constants_of(room)}
    assert len(taken - rooms) > 1
    assert rooms | taken <= read


def constants_of(file: Path) -> Iterator[Path]:
    """The modules that a file takes constants from."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if not isinstance(node, ast.ImportFrom) or not node.level or not node.module:
            continue
        if any(alias.name.isupper() for alias in node.names):
            whole = file.parents[node.level - 1].joinpath(*node.module.split("."))
            yield whole / "__init__.py" if whole.is_dir() else whole.with_suffix(".py")


def test_code_goes_with_its_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    from graphdl.backends.native.compile import library

    def trained(size: int) -> gdl.Network:
        text = (
            f"input x[{size}]\ntarget y: int(2)\ns = x -> linear(2)\nloss = s -> cross_entropy(y)"
        )
        net = gdl.compile(text, backend="native", seed=1)
        net.step(**net.blank(3))
        return net

    monkeypatch.setattr(library, "_recent", deque(maxlen=2))
    stays = trained(200)
    state = stays.state()
    gc.collect()
    before = len(library._linked)
    for size in range(201, 213):
        trained(size)
    gc.collect()
    # That of the last few, and of what they share with the first.
    assert len(library._linked) < before + 2 * 30
    again = trained(200)
    assert all(np.array_equal(again.state()[key], state[key]) for key in state)
    assert np.isfinite(stays.step(**stays.blank(3)))


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc here")
def test_many_different_models_stay_flat(tmp_path: Path) -> None:
    script = """
import collections, gc, os, graphdl as gdl
from graphdl.backends.native.compile import library
library._recent = collections.deque(maxlen=1)
def use(n):
    text = f"input x[{n}]\\ntarget y: int(3)\\ns = x -> linear(3)\\nloss = s -> cross_entropy(y)"
    net = gdl.compile(text, backend="native")
    net.step(**net.blank(2))
def now():
    gc.collect()
    with open("/proc/self/maps") as file:
        code = sum("r-x" in line for line in file)
    with open("/proc/self/statm") as file:
        pages = int(file.read().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20, code, len(os.listdir("/proc/self/fd"))
for n in range(3, 15):
    use(n)
before = now()
for n in [*range(3, 15)] * 12:
    use(n)
after = now()
print(*(b - a for a, b in zip(before, after)))
"""
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True
    )
    megabytes, code, files = map(int, done.stdout.split())
    assert megabytes < 20
    assert code < 20
    assert files == 0
