"""How diagnostics look: as text with carets, as JSON, for GitHub."""

from __future__ import annotations

import json

import pytest

from graphdl.errors import (
    Diagnostic,
    Label,
    ModelError,
    Source,
    Span,
    render,
    render_github,
    render_json,
)

LENET = Source(
    "lenet.gdl",
    "\n\n\n\n\n\n  -> conv(50, 5) -> relu -> max_pool(2)\n  # half\n  -> linear(500)\n",
)


def find(source: Source, text: str, end: str = "") -> Span:
    start = source.text.index(text)
    stop = source.text.index(end, start) + len(end) if end else start + len(text)
    return Span(source, start, stop)


def in_line(text: str, primary: str, *secondary: str, name: str = "m.gdl") -> str:
    """The rendered middle of a diagnostic whose labels are words of a text."""
    source = Source(name, text)
    also = tuple(Label(find(source, word), f"about {word}") for word in secondary)
    found = Diagnostic("E0100", "no", Label(find(source, primary), "here"), also)
    return render(found).split("\n   |\n", 1)[1]


def test_the_form_of_the_language_reference() -> None:
    found = Diagnostic(
        "E0401",
        "`linear` cannot take an image",
        Label(find(LENET, "linear(500)"), "wants [n] or [T, n]"),
        (Label(find(LENET, "max_pool(2)"), "this is [50, 4, 4]"),),
        hints=("put `-> flatten` before it; the vector will have 800 numbers",),
    )
    assert render(found) == (
        "error[E0401]: `linear` cannot take an image\n"
        "  --> lenet.gdl:9:6\n"
        "   |\n"
        " 7 |   -> conv(50, 5) -> relu -> max_pool(2)\n"
        "   |                             ----------- this is [50, 4, 4]\n"
        " 9 |   -> linear(500)\n"
        "   |      ^^^^^^^^^^^ wants [n] or [T, n]\n"
        "   = hint: put `-> flatten` before it; the vector will have 800 numbers"
    )


LINES = {
    "one label": ("y = x", ("x",), " 1 | y = x\n   |     ^ here"),
    "two labels on a line": (
        "main + skip",
        ("skip", "main"),
        " 1 | main + skip\n   | ----   ^^^^ here\n   | |\n   | about main",
    ),
    "three labels on a line": (
        "a + b + c",
        ("c", "a", "b"),
        " 1 | a + b + c\n   | -   -   ^ here\n   | |   |\n   | |   about b\n   | about a",
    ),
    "the primary label to the left": (
        "main + skip",
        ("main", "skip"),
        " 1 | main + skip\n   | ^^^^   ---- about skip\n   | |\n   | here",
    ),
    "a label inside another": (
        "f(x)",
        ("x", "f(x)"),
        " 1 | f(x)\n   | --^- here\n   | |\n   | about f(x)",
    ),
    "lines far apart": (
        "a\n\n\n\nb",
        ("b", "a"),
        " 1 | a\n   | - about a\n...\n 5 | b\n   | ^ here",
    ),
    "lines with little between": (
        "a\n\n\nb",
        ("b", "a"),
        " 1 | a\n   | - about a\n 4 | b\n   | ^ here",
    ),
    "a span over lines": ("y = f(\n1)", ("f(\n1)",), " 1 | y = f(\n   |     ^^ here"),
    "tabs": ("\ty\t= x", ("x",), " 1 |     y   = x\n   |           ^ here"),
    "wide letters": (
        'a = "\u65e5\u672c" + b',
        ("b",),
        ' 1 | a = "\u65e5\u672c" + b\n   |              ^ here',
    ),
    "an escape sequence": ("a \x1b[31m b", ("b",), " 1 | a \u00b7[31m b\n   |         ^ here"),
    "a Windows line end": ("y = x\r\nz", ("x",), " 1 | y = x\n   |     ^ here"),
}


@pytest.mark.parametrize("name", LINES)
def test_source_lines(name: str) -> None:
    text, labels, drawn = LINES[name]
    assert in_line(text, *labels) == drawn


