"""A reporter that may go away: a closed pipe or terminal ends training, and loses none of it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from typing import Any

from .history import Record
from .reporter import Reporter

GONE = (errno.EPIPE, errno.EIO)  # whoever read along has left


class Listener:
    """Passes everything on until that fails; `lost` is why it did."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self.lost: OSError | None = None

    @property
    def gone(self) -> bool:
        """Whether the reader has left, as opposed to a disk that is full."""
        return self.lost is not None and self.lost.errno in GONE

    def start(self, epoch: int, epochs: int, done: int, batches: int, examples: int) -> None:
        """An epoch begins."""
        self._tell(self._reporter.start, epoch, epochs, done, batches, examples)

    def batch(self, done: int, examples: int, means: Callable[[], Mapping[str, float]]) -> None:
        """A batch is done."""
        self._tell(self._reporter.batch, done, examples, means)

    def epoch(self, record: Record, best: bool) -> None:
        """An epoch is over."""
        self._tell(self._reporter.epoch, record, best)

    def note(self, text: str) -> None:
        """Something worth a line."""
        self._tell(self._reporter.note, text)

    def finish(self) -> None:
        """Training is over."""
        self._tell(self._reporter.finish)

    def _tell(self, call: Callable[..., None], *arguments: Any) -> None:
        if self.lost is None:
            try:
                call(*arguments)
            except OSError as error:
                self.lost = error
