"""What training and evaluating are fed: batches in order, of examples or of windows of time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from .dataset import Array, Split
from .sampler import Sampler


@dataclass(frozen=True, slots=True)
class Fed:
    """A batch.

    weight   target elements in it, what means over batches are weighted by
    fresh    whether states begin anew; otherwise this window follows the one before
    """

    batch: dict[str, Array]
    weight: int
    fresh: bool = True


class Feed(Protocol):
    """Batches of an epoch; any of them can be the first, where an interrupted run goes on."""

    @property
    def count(self) -> int:
        """How many examples there are, or steps of one long text."""
        ...

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        ...

    @property
    def unit(self) -> str:
        """What weights count: examples or tokens."""
        ...

    def batches(self, epoch: int, start: int = 0) -> Iterator[Fed]:
        """The batches of an epoch from number `start` on."""
        ...


class Examples(Protocol):
    """What `Batches` needs of a split."""

    def batch(self, indices: Any) -> Any:
        """The named arrays of these examples."""
        ...

    def weight(self, indices: Any) -> int:
        """How many target elements they hold."""
        ...


@dataclass(frozen=True, slots=True)
class Batches:
    """Whole examples, as a sampler says."""

    split: Examples
    sampler: Sampler

    @property
    def count(self) -> int:
        """How many examples there are."""
        return self.sampler.count

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return self.sampler.steps

    @property
    def unit(self) -> str:
        """What weights count."""
        return "tokens" if getattr(self.split, "counted", None) else "examples"

    def batches(self, epoch: int, start: int = 0) -> Iterator[Fed]:
        """The batches of an epoch from number `start` on."""
        for rows in self.sampler.batches(epoch, start):
            yield Fed(self.split.batch(rows), self.split.weight(rows))


@dataclass(frozen=True, slots=True)
class Windows:
    """Batches of sequences of one length, each cut over time into windows one after the other.

    sequences   the fields that have steps; the others come along whole with every window
    """

    split: Split
    sampler: Sampler
    window: int
    sequences: tuple[str, ...]

    @property
    def count(self) -> int:
        """How many examples there are."""
        return self.sampler.count

    @property
    def pieces(self) -> int:
        """Windows of one sequence; the last may be short."""
        length: int = self.split.fields[self.sequences[0]].shape[1]
        return -(-length // self.window)

    @property
    def steps(self) -> int:
        """Windows in an epoch."""
        return self.sampler.steps * self.pieces

    @property
    def unit(self) -> str:
        """What weights count."""
        return "tokens" if self.split.counted else "examples"

    def batches(self, epoch: int, start: int = 0) -> Iterator[Fed]:
        """The windows of an epoch from number `start` on."""
        first, skipped = divmod(start, self.pieces)
        for rows in self.sampler.batches(epoch, first):
            whole = self.split.batch(rows)
            for piece in range(skipped, self.pieces):
                yield self._window(whole, piece)
            skipped = 0

    def _window(self, whole: dict[str, Array], piece: int) -> Fed:
        part = slice(piece * self.window, (piece + 1) * self.window)
        cut = {n: v[:, part] if n in self.sequences else v for n, v in whole.items()}
        counted = self.split.counted
        weight = cut[counted].size if counted else len(next(iter(cut.values())))
        return Fed(cut, weight, fresh=piece == 0)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Windows of one long text, each an example by itself.

    tail   whether what is left behind the last whole window comes as one more, shorter batch
    """

    split: Split
    sampler: Sampler
    window: int
    tail: bool = False

    @property
    def count(self) -> int:
        """Steps of the text."""
        return len(self.split)

    @property
    def steps(self) -> int:
        """Batches in an epoch."""
        return self.sampler.steps + self._has_tail

    @property
    def unit(self) -> str:
        """What weights count."""
        return "tokens"

    @property
    def _has_tail(self) -> bool:
        return self.tail and len(self.split) % self.window > 0

    def batches(self, epoch: int, start: int = 0) -> Iterator[Fed]:
        """The batches of an epoch from number `start` on."""
        for rows in self.sampler.batches(epoch, start):
            places = rows[:, None] * self.window + np.arange(self.window)
            yield _of_text(self.split, places)
        if self._has_tail and start < self.steps:
            left = len(self.split) % self.window
            yield _of_text(self.split, np.arange(len(self.split) - left, len(self.split))[None])


@dataclass(frozen=True, slots=True)
class Streams:
    """One long text as `batch` streams side by side, each read on from window to window.

    limit   only so many windows, from the beginning; 0 for all
    """

    split: Split
    batch: int
    window: int
    limit: int = 0

    @property
    def count(self) -> int:
        """Steps of the text."""
        return len(self.split)

    @property
    def length(self) -> int:
        """Steps of one stream; what does not fill all streams evenly is left out."""
        return len(self.split) // self.batch

    @property
    def steps(self) -> int:
        """Windows in an epoch; the last one may be short."""
        every = -(-self.length // self.window)
        return min(every, self.limit) if self.limit else every

    @property
    def unit(self) -> str:
        """What weights count."""
        return "tokens"

    def batches(self, epoch: int, start: int = 0) -> Iterator[Fed]:  # noqa: ARG002 - always alike
        """The windows of an epoch from number `start` on."""
        beginnings = np.arange(self.batch)[:, None] * self.length
        for step in range(start, self.steps):
            first = step * self.window
            steps = np.arange(first, min(first + self.window, self.length))
            yield _of_text(self.split, beginnings + steps, fresh=step == 0)


def _of_text(split: Split, places: Array, fresh: bool = True) -> Fed:
    """A batch of windows, given the places of their steps in the text."""
    flat = split.batch(places.reshape(-1))
    return Fed({n: v.reshape(places.shape) for n, v in flat.items()}, places.size, fresh)
