"""What the command line asks of a run, and how a run speaks."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Asked:
    """How many trials, the number of the first, in how many processes."""

    count: int
    seed: int
    workers: int
    shrink: bool = False


def say(text: str) -> None:
    """Print at once, whatever the text holds."""
    sys.stdout.write(text.encode(errors="backslashreplace").decode() + "\n")
    sys.stdout.flush()
