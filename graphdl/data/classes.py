"""Which id each class of a field has: by its name, and the same in every set that a model sees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ..errors import DataError, did_you_mean
from ..graph.model import Shaped
from .dataset import Array, Column, Dataset, Field, Split
from .labels import number, renumbered
from .ragged import Ragged
from .stream import shown

Names = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of a field as a model has them.

    names    what the ids stand for; empty where these are plain numbers
    held     each number in the field, in order, where it is not yet the id
    ids      what each becomes: -1 where the model has no such class
    plain    whether the ids are any numbers, as no class has a name
    spelled  what the set calls each
    """

    names: Names = ()
    held: Array | None = None
    ids: Array | None = None
    spelled: Names = ()
    plain: bool = False

    @property
    def strange(self) -> bool:
        """Whether the set has a class that the model has not."""
        return self.ids is not None and not self.plain and bool((self.ids < 0).any())

    def numbered(self, split: Split, values: Field) -> Field:
        """The values as ids of the model; DataError with the place of a class it has not."""
        if self.held is None or self.ids is None:
            return values
        places = np.searchsorted(self.held, values)
        found = self.ids[places]
        if self.strange and (found < 0).any():
            first = np.argwhere(found < 0)[0]
            text = self.spelled[np.asarray(places)[tuple(first)]]
            raise no_class(split.place(int(first[0])), text, self.names)
        return found


def no_class(place: str, text: str, names: Sequence[str]) -> DataError:
    """The error for a name that none of the classes has."""
    near = did_you_mean(text, names) or f"there are: {', '.join(map(shown, names[:8]))}"
    return DataError(f"{place}: no class is called `{shown(text)}`; {near}")


def classes_of(
    data: Dataset, field: str, shaped: Shaped, known: Names | None, trained: bool = False
) -> Classes:
    """The classes of a field; `known` are those that the model was `trained` with, if it was.

    Without them they are those of all parts, or of the training part alone where the model has
    less than all: then another part holds the one too many. What was trained on plain numbers
    stays plain numbers.
    """
    column = data.train.column(field)
    if trained and known is None:
        if any(number(name) is None for name in column.classes) and column.vocabulary is None:
            listed = ", ".join(map(shown, column.classes[:5]))
            raise DataError(
                f"{data.train.source}: `{field}` names classes ({listed}), and the model was "
                "trained on numbers without names: write the numbers"
            )
        return _plain(data, field, column)
    recoded = column.recode and (shaped.kind == "int" or known is not None)
    # A column of a table holds names where these are known, and no name is a fraction.
    recoded |= known is not None and isinstance(column.of, tuple)
    sequences = any(isinstance(split.fields[field], Ragged) for split in data.splits.values())
    if sequences or column.vocabulary is not None or not (recoded or column.classes):
        # Plain numbers are ids already; what they stand for is known of a trained model.
        plain = shaped.kind == "int" and column.vocabulary is None
        return Classes(column.classes or (known if plain and known else ()))
    held = _held(data.splits.values(), field)
    spelled = _spelled(column, held)
    names = known or _own(data, field, shaped, _names(column, held), spelled)
    ids = _ids(spelled, names)
    return Classes(names) if np.array_equal(ids, held) else Classes(names, held, ids, spelled)


def _plain(data: Dataset, field: str, column: Column) -> Classes:
    """Numbers that were taken for names of classes, as -1 and +1 are, are numbers again."""
    if not column.classes or column.vocabulary is not None:
        return Classes()
    held = _held(data.splits.values(), field)
    ids = np.array([number(column.classes[int(value)]) for value in held])
    return Classes((), held, ids, plain=True)


def _own(data: Dataset, field: str, shaped: Shaped, names: Names, spelled: Names) -> Names:
    """The names found, or those of the training part alone where only these are few enough.

    Numbers that seem to count from 0, but are exactly as many different ones as the model has
    classes, are their names: 0 and 4 of `int(2)`.
    """
    column = data.train.column(field)
    counted = not column.recode and names == tuple(map(str, range(len(names))))
    if shaped.classes is None or len(names) <= shaped.classes or counted:
        return names
    if column.recode and len(spelled) == shaped.classes:
        return spelled
    trained = _held([data.train], field)
    fewer = _names(column, trained) if column.recode else _spelled(column, trained)
    return fewer if len(fewer) <= shaped.classes else names


def _held(splits: Iterable[Split], field: str) -> Array:
    """Every number of a field, once."""
    return np.unique(np.concatenate([np.ravel(split.fields[field]) for split in splits]))


def _names(column: Column, held: Array) -> Names:
    return renumbered(held[:0], held)[1] if column.recode else column.classes


def _spelled(column: Column, held: Array) -> Names:
    if column.classes:
        return tuple(column.classes[int(value)] for value in held)
    return tuple(str(int(value)) if value == int(value) else f"{value:g}" for value in held)


def _ids(spelled: Names, names: Names) -> Array:
    """The place of each among the names, or -1: as it is spelled, else by its value.

    Names that only count from 0 go on counting behind the last.
    """
    places = {name: place for place, name in enumerate(names)}
    values = [number(name) for name in names]
    by_value = {value: i for i, value in enumerate(values) if value is not None}
    counting = values == list(range(len(names)))
    found = []
    for text in spelled:
        value = number(text)
        place = places.get(text, None if value is None else by_value.get(value))
        if place is None and counting and value is not None and 0 <= value < 2**53:
            place = int(value) if value.is_integer() else None
        found.append(-1 if place is None else place)
    return np.array(found, np.int64)
