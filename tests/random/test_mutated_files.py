"""Broken checkpoints and data: a share of `python -m tests.random checkpoints` and `data`."""

from __future__ import annotations

import pytest

from .checkpoints import CHECKPOINTS
from .data_files import FILES
from .limits import SECONDS, limited
from .trials import Trials

SHARE = 120


@pytest.mark.parametrize("trials", [CHECKPOINTS, FILES], ids=lambda trials: trials.name)
def test_mutated_files_give_a_sentence(trials: Trials, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPHDL_DATA", "")  # a trial sets it
    for number in range(SHARE):
        try:
            with limited(SECONDS):
                trials.judge(number)
        except BaseException as error:
            error.add_note(f"{trials.name} {number}:\n{trials.show(number)}")
            raise
