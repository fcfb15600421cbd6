"""Source lines with carets: the middle part of a rendered diagnostic."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from .diagnostic import Label
from .escape import escaped
from .span import Source

TAB = 4
WIDEST = 100
MARGIN = 30  # columns kept before the first caret when a long line is cut
HIDDEN = 2  # more lines than this left out between two shown ones are worth a `...`


@dataclass(frozen=True, slots=True)
class Mark:
    """A label on one line: screen columns `start` to `end`, `^` or `-`, and its words."""

    start: int
    end: int
    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    """A source line as screen cells, with its marks from left to right."""

    number: int
    cells: list[str]
    marks: tuple[Mark, ...]


def printable(text: str) -> str:
    """The text with everything that could steer a terminal replaced."""
    return "".join(c if c.isprintable() else "\N{MIDDLE DOT}" for c in text)


def draw(source: Source, labels: Sequence[tuple[Label, str]], gutter: int) -> list[str]:
    """The numbered lines of one source that hold labels, each label with its sign `^` or `-`."""
    lines = list(_lines(source, labels))
    bar = " " * (gutter + 2) + "|"
    drawn = [bar]
    for before, line in pairwise([None, *lines]):
        assert line is not None
        if before and line.number - before.number - 1 > HIDDEN:
            drawn.append("...")
        drawn.append(f" {line.number:>{gutter}} | {''.join(line.cells)}".rstrip())
        drawn += [f"{bar} {row}".rstrip() for row in _rows(line.marks)]
    return drawn


def _lines(source: Source, labels: Sequence[tuple[Label, str]]) -> Iterator[Line]:
    in_order = sorted(labels, key=lambda pair: (pair[0].span.start, pair[0].span.end))
    for number, group in groupby(in_order, key=lambda pair: pair[0].span.line):
        yield _cut(_line(source, number, list(group)))


def _line(source: Source, number: int, labels: list[tuple[Label, str]]) -> Line:
    first = labels[0][0].span
    begin = first.start - (first.column - 1)
    stop = source.text.find("\n", begin)
    raw = source.text[begin : stop if stop >= 0 else None].removesuffix("\r")
    cells, columns = _expand(raw)
    marks = []
    for label, sign in labels:
        start = min(label.span.start - begin, len(raw))
        end = min(label.span.end - begin, len(raw.rstrip()))
        left = columns[start]
        marks.append(Mark(left, max(columns[max(end, start)], left + 1), sign, label.text))
    return Line(number, cells, tuple(marks))


def _expand(raw: str) -> tuple[list[str], list[int]]:
    """The line as screen cells, and the column of each character and of the end."""
    cells: list[str] = []
    columns = [0]
    for character in raw:
        if character == "\t":
            cells += " " * (TAB - len(cells) % TAB)
        elif unicodedata.combining(character) and cells:
            cells[-1] += character
        else:
            wide = unicodedata.east_asian_width(character) in "WF"
            cells += [printable(character), ""] if wide else printable(character)
        columns.append(len(cells))
    return cells, columns


def _cut(line: Line) -> Line:
    """A long line is shown around its first primary mark only."""
    length = len(line.cells)
    if length <= WIDEST:
        return line
    focus = min(line.marks, key=lambda mark: (mark.sign != "^", mark.start)).start
    low = max(0, min(focus - MARGIN, length - WIDEST))
    high = low + WIDEST
    before, after = ["."] * 3 * (low > 0), ["."] * 3 * (high < length)
    shift = len(before) - low
    marks = tuple(
        Mark(max(m.start, low) + shift, min(m.end, high + 1) + shift, m.sign, m.text)
        for m in line.marks
        if m.start <= high and m.end > low
    )
    return Line(line.number, before + line.cells[low:high] + after, marks)


def _rows(marks: Sequence[Mark]) -> list[str]:
    """The row of carets, the last label's words beside it, those of the others below."""
    rows = [_underline(marks)]
    below = [mark for mark in marks[:-1] if mark.text]
    if marks[-1].text:
        rows[0] += " " + escaped(marks[-1].text)
    if below:
        rows.append(_bars(below))
    while below:
        mark = below.pop()
        left = [other for other in below if other.start < mark.start]
        rows.append(_bars(left).ljust(mark.start) + escaped(mark.text))
    return rows


def _underline(marks: Sequence[Mark]) -> str:
    row = [" "] * max(mark.end for mark in marks)
    # carets last: where a primary and a secondary label overlap, the primary one is seen
    for mark in sorted(marks, key=lambda mark: mark.sign == "^"):
        row[mark.start : mark.end] = mark.sign * (mark.end - mark.start)
    return "".join(row)


def _bars(marks: Sequence[Mark]) -> str:
    row = [" "] * max((mark.start + 1 for mark in marks), default=0)
    for mark in marks:
        row[mark.start] = "|"
    return "".join(row)
