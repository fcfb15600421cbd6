"""What was bound to what, in words: a line for each input and target, one for what is unused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from .dataset import Column, Dataset
from .match import Matched
from .stream import shown

COLUMNS, CLASSES, UNUSED = 6, 8, 8  # so many by name


def said(found: Dataset, data: Dataset, match: Matched, names: Iterable[str]) -> Iterator[str]:
    """`x [2] <- a, b (2 columns of points.csv)`, and so on, for some inputs and targets.

    `data` is the set before it was bound, `found` after.
    """
    sources = dict.fromkeys(shown(Path(split.source).name) for split in data.splits.values())
    source = " and ".join(list(sources)[:2]) + (", ..." if len(sources) > 2 else "")
    names = [name for name in names if name in found.fields]
    for name in names:
        line = f"{match.spelled[name]} <- {written(found.train.column(name), name)}"
        line += _about(found.train.column(name), source)
        if name in match.by_place:
            line += ", by place: the checkpoint is of version 0.1.0 and knows no names of columns"
        yield line
    if unused := _unused(match, data, names):
        more = f", ... ({len(unused)})" if len(unused) > UNUSED else ""
        yield f"unused: {', '.join(unused[:UNUSED])}{more}"


def _about(column: Column, source: str) -> str:
    if column.classes:
        return f": {_classes(column)}"
    divided = column.scale != 1 and column.kind == "float"
    return f" ({_kind(column)}{source}{f', divided by {column.scale:g}' if divided else ''})"


def written(column: Column, name: str) -> str:
    """The field, or the first columns, that something was made of."""
    of = name if column.of is None or isinstance(column.of, int) else column.of
    fields = (of,) if isinstance(of, str) else of
    some = [shown(one) for one in fields[:COLUMNS]]
    return ", ".join([*some, "..."] if len(fields) > COLUMNS else some)


def _kind(column: Column) -> str:
    if isinstance(column.of, int):
        return f"{column.of} step{'' if column.of == 1 else 's'} ahead in " if column.of else ""
    if not isinstance(column.of, tuple):
        return ""
    return f"{len(column.of)} columns of " if len(column.of) > 1 else "a column of "


def _classes(column: Column) -> str:
    names = column.classes
    some = ", ".join(map(shown, names[:CLASSES]))
    some += f", ... ({len(names)} classes)" if len(names) > CLASSES else ""
    if column.kind == "float":
        return f"{some}, as the numbers 0 to {len(names) - 1}"
    return some


def _unused(match: Matched, data: Dataset, names: Iterable[str]) -> list[str]:
    """Fields and columns that none of these reads."""
    every = (match.fed[name] for name in names)
    fed = {one for of in every for one in ([of] if isinstance(of, str) else of)}
    about = {**dict.fromkeys(data.train.fields, Column()), **data.train.about}
    return [
        f"{shown(name)} (text)" if column.text else shown(name)
        for name, column in about.items()
        if name not in fed
    ]
