"""The rows of a table in a text file: its names, and its cells piece by piece."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import DataError
from .cells import MISSING, numeral
from .stream import Stream, opened, shown

CELLS, ROWS = 1 << 16, 32  # looked at together, at the least
BYTES = 4 << 20  # of text in one piece, unless a line alone has more
COLUMNS = 1 << 18
DELIMITERS = {";": ";", "\t": "\\t", "|": "|"}  # and how a model file writes them

Piece = tuple[list[int], list[list[str]]]


@dataclass(slots=True)
class Rows:
    """One file, read from the start by each call of `pieces`.

    header     whether the first line names the columns; None finds out
    names      of the columns, in order; one without a name is `column2`, after its place
    nameless   those whose name is only their place
    doubled    places of columns that are called the same, by what they are called
    first      the cells of the header, and `line` where it stands; nothing where there is none
    spare      whether every row ends in a delimiter that the header has not
    """

    path: Path
    delimiter: str | None = None
    encoding: str = "utf-8"
    header: bool | None = None
    decimal: str = "."
    names: list[str] = field(default_factory=list)
    nameless: set[str] = field(default_factory=set)
    doubled: dict[str, list[str]] = field(default_factory=dict)
    first: list[str] = field(default_factory=list)
    line: int = 0
    spare: bool = False

    @classmethod
    def of(cls, path: Path, options: dict[str, Any]) -> Rows:
        """A file as the options of a reader say."""
        delimiter = options.get("delimiter")
        if delimiter is None and ".tsv" in path.suffixes:
            delimiter = "\t"
        return cls(
            path,
            "\t" if delimiter == "\\t" else delimiter,
            options.get("encoding", "utf-8"),
            options.get("header"),
            options.get("decimal", "."),
        )

    def pieces(self) -> Iterator[Piece]:
        """Line numbers and cells of some rows after the other; at least one, or DataError."""
        with opened(self.path, self.encoding) as stream:
            text = (line for _, line in stream.lines())
            reader = csv.reader(
                text, delimiter=self.delimiter or ",", strict=True, skipinitialspace=True
            )
            try:
                yield from self._pieces(stream, reader)
            except csv.Error as error:
                stream.fail(f"line {reader.line_num}: {_trouble(error)}")

    def _pieces(self, stream: Stream, reader: Any) -> Iterator[Piece]:
        self.names, self.spare, width, begun = [], False, 0, 0
        lines: list[int] = []
        rows: list[list[str]] = []
        for row in reader:
            if len(row) < 2 and not (row and row[0].strip()):
                continue
            if not self.names:
                self._begin(stream, reader.line_num, row)
                if self.line:
                    continue
            if not width:
                width = self._width(row)
            if len(row) != width or (self.spare and row[-1].strip()):
                self._misfit(stream, reader.line_num, row, width)
            if row == self.first and self.header is None:
                stream.fail(f"line {reader.line_num}: says the same as the header: {EITHER}")
            lines.append(reader.line_num)
            rows.append(row[:-1] if self.spare else row)
            enough = len(rows) * width >= CELLS and len(rows) >= ROWS
            if enough or stream.position - begun > BYTES:
                yield lines, rows
                lines, rows, begun = [], [], stream.position
        if lines:
            yield lines, rows
        if not self.names:
            raise DataError(f"{self.path}: is empty, a header and rows are needed")
        if not width:
            raise DataError(f"{self.path}: holds a header and no rows")

    def _begin(self, stream: Stream, line: int, row: Sequence[str]) -> None:
        """The names of the columns, from the first line or after their places."""
        cells = [cell.strip() for cell in row]
        if len(cells) > COLUMNS:
            stream.fail(f"line {line}: {len(cells):,} columns, {COLUMNS:,} are the most")
        if len(cells) == 1 and self.delimiter is None:
            other = next((d for d in DELIMITERS if d in cells[0]), None)
            if other is not None:
                stream.fail(
                    f"line {line}: is one cell, `{shown(cells[0])}`: "
                    f'write `delimiter = "{DELIMITERS[other]}"`'
                )
        if self.header is None:
            _insist_on_names(stream, line, cells, self.decimal)
        headed = self.header is not False
        self.line, self.first = (line, list(row)) if headed else (0, [])
        self._name(cells if headed else [""] * len(cells))

    def _name(self, cells: list[str]) -> None:
        taken = Counter(cells)
        self.nameless, self.doubled = set(), {}
        for place, cell in enumerate(cells, 1):
            name = cell
            if not cell or taken[cell] > 1:
                name = f"column{place}"
                while name in taken:
                    name += "_"
                taken[name] = 1
                if self.line:
                    self.nameless.add(name)
            if cell and name != cell:
                self.doubled.setdefault(cell, []).append(name)
            self.names.append(name)

    def _width(self, row: Sequence[str]) -> int:
        """How many cells a row has, from the first; a delimiter at its end makes no column."""
        last = self.names[-1]
        if len(row) == len(self.names) + 1 and not row[-1].strip() and last not in self.nameless:
            self.spare = True
        elif len(row) == len(self.names) - 1 and last in self.nameless:
            self.nameless.remove(self.names.pop())
        return len(self.names) + self.spare

    def _misfit(self, stream: Stream, line: int, row: Sequence[str], width: int) -> None:
        count = f"{len(row)} cell{'' if len(row) == 1 else 's'}"
        columns = f"{width} column{'' if width == 1 else 's'}"
        rule = f"there {'is' if width == 1 else 'are'} {columns}"
        if self.spare:
            rule = f"the first row has {width}"
            rule += ", the last of them empty" if len(row) == width else ""
        stream.fail(f"line {line}: {count}, but {rule}")

    def insist_on_header(self, again: dict[str, int], *, numbers: bool) -> None:
        """DataError where the first line looks like all the others: texts that come again.

        again    line in which the name of a column stands once more, by column
        numbers  whether a column with a name holds numbers: then the first line is a header
        """
        if self.header is not None or numbers or not again:
            return
        name, line = next(iter(again.items()))
        raise DataError(
            f"{self.path}: line {self.line}: is this a header? `{shown(name)}` stands in line "
            f"{line} as well: {EITHER}"
        )


EITHER = (
    "write `header = false` if the first line is an example, `header = true` if it names the "
    "columns"
)


def _insist_on_names(stream: Stream, line: int, cells: list[str], decimal: str) -> None:
    """A number is no name: without it being said, a line that holds one is no header."""
    wrong = [c for c in cells if numeral(c, decimal) is not None or (c and c in MISSING)]
    if not wrong:
        return
    if len(wrong) == len(cells):
        stream.fail(f"line {line}: there is no header, only numbers: {EITHER}")
    what = (
        "a number" if numeral(wrong[0], decimal) is not None else "how a missing value is written"
    )
    stream.fail(f"line {line}: `{shown(wrong[0])}` is {what}, no name of a column: {EITHER}")


def _trouble(error: csv.Error) -> str:
    if "field larger" in str(error):
        return f"a cell of more than {csv.field_size_limit():,} characters"
    if "new-line" in str(error):
        return "a carriage return in the middle of the line"
    return "the quotes do not match"
