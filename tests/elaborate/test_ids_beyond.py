"""Ids that lie beyond the steps of a sequence pick no number, whatever lies there in memory."""

from __future__ import annotations

import math

import numpy as np
import pytest

import graphdl as gdl
from graphdl.errors import DivergedError

TEXT = """input words[T]: int(9, pad = 0)
target place: int(9)
x = (words -> embedding(1)) -> reshape([T])
output y = x
loss = x -> cross_entropy(place)
"""
WORDS = np.array([[1, 2, 3, 4], [1, 2, 0, 0]])


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_a_place_is_one_of_the_real_steps(backend: str) -> None:
    net = gdl.compile(TEXT, backend=backend, dtype="float64")
    alone = net.loss(words=WORDS[:1], place=[3]), net.loss(words=WORDS[1:, :2], place=[1])
    assert net.loss(words=WORDS, place=[3, 1]) == pytest.approx(sum(alone) / 2)
    assert net.gradcheck(data={"words": WORDS, "place": [3, 1]})
    for places in ([3, 2], [4, 0], [8, 8]):
        assert math.isnan(net.loss(words=WORDS, place=places))
        with pytest.raises(DivergedError, match="the loss is not finite"):
            net.step(words=WORDS, place=places)


@pytest.mark.parametrize("backend", ["numpy", "native"])
def test_the_largest_is_always_there(backend: str) -> None:
    net = gdl.compile("input x[T]\noutput y = pick(x, argmax(x))", backend=backend)
    assert net(x=[[1.0, 3.0, 2.0]])["y"].tolist() == [3.0]