def test_a_long_line_is_cut_around_the_caret() -> None:
    lines = in_line("a + " * 100 + "WRONG" + " + b" * 100, "WRONG").split("\n")
    assert all(len(line) < 120 for line in lines)
    assert " | ...+ a + " in lines[0]
    assert lines[0].endswith("...")
    assert lines[0].index("WRONG") == lines[1].index("^^^^^")


@pytest.mark.parametrize("letter", ["a", "\u65e5", "\t", "e\u0301"])
@pytest.mark.parametrize("length", [20, 60, 100, 101, 140, 300])
def test_the_end_of_a_line_can_be_marked_however_long_it_is(letter: str, length: int) -> None:
    text = letter * length
    for start in (0, len(text) // 2, len(text) - 1, len(text)):
        found = Diagnostic("E0100", "no", Label(Span(Source("m", text), start, start + 1)))
        assert "^" in render(found)


@pytest.mark.parametrize(
    ("text", "start", "end"), [("a\n", 2, 2), ("", 0, 0), ("", 0, 1), ("ab", 1, 1), ("ab", 2, 9)]
)
def test_a_span_without_characters_still_has_a_caret(text: str, start: int, end: int) -> None:
    found = Diagnostic("E0100", "no", Label(Span(Source("m", text), start, end)))
    assert render(found).count("^") == 1


def test_labels_in_two_files_have_an_arrow_each() -> None:
    block = Source("b.gdl", "\n" * 11 + "block x -> f { x }")
    found = Diagnostic(
        "W0301",
        "unused",
        Label(find(LENET, "relu"), "here"),
        (Label(find(block, "f"), "defined here"),),
        ("a note",),
        ("one", "two\nlines"),
    )
    assert render(found) == (
        "warning[W0301]: unused\n"
        "   --> lenet.gdl:7:21\n"
        "    |\n"
        "  7 |   -> conv(50, 5) -> relu -> max_pool(2)\n"
        "    |                     ^^^^ here\n"
        "   --> b.gdl:12:12\n"
        "    |\n"
        " 12 | block x -> f { x }\n"
        "    |            - defined here\n"
        "    = note: a note\n"
        "    = hint: one\n"
        "    = hint: two\n"
        "            lines"
    )


def test_a_diagnostic_without_a_place() -> None:
    assert render(Diagnostic("E0502", "no", hints=("yes",))) == "error[E0502]: no\n   = hint: yes"


def test_several_diagnostics_make_one_exception() -> None:
    error = ModelError(Diagnostic("E0100", "a"), Diagnostic("E0101", "b"))
    assert str(error) == "error[E0100]: a\n\nerror[E0101]: b"


def test_json() -> None:
    also = (Label(find(LENET, "relu"), "and"),)
    found = Diagnostic("E0401", "no", Label(find(LENET, "linear", ")\n"), "x"), also, (), ("h",))
    place = {"file": "lenet.gdl", "line": 9, "column": 6, "end_line": 10, "end_column": 1}
    second = {"file": "lenet.gdl", "line": 7, "column": 21, "end_line": 7, "end_column": 25}
    assert json.loads(json.dumps(render_json(found))) == {
        "code": "E0401",
        "severity": "error",
        "message": "no",
        **place,
        "labels": [
            {**place, "text": "x", "primary": True},
            {**second, "text": "and", "primary": False},
        ],
        "notes": [],
        "hints": ["h"],
    }
    assert render_json(Diagnostic("W0301", "no"))["line"] is None


@pytest.mark.parametrize(
    ("diagnostic", "line"),
    [
        (
            Diagnostic("E0401", "100%\nno", Label(find(LENET, "relu")), hints=("yes",)),
            "::error file=lenet.gdl,line=7,col=21,title=E0401::100%25%0Ano%0Ahint: yes",
        ),
        (
            Diagnostic("W0301", "no", Label(Span(Source("a,b:c.gdl", "x"), 0, 1))),
            "::warning file=a%2Cb%3Ac.gdl,line=1,col=1,title=W0301::no",
        ),
        (Diagnostic("E0502", "no"), "::error title=E0502::no"),
    ],
)
def test_github(diagnostic: Diagnostic, line: str) -> None:
    assert render_github(diagnostic) == line
