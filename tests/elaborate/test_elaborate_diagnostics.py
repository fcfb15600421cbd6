"""Snapshots: a wrong model, what is said about it, and the model put right.

Set GRAPHDL_REWRITE=1 to write what is said now into the files, then read the difference.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

import graphdl
from graphdl.backends import memory_limit
from graphdl.errors import CODES, Diagnostic, ModelError, render

FOLDER = Path(__file__).parent / "diagnostics"
FILES = sorted(FOLDER.glob("*.txt"))
SECTION = re.compile(r"^=== (wrong|blocks\.gdl|set|says|right)\n", re.MULTILINE)
# Raised where they are tested: the text itself and its syntax (tests/syntax).
SYNTAX = {code for code in CODES if code.startswith("E01")} - {"E0112"}


def read_case(path: Path) -> dict[str, str]:
    parts = SECTION.split(path.read_text("utf-8"))
    return {
        name: text.removesuffix("\n") for name, text in zip(parts[1::2], parts[2::2], strict=True)
    }


def settings(text: str) -> dict[str, Any]:
    pairs = [part.split("=") for part in text.split()]
    return {name: float(value) if "." in value else int(value) for name, value in pairs}


def findings(**params: Any) -> list[Diagnostic]:
    """What is said about model.gdl: by checking, else by compiling it, or by its data."""
    path = Path("model.gdl")
    found = graphdl.check(path, **params)
    if not found:
        try:
            net = graphdl.compile(path, **params)
            if net.graph.losses:
                net.program("backward")
            if "data" in net.graph.settings:
                net.dataset()
        except ModelError as error:
            return list(error.diagnostics)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_mistake_is_explained(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = read_case(path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(memory_limit, "LIMIT", 16 * 2**30)
    if "blocks.gdl" in case:
        Path("blocks.gdl").write_text(case["blocks.gdl"], "utf-8")
    Path("model.gdl").write_text(case["wrong"], "utf-8")
    found = findings(**settings(case.get("set", "")))
    said = "\n\n".join(render(d) for d in found)
    if os.environ.get("GRAPHDL_REWRITE"):
        case["says"] = said
        path.write_text("".join(f"=== {key}\n{text}\n" for key, text in case.items()), "utf-8")
    assert said == case["says"]
    assert path.stem[:5] in {d.code for d in found}
    Path("model.gdl").write_text(case["right"], "utf-8")
    assert findings() == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_place_is_in_the_user_s_text(path: Path) -> None:
    case = read_case(path)
    assert "prelude/" not in case["says"]
    without_place = {"E0502_parameter", "E0502_none"}
    assert ("--> " in case["says"]) == (path.stem not in without_place)
    assert not re.search(r"= (hint|note):\s*$", case["says"], re.MULTILINE)


def test_every_code_raised_has_a_snapshot() -> None:
    package = Path(graphdl.__file__).parent
    sources = [*package.rglob("*.py"), *package.rglob("*.gdl")]
    raised = {
        code
        for source in sources
        if source.parent.name != "syntax" and source.name != "codes.py"
        for code in re.findall(r'"([EW]0[0-9]{3})\b', source.read_text("utf-8"))
    }
    shown = {path.stem[:5] for path in FILES}
    assert raised == shown
    assert shown | SYNTAX == set(CODES)
