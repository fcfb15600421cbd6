"""From tokens as they were read to ids of a vocabulary, counted over the training part alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError
from .dataset import Dataset, Split
from .ragged import Ragged
from .stream import shown
from .vocabulary import Vocabulary, Wording


@dataclass(slots=True)
class Tokens:
    """Every token of the files with a provisional id, in order of appearance."""

    ids: dict[str, int] = field(default_factory=dict)

    def numbers(self, tokens: Iterable[str]) -> list[int]:
        """Provisional ids, new ones for tokens not seen before."""
        known = self.ids
        return [known.setdefault(token, len(known)) for token in tokens]


def worded(
    data: Dataset,
    fields: tuple[str, ...],
    tokens: Tokens,
    wording: Wording,
    known: Vocabulary | None = None,
    strict: bool = False,
) -> Dataset:
    """The data set with the provisional ids of some fields turned into those of a vocabulary.

    `known` is the vocabulary of a checkpoint; otherwise one is made of the training part, with a
    place for unknown words if another part has some. `strict` has no such place: an unknown token
    is a DataError.
    """
    vocabulary = known
    if vocabulary is None:
        counts = _counts(data.train, fields, tokens)
        vocabulary = wording.vocabulary(counts)
        others = [split for split in (data.validation, data.test) if split is not None]
        if vocabulary.unknown is None and not strict and _strangers(others, fields, tokens, counts):
            vocabulary = replace(wording, reserved=True).vocabulary(counts)
    absent = -1 if vocabulary.unknown is None or strict else vocabulary.unknown
    table = np.array([vocabulary.ids.get(t, absent) for t in tokens.ids] or [0], np.int32)
    splits = {
        name: _mapped(s, fields, table, tokens, vocabulary) for name, s in data.splits.items()
    }
    return Dataset(data.name, **splits)


def _counts(split: Split, fields: tuple[str, ...], tokens: Tokens) -> dict[str, int]:
    total = np.zeros(len(tokens.ids), np.int64)
    for name in fields:
        total += np.bincount(_flat(split.fields[name]), minlength=len(total))
    return {token: int(n) for token, n in zip(tokens.ids, total, strict=True) if n}


def _strangers(
    splits: Iterable[Split], fields: tuple[str, ...], tokens: Tokens, counts: dict[str, int]
) -> bool:
    """Whether a part has tokens that the training part lacks."""
    return any(not _counts(split, fields, tokens).keys() <= counts.keys() for split in splits)


def _mapped(
    split: Split,
    fields: tuple[str, ...],
    table: NDArray[np.int32],
    tokens: Tokens,
    vocabulary: Vocabulary,
) -> Split:
    found, about = dict(split.fields), dict(split.about)
    for name in fields:
        values = found[name]
        ids = table[_flat(values)]
        if len(ids) and ids.min() < 0:
            _refuse(split, values, int(ids.argmin()), tokens)
        found[name] = (
            Ragged.behind_each_other(ids, values.lengths) if isinstance(values, Ragged) else ids
        )
        about[name] = replace(split.column(name), vocabulary=vocabulary)
    return replace(split, fields=found, about=about)


def _refuse(split: Split, values: Any, place: int, tokens: Tokens) -> None:
    number = int(_flat(values)[place])
    token = next(token for token, i in tokens.ids.items() if i == number)
    where = split.place(values.row_of(place)) if isinstance(values, Ragged) else split.source
    raise DataError(f"{where}: `{shown(token)}` does not occur in the training part")


def _flat(values: Any) -> NDArray[np.int32]:
    flat: NDArray[np.int32] = values.flat() if isinstance(values, Ragged) else values
    return flat
