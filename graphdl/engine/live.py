"""The live display on a terminal: a bar over the run with rate, time left, loss and metrics."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from .history import Record
from .reporter import epoch_line, figures

INTERVAL = 0.1  # seconds between updates: the display never costs a fast loop its speed


class Live:
    """One rich bar over all epochs; finished epochs scroll by above it as lines."""

    def __init__(self, stream: TextIO) -> None:
        self.console = Console(file=stream, highlight=False)
        self.bar: Progress | None = None
        self.task = TaskID(0)
        self.at, self.of, self.batches = 1, 1, 1
        self.began, self.before, self.updated = 0.0, 0, 0.0

    def start(self, epoch: int, epochs: int, done: int, batches: int, examples: int) -> None:
        """An epoch begins; the first one brings up the bar."""
        self.at, self.of, self.batches, self.before = epoch, epochs, batches, examples
        self.began = time.monotonic()
        title = f"epoch {epoch}/{epochs}"
        if self.bar is not None:
            self.bar.update(self.task, description=title)
            return
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
            console=self.console,
            transient=True,
        )
        passed = (epoch - 1) * batches + done
        self.task = self.bar.add_task(title, completed=passed, total=epochs * batches, figures="")
        self.bar.start()

    def batch(self, done: int, examples: int, means: Callable[[], Mapping[str, float]]) -> None:
        """A batch is done."""
        now = time.monotonic()
        if self.bar is None or now - self.updated < INTERVAL:
            return
        self.updated = now
        rate = (examples - self.before) / max(now - self.began, 1e-9)
        shown = f"{done}/{self.batches}  {figures(means())}  {rate:,.0f}/s"
        passed = (self.at - 1) * self.batches + done
        self.bar.update(self.task, completed=passed, figures=shown)

    def epoch(self, record: Record, best: bool) -> None:
        """An epoch is over: a line above the bar."""
        self.note(epoch_line(record, self.of, best))

    def note(self, text: str) -> None:
        """Something worth a line, above the bar."""
        self.console.print(text, markup=False, soft_wrap=True)

    def finish(self) -> None:
        """Takes the bar away and gives the terminal back."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
