"""Random valid models against an interpreter of their graphs, up to the first that differs."""

from __future__ import annotations

import sys
import traceback

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings

from .asked import Asked, say
from .judge import judge
from .models import models
from .writer import Sample

COUNT = 1000


def run(asked: Asked) -> int:
    """Judge so many random models, up to the first that fails; the number of failures."""
    seen = 0

    @hypothesis.seed(asked.seed)
    @settings(
        max_examples=asked.count,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink] if asked.shrink else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(models())
    def check(sample: Sample) -> None:
        nonlocal seen
        seen += 1
        try:
            judge(sample)
        except BaseException as error:
            error.add_note(f"{sample.text}\n{sample.params} {sample.sizes}")
            raise
        if seen % 100 == 0:
            say(f"  {seen:,} models")

    try:
        check()
    except Exception:
        traceback.print_exc(file=sys.stdout)
        say(f"models: failed after {seen:,}, seed {asked.seed}")
        return 1
    say(f"models: {seen:,} agree with the interpreter, seed {asked.seed}")
    return 0
