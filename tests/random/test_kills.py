"""Killed and resumed is as if never stopped: a share of `python -m tests.random kills`."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from .kills import PROGRAM, Trial

RUNS = [
    Trial(2, [signal.SIGKILL, signal.SIGTERM, signal.SIGKILL]),
    Trial(5, [signal.SIGPIPE, signal.SIGKILL, signal.SIGHUP, signal.SIGINT]),
]


@pytest.mark.parametrize("trial", RUNS, ids=lambda trial: str(trial.number))
def test_a_run_that_is_killed_comes_to_the_same(trial: Trial) -> None:
    if not Path(PROGRAM).exists():
        pytest.skip("graphdl is not installed in this environment")
    assert trial.run() == ""
