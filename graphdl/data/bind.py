"""A data set in the names, shapes and kinds of a model, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import DataError
from ..graph.model import Shaped
from ..program import Dim, Size, evaluate, product
from .check import check_split
from .classes import Classes, Names, classes_of
from .dataset import Column, Dataset, Field, Split
from .lookup import silent
from .match import Asked, matched
from .pixels import scale_of
from .ragged import Ragged
from .said import said, written
from .stacking import stacked
from .stream import shown
from .trained import Trained


def bind(
    data: Dataset,
    inputs: Mapping[str, Shaped],
    targets: Mapping[str, Shaped],
    asked: Asked | None = None,
    *,
    need_targets: bool = True,
    known: Mapping[str, Names] | None = None,
    trained: Trained | None = None,
    report: Callable[[str], None] = silent,
) -> Dataset:
    """The data set with one field for each input and target, named and shaped as the model does.

    `known` names the classes, by input or target, that a model was trained with: ids follow these;
    `trained` the fields that it read. `report` is told in a sentence each what was bound to what.

    Raises `ModelError` for a field that does not exist, `DataError` for shapes and values that are
    not what the model declares. Targets may be missing where only predictions are wanted.
    """
    trained = trained or Trained()
    match = matched(data, inputs, targets, asked or Asked(data.name), need_targets, trained)
    ends = {**inputs, **targets}
    model = {name: shaped for name, shaped in ends.items() if name in match.fed}
    known = known or {}
    whole, data = data, stacked(data, match, model, targets, trained, known)
    classes = {
        n: classes_of(data, n, s, known.get(n), n in trained.fields) for n, s in model.items()
    }
    if not need_targets:
        # What stands in the place of a label in a file to predict may be anything.
        model = {n: s for n, s in model.items() if n in inputs or not classes[n].strange}
    columns = {name: _column(data, name, model, classes[name]) for name in model}
    sizes: dict[str, int] = {}
    splits = {}
    counted, ends_of = _steps(model, targets)
    for part, split in data.splits.items():
        fields: dict[str, Field] = {}
        for name, shaped in model.items():
            values = classes[name].numbered(split, split.fields[name])
            fields[name] = _fitted(values, name, columns[name], shaped, sizes, split)
        _same_lengths(split, fields, model)
        about = {
            name: _scaled(columns[name], name, split, shaped, name in targets)
            for name, shaped in model.items()
        }
        splits[part] = replace(split, fields=fields, about=about, counted=counted, ends=ends_of)
        check_split(splits[part], inputs, targets if need_targets else {})
    found = Dataset(data.name, **splits)
    for line in said(found, whole, match, [*inputs, *(targets if need_targets else ())]):
        report(line)
    return found


def _steps(
    model: Mapping[str, Shaped], targets: Mapping[str, Shaped]
) -> tuple[str | None, str | None]:
    """The target that has one entry per step, and what says where sequences end."""
    counted = next((n for n in targets if n in model and _is_sequence(model[n])), None)
    padded = {n: s.shape[0] for n, s in model.items() if s.pad is not None}
    if counted is not None:
        padded = {n: length for n, length in padded.items() if length == model[counted].shape[0]}
    return counted, next(iter(padded), None)


def _is_sequence(shaped: Shaped) -> bool:
    return bool(shaped.shape) and isinstance(shaped.shape[0], Size)


def _pad(shaped: Shaped, model: Mapping[str, Shaped]) -> int | None:
    """What fills a sequence up: its own padding, or anything where another one has the length."""
    if shaped.pad is not None or not _is_sequence(shaped):
        return shaped.pad
    others = (s for s in model.values() if s.pad is not None)
    return 0 if any(s.shape[0] == shaped.shape[0] for s in others) else None


def _same_lengths(split: Split, fields: Mapping[str, Field], model: Mapping[str, Shaped]) -> None:
    """Sequences of one length in the model are of one length in each example."""
    first: dict[str, tuple[str, Ragged]] = {}
    for name, values in fields.items():
        if not isinstance(values, Ragged):
            continue
        other, held = first.setdefault(str(model[name].shape[0]), (name, values))
        wrong = np.flatnonzero(held.lengths != values.lengths)
        if len(wrong):
            row = int(wrong[0])
            raise DataError(
                f"{split.place(row)}: `{other}` has {held.lengths[row]} steps, "
                f"`{name}` has {values.lengths[row]}; the model has both as "
                f"[{model[name].shape[0]}]"
            )


def _column(data: Dataset, name: str, model: Mapping[str, Shaped], classes: Classes) -> Column:
    shaped, names = model[name], classes.names
    column = data.train.column(name)
    if shaped.kind == "float" and len(names) > 2 and not _numbered(names):
        listed = ", ".join(map(shown, names[:5])) + (", ..." if len(names) > 5 else "")
        raise DataError(
            f"{data.train.source}: `{written(column, name)}` names classes ({listed}), "
            f"but `{name}` is a number in the model; write `{name}: int({len(names)})`"
        )
    return replace(
        column,
        kind=shaped.kind,
        sequence=_is_sequence(shaped),
        pad=_pad(shaped, model),
        classes=names,
        # Once they are ids they stay it, also for a second model.
        recode=column.recode and not names,
    )


def _scaled(column: Column, name: str, split: Split, shaped: Shaped, target: bool) -> Column:
    """The column with the scale of this split's own array, where no reader said one."""
    held = split.column(name)
    if not held.guessed:
        return replace(column, scale=held.scale)
    scale = scale_of(split.fields[name], shaped, f"{split.source}: `{name}`", target=target)
    return replace(column, scale=scale, guessed=False)


