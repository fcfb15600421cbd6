"""What does not fit into memory is refused before it is allocated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphdl
from graphdl.backends import memory_limit
from graphdl.errors import ModelError, UsageError

WIDE = "input x[100]\ntarget y[100]\nloss = x -> linear(100) -> mse(y)\noutput h = x -> tanh"


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda limit: monkeypatch.setattr(memory_limit, "LIMIT", limit)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (1000, "1000 bytes"), (1024, "1 KB"), (3 << 29, "1.5 GB"), (5 << 50, "5 PB")],
)
def test_amounts_read_well(count: int, text: str) -> None:
    assert memory_limit.amount(count) == text


def test_amounts_beyond_reason_are_said_as_such() -> None:
    assert memory_limit.amount(10**40) == "more than 1,000 PB"


def test_weights_are_refused_with_the_largest(little: Any) -> None:
    little(30_000)
    with pytest.raises(ModelError, match=r"E0418.*39.45 KB(?s:.*)`linear.weight` \[100, 100\]"):
        graphdl.compile(WIDE)


def test_a_batch_is_refused_with_its_largest_node(little: Any) -> None:
    net = graphdl.compile(WIDE)
    little(50_000)
    assert net(np.zeros((3, 100)))["h"].shape == (3, 100)
    with pytest.raises(UsageError, match=r"3.9\d* MB of memory.*: use a smaller batch"):
        net(np.zeros((10_240, 100)))


def test_the_states_of_an_optimiser_are_counted(little: Any) -> None:
    net = graphdl.compile(WIDE + "\ntrain { optimizer = adam() }")
    little(100_000)
    with pytest.raises(UsageError, match=r"`linear\.weight\.m` of the optimiser"):
        net.step(lr=None, x=np.zeros((2, 100)), y=np.zeros((2, 100)))
