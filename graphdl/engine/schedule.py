"""Learning-rate schedules: pure functions of where training stands and what it measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Moment:
    """Where an update happens.

    epoch counts from 1 and step from 0; `monitored` has one value per finished epoch, lower
    being better, and is all that `plateau` remembers.
    """

    epoch: int
    step: int = 0
    steps_per_epoch: int = 1
    epochs: int = 1
    monitored: Sequence[float] = ()


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A constant rate; `warmup` epochs (a fraction may be given) rise linearly to it."""

    name: ClassVar[str] = "constant"
    warmup: float = 0.0

    def rate(self, base: float, moment: Moment) -> float:
        """The learning rate of the update at `moment`."""
        rise = self.warmup * moment.steps_per_epoch
        try:
            settled = self.settled(base, moment)
        except OverflowError:  # a factor above 1, many times
            settled = math.inf
        return settled * min(1.0, (moment.step + 1) / rise if rise else 1.0)

    def settled(self, base: float, moment: Moment) -> float:  # noqa: ARG002
        """The rate apart from the warm-up."""
        return base

    def progress(self, moment: Moment) -> float:
        """Share of the updates after the warm-up that are done, from 0 towards 1."""
        rise = self.warmup * moment.steps_per_epoch
        total = moment.epochs * moment.steps_per_epoch
        return min(1.0, max(0.0, (moment.step - rise) / max(total - rise, 1.0)))


@dataclass(frozen=True)
class Step(Schedule):
    """Times `factor` after every `every` epochs."""

    name: ClassVar[str] = "step"
    every: int
    factor: float = 0.1

    def settled(self, base: float, moment: Moment) -> float:
        """The rate apart from the warm-up."""
        return base * self.factor ** ((moment.epoch - 1) // self.every)


@dataclass(frozen=True)
class Steps(Schedule):
    """After each epoch of the list `after`: times `factor`, or the next rate of a list.

    >>> [Steps((1, 3), 0.5).rate(1.0, Moment(epoch)) for epoch in (1, 2, 3, 4)]
    [1.0, 0.5, 0.5, 0.25]
    >>> [Steps((5, 6), (0.5, 0.25)).rate(1.0, Moment(epoch)) for epoch in (5, 6, 7)]
    [1.0, 0.5, 0.25]
    """

    name: ClassVar[str] = "steps"
    after: tuple[int, ...]
    factor: float | tuple[float, ...] = 0.1

    def settled(self, base: float, moment: Moment) -> float:
        """The rate apart from the warm-up."""
        passed = sum(moment.epoch > epoch for epoch in self.after)
        if isinstance(self.factor, tuple):
            return self.factor[passed - 1] if passed else base
        return base * self.factor**passed


@dataclass(frozen=True)
class Exponential(Schedule):
    """Times `factor` after epoch `after` and after every later one."""

    name: ClassVar[str] = "exponential"
    factor: float
    after: int = 1

    def settled(self, base: float, moment: Moment) -> float:
        """The rate apart from the warm-up."""
        return base * self.factor ** max(0, moment.epoch - self.after)


@dataclass(frozen=True)
class Linear(Schedule):
    """A straight line to `end`, update by update over the whole training."""

    name: ClassVar[str] = "linear"
    end: float = 0.0

    def settled(self, base: float, moment: Moment) -> float:
        """The rate apart from the warm-up."""
        return base + (self.end - base) * self.progress(moment)


@dataclass(frozen=True)
class Cosine(Schedule):
    """Half a cosine wave down to `end`, update by update over the whole training."""

    name: ClassVar[str] = "cosine"
    end: float = 0.0

    def settled(self, base: float, moment: Moment) -> float:
        """The rate apart from the warm-up."""
        share = (1 + math.cos(math.pi * self.progress(moment))) / 2
        return self.end + (base - self.end) * share


@dataclass(frozen=True)
class Plateau(Schedule):
    """Times `factor` when more than `patience` epochs pass without a strict improvement."""

    name: ClassVar[str] = "plateau"
    factor: float = 0.1
    patience: int = 10
    least: float = 0.0

    def settled(self, base: float, moment: Moment) -> float:
        """The rate apart from the warm-up."""
        best, waited, cuts = math.inf, 0, 0
        for value in moment.monitored:
            waited = 0 if value < best else waited + 1
            best = min(best, value) if value == value else best
            if waited > self.patience:
                waited, cuts = 0, cuts + 1
        return max(base * self.factor**cuts, min(self.least, base))


SCHEDULES: dict[str, type[Schedule]] = {
    kind.name: kind for kind in (Schedule, Step, Steps, Exponential, Linear, Cosine, Plateau)
}


def arguments(kind: type[Schedule]) -> list[str]:
    """Argument names in the order they may be written, `warmup` last and by name only."""
    names = [f.name for f in fields(kind)]
    return [n for n in names if n != "warmup"] + ["warmup"]
