"""Files stay small, functions short, names telling."""

from __future__ import annotations

import ast
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ("graphdl", "cli", "grammar", "models", "examples", "benchmarks", "tests")
DRAWERS = {"utils", "util", "helpers", "helper", "common", "types", "misc"}


def python_files(*folders: str) -> list[Path]:
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


def lines(file: Path) -> int:
    return len(file.read_text("utf-8").splitlines())


def functions(file: Path) -> Iterator[tuple[str, int]]:
    """Each function as `file:line name` and its length without the docstring."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            first = node.body[0]
            if ast.get_docstring(node) and first.end_lineno:
                length -= first.end_lineno - first.lineno + 1
            yield f"{file.relative_to(ROOT)}:{node.lineno} {node.name}", length


def test_no_file_over_400_lines() -> None:
    texts = [*python_files(*CODE), *(ROOT / "graphdl" / "prelude").glob("*.gdl")]
    texts += (ROOT / "grammar").glob("*.lark")
    assert [f"{f.relative_to(ROOT)}: {lines(f)}" for f in texts if lines(f) > 400] == []


def test_the_median_file_is_short() -> None:
    assert statistics.median(lines(f) for f in python_files("graphdl", "cli")) <= 150


def test_no_function_over_60_lines() -> None:
    long = [
        f"{where}: {length}"
        for file in python_files(*CODE)
        for where, length in functions(file)
        if length > 60
    ]
    assert long == []


def test_no_file_is_a_drawer() -> None:
    named = [f for f in python_files(*CODE) if f.stem in DRAWERS or f.parent.name in DRAWERS]
    assert [str(f.relative_to(ROOT)) for f in named] == []


def test_every_module_says_its_place() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for file in python_files("graphdl", "cli", "grammar", "models", "examples", "benchmarks")
        if not ast.get_docstring(ast.parse(file.read_text("utf-8")))
    ]
    assert silent == []


def test_test_files_have_names_of_their_own() -> None:
    stems = [file.stem for file in python_files("tests") if file.stem.startswith("test_")]
    assert sorted(stems) == sorted(set(stems))


def test_the_repository_holds_no_large_file() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    names = [name for name in listed.stdout.split("\0") if name]
    large = [n for n in names if (ROOT / n).exists() and (ROOT / n).stat().st_size > 500_000]
    assert large == []
