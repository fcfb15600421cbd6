"""The live display on a terminal: a bar per epoch with rate, time left, loss and metrics."""

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
    """A rich bar for the running epoch; finished epochs scroll by as lines."""

    def __init__(self, stream: TextIO) -> None:
        self.console = Console(file=stream, highlight=False)
        self.bar: Progress | None = None
        self.task = TaskID(0)
        self.of = 0
        self.began, self.before, self.updated = 0.0, 0, 0.0

    def start(self, epoch: int, epochs: int, done: int, batches: int, examples: int) -> None:
        """An epoch begins: a fresh bar."""
        self.finish()
        self.of, self.before = epochs, examples
        self.began = self.updated = time.monotonic()
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("{task.completed}/{task.total}  {task.fields[figures]}"),
            TimeRemainingColumn(compact=True),
            console=self.console,
            transient=True,
        )
        self.task = self.bar.add_task(
            f"epoch {epoch}/{epochs}", completed=done, total=batches, figures=""
        )
        self.bar.start()

    def batch(self, done: int, examples: int, means: Callable[[], Mapping[str, float]]) -> None:
        """A batch is done."""
        now = time.monotonic()
        if self.bar is None or now - self.updated < INTERVAL:
            return
        self.updated = now
        rate = (examples - self.before) / max(now - self.began, 1e-9)
        shown = f"{figures(means())}  {rate:,.0f}/s"
        self.bar.update(self.task, completed=done, figures=shown)

    def epoch(self, record: Record, best: bool) -> None:
        """An epoch is over: its bar becomes a line."""
        self.finish()
        self.note(epoch_line(record, self.of, best))

    def note(self, text: str) -> None:
        """Something worth a line, above the bar."""
        self.console.print(text, markup=False, soft_wrap=True)

    def finish(self) -> None:
        """Takes the bar away and gives the terminal back."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None
