"""Sizes: inferred along the arrows and back, symbolic where they vary, checked where written."""

from __future__ import annotations

import numpy as np
import pytest

import graphdl as gdl
from graphdl.elaborate import elaborate
from graphdl.errors import ModelError, Source
from graphdl.graph import Graph

PAD = "input x[C, H, W]\n"


def graph(text: str) -> Graph:
    return elaborate(Source("<text>", text)).graph


def shapes(text: str) -> dict[str, str]:
    """Inputs, targets and outputs by name."""
    found = graph(text)
    ends = {**found.inputs, **found.targets}
    ends |= {name: found.shaped(wire) for name, wire in found.outputs.items()}
    return {name: str(shaped) for name, shaped in ends.items()}


SHAPES = [
    # along the arrows
    ("input x[3]\noutput y = x -> linear(4)", {"y": "[4]"}),
    ("input x[T, 3]\noutput y = x -> linear(4)", {"y": "[T, 4]"}),
    ("input x[T]: int(9)\noutput y = x -> embedding(4)", {"x": "[T]: int(9)", "y": "[T, 4]"}),
    ("input x[1, 28, 28]\noutput y = x -> conv(6, 5)", {"y": "[6, 24, 24]"}),
    ("input x[1, 28, 28]\noutput y = x -> conv(6, 5, pad = same)", {"y": "[6, 28, 28]"}),
    ("input x[1, 28, 28]\noutput y = x -> conv(6, 3, 2, pad = same)", {"y": "[6, 14, 14]"}),
    ("input x[1, 28, 28]\noutput y = x -> max_pool(2) -> flatten", {"y": "[196]"}),
    ("input x[1, 5, 5]\noutput y = x -> max_pool(2)", {"y": "[1, 2, 2]"}),
    ("input x[1, 5, 5]\noutput y = x -> max_pool(2, ceil = true)", {"y": "[1, 3, 3]"}),
    ("input x[T, 8]\noutput y = x -> conv1d(4, 3)", {"y": "[T-2, 4]"}),
    ("input x[T, 8]\noutput y = x -> conv1d(4, 3, pad = same)", {"y": "[T, 4]"}),
    ("input x[T, 8]\noutput y = x -> conv1d(4, 3, 2, 1)", {"y": "[(T-1)//2+1, 4]"}),
    ("input x[T, 8]\noutput y = x -> max_over_time", {"y": "[8]"}),
    ("input x[T, 8]\noutput y = x -> flatten", {"y": "[8*T]"}),
    ("input x[T, 8]\noutput y = x @ transpose(x)", {"y": "[T, T]"}),
    ("input x[T, 8]\ninput z[S, 8]\noutput y = x @ transpose(z)", {"y": "[T, S]"}),
    ("input x[N, N]\noutput y = x @ x", {"y": "[N, N]"}),
    ("input x[3]\noutput y = x + 1", {"y": "[3]"}),
    ("input x[3]\ninput z[4, 1]\noutput y = x * z", {"y": "[4, 3]"}),
    ("input x[3]\noutput y = x > 0", {"y": "[3]: bool()"}),
    ("input x[3]\noutput y = argmax(x)", {"y": "[]: int(3)"}),
    ("input x[T, 8]\noutput y = x -> scan { rnn_step(5) }", {"y": "[T, 5]"}),
    # against them
    ("input x\noutput y = x -> linear(2, 3)", {"x": "[2]", "y": "[3]"}),
    ("input x\nweight w[5]\noutput y = x * w", {"x": "[5]", "y": "[5]"}),
    ("input x\ninput z[2, 3]\noutput y = x + z", {"x": "[2, 3]"}),
    ("input x\noutput y = tanh(x) * 2 - 1 -> linear(4, 3)", {"x": "[4]"}),
    ("input x\nh[7] = x\noutput y = h + 1", {"x": "[7]"}),
    ("input x\ntarget t\nloss = x -> linear(4, 3) -> mse(t)\noutput y = x + 1", {"t": "[3]"}),
    (
        "input x[4]\ntarget t\nloss = x -> linear(3) -> cross_entropy(t)\noutput y = x",
        {"t": "[]: int(3)"},
    ),
    (
        "input x[T, 4]\ntarget t\nloss = x -> linear(3) -> cross_entropy(t)\noutput y = x",
        {"t": "[T]: int(3)"},
    ),
    ("input a\ninput b\ninput c[3]\noutput y = a + b\noutput z = b * c", {"a": "[3]", "b": "[3]"}),
    ("input a\ninput b\noutput y = a + b\noutput z = b -> linear(4, 1)", {"a": "[4]", "y": "[4]"}),
    ("input x\nweight w[5, 3]\noutput y = x @ w", {"x": "[5]", "y": "[3]"}),
    # nothing says otherwise
    ("input a\noutput y = a * 2", {"a": "[]", "y": "[]"}),
    ("input a\ninput b\noutput low = min(a, b)", {"a": "[]", "b": "[]", "low": "[]"}),
    ("input a\noutput a2 = a", {"a": "[]", "a2": "[]"}),
    ("input a\noutput y = mean(a)", {"a": "[]", "y": "[]"}),
    # the one-line program
    ("input -> linear(2, 3)", {"input": "[2]", "output": "[3]"}),
    ("input -> linear(2, 3) -> softmax -> nll", {"target": "[]: int(3)", "output": "[3]"}),
    ("input -> tanh -> linear(2, 3) -> mse", {"input": "[2]", "target": "[3]"}),
    ("linear(2, 3) -> relu", {"input": "[2]", "output": "[3]"}),
    ("block x -> f(n) { x -> linear(4, n) }\ninput -> f(2) -> softmax -> nll", {"input": "[4]"}),
    ("tanh -> linear(3, 1)", {"input": "[3]", "output": "[1]"}),
]


