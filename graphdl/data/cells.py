"""One column of a table as it is read: how many of its cells are numbers, and where one is not."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from .labels import number
from .stream import shown

Place = tuple[int, str]  # a line, and what stands there

# How people and programs write that a value is missing; not a word among numbers.
MISSING = {"", "NA", "N/A", "n/a", "na", "#N/A", "<NA>", "NaN", "nan", "NAN", "-nan", "-NaN"}
MISSING |= {"NULL", "null", "Null", "None", "none", "?", "-", "--", "."}


def numeral(text: str, decimal: str = ".") -> float | None:
    """The number a cell holds, which may be infinite, or None; `decimal` stands for the point.

    >>> numeral("1,5", ","), numeral("1.5", ","), numeral("1_000")
    (1.5, None, None)
    """
    if decimal != ".":
        if "." in text:
            return None
        text = text.replace(decimal, ".")
    value = number(text)
    return None if value is None or math.isnan(value) else value


@dataclass(slots=True)
class Cells:
    """What the cells of a column are, from all rows of a file.

    numbers   the value of each row, not a number where a cell holds none
    counted   how many cells are numbers; `others` are words, the rest is missing
    word      line and text of the first cell that is neither a number nor missing
    missing   of the first that is missing, and `infinite` of the first that is no finite number
    again     line in which the column's own name stands among its cells, or 0
    """

    name: str
    rows: int = 0
    numbers: array[float] = field(default_factory=lambda: array("d"))
    counted: int = 0
    others: int = 0
    word: Place | None = None
    missing: Place | None = None
    infinite: Place | None = None
    again: int = 0

    def add(self, lines: Sequence[int], cells: Sequence[str], decimal: str) -> None:
        """The cells of some rows more."""
        values = _floats(cells, decimal)
        if values is None:
            values = self._looked_at(lines, cells, decimal)
        else:
            self.counted += len(cells)
        if self.counted:
            # A column of words alone takes no memory here.
            self.numbers.extend([math.nan] * (self.rows - len(self.numbers)))
            self.numbers.extend(values)
        self.rows += len(cells)

    def _looked_at(self, lines: Sequence[int], cells: Sequence[str], decimal: str) -> list[float]:
        """The cells, each spelling looked at once, in the order in which they first occur."""
        found: dict[str, float] = {}
        for cell, count in Counter(cells).items():
            text = cell.strip()
            value = numeral(text, decimal)
            found[cell] = math.nan if value is None or math.isinf(value) else value
            if value is not None:
                self.counted += count
                if math.isinf(value):
                    self.infinite = self.infinite or _place(lines, cells, cell)
                continue
            if text in MISSING:
                self.missing = self.missing or _place(lines, cells, cell)
            else:
                self.others += count
                self.word = self.word or _place(lines, cells, cell)
            if text == self.name and not self.again:
                self.again = _place(lines, cells, cell)[0]
        return [found[cell] for cell in cells]

    def first_word(self) -> str:
        """The first cell that is a word, with its line."""
        line, text = self.word or (0, "")
        return f"`{shown(text)}` in line {line}"

    def no_number(self) -> str:
        """The first cell that is no finite number, with its line and the column; or nothing."""
        faults = [fault for fault in (self.word, self.infinite, self.missing) if fault]
        if not faults:
            return ""
        line, text = min(faults)
        if (line, text) == self.missing:
            said = f"a number is missing, there is `{shown(text)}`" if text else "is empty"
        else:
            said = f"`{shown(text)}` is not a finite number"
        return f"line {line}, column `{shown(self.name)}`: {said}"


def _floats(cells: Sequence[str], decimal: str) -> Sequence[float] | None:
    """All cells as finite numbers, or None: the quick way."""
    joined = "".join(cells)
    if "_" in joined:
        return None
    if decimal != ".":
        if "." in joined:
            return None
        cells = [cell.replace(decimal, ".") for cell in cells]
    try:
        values = array("d", map(float, cells))
    except ValueError:
        return None
    return values if np.isfinite(np.frombuffer(values)).all() else None


def _place(lines: Sequence[int], cells: Sequence[str], cell: str) -> Place:
    return lines[cells.index(cell)], cell.strip()
