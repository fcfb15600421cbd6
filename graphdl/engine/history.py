"""What training measured: one record per epoch, and where training stands, fit for a checkpoint."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, overload

from . import plain
from .average import Average

Record = dict[str, Any]
Ending = Literal["finished", "early stop", "time limit", "interrupted", "dry run"]

_HIGHER = ("accuracy", "precision", "recall", "f1", "auc", "score")


@dataclass(slots=True)
class History:
    """The records of a run.

    `history[-1]` is the last record, `history["loss"]` one value per epoch; `best_epoch` is the
    epoch with the best monitored value, `test` what the test split gave, `ending` why it ended, and
    `signal` the number of the signal that interrupted it.
    """

    records: list[Record] = field(default_factory=list)
    best_epoch: int | None = None
    ending: Ending = "finished"
    test: dict[str, float] = field(default_factory=dict)
    folder: Path | None = None
    signal: int | None = None

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    @overload
    def __getitem__(self, key: int) -> Record: ...
    @overload
    def __getitem__(self, key: str) -> list[Any]: ...
    def __getitem__(self, key: int | str) -> Record | list[Any]:
        if isinstance(key, int):
            return self.records[key]
        return [record.get(key) for record in self.records]

    @property
    def interrupted(self) -> bool:
        """Whether a signal ended it: a command then exits with 128 and its number."""
        return self.ending == "interrupted"


@dataclass(slots=True)
class Progress:
    """Where training stands: with the arrays, all it needs to go on as if never stopped.

    epoch      from 1
    position   batches of this epoch that are done
    step       updates in this run (the network counts its own over all runs)
    origin     updates before this run, so that a second run does not repeat the first one's orders
    examples   size of the training data
    rate       learning rate of the last update, None when only the rule knows it
    average    sums over this epoch so far
    monitored  one value per finished epoch, lower being better
    records    one per finished epoch
    """

    epoch: int = 1
    position: int = 0
    step: int = 0
    origin: int = 0
    examples: int = 0
    rate: float | None = None
    average: Average = field(default_factory=Average)
    monitored: list[float] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)

    @property
    def best_epoch(self) -> int | None:
        """The first epoch with the lowest monitored value; strictly lower ones replace it."""
        finite = [value for value in self.monitored if not math.isnan(value)]
        return self.monitored.index(min(finite)) + 1 if finite else None

    def waited_more_than(self, patience: int | None) -> bool:
        """Whether more than `patience` epochs passed without an improvement."""
        if patience is None:
            return False
        return len(self.monitored) - (self.best_epoch or 0) > patience

    def close_epoch(self, record: Record, monitored: float) -> bool:
        """Moves on to the next epoch; True when this one was the best so far."""
        self.records.append(record)
        self.monitored.append(monitored)
        improved = self.best_epoch == self.epoch
        self.epoch, self.position, self.average = self.epoch + 1, 0, Average()
        return improved

    def to_json(self) -> dict[str, Any]:
        """Plain values; floats survive bit for bit."""
        return {
            "epoch": self.epoch,
            "position": self.position,
            "step": self.step,
            "origin": self.origin,
            "examples": self.examples,
            "rate": self.rate,
            **self.average.to_json(),
            "monitored": self.monitored,
            "records": self.records,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Progress:
        """The inverse of `to_json`; ValueError when it is none."""
        return cls(
            plain.whole(values, "epoch", 1),
            plain.whole(values, "position"),
            plain.whole(values, "step"),
            plain.whole(values, "origin"),
            plain.whole(values, "examples"),
            None if values.get("rate") is None else plain.real(values, "rate"),
            Average.from_json(values),
            plain.reals(values, "monitored"),
            plain.tables(values, "records"),
        )


def lower_is_better(name: str) -> bool:
    """Whether a monitored value should fall: losses and errors do, accuracies rise.

    >>> lower_is_better("loss"), lower_is_better("accuracy"), lower_is_better("rmse")
    (True, False, True)
    """
    return not any(part in name.lower() for part in _HIGHER)
