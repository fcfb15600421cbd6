"""Confusion matrix: which class is taken for which, with a row of figures per class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import DataError


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class: of those predicted, the share that is right; of those there, the share found."""

    name: str
    precision: float
    recall: float
    support: int


@dataclass(slots=True)
class Confusion:
    """Counts of (label, prediction) pairs; rows are the true classes.

    >>> confusion = Confusion.empty(2)
    >>> confusion.add(np.array([0, 1, 1]), np.array([0, 0, 1])); confusion.counts.tolist()
    [[1, 1], [0, 1]]
    >>> round(confusion.accuracy, 3)
    0.667
    """

    counts: np.ndarray[Any, Any]
    names: tuple[str, ...]

    @classmethod
    def empty(cls, classes: int, names: tuple[str, ...] = ()) -> Confusion:
        """A matrix of zeros; classes are named 0, 1, ... unless `names` says otherwise."""
        names = names or tuple(str(i) for i in range(classes))
        return cls(np.zeros((classes, classes), np.int64), names)

    def add(self, predictions: np.ndarray[Any, Any], labels: np.ndarray[Any, Any]) -> None:
        """Counts one batch of class numbers of equal shape."""
        predicted, true = np.ravel(predictions), np.ravel(labels)
        if predicted.shape != true.shape:
            raise DataError(f"{true.size} labels for {predicted.size} predictions")
        classes = len(self.names)
        for word, ids in (("label", true), ("prediction", predicted)):
            outside = (ids < 0) | (ids >= classes)
            if outside.any():
                raise DataError(f"{word} {ids[outside][0]} is not one of 0..{classes - 1}")
        cells = true.astype(np.int64) * classes + predicted.astype(np.int64)
        self.counts += np.bincount(cells, minlength=classes**2).reshape(classes, classes)

    @property
    def accuracy(self) -> float:
        """Share of examples on the diagonal; not a number when nothing was counted."""
        return _ratio(self.counts.trace(), self.counts.sum())

    def rows(self) -> list[ClassRow]:
        """Precision, recall and support of each class; not a number where undefined."""
        found, there = self.counts.sum(axis=0), self.counts.sum(axis=1)
        right = self.counts.diagonal()
        return [
            ClassRow(name, _ratio(right[i], found[i]), _ratio(right[i], there[i]), int(there[i]))
            for i, name in enumerate(self.names)
        ]


def _ratio(part: Any, whole: Any) -> float:
    return float(part / whole) if whole else float("nan")
