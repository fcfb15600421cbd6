"""Random models against an interpreter of their graphs: a share of `python -m tests.random`."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from .judge import judge
from .models import models
from .writer import Sample


@settings(
    max_examples=40,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(models())
def test_random_models_agree_with_the_interpreter(sample: Sample) -> None:
    judge(sample)
