"""Comma-separated tables: columns of numbers, and columns of texts that name classes.

A file is read twice where texts are wanted: the first time says what each column holds, from all
of its rows. A column that nothing reads may hold anything.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from ..errors import DataError
from .budget import Budget
from .cells import Cells
from .dataset import Array, Column, Dataset, Role, Split
from .match import LABELS
from .request import Request
from .rows import Rows
from .stream import shown

TEXTS = 1 << 20  # different ones in a column of classes


@dataclass(slots=True)
class _Sheet:
    """One file: its rows, what each column holds, and the line of each row."""

    rows: Rows
    cells: dict[str, Cells] = field(default_factory=dict)
    lines: array[int] = field(default_factory=lambda: array("q"))

    def survey(self, budget: Budget) -> None:
        """Read all rows."""
        for lines, rows in self.rows.pieces():
            if not self.cells:
                self.cells = {name: Cells(name) for name in self.rows.names}
            self.lines.extend(lines)
            held = 8 * len(lines)
            for column, cells in zip(self.cells.values(), zip(*rows, strict=True), strict=True):
                column.add(lines, cells, self.rows.decimal)
                held += 8 * len(cells) if column.counted else 0
            budget.hold(held, self.place(lines[-1]))

    def place(self, line: int) -> str:
        """For a message."""
        return f"{self.rows.path}: line {line}"


@dataclass(slots=True)
class _Texts:
    """A column of texts: ids in order of appearance, for each file; or why it is none."""

    ids: dict[str, int] = field(default_factory=dict)
    parts: list[array[int]] = field(default_factory=list)
    trouble: str = ""

    def add(self, name: str, lines: list[int], cells: list[str]) -> int:
        """Some rows more of the last file; returns how many bytes they take."""
        found, before = {}, len(self.ids)
        for cell in dict.fromkeys(cells):
            text = cell.strip()
            found[cell] = self.ids.setdefault(text, len(self.ids))
            if not self.trouble and (not text or len(self.ids) > TEXTS):
                what = f"more than {TEXTS:,} different texts are no classes"
                line = lines[cells.index(cell)]
                self.trouble = (
                    f"line {line}, column `{shown(name)}`: {what if text else 'is empty'}"
                )
        if self.trouble:
            return 0
        self.parts[-1].extend(map(found.__getitem__, cells))
        new = len(self.ids) - before
        return 8 * len(cells) + (200 * new + sum(map(len, found)) if new else 0)


def read_csv(request: Request) -> Dataset:
    """One file, or one for training and one for testing; columns go by name."""
    paths = [request.lookup.file(name) for name in request.names]
    sheets = [_Sheet(Rows.of(path, dict(request.options))) for path in paths]
    try:
        for sheet in sheets:
            sheet.survey(request.budget)
        return _dataset(request, sheets)
    except MemoryError:
        raise DataError(f"{paths[0]}: does not fit into the memory of this machine") from None


def _dataset(request: Request, sheets: list[_Sheet]) -> Dataset:
    names = list(dict.fromkeys(name for sheet in sheets for name in sheet.cells))
    about = {name: _about(name, sheets, request) for name in names}
    _insist_on_headers(sheets, about)
    texts = _texts(
        sheets, [name for name in names if _is_wanted(name, about, request)], request.budget
    )
    for name, found in texts.items():
        classes = tuple(sorted(found.ids)) if not found.trouble else ()
        about[name] = replace(about[name], trouble=found.trouble, classes=classes)
    for sheet in sheets:
        about |= {
            name: _doubled(sheet, name, places) for name, places in sheet.rows.doubled.items()
        }
    splits = []
    for place, sheet in enumerate(sheets):
        fields: dict[str, Array] = {}
        for name in names:
            if about[name].trouble:
                continue
            if name in texts:
                fields[name] = _ranked(texts[name], place)
            elif not about[name].text:
                fields[name] = np.frombuffer(sheet.cells[name].numbers)
        lines = np.frombuffer(sheet.lines, np.int64)
        splits.append(Split(fields, about, str(sheet.rows.path), "line", lines))
    return Dataset(request.reader, splits[0], None, splits[1] if len(splits) > 1 else None)


def _about(name: str, sheets: list[_Sheet], request: Request) -> Column:
    """What is known of a column from all files: numbers, texts, or why it cannot be used."""
    lacking = next((s for s in sheets if name not in s.cells), None)
    if lacking is not None:
        return Column("other", trouble=f"{lacking.rows.path}: has no column `{shown(name)}`")
    cells = [(sheet, sheet.cells[name]) for sheet in sheets]
    nameless = any(name in sheet.rows.nameless for sheet in sheets)
    counted, others = sum(c.counted for _, c in cells), sum(c.others for _, c in cells)
    if not counted + others:
        place = f"{sheets[0].rows.path}: column `{shown(name)}`"
        return Column("other", trouble=f"{place}: is empty in every row")
    role: Role = "other" if nameless else "column"
    text = next((c.first_word() for _, c in cells if c.word), "")
    if counted < others:
        return Column(role, text=text)
    faults = ((s.rows.path, c.no_number()) for s, c in cells)
    trouble = next((f"{path}: {fault}" for path, fault in faults if fault), "")
    if trouble and others and name in _read_as_ids(request):
        return Column(role, text=text)
    return Column(role, float(request.options.get("scale", 1.0)), trouble=trouble)


def _read_as_ids(request: Request) -> set[str]:
    """The columns that inputs and targets of whole numbers are known to read."""
    found: set[str] = set()
    for name, shaped in request.model.items():
        if shaped.kind == "int":
            found |= _named([request.mapping.get(name, request.trained.named.get(name, name))])
    return found


def _is_wanted(name: str, about: dict[str, Column], request: Request) -> bool:
    """Whether the texts of a column may be read as classes."""
    if not about[name].text:
        return False
    if not request.model or request.trained.by_place or name.lower() in LABELS:
        return True
    # Where it is the only one, it may be what is left for the target.
    alone = sum(bool(column.text) for column in about.values()) == 1
    return (
        alone
        or name in request.model
        or name in _named([*request.mapping.values(), *request.trained.named.values()])
    )


def _named(fields: Iterable[Any]) -> set[str]:
    return {one for of in fields for one in ([of] if isinstance(of, str) else of)}


def _insist_on_headers(sheets: list[_Sheet], about: dict[str, Column]) -> None:
    for sheet in sheets:
        again = {name: cells.again for name, cells in sheet.cells.items() if cells.again}
        numbers = any(about[n].role == "column" and not about[n].text for n in sheet.cells)
        sheet.rows.insist_on_header(again, numbers=numbers)


def _doubled(sheet: _Sheet, name: str, places: list[str]) -> Column:
    spelled = " or ".join(f"`{place}`" for place in places[:3])
    trouble = (
        f"{sheet.rows.path}: {len(places)} columns are called `{shown(name)}`: write {spelled}"
    )
    return Column("other", trouble=trouble)


def _texts(sheets: list[_Sheet], names: list[str], budget: Budget) -> dict[str, _Texts]:
    """The texts of some columns, from a second reading."""
    found = {name: _Texts() for name in names}
    for sheet in sheets if names else ():
        for texts in found.values():
            texts.parts.append(array("q"))
        places = {name: place for place, name in enumerate(sheet.rows.names) if name in found}
        for lines, rows in sheet.rows.pieces():
            held = 0
            for name, place in places.items():
                if not found[name].trouble:
                    held += found[name].add(name, lines, [row[place] for row in rows])
                    if found[name].trouble:
                        found[name].trouble = f"{sheet.rows.path}: {found[name].trouble}"
            budget.hold(held, sheet.place(lines[-1]))
    return found


def _ranked(texts: _Texts, place: int) -> Array:
    """Ids by order of appearance turned into ids by alphabetical order."""
    rank = {text: place for place, text in enumerate(sorted(texts.ids))}
    return np.array([rank[text] for text in texts.ids])[np.frombuffer(texts.parts[place], np.int64)]
