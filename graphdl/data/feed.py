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
    going    the rows of the window before that go on in this one, None for all of them
    """

    batch: dict[str, Array]
    weight: int
    fresh: bool = True
    going: Array | None = None


class Feed(Protocol):
    """Batches of an epoch; any of them can be the first, where an interrupted run goes on."""

    @property
    def count(self) -> int:
        """How many examples there are, or steps of one long text."""
        ...

    def steps(self, epoch: int) -> int:
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

    def steps(self, epoch: int) -> int:  # noqa: ARG002 - always as many
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

    A sequence that has ended, because only padding follows, leaves its batch.

    sequences   the fields that have steps; the others come along whole with every window
    ends        how many steps of each example are real, None for all
    """

    split: Split
    sampler: Sampler
    window: int
    sequences: tuple[str, ...]
    ends: Array | None = None

    @property
    def count(self) -> int:
        """How many examples there are."""
        return self.sampler.count

    def steps(self, epoch: int) -> int:
        """Windows in an epoch."""
        return sum(map(self._pieces, self.sampler.batches(epoch)))

    @property
    def unit(self) -> str:
        """What weights count."""
        return "tokens" if self.split.counted else "examples"

    def _pieces(self, rows: Array) -> int:
        """Windows of a batch, up to the end of its longest sequence; the last may be short."""
        length: int = self.split.fields[self.sequences[0]].shape[1]
        if self.ends is not None:
            length = int(self.ends[rows].max())
        return -(-length // self.window)

    def batches(self, epoch: int, start: int = 0) -> Iterator[Fed]:
        """The windows of an epoch from number `start` on."""
        skipped = start
        for rows in self.sampler.batches(epoch):
            pieces = self._pieces(rows)
            if skipped < pieces:
                whole = self.split.batch(rows)
                for piece in range(skipped, pieces):
                    yield self._window(whole, rows, piece)
            skipped = max(skipped - pieces, 0)

    def _window(self, whole: dict[str, Array], rows: Array, piece: int) -> Fed:
        first = piece * self.window
        part, counted = slice(first, first + self.window), self.split.counted
        cut = {n: v[:, part] if n in self.sequences else v for n, v in whole.items()}
        if self.ends is None:
            weight = cut[counted].size if counted else len(rows)
            return Fed(cut, weight, fresh=piece == 0)
        ends, name = self.ends[rows], self.split.ends
        assert name is not None
        before = ends[ends > first - self.window] if piece else ends
        cut = {n: v[ends > first] for n, v in cut.items()}
        # What the model takes for real in a window, not in the whole: its mean is over that.
        weight = int(self.split.real(name, cut[name]).sum()) if counted else len(cut[name])
        return Fed(cut, weight, fresh=piece == 0, going=np.flatnonzero(before > first))


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

    def steps(self, epoch: int) -> int:  # noqa: ARG002 - always as many
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
        if self._has_tail and start < self.steps(epoch):
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

    def steps(self, epoch: int) -> int:  # noqa: ARG002 - always as many
        """Windows in an epoch; the last one may be short."""
        every = -(-self.length // self.window)
        return min(every, self.limit) if self.limit else every

    @property
    def unit(self) -> str:
        """What weights count."""
        return "tokens"

    def batches(self, epoch: int, start: int = 0) -> Iterator[Fed]:
        """The windows of an epoch from number `start` on."""
        beginnings = np.arange(self.batch)[:, None] * self.length
        for step in range(start, self.steps(epoch)):
            first = step * self.window
            steps = np.arange(first, min(first + self.window, self.length))
            yield _of_text(self.split, beginnings + steps, fresh=step == 0)


def _of_text(split: Split, places: Array, fresh: bool = True) -> Fed:
    """A batch of windows, given the places of their steps in the text."""
    flat = split.batch(places.reshape(-1))
    return Fed({n: v.reshape(places.shape) for n, v in flat.items()}, places.size, fresh)
