"""Broken texts give diagnostics: a share of `python -m tests.random`."""

from __future__ import annotations

import pytest

from .mutations import mutant
from .verdict import verdict

SHARE, PART = 300, 50


@pytest.mark.parametrize("first", range(0, SHARE, PART))
def test_mutated_texts_give_diagnostics_only(first: int) -> None:
    for number in range(first, first + PART):
        text = mutant(number)
        try:
            verdict(text)
        except BaseException as error:
            error.add_note(f"mutant {number}:\n{text}")
            raise


def test_a_mutant_is_the_same_every_time() -> None:
    assert mutant(12) == mutant(12)
    assert len({mutant(number) for number in range(100)}) > 90
