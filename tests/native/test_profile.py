"""What a step is made of, in kernels: their time and their text."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gdl
from graphdl.errors import UsageError

MODEL = """
input x[6]
target y: int(3)
loss = x -> linear(5) -> tanh -> linear(3) -> cross_entropy(y)
"""


def test_a_profile_names_the_nodes_and_leaves_the_weights() -> None:
    net = gdl.compile(MODEL, backend="native")
    before = {name: np.array(weight) for name, weight in net.weights.items()}
    found = net.profile(**net.blank(8))
    assert {line.node for line in found.lines} >= {"linear", "linear#2", "cross_entropy"}
    assert all(line.seconds > 0 for line in found.lines)
    products = [line for line in found.lines if line.kernel == "tile"]
    assert sum(line.flops for line in products) == 2 * 8 * (6 * 5 * 2 + 5 * 3 * 3)
    assert "GFLOP/s" in str(found)
    assert (net.steps, net.draws) == (0, 0)
    for name, weight in before.items():
        assert np.array_equal(net[name], weight), name


def test_kernels_are_shown_as_text() -> None:
    net = gdl.compile(MODEL, backend="native")
    text = net.kernels(**net.blank(8))
    assert text.count("define void @") >= 5
    assert "calls, of: linear" in text


def test_only_generated_kernels_can_be_shown() -> None:
    net = gdl.compile(MODEL, backend="numpy")
    with pytest.raises(UsageError, match="the numpy backend has no kernels of its own"):
        net.profile(**net.blank(2))
