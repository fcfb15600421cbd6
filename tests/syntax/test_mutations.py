"""Random changes to the samples give a tree or diagnostics, never anything else.

GRAPHDL_EXAMPLES=10000 makes it a long run.
"""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from graphdl.errors import ModelError, Source, render
from graphdl.syntax import parse
from graphdl.syntax.spellings import FOREIGN, SPELLINGS
from graphdl.syntax.tokens import HARD_WORDS, STATEMENT_WORDS, scan

EXAMPLES = int(os.environ.get("GRAPHDL_EXAMPLES", "150"))
SAMPLES = [p.read_text("utf-8") for p in sorted((Path(__file__).parents[1] / "samples").glob("*"))]
PIECES = sorted(
    {*SPELLINGS, *FOREIGN, *HARD_WORDS, *STATEMENT_WORDS, *"()[]{}+-*/^@.,:=<>\"'#\n\t\r\0 ", "->"}
    | {"..", "//", "==", "x", "1", "0.5", "1.", "\n\n", "\r\n", "relu", "\u00e9", "\ufeff"}
)


@st.composite
def mutated(draw: st.DrawFn) -> str:
    text = draw(st.sampled_from(SAMPLES))
    for _ in range(draw(st.integers(1, 6))):
        tokens = scan(text)
        i, j = sorted(draw(st.lists(st.integers(0, len(tokens) - 1), min_size=2, max_size=2)))
        a, b = tokens[i], tokens[j]
        kind = draw(st.sampled_from(["insert", "delete", "replace", "swap", "copy", "cut"]))
        piece = draw(st.sampled_from(PIECES) | st.text(max_size=3))
        if kind == "insert":
            text = text[: a.start] + piece + text[a.start :]
        elif kind == "delete":
            text = text[: a.start] + text[a.end :]
        elif kind == "replace":
            text = text[: a.start] + piece + text[a.end :]
        elif kind == "swap" and i != j:
            first, second = text[a.start : a.end], text[b.start : b.end]
            text = text[: a.start] + second + text[a.end : b.start] + first + text[b.end :]
        elif kind == "copy":
            text = text[: b.end] + text[a.start : b.end] + text[b.end :]
        else:
            text = text[: a.start] + text[b.start :]
    return text


def complaints(text: str) -> list[str]:
    """The codes of what is said about a text, each rendered once."""
    try:
        parse(Source("text", text))
    except ModelError as error:
        return [d.code for d in error.diagnostics if render(d)] or ["nothing was said"]
    return []


@given(mutated())
@settings(max_examples=EXAMPLES, deadline=None)
def test_a_mutated_sample(text: str) -> None:
    assert all(code.startswith("E01") for code in complaints(text))


@given(st.text(max_size=60) | st.lists(st.sampled_from(PIECES)).map("".join))
@settings(max_examples=EXAMPLES, deadline=None)
def test_any_text(text: str) -> None:
    assert all(code.startswith("E01") for code in complaints(text))
