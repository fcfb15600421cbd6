"""What a reader is, and what it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..graph.model import Shaped
from .budget import Budget
from .dataset import Dataset
from .lookup import Lookup
from .trained import Trained
from .vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Request:
    """One call of a reader.

    names    the paths as written
    options  the reader's own options, checked
    model    inputs and targets of the model, if there is one; `targets` are the names of these
    mapping  the field that an input or target is given, where it says so
    shifts   how far along a text an input or target lies, where it says so
    known    vocabularies of a checkpoint, and `classes` names of classes, by input or target
    trained  what the fields were that a network was trained on
    budget   how much memory reading takes, and may take
    """

    reader: str
    names: tuple[str, ...]
    lookup: Lookup
    options: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Shaped] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    mapping: Mapping[str, Any] = field(default_factory=dict)
    shifts: Mapping[str, int] = field(default_factory=dict)
    known: Mapping[str, Vocabulary] = field(default_factory=dict)
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    trained: Trained = field(default_factory=Trained)
    budget: Budget = field(default_factory=Budget)


Finish = Callable[[Dataset], Dataset]
# What a reader gives: a data set, or one with what remains to be done once its parts are known.
Found = Dataset | tuple[Dataset, Finish]


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
    shifts   whether inputs and targets may be whole numbers: places along a text
    """

    name: str
    doc: str
    read: Callable[[Request], Found]
    paths: tuple[int, int]
    fields: tuple[str, ...] = ()
    options: Mapping[str, Option] = field(default_factory=dict)
    shuffle: bool = True
    shifts: bool = False
