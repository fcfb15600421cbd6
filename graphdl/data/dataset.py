"""Examples in memory: arrays as they were read, with what is known of each.

Readers make a `Dataset`, `bind` gives its fields the names and shapes of a model, the engine asks
its splits for batches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from ..program import Kind
from .ragged import Ragged
from .stream import shown
from .trained import Source
from .vocabulary import Vocabulary

Array = NDArray[Any]
Rows = slice | NDArray[np.int64]
Field = Any  # an Array, or Ragged
Role = Literal["features", "label", "column", "other"]
# Padded batches are as long as the next multiple: every new length binds a schedule of its own.
LENGTHS = 8


@dataclass(frozen=True, slots=True)
class Column:
    """What is known of a field.

    role         what a model with one input or one target takes it for; `column`: of a table
    scale        stored values are divided by it when read as numbers: 255 for images
    guessed      whether `scale` is only what the array looks like: a model says what it is of
    kind         `float` or `int`; None while no model has said
    sequence     whether the model has it with one entry per step; `pad` is what fills it up
    vocabulary   the words that its ids stand for
    classes      names of the classes that whole numbers stand for
    recode       whole numbers as found in a file; numbered from 0 once a model calls them classes
    text         of a column of texts, which may not have been read: the first, with its line
    trouble      why it cannot be read, a sentence with its place; its field is not there then
    of           of a bound field: the field, the columns of a table, or the place along a text
                 that it was made of
    """

    role: Role = "other"
    scale: float = 1.0
    guessed: bool = False
    kind: Kind | None = None
    sequence: bool = False
    pad: int | None = None
    vocabulary: Vocabulary | None = None
    classes: tuple[str, ...] = ()
    recode: bool = False
    text: str = ""
    trouble: str = ""
    of: Source | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Arrays with one example a row, all of one length, or sequences of different lengths.

    source    file and, in `rows` of `unit` (`line` or `row`), place that an example came from
    dtype     what its numbers are given as
    numbers   the number that an example has in its file
    stream    whether this is one long text, each of its steps a row
    counted   the target that losses are means over the steps of, if there is one
    ends      the field whose padding says where its sequences end

    >>> split = Split({"pixels": np.full((2, 1, 1), 255, np.uint8)}, {"pixels": Column(scale=255)})
    >>> split.batch(slice(0, 1))
    {'pixels': array([[[1.]]], dtype=float32)}
    """

    fields: Mapping[str, Field]
    about: Mapping[str, Column] = field(default_factory=dict)
    source: str = "the data"
    unit: str = "row"
    rows: Array | None = None
    dtype: str = "float32"
    numbers: Array | None = None
    stream: bool = False
    counted: str | None = None
    ends: str | None = None

    def __post_init__(self) -> None:
        lengths = {name: len(values) for name, values in self.fields.items()}
        if len(set(lengths.values())) > 1:
            listed = ", ".join(f"`{name}` {count:,}" for name, count in lengths.items())
            raise DataError(f"{self.source}: the fields differ in their number of rows: {listed}")
        if not len(self):
            raise DataError(f"{self.source}: there are no examples")

    def __len__(self) -> int:
        rows = 0 if self.rows is None else len(self.rows)
        return min((len(values) for values in self.fields.values()), default=rows)

    def column(self, name: str) -> Column:
        """What is known of a field."""
        return self.about.get(name, Column())

    def place(self, index: int) -> str:
        """Where an example came from, such as `iris.csv, line 7`."""
        row = index if self.rows is None else int(self.rows[index])
        return f"{self.source}, {self.unit} {row}"

    @property
    def uneven(self) -> bool:
        """Whether sequences differ in length and nothing fills them up: they come one by one."""
        return any(
            isinstance(values, Ragged) and self.column(name).pad is None and values.uneven
            for name, values in self.fields.items()
        )

    def take(self, rows: Rows) -> Self:
        """Some of the examples; a slice makes views, a list of numbers copies."""
        places = np.arange(len(self)) if self.rows is None else self.rows
        numbers = None if self.numbers is None else self.numbers[rows]
        fields = {name: values[rows] for name, values in self.fields.items()}
        return replace(self, fields=fields, rows=places[rows], numbers=numbers)

    def joined(self, other: Split) -> Split:
        """The examples of both, this split's first."""
        unlike = [n for n in self.fields if self.column(n).scale != other.column(n).scale]
        if unlike:
            raise DataError(
                f"`{unlike[0]}` holds pixels from 0 to 255 in one of {self.source} and "
                f"{other.source}, and not in the other: they cannot be joined"
            )
        fields = {name: _joined(values, other.fields[name]) for name, values in self.fields.items()}
        if self.source == other.source and self.rows is not None and other.rows is not None:
            rows = np.concatenate([self.rows, other.rows])
            return replace(self, fields=fields, rows=rows, numbers=None)
        source = f"{self.source} and {other.source}"
        return replace(self, fields=fields, source=source, rows=None, numbers=None)

    def batch(
        self,
        indices: Rows,
        dtype: str | None = None,
        out: Mapping[str, Array] | None = None,
    ) -> dict[str, Array]:
        """Examples as a model takes them: scaled floats, int64 ids; written into `out` if given.

        Sequences of different lengths are filled up to the longest.
        """
        multiple = LENGTHS if any(c.pad is not None for c in self.about.values()) else 1
        return {
            name: converted(
                self._filled(name, values[indices], multiple),
                self.column(name),
                dtype or self.dtype,
                out.get(name) if out else None,
            )
            for name, values in self.fields.items()
        }

    def weight(self, indices: Rows) -> int:
        """How many target elements some examples hold: what means over them are weighted by."""
        some = self.fields[self.counted or next(iter(self.fields))][indices]
        if self.counted is None:
            return len(some)
        if isinstance(some, Ragged):
            return int(some.lengths.sum())
        steps = some.shape[1]
        if self.ends is None or isinstance(self.fields[self.ends], Ragged):
            return int(some.shape[0] * steps)
        return int(self.real(self.ends, self.fields[self.ends][indices]).sum())

    def real(self, name: str, ids: Array) -> Array:
        """How many steps of each of some sequences of a field are no padding: from 1, as in models.

        `ids` are [examples, steps].
        """
        places = np.arange(1, ids.shape[1] + 1)
        found: Array = np.where(ids != self.column(name).pad, places, 1).max(axis=1)
        return found

    def _filled(self, name: str, values: Field, multiple: int) -> Array:
        if not isinstance(values, Ragged):
            array: Array = values
            return array
        pad = self.column(name).pad
        return values.even(name) if pad is None else values.padded(pad, multiple)


