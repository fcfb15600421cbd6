"""Files of columns: how their lines are cut into cells, and what these are called."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import DataError
from .sentences import ID, LABEL, TEXT
from .stream import Stream, opened, shown

TAB = "\t"
DELIMITERS = {";": ";", TAB: "\\t", "|": "|"}  # and how a model file writes them
USUAL = {1: (TEXT,), 2: (LABEL, TEXT), 3: (ID, LABEL, TEXT)}
Row = tuple[Stream, int, list[str]]


@dataclass(frozen=True, slots=True)
class Form:
    """How a file of columns is written.

    header     whether its first line names the columns; else `names` does, where it is given
    quotes     whether cells may stand in quotes: then they may hold delimiters and newlines
    said       whether the delimiter was asked for
    """

    delimiter: str
    header: bool
    quotes: bool
    names: tuple[str, ...] | None = None
    said: bool = False
    encoding: str = "utf-8"

    @classmethod
    def of(cls, path: Path, options: Mapping[str, Any]) -> Form:
        """As the options of a reader say, and else as the name of the file does.

        Raises DataError where names are given by an option and by a header.
        """
        ending = path.name.removesuffix(".gz").rpartition(".")[2].lower()
        header = options.get("header", ending == "csv")
        delimiter = options.get("delimiter")
        if delimiter is None:
            commas = ending == "csv" or (header and ending not in ("tsv", "txt"))
            delimiter = "," if commas else TAB
        delimiter = TAB if delimiter == "\\t" else delimiter
        names = options.get("columns")
        if names is not None and header:
            raise DataError(
                f"{path}: `columns` names the columns, and the header does so too: write "
                "`header = false` where there is none"
            )
        return cls(
            delimiter,
            header,
            options.get("quotes", header or delimiter != TAB),
            None if names is None else tuple(names),
            "delimiter" in options,
            options.get("encoding", "utf-8"),
        )

    @property
    def between(self) -> str:
        """What stands between cells, for a sentence."""
        return "tabs" if self.delimiter == TAB else f"`{self.delimiter}`"


def rows(path: Path, form: Form) -> Iterator[Row]:
    """Each line, or several where quotes go on, with its number as cells; empty ones have one."""
    with opened(path, form.encoding) as stream:
        if not form.quotes:
            for line, text in stream.lines():
                yield stream, line, text.rstrip("\r\n").split(form.delimiter)
            return
        lines = (line for _, line in stream.lines())
        reader = csv.reader(lines, delimiter=form.delimiter, strict=True)
        try:
            for cells in reader:
                yield stream, reader.line_num, cells or [""]
        except csv.Error as error:
            stream.fail(f"line {reader.line_num}: {_trouble(error)}")


def _trouble(error: csv.Error) -> str:
    if "field larger" in str(error):
        return (
            f"a cell of more than {csv.field_size_limit():,} characters: is a quote not closed? "
            "Where quotes are letters like others, write `quotes = false`"
        )
    if "new-line" in str(error):
        return "a carriage return in the middle of the line"
    return (
        'the quotes do not match: one inside of a cell in quotes is written twice, `""`; where '
        "they are letters like others, write `quotes = false`"
    )


def named_rows(path: Path, form: Form) -> Iterator[tuple[int, dict[str, str]]]:
    """Line and cells by name of each row; DataError for a row with other cells than the names."""
    names = form.names
    leading: list[int] = []  # empty lines, before it is known whether they are sentences
    for stream, line, cells in rows(path, form):
        empty = len(cells) == 1 and not cells[0].strip()
        if names is None and empty:
            leading.append(line)
            continue
        if names is None and form.header:
            names = _header(stream, line, cells, form)
            continue
        if names is None:
            names = _usual(stream, line, cells, form)
            yield from ((before, {TEXT: ""}) for before in leading if len(names) == 1)
        # Where there is one column, an empty line is an empty sentence.
        if empty and len(names) > 1:
            continue
        if len(cells) != len(names):
            listed = ", ".join(map(shown, names))
            count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
            stream.fail(f"line {line}: {count} between {form.between}, the columns are {listed}")
        yield line, dict(zip(names, cells, strict=True))


def _header(stream: Stream, line: int, cells: list[str], form: Form) -> tuple[str, ...]:
    names = tuple(cell.strip() for cell in cells)
    other = next((d for d in DELIMITERS if d in names[0] and d != form.delimiter), None)
    if len(names) == 1 and other is not None and not form.said:
        stream.fail(
            f"line {line}: the header is one cell, `{shown(names[0])}`: write "
            f'`delimiter = "{DELIMITERS[other]}"`'
        )
    if len(set(names)) < len(names) or not all(names):
        stream.fail(f"line {line}: the header does not give each column a name of its own")
    return names


def _usual(stream: Stream, line: int, cells: list[str], form: Form) -> tuple[str, ...]:
    """The names of columns that nothing names: only between tabs is there a custom for three."""
    most = max(USUAL) if form.delimiter == TAB else 2
    if len(cells) > most:
        stream.fail(
            f"line {line}: {len(cells)} cells between {form.between}; name them: "
            '`columns = ["id", "label", "text", ...]`'
        )
    return USUAL[len(cells)]