@pytest.mark.parametrize(("text", "wanted"), SHAPES, ids=[text for text, _ in SHAPES])
def test_shapes(text: str, wanted: dict[str, str]) -> None:
    found = shapes(text)
    assert {name: found[name] for name in wanted} == wanted


AGREEING = [
    "block x[T, D] -> f() { x -> linear(D) }\ninput x[T, 4]\noutput y = x -> f",
    (
        "block (a[T, D], b[S, D]) -> f() { a @ transpose(b) }\ninput a[3, 4]\ninput b[5, 4]\n"
        "output y = (a, b) -> f"
    ),
    "block x[C, H, H] -> f() { x -> flatten }\ninput x[1, 8, 8]\noutput y = x -> f",
    "block x[C, H, H // 1] -> f() { x -> flatten }\ninput x[1, 8, 8]\noutput y = x -> f",
    "input x[T, 4]\nh[T, 3] = x -> linear(3)\noutput y = h",
    "input x[T, 4]\nh[T, D] = x -> linear(3)\noutput y = h * D",
    "input x[T, 4]\ninput z[T, 4]\noutput y = x + z",
    "input x[T, 4]\nh[T - 2, 3] = x -> conv1d(3, 3)\noutput y = h",
    "n = 4\ninput x[n, n + 1]\nh[4, 5] = x\noutput y = h",
]


@pytest.mark.parametrize("text", AGREEING)
def test_sizes_that_agree(text: str) -> None:
    assert gdl.check(text) == []


DISAGREEING = [
    ("input x[1, 8, 9]\noutput y = x -> f", "block x[C, H, H] -> f() { x -> flatten }", "E0407"),
    ("input x[T, 4]\nh[T, 4] = x -> linear(3)\noutput y = h", "", "E0409"),
    ("input x[T, 4]\ninput z[S, 4]\noutput y = x + z", "", "E0402"),
    ("input x[T, 4]\nh[T, 3] = x -> conv1d(3, 3)\noutput y = h", "", "E0409"),
]


@pytest.mark.parametrize(("text", "block", "code"), DISAGREEING)
def test_sizes_that_do_not_agree(text: str, block: str, code: str) -> None:
    (found,) = gdl.check(f"{block}\n{text}")
    assert found.code == code


def test_a_size_is_a_number_in_the_body() -> None:
    text = "block x[T, D] -> f() { x * D + T -> linear(2 * D) }\ninput x[T, 4]\noutput y = x -> f"
    assert shapes(text)["y"] == "[T, 8]"


def test_the_batch_is_no_name_of_a_model() -> None:
    """A size that a user calls B is not the batch."""
    net = gdl.compile("input x[B, 3]\noutput y = sum(x, 0) * B")
    found = net(x=np.tile([1.0, 2.0, 3.0], (5, 2, 1)))["y"]
    assert found.tolist() == [[4.0, 8.0, 12.0]] * 5


def test_resolving_is_the_same_for_training() -> None:
    text = "input x\ntarget t\nh = x -> dropout(0.5) -> linear(4, 3)\nloss = h -> mse(t)"
    assert elaborate(Source("<text>", text), training=True).graph.inputs["x"].shape == (4,)


def test_too_many_unknowns_are_refused_in_a_sentence() -> None:
    with pytest.raises(ModelError, match="the shape of `a` is not known"):
        elaborate(Source("<text>", "input a\ninput b\noutput y = (a @ b) + 1"))
