"""No name and no text of a file steers a terminal: it is shown spelled out."""

from __future__ import annotations

import pytest

from graphdl.errors import (
    DataError,
    DivergedError,
    GdlError,
    ModelError,
    Source,
    Span,
    UsageError,
    did_you_mean,
    escaped,
)

SPELLED = [
    ("plain, ünïcode, 中文 and 😀", "plain, ünïcode, 中文 and 😀"),
    ("\x1b[2J\x1b]0;title\x07", r"\x1b[2J\x1b]0;title\x07"),
    ("a\rb\tc\nd\x00\x7f\x9b", r"a\rb\tc\nd\x00\x7f\x9b"),
    ("\u202etxt.exe\u2028", r"\u202etxt.exe\u2028"),
    ("name\udcff", r"name\udcff"),
]


@pytest.mark.parametrize(("text", "expected"), SPELLED)
def test_spelled_out(text: str, expected: str) -> None:
    assert escaped(text) == expected


@pytest.mark.parametrize("kind", [GdlError, UsageError, DataError, DivergedError])
@pytest.mark.parametrize(("text", "expected"), SPELLED)
def test_every_sentence(kind: type[GdlError], text: str, expected: str) -> None:
    assert str(kind(f"no `{text}`")) == f"no `{expected}`".replace(r"\n", "\n")


def test_every_part_of_a_diagnostic() -> None:
    source = Source("a\x1b.gdl", "x = \x1b[2J1\n")
    error = ModelError.at(
        Span(source, 0, 1), "E0201", "no \x1b", label="\x1b", hint="\x1b", note="\x1b"
    )
    assert str(error).splitlines() == [
        r"error[E0201]: no \x1b",
        r"  --> a\x1b.gdl:1:1",
        "   |",
        " 1 | x = ·[2J1",
        r"   | ^ \x1b",
        r"   = note: \x1b",
        r"   = hint: \x1b",
    ]


def test_a_suggestion() -> None:
    assert did_you_mean("labels", ["label\x1b"]) == r"did you mean `label\x1b`?"
