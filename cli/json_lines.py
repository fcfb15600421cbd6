"""Training as lines of JSON, for programs that read along."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TextIO


def line(record: Mapping[str, Any]) -> str:
    r"""One record as a line.

    >>> line({"test": {"loss": float("nan")}, "epoch": 1})
    '{"test": {"loss": null}, "epoch": 1}\n'
    """
    return json.dumps(finite(record), default=str, allow_nan=False) + "\n"


def finite(value: Any) -> Any:
    """The value with null for every number that is not finite: JSON has no word for it."""
    if isinstance(value, Mapping):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


class JsonLines:
    """A reporter that writes one line for every epoch and every note."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def start(self, epoch: int, epochs: int, done: int, batches: int, examples: int) -> None:
        """An epoch begins."""

    def batch(self, done: int, examples: int, means: Callable[[], Mapping[str, float]]) -> None:
        """A batch is done."""

    def epoch(self, record: dict[str, Any], best: bool) -> None:
        """An epoch is over: its line."""
        self._write({**record, "best": best})

    def note(self, text: str) -> None:
        """Something worth a line."""
        self._write({"note": text})

    def finish(self) -> None:
        """Training is over."""

    def _write(self, record: Mapping[str, Any]) -> None:
        self.stream.write(line(record))
        self.stream.flush()