def _joined(first: Field, second: Field) -> Field:
    if isinstance(first, Ragged) and isinstance(second, Ragged):
        return first.joined(second)
    return np.concatenate([first, second])


def converted(values: Array, column: Column, dtype: str, out: Array | None = None) -> Array:
    """Stored values as floats of `dtype`, divided by the column's scale, or as ids or truths."""
    whole = values.dtype.kind in "iu" and column.scale == 1
    kind = column.kind or ("bool" if values.dtype.kind == "b" else "int" if whole else "float")
    if kind == "float" and column.scale != 1:
        number = np.dtype(dtype)
        divisor = number.type(column.scale)
        scaled: Array = np.divide(values, divisor, out=out, dtype=number, casting="same_kind")
        return scaled
    wanted = {"float": dtype, "int": "int64", "bool": "bool"}[kind]
    if out is None:
        return values.astype(wanted, copy=False)
    np.copyto(out, values, casting="unsafe")
    return out


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A named set with its training, validation and test examples.

    >>> data = Dataset.from_arrays(x=np.zeros((10, 2)), y=np.arange(10) % 2, validation=2)
    >>> len(data.train), len(data.validation), data.test
    (8, 2, None)
    """

    name: str
    train: Split
    validation: Split | None = None
    test: Split | None = None

    @property
    def splits(self) -> dict[str, Split]:
        """The splits that exist, by name."""
        every = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: split for name, split in every.items() if split is not None}

    def given_as(self, dtype: str) -> Dataset:
        """The same examples with their numbers given as float32 or float64."""
        splits = {name: replace(split, dtype=dtype) for name, split in self.splits.items()}
        return Dataset(self.name, **splits)

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the fields, the same in every split."""
        return tuple(self.train.fields)

    def classes(self, name: str) -> tuple[str, ...]:
        """Names of the classes of a field; empty when it has none."""
        return self.train.column(name).classes

    def __str__(self) -> str:
        counts = ", ".join(f"{len(split):,} {name}" for name, split in self.splits.items())
        shapes = (
            f"{shown(name)} [{', '.join(map(str, v.shape[1:]))}]"
            for name, v in self.train.fields.items()
        )
        return f"{self.name}: {counts}; {', '.join(shapes)}"

    @classmethod
    def from_arrays(
        cls,
        fields: Mapping[str, Any] | None = None,
        /,
        *,
        validation: Mapping[str, Any] | float | None = None,
        test: Mapping[str, Any] | float | None = None,
        name: str = "arrays",
        **arrays: Any,
    ) -> Dataset:
        """A data set of arrays; `validation` and `test` are arrays by name, a count or a share."""
        from .arrays import dataset_from_arrays

        return dataset_from_arrays({**(fields or {}), **arrays}, validation, test, name)
