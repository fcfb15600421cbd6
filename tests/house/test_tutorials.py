"""The tutorials: their models check, their Python runs, their commands have these options."""

from __future__ import annotations

import importlib
import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest

import graphdl as gdl
from graphdl.checking import path_of

FOLDER = Path(__file__).parents[2] / "docs" / "tutorials"
PAGES = sorted(FOLDER.glob("*.md"))
COMMANDS: Any = importlib.import_module("graphdl.cli").main
# Written by the reader as the page says.
OWN = {"cell.gdl", "shape.gdl"}


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), flags=re.M | re.S)


def commands(page: Path) -> list[str]:
    text = "".join(blocks(page, "console")).replace("\\\n", " ")
    inline = re.findall(r"`(graphdl [^`]*)`", re.sub(r"^```.*?^```", "", page.read_text("utf-8"),
                                                     flags=re.M | re.S))  # fmt: skip
    lines = [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]
    return [line for line in [*lines, *inline] if line.startswith("graphdl ")]


def cases(language: str) -> list[Any]:
    return [
        pytest.param(page, block, id=f"{page.stem}-{number}")
        for page in PAGES
        for number, block in enumerate(blocks(page, language), 1)
    ]


def test_every_page_is_in_the_index() -> None:
    index = (FOLDER / "README.md").read_text("utf-8")
    assert [p.name for p in PAGES if p.name != "README.md" and f"({p.name})" not in index] == []


@pytest.mark.parametrize(("page", "text"), cases("gdl"))
def test_models_check(page: Path, text: str) -> None:
    assert [d.message for d in gdl.check(text) if d.is_error] == [], page


@pytest.mark.parametrize(("page", "text"), cases("gdl wrong"))
def test_wrong_models_are_wrong(page: Path, text: str) -> None:
    assert any(d.is_error for d in gdl.check(text)), page


@pytest.mark.parametrize(("page", "text"), cases("python"))
def test_python_runs(
    page: Path, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(text, str(page), "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize(
    ("page", "line"), [pytest.param(p, c, id=c) for p in PAGES for c in commands(p)]
)
def test_commands_can_be_given(page: Path, line: str) -> None:
    words = shlex.split(line, comments=True)
    command = COMMANDS.get_command(click.Context(COMMANDS), words[1])
    assert command is not None, page
    if "FILE" in words:
        return
    given, rest, _ = command.make_parser(click.Context(command)).parse_args(words[2:])
    assert rest == []
    file = given.get("file")
    if isinstance(file, str) and file not in OWN:
        assert path_of(file).exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8"))
    assert [t for t in targets if "://" not in t and not (FOLDER / t).exists()] == []
