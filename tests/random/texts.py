"""Mutated texts: each is told in diagnostics or becomes a network; a share of them also runs."""

from __future__ import annotations

from .asked import Asked
from .mutations import corpus, mutant
from .trials import Trials, run_trials
from .verdict import verdict

COUNT = 10_000
TEXTS = Trials("texts", lambda number: verdict(mutant(number), number), mutant, corpus)


def run(asked: Asked) -> int:
    """Try so many mutated texts; the number of failures."""
    return run_trials(TEXTS, asked)
