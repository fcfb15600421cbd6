"""Mutated texts: each is told in diagnostics or becomes a network; a share of them also runs."""

from __future__ import annotations

from .asked import Asked
from .limits import RUNNING, SECONDS
from .mutations import corpus, mutant
from .trials import Trials, run_trials
from .verdict import RUNNING as CHECKED
from .verdict import verdict

COUNT = 10_000


def _seconds(number: int) -> float:
    return SECONDS if number % CHECKED else RUNNING


TEXTS = Trials("texts", lambda number: verdict(mutant(number), number), mutant, corpus, _seconds)


def run(asked: Asked) -> int:
    """Try so many mutated texts; the number of failures."""
    return run_trials(TEXTS, asked)
