"""How long a call takes: what all scripts that time steps share."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

Step = Callable[[], Any]
SAMPLES = 7


def nothing() -> None:
    """What waits for steps that are done when they return."""


def measure(step: Step, budget: float, sync: Step = nothing) -> tuple[float, float]:
    """Median and minimum seconds per call over seven samples, after a warm-up."""
    for _ in range(4):
        step()
    sync()
    start = time.perf_counter()
    step()
    sync()
    calls = max(1, int(budget / (SAMPLES + 1) / max(time.perf_counter() - start, 1e-7)))
    samples = []
    for _ in range(SAMPLES):
        start = time.perf_counter()
        for _ in range(calls):
            step()
        sync()
        samples.append((time.perf_counter() - start) / calls)
    return float(np.median(samples)), min(samples)
