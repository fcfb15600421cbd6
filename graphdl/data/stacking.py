"""The fields of a set as a model calls them: columns of a table side by side, labels as labels."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import replace

import numpy as np

from ..errors import DataError
from ..graph.model import Shaped
from .dataset import Array, Column, Dataset, Field, Split
from .labels import label_column
from .match import Fed, Matched
from .ragged import Ragged
from .stream import shown
from .trained import Trained


def stacked(
    data: Dataset,
    match: Matched,
    model: Mapping[str, Shaped],
    targets: Mapping[str, Shaped],
    trained: Trained,
    known: Container[str] = (),
) -> Dataset:
    """The set with the fields of the model, not yet in its shapes and with its own classes.

    `known` are the inputs and targets whose classes a trained model names: numbers in their
    columns are such names.
    """
    fields: dict[str, dict[str, Field]] = {part: {} for part in data.splits}
    about: dict[str, Column] = {}
    for name, shaped in model.items():
        fed = match.fed[name]
        column = _column(data, name, fed, target=name in targets)
        for part, split in data.splits.items():
            fields[part][name] = _side_by_side(split, fed, shaped)
        if column.role == "features" and isinstance(fed, tuple) and column.scale == 1:
            column = replace(column, scale=trained.scale or 1.0)
        numbers = isinstance(fed, tuple) and len(fed) == 1 and not column.classes
        first = not (trained.by_place or name in trained.fields)
        if numbers and (name in known or (first and column.role == "label")):
            column = _as_labels(fields, name, column)
        if trained.by_place and name not in match.by_place and isinstance(fed, tuple):
            # Version 0.1.0 divided only what it had chosen itself.
            column = replace(column, scale=1.0)
        about[name] = column
    splits = {
        part: replace(split, fields=fields[part], about=_scaled(about, match, split))
        for part, split in data.splits.items()
    }
    return Dataset(data.name, **splits)


def _scaled(about: Mapping[str, Column], match: Matched, split: Split) -> dict[str, Column]:
    """The columns with the scales of this split: one part may hold bytes, another floats."""
    found = dict(about)
    for name, column in about.items():
        if isinstance(fed := match.fed[name], str):
            own = split.column(fed)
            found[name] = replace(column, scale=own.scale, guessed=own.guessed)
    return found


def _column(data: Dataset, name: str, fed: Fed, *, target: bool) -> Column:
    """What is known of a field, or of columns side by side, which then hold numbers."""
    if isinstance(fed, str):
        column = data.train.column(fed)
        return column if column.of is not None else replace(column, of=fed)
    columns = [data.train.column(one) for one in fed]
    for one, column in zip(fed, columns, strict=True):
        if len(fed) > 1 and (column.classes or column.vocabulary is not None):
            some = ", ".join(map(shown, column.classes[:3]))
            some += ", ..." if len(column.classes) > 3 else ""
            own = one if one.isidentifier() else f"{name}_class"
            raise DataError(
                f"{data.train.source}: `{shown(one)}` holds texts ({some}), and `{name}` takes "
                "numbers side by side: give it an input of its own, "
                f"`input {own}: int({max(len(column.classes), 2)})`"
            )
        if column.scale != columns[0].scale:
            raise DataError(
                f"{data.train.source}: `{shown(fed[0])}` and `{shown(one)}` are scaled differently "
                "and cannot stand side by side"
            )
    first = columns[0]
    if first.role != "column":
        return replace(first, of=fed)
    if target:
        return replace(first, role="label", scale=1.0, of=fed)
    return replace(first, role="features", of=fed)


def _side_by_side(split: Split, fed: Fed, shaped: Shaped) -> Field:
    if isinstance(fed, str):
        return split.fields[fed]
    columns = [split.fields[one] for one in fed]
    if len(fed) == 1 and (not shaped.shape or columns[0].ndim > 1):
        return columns[0]
    for one, values in zip(fed, columns, strict=True):
        if len(values.shape) > 1:
            raise DataError(
                f"{split.source}: `{one}` is {list(values.shape[1:])} per example, "
                "only single numbers can stand side by side in a list of fields"
            )
    return np.stack([v for v in columns if not isinstance(v, Ragged)], axis=1)


def _as_labels(fields: dict[str, dict[str, Field]], name: str, column: Column) -> Column:
    """The numbers of a column as labels, by those of all parts: -1 and +1 are two classes."""
    parts: list[Array] = [held[name] for held in fields.values()]
    values, label = label_column(np.concatenate(parts))
    ends = np.cumsum([len(part) for part in parts])[:-1]
    for held, found in zip(fields.values(), np.split(values, ends), strict=True):
        held[name] = found
    return replace(column, classes=label.classes, recode=label.recode)
