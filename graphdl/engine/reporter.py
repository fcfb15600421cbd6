"""What a person sees of training: nothing, plain lines, or a live display on a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TextIO

from .history import Record

Clock = Callable[[], float]
PER_SECOND = "_per_second"  # how the rate of a record is called: of examples, or of tokens


class Reporter(Protocol):
    """Told about training as it goes; `batch` is called at every batch and decides what to show."""

    def start(self, epoch: int, epochs: int, done: int, batches: int, examples: int) -> None:
        """An epoch begins or goes on: `done` of its `batches` are behind it."""
        ...

    def batch(self, done: int, examples: int, means: Callable[[], Mapping[str, float]]) -> None:
        """Batches and examples done in this epoch; `means` are computed only if called."""
        ...

    def epoch(self, record: Record, best: bool) -> None:
        """An epoch is over."""
        ...

    def note(self, text: str) -> None:
        """Something worth a line."""
        ...

    def finish(self) -> None:
        """Training is over, well or not."""
        ...


class Quiet:
    """Says nothing."""

    def start(self, epoch: int, epochs: int, done: int, batches: int, examples: int) -> None:
        """An epoch begins."""

    def batch(self, done: int, examples: int, means: Callable[[], Mapping[str, float]]) -> None:
        """A batch is done."""

    def epoch(self, record: Record, best: bool) -> None:
        """An epoch is over."""

    def note(self, text: str) -> None:
        """Something worth a line."""

    def finish(self) -> None:
        """Training is over."""


class Lines:
    """A line per epoch, and within long epochs one every `interval` seconds: for logs."""

    def __init__(
        self, stream: TextIO, interval: float = 10.0, clock: Clock = time.monotonic
    ) -> None:
        self.stream, self.interval, self.clock = stream, interval, clock
        self.at, self.of, self.batches = 0, 0, 0
        self.spoke = self.began = clock()
        self.done_before = self.before = 0

    def start(self, epoch: int, epochs: int, done: int, batches: int, examples: int) -> None:
        """An epoch begins."""
        self.at, self.of, self.batches = epoch, epochs, batches
        self.spoke = self.began = self.clock()
        self.done_before, self.before = done, examples

    def batch(self, done: int, examples: int, means: Callable[[], Mapping[str, float]]) -> None:
        """A batch is done; a line if the last one is long ago."""
        now = self.clock()
        if now - self.spoke < self.interval:
            return
        self.spoke = now
        rate = (examples - self.before) / max(now - self.began, 1e-9)
        pace = (now - self.began) / max(done - self.done_before, 1)
        ahead = (self.of - self.at + 1) * self.batches - done
        left = duration(ahead * pace)
        share = f"{done}/{self.batches}"
        self._say(
            f"epoch {self.at}/{self.of}  {share}  {figures(means())}  {rate:,.0f}/s  {left} left"
        )

    def epoch(self, record: Record, best: bool) -> None:
        """An epoch is over: its line."""
        self._say(epoch_line(record, self.of, best))

    def note(self, text: str) -> None:
        """Something worth a line."""
        self._say(text)

    def finish(self) -> None:
        """Training is over."""
        self.stream.flush()

    def _say(self, text: str) -> None:
        self.stream.write(text + "\n")
        self.stream.flush()


def reporter_for(stream: TextIO) -> Reporter:
    """A live display on a terminal, lines elsewhere."""
    if stream.isatty():
        from .live import Live

        return Live(stream)
    return Lines(stream)


def epoch_line(record: Record, epochs: int, best: bool) -> str:
    """One epoch in one line.

    >>> epoch_line({"epoch": 2, "loss": 0.5, "validation_loss": 0.25, "seconds": 1.5}, 3, True)
    'epoch 2/3  loss 0.5000  validation loss 0.2500  1.5 s  best'
    """
    seconds = record.get("seconds")
    parts = [f"epoch {record['epoch']}/{epochs}", figures(record)]
    rates = (value for key, value in record.items() if key.endswith(PER_SECOND))
    parts += [f"{rate:,.0f}/s" for rate in rates if isinstance(rate, int | float)]
    parts += [duration(seconds)] if seconds is not None else []
    return "  ".join([*parts, *(["best"] if best else [])])


_NOT_FIGURES = {"epoch", "step", "lr", "seconds"}


def figures(values: Mapping[str, Any]) -> str:
    """Losses and metrics of a record in a few words."""
    shown = {
        k: v
        for k, v in values.items()
        if k not in _NOT_FIGURES and not k.endswith(PER_SECOND) and isinstance(v, float)
    }
    return "  ".join(f"{name.replace('_', ' ')} {value:{_form(value)}}"
                     for name, value in shown.items())  # fmt: skip


def _form(value: float) -> str:
    return ".4f" if 1e-3 <= abs(value) < 1e3 or value == 0 else ".3g"


def duration(seconds: float) -> str:
    """A time in words.

    >>> [duration(s) for s in (1.54, 75, 7260)]
    ['1.5 s', '1 min 15 s', '2 h 01 min']
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return (
        f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
    )
