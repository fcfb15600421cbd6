"""A data set in the names, shapes and kinds of a model, checked before anything is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import DataError
from ..graph.model import Shaped
from ..program import Dim, Size, evaluate, product
from .check import check_split
from .dataset import Array, Column, Dataset, Split
from .labels import renumbered
from .match import Asked, matched
from .stream import shown


def bind(
    data: Dataset,
    inputs: Mapping[str, Shaped],
    targets: Mapping[str, Shaped],
    asked: Asked | None = None,
    *,
    need_targets: bool = True,
) -> Dataset:
    """The data set with one field for each input and target, named and shaped as the model does.

    Raises `ModelError` for a field that does not exist, `DataError` for shapes and values that are
    not what the model declares. Targets may be missing where only predictions are wanted.
    """
    asked = asked or Asked(data.name)
    found = matched(data, inputs, targets, asked, need_targets)
    model = {name: shaped for name, shaped in {**inputs, **targets}.items() if name in found}
    columns = {name: _column(data, found[name], shaped, name) for name, shaped in model.items()}
    sizes: dict[str, int] = {}
    splits = {}
    for part, split in data.splits.items():
        fields = {}
        for name, shaped in model.items():
            values = _stacked(split, found[name])
            values = _renumbered(data, found[name], values, columns[name])
            fields[name] = _fitted(values, name, found[name], shaped, sizes, split.source)
        splits[part] = replace(split, fields=fields, about=columns)
        check_split(splits[part], inputs, targets if need_targets else {})
    return Dataset(data.name, **splits)


def _first(field: str | tuple[str, ...]) -> str:
    return field if isinstance(field, str) else field[0]


def _stacked(split: Split, field: str | tuple[str, ...]) -> Array:
    if isinstance(field, str):
        return split.fields[field]
    columns = [split.fields[one] for one in field]
    for one, values in zip(field, columns, strict=True):
        if values.ndim > 1:
            raise DataError(
                f"{split.source}: `{one}` is {list(values.shape[1:])} per example, "
                "only single numbers can stand side by side in a list of fields"
            )
    return np.stack(columns, axis=1)


def _column(data: Dataset, field: str | tuple[str, ...], shaped: Shaped, name: str) -> Column:
    column = data.train.column(_first(field))
    if shaped.kind == "float" and len(column.classes) > 2 and not _numbered(column):
        listed = ", ".join(map(shown, column.classes[:5])) + (
            ", ..." if len(column.classes) > 5 else ""
        )
        raise DataError(
            f"{data.train.source}: `{_first(field)}` names classes ({listed}), "
            f"but `{name}` is a number in the model; write `{name}: int({len(column.classes)})`"
        )
    if column.recode and shaped.kind == "int":
        _, classes = renumbered(np.zeros(0), _known(data, _first(field)))
        column = replace(column, classes=classes)
    return replace(column, kind=shaped.kind)


def _numbered(column: Column) -> bool:
    return all(text.lstrip("-").isdigit() for text in column.classes)


def _known(data: Dataset, field: str) -> Array:
    """Every number of a field, over all parts."""
    return np.unique(np.concatenate([split.fields[field] for split in data.splits.values()]))


def _renumbered(
    data: Dataset, field: str | tuple[str, ...], values: Array, column: Column
) -> Array:
    if column.recode and column.kind == "int" and isinstance(field, str):
        return renumbered(values, _known(data, field))[0]
    return values


def _fitted(
    values: Array,
    name: str,
    field: str | tuple[str, ...],
    shaped: Shaped,
    sizes: dict[str, int],
    source: str,
) -> Array:
    """The values in the shape the model declares; only flattening and axes of 1 may differ."""
    shape = values.shape[1:]
    target = fitting_shape(shape, shaped.shape, sizes)
    if target is None:
        written = field if isinstance(field, str) else ", ".join(field)
        declared = f"{name}[{', '.join(map(str, shaped.shape))}]"
        known = "".join(f", where {size} is {value}" for size, value in sizes.items())
        raise DataError(
            f"{source}: the field `{written}` is {list(shape)} per example, "
            f"the model declares `{declared}`{known}"
        )
    return values if target == shape else values.reshape(len(values), *target)


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
