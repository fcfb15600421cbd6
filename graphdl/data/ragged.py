"""Sequences of different lengths, one per example, in one array behind each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import DataError

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """Row i is `values[starts[i] : starts[i] + lengths[i]]`; choosing rows copies no values.

    >>> rows = Ragged.of([[1, 2, 3], [4]])
    >>> rows.padded(0).tolist(), rows[1:].padded(0, multiple=2).tolist()
    ([[1, 2, 3], [4, 0, 0]], [[4, 0]])
    """

    values: Array
    starts: NDArray[np.int64]
    lengths: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[Any]) -> Ragged:
        """The rows one after the other; each is a list or array of whole numbers or floats."""
        lengths = np.array([len(row) for row in rows], np.int64)
        parts = [np.asarray(row) for row in rows if len(row)]
        values = np.concatenate(parts) if parts else np.zeros(0, np.int64)
        return cls.behind_each_other(values, lengths)

    @classmethod
    def behind_each_other(cls, values: Array, lengths: NDArray[np.int64]) -> Ragged:
        """Rows of these lengths, with nothing between them."""
        return cls(values, np.cumsum(lengths) - lengths, lengths)

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def shape(self) -> tuple[int | str, ...]:
        """As of an array, with `T` for the length that varies."""
        return (len(self), "T", *self.values.shape[1:])

    @property
    def ndim(self) -> int:
        """As of an array."""
        return len(self.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of the values."""
        return self.values.dtype

    def __getitem__(self, rows: Any) -> Ragged:
        return Ragged(self.values, self.starts[rows], self.lengths[rows])

    def flat(self) -> Array:
        """The values of all rows, one row behind the other."""
        total = int(self.lengths.sum())
        if total == len(self.values) and bool(
            (self.starts == np.cumsum(self.lengths) - self.lengths).all()
        ):
            return self.values
        rows = zip(self.starts.tolist(), self.lengths.tolist(), strict=True)
        return np.concatenate([self.values[:0], *(self.values[s : s + n] for s, n in rows)])

    def row_of(self, place: int) -> int:
        """The row in which a place of `flat` lies."""
        return int(np.searchsorted(np.cumsum(self.lengths), place, side="right"))

    @property
    def uneven(self) -> bool:
        """Whether the rows differ in length."""
        return len(self) > 0 and bool(self.lengths.min() < self.lengths.max())

    def even(self, name: str) -> Array:
        """An array [rows, length] of rows that nothing fills up; DataError where they differ."""
        if self.uneven:
            least, most = self.lengths.min(), self.lengths.max()
            ids = self.dtype.kind in "iu"
            way = f"write `input {name}[T]: int(n, pad = 0)`, or " if ids else ""
            raise DataError(
                f"the sequences of `{name}` in a batch differ in length, from {least} to {most}: "
                f"{way}take them one by one: `batch = 1`"
            )
        return self.padded(0)

    def padded(self, pad: float, multiple: int = 1) -> Array:
        """An array [rows, longest], short rows filled up, the longest rounded up to a multiple."""
        longest = max(int(self.lengths.max(initial=1)), 1)
        width = -(-longest // multiple) * multiple
        found = np.full((len(self), width, *self.values.shape[1:]), pad, self.values.dtype)
        rows = zip(found, self.starts.tolist(), self.lengths.tolist(), strict=True)
        for row, start, length in rows:
            row[:length] = self.values[start : start + length]
        return found

    def joined(self, other: Ragged) -> Ragged:
        """The rows of both."""
        lengths = np.concatenate([self.lengths, other.lengths])
        return Ragged.behind_each_other(np.concatenate([self.flat(), other.flat()]), lengths)
