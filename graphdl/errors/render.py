"""A diagnostic as a user reads it: text with carets, JSON, or a line for GitHub's review pages."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from .diagnostic import Diagnostic, Label
from .escape import escaped
from .snippet import draw
from .span import Span


def render(diagnostic: Diagnostic) -> str:
    """The text of one diagnostic, without a trailing newline."""
    places = _by_source(diagnostic)
    gutter = max((len(str(label.span.line)) for group in places for label, _ in group), default=1)
    lines = [f"{_severity(diagnostic)}[{diagnostic.code}]: {escaped(diagnostic.message)}"]
    for group in places:
        span = group[0][0].span
        name = escaped(span.source.name)
        lines.append(f"{' ' * (gutter + 1)}--> {name}:{span.line}:{span.column}")
        lines += draw(span.source, group, gutter)
    facts = [("note", note) for note in diagnostic.notes]
    facts += [("hint", hint) for hint in diagnostic.hints]
    lines += [_fact(" " * (gutter + 2), kind, text) for kind, text in facts]
    return "\n".join(lines)


def render_json(diagnostic: Diagnostic) -> dict[str, Any]:
    """The same facts for a program; `line` and `column` count from 1, the end is exclusive."""
    labels = [*_primary(diagnostic), *diagnostic.secondary]
    place = _place(labels[0].span) if labels else dict.fromkeys(_PLACE)
    return {
        "code": diagnostic.code,
        "severity": _severity(diagnostic),
        "message": diagnostic.message,
        **place,
        "labels": [
            {**_place(label.span), "text": label.text, "primary": label is diagnostic.primary}
            for label in labels
        ],
        "notes": list(diagnostic.notes),
        "hints": list(diagnostic.hints),
    }


def render_github(diagnostic: Diagnostic) -> str:
    """A workflow command that GitHub shows beside the line: `::error file=...,line=...::...`."""
    facts = {"title": diagnostic.code}
    if labels := [*_primary(diagnostic), *diagnostic.secondary]:
        place = _place(labels[0].span)
        facts = {"file": place["file"], "line": place["line"], "col": place["column"], **facts}
    properties = ",".join(f"{key}={_escape(str(text), ':,')}" for key, text in facts.items())
    words = [diagnostic.message, *(f"hint: {hint}" for hint in diagnostic.hints)]
    return f"::{_severity(diagnostic)} {properties}::{_escape(chr(10).join(words))}"


def _fact(margin: str, kind: str, text: str) -> str:
    head = f"{margin}= {kind}: "
    return head + ("\n" + " " * len(head)).join(map(escaped, text.split("\n")))


_PLACE = ("file", "line", "column", "end_line", "end_column")


def _place(span: Span) -> dict[str, Any]:
    end = span.source.place(span.end)
    return dict(zip(_PLACE, (span.source.name, span.line, span.column, *end), strict=True))


def _severity(diagnostic: Diagnostic) -> str:
    return "error" if diagnostic.is_error else "warning"


def _primary(diagnostic: Diagnostic) -> list[Label]:
    return [diagnostic.primary] if diagnostic.primary else []


def _by_source(diagnostic: Diagnostic) -> list[list[tuple[Label, str]]]:
    """Labels with their signs, one list per file, the primary label and its file first."""
    signed = [(label, "^") for label in _primary(diagnostic)]
    signed += [(label, "-") for label in diagnostic.secondary]
    order: dict[int, int] = {}
    for label, _ in signed:
        order.setdefault(id(label.span.source), len(order))
    signed.sort(key=lambda pair: order[id(pair[0].span.source)])
    return [list(group) for _, group in groupby(signed, key=lambda pair: id(pair[0].span.source))]


def _escape(text: str, more: str = "") -> str:
    for character in "%\r\n" + more:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
