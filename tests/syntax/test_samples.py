"""Every sample of the language parses, and the grammar holds in lark's strict mode."""

from __future__ import annotations

import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
from lark import Lark

from graphdl.syntax import parse, read
from graphdl.syntax.newlines import DropNewlines

SAMPLES = sorted((Path(__file__).parents[1] / "samples").glob("*.gdl"))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_a_sample_parses(path: Path) -> None:
    assert parse(read(path)).statements


def test_the_samples_are_here() -> None:
    assert len(SAMPLES) == 20


def test_the_grammar_has_no_conflict_in_strict_mode() -> None:
    pytest.importorskip("interegular")
    text = resources.files("graphdl.grammar").joinpath("gdl.lark").read_text("utf-8")
    strict = Lark(
        text,
        parser="lalr",
        lexer="contextual",
        postlex=DropNewlines(),
        start=["start", "expression"],
        strict=True,
    )
    assert strict.parse(SAMPLES[0].read_text("utf-8"), start="start")


def test_the_classes_of_the_tree_cost_no_parser() -> None:
    code = "import sys, graphdl.syntax; sys.exit('lark' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
