"""Imports go one way, and importing graphdl costs next to nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ORDER = (
    "errors",
    "limits",
    "files",
    "syntax",
    "program",
    "graph",
    "elaborate",
    "passes",
    "backends",
    "data",
    "engine",
    "draw",
    "checking",
    "network",
)
RANK = {name: rank for rank, name in enumerate(ORDER)}
# The rooms of graphdl/backends/native, held to an order of their own.
NATIVE = ROOT / "graphdl" / "backends" / "native"
NATIVE_ORDER = ("emit", "compile", "run", "kernels", "tiles", "choose", "schedule")
NATIVE_LINES = 2000  # of a room, so that one can be read in an evening
TOP = len(ORDER)  # graphdl/__init__.py and __main__.py see everything
FREE = {"grammar", "models", "prelude"}  # data with an __init__, read through importlib.resources

FRESH = """
import sys
before = set(sys.modules)
import {module}
new = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*sorted(new - set(sys.stdlib_module_names)))
"""


def modules_used(file: Path, package: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Line and dotted name of everything `file` imports, wherever in the file it does so."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            stem = (*base, *((node.module or "").split(".") if node.module else ()))
            yield from ((node.lineno, ".".join((*stem, alias.name))) for alias in node.names)


def room(dotted: str) -> str | None:
    """The folder (or top-level file) of graphdl that a dotted name lies in."""
    parts = dotted.split(".")
    return parts[1] if parts[0] == "graphdl" and len(parts) > 1 else None


def test_the_order_names_every_room() -> None:
    children = {p.stem for p in (ROOT / "graphdl").iterdir() if p.suffix == ".py" or p.is_dir()}
    assert children - {"__init__", "__main__", "__pycache__"} - FREE <= set(ORDER)


def test_imports_go_one_way() -> None:
    wrong = []
    for file in sorted((ROOT / "graphdl").rglob("*.py")):
        package = file.relative_to(ROOT).with_suffix("").parts[:-1]
        here = RANK.get((*package[1:], file.stem)[0], TOP)
        for line, name in modules_used(file, package):
            there = room(name)
            if there in RANK and RANK[there] > here:
                wrong.append(f"{file.relative_to(ROOT)}:{line} imports {name}")
    assert wrong == []


def test_the_native_order_names_every_room() -> None:
    rooms = {file.parent.name for file in NATIVE.glob("*/*.py")}
    assert rooms == set(NATIVE_ORDER)
    assert [file.name for file in NATIVE.glob("*.py")] == ["__init__.py"]


@pytest.mark.parametrize("room", NATIVE_ORDER)
def test_a_native_room_imports_only_those_before_it(room: str) -> None:
    stem = "graphdl.backends.native."
    files = sorted((NATIVE / room).glob("*.py"))
    used = {
        (f"{file.name}:{line}", name.removeprefix(stem).split(".")[0])
        for file in files
        for line, name in modules_used(file, file.relative_to(ROOT).parts[:-1])
        if name.startswith(stem)
    }
    later = NATIVE_ORDER[NATIVE_ORDER.index(room) + 1 :]
    assert sorted(each for each in used if each[1] in later) == []
    assert {name for _, name in used} <= set(NATIVE_ORDER)
    assert sum(len(file.read_text("utf-8").splitlines()) for file in files) < NATIVE_LINES


def test_nothing_in_the_library_imports_a_command() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in (ROOT / "graphdl").rglob("*.py")
        for line, name in modules_used(file, file.relative_to(ROOT).with_suffix("").parts[:-1])
        if name.startswith("graphdl.cli") or name.split(".")[0] in {"click", "cli"}
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("graphdl", {"graphdl"}),
        ("graphdl.errors", {"graphdl"}),
        ("graphdl.cli", {"graphdl", "click"}),
    ],
)
def test_what_a_fresh_import_loads(module: str, allowed: set[str]) -> None:
    run = subprocess.run(
        [sys.executable, "-c", FRESH.format(module=module)],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {name for name in run.stdout.split() if not name.startswith("__editable__")}
    assert loaded <= allowed


def test_every_public_name_exists() -> None:
    import graphdl

    assert graphdl.__all__ == sorted(graphdl.__all__)
    assert [name for name in graphdl.__all__ if not hasattr(graphdl, name)] == []
