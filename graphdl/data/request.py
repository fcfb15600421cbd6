"""What a reader is, and what it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .dataset import Dataset
from .lookup import Lookup


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a reader.

    names    the paths as written
    options  the reader's own options, checked
    labels   fields that a model's targets ask for by name
    guess    whether a column may be taken for the label though nothing says it is
    """

    reader: str
    names: tuple[str, ...]
    lookup: Lookup
    options: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    guess: bool = True


@dataclass(frozen=True, slots=True)
class Option:
    """A setting of a reader: what it means and the test its value must pass."""

    doc: str
    wanted: str
    accepts: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Reader:
    """A way to read data, known to model files by its name.

    paths    least and most number of paths
    fields   names of the fields where they are the same for every file
    shuffle  whether examples are mixed before a part of them is set aside
    """

    name: str
    doc: str
    read: Callable[[Request], Dataset]
    paths: tuple[int, int]
    fields: tuple[str, ...] = ()
    options: Mapping[str, Option] = field(default_factory=dict)
    shuffle: bool = True
