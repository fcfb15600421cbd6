"""From columns of cells to fields: texts to ids of a vocabulary, labels to classes."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError, did_you_mean
from ..program import Size
from .budget import Budget
from .classes import no_class
from .dataset import Column, Dataset, Field, Split
from .labels import label_column, number
from .ragged import Ragged
from .request import Found, Request
from .stream import shown
from .text import TOKEN, insist_on_words, known_words, wording
from .vocabulary import Vocabulary, Wording
from .wording import Tokens, worded

TEXT, LABEL, ID = "text", "label", "id"
ROW, CELL = 40, 60  # bytes that are kept of a row, and of each of its texts beside its letters


@dataclass(slots=True)
class Part:
    """The cells of one part by column, each with the line it comes from."""

    source: str
    cells: dict[str, list[str]] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)

    def add(self, line: int, cells: Mapping[str, str], budget: Budget) -> None:
        """One more row."""
        kept = ROW + sum(CELL + len(cell) for cell in cells.values())
        budget.hold(kept, f"{self.source}: line {line}")
        for name, cell in cells.items():
            self.cells.setdefault(name, []).append(cell)
        self.lines.append(line)

    def place(self, row: int) -> str:
        """For a message."""
        return f"{self.source}, line {self.lines[row]}"


@dataclass(frozen=True, slots=True)
class _Group:
    """Columns of text with one vocabulary.

    known    the vocabulary of a checkpoint
    strict   whether an unknown word is an error: of a tag there is no other
    """

    columns: tuple[str, ...]
    wording: Wording
    known: Vocabulary | None
    strict: bool
    tokens: Tokens = field(default_factory=Tokens)

    def ids(self, part: Part, column: str, longest: int | None, budget: Budget) -> Ragged:
        """The provisional ids of the texts in a column."""
        ids, lengths = array("i"), array("q")
        for row, cell in enumerate(part.cells[column]):
            text = cell.lower() if self.wording.lower else cell
            found = list(text) if self.wording.level == "character" else text.split()
            # Of nothing a network can make nothing: an empty sentence is one unknown word.
            found = found[:longest] or [self.wording.unknown]
            known = len(self.tokens.ids)
            ids.extend(self.tokens.numbers(found))
            lengths.append(len(found))
            new = len(self.tokens.ids) - known
            kept = 4 * len(found) + 8 + (TOKEN * new + len(text) if new else 0)
            budget.hold(kept, part.place(row))
        return Ragged.behind_each_other(np.array(ids, np.int32), np.array(lengths, np.int64))


@dataclass(frozen=True, slots=True)
class _Label:
    """What is known of a column of labels, and the number behind each spelling."""

    column: Column
    ids: Mapping[str | float, Any]

    @classmethod
    def named(cls, names: tuple[str, ...]) -> _Label:
        """Classes by name; where all names are numbers, by value: `1` is `+1`."""
        values = [number(name) for name in names]
        keys = names if None in values else values
        ids = {key: place for place, key in enumerate(keys) if key is not None}
        return cls(Column("label", classes=names), ids)

    @classmethod
    def of(cls, spelled: set[str]) -> _Label:
        """Classes of the spellings found: numbers as `label_column` takes them, or names."""
        values = [number(text) for text in sorted(spelled)]
        if None in values:
            return cls.named(tuple(sorted(spelled)))
        keys = np.unique(np.array(values, np.float64))
        ids, column = label_column(keys)
        return cls(column, dict(zip(keys.tolist(), ids.tolist(), strict=True)))

    def encoded(self, part: Part, column: str) -> NDArray[Any]:
        """The labels of a part as numbers."""
        return np.array([self._id(cell.strip(), part, row)
                         for row, cell in enumerate(part.cells[column])])  # fmt: skip

    def _id(self, text: str, part: Part, row: int) -> Any:
        found = self.ids.get(text)
        if found is None and (value := number(text)) is not None:
            found = self.ids.get(value)
        if found is None:
            raise no_class(part.place(row), text, self.column.classes)
        return found


def sentences(request: Request, parts: dict[str, Part], classes: tuple[str, ...]) -> Found:
    """The data set of these parts, and what gives it its words once the parts are final.

    `classes` names the labels where files do.
    """
    columns = list(parts["train"].cells)
    feeds = _feeds(request, columns)
    texts = [column for column in columns if _is_text(request, column, feeds[column])]
    if not texts:
        near = did_you_mean(TEXT, columns) or f"columns: {', '.join(columns)}"
        raise DataError(f"{parts['train'].source}: no column is a text; {near}")
    groups = _groups(request, feeds, texts)
    labels = {
        column: _label(request, column, feeds[column], parts, classes)
        for column in columns
        if column not in texts and (feeds[column] or (not request.model and column == LABEL))
    }
    longest = request.options.get("longest")
    splits = {
        name: _split(part, groups, labels, longest, request.budget) for name, part in parts.items()
    }

    def finished(data: Dataset) -> Dataset:
        for group in groups:
            data = worded(
                data, group.columns, group.tokens, group.wording, group.known, group.strict
            )
        return data

    return Dataset(request.reader, **splits), finished


def _feeds(request: Request, columns: list[str]) -> dict[str, list[str]]:
    """The inputs and targets that each column feeds: as said, by its name, by its role."""
    found: dict[str, list[str]] = {column: [] for column in columns}
    for name in request.model:
        asked = request.mapping.get(name)
        if asked is None and request.trained.named.get(name) in columns:
            asked = request.trained.named[name]
        usual = LABEL if name in request.targets else TEXT
        column = asked if isinstance(asked, str) else name if name in columns else usual
        found.setdefault(column, []).append(name)
    return found


def _is_text(request: Request, column: str, readers: list[str]) -> bool:
    if not request.model:
        return column not in (LABEL, ID)
    shapes = [request.model[name].shape for name in readers]
    return any(shape and isinstance(shape[0], Size) for shape in shapes)


def _groups(request: Request, feeds: dict[str, list[str]], texts: list[str]) -> list[_Group]:
    """All inputs share a vocabulary; tags of the words have one of their own."""
    tags = [c for c in texts if feeds[c] and set(feeds[c]) <= set(request.targets)]
    inputs = [c for c in texts if c not in tags]
    columns = [tuple(inputs)] * bool(inputs) + [(tag,) for tag in tags]
    return [_group(request, group, feeds, group[0] in tags) for group in columns]


def _group(
    request: Request, columns: tuple[str, ...], feeds: dict[str, list[str]], strict: bool
) -> _Group:
    readers = [name for column in columns for name in feeds[column]]
    asked = replace(wording(request, readers, reserved=not strict), end=False)
    known = known_words(request, readers)
    insist_on_words(request, known)
    if known is not None:
        asked = replace(asked, level=known.level, lower=known.lower)
    return _Group(columns, asked, known, strict)


def _label(
    request: Request,
    column: str,
    readers: list[str],
    parts: dict[str, Part],
    classes: tuple[str, ...],
) -> _Label:
    known = [request.classes[name] for name in readers if name in request.classes]
    if known:
        return _Label.named(known[0])
    if classes and column == LABEL:
        return _Label.named(classes)
    held = [part.cells[column] for part in parts.values() if column in part.cells]
    return _Label.of({cell.strip() for cells in held for cell in cells})


def _split(
    part: Part,
    groups: list[_Group],
    labels: dict[str, _Label],
    longest: int | None,
    budget: Budget,
) -> Split:
    for column in [*(c for group in groups for c in group.columns), *labels]:
        if column not in part.cells:
            raise DataError(
                f"{part.source}: has no `{column}`, which the training part has; a file to "
                "predict is given to `graphdl predict --data`"
            )
    fields: dict[str, Field] = {}
    columns: dict[str, Column] = {}
    for group in groups:
        for column in group.columns:
            fields[column] = group.ids(part, column, longest, budget)
            columns[column] = Column("other" if group.strict else "features")
    for column, label in labels.items():
        fields[column], columns[column] = label.encoded(part, column), label.column
    for column, cells in part.cells.items():
        if column not in fields and column != ID:
            # Nothing reads it, which is said; the numbers of examples go into predictions.
            columns[column] = Column(text=f"`{shown(cells[0])}` in line {part.lines[0]}")
    rows = np.array(part.lines, np.int64)
    return Split(fields, columns, part.source, "line", rows, numbers=_numbers(part))


def _numbers(part: Part) -> NDArray[np.int64] | None:
    """The numbers of the examples, where each has one."""
    texts = part.cells.get(ID, [])
    if not texts or not all(t.strip().isdecimal() and len(t) < 19 for t in texts):
        return None
    return np.array([int(t) for t in texts], np.int64)
