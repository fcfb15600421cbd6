"""Broken texts give diagnostics: a share of `python -m tests.random texts`."""

from __future__ import annotations

import pytest

from .limits import SECONDS, limited
from .mutations import mutant
from .texts import TEXTS

SHARE, PART = 300, 50


@pytest.mark.parametrize("first", range(0, SHARE, PART))
def test_mutated_texts_give_diagnostics_only(first: int) -> None:
    for number in range(first, first + PART):
        try:
            with limited(SECONDS):
                TEXTS.judge(number)
        except BaseException as error:
            error.add_note(f"mutant {number}:\n{TEXTS.show(number)}")
            raise


def test_a_mutant_is_the_same_every_time() -> None:
    assert mutant(12) == mutant(12)
    assert len({mutant(number) for number in range(100)}) > 90
