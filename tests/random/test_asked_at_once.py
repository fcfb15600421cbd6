"""A short share of what threads and handlers ask: `python -m tests.random threads` asks longer."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from . import handlers, threads
from .asked import Asked


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
@pytest.mark.parametrize("run", [threads.run, handlers.run], ids=["threads", "signals"])
def test_a_share(run: Callable[[Asked], int]) -> None:
    assert run(Asked(count=2, seed=1, workers=1)) == 0
