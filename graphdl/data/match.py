"""Which field of a data set feeds which input and target of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import ModelError, Span, did_you_mean, nearest
from ..graph.model import Shaped
from .dataset import Column, Dataset


@dataclass(frozen=True, slots=True)
class Asked:
    """A data setting as written, for error messages: `mnist(..., image = "pixels")`."""

    reader: str
    mapping: Mapping[str, Any] = field(default_factory=dict)
    span: Span | None = None


def matched(
    data: Dataset,
    inputs: Mapping[str, Shaped],
    targets: Mapping[str, Shaped],
    asked: Asked,
    need_targets: bool = True,
) -> dict[str, str | tuple[str, ...]]:
    """The field, or the fields side by side, for every name of the model.

    As written in the mapping; else the field of that name; else by role.
    """
    about = {name: data.train.column(name) for name in data.fields}
    optional = () if need_targets else tuple(targets)
    mapping = {n: f for n, f in asked.mapping.items() if n not in optional or f in data.fields}
    found = _written(data, {**inputs, **targets}, replace(asked, mapping=mapping))
    found |= {n: n for n in (*inputs, *targets) if n in about and n not in found}
    _by_role(found, inputs, about, "features")
    _by_role(found, targets, about, "label")
    needed = [*inputs, *targets] if need_targets else [*inputs]
    for name in needed:
        if name not in found:
            what = "target" if name in targets else "input"
            free = _free(data, found)
            hints = _hints(name, name, data.fields, asked, free)
            raise ModelError.at(
                asked.span,
                "E0702",
                f"the data set {data.name} has nothing for the {what} `{name}`",
                hint=hints if free or name in inputs else _lacking(name, data, asked),
            )
    return found


def _free(data: Dataset, found: Mapping[str, str | tuple[str, ...]]) -> tuple[str, ...]:
    """The fields that nothing reads yet: an input is no target of its own."""
    used = {one for read in found.values() for one in ([read] if isinstance(read, str) else read)}
    return tuple(name for name in data.fields if name not in used)


def _lacking(name: str, data: Dataset, asked: Asked) -> tuple[str, ...]:
    if asked.reader == "lines":
        return (
            'put a label and a tab before each sentence, or give `lines("neg.txt", "pos.txt")`',
            f'if another column holds it, name that: `lines(..., {name} = "column")`',
        )
    return (f"its only fields are read already: {', '.join(data.fields)}",)


def unknown_field(name: str, wrong: str, fields: tuple[str, ...], asked: Asked) -> ModelError:
    """The error for a mapping to a field that a set does not have."""
    return ModelError.at(
        asked.span,
        "E0701",
        f"the data set has no field `{wrong}`",
        hint=_hints(name, wrong, fields, asked),
    )


def _hints(
    name: str, wrong: str, fields: tuple[str, ...], asked: Asked, free: tuple[str, ...] = ()
) -> tuple[str, ...]:
    listed = ", ".join(fields[:20]) + (", ..." if len(fields) > 20 else "")
    example = nearest(wrong, free or fields) or (free or fields)[0]
    which = f'fields: {listed}; write `{asked.reader}(..., {name} = "{example}")`'
    guess = did_you_mean(wrong, fields)
    return (guess, which) if guess else (which,)


def _written(
    data: Dataset, model: Mapping[str, Shaped], asked: Asked
) -> dict[str, str | tuple[str, ...]]:
    found: dict[str, str | tuple[str, ...]] = {}
    for name, value in asked.mapping.items():
        names = (value,) if isinstance(value, str) else tuple(value)
        for one in names:
            if one not in data.fields:
                raise unknown_field(name, one, data.fields, asked)
        if name in model:
            found[name] = value if isinstance(value, str) else names
    return found


def _by_role(
    found: dict[str, str | tuple[str, ...]],
    names: Mapping[str, Shaped],
    about: Mapping[str, Column],
    role: str,
) -> None:
    """A model's only input or target takes the field of that role."""
    fields = [name for name, column in about.items() if column.role == role]
    if len(names) == 1 and fields:
        found.setdefault(next(iter(names)), fields[0])