def _numbered(names: Names) -> bool:
    return all(text.lstrip("-").isdigit() for text in names)


def _fitted(
    values: Field,
    name: str,
    column: Column,
    shaped: Shaped,
    sizes: dict[str, int],
    split: Split,
) -> Field:
    """The values in the shape the model declares; only flattening and axes of 1 may differ."""
    shape, source = values.shape[1:], split.source
    varies = split.stream or isinstance(values, Ragged)
    if varies and len(shaped.shape) == len(shape) + split.stream and _is_sequence(shaped):
        return values
    whole = tuple(n for n in shape if isinstance(n, int))
    target = None if varies else fitting_shape(whole, shaped.shape, sizes)
    if target is None:
        declared = f"{name}[{', '.join(map(str, shaped.shape))}]"
        known = "".join(f", where {size} is {value}" for size, value in sizes.items())
        raise DataError(
            f"{source}: the field `{written(column, name)}` is {_shown(split, shape)}, "
            f"the model declares `{declared}`{known}"
        )
    assert not isinstance(values, Ragged)
    return values if target == shape else values.reshape(len(values), *target)


def _shown(split: Split, shape: tuple[int | str, ...]) -> str:
    if split.stream:
        return "a text, one entry per step"
    return f"[{', '.join(map(str, shape))}] per example"


def fitting_shape(
    found: tuple[int, ...], declared: tuple[Dim, ...], sizes: dict[str, int]
) -> tuple[int, ...] | None:
    """The shape to give to an example, or None; names of sizes are noted in `sizes`.

    >>> fitting_shape((1, 8, 8), (64,), {}), fitting_shape((64,), (1, 8, 8), {})
    ((64,), (1, 8, 8))
    >>> fitting_shape((28, 28, 1), (3, 28, 28), {})
    """
    if len(found) == len(declared) and _agree(found, declared, sizes):
        return found
    whole = tuple(dim for dim in declared if isinstance(dim, int))
    if len(whole) < len(declared) or product(whole) != product(found):
        return None
    squeezed = [[dim for dim in shape if dim != 1] for shape in (found, whole)]
    if squeezed[0] == squeezed[1] or len(found) == 1 or len(whole) == 1:
        return whole
    return None


def _agree(found: tuple[int, ...], declared: tuple[Dim, ...], sizes: dict[str, int]) -> bool:
    noted: dict[str, Any] = dict(sizes)
    for dim, size in zip(declared, found, strict=True):
        if isinstance(dim, Size) and len(names := dim.names()) == 1 and str(dim) in names:
            noted.setdefault(str(dim), size)
        known = isinstance(dim, int) or dim.names() <= set(noted)
        if known and evaluate(dim, noted) != size:
            return False
    sizes.update(noted)
    return True
