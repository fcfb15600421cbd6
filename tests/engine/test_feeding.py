"""How many examples an evaluation runs at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphdl.data import Column, Split
from graphdl.data.ragged import Ragged
from graphdl.engine.feeding import evaluating_feed
from graphdl.engine.settings import Settings
from graphdl.errors import UsageError

EVEN = Split({"w": np.zeros((300, 4), np.int64)})
ROWS = {"w": Ragged.of([[1, 2], [3]] * 150)}
PADDED = Split(ROWS, {"w": Column(sequence=True, pad=0)})
UNEVEN = Split(ROWS, {"w": Column(sequence=True)})

BATCHES: list[tuple[Split, int, int | None, int]] = [
    (EVEN, 32, None, 3),
    (EVEN, 150, None, 2),
    (EVEN, 32, 7, 43),
    (EVEN, 1, 1, 300),
    (PADDED, 1, None, 3),
    (PADDED, 1, 2, 150),
    (UNEVEN, 1, None, 300),
    (UNEVEN, 1, 1, 300),
]


@pytest.mark.parametrize(("split", "trained", "asked", "steps"), BATCHES)
def test_examples_at_a_time(split: Split, trained: int, asked: int | None, steps: int) -> None:
    feed = evaluating_feed(split, Settings.resolve({}, {"batch": trained}), asked)
    found: list[Any] = [fed.weight for fed in feed.batches(epoch=0)]
    assert len(found) == steps
    assert sum(found) == 300


def test_a_batch_holds_an_example() -> None:
    with pytest.raises(UsageError, match="a batch must hold at least 1 example, got 0"):
        evaluating_feed(EVEN, Settings.resolve({}, {}), 0)
