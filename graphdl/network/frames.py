"""Tables of other libraries, pandas and polars: their columns go by name, as those of files do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ..data import Dataset
from ..data.match import listed
from ..data.stream import shown
from ..data.trained import Source
from ..errors import DataError, did_you_mean


def columns_of(values: Any) -> tuple[str, ...]:
    """The names of a table's columns; none of an array, nor of a table that only counts them."""
    if type(values) is np.ndarray or isinstance(values, list | tuple):
        return ()
    columns = getattr(values, "columns", None)
    if columns is None or getattr(values, "ndim", len(getattr(values, "shape", ()))) != 2:
        return ()
    names = tuple(columns)
    return names if names and all(isinstance(name, str) for name in names) else ()


def with_columns(data: Dataset, columns: Mapping[str, Source]) -> Dataset:
    """A bound set whose inputs and targets know the columns of tables that they were made of."""
    splits = {}
    for part, split in data.splits.items():
        about = {n: replace(c, of=columns.get(n, c.of)) for n, c in split.about.items()}
        splits[part] = replace(split, about=about)
    return Dataset(data.name, **splits)


def by_columns(trained: Mapping[str, Source], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is given, with the columns of each table in the order in which they were trained on.

    Columns more are left out, as those of a file are.

    Raises DataError for a table that lacks a column, or has two of its name.
    """
    found = dict(given)
    for name, values in given.items():
        columns, of = columns_of(values), trained.get(name)
        if not columns or not isinstance(of, tuple) or columns == of:
            continue
        for one in of:
            if columns.count(one) > 1:
                raise DataError(f"`{name}` has {columns.count(one)} columns called `{shown(one)}`")
            if one not in columns:
                near = did_you_mean(one, columns) or f"there are {listed(columns)}"
                raise DataError(
                    f"`{name}` has no column `{shown(one)}`, which it was trained on; {near}; "
                    f"where columns go by their places give `{name}.to_numpy()`"
                )
        found[name] = values[list(of)]
    return found
