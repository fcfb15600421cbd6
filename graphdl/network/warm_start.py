"""A network that starts from another's weights: by name, and where rows are words, by word."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data import Vocabulary
from ..elaborate import Elaborated, elaborate
from ..engine.by_name import LoadReport, compare
from ..engine.checkpoint import model_of, open_checkpoint
from ..engine.tensor_file import TensorFile, open_tensors
from ..errors import DataError
from ..program.counted import counted_axes
from .description import names_of

if TYPE_CHECKING:
    from .network import Network

NONE = "none"  # an entry that stands for nothing
Keys = tuple[Hashable, ...] | None  # what the entries of an axis are called, if anything


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the axes of a model's weights.

    axes       by weight and axis, the inputs and targets whose ids it counts
    """

    axes: Mapping[str, Mapping[int, tuple[str, ...]]]
    vocabularies: Mapping[str, Vocabulary]
    labels: Mapping[str, tuple[str, ...]]

    def keys(self, weight: str, axis: int, size: int) -> Keys:
        """What the entries of an axis are called; None where they are numbers only."""
        for name in self.axes.get(weight, {}).get(axis, ()):
            if (vocabulary := self.vocabularies.get(name)) is not None:
                return _padded(_words(vocabulary), size)
            labels = self.labels.get(name, ())
            if labels and labels != tuple(map(str, range(len(labels)))):
                return _padded(labels, size)
        return None

    def what(self, weight: str, axis: int) -> str:
        """What an axis counts, in a word."""
        names = self.axes.get(weight, {}).get(axis, ())
        found = [v.level for n in names if (v := self.vocabularies.get(n)) is not None]
        return f"{found[0]}s" if found else "classes"


def _words(vocabulary: Vocabulary) -> tuple[Hashable, ...]:
    """The words by id; what stands for padding and unknown words is the same in every text."""
    special = {vocabulary.unknown: ("unknown",), vocabulary.pad: ("padding",)}
    level = vocabulary.level
    return tuple(special.get(i, (level, word)) for i, word in enumerate(vocabulary.words))


def _padded(keys: tuple[Hashable, ...], size: int) -> tuple[Hashable, ...]:
    """Entries that stand for nothing are the same in their order."""
    return (*keys[:size], *((NONE, i) for i in range(size - len(keys))))


def start_from(net: Network, path: Path) -> LoadReport:
    """Take over the weights and running values of a file that fit by name and shape.

    Where an axis counts words or classes, its entries are matched by what they are called.

    Raises UsageError or DataError for a file that cannot be read, that has nothing for this
    network, or where what the entries of an axis are called is known on one side only.
    """
    file = open_tensors(path)
    theirs = _known_of(path, file)
    ours = Known(_axes(elaborate(net.syntax, net.params)), net.vocabularies, net.labels)
    _same_numbers(ours, theirs, path)
    shapes = {name: weight.shape for name, weight in net.graph.weights.items()}
    report = compare(file, shapes)
    found: dict[str, Rows] = {}
    for name in shapes:
        if name in file.entries:
            held = file.entries[name].shape
            rows = _rows(name, shapes[name], held, ours, theirs, path)
            found |= {} if rows is None else {name: rows}
    report = replace(
        report,
        loaded=tuple(found),
        mismatched=tuple(one for one in report.mismatched if one[0] not in found),
        matched=tuple(c for name in found for c in _counts(name, shapes[name], found[name], ours)),
    )
    if not found:
        raise DataError(f"nothing in {path} fits this model\n" + "\n".join(report.lines()[:5]))
    for name, rows in found.items():
        net[name] = _merged(net[name], file.entries[name].read(), rows)
    return report


Array = np.ndarray[Any, Any]
Rows = list[tuple[Array, Array]]  # for each axis: entries of ours, and which of the file's they are


def _rows(
    weight: str,
    shape: tuple[int, ...],
    held: tuple[int, ...],
    ours: Known,
    theirs: Known,
    path: Path,
) -> Rows | None:
    """Which entries of each axis are which of the file's; None where they do not fit."""
    if len(shape) != len(held):
        return None
    rows: Rows = []
    for axis, (size, other) in enumerate(zip(shape, held, strict=True)):
        mine, its = ours.keys(weight, axis, size), theirs.keys(weight, axis, other)
        if mine == its:
            if size != other:
                return None
            rows.append((np.arange(size), np.arange(size)))
            continue
        if mine is None or its is None:
            if size != other:
                return None
            raise _unknown(weight, ours if its is None else theirs, axis, path, its is None)
        places = {key: place for place, key in enumerate(its)}
        pairs = [(i, places[key]) for i, key in enumerate(mine) if key in places]
        rows.append((np.array([i for i, _ in pairs], int), np.array([j for _, j in pairs], int)))
    return rows


def _unknown(weight: str, known: Known, axis: int, path: Path, in_file: bool) -> DataError:
    what = known.what(weight, axis)
    here, there = ("the data", path) if in_file else (path, "the data")
    return DataError(
        f"`{weight}` has an entry for each of the {what} that {here} names, and {there} does not "
        f"say which its ids are: they cannot be matched; train both on data with {what}, or give "
        "the layer another name to leave it out"
    )


def _merged(own: Array, read: Array, rows: Rows) -> Array:
    """The present values, with those of the file where both have an entry."""
    whole = np.array(own)
    whole[np.ix_(*(mine for mine, _ in rows))] = read[np.ix_(*(its for _, its in rows))]
    return whole


def _counts(
    name: str, shape: tuple[int, ...], rows: Rows, ours: Known
) -> list[tuple[str, int, int, str]]:
    """How many of the entries that have names were found, for each axis that has any."""
    found = []
    for axis, size in enumerate(shape):
        keys = ours.keys(name, axis, size)
        if keys is not None:
            named = [i for i, key in enumerate(keys) if not _is_none(key)]
            both = np.isin(named, rows[axis][0]).sum()
            found.append((name, int(both), len(named), ours.what(name, axis)))
    return found


def _is_none(key: Hashable) -> bool:
    return isinstance(key, tuple) and key[0] == NONE


def _same_numbers(ours: Known, theirs: Known, path: Path) -> None:
    """Classes that a model takes as numbers, such as 1 for alike, must be the same ones."""
    used = {name for axes in ours.axes.values() for names in axes.values() for name in names}
    for name, labels in ours.labels.items():
        other = theirs.labels.get(name, labels)
        if name not in used and other != labels:
            raise DataError(
                f"the classes of `{name}` are {', '.join(labels)} here and {', '.join(other)} in "
                f"{path}, and the model takes them as numbers: give them the same order"
            )


def _known_of(path: Path, file: TensorFile) -> Known:
    """What a file says of its rows; nothing, where it is no checkpoint of graphdl's."""
    if "graphdl" not in file.metadata:
        return Known({}, {}, {})
    checkpoint = open_checkpoint(path)
    vocabularies, labels = names_of(checkpoint.description, path)
    return Known(_axes(elaborate(*model_of(checkpoint))), vocabularies, labels)


def _axes(model: Elaborated) -> dict[str, dict[int, tuple[str, ...]]]:
    return counted_axes(model.builder.inputs, model.builder.ops)
